//! How workers end: on which day, taken back, erased with all that was theirs.

use jiff::civil::{Date, date};

use super::*;
use crate::domain::worker::{Employment, FieldIssue};

#[expect(clippy::unnecessary_wraps, reason = "a record is what could be read, or not")]
fn leaves(key: &str, version: i64, last_day: Date) -> Record {
    let (external_id, kind) = (key.to_owned(), Tombstone::Left);
    Ok(Change::Tombstone { external_id, source_version: version, kind, last_day: Some(last_day) })
}

/// The last working day that was told of each person who has left.
async fn last_days(stage: &Stage) -> Vec<Date> {
    let days: Vec<jiff_sqlx::Date> =
        sqlx::query_scalar("select last_day from people where last_day is not null order by person_id")
            .fetch_all(&stage.pool)
            .await
            .unwrap();
    days.into_iter().map(jiff_sqlx::Date::to_jiff).collect()
}

async fn pass_on(stage: &mut Stage, day: &str) {
    stage.now = format!("{day}T09:00:00Z").parse().unwrap();
    stage.sync.pass(stage.now).await.unwrap();
}

#[tokio::test]
async fn whoever_stays_longer_than_announced_leaves_on_the_later_day() {
    let mut stage = Stage::new().await;
    let records = ["a", "b", "c"].map(|key| upsert(key, 1, None)).to_vec();
    stage.run("roster", Mode::Delta, 3, records).await;
    let (before, after) = (date(2014, 1, 31), date(2014, 2, 28));
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let announced = stage.take(run, vec![leaves("a", 2, before), leaves("a", 3, after)]).await;
    assert!(announced.iter().all(|answer| answer.issues.is_empty()), "whoever works on is no conflict");
    stage.take(run, vec![leaves("b", 3, after)]).await;
    stage.take(run, vec![leaves("b", 2, before)]).await;
    // An announced day is taken back by whoever is said to work here as before.
    stage.take(run, vec![leaves("c", 2, before)]).await;
    stage.take(run, vec![upsert("c", 3, None)]).await;

    pass_on(&mut stage, "2014-02-01").await;
    assert_eq!(last_days(&stage).await, Vec::<Date>::new());
    pass_on(&mut stage, "2014-03-01").await;
    assert_eq!(last_days(&stage).await, [after; 2]);
    assert_eq!(stage.standing().await[2], ("c".to_owned(), "active".to_owned(), Some(true)));
    assert_eq!(stage.count("select count(*) from sync_pending").await, 0);
}

#[tokio::test]
async fn a_last_day_is_corrected_to_either_side_and_the_greatest_version_stands() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 1, None)]).await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    for (version, day, outcome) in [
        (2, 10, Outcome::Removed),
        (4, 8, Outcome::Removed),
        (3, 9, Outcome::Stale),
        (5, 12, Outcome::Removed),
    ] {
        let answers = stage.take(run, vec![leaves("a", version, date(2014, 1, day))]).await;
        assert_eq!(outcomes(&answers), [outcome], "{version}");
    }
    assert_eq!(last_days(&stage).await, [date(2014, 1, 12)]);
    // Who names no day does not mean another than the known one.
    let again = stage.take(run, vec![end("a", 6, Tombstone::Left)]).await;
    assert_eq!(outcomes(&again), [Outcome::Unchanged]);
    assert_eq!(last_days(&stage).await, [date(2014, 1, 12)]);
}

#[tokio::test]
async fn a_leave_to_come_is_told_and_taken_back() {
    let stage = Stage::new().await;
    let employment = Employment::OnLeave { first_day: Some(date(2014, 2, 3)), last_day: None };
    let on_leave = Worker { employment, ..worker("a", 1, None) };
    stage.run("roster", Mode::Delta, 1, vec![record(on_leave)]).await;
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 2, None)]).await;
    assert_eq!(stage.events().await, ["PersonJoined", "PersonAbsent", "PersonAbsenceEnded"]);
}

#[tokio::test]
async fn a_mistake_can_still_be_erased() {
    let stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let first = stage.take(run, vec![upsert("a", 1, None)]).await;
    let person = first[0].person.unwrap();
    let mut conn = stage.pool.acquire().await.unwrap();
    let sealed = stage.sync.vault.seal(&mut conn, person.uuid(), b"a secret").await.unwrap();
    stage.take(run, vec![end("a", 2, Tombstone::Rescinded)]).await;
    stage.take(run, vec![end("a", 3, Tombstone::Erased)]).await;
    let expected = ["PersonJoined", "PersonLeft", "PersonRescinded", "PersonErased"];
    assert_eq!(stage.events().await, expected);
    assert_eq!(stage.sync.vault.open(&mut conn, person.uuid(), &sealed).await.unwrap(), None);
    let back = stage.take(run, vec![upsert("a", 4, None)]).await;
    assert_ne!(back[0].person, Some(person));
}

#[tokio::test]
async fn of_whoever_was_rehired_and_is_erased_nothing_stays_under_the_former_key() {
    let stage = Stage::new().await;
    stage.add_source("login", &[]).await;
    let of =
        |key: &str, version| Worker { employee_number: Some("n-7".to_owned()), ..worker(key, version, None) };
    stage.run("login", Mode::Delta, 1, vec![record(of("l", 1)), end("l", 2, Tombstone::Left)]).await;
    stage.run("roster", Mode::Delta, 1, vec![record(of("old", 1)), end("old", 2, Tombstone::Left)]).await;
    let unnamed = Worker { email: String::new(), ..of("new", 1) };
    let noticed =
        vec![FieldIssue::new("worker.email", "MISSING_EMAIL", "The worker has no address to write to.")];
    let unnamed = Ok(Change::Upsert { worker: unnamed, effective_date: None, noticed });
    stage.run("roster", Mode::Delta, 2, vec![unnamed, upsert("other", 1, Some("new"))]).await;
    assert_eq!(
        stage.count("select count(distinct person_id) from workers where employee_number = 'n-7'").await,
        1
    );

    let erased = stage.run("roster", Mode::Delta, 1, vec![end("new", 2, Tombstone::Erased)]).await;
    assert_eq!(erased.counts.removed, 1);
    let traces = "select count(*) from workers where external_id <> 'other' and
                  (employee_number is not null or family_name <> '' or email <> '' or job_title <> '')";
    assert_eq!(stage.count(traces).await, 0);
    let issues = "select count(*) from sync_issues where external_id in ('new', 'old', 'l')";
    assert_eq!(stage.count(issues).await, 0);
    // What the former key is said to have been is known still, so that an old record makes nobody rise again.
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let again = stage.take(run, vec![record(of("old", 1)), end("old", 2, Tombstone::Left)]).await;
    assert_eq!(outcomes(&again), [Outcome::Stale, Outcome::Unchanged]);
}

#[tokio::test]
async fn whoever_else_is_reported_as_the_erased_begins_anew() {
    let stage = Stage::new().await;
    stage.add_source("login", &[]).await;
    let first = stage.open("roster", Mode::Delta, false).await.unwrap();
    let one = stage.take(first, vec![upsert("a", 1, None)]).await;
    stage.run("login", Mode::Delta, 1, vec![upsert("a", 1, None)]).await;
    stage.take(first, vec![end("a", 2, Tombstone::Erased)]).await;
    let expected = ["PersonJoined", "PersonLeft", "PersonErased", "PersonJoined"];
    let mut events = stage.events().await;
    events[1..].sort();
    let mut sorted = expected.map(str::to_owned);
    sorted[1..].sort();
    assert_eq!(events, sorted);
    let login: uuid::Uuid = sqlx::query_scalar("select person_id from workers where source_id = 'login'")
        .fetch_one(&stage.pool)
        .await
        .unwrap();
    assert_ne!(Some(login), one[0].person.map(identity::PersonId::uuid));
}

#[tokio::test]
async fn of_whoever_is_erased_nothing_waits_for_its_day_but_what_was_said_later() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 1, None)]).await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let later = |key, version| {
        Ok(Change::Upsert {
            worker: worker(key, version, None),
            effective_date: Some(date(2014, 1, 20)),
            noticed: Vec::new(),
        })
    };
    // In whatever order, of somebody who was known or not.
    stage.take(run, vec![later("a", 2), later("a", 9), later("b", 2), later("b", 9)]).await;
    stage.take(run, vec![end("a", 3, Tombstone::Erased), end("b", 3, Tombstone::Erased)]).await;
    stage.take(run, vec![end("c", 3, Tombstone::Erased), later("c", 2), later("c", 9)]).await;
    let waiting: Vec<(String, i64)> =
        sqlx::query_as("select external_id, source_version from sync_pending order by external_id")
            .fetch_all(&stage.pool)
            .await
            .unwrap();
    assert_eq!(waiting, ["a", "b", "c"].map(|key| (key.to_owned(), 9)));
}

#[tokio::test]
async fn nothing_waits_that_was_said_before_an_end_that_came_with_it() {
    let stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    for (key, kind) in [("a", Tombstone::Erased), ("b", Tombstone::Rescinded)] {
        let later = Change::Upsert {
            worker: worker(key, 1, None),
            effective_date: Some(date(2015, 1, 15)),
            noticed: Vec::new(),
        };
        let answers = stage.take(run, vec![Ok(later), end(key, 2, kind)]).await;
        assert_eq!(outcomes(&answers), [Outcome::Scheduled, Outcome::Removed]);
        assert_eq!(stage.count("select count(*) from sync_pending").await, 0, "{kind:?}");
    }
}
