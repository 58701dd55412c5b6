//! What leaves mean for what is planned.
//!
//! A leave whose end nobody knows pauses a tandem session by session, as they come near: what lies further ahead stays planned,
//! and holds if the person is back by then.

use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::domain::Side;

/// How many days ahead an open leave reaches, so that the other side hears of it in time.
const PAUSED_DAYS: i32 = 14;

/// The last day that an open leave reaches as things stand now.
#[must_use]
pub fn paused_until(now: Timestamp) -> Date {
    now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(PAUSED_DAYS.days())
}

/// A session that one of its people cannot come to.
#[derive(Clone, Copy, Debug)]
pub struct Prevented {
    /// The session.
    pub session: SessionId,
    /// Its tandem.
    pub tandem: TandemId,
    /// The edition.
    pub edition: EditionId,
    /// The side that cannot come.
    pub side: Side,
}

/// What is planned later than now on days of a leave, as the person on leave counts days: of one person, or else of everybody whose
/// leave is open. During an open leave nothing took place, so that what was overlooked is no longer planned either.
///
/// # Errors
/// If the database fails.
pub async fn prevented(
    executor: impl PgExecutor<'_>,
    person: Option<PersonId>,
    now: Timestamp,
) -> sqlx::Result<Vec<Prevented>> {
    let rows: Vec<(Uuid, Uuid, Uuid, bool)> = sqlx::query_as(
        "select distinct on (start_at, session_id) session_id, tandem_id, edition_id, mentor_person_id = person_id
         from absences
              join series on person_id in (mentor_person_id, mentee_person_id) and not ended
              join sessions using (tandem_id)
              left join zones using (person_id)
         where (person_id = $1 or $1 is null and last_day is null)
           and state = 'planned' and (start_at > $2 or last_day is null)
           and (start_at at time zone coalesce(zones.time_zone, series.time_zone))::date
               between first_day and coalesce(last_day, $3)
         order by start_at, session_id",
    )
    .bind(person.map(PersonId::uuid))
    .bind(now.to_sqlx())
    .bind(paused_until(now).to_sqlx())
    .fetch_all(executor)
    .await?;
    let prevented = |(session, tandem, edition, teaches): (Uuid, Uuid, Uuid, bool)| Prevented {
        session: SessionId::from_uuid(session),
        tandem: TandemId::from_uuid(tandem),
        edition: EditionId::from_uuid(edition),
        side: if teaches { Side::Mentor } else { Side::Mentee },
    };
    Ok(rows.into_iter().map(prevented).collect())
}

/// A session to come that was off for a leave, on a day that is no leave of either any more.
#[derive(Clone, Copy, Debug)]
pub struct Freed {
    /// The session.
    pub session: SessionId,
    /// Its tandem.
    pub tandem: TandemId,
    /// The edition.
    pub edition: EditionId,
    /// Mentor and mentee.
    pub people: [PersonId; 2],
    /// When it was to begin.
    pub start: Timestamp,
}

/// The sessions later than now that were off for a leave and need not be, of the tandems of a person.
///
/// # Errors
/// If the database fails.
pub async fn freed(
    executor: impl PgExecutor<'_>,
    person: PersonId,
    now: Timestamp,
) -> sqlx::Result<Vec<Freed>> {
    let rows: Vec<(Uuid, Uuid, Uuid, Uuid, Uuid, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "select session_id, tandem_id, edition_id, mentor_person_id, mentee_person_id, start_at
         from series join sessions using (tandem_id)
         where $1 in (mentor_person_id, mentee_person_id) and not ended
           and state = 'cancelled' and on_leave and start_at > $2
           and not exists (
               select from absences left join zones using (person_id)
               where person_id in (mentor_person_id, mentee_person_id)
                 and (start_at at time zone coalesce(zones.time_zone, series.time_zone))::date
                     between first_day and coalesce(last_day, 'infinity')
           )
         order by start_at, session_id",
    )
    .bind(person.uuid())
    .bind(now.to_sqlx())
    .fetch_all(executor)
    .await?;
    let freed =
        |(session, tandem, edition, mentor, mentee, start): (_, _, _, _, _, jiff_sqlx::Timestamp)| Freed {
            session: SessionId::from_uuid(session),
            tandem: TandemId::from_uuid(tandem),
            edition: EditionId::from_uuid(edition),
            people: [mentor, mentee].map(PersonId::from_uuid),
            start: start.to_jiff(),
        };
    Ok(rows.into_iter().map(freed).collect())
}
