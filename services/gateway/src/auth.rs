//! Who calls: a bearer token, or the cookie of the built-in identity page.
//!
//! # Source
//! RFC 6750 (Bearer Tokens); Fetch Metadata Request Headers (W3C), as a defence against cross-site requests.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use identity::{Audience, Caller, Keys};

use crate::problem::Problem;

/// The cookie of the built-in identity page. It holds a token, so that the gateway keeps no state.
pub(crate) const COOKIE: &str = "updraft_session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Verifies who calls; `cookies` says whether the built-in identity page is in use.
///
/// # Errors
/// 401 without a valid token, 403 if another site's page sends the cookie with a command.
pub(crate) fn caller(
    keys: &Keys,
    cookies: bool,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let verify = |token: &str| {
        let refused = |error: identity::TokenError| {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, error.reason(), error.to_string());
            let challenge = "Bearer realm=\"updraft\", error=\"invalid_token\"";
            problem.with_header("www-authenticate", challenge)
        };
        keys.verify_for(token, Audience::Updraft).map_err(refused)
    };
    if let Some(token) = bearer(headers) {
        return verify(token);
    }
    let cookie = cookies.then(|| cookie(headers)).flatten().ok_or_else(missing)?;
    let caller = verify(cookie)?;
    if !method.is_safe() {
        same_origin(headers)?;
    }
    Ok(caller)
}

/// Refuses what another site's page sends in the user's name.
///
/// # Errors
/// 403 unless the browser says that the request comes from our own page.
pub(crate) fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (text(SEC_FETCH_SITE), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            // A page without an origin of its own says `null`, which must not pass for a missing Host.
            origin.split_once("://").is_some_and(|(_, host)| Some(host) == text(header::HOST))
        }
        (None, None) => false,
    };
    let detail = "A command with a cookie must come from a page of this server.";
    ours.then_some(()).ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "CROSS_SITE_REQUEST", detail))
}

/// Answers only to the names of this machine, so that no name of the internet can be made to point here (DNS rebinding).
pub(crate) async fn loopback_names(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(axum::http::uri::Authority::as_str).or(host).unwrap_or_default();
    if is_loopback(host) {
        return next.run(request).await;
    }
    let detail = "With the built-in identity page, this server answers to localhost only.";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "HOST_NOT_LOOPBACK", detail).into_response()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn missing() -> Problem {
    let detail = "Send a token: Authorization: Bearer …";
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "TOKEN_MISSING", detail);
    problem.with_header("www-authenticate", "Bearer realm=\"updraft\"")
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "updraft.example", "127.0.0.1.example:80", "10.0.0.1:8080", "localhost.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
