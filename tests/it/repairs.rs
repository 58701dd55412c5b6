//! Repairs: whoever is left over gets the next best offer at once, and nobody else is disturbed against their will.

use serde_json::{Value, json};

use crate::company::{Company, EXECUTIVES, Tandem, roster, settings};

/// Settings with this rule of repairs.
pub fn repaired_by(rule: &Value) -> Value {
    let mut settings = settings();
    settings["repairRule"] = rule.clone();
    settings
}

/// Four executives with offers, and the fifth of these mentors, who has none.
pub async fn with_one_mentor_more(rule: &Value) -> (Company, Vec<Tandem>, &'static str) {
    let company = Company::ready_by(repaired_by(rule), &["Y3"]).await;
    company.publish().await;
    let offers = company.tandems("STATE_PUBLISHED").await;
    let free = ["Y1", "Y2", "Y3", "Y5", "Y6"];
    let free = free.into_iter().find(|mentor| offers.iter().all(|offer| offer.mentor != *mentor)).unwrap();
    (company, offers, free)
}

/// The tandem of an executive.
pub fn of<'t>(tandems: &'t [Tandem], mentee: &str) -> &'t Tandem {
    tandems.iter().find(|tandem| tandem.mentee == mentee).unwrap()
}

/// The executive whom the fifth mentor may not teach: Y1, Y2 and Y3 stand below E2, and Y5 and Y6 below E3.
pub fn not_for(free: &str) -> &'static str {
    if ["Y1", "Y2", "Y3"].contains(&free) { "E2" } else { "E3" }
}

/// Lets the executive refuse an offer.
pub async fn veto(company: &Company, tandem: &Tandem) {
    company.person(&tandem.mentee).post(&format!("{}/veto", tandem.path), json!({})).await.ok();
    company.world.settle().await;
}

/// What the office sees of repairs.
pub async fn repairs(company: &Company) -> Vec<Value> {
    company.office().list(&format!("{}/repairs", company.path()), "repairs").await
}

/// What the office's person was told of repairs.
async fn told(company: &Company) -> Vec<Value> {
    let notifications = company.office().list("/api/v1/notifications", "notifications").await;
    let kinds = notifications.iter().map(|notification| notification["kind"].clone());
    kinds.filter(|kind| kind.as_str().unwrap().starts_with("KIND_REPAIR")).collect()
}

fn paths(tandems: &[Tandem], but: &[&str]) -> Vec<String> {
    let others = tandems.iter().filter(|tandem| !but.contains(&tandem.mentee.as_str()));
    let mut paths: Vec<_> = others.map(|tandem| tandem.path.clone()).collect();
    paths.sort_unstable();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vetoed_executive_gets_the_next_best_offer_at_once_and_nobody_else_is_moved() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    veto(&company, of(&offers, "E1")).await;
    let after = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(of(&after, "E1").mentor, free);
    assert_eq!(paths(&after, &["E1"]), paths(&offers, &["E1"]));

    let repairs = repairs(&company).await;
    assert_eq!((repairs.len(), &repairs[0]["state"]), (1, &json!("STATE_OFFERED")), "{repairs:#?}");
    assert_eq!((&repairs[0]["movedTandemId"], &repairs[0]["frontier"][0]["moves"]), (&json!(""), &json!(0)));
    assert!(of(&offers, "E1").path.ends_with(repairs[0]["endedTandemId"].as_str().unwrap()));
    assert_eq!(told(&company).await, ["KIND_REPAIR_OFFERED"]);
    let offered = company.office().get(&of(&after, "E1").path).await.ok();
    assert_eq!(offered["repairId"], repairs[0]["repairId"]);
    of(&after, "E1").accept(&company).await;
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unanswered_offer_is_moved_where_no_free_mentor_will_do() {
    let (company, offers, free) = with_one_mentor_more(&json!({})).await;
    let executive = not_for(free);
    veto(&company, of(&offers, executive)).await;

    let withdrawn = company.tandems("STATE_WITHDRAWN").await;
    let [moved] = withdrawn.as_slice() else { panic!("{withdrawn:#?}") };
    let after = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(of(&after, executive).mentor, moved.mentor);
    assert_ne!(of(&after, &moved.mentee).mentor, moved.mentor);
    let load = async |tandem: &Tandem| {
        company.office().get(&tandem.path).await.ok()["points"]["loadBalance"].clone()
    };
    assert_ne!(load(moved).await, 0);
    assert_eq!(load(of(&after, executive)).await, load(moved).await, "the mentor has no other tandem");
    let two = [executive, moved.mentee.as_str()];
    assert_eq!(paths(&after, &two), paths(&offers, &two), "nobody else is disturbed");
    let mut served: Vec<_> = after.iter().map(|tandem| tandem.mentee.as_str()).collect();
    served.sort_unstable();
    assert_eq!(served, EXECUTIVES);

    let repairs = repairs(&company).await;
    assert!(moved.path.ends_with(repairs[0]["movedTandemId"].as_str().unwrap()), "{repairs:#?}");
    assert_eq!(repairs[0]["frontier"].as_array().unwrap().len(), 1, "there is no way without a move");
    assert_eq!(repairs[0]["frontier"][0]["moves"], 1);
    let late = company.person(&moved.mentee).post(&format!("{}/accept", moved.path), json!({})).await;
    late.refused(409, "TERMINAL_STATE");
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_somebody_has_accepted_is_not_moved() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    let executive = not_for(free);
    for offer in offers.iter().filter(|offer| offer.mentee != executive) {
        company.person(&offer.mentor).post(&format!("{}/accept", offer.path), json!({})).await.ok();
    }
    veto(&company, of(&offers, executive)).await;
    assert_eq!(paths(&company.tandems("STATE_PUBLISHED").await, &[]), paths(&offers, &[executive]));
    let repairs = repairs(&company).await;
    assert_eq!(repairs[0]["waitingReason"], "WAITING_REASON_NO_MENTOR");
    assert_eq!(told(&company).await, ["KIND_REPAIR_WAITING"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_editions_rule_says_whether_one_is_moved_or_none_or_all_is_done_by_hand() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 0 })).await;
    veto(&company, of(&offers, not_for(free))).await;
    let waiting = repairs(&company).await;
    assert_eq!(waiting[0]["waitingReason"], "WAITING_REASON_MOVES_EXCEEDED");
    assert_eq!(waiting[0]["frontier"][0]["moves"], 1, "the office sees what it would cost");
    assert!(company.tandems("STATE_WITHDRAWN").await.is_empty());

    // The next run serves who waits.
    assert_eq!(company.publish().await["menteeCount"], 1);
    let (company, offers, _) = with_one_mentor_more(&json!({ "byHand": true })).await;
    veto(&company, of(&offers, "E1")).await;
    assert_eq!(repairs(&company).await, Vec::<Value>::new());
    assert_eq!(paths(&company.tandems("STATE_PUBLISHED").await, &[]), paths(&offers, &["E1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_served_as_soon_as_a_mentor_is_there() {
    let company = Company::draft().await;
    company.office().post(&format!("{}/open", company.path()), json!({})).await.ok();
    for mentor in ["Y1", "Y2", "Y5", "Y6"] {
        let application = company.apply(mentor).await;
        company.take(&application).await;
    }
    let reserve = [company.apply("Y3").await, company.apply("Y7").await];
    for executive in EXECUTIVES {
        company.acknowledge(executive).await;
    }
    company.office().post(&format!("{}/start-matching", company.path()), json!({})).await.ok();
    company.publish().await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    let silent = of(&offered, "E1");
    for tandem in offered.iter().filter(|tandem| tandem.mentee != "E1") {
        tandem.accept(&company).await;
    }
    // Monday, 2013-08-12, plus three working days.
    company.world.set_clock("2013-08-15T20:00:00Z").await;
    assert_eq!(company.tandems("STATE_EXPIRED").await.len(), 0);
    company.world.set_clock("2013-08-16T00:00:00Z").await;
    assert_eq!(company.tandems("STATE_EXPIRED").await.len(), 1);
    let waiting = repairs(&company).await;
    assert_eq!(
        waiting[0]["waitingReason"], "WAITING_REASON_NO_MENTOR",
        "the silent mentor is not asked again"
    );
    company
        .person(&silent.mentee)
        .post(&format!("{}/accept", silent.path), json!({}))
        .await
        .refused(409, "TERMINAL_STATE");

    company.take(&reserve[0]).await;
    company.world.settle().await;
    let served = company.tandems("STATE_PUBLISHED").await;
    assert_eq!((served.len(), of(&served, "E1").mentor.as_str()), (1, "Y3"));
    assert_eq!(repairs(&company).await[0]["state"], "STATE_OFFERED");
    assert_eq!(company.publish().await["menteeCount"], 0, "the others are not disturbed");

    // Silent again: the office has to talk first, whoever else is there.
    company.take(&reserve[1]).await;
    company.world.set_clock("2013-08-22T00:00:00Z").await;
    let last: Vec<_> = repairs(&company).await.iter().map(|repair| repair["waitingReason"].clone()).collect();
    assert!(last.contains(&json!("WAITING_REASON_SILENT")), "{last:?}");
    assert!(company.tandems("STATE_PUBLISHED").await.is_empty());

    // A leave that is reported late excuses one silence, as it was on the last day to answer.
    let leave = json!({ "firstDay": "2013-08-21", "lastDay": "2013-08-21" });
    company.office().post(&format!("/api/v1/people/{}/absences", company.id("E1")), leave).await.ok();
    company.world.settle().await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, "Y7");
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dissolved_tandem_is_replaced_at_once_and_active_ones_are_never_moved() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    for offer in &offers {
        offer.accept(&company).await;
    }
    company.office().post(&format!("{}/start", company.path()), json!({})).await.ok();
    company.world.settle().await;
    let ended = of(&offers, "E1");
    let dissolve = json!({ "reason": "Secret reason.", "neverAgain": true });
    company.person(&ended.mentor).post(&format!("{}/dissolve", ended.path), dissolve).await.ok();
    company.world.settle().await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    assert_eq!((offered.len(), of(&offered, "E1").mentor.as_str()), (1, free));
    assert_eq!(paths(&company.tandems("STATE_ACTIVE").await, &[]), paths(&offers, &["E1"]));

    // The replacement leaves the company before it answers; the first mentor is never offered again.
    let leave = format!("/api/v1/people/{}/leave", company.id(free));
    company.office().post(&leave, json!({ "lastDay": "2013-08-12" })).await.ok();
    company.world.settle().await;
    assert!(company.tandems("STATE_PUBLISHED").await.is_empty());
    let waiting = repairs(&company).await;
    let state = |state: &str| waiting.iter().filter(|repair| repair["state"] == state).count();
    assert_eq!((state("STATE_OFFERED"), state("STATE_WAITING")), (1, 1), "{waiting:#?}");

    // An excused executive needs none.
    let path = format!("{}/obligations/{}", company.path(), company.obligation("E1").await);
    let excuse = json!({ "reason": "EXCUSE_REASON_LONG_LEAVE" });
    company.office().post(&format!("{path}/excuse"), excuse).await.ok();
    company.world.settle().await;
    assert!(repairs(&company).await.iter().any(|repair| repair["state"] == "STATE_SETTLED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executive_on_an_open_leave_gets_the_next_offer_and_what_follows_is_followed() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    let ended = of(&offers, "E1");
    ended.accept(&company).await;
    let absences = format!("/api/v1/people/{}/absences", company.id("E1"));
    let open = json!({ "firstDay": "2013-08-12", "lastDay": "" });
    company.office().post(&absences, open).await.ok();
    company.person(&ended.mentor).post(&format!("{}/dissolve", ended.path), json!({})).await.ok();
    company.world.settle().await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, free);
    company.world.set_clock("2013-08-16T00:00:00Z").await;
    assert_eq!(of(&company.tandems("STATE_EXPIRED").await, "E1").mentor, free);
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_on_what_the_executive_dissolved_before_is_not_spent() {
    let (company, offers, _) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    let ended = of(&offers, "E1");
    ended.accept(&company).await;
    company.person("E1").post(&format!("{}/dissolve", ended.path), json!({})).await.ok();
    company.world.settle().await;
    veto(&company, ended).await;
    let next = company.tandems("STATE_PUBLISHED").await;
    veto(&company, of(&next, "E1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loser_of_the_last_place_gets_the_next_best_offer_however_the_race_goes() {
    // In each edition another mentor is offered to both E1 and H1, who then answer at the same moment.
    let mut company = Company::ready_by(settings(), &["Y3", "Y4", "Y7"]).await;
    for contested in ["Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"] {
        race(&company, contested).await;
        company.next_edition(&["Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"]).await;
    }
}

async fn race(company: &Company, contested: &str) {
    let pair =
        |mentee| json!({ "mentorPersonId": company.id(contested), "menteePersonId": company.id(mentee) });
    for mentee in ["E1", "H1"] {
        company.office().post(&format!("{}/tandems", company.path()), pair(mentee)).await.ok();
    }
    let offers = company.tandems("STATE_PUBLISHED").await;
    let accept = |offer: &Tandem, by: &str| {
        let (person, path) = (company.person(by), format!("{}/accept", offer.path));
        async move { person.post(&path, json!({})).await }
    };
    let (e1, h1) = (of(&offers, "E1"), of(&offers, "H1"));
    let answers =
        tokio::join!(accept(e1, "E1"), accept(h1, "H1"), accept(e1, contested), accept(h1, contested));
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let (granted, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status.is_success());
    // Whoever was refused came second, before or after the other offer was withdrawn.
    assert!(granted.len() >= 2 && !refused.is_empty(), "{contested}: {} granted", granted.len());
    for answer in refused {
        answer.refused(409, "NO_PLACE_LEFT");
    }
    company.world.settle().await;
    let active = company.tandems("STATE_ACTIVE").await;
    let [winner] = active.as_slice() else { panic!("{contested}: {active:?}") };
    let lost = if winner.mentee == "E1" { "H1" } else { "E1" };
    let next = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(next.len(), 1, "{contested}: {next:?}");
    assert_ne!(of(&next, lost).mentor, contested);
    assert_eq!(repairs(company).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_holiday_of_the_region_is_no_time_to_answer() {
    let mut settings = settings();
    settings["region"] = json!("DE-XX");
    let refused =
        Company::draft().await.office().post("/api/v1/editions", json!({ "settings": settings })).await;
    let problem = refused.refused(422, "INVALID_FIELDS");
    assert!(problem.to_string().contains("DE-HE"), "{problem:#}");

    settings["region"] = json!("DE-HE");
    settings["startDate"] = json!("2013-11-01");
    let company = Company::ready_by(settings, &[]).await;
    // Wednesday; Thursday is the Day of German Unity, so three working days are Friday, Monday and Tuesday.
    company.world.set_clock("2013-10-02T08:00:00Z").await;
    company.publish().await;
    let offer = company.tandems("STATE_PUBLISHED").await.remove(0);
    let answer_by = company.office().get(&offer.path).await.ok()["answerBy"].clone();
    assert_eq!(answer_by, "2013-10-08T22:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_breaks_a_rule_flags_a_tandem_and_the_move_back_clears_it() {
    let company = Company::running().await;
    let tandem =
        company.tandems("STATE_ACTIVE").await.into_iter().find(|tandem| tandem.mentee == "E1").unwrap();
    let flagged = async || company.office().get(&tandem.path).await.ok()["flagged"].clone();
    assert_eq!(flagged().await, false);
    // The mentor now reports to the executive.
    let before = roster();
    let line = before.lines().find(|line| line.starts_with(&tandem.mentor)).unwrap();
    let mut fields: Vec<_> = line.split(',').collect();
    fields[1] = "E1";
    let moved = before.replace(line, &fields.join(","));
    assert_eq!(company.office().import(moved).await["counts"]["updated"], 1);
    company.world.settle().await;
    assert_eq!(flagged().await, true);
    company.office().import(before).await;
    company.world.settle().await;
    assert_eq!(flagged().await, false);
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_leave_nobody_meets_nothing_counts_and_no_offer_comes() {
    let (company, offers, free) = with_one_mentor_more(&json!({ "movesMax": 1 })).await;
    for offer in &offers {
        offer.accept(&company).await;
    }
    company.office().post(&format!("{}/start", company.path()), json!({})).await.ok();
    company.world.settle().await;
    let absences = |number| format!("/api/v1/people/{}/absences", company.id(number));
    let turned = json!({ "firstDay": "2013-11-30", "lastDay": "2013-11-01" });
    company.office().post(&absences("E1"), turned).await.refused(422, "LEAVE_ENDS_FIRST");
    let november = json!({ "firstDay": "2013-11-01", "lastDay": "2013-11-30" });
    company.person("E1").post(&absences("E1"), november.clone()).await.refused(403, "PERMISSION_DENIED");
    company.office().post(&absences("E1"), november).await.ok();
    company.world.settle().await;
    let tandem = of(&offers, "E1");
    let states = async |month| {
        let session = tandem.session(&company, month).await;
        (session["state"].clone(), session["approvedAbsence"].clone())
    };
    assert_eq!(states(2).await, (json!("STATE_CANCELLED"), json!(true)));
    for month in [1, 3] {
        assert_eq!(states(month).await, (json!("STATE_PLANNED"), json!(false)));
    }
    // Nor is anything moved to such days.
    let christmas = json!({ "firstDay": "2013-12-16", "lastDay": "2013-12-31" });
    company.office().post(&absences(&tandem.mentor), christmas).await.ok();
    company.world.settle().await;
    let path = tandem.session_path(&company, 3).await;
    let start = json!({ "startTime": "2013-12-17T10:00:00Z" });
    company.person("E1").post(&format!("{path}/move"), start).await.refused(409, "COLLISION");

    // The only free mentor is on leave as well, so that whoever is left over waits.
    let august = json!({ "firstDay": "2013-08-01", "lastDay": "2013-08-31" });
    company.office().post(&absences(free), august).await.ok();
    company.person("E1").post(&format!("{}/dissolve", tandem.path), json!({ "neverAgain": true })).await.ok();
    company.world.settle().await;
    assert_eq!(repairs(&company).await[0]["waitingReason"], "WAITING_REASON_NO_MENTOR");
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}
