//! What is said again: under a number of the service, under a version that is taken, of somebody who waits.

use jiff::civil::{Date, date};

use super::*;
use crate::sync::Put;

/// The version, the last change and the place on the disk of each worker: what is written anew has another one.
async fn rows(stage: &Stage) -> Vec<(String, i64, String, String)> {
    sqlx::query_as(
        "select external_id, source_version, updated_at::text, xmin::text from workers order by external_id",
    )
    .fetch_all(&stage.pool)
    .await
    .unwrap()
}

async fn put(stage: &Stage, worker: Worker) -> Answer {
    let put = Put { worker, noticed: Vec::new(), etag: String::new(), keep_birth_date: false };
    stage.sync.put(&stage.context(), "roster", put).await.unwrap()
}

fn titled(version: i64, title: &str) -> Worker {
    Worker { job_title: title.to_owned(), ..worker("a", version, None) }
}

#[expect(clippy::unnecessary_wraps, reason = "a record is what could be read, or not")]
fn from(worker: Worker, day: Date) -> Record {
    Ok(Change::Upsert { worker, effective_date: Some(day), noticed: Vec::new() })
}

async fn pass_on(stage: &mut Stage, day: Date) {
    stage.now = format!("{day}T09:00:00Z").parse().unwrap();
    stage.sync.pass(stage.now).await.unwrap();
}

#[tokio::test]
async fn what_the_service_numbers_and_is_as_before_is_not_numbered_anew() {
    let mut stage = Stage::new().await;
    stage.run("roster", Mode::Delta, 2, vec![upsert("a", 1, None), upsert("b", 1, Some("a"))]).await;
    let (before, events) = (rows(&stage).await, stage.events().await);
    stage.now += jiff::SignedDuration::from_hours(1);
    assert_eq!(put(&stage, worker("a", 0, None)).await.outcome, Outcome::Unchanged);
    let file = stage.open("roster", Mode::FullSnapshot, false).await.unwrap();
    let lines = vec![upsert("a", 9, None), upsert("b", 9, Some("a"))];
    let answers = stage.sync.take(&stage.context(), file, lines, true).await.unwrap();
    assert_eq!(outcomes(&answers), [Outcome::Unchanged; 2]);
    assert_eq!(stage.finish(file, 2).await.counts.left, 0);
    assert_eq!((rows(&stage).await, stage.events().await), (before, events));
    assert_eq!(put(&stage, titled(0, "Lead")).await.outcome, Outcome::Updated);
    assert_eq!(rows(&stage).await[0].1, 2);
}

#[tokio::test]
async fn whoever_says_that_all_is_as_before_takes_back_what_was_to_come() {
    let mut stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage.take(run, vec![upsert("a", 1, None), from(titled(5, "Lead"), date(2014, 1, 20))]).await;
    assert_eq!(put(&stage, worker("a", 0, None)).await.outcome, Outcome::Unchanged);
    assert_eq!((rows(&stage).await[0].1, stage.count("select count(*) from sync_pending").await), (6, 0));
    pass_on(&mut stage, date(2014, 1, 20)).await;
    assert_eq!(stage.count("select count(*) from workers where job_title = 'Lead'").await, 0);
}

#[tokio::test]
async fn nothing_else_is_said_under_the_version_of_a_record_that_waits() {
    let mut stage = Stage::new().await;
    let day = date(2014, 1, 20);
    let leaves = |last_day| {
        let (external_id, kind) = ("a".to_owned(), Tombstone::Left);
        Ok(Change::Tombstone { external_id, source_version: 5, kind, last_day: Some(last_day) })
    };
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let first = vec![upsert("a", 1, None), from(titled(5, "Lead"), day), from(titled(5, "Head"), day)];
    let answers = stage.take(run, first).await;
    assert_eq!(outcomes(&answers), [Outcome::Created, Outcome::Scheduled, Outcome::Rejected]);
    let later = vec![
        from(titled(5, "Lead"), day),
        from(titled(5, "Head"), day),
        from(titled(5, "Lead"), date(2014, 1, 21)),
        record(titled(5, "Lead")),
        leaves(date(2014, 1, 19)),
        end("a", 5, Tombstone::Left),
    ];
    let answers = stage.take(run, later).await;
    assert_eq!(answers[0].outcome, Outcome::Scheduled);
    for (place, answer) in answers.iter().enumerate().skip(1) {
        let reasons: Vec<_> = answer.issues.iter().map(|issue| issue.reason).collect();
        assert_eq!((answer.outcome, reasons), (Outcome::Rejected, vec!["VERSION_REUSED"]), "{place}");
    }
    // On its day the same comes once more before it is looked at.
    stage.now = format!("{day}T00:00:00Z").parse().unwrap();
    let answers = stage.take(run, vec![from(titled(5, "Lead"), day)]).await;
    assert_eq!(outcomes(&answers), [Outcome::Updated]);
    pass_on(&mut stage, day).await;
    assert_eq!(stage.count("select count(*) from workers where job_title = 'Lead'").await, 1);
}

#[tokio::test]
async fn whoever_is_expected_and_named_by_nobody_any_more_is_forgotten() {
    let mut stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage
        .take(run, vec![upsert("a", 1, Some("x")), upsert("b", 1, Some("y")), upsert("c", 1, Some("y"))])
        .await;
    stage.take(run, vec![upsert("a", 2, Some("b")), upsert("b", 2, Some("c"))]).await;
    pass_on(&mut stage, date(2014, 1, 16)).await;
    let keys: Vec<String> = rows(&stage).await.into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["a", "b", "c", "y"], "somebody still reports to y");
    stage.take(run, vec![upsert("a", 3, Some("x"))]).await;
    assert_eq!(stage.standing().await[3], ("x".to_owned(), "expected".to_owned(), Some(false)));
}

#[tokio::test]
async fn a_day_of_single_changes_says_how_many_it_was_about() {
    let mut stage = Stage::new().await;
    let days = [15, 16, 17].map(|day| date(2014, 1, day));
    for (day, keys) in days.into_iter().zip([&["a", "b"][..], &["c"], &[]]) {
        stage.now = format!("{day}T09:00:00Z").parse().unwrap();
        for key in keys {
            put(&stage, worker(key, 0, None)).await;
            put(&stage, worker(key, 0, None)).await;
        }
    }
    // The first day ended by the second, the second by the passing of time.
    stage.sync.pass(stage.now).await.unwrap();
    let runs = sync_runs::page(&stage.pool, None, None, 10).await.unwrap();
    let told: Vec<_> =
        runs.iter().map(|run| (run.state.name(), run.counts.received, run.counts.workers)).collect();
    assert_eq!(told, [("committed", 2, 1), ("committed", 4, 2)]);
}
