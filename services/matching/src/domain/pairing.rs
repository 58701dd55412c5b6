//! Who may be paired, and how well two people fit.

use std::fmt;

use crate::domain::Side;
use crate::domain::inputs::{Mentee, Mentor, Participant, Past, Rules, Standing};
use crate::domain::scoring::{Criterion, PerCriterion, Scoring};
use crate::domain::week;

/// Common time for this many sessions a week is as good as more.
pub const SESSIONS_A_WEEK_AMPLE: i64 = 4;
/// So many steps up and down the reporting line are as good as more.
pub const STEPS_FAR: i64 = 8;
/// The best level of a topic: could teach it.
const LEVEL_MAX: i64 = 4;

/// A hard rule: who breaks one is never paired, whatever the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// One stands within the edition's levels above the other.
    Chain,
    /// Both report to the same superior.
    SameSuperior,
    /// Both work in the same department.
    SameDepartment,
    /// They were a tandem before.
    FormerPair,
    /// One of them asked never to be paired with the other again.
    NeverAgain,
    /// One of them refused the other in this edition.
    RefusedBefore,
    /// They have no language in common.
    NoCommonLanguage,
    /// They have no time in common that is as long as a session.
    NoCommonTime,
    /// The programme office does not want the pair.
    Forbidden,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 9] = [
        Self::Chain,
        Self::SameSuperior,
        Self::SameDepartment,
        Self::FormerPair,
        Self::NeverAgain,
        Self::RefusedBefore,
        Self::NoCommonLanguage,
        Self::NoCommonTime,
        Self::Forbidden,
    ];

    /// The rule's name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "CHAIN",
            Self::SameSuperior => "SAME_SUPERIOR",
            Self::SameDepartment => "SAME_DEPARTMENT",
            Self::FormerPair => "FORMER_PAIR",
            Self::NeverAgain => "NEVER_AGAIN",
            Self::RefusedBefore => "REFUSED_BEFORE",
            Self::NoCommonLanguage => "NO_COMMON_LANGUAGE",
            Self::NoCommonTime => "NO_COMMON_TIME",
            Self::Forbidden => "FORBIDDEN",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chain => "One of the two stands too closely above the other.",
            Self::SameSuperior => "The two have the same direct superior.",
            Self::SameDepartment => "The two work in the same department.",
            Self::FormerPair => "The two were a tandem before.",
            Self::NeverAgain => "One of the two asked never to be paired with the other again.",
            Self::RefusedBefore => "One of the two refused the other in this edition.",
            Self::NoCommonLanguage => "The two have no language in common.",
            Self::NoCommonTime => "The two have no time in common that is as long as a session.",
            Self::Forbidden => "The programme office has forbidden the pair.",
        })
    }
}

/// Some hard rules, at least one: those that a pair breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken(u16);

impl Broken {
    /// The rules; none if there is not one.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Option<Self> {
        Self::from_bits(rules.into_iter().fold(0, |bits, rule| bits | rule.bit()))
    }

    /// The same with one more.
    #[must_use]
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | rule.bit())
    }

    /// Whether the pair breaks nothing else.
    #[must_use]
    pub const fn is_only(self, rule: Rule) -> bool {
        self.0 == rule.bit()
    }

    /// The rules, in the order of [`Rule::ALL`].
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.0 & rule.bit() != 0)
    }

    /// The first rule.
    #[must_use]
    pub fn first(self) -> Rule {
        // There is at least one.
        self.rules().next().unwrap_or(Rule::Forbidden)
    }

    /// One bit per rule, the first the lowest.
    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    /// None without a bit, or with one that is no rule's.
    pub(super) fn from_bits(bits: u16) -> Option<Self> {
        let known = Rule::ALL.into_iter().fold(0, |known, rule| known | rule.bit());
        (bits != 0 && bits & !known == 0).then_some(Self(bits))
    }
}

/// What a pair's score is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// The points of each criterion.
    pub by: PerCriterion,
    /// The version of the scoring rules by which they were given.
    pub scoring_version: i32,
}

impl Points {
    /// The score, 0 to 10,000.
    #[must_use]
    pub fn score(self) -> i32 {
        self.by.total()
    }

    /// The points as one side of the tandem may see them: whether the partner wished for them stays the partner's.
    #[must_use]
    pub const fn seen_from(self, side: Side) -> Self {
        Self { by: self.by.with(side.hidden_wish(), 0), ..self }
    }
}

/// Checks the hard rules, and says how well the two fit if they keep them.
///
/// # Errors
/// Every rule that the pair breaks.
pub fn assess(
    rules: &Rules,
    scoring: &Scoring,
    mentor: &Mentor,
    mentee: &Mentee,
    past: Option<Past>,
) -> Result<Points, Broken> {
    let (teacher, learner) = (&mentor.participant, &mentee.participant);
    let ranks = language_ranks(teacher, learner);
    let common = week::common(&teacher.spans, &learner.spans);
    let session = i64::from(rules.session_minutes);
    let organisation = broken_in_organisation(rules, &teacher.standing, &learner.standing);
    let no_language = ranks.is_none().then_some(Rule::NoCommonLanguage);
    let no_time = (common.longest < session).then_some(Rule::NoCommonTime);
    let broken = organisation.chain(past.map(Past::rule)).chain(no_language).chain(no_time);
    if let Some(broken) = Broken::of(broken) {
        return Err(broken);
    }

    let ample = SESSIONS_A_WEEK_AMPLE * session * i64::from(rules.months);
    let (taught, needed) = topics(mentor, mentee);
    let wished = |one: &Participant, other: &Participant| {
        let is_wished = one.wishes.contains(&other.standing.person);
        (i64::from(is_wished), 1)
    };
    let of_best = |criterion| match criterion {
        Criterion::Topics => (taught, needed),
        Criterion::Availability => (common.total, ample),
        Criterion::Distance => (steps_between(&teacher.standing, &learner.standing), STEPS_FAR),
        Criterion::Language => (1, 1 + ranks.unwrap_or_default()),
        Criterion::MenteeWish => wished(learner, teacher),
        Criterion::MentorWish => wished(teacher, learner),
        Criterion::LoadBalance => free_hands(mentor, 0),
    };
    let by = Criterion::ALL.map(|criterion| share(scoring.rules.weights().of(criterion), of_best(criterion)));
    Ok(Points { by: PerCriterion(by), scoring_version: scoring.version })
}

/// The points for load balance of a mentor's free place, counted from 0: the more mentees a mentor has, the fewer.
#[must_use]
pub fn load_points(scoring: &Scoring, mentor: &Mentor, place: u32) -> i32 {
    share(scoring.rules.weights().of(Criterion::LoadBalance), free_hands(mentor, place))
}

/// The same of the place that is next: a free one, or else one that is given back for it.
#[must_use]
pub fn next_load_points(scoring: &Scoring, mentor: &Mentor) -> i32 {
    let (free, all) = free_hands(mentor, 0);
    share(scoring.rules.weights().of(Criterion::LoadBalance), (free.max(1), all))
}

/// The places that would be left to a mentor, this one among them, of all there are.
fn free_hands(mentor: &Mentor, place: u32) -> (i64, i64) {
    let (free, taken) = (i64::from(mentor.places), i64::from(mentor.taken));
    (free - i64::from(place), free + taken)
}

/// Checks the rules that a change of the organisation can break.
///
/// # Errors
/// The first rule that the two break.
pub fn check_organisation(rules: &Rules, one: &Standing, other: &Standing) -> Result<(), Rule> {
    broken_in_organisation(rules, one, other).next().map_or(Ok(()), Err)
}

fn broken_in_organisation(rules: &Rules, one: &Standing, other: &Standing) -> impl Iterator<Item = Rule> {
    let levels = usize::try_from(rules.chain_levels).unwrap_or_default();
    let in_chain =
        one.person == other.person || stands_above(one, other, levels) || stands_above(other, one, levels);
    let same_superior = !one.line.is_empty() && one.line.first() == other.line.first();
    let same_department = rules.other_department && one.org_unit == other.org_unit;
    [
        in_chain.then_some(Rule::Chain),
        same_superior.then_some(Rule::SameSuperior),
        same_department.then_some(Rule::SameDepartment),
    ]
    .into_iter()
    .flatten()
}

fn stands_above(superior: &Standing, other: &Standing, levels: usize) -> bool {
    other.line.iter().take(levels).any(|above| *above == superior.person)
}

/// What this mentor can teach, of what could be taught at best: the less is known, the more a topic counts.
fn topics(mentor: &Mentor, mentee: &Mentee) -> (i64, i64) {
    let (mut taught, mut needed) = (0, 0);
    for (topic, known) in &mentee.needs {
        let need = LEVEL_MAX - i64::from(*known);
        let offer = mentor.offers.get(topic).copied().map_or(0, i64::from);
        taught += need * offer;
        needed += need * LEVEL_MAX;
    }
    (taught, needed)
}

/// How far down their lists the best common language stands: 0 if both speak it best. None without a common one.
///
/// Regions of a language understand each other: only the primary subtags are compared.
fn language_ranks(one: &Participant, other: &Participant) -> Option<i64> {
    fn primary(tag: &str) -> &str {
        tag.split('-').next().unwrap_or(tag)
    }
    let ranks = one.languages.iter().zip(0_i64..).filter_map(|(language, rank)| {
        let rank_there = other.languages.iter().position(|there| primary(there) == primary(language))?;
        Some(rank + i64::try_from(rank_there).ok()?)
    });
    ranks.min()
}

/// Steps up to the nearest common superior and down again; far without one.
fn steps_between(one: &Standing, other: &Standing) -> i64 {
    let upwards = |from: &Standing| -> Vec<_> { [from.person].iter().chain(&from.line).copied().collect() };
    let (ours, theirs) = (upwards(one), upwards(other));
    let steps = ours.iter().zip(0_i64..).find_map(|(superior, up)| {
        let down = theirs.iter().position(|there| there == superior)?;
        Some(up + i64::try_from(down).ok()?)
    });
    steps.unwrap_or(STEPS_FAR)
}

/// The part of the points that `had` is of `best`, rounded down.
fn share(points: i32, (had, best): (i64, i64)) -> i32 {
    let part = if best > 0 { i64::from(points) * had.clamp(0, best) / best } else { 0 };
    i32::try_from(part).unwrap_or_default()
}

#[cfg(test)]
mod tests;
