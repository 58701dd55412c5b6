//! Dry runs: they tell what the real one would.

use super::*;
use crate::domain::worker::{Answer, FieldIssue, Unreadable};

/// Sends the same batches through a dry run, and then through a real one: answers, counts and issues are the same.
async fn both(stage: &Stage, mode: Mode, workers: i64, batches: &[Vec<Record>]) -> (Vec<Answer>, RunRow) {
    let mut outcomes = Vec::new();
    for dry_run in [true, false] {
        let run = stage.open("roster", mode, dry_run).await.unwrap();
        let mut answers = Vec::new();
        for batch in batches {
            answers.extend(stage.take(run, batch.clone()).await);
        }
        let ended = stage.finish(run, workers).await;
        for answer in &mut answers {
            answer.person = None;
        }
        outcomes.push((answers, stage.issues(run).await, ended));
    }
    let (real, tried) = (outcomes.pop().unwrap(), outcomes.pop().unwrap());
    assert_eq!(tried.0, real.0);
    assert_eq!(tried.1, real.1);
    assert_eq!(tried.2.counts, real.2.counts);
    (real.0, real.2)
}

#[tokio::test]
async fn a_dry_run_knows_what_came_in_its_earlier_batches() {
    let stage = Stage::new().await;
    let titled = |version, title: &str| {
        record(Worker { job_title: title.to_owned(), ..worker("twice", version, Some("head")) })
    };
    let twin = Worker { employee_number: Some("n-w00".to_owned()), ..worker("twin", 1, Some("head")) };
    let batches = [
        company(3, 1),
        vec![titled(1, "Clerk")],
        vec![titled(2, "Lead"), record(twin)],
        vec![titled(2, "Lead"), titled(1, "Clerk"), end("w01", 2, Tombstone::Left)],
        vec![upsert("w01", 3, Some("twice"))],
    ];
    let (answers, run) = both(&stage, Mode::FullSnapshot, 6, &batches).await;
    let (created, updated) = (Outcome::Created, Outcome::Updated);
    let later = [updated, Outcome::Rejected, Outcome::Unchanged, Outcome::Stale, Outcome::Removed, updated];
    assert_eq!(outcomes(&answers), [[created; 5].as_slice(), &later].concat());
    assert_eq!((run.counts.left, run.counts.issues), (0, 1));
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(stage.count("select count(*) from sync_trials").await, 0);
}

#[tokio::test]
async fn a_dry_run_finds_in_the_reporting_line_what_the_real_one_does() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 6, company(5, 1)).await;
    let issues = vec![FieldIssue::new("worker.email", "NOT_AN_ADDRESS", "The field is no mail address.")];
    let unreadable = Err(Unreadable { external_id: "w00".to_owned(), issues });
    let batches = [vec![
        unreadable,
        end("w01", 2, Tombstone::Left),
        end("w02", 2, Tombstone::Rescinded),
        upsert("w03", 2, Some("w02")),
        upsert("w04", 2, Some("w04")),
        upsert("head", 0, None),
        upsert("second", 1, None),
    ]];
    let (_, run) = both(&stage, Mode::Delta, 7, &batches).await;
    assert_eq!(run.counts.issues, 4, "the unreadable, an unknown manager, a circle and a second top");
}
