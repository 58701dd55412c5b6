//! What the two sides of an offer may say to it besides yes and no.

use serde_json::{Value, json};

use crate::company::{Company, Tandem};
use crate::repairs::{not_for, of, repairs, veto, with_one_mentor_more};

async fn offered() -> (Company, Tandem) {
    let company = Company::ready().await;
    company.publish().await;
    let offers = company.tandems("STATE_PUBLISHED").await;
    let offer = offers.into_iter().find(|offer| offer.mentee == "E1").unwrap();
    (company, offer)
}

async fn ask(company: &Company, tandem: &Tandem, by: &str, need: &str) {
    let body = json!({ "need": format!("INFORMATION_NEED_{need}") });
    company.person(by).post(&format!("{}/ask", tandem.path), body).await.ok();
    company.world.settle().await;
}

async fn shown(company: &Company, tandem: &Tandem, to: Option<&str>) -> Value {
    let client = to.map_or_else(|| company.office(), |person| company.person(person));
    client.get(&tandem.path).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_needs_information_puts_the_time_to_answer_off_once_and_the_office_is_told() {
    let (company, offer) = offered().await;
    assert_eq!(shown(&company, &offer, None).await["answerBy"], "2013-08-15T22:00:00Z");
    ask(&company, &offer, "E1", "EFFORT").await;
    let seen = shown(&company, &offer, None).await;
    // Three working days after Thursday.
    assert_eq!(seen["answerBy"], "2013-08-20T22:00:00Z");
    let needs = |seen: &Value| (seen["menteeNeed"].clone(), seen["mentorNeed"].clone());
    let none = json!("INFORMATION_NEED_UNSPECIFIED");
    assert_eq!(needs(&seen), (json!("INFORMATION_NEED_EFFORT"), none.clone()));
    assert_eq!(needs(&shown(&company, &offer, Some("E1")).await), needs(&seen));
    let partner = shown(&company, &offer, Some(&offer.mentor)).await;
    assert_eq!(needs(&partner), (none.clone(), none.clone()), "what one asks is not the other's to know");
    let other = json!({ "need": "INFORMATION_NEED_OTHER" });
    company.person("E1").post(&format!("{}/ask", offer.path), other).await.refused(409, "ANSWERED");
    let notifications = company.office().list("/api/v1/notifications", "notifications").await;
    let told = notifications.iter().filter(|told| told["kind"] == "KIND_TANDEM_INFORMATION_NEEDED");
    assert_eq!(told.count(), 1, "{notifications:#?}");

    ask(&company, &offer, &offer.mentor, "PARTNER").await;
    assert_eq!(shown(&company, &offer, None).await["answerBy"], seen["answerBy"], "it is put off once");
    company.world.set_clock("2013-08-16T00:00:00Z").await;
    let open = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(open.len(), 1, "the others were silent");
    offer.accept(&company).await;
    assert_eq!(company.tandems("STATE_ACTIVE").await.len(), 1);
    assert_eq!(needs(&shown(&company, &offer, None).await), (none.clone(), none), "they have answered");
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_about_which_somebody_has_asked_ends_in_silence_all_the_same_but_later() {
    let (company, offer) = offered().await;
    ask(&company, &offer, &offer.mentor, "OTHER").await;
    company.world.set_clock("2013-08-20T21:59:00Z").await;
    assert!(company.tandems("STATE_PUBLISHED").await.iter().any(|open| open.path == offer.path));
    company.world.set_clock("2013-08-20T22:00:00Z").await;
    assert!(company.tandems("STATE_EXPIRED").await.iter().any(|expired| expired.path == offer.path));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_who_has_asked_was_not_silent_and_is_asked_by_a_repair() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 0 })).await;
    let (open, ended) = (of(&offers, "E1"), of(&offers, "H1"));
    for offer in offers.iter().filter(|offer| offer.mentee != "E1") {
        offer.accept(&company).await;
    }
    ask(&company, open, &open.mentor, "EFFORT").await;
    company.world.set_clock("2013-08-20T22:00:00Z").await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, free);
    company.person("H1").post(&format!("{}/dissolve", ended.path), json!({})).await.ok();
    company.world.settle().await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "H1").mentor, open.mentor);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_two_ask_before_they_have_answered_and_only_for_what_there_is() {
    let (company, offer) = offered().await;
    let path = format!("{}/ask", offer.path);
    let topics = json!({ "need": "INFORMATION_NEED_TOPICS" });
    company.person("E2").post(&path, topics.clone()).await.refused(403, "PERMISSION_DENIED");
    company.office().post(&path, topics.clone()).await.refused(403, "PERMISSION_DENIED");
    company.person("E1").post(&path, json!({})).await.refused(422, "INVALID_FIELDS");
    company.person("E1").post(&format!("{}/accept", offer.path), json!({})).await.ok();
    company.person("E1").post(&path, topics.clone()).await.refused(409, "ANSWERED");
    ask(&company, &offer, &offer.mentor, "TOPICS").await;
    company.person(&offer.mentor).post(&format!("{}/decline", offer.path), json!({})).await.ok();
    company.person(&offer.mentor).post(&path, topics).await.refused(409, "TERMINAL_STATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_about_which_somebody_has_asked_is_not_moved() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    let executive = not_for(free);
    for offer in offers.iter().filter(|offer| offer.mentee != executive) {
        ask(&company, offer, &offer.mentor, "EFFORT").await;
    }
    veto(&company, of(&offers, executive)).await;
    assert!(company.tandems("STATE_WITHDRAWN").await.is_empty());
    assert_eq!(repairs(&company).await[0]["waitingReason"], "WAITING_REASON_NO_MENTOR");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_cannot_lapse_keeps_none_of_the_others() {
    let (company, _) = offered().await;
    // One that only the read model knows is the first to be looked at.
    let first = "insert into tandems
        select (jsonb_populate_record(tandem, '{\"tandem_id\": \"00000000-0000-0000-0000-000000000001\"}')).*
        from tandems as tandem limit 1";
    sqlx::query(first).execute(&company.world.database.pool("matching")).await.unwrap();
    company.world.set_clock("2013-08-16T00:00:00Z").await;
    assert_eq!(company.tandems("STATE_EXPIRED").await.len(), 4);
}
