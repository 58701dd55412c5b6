//! Snapshots: used where they fit, never believed where they do not.

use eventlog::{Aggregate, Context, Corrupt, Draft, Journal, Recorded, Snapshots, Wake};
use sqlx::AssertSqlSafe;

use crate::counter::{Add, Added, Counter, Overflow, context, stream};
use crate::support::Database;

/// A counter that keeps a snapshot every ten events, in a schema version that a test can choose.
struct Tally<const SCHEMA: i16>;

impl<const SCHEMA: i16> Aggregate for Tally<SCHEMA> {
    const KIND: &'static str = "tally";
    const SNAPSHOTS: Option<Snapshots<i64>> = Some(Snapshots::json(SCHEMA, 10));
    type State = i64;
    type Command = Add;
    type Event = Added;
    type Rejection = Overflow;

    fn decide(state: &i64, command: &Add) -> Result<Vec<Added>, Overflow> {
        Counter::decide(state, command)
    }

    fn evolve(state: &mut i64, event: &Added) {
        Counter::evolve(state, event);
    }

    fn encode(event: &Added) -> Draft {
        Counter::encode(event)
    }

    fn decode(event: &Recorded) -> Result<Added, Corrupt> {
        Counter::decode(event)
    }
}

/// A tally of twelve, with its snapshot, which is written in the background.
async fn tally_of_twelve() -> (Database, Journal<()>) {
    let database = Database::create().await;
    let journal = Journal::new(database.pool.clone(), Wake::default(), ());
    journal.execute::<Tally<1>>(&context(), stream(1), Add(vec![1; 12])).await.unwrap();
    assert_eq!(journal.load::<Tally<1>>(stream(1)).await.unwrap(), (12, 12));
    while snapshots(&database).await.is_empty() {}
    (database, journal)
}

async fn snapshots(database: &Database) -> Vec<(i16, i64)> {
    let kept = "select schema_version, version from eventlog.snapshots order by schema_version";
    sqlx::query_as(kept).fetch_all(&database.pool).await.unwrap()
}

#[tokio::test]
async fn a_long_stream_is_loaded_from_its_snapshot_and_the_events_after_it() {
    let (database, journal) = tally_of_twelve().await;
    assert_eq!(snapshots(&database).await, [(1, 12)]);
    // So that it shows where the state comes from.
    sqlx::query("update eventlog.snapshots set state = '1000'").execute(&database.pool).await.unwrap();
    let context = Context { expected_version: Some(12), ..context() };
    let receipt = journal.execute::<Tally<1>>(&context, stream(1), Add(vec![1, 1])).await.unwrap();
    assert_eq!(receipt.version, 14);
    assert_eq!(journal.load::<Tally<1>>(stream(1)).await.unwrap(), (1002, 14));
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_the_log_or_the_program_is_not_used() {
    let (database, journal) = tally_of_twelve().await;
    let changes = [
        "state = 'no JSON'",
        "state = '1000', position = position - 1",
        "state = '1000', version = 5",
        "state = '1000', version = 99, position = 99",
    ];
    for change in changes {
        let change = format!("update eventlog.snapshots set {change}");
        sqlx::query(AssertSqlSafe(change.clone())).execute(&database.pool).await.unwrap();
        assert_eq!(journal.load::<Tally<1>>(stream(1)).await.unwrap(), (12, 12), "{change}");
    }
    assert_eq!(journal.load::<Tally<2>>(stream(1)).await.unwrap(), (12, 12));
    while snapshots(&database).await.len() < 2 {}
    sqlx::query("delete from eventlog.snapshots").execute(&database.pool).await.unwrap();
    assert_eq!(journal.load::<Tally<1>>(stream(1)).await.unwrap(), (12, 12));
}

#[tokio::test]
async fn a_stream_whose_kind_keeps_none_has_none() {
    let database = Database::create().await;
    let journal = Journal::new(database.pool.clone(), Wake::default(), ());
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 100])).await.unwrap();
    journal.load::<Counter>(stream(1)).await.unwrap();
    journal.execute::<Tally<1>>(&context(), stream(1), Add(vec![1; 9])).await.unwrap();
    journal.load::<Tally<1>>(stream(1)).await.unwrap();
    assert_eq!(snapshots(&database).await, []);
}
