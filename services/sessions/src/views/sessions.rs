//! Sessions, and the calendars of people.

use std::collections::BTreeMap;

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};

use super::{named, unreadable};

use crate::domain::Side;
use crate::domain::planning::Slot;
use crate::domain::series::{Cause, Outcome, PlannedSession};

static SESSIONS: Table = Table {
    name: "sessions",
    key: "session_id",
    columns: "tandem_id, month, state, start_at, end_at, sequence, side, approved_absence, on_leave",
};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// To come.
    Planned,
    /// The two met.
    Held,
    /// Cancelled by a side, or the tandem ended.
    Cancelled,
    /// A side did not come.
    Missed,
}

impl SessionState {
    const ALL: [Self; 4] = [Self::Planned, Self::Held, Self::Cancelled, Self::Missed];

    const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
        }
    }
}

/// A session as it stands.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The session.
    pub session: SessionId,
    /// Its tandem.
    pub tandem: TandemId,
    /// Month of the edition, from 1.
    pub month: i32,
    /// Where it stands.
    pub state: SessionState,
    /// Start and end.
    pub slot: Slot,
    /// The mentee's zone, IANA.
    pub time_zone: String,
    /// Number of changes.
    pub sequence: i32,
    /// Who cancelled or did not come.
    pub side: Option<Side>,
    /// Whether it counts for nobody.
    pub approved_absence: bool,
}

impl FromRow<'_, PgRow> for SessionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let state = named(row, "state", &SessionState::ALL, SessionState::name)?;
        Ok(Self {
            session: SessionId::from_uuid(row.try_get("session_id")?),
            tandem: TandemId::from_uuid(row.try_get("tandem_id")?),
            month: row.try_get("month")?,
            state: state.ok_or_else(|| unreadable("state", "it is null"))?,
            slot: slot(row)?,
            time_zone: row.try_get("time_zone")?,
            sequence: row.try_get("sequence")?,
            side: named(row, "side", &Side::ALL, Side::name)?,
            approved_absence: row.try_get("approved_absence")?,
        })
    }
}

fn slot(row: &PgRow) -> sqlx::Result<Slot> {
    let instant = |column| row.try_get::<jiff_sqlx::Timestamp, _>(column).map(jiff_sqlx::Timestamp::to_jiff);
    Ok(Slot { start: instant("start_at")?, end: instant("end_at")? })
}

/// The key a list of sessions is sorted by.
pub type Key = (Timestamp, SessionId);

/// A page of a tandem's sessions by start.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    tandem: TandemId,
    after: Option<Key>,
    limit: i64,
) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as(
        "select sessions.*, series.time_zone
         from sessions join series using (tandem_id)
         where tandem_id = $1 and ($2::timestamptz is null or (start_at, session_id) > ($2, $3))
         order by start_at, session_id
         limit $4",
    )
    .bind(tandem.uuid())
    .bind(after.map(|(start, _)| start.to_sqlx()))
    .bind(after.map(|(_, session)| session.uuid()))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// A page of a person's sessions in an edition by start, whichever side the person is on.
///
/// # Errors
/// If the database fails.
pub async fn calendar(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    person: PersonId,
    after: Option<Key>,
    limit: i64,
) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as(
        "select sessions.*, series.time_zone
         from sessions join series using (tandem_id)
         where edition_id = $1 and (mentor_person_id = $2 or mentee_person_id = $2)
           and ($3::timestamptz is null or (start_at, session_id) > ($3, $4))
         order by start_at, session_id
         limit $5",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .bind(after.map(|(start, _)| start.to_sqlx()))
    .bind(after.map(|(_, session)| session.uuid()))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// How many sessions of a tandem are still planned, and how many were held.
///
/// # Errors
/// If the database fails.
pub async fn counts(executor: impl PgExecutor<'_>, tandem: TandemId) -> sqlx::Result<(i32, i32)> {
    sqlx::query_as(
        "select (count(*) filter (where state = 'planned'))::integer,
                (count(*) filter (where state = 'held'))::integer
         from sessions where tandem_id = $1",
    )
    .bind(tandem.uuid())
    .fetch_one(executor)
    .await
}

/// Keeps the calendars of these people as they are until the transaction ends.
///
/// Without it two tandems of one mentor could take the same hour at the same moment. Whoever locks several goes by id, so that
/// nobody waits in a circle.
///
/// # Errors
/// If the database fails.
pub async fn hold_calendars(conn: &mut PgConnection, mut people: [PersonId; 2]) -> sqlx::Result<()> {
    people.sort_unstable();
    for person in people {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('calendar' || $1::text, 0))")
            .bind(person.uuid())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// What these people have planned in any edition, but for one session, and when they are on leave: while nobody knows for how
/// long, up to `paused_until`.
///
/// # Errors
/// If the database fails.
pub async fn busy(
    executor: impl PgExecutor<'_>,
    people: [PersonId; 2],
    except: Option<SessionId>,
    paused_until: Date,
) -> sqlx::Result<Vec<Slot>> {
    let rows: Vec<PgRow> = sqlx::query(
        "select start_at, end_at
         from sessions join series using (tandem_id)
         where (mentor_person_id = any ($1) or mentee_person_id = any ($1))
           and state = 'planned' and session_id is distinct from $2
         union all
         select first_day::timestamp at time zone zones.time_zone,
                (coalesce(last_day, greatest(first_day, $3)) + 1)::timestamp at time zone zones.time_zone
         from absences join zones using (person_id)
         where person_id = any ($1)
         order by start_at, end_at",
    )
    .bind(people.map(PersonId::uuid))
    .bind(except.map(SessionId::uuid))
    .bind(paused_until.to_sqlx())
    .fetch_all(executor)
    .await?;
    rows.iter().map(slot).collect()
}

pub(super) fn plan(patches: &mut Patches, tandem: TandemId, session: &PlannedSession) {
    let slot = Slot::of_minutes(session.start, session.minutes);
    let row = json!({
        "session_id": session.id, "tandem_id": tandem, "month": session.month,
        "state": SessionState::Planned.name(), "start_at": slot.start, "end_at": slot.end, "sequence": 0,
        "approved_absence": false, "on_leave": false,
    });
    patches.set(&SESSIONS, row);
}

/// What becomes of a session; where it is moved to, [`relocate`] says.
pub(super) fn turn_out(patches: &mut Patches, session: SessionId, outcome: Outcome) {
    let (state, side) = match outcome {
        Outcome::Moved(..) => return change_calendar(patches, session),
        Outcome::Held => (SessionState::Held, None),
        Outcome::Cancelled { side, cause } => {
            put_off(patches, session, Some(cause));
            (SessionState::Cancelled, Some(side.name()))
        }
        Outcome::Resumed(_) => {
            put_off(patches, session, None);
            (SessionState::Planned, None)
        }
        Outcome::Missed(side) => (SessionState::Missed, Some(side.name())),
    };
    patches.change(&SESSIONS, json!({ "session_id": session, "state": state.name(), "side": side }));
}

fn put_off(patches: &mut Patches, session: SessionId, cause: Option<Cause>) {
    let approved_absence = cause.is_some_and(Cause::is_approved);
    let on_leave = cause == Some(Cause::OnLeave);
    let row = json!({ "session_id": session, "approved_absence": approved_absence, "on_leave": on_leave });
    patches.change(&SESSIONS, row);
    change_calendar(patches, session);
}

fn change_calendar(patches: &mut Patches, session: SessionId) {
    patches.add(&SESSIONS, json!({ "session_id": session, "sequence": 1 }));
}

/// Moves sessions to other starts; they keep their length.
pub(super) async fn relocate(
    conn: &mut PgConnection,
    moved: &BTreeMap<SessionId, Timestamp>,
) -> sqlx::Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update sessions set start_at = start, end_at = start + (end_at - start_at)
         from unnest($1::uuid[], $2::timestamptz[]) as moved (id, start)
         where session_id = moved.id",
    )
    .bind(moved.keys().map(|session| session.uuid()).collect::<Vec<_>>())
    .bind(moved.values().map(|start| start.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// What is planned later than the end of its series is off; nobody cancelled it.
pub(super) async fn drop_later(
    conn: &mut PgConnection,
    ended: &BTreeMap<TandemId, Timestamp>,
) -> sqlx::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update sessions set state = 'cancelled', sequence = sequence + 1
         from unnest($1::uuid[], $2::timestamptz[]) as ended (id, at)
         where tandem_id = ended.id and state = 'planned' and start_at > ended.at",
    )
    .bind(ended.keys().map(|tandem| tandem.uuid()).collect::<Vec<_>>())
    .bind(ended.values().map(|end| end.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}
