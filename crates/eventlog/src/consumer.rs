//! A consumer: as many lanes as its follower asks for.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{self, Checkpoint, Share};
use crate::lane::{Lane, STANDBY_PAUSE};
use crate::standing::{LaneStanding, Standing};
use crate::tail::Tail;
use crate::{Follower, Wake};

/// How long to leave a database alone that does not answer.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// What a consumer delivers, from where, and to whom it tells how far it has come.
pub(crate) struct Consumer<F> {
    pub(crate) follower: Arc<F>,
    pub(crate) pool: PgPool,
    pub(crate) tail: watch::Receiver<Tail>,
    pub(crate) standing: watch::Sender<Standing>,
    pub(crate) wake: Wake,
}

impl<F: Follower> Consumer<F> {
    /// Runs the lanes until it is told to stop.
    ///
    /// If the streams are shared out among another number of lanes than asked for, those deliver up to where the first of
    /// them stands; then all have come equally far, and the streams can be shared out anew.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (consumer, wanted) = (self.follower.name(), i32::from(self.follower.lanes().max(1)));
        while !stop.is_cancelled() {
            let positions = match checkpoint::lanes(&self.pool, consumer, wanted).await {
                Ok(positions) => positions,
                Err(error) => {
                    tracing::warn!(%error, follower = consumer, "the checkpoint of the follower is out of reach");
                    stop.run_until_cancelled(sleep(RECONNECT_PAUSE)).await;
                    continue;
                }
            };
            let lanes = i32::try_from(positions.len()).unwrap_or(i32::MAX);
            let until = positions.iter().max().copied().filter(|_| lanes != wanted);
            let stands = |position| LaneStanding { position, ..LaneStanding::default() };
            self.standing.send_replace(Standing { lanes: positions.into_iter().map(stands).collect() });
            let mut running: JoinSet<()> =
                (0..lanes).map(|lane| self.lane(Share { lane, lanes }, until).run(stop.clone())).collect();
            while let Some(ended) = running.join_next().await {
                if ended.is_err() {
                    // A lane has panicked outside of what it delivers: all of them begin anew.
                    running.abort_all();
                }
            }
            // The lanes may be in the hands of a process that wants another number of them.
            stop.run_until_cancelled(sleep(STANDBY_PAUSE)).await;
        }
    }

    fn lane(&self, share: Share, until: Option<i64>) -> Lane<F> {
        let checkpoint = Checkpoint { pool: self.pool.clone(), consumer: self.follower.name(), share };
        let follower = Arc::clone(&self.follower);
        Lane::new(follower, checkpoint, until, self.tail.clone(), self.standing.clone(), self.wake.clone())
    }
}
