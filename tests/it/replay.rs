//! Every read model is a fold of the events, and a replay proves it.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use crate::company::Company;
use crate::crash::{Folder, Running, program};

#[tokio::test(flavor = "multi_thread")]
async fn every_read_model_equals_a_replay_and_a_tampered_one_does_not() {
    let company = Company::running().await;
    let compared = company.world.replay().await;
    let differing: Vec<_> = compared.iter().filter(|table| !table.agrees()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    let rows: i64 = compared.iter().map(|table| table.rows).sum();
    assert!(rows > 100, "there is something to compare: {rows} rows");

    let pool = company.world.database.pool("analytics");
    sqlx::query("update sessions set month = 7 where month = 6").execute(&pool).await.unwrap();
    let compared = company.world.replay().await;
    let differing: Vec<_> =
        compared.iter().filter(|table| !table.agrees()).map(|table| table.table.as_str()).collect();
    assert_eq!(differing, ["analytics.sessions"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_services_role_can_neither_change_nor_delete_an_event() {
    let company = Company::open().await;
    for service in ["enrollment", "matching", "sessions", "analytics", "notifications"] {
        let pool = company.world.database.pool(service);
        for statement in [
            "update eventlog.events set version = 9",
            "delete from eventlog.events",
            "truncate eventlog.events",
        ] {
            let refused = sqlx::query(statement).execute(&pool).await.unwrap_err();
            assert_eq!(
                refused.as_database_error().unwrap().code().unwrap(),
                "42501",
                "{service}: {statement}"
            );
        }
        let other = if service == "matching" { "sessions.series" } else { "matching.tandems" };
        let peeked = sqlx::query(sqlx::AssertSqlSafe(format!("select * from {other}"))).execute(&pool).await;
        assert_eq!(
            peeked.unwrap_err().as_database_error().unwrap().code().unwrap(),
            "42501",
            "{service} reads {other}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_beside_the_system_relays_nothing() {
    let data = Folder::new("unrelayed");
    let running = Running::start_with(&data.0, &[]).await;
    let broker = TcpListener::bind("127.0.0.1:0").unwrap();
    broker.set_nonblocking(true).unwrap();
    let url = format!("nats://{}", broker.local_addr().unwrap());
    for work in ["--check", "--rebuild analytics"] {
        let mut replay = program(&format!("replay {work} --data-dir={}", data.0.display()));
        let replayed = replay.env("UPDRAFT_NATS_URL", &url).output().unwrap();
        assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
        assert_eq!(broker.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{work}");
    }
    running.terminate(Duration::from_secs(30)).await;
}
