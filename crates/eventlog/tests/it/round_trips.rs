//! What a command costs in round trips, counted on the wire: the server ends each with `ReadyForQuery`.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use eventlog::{Idempotency, Journal, Wake};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};

use crate::counter::{Add, Counter, Totals, context, stream};
use crate::support::Database;

/// A way to the server on which its `ReadyForQuery`s are counted.
struct Wire {
    pool: PgPool,
    round_trips: Arc<AtomicUsize>,
    folder: PathBuf,
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Wire {
    fn to(database: &Database) -> Self {
        let options = database.pool.connect_options();
        let file = format!(".s.PGSQL.{}", options.get_port());
        let socket = options.get_socket().unwrap().join(&file);
        let folder = std::env::temp_dir().join(format!("updraft-wire-{}", database.name()));
        fs::create_dir_all(&folder).unwrap();
        let listener = UnixListener::bind(folder.join(&file)).unwrap();
        let round_trips = Arc::<AtomicUsize>::default();
        tokio::spawn(forward(listener, socket, Arc::clone(&round_trips)));
        let options = options.as_ref().clone().socket(&folder);
        // One connection, so that a statement is prepared once.
        let pool =
            PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy_with(options);
        Self { pool, round_trips, folder }
    }

    async fn count(&self, work: impl Future<Output = ()>) -> usize {
        self.round_trips.store(0, Ordering::SeqCst);
        work.await;
        self.round_trips.load(Ordering::SeqCst)
    }
}

async fn forward(listener: UnixListener, socket: PathBuf, round_trips: Arc<AtomicUsize>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server_says, mut to_server) = UnixStream::connect(&socket).await.unwrap().into_split();
        let (mut client_says, to_client) = client.into_split();
        tokio::spawn(async move { copy(&mut client_says, &mut to_server).await });
        tokio::spawn(relay(server_says, to_client, Arc::clone(&round_trips)));
    }
}

/// Hands on message by message: a type of one byte, the length of the rest, and the rest.
///
/// An answer that is nothing but ready is the pool's, which so asks a connection that it gets back whether it is alive;
/// nobody waits for it.
async fn relay(
    mut server: impl AsyncRead + Unpin,
    mut client: impl AsyncWriteExt + Unpin,
    round_trips: Arc<AtomicUsize>,
) {
    let mut answers = false;
    while let Ok(kind) = server.read_u8().await {
        let length = server.read_u32().await.unwrap();
        let mut rest = vec![0; length as usize - 4];
        server.read_exact(&mut rest).await.unwrap();
        if kind == b'Z' && answers {
            round_trips.fetch_add(1, Ordering::SeqCst);
        }
        answers = kind != b'Z';
        let message = [&[kind][..], &length.to_be_bytes(), &rest].concat();
        if client.write_all(&message).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_command_is_a_load_and_an_append_and_no_more() {
    let database = Database::create().await;
    let wire = Wire::to(&database);
    let journal = Journal::new(wire.pool.clone(), Wake::default(), ());
    let command = async |number, key: Option<&str>| {
        let idempotency = key.map(|key| Idempotency {
            scope: "person".to_owned(),
            key: key.to_owned(),
            fingerprint: vec![1],
        });
        let context = eventlog::Context { idempotency, ..context() };
        journal.execute::<Counter>(&context, stream(number), Add(vec![1, 2])).await.unwrap();
    };
    // The first of each statement is prepared, and the first append with a key looks for old receipts.
    for key in [Some("warm"), None, Some("warmer"), None] {
        command(1, key).await;
    }
    assert_eq!(wire.count(command(2, None)).await, 2);
    assert_eq!(wire.count(command(3, Some("k"))).await, 2, "a key costs no round trip");
    assert_eq!(wire.count(command(3, Some("k"))).await, 1, "a repeated command is answered by the load");
}

#[tokio::test]
async fn inline_views_cost_their_transaction_and_a_statement_each_for_all_who_share_the_commit() {
    let database = Database::create().await;
    let wire = Wire::to(&database);
    let journal = Journal::new(wire.pool.clone(), Wake::default(), Totals);
    let command = async |number| {
        journal.execute::<Counter>(&context(), stream(number), Add(vec![1, 2])).await.unwrap();
    };
    command(1).await;
    let (load, begin, append, totals, commit) = (1, 1, 1, 1, 1);
    assert_eq!(wire.count(command(2)).await, load + begin + append + totals + commit);

    // As many loads, and far fewer commits.
    let many = async { drop(futures::future::join_all((10..74).map(command)).await) };
    let many = wire.count(many).await;
    assert!(many < 64 + 64, "64 commands took {many} round trips");
}
