//! An edition from draft to archive, and who may change what when.

use reqwest::Method;
use serde_json::{Value, json};

use crate::company::{Company, EXECUTIVES, age_rule, settings};

#[tokio::test(flavor = "multi_thread")]
async fn opening_obliges_the_executives_of_the_rule() {
    let company = Company::open().await;
    let edition = company.office().get(&company.path()).await.ok();
    assert_eq!((&edition["phase"], &edition["obligedCount"]), (&json!("PHASE_OPEN"), &json!(4)));
    let obligations = company.office().list(&format!("{}/obligations", company.path()), "obligations").await;
    let mut obliged: Vec<_> = obligations.iter().map(|duty| company.number(&duty["personId"])).collect();
    obliged.sort_unstable();
    assert_eq!(obliged, EXECUTIVES);
    assert!(obligations.iter().all(|duty| duty["state"] == "STATE_DUE" && duty["dueDate"] == "2013-08-26"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_changed_only_on_the_version_that_was_read() {
    let company = Company::draft().await;
    let (office, path) = (company.office(), format!("{}/settings", company.path()));
    let read = office.get(&company.path()).await;
    let etag = read.headers["etag"].to_str().unwrap().to_owned();

    office.send(Method::PUT, &path, Some(settings()), &[]).await.refused(428, "IF_MATCH_REQUIRED");
    let mut changed = settings();
    changed["obligationRule"]["excludedPersonIds"] = json!([company.id("E1")]);
    office.send(Method::PUT, &path, Some(changed.clone()), &[("if-match", &etag)]).await.ok();
    let stale = office.send(Method::PUT, &path, Some(settings()), &[("if-match", &etag)]).await;
    stale.refused(412, "ETAG_MISMATCH");
    let kept = office.get(&company.path()).await.ok();
    assert_eq!(kept["settings"]["obligationRule"]["excludedPersonIds"], json!([company.id("E1")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_edition_is_not_sent_twice() {
    let company = Company::draft().await;
    let read = company.office().get(&company.path()).await;
    let etag = read.headers["etag"].to_str().unwrap().to_owned();
    let again = company.office().send(Method::GET, &company.path(), None, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.body), (304, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_age_rule_needs_a_second_person() {
    let company = Company::draft().await;
    let office = company.office();
    let other = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let path = format!("/api/v1/editions/{other}/age-rule");
    office.post(&path, age_rule(company.id("H2"))).await.ok();
    office.post(&format!("{path}/release"), json!({})).await.refused(409, "SECOND_PERSON_NEEDED");
    assert_eq!(office.get(&format!("/api/v1/editions/{other}")).await.ok()["ageRule"]["released"], false);
    company.second_office().post(&format!("{path}/release"), json!({})).await.ok();
    assert_eq!(office.get(&format!("/api/v1/editions/{other}")).await.ok()["ageRule"]["released"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_named_by_its_place() {
    let company = Company::draft().await;
    let mut wrong = settings();
    wrong["anonymityK"] = json!(4);
    wrong["topics"][1]["topicId"] = json!("Hash Tags");
    let problem = company.office().post("/api/v1/editions", json!({ "settings": wrong })).await;
    let problem = problem.refused(422, "INVALID_FIELDS");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/settings/topics/1/topicId", "/settings/anonymityK"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_follow_each_other_and_nothing_leaves_the_last() {
    let company = Company::open().await;
    let (office, path) = (company.office(), company.path());
    let command = |verb: &'static str| {
        let (office, path) = (office.clone(), path.clone());
        async move { office.post(&format!("{path}/{verb}"), json!({})).await }
    };
    command("start").await.refused(409, "WRONG_PHASE");
    command("complete").await.refused(409, "WRONG_PHASE");
    for verb in ["start-matching", "start", "complete", "archive"] {
        let first = command(verb).await.ok();
        assert_eq!(first, command(verb).await.ok(), "{verb} again is the same");
    }
    command("open").await.refused(409, "WRONG_PHASE");
    assert_eq!(office.get(&path).await.ok()["phase"], "PHASE_ARCHIVED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_rules_but_not_the_age_rule() {
    let company = Company::open().await;
    let office = company.office();
    let copy = json!({ "name": "Second edition", "referenceDate": "2014-09-01", "startDate": "2014-10-01" });
    let created = office.post(&format!("{}/copies", company.path()), copy).await;
    assert_eq!(created.status.as_u16(), 201);
    let copied = office.get(&format!("/api/v1/editions/{}", created.id())).await.ok();
    assert_eq!(copied["copiedFromEditionId"], company.edition.as_str());
    assert_eq!((&copied["phase"], &copied["ageRule"]), (&json!("PHASE_DRAFT"), &Value::Null));
    assert_eq!(copied["settings"]["name"], "Second edition");
    assert_eq!(copied["settings"]["topics"], settings()["topics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_for_another_editions_record_is_refused() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let other = company.office().post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let path = format!("/api/v1/editions/{other}/applications/{application}/accept");
    company.office().post(&path, json!({})).await.refused(409, "OTHER_EDITION");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_texts_stand_in_no_event() {
    let company = Company::running().await;
    let pool = company.world.database.pool("reader");
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("select payload from eventlog.events").fetch_all(&pool).await.unwrap();
    assert!(payloads.len() > 40);
    let words =
        ["Given", "Family", "example.com", "Secret", "First edition", "LinkedIn", "1988-01-01", "grew up"];
    for payload in payloads {
        let text = String::from_utf8_lossy(&payload);
        for word in words {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_met_to_the_end_is_never_lapsed_by_an_archive_that_comes_too_early() {
    let company = Company::running().await;
    let (office, path) = (company.office(), company.path());
    office.post(&format!("{path}/complete"), json!({})).await.ok();
    // The tandems end a moment later: until then the edition is not archived.
    loop {
        let archived = office.post(&format!("{path}/archive"), json!({})).await;
        if archived.status.is_success() {
            break;
        }
        archived.refused(409, "TANDEMS_LIVE");
    }
    company.world.settle().await;
    let obligations = office.list(&format!("{path}/obligations"), "obligations").await;
    assert!(obligations.iter().all(|duty| duty["state"] == "STATE_FULFILLED"), "{obligations:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anonymity_threshold_of_a_draft_is_never_lowered() {
    let company = Company::draft().await;
    let (office, path) = (company.office(), company.path());
    let set = async |threshold: i32| {
        let etag = office.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
        let mut changed = settings();
        changed["anonymityK"] = json!(threshold);
        office.send(Method::PUT, &format!("{path}/settings"), Some(changed), &[("if-match", &etag)]).await
    };
    set(7).await.ok();
    set(6).await.refused(409, "ANONYMITY_LOWERED");
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_birth_are_gone_when_nobody_can_apply_any_more() {
    let company = Company::open().await;
    let pool = company.world.database.pool("enrollment");
    let kept = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from birth_dates");
        count.fetch_one(&pool).await.unwrap()
    };
    assert_eq!(kept().await, 16);
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    assert_eq!(kept().await, 0);
}
