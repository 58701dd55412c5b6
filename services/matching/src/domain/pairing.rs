//! Who may be paired, and how well two people fit.

use std::fmt;

use crate::domain::inputs::{Mentee, Mentor, Participant, Past, Rules, Standing};
use crate::domain::week;

// The weights of a score: the most points of each criterion, together 10,000. What the mentee needs outweighs everything else,
// time comes before comfort, and the organisational distance and the language decide between those who fit equally.
const TOPICS_MAX: i64 = 6_000;
const AVAILABILITY_MAX: i64 = 2_000;
const DISTANCE_MAX: i64 = 1_000;
const LANGUAGE_MAX: i64 = 1_000;

/// Common time for this many sessions a week is as good as more.
const SESSIONS_A_WEEK_AMPLE: i64 = 4;
/// So many steps up and down the reporting line are as good as more.
const STEPS_FAR: i64 = 8;
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

/// What a pair's score is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// What the mentee needs and the mentor offers, 0 to 6,000.
    pub topics: i32,
    /// Common time, 0 to 2,000.
    pub availability: i32,
    /// Distance in the organisation, 0 to 1,000.
    pub distance: i32,
    /// The best common language, 0 to 1,000.
    pub language: i32,
}

impl Points {
    /// The score, 0 to 10,000.
    #[must_use]
    pub const fn score(self) -> i32 {
        self.topics + self.availability + self.distance + self.language
    }
}

/// Checks the hard rules, and says how well the two fit if they keep them.
///
/// # Errors
/// The first rule that the pair breaks.
pub fn assess(rules: &Rules, mentor: &Mentor, mentee: &Mentee, past: Option<Past>) -> Result<Points, Rule> {
    let (teacher, learner) = (&mentor.participant, &mentee.participant);
    check_organisation(rules, &teacher.standing, &learner.standing)?;
    match past {
        Some(Past::NeverAgain) => return Err(Rule::NeverAgain),
        Some(Past::Former) => return Err(Rule::FormerPair),
        Some(Past::Refused) => return Err(Rule::RefusedBefore),
        None => {}
    }
    let language = language_points(teacher, learner).ok_or(Rule::NoCommonLanguage)?;
    let common = week::common(&teacher.spans, &learner.spans);
    let session = i64::from(rules.session_minutes);
    if common.longest < session {
        return Err(Rule::NoCommonTime);
    }
    let ample = SESSIONS_A_WEEK_AMPLE * session * i64::from(rules.months);
    Ok(Points {
        topics: topic_points(mentor, mentee),
        availability: share(AVAILABILITY_MAX, common.total, ample),
        distance: share(DISTANCE_MAX, steps_between(&teacher.standing, &learner.standing), STEPS_FAR),
        language,
    })
}

/// Checks the rules that a change of the organisation can break.
///
/// # Errors
/// The first rule that the two break.
pub fn check_organisation(rules: &Rules, one: &Standing, other: &Standing) -> Result<(), Rule> {
    let levels = usize::try_from(rules.chain_levels).unwrap_or_default();
    if one.person == other.person || stands_above(one, other, levels) || stands_above(other, one, levels) {
        return Err(Rule::Chain);
    }
    if let (Some(superior), Some(same)) = (one.line.first(), other.line.first())
        && superior == same
    {
        return Err(Rule::SameSuperior);
    }
    if rules.other_department && one.org_unit == other.org_unit {
        return Err(Rule::SameDepartment);
    }
    Ok(())
}

fn stands_above(superior: &Standing, other: &Standing, levels: usize) -> bool {
    other.line.iter().take(levels).any(|above| *above == superior.person)
}

/// Of what could be taught at best, how much this mentor can teach: the less is known, the more a topic counts.
fn topic_points(mentor: &Mentor, mentee: &Mentee) -> i32 {
    let (mut taught, mut needed) = (0, 0);
    for (topic, known) in &mentee.needs {
        let need = LEVEL_MAX - i64::from(*known);
        let offer = mentor.offers.get(topic).copied().map_or(0, i64::from);
        taught += need * offer;
        needed += need * LEVEL_MAX;
    }
    share(TOPICS_MAX, taught, needed)
}

/// All points for a language that both speak best; the further down their lists, the fewer. None without a common one.
///
/// Regions of a language understand each other: only the primary subtags are compared.
fn language_points(one: &Participant, other: &Participant) -> Option<i32> {
    fn primary(tag: &str) -> &str {
        tag.split('-').next().unwrap_or(tag)
    }
    let ranks = one.languages.iter().zip(0_i64..).filter_map(|(language, rank)| {
        let rank_there = other.languages.iter().position(|there| primary(there) == primary(language))?;
        Some(rank + i64::try_from(rank_there).ok()?)
    });
    ranks.min().map(|ranks| share(LANGUAGE_MAX, 1, 1 + ranks))
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
fn share(points: i64, had: i64, best: i64) -> i32 {
    let part = if best > 0 { points * had.clamp(0, best) / best } else { 0 };
    i32::try_from(part).unwrap_or_default()
}

#[cfg(test)]
mod tests;
