//! What is to be sent, and what became of it.

use identity::PersonId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_as, query_scalar};
use uuid::Uuid;

use crate::domain::{Ending, Kind, Waiting};

/// Messages of one page of the waiting ones.
const PAGE: i64 = 500;

/// A message as it stands.
#[derive(sqlx::FromRow, Clone, Debug)]
pub struct Row {
    /// Its id.
    pub notification_id: Uuid,
    /// To whom.
    pub person_id: Uuid,
    kind: String,
    /// Its edition.
    pub edition_id: Uuid,
    /// Application, obligation, tandem, session or follow-up.
    pub subject_id: Uuid,
    /// The other side of the tandem.
    pub partner_id: Option<Uuid>,
    due_date: Option<jiff_sqlx::Date>,
    /// Months after the end, for a follow-up.
    pub months: Option<i32>,
    ending: Option<String>,
    obsolete: bool,
    created_at: jiff_sqlx::Timestamp,
    time_zone: Option<String>,
    region: Option<String>,
    start_at: Option<jiff_sqlx::Timestamp>,
    /// Length of the session.
    pub minutes: Option<i32>,
    /// Changes of the session.
    pub sequence: Option<i32>,
    session_zone: Option<String>,
    /// `pending`, `sent`, `suppressed` or `failed`.
    pub state: String,
    invited: bool,
}

impl Row {
    /// What about; none if a newer version of the program wrote it.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == self.kind)
    }

    /// When it became due.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created_at.to_jiff()
    }

    /// The day it names.
    #[must_use]
    pub fn due(&self) -> Option<jiff::civil::Date> {
        self.due_date.map(jiff_sqlx::Date::to_jiff)
    }

    /// How the tandem ended.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        let all = [Ending::NotFormed, Ending::Dissolved, Ending::Completed];
        all.into_iter().find(|ending| self.ending.as_deref() == Some(ending.name()))
    }

    /// Start of the session.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.start_at.map(jiff_sqlx::Timestamp::to_jiff)
    }

    /// The edition's zone.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        zone(self.time_zone.as_deref())
    }

    /// The zone of the session's people.
    #[must_use]
    pub fn session_zone(&self) -> TimeZone {
        zone(self.session_zone.as_deref())
    }

    /// The message as far as its time is concerned.
    #[must_use]
    pub fn waiting<'z>(&self, kind: Kind, zone: &'z TimeZone) -> Waiting<'z> {
        let region = self.region.as_deref().unwrap_or_default();
        Waiting {
            kind,
            obsolete: self.obsolete,
            start: self.start(),
            invited: self.invited,
            zone,
            // Where the holidays are not known, only weekends are free.
            working_days: region.parse().unwrap_or_default(),
        }
    }
}

fn zone(name: Option<&str>) -> TimeZone {
    name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// A mail that is being tried.
#[derive(sqlx::FromRow, Clone, Copy, Debug)]
pub struct Mail {
    /// Its id.
    pub mail_id: Uuid,
    /// To whom.
    pub person_id: Uuid,
    /// How often it was tried, this time included.
    pub attempts: i32,
    created_at: jiff_sqlx::Timestamp,
}

impl Mail {
    /// When it was put together.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created_at.to_jiff()
    }
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The mail server took it.
    Sent,
    /// No longer of use.
    Suppressed,
    /// The mail server refused it for good.
    Failed,
}

impl Closed {
    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
        }
    }
}

/// Messages which are in no mail yet, oldest first, after the last one of the page before.
///
/// # Errors
/// If the query fails.
pub async fn waiting(conn: &mut PgConnection, after: Option<&Row>) -> Result<Vec<Row>, sqlx::Error> {
    query_as(
        "select * from outbox
         where mail_id is null and not obsolete
           and ($1::timestamptz is null or (created_at, notification_id) > ($1, $2))
         order by created_at, notification_id
         limit $3",
    )
    .bind(after.map(|row| row.created_at))
    .bind(after.map(|row| row.notification_id))
    .bind(PAGE)
    .fetch_all(conn)
    .await
}

/// Puts messages to one person, the oldest first, into a mail that is due.
///
/// # Errors
/// If a statement fails.
pub async fn compose(conn: &mut PgConnection, messages: &[Row], now: Timestamp) -> Result<(), sqlx::Error> {
    let Some(first) = messages.first() else { return Ok(()) };
    query("insert into mails (mail_id, person_id, due_at, created_at) values ($1, $2, $3, $3)")
        .bind(first.notification_id)
        .bind(first.person_id)
        .bind(now.to_sqlx())
        .execute(&mut *conn)
        .await?;
    let ids: Vec<_> = messages.iter().map(|message| message.notification_id).collect();
    query("insert into deliveries (notification_id, mail_id, state) select unnest($1::uuid[]), $2, 'pending'")
        .bind(ids)
        .bind(first.notification_id)
        .execute(conn)
        .await
        .map(drop)
}

/// Keeps a message from being sent.
///
/// # Errors
/// If the statement fails.
pub async fn suppress(executor: impl PgExecutor<'_>, message: Uuid) -> Result<(), sqlx::Error> {
    query(
        "insert into deliveries (notification_id, mail_id, state) values ($1, $1, 'suppressed')
         on conflict (notification_id) do update set state = excluded.state",
    )
    .bind(message)
    .execute(executor)
    .await
    .map(drop)
}

/// Takes the mail that has been due for longest; until the lease ends nobody else tries it.
///
/// # Errors
/// If the statement fails.
pub async fn claim(pool: &PgPool, now: Timestamp, lease: Timestamp) -> Result<Option<Mail>, sqlx::Error> {
    query_as(
        "update mails set attempts = attempts + 1, due_at = $2
         where mail_id = (
             select mail_id from mails where due_at <= $1 order by due_at, created_at limit 1 for update skip locked
         )
         returning mail_id, person_id, attempts, created_at",
    )
    .bind(now.to_sqlx())
    .bind(lease.to_sqlx())
    .fetch_optional(pool)
    .await
}

/// The messages of a mail that are not closed, oldest first.
///
/// # Errors
/// If the query fails.
pub async fn contents(pool: &PgPool, mail: Uuid) -> Result<Vec<Row>, sqlx::Error> {
    query_as(
        "select outbox.* from outbox
         join deliveries using (notification_id)
         where outbox.mail_id = $1 and deliveries.state = 'pending'
         order by outbox.created_at, outbox.notification_id",
    )
    .bind(mail)
    .fetch_all(pool)
    .await
}

/// Closes a mail and whatever of its messages is not closed yet.
///
/// # Errors
/// If a statement fails.
pub async fn close(pool: &PgPool, mail: Uuid, closed: Closed) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    query("update deliveries set state = $2 where mail_id = $1 and state = 'pending'")
        .bind(mail)
        .bind(closed.name())
        .execute(&mut *transaction)
        .await?;
    query("update mails set due_at = null where mail_id = $1").bind(mail).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Tries a mail again later; `attempts` counts what was really tried.
///
/// # Errors
/// If the statement fails.
pub async fn postpone(
    pool: &PgPool,
    mail: &Mail,
    attempts: i32,
    until: Timestamp,
) -> Result<(), sqlx::Error> {
    query("update mails set due_at = $2, attempts = $3 where mail_id = $1")
        .bind(mail.mail_id)
        .bind(until.to_sqlx())
        .bind(attempts)
        .execute(pool)
        .await
        .map(drop)
}

/// Keeps other processes from composing as long as the transaction lasts; false if one of them does.
///
/// # Errors
/// If the query fails.
pub async fn alone(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar("select pg_try_advisory_xact_lock(hashtext('notifications.compose'))").fetch_one(conn).await
}

/// The messages to a person, newest first, after the last one of the page before.
///
/// # Errors
/// If the query fails.
pub async fn list(
    pool: &PgPool,
    person: PersonId,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    query_as(
        "select * from outbox
         where person_id = $1 and ($2::timestamptz is null or (created_at, notification_id) < ($2, $3))
         order by created_at desc, notification_id desc
         limit $4",
    )
    .bind(person.uuid())
    .bind(after.map(|(created, _)| created.to_sqlx()))
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(pool)
    .await
}
