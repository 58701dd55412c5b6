//! Every rejection's code and reason.

use boot::Refusal;
use tonic::Code;

use crate::domain::solution::Unsolvable;
use crate::domain::{Side, place, run, tandem};

const NOT_FOUND: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const OTHER_EDITION: (Code, &str) = (Code::FailedPrecondition, "OTHER_EDITION");
const WRONG_PHASE: (Code, &str) = (Code::FailedPrecondition, "WRONG_PHASE");
const WRONG_STATE: (Code, &str) = (Code::FailedPrecondition, "WRONG_STATE");
const TERMINAL_STATE: (Code, &str) = (Code::FailedPrecondition, "TERMINAL_STATE");

impl Refusal for run::Rejection {
    fn code(&self) -> Code {
        of_run(self).0
    }

    fn reason(&self) -> &'static str {
        of_run(self).1
    }
}

fn of_run(rejection: &run::Rejection) -> (Code, &'static str) {
    use run::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::EditionNotMatching(_) => WRONG_PHASE,
        R::Published => TERMINAL_STATE,
        R::NotReviewed => (Code::FailedPrecondition, "NOT_REVIEWED"),
        R::InputsChanged => (Code::FailedPrecondition, "INPUTS_CHANGED"),
        R::Unproved => (Code::FailedPrecondition, "UNPROVED"),
        R::Unsolvable(unsolvable) => (Code::FailedPrecondition, of_solution(unsolvable)),
    }
}

fn of_solution(unsolvable: &Unsolvable) -> &'static str {
    match unsolvable {
        Unsolvable::LockBreaksRule { .. } => "LOCK_BREAKS_RULE",
        Unsolvable::LockOutsideRun(_) => "LOCK_OUTSIDE_RUN",
        Unsolvable::LockWithoutPlace(_) => "LOCK_WITHOUT_PLACE",
        Unsolvable::Problem(_) => "UNSOLVABLE",
    }
}

impl Refusal for tandem::Rejection {
    fn code(&self) -> Code {
        of_tandem(self).0
    }

    fn reason(&self) -> &'static str {
        of_tandem(self).1
    }
}

fn of_tandem(rejection: &tandem::Rejection) -> (Code, &'static str) {
    use tandem::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::EditionNotMatching(_) => WRONG_PHASE,
        R::NotTakingPart(Side::Mentor) => (Code::FailedPrecondition, "NOT_A_MENTOR"),
        R::NotTakingPart(Side::Mentee) => (Code::FailedPrecondition, "NOT_A_MENTEE"),
        R::Breaks(rule) => (Code::FailedPrecondition, rule.name()),
        R::OfferedAlready => (Code::AlreadyExists, "OFFERED_ALREADY"),
        R::WrongSide(_) => (Code::PermissionDenied, "WRONG_SIDE"),
        R::AnswerTimeOver(_) => (Code::FailedPrecondition, "ANSWER_TIME_OVER"),
        R::Active | R::NotActive => WRONG_STATE,
        R::Answered(_) => (Code::FailedPrecondition, "ANSWERED"),
        R::Over(_) => TERMINAL_STATE,
        R::Place(place::Rejection::NoPlaceLeft) => (Code::FailedPrecondition, "NO_PLACE_LEFT"),
        R::Place(place::Rejection::VetoSpent) => (Code::FailedPrecondition, "VETO_SPENT"),
    }
}
