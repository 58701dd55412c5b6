//! The watermark: up to which position the log can no longer change.
//!
//! A position is taken at insert and becomes visible at commit. A reader that simply asks for what comes after the last
//! position it saw would lose whatever commits late.

use std::collections::HashMap;

use sqlx::{PgConnection, PgExecutor};

use crate::Error;

/// The position up to which the log can no longer change, as it was written down last.
///
/// Whoever reads events up to it in a later statement, on this server or on a replica, misses none.
///
/// # Errors
///
/// [`Error::Database`] if the query fails.
pub async fn settled(executor: impl PgExecutor<'_>) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("select position from eventlog.watermark").fetch_one(executor).await?)
}

/// Writes down how far the log is settled, unless somebody else has written more.
///
/// The position is one of an event, not of a number that was given up: a crash can make the server give those out again. The
/// commit need not wait for the disk, as what survives of it comes after what survives of the event.
pub(crate) async fn write_down(conn: &mut PgConnection, position: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update eventlog.watermark set position = $1
         from (select set_config('synchronous_commit', 'off', true)) as commit
         where position < $1",
    )
    .bind(position)
    .execute(conn)
    .await
    .map(drop)
}

/// What one look at the log found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    /// The last position that any transaction has taken.
    pub(crate) taken: i64,
    /// Up to here every position is committed or burnt.
    pub(crate) settled: i64,
}

/// The last position that any transaction has taken.
pub(crate) async fn taken(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select case when is_called then last_value else 0 end from eventlog.events_position_seq",
    )
    .fetch_one(conn)
    .await
}

/// The transactions that may have taken positions and have not ended.
///
/// An insert locks the table before it takes a position, and gives the lock back after its commit has become visible. A
/// transaction keeps its name until then, unless it is prepared for a commit in two phases, which nobody does here.
pub(crate) async fn in_flight(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
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
#[derive(Debug)]
pub(crate) struct Watermark {
    /// The last position taken as of the previous round, and in the first one the position up to which the log was settled
    /// before: what is in flight now has taken none up to there.
    taken: i64,
    /// For each transaction in flight, a position above which all of its own are.
    floors: HashMap<String, i64>,
}

impl Watermark {
    /// Begins where the log was settled before; with 0, nothing is until every transaction of the first round has ended.
    pub(crate) fn begin(settled: i64) -> Self {
        Self { taken: settled, floors: HashMap::new() }
    }

    /// Looks once.
    ///
    /// The statements are not one: each has to see what there is when it runs, in this order.
    pub(crate) async fn look(&mut self, conn: &mut PgConnection) -> sqlx::Result<Round> {
        let taken = taken(conn).await?;
        let in_flight = in_flight(conn).await?;
        Ok(Round { taken, settled: self.advance(taken, in_flight) })
    }

    /// Takes a round in and answers with the position up to which the log is settled.
    ///
    /// `taken` must have been read before `in_flight`: then a position up to `taken` whose transaction is not in flight
    /// is committed or will never be used. The other way round, a transaction could take a position in between.
    pub(crate) fn advance(&mut self, taken: i64, in_flight: Vec<String>) -> i64 {
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
mod mutation;

#[cfg(test)]
mod tests {
    use super::*;

    fn transactions(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_safe_until_the_transactions_of_the_first_round_have_ended() {
        let mut watermark = Watermark::begin(0);
        assert_eq!(watermark.advance(7, transactions(&["3/1", "4/1"])), 0);
        assert_eq!(watermark.advance(9, transactions(&["4/1"])), 0);
        assert_eq!(watermark.advance(9, transactions(&[])), 9);
    }

    #[test]
    fn what_was_settled_before_is_safe_beside_transactions_that_are_in_flight_at_the_start() {
        let mut watermark = Watermark::begin(6);
        assert_eq!(watermark.advance(9, transactions(&["3/1"])), 6);
        assert_eq!(watermark.advance(12, transactions(&["4/1"])), 9);
    }

    #[test]
    fn a_transaction_first_seen_now_holds_back_what_was_taken_since_the_previous_round() {
        let mut watermark = Watermark::begin(0);
        assert_eq!(watermark.advance(5, transactions(&[])), 5);
        assert_eq!(watermark.advance(8, transactions(&["3/1"])), 5);
        assert_eq!(watermark.advance(12, transactions(&["3/1", "4/1"])), 5);
        assert_eq!(watermark.advance(15, transactions(&["4/1"])), 8);
        assert_eq!(watermark.advance(15, transactions(&[])), 15);
    }
}
