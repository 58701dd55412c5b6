//! The refusals of each operation.

use axum::http::Method;
use utoipa::openapi::{
    Content, Header, Ref, RefOr, Response, ResponseBuilder, Schema,
    schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, Type},
};

use crate::{
    problem::MEDIA_TYPE,
    routes::{Body, Route},
};

/// A status at HTTP, the name of its response in the document, and when it comes.
const REFUSALS: [(&str, &str, &str); 17] = [
    ("400", "Malformed", "The address, a header or the JSON of the body cannot be read."),
    ("401", "Unauthenticated", "There is no token, or it is not valid (any more)."),
    ("403", "Forbidden", "The caller's roles do not allow this."),
    ("404", "NotFound", "There is no such resource, or not in this edition."),
    ("408", "TooSlow", "The body did not arrive in time."),
    (
        "409",
        "Conflict",
        "The state of the resource does not allow this, another change came first, or it exists.",
    ),
    ("412", "Stale", "Somebody changed the resource since; read it again."),
    ("413", "TooLarge", "The body is larger than is taken."),
    ("415", "UnsupportedMediaType", "The body is of another media type than is taken."),
    ("421", "Misdirected", "With the built-in identity page, the server answers to localhost only."),
    ("422", "Invalid", "Fields break their rules, or a repeated Idempotency-Key comes with another body."),
    ("428", "VersionNeeded", "If-Match is missing."),
    ("429", "TooMuch", "Too much at once."),
    ("500", "Broken", "Something broke on our side."),
    ("501", "NotOffered", "The service does not offer this method."),
    ("503", "Unavailable", "The service does not answer right now; Retry-After says when to try again."),
    ("504", "TooLate", "The service did not answer in time."),
];

/// The refusals that an operation can answer with, as status and name of the response.
pub(super) fn of(route: &Route) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_body = !matches!(route.body, Body::Nothing);
    let (is_read, has_path) = (route.verb == Method::GET, !route.path.is_empty());
    let (has_etag, needs_etag) = (route.etag.is_some(), route.needs_etag);
    let can = move |status: &str| match status {
        "404" => has_path,
        "408" | "413" | "415" => has_body,
        "409" => !is_read,
        "412" => has_etag,
        "428" => needs_etag,
        _ => true,
    };
    REFUSALS.into_iter().filter(move |(status, ..)| can(status)).map(|(status, name, _)| (status, name))
}

/// The responses themselves, by name.
pub(super) fn responses() -> impl Iterator<Item = (&'static str, Response)> {
    REFUSALS.into_iter().map(|(status, name, description)| {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let mut response = ResponseBuilder::new().description(description).content(MEDIA_TYPE, content);
        let header = match status {
            "401" => Some(("WWW-Authenticate", "How to prove who calls.")),
            "503" => Some(("Retry-After", "Seconds to wait.")),
            _ => None,
        };
        if let Some((name, description)) = header {
            let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
            header.description = Some(description.to_owned());
            response = response.header(name, header);
        }
        (name, response.build())
    })
}

/// The schemas of a problem, of one thing wrong with a request, and of one thing that is not as it was.
pub(super) fn schemas() -> [(String, RefOr<Schema>); 3] {
    let text =
        |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    let uri =
        |description: &str| text(description).format(Some(SchemaFormat::Custom("uri-reference".to_owned())));
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(utoipa::Number::Int(400)))
        .maximum(Some(utoipa::Number::Int(599)))
        .description(Some("The status, once more."));
    let errors = ArrayBuilder::new()
        .items(Ref::from_schema_name("FieldError"))
        .description(Some("Each thing wrong with the request."));
    let unmet = ArrayBuilder::new()
        .items(Ref::from_schema_name("Unmet"))
        .description(Some("Each thing that is not as the client took it to be."));
    let problem = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Why a request was refused (RFC 9457)."))
        .property("type", uri("A page that explains the code."))
        .property("title", text("The code in words."))
        .property("status", status)
        .property("detail", text("What is wrong this time, in one sentence."))
        .property("instance", uri("The path of the request."))
        .property("code", text("For programs.").pattern(Some("^[A-Z][A-Z0-9_]*$")))
        .property("traceId", text("What to give to the operators."))
        .property("errors", errors)
        .property("unmet", unmet);
    let problem = ["type", "title", "status", "detail", "instance", "code"]
        .into_iter()
        .fold(problem, ObjectBuilder::required);
    let places = text("Where in the request.").enum_values(Some(["path", "query", "header", "body"]));
    let pointer = text("JSON Pointer into the body, or / and the name of the parameter or header.")
        .format(Some(SchemaFormat::Custom("json-pointer".to_owned())));
    let error = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("One thing wrong with a request."))
        .property("in", places)
        .property("pointer", pointer)
        .property("code", text("For programs.").pattern(Some("^[A-Z][A-Z0-9_]*$")))
        .property("detail", text("What is wrong, as the end of a sentence that begins with the field."));
    let error = ["in", "pointer", "code", "detail"].into_iter().fold(error, ObjectBuilder::required);
    let unmet = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("One thing that is not as the client took it to be."))
        .property("type", text("What kind of thing, for programs.").pattern(Some("^[A-Z][A-Z0-9_]*$")))
        .property("subject", text("Which one."))
        .property("detail", text("What is the matter with it."));
    let unmet = ["type", "subject", "detail"].into_iter().fold(unmet, ObjectBuilder::required);
    let named = |name: &str, schema: ObjectBuilder| (name.to_owned(), RefOr::T(schema.into()));
    [named("Problem", problem), named("FieldError", error), named("Unmet", unmet)]
}
