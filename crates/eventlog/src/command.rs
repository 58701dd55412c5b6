//! What a service implements to decide, what it passes in, and what it gets back.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{BoxError, Corrupt, Draft, Error, Recorded, Snapshots};

/// The rules of one kind of stream, together with the codec of its events.
///
/// Both `decide` and `evolve` are pure: what they need of the world comes with the command.
pub trait Aggregate {
    /// The kind of its streams, stored with each event: never changed.
    const KIND: &'static str;
    /// How the state of a long stream is kept; without, every event is folded each time.
    const SNAPSHOTS: Option<Snapshots<Self::State>> = None;
    /// What the events so far amount to.
    type State: Default + Send + Sync;
    /// What may be asked.
    type Command: Send + Sync;
    /// What can happen.
    type Event: Send + Sync;
    /// Why a command is refused, fit for the caller.
    type Rejection: Send + std::error::Error;

    /// Decides what happens on a command; no event means that it is done already.
    ///
    /// # Errors
    ///
    /// The rejection, if a rule forbids the command in this state.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Takes an event into the state.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// Turns an event into the message to be stored.
    fn encode(event: &Self::Event) -> Draft;

    /// Turns a stored message back into the event.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] if it is none of this kind's messages, or lacks a field.
    fn decode(event: &Recorded) -> Result<Self::Event, Corrupt>;
}

/// The read models of a service, kept in the transaction that appends.
///
/// A commit carries the events of many callers, so a view writes them set by set: see [`Patches`](crate::Patches).
pub trait Views: Clone + Send + Sync + 'static {
    /// Whether there are any; without, an append is a single statement.
    const INLINE: bool = true;

    /// Takes the service's own events into its tables, in the order of the log.
    ///
    /// # Errors
    ///
    /// Any error makes the append fail and nothing is recorded.
    fn apply(
        &self,
        conn: &mut PgConnection,
        events: &[Recorded],
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// No read models.
impl Views for () {
    const INLINE: bool = false;

    async fn apply(&self, _: &mut PgConnection, _: &[Recorded]) -> Result<(), BoxError> {
        Ok(())
    }
}

/// What a command brings along besides itself.
#[derive(Clone, Debug)]
pub struct Context {
    /// The business time at which its events are recorded.
    pub now: Timestamp,
    /// The person who gives it; none for the system itself.
    pub actor: Option<Uuid>,
    /// The key under which a repetition gets the first receipt.
    pub idempotency: Option<Idempotency>,
    /// The version the caller saw; the command is refused if the stream has moved on.
    pub expected_version: Option<i64>,
}

/// A caller's key for one command, and what the command looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Who chose the key: two callers may choose the same.
    pub scope: String,
    /// The key as the caller sent it.
    pub key: String,
    /// A digest of the command; another command under the same key is refused.
    pub fingerprint: Vec<u8>,
}

/// The answer to a command that was carried out, now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The stream it changed.
    pub id: Uuid,
    /// The stream's version since.
    pub version: i64,
    /// The position of the stream's last event: who has passed it, has seen the change.
    pub position: i64,
}

impl Receipt {
    /// The receipt after these events of the stream.
    pub(crate) fn after(self, events: &[Recorded]) -> Self {
        let last = events.last();
        last.map_or(self, |last| Self { version: last.version, position: last.position, ..self })
    }
}

/// Why a command was not carried out; nothing of it has been recorded.
///
/// One exception: after [`CommandError::Failed`] with a lost connection it may have been. Repeating it under the same
/// idempotency key is safe.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R: std::error::Error> {
    /// A rule forbids it.
    #[error(transparent)]
    Rejected(R),
    /// The caller decided on an older state.
    #[error("the version is {actual}, not {expected} as expected")]
    Stale {
        /// The version the caller saw.
        expected: i64,
        /// The version there is.
        actual: i64,
    },
    /// The idempotency key was used for another command before.
    #[error("the idempotency key was used for another command")]
    KeyReused,
    /// A command with the same idempotency key is running right now.
    #[error("a command with this idempotency key is still running")]
    KeyInUse,
    /// Others kept changing the same data at the same moment.
    #[error("others changed the same data at the same moment")]
    Conflict,
    /// The log itself failed.
    #[error(transparent)]
    Failed(Error),
}

impl<R: std::error::Error> From<Error> for CommandError<R> {
    fn from(error: Error) -> Self {
        if error.is_conflict() { Self::Conflict } else { Self::Failed(error) }
    }
}

/// Why the work on a command was not begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The idempotency key was used for another command before.
    #[error("the idempotency key was used for another command")]
    KeyReused,
    /// A command with the same idempotency key is running right now.
    #[error("a command with this idempotency key is still running")]
    KeyInUse,
    /// The log itself failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<sqlx::Error> for BeginError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl<R: std::error::Error> From<BeginError> for CommandError<R> {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::KeyReused => Self::KeyReused,
            BeginError::KeyInUse => Self::KeyInUse,
            BeginError::Failed(error) => error.into(),
        }
    }
}
