//! Personnel numbers: claimed by two, changed in one source after the other.

use identity::PersonId;

use super::*;

fn numbered(key: &str, version: i64, number: &str) -> Record {
    record(Worker { employee_number: Some(number.to_owned()), ..worker(key, version, None) })
}

#[tokio::test]
async fn whoever_is_listed_under_another_key_is_no_leaver() {
    let stage = Stage::new().await;
    let head = || numbered("head", 1, "1");
    stage.run("roster", Mode::FullSnapshot, 2, vec![head(), numbered("a", 1, "7")]).await;
    for dry_run in [true, false] {
        let run = stage.open("roster", Mode::FullSnapshot, dry_run).await.unwrap();
        let answers = stage.take(run, vec![head(), numbered("b", 1, "7")]).await;
        assert_eq!(outcomes(&answers), [Outcome::Unchanged, Outcome::Rejected]);
        let ended = stage.finish(run, 2).await;
        assert_eq!((ended.counts.left, ended.counts.issues), (0, 2), "{}", ended.detail);
        let found = [("b", "DUPLICATE_EMPLOYEE_NUMBER"), ("a", "NUMBER_CLAIMED")];
        assert_eq!(stage.issues(run).await, found.map(|(key, reason)| (key.to_owned(), reason.to_owned())));
    }
    assert_eq!(stage.standing().await[0], ("a".to_owned(), "active".to_owned(), Some(true)));
    assert_eq!(stage.events().await, ["PersonJoined", "PersonJoined"]);
}

#[tokio::test]
async fn a_number_that_changes_in_one_source_after_the_other_takes_nobody_back() {
    for order in [["payroll", "login"], ["login", "payroll"]] {
        let stage = Stage::new().await;
        stage.add_source("payroll", &[]).await;
        stage.add_source("login", &[]).await;
        let mut first = None;
        for source in ["payroll", "login"] {
            let run = stage.open(source, Mode::Delta, false).await.unwrap();
            first = first.or(stage.take(run, vec![numbered("a", 1, "7")]).await[0].person);
            stage.finish(run, 1).await;
        }
        for source in order {
            stage.run(source, Mode::Delta, 1, vec![numbered("a", 2, "8")]).await;
        }
        let people: Vec<uuid::Uuid> =
            sqlx::query_scalar("select person_id from workers").fetch_all(&stage.pool).await.unwrap();
        assert_eq!(people, [first.map(PersonId::uuid).unwrap(); 2], "{order:?}");
        let standing = "select count(*) from people where last_day is null";
        assert_eq!(stage.count(standing).await, 1, "{order:?}");
        let told: Vec<String> = sqlx::query_scalar(
            "select name from eventlog.events where stream_id = $1 and (name like '%Left' or name like '%Rescinded')",
        )
        .bind(people[0])
        .fetch_all(&stage.pool)
        .await
        .unwrap();
        assert_eq!(told, Vec::<String>::new(), "{order:?}");
    }
}

#[tokio::test]
async fn whoever_works_here_does_not_become_somebody_who_has_left() {
    let stage = Stage::new().await;
    stage.add_source("login", &[]).await;
    stage
        .run("roster", Mode::Delta, 1, vec![numbered("gone", 1, "7"), end("gone", 2, Tombstone::Left)])
        .await;
    stage.run("login", Mode::Delta, 1, vec![numbered("a", 1, "8")]).await;
    stage.run("login", Mode::Delta, 1, vec![numbered("a", 2, "7")]).await;
    let expected = [("a", "active", true), ("gone", "left", false)];
    let expected = expected.map(|(key, state, here)| (key.to_owned(), state.to_owned(), Some(here)));
    assert_eq!(stage.standing().await, expected);
    assert!(!stage.events().await.contains(&"PersonRescinded".to_owned()));
}
