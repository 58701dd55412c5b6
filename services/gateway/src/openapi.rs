//! The REST interface as an `OpenAPI` document, from the same routes that are served.
//!
//! # Source
//! <https://spec.openapis.org/oas/v3.1.0>

mod comments;
mod problems;
mod schema;

use axum::http::Method;
use prost_reflect::{FieldDescriptor, MethodDescriptor, ServiceDescriptor};
use utoipa::openapi::{
    Content, Header, HttpMethod, Info, License, OpenApi, OpenApiBuilder, Paths, Ref, Required, Response,
    ResponseBuilder,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::{ComponentsBuilder, ObjectBuilder, SchemaFormat, Type},
    security::{
        ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
    },
    tag::{Tag, TagBuilder},
};

pub(crate) use self::schema::must_be_given;
use self::{comments::comment, schema::Schemas};
use crate::{
    RouteError,
    routes::{self, Body, Route},
    transcode::is_receipt,
};

const BEARER: &str = "bearer";
const CLIENT_CREDENTIALS: &str = "clientCredentials";

/// The document of everything that [`router`](crate::router) serves below `/api`.
///
/// # Errors
/// [`RouteError`] if a proto file has an HTTP annotation that cannot be served.
pub fn openapi() -> Result<OpenApi, RouteError> {
    let routes = routes::all()?;
    let mut schemas = Schemas::default();
    for route in &routes {
        schemas.sends(&route.method.input());
    }
    let mut paths = Paths::new();
    for route in &routes {
        let operation = operation(route, &mut schemas);
        paths.add_path_operation(path(route), vec![verb(&route.verb)], operation);
    }
    let mut components = ComponentsBuilder::new();
    for (name, schema) in std::mem::take(&mut schemas.named).into_iter().chain(problems::schemas()) {
        components = components.schema(name, schema);
    }
    for (name, response) in problems::responses() {
        components = components.response(name, response);
    }
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some("A signed token that says who calls and in which roles.".to_owned());
    let source = OAuth2::with_description(
        [Flow::ClientCredentials(ClientCredentials::new("/oauth2/token", Scopes::new()))],
        "How an HR system gets its token: the name of its source and a secret, by the office. There are no scopes.",
    );
    let components = components
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(CLIENT_CREDENTIALS, SecurityScheme::OAuth2(source))
        .build();
    Ok(OpenApiBuilder::new()
        .info(info())
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags(&routes)))
        .security(Some(
            [BEARER, CLIENT_CREDENTIALS].map(|name| SecurityRequirement::new(name, [] as [&str; 0])),
        ))
        .build())
}

fn info() -> Info {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    let mut info = Info::new("Updraft", "1");
    info.description = Some(
        "Reverse mentoring, carried through and proved. The same methods are offered by gRPC. Errors are problem \
         details (RFC 9457); lists are paged by keyset (AIP-158); a command answers with a receipt, whose etag a \
         change needs as If-Match and whose position makes a read in another service wait for it."
            .to_owned(),
    );
    info.license = Some(license);
    info
}

fn tags(routes: &[Route]) -> Vec<Tag> {
    let mut services = routes.iter().map(|route| route.method.parent_service().clone()).collect::<Vec<_>>();
    services.dedup_by(|one, other| one.full_name() == other.full_name());
    let tag = |service: &ServiceDescriptor| {
        let description = comment(&service.parent_file(), service.path());
        TagBuilder::new().name(tag_of(service)).description(description).build()
    };
    services.iter().map(tag).collect()
}

fn tag_of(service: &ServiceDescriptor) -> String {
    service.name().trim_end_matches("Service").to_owned()
}

fn verb(verb: &Method) -> HttpMethod {
    match verb.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The template with the names of JSON.
fn path(route: &Route) -> String {
    let renamed = |path: String, field: &FieldDescriptor| {
        path.replace(&format!("{{{}}}", field.name()), &format!("{{{}}}", field.json_name()))
    };
    route.path.iter().fold(route.template.clone(), renamed)
}

fn operation(route: &Route, schemas: &mut Schemas) -> Operation {
    let method = &route.method;
    let service = method.parent_service();
    let mut operation = OperationBuilder::new()
        .tag(tag_of(service))
        .operation_id(Some(method.name()))
        .summary(Some(words(method)))
        .description(comment(&service.parent_file(), method.path()))
        .request_body(request_body(route, schemas));
    for field in &route.path {
        operation =
            operation.parameter(parameter(field, ParameterIn::Path, schemas).required(Required::True));
    }
    for field in &route.query {
        operation = operation.parameter(parameter(field, ParameterIn::Query, schemas));
    }
    for header in headers(route) {
        operation = operation.parameter(header);
    }
    let (status, answer) = answer(route, schemas);
    operation = operation.response(status, answer);
    if has_version(route) && route.verb == Method::GET {
        let unchanged = ResponseBuilder::new().description("The client has this version already.");
        operation = operation.response("304", unchanged.header("ETag", etag()));
    }
    for (status, name) in problems::of(route) {
        operation = operation.response(status, Ref::from_response_name(name));
    }
    operation.build()
}

fn parameter(field: &FieldDescriptor, place: ParameterIn, schemas: &mut Schemas) -> ParameterBuilder {
    let description = comment(&field.parent_file(), field.path());
    let schema = schemas.field(field);
    ParameterBuilder::new()
        .name(field.json_name())
        .parameter_in(place)
        .description(description)
        .required(Required::False)
        .schema(Some(schema))
}

fn headers(route: &Route) -> Vec<ParameterBuilder> {
    let header = |name: &str, description: &str, required| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .description(Some(description))
            .required(required)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
    };
    let mut headers = Vec::new();
    if route.etag.is_some() {
        let description = "The ETag of the version that the change was made on, with its quotes.";
        let required = if route.needs_etag { Required::True } else { Required::False };
        headers.push(header("If-Match", description, required));
    }
    if route.verb == Method::GET && has_version(route) {
        let description = "ETags of versions the client has; if one is current, the answer is 304.";
        headers.push(header("If-None-Match", description, Required::False));
    }
    if route.verb == Method::POST {
        let description = "A name for this request, chosen by the client: repeated with the same body within 24 hours, \
                           it gets the first answer and has no second effect.";
        headers.push(header("Idempotency-Key", description, Required::False));
    }
    let description = "The position of a receipt: the answer waits until the service has seen that write.";
    headers.push(header("Updraft-After", description, Required::False));
    headers
}

fn request_body(route: &Route, schemas: &mut Schemas) -> Option<RequestBody> {
    let body = RequestBodyBuilder::new().required(Some(Required::True));
    let body = match &route.body {
        Body::Nothing => return None,
        Body::Message => {
            let message = route.method.input();
            let elsewhere = |field: &FieldDescriptor| {
                route.path.contains(field) || route.etag.as_ref().is_some_and(|etag| etag == field)
            };
            let fields = message.fields().filter(|field| !elsewhere(field)).collect::<Vec<_>>();
            if fields.is_empty() {
                return None;
            }
            let schema = schemas.object(&message, &fields);
            let name = schema::name_of(message.full_name(), message.package_name());
            schemas.named.insert(name.clone(), schema);
            body.content("application/json", Content::new(Some(Ref::from_schema_name(name))))
        }
        Body::Field(_, message) => {
            let schema = schemas.refer(message);
            body.content("application/json", Content::new(Some(schema)))
        }
        Body::File(field, media_type) => {
            let description = comment(&field.parent_file(), field.path());
            let file = ObjectBuilder::new().schema_type(Type::String).content_media_type(media_type);
            body.content(media_type, Content::new(Some(file.description(description))))
        }
    };
    Some(body.build())
}

fn answer(route: &Route, schemas: &mut Schemas) -> (&'static str, Response) {
    let message = route.answer_message();
    let (status, description) = match (route.rule.starts_operation, route.rule.creates) {
        (true, _) => ("202", "Begun in the background; Location says where to look."),
        (_, true) => ("201", "Created; Location says where."),
        _ if is_receipt(&message) => ("200", "Done."),
        _ => ("200", "What was asked for."),
    };
    if let Some(field) = &route.download {
        return (status, file(route, field));
    }
    let schema = schemas.refer(&message);
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", Content::new(Some(schema)));
    if has_version(route) {
        response = response.header("ETag", etag());
    }
    if is_receipt(&message) {
        let position =
            "The place of the write in the event log; send it as Updraft-After to see the write anywhere.";
        response = response
            .header("Updraft-Position", header(position, ObjectBuilder::new().schema_type(Type::String)));
    }
    if route.collection.is_some() {
        let uri = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uri-reference".to_owned())));
        response = response.header("Location", header("Where it stands.", uri));
    }
    (status, response.build())
}

/// A file that is answered with.
fn file(route: &Route, field: &FieldDescriptor) -> Response {
    let media_type = &route.rule.produces;
    let schema = ObjectBuilder::new().schema_type(Type::String).content_media_type(media_type);
    let schema = schema.description(comment(&field.parent_file(), field.path()));
    let name = ObjectBuilder::new().schema_type(Type::String);
    ResponseBuilder::new()
        .description("The file.")
        .content(media_type, Content::new(Some(schema)))
        .header("Content-Disposition", header("The name to save it under.", name))
        .build()
}

fn etag() -> Header {
    header("The version, as a strong entity tag.", ObjectBuilder::new().schema_type(Type::String))
}

fn header(description: &str, schema: ObjectBuilder) -> Header {
    let mut header = Header::new(schema);
    header.description = Some(description.to_owned());
    header
}

fn has_version(route: &Route) -> bool {
    route.answer_message().get_field_by_name("etag").is_some()
}

/// `CreateMatchRun` is "Create match run".
fn words(method: &MethodDescriptor) -> String {
    method.name().char_indices().fold(String::new(), |mut words, (at, letter)| {
        if at > 0 && letter.is_ascii_uppercase() {
            words.push(' ');
            words.push(letter.to_ascii_lowercase());
        } else {
            words.push(letter);
        }
        words
    })
}
