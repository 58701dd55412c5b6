//! Requests to commands, rejections to statuses, rows to responses.

mod calls;
mod refusal;
mod shown;

use boot::{Call, not_found, refuse, unavailable};
use eventlog::{Begun, Receipt};
use identity::{Caller, EditionId, Id, PersonId, Resource, SessionId, TandemId};
use proto::{Violation, status};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::Sessions;
use crate::codec::Series;
use crate::domain::Side;
use crate::domain::planning::{Rules, Slot};
use crate::domain::series::{Act, Command, Rejection};
use crate::views::series::{self, SeriesRow};
use crate::views::{editions, leaves, sessions};

/// What a command names, and what has to be prepared for it.
#[derive(Default)]
struct Named<'a> {
    edition_id: &'a str,
    tandem_id: &'a str,
    /// A text to be sealed with the tandem's key.
    text: Option<&'a str>,
    /// A topic of the catalogue; empty if none.
    topic: &'a str,
    /// The session whose new time must not collide.
    moves: Option<SessionId>,
    /// The id of what the command makes, for its receipt.
    creates: Option<Uuid>,
}

/// What was prepared for a command.
struct Prepared {
    side: Option<Side>,
    sealed_text: Vec<u8>,
    busy: Vec<Slot>,
}

impl Prepared {
    /// The side for which the caller speaks.
    fn side(&self) -> Result<Side, Status> {
        let message = "Only the mentor, the mentee or an assistant of theirs can do this.";
        self.side.ok_or_else(|| status::refusal(Code::PermissionDenied, "NO_SIDE", message))
    }
}

impl Sessions {
    async fn connection(&self) -> Result<PoolConnection<Postgres>, Status> {
        self.pool.acquire().await.map_err(unavailable)
    }

    /// Carries out a command on a series.
    async fn act<M>(
        &self,
        call: &Call<M>,
        named: Named<'_>,
        act: impl FnOnce(Prepared) -> Result<Act, Status>,
    ) -> Result<Receipt, Status> {
        // Whoever may never do this is not told whether the tandem exists.
        call.scope()?;
        let edition: EditionId = id("edition_id", named.edition_id)?;
        let tandem: TandemId = id("tandem_id", named.tandem_id)?;
        // Beginning knows no rules, so that any kind of rejection will do.
        let begun = self.journal.begin(&call.context()).await;
        let mut work = match begun.map_err(|error| refuse::<Rejection>(error.into()))? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let found = series::find(unit.conn(), tandem).await.map_err(unavailable)?;
        let row = found.ok_or_else(|| not_found("tandem"))?;
        call.allow(&Resource::between(&row.parties()))?;

        let prepared = self.prepare(unit.conn(), call, &row, &named).await?;
        let command = Command { tandem, edition, now: call.now, act: act(prepared)? };
        let receipt = unit.execute::<Series>(tandem.uuid(), command).await.map_err(refuse)?;
        let receipt = Receipt { id: named.creates.unwrap_or(receipt.id), ..receipt };
        work.commit(receipt).await.map_err(unavailable)
    }

    async fn prepare<M>(
        &self,
        conn: &mut PgConnection,
        call: &Call<M>,
        row: &SeriesRow,
        named: &Named<'_>,
    ) -> Result<Prepared, Status> {
        if !named.topic.is_empty() {
            let rules = editions::find(&mut *conn, row.edition).await.map_err(unavailable)?;
            known_topic(&rules.ok_or_else(|| not_found("edition"))?, named.topic)?;
        }
        let sealed_text = match named.text {
            Some(text) => {
                self.vault.seal(conn, row.tandem.uuid(), text.as_bytes()).await.map_err(unsealed)?
            }
            None => Vec::new(),
        };
        let busy = match named.moves {
            Some(session) => {
                sessions::hold_calendars(conn, row.parties()).await.map_err(unavailable)?;
                {
                    let paused_until = leaves::paused_until(call.now);
                    let busy = sessions::busy(conn, row.parties(), Some(session), paused_until).await;
                    busy.map_err(unavailable)?
                }
            }
            None => Vec::new(),
        };
        Ok(Prepared { side: side_of(&call.caller, row), sealed_text, busy })
    }

    /// The series that a request reads, if the caller may do so.
    async fn read_series<M>(
        &self,
        conn: &mut PgConnection,
        call: &Call<M>,
        (edition_id, tandem_id): (&str, &str),
    ) -> Result<SeriesRow, Status> {
        call.scope()?;
        let edition: EditionId = id("edition_id", edition_id)?;
        let found = series::find(conn, id("tandem_id", tandem_id)?).await.map_err(unavailable)?;
        let row = found.filter(|row| row.edition == edition).ok_or_else(|| not_found("tandem"))?;
        call.allow(&Resource::between(&row.parties()))?;
        Ok(row)
    }

    /// Opens what was sealed for a tandem; empty if its key was forgotten.
    async fn open(&self, conn: &mut PgConnection, tandem: TandemId, sealed: &[u8]) -> Result<String, Status> {
        let text = self.vault.open(conn, tandem.uuid(), sealed).await.map_err(unavailable)?;
        String::from_utf8(text.unwrap_or_default()).map_err(unavailable)
    }
}

/// The side on which the caller is, or else the one for which the caller acts.
fn side_of(caller: &Caller, row: &SeriesRow) -> Option<Side> {
    let side = |person: Option<PersonId>| person.and_then(|person| row.side_of(person));
    side(caller.person).or_else(|| side(caller.delegate_for))
}

/// A topic stands in the clear, so that it must be one of the catalogue and no free text.
fn known_topic(rules: &Rules, topic: &str) -> Result<(), Status> {
    let message = "The topic is not in the edition's catalogue.";
    let unknown = || status::refusal(Code::FailedPrecondition, "UNKNOWN_TOPIC", message);
    rules.teaches(topic).then_some(()).ok_or_else(unknown)
}

fn unsealed(error: vault::Error) -> Status {
    match error {
        vault::Error::Forgotten => {
            let message = "What the tandem wrote was erased, and nothing can be added.";
            status::refusal(Code::FailedPrecondition, "ERASED", message)
        }
        failure => unavailable(failure),
    }
}

fn id<K>(field: &str, text: &str) -> Result<Id<K>, Status> {
    text.parse().map_err(|_| violation(field, "UUID", "must be a UUID"))
}

fn violation(field: &str, code: &'static str, message: &str) -> Status {
    status::invalid(vec![Violation { field: field.to_owned(), code, message: message.to_owned() }])
}
