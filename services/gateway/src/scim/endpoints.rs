//! The endpoints of users.
//!
//! # Source
//! RFC 7644, sections 3.3 (POST), 3.4 (GET, search), 3.5 (PUT, PATCH), 3.6 (DELETE) and 3.14 (versions).

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use identity::Id;
use proto::hris::StoredWorker;
use scim_v2::models::errors::ScimType;
use serde_json::Value;

use super::{
    Door, Segment, document, listing, patch,
    query::{self, Query},
    refusal::{MEDIA_TYPE, Refusal},
    schema::Document,
    selection::Selection,
    user::{self, version},
    workers::Workers,
};
use crate::{conditions, transcode};

/// So often a change is made anew on what somebody else's change has left.
const ATTEMPTS_MAX: usize = 5;

type Answer = Result<Response, Refusal>;

/// Which of the stored versions a client would have changed.
enum Condition {
    Any,
    /// Any of these tags.
    OneOf(Vec<String>),
}

pub(super) async fn list(State(door): State<Door>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let query = Query::of_pairs(&door.catalogue, &pairs(query.as_deref())?)?;
    let answer = listing::answer(&door.catalogue, &workers, &door.users(&headers), query).await?;
    Ok(json(StatusCode::OK, &answer))
}

pub(super) async fn search(State(door): State<Door>, headers: HeaderMap, body: Body) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let query = Query::of_body(&door.catalogue, &receive(&headers, body).await?)?;
    let answer = listing::answer(&door.catalogue, &workers, &door.users(&headers), query).await?;
    Ok(json(StatusCode::OK, &answer))
}

pub(super) async fn get(
    State(door): State<Door>,
    Segment(id): Segment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let selection = query::selection(&pairs(query.as_deref())?)?;
    let stored = workers.get(&id).await?;
    // The comparison is weak, so that it is made without the mark of weakness.
    let tag = version(&stored);
    if conditions::none_matches(&headers, tag.trim_start_matches("W/")) {
        let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
        set(&mut unchanged, header::ETAG, &tag);
        return Ok(unchanged);
    }
    Ok(door.user(StatusCode::OK, &stored, &headers, &selection))
}

pub(super) async fn create(
    State(door): State<Door>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let selection = query::selection(&pairs(query.as_deref())?)?;
    let user = document::read(&door.catalogue, &receive(&headers, body).await?)?;
    let id = Id::<Document>::mint().to_string();
    let stored = workers.put(user::wanted(&user, &id, None)?, "*").await?;
    Ok(door.user(StatusCode::CREATED, &stored, &headers, &selection))
}

pub(super) async fn replace(
    State(door): State<Door>,
    Segment(id): Segment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let selection = query::selection(&pairs(query.as_deref())?)?;
    let user = document::read(&door.catalogue, &receive(&headers, body).await?)?;
    let stored = change(&workers, &id, &headers, |_| Ok(user.clone())).await?;
    Ok(door.user(StatusCode::OK, &stored, &headers, &selection))
}

pub(super) async fn modify(
    State(door): State<Door>,
    Segment(id): Segment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let selection = query::selection(&pairs(query.as_deref())?)?;
    let operations = patch::read(&receive(&headers, body).await?)?;
    let patched = |mut user: Document| {
        operations.iter().try_for_each(|operation| patch::apply(&door.catalogue, &mut user, operation))?;
        Ok(user)
    };
    let stored = change(&workers, &id, &headers, patched).await?;
    Ok(door.user(StatusCode::OK, &stored, &headers, &selection))
}

pub(super) async fn remove(State(door): State<Door>, Segment(id): Segment, headers: HeaderMap) -> Answer {
    let workers = Workers::of(&door.gateway, &headers).await?;
    let condition = condition(&headers);
    for _ in 0..ATTEMPTS_MAX {
        let etag = match &condition {
            Condition::Any => String::new(),
            Condition::OneOf(_) => allowed(&condition, workers.get(&id).await?)?.etag,
        };
        match workers.remove(&id, etag).await {
            Err(refused) if refused.status == StatusCode::PRECONDITION_FAILED => {}
            Err(refused) => return Err(refused),
            Ok(()) => return Ok(StatusCode::NO_CONTENT.into_response()),
        }
    }
    Err(overtaken())
}

/// Reads a user, changes it, and stores it if nobody else has changed it meanwhile; otherwise once more.
async fn change(
    workers: &Workers,
    id: &str,
    headers: &HeaderMap,
    changed: impl Fn(Document) -> Result<Document, Refusal>,
) -> Result<StoredWorker, Refusal> {
    let condition = condition(headers);
    for _ in 0..ATTEMPTS_MAX {
        let stored = allowed(&condition, workers.get(id).await?)?;
        let user = changed(user::document(&stored))?;
        let wanted = user::wanted(&user, id, Some(&stored))?;
        match workers.put(wanted, &stored.etag).await {
            Err(refused) if refused.status == StatusCode::PRECONDITION_FAILED => {}
            answered => return answered,
        }
    }
    Err(overtaken())
}

fn overtaken() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "Other changes came first, several times in a row; try again.")
}

fn condition(headers: &HeaderMap) -> Condition {
    let lines = headers.get_all(header::IF_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let tags = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    let tags = tags.map(|tag| tag.trim_start_matches("W/").to_owned()).collect::<Vec<_>>();
    // Tags that cannot be read are none that is stored.
    let any = !headers.contains_key(header::IF_MATCH) || tags.iter().any(|tag| tag == "*");
    if any { Condition::Any } else { Condition::OneOf(tags) }
}

/// The stored version, if it is one that the client would have changed.
fn allowed(condition: &Condition, stored: StoredWorker) -> Result<StoredWorker, Refusal> {
    match condition {
        Condition::OneOf(tags) if !tags.contains(&format!("\"{}\"", stored.etag)) => {
            Err(Refusal::another_version())
        }
        _ => Ok(stored),
    }
}

impl Door {
    /// The address of all users, as this client reaches them.
    fn users(&self, headers: &HeaderMap) -> String {
        format!("{}/Users", self.base(headers))
    }

    fn user(
        &self,
        status: StatusCode,
        stored: &StoredWorker,
        headers: &HeaderMap,
        selection: &Selection,
    ) -> Response {
        let users = self.users(headers);
        let user = user::resource(stored, &users);
        let id = user.get("id").and_then(Value::as_str).unwrap_or_default();
        let location = format!("{users}/{id}");
        let user = Value::Object(selection.cut(&self.catalogue, &user));
        let mut response = json(status, &user);
        set(&mut response, header::ETAG, &version(stored));
        set(&mut response, header::LOCATION, &location);
        response
    }
}

/// An answer in SCIM's media type.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, serde_json::to_vec(body).unwrap_or_default()).into_response();
    set(&mut response, header::CONTENT_TYPE, MEDIA_TYPE);
    set(&mut response, header::CACHE_CONTROL, "private, no-cache");
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The parameters of an address.
pub(super) fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, Refusal> {
    let query = axum::http::Uri::builder().path_and_query(format!("/?{}", query.unwrap_or_default())).build();
    let pairs = query.ok().and_then(|uri| axum::extract::Query::try_from_uri(&uri).ok());
    let detail = "The query of the address cannot be read.";
    pairs
        .map(|axum::extract::Query(pairs)| pairs)
        .ok_or_else(|| Refusal::bad(ScimType::InvalidSyntax, detail))
}

async fn receive(headers: &HeaderMap, body: Body) -> Result<axum::body::Bytes, Refusal> {
    let bytes = transcode::receive(headers, body, transcode::BODY_LENGTH_MAX).await?;
    transcode::expect_media_type(headers, &[MEDIA_TYPE, "application/json"])?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &[u8]) -> StatusCode {
        let value = HeaderValue::from_bytes(value).unwrap();
        let headers = HeaderMap::from_iter([(header::IF_MATCH, value)]);
        let stored = StoredWorker { etag: "7".to_owned(), ..StoredWorker::default() };
        allowed(&condition(&headers), stored).map_or_else(|refused| refused.status, |_| StatusCode::OK)
    }

    #[test]
    fn an_unreadable_version_is_a_condition_that_nothing_meets() {
        for met in [&b"\"7\""[..], b"W/\"7\"", b"\"6\", \"7\"", b"*"] {
            assert_eq!(asked(met), StatusCode::OK, "{met:?}");
        }
        for unmet in [&b"\"8\""[..], b"", b"7", b"\"\xff\"", b"\xff", b","] {
            assert_eq!(asked(unmet), StatusCode::PRECONDITION_FAILED, "{unmet:?}");
        }
        assert!(allowed(&condition(&HeaderMap::new()), StoredWorker::default()).is_ok());
    }
}
