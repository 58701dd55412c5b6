//! Matching: optimal, reviewed by a person, answered by both, and never more tandems than places.

use reqwest::Method;
use serde_json::{Value, json};

use crate::company::{Company, EXECUTIVES, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_executive_gets_a_mentor_within_the_hard_rules_and_the_optimum_is_proved() {
    let company = Company::ready().await;
    let run = company.publish().await;
    assert_eq!((&run["state"], &run["pairCount"]), (&json!("STATE_PUBLISHED"), &json!(4)));
    assert_eq!(run["certificate"]["verified"], true);
    for pair in run["pairs"].as_array().unwrap() {
        let points = &pair["points"];
        let criteria =
            ["topics", "availability", "distance", "language", "menteeWish", "mentorWish", "loadBalance"];
        let sum: i64 = criteria.iter().map(|name| points[name].as_i64().unwrap()).sum();
        assert_eq!(sum, pair["score"].as_i64().unwrap());
        let (mentor, mentee) =
            (company.number(&pair["mentorPersonId"]), company.number(&pair["menteePersonId"]));
        let of_sales = ["Y1", "Y2"].contains(&mentor);
        assert!(!(of_sales && mentee == "E2"), "{mentor} stands two levels below {mentee}");
        assert!(of_sales || mentee != "E3", "{mentor} stands two levels below {mentee}");
    }
    let mut served: Vec<_> =
        company.tandems("STATE_PUBLISHED").await.into_iter().map(|tandem| tandem.mentee).collect();
    served.sort_unstable();
    assert_eq!(served, EXECUTIVES);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_mentors_are_explained() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    let accept = format!("{}/applications/{application}/accept", company.path());
    company.office().post(&accept, json!({})).await.ok();
    for executive in EXECUTIVES {
        company.acknowledge(executive).await;
    }
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    let run = company.publish().await;
    assert_eq!((&run["menteeCount"], &run["pairCount"]), (&json!(4), &json!(1)));
    let reasons = run["unmatched"].as_array().unwrap();
    assert_eq!(reasons.len(), 3);
    let reason_of = |number: &str| {
        let unmatched = reasons.iter().find(|row| company.number(&row["menteePersonId"]) == number);
        unmatched.map(|row| row["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(reason_of("E2").unwrap(), "REASON_NO_ADMISSIBLE_MENTOR", "Y1 stands below E2");
    for row in reasons.iter().filter(|row| row["reason"] == "REASON_TOO_FEW_PLACES") {
        assert_eq!(row["places"], 1);
        assert_eq!(company.number(&row["mentorPersonIds"][0]), "Y1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_published_only_after_a_person_has_looked_at_this_very_version() {
    let company = Company::ready().await;
    let office = company.office();
    let runs = format!("{}/match-runs", company.path());
    let path = format!("{runs}/{}", office.post(&runs, json!({})).await.id());
    let staged = office.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
    let command = |verb: &'static str, body: Value, etag: String| {
        let (office, path) = (office.clone(), path.clone());
        async move {
            let headers = [("if-match", etag.as_str())];
            office.send(Method::POST, &format!("{path}/{verb}"), Some(body), &headers).await
        }
    };
    command("publish", json!({}), staged.clone()).await.refused(409, "NOT_REVIEWED");
    let pair = json!([{ "mentorPersonId": company.id("Y1"), "menteePersonId": company.id("H1") }]);
    command("revise", json!({ "forbids": pair }), staged.clone()).await.ok();
    command("review", json!({}), staged).await.refused(412, "ETAG_MISMATCH");
    office.post(&format!("{path}/review"), json!({})).await.refused(428, "IF_MATCH_REQUIRED");
    let revised = office.get(&path).await.ok();
    assert!(revised["pairs"].as_array().unwrap().iter().all(|found| {
        company.number(&found["mentorPersonId"]) != "Y1" || company.number(&found["menteePersonId"]) != "H1"
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_on_leave_is_in_no_run_and_an_executive_on_leave_stays_in_it() {
    let company = Company::ready().await;
    let office = company.office();
    let away = async |number, first_day, last_day| {
        let days = json!({ "firstDay": first_day, "lastDay": last_day });
        office.post(&format!("/api/v1/people/{}/absences", company.id(number)), days).await.ok();
        company.world.settle().await;
    };
    away("E1", "2013-08-01", "2013-08-31").await;
    away("Y5", "2013-10-01", "2013-10-31").await;
    let runs = format!("{}/match-runs", company.path());
    let path = format!("{runs}/{}", office.post(&runs, json!({})).await.id());
    let run = office.get(&path).await.ok();
    let counts = |run: &Value| [&run["menteeCount"], &run["placeCount"], &run["pairCount"]].map(Value::clone);
    assert_eq!(counts(&run), [json!(4), json!(4), json!(4)], "a leave that is yet to come keeps nobody away");

    away("Y6", "2013-08-01", "2013-08-31").await;
    let command = async |verb| {
        let etag = office.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
        let headers = [("if-match", etag.as_str())];
        office.send(Method::POST, &format!("{path}/{verb}"), Some(json!({})), &headers).await
    };
    command("review").await.ok();
    let problem = command("publish").await.refused(409, "INPUTS_CHANGED");
    let unmet = &problem["unmet"];
    assert_eq!(unmet.as_array().unwrap().len(), 1, "{unmet:#}");
    assert_eq!((&unmet[0]["type"], &unmet[0]["subject"]), (&json!("MENTOR_GONE"), &json!(company.id("Y6"))));
    command("revise").await.ok();
    let run = office.get(&path).await.ok();
    assert_eq!(counts(&run), [json!(4), json!(3), json!(3)]);
    let lock =
        json!({ "locks": [{ "mentorPersonId": company.id("Y6"), "menteePersonId": company.id("E1") }] });
    office.post(&runs, lock).await.refused(409, "LOCK_OUTSIDE_RUN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_breaks_a_hard_rule_is_refused() {
    let company = Company::ready().await;
    let lock =
        json!({ "locks": [{ "mentorPersonId": company.id("Y1"), "menteePersonId": company.id("E2") }] });
    let refused = company.office().post(&format!("{}/match-runs", company.path()), lock).await;
    let problem = refused.refused(409, "LOCK_BREAKS_RULE");
    assert!(problem["detail"].as_str().unwrap().contains("CHAIN"), "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_is_free_once_and_a_refused_tandem_stays_refused() {
    let company = Company::ready().await;
    company.publish().await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    let tandem = &offered[0];
    company
        .person(&tandem.mentor)
        .post(&format!("{}/veto", tandem.path), json!({}))
        .await
        .refused(403, "WRONG_SIDE");
    company.person(&tandem.mentee).post(&format!("{}/veto", tandem.path), json!({})).await.ok();
    company
        .person(&tandem.mentor)
        .post(&format!("{}/accept", tandem.path), json!({}))
        .await
        .refused(409, "TERMINAL_STATE");

    let second = json!({
        "mentorPersonId": company.id(&tandem.mentor), "menteePersonId": company.id(&tandem.mentee),
    });
    let again = company.office().post(&format!("{}/tandems", company.path()), second).await;
    again.refused(409, "REFUSED_BEFORE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dissolved_pair_never_meets_again_and_both_are_free() {
    let company = Company::running().await;
    let active = company.tandems("STATE_ACTIVE").await;
    let tandem = &active[0];
    let dissolve = json!({ "reason": "Secret reason.", "neverAgain": true });
    company.person(&tandem.mentee).post(&format!("{}/dissolve", tandem.path), dissolve).await.ok();
    company.world.settle().await;
    assert_eq!(company.tandems("STATE_DISSOLVED").await.len(), 1);
    let pair =
        json!({ "mentorPersonId": company.id(&tandem.mentor), "menteePersonId": company.id(&tandem.mentee) });
    company.office().post(&format!("{}/tandems", company.path()), pair).await.refused(409, "NEVER_AGAIN");
    company
        .person(&tandem.mentee)
        .post(&format!("{}/accept", tandem.path), json!({}))
        .await
        .refused(409, "TERMINAL_STATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leavers_tandem_ends_and_the_future_meetings_with_it() {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let leave = format!("/api/v1/people/{}/leave", company.id(&tandem.mentor));
    company.office().post(&leave, json!({ "lastDay": "2013-08-09" })).await.ok();
    company.world.settle().await;
    assert_eq!(company.tandems("STATE_DISSOLVED").await.len(), 1);
    let sessions =
        company.person(&tandem.mentee).list(&format!("{}/sessions", tandem.path), "sessions").await;
    assert!(sessions.iter().all(|session| session["state"] == "STATE_CANCELLED"), "{sessions:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excused_executive_has_no_offer_and_no_tandem_any_more() {
    let company = Company::ready().await;
    company.publish().await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    offered[0].accept(&company).await;
    for tandem in &offered[..2] {
        let path = format!("{}/obligations/{}", company.path(), company.obligation(&tandem.mentee).await);
        let excuse = json!({ "reason": "EXCUSE_REASON_LONG_LEAVE" });
        company.office().post(&format!("{path}/excuse"), excuse).await.ok();
    }
    company.world.settle().await;
    let ended = company.tandems("STATE_DISSOLVED").await;
    assert_eq!(ended.len(), 2, "{ended:?}");
    let late =
        company.person(&offered[1].mentor).post(&format!("{}/accept", offered[1].path), json!({})).await;
    late.refused(409, "TERMINAL_STATE");
    assert!(
        company.world.replay().await.iter().all(boot::replay::Compared::agrees),
        "a replay gives the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_was_answered_before_is_not_computed() {
    let company = Company::ready().await;
    company.world.settle().await;
    let runs = format!("{}/match-runs", company.path());
    let once = [("idempotency-key", "once")];
    let first = company.office().send(Method::POST, &runs, Some(json!({})), &once).await;
    let first = first.ok();
    let run = first["id"].as_str().unwrap().to_owned();

    // The same people in a process that computes nothing.
    let none = ["--matching-computations-max=0", "--matching-seconds-max=1"];
    let company = company.restarted(&none).await;
    let office = company.office();
    let again = office.send(Method::POST, &runs, Some(json!({})), &once).await;
    assert_eq!(again.ok(), first);
    let revise = format!("{runs}/{run}/revise");
    let stale = office.send(Method::POST, &revise, Some(json!({})), &[("if-match", "\"7\"")]).await;
    stale.refused(412, "ETAG_MISMATCH");
    let draft = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let early = office.post(&format!("/api/v1/editions/{draft}/match-runs"), json!({})).await;
    early.refused(409, "WRONG_PHASE");
    office.post(&runs, json!({})).await.refused(429, "TOO_MANY_COMPUTATIONS");
}
