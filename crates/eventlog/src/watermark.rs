//! The watermark: up to which position the log can no longer change.
//!
//! A position is taken at insert and becomes visible at commit. A reader that simply asks for what comes after the last
//! position it saw would lose whatever commits late.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::Wake;

/// How long the watermark rests without a wake-up: the safety net for appends that nobody announced.
const POLL: Duration = Duration::from_millis(250);

/// How long it rests while an append is in flight, whose end nobody announces if it is rolled back.
const POLL_IN_FLIGHT: Duration = Duration::from_millis(10);

/// The least time between two rounds, so that a burst of commits does not become a burst of rounds.
const PAUSE: Duration = Duration::from_millis(2);

/// How long to leave a database alone that does not answer.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// Keeps the watermark up to date for all followers of the process.
pub(crate) async fn keep(pool: PgPool, wake: Wake, safe: watch::Sender<i64>) {
    let lag = telemetry::meter()
        .i64_gauge("eventlog.lag")
        .with_description(
            "Positions that are taken, but wait for an append in flight before they are delivered.",
        )
        .build();
    let mut watermark = Watermark::default();
    let mut connection = None;
    let mut away = false;
    loop {
        match round(&pool, &mut connection, &mut watermark).await {
            Ok(Round { taken, settled, last }) => {
                away = false;
                lag.record(taken - settled, &[]);
                safe.send_if_modified(|safe| {
                    let advanced = last > *safe;
                    *safe = last.max(*safe);
                    advanced
                });
                sleep(PAUSE).await;
                let rest = if settled < taken { POLL_IN_FLIGHT } else { POLL };
                // Running into the time limit is the safety net at work.
                let _ = timeout(rest, wake.signalled()).await;
            }
            Err(error) => {
                if !away {
                    tracing::error!(%error, "the event log is out of reach");
                }
                away = true;
                connection = None;
                // If the server has crashed, positions are taken anew that no commit had made lasting.
                watermark = Watermark::default();
                sleep(RECONNECT_PAUSE).await;
            }
        }
    }
}

/// What one look at the log found.
struct Round {
    /// The last position that any transaction has taken.
    taken: i64,
    /// Up to here every position is committed or burnt.
    settled: i64,
    /// The last event among the settled positions.
    ///
    /// Followers are told of this one: it is there for certain, while a burnt position can be taken again after a crash.
    last: i64,
}

/// Looks once.
///
/// The statements are not one: each has to see what there is when it runs, in this order.
async fn round(
    pool: &PgPool,
    connection: &mut Option<PoolConnection<Postgres>>,
    watermark: &mut Watermark,
) -> Result<Round, sqlx::Error> {
    let conn = match connection {
        Some(conn) => conn,
        None => connection.insert(pool.acquire().await?),
    };
    let taken = taken(conn).await?;
    let in_flight = in_flight(conn).await?;
    let settled = watermark.advance(taken, in_flight);
    let last = last_event(conn, settled).await?;
    Ok(Round { taken, settled, last })
}

/// The last position that any transaction has taken.
async fn taken(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select case when is_called then last_value else 0 end from eventlog.events_position_seq",
    )
    .fetch_one(conn)
    .await
}

/// The position of the last event up to this one.
async fn last_event(conn: &mut PgConnection, up_to: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.events where position <= $1")
        .bind(up_to)
        .fetch_one(conn)
        .await
}

/// The transactions that may have taken positions and have not ended.
///
/// An insert locks the table before it takes a position, and gives the lock back after its commit has become visible.
async fn in_flight(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select virtualtransaction
         from pg_catalog.pg_locks
         where locktype = 'relation'
           and database = (select oid from pg_catalog.pg_database where datname = current_database())
           and relation = 'eventlog.events'::regclass
           and mode = 'RowExclusiveLock'
           and granted",
    )
    .fetch_all(conn)
    .await
}

/// What is remembered from round to round, as long as the server does not go away: a transaction that was not in flight
/// in the previous round has taken no position up to then.
#[derive(Debug, Default)]
struct Watermark {
    /// The last position taken as of the previous round. As long as there was none, it is 0, and so nothing is safe
    /// until every transaction of the first round has ended: any position may be theirs.
    taken: i64,
    /// For each transaction in flight, a position above which all of its own are.
    floors: HashMap<String, i64>,
}

impl Watermark {
    /// Takes a round in and answers with the position up to which the log is settled.
    ///
    /// `taken` must have been read before `in_flight`: then a position up to `taken` whose transaction is not in flight
    /// is committed or will never be used. The other way round, a transaction could take a position in between.
    fn advance(&mut self, taken: i64, in_flight: Vec<String>) -> i64 {
        let before = std::mem::replace(&mut self.taken, taken);
        let floors = std::mem::take(&mut self.floors);
        self.floors = in_flight
            .into_iter()
            .map(|transaction| {
                let floor = floors.get(&transaction).copied().unwrap_or(before);
                (transaction, floor)
            })
            .collect();
        self.floors.values().copied().fold(taken, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transactions(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_safe_until_the_transactions_of_the_first_round_have_ended() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.advance(7, transactions(&["3/1", "4/1"])), 0);
        assert_eq!(watermark.advance(9, transactions(&["4/1"])), 0);
        assert_eq!(watermark.advance(9, transactions(&[])), 9);
    }

    #[test]
    fn a_transaction_first_seen_now_holds_back_what_was_taken_since_the_previous_round() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.advance(5, transactions(&[])), 5);
        assert_eq!(watermark.advance(8, transactions(&["3/1"])), 5);
        assert_eq!(watermark.advance(12, transactions(&["3/1", "4/1"])), 5);
        assert_eq!(watermark.advance(15, transactions(&["4/1"])), 8);
        assert_eq!(watermark.advance(15, transactions(&[])), 15);
    }
}
