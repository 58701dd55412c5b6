//! Tandems meet: charter, plan, what happened, and what only the two may read.

use identity::{Caller, Role};
use serde_json::{Value, json};

use crate::company::{Company, Tandem};

/// A running company, one of its tandems with an accepted charter, and the clock after the first session.
async fn met() -> (Company, Tandem) {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    tandem.agree(&company).await;
    company.world.set_clock("2013-10-31T18:00:00Z").await;
    (company, tandem)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_series_is_planned_one_hour_a_month_inside_both_availabilities() {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let sessions =
        company.person(&tandem.mentor).list(&format!("{}/sessions", tandem.path), "sessions").await;
    let months: Vec<_> = sessions.iter().map(|session| session["month"].as_i64().unwrap()).collect();
    assert_eq!(months, [1, 2, 3, 4, 5, 6]);
    for session in &sessions {
        let zone = jiff::tz::TimeZone::get(session["timeZone"].as_str().unwrap()).unwrap();
        let start: jiff::Timestamp = session["startTime"].as_str().unwrap().parse().unwrap();
        let end: jiff::Timestamp = session["endTime"].as_str().unwrap().parse().unwrap();
        let (local_start, local_end) = (start.to_zoned(zone.clone()), end.to_zoned(zone));
        assert_eq!(end.duration_since(start).as_mins(), 60);
        assert!(local_start.hour() >= 9 && local_end.hour() <= 17, "{local_start}");
        assert!(local_start.weekday().to_monday_one_offset() <= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_held_before_both_accepted_the_charter_or_before_its_time() {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let hold = format!("{}/hold", tandem.session_path(&company, 1).await);
    let mentor = company.person(&tandem.mentor);
    mentor.post(&format!("{}/charter", tandem.path), json!({})).await.ok();
    company.world.set_clock("2013-10-31T18:00:00Z").await;
    mentor.post(&hold, json!({})).await.refused(409, "CHARTER_NOT_ACCEPTED");
    company.person(&tandem.mentee).post(&format!("{}/charter", tandem.path), json!({})).await.ok();
    mentor.post(&hold, json!({})).await.ok();
    let next = format!("{}/hold", tandem.session_path(&company, 2).await);
    mentor.post(&next, json!({})).await.refused(409, "NOT_YET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_session_stays_held() {
    let (company, tandem) = met().await;
    let session = tandem.session_path(&company, 1).await;
    let mentor = company.person(&tandem.mentor);
    mentor.post(&format!("{session}/hold"), json!({})).await.ok();
    mentor.post(&format!("{session}/cancel"), json!({})).await.refused(409, "TERMINAL_STATE");
    mentor
        .post(&format!("{session}/miss"), json!({ "side": "SIDE_MENTEE" }))
        .await
        .refused(409, "TERMINAL_STATE");
    assert_eq!(tandem.session(&company, 1).await["state"], "STATE_HELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_stays_in_its_month() {
    let (company, tandem) = met().await;
    let session = tandem.session_path(&company, 2).await;
    let mentee = company.person(&tandem.mentee);
    let outside = json!({ "startTime": "2013-12-02T10:00:00Z" });
    mentee.post(&format!("{session}/move"), outside).await.refused(409, "MOVE_OUTSIDE_MONTH");
    mentee.post(&format!("{session}/move"), json!({ "startTime": "2013-11-28T10:00:00Z" })).await.ok();
    let moved = tandem.session(&company, 2).await;
    assert_eq!(
        (&moved["startTime"], &moved["state"]),
        (&json!("2013-11-28T10:00:00Z"), &json!("STATE_PLANNED"))
    );
    assert_eq!(moved["sequence"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cancellations_in_a_row_reach_the_office_and_an_approved_absence_does_not_count() {
    let (company, tandem) = met().await;
    let mentee = company.person(&tandem.mentee);
    let office = company.office();
    let alerted = async || office.get(&format!("{}/series", tandem.path)).await.ok()["officeAlerted"].clone();

    let second = tandem.session_path(&company, 2).await;
    mentee.post(&format!("{second}/cancel"), json!({})).await.ok();
    let third = tandem.session_path(&company, 3).await;
    office.post(&format!("{third}/excuse"), json!({ "side": "SIDE_MENTEE" })).await.ok();
    assert_eq!(alerted().await, false);
    let fourth = tandem.session_path(&company, 4).await;
    mentee.post(&format!("{fourth}/cancel"), json!({})).await.ok();
    assert_eq!(alerted().await, true, "the absence between them was approved");
    let cancelled = tandem.session(&company, 4).await;
    assert_eq!((&cancelled["state"], &cancelled["side"]), (&json!("STATE_CANCELLED"), &json!("SIDE_MENTEE")));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_actions_are_for_the_two_alone() {
    let (company, tandem) = met().await;
    let questions = format!("{}/questions", tandem.path);
    let mentee = company.person(&tandem.mentee);
    let question = mentee.post(&questions, json!({ "text": "Secret question?" })).await.id();
    company.office().get(&questions).await.refused(403, "PERMISSION_DENIED");
    company.person("Y7").get(&questions).await.refused(403, "PERMISSION_DENIED");
    company.person("Y7").get(&format!("{}/sessions", tandem.path)).await.refused(403, "PERMISSION_DENIED");

    let hold = format!("{}/hold", tandem.session_path(&company, 1).await);
    let mentor = company.person(&tandem.mentor);
    mentor.post(&hold, json!({ "answeredQuestionIds": [question] })).await.ok();
    let listed = mentor.list(&questions, "questions").await;
    assert_eq!(listed[0]["text"], "Secret question?");
    assert_ne!(listed[0]["answeredInSessionId"], "");

    let actions = format!("{}/actions", tandem.path);
    let action =
        mentee.post(&actions, json!({ "text": "Secret action.", "dueDate": "2013-11-15" })).await.id();
    mentor.post(&format!("{actions}/{action}/complete"), json!({})).await.ok();
    let listed = mentee.list(&actions, "actions").await;
    assert_eq!((&listed[0]["text"], &listed[0]["completed"]), (&json!("Secret action."), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_beside_a_question_or_an_answer_is_one_of_the_catalogue() {
    let (company, tandem) = met().await;
    let questions = format!("{}/questions", tandem.path);
    let mentee = company.person(&tandem.mentee);
    for (topic, status, code) in [
        ("my secret", 409, "UNKNOWN_TOPIC"),
        ("telex", 409, "UNKNOWN_TOPIC"),
        ("nul\0", 422, "INVALID_FIELDS"),
    ] {
        let question = json!({ "text": "Why?", "topicId": topic });
        mentee.post(&questions, question).await.refused(status, code);
    }
    mentee.post(&questions, json!({ "text": "Why?", "topicId": "hashtags" })).await.ok();

    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.set_clock("2014-07-01T08:00:00Z").await;
    let path = format!("{}/follow-ups", company.path());
    let own = mentee.list(&path, "followUps").await;
    let answer = format!("{path}/{}/answer", own[0]["followUpId"].as_str().unwrap());
    let telex = json!({ "active": true, "levels": [{ "topicId": "telex", "level": 3 }] });
    mentee.post(&answer, telex).await.refused(409, "UNKNOWN_TOPIC");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulse_is_voluntary_and_given_once() {
    let (company, tandem) = met().await;
    let session = tandem.session_path(&company, 1).await;
    let mentee = company.person(&tandem.mentee);
    let pulse = |useful: i64| json!({ "useful": useful, "learnt": 4, "open": 0 });
    mentee.post(&format!("{session}/pulse"), pulse(5)).await.refused(409, "NOT_HELD");
    mentee.post(&format!("{session}/hold"), json!({})).await.ok();
    mentee.post(&format!("{session}/pulse"), pulse(5)).await.ok();
    mentee.post(&format!("{session}/pulse"), pulse(5)).await.ok();
    mentee.post(&format!("{session}/pulse"), pulse(1)).await.refused(409, "ALREADY_ANSWERED");
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_ups_come_when_they_are_due_and_are_answered_by_the_mentee() {
    let company = Company::running().await;
    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.settle().await;
    let path = format!("{}/follow-ups", company.path());
    let executive = company.person("E2");
    let own = executive.list(&path, "followUps").await;
    let months: Vec<_> = own.iter().map(|follow_up| follow_up["months"].as_i64().unwrap()).collect();
    assert_eq!(months, [3, 6, 12, 24, 36, 48]);
    let answer = format!("{path}/{}/answer", own[0]["followUpId"].as_str().unwrap());
    let alive = json!({ "active": true, "levels": [{ "topicId": "hashtags", "level": 3 }] });
    executive.post(&answer, alive.clone()).await.refused(409, "NOT_YET");
    company.world.set_clock("2014-07-01T08:00:00Z").await;
    company.person("E3").post(&answer, alive.clone()).await.refused(403, "PERMISSION_DENIED");
    executive.post(&answer, alive).await.ok();
    assert_eq!(executive.list(&path, "followUps").await[0]["answered"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_counts_what_happened_and_the_grid_is_for_the_office_alone() {
    let (company, tandem) = met().await;
    let held = format!("{}/hold", tandem.session_path(&company, 1).await);
    company.person(&tandem.mentor).post(&held, json!({})).await.ok();
    company.world.settle().await;
    let report = company.office().get(&format!("{}/report", company.path())).await.ok();
    let index = &report["consistency"];
    let counts: Vec<&Value> = vec![&index["sessionsDue"], &index["sessionsPlanned"], &index["sessionsHeld"]];
    assert_eq!(counts, [&json!(4), &json!(4), &json!(1)]);
    assert_eq!(index["index"], 0.25);
    assert_eq!(report["topics"][0]["suppressed"], true, "four executives are fewer than k = 5");

    let grid = format!("{}/cadence-grid", company.path());
    let rows = company.office().get(&grid).await.ok();
    let row = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| company.number(&row["menteePersonId"]) == tandem.mentee);
    assert_eq!(row.unwrap()["cells"][0]["outcome"], "OUTCOME_HELD");
    company.person("E2").get(&grid).await.refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_published_at_the_end_and_tells_of_no_small_group_whether_it_met() {
    let (company, _) = met().await;
    let path = format!("{}/report", company.path());
    let sponsor = company.world.client(&Caller::of(company.id("E1"), [Role::Sponsor]));
    let mentor = company.person("Y1");
    mentor.get(&path).await.refused(403, "PERMISSION_DENIED");
    let seen = sponsor.get(&path).await.ok();
    assert_eq!(seen["obligations"]["obliged"], 4);
    assert_eq!(
        (&seen["consistency"], &seen["cancellations"]),
        (&Value::Null, &Value::Null),
        "4 are fewer than k"
    );
    assert!(company.office().get(&path).await.ok()["consistency"].is_object());

    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.settle().await;
    assert_eq!(
        mentor.get(&path).await.ok()["funnel"]["applied"],
        company.office().get(&path).await.ok()["funnel"]["applied"]
    );
}
