//! An edition: drafted, opened, matched, run, completed, archived.

use std::fmt;

use identity::{EditionId, PersonId};
use jiff::civil::Date;

use crate::domain::rules::{Rules, Unsound};

/// Where an edition is in its life; the order is that of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The office prepares it.
    Draft,
    /// Mentors apply, executives acknowledge.
    Open,
    /// Tandems are found.
    Matching,
    /// Tandems meet.
    Running,
    /// Only follow-ups are left.
    Completed,
    /// Closed.
    Archived,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Open, Self::Matching, Self::Running, Self::Completed, Self::Archived];

    /// The phase in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Matching => "matching",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Archived => "archived",
        }
    }

    /// Whether the meetings are over.
    #[must_use]
    pub fn is_over(self) -> bool {
        self >= Self::Completed
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A maximum age for mentors; its reasons are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeRule {
    /// Completed years at the reference date, at most.
    pub maximum_age: i32,
    /// Who answers for the rule.
    pub owner: PersonId,
    /// The last day of the rule.
    pub expiry_date: Date,
    /// Who proposed it.
    pub proposed_by: PersonId,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Draft an edition.
    Create(Box<Created>),
    /// Replace the settings of a draft.
    Revise(Box<Revised>),
    /// Propose a maximum age, with its sealed reasons.
    ProposeAgeRule(AgeRule, Vec<u8>),
    /// Put the proposed age rule into force.
    ReleaseAgeRule {
        /// Who releases it.
        by: PersonId,
    },
    /// Fix the rules and let mentors apply.
    Open {
        /// How many executives the rules oblige.
        obliged: i32,
    },
    /// End the time for applications.
    StartMatching,
    /// Let the tandems meet.
    Start,
    /// End the meetings.
    Complete,
    /// Close for good.
    Archive {
        /// How many tandems have not ended yet.
        live_tandems: i64,
    },
}

/// What a drafted edition consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The new edition.
    pub edition: EditionId,
    /// The edition it was copied from.
    pub copied_from: Option<EditionId>,
    /// What was set.
    pub rules: Rules,
    /// Its name and the titles of its topics, sealed with the edition's key.
    pub sealed_texts: Vec<u8>,
}

/// What a draft was changed into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    /// What was set.
    pub rules: Rules,
    /// Its name and the titles of its topics, sealed with the edition's key.
    pub sealed_texts: Vec<u8>,
}

/// What can happen to an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The edition.
    pub edition: EditionId,
    /// What happened.
    pub change: Change,
}

/// A change of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Was drafted.
    Created(Box<Created>),
    /// Its settings were replaced.
    Revised(Box<Revised>),
    /// A maximum age was proposed, with its sealed reasons.
    AgeRuleProposed(AgeRule, Vec<u8>),
    /// A second person released the age rule.
    AgeRuleReleased(PersonId),
    /// The rules are fixed, and so many executives obliged.
    Opened(i32),
    /// No more applications are taken.
    MatchingStarted,
    /// The tandems meet from now on.
    Started,
    /// The meetings are over.
    Completed,
    /// Is closed.
    Archived,
}

/// What is known of an edition; nothing before it is drafted.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    edition: EditionId,
    phase: Phase,
    rules: Rules,
    age_rule: Option<AgeRule>,
    age_rule_released: bool,
}

impl State {
    /// The rules, once there are any.
    #[must_use]
    pub fn rules(&self) -> Option<&Rules> {
        self.0.as_ref().map(|known| &known.rules)
    }

    /// Whether the office still prepares it.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.phase == Phase::Draft)
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never drafted.
    #[error("There is no such edition.")]
    Unknown,
    /// It is not the time for this.
    #[error("The edition is {is}; this is possible only while it is {needs}.")]
    WrongPhase {
        /// Where the edition is.
        is: Phase,
        /// Where it would have to be.
        needs: Phase,
    },
    /// The rules contradict themselves.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The age rule would end before it is applied.
    #[error("The age rule expires on {expiry_date}, before the reference date {reference_date}.")]
    AgeRuleExpires {
        /// The last day of the rule.
        expiry_date: Date,
        /// The day on which it is applied.
        reference_date: Date,
    },
    /// There is nothing to release.
    #[error("No age rule is proposed for this edition.")]
    NoAgeRule,
    /// The law asks for four eyes.
    #[error("An age rule is released by a second person, not by the one who proposed it.")]
    SecondPersonNeeded,
    /// An edition for nobody.
    #[error(
        "The rules oblige nobody: no active person of the directory is within the levels or on the list."
    )]
    NobodyObliged,
    /// A report that people relied on must not become finer.
    #[error("The anonymity threshold is {is} and can be raised, not lowered to {asked}.")]
    AnonymityLowered {
        /// The smallest group a report speaks of so far.
        is: i32,
        /// What was asked for.
        asked: i32,
    },
    /// Whoever met to the end would lose what they fulfilled.
    #[error("Tandems of the edition that have not ended yet: {0}. They end soon after it is completed.")]
    TandemsLive(i64),
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    if let Command::Create(created) = command {
        created.rules.check()?;
        let event = Event { edition: created.edition, change: Change::Created(created.clone()) };
        return Ok(if state.0.is_none() { vec![event] } else { Vec::new() });
    }
    let known = state.0.as_ref().ok_or(Rejection::Unknown)?;
    let change = match command {
        // Answered above.
        Command::Create(_) => None,
        Command::Revise(revised) => Some(revise(known, revised)?),
        Command::ProposeAgeRule(rule, reasons) => Some(propose(known, rule, reasons)?),
        Command::ReleaseAgeRule { by } => release(known, *by)?,
        Command::Open { obliged } => open(known, *obliged)?,
        Command::StartMatching => known.advance(Phase::Open, Phase::Matching, Change::MatchingStarted)?,
        Command::Start => known.advance(Phase::Matching, Phase::Running, Change::Started)?,
        Command::Complete => known.advance(Phase::Running, Phase::Completed, Change::Completed)?,
        Command::Archive { live_tandems } => archive(known, *live_tandems)?,
    };
    Ok(change.into_iter().map(|change| Event { edition: known.edition, change }).collect())
}

fn revise(known: &Known, revised: &Revised) -> Result<Change, Rejection> {
    known.require(Phase::Draft)?;
    revised.rules.check()?;
    let (is, asked) = (known.rules.anonymity_k, revised.rules.anonymity_k);
    if asked < is {
        return Err(Rejection::AnonymityLowered { is, asked });
    }
    if let Some(rule) = &known.age_rule {
        outlives(rule, revised.rules.reference_date)?;
    }
    Ok(Change::Revised(Box::new(revised.clone())))
}

fn propose(known: &Known, rule: &AgeRule, reasons: &[u8]) -> Result<Change, Rejection> {
    known.require(Phase::Draft)?;
    outlives(rule, known.rules.reference_date)?;
    Ok(Change::AgeRuleProposed(rule.clone(), reasons.to_vec()))
}

fn outlives(rule: &AgeRule, reference_date: Date) -> Result<(), Rejection> {
    let expiry_date = rule.expiry_date;
    if expiry_date < reference_date {
        return Err(Rejection::AgeRuleExpires { expiry_date, reference_date });
    }
    Ok(())
}

fn release(known: &Known, by: PersonId) -> Result<Option<Change>, Rejection> {
    known.require(Phase::Draft)?;
    let rule = known.age_rule.as_ref().ok_or(Rejection::NoAgeRule)?;
    if rule.proposed_by == by {
        return Err(Rejection::SecondPersonNeeded);
    }
    Ok((!known.age_rule_released).then_some(Change::AgeRuleReleased(by)))
}

fn open(known: &Known, obliged: i32) -> Result<Option<Change>, Rejection> {
    if known.phase == Phase::Draft && obliged == 0 {
        return Err(Rejection::NobodyObliged);
    }
    known.advance(Phase::Draft, Phase::Open, Change::Opened(obliged))
}

fn archive(known: &Known, live_tandems: i64) -> Result<Option<Change>, Rejection> {
    let change = known.advance(Phase::Completed, Phase::Archived, Change::Archived)?;
    if change.is_some() && live_tandems > 0 {
        return Err(Rejection::TandemsLive(live_tandems));
    }
    Ok(change)
}

impl Known {
    fn require(&self, needs: Phase) -> Result<(), Rejection> {
        if self.phase == needs { Ok(()) } else { Err(Rejection::WrongPhase { is: self.phase, needs }) }
    }

    /// The one step from a phase to the next; none if it was taken before.
    fn advance(&self, from: Phase, to: Phase, change: Change) -> Result<Option<Change>, Rejection> {
        if self.phase == to {
            return Ok(None);
        }
        self.require(from)?;
        Ok(Some(change))
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    if let Change::Created(created) = &event.change {
        state.0 = Some(Known {
            edition: event.edition,
            phase: Phase::Draft,
            rules: created.rules.clone(),
            age_rule: None,
            age_rule_released: false,
        });
    }
    let Some(known) = &mut state.0 else { return };
    match &event.change {
        Change::Created(_) => {}
        Change::Revised(revised) => known.rules = revised.rules.clone(),
        Change::AgeRuleProposed(rule, _) => {
            known.age_rule = Some(rule.clone());
            known.age_rule_released = false;
        }
        Change::AgeRuleReleased(_) => known.age_rule_released = true,
        Change::Opened(_) => known.phase = Phase::Open,
        Change::MatchingStarted => known.phase = Phase::Matching,
        Change::Started => known.phase = Phase::Running,
        Change::Completed => known.phase = Phase::Completed,
        Change::Archived => known.phase = Phase::Archived,
    }
}

#[cfg(test)]
mod tests;
