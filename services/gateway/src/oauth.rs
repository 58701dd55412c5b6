//! Access tokens for HR systems, by the client credentials of OAuth 2.0.
//!
//! # Source
//! RFC 6749, sections 2.3.1 (Client Password), 4.4 (Client Credentials Grant), 5.1 and 5.2 (the answers).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Form, Json, Router,
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use identity::{Audience, Caller};
use serde_json::json;

use crate::{Gateway, source_secret::Refused};

/// Short, as a token outlives the credential it was handed out for.
const TOKEN_SECONDS: u64 = 600;
const FORM_LENGTH_MAX: usize = 8 << 10;
/// How long a client may take to send the form.
const FORM_WAIT_MAX: Duration = Duration::from_secs(10);

/// The token endpoint.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let gateway = Arc::clone(gateway);
    let token = async move |request: Request| match token(&gateway, request).await {
        Ok(token) => answer(StatusCode::OK, token),
        Err(refusal) => refusal.into_response(),
    };
    Router::new().route("/oauth2/token", post(token))
}

async fn token(gateway: &Gateway, request: Request) -> Result<serde_json::Value, Refusal> {
    let (parts, body) = request.into_parts();
    let basic = basic(&parts.headers)?;
    let mut asked = form(parts, body).await?;
    match asked.remove("grant_type").as_deref() {
        Some("client_credentials") => {}
        None => return Err(Refusal::invalid("grant_type is missing.")),
        Some(_) => return Err(Refusal::UnsupportedGrant),
    }
    if asked.contains_key("scope") {
        return Err(Refusal::Scope);
    }
    let (client, secret) = match (basic, asked.remove("client_id"), asked.remove("client_secret")) {
        (Some((client, secret)), None, None) | (None, Some(client), Some(secret)) => (client, secret),
        // The name may be repeated in the form (section 3.2.1), the secret may not.
        (Some((client, secret)), Some(again), None) if again == client => (client, secret),
        (Some(_), ..) => return Err(Refusal::invalid("A client identifies itself in one way only.")),
        (None, ..) => return Err(Refusal::Client),
    };
    let source = gateway.source_secrets.source(&gateway.upstreams, &secret).await?;
    if source.as_str() != client {
        return Err(Refusal::Client);
    }
    let token = gateway.keys.issue(&Caller::hris(source), Audience::Updraft, TOKEN_SECONDS);
    let token = token.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a token could not be signed");
        Refusal::Broken
    })?;
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS }))
}

/// The parameters of the form; those without a value count as left out.
async fn form(parts: Parts, body: Body) -> Result<BTreeMap<String, String>, Refusal> {
    let read = tokio::time::timeout(FORM_WAIT_MAX, to_bytes(body, FORM_LENGTH_MAX)).await;
    let bytes = read
        .map_err(|_| Refusal::invalid("The form did not arrive in time."))?
        .map_err(|_| Refusal::invalid("The form did not arrive whole, or is too long."))?;
    let request = Request::from_parts(parts, Body::from(bytes));
    let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, &()).await.map_err(|_| {
        Refusal::invalid("The body must be a form, with Content-Type application/x-www-form-urlencoded.")
    })?;
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        if parameters.insert(name, value).is_some() {
            return Err(Refusal::invalid("A parameter is there twice."));
        }
    }
    Ok(parameters)
}

/// Name and secret by HTTP Basic. Both are form-encoded there, which changes nothing: no letter of ours is ever encoded.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, encoded) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Refusal::Client)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::Client);
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| Refusal::Client)?;
    let text = String::from_utf8(decoded).map_err(|_| Refusal::Client)?;
    let (client, secret) = text.split_once(':').ok_or(Refusal::Client)?;
    Ok(Some((client.to_owned(), secret.to_owned())))
}

/// Why no token is handed out.
enum Refusal {
    /// The request is not as it should be.
    Invalid(&'static str),
    /// Another grant than client credentials.
    UnsupportedGrant,
    /// A scope: a token always bears all rights of its source.
    Scope,
    /// Unknown client, wrong secret; which of them is not said.
    Client,
    /// Too many wrong secrets.
    TooOften(Duration),
    /// The directory does not answer.
    Away,
    /// Something broke on our side.
    Broken,
}

impl Refusal {
    const fn invalid(description: &'static str) -> Self {
        Self::Invalid(description)
    }

    const fn said(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid(description) => (StatusCode::BAD_REQUEST, "invalid_request", description),
            Self::UnsupportedGrant => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The grant type here is client_credentials.",
            ),
            Self::Scope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "There are no scopes; leave the parameter out.")
            }
            Self::Client => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "No such client, or not with this secret.")
            }
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "Wrong secrets were sent too often; wait a minute.",
            ),
            Self::Away => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The directory does not answer right now; try again.",
            ),
            Self::Broken => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Something broke; it was recorded.")
            }
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::Client,
            Refused::TooOften { wait } => Self::TooOften(wait),
            Refused::Away(status) => {
                tracing::warn!(code = ?status.code(), error = status.message(), "no secret can be verified");
                Self::Away
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = self.said();
        let mut response = answer(status, json!({ "error": error, "error_description": description }));
        let more: Option<(HeaderName, HeaderValue)> = match self {
            Self::Client => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"updraft\"")))
            }
            Self::TooOften(wait) => Some((header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1))),
            Self::Away => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        };
        response.headers_mut().extend(more);
        response
    }
}

/// No answer of this endpoint is kept anywhere.
fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(value: &str) -> Result<Option<(String, String)>, Refusal> {
        basic(&HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn basic_carries_name_and_secret_and_nothing_else_does() {
        // "payroll:updraft_1_2"
        let given = authorization("basic cGF5cm9sbDp1cGRyYWZ0XzFfMg==").ok().flatten();
        assert_eq!(given, Some(("payroll".to_owned(), "updraft_1_2".to_owned())));
        for wrong in ["Basic", "Basic cGF5cm9sbA==", "Basic ???", "Bearer cGF5cm9sbDp1cGRyYWZ0XzFfMg=="] {
            assert!(matches!(authorization(wrong), Err(Refusal::Client)), "{wrong}");
        }
        assert!(matches!(basic(&HeaderMap::new()), Ok(None)));
    }
}
