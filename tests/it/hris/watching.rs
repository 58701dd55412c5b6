//! What HR systems are told back.

use proto::hris::watch_workers_response::Event;
use proto::hris::worker_tombstone::Kind;
use proto::hris::{SyncMode, WatchWorkersResponse};
use tonic::{Code, Streaming};

use super::payroll::{Payroll, tombstone, upsert, workers};
use super::reason;
use crate::company::Company;
use crate::world::World;

/// An event in short: `+key` takes part, `-key` does not, `!key` is gone, `.` ends the snapshot, `~` is a heartbeat.
fn short(response: &WatchWorkersResponse) -> String {
    match response.event.as_ref().unwrap() {
        Event::Changed(worker) if worker.participating => format!("+{}", worker.external_id),
        Event::Changed(worker) => format!("-{}", worker.external_id),
        Event::Removed(worker) => format!("!{}", worker.external_id),
        Event::SnapshotComplete(_) => ".".to_owned(),
        Event::Heartbeat(_) => "~".to_owned(),
    }
}

/// Reads up to an event, and answers with all before it and the last token.
async fn until(feed: &mut Streaming<WatchWorkersResponse>, last: &str) -> (Vec<String>, String) {
    let mut told = Vec::new();
    loop {
        let response = feed.message().await.unwrap().expect("the feed goes on");
        let event = short(&response);
        if event == last {
            return (told, response.resume_token);
        }
        if event != "~" {
            told.push(event);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_followed_by_whoever_comes_and_goes() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    payroll.snapshot(&workers()[..4]).await;
    let mut feed = payroll.watch("").await.unwrap();
    let (told, midway) = until(&mut feed, "-E3").await;
    assert_eq!(told, ["-E1", "-E2"]);
    let mut rest = payroll.watch(&midway).await.unwrap();
    assert_eq!(until(&mut rest, ".").await.0, ["-H1"]);
    let (told, complete) = until(&mut feed, ".").await;
    assert_eq!(told, ["-H1"]);

    let run = payroll.open(SyncMode::Delta).await;
    payroll.send(&run, [upsert(workers()[4].clone())]).await;
    payroll.send(&run, [tombstone("H1", 2, Kind::Left)]).await;
    assert_eq!(until(&mut feed, "!H1").await.0, ["-E4"]);
    // The changes of one batch come in no particular order, those of two in theirs.
    payroll.send(&run, [tombstone("E4", 2, Kind::Erased)]).await;
    payroll.send(&run, [tombstone("E3", 2, Kind::Rescinded)]).await;
    let (told, token) = until(&mut feed, "!E3").await;
    assert_eq!(told, ["!E4"]);

    // Whoever was away is told how it stands, from where they were.
    drop(feed);
    let mut later = payroll.watch(&complete).await.unwrap();
    assert_eq!(until(&mut later, "!E3").await.0, ["!H1", "!E4"]);
    let mut again = payroll.watch(&token).await.unwrap();
    payroll.send(&run, [upsert(proto::hris::Worker { source_version: 3, ..workers()[3].clone() })]).await;
    assert_eq!(until(&mut again, "-H1").await.0, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_and_ceases_to_take_part_is_told() {
    let world = World::new().await;
    Payroll::new(&world, "payroll").await.snapshot(&workers()).await;
    // The programme office's own roster lists the same people.
    let company = Company::draft_in(world).await;
    let payroll = Payroll::of(&company.world, "payroll").await;
    let mut feed = payroll.watch("").await.unwrap();
    let (told, _) = until(&mut feed, ".").await;
    assert_eq!((told.len(), told.iter().filter(|event| event.starts_with('+')).count()), (16, 0));

    company.office().post(&format!("{}/open", company.path()), serde_json::json!({})).await.ok();
    let mut executives = Vec::new();
    while executives.len() < 4 {
        let response = feed.message().await.unwrap().unwrap();
        executives.push(short(&response));
    }
    executives.sort();
    assert_eq!(executives, ["+E1", "+E2", "+E3", "+H1"]);
    let application = company.apply("Y1").await;
    let (told, token) = until(&mut feed, "+Y1").await;
    assert_eq!(told, Vec::<String>::new());
    let path = format!("{}/applications/{application}/withdraw", company.path());
    company.person("Y1").post(&path, serde_json::json!({})).await.ok();
    assert_eq!(until(&mut feed, "-Y1").await.0, Vec::<String>::new());
    let mut resumed = payroll.watch(&token).await.unwrap();
    assert_eq!(until(&mut resumed, "-Y1").await.0, Vec::<String>::new());

    let compared = company.world.replay().await;
    let differing: Vec<_> = compared.iter().filter(|table| !table.agrees()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    let rows = compared.iter().find(|table| table.table == "enrollment.participations").unwrap().rows;
    assert_eq!(rows, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hears_nothing_new_hears_a_heartbeat() {
    let world = World::with(&["--watch-heartbeat-seconds=1"]).await;
    let payroll = Payroll::new(&world, "payroll").await;
    let mut feed = payroll.watch("").await.unwrap();
    let (told, _) = until(&mut feed, ".").await;
    assert_eq!(told, Vec::<String>::new());
    let (_, token) = until(&mut feed, "~").await;
    let mut resumed = payroll.watch(&token).await.unwrap();
    until(&mut resumed, "~").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_holds_for_a_month_and_for_its_own_source() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let mut feed = payroll.watch("").await.unwrap();
    let (_, token) = until(&mut feed, ".").await;
    let other = Payroll::new(&world, "time-clock").await;
    assert_eq!(other.watch(&token).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(payroll.watch("no token").await.unwrap_err().code(), Code::InvalidArgument);

    world.set_clock("2013-09-10T07:00:00Z").await;
    payroll.watch(&token).await.unwrap();
    world.set_clock("2013-09-12T07:00:00Z").await;
    let refused = payroll.watch(&token).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::OutOfRange, "TOKEN_TOO_OLD".to_owned()));
}
