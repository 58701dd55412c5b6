//! Runs explained and priced for the office, tandems for their own two.

use identity::{Caller, Role};
use proto::matching::ExplainTandemRequest;
use proto::matching::explanation_service_client::ExplanationServiceClient;
use reqwest::Method;
use serde_json::{Value, json};

use crate::company::{Company, EXECUTIVES};
use crate::rpc::{by, channel};
use crate::scoring::{by_wishes, pair, set, staged, wishful};

#[tokio::test(flavor = "multi_thread")]
async fn the_office_learns_why_this_one_why_not_that_one_and_what_it_would_cost() {
    let company = Company::ready().await;
    let (path, run) = staged(&company, json!({})).await;
    let chosen = &run["pairs"][0];
    let (mentee, mentor) =
        (company.number(&chosen["menteePersonId"]), company.number(&chosen["mentorPersonId"]));
    let other = if ["Y1", "Y2"].contains(&mentor) { "Y5" } else { "Y1" };
    let of = format!("{path}/explanations/{}", company.id(mentee));
    let explain = format!("{of}?otherPersonId={}", company.id(other));
    let seen = company.office().get(&explain).await.ok();
    assert_eq!((&seen["side"], &seen["tandems"][0]["score"]), (&json!("SIDE_MENTEE"), &chosen["score"]));
    let sum: i64 = seen["tandems"][0]["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|criterion| criterion["points"].as_i64().unwrap())
        .sum();
    assert_eq!(json!(sum), chosen["score"]);
    assert!(seen["text"].as_str().unwrap().starts_with("This is the mentor with whom"), "{seen:#}");
    let asked = &seen["asked"];
    if asked["brokenRules"] == json!([]) {
        // What it would cost is what a run with that lock finds.
        let (_, locked) = staged(&company, json!({ "locks": [pair(&company, other, mentee)] })).await;
        assert_eq!(asked["price"]["after"]["score"], locked["score"]);
    } else {
        assert!(asked["text"].as_str().unwrap().starts_with("They cannot be paired"), "{asked:#}");
    }
    let german = company.office().get(&format!("{of}?language=de")).await.ok();
    assert!(german["text"].as_str().unwrap().contains("passen"), "{german:#}");
    company.office().get(&format!("{of}?language=fr")).await.refused(422, "INVALID_FIELDS");

    let apart = format!("{path}/explanations/{}?otherPersonId={}", company.id("E2"), company.id("Y1"));
    let apart = company.office().get(&apart).await.ok();
    let rules = json!(["HARD_RULE_CHAIN", "HARD_RULE_SAME_DEPARTMENT"]);
    assert_eq!(apart["asked"]["brokenRules"], rules);
    company
        .office()
        .get(&format!("{path}/explanations/{}", company.id("Y8")))
        .await
        .refused(404, "NOT_IN_RUN");
    company.person(mentee).get(&of).await.refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_is_priced_exactly_before_it_is_made() {
    let company = wishful().await;
    let (path, run) = staged(&company, json!({})).await;
    let mentees: Vec<_> =
        run["pairs"].as_array().unwrap().iter().map(|pair| company.number(&pair["menteePersonId"])).collect();
    let mentor_of = |mentee: &str| {
        let pairs = run["pairs"].as_array().unwrap();
        let pair = pairs.iter().find(|pair| company.number(&pair["menteePersonId"]) == mentee).unwrap();
        company.number(&pair["mentorPersonId"]).to_owned()
    };
    // E1 and H1 may be with anybody.
    assert!(mentees.contains(&"E1") && mentees.contains(&"H1"));
    let swap =
        json!({ "swaps": [{ "menteePersonId": company.id("E1"), "otherMenteePersonId": company.id("H1") }] });
    let price = company.office().post(&format!("{path}/price"), swap).await.ok();
    let locks =
        json!({ "locks": [pair(&company, &mentor_of("H1"), "E1"), pair(&company, &mentor_of("E1"), "H1")] });
    let etag = [("if-match", "\"1\"")];
    company.office().send(Method::POST, &format!("{path}/revise"), Some(locks), &etag).await.ok();
    let revised = company.office().get(&path).await.ok();
    assert_eq!(price["after"]["score"], revised["score"], "{price:#}");
    let less = run["score"].as_i64().unwrap() - revised["score"].as_i64().unwrap();
    assert_eq!(price["loss"]["score"], less);
    let moved: Vec<_> = price["moves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moved| company.number(&moved["menteePersonId"]))
        .collect();
    assert!(moved.contains(&"E1") && moved.contains(&"H1"), "{moved:?}");
    assert!(!price["text"].as_str().unwrap().is_empty());
    let stranger =
        json!({ "swaps": [{ "menteePersonId": company.id("E1"), "otherMenteePersonId": company.id("Y8") }] });
    company.office().post(&format!("{path}/price"), stranger).await.refused(409, "NOTHING_TO_SWAP");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_mentor_learns_which_rule_to_relax() {
    let company = Company::open().await;
    let application = company.apply("Y1").await;
    company
        .office()
        .post(&format!("{}/applications/{application}/accept", company.path()), json!({}))
        .await
        .ok();
    for executive in EXECUTIVES {
        company.acknowledge(executive).await;
    }
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    let (path, _) = staged(&company, json!({})).await;
    let seen = company.office().get(&format!("{path}/explanations/{}", company.id("E2"))).await.ok();
    let shortage = &seen["shortage"];
    assert_eq!((&shortage["places"], &shortage["mentorPersonIds"]), (&json!(0), &json!([])));
    // Y1 stands two levels below E2 and in the same department: no single rule is in the way.
    assert_eq!(shortage["relaxations"], json!([]));
    assert_eq!(seen["text"], shortage["text"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_is_told_why_the_own_tandem_and_not_what_the_partner_wished() {
    let company = wishful().await;
    set(&company, by_wishes()).await.ok();
    company.publish().await;
    let tandem =
        company.tandems("STATE_PUBLISHED").await.into_iter().find(|tandem| tandem.mentee == "E1").unwrap();
    assert_eq!(tandem.mentor, "Y5");
    let path = format!("{}/explanation", tandem.path);
    let criteria = |seen: &Value| -> Vec<String> {
        let criteria = seen["criteria"].as_array().unwrap();
        criteria.iter().map(|criterion| criterion["criterion"].as_str().unwrap().to_owned()).collect()
    };
    let (by_mentee, by_mentor) = (
        company.person("E1").get(&path).await.ok(),
        company.person("Y5").get(&format!("{path}?language=de")).await.ok(),
    );
    let office = company.office().get(&path).await.ok();
    assert!(criteria(&by_mentee).contains(&"CRITERION_MENTEE_WISH".to_owned()));
    assert!(!criteria(&by_mentor).contains(&"CRITERION_MENTEE_WISH".to_owned()));
    assert!(!by_mentor["text"].as_str().unwrap().contains("gewünscht"), "{by_mentor:#}");
    let score = |seen: &Value| seen["score"].as_i64().unwrap();
    assert_eq!(score(&by_mentor) + 4_000, score(&office));
    let shown = company.person("Y5").get(&tandem.path).await.ok();
    assert_eq!((&shown["points"]["menteeWish"], score(&shown)), (&json!(0), score(&by_mentor)));
    company.person("Y6").get(&path).await.refused(403, "PERMISSION_DENIED");

    let mut explanations = ExplanationServiceClient::new(channel(&company.world).await);
    let request = ExplainTandemRequest {
        edition_id: company.edition.clone(),
        tandem_id: tandem.path.rsplit('/').next().unwrap().to_owned(),
        language: "en".to_owned(),
    };
    let own = Caller::of(company.id("E1"), [Role::Participant]);
    let told = explanations.explain_tandem(by(&company.world, &own, request)).await.unwrap().into_inner();
    assert_eq!(told.explanation.unwrap().text, by_mentee["text"].as_str().unwrap());
}
