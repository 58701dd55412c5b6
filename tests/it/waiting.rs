//! Whoever waits for a mentor is served on every occasion that brings one.

use serde_json::json;

use crate::company::{Company, Tandem, roster};
use crate::repairs::{not_for, of, repairs, veto, with_one_mentor_more};

/// Notes or ends a leave.
pub async fn absence(company: &Company, path: &str, number: &str, days: (&str, &str)) {
    let path = format!("/api/v1/people/{}/{path}", company.id(number));
    company.office().post(&path, json!({ "firstDay": days.0, "lastDay": days.1 })).await.ok();
    company.world.settle().await;
}

/// Both accept every offer but those of these executives.
pub async fn accept_all_but(company: &Company, offers: &[Tandem], executives: &[&str]) {
    for offer in offers.iter().filter(|offer| !executives.contains(&offer.mentee.as_str())) {
        offer.accept(company).await;
    }
}

/// E1 waits, as the only mentor who is free is on leave to this day.
pub async fn on_leave_to(last_day: &str) -> (Company, &'static str) {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    accept_all_but(&company, &offers, &["E1"]).await;
    absence(&company, "absences", free, ("2013-08-12", last_day)).await;
    veto(&company, of(&offers, "E1")).await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;
    (company, free)
}

/// Somebody waits, for this reason, and nobody has an offer.
pub async fn waits(company: &Company, reason: &str) {
    assert_eq!(repairs(company).await[0]["waitingReason"], reason);
    assert!(company.tandems("STATE_PUBLISHED").await.is_empty());
}

/// Every read model is what the events say.
pub async fn agrees(company: &Company) {
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_whose_leave_is_ended_is_offered_to_who_waits() {
    let (company, free) = on_leave_to("").await;
    company.world.set_clock("2013-08-20T08:00:00Z").await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;
    absence(&company, "absences/end", free, ("2013-08-12", "2013-08-19")).await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, free);
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_whose_leave_runs_out_is_offered_to_who_waits() {
    let (company, free) = on_leave_to("2013-08-20").await;
    company.world.set_clock("2013-08-20T21:59:00Z").await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;
    // It is the next day where the edition is.
    company.world.set_clock("2013-08-20T22:00:00Z").await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, free);
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_after_which_two_may_be_paired_serves_who_waits() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    let executive = not_for(free);
    accept_all_but(&company, &offers, &[executive]).await;
    veto(&company, of(&offers, executive)).await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;
    let before = roster();
    let line = before.lines().find(|line| line.starts_with(free)).unwrap();
    let mut fields: Vec<_> = line.split(',').collect();
    (fields[1], fields[6]) = ("H2", "Personnel");
    company.office().import(before.replace(line, &fields.join(","))).await;
    company.world.settle().await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, executive).mentor, free);
    agrees(&company).await;
}
