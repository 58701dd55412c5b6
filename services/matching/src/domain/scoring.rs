//! What a pair's score is made of, and which scores are unfair: the scoring rules of an edition.

/// The best score a pair can have, and the sum of all weights.
pub const SCORE_MAX: i32 = 10_000;
/// The most fairness bands there are.
pub const BANDS_MAX: usize = 4;

/// A part of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// What the mentee needs and the mentor offers, topic by topic.
    Topics,
    /// Common time.
    Availability,
    /// Distance in the organisation.
    Distance,
    /// The best common language.
    Language,
    /// The mentee wished for the mentor.
    MenteeWish,
    /// The mentor wished for the mentee.
    MentorWish,
    /// How free the mentor's hands are.
    LoadBalance,
}

impl Criterion {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Every criterion, in the order in which they are stored.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Topics,
        Self::Availability,
        Self::Distance,
        Self::Language,
        Self::MenteeWish,
        Self::MentorWish,
        Self::LoadBalance,
    ];

    /// The criterion as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topics => "topics",
            Self::Availability => "availability",
            Self::Distance => "distance",
            Self::Language => "language",
            Self::MenteeWish => "mentee_wish",
            Self::MentorWish => "mentor_wish",
            Self::LoadBalance => "load_balance",
        }
    }
}

/// A number of points for each criterion, in the order of [`Criterion::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerCriterion(pub [i32; Criterion::COUNT]);

impl PerCriterion {
    /// The points of one criterion.
    #[must_use]
    pub const fn of(self, criterion: Criterion) -> i32 {
        self.0[criterion as usize]
    }

    /// The same with other points for one criterion.
    #[must_use]
    pub const fn with(mut self, criterion: Criterion, points: i32) -> Self {
        self.0[criterion as usize] = points;
        self
    }

    /// All points together.
    #[must_use]
    pub fn total(self) -> i32 {
        self.0.into_iter().fold(0, i32::saturating_add)
    }
}

/// What is wrong with scoring rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A weight is below zero or above all points there are.
    #[error("must be 0 to {SCORE_MAX}, not {weight}")]
    Weight {
        /// Whose.
        criterion: Criterion,
        /// The weight.
        weight: i32,
    },
    /// The weights do not share out all points.
    #[error("must add up to {SCORE_MAX}, not {0}")]
    Sum(i32),
    /// A band is outside the scores, or not above the one before it.
    #[error("must be 1 to {SCORE_MAX} and above the band before it, not {below}")]
    Band {
        /// Its place among the bands.
        index: usize,
        /// The score below which a pair would be in it.
        below: i32,
    },
    /// The bands are too many.
    #[error("must be at most {BANDS_MAX}, not {0}")]
    TooManyBands(usize),
}

/// What a pair's score is made of, and which scores are unfair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoringRules {
    weights: PerCriterion,
    bands: Vec<u16>,
}

impl ScoringRules {
    /// Scoring rules that are sound.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn try_new(weights: PerCriterion, bands: &[i32]) -> Result<Self, Vec<Unsound>> {
        let in_range = |weight: i32| (0..=SCORE_MAX).contains(&weight);
        let outside = Criterion::ALL.into_iter().filter(|criterion| !in_range(weights.of(*criterion)));
        let mut unsound: Vec<Unsound> =
            outside.map(|criterion| Unsound::Weight { criterion, weight: weights.of(criterion) }).collect();
        if unsound.is_empty() && weights.total() != SCORE_MAX {
            unsound.push(Unsound::Sum(weights.total()));
        }
        if bands.len() > BANDS_MAX {
            unsound.push(Unsound::TooManyBands(bands.len()));
        }
        let mut sound = Vec::with_capacity(bands.len());
        for (index, below) in bands.iter().copied().enumerate() {
            let former = sound.last().copied().unwrap_or_default();
            match u16::try_from(below) {
                Ok(band) if band > former && below <= SCORE_MAX => sound.push(band),
                _ => unsound.push(Unsound::Band { index, below }),
            }
        }
        if unsound.is_empty() { Ok(Self { weights, bands: sound }) } else { Err(unsound) }
    }

    /// The most points of each criterion; together [`SCORE_MAX`].
    #[must_use]
    pub const fn weights(&self) -> PerCriterion {
        self.weights
    }

    /// Scores below which a pair is unfair, ascending: as few pairs as possible below the first, then below the next.
    #[must_use]
    pub fn bands(&self) -> &[u16] {
        &self.bands
    }
}

impl Default for ScoringRules {
    /// What the mentee needs outweighs everything else, time comes before comfort, and the others decide between those who
    /// fit equally.
    fn default() -> Self {
        Self { weights: PerCriterion([5_000, 2_000, 800, 700, 600, 400, 500]), bands: vec![2_000, 3_000] }
    }
}

/// A version of the scoring rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scoring {
    /// Counted from 1; 0 is the default of every edition.
    pub version: i32,
    /// The rules.
    pub rules: ScoringRules,
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: PerCriterion = PerCriterion([4_000, 3_000, 1_000, 1_000, 500, 500, 0]);

    #[test]
    fn the_default_is_sound() {
        let ScoringRules { weights, bands } = ScoringRules::default();
        let bands: Vec<i32> = bands.into_iter().map(i32::from).collect();
        assert_eq!(ScoringRules::try_new(weights, &bands), Ok(ScoringRules::default()));
    }

    #[test]
    fn weights_share_out_all_points() {
        let less = WEIGHTS.with(Criterion::Topics, 3_999);
        assert_eq!(ScoringRules::try_new(less, &[]), Err(vec![Unsound::Sum(9_999)]));
        assert_eq!(ScoringRules::try_new(WEIGHTS, &[]).map(|rules| rules.weights()), Ok(WEIGHTS));
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let weights = WEIGHTS.with(Criterion::Language, -1).with(Criterion::Distance, i32::MAX);
        let expected = vec![
            Unsound::Weight { criterion: Criterion::Distance, weight: i32::MAX },
            Unsound::Weight { criterion: Criterion::Language, weight: -1 },
            Unsound::TooManyBands(5),
            Unsound::Band { index: 0, below: 0 },
            Unsound::Band { index: 2, below: 2_000 },
            Unsound::Band { index: 3, below: 10_001 },
            Unsound::Band { index: 4, below: 70_000 },
        ];
        let bands = [0, 2_000, 2_000, 10_001, 70_000];
        assert_eq!(ScoringRules::try_new(weights, &bands), Err(expected));
    }

    #[test]
    fn a_sum_has_no_end() {
        assert_eq!(PerCriterion([i32::MAX; 7]).total(), i32::MAX);
    }
}
