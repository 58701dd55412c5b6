//! What is found of people beside the workers themselves, and goes when they are erased.

use identity::OperationId;
use jiff::civil::date;

use super::*;
use crate::domain::roster::Issue;
use crate::domain::sync_run::Counts;
use crate::domain::worker::{FieldIssue, Unreadable};
use crate::views::operations::{self, Batch};

/// An upload with lines of these keys, and what is wrong with them.
async fn upload(stage: &Stage, keys: &[&str], issues: Vec<Issue>) -> OperationId {
    let (operation, runner) = (OperationId::mint(), uuid::Uuid::new_v4());
    let mut conn = stage.pool.acquire().await.unwrap();
    operations::start(&mut conn, operation, runner, Mode::Delta, false, stage.now).await.unwrap();
    let batch = Batch {
        lines: (2..).take(keys.len()).collect(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        outcomes: vec!["created"; keys.len()],
        issues,
        ..Batch::default()
    };
    operations::note(&stage.pool, operation, &batch, &Counts::default(), 99).await.unwrap();
    operation
}

/// Something wrong with the line of a key.
fn issue(line: usize, key: &str, code: &str, detail: &str) -> Issue {
    Issue { key: key.to_owned(), refused: false, ..Issue::new(line, "manager_employee_number", code, detail) }
}

/// A record that is refused.
fn unreadable(key: &str) -> Record {
    let issues = vec![FieldIssue::new("worker.email", "NOT_AN_ADDRESS", "The field is no mail address.")];
    Err(Unreadable { external_id: key.to_owned(), issues })
}

async fn messages(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("select message from sync_issues order by ordinal")
        .fetch_all(&stage.pool)
        .await
        .unwrap()
}

/// How much of what was found is about somebody or names them.
async fn found_of(stage: &Stage, key: &str) -> i64 {
    sqlx::query_scalar(
        "select (select count(*) from sync_issues where external_id = $1 or message ~ ('\\m' || $1 || '\\M'))
              + (select count(*) from operation_issues where key = $1 or detail ~ ('\\m' || $1 || '\\M'))
              + (select count(*) from operation_lines where $1 = any (keys))",
    )
    .bind(key)
    .fetch_one(&stage.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_reports_of_uploads_forget_who_is_erased() {
    let stage = Stage::new().await;
    let issues = vec![
        issue(2, "7", "SECOND_TOP", "Something is wrong with 7."),
        issue(3, "77", "SECOND_TOP", "Both 7 and 77 report to nobody; there is one top."),
    ];
    let operation = upload(&stage, &["7", "77", "8"], issues).await;

    // The roster names the person by the number 7, a login system by another key; who is erased there is erased here.
    stage.add_source("login", &[]).await;
    let numbered = |key: &str| Worker { employee_number: Some("7".to_owned()), ..worker(key, 1, None) };
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage.take(run, vec![record(numbered("7")), record(numbered("twin"))]).await;
    let pending = Change::Upsert {
        worker: Worker { source_version: 5, ..numbered("7") },
        effective_date: Some(date(2014, 1, 20)),
        noticed: Vec::new(),
    };
    stage.take(run, vec![Ok(pending), end("7", 2, Tombstone::Left)]).await;
    stage.run("login", Mode::Delta, 1, vec![record(numbered("l"))]).await;
    assert_eq!(stage.count("select count(distinct person_id) from workers").await, 1);
    assert_eq!(stage.count("select count(*) from sync_pending").await, 1);
    stage.run("login", Mode::Delta, 1, vec![end("l", 2, Tombstone::Erased)]).await;

    let (rows, _) = operations::report(&stage.pool, operation, operations::Place::BEGINNING).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.line, row.key.as_str(), row.detail.as_str())).collect();
    let second_top = "Both … and 77 report to nobody; there is one top.";
    assert_eq!(told, [(2, "", ""), (3, "77", second_top), (4, "8", "")]);
    assert_eq!(messages(&stage).await, ["The worker … has the same number."]);
    assert_eq!(stage.count("select count(*) from sync_pending").await, 0);
}

#[tokio::test]
async fn whoever_was_only_announced_named_or_refused_is_forgotten_as_well() {
    let stage = Stage::new().await;
    let keys = ["announced", "named", "refused"];
    let issues = keys.map(|key| issue(2, key, "INVALID_DATE", "The cell is no date."));
    upload(&stage, &keys, issues.to_vec()).await;
    let noticed =
        vec![FieldIssue::new("worker.email", "MISSING_EMAIL", "The worker has no address to write to.")];
    let announced = Change::Upsert {
        worker: worker("announced", 1, None),
        effective_date: Some(date(2014, 1, 20)),
        noticed,
    };
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage.take(run, vec![Ok(announced), upsert("w", 1, Some("named")), unreadable("refused")]).await;
    stage.finish(run, 3).await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    for key in keys {
        assert!(found_of(&stage, key).await > 2, "{key}");
        // What was said of them before in the same batch is noted with it.
        let answers = stage.take(run, vec![unreadable(key), end(key, 2, Tombstone::Erased)]).await;
        assert_eq!(outcomes(&answers), [Outcome::Rejected, Outcome::Removed]);
        assert_eq!(found_of(&stage, key).await, 0, "{key}");
    }
    assert_eq!(messages(&stage).await, ["The source has not reported the manager …."]);
    assert_eq!(stage.count("select count(*) from sync_pending").await, 0);
    // Who is erased already is forgotten anew.
    stage.take(run, vec![unreadable("named")]).await;
    stage.take(run, vec![end("named", 3, Tombstone::Erased)]).await;
    assert_eq!(found_of(&stage, "named").await, 0);
}

#[tokio::test]
async fn a_trial_forgets_nothing() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::Delta, 2, vec![upsert("a", 1, None), unreadable("b")]).await;
    let trial = stage.open("roster", Mode::Delta, true).await.unwrap();
    stage.take(trial, vec![end("a", 2, Tombstone::Erased), end("b", 2, Tombstone::Erased)]).await;
    assert_eq!(found_of(&stage, "b").await, 1);
}

#[tokio::test]
async fn only_a_message_that_names_somebody_is_rewritten_and_only_where_it_does() {
    let stage = Stage::new().await;
    let issues = vec![
        issue(2, "", "TOO_MANY_LEAVERS", "5 of 21 workers would leave, more than 10 per cent."),
        issue(3, "E-1-2", "SECOND_TOP", "Both E-1 and E-1-2 report to nobody; there is one top."),
        issue(4, "E.1", "REPORTING_CYCLE", "The reporting line goes in a circle: E.1 → E-1 → 10 → E.1."),
        issue(5, "_10", "DUPLICATE_EMPLOYEE_NUMBER", "The worker 10_ has the same number."),
        issue(6, "8", "UNKNOWN_MANAGER", "The source has not reported the manager 10."),
    ];
    let operation = upload(&stage, &["1"], issues).await;
    stage
        .run(
            "roster",
            Mode::Delta,
            2,
            vec![end("10", 1, Tombstone::Erased), end("E-1", 1, Tombstone::Erased)],
        )
        .await;
    let rows = operations::issues(&stage.pool, operation, None, 10).await.unwrap();
    let details: Vec<_> = rows.iter().map(|row| row.detail.as_str()).collect();
    let expected = [
        "5 of 21 workers would leave, more than 10 per cent.",
        "Both … and E-1-2 report to nobody; there is one top.",
        "The reporting line goes in a circle: E.1 → … → … → E.1.",
        "The worker 10_ has the same number.",
        "The source has not reported the manager ….",
    ];
    assert_eq!(details, expected);
}
