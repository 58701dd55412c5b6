//! `WatchWorkers`: a snapshot, a bookmark, then each change.

use std::time::Duration;

use boot::{page, unavailable};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use identity::SourceId;
use jiff::{SignedDuration, Timestamp};
use proto::hris::watch_workers_response::Event;
use proto::hris::{Heartbeat, SnapshotComplete, WatchWorkersResponse, WorkerChanged, WorkerRemoved};
use proto::status;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Status};
use uuid::Uuid;

use super::super::violation;
use super::Lease;
use crate::Enrollment;
use crate::views::watch::{self as feed, Place, Standing};

/// How many changes are read at once.
const PAGE: i64 = 1000;
/// For how long a token holds. Whoever was away for longer compares everything anew, so that nothing has to be remembered for ever
/// of those who are gone.
const TOKEN_HOURS_MAX: i64 = 30 * 24;

/// What a client gets back to go on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    source: SourceId,
    at: Timestamp,
    place: Place,
    /// The last worker of a snapshot that is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl Token {
    fn of(text: &str, source: &SourceId) -> Result<Self, Status> {
        let known = page::key::<Self>(text).filter(|token| token.source == *source);
        known.ok_or_else(|| {
            violation("resume_token", "RESUME_TOKEN", "must be a token that this source was given, or empty")
        })
    }

    /// Whether what has changed since can still be told.
    fn check(&self, now: Timestamp, end: Place, head: i64) -> Result<(), Status> {
        let refused = |reason, message: &str| Err(status::refusal(Code::OutOfRange, reason, message));
        if now.duration_since(self.at) > SignedDuration::from_hours(TOKEN_HOURS_MAX) {
            return refused("TOKEN_TOO_OLD", "the token is older than 30 days; begin with a snapshot again");
        }
        // Such as after a backup was restored.
        if self.place.change > end.change || self.place.position > head {
            let message = "the token is ahead of what this system remembers; begin with a snapshot again";
            return refused("TOKEN_AHEAD", message);
        }
        Ok(())
    }
}

/// One client that follows a source.
pub(super) struct Watcher {
    enrollment: Enrollment,
    source: SourceId,
    place: Place,
    /// The last worker told of a snapshot; none once it is complete.
    snapshot: Option<String>,
    /// How far the service had come when the changes were last read.
    seen: i64,
    moves: watch::Receiver<()>,
    lease: Lease,
    silent_since: Instant,
}

impl Watcher {
    /// Begins with a snapshot, or where the token says.
    pub(super) async fn new(
        enrollment: &Enrollment,
        source: SourceId,
        resume_token: &str,
    ) -> Result<Self, Status> {
        let end = feed::end(&enrollment.pool, source.as_str()).await.map_err(unavailable)?;
        let (place, snapshot) = if resume_token.is_empty() {
            (end, Some(String::new()))
        } else {
            let token = Token::of(resume_token, &source)?;
            let head = eventlog::head(&enrollment.pool).await.map_err(unavailable)?;
            token.check(enrollment.desk.now(), end, head)?;
            (token.place, token.after)
        };
        let (enrollment, moves) = (enrollment.clone(), enrollment.moves.subscribe());
        Ok(Self {
            enrollment,
            source,
            place,
            snapshot,
            seen: 0,
            moves,
            lease: Lease::new(),
            silent_since: Instant::now(),
        })
    }

    /// All that is told, a page at a time: the next one is read when the client has taken the one before.
    pub(super) fn tell(self) -> BoxStream<'static, Result<WatchWorkersResponse, Status>> {
        let pages = stream::try_unfold(self, |mut watcher| async move {
            let page = watcher.next().await?;
            watcher.silent_since = Instant::now();
            Ok::<_, Status>(Some((page, watcher)))
        });
        pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// Reads what is new, or waits for it.
    async fn next(&mut self) -> Result<Vec<WatchWorkersResponse>, Status> {
        let heartbeat = Duration::from_secs(self.enrollment.config.watch_heartbeat_seconds);
        loop {
            self.lease.check()?;
            self.moves.mark_unchanged();
            let page = self.read().await.map_err(unavailable)?;
            if !page.is_empty() {
                return Ok(page);
            }
            tokio::select! {
                () = self.enrollment.shutdown.cancelled() => return Err(super::stopping()),
                position = self.enrollment.desk.beyond(self.seen) => self.seen = position,
                // A worker may come and go without an event: its person is there by another source.
                Ok(()) = self.moves.changed() => {}
                () = sleep_until(self.silent_since + heartbeat) => {
                    return Ok(vec![self.response(Event::Heartbeat(Heartbeat {}))]);
                }
            }
        }
    }

    async fn read(&mut self) -> sqlx::Result<Vec<WatchWorkersResponse>> {
        let pool = self.enrollment.pool.clone();
        if let Some(after) = &self.snapshot {
            let page = feed::present(&pool, self.source.as_str(), after, PAGE).await?;
            if page.is_empty() {
                self.snapshot = None;
                return Ok(vec![self.response(Event::SnapshotComplete(SnapshotComplete {}))]);
            }
            return Ok(page.into_iter().map(|standing| self.told(standing, Told::Snapshot)).collect());
        }
        let moves = feed::moves(&pool, self.source.as_str(), self.place, PAGE).await?;
        if !moves.is_empty() {
            return Ok(moves.into_iter().map(|standing| self.told(standing, Told::Move)).collect());
        }
        let turns = feed::turns(&pool, self.source.as_str(), self.place, PAGE).await?;
        if turns.is_empty() && self.seen > self.place.position {
            // Whatever the service had taken in before it was asked has been told.
            (self.place.position, self.place.person) = (self.seen, Uuid::max());
        }
        Ok(turns.into_iter().map(|standing| self.told(standing, Told::Turn)).collect())
    }

    /// Moves the place behind a worker and tells how the worker stands.
    fn told(&mut self, standing: Standing, by: Told) -> WatchWorkersResponse {
        match by {
            Told::Snapshot => self.snapshot = Some(standing.external_id.clone()),
            Told::Move => self.place.change = standing.change,
            Told::Turn => {
                self.place.position = standing.position;
                self.place.person = standing.present.map(|present| present.person).unwrap_or_default();
            }
        }
        let external_id = standing.external_id;
        self.response(match standing.present {
            Some(present) => Event::Changed(WorkerChanged {
                external_id,
                person_id: present.person.to_string(),
                participating: present.participating,
                change_time: Some(proto::time::to_proto(present.since)),
            }),
            None => Event::Removed(WorkerRemoved { external_id }),
        })
    }

    fn response(&self, event: Event) -> WatchWorkersResponse {
        let (source, at, place) = (self.source.clone(), self.enrollment.desk.now(), self.place);
        let token = Token { source, at, place, after: self.snapshot.clone() };
        WatchWorkersResponse { resume_token: page::token(&token), event: Some(event) }
    }
}

/// What a worker is told for.
#[derive(Clone, Copy)]
enum Told {
    Snapshot,
    Move,
    Turn,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        let place = Place { change: 7, position: 40, person: Uuid::from_u128(3) };
        let source = "payroll".parse().unwrap();
        Token { source, at: "2013-09-01T08:00:00Z".parse().unwrap(), place, after: Some("E-1".to_owned()) }
    }

    #[test]
    fn a_token_comes_back_as_it_was_and_only_to_its_source() {
        let text = page::token(&token());
        assert_eq!(Token::of(&text, &token().source).unwrap(), token());
        for (text, source) in [(text.as_str(), "roster"), ("none", "payroll"), ("eyJ9", "payroll")] {
            let refused = Token::of(text, &source.parse().unwrap()).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn a_token_holds_for_thirty_days_and_not_before_its_own_past() {
        let code = |now: &str, change, head| {
            let end = Place { change, ..Place::default() };
            token().check(now.parse().unwrap(), end, head).map_err(|refused| refused.code())
        };
        assert_eq!(code("2013-10-01T08:00:00Z", 7, 40), Ok(()));
        assert_eq!(code("2013-10-01T08:00:01Z", 7, 40), Err(Code::OutOfRange));
        assert_eq!(code("2013-09-02T08:00:00Z", 6, 40), Err(Code::OutOfRange));
        assert_eq!(code("2013-09-02T08:00:00Z", 7, 39), Err(Code::OutOfRange));
    }
}
