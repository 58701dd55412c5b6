//! Errors as every service returns them: a status with google.rpc details.
//!
//! # Source
//! AIP-193 (Errors): a machine-readable reason in `google.rpc.ErrorInfo`, field violations in `google.rpc.BadRequest`.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

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
