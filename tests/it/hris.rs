//! HR systems feed the directory by gRPC: runs, what becomes of each record, and what no record can do to the others.

pub mod example;
pub mod payroll;

mod goes_away;
mod watching;

use proto::hris::sync_run::State;
use proto::hris::upsert_workers_request::Change;
use proto::hris::worker_tombstone::Kind;
use proto::hris::{CreateSyncRunRequest, Outcome, SyncMode, SyncRunStats, UpsertWorkersRequest, Worker};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use self::payroll::{Payroll, tombstone, upsert, workers};
use crate::world::World;

fn reason(refused: &Status) -> (Code, String) {
    let info = refused.get_details_error_info();
    (refused.code(), info.map(|info| info.reason).unwrap_or_default())
}

fn counted(stats: &SyncRunStats) {
    let SyncRunStats { created, updated, unchanged, stale, rejected, removed, scheduled, .. } = *stats;
    assert_eq!(created + updated + unchanged + stale + rejected + removed + scheduled, stats.received);
}

async fn people(world: &World) -> Vec<String> {
    let listed = world.office(None).list("/api/v1/people", "people").await;
    let active = listed.iter().filter(|person| person["state"] == "STATE_ACTIVE");
    active.map(|person| person["employeeNumber"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_in_and_the_same_again_changes_nothing() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let first = payroll.snapshot(&workers()).await;
    assert_eq!(first.state(), State::Committed, "{first:?}");
    let stats = first.stats.unwrap();
    counted(&stats);
    assert_eq!((stats.received, stats.created, stats.workers, stats.left), (16, 16, 16, 0));
    assert_eq!(people(&world).await.len(), 16);

    let events = "select count(*) from eventlog.events";
    let reader = world.database.pool("reader");
    let before: i64 = sqlx::query_scalar(events).fetch_one(&reader).await.unwrap();
    let again = payroll.snapshot(&workers()).await.stats.unwrap();
    assert_eq!((again.received, again.unchanged, again.left), (16, 16, 0));
    assert_eq!(sqlx::query_scalar::<_, i64>(events).fetch_one(&reader).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_broke_off_is_gone_on_with_in_another_one() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::FullSnapshot).await;
    let (records, arriving) = mpsc::channel(16);
    let mut answers = payroll.stream(ReceiverStream::new(arriving)).await.unwrap();
    for worker in workers().into_iter().take(5) {
        records.send(payroll.record(&run, upsert(worker))).await.unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap().outcome(), Outcome::Created);
    }
    // The client dies: nobody says goodbye.
    drop((records, answers));

    let outcomes = payroll.send(&run, workers().into_iter().map(upsert)).await;
    assert_eq!(outcomes[..5], [Outcome::Unchanged; 5]);
    assert_eq!(outcomes[5..], [Outcome::Created; 11]);
    let done = payroll.try_finish(&run, 16).await.unwrap();
    let stats = done.stats.unwrap();
    counted(&stats);
    assert_eq!((done.state, stats.received, stats.workers), (State::Committed.into(), 21, 16));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: make soak"]
async fn a_stream_that_pauses_for_a_minute_goes_on() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::FullSnapshot).await;
    let (records, arriving) = mpsc::channel(16);
    let mut answers = payroll.stream(ReceiverStream::new(arriving)).await.unwrap();
    for worker in workers() {
        if worker.external_id == "E4" {
            tokio::time::sleep(std::time::Duration::from_secs(65)).await;
        }
        records.send(payroll.record(&run, upsert(worker))).await.unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap().outcome(), Outcome::Created);
    }
    drop(records);
    assert_eq!(answers.message().await.unwrap(), None);
    assert_eq!(payroll.try_finish(&run, 16).await.unwrap().state(), State::Committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_one_open_run_and_the_same_request_is_the_same_run() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let opening = payroll.opening(SyncMode::FullSnapshot);
    let first = payroll.try_open(opening.clone()).await.unwrap();
    assert_eq!(payroll.try_open(opening).await.unwrap().sync_run_id, first.sync_run_id);
    let second = payroll.try_open(payroll.opening(SyncMode::Delta)).await.unwrap_err();
    assert_eq!(reason(&second), (Code::FailedPrecondition, "RUN_OPEN".to_owned()));
    assert!(second.message().contains(&first.sync_run_id), "{second}");
    // Another source has its own.
    Payroll::new(&world, "time-clock").await.open(SyncMode::Delta).await;

    let path = format!("/api/v1/sync-runs/{}", first.sync_run_id);
    let dropped = world.office(None).post(&format!("{path}/drop"), json!({})).await.ok();
    assert_eq!(dropped["state"], "STATE_ABORTED");
    let late = payroll.try_send(&first.sync_run_id, workers().into_iter().map(upsert)).await.unwrap_err();
    assert_eq!(reason(&late), (Code::FailedPrecondition, "RUN_CLOSED".to_owned()));
    payroll.open(SyncMode::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_source_speaks_for_another() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let clock = Payroll::new(&world, "time-clock").await;
    let run = payroll.open(SyncMode::Delta).await;
    let in_its_name =
        CreateSyncRunRequest { source_id: "payroll".to_owned(), ..clock.opening(SyncMode::Delta) };
    let denied = (Code::PermissionDenied, "PERMISSION_DENIED".to_owned());
    assert_eq!(reason(&clock.try_open(in_its_name).await.unwrap_err()), denied);
    let sent = clock.try_send(&run, workers().into_iter().map(upsert)).await;
    assert_eq!(reason(&sent.unwrap_err()), denied);
    assert_eq!(reason(&clock.try_finish(&run, 0).await.unwrap_err()), denied);
    let nobody = Payroll::of_nobody(&world, "payroll").await;
    assert_eq!(reason(&nobody.watch("").await.unwrap_err()), denied);
    assert_eq!(reason(&nobody.try_send(&run, []).await.unwrap_err()), denied);
    assert_eq!(people(&world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_records_of_a_worker_the_greater_version_stands() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    let titled = |version: u64, title: &str| {
        upsert(Worker { source_version: version, job_title: title.to_owned(), ..workers()[0].clone() })
    };
    let outcomes = payroll.send(&run, [titled(2, "new"), titled(1, "old"), titled(2, "new")]).await;
    assert_eq!(outcomes, [Outcome::Created, Outcome::Stale, Outcome::Unchanged]);
    let listed = world.office(None).list("/api/v1/people", "people").await;
    assert_eq!(listed[0]["jobTitle"], "new");
    let done = payroll.try_finish(&run, 1).await.unwrap();
    assert_eq!((done.state(), done.stats.unwrap().workers), (State::Committed, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_is_refused_alone_and_says_what_is_wrong() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    let like = |key: &str| Worker {
        external_id: key.to_owned(),
        employee_number: key.to_owned(),
        ..workers()[0].clone()
    };
    let changes = [
        upsert(Worker { family_name: "x".repeat(10_000), email: "nowhere".to_owned(), ..like("long") }),
        upsert(Worker {
            given_name: "شهرزاد".to_owned(), family_name: "כהן".to_owned(), ..like("rtl")
        }),
        upsert(Worker { given_name: "Zo\u{200b}e\u{feff}".to_owned(), ..like("hidden") }),
        upsert(Worker { email: "\"o'hara, jo+hr\"@example.com".to_owned(), ..like("quoted") }),
        upsert(Worker { external_id: String::new(), hire_date: "2013-02-30".to_owned(), ..like("none") }),
        Change::Upsert(proto::hris::WorkerUpsert::default()),
        tombstone("rtl", 2, Kind::Unspecified),
    ];
    let answers = payroll.try_send(&run, changes).await.unwrap();
    let (created, rejected) = (Outcome::Created, Outcome::Rejected);
    let found: Vec<(Outcome, Vec<(&str, &str)>)> = answers
        .iter()
        .map(|answer| {
            let issues = answer.issues.iter().map(|issue| (issue.field.as_str(), issue.reason.as_str()));
            (answer.outcome(), issues.collect())
        })
        .collect();
    assert_eq!(
        found[0],
        (rejected, vec![("worker.family_name", "TOO_LONG"), ("worker.email", "NOT_AN_ADDRESS")])
    );
    assert_eq!(found[1], (created, vec![]));
    assert_eq!(found[2], (created, vec![("worker.given_name", "INVISIBLE_CHARACTER")]));
    assert_eq!(found[3], (created, vec![]));
    let both = vec![("worker.external_id", "MISSING_VALUE"), ("worker.hire_date", "INVALID_DATE")];
    assert_eq!(found[4], (rejected, both));
    assert_eq!(found[5], (rejected, vec![("worker", "MISSING_VALUE")]));
    assert_eq!(found[6], (rejected, vec![("tombstone.kind", "MISSING_VALUE")]));
    assert!(answers[0].person_id.is_empty() && !answers[1].person_id.is_empty());

    let issues = payroll.issues(&run).await;
    assert_eq!(issues.iter().filter(|issue| issue.refused).count(), 6, "{issues:#?}");
    assert!(issues.iter().all(|issue| !issue.issue.as_ref().unwrap().message.contains("xxx")));
    let named = issues.iter().find(|issue| issue.external_id == "hidden").unwrap();
    assert_eq!(
        (named.refused, named.issue.as_ref().unwrap().reason.as_str()),
        (false, "INVISIBLE_CHARACTER")
    );
    let done = payroll.try_finish(&run, 4).await.unwrap();
    let stats = done.stats.unwrap();
    counted(&stats);
    assert_eq!((stats.created, stats.rejected), (3, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_far_too_large_ends_the_stream_and_what_came_before_stands() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    let huge = Worker { job_title: "x".repeat(5 << 20), ..workers()[1].clone() };
    let records = [upsert(workers()[0].clone()), upsert(huge), upsert(workers()[2].clone())];
    let records = records.map(|change| payroll.record(&run, change));
    let mut answers = payroll.stream(futures::stream::iter(records)).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().outcome(), Outcome::Created);
    let refused = answers.message().await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "RECORD_TOO_LARGE".to_owned()));
    assert_eq!(people(&world).await, ["E1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_about_one_run_that_is_there() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    let other = "0193a1b2-0000-7000-8000-000000000001";
    let unknown = payroll.try_send(other, [upsert(workers()[0].clone())]).await.unwrap_err();
    assert_eq!(reason(&unknown), (Code::NotFound, "NOT_FOUND".to_owned()));
    let none = payroll.try_send("", [upsert(workers()[0].clone())]).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    let first = payroll.record(&run, upsert(workers()[0].clone()));
    let second = UpsertWorkersRequest { sync_run_id: other.to_owned(), ..first.clone() };
    let mixed = payroll.stream(futures::stream::iter([first, second])).await.unwrap();
    assert_eq!(payroll::all(mixed).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(payroll.try_send(&run, []).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let opening = CreateSyncRunRequest { dry_run: true, ..payroll.opening(SyncMode::FullSnapshot) };
    let run = payroll.try_open(opening).await.unwrap().sync_run_id;
    let answers = payroll.try_send(&run, workers().into_iter().map(upsert)).await.unwrap();
    assert!(answers.iter().all(|answer| answer.outcome() == Outcome::Created && answer.person_id.is_empty()));
    let done = payroll.try_finish(&run, 16).await.unwrap();
    assert_eq!((done.state(), done.stats.unwrap().created), (State::Committed, 16));
    assert_eq!(people(&world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_was_cut_off_is_aborted_and_one_too_small_is_held() {
    let world = World::new().await;
    let (payroll, office) = (Payroll::new(&world, "payroll").await, world.office(None));
    payroll.snapshot(&workers()).await;

    let run = payroll.open(SyncMode::FullSnapshot).await;
    payroll.send(&run, workers().into_iter().take(3).map(upsert)).await;
    let cut_off = payroll.try_finish(&run, 16).await.unwrap();
    assert_eq!((cut_off.state(), cut_off.stats.unwrap().left), (State::Aborted, 0), "{}", cut_off.detail);
    assert_eq!(people(&world).await.len(), 16);

    // Four of sixteen would leave.
    let without = |gone: &[&str]| -> Vec<Worker> {
        workers().into_iter().filter(|worker| !gone.contains(&worker.external_id.as_str())).collect()
    };
    let remaining = without(&["Y1", "Y2", "Y3", "Y4"]);
    let held = payroll.snapshot(&remaining).await;
    assert_eq!((held.state(), held.stats.unwrap().left), (State::Held, 4), "{}", held.detail);
    assert_eq!(people(&world).await.len(), 16);
    let path = format!("/api/v1/sync-runs/{}", held.sync_run_id);
    let hris = world.client(&identity::Caller::hris("payroll".parse().unwrap()));
    hris.post(&format!("{path}/release"), json!({})).await.refused(403, "PERMISSION_DENIED");
    let dropped = office.post(&format!("{path}/drop"), json!({})).await.ok();
    assert_eq!(dropped["state"], "STATE_ABORTED");
    assert_eq!(people(&world).await.len(), 16);

    let held = payroll.snapshot(&remaining).await;
    let path = format!("/api/v1/sync-runs/{}", held.sync_run_id);
    let released = office.post(&format!("{path}/release"), json!({})).await.ok();
    assert_eq!((&released["state"], &released["stats"]["left"]), (&json!("STATE_COMMITTED"), &json!("4")));
    assert_eq!(people(&world).await.len(), 12);
    let one_more = payroll.snapshot(&without(&["Y1", "Y2", "Y3", "Y4", "Y5"])).await;
    assert_eq!((one_more.state(), one_more.stats.unwrap().left), (State::Committed, 1));
    let listed = office.list("/api/v1/sync-runs", "syncRuns").await;
    assert_eq!(listed.len(), 5);
    assert_eq!(listed[0]["syncRunId"], one_more.sync_run_id.as_str());
}
