//! Mentors apply, executives acknowledge; refusals bear the name of the rule.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::company::{Company, availability, offer};

async fn state(company: &Company, application: &str) -> Value {
    company.office().get(&format!("{}/applications/{application}", company.path())).await.ok()["state"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_eligible_on_the_reference_date_is_refused_by_the_rules_name() {
    let company = Company::open().await;
    let path = format!("{}/applications", company.path());
    company.person("Y8").post(&path, offer()).await.refused(409, "MAXIMUM_AGE");
    company.person("E5").post(&path, offer()).await.refused(409, "MAXIMUM_AGE");
    company.person("E2").post(&path, offer()).await.refused(409, "OBLIGED");
    // A birthday on the day after the reference date changes nothing.
    company.world.set_clock("2013-09-20T08:00:00Z").await;
    company.person("Y4").post(&path, offer()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_age_rule_whose_last_day_is_over_binds_nobody() {
    let company = Company::open().await;
    let path = format!("{}/applications", company.path());
    company.world.set_clock("2014-12-31T08:00:00Z").await;
    company.person("Y8").post(&path, offer()).await.refused(409, "MAXIMUM_AGE");
    company.world.set_clock("2015-01-01T08:00:00Z").await;
    company.person("Y8").post(&path, offer()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_asked_back_answered_and_decided() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let path = format!("{}/applications/{application}", company.path());
    let (office, mentor) = (company.office(), company.person("Y1"));
    office.post(&format!("{path}/request-information"), json!({ "question": "Which?" })).await.ok();
    assert_eq!(state(&company, &application).await, "STATE_NEEDS_INFO");
    office.post(&format!("{path}/accept"), json!({})).await.refused(409, "WRONG_STATE");
    mentor.post(&format!("{path}/provide-information"), json!({ "answer": "All." })).await.ok();
    office.post(&format!("{path}/waitlist"), json!({ "reason": "DECISION_REASON_NO_CAPACITY" })).await.ok();
    office.post(&format!("{path}/accept"), json!({})).await.ok();

    let seen = mentor.get(&path).await.ok();
    assert_eq!(seen["state"], "STATE_ACCEPTED");
    assert_eq!((&seen["question"], &seen["answer"]), (&json!("Which?"), &json!("All.")));
    assert_eq!(seen["motivation"], "Secret motivation.");
    assert_eq!(seen["promisedDate"], "2013-08-15", "three working days after Monday, 2013-08-12");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_application_stays_declined() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let path = format!("{}/applications/{application}", company.path());
    let reason = json!({ "reason": "DECISION_REASON_TOPICS_COVERED" });
    company.office().post(&format!("{path}/decline"), reason).await.ok();
    company.office().post(&format!("{path}/accept"), json!({})).await.refused(409, "TERMINAL_STATE");
    company.person("Y1").post(&format!("{path}/withdraw"), json!({})).await.refused(409, "TERMINAL_STATE");
    assert_eq!(state(&company, &application).await, "STATE_DECLINED");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_one_live_application() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let path = format!("{}/applications", company.path());
    company.person("Y1").post(&path, offer()).await.refused(409, "ALREADY_APPLIED");
    company.person("Y1").post(&format!("{path}/{application}/withdraw"), json!({})).await.ok();
    company.person("Y1").post(&path, offer()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_at_the_same_moment_become_one() {
    let company = Company::open().await;
    let path = format!("{}/applications", company.path());
    let (one, other) = (company.person("Y1"), company.person("Y1"));
    let (one, other) = tokio::join!(one.post(&path, offer()), other.post(&path, offer()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{:#} {:#}", one.body, other.body);
    assert_eq!(company.office().list(&path, "applications").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_only_the_own_application() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    company.apply("Y2").await;
    let path = format!("{}/applications", company.path());
    assert_eq!(company.person("Y1").list(&path, "applications").await.len(), 1);
    let other = company.person("Y2").get(&format!("{path}/{application}")).await;
    other.refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leavers_application_is_withdrawn() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let path = format!("/api/v1/people/{}/leave", company.id("Y1"));
    company.office().post(&path, json!({ "lastDay": "2013-08-09" })).await.ok();
    company.world.settle().await;
    assert_eq!(state(&company, &application).await, "STATE_WITHDRAWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_and_goals_are_for_the_executive_alone() {
    let company = Company::open().await;
    company.acknowledge("E2").await;
    let path = format!("{}/obligations/{}", company.path(), company.obligation("E2").await);
    let own = company.person("E2").get(&path).await.ok();
    assert_eq!((&own["state"], &own["goals"]), (&json!("STATE_ACKNOWLEDGED"), &json!("Secret goals.")));
    assert_eq!(own["needs"].as_array().unwrap().len(), 2);
    let seen_by_office = company.office().get(&path).await.ok();
    assert_eq!((&seen_by_office["goals"], &seen_by_office["needs"]), (&json!(""), &json!([])));
    company.person("E3").get(&path).await.refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_topic_is_refused_by_name() {
    let company = Company::open().await;
    let path = format!("{}/obligations/{}/acknowledge", company.path(), company.obligation("E2").await);
    let needs = json!({
        "needs": [{ "topicId": "cobol", "level": 0, "wanted": true }],
        "goals": "To learn.",
        "availability": availability(),
    });
    company.person("E2").post(&path, needs).await.refused(409, "UNKNOWN_TOPIC");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_obligation_escalates_step_by_step_and_an_excuse_ends_it() {
    let company = Company::open().await;
    let path = format!("{}/obligations/{}", company.path(), company.obligation("E2").await);
    let mut seen = Vec::new();
    for day in ["2013-08-27", "2013-09-03", "2013-09-10", "2013-09-17", "2013-10-17"] {
        company.world.set_clock(&format!("{day}T08:00:00Z")).await;
        seen.push(company.office().get(&path).await.ok()["escalation"].as_i64().unwrap());
    }
    assert_eq!(*seen.last().unwrap(), 3, "executive, assistant, sponsor: {seen:?}");
    assert!(seen.is_sorted());
    let excuse = json!({ "reason": "EXCUSE_REASON_LONG_LEAVE" });
    company.office().post(&format!("{path}/excuse"), excuse).await.ok();
    let excused = company.office().get(&path).await.ok();
    assert_eq!(excused["state"], "STATE_EXCUSED");
    assert_eq!(excused["approverPersonId"], company.id("H2").to_string());
    let needs = json!({
        "needs": [{ "topicId": "hashtags", "level": 0, "wanted": true }],
        "goals": "To learn.",
        "availability": availability(),
    });
    let late = company.person("E2").post(&format!("{path}/acknowledge"), needs).await;
    late.refused(409, "TERMINAL_STATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_in_the_moment_of_applying_has_no_live_application() {
    let company = Company::open().await;
    for number in ["Y1", "Y2", "Y3", "Y5", "Y6", "Y7"] {
        let (mentor, office) = (company.person(number), company.office());
        let applications = format!("{}/applications", company.path());
        let leave = format!("/api/v1/people/{}/leave", company.id(number));
        let last_day = json!({ "lastDay": "2013-08-09" });
        let (applied, left) =
            tokio::join!(mentor.post(&applications, offer()), office.post(&leave, last_day));
        left.ok();
        company.world.settle().await;
        if applied.status.is_success() {
            assert_eq!(state(&company, &applied.id()).await, "STATE_WITHDRAWN");
        } else {
            applied.refused(409, "LEFT");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_done_whatever_else_of_it_fails() {
    let company = Company::open().await;
    let obligation = format!("{}/obligations/{}", company.path(), company.obligation("E2").await);
    let leave = format!("/api/v1/people/{}/leave", company.id("Y1"));
    company.office().post(&leave, json!({ "lastDay": "2013-08-20" })).await.ok();
    // The first thing that is looked after breaks, and one between.
    let admin = PgPool::connect_with(company.world.database.admin_options()).await.unwrap();
    for table in ["operations", "birth_dates"] {
        let hide = format!("alter table enrollment.{table} rename to {table}_gone");
        sqlx::query(AssertSqlSafe(hide)).execute(&admin).await.unwrap();
    }
    company.world.set_clock("2013-09-10T08:00:00Z").await;
    let leaver: bool =
        sqlx::query_scalar("select last_day is not null from enrollment.people where person_id = $1")
            .bind(company.id("Y1").uuid())
            .fetch_one(&admin)
            .await
            .unwrap();
    assert!(leaver, "who was to leave has left");
    assert_ne!(company.office().get(&obligation).await.ok()["escalation"], 0, "who is late is reminded");
}
