//! What happens elsewhere and matters here: tandems meet, and one that met to the end fulfils its executive's obligation.

use boot::Clock;
use eventlog::{BoxError, CommandError, Context, Follower, Journal, Patches, Recorded};
use identity::{EditionId, PersonId, TandemId};
use proto::matching::{TandemActivated, TandemCompleted, TandemDissolved, TandemPublished};
use sqlx::PgConnection;

use crate::codec::{self, Obligation};
use crate::domain::obligation::{Command, Key};
use crate::views::{Views, participations, tandems};

/// Follows the events of the matching.
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
        event.is::<TandemCompleted>()
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        let tandem: TandemCompleted = event.read()?;
        let edition: EditionId = tandem.edition_id.parse()?;
        let mentee: PersonId = tandem.mentee_person_id.parse()?;
        let context =
            Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None };
        let obligation = Key::of(edition, mentee).obligation.uuid();
        let mut unit = self.journal.unit(conn, &context);
        match unit.execute::<Obligation>(obligation, Command::Fulfil).await {
            // Whoever was excused meanwhile, or never obliged, has nothing to fulfil.
            Ok(_) | Err(CommandError::Rejected(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
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
