use jiff::Timestamp;

use super::{Offer, Rejection};
use crate::domain::pairing::{Points, Rule};
use crate::domain::{Pair, Phase, Side, place};

/// A pair that the programme office proposes by hand, and the circumstances.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// The two.
    pub pair: Pair,
    /// Where the edition is.
    pub phase: Phase,
    /// How well they fit, or the hard rule that they break; none for a side that takes no part.
    pub assessed: Result<Result<Points, Rule>, Side>,
    /// Whether the same two have an offer that is not answered yet.
    pub offered_already: bool,
    /// Whether each of the two has a free place.
    pub places_left: bool,
    /// The end of the time to answer.
    pub answer_by: Timestamp,
}

impl Proposal {
    /// The offer that this becomes, if no rule forbids it.
    pub(super) fn check(&self) -> Result<Offer, Rejection> {
        let Self { pair, phase, assessed, offered_already, places_left, answer_by } = *self;
        if !phase.forms_tandems() {
            return Err(Rejection::EditionNotMatching(phase));
        }
        let points = assessed.map_err(Rejection::NotTakingPart)?.map_err(Rejection::Breaks)?;
        if offered_already {
            return Err(Rejection::OfferedAlready);
        }
        if !places_left {
            return Err(place::Rejection::NoPlaceLeft.into());
        }
        Ok(Offer { pair, run: None, repair: None, points, answer_by })
    }
}
