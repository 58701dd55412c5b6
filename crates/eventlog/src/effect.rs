//! The effect of a page: run by run, and which event is to blame if it fails.

use std::error::Error as Cause;
use std::iter::successors;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tracing::{Instrument, Span};

use crate::{BoxError, Error, Follower, Recorded};

/// How long a transaction goes on taking events: while it is open, it holds back what its reactions have appended.
const PAGE_TIME: Duration = Duration::from_millis(50);

/// Why a page was not delivered.
pub(crate) enum Failure {
    /// The checkpoint is not as it was left: another process has the lease, or the answer to a commit did not arrive.
    Moved,
    /// The follower could not take in the first so many events of the page, the last of which is named.
    Events { count: usize, position: i64, name: String, source: BoxError },
    /// The log is out of reach.
    Log(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Log(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

/// What was done with a page.
pub(crate) struct Taken {
    /// How many of its events were taken in.
    pub(crate) count: usize,
    /// Whether the follower has reacted to one of them, and so may have appended others.
    pub(crate) reacted: bool,
}

/// Takes in the events of a page as long as its time lasts.
///
/// A run of events is taken in at once; it ends with an event that the follower reacts to and does not answer with the next one.
pub(crate) async fn take_in<F: Follower>(
    follower: &F,
    conn: &mut PgConnection,
    events: &[Recorded],
) -> Result<Taken, Failure> {
    let begun = Instant::now();
    let mut taken = Taken { count: 0, reacted: false };
    while let Some(run) = next_run(follower, &events[taken.count..]) {
        let Some(end) = run.last() else { break };
        taken.count += run.len();
        let effect = AssertUnwindSafe(affect(follower, conn, run)).catch_unwind().await;
        let effect = effect.unwrap_or_else(|_| Err("it panicked".into()));
        taken.reacted |= effect.map_err(|source| failed(taken.count, end, source))?;
        if begun.elapsed() > PAGE_TIME {
            break;
        }
    }
    Ok(taken)
}

/// The events up to the first one that is answered before the next is taken in; all of them if there is none.
fn next_run<'e, F: Follower>(follower: &F, events: &'e [Recorded]) -> Option<&'e [Recorded]> {
    let mut answered: Option<(usize, &Recorded)> = None;
    for (index, event) in events.iter().enumerate().filter(|(_, event)| follower.reacts_to(event)) {
        match answered {
            Some((last, before)) if !follower.is_answered_with(before, event) => {
                return events.get(..=last);
            }
            _ => answered = Some((index, event)),
        }
    }
    let end = answered.map_or(events.len(), |(last, _)| last + 1);
    events.get(..end).filter(|run| !run.is_empty())
}

/// Projects a run and reacts to what is to be answered in it, each in the trace of what it is for; tells whether it has reacted.
async fn affect<F: Follower>(
    follower: &F,
    conn: &mut PgConnection,
    run: &[Recorded],
) -> Result<bool, BoxError> {
    let name = follower.name();
    follower.project(conn, run).instrument(span(name, run)).await?;
    let answered: Vec<&Recorded> = run.iter().filter(|event| follower.reacts_to(event)).collect();
    let span = span(name, answered.iter().copied());
    match answered.as_slice() {
        [] => return Ok(false),
        [event] => follower.react(conn, event).instrument(span).await?,
        events => follower.react_together(conn, events).instrument(span).await?,
    }
    Ok(true)
}

fn span<'e>(follower: &'static str, events: impl IntoIterator<Item = &'e Recorded>) -> Span {
    let traceparents = events.into_iter().filter_map(|event| event.meta.traceparent.as_deref());
    telemetry::follow_span(follower, traceparents)
}

/// Blames the events, unless it was the connection that failed.
fn failed(count: usize, end: &Recorded, source: BoxError) -> Failure {
    let mut causes = successors(Some(&*source as &(dyn Cause + 'static)), |error| (**error).source());
    if causes.any(|error| error.downcast_ref().is_some_and(is_disconnected)) {
        return Failure::Log(Error::View { name: end.name.clone(), source });
    }
    Failure::Events { count, position: end.position, name: end.name.clone(), source }
}

fn is_disconnected(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        _ => false,
    }
}
