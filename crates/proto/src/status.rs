//! Errors as every service returns them: a status with google.rpc details.
//!
//! # Source
//! AIP-193 (Errors): a machine-readable reason in `google.rpc.ErrorInfo`, field violations in `google.rpc.BadRequest`.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use crate::Violation;

/// The domain of every reason.
pub const DOMAIN: &str = "updraft";

/// The reason of a request whose fields break their rules.
pub const INVALID_FIELDS: &str = "INVALID_FIELDS";

/// A refusal with a reason that a program can act on.
#[must_use]
pub fn refusal(code: Code, reason: &'static str, message: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    Status::with_error_details(code, message, details)
}

/// Something that is not as the caller took it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What kind of thing, `UPPER_SNAKE_CASE`.
    pub kind: &'static str,
    /// Which one.
    pub subject: String,
    /// What is the matter with it.
    pub description: String,
}

/// They travel in the head of an answer, which clients refuse beyond 16 kB.
const UNMET_MAX: usize = 32;

/// A refusal with a reason and each thing that is not as the caller took it to be, the first 32 of them.
#[must_use]
pub fn unmet(code: Code, reason: &'static str, message: impl Into<String>, unmet: Vec<Unmet>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    let violations = unmet.into_iter().take(UNMET_MAX).map(|unmet| PreconditionViolation {
        r#type: unmet.kind.to_owned(),
        subject: unmet.subject,
        description: unmet.description,
    });
    details.set_precondition_failure(violations.collect::<Vec<_>>());
    Status::with_error_details(code, message, details)
}

/// `INVALID_ARGUMENT` that names every field and what is wrong with it.
#[must_use]
pub fn invalid(violations: Vec<Violation>) -> Status {
    let message = match violations.as_slice() {
        [one] => format!("{} {}", one.field, one.message),
        several => format!("{} fields are wrong", several.len()),
    };
    let mut details = ErrorDetails::with_error_info(INVALID_FIELDS, DOMAIN, []);
    let fields = violations
        .into_iter()
        .map(|violation| FieldViolation {
            field: violation.field,
            description: violation.message,
            reason: violation.code.to_owned(),
            localized_message: None,
        })
        .collect::<Vec<_>>();
    details.set_bad_request(fields);
    Status::with_error_details(Code::InvalidArgument, message, details)
}
