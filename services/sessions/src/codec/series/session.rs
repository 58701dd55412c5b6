//! What became of a session.

use eventlog::{Corrupt, Draft, Recorded};
use proto::sessions as stored;
use proto::time::{from_proto, to_proto};

use super::{Fields, side_to_proto};
use crate::domain::series::{Cause, Change, Event, Occasion, Outcome};

pub(super) fn encode(tandem_id: String, edition_id: String, occasion: Occasion, outcome: Outcome) -> Draft {
    let (session_id, month) = (occasion.session.to_string(), occasion.month);
    match outcome {
        Outcome::Held => Draft::of(&stored::SessionHeld { tandem_id, edition_id, session_id, month }),
        Outcome::Moved(side, start) => Draft::of(&stored::SessionMoved {
            tandem_id,
            edition_id,
            session_id,
            month,
            start_time: Some(to_proto(start)),
            side: side_to_proto(side),
        }),
        Outcome::Cancelled { side, cause } => Draft::of(&stored::SessionCancelled {
            tandem_id,
            edition_id,
            session_id,
            month,
            side: side_to_proto(side),
            approved_absence: cause.is_approved(),
            on_leave: cause == Cause::OnLeave,
        }),
        Outcome::Resumed(start) => Draft::of(&stored::SessionResumed {
            tandem_id,
            edition_id,
            session_id,
            month,
            start_time: Some(to_proto(start)),
        }),
        Outcome::Missed(side) => {
            let side = side_to_proto(side);
            Draft::of(&stored::SessionMissed { tandem_id, edition_id, session_id, month, side })
        }
    }
}

pub(super) fn decode(event: &Recorded) -> Result<Option<Event>, Corrupt> {
    let fields = Fields(event);
    let of = |tandem: &str, edition: &str, session: &str, month, outcome| {
        let occasion = Occasion { session: fields.id("session_id", session)?, month };
        fields.of_series(tandem, edition, Change::Session(occasion, outcome)).map(Some)
    };
    if event.is::<stored::SessionHeld>() {
        let it: stored::SessionHeld = event.read()?;
        of(&it.tandem_id, &it.edition_id, &it.session_id, it.month, Outcome::Held)
    } else if event.is::<stored::SessionMoved>() {
        let it: stored::SessionMoved = event.read()?;
        let start = fields.some("start_time", it.start_time.as_ref().and_then(from_proto))?;
        let outcome = Outcome::Moved(fields.side(it.side)?, start);
        of(&it.tandem_id, &it.edition_id, &it.session_id, it.month, outcome)
    } else if event.is::<stored::SessionCancelled>() {
        let it: stored::SessionCancelled = event.read()?;
        let cause = match (it.approved_absence, it.on_leave) {
            (false, _) => Cause::Own,
            (true, false) => Cause::Approved,
            (true, true) => Cause::OnLeave,
        };
        let outcome = Outcome::Cancelled { side: fields.side(it.side)?, cause };
        of(&it.tandem_id, &it.edition_id, &it.session_id, it.month, outcome)
    } else if event.is::<stored::SessionResumed>() {
        let it: stored::SessionResumed = event.read()?;
        let start = fields.some("start_time", it.start_time.as_ref().and_then(from_proto))?;
        of(&it.tandem_id, &it.edition_id, &it.session_id, it.month, Outcome::Resumed(start))
    } else if event.is::<stored::SessionMissed>() {
        let it: stored::SessionMissed = event.read()?;
        let outcome = Outcome::Missed(fields.side(it.side)?);
        of(&it.tandem_id, &it.edition_id, &it.session_id, it.month, outcome)
    } else {
        Ok(None)
    }
}
