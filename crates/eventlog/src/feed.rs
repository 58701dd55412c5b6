//! The feed: every event once and in order to every follower of the process.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::consumer::Consumer;
use crate::standing::{self, Followers, Progress, Standing};
use crate::tail::Tail;
use crate::{Error, Follower, Wake, head, tailer, wake};

/// After how many failures at one event [`Feed::settle`] gives a follower up.
const PATIENCE: i32 = 5;

/// A follower has not come far enough yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the follower {follower} stands at position {stands_at}, not yet at {wanted}")]
pub struct Behind {
    /// The name of the follower.
    pub follower: String,
    /// What it has passed; 0 if this process does not run it.
    pub stands_at: i64,
    /// What it should have passed.
    pub wanted: i64,
}

/// Delivers the log to the followers of a process; one per process.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    wake: Wake,
    tail: watch::Receiver<Tail>,
    safe: watch::Receiver<i64>,
    followers: Followers,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Feed {
    /// Starts the feed; it ends with the token.
    ///
    /// Two connections of the pool are held as long as it runs, and a third one for moments. They listen, so a pooler between
    /// them and the server has to be one of sessions. The role may read events and write the watermark, as `updraft_feed` may.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the caller hands its feed the token to live by")]
    pub fn start(pool: PgPool, shutdown: CancellationToken) -> Self {
        Self::resting(pool, &shutdown, tailer::POLL)
    }

    /// With another rest between two looks at the log that nobody asks for.
    fn resting(pool: PgPool, shutdown: &CancellationToken, rest: Duration) -> Self {
        let (wake, followers) = (Wake::default(), Followers::default());
        let (publish, tail) = watch::channel(Tail::default());
        let (settle, safe) = watch::channel(0);
        let stop = shutdown.child_token();
        let tasks = TaskTracker::new();
        for task in [
            tailer::keep(pool.clone(), (wake.clone(), rest), publish, settle).boxed(),
            standing::measure(followers.clone(), tail.clone()).boxed(),
            wake::announce(pool.clone(), wake.clone()).boxed(),
            wake::listen(pool.clone(), wake.clone()).boxed(),
        ] {
            tasks.spawn(stop.clone().run_until_cancelled_owned(task));
        }
        Self(Arc::new(Inner { pool, wake, tail, safe, followers, tasks, stop }))
    }

    /// Up to which position the log can no longer change, for whoever reads it otherwise than by following.
    #[must_use]
    pub fn safe(&self) -> watch::Receiver<i64> {
        self.0.safe.clone()
    }

    /// What the journals of this process signal when they have appended.
    #[must_use]
    pub fn wake(&self) -> Wake {
        self.0.wake.clone()
    }

    /// Delivers to a follower from its checkpoint on, in transactions of the given pool.
    ///
    /// If another process follows under the same name already, this one waits until it ends or is paused for too long.
    pub fn follow<F: Follower>(&self, pool: PgPool, follower: F) {
        let (standing, stands) = watch::channel(Standing::default());
        self.0.followers.add(follower.name(), stands);
        let (follower, tail, wake) = (Arc::new(follower), self.0.tail.clone(), self.wake());
        let consumer = Consumer { follower, pool, tail, standing, wake };
        self.0.tasks.spawn(consumer.run(self.0.stop.clone()));
    }

    /// How far each follower of this process has come.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        self.0.followers.progress()
    }

    /// Waits until a follower of this process has passed a position.
    ///
    /// # Errors
    ///
    /// [`Behind`] if it has not after `at_most`, or is not run by this process.
    pub async fn passed(&self, follower: &str, position: i64, at_most: Duration) -> Result<(), Behind> {
        let behind = |stands_at| Behind { follower: follower.to_owned(), stands_at, wanted: position };
        let mut standing = self.0.followers.get(follower).ok_or_else(|| behind(0))?;
        let passed = timeout(at_most, standing.wait_for(|now| now.position() >= position)).await;
        if matches!(passed, Ok(Ok(_))) {
            return Ok(());
        }
        drop(passed);
        Err(behind(standing.borrow().position()))
    }

    /// Waits until a follower of this process has passed more than a position, and answers with what it has passed.
    ///
    /// It waits for ever if this process does not run the follower.
    pub async fn beyond(&self, follower: &str, position: i64) -> i64 {
        if let Some(mut standing) = self.0.followers.get(follower)
            && let Ok(now) = standing.wait_for(|now| now.position() > position).await
        {
            return now.position();
        }
        std::future::pending().await
    }

    /// Waits until every follower of this process stands at the head and nothing new was appended meanwhile.
    ///
    /// Answers with the position of the head.
    ///
    /// # Errors
    ///
    /// [`Error::Stuck`] if a follower keeps failing at one event or has stopped, [`Error::Database`] if the log is out
    /// of reach.
    pub async fn settle(&self) -> Result<i64, Error> {
        let mut reached = head(&self.0.pool).await?;
        loop {
            for (follower, standing) in self.0.followers.all() {
                reach(follower, standing, reached).await?;
            }
            // What the followers appended was committed before they said they had passed, so it is visible here.
            let head = head(&self.0.pool).await?;
            if head == reached {
                return Ok(head);
            }
            reached = head;
        }
    }

    /// Stops all followers after the page they are at, gives their leases back, and ends the feed with them.
    pub async fn drain(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

async fn reach(
    follower: &'static str,
    mut standing: watch::Receiver<Standing>,
    position: i64,
) -> Result<(), Error> {
    let settled = standing.wait_for(|now| now.position() >= position || now.failures() >= PATIENCE).await;
    if settled.is_ok_and(|now| now.position() >= position) {
        return Ok(());
    }
    let position = standing.borrow().position();
    Err(Error::Stuck { follower, position })
}

#[cfg(test)]
mod tests {
    use boot::database::Database;
    use boot::scratch;
    use jiff::Timestamp;
    use sqlx::PgConnection;
    use uuid::Uuid;

    use super::*;
    use crate::{
        Aggregate, Begun, BoxError, Context, Corrupt, Draft, Journal, Receipt, Recorded, StreamId, migrate,
    };

    /// Longer than anybody waits here.
    const NEVER: Duration = Duration::from_hours(1);
    const SOON: Duration = Duration::from_secs(20);

    #[derive(Clone, PartialEq, prost::Message)]
    struct Happened {}

    impl prost::Name for Happened {
        const NAME: &'static str = "Happened";
        const PACKAGE: &'static str = "updraft.tests.v1";
    }

    /// Happens as often as it is asked to.
    struct Happening;

    impl Aggregate for Happening {
        const KIND: &'static str = "happening";
        type State = ();
        type Command = ();
        type Event = Happened;
        type Rejection = std::convert::Infallible;

        fn decide((): &(), (): &()) -> Result<Vec<Happened>, Self::Rejection> {
            Ok(vec![Happened {}])
        }

        fn evolve((): &mut (), _: &Happened) {}

        fn encode(event: &Happened) -> Draft {
            Draft::of(event)
        }

        fn decode(event: &Recorded) -> Result<Happened, Corrupt> {
            event.read()
        }
    }

    /// Lets everything happen once more in another stream.
    struct Echoing(Journal<()>);

    const ECHO: Uuid = Uuid::from_u128(99);

    impl Follower for Echoing {
        fn name(&self) -> &'static str {
            "echoing"
        }

        async fn project(&self, _: &mut PgConnection, _: &[Recorded]) -> Result<(), BoxError> {
            Ok(())
        }

        fn reacts_to(&self, event: &Recorded) -> bool {
            event.stream != StreamId { kind: Happening::KIND.to_owned(), id: ECHO }
        }

        async fn react(&self, conn: &mut PgConnection, _: &Recorded) -> Result<(), BoxError> {
            self.0.unit(conn, &context()).execute::<Happening>(ECHO, ()).await?;
            Ok(())
        }
    }

    fn context() -> Context {
        Context { now: Timestamp::UNIX_EPOCH, actor: None, idempotency: None, expected_version: None }
    }

    #[tokio::test]
    async fn whatever_is_appended_reaches_a_follower_at_once_and_not_by_the_next_poll() {
        let fill = async |database: &Database| -> Result<(), BoxError> {
            Ok(migrate(&database.pool("eventlog")).await?)
        };
        let database = scratch::database("eventlog", fill).await.unwrap();
        let feed = Feed::resting(database.pool("feed"), &CancellationToken::new(), NEVER);
        let journal = Journal::new(database.pool("sessions"), feed.wake(), ());
        feed.follow(database.pool("sessions"), Echoing(journal.clone()));
        for number in 0..25 {
            let id = Uuid::from_u128(number);
            let alone = journal.execute::<Happening>(&context(), id, ()).await.unwrap();
            // Its echo comes after it, and both are passed.
            feed.passed("echoing", alone.position + 1, SOON).await.unwrap();
            let Begun::Work(mut work) = journal.begin(&context()).await.unwrap() else { panic!("it is new") };
            let receipt: Receipt = work.unit().execute::<Happening>(id, ()).await.unwrap();
            work.commit(receipt).await.unwrap();
            feed.passed("echoing", receipt.position + 1, SOON).await.unwrap();
        }
        feed.drain().await;
    }
}
