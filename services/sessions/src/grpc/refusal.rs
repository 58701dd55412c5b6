//! Every rejection's code and reason.

use boot::Refusal;
use tonic::Code;

use crate::domain::{follow_up, series};

const NOT_FOUND: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const OTHER_EDITION: (Code, &str) = (Code::FailedPrecondition, "OTHER_EDITION");
const NOT_YET: (Code, &str) = (Code::FailedPrecondition, "NOT_YET");
const ALREADY_ANSWERED: (Code, &str) = (Code::FailedPrecondition, "ALREADY_ANSWERED");

impl Refusal for series::Rejection {
    fn code(&self) -> Code {
        of_series(*self).0
    }

    fn reason(&self) -> &'static str {
        of_series(*self).1
    }
}

fn of_series(rejection: series::Rejection) -> (Code, &'static str) {
    use series::Rejection as R;
    match rejection {
        R::UnknownSeries | R::UnknownSession | R::UnknownAction => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::QuestionNotOpen => (Code::FailedPrecondition, "QUESTION_NOT_OPEN"),
        R::SeriesEnded => (Code::FailedPrecondition, "SERIES_ENDED"),
        R::CharterNotAccepted => (Code::FailedPrecondition, "CHARTER_NOT_ACCEPTED"),
        R::NotYet => NOT_YET,
        R::TerminalState => (Code::FailedPrecondition, "TERMINAL_STATE"),
        R::StartInThePast => (Code::FailedPrecondition, "START_IN_THE_PAST"),
        R::MoveOutsideMonth => (Code::FailedPrecondition, "MOVE_OUTSIDE_MONTH"),
        R::Collision => (Code::FailedPrecondition, "COLLISION"),
        R::NotHeld => (Code::FailedPrecondition, "NOT_HELD"),
        R::AlreadyAnswered => ALREADY_ANSWERED,
    }
}

impl Refusal for follow_up::Rejection {
    fn code(&self) -> Code {
        of_follow_up(*self).0
    }

    fn reason(&self) -> &'static str {
        of_follow_up(*self).1
    }
}

fn of_follow_up(rejection: follow_up::Rejection) -> (Code, &'static str) {
    use follow_up::Rejection as R;
    match rejection {
        R::Unknown => NOT_FOUND,
        R::OtherEdition => OTHER_EDITION,
        R::NotYet => NOT_YET,
        R::AlreadyAnswered => ALREADY_ANSWERED,
    }
}
