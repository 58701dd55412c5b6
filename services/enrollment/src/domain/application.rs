//! An application: submitted, asked back, decided, withdrawn.

use std::fmt;

use identity::{ApplicationId, EditionId, PersonId};
use jiff::civil::Date;

use crate::domain::availability::{Availability, EmptyWindow};
use crate::domain::edition::Phase;
use crate::domain::eligibility::{self, Candidate, Ineligible};
use crate::domain::first_repeated;
use crate::domain::rules::Rules;

/// Whose application it is, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The application.
    pub application: ApplicationId,
    /// The edition.
    pub edition: EditionId,
    /// The applicant.
    pub person: PersonId,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for a decision.
    Submitted,
    /// Waits for the applicant.
    NeedsInfo,
    /// Takes part in the matching.
    Accepted,
    /// In reserve.
    Waitlisted,
    /// Not taken.
    Declined,
    /// Taken back.
    Withdrawn,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Submitted, Self::NeedsInfo, Self::Accepted, Self::Waitlisted, Self::Declined, Self::Withdrawn];

    /// The status as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::NeedsInfo => "needs_info",
            Self::Accepted => "accepted",
            Self::Waitlisted => "waitlisted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing can happen to the application any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Declined | Self::Withdrawn)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why an application was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionReason {
    /// The topics offered are covered already.
    TopicsCovered,
    /// More mentors applied than are needed.
    NoCapacity,
    /// No common time is likely.
    Availability,
    /// No common language is likely.
    Language,
    /// The level of the topics offered is too low.
    Experience,
    /// Said in person.
    Other,
}

impl DecisionReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::TopicsCovered,
        Self::NoCapacity,
        Self::Availability,
        Self::Language,
        Self::Experience,
        Self::Other,
    ];

    /// The reason as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopicsCovered => "topics_covered",
            Self::NoCapacity => "no_capacity",
            Self::Availability => "availability",
            Self::Language => "language",
            Self::Experience => "experience",
            Self::Other => "other",
        }
    }
}

/// A topic that a mentor offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The topic's short name.
    pub topic: String,
    /// 0 never heard of it … 4 could teach it.
    pub level: i32,
}

/// What an applicant offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offering {
    /// The topics.
    pub offers: Vec<Offer>,
    /// Why, sealed with the applicant's key.
    pub sealed_motivation: Vec<u8>,
    /// People the mentor would like to teach, at most three.
    pub wishes: Vec<PersonId>,
    /// When and in which languages.
    pub availability: Availability,
    /// Mentees at most.
    pub capacity: i32,
}

/// An offer to take part, with the facts that decide whether it can be taken.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Whose application it is, and to what.
    pub key: Key,
    /// What is offered.
    pub offering: Offering,
    /// The edition's rules.
    pub rules: Rules,
    /// The maximum age of a released age rule.
    pub maximum_age: Option<i32>,
    /// What the rules ask about the applicant.
    pub candidate: Candidate,
    /// Whether an application of the same person to the same edition is still alive.
    pub applied_already: bool,
}

/// What may be asked of an application, and the circumstances.
#[derive(Clone, Debug)]
pub struct Command {
    /// The edition that the caller names.
    pub edition: EditionId,
    /// Where that edition is.
    pub phase: Phase,
    /// The day by which an answer is promised.
    pub promised: Date,
    /// What is asked.
    pub action: Action,
}

/// What may be asked of an application.
#[derive(Clone, Debug)]
pub enum Action {
    /// Offer to take part.
    Submit(Box<Submission>),
    /// Ask the applicant back, with the sealed question.
    RequestInformation(Vec<u8>),
    /// Answer what was asked back, with the sealed answer.
    ProvideInformation(Vec<u8>),
    /// Take the applicant as a mentor.
    Accept,
    /// Keep the applicant in reserve.
    Waitlist(DecisionReason),
    /// Do not take the applicant.
    Decline(DecisionReason),
    /// Take the offer back.
    Withdraw {
        /// Whether because the applicant left the company.
        left_company: bool,
    },
}

/// What can happen to an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose application it is, and to what.
    pub key: Key,
    /// What happened.
    pub change: Change,
}

/// A change of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Was submitted; a decision is promised by this day.
    Submitted(Box<Offering>, Date),
    /// The applicant was asked back, with the sealed question.
    InformationRequested(Vec<u8>),
    /// The applicant answered, with the sealed answer; a decision is promised by this day.
    InformationProvided(Vec<u8>, Date),
    /// The applicant is a mentor of the edition.
    Accepted,
    /// The applicant is in reserve.
    Waitlisted(DecisionReason),
    /// The applicant was not taken.
    Declined(DecisionReason),
    /// The offer was taken back.
    Withdrawn {
        /// Whether because the applicant left the company.
        left_company: bool,
    },
}

/// What is known of an application; nothing before it is submitted.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    key: Key,
    status: Status,
    reason: Option<DecisionReason>,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never submitted.
    #[error("There is no such application.")]
    Unknown,
    /// The command names an edition that the application is not part of.
    #[error("The application belongs to another edition.")]
    OtherEdition,
    /// Applications are taken while an edition is open.
    #[error("The edition is {0}; it takes applications only while it is open.")]
    EditionNotOpen(Phase),
    /// The meetings are over.
    #[error("The edition is {0}; its applications stay as they are.")]
    EditionOver(Phase),
    /// One offer at a time.
    #[error("The applicant has an application to this edition already.")]
    AppliedAlready,
    /// A rule of the edition keeps the applicant out.
    #[error(transparent)]
    Ineligible(#[from] Ineligible),
    /// The catalogue is what is taught.
    #[error("The topic {0} is not in the edition's catalogue.")]
    UnknownTopic(String),
    /// Which of the two levels would count?
    #[error("The topic {0} is offered twice.")]
    TopicTwice(String),
    /// A wish is for somebody else.
    #[error("The applicant is on their own list of wishes.")]
    WishesThemselves,
    /// More mentees than the edition allows.
    #[error("A mentor of this edition may have at most {max} mentees; {offered} are offered.")]
    Capacity {
        /// What the edition allows.
        max: i32,
        /// What was offered.
        offered: i32,
    },
    /// A stretch of the week has no length.
    #[error(transparent)]
    EmptyWindow(#[from] EmptyWindow),
    /// The application's status does not allow it.
    #[error("The application is {0}; this is not possible any more, or not yet.")]
    WrongStatus(Status),
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let promised = command.promised;
    if let Action::Submit(submission) = &command.action {
        if state.0.is_some() {
            return Ok(Vec::new());
        }
        check(submission, command.phase)?;
        let change = Change::Submitted(Box::new(submission.offering.clone()), promised);
        return Ok(vec![Event { key: submission.key, change }]);
    }
    let known = state.0.ok_or(Rejection::Unknown)?;
    if known.key.edition != command.edition {
        return Err(Rejection::OtherEdition);
    }
    if command.phase.is_over() {
        return Err(Rejection::EditionOver(command.phase));
    }
    let change = step(known, &command.action, promised)?;
    Ok(change.into_iter().map(|change| Event { key: known.key, change }).collect())
}

fn check(submission: &Submission, phase: Phase) -> Result<(), Rejection> {
    let Submission { offering, rules, .. } = submission;
    if phase != Phase::Open {
        return Err(Rejection::EditionNotOpen(phase));
    }
    if submission.applied_already {
        return Err(Rejection::AppliedAlready);
    }
    eligibility::check(&submission.candidate, rules, submission.maximum_age)?;
    if let Some(offer) = offering.offers.iter().find(|offer| !rules.teaches(&offer.topic)) {
        return Err(Rejection::UnknownTopic(offer.topic.clone()));
    }
    if let Some(topic) = first_repeated(offering.offers.iter().map(|offer| offer.topic.as_str())) {
        return Err(Rejection::TopicTwice(topic.to_owned()));
    }
    if offering.wishes.contains(&submission.key.person) {
        return Err(Rejection::WishesThemselves);
    }
    let (max, offered) = (rules.mentor_capacity_max, offering.capacity);
    if offered > max {
        return Err(Rejection::Capacity { max, offered });
    }
    Ok(offering.availability.check()?)
}

/// The change that an action makes in this status; none if it was made before.
fn step(known: Known, action: &Action, promised: Date) -> Result<Option<Change>, Rejection> {
    use Status::{Accepted, Declined, NeedsInfo, Submitted, Waitlisted, Withdrawn};
    let change = match (action, known.status) {
        // Whoever was declined in the moment of leaving has no application to withdraw.
        (Action::Accept, Accepted)
        | (Action::Withdraw { .. }, Withdrawn)
        | (Action::Withdraw { left_company: true }, Declined) => return Ok(None),
        (Action::Waitlist(reason), Waitlisted) | (Action::Decline(reason), Declined)
            if known.reason == Some(*reason) =>
        {
            return Ok(None);
        }
        (Action::RequestInformation(question), Submitted) => Change::InformationRequested(question.clone()),
        (Action::ProvideInformation(answer), NeedsInfo) => {
            Change::InformationProvided(answer.clone(), promised)
        }
        (Action::Accept, Submitted | Waitlisted) => Change::Accepted,
        (Action::Waitlist(reason), Submitted) => Change::Waitlisted(*reason),
        (Action::Decline(reason), Submitted | NeedsInfo | Waitlisted) => Change::Declined(*reason),
        (Action::Withdraw { left_company }, status) if !status.is_terminal() => {
            Change::Withdrawn { left_company: *left_company }
        }
        (_, status) => return Err(Rejection::WrongStatus(status)),
    };
    Ok(Some(change))
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    let (status, reason) = match &event.change {
        Change::Submitted(..) | Change::InformationProvided(..) => (Status::Submitted, None),
        Change::InformationRequested(_) => (Status::NeedsInfo, None),
        Change::Accepted => (Status::Accepted, None),
        Change::Waitlisted(reason) => (Status::Waitlisted, Some(*reason)),
        Change::Declined(reason) => (Status::Declined, Some(*reason)),
        Change::Withdrawn { .. } => (Status::Withdrawn, None),
    };
    state.0 = Some(Known { key: event.key, status, reason });
}

#[cfg(test)]
mod tests;
