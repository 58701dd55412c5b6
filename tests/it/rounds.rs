//! Rounds in which those who wait are served: how far they look, whom they come to, and what goes on beside them.

use identity::EditionId;
use matching::views::repairs::editions_waiting;
use serde_json::json;
use sqlx::PgPool;

use crate::company::{Company, Tandem, roster, settings};
use crate::repairs::{of, repairs, veto};
use crate::waiting::{absence, accept_all_but, agrees, on_leave_to, waits};
use crate::world::World;

/// A company whose rounds look at so many pairs at once.
async fn looking_at(pairs: usize, more: &[&str]) -> Company {
    let world = World::with(&[&format!("--matching-pairs-at-once={pairs}")]).await;
    Company::ready_in(world, settings(), more).await
}

async fn dissolve(company: &Company, tandem: &Tandem) {
    company.person(&tandem.mentor).post(&format!("{}/dissolve", tandem.path), json!({})).await.ok();
    company.world.settle().await;
}

/// E2 waits, as no free mentor may teach E2: two stand below, and the third was refused. Then another is left over, whom two of these
/// mentors may teach.
async fn behind_one_who_waits(pairs: usize) -> (Company, String) {
    let company = looking_at(pairs, &["Y3"]).await;
    absence(&company, "absences", "Y3", ("2013-08-12", "2013-08-31")).await;
    company.publish().await;
    let offers = company.tandems("STATE_PUBLISHED").await;
    absence(&company, "absences/end", "Y3", ("2013-08-12", "2013-08-11")).await;
    accept_all_but(&company, &offers, &["E2"]).await;
    veto(&company, of(&offers, "E2")).await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;
    let of_others = offers.iter().filter(|offer| ["E1", "H1"].contains(&offer.mentee.as_str()));
    let mut below = of_others.filter(|offer| ["Y1", "Y2"].contains(&offer.mentor.as_str()));
    let ended = below.next().unwrap();
    dissolve(&company, ended).await;
    (company, ended.mentee.clone())
}

/// Why somebody waits.
async fn reason(company: &Company, executive: &str) -> String {
    let id = json!(company.id(executive));
    let all = repairs(company).await;
    let own = all.iter().find(|repair| repair["menteePersonId"] == id && repair["state"] == "STATE_WAITING");
    own.unwrap_or_else(|| panic!("{executive} waits not: {all:#?}"))["waitingReason"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_in_line_is_served_by_the_clock() {
    let (company, executive) = behind_one_who_waits(1).await;
    assert_eq!(reason(&company, &executive).await, "WAITING_REASON_IN_LINE");
    assert!(company.tandems("STATE_PUBLISHED").await.is_empty());
    // The first turn looks at everybody, as every day begins, and the next at who stands in line.
    company.world.set_clock("2013-08-12T08:00:00Z").await;
    company.world.set_clock("2013-08-12T08:01:00Z").await;
    of(&company.tandems("STATE_PUBLISHED").await, &executive);
    assert_eq!(reason(&company, "E2").await, "WAITING_REASON_NO_MENTOR");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_free_mentor_may_teach_need_not_wait_for_those_who_are_harder_to_serve() {
    // Three pairs for each of the two.
    let (company, executive) = behind_one_who_waits(6).await;
    of(&company.tandems("STATE_PUBLISHED").await, &executive);
    assert_eq!(reason(&company, "E2").await, "WAITING_REASON_NO_MENTOR");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_looked_for_who_needs_no_offer_any_more() {
    let (company, executive) = behind_one_who_waits(1).await;
    let pool = company.world.database.pool("matching");
    let edition: EditionId = company.edition.parse().unwrap();
    assert_eq!(editions_waiting(&pool).await.unwrap(), [(edition, true)]);
    for (executive, left) in [(executive.as_str(), vec![(edition, false)]), ("E2", Vec::new())] {
        let path = format!("{}/obligations/{}/excuse", company.path(), company.obligation(executive).await);
        company.office().post(&path, json!({ "reason": "EXCUSE_REASON_LONG_LEAVE" })).await.ok();
        company.world.settle().await;
        assert_eq!(editions_waiting(&pool).await.unwrap(), left, "{executive} is excused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_looked_for_an_executive_who_does_not_answer() {
    let company = looking_at(1, &["Y3", "Y7"]).await;
    company.publish().await;
    let offers = company.tandems("STATE_PUBLISHED").await;
    accept_all_but(&company, &offers, &["E1"]).await;
    for silence in ["2013-08-16T00:00:00Z", "2013-08-22T00:00:00Z"] {
        company.world.set_clock(silence).await;
    }
    assert_eq!(reason(&company, "E1").await, "WAITING_REASON_SILENT");
    dissolve(&company, of(&offers, "H1")).await;
    let offered = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(offered.len(), 1);
    of(&offered, "H1");
    agrees(&company).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_that_fails_keeps_no_other_from_its_daily_round_and_has_its_own_later() {
    let (mut company, free) = on_leave_to("2013-08-20").await;
    let first = company.edition.clone();
    company.next_edition(&["Y7", free]).await;
    let second = company.edition.clone();
    let pair = json!({ "mentorPersonId": company.id("Y7"), "menteePersonId": company.id("E1") });
    company.office().post(&format!("{}/tandems", company.path()), pair).await.ok();
    veto(&company, of(&company.tandems("STATE_PUBLISHED").await, "E1")).await;
    waits(&company, "WAITING_REASON_NO_MENTOR").await;

    let set = async |columns: &str| {
        let sql = format!("update tandems set {columns} where edition_id = '{second}'");
        let pool = company.world.database.pool("matching");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    };
    set("status = 'expired', mentee_need = 'unreadable'").await;
    company.world.set_clock("2013-08-20T22:00:00Z").await;
    set("status = 'dissolved', mentee_need = null").await;
    let mut offered = Vec::new();
    for edition in [&first, &second] {
        company.edition.clone_from(edition);
        offered.push(company.tandems("STATE_PUBLISHED").await);
    }
    assert_eq!((of(&offered[0], "E1").mentor.as_str(), offered[1].len()), (free, 0));
    company.world.set_clock("2013-08-20T22:01:00Z").await;
    assert_eq!(of(&company.tandems("STATE_PUBLISHED").await, "E1").mentor, free);
    agrees(&company).await;
}

/// Waits until so many transactions of the system wait for another.
async fn blocked(admin: &PgPool, transactions: i64) {
    let count = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(count).fetch_one(admin).await.unwrap() < transactions {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_the_clock_makes_while_a_mentor_moves_is_flagged() {
    let (company, free) = on_leave_to("2013-08-20").await;
    let repair = repairs(&company).await[0]["repairId"].as_str().unwrap().to_owned();
    let admin = PgPool::connect_with(company.world.database.admin_options()).await.unwrap();
    // The clock has looked where people stand, and cannot decide yet.
    let mut held = admin.begin().await.unwrap();
    let sql = "select pg_advisory_xact_lock(hashtextextended('repair' || $1::text, 0))";
    sqlx::query(sql).bind(&repair).execute(&mut *held).await.unwrap();
    let before = roster();
    let line = before.lines().find(|line| line.starts_with(free)).unwrap();
    let mut fields: Vec<_> = line.split(',').collect();
    fields[1] = "E1";
    let after = before.replace(line, &fields.join(","));
    let moved = async {
        blocked(&admin, 1).await;
        company.office().import(after).await;
        blocked(&admin, 2).await;
        held.commit().await.unwrap();
    };
    tokio::join!(company.world.set_clock("2013-08-20T22:00:00Z"), moved);

    let offered = company.tandems("STATE_PUBLISHED").await;
    assert_eq!(of(&offered, "E1").mentor, free);
    assert_eq!(company.office().get(&of(&offered, "E1").path).await.ok()["flagged"], true);
    agrees(&company).await;
}
