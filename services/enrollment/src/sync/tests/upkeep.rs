//! What is kept beside the workers: how many there were, who stands above whom, until when a date of birth is needed.

use jiff::civil::date;

use super::*;
use crate::domain::sync_run::State;
use crate::domain::worker::{Employment, FieldIssue, Unreadable};

/// A company of a head and so many who report to it, and so many whom nobody knew.
fn listed(kept: usize, new: usize) -> Vec<Record> {
    let others = (0..new).map(|at| upsert(&format!("z{at:02}"), 1, Some("head")));
    company(kept, 1).into_iter().chain(others).collect()
}

#[tokio::test]
async fn a_held_run_says_of_how_many_whom_the_bound_counts() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
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

#[tokio::test]
async fn a_snapshot_by_which_nobody_could_leave_does_not_make_the_one_before_it_right() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    let wrong = stage.run("roster", Mode::FullSnapshot, 36, listed(15, 20)).await;
    stage.sync.drop(&stage.context(), wrong.run).await.unwrap();
    let issues = vec![FieldIssue::new("worker.external_id", "REQUIRED", "The field is required.")];
    let nameless = Err(Unreadable { external_id: String::new(), issues });
    let records = listed(20, 20).into_iter().chain([nameless]).collect();
    assert_eq!(stage.run("roster", Mode::FullSnapshot, 41, records).await.state, State::Aborted);
    let next = stage.run("roster", Mode::FullSnapshot, 38, listed(17, 20)).await;
    assert_eq!((next.state, next.counts.left, next.active_before), (State::Held, 3, 21));
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
