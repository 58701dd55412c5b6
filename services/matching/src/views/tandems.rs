//! Tandems: how they stand, and which of them something concerns.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId, RepairId, TandemId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use super::named;
use crate::domain::inputs::Past;
use crate::domain::pairing::Points;
use crate::domain::scoring::{Criterion, PerCriterion};
use crate::domain::tandem::{Asking, Change, Event, Key, Need, Offer, Status};
use crate::domain::{Pair, Side};

static TANDEMS: Table = Table {
    name: "tandems",
    key: "tandem_id",
    columns: "edition_id, mentor_person_id, mentee_person_id, status, mentor_accepted, mentee_accepted, answer_by, topics, \
              availability, distance, language, mentee_wish, mentor_wish, load_balance, scoring_version, repair_id, flagged, activated, refused, \
              never_again, left_company, mentor_need, mentee_need, version",
};

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
    /// What the mentor asked to know before answering; nothing once the mentor has accepted.
    pub mentor_need: Option<Need>,
    /// What the mentee asked to know before answering; nothing once the mentee has accepted.
    pub mentee_need: Option<Need>,
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

impl TandemRow {
    /// Whether a side has neither accepted nor asked: asking is an answer.
    #[must_use]
    pub const fn is_silent(&self, side: Side) -> bool {
        match side {
            Side::Mentor => !self.mentor_accepted && self.mentor_need.is_none(),
            Side::Mentee => !self.mentee_accepted && self.mentee_need.is_none(),
        }
    }
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
            mentor_need: need(row, "mentor_need")?,
            mentee_need: need(row, "mentee_need")?,
            answer_by: row.try_get::<jiff_sqlx::Timestamp, _>("answer_by")?.to_jiff(),
            points: points(row)?,
            flagged: row.try_get("flagged")?,
            repair: row.try_get::<Option<Uuid>, _>("repair_id")?.map(RepairId::from_uuid),
            version: row.try_get("version")?,
        })
    }
}

fn need(row: &PgRow, column: &str) -> sqlx::Result<Option<Need>> {
    let is_known: Option<String> = row.try_get(column)?;
    is_known.map(|_| named(row, column, &Need::ALL, Need::name)).transpose()
}

fn points(row: &PgRow) -> sqlx::Result<Points> {
    let mut by = PerCriterion::default();
    for criterion in Criterion::ALL {
        by = by.with(criterion, row.try_get(criterion.name())?);
    }
    Ok(Points { by, scoring_version: row.try_get("scoring_version")? })
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

/// The live tandems of some people, once for each of their sides.
///
/// # Errors
/// If the database fails.
pub async fn live_of(
    executor: impl PgExecutor<'_>,
    people: &[PersonId],
) -> sqlx::Result<Vec<(TandemRow, Side)>> {
    let tandems: Vec<TandemRow> = sqlx::query_as(
        "select * from tandems
         where (mentor_person_id = any ($1) or mentee_person_id = any ($1)) and status in ('published', 'active')
         order by tandem_id",
    )
    .bind(people.iter().map(|person| person.uuid()).collect::<Vec<_>>())
    .fetch_all(executor)
    .await?;
    let people: BTreeSet<PersonId> = people.iter().copied().collect();
    let sides = |tandem: TandemRow| {
        let both = [(tandem.pair.mentor, Side::Mentor), (tandem.pair.mentee, Side::Mentee)];
        let own = both.into_iter().filter(|(person, _)| people.contains(person));
        own.map(|(_, side)| (tandem, side)).collect::<Vec<_>>()
    };
    Ok(tandems.into_iter().flat_map(sides).collect())
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

/// The offers that neither side has answered yet nor asked about, which may still be moved.
///
/// # Errors
/// If the database fails.
pub async fn unanswered(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select * from tandems
         where edition_id = $1 and status = 'published' and not mentor_accepted and not mentee_accepted
           and mentor_need is null and mentee_need is null
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

/// An ended tandem of each of these people as a mentee, in each edition where nothing has followed from it: they have no other tandem
/// or offer, and do not wait for one.
///
/// # Errors
/// If the database fails.
pub async fn unmended(executor: impl PgExecutor<'_>, mentees: &[PersonId]) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "select distinct on (edition_id, mentee_person_id) *
         from tandems as ended
         where mentee_person_id = any ($1) and status in ('dissolved', 'expired', 'withdrawn')
           and not exists (select from tandems
                           where edition_id = ended.edition_id and mentee_person_id = ended.mentee_person_id
                             and status in ('published', 'active', 'completed'))
           and not exists (select from repairs
                           where edition_id = ended.edition_id and mentee_person_id = ended.mentee_person_id
                             and (waiting is not null or ended_tandem_id = ended.tandem_id))
         order by edition_id, mentee_person_id, tandem_id",
    )
    .bind(mentees.iter().map(|mentee| mentee.uuid()).collect::<Vec<_>>())
    .fetch_all(executor)
    .await
}

/// The live tandems that have somebody at most so many levels below one of these people, or one of them.
///
/// # Errors
/// If the database fails.
pub async fn below(
    executor: impl PgExecutor<'_>,
    people: &[PersonId],
    levels: i32,
) -> sqlx::Result<Vec<TandemRow>> {
    sqlx::query_as(
        "with recursive below (person_id, depth) as (
             select unnest($1::uuid[]), 0
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
    .bind(people.iter().map(|person| person.uuid()).collect::<Vec<_>>())
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
/// A tandem of this edition that ended because one of them left the company keeps nobody apart who has come back.
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
           and (never_again
                or activated and not (left_company and edition_id = $1)
                or refused and edition_id = $1)
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

pub(super) fn apply(patches: &mut Patches, event: &Event, version: i64) {
    let tandem = event.key.tandem;
    let mut change = |mut columns: Value| {
        columns["tandem_id"] = json!(tandem);
        patches.change(&TANDEMS, columns);
    };
    let status = |status: Status| json!({ "status": status.name() });
    match &event.change {
        Change::Published(offer) => insert(patches, event.key, offer),
        Change::Accepted(Side::Mentor) => {
            change(json!({ "mentor_accepted": true, "mentor_need": null }));
        }
        Change::Accepted(Side::Mentee) => {
            change(json!({ "mentee_accepted": true, "mentee_need": null }));
        }
        Change::Asked(Asking { side: Side::Mentor, need, answer_by, .. }) => {
            change(json!({ "mentor_need": need.name(), "answer_by": answer_by }));
        }
        Change::Asked(Asking { side: Side::Mentee, need, answer_by, .. }) => {
            change(json!({ "mentee_need": need.name(), "answer_by": answer_by }));
        }
        Change::Activated(_) => change(json!({ "status": Status::Active.name(), "activated": true })),
        Change::Vetoed(_) | Change::Declined(_) => {
            change(json!({ "status": Status::Dissolved.name(), "refused": true }));
        }
        Change::Expired { .. } => change(status(Status::Expired)),
        Change::Dissolved { never_again, left_company, .. } => change(json!({
            "status": Status::Dissolved.name(), "never_again": never_again, "left_company": left_company,
        })),
        Change::Completed(_) => change(status(Status::Completed)),
        Change::Flagged => change(json!({ "flagged": true })),
        Change::Cleared => change(json!({ "flagged": false })),
        Change::Withdrawn(..) => change(status(Status::Withdrawn)),
    }
    patches.change(&TANDEMS, json!({ "tandem_id": tandem, "version": version }));
}

fn insert(patches: &mut Patches, key: Key, offer: &Offer) {
    let Offer { pair, points, answer_by, repair, .. } = offer;
    let [topics, availability, distance, language, mentee_wish, mentor_wish, load_balance] = points.by.0;
    let row = json!({
        "tandem_id": key.tandem, "edition_id": key.edition, "mentor_person_id": pair.mentor,
        "mentee_person_id": pair.mentee, "status": Status::Published.name(), "mentor_accepted": false,
        "mentee_accepted": false, "answer_by": answer_by, "scoring_version": points.scoring_version, "topics": topics,
        "availability": availability, "distance": distance, "language": language, "mentee_wish": mentee_wish,
        "mentor_wish": mentor_wish, "load_balance": load_balance, "repair_id": repair,
        "mentor_need": null, "mentee_need": null, "flagged": false, "activated": false, "refused": false, "never_again": false, "left_company": false,
    });
    patches.set(&TANDEMS, row);
}
