//! Clients that go away in the midst: whoever comes next gets an answer of their own, and what they write stays.

use std::time::Duration;

use futures::future::join_all;
use futures::stream;
use proto::hris::{SyncMode, Worker};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use uuid::Uuid;

use super::payroll::{Payroll, upsert, workers};
use crate::world::World;

/// Workers that nobody knows yet, each round others.
fn some(round: u64) -> impl Iterator<Item = Worker> {
    let one = workers().remove(0);
    (0..100_u64).map(move |number| Worker {
        external_id: format!("{round}-{number}"),
        employee_number: format!("{round}-{number}"),
        email: format!("worker.{round}.{number}@example.com"),
        ..one.clone()
    })
}

/// A way to the service that ends when the task is told to.
async fn line(service: String) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let line = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut service = TcpStream::connect(service).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut service).await;
    });
    (address, line)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_in_the_midst_of_a_batch_leaves_the_next_caller_in_peace() {
    let world = World::new().await;
    let payroll = Payroll::new(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    let (office, elsewhere) = (world.office(None), world.database.pool("enrollment"));
    for round in 0..40 {
        let (address, line) = line(world.grpc().to_string()).await;
        let cut = Payroll::at(&world, "payroll", &address).await;
        let records: Vec<_> = some(round).map(|worker| cut.record(&run, upsert(worker))).collect();
        // Batch follows batch until the line is cut, wherever that is.
        let records = stream::iter(records).throttle(Duration::from_millis(1));
        let mut answers = cut.stream(records).await.unwrap();
        let answered = async { while let Ok(Some(_)) = answers.message().await {} };
        assert!(timeout(Duration::from_millis(20 + round), answered).await.is_err(), "it goes on");
        line.abort();
        for found in join_all((0..8).map(|_| payroll.find(&run))).await {
            assert_eq!(found.unwrap().sync_run_id, run);
        }
        let edition = json!({ "settings": crate::company::settings() });
        let written = join_all((0..4).map(|_| office.post("/api/v1/editions", edition.clone()))).await;
        let written: Vec<Uuid> = written.into_iter().map(|answer| answer.id().parse().unwrap()).collect();
        let kept: i64 = sqlx::query_scalar("select count(*) from editions where edition_id = any ($1)")
            .bind(&written)
            .fetch_one(&elsewhere)
            .await
            .unwrap();
        assert_eq!(kept, 4, "what is acknowledged is there for others");
    }
    let stats = payroll.try_finish(&run, 0).await.unwrap().stats.unwrap();
    super::counted(&stats);
    assert_eq!(super::people(&world).await.len(), usize::try_from(stats.created).unwrap());
}
