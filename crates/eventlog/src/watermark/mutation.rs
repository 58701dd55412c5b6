//! The order of the two looks is what everything rests on: the other way round, the same race loses events.

use std::collections::BTreeSet;
use std::time::Duration;

use boot::scratch::{self, Scratch};
use futures::future::join_all;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use super::{Round, Watermark, in_flight, taken};
use crate::{BoxError, read};

#[path = "../../tests/it/hammer.rs"]
#[expect(dead_code, reason = "a part of it serves here")]
mod hammer;

use hammer::{AT_ONCE, hammer};

const WRITERS: u64 = 16;
const RACE_TIME: Duration = Duration::from_secs(3);

/// In which order the watermark looks.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// As it should.
    TakenFirst,
    /// A transaction can take a position and not yet have ended, without having been seen in flight.
    InFlightFirst,
}

async fn look(order: Order, watermark: &mut Watermark, conn: &mut PgConnection) -> Round {
    match order {
        Order::TakenFirst => watermark.look(conn).await.unwrap(),
        Order::InFlightFirst => {
            let in_flight = in_flight(conn).await.unwrap();
            let taken = taken(conn).await.unwrap();
            Round { taken, settled: watermark.advance(taken, in_flight) }
        }
    }
}

async fn database() -> (Scratch, PgPool) {
    let fill = async |database: &boot::database::Database| {
        crate::migrate(&database.pool("eventlog")).await.map_err(BoxError::from)
    };
    let scratch = scratch::database("watermark", fill).await.unwrap();
    let options = scratch.admin_options().username("updraft_matching");
    let pool = PgPoolOptions::new().max_connections(24).connect_lazy_with(options);
    (scratch, pool)
}

/// Follows the log while many write, and answers with how many events there are and how many were lost.
async fn race(order: Order) -> (usize, usize) {
    let (_scratch, pool) = database().await;
    let writers = join_all((0..WRITERS).map(|writer| hammer(pool.clone(), writer, RACE_TIME, AT_ONCE)));
    let mut writers = tokio::spawn(writers);
    let mut conn = pool.acquire().await.unwrap();
    let (mut watermark, mut reached, mut seen) = (Watermark::begin(0), 0, BTreeSet::new());
    let mut writing = true;
    while writing {
        // One more look after the last commit.
        writing = !writers.is_finished();
        let Round { settled, .. } = look(order, &mut watermark, &mut conn).await;
        let events = read(&mut *conn, reached, Some(settled), i64::MAX).await.unwrap();
        seen.extend(events.into_iter().map(|event| event.position));
        reached = settled;
    }
    (&mut writers).await.unwrap();
    let recorded: BTreeSet<i64> = sqlx::query_scalar("select position from eventlog.events")
        .fetch_all(&mut *conn)
        .await
        .unwrap()
        .into_iter()
        .collect();
    let lost = recorded.difference(&seen).count();
    println!("{order:?}: {lost} of {} events lost", recorded.len());
    (recorded.len(), lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_race_loses_nothing_if_it_looks_at_the_positions_first() {
    let (recorded, lost) = race(Order::TakenFirst).await;
    assert!(recorded > 500, "{recorded} events are no race");
    assert_eq!(lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_race_loses_events_if_it_looks_at_the_positions_last() {
    let (_, lost) = race(Order::InFlightFirst).await;
    assert!(lost > 0, "the race does not find the mutation");
}

/// The one moment that the race waits for, made on purpose: an append begins between the two looks, and stays open.
async fn append_between_the_looks(order: Order) -> Vec<i64> {
    const APPEND: &str = "insert into eventlog.events
             (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
         values ('between', gen_random_uuid(), 1, gen_random_uuid(), 'Appended', 1, '', now())";
    let (_scratch, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut open = pool.begin().await.unwrap();
    let append = async |open: &mut PgConnection| sqlx::query(APPEND).execute(open).await.map(drop).unwrap();
    let mut watermark = Watermark::begin(0);
    watermark.look(&mut conn).await.unwrap();
    let (positions, transactions) = match order {
        Order::TakenFirst => {
            let taken = taken(&mut conn).await.unwrap();
            append(&mut open).await;
            (taken, in_flight(&mut conn).await.unwrap())
        }
        Order::InFlightFirst => {
            let transactions = in_flight(&mut conn).await.unwrap();
            append(&mut open).await;
            (taken(&mut conn).await.unwrap(), transactions)
        }
    };
    let mut seen = Vec::new();
    let first = watermark.advance(positions, transactions);
    seen.extend(read(&mut *conn, 0, Some(first), 10).await.unwrap());
    open.commit().await.unwrap();
    let second = watermark.look(&mut conn).await.unwrap().settled;
    seen.extend(read(&mut *conn, first, Some(second), 10).await.unwrap());
    seen.into_iter().map(|event| event.position).collect()
}

#[tokio::test]
async fn an_append_that_begins_between_the_looks_is_lost_only_in_the_wrong_order() {
    assert_eq!(append_between_the_looks(Order::TakenFirst).await, [1]);
    assert!(append_between_the_looks(Order::InFlightFirst).await.is_empty());
}
