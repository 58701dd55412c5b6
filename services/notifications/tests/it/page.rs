//! Pages of events.

use eventlog::{Draft, Follower, Recorded};
use identity::{ApplicationId, EditionId, PersonId, SessionId, TandemId};
use jiff::SignedDuration;
use notifications::Clerk;
use proto::{api, enrollment as e, matching as m, sessions as s};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use crate::stage::{MONDAY, Stage, at};

/// Events, one a minute from Monday morning on.
#[derive(Default)]
struct Story(Vec<Recorded>);

impl Story {
    fn then<M: prost::Message + prost::Name>(&mut self, message: &M) {
        let event_id = PersonId::mint().uuid();
        let recorded_at = at(MONDAY) + SignedDuration::from_mins(self.0.len().try_into().unwrap());
        self.0.push(Recorded { event_id, recorded_at, ..Draft::of(message).rehearsed() });
    }
}

/// Everything that a page can refer to itself: a zone, a pair, a plan, messages to take back, people who leave and return.
fn story() -> Story {
    let (edition, application) = (EditionId::mint().to_string(), ApplicationId::mint().to_string());
    let people: [String; 4] = std::array::from_fn(|_| PersonId::mint().to_string());
    let tandems: [String; 2] = std::array::from_fn(|_| TandemId::mint().to_string());
    let mut story = Story::default();
    let rules = |zone: &str| Some(e::EditionRules { time_zone: zone.to_owned(), ..Default::default() });
    let created =
        e::EditionCreated { edition_id: edition.clone(), rules: rules("UTC"), ..Default::default() };
    story.then(&created);
    let rules = rules("Pacific/Auckland");
    story.then(&e::EditionRevised { edition_id: edition.clone(), rules, ..Default::default() });
    let (edition_id, person_id) = (|| edition.clone(), |who: usize| people[who].clone());
    let application_id = || application.clone();
    let (submitted, accepted) = (
        e::ApplicationSubmitted {
            application_id: application_id(),
            edition_id: edition_id(),
            person_id: person_id(0),
            promised_date: "2013-09-16".to_owned(),
            ..Default::default()
        },
        e::ApplicationAccepted {
            application_id: application_id(),
            edition_id: edition_id(),
            person_id: person_id(0),
        },
    );
    story.then(&submitted);
    story.then(&accepted);
    for (number, tandem) in tandems.iter().enumerate() {
        let tandem_id = || tandem.clone();
        let (mentor_person_id, mentee_person_id) = (person_id(2 * number), person_id(2 * number + 1));
        story.then(&m::TandemPublished {
            tandem_id: tandem_id(),
            edition_id: edition_id(),
            mentor_person_id,
            mentee_person_id,
            answer_by: Some(proto::time::to_proto(at("2013-09-05T22:30:00Z"))),
            ..Default::default()
        });
        let side = api::Side::Mentee.into();
        story.then(&m::TandemAccepted { tandem_id: tandem_id(), edition_id: edition_id(), side });
        story.then(&m::TandemActivated {
            tandem_id: tandem_id(),
            edition_id: edition_id(),
            ..Default::default()
        });
        sessions(&mut story, tandem, &edition);
        let left = e::PersonLeft { person_id: person_id(2 * number), last_day: "2013-09-30".to_owned() };
        story.then(&left);
        story.then(&s::SeriesEnded { tandem_id: tandem_id(), edition_id: edition_id(), completed: false });
        story.then(&m::TandemDissolved {
            tandem_id: tandem_id(),
            edition_id: edition_id(),
            ..Default::default()
        });
    }
    story.then(&e::PersonReturned { person_id: person_id(0) });
    story.then(&e::ApplicationSubmitted { application_id: ApplicationId::mint().to_string(), ..submitted });
    story
}

/// Four sessions are planned; one is moved twice, one cancelled, one held, and one left.
fn sessions(story: &mut Story, tandem: &str, edition: &str) {
    let ids: [String; 4] = std::array::from_fn(|_| SessionId::mint().to_string());
    let starts =
        ["2013-09-02T08:00:00Z", "2013-10-02T08:00:00Z", "2013-11-02T08:00:00Z", "2013-12-02T08:00:00Z"];
    let planned = ids.iter().zip(starts).map(|(id, start)| s::PlannedSession {
        session_id: id.clone(),
        month: 1,
        start_time: Some(proto::time::to_proto(at(start))),
        minutes: 60,
    });
    let (tandem_id, edition_id) = (|| tandem.to_owned(), || edition.to_owned());
    story.then(&s::SeriesPlanned {
        tandem_id: tandem_id(),
        edition_id: edition_id(),
        sessions: planned.collect(),
        time_zone: "Europe/Berlin".to_owned(),
        ..Default::default()
    });
    let (of_tandem, of_edition) = (tandem_id(), edition_id());
    for start in ["2013-10-03T08:00:00Z", "2013-10-04T08:00:00Z"] {
        story.then(&s::SessionMoved {
            tandem_id: of_tandem.clone(),
            edition_id: of_edition.clone(),
            session_id: ids[1].clone(),
            start_time: Some(proto::time::to_proto(at(start))),
            side: api::Side::Mentor.into(),
            ..Default::default()
        });
    }
    let session_id = ids[2].clone();
    let side = api::Side::Mentee.into();
    let cancelled = s::SessionCancelled {
        tandem_id: tandem_id(),
        edition_id: edition_id(),
        session_id,
        side,
        ..Default::default()
    };
    story.then(&cancelled);
    let session_id = ids[0].clone();
    story.then(&s::SessionHeld {
        tandem_id: tandem_id(),
        edition_id: edition_id(),
        session_id,
        ..Default::default()
    });
}

async fn tables_after(stage: &Stage, events: &[Recorded], page: usize) -> Vec<Value> {
    let mut conn = stage.pool().acquire().await.unwrap();
    conn.execute("truncate editions, tandems, sessions, leavers, messages").await.unwrap();
    for page in events.chunks(page) {
        Clerk.project(&mut conn, page).await.unwrap();
    }
    let mut tables = Vec::new();
    for table in ["editions", "tandems", "sessions", "leavers", "messages"] {
        let sql = format!("select jsonb_agg(to_jsonb(t) order by to_jsonb(t)) from {table} as t");
        tables.push(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *conn).await.unwrap());
    }
    tables
}

#[tokio::test]
async fn a_page_leaves_what_its_events_leave_one_by_one() {
    let (stage, Story(events)) = (Stage::new().await, story());
    let one_by_one = tables_after(&stage, &events, 1).await;
    let rows: Vec<usize> = one_by_one.iter().map(|rows| rows.as_array().unwrap().len()).collect();
    assert_eq!(rows[..4], [1, 2, 8, 1], "a zone, two pairs, their sessions, and who left for good");
    let useless =
        one_by_one[4].as_array().unwrap().iter().filter(|message| message["obsolete"] == true).count();
    assert!(useless > 0 && useless < rows[4], "{useless} of {} messages are of no use", rows[4]);
    for page in [2, 3, 7, events.len()] {
        assert_eq!(tables_after(&stage, &events, page).await, one_by_one, "in pages of {page}");
    }
}
