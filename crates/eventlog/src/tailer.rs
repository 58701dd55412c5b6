//! The tailer: keeps the watermark, and reads what is below it for all followers of the process.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use opentelemetry::metrics::{Counter, Gauge};
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::tail::{PAGE, Tail};
use crate::watermark::{self, Round, Watermark, settled};
use crate::{Error, Wake, read};

/// How long the watermark rests without a wake-up: the safety net for appends that nobody announced.
pub(crate) const POLL: Duration = Duration::from_millis(250);

/// How long it rests while an append is in flight, whose end nobody announces if it is rolled back.
const POLL_IN_FLIGHT: Duration = Duration::from_millis(10);

/// The least time between two rounds, so that a burst of commits does not become a burst of rounds.
const PAUSE: Duration = Duration::from_millis(2);

/// How often the watermark is written down, at most.
const WRITING_PAUSE: Duration = Duration::from_secs(1);

/// How long to leave a database alone that does not answer.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// The receivers of the tail that belong to the feed itself, not to its followers.
const FEED_RECEIVERS: usize = 2;

/// Reads the end of the log, and goes on when the database has been away.
pub(crate) async fn keep(
    pool: PgPool,
    (wake, rest): (Wake, Duration),
    tail: watch::Sender<Tail>,
    safe: watch::Sender<i64>,
) {
    let tailer = Tailer { wake, rest, tail, safe, instruments: Instruments::new() };
    let mut away = false;
    loop {
        let Err(error) = tailer.session(&pool, &mut away).await;
        if !away {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the event log is out of reach");
        }
        away = true;
        sleep(RECONNECT_PAUSE).await;
    }
}

struct Tailer {
    wake: Wake,
    rest: Duration,
    tail: watch::Sender<Tail>,
    /// As far as the tail has reached, for whoever does not follow.
    safe: watch::Sender<i64>,
    instruments: Instruments,
}

impl Tailer {
    /// Reads as long as one connection lasts.
    ///
    /// Nothing is remembered beyond: if the server has crashed, positions are taken anew that no commit had made lasting. So
    /// the connection has to be one to the server itself, as the listener's has.
    async fn session(&self, pool: &PgPool, away: &mut bool) -> Result<Infallible, Error> {
        let mut conn = pool.acquire().await?;
        let mut watermark = Watermark::begin(settled(&mut *conn).await?);
        let first = watermark.look(&mut conn).await?;
        let mut reached = last_event(&mut conn, first.settled).await?;
        self.begins_at(reached);
        let (mut written, mut held_up) = (Written::default(), None);
        loop {
            let round = watermark.look(&mut conn).await?;
            *away = false;
            self.instruments.seen(round, &mut held_up);
            let full = if round.settled > reached {
                self.read_on(&mut conn, &mut reached, round.settled).await?
            } else {
                false
            };
            written.keep_up(&mut conn, reached).await;
            if full {
                continue;
            }
            sleep(PAUSE).await;
            let rest = if round.settled < round.taken { POLL_IN_FLIGHT } else { self.rest };
            // Running into the time limit is the safety net at work.
            let _ = timeout(rest, self.wake.signalled()).await;
        }
    }

    /// Reads a page and shares it, and tells whether there may be another; where nobody follows, there is nothing to read.
    async fn read_on(&self, conn: &mut PgConnection, reached: &mut i64, settled: i64) -> Result<bool, Error> {
        if self.tail.receiver_count() <= FEED_RECEIVERS {
            *reached = last_event(conn, settled).await?;
            self.begins_at(*reached);
            return Ok(false);
        }
        let page = read(conn, *reached, Some(settled), i64::from(PAGE)).await?;
        let full = page.len() == usize::from(PAGE);
        if let Some(last) = page.last() {
            *reached = last.position;
            self.tail.send_modify(|tail| tail.add(page));
            self.safe.send_replace(*reached);
        }
        Ok(full)
    }

    fn begins_at(&self, position: i64) {
        self.tail.send_replace(Tail::at(position));
        self.safe.send_replace(position);
    }
}

/// The position of the last event up to this one: it is there for certain, while a burnt position can be taken again.
async fn last_event(conn: &mut PgConnection, up_to: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.events where position <= $1")
        .bind(up_to)
        .fetch_one(conn)
        .await
}

/// What of the watermark has been written down, and when.
#[derive(Default)]
struct Written {
    position: i64,
    at: Option<Instant>,
    refused: bool,
}

impl Written {
    /// Writes the watermark down from time to time; who cannot has others begin further back, no more.
    async fn keep_up(&mut self, conn: &mut PgConnection, position: i64) {
        if position <= self.position || self.at.is_some_and(|at| at.elapsed() < WRITING_PAUSE) {
            return;
        }
        self.at = Some(Instant::now());
        match watermark::write_down(conn, position).await {
            Ok(()) => self.position = position,
            Err(error) => {
                if !self.refused {
                    tracing::warn!(%error, "how far the event log is settled was not written down");
                }
                self.refused = true;
            }
        }
    }
}

/// What is measured of every round.
struct Instruments {
    lag: Gauge<i64>,
    delay: Gauge<f64>,
    rounds: Counter<u64>,
}

impl Instruments {
    fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            lag: meter
                .i64_gauge("eventlog.lag")
                .with_description(
                    "Positions that are taken, but wait for an append in flight before they are delivered.",
                )
                .build(),
            delay: meter
                .f64_gauge("eventlog.delay")
                .with_unit("s")
                .with_description("Time for which nothing could be delivered because of an append in flight.")
                .build(),
            rounds: meter
                .u64_counter("eventlog.rounds")
                .with_description("Looks at the log for how far it is settled.")
                .build(),
        }
    }

    fn seen(&self, Round { taken, settled }: Round, held_up: &mut Option<(i64, Instant)>) {
        self.lag.record(taken - settled, &[]);
        self.rounds.add(1, &[]);
        *held_up = (settled < taken)
            .then(|| held_up.filter(|(at, _)| *at == settled).unwrap_or_else(|| (settled, Instant::now())));
        let delay = held_up.map_or(Duration::ZERO, |(_, since)| since.elapsed());
        self.delay.record(delay.as_secs_f64(), &[]);
    }
}
