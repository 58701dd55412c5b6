use std::io;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gateway::Services;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{World, refused, send};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct Served {
    serving: JoinHandle<io::Result<()>>,
    shutdown: CancellationToken,
    client: TcpStream,
}

/// A server, and a client that has connected and sent nothing yet.
async fn served() -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let shutdown = CancellationToken::new();
    let router = Router::new().route("/", get(async || "here"));
    let serving = tokio::spawn(gateway::serve(listener, router, shutdown.clone()));
    Served { serving, shutdown, client }
}

async fn answer(client: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let length = client.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn an_idle_browser_does_not_hold_up_the_end() {
    let Served { serving, shutdown, mut client } = served().await;
    client.write_all(REQUEST).await.unwrap();
    assert!(answer(&mut client).await.starts_with("HTTP/1.1 200"));
    let silent = TcpStream::connect(client.peer_addr().unwrap()).await.unwrap();
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(2), serving).await.expect("a prompt end").unwrap().unwrap();
    assert_eq!(answer(&mut client).await, "", "the connection is closed");
    drop(silent);
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_the_end_for_long() {
    let Served { serving, shutdown, mut client } = served().await;
    client.write_all(&REQUEST[..20]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(15), serving).await.expect("an end").unwrap().unwrap();
}

#[tokio::test]
async fn who_never_sends_the_head_of_a_request_is_cut_off() {
    let Served { mut client, .. } = served().await;
    client.write_all(&REQUEST[..20]).await.unwrap();
    let cut_off = tokio::time::timeout(Duration::from_secs(15), answer(&mut client)).await;
    assert!(!cut_off.expect("cut off").contains("200"));
}

#[tokio::test]
async fn a_service_whose_connection_breaks_is_away_and_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            // The call arrives and the service goes.
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 4096];
            let _ = connection.read(&mut bytes).await;
        }
    });
    let world = World::with(|_, services| *services = Services::at(address)).await;
    for _ in 0..5 {
        let answer = refused(world.get("/api/v1/people"), 503, "UNAVAILABLE").await;
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

#[tokio::test]
async fn an_answer_is_for_one_person_and_for_our_own_pages() {
    let world = World::start().await;
    world.answers("ListPeople", serde_json::json!({"people": []}));
    let answer = send(world.get("/api/v1/people")).await;
    assert_eq!(answer.headers["vary"], "Authorization, Cookie");
    assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
}
