//! Tandems: how they stand, and which of them something concerns.

use std::collections::BTreeMap;

use identity::{EditionId, PersonId, RepairId, TandemId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::named;
use crate::domain::inputs::Past;
use crate::domain::pairing::Points;
use crate::domain::tandem::{Change, Event, Key, Offer, Status};
use crate::domain::{Pair, Side};

/// A tandem as it stands.
#[derive(Clone, Copy, Debug)]
pub struct TandemRow {
    /// Which tandem it is, and of what.
    pub key: Key,
    /// The two.
    pub pair: Pair,
    /// Where it stands.
    pub status: Status,
    /// Whether the mentor accepted.
    pub mentor_accepted: bool,
    /// Whether the mentee accepted.
    pub mentee_accepted: bool,
    /// The end of the time to answer.
    pub answer_by: Timestamp,
    /// What the score is made of.
    pub points: Points,
    /// Whether a hard rule is broken now.
    pub flagged: bool,
    /// The repair it comes from.
    pub repair: Option<RepairId>,
    /// Its version.
    pub version: i64,
}

impl FromRow<'_, PgRow> for TandemRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: Key {
                tandem: TandemId::from_uuid(row.try_get("tandem_id")?),
                edition: EditionId::from_uuid(row.try_get("edition_id")?),
            },
            pair: Pair {
                mentor: PersonId::from_uuid(row.try_get("mentor_person_id")?),
                mentee: PersonId::from_uuid(row.try_get("mentee_person_id")?),
            },
            status: named(row, "status", &Status::ALL, Status::name)?,
            mentor_accepted: row.try_get("mentor_accepted")?,
            mentee_accepted: row.try_get("mentee_accepted")?,
            answer_by: row.try_get::<jiff_sqlx::Timestamp, _>("answer_by")?.to_jiff(),
            points: Points {
                topics: row.try_get("topics")?,
                availability: row.try_get("availability")?,
                distance: row.try_get("distance")?,
                language: row.try_get("language")?,
            },
            flagged: row.try_get("flagged")?,
            repair: row.try_get::<Option<Uuid>, _>("repair_id")?.map(RepairId::from_uuid),
            version: row.try_get("version")?,
        })
    }
}

/// One tandem.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, tandem: TandemId) -> sqlx::Result<Option<TandemRow>> {
    sqlx::query_as("select * from tandems where tandem_id = $1")
        .bind(tandem.uuid())
        .fetch_optional(executor)
        .await
}

/// A page of an edition's tandems by id, perhaps only those of one person.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    person: Option<PersonId>,
    after: Option<TandemId>,
    limit: i64,
) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select * from tandems
         where edition_id = $1
           and ($2::uuid is null or $2 in (mentor_person_id, mentee_person_id))
           and ($3::uuid is null or tandem_id > $3)
         order by tandem_id
         limit $4",
    )
    .bind(edition.uuid())
    .bind(person.map(PersonId::uuid))
    .bind(after.map(TandemId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Tandems whose time to answer is over.
///
/// # Errors
/// If the database fails.
pub async fn overdue(executor: impl PgExecutor<'_>, now: Timestamp) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as("select * from tandems where status = 'published' and answer_by <= $1 order by tandem_id")
        .bind(now.to_sqlx())
        .fetch_all(executor)
        .await
}

/// The live tandems of a person, with the person's side.
///
/// # Errors
/// If the database fails.
pub async fn live_of(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> sqlx::Result<Vec<(TandemRow, Side)>> {
    let tandems: Vec<TandemRow> = sqlx::query_as(
        "select * from tandems
         where (mentor_person_id = $1 or mentee_person_id = $1) and status in ('published', 'active')
         order by tandem_id",
    )
    .bind(person.uuid())
    .fetch_all(executor)
    .await?;
    Ok(tandems.into_iter().filter_map(|tandem| Some((tandem, tandem.pair.side_of(person)?))).collect())
}

/// The live tandems of an edition.
///
/// # Errors
/// If the database fails.
pub async fn live_in(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select * from tandems where edition_id = $1 and status in ('published', 'active') order by tandem_id",
    )
    .bind(edition.uuid())
    .fetch_all(executor)
    .await
}

/// The offers that neither side has answered yet, which may still be moved.
///
/// # Errors
/// If the database fails.
pub async fn unanswered(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select * from tandems
         where edition_id = $1 and status = 'published' and not mentor_accepted and not mentee_accepted
         order by tandem_id",
    )
    .bind(edition.uuid())
    .fetch_all(executor)
    .await
}

/// The offers that wait for an answer and are for this mentor or this mentee.
///
/// # Errors
/// If the database fails.
pub async fn offered_to(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    pair: Pair,
) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select * from tandems
         where edition_id = $1 and status = 'published' and (mentor_person_id = $2 or mentee_person_id = $3)
         order by tandem_id",
    )
    .bind(edition.uuid())
    .bind(pair.mentor.uuid())
    .bind(pair.mentee.uuid())
    .fetch_all(executor)
    .await
}

/// The offers of an edition that ended in silence.
///
/// # Errors
/// If the database fails.
pub async fn expired(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as("select * from tandems where edition_id = $1 and status = 'expired' order by tandem_id")
        .bind(edition.uuid())
        .fetch_all(executor)
        .await
}

/// The live tandems that have somebody at most so many levels below the person, or the person.
///
/// # Errors
/// If the database fails.
pub async fn below(
    executor: impl PgExecutor<'_>,
    person: PersonId,
    levels: i32,
) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "with recursive below (person_id, depth) as (
             select $1::uuid, 0
             union
             select people.person_id, below.depth + 1
             from below join people on people.manager_person_id = below.person_id
             where below.depth < $2
         )
         select * from tandems
         where status in ('published', 'active')
           and (mentor_person_id in (select person_id from below)
                or mentee_person_id in (select person_id from below))
         order by tandem_id",
    )
    .bind(person.uuid())
    .bind(levels)
    .fetch_all(executor)
    .await
}

/// Whether two people have an offer that is not answered yet.
///
/// # Errors
/// If the database fails.
pub async fn is_offered(executor: impl PgExecutor<'_>, edition: EditionId, pair: Pair) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from tandems
                        where edition_id = $1 and mentor_person_id = $2 and mentee_person_id = $3
                          and status = 'published')",
    )
    .bind(edition.uuid())
    .bind(pair.mentor.uuid())
    .bind(pair.mentee.uuid())
    .fetch_one(executor)
    .await
}

/// What keeps mentors and mentees apart because of tandems they had, the strongest reason of each pair.
///
/// # Errors
/// If the database fails.
pub async fn past(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    mentors: &[PersonId],
    mentees: &[PersonId],
) -> sqlx::Result<BTreeMap<Pair, Past>> {
    let ids = |people: &[PersonId]| people.iter().map(|person| person.uuid()).collect::<Vec<Uuid>>();
    let rows: Vec<(Uuid, Uuid, bool, bool)> = sqlx::query_as(
        "select mentor_person_id, mentee_person_id, bool_or(never_again), bool_or(activated)
         from tandems
         where mentor_person_id = any ($2) and mentee_person_id = any ($3)
           and (never_again or activated or refused and edition_id = $1)
         group by mentor_person_id, mentee_person_id",
    )
    .bind(edition.uuid())
    .bind(ids(mentors))
    .bind(ids(mentees))
    .fetch_all(executor)
    .await?;
    let past = |(mentor, mentee, never_again, activated): (Uuid, Uuid, bool, bool)| {
        let pair = Pair { mentor: PersonId::from_uuid(mentor), mentee: PersonId::from_uuid(mentee) };
        let past = match (never_again, activated) {
            (true, _) => Past::NeverAgain,
            (false, true) => Past::Former,
            (false, false) => Past::Refused,
        };
        (pair, past)
    };
    Ok(rows.into_iter().map(past).collect())
}

pub(super) async fn apply(conn: &mut PgConnection, event: &Event, version: i64) -> sqlx::Result<()> {
    let update = match &event.change {
        Change::Published(offer) => return insert(conn, event.key, offer, version).await,
        Change::Accepted(Side::Mentor) => {
            "update tandems set mentor_accepted = true, version = $2 where tandem_id = $1"
        }
        Change::Accepted(Side::Mentee) => {
            "update tandems set mentee_accepted = true, version = $2 where tandem_id = $1"
        }
        Change::Activated(_) => {
            "update tandems set status = 'active', activated = true, version = $2 where tandem_id = $1"
        }
        Change::Vetoed(_) | Change::Declined(_) => {
            "update tandems set status = 'dissolved', refused = true, version = $2 where tandem_id = $1"
        }
        Change::Expired { .. } => "update tandems set status = 'expired', version = $2 where tandem_id = $1",
        Change::Dissolved { never_again: true, .. } => {
            "update tandems set status = 'dissolved', never_again = true, version = $2 where tandem_id = $1"
        }
        Change::Dissolved { never_again: false, .. } => {
            "update tandems set status = 'dissolved', version = $2 where tandem_id = $1"
        }
        Change::Completed(_) => "update tandems set status = 'completed', version = $2 where tandem_id = $1",
        Change::Flagged => "update tandems set flagged = true, version = $2 where tandem_id = $1",
        Change::Cleared => "update tandems set flagged = false, version = $2 where tandem_id = $1",
        Change::Withdrawn(..) => "update tandems set status = 'withdrawn', version = $2 where tandem_id = $1",
    };
    sqlx::query(update).bind(event.key.tandem.uuid()).bind(version).execute(conn).await.map(drop)
}

async fn insert(conn: &mut PgConnection, key: Key, offer: &Offer, version: i64) -> sqlx::Result<()> {
    sqlx::query(
        "insert into tandems (tandem_id, edition_id, mentor_person_id, mentee_person_id, status, answer_by,
                              topics, availability, distance, language, repair_id, version)
         values ($1, $2, $3, $4, 'published', $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(key.tandem.uuid())
    .bind(key.edition.uuid())
    .bind(offer.pair.mentor.uuid())
    .bind(offer.pair.mentee.uuid())
    .bind(offer.answer_by.to_sqlx())
    .bind(offer.points.topics)
    .bind(offer.points.availability)
    .bind(offer.points.distance)
    .bind(offer.points.language)
    .bind(offer.repair.map(RepairId::uuid))
    .bind(version)
    .execute(conn)
    .await
    .map(drop)
}
