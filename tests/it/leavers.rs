//! Joiners are there, movers are looked at, leavers leave nothing behind that waits for them, and may come back.

use std::fmt::Write;
use std::time::Instant;

use serde_json::{Value, json};

use crate::company::{Company, Tandem, availability, offer, roster, settings};

/// A running company with one mentor who has no tandem, and the tandem of an executive whom that one may teach.
pub async fn with_a_mentor_in_reserve() -> (Company, Tandem, String) {
    let mut settings = settings();
    settings["repairRule"] = json!({ "movesMax": 1 });
    let company = Company::ready_by(settings, &["Y3"]).await;
    company.publish().await;
    let offers = company.tandems("STATE_PUBLISHED").await;
    for offer in &offers {
        offer.accept(&company).await;
    }
    company.office().post(&format!("{}/start", company.path()), json!({})).await.ok();
    company.world.settle().await;
    let free = ["Y1", "Y2", "Y3", "Y5", "Y6"];
    let free = free.into_iter().find(|mentor| offers.iter().all(|offer| offer.mentor != *mentor)).unwrap();
    let tandem = offers.into_iter().find(|offer| offer.mentee == "E1").unwrap();
    (company, tandem, free.to_owned())
}

async fn leave(company: &Company, number: &str, last_day: &str) {
    let path = format!("/api/v1/people/{}/leave", company.id(number));
    company.office().post(&path, json!({ "lastDay": last_day })).await.ok();
    company.world.settle().await;
}

async fn person(company: &Company, number: &str) -> Value {
    company.office().get(&format!("/api/v1/people/{}", company.id(number))).await.ok()
}

/// Somebody's application.
pub async fn application(company: &Company, number: &str) -> Value {
    let listed = company.office().list(&format!("{}/applications", company.path()), "applications").await;
    let id = json!(company.id(number));
    listed.into_iter().find(|application| application["personId"] == id).expect("an application")
}

/// Somebody's obligation.
pub async fn obligation(company: &Company, number: &str) -> Value {
    let listed = company.office().list(&format!("{}/obligations", company.path()), "obligations").await;
    let id = json!(company.id(number));
    listed.into_iter().find(|obligation| obligation["personId"] == id).expect("an obligation")
}

/// What a person was or is to be told: kind and state, newest first.
async fn told(company: &Company, number: &str) -> Vec<(String, String)> {
    let listed = company.person(number).list("/api/v1/notifications", "notifications").await;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    listed.iter().map(|row| (text(row, "kind"), text(row, "state"))).collect()
}

async fn agrees(company: &Company) {
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn until_a_last_day_to_come_a_person_works_here() {
    let company = Company::open().await;
    company.apply("Y1").await;
    leave(&company, "Y1", "2013-09-30").await;
    leave(&company, "Y1", "2013-08-30").await;
    company.world.set_clock("2013-08-29T22:00:00Z").await;
    assert_eq!(person(&company, "Y1").await["state"], "STATE_ACTIVE");
    assert_eq!(application(&company, "Y1").await["state"], "STATE_SUBMITTED");
    // What is applied for meanwhile counts as well.
    leave(&company, "Y2", "2013-08-30").await;
    company.apply("Y2").await;
    company.world.set_clock("2013-08-30T06:00:00Z").await;
    for number in ["Y1", "Y2"] {
        assert_eq!(person(&company, number).await["state"], "STATE_LEFT");
        assert_eq!(application(&company, number).await["state"], "STATE_WITHDRAWN");
    }
    company
        .person("Y1")
        .post(&format!("{}/applications", company.path()), offer())
        .await
        .refused(409, "LEFT");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_mentors_tandem_ends_the_calendar_is_emptied_and_the_executive_gets_another_offer() {
    let (company, tandem, free) = with_a_mentor_in_reserve().await;
    leave(&company, &tandem.mentor, "2013-08-12").await;
    assert_eq!(application(&company, &tandem.mentor).await["state"], "STATE_WITHDRAWN");
    let ended = company.tandems("STATE_DISSOLVED").await;
    assert_eq!(ended.iter().map(|tandem| &tandem.mentee).collect::<Vec<_>>(), ["E1"]);
    let sessions = company.person("E1").list(&format!("{}/sessions", tandem.path), "sessions").await;
    assert!(sessions.iter().all(|session| session["state"] == "STATE_CANCELLED"), "{sessions:#?}");
    let offered = company.tandems("STATE_PUBLISHED").await;
    assert_eq!((offered.len(), offered[0].mentee.as_str(), &offered[0].mentor), (1, "E1", &free));
    assert_eq!(obligation(&company, "E1").await["state"], "STATE_ACKNOWLEDGED", "it is carried on");

    let executive = told(&company, "E1").await;
    let count = |kind: &str| executive.iter().filter(|(told, _)| told == kind).count();
    assert_eq!(count("KIND_SESSION_CANCELLED"), 6);
    assert_eq!(count("KIND_TANDEM_PROPOSED"), 2);
    let leaver = told(&company, &tandem.mentor).await;
    assert!(leaver.iter().all(|(_, state)| state != "STATE_PENDING"), "{leaver:?}");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_executives_obligation_ends_and_begins_anew_with_the_return() {
    let (company, tandem, _) = with_a_mentor_in_reserve().await;
    leave(&company, "E1", "2013-08-12").await;
    let ended = obligation(&company, "E1").await;
    assert_eq!(
        (&ended["state"], &ended["excuseReason"], &ended["approverPersonId"]),
        (&json!("STATE_EXCUSED"), &json!("EXCUSE_REASON_LEAVING"), &json!(""))
    );
    assert!(company.tandems("STATE_PUBLISHED").await.is_empty(), "nobody needs another mentor");
    let report = company.office().get(&format!("{}/report", company.path())).await.ok();
    assert_eq!(report["obligations"]["excused"], 1);

    // The roster has news of the leaver, so that leaving was a mistake.
    let news = roster().replace("e1@example.com,Job", "e1@example.com,Chair");
    assert_eq!(company.office().import(news).await["state"], "STATE_SUCCEEDED");
    company.world.settle().await;
    assert_eq!(person(&company, "E1").await["state"], "STATE_ACTIVE");
    let anew = obligation(&company, "E1").await;
    assert_eq!((&anew["state"], &anew["dueDate"]), (&json!("STATE_DUE"), &json!("2013-08-26")));
    let told = told(&company, "E1").await;
    assert_eq!(told.iter().filter(|(kind, _)| kind == "KIND_OBLIGATION_DUE").count(), 2, "{told:?}");
    company.acknowledge("E1").await;
    company.world.settle().await;
    // Leaving keeps the two from nothing, and the tandem that ended with it is replaced.
    let offered = company.tandems("STATE_PUBLISHED").await;
    assert_eq!((offered.len(), offered[0].mentee.as_str()), (1, "E1"), "{offered:?}");
    let repairs = company.office().list(&format!("{}/repairs", company.path()), "repairs").await;
    assert!(repairs.iter().any(|repair| tandem.path.ends_with(repair["endedTandemId"].as_str().unwrap())));
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_of_an_edition_that_is_over_changes_nothing_in_it() {
    let company = Company::running().await;
    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.settle().await;
    let (before, accepted) = (obligation(&company, "E1").await, application(&company, "Y1").await);
    leave(&company, "E1", "2014-04-01").await;
    leave(&company, "Y1", "2014-04-01").await;
    assert_eq!(obligation(&company, "E1").await, before);
    assert_eq!(application(&company, "Y1").await, accepted);
    assert_eq!(company.tandems("STATE_COMPLETED").await.len(), 4);
}

/// The roster with other superiors.
fn reorganised(superior: &str, of: &[&str]) -> String {
    let line = |line: &str| {
        let mut fields: Vec<_> = line.split(',').collect();
        if of.contains(&fields[0]) {
            fields[1] = superior;
        }
        fields.join(",")
    };
    roster().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_that_is_reorganised_at_once_flags_every_tandem_it_breaks_and_clears_them_again() {
    let company = Company::running().await;
    let flagged = async || {
        let listed = company.office().list(&format!("{}/tandems", company.path()), "tandems").await;
        listed.iter().filter(|tandem| tandem["flagged"] == true).count()
    };
    assert_eq!(flagged().await, 0);
    // Every mentor reports to the chief executive: stands below the one, has the same superior as the others.
    let mentors = ["Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7", "Y8"];
    assert_eq!(company.office().import(reorganised("E1", &mentors)).await["counts"]["updated"], 8);
    company.world.settle().await;
    assert_eq!(flagged().await, 4);
    // Two levels below E2, whose mentor was of another line, and too far below the others.
    company.office().import(reorganised("E4", &mentors)).await;
    company.world.settle().await;
    assert_eq!(flagged().await, 1);
    // Of the tandem of E1 neither has moved, but the superior of one of them.
    company.office().import(reorganised("E1", &["E4", "E5"])).await;
    company.world.settle().await;
    assert_eq!(flagged().await, 1);
    company.office().import(roster()).await;
    company.world.settle().await;
    assert_eq!(flagged().await, 0);
    agrees(&company).await;
}

/// The company with a thousand people more, a chain of teams of ten below an executive; they report to one of two.
fn large(superior: &str) -> String {
    let mut file = roster();
    for number in 0..1_000 {
        let above = if number < 10 { superior.to_owned() } else { format!("T{}", number / 10 - 1) };
        let line = format!(
            "T{number},{above},Given{number},Family{number},t{number}@example.com,Job,Team,2010-01-01,"
        );
        writeln!(file, "{line}").unwrap();
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, printed: make soak"]
async fn how_soon_a_thousand_movers_are_looked_at() {
    let company = Company::running().await;
    company.office().import(large("E5")).await;
    company.world.settle().await;
    // Everybody moves: the ten at the top to another superior, the others to another department.
    let moved = large("E4").replace(",Job,Team,", ",Job,Crew,");
    assert_eq!(company.office().import(moved).await["counts"]["updated"], 1_000);
    let recorded = Instant::now();
    company.world.settle().await;
    println!("1,000 movers were looked at {:?} after they were recorded", recorded.elapsed());
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joiner_takes_part_at_once() {
    let company = Company::open().await;
    let joiner = "Y9,E5,GivenY9,FamilyY9,y9@example.com,Job,Production,2010-01-01,1990-01-01";
    let counts = company.office().import(format!("{}{joiner}\n", roster())).await["counts"].clone();
    assert_eq!(counts["created"], 1);
    let people = company.office().list("/api/v1/people", "people").await;
    let id = people.iter().find(|person| person["employeeNumber"] == "Y9").unwrap()["personId"].clone();
    let id = id.as_str().unwrap().parse().unwrap();
    let mut offer = offer();
    offer["availability"] = availability();
    company.world.person(id).post(&format!("{}/applications", company.path()), offer).await.ok();
}
