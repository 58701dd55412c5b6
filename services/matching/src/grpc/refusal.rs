//! Every rejection's code and reason.

use boot::Refusal;
use proto::status::Unmet;
use tonic::Code;

use crate::domain::difference::Difference;
use crate::domain::explanation::Unexplained;
use crate::domain::matrix::NoMatrix;
use crate::domain::solution::Unsolvable;
use crate::domain::{Side, document, place, run, tandem};

const NOT_FOUND: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const OTHER_EDITION: (Code, &str) = (Code::FailedPrecondition, "OTHER_EDITION");
const WRONG_PHASE: (Code, &str) = (Code::FailedPrecondition, "WRONG_PHASE");
const WRONG_STATE: (Code, &str) = (Code::FailedPrecondition, "WRONG_STATE");
/// What a run was computed from is not there any more.
pub(super) const INPUTS_NOT_KEPT: &str = "INPUTS_NOT_KEPT";
/// A computation took longer than it may.
pub(super) const COMPUTATION_TOO_LONG: &str = "COMPUTATION_TOO_LONG";
/// A computation did not begin, as others took all the time that it might.
pub(super) const TOO_MANY_COMPUTATIONS: &str = "TOO_MANY_COMPUTATIONS";

const TERMINAL_STATE: (Code, &str) = (Code::FailedPrecondition, "TERMINAL_STATE");

impl Refusal for run::Rejection {
    fn code(&self) -> Code {
        of_run(self).0
    }

    fn reason(&self) -> &'static str {
        of_run(self).1
    }

    fn unmet(&self) -> Vec<Unmet> {
        let Self::InputsChanged(changes) = self else { return Vec::new() };
        let unmet = |change: &Difference| Unmet {
            kind: change.kind.name(),
            subject: change.subject.to_string(),
            description: change.kind.to_string(),
        };
        changes.iter().map(unmet).collect()
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
        R::InputsChanged(_) => (Code::FailedPrecondition, "INPUTS_CHANGED"),
        R::Unproved => (Code::FailedPrecondition, "UNPROVED"),
        R::Unsolvable(unsolvable) => of_solution(unsolvable),
    }
}

impl Refusal for Unsolvable {
    fn code(&self) -> Code {
        of_solution(self).0
    }

    fn reason(&self) -> &'static str {
        of_solution(self).1
    }
}

fn of_solution(unsolvable: &Unsolvable) -> (Code, &'static str) {
    match unsolvable {
        Unsolvable::LockBreaksRule { .. } => (Code::FailedPrecondition, "LOCK_BREAKS_RULE"),
        Unsolvable::LockOutsideRun(_) => (Code::FailedPrecondition, "LOCK_OUTSIDE_RUN"),
        Unsolvable::LockWithoutPlace(_) => (Code::FailedPrecondition, "LOCK_WITHOUT_PLACE"),
        Unsolvable::NoMatrix(NoMatrix::TooLarge(_)) => (Code::FailedPrecondition, "TOO_MANY_PAIRS"),
        Unsolvable::NoMatrix(NoMatrix::Cancelled) => (Code::DeadlineExceeded, COMPUTATION_TOO_LONG),
        Unsolvable::TooManyUnmatched(_) => (Code::FailedPrecondition, "TOO_MANY_UNMATCHED"),
        Unsolvable::Problem(_) | Unsolvable::Changed(_) => (Code::FailedPrecondition, "UNSOLVABLE"),
    }
}

impl Refusal for Unexplained {
    fn code(&self) -> Code {
        of_explanation(self).0
    }

    fn reason(&self) -> &'static str {
        of_explanation(self).1
    }
}

fn of_explanation(unexplained: &Unexplained) -> (Code, &'static str) {
    match unexplained {
        Unexplained::NotInRun(_) => (Code::NotFound, "NOT_IN_RUN"),
        Unexplained::NotOpposite(_) => (Code::FailedPrecondition, "NOT_ON_THE_OTHER_SIDE"),
        Unexplained::NothingToSwap(_) => (Code::FailedPrecondition, "NOTHING_TO_SWAP"),
        Unexplained::OtherInputs => (Code::FailedPrecondition, INPUTS_NOT_KEPT),
        Unexplained::Unsolvable(unsolvable) => of_solution(unsolvable),
    }
}

impl Refusal for document::Rejection {
    fn code(&self) -> Code {
        WRONG_PHASE.0
    }

    fn reason(&self) -> &'static str {
        WRONG_PHASE.1
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
