//! People: joined out of what several sources say, waiting for their day, erased and back.

use identity::PersonId;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::source::{Attribute, Settings};
use crate::domain::worker::{Employment, FieldIssue};
use crate::sync::Put;
use crate::views::{directory, sources};

fn reasons(issues: &[FieldIssue]) -> Vec<(&str, &str)> {
    issues.iter().map(|issue| (issue.field.as_str(), issue.reason)).collect()
}

/// A day is over.
fn days_later(now: Timestamp, days: i64) -> Timestamp {
    now + SignedDuration::from_hours(24 * days)
}

async fn shown(stage: &Stage) -> Vec<(String, String)> {
    sqlx::query_as(
        "select job_title, email from people join person_details using (person_id)
         where last_day is null order by employee_number",
    )
    .fetch_all(&stage.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn two_sources_mean_the_same_person_by_the_number_and_conflict_visibly() {
    let stage = Stage::new().await;
    stage.add_source("payroll", &[]).await;
    stage.add_source("login", &["email"]).await;
    let run = stage.open("payroll", Mode::Delta, false).await.unwrap();
    let boss = Worker { employee_number: Some("n-boss".to_owned()), ..worker("1", 1, None) };
    let clerk = Worker { employee_number: Some("n-clerk".to_owned()), ..worker("2", 1, Some("1")) };
    let first = stage.take(run, vec![record(boss.clone()), record(clerk.clone())]).await;

    let run = stage.open("login", Mode::Delta, false).await.unwrap();
    let theirs = |worker: Worker, key: &str, manager: Option<&str>| Worker {
        external_id: key.to_owned(),
        manager_external_id: manager.map(str::to_owned),
        job_title: "Guest".to_owned(),
        ..worker
    };
    // The clerk comes first, so that the boss is expected as somebody else until his number is known.
    let second =
        stage.take(run, vec![record(theirs(clerk, "c", Some("b"))), record(theirs(boss, "b", None))]).await;
    assert_eq!((second[0].person, second[1].person), (first[1].person, first[0].person));
    assert_eq!(reasons(&second[0].issues), [("worker.job_title", "CONFLICT")]);
    assert_eq!(stage.issues(run).await.len(), 2);
    assert_eq!(stage.events().await.len(), 2, "nothing that decides was said otherwise");
    let emails = [("Clerk", "1@example.com"), ("Clerk", "2@example.com")];
    assert_eq!(shown(&stage).await, emails.map(|(title, email)| (title.to_owned(), email.to_owned())));

    // What the login owns it decides, whatever the rank.
    let changed = Worker { email: "new@example.com".to_owned(), ..worker("c", 2, Some("b")) };
    let changed = Worker { employee_number: Some("n-clerk".to_owned()), ..changed };
    stage.take(run, vec![record(changed)]).await;
    assert_eq!(shown(&stage).await[1].1, "new@example.com");

    // A number that another active worker of the source has is refused.
    let twice = Worker { employee_number: Some("n-clerk".to_owned()), ..worker("d", 1, None) };
    let refused = stage.take(run, vec![record(twice.clone())]).await;
    assert_eq!(reasons(&refused[0].issues), [("worker.employee_number", "DUPLICATE_EMPLOYEE_NUMBER")]);
    // Once that one has left, it is the same person under another key.
    let returned = stage.take(run, vec![end("c", 3, Tombstone::Left), record(twice)]).await;
    assert_eq!(returned[1].person, first[1].person);
}

#[tokio::test]
async fn whom_one_source_lets_go_and_another_still_lists_stays_and_it_is_said() {
    let stage = Stage::new().await;
    stage.add_source("payroll", &[]).await;
    stage.add_source("login", &[]).await;
    for source in ["payroll", "login"] {
        stage.run(source, Mode::FullSnapshot, 11, company(10, 1)).await;
    }
    let run = stage.open("login", Mode::Delta, false).await.unwrap();
    let answers = stage.take(run, vec![end("w00", 2, Tombstone::Left)]).await;
    assert_eq!(outcomes(&answers), [Outcome::Removed]);
    assert_eq!(reasons(&answers[0].issues), [("worker.employment_status", "CONFLICT")]);
    assert!(answers[0].issues[0].message.contains("payroll"));
    stage.finish(run, 1).await;

    let rest = company(10, 1).into_iter().skip(2).collect();
    let absent = stage.run("login", Mode::FullSnapshot, 9, rest).await;
    assert_eq!(stage.issues(absent.run).await, [("w01".to_owned(), "CONFLICT".to_owned())]);
    assert_eq!(stage.count("select max(issues) from sync_runs where mode = 'full_snapshot'").await, 1);
    assert_eq!(stage.count("select count(*) from people where last_day is null").await, 11);
}

#[tokio::test]
async fn what_a_source_owns_anew_it_decides_of_everybody_it_reports() {
    let stage = Stage::new().await;
    stage.add_source("login", &[]).await;
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 1, None)]).await;
    let theirs = Worker { job_title: "Guest".to_owned(), ..worker("a", 1, None) };
    stage.run("login", Mode::Delta, 1, vec![record(theirs)]).await;
    let owning = async |owns: &[Attribute]| {
        let settings = Settings { owns: owns.iter().copied().collect(), grace_days: 0 };
        let mut conn = stage.pool.acquire().await.unwrap();
        sources::change(&mut conn, &"login".parse().unwrap(), &settings).await.unwrap();
        stage.sync.pass(stage.now).await.unwrap();
        shown(&stage).await[0].0.clone()
    };
    assert_eq!(owning(&[Attribute::JobTitle]).await, "Guest");
    assert_eq!(owning(&[]).await, "Clerk");
    assert_eq!(stage.count("select count(*) from sources where looked_at_to is not null").await, 0);
}

#[tokio::test]
async fn what_holds_from_a_day_to_come_waits_for_it_and_yields_to_what_is_newer() {
    let mut stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    stage
        .take(run, vec![upsert("head", 1, None), upsert("a", 1, Some("head")), upsert("b", 1, Some("head"))])
        .await;
    let promoted = |key: &str| Change::Upsert {
        worker: Worker { job_title: "Lead".to_owned(), ..worker(key, 2, Some("head")) },
        effective_date: Some(date(2014, 1, 17)),
        noticed: Vec::new(),
    };
    let leaves = Change::Tombstone {
        external_id: "head".to_owned(),
        source_version: 2,
        kind: Tombstone::Left,
        last_day: Some(date(2014, 1, 16)),
    };
    let answers = stage.take(run, vec![Ok(promoted("a")), Ok(promoted("b")), Ok(leaves)]).await;
    assert_eq!(outcomes(&answers), [Outcome::Scheduled; 3]);
    let kept = Worker { job_title: "Guard".to_owned(), ..worker("b", 3, Some("head")) };
    stage.take(run, vec![record(kept)]).await;

    let titles = async |stage: &Stage| -> Vec<String> {
        sqlx::query_scalar("select job_title from workers order by external_id")
            .fetch_all(&stage.pool)
            .await
            .unwrap()
    };
    stage.now = days_later(stage.now, 1);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(titles(&stage).await, ["Clerk", "Guard", "Clerk"]);
    assert_eq!(stage.standing().await[2], ("head".to_owned(), "active".to_owned(), Some(true)));
    stage.now = days_later(stage.now, 1);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(titles(&stage).await, ["Lead", "Guard", "Clerk"]);
    assert_eq!(stage.standing().await[2], ("head".to_owned(), "left".to_owned(), Some(false)));
    let last_day: jiff_sqlx::Date =
        sqlx::query_scalar("select last_day from people where last_day is not null")
            .fetch_one(&stage.pool)
            .await
            .unwrap();
    assert_eq!(last_day.to_jiff(), date(2014, 1, 16));
    assert_eq!(stage.count("select count(*) from sync_pending").await, 0);
}

#[tokio::test]
async fn who_has_signed_joins_on_the_first_day() {
    let mut stage = Stage::new().await;
    let signed = Worker {
        employment: Employment::Pending,
        hire_date: Some(date(2014, 1, 20)),
        ..worker("new", 1, Some("head"))
    };
    let run = stage.run("roster", Mode::Delta, 2, vec![upsert("head", 1, None), record(signed)]).await;
    assert_eq!((run.counts.created, stage.events().await.len()), (2, 1));
    assert_eq!(stage.standing().await[1], ("new".to_owned(), "active".to_owned(), Some(false)));
    stage.now = days_later(stage.now, 4);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(stage.events().await.len(), 1);
    stage.now = days_later(stage.now, 1);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(stage.events().await, ["PersonJoined", "PersonJoined"]);
    assert_eq!(stage.level("new").await, Some(1));
}

#[tokio::test]
async fn whoever_is_erased_is_forgotten_and_comes_back_as_somebody_new() {
    let stage = Stage::new().await;
    let run = stage.open("roster", Mode::Delta, false).await.unwrap();
    let first = stage.take(run, vec![upsert("head", 1, None), upsert("a", 1, Some("head"))]).await;
    let head = first[0].person.unwrap();
    let mut conn = stage.pool.acquire().await.unwrap();
    let sealed = stage.sync.vault.seal(&mut conn, head.uuid(), b"a secret").await.unwrap();

    let erased = stage.take(run, vec![end("head", 3, Tombstone::Erased), upsert("head", 2, None)]).await;
    assert_eq!(outcomes(&erased), [Outcome::Removed, Outcome::Stale]);
    assert_eq!(erased[0].person, Some(head));
    assert_eq!(stage.events().await[2..], ["PersonLeft", "PersonErased", "PersonMoved"].map(str::to_owned));
    assert_eq!(stage.sync.vault.open(&mut conn, head.uuid(), &sealed).await.unwrap(), None);
    let traces = "select count(*) from workers where external_id = 'head'
                  and (family_name <> '' or email <> '' or employee_number is not null)";
    assert_eq!(stage.count(traces).await, 0);
    assert_eq!(stage.count("select count(*) from person_details").await, 1);
    assert_eq!(stage.level("a").await, None);

    let back = stage.take(run, vec![upsert("head", 4, None)]).await;
    assert_eq!(outcomes(&back), [Outcome::Created]);
    assert_ne!(back[0].person, Some(head));
    assert_eq!(stage.level("a").await, Some(1));
}

#[tokio::test]
async fn a_rescinded_worker_never_was() {
    let stage = Stage::new().await;
    let records =
        vec![upsert("head", 1, None), upsert("a", 1, Some("head")), end("a", 2, Tombstone::Rescinded)];
    stage.run("roster", Mode::Delta, 2, records).await;
    assert_eq!(stage.events().await, ["PersonJoined"], "of what is taken back within a batch no event tells");
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 3, Some("head"))]).await;
    stage.run("roster", Mode::Delta, 1, vec![end("a", 4, Tombstone::Rescinded)]).await;
    assert_eq!(
        stage.events().await[1..],
        ["PersonJoined", "PersonLeft", "PersonRescinded"].map(str::to_owned)
    );
    assert_eq!(stage.count("select count(*) from person_details").await, 1);
}

#[tokio::test]
async fn a_leave_is_told_when_it_begins_changes_and_ends() {
    let stage = Stage::new().await;
    let on_leave = |version, first_day, last_day| {
        let employment = Employment::OnLeave { first_day, last_day };
        record(Worker { employment, ..worker("a", version, None) })
    };
    stage.run("roster", Mode::Delta, 1, vec![on_leave(1, None, None)]).await;
    assert_eq!(stage.events().await, ["PersonJoined", "PersonAbsent"]);
    stage.run("roster", Mode::Delta, 1, vec![on_leave(2, None, Some(date(2014, 2, 28)))]).await;
    assert_eq!(stage.events().await[2..], ["PersonAbsent"].map(str::to_owned));
    stage.run("roster", Mode::Delta, 1, vec![upsert("a", 3, None)]).await;
    assert_eq!(stage.events().await[3..], ["PersonAbsenceEnded"].map(str::to_owned));
}

#[tokio::test]
async fn single_workers_are_put_and_removed_and_numbered_by_the_service() {
    let mut stage = Stage::new().await;
    stage.add_source("scim", &[]).await;
    sqlx::query("update sources set grace_days = 7 where source_id = 'scim'")
        .execute(&stage.pool)
        .await
        .unwrap();
    let put = async |stage: &Stage, worker: Worker, etag: &str| {
        let put = Put { worker, noticed: Vec::new(), etag: etag.to_owned(), keep_birth_date: true };
        stage.sync.put(&stage.context(), "scim", put).await
    };
    let anna = || Worker { user_name: "anna".to_owned(), ..worker("a", 0, None) };
    assert_eq!(put(&stage, anna(), "*").await.unwrap().outcome, Outcome::Created);
    assert!(matches!(put(&stage, anna(), "*").await, Err(Refused::Exists)));
    assert!(matches!(put(&stage, anna(), "9").await, Err(Refused::Stale)));
    let other = Worker { user_name: "ANNA".to_owned(), ..worker("b", 0, None) };
    assert!(matches!(put(&stage, other, "").await, Err(Refused::DuplicateUserName)));
    assert_eq!(put(&stage, anna(), "1").await.unwrap().outcome, Outcome::Unchanged);

    // Deactivated, a worker goes on for the days of grace, and comes back without a trace.
    let inactive = || Worker { employment: Employment::Inactive, ..anna() };
    assert_eq!(put(&stage, inactive(), "").await.unwrap().outcome, Outcome::Updated);
    assert_eq!(put(&stage, anna(), "").await.unwrap().outcome, Outcome::Updated);
    stage.now = days_later(stage.now, 8);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(stage.events().await, ["PersonJoined"]);
    put(&stage, inactive(), "").await.unwrap();
    stage.now = days_later(stage.now, 8);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(stage.standing().await, [("a".to_owned(), "inactive".to_owned(), Some(false))]);
    assert_eq!(put(&stage, anna(), "").await.unwrap().outcome, Outcome::Updated);
    assert_eq!(stage.events().await[1..], ["PersonLeft", "PersonReturned"].map(str::to_owned));

    let context = stage.context();
    stage.sync.remove(&context, "scim", "a", Tombstone::Left, "").await.unwrap();
    assert_eq!(stage.standing().await, [("a".to_owned(), "left".to_owned(), Some(false))]);
    let again = stage.sync.remove(&context, "scim", "a", Tombstone::Left, "").await;
    assert!(matches!(again, Err(Refused::UnknownWorker)));
    let run = sync_runs::open_of(&stage.pool, "scim", true).await.unwrap().unwrap();
    assert_eq!((run.mode, run.counts.received, run.counts.removed), (Mode::Continuous, 2, 1));
}

#[tokio::test]
async fn dates_of_birth_are_kept_sealed_and_only_while_a_rule_needs_them() {
    let mut stage = Stage::new().await;
    let born = |version, birth_date| record(Worker { birth_date, ..worker("a", version, None) });
    let day = Some(date(1988, 1, 1));
    stage.run("roster", Mode::Delta, 1, vec![born(1, day)]).await;
    assert_eq!(stage.count("select count(*) from birth_dates").await, 0);
    stage.needs_births().await;
    // The same snapshot again is unchanged, and its dates are kept by now.
    let run = stage.run("roster", Mode::Delta, 1, vec![born(1, day)]).await;
    assert_eq!(run.counts.unchanged, 1);
    let sealed: Vec<u8> =
        sqlx::query_scalar("select sealed from birth_dates").fetch_one(&stage.pool).await.unwrap();
    assert!(!sealed.windows(4).any(|window| window == b"1988"));
    // A record that has waited for its day cannot say the date again.
    let later = Change::Upsert {
        worker: Worker { job_title: "Lead".to_owned(), birth_date: day, ..worker("a", 2, None) },
        effective_date: Some(date(2014, 1, 16)),
        noticed: Vec::new(),
    };
    stage.run("roster", Mode::Delta, 1, vec![Ok(later)]).await;
    stage.now = days_later(stage.now, 1);
    stage.sync.pass(stage.now).await.unwrap();
    assert_eq!(shown(&stage).await[0].0, "Lead");
    let kept: Vec<u8> =
        sqlx::query_scalar("select sealed from birth_dates").fetch_one(&stage.pool).await.unwrap();
    assert_eq!(kept, sealed);
    stage.run("roster", Mode::Delta, 1, vec![born(3, None)]).await;
    assert_eq!(stage.count("select count(*) from birth_dates").await, 0);

    let gone = |version| vec![end("b", version, Tombstone::Left)];
    let other = |version| vec![record(Worker { birth_date: day, ..worker("b", version, None) })];
    stage.run("roster", Mode::Delta, 1, other(1)).await;
    stage.run("roster", Mode::Delta, 1, vec![born(4, day)]).await;
    stage.run("roster", Mode::Delta, 1, gone(2)).await;
    crate::tick::forget_births(&stage.pool, stage.now).await.unwrap();
    assert_eq!(stage.count("select count(*) from birth_dates").await, 1, "of who has left, none is kept");
    // On the rule's last day it is somewhere still the day before.
    stage.now = days_later(stage.now, 1);
    crate::tick::forget_births(&stage.pool, stage.now).await.unwrap();
    assert_eq!(stage.count("select count(*) from birth_dates").await, 1);
    stage.now = days_later(stage.now, 1);
    crate::tick::forget_births(&stage.pool, stage.now).await.unwrap();
    stage.run("roster", Mode::Delta, 1, vec![born(5, day)]).await;
    assert_eq!(stage.count("select count(*) from birth_dates").await, 0, "the rule is over");
}

#[tokio::test]
async fn reach_is_answered_by_walking_up() {
    let stage = Stage::new().await;
    let records = vec![
        upsert("head", 1, None),
        upsert("l", 1, Some("head")),
        upsert("r", 1, Some("head")),
        upsert("l1", 1, Some("l")),
        upsert("l2", 1, Some("l")),
        upsert("r1", 1, Some("r")),
        upsert("x", 1, Some("y")),
        upsert("y", 1, Some("x")),
    ];
    stage.run("roster", Mode::FullSnapshot, 8, records).await;
    let people: Vec<(String, uuid::Uuid)> =
        sqlx::query_as("select external_id, person_id from workers").fetch_all(&stage.pool).await.unwrap();
    let id = |key: &str| {
        PersonId::from_uuid(people.iter().find(|(other, _)| other == key).map(|(_, person)| *person).unwrap())
    };
    let key = |id: PersonId| people.iter().find(|(_, person)| *person == id.uuid()).unwrap().0.clone();
    let line = async |person: &str| -> Vec<String> {
        directory::superiors(&stage.pool, id(person)).await.unwrap().into_iter().map(key).collect()
    };
    assert_eq!(line("l1").await, ["l", "head"]);
    assert_eq!(
        (line("head").await, line("x").await),
        (vec![], vec!["y".to_owned()]),
        "no circle is walked twice"
    );
    let common = async |one: &str, other: &str| {
        directory::common_superior(&stage.pool, id(one), id(other)).await.unwrap().map(key)
    };
    for (one, other, expected) in
        [("l1", "l2", "l"), ("l1", "r1", "head"), ("l", "l1", "l"), ("head", "r1", "head")]
    {
        assert_eq!(common(one, other).await.as_deref(), Some(expected), "{one} {other}");
    }
    assert_eq!(common("x", "l1").await, None);
    let below = async |person: &str, max_level: Option<i32>| -> Vec<String> {
        let page = directory::page(&stage.pool, max_level, Some(id(person)), None, 100).await.unwrap();
        page.into_iter().map(|placed| key(placed.listed.person)).collect()
    };
    assert_eq!(below("head", None).await, ["l", "l1", "l2", "r", "r1"]);
    assert_eq!(
        (below("head", Some(1)).await, below("x", None).await),
        (vec!["l".into(), "r".into()], vec!["y".into()])
    );

    // A department is handed over in one run.
    stage.run("roster", Mode::Delta, 1, vec![upsert("l", 2, Some("r"))]).await;
    assert_eq!(line("l1").await, ["l", "r", "head"]);
    assert_eq!(common("l2", "r1").await.as_deref(), Some("r"));
}
