//! What is kept beside the workers: how many there were, who stands above whom, what was found of those who are erased.

use identity::OperationId;
use jiff::civil::date;

use super::*;
use crate::domain::roster::Issue;
use crate::domain::sync_run::State;
use crate::domain::worker::Employment;
use crate::views::operations::{self, Batch};

#[tokio::test]
async fn a_held_run_says_of_how_many_whom_the_bound_counts() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    let listed = |kept: usize, new: usize| -> Vec<Record> {
        let others = (0..new).map(|at| upsert(&format!("z{at:02}"), 1, Some("head")));
        company(kept, 1).into_iter().chain(others).collect()
    };
    let wrong = stage.run("roster", Mode::FullSnapshot, 36, listed(15, 20)).await;
    assert_eq!((wrong.state, wrong.counts.left), (State::Held, 5));
    assert_eq!(wrong.detail, "5 of 21 workers would leave, more than 10 per cent.");
    // Forty-one by now, of whom three would be less than a tenth: those whom the wrong file brought do not count.
    let again = stage.run("roster", Mode::FullSnapshot, 38, listed(17, 20)).await;
    assert_eq!((again.state, again.counts.left), (State::Held, 3));
    let detail = "3 of 41 workers would leave, more than 10 per cent of the 21 there were before snapshots that were \
                  dropped or are held.";
    assert_eq!(again.detail, detail);
}

/// A chain of people, the last of whom reports to the first or to nobody.
async fn chain(stage: &Stage, length: i32, closed: bool) -> Vec<uuid::Uuid> {
    let people: Vec<uuid::Uuid> = (0..length).map(|_| identity::PersonId::mint().uuid()).collect();
    let mut managers: Vec<Option<uuid::Uuid>> = people.iter().skip(1).copied().map(Some).collect();
    managers.push(people.first().copied().filter(|_| closed));
    sqlx::query(
        "insert into people (person_id, manager_person_id, org_unit_id, hire_date)
         select person, manager, gen_random_uuid(), '2010-01-01' from unnest($1::uuid[], $2::uuid[]) as line (person, manager)",
    )
    .bind(&people)
    .bind(&managers)
    .execute(&stage.pool)
    .await
    .unwrap();
    people
}

#[tokio::test]
async fn a_line_of_thousands_is_walked_without_carrying_it_along_also_in_a_circle() {
    let stage = Stage::new().await;
    for closed in [false, true] {
        let people = chain(&stage, 5_000, closed).await;
        let line: Vec<(uuid::Uuid, i32)> =
            sqlx::query_as("select person_id, distance from superiors($1) order by distance")
                .bind(people[0])
                .fetch_all(&stage.pool)
                .await
                .unwrap();
        assert_eq!(line, people.iter().copied().zip(0..).collect::<Vec<_>>(), "{closed}");
        let plan: serde_json::Value =
            sqlx::query_scalar("explain (analyze, buffers, format json) select * from superiors($1)")
                .bind(people[0])
                .fetch_one(&stage.pool)
                .await
                .unwrap();
        assert_eq!(plan[0]["Plan"]["Temp Written Blocks"], 0, "{plan:#}");
    }
}

#[tokio::test]
async fn the_reports_of_uploads_forget_who_is_erased() {
    let stage = Stage::new().await;
    let (operation, runner) = (OperationId::mint(), uuid::Uuid::new_v4());
    let mut conn = stage.pool.acquire().await.unwrap();
    operations::start(&mut conn, operation, runner, Mode::Delta, false, stage.now).await.unwrap();
    let issue = |line, key: &str, detail: &str| Issue {
        key: key.to_owned(),
        refused: false,
        ..Issue::new(line, "manager_employee_number", "SECOND_TOP", detail)
    };
    let batch = Batch {
        lines: vec![2, 3, 4],
        keys: ["7", "77", "8"].map(str::to_owned).to_vec(),
        outcomes: vec!["created"; 3],
        issues: vec![
            issue(2, "7", "Something is wrong with 7."),
            issue(3, "77", "Both 7 and 77 report to nobody; there is one top."),
        ],
        ..Batch::default()
    };
    operations::note(&stage.pool, operation, &batch, &crate::domain::sync_run::Counts::default(), 99)
        .await
        .unwrap();

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
    let named: Vec<String> =
        sqlx::query_scalar("select message from sync_issues").fetch_all(&stage.pool).await.unwrap();
    assert_eq!(named, ["The worker … has the same number."]);
    assert_eq!(stage.count("select count(*) from sync_pending").await, 0);
}

#[tokio::test]
async fn the_date_of_birth_of_whoever_never_joined_is_forgotten() {
    let stage = Stage::new().await;
    stage.needs_births().await;
    let signed = |key: &str| {
        record(Worker {
            birth_date: Some(date(1988, 1, 1)),
            hire_date: Some(date(2014, 2, 3)),
            employment: Employment::Pending,
            ..worker(key, 1, None)
        })
    };
    let keys = ["left", "rescinded", "erased", "waits"];
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage.take(run, keys.map(signed).to_vec()).await;
    assert_eq!(stage.count("select count(*) from birth_dates").await, 4);
    let ends = [Tombstone::Left, Tombstone::Rescinded, Tombstone::Erased];
    stage.take(run, keys.into_iter().zip(ends).map(|(key, kind)| end(key, 2, kind)).collect()).await;
    let kept = "select count(*) from birth_dates join workers using (person_id) where external_id = 'waits'";
    assert_eq!((stage.count("select count(*) from birth_dates").await, stage.count(kept).await), (1, 1));
    assert_eq!(stage.events().await, Vec::<String>::new());
}
