//! Repairs: who was left without a tandem, and what followed.

use eventlog::{Patches, Recorded, Table};
use identity::{EditionId, PersonId, RepairId, TandemId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::named;
use crate::domain::repair::{Change, Event, Key, Price, Waiting};

static REPAIRS: Table = Table {
    name: "repairs",
    key: "repair_id",
    columns: "edition_id, ended_tandem_id, mentee_person_id, waiting, offered_tandem_id, moved_tandem_id, \
              replacement_tandem_id, frontier_moves, frontier_scores, frontier_losses, position, decided_at",
};

/// A repair as it stands.
#[derive(Clone, Debug)]
pub struct RepairRow {
    /// Which repair it is.
    pub key: Key,
    /// What happened last.
    pub change: Change,
    /// Whether somebody who waits still needs an offer.
    pub needed: bool,
    /// What there was to choose from.
    pub frontier: Vec<Price>,
    /// When it was decided last.
    pub decided_at: Timestamp,
}

impl FromRow<'_, PgRow> for RepairRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let moves: Vec<i32> = row.try_get("frontier_moves")?;
        let scores: Vec<i32> = row.try_get("frontier_scores")?;
        let losses: Vec<i32> = row.try_get("frontier_losses")?;
        let prices = moves.into_iter().zip(scores).zip(losses);
        Ok(Self {
            key: key(row)?,
            change: change(row)?,
            needed: row.try_get("needed")?,
            frontier: prices
                .map(|((moves, score), others_lose)| Price { moves, score, others_lose })
                .collect(),
            decided_at: row.try_get::<jiff_sqlx::Timestamp, _>("decided_at")?.to_jiff(),
        })
    }
}

fn key(row: &PgRow) -> sqlx::Result<Key> {
    Ok(Key {
        repair: RepairId::from_uuid(row.try_get("repair_id")?),
        edition: EditionId::from_uuid(row.try_get("edition_id")?),
        ended: TandemId::from_uuid(row.try_get("ended_tandem_id")?),
        mentee: PersonId::from_uuid(row.try_get("mentee_person_id")?),
    })
}

fn change(row: &PgRow) -> sqlx::Result<Change> {
    let tandem = |column| {
        let id: Option<Uuid> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(id.map(TandemId::from_uuid))
    };
    Ok(match tandem("offered_tandem_id")? {
        Some(offered) => Change::Offered {
            tandem: offered,
            moved: tandem("moved_tandem_id")?.zip(tandem("replacement_tandem_id")?),
        },
        None => Change::Waits(named(row, "waiting", &Waiting::ALL, Waiting::name)?),
    })
}

/// Whether the executive of a repair still needs an offer: is obliged, works here, and has none.
macro_rules! needed {
    () => {
        " exists (select from obligations join people using (person_id)
                  where edition_id = repair.edition_id and person_id = repair.mentee_person_id
                    and not left_company)
          and not exists (select from tandems
                          where edition_id = repair.edition_id
                            and mentee_person_id = repair.mentee_person_id
                            and status in ('published', 'active')) "
    };
}

/// A page of an edition's repairs by id.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    after: Option<RepairId>,
    limit: i64,
) -> sqlx::Result<Vec<RepairRow>> {
    sqlx::query_as(concat!(
        "select repair.*,",
        needed!(),
        "as needed
         from repairs as repair
         where edition_id = $1 and ($2::uuid is null or repair_id > $2)
         order by repair_id
         limit $3"
    ))
    .bind(edition.uuid())
    .bind(after.map(RepairId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The repairs of an edition for which somebody waits who needs an offer, perhaps only for one reason, those who have waited longest first.
///
/// # Errors
/// If the database fails.
pub async fn waiting(
    conn: &mut PgConnection,
    edition: EditionId,
    only: Option<Waiting>,
) -> sqlx::Result<Vec<Key>> {
    let rows = sqlx::query(concat!(
        "select repair_id, edition_id, ended_tandem_id, mentee_person_id
         from repairs as repair
         where edition_id = $1 and waiting is not null and ($2::text is null or waiting = $2) and",
        needed!(),
        "order by position"
    ))
    .bind(edition.uuid())
    .bind(only.map(Waiting::name))
    .fetch_all(conn)
    .await?;
    rows.iter().map(key).collect()
}

/// The editions that form tandems and in which somebody waits who needs an offer, and whether one of these stands in line.
///
/// # Errors
/// If the database fails.
pub async fn editions_waiting(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<(EditionId, bool)>> {
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(concat!(
        "select edition_id, bool_or(waiting = $1)
         from repairs as repair join editions using (edition_id)
         where waiting is not null and phase in ('matching', 'running') and",
        needed!(),
        "group by edition_id
         order by edition_id"
    ))
    .bind(Waiting::InLine.name())
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|(edition, in_line)| (EditionId::from_uuid(edition), in_line)).collect())
}

pub(super) fn apply(patches: &mut Patches, event: &Event, recorded: &Recorded) {
    let Event { key, change, frontier, .. } = event;
    let (waiting, offered, moved) = match change {
        Change::Offered { tandem, moved } => (None, Some(*tandem), *moved),
        Change::Waits(waiting) => (Some(waiting.name()), None, None),
    };
    let each = |part: fn(&Price) -> i32| frontier.iter().map(part).collect::<Vec<_>>();
    let mut row = json!({
        "repair_id": key.repair, "edition_id": key.edition, "ended_tandem_id": key.ended,
        "mentee_person_id": key.mentee, "waiting": waiting, "offered_tandem_id": offered,
        "moved_tandem_id": moved.map(|(from, _)| from), "replacement_tandem_id": moved.map(|(_, to)| to),
        "frontier_moves": each(|price| price.moves), "frontier_scores": each(|price| price.score),
        "frontier_losses": each(|price| price.others_lose), "decided_at": recorded.recorded_at,
    });
    // Whoever waits keeps their place among those who do.
    if recorded.version == 1 {
        row["position"] = json!(recorded.position);
    }
    patches.set(&REPAIRS, row);
}
