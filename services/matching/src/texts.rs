//! Explanations and prices in words that a programme officer would use; the compiler asks each language for each phrase.

mod de;
mod en;

use crate::domain::explanation::{Explanation, PairView, Relaxation};
use crate::domain::outcome::Price;
use crate::domain::pairing::{Points, Rule};
use crate::domain::scoring::{Criterion, PerCriterion, SCORE_MAX};
use crate::domain::solution::Unmatched;
use crate::domain::{Side, pairing};

/// A language of the explanations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// Something that is said in every language; each is a sentence, but for [`Phrase::Part`] with its share.
#[derive(Clone, Copy, Debug)]
enum Phrase {
    /// What the points of a criterion mean.
    Part(Criterion, Share),
    /// How well two people fit.
    Fit(i32),
    /// A hard rule that a pair breaks, and what would have to change.
    Broken(Rule),
    /// All places of the mentor are bound by locks.
    NoPlace,
    /// So many executives more without a mentor; fewer below zero.
    Unmatched(i64),
    /// So many pairs more below a score; fewer below zero.
    Band(u16, i64),
    /// So many points less in total; more below zero.
    Score(i64),
    /// For so many executives the mentor changes.
    Moves(usize),
    /// Nothing changes for anybody.
    Nothing,
    /// Nobody loses anything, though mentors change.
    Even,
    /// How many points more would make a pair part of the run by itself.
    Threshold(i64),
    /// No points would: so many more there are not.
    OutOfReach,
    /// The mentor who was found is the one who is best for all together.
    BestForAll(Side),
    /// What follows is the price of the next best.
    NextBest(Side),
    /// There would be nobody else.
    NobodyElse(Side),
    /// A mentor whom the run does not need.
    FreeMentor,
    /// So many executives can only be served by so many mentors with so many places.
    Shortage(usize, usize, i32),
    /// What giving up a rule would bring: so many pairs, so many executives more with a mentor.
    Relaxation(Rule, usize, usize),
}

/// The part of the points that a pair has of the most there are.
#[derive(Clone, Copy, Debug)]
struct Share {
    points: i32,
    most: i32,
}

impl Share {
    /// In hundredths, rounded down.
    fn per_cent(self) -> i32 {
        if self.most > 0 { self.points.saturating_mul(100) / self.most } else { 0 }
    }

    /// Of so many of something, how many, rounded up: points were rounded down.
    fn of(self, whole: i64) -> i64 {
        let (points, most) = (i64::from(self.points), i64::from(self.most.max(1)));
        (points * whole + most - 1) / most
    }
}

impl Language {
    /// The language of a tag; English where it is none of ours.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        if tag == "de" { Self::De } else { Self::En }
    }

    /// What the points of a criterion mean; empty for a criterion that does not count.
    #[must_use]
    pub fn criterion(self, criterion: Criterion, points: i32, most: i32) -> String {
        if most > 0 { self.phrase(Phrase::Part(criterion, Share { points, most })) } else { String::new() }
    }

    /// How well two people fit, criterion by criterion.
    #[must_use]
    pub fn fit(self, points: Points, weights: PerCriterion) -> String {
        let is_worth_saying = |criterion: &Criterion| {
            let is_wish = matches!(criterion, Criterion::MenteeWish | Criterion::MentorWish);
            weights.of(*criterion) > 0 && (!is_wish || points.by.of(*criterion) > 0)
        };
        let said = Criterion::ALL.into_iter().filter(is_worth_saying);
        let parts =
            said.map(|criterion| self.criterion(criterion, points.by.of(criterion), weights.of(criterion)));
        std::iter::once(self.phrase(Phrase::Fit(points.score()))).chain(parts).collect::<Vec<_>>().join(" ")
    }

    /// Two people of a run: how they fit, what they would cost, and what would have to change.
    #[must_use]
    pub fn pair(self, view: &PairView, weights: PerCriterion) -> String {
        let points = match view.verdict {
            Err(broken) => return self.phrases(broken.rules().map(Phrase::Broken)),
            Ok(points) => points,
        };
        let fit = self.fit(points, weights);
        match &view.price {
            None if view.is_tandem => fit,
            None => format!("{fit} {}", self.phrase(Phrase::NoPlace)),
            Some(price) => {
                let less = price.loss.score;
                let reachable = less < i64::from(SCORE_MAX - points.score());
                let threshold = match price.loss.is_score_alone() && less > 0 {
                    true if reachable => Some(Phrase::Threshold(less)),
                    true => Some(Phrase::OutOfReach),
                    false => None,
                };
                format!("{fit} {} {}", self.price(price), self.phrases(threshold)).trim_end().to_owned()
            }
        }
    }

    /// What something costs everybody.
    #[must_use]
    pub fn price(self, price: &Price) -> String {
        let loss = &price.loss;
        let unmatched = Some(Phrase::Unmatched(loss.unmatched)).filter(|_| loss.unmatched != 0);
        let bands = loss.bands.iter().filter(|(_, more)| *more != 0);
        let bands = bands.map(|(below, more)| Phrase::Band(*below, *more));
        let score = Some(Phrase::Score(loss.score)).filter(|_| loss.score != 0);
        let mut said: Vec<Phrase> = unmatched.into_iter().chain(bands).chain(score).collect();
        if price.moves.is_empty() {
            return self.phrase(Phrase::Nothing);
        }
        if said.is_empty() {
            said.push(Phrase::Even);
        }
        said.push(Phrase::Moves(price.moves.len()));
        self.phrases(said)
    }

    /// Why an executive has no mentor.
    #[must_use]
    pub fn shortage(self, unmatched: &Unmatched) -> String {
        let (executives, mentors) = (unmatched.competing.len(), unmatched.mentors.len());
        self.phrase(Phrase::Shortage(executives, mentors, unmatched.places))
    }

    /// What giving up a rule would bring.
    #[must_use]
    pub fn relaxation(self, relaxation: &Relaxation) -> String {
        let Relaxation { rule, pairs, matched } = *relaxation;
        self.phrase(Phrase::Relaxation(rule, pairs, matched))
    }

    /// A person's view of a run, in a few sentences.
    #[must_use]
    pub fn explanation(self, explanation: &Explanation, weights: PerCriterion) -> String {
        let side = explanation.side;
        if let Some(shortage) = &explanation.shortage {
            let helps = shortage.relaxations.iter().map(|relaxation| self.relaxation(relaxation));
            return std::iter::once(self.shortage(&shortage.unmatched))
                .chain(helps)
                .collect::<Vec<_>>()
                .join(" ");
        }
        let Some(first) = explanation.tandems.first() else { return self.phrase(Phrase::FreeMentor) };
        let next = match explanation.alternative.as_ref().and_then(|next| next.price.as_ref()) {
            Some(price) => format!("{} {}", self.phrase(Phrase::NextBest(side)), self.price(price)),
            None => self.phrase(Phrase::NobodyElse(side)),
        };
        format!("{} {} {next}", self.phrase(Phrase::BestForAll(side)), self.pair(first, weights))
    }

    fn phrases(self, phrases: impl IntoIterator<Item = Phrase>) -> String {
        phrases.into_iter().map(|phrase| self.phrase(phrase)).collect::<Vec<_>>().join(" ")
    }

    fn phrase(self, phrase: Phrase) -> String {
        match self {
            Self::En => en::phrase(phrase),
            Self::De => de::phrase(phrase),
        }
    }
}

/// How many steps apart two people stand, by the points for it.
fn steps(share: Share) -> i64 {
    share.of(pairing::STEPS_FAR)
}

/// The common time by the points for it, in tenths of a session a week.
fn session_tenths(share: Share) -> i64 {
    share.of(10 * pairing::SESSIONS_A_WEEK_AMPLE)
}

/// A number with a mark between thousands.
fn grouped(number: i64, mark: char) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
