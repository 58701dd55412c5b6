//! A lane: takes the lease of a checkpoint, delivers page by page, and narrows a failure down to its event.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::Counter;
use sqlx::PgConnection;
use telemetry::KeyValue;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::ahead::{Ahead, PAGE_BEHIND, fetch};
use crate::checkpoint::{Checkpoint, Poison};
use crate::effect::{Failure, Taken, take_in};
use crate::standing::{LaneStanding, Standing};
use crate::tail::{PAGE, Page, Tail};
use crate::{BoxError, Error, Follower, Wake};

/// How long a lease is not renewed while there is nothing to deliver; a few of them fit into one (`eventlog.is_held`).
const RENEWAL_PAUSE: Duration = Duration::from_millis(1500);

/// How often a process that does not lead looks for a free lease and for how far the leader has come.
pub(crate) const STANDBY_PAUSE: Duration = Duration::from_millis(200);

/// How long to wait after a first failure; each further one doubles it.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// What keeps a lane from going on at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Event(i64),
    Log,
}

/// A lane at work.
pub(crate) struct Lane<F> {
    follower: Arc<F>,
    checkpoint: Checkpoint,
    /// The position at which it ends, so that the streams can be shared out anew.
    until: Option<i64>,
    tail: watch::Receiver<Tail>,
    standing: watch::Sender<Standing>,
    wake: Wake,
    instruments: Instruments,
    /// The fence of the last lease.
    fence: Option<i64>,
    leads: bool,
    /// Whether there is no such lane any more.
    gone: bool,
    position: i64,
    /// The most events of the next transaction; fewer while a failure among them is narrowed down.
    limit: usize,
    /// What is read while the pages before it are delivered.
    ahead: Option<Ahead>,
    /// Up to here events are suspected after a failure.
    suspect: i64,
    trouble: Trouble,
    backoff: Duration,
}

impl<F: Follower> Lane<F> {
    pub(crate) fn new(
        follower: Arc<F>,
        checkpoint: Checkpoint,
        until: Option<i64>,
        tail: watch::Receiver<Tail>,
        standing: watch::Sender<Standing>,
        wake: Wake,
    ) -> Self {
        let instruments = Instruments::new(follower.name());
        Self {
            follower,
            checkpoint,
            until,
            tail,
            standing,
            wake,
            instruments,
            fence: None,
            leads: false,
            gone: false,
            position: 0,
            limit: usize::from(PAGE_BEHIND),
            ahead: None,
            suspect: 0,
            trouble: Trouble::None,
            backoff: BACKOFF_MIN,
        }
    }

    /// Follows until it is told to stop, has come as far as it should, or there is no such lane any more.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() && !self.gone && self.until.is_none_or(|until| self.position < until) {
            if let Err(failure) = self.turn(&stop).await
                && self.meets(failure).await
            {
                stop.run_until_cancelled(sleep(self.backoff)).await;
                self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
            }
        }
        if let (true, Some(fence)) = (self.leads, self.fence)
            && let Err(error) = self.checkpoint.release(fence).await
        {
            tracing::debug!(%error, "a lease was not given back and ends by itself");
        }
    }

    /// Asks for the lease if that is still to be done; else waits for news and delivers a page of it.
    async fn turn(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let (true, Some(fence)) = (self.leads, self.fence) else { return self.stand_by(stop).await };
        match stop.run_until_cancelled(timeout(RENEWAL_PAUSE, self.news())).await {
            Some(Ok(())) => {
                let page = self.page().await?;
                self.read_ahead(&page);
                self.deliver(fence, page).await
            }
            Some(Err(_nothing_new)) => self.move_to(fence, self.position).await,
            None => Ok(()),
        }
    }

    /// Takes the lease over, or learns how far its leader has come.
    async fn stand_by(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let Some(claim) = self.checkpoint.claim(self.fence).await? else {
            self.gone = true;
            return Ok(());
        };
        if claim.fence.is_none() && self.fence.is_some() {
            tracing::warn!(follower = self.follower.name(), "another process leads the follower now");
        }
        self.fence = claim.fence;
        self.leads = claim.fence.is_some();
        if self.leads {
            self.passed(claim.position);
        }
        self.position = claim.position;
        self.stands(claim.poison);
        if self.leads {
            return Ok(());
        }
        stop.run_until_cancelled(sleep(STANDBY_PAUSE)).await;
        Ok(())
    }

    /// Waits for events beyond where the lane stands.
    async fn news(&mut self) {
        let position = self.position;
        if self.tail.wait_for(|tail| tail.reached() > position).await.is_err() {
            // Nobody reads the log any more: the feed is about to tell us to stop.
            std::future::pending::<()>().await;
        }
    }

    /// The next events of the lane: those near the end of the log are shared, whoever is further back reads for itself.
    async fn page(&mut self) -> Result<Page, Error> {
        let (near, reached) = {
            let tail = self.tail.borrow();
            (tail.beyond(self.position, usize::from(PAGE)), tail.reached())
        };
        let page = match (near, &mut self.ahead) {
            (Some(page), _) => Some(page),
            (None, Some(ahead)) => ahead.page(self.position).await,
            (None, None) => None,
        };
        let page = if let Some(page) = page {
            page
        } else {
            self.ahead = None;
            fetch(&self.checkpoint.pool, self.position, reached).await?
        };
        Ok(page.until(self.until.unwrap_or(i64::MAX)).only(self.checkpoint.share).cut(self.limit))
    }

    /// Lets read what comes behind a page, if the lane is so far back that it reads for itself: the server, the reading and the
    /// follower then work at the same time.
    ///
    /// Beside reactions reading takes no time, and they may leave the end of the page to another transaction.
    fn read_ahead(&mut self, page: &Page) {
        let after = page.up_to;
        let (keeps, reached) = {
            let tail = self.tail.borrow();
            (tail.keeps(after), tail.reached())
        };
        let reached = self.until.map_or(reached, |until| reached.min(until));
        if keeps || after >= reached || self.reacts_within(page) {
            self.ahead = None;
        } else if self.ahead.is_none() {
            self.ahead = Some(Ahead::of(self.checkpoint.pool.clone(), after, reached));
        }
    }

    /// Delivers one page and moves the checkpoint, in one transaction.
    async fn deliver(&mut self, fence: i64, page: Page) -> Result<(), Failure> {
        if page.events().is_empty() {
            return self.move_to(fence, page.up_to).await;
        }
        let mut sql = self.checkpoint.pool.begin().await?;
        let done = self.effect(&mut sql, fence, &page).await;
        let (taken, reached) = match done {
            Ok(done) => done,
            Err(failure) => {
                sql.rollback().await?;
                return Err(failure);
            }
        };
        sql.commit().await?;
        self.instruments.delivered(taken.count);
        self.passed(reached);
        if taken.reacted {
            self.wake.signal();
        }
        Ok(())
    }

    /// Moves the checkpoint first, which proves the lease, and then takes in what it moves over.
    async fn effect(
        &self,
        conn: &mut PgConnection,
        fence: i64,
        page: &Page,
    ) -> Result<(Taken, i64), Failure> {
        let may_be_undone = !self.reacts_within(page);
        self.advance(conn, fence, (self.position, page.up_to), may_be_undone).await?;
        let taken = take_in(&*self.follower, conn, page.events()).await?;
        let done = page.clone().cut(taken.count);
        if done.up_to < page.up_to {
            self.advance(conn, fence, (page.up_to, done.up_to), may_be_undone).await?;
        }
        Ok((taken, done.up_to))
    }

    async fn advance(
        &self,
        conn: &mut PgConnection,
        fence: i64,
        places: (i64, i64),
        may_be_undone: bool,
    ) -> Result<(), Failure> {
        let advanced = self.checkpoint.advance(conn, fence, places, may_be_undone).await?;
        advanced.then_some(()).ok_or(Failure::Moved)
    }

    /// Whether the follower reacts to an event of the page: what it then appends is known to others at once.
    ///
    /// Read models alone are as they were before a crash until they are given the same events again.
    fn reacts_within(&self, page: &Page) -> bool {
        page.events().iter().any(|event| self.follower.reacts_to(event))
    }

    /// Renews the lease and moves over what is none of the lane's own.
    async fn move_to(&mut self, fence: i64, position: i64) -> Result<(), Failure> {
        if !self.checkpoint.advance(&self.checkpoint.pool, fence, (self.position, position), true).await? {
            return Err(Failure::Moved);
        }
        if position > self.position {
            self.passed(position);
        }
        Ok(())
    }

    /// Deals with a failure, and tells whether to pause before the next attempt.
    async fn meets(&mut self, failure: Failure) -> bool {
        match failure {
            // Whoever asks for the lease learns which of the two it was.
            Failure::Moved => self.leads_no_more(),
            Failure::Events { count, position, .. } if count > 1 => {
                self.suspect = self.suspect.max(position);
                self.limit = count / 2;
            }
            Failure::Events { position, name, source, .. } => {
                self.suspect = position;
                self.is_stuck(position, &name, &source).await;
                return true;
            }
            Failure::Log(error) => {
                if self.begins(Trouble::Log) {
                    let (follower, error): (_, &dyn std::error::Error) = (self.follower.name(), &error);
                    tracing::error!(error, follower, "the follower cannot reach the log");
                }
                // What was committed last is not known.
                self.leads_no_more();
                return true;
            }
        }
        false
    }

    /// An event has failed alone: says so in the log once, and in the checkpoint every time.
    async fn is_stuck(&mut self, position: i64, name: &str, source: &BoxError) {
        let follower = self.follower.name();
        if self.begins(Trouble::Event(position)) {
            let error: &dyn std::error::Error = &**source;
            tracing::error!(error, follower, position, name, "the follower cannot take in an event");
        }
        match self.checkpoint.fail(self.fence.unwrap_or_default(), position, name).await {
            Ok(poison) => self.stands(poison),
            Err(error) => tracing::debug!(%error, follower, "the failure was not written down"),
        }
    }

    /// Tells whether a trouble is a new one: it is logged once, however often it repeats.
    fn begins(&mut self, trouble: Trouble) -> bool {
        let new = self.trouble != trouble;
        if new {
            self.trouble = trouble;
            self.backoff = BACKOFF_MIN;
        }
        new
    }

    /// Tells those who wait how far the lane has come, and ends a trouble that lies behind it.
    fn passed(&mut self, position: i64) {
        self.position = position;
        if position >= self.suspect {
            self.limit = usize::from(PAGE_BEHIND);
        }
        let behind_trouble = matches!(self.trouble, Trouble::Event(at) if position < at);
        if self.trouble != Trouble::None && !behind_trouble {
            tracing::info!(follower = self.follower.name(), position, "the follower goes on");
            self.trouble = Trouble::None;
            self.backoff = BACKOFF_MIN;
        }
        let leads = self.leads;
        self.says(|lane| {
            (lane.position, lane.leads) = (position, leads);
            // What a leader before did not get past may still be ahead.
            lane.poison.take_if(|poison| poison.position <= position);
        });
    }

    /// The lease has to be asked for again.
    fn leads_no_more(&mut self) {
        self.leads = false;
        self.ahead = None;
        self.says(|lane| lane.leads = false);
    }

    fn stands(&self, poison: Option<Poison>) {
        self.says(|lane| *lane = LaneStanding { position: self.position, leads: self.leads, poison });
    }

    fn says(&self, change: impl FnOnce(&mut LaneStanding)) {
        let index = usize::try_from(self.checkpoint.share.lane).unwrap_or_default();
        self.standing.send_modify(|standing| {
            if let Some(lane) = standing.lanes.get_mut(index) {
                change(lane);
            }
        });
    }
}

/// What is counted of every follower.
struct Instruments {
    pages: Counter<u64>,
    events: Counter<u64>,
    follower: [KeyValue; 1],
}

impl Instruments {
    fn new(follower: &'static str) -> Self {
        let meter = telemetry::meter();
        let pages = meter.u64_counter("eventlog.follower.pages");
        let events = meter.u64_counter("eventlog.follower.events");
        Self {
            pages: pages.with_description("Transactions in which the follower took in events.").build(),
            events: events.with_description("Events that the follower took in.").build(),
            follower: [KeyValue::new("follower", follower)],
        }
    }

    fn delivered(&self, events: usize) {
        self.pages.add(1, &self.follower);
        self.events.add(events as u64, &self.follower);
    }
}
