//! What the reports ask of the tables. Every query names one edition.

use std::collections::BTreeMap;

use identity::{EditionId, PersonId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use sqlx::{FromRow, PgConnection, query_as};
use uuid::Uuid;

use crate::domain::consistency::{Executive, Month, Session, SessionState};

/// An edition as far as a report needs it.
#[derive(Clone, Debug, FromRow)]
pub struct Edition {
    start_date: jiff_sqlx::Date,
    time_zone: String,
    /// Months of meetings.
    pub months: i32,
    /// Smallest group to speak of.
    pub anonymity_k: i32,
    /// Catalogue, in the order it was written.
    pub topic_ids: Vec<String>,
    /// Whether its meetings are over.
    pub completed: bool,
    /// How far the follower had come.
    pub position: i64,
}

impl Edition {
    /// The months as instants: calendar months in the edition's zone, the first one holding the start date.
    ///
    /// # Errors
    /// If the zone is unknown to this machine or a date leaves the calendar.
    pub fn month_bounds(&self) -> Result<Vec<Month>, jiff::Error> {
        let zone = TimeZone::get(&self.time_zone)?;
        let first: Date = self.start_date.to_jiff().first_of_month();
        let begin = |month: i32| -> Result<Timestamp, jiff::Error> {
            Ok(first.checked_add(month.months())?.to_zoned(zone.clone())?.timestamp())
        };
        (0..self.months).map(|month| Ok((begin(month)?, begin(month + 1)?))).collect()
    }

    fn end_of_day(&self, day: Date) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.time_zone).ok()?;
        Some(day.tomorrow().ok()?.to_zoned(zone).ok()?.timestamp())
    }
}

/// The edition, and how far the follower had come when it was read.
///
/// # Errors
/// If the query fails.
pub async fn edition(conn: &mut PgConnection, edition: EditionId) -> Result<Option<Edition>, sqlx::Error> {
    query_as(
        "select start_date, time_zone, months, anonymity_k, topic_ids, completed,
                coalesce((select position from eventlog.checkpoints where consumer = 'analytics'), 0) as position
         from editions where edition_id = $1",
    )
    .bind(edition.uuid())
    .fetch_optional(conn)
    .await
}

/// Counts by name.
pub type Counts = BTreeMap<String, i32>;

/// Applications and tandems, counted by what became of them.
///
/// # Errors
/// If the query fails.
pub async fn funnel(conn: &mut PgConnection, edition: EditionId) -> Result<Counts, sqlx::Error> {
    counts(
        conn,
        edition,
        "select name, count(*)::integer from (
             select unnest(array['applied', state]
                 || case when asked_back then array['asked_back'] else '{}' end
                 || case when accepted then array['ever_accepted'] else '{}' end) as name
             from applications where edition_id = $1
             union all
             -- Who leaves before both have accepted ends no tandem but an offer.
             select unnest(array['proposed',
                                 case when state = 'dissolved' and not activated then 'tandem_refused'
                                      else 'tandem_' || state end]
                 || case when activated then array['activated'] else '{}' end)
             from tandems where edition_id = $1
         ) as happened group by name",
    )
    .await
}

/// Obligations, counted by state.
///
/// # Errors
/// If the query fails.
pub async fn obligations(conn: &mut PgConnection, edition: EditionId) -> Result<Counts, sqlx::Error> {
    counts(
        conn,
        edition,
        "select state, count(*)::integer from obligations where edition_id = $1 group by state",
    )
    .await
}

/// Sessions that did not happen, by state and side; moves and alerts beside them.
///
/// # Errors
/// If the query fails.
pub async fn cancellations(conn: &mut PgConnection, edition: EditionId) -> Result<Counts, sqlx::Error> {
    counts(
        conn,
        edition,
        "select state || '_' || side, count(*)::integer from sessions
         where edition_id = $1 and state in ('cancelled', 'missed', 'excused') group by state, side
         union all
         select 'moved', coalesce(sum(moves), 0)::integer from sessions where edition_id = $1
         union all
         select 'alerts', count(*)::integer from alerts where edition_id = $1",
    )
    .await
}

async fn counts(
    conn: &mut PgConnection,
    edition: EditionId,
    sql: &'static str,
) -> Result<Counts, sqlx::Error> {
    let rows: Vec<(String, i32)> = query_as(sql).bind(edition.uuid()).fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

#[derive(FromRow)]
struct ExecutiveRow {
    person_id: Uuid,
    last_day: Option<jiff_sqlx::Date>,
    month: Option<i32>,
    start_time: Option<jiff_sqlx::Timestamp>,
    state: Option<String>,
}

/// The obliged executives who are not excused, with their sessions.
///
/// # Errors
/// If the query fails.
pub async fn executives(
    conn: &mut PgConnection,
    id: EditionId,
    edition: &Edition,
) -> Result<Vec<Executive>, sqlx::Error> {
    let rows: Vec<ExecutiveRow> = query_as(
        "select obligations.person_id, last_day, month, start_time, sessions.state
         from obligations
         left join leavers using (person_id)
         left join sessions on sessions.edition_id = obligations.edition_id
             and sessions.mentee_id = obligations.person_id and sessions.state <> 'ended'
         where obligations.edition_id = $1 and obligations.state <> 'excused'",
    )
    .bind(id.uuid())
    .fetch_all(conn)
    .await?;
    let mut executives: BTreeMap<Uuid, Executive> = BTreeMap::new();
    for row in rows {
        let executive = executives.entry(row.person_id).or_default();
        executive.left = row.last_day.and_then(|day| edition.end_of_day(day.to_jiff()));
        if let (Some(month), Some(start), Some(state)) = (row.month, row.start_time, row.state) {
            let state = match state.as_str() {
                "held" => SessionState::Held,
                "excused" => SessionState::Excused,
                "planned" => SessionState::Planned,
                _ => SessionState::Failed,
            };
            executive.sessions.push(Session { month, start: start.to_jiff(), state });
        }
    }
    Ok(executives.into_values().collect())
}

/// Needed, offered and covered of one topic, and how many were asked.
#[derive(Clone, Debug, FromRow)]
pub struct TopicRow {
    /// Topic.
    pub topic_id: String,
    /// Executives who want to learn it.
    pub needed: i32,
    /// Executives who said what they need.
    pub executives: i32,
    /// Accepted mentors who offer it.
    pub offered: i32,
    /// Accepted mentors.
    pub mentors: i32,
    /// Executives who want it and whose mentor offers it.
    pub covered: i32,
}

/// Topics, in the order of the catalogue.
///
/// # Errors
/// If the query fails.
pub async fn topics(conn: &mut PgConnection, edition: EditionId) -> Result<Vec<TopicRow>, sqlx::Error> {
    query_as(
        "with accepted as (select * from applications where edition_id = $1 and accepted),
              asked as (select needs.* from needs join obligations using (edition_id, person_id)
                        where edition_id = $1 and state <> 'excused'),
              served as (select distinct mentee_id, unnest(accepted.topic_ids) as topic_id
                         from tandems join accepted on accepted.person_id = mentor_id
                         where tandems.edition_id = $1 and activated)
         select topic_id,
                (select count(*) from asked where asked.topic_id = topic.topic_id and wanted)::integer as needed,
                (select count(distinct person_id) from asked)::integer as executives,
                (select count(*) from accepted where topic.topic_id = any (topic_ids))::integer as offered,
                (select count(*) from accepted)::integer as mentors,
                (select count(*) from asked join served
                     on mentee_id = person_id and served.topic_id = asked.topic_id
                 where asked.topic_id = topic.topic_id and wanted)::integer as covered
         from editions, unnest(topic_ids) with ordinality as topic (topic_id, place)
         where edition_id = $1
         order by place",
    )
    .bind(edition.uuid())
    .fetch_all(conn)
    .await
}

/// How well a topic was known before and after, summed over those who said both.
#[derive(Clone, Debug, FromRow)]
pub struct SelfAssessmentRow {
    /// Topic.
    pub topic_id: String,
    /// Mentees who answered both times.
    pub respondents: i32,
    /// Sum of the levels at acknowledgement.
    pub before: i64,
    /// Sum of the levels at the latest follow-up.
    pub after: i64,
}

/// Self-assessments, in the order of the catalogue.
///
/// # Errors
/// If the query fails.
pub async fn self_assessments(
    conn: &mut PgConnection,
    edition: EditionId,
) -> Result<Vec<SelfAssessmentRow>, sqlx::Error> {
    query_as(
        "with latest as (select distinct on (person_id, topic_id) person_id, topic_id, level
                         from levels_after where edition_id = $1
                         order by person_id, topic_id, months desc),
              both_times as (select topic_id, needs.level as before, latest.level as after
                             from needs join latest using (person_id, topic_id) where edition_id = $1)
         select topic.topic_id, count(before)::integer as respondents,
                coalesce(sum(before), 0)::bigint as before, coalesce(sum(after), 0)::bigint as after
         from editions, unnest(topic_ids) with ordinality as topic (topic_id, place)
         left join both_times using (topic_id)
         where edition_id = $1
         group by topic.topic_id, place
         order by place",
    )
    .bind(edition.uuid())
    .fetch_all(conn)
    .await
}

/// Answers to the follow-ups of one month.
#[derive(Clone, Debug, FromRow)]
pub struct PersistenceRow {
    /// Months after the end.
    pub months: i32,
    /// Mentees who were to be asked.
    pub mentees: i32,
    /// Mentees who answered.
    pub respondents: i32,
    /// Of these, practice alive.
    pub active: i32,
}

/// Follow-ups by month, those nobody has answered yet left out.
///
/// # Errors
/// If the query fails.
pub async fn persistence(
    conn: &mut PgConnection,
    edition: EditionId,
) -> Result<Vec<PersistenceRow>, sqlx::Error> {
    query_as(
        "select months, count(*)::integer as mentees, count(active)::integer as respondents,
                count(*) filter (where active)::integer as active
         from follow_ups where edition_id = $1
         group by months having count(active) > 0
         order by months",
    )
    .bind(edition.uuid())
    .fetch_all(conn)
    .await
}

/// A tandem of the grid.
#[derive(Clone, Debug)]
pub struct GridTandem {
    /// Tandem.
    pub tandem_id: Uuid,
    /// Mentor.
    pub mentor: PersonId,
    /// Mentee.
    pub mentee: PersonId,
    /// Sessions.
    pub sessions: Vec<GridSession>,
}

/// A session of the grid.
#[derive(Clone, Debug, FromRow)]
pub struct GridSession {
    tandem_id: Uuid,
    /// Month of the edition, from 1.
    pub month: i32,
    start_time: jiff_sqlx::Timestamp,
    /// State, as it is stored.
    pub state: String,
    /// Side, as it is stored.
    pub side: String,
    /// How often it was moved.
    pub moves: i32,
}

impl GridSession {
    /// Start.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start_time.to_jiff()
    }
}

/// The tandems that were active at some time, with their sessions.
///
/// # Errors
/// If the query fails.
pub async fn grid(conn: &mut PgConnection, edition: EditionId) -> Result<Vec<GridTandem>, sqlx::Error> {
    let tandems: Vec<(Uuid, Uuid, Uuid)> = query_as(
        "select tandem_id, mentor_id, mentee_id from tandems where edition_id = $1 and activated
         order by mentee_id, tandem_id",
    )
    .bind(edition.uuid())
    .fetch_all(&mut *conn)
    .await?;
    let sessions: Vec<GridSession> = query_as(
        "select tandem_id, month, start_time, state, side, moves from sessions where edition_id = $1 order by month",
    )
    .bind(edition.uuid())
    .fetch_all(conn)
    .await?;
    let mut by_tandem: BTreeMap<Uuid, Vec<GridSession>> = BTreeMap::new();
    for session in sessions {
        by_tandem.entry(session.tandem_id).or_default().push(session);
    }
    let row = |(tandem_id, mentor, mentee): (Uuid, Uuid, Uuid)| GridTandem {
        tandem_id,
        mentor: PersonId::from_uuid(mentor),
        mentee: PersonId::from_uuid(mentee),
        sessions: by_tandem.get(&tandem_id).cloned().unwrap_or_default(),
    };
    Ok(tandems.into_iter().map(row).collect())
}
