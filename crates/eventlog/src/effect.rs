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
    let mut reacting = (0..events.len()).filter(|at| follower.reacts_to(&events[*at])).peekable();
    while taken.count < events.len() {
        let mut answered = Vec::new();
        let mut end = events.len();
        while let Some(at) = reacting.next() {
            answered.push(&events[at]);
            end = at + 1;
            if !reacting.peek().is_some_and(|next| follower.is_answered_with(&events[at], &events[*next])) {
                break;
            }
        }
        let run = &events[taken.count..end];
        taken.count = end;
        let effect = AssertUnwindSafe(affect(follower, conn, run, &answered)).catch_unwind().await;
        let effect = effect.unwrap_or_else(|_| Err("it panicked".into()));
        effect.map_err(|source| failed(taken.count, &events[end - 1], source))?;
        taken.reacted |= !answered.is_empty();
        if begun.elapsed() > PAGE_TIME {
            break;
        }
    }
    Ok(taken)
}

/// Projects a run and reacts to what is answered of it, each in the trace of what it is for.
async fn affect<F: Follower>(
    follower: &F,
    conn: &mut PgConnection,
    run: &[Recorded],
    answered: &[&Recorded],
) -> Result<(), BoxError> {
    let name = follower.name();
    follower.project(conn, run).instrument(span(name, run)).await?;
    let traced = || span(name, answered.iter().copied());
    match answered {
        [] => Ok(()),
        [event] => follower.react(conn, event).instrument(traced()).await,
        events => follower.react_together(conn, events).instrument(traced()).await,
    }
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
