//! Wake-ups: from a commit to the watermark, in this process and in the others.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio::time::sleep;

/// The channel on which processes tell each other that something was appended.
const CHANNEL: &str = "updraft_eventlog";

/// The shortest time between two announcements of a process: a NOTIFY locks the whole database for its commit.
const ANNOUNCEMENT_PAUSE: Duration = Duration::from_millis(15);

/// How long to leave a database alone that does not let us listen.
const LISTEN_PAUSE: Duration = Duration::from_secs(2);

/// Tells the feed that something was appended, so that its followers need not wait for the next poll.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    /// To the watermark of this process.
    here: Notify,
    /// To the task that announces it to the other processes.
    elsewhere: Notify,
}

impl Wake {
    /// Tells this process and, soon, the others that something was appended.
    pub fn signal(&self) {
        self.0.here.notify_one();
        self.0.elsewhere.notify_one();
    }

    /// Waits for something appended by this process or announced by another.
    pub(crate) async fn signalled(&self) {
        self.0.here.notified().await;
    }
}

/// Announces what this process appends, in statements of their own.
///
/// A failure is left alone: whoever misses an announcement finds the events at the next poll.
pub(crate) async fn announce(pool: PgPool, wake: Wake) {
    loop {
        wake.0.elsewhere.notified().await;
        // Nobody waits for this to be on the disk.
        let announce = "select pg_notify($1, ''), set_config('synchronous_commit', 'off', true)";
        let announced = sqlx::query(announce).bind(CHANNEL).execute(&pool).await;
        if let Err(error) = announced {
            tracing::debug!(%error, "an append was not announced to the other processes");
        }
        sleep(ANNOUNCEMENT_PAUSE).await;
    }
}

/// Wakes the watermark on the announcements of any process.
///
/// A failure is left alone for the same reason.
pub(crate) async fn listen(pool: PgPool, wake: Wake) {
    loop {
        if let Err(error) = wake_on_announcements(&pool, &wake).await {
            tracing::debug!(%error, "the announcements of other processes are not heard");
        }
        sleep(LISTEN_PAUSE).await;
    }
}

async fn wake_on_announcements(pool: &PgPool, wake: &Wake) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        wake.0.here.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use boot::scratch;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_signal_is_heard_here_and_in_other_processes() {
        let (one, other) = (Wake::default(), Wake::default());
        one.signal();
        one.signalled().await;

        let pool = PgPool::connect_lazy_with(scratch::cluster().await.unwrap().superuser_options("postgres"));
        let announcing = tokio::spawn(announce(pool.clone(), one.clone()));
        let listening = tokio::spawn(listen(pool, other.clone()));
        let heard = timeout(Duration::from_secs(30), async {
            // The listener has a connection to make first; what it does not hear is announced again.
            while timeout(Duration::from_millis(50), other.signalled()).await.is_err() {
                one.signal();
            }
        });
        heard.await.expect("an announcement is heard");
        announcing.abort();
        listening.abort();
    }
}
