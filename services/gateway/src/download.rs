//! A file as the answer: the parts of a stream, one after the other, as they come.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use prost_reflect::{DynamicMessage, FieldDescriptor};
use proto::api::MethodRule;
use tonic::{Status, Streaming};

use crate::problem::Problem;

/// Answers with what a field of bytes holds in every message of a stream.
///
/// A stream that fails under way breaks the connection off, so that half a file is never taken for the whole.
///
/// # Errors
/// 500 if the rule of the method cannot be written as headers; the proto file is wrong.
pub(crate) fn respond(
    rule: &MethodRule,
    field: FieldDescriptor,
    parts: Streaming<DynamicMessage>,
) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    let disposition = format!("attachment; filename=\"{}\"", rule.file_name);
    for (name, value) in [(header::CONTENT_TYPE, &rule.produces), (header::CONTENT_DISPOSITION, &disposition)]
    {
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| Problem::internal())?);
    }
    // What a person may see is for this person's browser alone, and asked for anew each time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let parts = parts.map(move |part| part.map(|message| content(&message, &field)).inspect_err(broken_off));
    Ok((headers, Body::from_stream(parts)).into_response())
}

fn content(message: &DynamicMessage, field: &FieldDescriptor) -> Bytes {
    message.get_field(field).as_bytes().cloned().unwrap_or_default()
}

fn broken_off(status: &Status) {
    tracing::warn!(code = ?status.code(), error = status.message(), "a download broke off");
}
