//! The story from the matching on: tandems, six months of meetings, the end, and what is left a year later.

use std::collections::HashMap;

use anyhow::Context;
use identity::PersonId;
use serde_json::{Value, json};

use super::acts::say;
use super::cast::{Cast, TOPICS};
use super::explain::explain;
use super::stage::{Stage, text};

/// Months of meetings: number, first instant, an instant after the last meeting.
const MONTHS: [(i64, &str, &str); 6] = [
    (1, "2013-10-01T08:00:00Z", "2013-11-01T07:30:00Z"),
    (2, "2013-11-01T08:00:00Z", "2013-12-01T08:30:00Z"),
    (3, "2013-12-01T09:00:00Z", "2014-01-01T08:30:00Z"),
    (4, "2014-01-01T09:00:00Z", "2014-02-01T08:30:00Z"),
    (5, "2014-02-01T09:00:00Z", "2014-03-01T08:30:00Z"),
    (6, "2014-03-01T09:00:00Z", "2014-04-01T07:30:00Z"),
];
/// In which month whose mentor leaves the company; whose by the executive's place in the cast.
const LEAVER: (i64, usize) = (3, 7);
/// Follow-ups: months after the end, when they are answered, how many practices are still alive.
const FOLLOW_UPS: [(i64, &str, usize); 3] =
    [(3, "2014-07-02T16:00:00Z", 15), (6, "2014-10-02T16:00:00Z", 11), (12, "2015-04-02T16:00:00Z", 8)];

/// What happens to a session instead of being held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Held,
    Moved,
    CancelledByMentee,
    CancelledByMentor,
    MissedByMentee,
    Excused,
}

/// What happens to the executive at this place of the cast in this month.
fn turn(executive: usize, month: i64) -> Turn {
    match (executive, month) {
        (3, 2 | 3) => Turn::CancelledByMentee,
        (11, 2) => Turn::Moved,
        (13, 4) => Turn::MissedByMentee,
        (15, 5) => Turn::Excused,
        (17, 6) => Turn::CancelledByMentor,
        _ => Turn::Held,
    }
}

/// Finds tandems for everybody; one executive vetoes, one mentor declines, and both are served at once. Answers with
/// the price of a swap.
pub(super) async fn find_tandems(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<String> {
    stage.set_clock("2013-09-13T16:00:00Z").await?;
    let office = stage.office(Some(cast.office[0]))?;
    office.post(&format!("editions/{edition}/start-matching"), json!({})).await?;
    let (run, offered) = match_run(stage, cast, edition, "2013-09-13").await?;
    let priced = explain(stage, cast, &run).await?;
    let mut offered = offered.into_iter();
    let vetoed = offered.next().context("no tandem")?;
    vetoed.by(stage, &vetoed.mentee, edition, "veto").await?;
    let declined = offered.next().context("a single tandem")?;
    declined.by(stage, &declined.mentor, edition, "decline").await?;
    stage.set_clock("2013-09-16T16:00:00Z").await?;
    for tandem in tandems(stage, cast, edition, "STATE_PUBLISHED").await? {
        tandem.accept(stage, edition).await?;
    }
    stage.settle().await?;
    office.post(&format!("editions/{edition}/start"), json!({})).await?;
    say(
        "            one veto, one decline, both served at once; every executive has a mentor, the edition runs",
    );
    Ok(priced)
}

/// Plays the months: charter, meetings, questions, what goes wrong, and a mentor who leaves.
pub(super) async fn meet(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    for tandem in active(stage, cast, edition).await? {
        tandem.agree(stage, edition).await?;
    }
    for (month, begins, ends) in MONTHS {
        stage.set_clock(begins).await?;
        if month == LEAVER.0 {
            replace_leaver(stage, cast, edition).await?;
        }
        let tandems = active(stage, cast, edition).await?;
        for tandem in &tandems {
            tandem.before_session(stage, cast, edition, month).await?;
        }
        stage.set_clock(ends).await?;
        let mut held = 0;
        for tandem in &tandems {
            held += tandem.after_session(stage, edition, month).await?;
        }
        say(&format!("{}  month {month}: {held} of {} tandems met", &ends[..10], tandems.len()));
    }
    Ok(())
}

/// Ends the edition.
pub(super) async fn complete(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    stage.set_clock("2014-04-01T16:00:00Z").await?;
    let office = stage.office(Some(cast.office[0]))?;
    office.post(&format!("editions/{edition}/complete"), json!({})).await?;
    stage.settle().await?;
    say("2014-04-01  the edition is completed");
    Ok(())
}

/// Asks the executives 3, 6 and 12 months later whether the practice is alive.
pub(super) async fn follow_up(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    for (months, when, alive) in FOLLOW_UPS {
        stage.set_clock(when).await?;
        for (index, executive) in cast.executives.iter().enumerate() {
            let calls = stage.person(executive.id)?;
            let own = calls.list(&format!("editions/{edition}/follow-ups"), "followUps").await?;
            let due = own.iter().find(|follow_up| follow_up["months"] == months).context("no follow-up")?;
            let levels: Vec<Value> = TOPICS
                .iter()
                .enumerate()
                .map(|(place, (topic, _))| json!({ "topicId": topic, "level": 2 + (index + place) % 3 }))
                .collect();
            let path = format!("editions/{edition}/follow-ups/{}/answer", text(due, "followUpId")?);
            calls.post(&path, json!({ "active": index < alive, "levels": levels })).await?;
        }
        say(&format!(
            "{}  {months} months later: {alive} of {} still active",
            &when[..10],
            cast.executives.len()
        ));
    }
    stage.settle().await
}

/// The mentor of one executive leaves; the next best takes over at once, and the reserve fills the gap.
async fn replace_leaver(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    let meeting = active(stage, cast, edition).await?;
    let leaving = meeting.iter().find(|tandem| tandem.executive == LEAVER.1).context("nobody leaves")?;
    let office = stage.office(Some(cast.office[0]))?;
    office.post(&format!("people/{}/leave", leaving.mentor), json!({ "lastDay": "2013-11-29" })).await?;
    let applications = office.list(&format!("editions/{edition}/applications"), "applications").await?;
    for waiting in applications.iter().filter(|application| application["state"] == "STATE_WAITLISTED") {
        let id = text(waiting, "applicationId")?;
        office.post(&format!("editions/{edition}/applications/{id}/accept"), json!({})).await?;
    }
    stage.settle().await?;
    for tandem in tandems(stage, cast, edition, "STATE_PUBLISHED").await? {
        tandem.accept(stage, edition).await?;
        stage.settle().await?;
        tandem.agree(stage, edition).await?;
    }
    say("            a mentor leaves the company; the executive has another at once");
    Ok(())
}

/// Computes, reviews and publishes a run; answers with its path and the tandems that wait for an answer.
async fn match_run(
    stage: &Stage,
    cast: &Cast,
    edition: &str,
    day: &str,
) -> anyhow::Result<(String, Vec<Tandem>)> {
    let office = stage.office(Some(cast.office[0]))?;
    let runs = format!("editions/{edition}/match-runs");
    let run = office.post(&runs, json!({})).await?.id()?;
    let path = format!("{runs}/{run}");
    let staged = office.get(&path).await?;
    office.post_on(&format!("{path}/review"), json!({}), &staged).await?;
    let reviewed = office.get(&path).await?;
    office.post_on(&format!("{path}/publish"), json!({}), &reviewed).await?;
    stage.settle().await?;
    let found = &reviewed.body;
    say(&format!(
        "{day}  matched: {} of {} executives, score {}, proved optimal: {}",
        found["pairCount"], found["menteeCount"], found["score"], found["certificate"]["verified"]
    ));
    Ok((path, tandems(stage, cast, edition, "STATE_PUBLISHED").await?))
}

async fn active(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<Vec<Tandem>> {
    stage.settle().await?;
    tandems(stage, cast, edition, "STATE_ACTIVE").await
}

/// The tandems in a state, in the order of the executives in the cast.
async fn tandems(on: &Stage, cast: &Cast, edition: &str, state: &str) -> anyhow::Result<Vec<Tandem>> {
    let places: HashMap<PersonId, usize> =
        cast.executives.iter().enumerate().map(|(place, executive)| (executive.id, place)).collect();
    let office = on.office(Some(cast.office[0]))?;
    let listed = office.list(&format!("editions/{edition}/tandems"), "tandems").await?;
    let mut found = Vec::new();
    for tandem in listed.iter().filter(|tandem| tandem["state"] == state) {
        let mentee: PersonId = text(tandem, "menteePersonId")?.parse()?;
        found.push(Tandem {
            id: text(tandem, "tandemId")?,
            mentor: text(tandem, "mentorPersonId")?.parse()?,
            executive: *places.get(&mentee).context("a mentee who is not in the cast")?,
            mentee,
        });
    }
    found.sort_by_key(|tandem| tandem.executive);
    Ok(found)
}

struct Tandem {
    id: String,
    mentor: PersonId,
    mentee: PersonId,
    /// The mentee's place in the cast.
    executive: usize,
}

impl Tandem {
    fn path(&self, edition: &str) -> String {
        format!("editions/{edition}/tandems/{}", self.id)
    }

    async fn by(&self, stage: &Stage, person: &PersonId, edition: &str, verb: &str) -> anyhow::Result<()> {
        let path = format!("{}/{verb}", self.path(edition));
        stage.person(*person)?.post(&path, json!({})).await?;
        Ok(())
    }

    async fn accept(&self, stage: &Stage, edition: &str) -> anyhow::Result<()> {
        self.by(stage, &self.mentor, edition, "accept").await?;
        self.by(stage, &self.mentee, edition, "accept").await
    }

    /// Both accept the charter; the mentee asks a first question.
    async fn agree(&self, stage: &Stage, edition: &str) -> anyhow::Result<()> {
        self.by(stage, &self.mentor, edition, "charter").await?;
        self.by(stage, &self.mentee, edition, "charter").await?;
        let question =
            json!({ "text": "What should I like, and what does it say about me?", "topicId": TOPICS[0].0 });
        stage.person(self.mentee)?.post(&format!("{}/questions", self.path(edition)), question).await?;
        Ok(())
    }

    /// What is known before the hour: moves, cancellations, approved absences.
    async fn before_session(
        &self,
        stage: &Stage,
        cast: &Cast,
        edition: &str,
        month: i64,
    ) -> anyhow::Result<()> {
        let Some(session) = self.session(stage, edition, month).await? else { return Ok(()) };
        let path = |verb| format!("{}/sessions/{}/{verb}", self.path(edition), session.id);
        match turn(self.executive, month) {
            Turn::Moved => {
                let start = json!({ "startTime": session.an_hour_later()? });
                stage.person(self.mentee)?.post(&path("move"), start).await?;
            }
            Turn::CancelledByMentee => {
                stage.person(self.mentee)?.post(&path("cancel"), json!({})).await?;
            }
            Turn::CancelledByMentor => {
                stage.person(self.mentor)?.post(&path("cancel"), json!({})).await?;
            }
            Turn::Excused => {
                let absent = json!({ "side": "SIDE_MENTEE" });
                stage.office(Some(cast.office[0]))?.post(&path("excuse"), absent).await?;
            }
            Turn::Held | Turn::MissedByMentee => {}
        }
        Ok(())
    }

    /// What is recorded after the hour; answers with the number of sessions held.
    async fn after_session(&self, stage: &Stage, edition: &str, month: i64) -> anyhow::Result<usize> {
        let Some(session) = self.session(stage, edition, month).await? else { return Ok(0) };
        let path = |verb| format!("{}/sessions/{}/{verb}", self.path(edition), session.id);
        let mentor = stage.person(self.mentor)?;
        match turn(self.executive, month) {
            Turn::MissedByMentee => {
                mentor.post(&path("miss"), json!({ "side": "SIDE_MENTEE" })).await?;
                Ok(0)
            }
            Turn::Held | Turn::Moved => {
                let box_path = format!("{}/questions", self.path(edition));
                let open: Vec<_> = mentor.list(&box_path, "questions").await?;
                let open: Vec<_> =
                    open.iter().filter(|question| question["answeredInSessionId"] == "").collect();
                let answered: Vec<_> = open.iter().map(|question| question["questionId"].clone()).collect();
                mentor.post(&path("hold"), json!({ "answeredQuestionIds": answered })).await?;
                let mentee = stage.person(self.mentee)?;
                mentee.post(&path("pulse"), json!({ "useful": 4, "learnt": 4, "open": 5 })).await?;
                if month == 1 {
                    let action = json!({ "text": "Set up my profile.", "dueDate": "2013-11-15" });
                    let agreed =
                        mentee.post(&format!("{}/actions", self.path(edition)), action).await?.id()?;
                    let done = format!("{}/actions/{agreed}/complete", self.path(edition));
                    mentee.post(&done, json!({})).await?;
                }
                Ok(1)
            }
            Turn::CancelledByMentee | Turn::CancelledByMentor | Turn::Excused => Ok(0),
        }
    }

    async fn session(&self, stage: &Stage, edition: &str, month: i64) -> anyhow::Result<Option<Session>> {
        let path = format!("{}/sessions", self.path(edition));
        let sessions = stage.person(self.mentor)?.list(&path, "sessions").await?;
        let of_month = sessions.iter().find(|session| session["month"] == month);
        of_month
            .map(|session| {
                Ok(Session { id: text(session, "sessionId")?, start: text(session, "startTime")? })
            })
            .transpose()
    }
}

struct Session {
    id: String,
    start: String,
}

impl Session {
    fn an_hour_later(&self) -> anyhow::Result<String> {
        let start: jiff::Timestamp = self.start.parse()?;
        Ok((start + jiff::SignedDuration::from_hours(1)).to_string())
    }
}
