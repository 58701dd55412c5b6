//! Scoring rules, tried out before they are set; runs refused when their inputs changed, and proved years later.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::company::{Company, availability, offer};
use crate::crash::program;

/// Rules by which wishes outweigh everything else.
pub fn by_wishes() -> Value {
    json!({
        "weights": {
            "topics": 1000, "availability": 1000, "distance": 500, "language": 500,
            "menteeWish": 4000, "mentorWish": 3000, "loadBalance": 0,
        },
        "bands": [2500, 5000],
    })
}

/// The edition's scoring rules, and the path they are at.
async fn scoring(company: &Company) -> (String, Value) {
    let path = format!("{}/scoring-rules", company.path());
    let read = company.office().get(&path).await.ok();
    (path, read)
}

/// Sets scoring rules on the version there is.
pub async fn set(company: &Company, rules: Value) -> crate::client::Answer {
    let (path, read) = scoring(company).await;
    let etag = format!("\"{}\"", read["etag"].as_str().unwrap());
    company.office().send(Method::PUT, &path, Some(rules), &[("if-match", &etag)]).await
}

/// A staged run, and its path.
pub async fn staged(company: &Company, wishes: Value) -> (String, Value) {
    let runs = format!("{}/match-runs", company.path());
    let path = format!("{runs}/{}", company.office().post(&runs, wishes).await.id());
    let run = company.office().get(&path).await.ok();
    (path, run)
}

/// Two people as the interface names them.
pub fn pair(company: &Company, mentor: &str, mentee: &str) -> Value {
    json!({ "mentorPersonId": company.id(mentor), "menteePersonId": company.id(mentee) })
}

/// A company in which `Y5` is wanted by `E1` and wants `E2`, who wants `Y6`, who wants `E1`: wishes in a circle.
pub async fn wishful() -> Company {
    let company = Company::open().await;
    let wishes = |numbers: &[&str]| -> Vec<_> { numbers.iter().map(|number| company.id(number)).collect() };
    for (mentor, wanted) in [("Y1", &[][..]), ("Y2", &[]), ("Y5", &["E2"]), ("Y6", &["E1"])] {
        let mut offer = offer();
        offer["wishedPersonIds"] = json!(wishes(wanted));
        let path = format!("{}/applications", company.path());
        let id = company.person(mentor).post(&path, offer).await.id();
        company.office().post(&format!("{path}/{id}/accept"), json!({})).await.ok();
    }
    for (executive, wanted) in [("E1", &["Y5"][..]), ("E2", &["Y6"]), ("E3", &[]), ("H1", &[])] {
        let obligation = company.obligation(executive).await;
        let acknowledgement = json!({
            "needs": [
                { "topicId": "linkedin-profile", "level": 0, "wanted": true },
                { "topicId": "hashtags", "level": 1, "wanted": true },
            ],
            "goals": "Secret goals.",
            "availability": availability(),
            "wishedPersonIds": wishes(wanted),
        });
        let path = format!("{}/obligations/{obligation}/acknowledge", company.path());
        company.person(executive).post(&path, acknowledgement).await.ok();
    }
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    company
}

#[tokio::test(flavor = "multi_thread")]
async fn scoring_rules_are_set_version_by_version_and_everybody_reads_them() {
    let company = Company::ready().await;
    let (path, default) = scoring(&company).await;
    assert_eq!((&default["version"], &default["validFrom"]), (&json!(0), &Value::Null));
    set(&company, by_wishes()).await.ok();
    let seen = company.person("Y1").get(&path).await.ok();
    assert_eq!((&seen["version"], &seen["rules"]), (&json!(1), &by_wishes()));
    assert_eq!(company.number(&seen["setByPersonId"]), "H2");
    assert_eq!(seen["validFrom"], "2013-08-12T07:00:00Z");

    let stale = [("if-match", "\"0\"")];
    let late = company.office().send(Method::PUT, &path, Some(default["rules"].clone()), &stale).await;
    late.refused(412, "ETAG_MISMATCH");
    set(&company, default["rules"].clone()).await.ok();
    let versions = company.office().list(&format!("{path}/versions"), "versions").await;
    let versions: Vec<_> = versions.iter().map(|version| version["version"].clone()).collect();
    assert_eq!(versions, [json!(2), json!(1)]);
    company
        .person("Y1")
        .send(Method::PUT, &path, Some(by_wishes()), &stale)
        .await
        .refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_of_scoring_rules_is_named() {
    let company = Company::ready().await;
    let mut rules = by_wishes();
    rules["weights"]["topics"] = json!(1001);
    rules["bands"] = json!([5000, 2500]);
    let problem = set(&company, rules.clone()).await.refused(422, "INVALID_FIELDS");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/weights", "/bands/1"]);
    assert!(
        problem["errors"][0]["detail"].as_str().unwrap().contains("add up to 10000, not 10001"),
        "{problem:#}"
    );
    rules["weights"]["topics"] = json!(-1);
    let problem = set(&company, rules).await.refused(422, "INVALID_FIELDS");
    assert_eq!(problem["errors"][0]["pointer"], "/weights/topics");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_tried_out_beside_those_in_force_and_nothing_is_stored() {
    let company = wishful().await;
    let path = format!("{}/scoring-rules/compare", company.path());
    let compared = company.office().post(&path, json!({ "rules": by_wishes() })).await.ok();
    assert_eq!(compared["currentVersion"], 0);
    assert_eq!(
        (&compared["current"]["pairCount"], &compared["proposed"]["pairCount"]),
        (&json!(4), &json!(4))
    );
    let bands: Vec<_> = compared["proposed"]["bandCounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|band| band["below"].clone())
        .collect();
    assert_eq!(bands, [json!(2500), json!(5000)]);
    let effects = compared["effects"].as_array().unwrap();
    let outcomes = |outcome: &str| effects.iter().filter(|effect| effect["outcome"] == outcome).count();
    assert_eq!(compared["gainCount"], outcomes("OUTCOME_GAINS"));
    assert_eq!(compared["lossCount"], outcomes("OUTCOME_LOSES"));
    assert_eq!(scoring(&company).await.1["version"], 0, "nothing is stored");

    // What was tried out is what happens once it is set.
    set(&company, by_wishes()).await.ok();
    let (_, run) = staged(&company, json!({})).await;
    assert_eq!((&run["scoringVersion"], &run["score"]), (&json!(1), &compared["proposed"]["score"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_in_a_circle_are_answered() {
    let company = wishful().await;
    set(&company, by_wishes()).await.ok();
    let (_, run) = staged(&company, json!({})).await;
    assert_eq!((&run["pairCount"], &run["certificate"]["verified"]), (&json!(4), &json!(true)));
    let granted: i64 = run["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            pair["points"]["menteeWish"].as_i64().unwrap() + pair["points"]["mentorWish"].as_i64().unwrap()
        })
        .sum();
    assert_eq!(granted, 8_000, "the wishes of both executives outweigh those of both mentors");
    let applications = format!("{}/applications", company.path());
    let mut greedy = offer();
    greedy["wishedPersonIds"] = json!(["Y1", "Y2", "Y5", "Y6"].map(|number| company.id(number)));
    let refused = company.person("Y7").post(&applications, greedy).await.refused(422, "INVALID_FIELDS");
    assert_eq!(refused["errors"][0]["pointer"], "/wishedPersonIds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_inputs_changed_is_refused_with_the_difference() {
    let company = Company::ready().await;
    let (path, _) = staged(&company, json!({})).await;
    let command = |verb: &'static str| {
        let (office, path) = (company.office(), path.clone());
        async move {
            let etag = office.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
            office
                .send(Method::POST, &format!("{path}/{verb}"), Some(json!({})), &[("if-match", &etag)])
                .await
        }
    };
    command("review").await.ok();
    set(&company, by_wishes()).await.ok();
    let obligation = company.obligation("E3").await;
    let excuse = json!({ "reason": "EXCUSE_REASON_LONG_LEAVE" });
    company.office().post(&format!("{}/obligations/{obligation}/excuse", company.path()), excuse).await.ok();
    company.world.settle().await;

    let problem = command("publish").await.refused(409, "INPUTS_CHANGED");
    let unmet: Vec<_> = problem["unmet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unmet| (unmet["type"].as_str().unwrap(), unmet["subject"].as_str().unwrap().to_owned()))
        .collect();
    let gone = ("MENTEE_GONE", company.id("E3").to_string());
    assert_eq!(unmet, [("SCORING_RULES", "edition".to_owned()), gone]);
    assert_eq!(company.tandems("STATE_PUBLISHED").await.len(), 0, "nothing is half published");
    // Computed again, it is what it is now.
    command("revise").await.ok();
    command("review").await.ok();
    command("publish").await.ok();
    assert_eq!(company.tandems("STATE_PUBLISHED").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_without_candidates_has_an_empty_run() {
    let company = Company::open().await;
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    let run = company.publish().await;
    assert_eq!((&run["menteeCount"], &run["placeCount"], &run["pairs"]), (&json!(0), &json!(0), &json!([])));
    assert_eq!(run["certificate"]["verified"], true);
    let compare = format!("{}/scoring-rules/compare", company.path());
    let compared = company.office().post(&compare, json!({ "rules": by_wishes() })).await.ok();
    assert_eq!(compared["effects"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_edition_begins_with_the_scoring_rules_of_the_other() {
    let company = Company::open().await;
    set(&company, by_wishes()).await.ok();
    let copy = json!({ "name": "Second edition", "referenceDate": "2014-09-01", "startDate": "2014-10-01" });
    let id = company.office().post(&format!("{}/copies", company.path()), copy).await.id();
    company.world.settle().await;
    let copied = company.office().get(&format!("/api/v1/editions/{id}/scoring-rules")).await.ok();
    assert_eq!(
        (&copied["version"], &copied["rules"], &copied["setByPersonId"]),
        (&json!(1), &by_wishes(), &json!(""))
    );
    assert!(
        company.world.replay().await.iter().all(boot::replay::Compared::agrees),
        "a replay gives the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_computed_again_and_verified_by_the_operator() {
    let company = wishful().await;
    let (path, run) = staged(&company, json!({ "forbids": [pair(&company, "Y5", "E1")] })).await;
    let run_id = path.rsplit('/').next().unwrap().to_owned();
    // The rules of today do not matter to a run of then.
    set(&company, by_wishes()).await.ok();
    let url = company.world.database.admin_options().to_url_lossy();
    let operate = |verb: &str, run: &str| {
        let answer =
            program(&format!("matching {verb} {run} --database-url={url} --log=error")).output().unwrap();
        let said =
            String::from_utf8_lossy(&answer.stdout).into_owned() + &String::from_utf8_lossy(&answer.stderr);
        (answer.status.success(), said)
    };
    let (replayed, said) = operate("replay", &run_id);
    assert!(replayed && said.contains("byte for byte"), "{said}");
    assert!(said.contains(run["inputsDigest"].as_str().unwrap()), "{said}");
    let (verified, said) = operate("verify", &run_id);
    assert!(verified && said.contains(run["certificate"]["cost"].as_str().unwrap()), "{said}");
    let (found, said) = operate("verify", "0193a1b2-0000-7000-8000-000000000001");
    assert!(!found && said.contains("there is no match run"), "{said}");

    let pool = company.world.database.pool("matching");
    sqlx::query("update frozen_inputs set bytes = bytes || '\\x00'").execute(&pool).await.unwrap();
    let (spoilt, said) = operate("replay", &run_id);
    assert!(!spoilt && said.contains("not that of the run"), "{said}");
    sqlx::query("delete from frozen_inputs").execute(&pool).await.unwrap();
    let (lost, said) = operate("verify", &run_id);
    assert!(!lost && said.contains("no inputs are kept"), "{said}");
    let of = format!("{path}/explanations/{}", company.id("E1"));
    company.office().get(&of).await.refused(409, "INPUTS_NOT_KEPT");
}
