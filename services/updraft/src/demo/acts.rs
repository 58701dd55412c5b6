//! The story up to the matching: roster, edition, applications, obligations.

use identity::PersonId;
use serde_json::{Value, json};

use super::cast::{self, Cast, MAXIMUM_AGE, Member, ROSTER, TIME_ZONE, TOPICS};
use super::stage::Stage;

/// The last of the executives acknowledges only after reminders.
const LATE: usize = 1;

/// Takes the roster in and chooses the cast.
pub(super) async fn import(stage: &Stage) -> anyhow::Result<Cast> {
    let office = stage.office(None)?;
    let operation = office.import(ROSTER).await?;
    say(&format!("2013-08-12  the roster: {} people", operation["counts"]["created"]));
    Cast::from_directory(&office.list("people", "people").await?)
}

/// Drafts the edition with its age rule, which a second person releases; only now birth dates are kept.
pub(super) async fn draft(stage: &Stage, cast: &Cast) -> anyhow::Result<String> {
    let office = stage.office(Some(cast.office[0]))?;
    let edition = office.post("editions", json!({ "settings": settings(&[]) })).await?.id()?;
    let age_rule = json!({
        "maximumAge": MAXIMUM_AGE,
        "aim": "Executives learn from people who grew up with social networks.",
        "necessity": "Tenure and level alone brought no mentors for whom these networks are everyday life.",
        "ownerPersonId": cast.office[0],
        "worksCouncilReference": "WC 2013-14",
        "expiryDate": "2014-12-31",
    });
    office.post(&format!("editions/{edition}/age-rule"), age_rule).await?;
    let release = format!("editions/{edition}/age-rule/release");
    let alone = office.refused(&release, json!({})).await?;
    stage.office(Some(cast.office[1]))?.post(&release, json!({})).await?;
    say(&format!(
        "            an edition is drafted; maximum age {MAXIMUM_AGE}, released by a second person (alone: {alone})"
    ));

    let again = office.import(ROSTER).await?;
    say(&format!(
        "            the roster again, now with sealed birth dates: {} unchanged",
        again["counts"]["unchanged"]
    ));
    let read = office.get(&format!("editions/{edition}")).await?;
    office.put_on(&format!("editions/{edition}/settings"), settings(&cast.excluded), &read).await?;
    Ok(edition)
}

/// Opens the edition.
pub(super) async fn open(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    stage.set_clock("2013-08-19T16:00:00Z").await?;
    let office = stage.office(Some(cast.office[0]))?;
    office.post(&format!("editions/{edition}/open"), json!({})).await?;
    let opened = office.get(&format!("editions/{edition}")).await?;
    say(&format!("2013-08-19  opened; {} executives are obliged", opened.body["obligedCount"]));
    Ok(())
}

/// The young apply; the office asks back, declines, keeps one in reserve and accepts the others.
pub(super) async fn apply(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    stage.set_clock("2013-08-21T16:00:00Z").await?;
    let path = format!("editions/{edition}/applications");
    let refused = stage.person(cast.too_old.id)?.refused(&path, offer(0, &cast.too_old)).await?;
    let mut applications = Vec::new();
    for (index, mentor) in cast.applicants.iter().enumerate() {
        applications.push(stage.person(mentor.id)?.post(&path, offer(index, mentor)).await?.id()?);
    }
    say(&format!("2013-08-21  {} people apply, one is refused ({refused})", applications.len()));

    stage.set_clock("2013-08-23T16:00:00Z").await?;
    let office = stage.office(Some(cast.office[0]))?;
    let command = |index: usize, verb: &str| format!("{path}/{}/{verb}", applications[index]);
    for index in [0, 1] {
        let question = json!({ "question": "Which of these do you use every week?" });
        office.post(&command(index, "request-information"), question).await?;
    }
    let answer = json!({ "answer": "All but the last." });
    stage.person(cast.applicants[0].id)?.post(&command(0, "provide-information"), answer).await?;
    stage.person(cast.applicants[1].id)?.post(&command(1, "withdraw"), json!({})).await?;
    for index in [2, 3] {
        office
            .post(&command(index, "decline"), json!({ "reason": "DECISION_REASON_TOPICS_COVERED" }))
            .await?;
    }
    office.post(&command(4, "waitlist"), json!({ "reason": "DECISION_REASON_NO_CAPACITY" })).await?;
    for index in (0..applications.len()).filter(|index| !(1..=4).contains(index)) {
        office.post(&command(index, "accept"), json!({})).await?;
    }
    say(
        "2013-08-23  2 were asked back, 1 of them withdrew; 2 are declined, 1 is in reserve, 24 are accepted",
    );
    Ok(())
}

/// The executives say how little they know; one only after reminders.
pub(super) async fn acknowledge(stage: &Stage, cast: &Cast, edition: &str) -> anyhow::Result<()> {
    let in_time = cast.executives.len() - LATE;
    for (index, executive) in cast.executives.iter().enumerate().take(in_time) {
        acknowledge_one(stage, cast, edition, executive, index).await?;
    }
    stage.set_clock("2013-09-12T16:00:00Z").await?;
    for (index, executive) in cast.executives.iter().enumerate().skip(in_time) {
        acknowledge_one(stage, cast, edition, executive, index).await?;
    }
    say(&format!("2013-09-12  {in_time} executives acknowledged in time, {LATE} after reminders"));
    Ok(())
}

async fn acknowledge_one(
    stage: &Stage,
    cast: &Cast,
    edition: &str,
    executive: &Member,
    index: usize,
) -> anyhow::Result<()> {
    let executive_calls = stage.person(executive.id)?;
    let own = executive_calls.list(&format!("editions/{edition}/obligations"), "obligations").await?;
    let [obligation] = own.as_slice() else { anyhow::bail!("an executive has {} obligations", own.len()) };
    let needs: Vec<Value> = TOPICS
        .iter()
        .enumerate()
        .map(|(place, (topic, _))| {
            json!({ "topicId": topic, "level": (index + place) % 3, "wanted": (index + place).is_multiple_of(2) })
        })
        .collect();
    let path = format!(
        "editions/{edition}/obligations/{}/acknowledge",
        obligation["obligationId"].as_str().unwrap_or_default()
    );
    // Every fourth knows whom they would like to learn from.
    let wished = cast.applicants.iter().rev().skip(index).take(usize::from(index.is_multiple_of(4)));
    let wished: Vec<PersonId> = wished.map(|applicant| applicant.id).collect();
    let acknowledged = json!({
        "needs": needs,
        "goals": "To understand what our customers talk about.",
        "availability": cast::availability(index, true),
        "wishedPersonIds": wished,
    });
    executive_calls.post(&path, acknowledged).await?;
    Ok(())
}

fn offer(index: usize, mentor: &Member) -> Value {
    let offers: Vec<Value> = TOPICS
        .iter()
        .enumerate()
        .filter(|(place, _)| !(index + place).is_multiple_of(3))
        .map(|(place, (topic, _))| json!({ "topicId": topic, "level": 3 + (index + place) % 2 }))
        .collect();
    json!({
        "offers": offers,
        "motivation": format!("I have used these for years and like to explain; level {} hears too little of it.", mentor.level),
        "availability": cast::availability(index, false),
        "capacity": 1,
    })
}

fn settings(excluded: &[PersonId]) -> Value {
    let topics: Vec<Value> =
        TOPICS.iter().map(|(id, title)| json!({ "topicId": id, "title": title })).collect();
    json!({
        "name": "First edition",
        "referenceDate": cast::REFERENCE.to_string(),
        "startDate": "2013-10-01",
        "months": 6,
        "sessionMinutes": 60,
        "obligationRule": { "maxLevel": 2, "leadersOnly": true, "excludedPersonIds": excluded },
        "eligibilityRule": { "tenureMonthsMin": 6, "levelMin": 3 },
        "pairingRule": { "chainLevels": 2, "otherDepartment": true },
        "topics": topics,
        "mentorCapacityMax": 1,
        "answerWorkingDays": 3,
        "acknowledgeDays": 14,
        "anonymityK": 5,
        "timeZone": TIME_ZONE,
        "repairRule": { "movesMax": 1 },
    })
}

/// Tells the story on the terminal.
pub(super) fn say(line: &str) {
    println!("{line}");
}
