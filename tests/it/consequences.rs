//! What HR systems say reaches everything that hangs on it, without anybody asking: application, tandem, calendar, obligation.

use std::time::{Duration, Instant};

use proto::hris::worker_tombstone::Kind;
use proto::hris::{EmploymentStatus, SyncMode, Worker};
use reqwest::Method;
use serde_json::{Value, json};

use crate::company::{Company, Tandem};
use crate::hris::payroll::{Payroll, tombstone, upsert, workers};
use crate::leavers::{application, obligation, with_a_mentor_in_reserve};
use crate::leaves::sessions;
use crate::scim::{client, secret};

/// Behind all that an upload has said.
const VERSION: u64 = 1_000;

/// Nothing takes so long; how long it takes is printed.
const AT_MOST: Duration = Duration::from_mins(1);

/// Waits until something is so, and prints how long that took.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < AT_MOST, "{what}: not within {AT_MOST:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("{what} after {:?}", begin.elapsed());
}

/// The position behind the last event by now.
async fn head(company: &Company) -> i64 {
    let pool = company.world.database.pool("reader");
    sqlx::query_scalar("select max(position) from eventlog.events").fetch_one(&pool).await.unwrap()
}

/// What was recorded after a position, by the names of the events, in order.
async fn recorded(company: &Company, after: i64) -> Vec<String> {
    let pool = company.world.database.pool("reader");
    let names: Vec<String> =
        sqlx::query_scalar("select name from eventlog.events where position > $1 order by position")
            .bind(after)
            .fetch_all(&pool)
            .await
            .unwrap();
    names.iter().map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

/// Each of these was recorded, in this order.
fn in_order(recorded: &[String], names: &[&str]) {
    println!("{recorded:?}");
    let place = |name: &&str| recorded.iter().position(|recorded| recorded == name);
    let places: Vec<_> =
        names.iter().map(|name| place(name).unwrap_or_else(|| panic!("no {name}: {recorded:?}"))).collect();
    assert!(places.is_sorted(), "{names:?} at {places:?}: {recorded:?}");
}

/// A delta of one record in the name of the roster.
async fn delta(company: &Company, change: proto::hris::upsert_workers_request::Change) {
    let payroll = Payroll::of(&company.world, "roster").await;
    let run = payroll.open(SyncMode::Delta).await;
    payroll.send(&run, [change]).await;
    payroll.try_finish(&run, 1).await.unwrap();
}

async fn agrees(company: &Company) {
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

/// The mentor is gone, and the executive is carried on with the one in reserve.
async fn the_mentor_is_gone(company: &Company, tandem: &Tandem, free: &str, after: i64) {
    until("the application is withdrawn", async || {
        application(company, &tandem.mentor).await["state"] == "STATE_WITHDRAWN"
    })
    .await;
    until("the tandem is ended", async || {
        company.tandems("STATE_DISSOLVED").await.iter().any(|ended| ended.path == tandem.path)
    })
    .await;
    let executive = company.person(&tandem.mentee);
    until("the meetings are cancelled", async || {
        let listed = executive.list(&format!("{}/sessions", tandem.path), "sessions").await;
        !listed.is_empty() && listed.iter().all(|session| session["state"] == "STATE_CANCELLED")
    })
    .await;
    until("there is another offer", async || {
        let offered = company.tandems("STATE_PUBLISHED").await;
        offered.iter().any(|offer| offer.mentee == tandem.mentee && offer.mentor == free)
    })
    .await;
    assert_eq!(obligation(company, &tandem.mentee).await["state"], "STATE_ACKNOWLEDGED", "it is carried on");
    company.world.settle().await;
    let recorded = recorded(company, after).await;
    in_order(&recorded, &["PersonLeft", "ApplicationWithdrawn"]);
    in_order(&recorded, &["PersonLeft", "TandemDissolved", "SeriesEnded"]);
    in_order(&recorded, &["TandemDissolved", "TandemPublished"]);
    agrees(company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_of_a_mentor_ends_what_hangs_on_them_and_carries_the_executive_on() {
    let (company, tandem, free) = with_a_mentor_in_reserve().await;
    let after = head(&company).await;
    delta(&company, tombstone(&tandem.mentor, VERSION, Kind::Left)).await;
    the_mentor_is_gone(&company, &tandem, &free, after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_deactivated_by_an_identity_provider_is_gone_as_well() {
    let (company, tandem, free) = with_a_mentor_in_reserve().await;
    let scim = client(&company.world, &secret(&company.world, "entra", 0).await);
    let owns = json!({ "owns": ["ATTRIBUTE_EMPLOYMENT"] });
    company.office().send(Method::PUT, "/api/v1/sources/entra", Some(owns), &[]).await.ok();
    let number = &tandem.mentor;
    let user = json!({
        "userName": number, "name": { "givenName": format!("Given{number}"), "familyName": format!("Family{number}") },
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": number },
    });
    let made = scim.post("/scim/v2/Users", user).await.ok();
    company.world.settle().await;
    let after = head(&company).await;
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let answered: Value = scim.send(Method::PATCH, &path, Some(off), &[]).await.ok();
    assert_eq!(answered["active"], false);
    the_mentor_is_gone(&company, &tandem, &free, after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_pauses_the_tandem_and_the_obligation_waits() {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let after = head(&company).await;
    let known = workers().into_iter().find(|worker| worker.external_id == tandem.mentor).unwrap();
    let on_leave = Worker {
        source_version: VERSION,
        employment_status: EmploymentStatus::OnLeave.into(),
        leave_first_day: "2013-10-01".to_owned(),
        leave_last_day: "2013-11-29".to_owned(),
        ..known.clone()
    };
    delta(&company, upsert(on_leave)).await;
    until("the meetings are put off", async || sessions(&company, &tandem).await == "AAPPPP").await;
    let listed = company.tandems("STATE_ACTIVE").await;
    assert!(listed.iter().any(|active| active.path == tandem.path), "it goes on by itself");
    assert_eq!(application(&company, &tandem.mentor).await["state"], "STATE_ACCEPTED");
    assert_eq!(obligation(&company, &tandem.mentee).await["state"], "STATE_ACKNOWLEDGED");
    company.world.settle().await;
    in_order(&recorded(&company, after).await, &["PersonAbsent", "SessionCancelled"]);

    // Back earlier than was said.
    let after = head(&company).await;
    delta(&company, upsert(Worker { source_version: VERSION + 1, ..known })).await;
    until("the meetings are planned again", async || sessions(&company, &tandem).await == "PPPPPP").await;
    company.world.settle().await;
    in_order(&recorded(&company, after).await, &["PersonAbsenceEnded", "SessionResumed"]);
    agrees(&company).await;
}
