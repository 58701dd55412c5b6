//! What a client asks of a list: in the query of a GET, or in the body of a search.
//!
//! # Source
//! RFC 7644, sections 3.4.2 and 3.4.3; RFC 9865 for pages by cursor.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use scim_v2::{filter::Filter, models::errors::ScimType, schema_urns::SEARCH_REQUEST};
use serde_json::{Map, Value};

use super::{
    document::{expect_schema, member, object},
    filter,
    refusal::Refusal,
    schema::Catalogue,
    selection::Selection,
};

/// The users of a page where the client does not say how many.
pub(super) const PAGE_SIZE_DEFAULT: i32 = 100;
/// The most users of a page; as many as the service gives at once.
pub(super) const PAGE_SIZE_MAX: i32 = 200;

/// What is asked of a list.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) selection: Selection,
    pub(super) start: Start,
    /// So many users at most; by index it may be none, then only their number is asked for.
    pub(super) count: i32,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Behind so many users.
    Index(i32),
    /// Where the page before has ended.
    Cursor(Cursor),
}

/// A place in the list that stays right while others come and go: in front of which page of the service, and behind how many of
/// its users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) page_token: String,
    pub(super) skip: i32,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let (skip, token) = text.split_once('.')?;
        let skip = skip.parse().ok().filter(|skip| *skip >= 0)?;
        Some(Self { page_token: String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?, skip })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.skip, URL_SAFE_NO_PAD.encode(&self.page_token))
    }
}

impl Query {
    /// Reads the query of a GET.
    ///
    /// # Errors
    /// 400 for a filter, a number, a cursor or a name that cannot be read.
    pub(super) fn of_pairs(catalogue: &Catalogue, pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let given = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.as_str())
        };
        let number = |name| given(name).map(|text| whole_number(name, text)).transpose();
        let (count, start_index) = (number("count")?, number("startIndex")?);
        Self::new(catalogue, given("filter"), selection(pairs)?, (start_index, given("cursor")), count)
    }

    /// Reads the body of a search.
    ///
    /// # Errors
    /// 400 as for a GET, or if it is no search request.
    pub(super) fn of_body(catalogue: &Catalogue, body: &[u8]) -> Result<Self, Refusal> {
        let body = object(body)?;
        expect_schema(&body, SEARCH_REQUEST)?;
        let number = |name| match member(&body, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => whole_number(name, &number.to_string()).map(Some),
            Some(_) => Err(Refusal::value(name, "must be a whole number")),
        };
        let only = names(&body, "attributes")?;
        let selection = Selection::of(only.into_iter(), names(&body, "excludedAttributes")?.into_iter())?;
        let start = (number("startIndex")?, text(&body, "cursor")?);
        Self::new(catalogue, text(&body, "filter")?, selection, start, number("count")?)
    }

    fn new(
        catalogue: &Catalogue,
        filter: Option<&str>,
        selection: Selection,
        (start_index, cursor): (Option<i32>, Option<&str>),
        count: Option<i32>,
    ) -> Result<Self, Refusal> {
        let filter = filter.filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| filter::parse(catalogue, text)).transpose()?;
        let start = match cursor {
            None => Start::Index(start_index.unwrap_or(1).max(1) - 1),
            Some(cursor) => {
                if start_index.is_some() {
                    return Err(Refusal::value("startIndex", "cannot be given together with a cursor"));
                }
                let detail = "The cursor is none that this server gave.";
                let cursor = Cursor::parse(cursor);
                Start::Cursor(cursor.ok_or_else(|| Refusal::bad(kind("invalidCursor"), detail))?)
            }
        };
        let count = count.unwrap_or(PAGE_SIZE_DEFAULT);
        if count < 1 && matches!(start, Start::Cursor(_)) {
            return Err(Refusal::bad(kind("invalidCount"), "With a cursor, count must be at least 1."));
        }
        Ok(Self { filter, selection, start, count: count.clamp(0, PAGE_SIZE_MAX) })
    }
}

/// A keyword that RFC 9865 adds.
pub(super) fn kind(keyword: &str) -> ScimType {
    ScimType::from(keyword.to_owned())
}

/// Which attributes the query of any request asks for.
///
/// # Errors
/// 400 if a name is none.
pub(super) fn selection(pairs: &[(String, String)]) -> Result<Selection, Refusal> {
    let names = |name: &'static str| {
        let given = pairs.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        given.flat_map(|(_, value)| value.split(','))
    };
    Selection::of(names("attributes"), names("excludedAttributes"))
}

/// A whole number; one that is beyond all bounds means the bound.
fn whole_number(name: &str, text: &str) -> Result<i32, Refusal> {
    let number = text.trim().parse::<i64>().map_err(|_| Refusal::value(name, "must be a whole number"))?;
    Ok(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match member(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::value(name, "must be a text")),
    }
}

fn names<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Vec<&'a str>, Refusal> {
    match member(body, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.split(',').collect()),
        Some(Value::Array(names)) => {
            let text = |name: &'a Value| name.as_str();
            let names = names.iter().map(text).collect::<Option<Vec<_>>>();
            names.ok_or_else(|| Refusal::value(name, "must be a list of names"))
        }
        Some(_) => Err(Refusal::value(name, "must be a list of names")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<Query, Refusal> {
        let pairs =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        Query::of_pairs(&Catalogue::load().unwrap(), &pairs)
    }

    #[test]
    fn a_page_is_asked_for_within_bounds() {
        let page = |pairs: &[(&str, &str)]| asked(pairs).map(|query| (query.start, query.count)).unwrap();
        assert_eq!(page(&[]), (Start::Index(0), PAGE_SIZE_DEFAULT));
        assert_eq!(page(&[("startIndex", "-5"), ("count", "-1")]), (Start::Index(0), 0));
        assert_eq!(
            page(&[("startIndex", "21"), ("count", "99999999999")]),
            (Start::Index(20), PAGE_SIZE_MAX)
        );
        assert_eq!(page(&[("cursor", ""), ("count", "7")]), (Start::Cursor(Cursor::default()), 7));
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { page_token: "WyJhIl0".to_owned(), skip: 12 };
        let text = cursor.to_string();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{text}");
        assert_eq!(asked(&[("cursor", &text)]).unwrap().start, Start::Cursor(cursor));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_kind() {
        let refused = |pairs: &[(&str, &str)]| asked(pairs).unwrap_err().kind.unwrap();
        assert_eq!(refused(&[("count", "many")]), ScimType::InvalidValue);
        assert_eq!(refused(&[("filter", "userName")]), ScimType::InvalidFilter);
        assert_eq!(refused(&[("cursor", ""), ("startIndex", "1")]), ScimType::InvalidValue);
        assert_eq!(refused(&[("cursor", ""), ("count", "0")]), kind("invalidCount"));
        for foreign in ["x", "1.*", "-1.", "99999999999.", "1.2.3"] {
            assert_eq!(refused(&[("cursor", foreign)]), kind("invalidCursor"), "{foreign}");
        }
    }

    #[test]
    fn a_search_asks_the_same_in_its_body() {
        let catalogue = Catalogue::load().unwrap();
        let body = json!({
            "schemas": [SEARCH_REQUEST], "filter": "userName eq \"a\"", "attributes": ["title"], "startIndex": 3, "count": 2,
        });
        let query = Query::of_body(&catalogue, body.to_string().as_bytes()).unwrap();
        assert_eq!((query.start, query.count), (Start::Index(2), 2));
        assert!(query.filter.is_some());
        for wrong in
            [json!({ "count": "2" }), json!({ "filter": 7 }), json!({ "attributes": [7] }), json!([])]
        {
            assert!(Query::of_body(&catalogue, wrong.to_string().as_bytes()).is_err(), "{wrong}");
        }
    }
}
