//! Makes the read models of a service anew while it goes on, and swaps them in.
//!
//! 1. `tables` makes empty tables beside the live ones, and temporary views that bear the names of the live ones but stand for
//!    the new: the service's own SQL then fills the new tables without knowing it.
//! 2. The history is folded into them, in many small transactions, up to the watermark for the inline views and up to the live
//!    checkpoint for the follower's tables.
//! 3. The swap is one transaction. It holds the follower's checkpoint, so that no page is on its way; then it keeps appends from
//!    beginning, so that the inline views stand still; takes in the few events that are left, and renames the tables. The
//!    checkpoint is that of the live follower and stays: no reaction is lost or repeated.
//!
//! Whatever ends it before the swap is committed, the live tables are what they were. What it leaves is swept by the next one.

mod tables;

use std::time::Duration;

use eventlog::{BoxError, Follower, Reached, Recorded, Views};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Service;

/// Events folded in one transaction.
const PAGE: i64 = 1000;
/// How few events may be left when the service is made to wait for them.
const REST_MAX: i64 = 2000;
/// How long the swap waits for others, and they for it, before it lets them pass and tries again.
const PATIENCE: &str = "set local lock_timeout = '1s'";
const LOCK_NOT_AVAILABLE: &str = "55P03";
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(200);

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last event that the new tables know.
    pub position: i64,
    /// The last event they have to know, as of now.
    pub target: i64,
}

impl Progress {
    /// From 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio to look at")]
    pub fn ratio(self) -> f64 {
        if self.target == 0 { 1.0 } else { self.position as f64 / self.target as f64 }
    }
}

/// What a rebuild needs besides the service.
pub(crate) struct Site {
    /// Connections of the service.
    pub(crate) pool: PgPool,
    /// Connections of the log's owner, who alone can keep appends from beginning.
    pub(crate) owner: PgPool,
    /// The watermark.
    pub(crate) safe: watch::Receiver<i64>,
    /// Who wants to know how far it is.
    pub(crate) progress: watch::Sender<Progress>,
}

/// Rebuilds all read models of a service and answers with the position of the last event they know.
pub(crate) async fn run<S: Service>(service: &S, site: &Site) -> Result<i64, BoxError> {
    let (views, follower) = (service.views(), service.follower());
    // Of its own, because the temporary views end with it.
    let mut conn = site.pool.acquire().await?.detach();
    tables::prepare(&mut conn, S::NAME, S::PROJECTIONS).await?;
    let mut fold = Fold { views, follower, viewed: 0, followed: 0 };
    for _ in 0..ATTEMPTS {
        catch_up(&mut fold, &mut conn, site).await?;
        tables::analyze(&mut conn, S::NAME, S::PROJECTIONS).await?;
        match swap::<S>(&mut fold, &mut conn, site).await {
            Ok(head) => {
                conn.close().await?;
                return Ok(head);
            }
            Err(error) if is_busy(&error) => {
                tracing::info!(service = S::NAME, "somebody holds the tables; the swap is tried again");
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    Err("others held the tables each time they were to be swapped".into())
}

/// Folds in small transactions until few events are left.
async fn catch_up<V: Views, F: Follower>(
    fold: &mut Fold<V, F>,
    conn: &mut PgConnection,
    site: &Site,
) -> Result<(), BoxError> {
    // The first round of the watermark has to be waited for; it is at the head as soon as no append is in flight.
    let head = eventlog::head(&mut *conn).await?;
    let mut safe = site.safe.clone();
    loop {
        let views = *safe.borrow_and_update();
        let reached = eventlog::reached(&mut *conn, fold.follower.name()).await?;
        let mut sql = conn.begin().await?;
        let more = fold.page(&mut sql, Until { views, follower: reached.bounds().0 }, &reached).await?;
        sql.commit().await?;
        let target = views.max(head);
        let _ = site.progress.send_replace(Progress { position: fold.viewed, target });
        let is_settled = views > 0 || target == 0;
        if !more && is_settled && target - fold.viewed <= REST_MAX {
            return Ok(());
        }
        if !more {
            safe.changed().await?;
        }
    }
}

/// Takes in what is left while nobody writes, and puts the new tables in the place of the live ones.
async fn swap<S: Service>(
    fold: &mut Fold<S::Views, S::Follower>,
    conn: &mut PgConnection,
    site: &Site,
) -> Result<i64, BoxError> {
    let before = (fold.viewed, fold.followed);
    let swapped = async {
        let mut sql = conn.begin().await?;
        sqlx::query(PATIENCE).execute(&mut *sql).await?;
        hold_follower(&mut sql, fold.follower.name()).await?;
        let hold = hold_appends::<S::Views>(&site.owner).await?;
        let reached = eventlog::reached(&mut *sql, fold.follower.name()).await?;
        let head = eventlog::head(&mut *sql).await?;
        while fold.page(&mut sql, Until { views: head, follower: reached.bounds().1 }, &reached).await? {}
        tables::swap(&mut sql, S::NAME, S::PROJECTIONS).await?;
        sql.commit().await?;
        if let Some(hold) = hold {
            // What it kept waiting goes on at the latest when its connection ends.
            let _ = hold.rollback().await;
        }
        Ok::<_, BoxError>(head)
    };
    let swapped = swapped.await;
    if swapped.is_err() {
        (fold.viewed, fold.followed) = before;
    }
    let head = swapped?;
    let _ = site.progress.send_replace(Progress { position: head, target: head });
    Ok(head)
}

/// Waits for the page that the live follower is at, and keeps it from beginning another.
///
/// It moves its checkpoint before it does anything else, so whoever has that here holds up nobody who holds a table.
async fn hold_follower(conn: &mut PgConnection, name: &str) -> Result<(), BoxError> {
    let hold = "select from eventlog.checkpoints where consumer = $1 order by lane for update";
    sqlx::query(hold).bind(name).execute(conn).await?;
    Ok(())
}

/// Waits for the appends in flight and keeps others from beginning, until the transaction is dropped.
async fn hold_appends<V: Views>(owner: &PgPool) -> Result<Option<Transaction<'static, Postgres>>, BoxError> {
    if !V::INLINE {
        return Ok(None);
    }
    let mut sql = owner.begin().await?;
    sqlx::query(PATIENCE).execute(&mut *sql).await?;
    sqlx::query("lock table eventlog.events in share mode").execute(&mut *sql).await?;
    Ok(Some(sql))
}

fn is_busy(error: &BoxError) -> bool {
    let error = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    error.is_some_and(|error| error.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}

/// The history on its way into the new tables.
struct Fold<V, F> {
    views: V,
    follower: F,
    /// The last event that the inline views have taken in.
    viewed: i64,
    /// The last event that the follower's tables have taken in.
    followed: i64,
}

/// How far each of the two may go.
#[derive(Clone, Copy)]
struct Until {
    views: i64,
    follower: i64,
}

impl<V: Views, F: Follower> Fold<V, F> {
    /// Takes in one page, of which the follower is given what the live one has taken in, and tells whether there may be more.
    async fn page(
        &mut self,
        conn: &mut PgConnection,
        until: Until,
        reached: &Reached,
    ) -> Result<bool, BoxError> {
        let after = [(self.viewed, until.views), (self.followed, until.follower)];
        let Some(after) = after.iter().filter(|(at, end)| at < end).map(|(at, _)| *at).min() else {
            return Ok(false);
        };
        let end = until.views.max(until.follower);
        let page = eventlog::read(&mut *conn, after, Some(end), PAGE).await?;
        // An empty page says that there is nothing up to the end; a page ends with its last event.
        let read = page.last().map_or(end, |last| last.position);
        let between = |after: i64, until: i64| -> &[Recorded] {
            let begin = page.partition_point(|event| event.position <= after);
            let end = page.partition_point(|event| event.position <= until);
            &page[begin.min(end)..end]
        };
        self.views.apply(conn, between(self.viewed, until.views)).await?;
        let taken_in = between(self.followed, until.follower).iter().filter(|event| reached.covers(event));
        let taken_in: Vec<Recorded> = taken_in.cloned().collect();
        self.follower.project(conn, &taken_in).await?;
        self.viewed = self.viewed.max(read.min(until.views));
        self.followed = self.followed.max(read.min(until.follower));
        Ok(true)
    }
}
