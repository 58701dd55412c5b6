//! Reading ahead: a task of its own reads the next pages of a lane that is far back, while the lane takes in those before.

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::tail::Page;
use crate::{Error, read};

/// The most events of a page of a lane that is far back, where the round trips of a small one would take as long as the rest.
pub(crate) const PAGE_BEHIND: u16 = 4000;

/// How many pages may wait until the lane takes them in.
const PAGES_WAITING: usize = 2;

/// The pages between two positions, one after the other; when it is dropped, nothing is read any more.
pub(crate) struct Ahead {
    /// Where the next page begins.
    after: i64,
    pages: mpsc::Receiver<Page>,
    _reading: AbortOnDropHandle<()>,
}

impl Ahead {
    /// Begins to read behind a position, as far as the tail has reached.
    pub(crate) fn of(pool: PgPool, after: i64, reached: i64) -> Self {
        let (taken_in, pages) = mpsc::channel(PAGES_WAITING);
        let reading = AbortOnDropHandle::new(tokio::spawn(read_on(pool, after, reached, taken_in)));
        Self { after, pages, _reading: reading }
    }

    /// The page behind a position; none if another one comes next, or if it could not be read.
    pub(crate) async fn page(&mut self, after: i64) -> Option<Page> {
        if after != self.after {
            return None;
        }
        let page = self.pages.recv().await?;
        self.after = page.up_to;
        Some(page)
    }
}

/// Reads page by page; whoever finds that one is missing reads it himself, and so learns of the failure.
async fn read_on(pool: PgPool, mut after: i64, reached: i64, pages: mpsc::Sender<Page>) {
    while after < reached {
        // No connection is held while the lane is waited for.
        let Ok(place) = pages.reserve().await else { return };
        let Ok(page) = fetch(&pool, after, reached).await else { return };
        after = page.up_to;
        place.send(page);
    }
}

/// Reads a page behind a position that the tail has reached.
pub(crate) async fn fetch(pool: &PgPool, after: i64, reached: i64) -> Result<Page, Error> {
    let events = read(pool, after, Some(reached), i64::from(PAGE_BEHIND)).await?;
    let full = events.last().filter(|_| events.len() == usize::from(PAGE_BEHIND));
    let up_to = full.map_or(reached, |last| last.position);
    Ok(Page::new(events, up_to))
}
