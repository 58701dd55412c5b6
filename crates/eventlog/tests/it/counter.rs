//! The aggregate of the tests: a counter that may not go beyond a limit.

use std::collections::BTreeMap;

use eventlog::{Aggregate, BoxError, Context, Corrupt, Draft, Follower, Recorded, Views};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

/// The most a counter may reach.
pub(crate) const LIMIT: i64 = 1_000_000;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Added {
    #[prost(int64, tag = "1")]
    pub(crate) amount: i64,
}

impl prost::Name for Added {
    const NAME: &'static str = "Added";
    const PACKAGE: &'static str = "updraft.tests.v1";
}

/// Adds the amounts, one event each; amounts of zero change nothing.
#[derive(Clone, Debug)]
pub(crate) struct Add(pub(crate) Vec<i64>);

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the counter would go beyond its limit")]
pub(crate) struct Overflow;

pub(crate) struct Counter;

impl Aggregate for Counter {
    const KIND: &'static str = "counter";
    type State = i64;
    type Command = Add;
    type Event = Added;
    type Rejection = Overflow;

    fn decide(state: &i64, Add(amounts): &Add) -> Result<Vec<Added>, Overflow> {
        if state + amounts.iter().sum::<i64>() > LIMIT {
            return Err(Overflow);
        }
        Ok(amounts.iter().filter(|amount| **amount != 0).map(|amount| Added { amount: *amount }).collect())
    }

    fn evolve(state: &mut i64, event: &Added) {
        *state += event.amount;
    }

    fn encode(event: &Added) -> Draft {
        Draft::of(event)
    }

    fn decode(event: &Recorded) -> Result<Added, Corrupt> {
        event.read()
    }
}

/// The same counter in streams of another kind: what a follower answers with.
pub(crate) struct Echo;

impl Aggregate for Echo {
    const KIND: &'static str = "echo";
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

/// The total of each counter, kept in the transaction of the append.
#[derive(Clone, Debug)]
pub(crate) struct Totals;

impl Views for Totals {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut totals: BTreeMap<Uuid, i64> = BTreeMap::new();
        for event in events {
            *totals.entry(event.stream.id).or_default() += event.read::<Added>()?.amount;
        }
        sqlx::query(
            "insert into matching.totals as t (id, total) select * from unnest($1::uuid[], $2::bigint[])
             on conflict (id) do update set total = t.total + excluded.total",
        )
        .bind(totals.keys().copied().collect::<Vec<_>>())
        .bind(totals.values().copied().collect::<Vec<_>>())
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Notes every event that it is given.
pub(crate) struct Noting(pub(crate) &'static str);

impl Follower for Noting {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.0, conn, events).await
    }
}

pub(crate) async fn note(
    follower: &str,
    conn: &mut PgConnection,
    events: &[Recorded],
) -> Result<(), BoxError> {
    sqlx::query(
        "insert into matching.seen (follower, position, stream, version)
         select $1, * from unnest($2::bigint[], $3::uuid[], $4::bigint[])",
    )
    .bind(follower)
    .bind(events.iter().map(|event| event.position).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.stream.id).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.version).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// A stream id that no other test has: the tests mint nothing, so they count.
pub(crate) fn stream(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn context() -> Context {
    Context {
        now: Timestamp::from_second(1_378_000_000).unwrap(),
        actor: Some(Uuid::from_u128(7)),
        idempotency: None,
        expected_version: None,
    }
}
