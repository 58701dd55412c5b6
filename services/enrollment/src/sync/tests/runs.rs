//! Runs: opened, finished, held, released, given up.

use jiff::SignedDuration;

use super::*;
use crate::domain::sync_run::State;
use crate::domain::worker::{FieldIssue, Unreadable};
use crate::sync::Put;
use crate::views::directory;

#[tokio::test]
async fn a_snapshot_comes_in_and_the_same_again_writes_nothing() {
    let stage = Stage::new().await;
    let first = stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    assert_eq!((first.state, first.counts.created, first.counts.workers), (State::Committed, 11, 11));
    assert_eq!(stage.events().await.len(), 11, "a manager who comes later costs no second event");
    assert_eq!((stage.level("head").await, stage.level("w03").await), (Some(0), Some(1)));

    let again = stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    assert_eq!((again.counts.unchanged, again.counts.received, again.counts.left), (11, 11, 0));
    assert_eq!(stage.events().await.len(), 11);
    let later = stage.run("roster", Mode::FullSnapshot, 11, company(10, 2)).await;
    assert_eq!((later.counts.unchanged, stage.events().await.len()), (11, 11));
}

#[tokio::test]
async fn who_is_absent_from_a_snapshot_has_left_and_who_is_listed_again_is_back() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    let without = company(20, 1).into_iter().skip(1).collect();
    let run = stage.run("roster", Mode::FullSnapshot, 20, without).await;
    assert_eq!((run.state, run.counts.left, run.leaving), (State::Committed, 1, false));
    assert_eq!(stage.standing().await[1], ("w00".to_owned(), "left".to_owned(), Some(false)));
    assert_eq!(stage.events().await.last().unwrap(), "PersonLeft");

    let back = stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    assert_eq!((back.counts.updated, back.counts.unchanged, back.counts.left), (1, 20, 0));
    assert_eq!(stage.standing().await[1], ("w00".to_owned(), "active".to_owned(), Some(true)));
    assert_eq!(stage.events().await.last().unwrap(), "PersonReturned");
}

#[tokio::test]
async fn the_wrong_file_is_held_until_somebody_releases_it() {
    let mut stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    let wrong = stage.run("roster", Mode::FullSnapshot, 1, vec![upsert("x", 1, Some("head"))]).await;
    assert_eq!((wrong.state, wrong.counts.left), (State::Held, 11));
    assert!(wrong.detail.starts_with("11 of 11 workers would leave"), "{}", wrong.detail);
    assert_eq!(stage.count("select count(*) from people where last_day is not null").await, 0);

    // Whoever is reported meanwhile stays.
    stage.run("roster", Mode::Delta, 2, vec![upsert("head", 1, None), upsert("w00", 1, Some("head"))]).await;
    stage.now += SignedDuration::from_hours(1);
    let released = stage.sync.release(&stage.context(), wrong.run).await.unwrap();
    assert_eq!((released.state, released.counts.left, released.leaving), (State::Committed, 9, false));
    assert_eq!(stage.count("select count(*) from people where last_day is not null").await, 9);
    let again = stage.sync.release(&stage.context(), wrong.run).await.unwrap();
    assert_eq!(again.counts.left, 9);
}

#[tokio::test]
async fn the_wrong_file_is_held_however_many_it_lists() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    let other =
        || (0..200).map(|at| upsert(&format!("z{at}"), 1, (at > 0).then_some("z0"))).collect::<Vec<_>>();
    let tried = stage.open("roster", Mode::FullSnapshot, true).await.unwrap();
    stage.take(tried, other()).await;
    stage.finish(tried, 200).await;
    let mut runs = vec![tried];
    for _ in 0..2 {
        let wrong = stage.run("roster", Mode::FullSnapshot, 200, other()).await;
        assert_eq!((wrong.state, wrong.counts.left), (State::Held, 11));
        runs.push(wrong.run);
    }
    for run in runs {
        let issues = sync_runs::issues(&stage.pool, run, None, 10).await.unwrap();
        let message = &issues.iter().find(|issue| issue.reason == "TOO_MANY_LEAVERS").unwrap().message;
        assert!(message.starts_with("11 of ") && message.contains("more than 10 per cent"), "{message}");
    }
}

#[tokio::test]
async fn a_held_run_that_nobody_releases_is_given_up_and_others_are_forgotten_meanwhile() {
    let mut stage = Stage::new().await;
    stage.add_source("payroll", &[]).await;
    stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    let held = stage.run("roster", Mode::FullSnapshot, 1, vec![upsert("x", 1, Some("head"))]).await;
    stage.run("payroll", Mode::Delta, 1, vec![upsert("p", 1, None)]).await;
    let days = async |stage: &mut Stage, days: i64| {
        stage.now += SignedDuration::from_hours(24 * days);
        stage.sync.pass(stage.now).await.unwrap();
    };
    days(&mut stage, 29).await;
    let kept = "select count(distinct source_id) from sync_batches join sync_runs using (sync_run_id)";
    assert_eq!(stage.count(kept).await, 1, "only the held run's source is waited for");
    let run = async |stage: &Stage| sync_runs::find(&stage.pool, held.run).await.unwrap();
    assert_eq!(run(&stage).await.unwrap().state, State::Held);
    days(&mut stage, 2).await;
    let given_up = run(&stage).await.unwrap();
    assert_eq!((given_up.state, given_up.counts.left), (State::Aborted, 0));
    assert_eq!(given_up.detail, "Nobody released it in time; nobody has left.");
    assert_eq!(stage.count("select count(*) from sync_batches").await, 0);

    days(&mut stage, 91).await;
    assert!(run(&stage).await.is_none());
    assert_eq!(stage.count("select count(*) from sync_issues").await, 0);
}

#[tokio::test]
async fn what_looks_wrong_is_noted_when_it_is_new() {
    let stage = Stage::new().await;
    let noticed = || {
        let issue =
            FieldIssue::new("worker.email", "MISSING_EMAIL", "The worker has no address to write to.");
        let worker = Worker { email: String::new(), ..worker("a", 1, None) };
        Ok(Change::Upsert { worker, effective_date: None, noticed: vec![issue] })
    };
    let first = stage.run("roster", Mode::Delta, 1, vec![noticed()]).await;
    let again = stage.run("roster", Mode::Delta, 1, vec![noticed()]).await;
    assert_eq!((first.counts.issues, again.counts.issues), (1, 0));
}

#[tokio::test]
async fn whoever_follows_at_the_top_is_no_second_one() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    let mut records: Vec<Record> = (0..10).map(|at| upsert(&format!("w{at:02}"), 2, Some("new"))).collect();
    records.push(upsert("new", 1, None));
    let run = stage.run("roster", Mode::FullSnapshot, 11, records).await;
    assert_eq!((run.state, run.counts.left), (State::Committed, 1));
    assert_eq!(stage.issues(run.run).await, []);
    let delta = stage.run("roster", Mode::Delta, 1, vec![upsert("w00", 3, None)]).await;
    let second = [("w00".to_owned(), "SECOND_TOP".to_owned())];
    assert_eq!(stage.issues(delta.run).await, second);
}

#[tokio::test]
async fn a_held_run_that_is_dropped_changes_nothing_more() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 11, company(10, 1)).await;
    let wrong = stage.run("roster", Mode::FullSnapshot, 1, vec![upsert("x", 1, Some("head"))]).await;
    let dropped = stage.sync.drop(&stage.context(), wrong.run).await.unwrap();
    assert_eq!((dropped.state, dropped.counts.left), (State::Aborted, 0));
    assert_eq!(stage.count("select count(*) from people where last_day is not null").await, 0);
    let refused = stage.sync.release(&stage.context(), wrong.run).await.unwrap_err();
    assert!(matches!(refused, Refused::NotHeld(State::Aborted)), "{refused}");
}

#[tokio::test]
async fn a_snapshot_that_was_cut_off_is_given_up() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    let cut = stage.run("roster", Mode::FullSnapshot, 21, company(18, 1)).await;
    assert_eq!((cut.state, cut.counts.workers, cut.counts.left), (State::Aborted, 19, 0));
    assert_eq!(cut.detail, "19 different workers arrived, 21 were expected; nobody has left.");
    let run = stage.sync.take(&stage.context(), cut.run, company(1, 1), false).await.unwrap_err();
    assert!(matches!(run, Refused::NotOpen(State::Aborted)));
}

#[tokio::test]
async fn a_source_has_one_open_run_and_finds_it_again() {
    let mut stage = Stage::new().await;
    let request = Some(uuid::Uuid::from_u128(7));
    let opening = Opening {
        source: "roster".to_owned(),
        mode: Mode::Delta,
        dry_run: false,
        request,
        leavers_percent_max: LEAVERS_PERCENT_MAX,
    };
    let run = stage.sync.open(&stage.context(), opening.clone()).await.unwrap().run;
    assert_eq!(stage.sync.open(&stage.context(), opening.clone()).await.unwrap().run, run);
    let refused = stage.open("roster", Mode::Delta, false).await.unwrap_err();
    assert!(matches!(refused, Refused::RunOpen(open) if open == run), "{refused}");
    assert!(matches!(stage.open("nobody", Mode::Delta, false).await, Err(Refused::UnknownSource(_))));

    // To a run that nothing comes to for a day, nothing comes any more.
    stage.now += SignedDuration::from_hours(25);
    stage.sync.pass(stage.now).await.unwrap();
    let expired = sync_runs::find(&stage.pool, run).await.unwrap().unwrap();
    assert_eq!(expired.state, State::Aborted);
    stage.open("roster", Mode::Delta, false).await.unwrap();
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 6, company(5, 1)).await;
    let (people, events) = (stage.standing().await, stage.events().await);
    let run = stage.open("roster", Mode::FullSnapshot, true).await.unwrap();
    let answers = stage.take(run, vec![upsert("w00", 2, Some("x")), upsert("y", 1, Some("w00"))]).await;
    assert_eq!(outcomes(&answers), [Outcome::Updated, Outcome::Created]);
    assert_eq!(answers[1].person, None);
    let ended = stage.finish(run, 2).await;
    assert_eq!((ended.state, ended.counts.left), (State::Committed, 5));
    let found = [("w00", "UNKNOWN_MANAGER"), ("", "TOO_MANY_LEAVERS")];
    assert_eq!(stage.issues(run).await, found.map(|(key, reason)| (key.to_owned(), reason.to_owned())));
    assert_eq!((stage.standing().await, stage.events().await), (people, events));
}

#[tokio::test]
async fn a_snapshot_with_a_record_that_names_nobody_lets_nobody_go() {
    let stage = Stage::new().await;
    stage.run("roster", Mode::FullSnapshot, 21, company(20, 1)).await;
    let issues = vec![FieldIssue::new("worker.external_id", "REQUIRED", "The field is required.")];
    let nameless = Err(Unreadable { external_id: String::new(), issues });
    let records = company(20, 1).into_iter().skip(1).chain([nameless]).collect();
    let run = stage.run("roster", Mode::FullSnapshot, 20, records).await;
    assert_eq!((run.state, run.counts.rejected, run.counts.left), (State::Aborted, 1, 0));
    assert!(run.detail.starts_with("Some records do not say"), "{}", run.detail);
    assert_eq!(stage.count("select count(*) from workers where state = 'active'").await, 21);
}

#[tokio::test]
async fn every_record_is_counted_once_and_two_of_a_key_end_as_the_greater_version() {
    let stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let unreadable = Unreadable {
        external_id: "bad".to_owned(),
        issues: vec![FieldIssue::new("worker.email", "NOT_AN_ADDRESS", "The field is no mail address.")],
    };
    let second = Worker { job_title: "Head".to_owned(), ..worker("a", 2, None) };
    let contradicting = Worker { job_title: "Other".to_owned(), ..worker("a", 2, None) };
    let later = Change::Upsert {
        worker: worker("b", 9, None),
        effective_date: Some(jiff::civil::date(2014, 1, 16)),
        noticed: Vec::new(),
    };
    let records = vec![
        record(second),
        upsert("a", 1, None),
        Err(unreadable),
        record(contradicting),
        upsert("b", 1, Some("a")),
        upsert("b", 1, Some("a")),
        Ok(later),
        end("c", 1, Tombstone::Left),
    ];
    let answers = stage.take(run, records).await;
    let expected = [
        Outcome::Created,
        Outcome::Stale,
        Outcome::Rejected,
        Outcome::Rejected,
        Outcome::Created,
        Outcome::Unchanged,
        Outcome::Scheduled,
        Outcome::Removed,
    ];
    assert_eq!(outcomes(&answers), expected);
    let counts = stage.finish(run, 4).await.counts;
    let parts = [counts.created, counts.updated, counts.unchanged, counts.stale, counts.rejected];
    assert_eq!(parts, [2, 0, 1, 1, 2]);
    assert_eq!((counts.removed, counts.scheduled, counts.received, counts.workers), (1, 1, 8, 4));
    let title: String = sqlx::query_scalar("select job_title from workers where external_id = 'a'")
        .fetch_one(&stage.pool)
        .await
        .unwrap();
    assert_eq!(title, "Head");
    assert_eq!(counts.issues, i64::try_from(stage.issues(run).await.len()).unwrap());
}

#[tokio::test]
async fn cycles_orphans_and_second_tops_are_told_and_have_no_level() {
    let stage = Stage::new().await;
    let records = vec![
        upsert("head", 1, None),
        upsert("other", 1, None),
        upsert("a", 1, Some("b")),
        upsert("b", 1, Some("a")),
        upsert("orphan", 1, Some("nobody")),
        upsert("below", 1, Some("orphan")),
    ];
    let run = stage.run("roster", Mode::FullSnapshot, 6, records).await;
    assert_eq!((run.state, run.counts.issues), (State::Committed, 3));
    let mut found = stage.issues(run.run).await;
    found.sort();
    let expected = [("a", "REPORTING_CYCLE"), ("orphan", "UNKNOWN_MANAGER"), ("other", "SECOND_TOP")];
    assert_eq!(found.len(), expected.len());
    assert!(found[0].0 == "a" || found[0].0 == "b", "{found:?}");
    assert_eq!(
        found.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>(),
        expected.map(|(_, reason)| reason)
    );
    for key in ["a", "b", "orphan", "below"] {
        assert_eq!(stage.level(key).await, None, "{key}");
    }
    assert_eq!(stage.level("other").await, Some(0));

    // The manager comes after all: those below have a level, and no event tells of them again.
    let before = stage.events().await.len();
    stage.run("roster", Mode::Delta, 1, vec![upsert("nobody", 1, Some("head"))]).await;
    assert_eq!((stage.level("below").await, stage.events().await.len()), (Some(3), before + 1));
}

#[tokio::test]
async fn leavers_beyond_a_batch_all_leave() {
    let stage = Stage::new().await;
    let run = stage.open("roster", Mode::FullSnapshot, false).await.unwrap();
    let keys: Vec<String> = (0..2500).map(|at| format!("w{at:04}")).collect();
    for some in keys.chunks(1000) {
        stage.take(run, some.iter().map(|key| upsert(key, 1, Some("w0000"))).collect()).await;
    }
    stage.finish(run, 2500).await;
    let wrong = stage.run("roster", Mode::FullSnapshot, 1, vec![upsert("w0001", 1, Some("w0000"))]).await;
    assert_eq!((wrong.state, wrong.counts.left), (State::Held, 2499));
    let released = stage.sync.release(&stage.context(), wrong.run).await.unwrap();
    assert_eq!((released.counts.left, released.leaving), (2499, false));
    assert_eq!(stage.count("select count(*) from people where last_day is not null").await, 2499);
    let too_many = vec![end("a", 1, Tombstone::Left); 1001];
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    assert!(matches!(stage.sync.take(&stage.context(), run, too_many, false).await, Err(Refused::TooMany)));
}

#[tokio::test]
async fn whoever_waits_for_the_directory_leaves_the_connections_to_others() {
    let stage = Stage::new().await;
    let mut holder = stage.pool.begin().await.unwrap();
    directory::hold_alone(&mut holder).await.unwrap();
    let writers = (0..16).map(|number| {
        let (sync, context) = (stage.sync.clone(), stage.context());
        let worker = worker(&format!("w{number:02}"), 0, None);
        let put = Put { worker, noticed: Vec::new(), etag: String::new(), keep_birth_date: false };
        tokio::spawn(async move { sync.put(&context, "roster", put).await.map(|answer| answer.outcome) })
    });
    let writers: Vec<_> = writers.collect();
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'";
    for _ in 0..50 {
        assert!(stage.count(waiting).await <= 1, "one waits for all");
    }
    holder.commit().await.unwrap();
    for writer in writers {
        assert!(matches!(writer.await.unwrap(), Ok(Outcome::Created)));
    }
}
