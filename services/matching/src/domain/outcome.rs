//! Who has whom, in figures; and what one outcome costs compared with another.

use identity::PersonId;

use crate::domain::frozen::Frozen;
use crate::domain::pairing::Points;
use crate::domain::solution::Staged;

/// A mentor who was found for a mentee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The mentor, by index.
    pub mentor: usize,
    /// Which of the mentor's free places.
    pub place: u32,
    /// How well the two fit.
    pub points: Points,
}

/// Who has whom: per mentee, by index, the mentor, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Per mentee.
    pub found: Vec<Option<Found>>,
}

/// An outcome in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Executives in the run.
    pub mentees: usize,
    /// Tandems found.
    pub pairs: usize,
    /// The sum of the scores.
    pub score: i64,
    /// Pairs below each fairness band: the band, and how many.
    pub bands: Vec<(u16, usize)>,
    /// Pairs who would both rather have each other.
    pub blocking_pairs: usize,
}

/// What an outcome costs compared with another, goal by goal; above zero it is worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Executives more without a mentor. All are obliged.
    pub unmatched: i64,
    /// Pairs more below each fairness band.
    pub bands: Vec<(u16, i64)>,
    /// Points less in total.
    pub score: i64,
}

/// A mentee whose mentor changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The mentee.
    pub mentee: PersonId,
    /// The mentor so far, with the score.
    pub before: Option<(PersonId, i32)>,
    /// The mentor then, with the score.
    pub after: Option<(PersonId, i32)>,
}

/// What an outcome costs compared with another, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Goal by goal.
    pub loss: Loss,
    /// The mentees whose mentor changes.
    pub moves: Vec<Move>,
    /// The former outcome.
    pub before: Figures,
    /// The latter.
    pub after: Figures,
}

impl Outcome {
    /// What a run found; none if it is not of these inputs.
    #[must_use]
    pub fn of_staged(frozen: &Frozen, staged: &Staged) -> Option<Self> {
        let (mentees, mentors) = (frozen.mentees(), frozen.mentors());
        let mut found = vec![None; frozen.inputs.mentees.len()];
        for proposed in &staged.pairs {
            let mentee = *mentees.get(&proposed.pair.mentee)?;
            let mentor = *mentors.get(&proposed.pair.mentor)?;
            found[mentee] = Some(Found { mentor, place: proposed.place, points: proposed.points });
        }
        Some(Self { found })
    }

    /// The mentees of a mentor, by index.
    pub fn mentees_of(&self, mentor: usize) -> impl Iterator<Item = usize> {
        let found = self.found.iter().enumerate();
        found.filter_map(move |(mentee, found)| (found.as_ref()?.mentor == mentor).then_some(mentee))
    }

    /// The outcome in figures.
    #[must_use]
    pub fn figures(&self, frozen: &Frozen) -> Figures {
        let scores: Vec<i32> = self.found.iter().flatten().map(|found| found.points.score()).collect();
        let below = |band: u16| scores.iter().filter(|score| **score < i32::from(band)).count();
        let bands = frozen.inputs.scoring.rules.bands();
        Figures {
            mentees: self.found.len(),
            pairs: scores.len(),
            score: scores.iter().copied().map(i64::from).sum(),
            bands: bands.iter().map(|band| (*band, below(*band))).collect(),
            blocking_pairs: self.blocking_pairs(frozen),
        }
    }

    /// Counts the pairs who would both rather have each other, by what they are worth to each other apart from load balance.
    ///
    /// Stability is measured, not imposed: it would leave people without a mentor who can have one.
    fn blocking_pairs(&self, frozen: &Frozen) -> usize {
        let score = |mentee, mentor| frozen.matrix.verdict(mentee, mentor).ok().map(Points::score);
        let own: Vec<Option<i32>> = (self.found.iter().enumerate())
            .map(|(mentee, found)| score(mentee, found.as_ref()?.mentor))
            .collect();
        let mut places: Vec<u32> = frozen.inputs.mentors.iter().map(|mentor| mentor.places).collect();
        let mut worst = vec![i32::MAX; places.len()];
        for (found, own) in self.found.iter().zip(&own) {
            if let (Some(found), Some(own)) = (found, own) {
                places[found.mentor] = places[found.mentor].saturating_sub(1);
                worst[found.mentor] = worst[found.mentor].min(*own);
            }
        }
        let blocks = |mentee: usize, mentor: usize| {
            let Some(mutual) = score(mentee, mentor) else { return false };
            Some(mutual) > own[mentee] && (places[mentor] > 0 || mutual > worst[mentor])
        };
        let of_mentee = |mentee| (0..worst.len()).filter(|mentor| blocks(mentee, *mentor)).count();
        (0..self.found.len()).map(of_mentee).sum()
    }

    /// What another outcome of the same inputs costs compared with this one.
    #[must_use]
    pub fn price_of(&self, other: &Self, frozen: &Frozen) -> Price {
        let named = |found: &Found| (frozen.mentor(found.mentor), found.points.score());
        let changed = self.found.iter().zip(&other.found).enumerate().filter(|(_, (before, after))| {
            before.map(|found| found.mentor) != after.map(|found| found.mentor)
        });
        let moves = changed.map(|(mentee, (before, after))| Move {
            mentee: frozen.mentee(mentee),
            before: before.as_ref().map(named),
            after: after.as_ref().map(named),
        });
        let (before, after) = (self.figures(frozen), other.figures(frozen));
        Price { loss: Loss::between(&before, &after), moves: moves.collect(), before, after }
    }
}

impl Figures {
    /// Executives without a mentor.
    #[must_use]
    pub const fn unmatched(&self) -> usize {
        self.mentees.saturating_sub(self.pairs)
    }
}

impl Loss {
    fn between(before: &Figures, after: &Figures) -> Self {
        let more = |after: usize, before: usize| signed(after) - signed(before);
        let bands = before.bands.iter().zip(&after.bands);
        Self {
            unmatched: more(after.unmatched(), before.unmatched()),
            bands: bands.map(|(before, after)| (before.0, more(after.1, before.1))).collect(),
            score: before.score - after.score,
        }
    }

    /// Whether only the total score is concerned, and no goal before it.
    #[must_use]
    pub fn is_score_alone(&self) -> bool {
        self.unmatched == 0 && self.bands.iter().all(|(_, more)| *more == 0)
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
