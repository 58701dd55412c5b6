use eventlog::{Aggregate, BoxError, Recorded};
use identity::{EditionId, PersonId};
use proto::enrollment::EditionCompleted;
use proto::matching::{TandemActivated, TandemCompleted, TandemDissolved};

use super::{Application, Obligation};
use crate::domain::participation::{Engagement, Happening, Kind};
use crate::domain::{application, obligation};

/// What an event of this service or of the matching means for who takes part.
///
/// # Errors
/// If the event cannot be read.
pub(crate) fn happenings(event: &Recorded) -> Result<Vec<Happening>, BoxError> {
    let id = event.stream.id;
    if event.stream.kind == Application::KIND {
        let application::Event { key, change } = Application::decode(event)?;
        let (person, edition, kind) = (key.person, key.edition, Kind::Application);
        return Ok(match change {
            application::Change::Submitted(..) => {
                vec![Happening::Began(Engagement { person, id, edition, kind })]
            }
            application::Change::Declined(_) | application::Change::Withdrawn { .. } => {
                vec![Happening::Ended(id)]
            }
            _ => Vec::new(),
        });
    }
    if event.stream.kind == Obligation::KIND {
        let obligation::Event { key, change } = Obligation::decode(event)?;
        let (person, edition, kind) = (key.person, key.edition, Kind::Obligation);
        return Ok(match change {
            obligation::Change::Raised(_) => vec![Happening::Began(Engagement { person, id, edition, kind })],
            obligation::Change::Excused(..) | obligation::Change::Fulfilled | obligation::Change::Lapsed => {
                vec![Happening::Ended(id)]
            }
            obligation::Change::Acknowledged(_) | obligation::Change::Escalated(_) => Vec::new(),
        });
    }
    if event.is::<EditionCompleted>() {
        return Ok(vec![Happening::EditionOver(EditionId::from_uuid(id))]);
    }
    if event.is::<TandemActivated>() {
        let it: TandemActivated = event.read()?;
        let edition = it.edition_id.parse()?;
        let sides: [PersonId; 2] = [it.mentor_person_id.parse()?, it.mentee_person_id.parse()?];
        let began = |person| Happening::Began(Engagement { person, id, edition, kind: Kind::Tandem });
        return Ok(sides.map(began).to_vec());
    }
    let ended = event.is::<TandemCompleted>() || event.is::<TandemDissolved>();
    Ok(if ended { vec![Happening::Ended(id)] } else { Vec::new() })
}
