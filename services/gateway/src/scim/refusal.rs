//! Every refusal as SCIM writes it, and what the refusals of the service mean there.
//!
//! # Source
//! RFC 7644, section 3.12 (errors); RFC 9865, section 2.1 (errors of pages).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use proto::hris::FieldIssue;
use scim_v2::models::errors::{ScimHttpError, ScimType};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{problem::Problem, source_secret::Refused};

/// The media type of SCIM.
pub(super) const MEDIA_TYPE: &str = "application/scim+json";

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) kind: Option<ScimType>,
    detail: String,
    /// When to come back, where that helps; 0 where it does not.
    wait_seconds: u64,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into(), wait_seconds: 0 }
    }

    /// A 400 of a kind.
    pub(super) fn bad(kind: ScimType, detail: impl Into<String>) -> Self {
        Self { kind: Some(kind), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// The value of an attribute is not as it must be.
    pub(super) fn value(attribute: &str, what: &str) -> Self {
        Self::bad(ScimType::InvalidValue, format!("{attribute} {what}."))
    }

    pub(super) fn no_such_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such user.")
    }

    pub(super) fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// The version in `If-Match` is not that of the user.
    pub(super) fn another_version() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "The user was changed since it was read; read it again.")
    }

    /// A record that was refused, by what is wrong with its fields.
    pub(super) fn of_issues(issues: &[FieldIssue]) -> Self {
        let fields = issues.iter();
        Self::of_fields(fields.map(|one| (one.field.as_str(), one.reason.as_str(), one.message.as_str())))
    }

    /// A record that was refused: field, reason and message of each thing that is wrong.
    fn of_fields<'a>(wrong: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Self {
        let mut taken = false;
        let sentence = |(field, reason, message): (&str, &str, &str)| {
            taken |= is_taken(reason);
            match attribute(field) {
                "" => message.to_owned(),
                name => format!("{name}: {message}"),
            }
        };
        let detail = wrong.map(sentence).collect::<Vec<_>>().join(" ");
        let detail =
            if detail.is_empty() { "The user breaks a rule of its attributes.".to_owned() } else { detail };
        if taken {
            return Self { kind: Some(ScimType::Uniqueness), ..Self::new(StatusCode::CONFLICT, detail) };
        }
        Self::bad(ScimType::InvalidValue, detail)
    }
}

fn is_taken(reason: &str) -> bool {
    matches!(reason, "DUPLICATE_USER_NAME" | "DUPLICATE_EMPLOYEE_NUMBER")
}

/// The attribute in which a client said a field of the record.
fn attribute(field: &str) -> &str {
    let field = field.strip_prefix("worker.").unwrap_or(field);
    match field.split('[').next().unwrap_or_default() {
        "external_id" => "id",
        "alias" => "externalId",
        "user_name" => "userName",
        "given_name" => "name.givenName",
        "family_name" => "name.familyName",
        "email" => "emails",
        "job_title" => "title",
        "employment_status" => "active",
        "employee_number" => "employeeNumber",
        "org_unit_path" => "department",
        "manager_external_id" => "manager",
        "hire_date" => "hireDate",
        "birth_date" => "birthDate",
        "leave_first_day" => "leaveFirstDay",
        "leave_last_day" => "leaveLastDay",
        other => other,
    }
}

impl From<Status> for Refusal {
    fn from(refused: Status) -> Self {
        let details = refused.get_error_details();
        let reason = details.error_info().filter(|info| info.domain == proto::status::DOMAIN);
        let Some(reason) = reason.map(|info| info.reason.as_str()) else { return on_the_way(&refused) };
        let said = |status| Self::new(status, refused.message());
        if is_taken(reason) {
            return Self { kind: Some(ScimType::Uniqueness), ..said(StatusCode::CONFLICT) };
        }
        if reason == "ETAG_MISMATCH" {
            return Self::another_version();
        }
        match refused.code() {
            Code::InvalidArgument => {
                let violations = details.bad_request().map(|request| request.field_violations.as_slice());
                let violations = violations.unwrap_or_default().iter();
                Self::of_fields(
                    violations.map(|one| (one.field.as_str(), one.reason.as_str(), one.description.as_str())),
                )
            }
            Code::Unauthenticated => said(StatusCode::UNAUTHORIZED),
            Code::PermissionDenied => said(StatusCode::FORBIDDEN),
            Code::NotFound => Self::no_such_user(),
            Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => said(StatusCode::CONFLICT),
            Code::ResourceExhausted => said(StatusCode::TOO_MANY_REQUESTS),
            _ => on_the_way(&refused),
        }
    }
}

/// No answer of our services but a failure on the way to them: its text stays inside.
fn on_the_way(refused: &Status) -> Refusal {
    let (status, detail) = match refused.code() {
        Code::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "The service does not answer right now; try again.")
        }
        Code::DeadlineExceeded | Code::Cancelled => {
            (StatusCode::GATEWAY_TIMEOUT, "The service did not answer in time.")
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "Something broke on our side; it was recorded."),
    };
    tracing::warn!(code = ?refused.code(), error = refused.message(), "a service gave no answer of its own");
    let wait_seconds = u64::from(status == StatusCode::SERVICE_UNAVAILABLE);
    Refusal { wait_seconds, ..Refusal::new(status, detail) }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        on_the_way(&Status::internal(error.to_string()))
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::unauthenticated("The secret is of no source, or was revoked."),
            Refused::TooOften { wait } => {
                let refusal =
                    Self::new(StatusCode::TOO_MANY_REQUESTS, "The secret was tried in vain too often.");
                Self { wait_seconds: wait.as_secs() + 1, ..refusal }
            }
            Refused::Away(status) => on_the_way(&status),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let detail = problem.detail().to_owned();
        let kind = (problem.status == StatusCode::BAD_REQUEST).then_some(ScimType::InvalidSyntax);
        Self { kind, ..Self::new(problem.status, detail) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status.as_u16().to_string();
        let body =
            ScimHttpError { scim_type: self.kind, detail: Some(self.detail), status, ..Default::default() };
        let mut response = (self.status, serde_json::to_vec(&body).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"updraft\""));
        }
        if self.wait_seconds > 0 {
            headers.insert(header::RETRY_AFTER, self.wait_seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use proto::{Violation, status};

    use super::*;

    #[test]
    fn a_field_of_the_record_is_named_as_the_client_knows_it() {
        let violation = |field: &str, message: &str| Violation {
            field: field.to_owned(),
            code: "INVALID",
            message: message.to_owned(),
        };
        let refused = Refusal::from(status::invalid(vec![
            violation("worker.email", "Is no address."),
            violation("worker.org_unit_path[2]", "Is too long."),
        ]));
        assert_eq!((refused.status, refused.kind), (StatusCode::BAD_REQUEST, Some(ScimType::InvalidValue)));
        assert_eq!(refused.detail, "emails: Is no address. department: Is too long.");
    }

    #[test]
    fn what_must_be_unique_is_a_conflict() {
        let issue = FieldIssue {
            field: "worker.employee_number".to_owned(),
            reason: "DUPLICATE_EMPLOYEE_NUMBER".to_owned(),
            message: "The number is taken.".to_owned(),
        };
        assert_eq!(Refusal::of_issues(&[issue]).status, StatusCode::CONFLICT);
        let refused = status::refusal(Code::AlreadyExists, "DUPLICATE_USER_NAME", "The name is taken.");
        let refused = Refusal::from(refused);
        assert_eq!((refused.status, refused.kind), (StatusCode::CONFLICT, Some(ScimType::Uniqueness)));
    }

    #[test]
    fn the_text_of_a_failure_stays_inside() {
        let refused = Refusal::from(Status::internal("password=secret"));
        assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!refused.detail.contains("secret"));
    }
}
