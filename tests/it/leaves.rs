//! Leaves: open, ended, shortened, taken back, and what becomes of the sessions meanwhile.

use serde_json::{Value, json};

use crate::company::{Company, Tandem};

/// A running company and one of its tandems, whose sessions are on the first days of the months.
async fn running() -> (Company, Tandem) {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    (company, tandem)
}

async fn leave(company: &Company, number: &str, first_day: &str, last_day: &str) {
    let path = format!("/api/v1/people/{}/absences", company.id(number));
    company.office().post(&path, json!({ "firstDay": first_day, "lastDay": last_day })).await.ok();
    company.world.settle().await;
}

async fn end(company: &Company, number: &str, first_day: &str, last_day: &str) {
    let path = format!("/api/v1/people/{}/absences/end", company.id(number));
    company.office().post(&path, json!({ "firstDay": first_day, "lastDay": last_day })).await.ok();
    company.world.settle().await;
}

/// The state of every session, by month: `P`lanned, `A`pproved absence, or `C`ancelled otherwise.
pub async fn sessions(company: &Company, tandem: &Tandem) -> String {
    let listed = company.person(&tandem.mentor).list(&format!("{}/sessions", tandem.path), "sessions").await;
    let letter = |session: &Value| match session["state"].as_str().unwrap() {
        "STATE_PLANNED" => 'P',
        "STATE_CANCELLED" if session["approvedAbsence"] == true => 'A',
        "STATE_CANCELLED" => 'C',
        other => panic!("{other}"),
    };
    listed.iter().map(letter).collect()
}

/// The day in November on which the tandem meets.
async fn november(company: &Company, tandem: &Tandem) -> jiff::civil::Date {
    let start: jiff::Timestamp =
        tandem.session(company, 2).await["startTime"].as_str().unwrap().parse().unwrap();
    start.in_tz("Europe/Berlin").unwrap().date()
}

async fn agrees(company: &Company) {
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_leave_puts_off_what_comes_near_and_the_rest_holds_for_whoever_is_back() {
    let (company, tandem) = running().await;
    leave(&company, &tandem.mentor, "2013-10-01", "").await;
    assert_eq!(sessions(&company, &tandem).await, "PPPPPP", "nothing is near yet");
    company.world.set_clock("2013-09-25T08:00:00Z").await;
    assert_eq!(sessions(&company, &tandem).await, "APPPPP");
    // Nobody looked for two months; what was overlooked did not take place either.
    company.world.set_clock("2013-11-25T08:00:00Z").await;
    assert_eq!(sessions(&company, &tandem).await, "AAAPPP");

    let before = tandem.session(&company, 3).await;
    end(&company, &tandem.mentor, "2013-10-01", "2013-11-29").await;
    assert_eq!(sessions(&company, &tandem).await, "AAPPPP");
    let again = tandem.session(&company, 3).await;
    assert_eq!((&again["startTime"], &again["sequence"]), (&before["startTime"], &json!(2)));
    company.world.set_clock("2013-12-20T08:00:00Z").await;
    assert_eq!(sessions(&company, &tandem).await, "AAPPPP", "the leave is over");
    let report = company.office().get(&format!("{}/report", company.path())).await.ok();
    assert_eq!(report["cancellations"]["approvedAbsences"], 2);
    assert_eq!(report["cancellations"]["byMentor"], 0);
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_becomes_a_tandem_during_an_open_leave_meets_after_it() {
    let company = Company::ready().await;
    company.publish().await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    company.world.set_clock("2013-08-13T08:00:00Z").await;
    leave(&company, &offered[0].mentee, "2013-08-13", "").await;
    offered[0].accept(&company).await;
    company.world.settle().await;
    assert_eq!(sessions(&company, &offered[0]).await, "PPPPPP");
    company.world.set_clock("2013-10-20T08:00:00Z").await;
    end(&company, &offered[0].mentee, "2013-08-13", "2013-10-18").await;
    assert_eq!(sessions(&company, &offered[0]).await, "APPPPP");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_is_shortened_and_taken_back_and_what_it_put_off_is_planned_again() {
    let (company, tandem) = running().await;
    let day = november(&company, &tandem).await;
    let start = tandem.session(&company, 2).await["startTime"].clone();
    leave(&company, &tandem.mentor, "2013-11-01", "2013-11-30").await;
    assert_eq!(sessions(&company, &tandem).await, "PAPPPP");
    end(&company, &tandem.mentor, "2013-11-01", &day.to_string()).await;
    assert_eq!(sessions(&company, &tandem).await, "PAPPPP", "the day is still one of the leave");
    let last_day = day.yesterday().unwrap().to_string();
    end(&company, &tandem.mentor, "2013-11-01", &last_day).await;
    assert_eq!(sessions(&company, &tandem).await, "PPPPPP");
    assert_eq!(tandem.session(&company, 2).await["startTime"], start);

    leave(&company, &tandem.mentor, "2013-11-01", "2013-12-31").await;
    assert_eq!(sessions(&company, &tandem).await, "PAAPPP", "a leave may be longer after all");
    end(&company, &tandem.mentor, "2013-11-01", "2013-10-31").await;
    end(&company, &tandem.mentor, "2013-11-01", "2013-10-31").await;
    assert_eq!(sessions(&company, &tandem).await, "PPPPPP", "it never was");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_for_another_reason_stays_off() {
    let (company, tandem) = running().await;
    let path = tandem.session_path(&company, 2).await;
    company.office().post(&format!("{path}/excuse"), json!({ "side": "SIDE_MENTOR" })).await.ok();
    let path = tandem.session_path(&company, 3).await;
    company.person(&tandem.mentor).post(&format!("{path}/cancel"), json!({})).await.ok();
    // Both are on leave in January.
    leave(&company, &tandem.mentor, "2013-11-01", "2014-01-31").await;
    leave(&company, &tandem.mentee, "2014-01-01", "2014-01-31").await;
    assert_eq!(sessions(&company, &tandem).await, "PACAPP");
    end(&company, &tandem.mentor, "2013-11-01", "2013-10-31").await;
    assert_eq!(sessions(&company, &tandem).await, "PACAPP");
    end(&company, &tandem.mentee, "2014-01-01", "2013-12-31").await;
    assert_eq!(sessions(&company, &tandem).await, "PACPPP");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_office_ends_a_leave_and_only_one_that_there_is() {
    let (company, tandem) = running().await;
    let path = format!("/api/v1/people/{}/absences/end", company.id(&tandem.mentor));
    let days = json!({ "firstDay": "2013-11-01", "lastDay": "2013-11-15" });
    company.person(&tandem.mentor).post(&path, days.clone()).await.refused(403, "PERMISSION_DENIED");
    company.office().post(&path, days).await.refused(404, "NO_SUCH_LEAVE");
    let endless = json!({ "firstDay": "2013-11-01", "lastDay": "" });
    company.office().post(&path, endless).await.refused(422, "INVALID_FIELDS");
}
