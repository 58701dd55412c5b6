//! What happens elsewhere and matters here: tandems meet, and one that met to the end fulfils its executive's obligation. And what
//! follows when somebody leaves the company or comes back, whoever recorded it.

use boot::Clock;
use eventlog::{Aggregate, BoxError, CommandError, Context, Follower, Journal, Patches, Recorded, Unit};
use identity::{EditionId, PersonId, TandemId};
use jiff::ToSpan;
use proto::enrollment::{PersonLeft, PersonReturned};
use proto::matching::{TandemActivated, TandemCompleted, TandemDissolved, TandemPublished};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::codec::{self, Application, Obligation};
use crate::domain::obligation::{Key, Status};
use crate::domain::{application, obligation};
use crate::views::{Views, applications, editions, obligations, participations, people, tandems};

/// Follows the events of the matching, and of people.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "enrollment"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut patches = Patches::default();
        for event in events {
            note(&mut patches, event)?;
        }
        note_who_takes_part(&mut patches, conn, events).await?;
        Ok(patches.write(conn).await?)
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        event.is::<TandemCompleted>() || event.is::<PersonLeft>() || event.is::<PersonReturned>()
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        if event.is::<PersonLeft>() {
            return self.leave(conn, event.read::<PersonLeft>()?.person_id.parse()?).await;
        }
        if event.is::<PersonReturned>() {
            return self.come_back(conn, event.read::<PersonReturned>()?.person_id.parse()?).await;
        }
        let tandem: TandemCompleted = event.read()?;
        let edition: EditionId = tandem.edition_id.parse()?;
        let mentee: PersonId = tandem.mentee_person_id.parse()?;
        let obligation = Key::of(edition, mentee).obligation.uuid();
        let mut unit = self.journal.unit(conn, &self.context());
        // Whoever was excused meanwhile, or never obliged, has nothing to fulfil.
        carry_out::<Obligation>(&mut unit, obligation, obligation::Command::Fulfil).await
    }
}

impl Reactions {
    fn context(&self) -> Context {
        Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None }
    }

    /// A leaver's applications are withdrawn and obligations end, unless they are back already.
    ///
    /// Whoever applies holds the person's row until that is recorded, so that nothing which was submitted before is missed here, and
    /// nothing is submitted after.
    async fn leave(&self, conn: &mut PgConnection, person: PersonId) -> Result<(), BoxError> {
        if !people::has_left(&mut *conn, person).await? {
            return Ok(());
        }
        let context = self.context();
        let mut unit = self.journal.unit(conn, &context);
        for key in applications::alive(unit.conn(), person).await? {
            let Some(edition) = editions::find(unit.conn(), key.edition).await? else { continue };
            let today = context.now.in_tz(&edition.rules.time_zone)?.date();
            let command = application::Command {
                edition: key.edition,
                phase: edition.phase,
                promised: edition.rules.promised(today),
                action: application::Action::Withdraw { left_company: true },
            };
            carry_out::<Application>(&mut unit, key.application.uuid(), command).await?;
        }
        for key in obligations::of_person(unit.conn(), person, &[Status::Due, Status::Acknowledged]).await? {
            let leave = obligation::Command::Leave;
            carry_out::<Obligation>(&mut unit, key.obligation.uuid(), leave).await?;
        }
        Ok(())
    }

    /// An executive who comes back is obliged again where leaving had ended it.
    async fn come_back(&self, conn: &mut PgConnection, person: PersonId) -> Result<(), BoxError> {
        if people::has_left(&mut *conn, person).await? {
            return Ok(());
        }
        let context = self.context();
        let mut unit = self.journal.unit(conn, &context);
        for key in obligations::of_person(unit.conn(), person, &[Status::Excused]).await? {
            let Some(edition) = editions::find(unit.conn(), key.edition).await? else { continue };
            let today = context.now.in_tz(&edition.rules.time_zone)?.date();
            let due_date = today.saturating_add(edition.rules.acknowledge_days.days());
            let back = obligation::Command::Return { due_date };
            carry_out::<Obligation>(&mut unit, key.obligation.uuid(), back).await?;
        }
        Ok(())
    }
}

/// What a rule forbids has come to another end meanwhile.
async fn carry_out<A: Aggregate>(
    unit: &mut Unit<'_, Views>,
    stream: Uuid,
    command: A::Command,
) -> Result<(), BoxError>
where
    A::Rejection: Send + Sync + 'static,
{
    settled(unit.execute::<A>(stream, command).await)
}

/// What a rule forbids is no more to be done than what is done.
pub(crate) fn settled<T, R>(answer: Result<T, CommandError<R>>) -> Result<(), BoxError>
where
    R: std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) | Err(CommandError::Rejected(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What turns depends on what was before, so the engagements of whom the events are about are read, once for all of them.
async fn note_who_takes_part(
    patches: &mut Patches,
    conn: &mut PgConnection,
    events: &[Recorded],
) -> Result<(), BoxError> {
    let mut happenings = Vec::new();
    for event in events {
        happenings.extend(codec::happenings(event)?.into_iter().map(|happening| (happening, event)));
    }
    if happenings.is_empty() {
        return Ok(());
    }
    let about: Vec<_> = happenings.iter().map(|(happening, _)| *happening).collect();
    let mut ledger = participations::ledger(conn, &about).await?;
    for (happening, event) in happenings {
        ledger.take(happening, event.recorded_at, event.position);
    }
    participations::note(patches, &ledger);
    Ok(())
}

fn note(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    let tandem = TandemId::from_uuid(event.stream.id);
    if event.is::<TandemPublished>() {
        let it: TandemPublished = event.read()?;
        let (mentor, mentee) = (it.mentor_person_id.parse()?, it.mentee_person_id.parse()?);
        tandems::introduce(patches, tandem, mentor, mentee);
    } else if event.is::<TandemActivated>() {
        let it: TandemActivated = event.read()?;
        tandems::begin(patches, tandem, it.edition_id.parse()?);
    } else if event.is::<TandemCompleted>() || event.is::<TandemDissolved>() {
        tandems::end(patches, tandem);
    }
    Ok(())
}
