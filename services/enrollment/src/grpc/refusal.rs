//! Every rejection's code and reason.

use boot::Refusal;
use tonic::Code;

use crate::domain::eligibility::Ineligible;
use crate::domain::rules::Unsound;
use crate::domain::{application, edition, obligation, person, source};

const NOT_FOUND: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const OTHER_EDITION: (Code, &str) = (Code::FailedPrecondition, "OTHER_EDITION");
const WRONG_PHASE: (Code, &str) = (Code::FailedPrecondition, "WRONG_PHASE");
const WRONG_STATE: (Code, &str) = (Code::FailedPrecondition, "WRONG_STATE");
const TERMINAL_STATE: (Code, &str) = (Code::FailedPrecondition, "TERMINAL_STATE");
const UNKNOWN_TOPIC: (Code, &str) = (Code::FailedPrecondition, "UNKNOWN_TOPIC");
const TOPIC_TWICE: (Code, &str) = (Code::InvalidArgument, "TOPIC_TWICE");
const WISHES_THEMSELVES: (Code, &str) = (Code::InvalidArgument, "WISHES_THEMSELVES");
const EMPTY_WINDOW: (Code, &str) = (Code::InvalidArgument, "EMPTY_WINDOW");

impl Refusal for person::Rejection {
    fn code(&self) -> Code {
        of_person(self).0
    }

    fn reason(&self) -> &'static str {
        of_person(self).1
    }
}

fn of_person(rejection: &person::Rejection) -> (Code, &'static str) {
    use person::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::LeavesBeforeJoining => (Code::FailedPrecondition, "LEAVES_BEFORE_JOINING"),
        R::LeaveEndsFirst => (Code::InvalidArgument, "LEAVE_ENDS_FIRST"),
        R::NoSuchLeave => (Code::NotFound, "NO_SUCH_LEAVE"),
        R::Erased => (Code::FailedPrecondition, "ERASED"),
        R::HasLeft => (Code::FailedPrecondition, "HAS_LEFT"),
    }
}

impl Refusal for edition::Rejection {
    fn code(&self) -> Code {
        of_edition(self).0
    }

    fn reason(&self) -> &'static str {
        of_edition(self).1
    }
}

fn of_edition(rejection: &edition::Rejection) -> (Code, &'static str) {
    use edition::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::WrongPhase { .. } => WRONG_PHASE,
        R::Unsound(unsound) => (Code::InvalidArgument, of_rules(unsound)),
        R::AgeRuleExpires { .. } => (Code::FailedPrecondition, "AGE_RULE_EXPIRES"),
        R::NoAgeRule => (Code::FailedPrecondition, "NO_AGE_RULE"),
        R::SecondPersonNeeded => (Code::FailedPrecondition, "SECOND_PERSON_NEEDED"),
        R::NobodyObliged => (Code::FailedPrecondition, "NOBODY_OBLIGED"),
        R::AnonymityLowered { .. } => (Code::FailedPrecondition, "ANONYMITY_LOWERED"),
        R::TandemsLive(_) => (Code::FailedPrecondition, "TANDEMS_LIVE"),
    }
}

fn of_rules(unsound: &Unsound) -> &'static str {
    match unsound {
        Unsound::StartsBeforeReference { .. } => "STARTS_BEFORE_REFERENCE",
        Unsound::NoTopic => "NO_TOPIC",
        Unsound::TopicTwice(_) => TOPIC_TWICE.1,
        Unsound::Capacity(_) => "CAPACITY",
        Unsound::AnonymityTooSmall(_) => "ANONYMITY_TOO_SMALL",
        Unsound::IncludedAndExcluded(_) => "INCLUDED_AND_EXCLUDED",
    }
}

impl Refusal for application::Rejection {
    fn code(&self) -> Code {
        of_application(self).0
    }

    fn reason(&self) -> &'static str {
        of_application(self).1
    }
}

fn of_application(rejection: &application::Rejection) -> (Code, &'static str) {
    use application::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::EditionNotOpen(_) | R::EditionOver(_) => WRONG_PHASE,
        R::AppliedAlready => (Code::AlreadyExists, "ALREADY_APPLIED"),
        R::Ineligible(rule) => (Code::FailedPrecondition, of_eligibility(rule)),
        R::UnknownTopic(_) => UNKNOWN_TOPIC,
        R::TopicTwice(_) => TOPIC_TWICE,
        R::Capacity { .. } => (Code::FailedPrecondition, "CAPACITY"),
        R::WishesThemselves => WISHES_THEMSELVES,
        R::EmptyWindow(_) => EMPTY_WINDOW,
        R::WrongStatus(status) if status.is_terminal() => TERMINAL_STATE,
        R::WrongStatus(_) => WRONG_STATE,
    }
}

fn of_eligibility(rule: &Ineligible) -> &'static str {
    match rule {
        Ineligible::Left => "LEFT",
        Ineligible::Obliged => "OBLIGED",
        Ineligible::Level { .. } | Ineligible::LevelUnknown { .. } => "LEVEL",
        Ineligible::Tenure { .. } => "TENURE",
        Ineligible::AgeUnknown => "AGE_UNKNOWN",
        Ineligible::MaximumAge { .. } => "MAXIMUM_AGE",
    }
}

impl Refusal for obligation::Rejection {
    fn code(&self) -> Code {
        of_obligation(self).0
    }

    fn reason(&self) -> &'static str {
        of_obligation(self).1
    }
}

fn of_obligation(rejection: &obligation::Rejection) -> (Code, &'static str) {
    use obligation::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::EditionOver(_) => WRONG_PHASE,
        R::WrongStatus(status) if status.is_terminal() => TERMINAL_STATE,
        R::WrongStatus(_) => WRONG_STATE,
        R::TopicMissing(_) => (Code::InvalidArgument, "TOPIC_MISSING"),
        R::UnknownTopic(_) => UNKNOWN_TOPIC,
        R::TopicTwice(_) => TOPIC_TWICE,
        R::WishesThemselves => WISHES_THEMSELVES,
        R::EmptyWindow(_) => EMPTY_WINDOW,
        R::ExcusesThemselves => (Code::FailedPrecondition, "EXCUSES_THEMSELVES"),
    }
}

impl Refusal for source::Rejection {
    fn code(&self) -> Code {
        of_source(self).0
    }

    fn reason(&self) -> &'static str {
        of_source(self).1
    }
}

fn of_source(rejection: &source::Rejection) -> (Code, &'static str) {
    use source::Rejection as R;
    match rejection {
        R::Unknown | R::UnknownCredential => NOT_FOUND,
        R::Exists => (Code::AlreadyExists, "SOURCE_EXISTS"),
        R::Owned { .. } => (Code::FailedPrecondition, "ATTRIBUTE_OWNED"),
        R::TwoHold => (Code::FailedPrecondition, "TWO_CREDENTIALS_HOLD"),
    }
}
