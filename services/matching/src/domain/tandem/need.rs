//! What a side needs to know before it answers an offer.

use identity::PersonId;
use jiff::Timestamp;

use super::{Change, Known, Rejection, Status};
use crate::domain::Side;

/// What somebody has to know before they can answer an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What it takes: how much time, how often.
    Effort,
    /// Who the other is.
    Partner,
    /// What there is to teach and to learn.
    Topics,
    /// Something that is best asked in person.
    Other,
}

impl Need {
    /// Every need.
    pub const ALL: [Self; 4] = [Self::Effort, Self::Partner, Self::Topics, Self::Other];

    /// The need as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effort => "effort",
            Self::Partner => "partner",
            Self::Topics => "topics",
            Self::Other => "other",
        }
    }
}

/// A side needs information from the programme office before it can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The side.
    pub side: Side,
    /// What it needs to know.
    pub need: Need,
    /// The end of the time to answer: put off by the first who asks.
    pub answer_by: Timestamp,
    /// Who published the edition's last run, and is told.
    pub released_by: Option<PersonId>,
}

/// A side asks once, as the office then talks to it in person.
///
/// The time to answer is put off once, so that silence ends no offer while the office owes an answer, and every offer ends.
pub(super) fn ask(known: &Known, asking: &Asking, now: Timestamp) -> Result<Option<Change>, Rejection> {
    let (accepted, asked) = match asking.side {
        Side::Mentor => (known.mentor_accepted, known.mentor_needs),
        Side::Mentee => (known.mentee_accepted, known.mentee_needs),
    };
    match known.status {
        Status::Published if asked == Some(asking.need) && !accepted => Ok(None),
        Status::Published if !known.is_silent(asking.side) => Err(Rejection::Answered(asking.side)),
        Status::Published if now >= known.answer_by => Err(Rejection::AnswerTimeOver(known.answer_by)),
        Status::Published if known.mentor_needs.or(known.mentee_needs).is_some() => {
            Ok(Some(Change::Asked(Asking { answer_by: known.answer_by, ..*asking })))
        }
        Status::Published => Ok(Some(Change::Asked(*asking))),
        Status::Active => Err(Rejection::Active),
        over => Err(Rejection::Over(over)),
    }
}
