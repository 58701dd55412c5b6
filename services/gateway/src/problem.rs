//! Every refusal as problem details: the one map from gRPC statuses, and the gateway's own.
//!
//! # Source
//! RFC 9457 (Problem Details for HTTP APIs), AIP-193 (Errors), RFC 6901 (JSON Pointer).

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::routes::{Place, Route};

/// The media type of every refusal.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal; [`finish`] makes a document of it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Box<[FieldError]>,
    unmet: Box<[Unmet]>,
    /// A header that says what to do: its name in lower case, its value.
    header: Option<(&'static str, &'static str)>,
}

/// One thing wrong with a request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldError {
    /// Where in the request.
    #[serde(rename = "in")]
    pub(crate) place: Place,
    /// JSON Pointer into the body, or `/` and the name of the parameter or header.
    pub(crate) pointer: String,
    pub(crate) code: Cow<'static, str>,
    pub(crate) detail: String,
}

/// One thing that is not as the client took it to be.
#[derive(Clone, Debug, Serialize)]
struct Unmet {
    /// What kind of thing.
    r#type: String,
    /// Which one.
    subject: String,
    detail: String,
}

/// The document as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unmet: &'a [Unmet],
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            errors: Box::default(),
            unmet: Box::default(),
            header: None,
        }
    }

    /// The fields of a request that break their rules.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] if one.pointer.is_empty() => format!("The body: {}", one.detail),
            [one] => format!("{} {}", one.pointer, one.detail),
            several => format!("{} fields are wrong", several.len()),
        };
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, proto::status::INVALID_FIELDS, detail);
        Self { errors: errors.into(), ..problem }
    }

    /// Something broke in the gateway; what it was stands in the log and nowhere else.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Something broke on our side; it was recorded.",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "PATH_NOT_FOUND", "There is nothing at this path.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "This path does not take this method; the header Allow names those it does.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn with_header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// The refusal of a service, in the terms of the route that led to it.
    pub(crate) fn of(refused: &Status, route: &Route) -> Self {
        let details = refused.get_error_details();
        let reason = details.error_info().filter(|info| info.domain == proto::status::DOMAIN);
        let Some(reason) = reason else {
            // Without a reason it is no answer of our services but a failure on the way to them: its text stays inside.
            let (status, code, generic) = meaning(on_the_way(refused));
            if status.is_server_error() {
                let (method, error) = (route.method.full_name(), refused.message());
                tracing::warn!(method, code = ?refused.code(), error, "a service gave no answer of its own");
            }
            return Self::new(status, code, generic).in_time();
        };
        let (status, _, generic) = meaning(refused.code());
        let status = match reason.reason.as_str() {
            "ETAG_MISMATCH" => StatusCode::PRECONDITION_FAILED,
            "IDEMPOTENCY_KEY_REUSED" => StatusCode::UNPROCESSABLE_ENTITY,
            _ => status,
        };
        let errors = violations(&details, route);
        let problem = match errors.is_empty() {
            true if refused.message().is_empty() => Self::new(status, reason.reason.clone(), generic),
            true => Self::new(status, reason.reason.clone(), refused.message().to_owned()),
            false => Self { code: reason.reason.clone().into(), status, ..Self::fields(errors) },
        };
        Self { unmet: unmet(&details), ..problem }.in_time()
    }

    /// Says when to come back, where that helps.
    fn in_time(self) -> Self {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => self.with_header("retry-after", "1"),
            StatusCode::UNAUTHORIZED => self.with_header("www-authenticate", "Bearer realm=\"updraft\""),
            _ => self,
        }
    }
}

/// The code of what failed on the way to a service: a connection that broke under the call leaves the service away.
fn on_the_way(failed: &Status) -> Code {
    use std::error::Error as _;
    // Without a cause the far side said it; with one, tonic's client made it of an error.
    let mut cause = failed.source();
    let mut is_broken = cause.is_some();
    while let Some(error) = cause {
        is_broken &= !error.is::<tonic::TimeoutExpired>();
        cause = error.source();
    }
    match failed.code() {
        Code::Cancelled | Code::Unknown if is_broken => Code::Unavailable,
        code => code,
    }
}

/// What a code means at HTTP, where the service gives no reason of its own.
fn meaning(code: Code) -> (StatusCode, &'static str, &'static str) {
    match code {
        Code::InvalidArgument | Code::OutOfRange => {
            (StatusCode::UNPROCESSABLE_ENTITY, "INVALID_ARGUMENT", "The request breaks a rule of its fields.")
        }
        Code::Unauthenticated => {
            (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "The service does not know who calls.")
        }
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED", "You may not do this."),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such resource."),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS", "It exists already."),
        Code::Aborted => {
            (StatusCode::CONFLICT, "ABORTED", "Another change came first; read again and repeat.")
        }
        Code::FailedPrecondition => {
            (StatusCode::CONFLICT, "FAILED_PRECONDITION", "The resource is not in a state that allows this.")
        }
        Code::ResourceExhausted => {
            (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "Too much at once; come back later.")
        }
        Code::Unimplemented => {
            (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED", "The service does not offer this method.")
        }
        Code::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "The service does not answer right now; try again.",
        ),
        // A deadline is a cancellation to tonic; nobody else cancels a call of the gateway.
        Code::DeadlineExceeded | Code::Cancelled => {
            (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", "The service did not answer in time.")
        }
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Something broke on our side; it was recorded.")
        }
    }
}

fn violations(details: &ErrorDetails, route: &Route) -> Vec<FieldError> {
    let violations =
        details.bad_request().map(|request| request.field_violations.as_slice()).unwrap_or_default();
    let error = |violation: &tonic_types::FieldViolation| {
        let (place, field) = route.place(&violation.field);
        let code = violation.reason.clone().into();
        FieldError { place, pointer: pointer(field), code, detail: violation.description.clone() }
    };
    violations.iter().map(error).collect()
}

fn unmet(details: &ErrorDetails) -> Box<[Unmet]> {
    let violations = details.precondition_failure().map(|failure| failure.violations.as_slice());
    let unmet = |violation: &tonic_types::PreconditionViolation| Unmet {
        r#type: violation.r#type.clone(),
        subject: violation.subject.clone(),
        detail: violation.description.clone(),
    };
    violations.unwrap_or_default().iter().map(unmet).collect()
}

/// A field's path as a JSON Pointer with the names of JSON: `offers[1].topic_id` is `/offers/1/topicId`.
fn pointer(field: &str) -> String {
    let segments = field.split(['.', '[']).map(|segment| segment.strip_suffix(']').unwrap_or(segment));
    segments.filter(|segment| !segment.is_empty()).fold(String::new(), |pointer, segment| {
        pointer + "/" + &camel_case(segment).replace('~', "~0").replace('/', "~1")
    })
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalised(word))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The last part of a problem's `type`: `ETAG_MISMATCH` is explained at `/problems/etag-mismatch`.
pub(crate) fn slug(code: &str) -> String {
    code.to_ascii_lowercase().replace('_', "-")
}

/// A title from a code: `ETAG_MISMATCH` is "Etag mismatch".
pub(crate) fn title(code: &str) -> String {
    capitalised(&code.to_ascii_lowercase().replace(['_', '-'], " "))
}

impl IntoResponse for Problem {
    /// The document itself is written by [`finish`], which knows the path and the trace.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of a [`Problem`]; the outermost layer of ours, so that nothing fails in another form.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let document = Document {
        r#type: format!("/problems/{}", slug(&problem.code)),
        title: title(&problem.code),
        status: problem.status.as_u16(),
        detail: &problem.detail,
        instance: &instance,
        code: &problem.code,
        trace_id: trace_id(),
        errors: &problem.errors,
        unmet: &problem.unmet,
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(response.headers().get(header::ALLOW).cloned().map(|allow| (header::ALLOW, allow)));
    if let Some((name, value)) = problem.header {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    (problem.status, headers, serde_json::to_vec(&document).unwrap_or_default()).into_response()
}

fn trace_id() -> Option<String> {
    telemetry::current_traceparent()?.split('-').nth(1).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_becomes_a_pointer_in_the_names_of_json() {
        assert_eq!(pointer("offers[1].topic_id"), "/offers/1/topicId");
        assert_eq!(pointer("edition_id"), "/editionId");
        assert_eq!(pointer(""), "");
        assert_eq!(pointer("labels[a/b]"), "/labels/a~1b");
        assert_eq!(pointer("updraft-after"), "/updraft-after");
    }

    #[test]
    fn a_code_has_a_page_and_a_title() {
        assert_eq!(slug("ETAG_MISMATCH"), "etag-mismatch");
        assert_eq!(title("ETAG_MISMATCH"), "Etag mismatch");
    }
}
