//! How facts change the tables.

use eventlog::Recorded;
use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, query, query_as, query_scalar};
use uuid::Uuid;

use crate::domain::{Effect, Fact, Kind, Meeting, Notice, Pair, Session, Tandem};

/// Takes a fact into the tables, and the messages that follow from it.
///
/// # Errors
/// If a statement fails.
pub async fn project(conn: &mut PgConnection, event: &Recorded, fact: &Fact) -> Result<(), sqlx::Error> {
    match fact {
        Fact::Zone { edition, time_zone, region } => set_zone(conn, *edition, time_zone, region).await,
        Fact::Left { person } => leave(conn, *person).await,
        Fact::Returned { person } => query("delete from leavers where person_id = $1")
            .bind(person.uuid())
            .execute(conn)
            .await
            .map(drop),
        Fact::Personal { subject, edition, what } => {
            News { event, edition: *edition, subject: *subject }.take(conn, &what.effect()).await
        }
        Fact::Offered { tandem, edition, pair, answer_by } => {
            pair_up(conn, *tandem, *pair).await?;
            let answer_by = match answer_by {
                Some(instant) => Some(day(conn, *edition, *instant).await?),
                None => None,
            };
            let news = News { event, edition: *edition, subject: tandem.uuid() };
            news.take(conn, &Tandem::Offered { answer_by }.effect(*pair)).await
        }
        Fact::Tandem { tandem, edition, what } => {
            let effect = what.effect(pair_of(conn, *tandem).await?);
            News { event, edition: *edition, subject: tandem.uuid() }.take(conn, &effect).await
        }
        Fact::Planned { tandem, edition, time_zone, meetings } => {
            plan(conn, *tandem, time_zone, meetings).await?;
            let sessions = meetings.iter().map(|meeting| meeting.session.uuid()).collect();
            let effect = Session::Planned.effect(pair_of(conn, *tandem).await?);
            tell_of_each(conn, event, *edition, sessions, &effect).await
        }
        Fact::Session { tandem, edition, session, what } => {
            change(conn, *session, *what).await?;
            let effect = what.effect(pair_of(conn, *tandem).await?);
            tell_of_each(conn, event, *edition, vec![session.uuid()], &effect).await
        }
        Fact::SeriesEnded { tandem, edition } => {
            let dropped = drop_planned(conn, *tandem, event.recorded_at).await?;
            if dropped.is_empty() {
                return Ok(());
            }
            let effect = Session::Cancelled.effect(pair_of(conn, *tandem).await?);
            tell_of_each(conn, event, *edition, dropped, &effect).await
        }
    }
}

async fn set_zone(
    conn: &mut PgConnection,
    edition: EditionId,
    time_zone: &str,
    region: &str,
) -> Result<(), sqlx::Error> {
    query(
        "insert into editions (edition_id, time_zone, region) values ($1, $2, $3)
         on conflict (edition_id) do update set time_zone = excluded.time_zone, region = excluded.region",
    )
    .bind(edition.uuid())
    .bind(time_zone)
    .bind(region)
    .execute(conn)
    .await
    .map(drop)
}

async fn leave(conn: &mut PgConnection, person: PersonId) -> Result<(), sqlx::Error> {
    query("insert into leavers (person_id) values ($1) on conflict do nothing")
        .bind(person.uuid())
        .execute(&mut *conn)
        .await?;
    query("update messages set obsolete = true where person_id = $1 and not obsolete")
        .bind(person.uuid())
        .execute(conn)
        .await
        .map(drop)
}

async fn pair_up(conn: &mut PgConnection, tandem: TandemId, pair: Pair) -> Result<(), sqlx::Error> {
    query("insert into tandems (tandem_id, mentor_id, mentee_id) values ($1, $2, $3)")
        .bind(tandem.uuid())
        .bind(pair.mentor.uuid())
        .bind(pair.mentee.uuid())
        .execute(conn)
        .await
        .map(drop)
}

async fn pair_of(conn: &mut PgConnection, tandem: TandemId) -> Result<Pair, sqlx::Error> {
    let (mentor, mentee): (Uuid, Uuid) =
        query_as("select mentor_id, mentee_id from tandems where tandem_id = $1")
            .bind(tandem.uuid())
            .fetch_one(conn)
            .await?;
    Ok(Pair { mentor: PersonId::from_uuid(mentor), mentee: PersonId::from_uuid(mentee) })
}

/// The day an instant falls on, as the edition counts.
async fn day(conn: &mut PgConnection, edition: EditionId, instant: Timestamp) -> Result<Date, sqlx::Error> {
    let zone: Option<String> = query_scalar("select time_zone from editions where edition_id = $1")
        .bind(edition.uuid())
        .fetch_optional(conn)
        .await?;
    let zone = zone.and_then(|zone| TimeZone::get(&zone).ok()).unwrap_or(TimeZone::UTC);
    Ok(instant.to_zoned(zone).date())
}

async fn plan(
    conn: &mut PgConnection,
    tandem: TandemId,
    time_zone: &str,
    meetings: &[Meeting],
) -> Result<(), sqlx::Error> {
    query(
        "insert into sessions (session_id, tandem_id, start_at, minutes, time_zone)
         select planned.session_id, $1, planned.start_at, planned.minutes, $2
         from unnest($3::uuid[], $4::timestamptz[], $5::integer[]) as planned (session_id, start_at, minutes)",
    )
    .bind(tandem.uuid())
    .bind(time_zone)
    .bind(meetings.iter().map(|meeting| meeting.session.uuid()).collect::<Vec<_>>())
    .bind(meetings.iter().map(|meeting| meeting.start.to_sqlx()).collect::<Vec<_>>())
    .bind(meetings.iter().map(|meeting| meeting.minutes).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

async fn change(conn: &mut PgConnection, session: SessionId, what: Session) -> Result<(), sqlx::Error> {
    let sql = match what {
        Session::Planned => return Ok(()),
        Session::Moved { start } => {
            return query("update sessions set start_at = $2, sequence = sequence + 1 where session_id = $1")
                .bind(session.uuid())
                .bind(start.to_sqlx())
                .execute(conn)
                .await
                .map(drop);
        }
        Session::Cancelled => {
            "update sessions set open = false, sequence = sequence + 1 where session_id = $1"
        }
        Session::Past => "update sessions set open = false where session_id = $1",
    };
    query(sql).bind(session.uuid()).execute(conn).await.map(drop)
}

/// Calls off what is planned after a moment, and answers with it.
async fn drop_planned(
    conn: &mut PgConnection,
    tandem: TandemId,
    after: Timestamp,
) -> Result<Vec<Uuid>, sqlx::Error> {
    query_scalar(
        "update sessions set open = false, sequence = sequence + 1
         where tandem_id = $1 and open and start_at > $2
         returning session_id",
    )
    .bind(tandem.uuid())
    .bind(after.to_sqlx())
    .fetch_all(conn)
    .await
}

async fn tell_of_each(
    conn: &mut PgConnection,
    event: &Recorded,
    edition: EditionId,
    sessions: Vec<Uuid>,
    effect: &Effect,
) -> Result<(), sqlx::Error> {
    for subject in sessions {
        News { event, edition, subject }.take(conn, effect).await?;
    }
    Ok(())
}

/// What an event says about one subject.
struct News<'e> {
    event: &'e Recorded,
    edition: EditionId,
    subject: Uuid,
}

impl News<'_> {
    /// Takes back what is of no use any more, and keeps what is to be told.
    async fn take(&self, conn: &mut PgConnection, effect: &Effect) -> Result<(), sqlx::Error> {
        if !effect.obsolete.is_empty() {
            query(
                "update messages set obsolete = true
                 where subject_id = $1 and kind = any($2) and ($3::uuid is null or person_id = $3)
                   and not obsolete",
            )
            .bind(self.subject)
            .bind(effect.obsolete.iter().map(|kind| Kind::name(*kind)).collect::<Vec<_>>())
            .bind(effect.only_for.map(PersonId::uuid))
            .execute(&mut *conn)
            .await?;
        }
        for notice in &effect.tell {
            self.keep(conn, notice).await?;
        }
        Ok(())
    }

    async fn keep(&self, conn: &mut PgConnection, notice: &Notice) -> Result<(), sqlx::Error> {
        query(
            "insert into messages (notification_id, person_id, kind, edition_id, subject_id, partner_id,
                                   due_date, months, ending, obsolete, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
                     exists (select from leavers where person_id = $2), $10)",
        )
        .bind(self.notification_id(notice.to))
        .bind(notice.to.uuid())
        .bind(notice.kind.name())
        .bind(self.edition.uuid())
        .bind(self.subject)
        .bind(notice.partner.map(PersonId::uuid))
        .bind(notice.due.map(ToSqlx::to_sqlx))
        .bind(notice.months)
        .bind(notice.ending.map(crate::domain::Ending::name))
        .bind(self.event.recorded_at.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
    }

    /// The same for the same event, subject and person, however often it is derived.
    fn notification_id(&self, to: PersonId) -> Uuid {
        let name = [self.subject.into_bytes(), to.uuid().into_bytes()].concat();
        Uuid::new_v5(&self.event.event_id, &name)
    }
}
