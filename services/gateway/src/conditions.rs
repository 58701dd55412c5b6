//! `If-Match` and `If-None-Match`.
//!
//! # Source
//! RFC 9110, section 13 (Conditional Requests); RFC 6585, section 3 (428 Precondition Required).

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use crate::problem::Problem;

/// The one version that a change was made on, without its quotes.
///
/// # Errors
/// 428 without the header, 400 if it is not one strong entity tag.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(header::IF_MATCH).into_iter();
    let Some(value) = values.next() else {
        let detail =
            "Send the ETag of what you have read as If-Match, so that nobody's change is overwritten.";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "IF_MATCH_REQUIRED", detail));
    };
    let tag = value.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
    let tag = tag.filter(|tag| !tag.contains('"') && values.next().is_none());
    tag.map(ToOwned::to_owned).ok_or_else(|| {
        let detail = "If-Match must be one strong entity tag: the ETag as it was sent, with its quotes.";
        Problem::new(StatusCode::BAD_REQUEST, "MALFORMED_IF_MATCH", detail)
    })
}

/// Whether the client has this version already. The comparison is weak, as the RFC asks for.
pub(crate) fn none_matches(headers: &HeaderMap, etag: &str) -> bool {
    listed(headers, &header::IF_NONE_MATCH)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn one_strong_tag_is_a_version() {
        assert_eq!(if_match(&headers(&header::IF_MATCH, &["\"7\""])).unwrap(), "7");
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [&["*"][..], &["W/\"7\""], &["7"], &["\"7\", \"8\""], &["\"7\"", "\"8\""], &[""]] {
            let refused = if_match(&headers(&header::IF_MATCH, wrong)).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong:?}");
        }
        assert_eq!(if_match(&HeaderMap::new()).unwrap_err().status, StatusCode::PRECONDITION_REQUIRED);
    }

    #[test]
    fn a_known_version_is_found_in_a_list() {
        for known in ["\"7\"", "W/\"7\"", "*", "\"6\", \"7\""] {
            assert!(none_matches(&headers(&header::IF_NONE_MATCH, &[known]), "\"7\""), "{known}");
        }
        assert!(!none_matches(&headers(&header::IF_NONE_MATCH, &["\"8\""]), "\"7\""));
        assert!(!none_matches(&HeaderMap::new(), "\"7\""));
    }
}
