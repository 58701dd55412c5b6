//! One REST request: read, called as gRPC, answered.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    RequestPartsExt, Router,
    body::{Body as HttpBody, Bytes},
    extract::{Query, RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use http_body_util::BodyExt;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage, SerializeOptions, Value};
use tonic::metadata::MetadataValue;

use crate::{
    Gateway, auth, conditions, download,
    message::{put_parameters, read_json},
    problem::Problem,
    routes::{Body, Place, Route},
    upstream,
};

/// The largest body that is no file: 1 MiB.
pub(crate) const BODY_LENGTH_MAX: usize = 1 << 20;
const FILE_LENGTH_MAX: usize = 64 << 20;
/// How much of a body that is too large is thrown away before the client is cut off.
const DISCARDED_LENGTH_MAX: usize = 256 << 20;
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a client may take to send a body.
const BODY_WAIT_MAX: Duration = Duration::from_mins(1);

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const UPDRAFT_AFTER: &str = "updraft-after";
const UPDRAFT_POSITION: HeaderName = HeaderName::from_static("updraft-position");

/// Adds a route to a router.
pub(crate) fn mount(router: Router, gateway: &Arc<Gateway>, route: Route) -> Router {
    let (gateway, route) = (Arc::clone(gateway), Arc::new(route));
    let template = route.template.clone();
    // Every verb of an annotation is one that axum can route.
    let filter = MethodFilter::try_from(route.verb.clone()).unwrap_or(MethodFilter::GET);
    let handler = move |request: Request| {
        let (gateway, route) = (Arc::clone(&gateway), Arc::clone(&route));
        async move { serve(&gateway, &route, request).await }
    };
    router.route(&template, on(filter, handler))
}

async fn serve(gateway: &Gateway, route: &Route, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = auth::caller(&gateway.keys, gateway.identity_page, &parts.method, &parts.headers)?;
    let message = read(route, &mut parts, body).await?;

    let mut request = tonic::Request::new(message);
    let deadline = u64::try_from(route.rule.deadline_seconds).ok().filter(|seconds| *seconds > 0);
    request.set_timeout(deadline.map_or(DEADLINE, Duration::from_secs));
    if route.verb == Method::POST {
        forward(IDEMPOTENCY_KEY, &parts.headers, &mut request)?;
    }
    forward(UPDRAFT_AFTER, &parts.headers, &mut request)?;

    let package = route.method.parent_service().package_name().to_owned();
    let connection = gateway.upstreams.connection(&package, caller).ok_or_else(Problem::internal)?;
    if let Some(field) = &route.download {
        let parts = upstream::open(connection, &route.method, request).await;
        let parts = parts.map_err(|refused| Problem::of(&refused, route))?;
        return download::respond(&route.rule, field.clone(), parts);
    }
    let answer = upstream::call(connection, &route.method, request).await;
    let answer = answer.map_err(|refused| Problem::of(&refused, route))?;
    respond(route, &parts, &answer.into_inner())
}

/// Makes the request message of path, query, headers and body.
async fn read(route: &Route, parts: &mut Parts, body: HttpBody) -> Result<DynamicMessage, Problem> {
    let etag = route.etag.as_ref();
    let etag = etag.filter(|_| route.needs_etag || parts.headers.contains_key(header::IF_MATCH));
    let etag =
        etag.map(|field| Ok::<_, Problem>((field, conditions::if_match(&parts.headers)?))).transpose()?;
    let bytes = read_body(route, &parts.headers, body).await?;
    let mut message = match &route.body {
        Body::Message => {
            let elsewhere = route.path.iter().chain(&route.etag).collect::<Vec<_>>();
            read_json(&bytes, &route.method.input(), &elsewhere)?
        }
        Body::Nothing | Body::Field(..) | Body::File(..) => DynamicMessage::new(route.method.input()),
    };
    match &route.body {
        Body::Field(field, inner) if !bytes.is_empty() => {
            message.set_field(field, Value::Message(read_json(&bytes, inner, &[])?));
        }
        Body::File(field, _) => message.set_field(field, Value::Bytes(bytes)),
        Body::Nothing | Body::Message | Body::Field(..) => {}
    }
    if let Some((field, etag)) = etag {
        message.set_field(field, Value::String(etag));
    }

    let malformed = |what: &str| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "MALFORMED_URI",
            format!("The {what} of the address cannot be read."),
        )
    };
    let path = parts.extract::<RawPathParams>().await.map_err(|_| malformed("path"))?;
    let path = path.iter().map(|(name, value)| (Cow::from(name), Cow::from(value)));
    put_parameters(&mut message, &route.path, Place::Path, path).map_err(Problem::fields)?;
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| malformed("query"))?;
    let query = query.0.into_iter().map(|(name, value)| (Cow::from(name), Cow::from(value)));
    put_parameters(&mut message, &route.query, Place::Query, query).map_err(Problem::fields)?;
    Ok(message)
}

async fn read_body(route: &Route, headers: &HeaderMap, body: HttpBody) -> Result<Bytes, Problem> {
    let limit = if matches!(route.body, Body::File(..)) { FILE_LENGTH_MAX } else { BODY_LENGTH_MAX };
    let bytes = receive(headers, body, limit).await?;
    match &route.body {
        Body::File(_, media_type) => expect_media_type(headers, &[media_type])?,
        Body::Message | Body::Field(..) if !bytes.is_empty() => {
            expect_media_type(headers, &["application/json"])?;
        }
        Body::Nothing | Body::Message | Body::Field(..) => {}
    }
    Ok(bytes)
}

/// Takes a body of at most `limit` bytes.
///
/// # Errors
/// 413 if it has more, 408 and 400 if it does not come in time or not whole.
pub(crate) async fn receive(headers: &HeaderMap, body: HttpBody, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("The body has more than {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", detail)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let waits = headers.contains_key(header::EXPECT);
    if announced.is_some_and(|length: usize| length > if waits { limit } else { DISCARDED_LENGTH_MAX }) {
        return Err(too_large());
    }
    let bytes = tokio::time::timeout(BODY_WAIT_MAX, collect(body, limit)).await.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", "The body did not arrive in time.")
    })?;
    let cut_off = |_| Problem::new(StatusCode::BAD_REQUEST, "BODY_CUT_OFF", "The body did not arrive whole.");
    bytes.map_err(cut_off)?.ok_or_else(too_large)
}

/// Refuses a body of another media type than one of these.
///
/// # Errors
/// 415.
pub(crate) fn expect_media_type(headers: &HeaderMap, media_types: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if media_types.iter().any(|media_type| essence.eq_ignore_ascii_case(media_type)) {
        return Ok(());
    }
    let detail = format!("The body must be {}; say so in the header Content-Type.", media_types.join(" or "));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail))
}

/// Takes a body of at most `limit` bytes; `None` if it has more.
///
/// What is too much is read on and thrown away, within bounds: a client whose connection breaks while it still sends may never
/// see the answer.
async fn collect(mut body: HttpBody, limit: usize) -> Result<Option<Bytes>, axum::Error> {
    let (mut taken, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length <= limit {
            taken.extend_from_slice(&data);
        } else if length <= DISCARDED_LENGTH_MAX {
            taken = Vec::new();
        } else {
            break;
        }
    }
    Ok((length <= limit).then(|| taken.into()))
}

/// Hands a header on as metadata of the same name.
fn forward(
    name: &'static str,
    headers: &HeaderMap,
    request: &mut tonic::Request<DynamicMessage>,
) -> Result<(), Problem> {
    let Some(value) = headers.get(name) else { return Ok(()) };
    let value =
        value.to_str().ok().and_then(|value| MetadataValue::try_from(value).ok()).ok_or_else(|| {
            let detail = format!("The header {name} must have visible ASCII characters only.");
            Problem::new(StatusCode::BAD_REQUEST, "MALFORMED_HEADER", detail)
        })?;
    request.metadata_mut().insert(name, value);
    Ok(())
}

/// Makes the HTTP answer of the answer message.
fn respond(route: &Route, parts: &Parts, answer: &DynamicMessage) -> Result<Response, Problem> {
    let unwrapped = route.answer.as_ref().map(|field| answer.get_field(field));
    let message = unwrapped.as_ref().and_then(|value| value.as_message()).unwrap_or(answer);
    let mut headers = HeaderMap::new();
    // What a person may see is for this person's browser alone, and asked for anew each time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(etag) = text(message, "etag").map(|etag| format!("\"{etag}\"")) {
        let unchanged = route.verb == Method::GET && conditions::none_matches(&parts.headers, &etag);
        set(&mut headers, header::ETAG, &etag);
        if unchanged {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
    }
    if is_receipt(&message.descriptor())
        && let Some(position) = message.get_field_by_name("position").and_then(|position| position.as_i64())
    {
        set(&mut headers, UPDRAFT_POSITION, &position.to_string());
    }
    let status = match &route.collection {
        None => StatusCode::OK,
        Some(collection) => {
            set(&mut headers, header::LOCATION, &location(collection, parts.uri.path(), message));
            if route.rule.starts_operation { StatusCode::ACCEPTED } else { StatusCode::CREATED }
        }
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut json = serde_json::Serializer::new(Vec::new());
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut json, &options).map_err(|error| {
        tracing::error!(method = route.method.full_name(), %error, "an answer could not be written as JSON");
        Problem::internal()
    })?;
    Ok((status, headers, json.into_inner()).into_response())
}

/// Whether a message is the answer to a command.
pub(crate) fn is_receipt(message: &MessageDescriptor) -> bool {
    message.full_name() == "updraft.api.v1.Receipt"
}

/// Where a created resource stands. Its identifier is the first field of what is answered.
fn location(collection: &str, path: &str, answer: &DynamicMessage) -> String {
    let parent = if collection.contains('{') {
        let depth = collection.split('/').count();
        path.split('/').take(depth).collect::<Vec<_>>().join("/")
    } else {
        collection.to_owned()
    };
    let id = answer.get_field_by_number(1);
    format!("{parent}/{}", id.as_ref().and_then(|id| id.as_str()).unwrap_or_default())
}

fn text(message: &DynamicMessage, field: &str) -> Option<String> {
    let value = message.get_field_by_name(field)?;
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
