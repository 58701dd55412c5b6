//! Pages of a list, by keyset (AIP-158).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::{Violation, status};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tonic::Status;

const SIZE_DEFAULT: i32 = 50;
const SIZE_MAX: i32 = 200;

/// Which page of a list is asked for; `K` is the key the list is sorted by.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// The key of the last row of the page before.
    pub after: Option<K>,
    size: i32,
}

impl<K: Serialize + DeserializeOwned> Page<K> {
    /// The page that a request asks for.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the token is none of ours.
    pub fn of(page_size: i32, page_token: &str) -> Result<Self, Status> {
        let size = if page_size <= 0 { SIZE_DEFAULT } else { page_size.min(SIZE_MAX) };
        let after = if page_token.is_empty() { None } else { Some(key(page_token).ok_or_else(foreign)?) };
        Ok(Self { after, size })
    }

    /// How many rows to fetch: one more than the page holds, to know whether another follows.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Cuts what was fetched to the page and makes the token of the next one; empty on the last.
    pub fn cut<R>(&self, mut rows: Vec<R>, key_of: impl Fn(&R) -> K) -> (Vec<R>, String) {
        let size = usize::try_from(self.size).unwrap_or_default();
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows.last().map(|row| token(&key_of(row))).unwrap_or_default();
        (rows, token)
    }
}

/// A place in a list or a feed as a text that means nothing to clients.
pub fn token<K: Serialize>(key: &K) -> String {
    serde_json::to_vec(key).map(|json| URL_SAFE_NO_PAD.encode(json)).unwrap_or_default()
}

/// The place that a token names; none if it is none of ours, as whatever holds a NUL.
#[must_use]
pub fn key<K: DeserializeOwned>(token: &str) -> Option<K> {
    let key = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    if holds_nul(&key) { None } else { serde_json::from_value(key).ok() }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members.values().any(holds_nul),
        _ => false,
    }
}

fn foreign() -> Status {
    let message = "must be the next_page_token of the page before".to_owned();
    status::invalid(vec![Violation { field: "page_token".to_owned(), code: "PAGE_TOKEN", message }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_walked_through_once_and_in_order() {
        let all: Vec<i64> = (1..=120).collect();
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = Page::<i64>::of(50, &next).unwrap();
            let after = page.after.unwrap_or_default();
            let fetched = all.iter().copied().filter(|row| *row > after);
            let fetched = fetched.take(usize::try_from(page.fetch()).unwrap()).collect();
            let (rows, token) = page.cut(fetched, |row| *row);
            seen.extend(rows);
            next = token;
            if next.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_foreign_token_is_refused_by_name() {
        let refused = Page::<i64>::of(0, "not-a-token").unwrap_err();
        assert!(refused.message().starts_with("page_token"), "{refused}");
    }

    #[test]
    fn a_token_with_a_nul_is_none_of_ours() {
        let forged = token(&("a\0", 7));
        assert!(Page::<(String, i32)>::of(0, &forged).is_err());
        assert_eq!(
            Page::<(String, i32)>::of(0, &token(&("\\u0000", 7))).unwrap().after.unwrap().0,
            "\\u0000"
        );
    }

    #[test]
    fn a_page_is_never_larger_than_two_hundred() {
        assert_eq!(Page::<i64>::of(5000, "").unwrap().fetch(), 201);
        assert_eq!(Page::<i64>::of(0, "").unwrap().fetch(), 51);
    }
}
