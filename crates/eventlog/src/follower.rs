//! A follower: what a consumer of the log implements.

use sqlx::PgConnection;

use crate::{BoxError, Recorded};

/// A consumer of the log, e.g. a service that needs to know what happens in others.
///
/// Both functions run in the transaction that moves the checkpoint, so their effect on the database happens once for
/// each event, whatever fails when. An error rolls back and is tried again: an event is never skipped.
pub trait Follower: Send + Sync + 'static {
    /// The name under which its checkpoint is kept.
    fn name(&self) -> &'static str;

    /// How many lanes work at the same time, each on the streams of its share and in a transaction of its own.
    ///
    /// The events of a stream always come in order; with several lanes, those of different streams need not, and a reaction
    /// then sees the read models as of its own stream only. Another number than before takes effect when every lane has
    /// come equally far.
    fn lanes(&self) -> u16 {
        1
    }

    /// Takes events into read models, in the order of the log; a replay calls it again.
    ///
    /// A page is written set by set: see [`Patches`](crate::Patches).
    ///
    /// # Errors
    ///
    /// Any error is tried again with fewer events, down to the one that causes it, where the follower stops until it succeeds.
    fn project(
        &self,
        conn: &mut PgConnection,
        events: &[Recorded],
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Whether [`Follower::react`] has anything to do with an event.
    ///
    /// A reaction sees the read models as they are after its event: nothing later is projected before it.
    fn reacts_to(&self, event: &Recorded) -> bool {
        let _ = event;
        false
    }

    /// Whether a reaction to `next` answers `event` as well, the next of the events that the follower reacts to.
    ///
    /// Such events are taken in at once and reacted to by one [`Follower::react_together`], which then sees the read models as they
    /// are after the last of them.
    fn is_answered_with(&self, event: &Recorded, next: &Recorded) -> bool {
        let _ = (event, next);
        false
    }

    /// Answers events that [`Follower::is_answered_with`] has put together, in their order.
    ///
    /// # Errors
    ///
    /// As [`Follower::react`], which it asks for each of them unless it is written otherwise.
    fn react_together(
        &self,
        conn: &mut PgConnection,
        events: &[&Recorded],
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        async move {
            for event in events {
                self.react(conn, event).await?;
            }
            Ok(())
        }
    }

    /// Answers an event with commands of its own, through [`Journal::unit`](crate::Journal::unit); no part of a replay.
    ///
    /// # Errors
    ///
    /// Any error stops the follower at this event until it succeeds.
    fn react(
        &self,
        conn: &mut PgConnection,
        event: &Recorded,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (conn, event);
        async { Ok(()) }
    }
}
