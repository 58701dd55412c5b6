//! The REST interface as the descriptors define it: one route per method that has an HTTP annotation.

use axum::http::Method;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::api::MethodRule;

use crate::openapi::must_be_given;

/// An HTTP annotation that cannot be served; the proto files are wrong.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP annotation of {method} {fault}")]
pub struct RouteError {
    method: String,
    fault: String,
}

/// One method of a service as REST offers it.
pub(crate) struct Route {
    /// The gRPC method that is called.
    pub(crate) method: MethodDescriptor,
    /// What REST needs to know beyond the path.
    pub(crate) rule: MethodRule,
    pub(crate) verb: Method,
    /// The path with parameters in braces, as proto, axum and `OpenAPI` all write it.
    pub(crate) template: String,
    /// Fields of the request that stand in the path.
    pub(crate) path: Vec<FieldDescriptor>,
    /// Fields of the request that stand in the query.
    pub(crate) query: Vec<FieldDescriptor>,
    pub(crate) body: Body,
    /// The field of the request that comes from `If-Match`.
    pub(crate) etag: Option<FieldDescriptor>,
    /// Whether that field must not be empty.
    pub(crate) needs_etag: bool,
    /// The field of the response that is the answer; else the response itself.
    pub(crate) answer: Option<FieldDescriptor>,
    /// The file that is the answer instead, in parts: the field of bytes of every message of the stream.
    pub(crate) download: Option<FieldDescriptor>,
    /// Where a created resource stands: this path and the identifier.
    pub(crate) collection: Option<String>,
}

/// What the body of a request is.
pub(crate) enum Body {
    Nothing,
    /// The request message as JSON, without what stands elsewhere.
    Message,
    /// One field of the request message as JSON, and the message it holds.
    Field(FieldDescriptor, MessageDescriptor),
    /// A file of one media type, which goes into a field of bytes as it is.
    File(FieldDescriptor, String),
}

/// Where in a request something stands, as `OpenAPI` names the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// Every route, in the order of the proto files.
///
/// # Errors
/// [`RouteError`] for an annotation that names what does not exist.
pub(crate) fn all() -> Result<Vec<Route>, RouteError> {
    let methods = proto::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.filter_map(|method| Route::of(method).transpose()).collect()
}

impl Route {
    /// Reads the annotation of a method; `None` if the method is not for REST.
    fn of(method: MethodDescriptor) -> Result<Option<Self>, RouteError> {
        let Some(http) = Http::of(&method) else { return Ok(None) };
        let fail = |fault: String| RouteError { method: method.full_name().to_owned(), fault };
        let input = method.input();
        let named = |name: &str, message: &MessageDescriptor| {
            let field = message.get_field_by_name(name);
            field.ok_or_else(|| fail(format!("names {name}, which {} does not have", message.full_name())))
        };

        let path =
            parameters(&http.template).map(|name| named(name, &input)).collect::<Result<Vec<_>, _>>()?;
        let rule = proto::method_rule(&method);
        let body = match (http.body.as_str(), rule.consumes.as_str()) {
            ("", _) => Body::Nothing,
            ("*", _) => Body::Message,
            (name, "") => {
                let field = named(name, &input)?;
                let inner = field.kind().as_message().filter(|_| !field.is_list()).cloned();
                Body::Field(field, inner.ok_or_else(|| fail(format!("names {name}, which is no message")))?)
            }
            (name, media_type) => Body::File(named(name, &input)?, media_type.to_owned()),
        };
        let answer = match http.response_body.as_str() {
            "" => None,
            name => Some(named(name, &method.output())?),
        };
        let download = match (method.is_server_streaming(), rule.produces.as_str(), &answer) {
            (false, "", _) => None,
            (true, media_type, Some(field)) if !media_type.is_empty() && field.kind() == Kind::Bytes => {
                Some(field.clone())
            }
            _ => return Err(fail("is no stream of a field of bytes with a media type".to_owned())),
        };
        let etag = input.get_field_by_name("etag");
        let needs_etag = etag.as_ref().is_some_and(must_be_given);
        let query = input.fields().filter(|field| {
            let in_body = match &body {
                Body::Nothing => false,
                Body::Message => true,
                Body::Field(body, _) | Body::File(body, _) => body == field,
            };
            !in_body && !path.contains(field) && etag.as_ref() != Some(field)
        });
        let query = query.collect();
        let collection =
            (rule.creates || rule.starts_operation).then(|| collection(&method, &rule, &http.template));
        let Http { verb, template, .. } = http;
        Ok(Some(Self {
            method,
            rule,
            verb,
            template,
            path,
            query,
            body,
            etag,
            needs_etag,
            answer,
            download,
            collection,
        }))
    }

    /// The message that is answered with: the response or the one field of it.
    pub(crate) fn answer_message(&self) -> MessageDescriptor {
        let kind = self.answer.as_ref().map(FieldDescriptor::kind);
        kind.as_ref().and_then(|kind| kind.as_message().cloned()).unwrap_or_else(|| self.method.output())
    }

    /// Where a field of the request message stands in the request, and the rest of its path there.
    ///
    /// `field` is dotted, with indices, as violations are written: `settings.topics[2].title`.
    pub(crate) fn place<'a>(&self, field: &'a str) -> (Place, &'a str) {
        let end = field.find(['.', '[']).unwrap_or(field.len());
        let (first, rest) = field.split_at(end);
        let is = |candidate: &FieldDescriptor| candidate.name() == first;
        if self.etag.as_ref().is_some_and(is) {
            return (Place::Header, "If-Match");
        }
        if self.path.iter().any(is) {
            return (Place::Path, field);
        }
        match &self.body {
            Body::Field(body, _) | Body::File(body, _) if is(body) => {
                (Place::Body, rest.trim_start_matches('.'))
            }
            Body::Message => (Place::Body, field),
            _ if self.query.iter().any(is) => (Place::Query, field),
            // What is no field at all came as metadata: updraft-after, idempotency-key.
            _ => (Place::Header, field),
        }
    }
}

/// `google.api.HttpRule`, read by reflection.
struct Http {
    verb: Method,
    template: String,
    body: String,
    response_body: String,
}

impl Http {
    fn of(method: &MethodDescriptor) -> Option<Self> {
        let extension = proto::pool().get_extension_by_name("google.api.http")?;
        let options = method.options();
        let value = options.has_extension(&extension).then(|| options.get_extension(&extension))?;
        let rule = value.as_message()?;
        let verbs =
            [("get", Method::GET), ("post", Method::POST), ("put", Method::PUT), ("delete", Method::DELETE)];
        let (verb, template) = verbs
            .into_iter()
            .map(|(name, verb)| (verb, text(rule, name)))
            .find(|(_, template)| !template.is_empty())?;
        Some(Self { verb, template, body: text(rule, "body"), response_body: text(rule, "response_body") })
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

/// The names in braces.
fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// The path below which what a method creates is found: that of the resource's own `Get` method (AIP-131), else the
/// path of the method itself.
fn collection(method: &MethodDescriptor, rule: &MethodRule, template: &str) -> String {
    let resource = if rule.starts_operation { "Operation" } else { without_verb(method.name()) };
    let get = method.parent_service().methods().find(|other| other.name() == format!("Get{resource}"));
    let found = get.as_ref().and_then(Http::of).and_then(|http| {
        let (collection, _) = http.template.rsplit_once("/{")?;
        // The parameters are those of the request, so the path has to begin as the request's does.
        let known = parameters(collection).next().is_none() || template.starts_with(collection);
        known.then(|| collection.to_owned())
    });
    found.unwrap_or_else(|| template.to_owned())
}

/// `CreateMatchRun` makes a `MatchRun`.
fn without_verb(method: &str) -> &str {
    let second = method.char_indices().skip(1).find(|(_, letter)| letter.is_ascii_uppercase());
    second.map_or(method, |(at, _)| &method[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str) -> Route {
        all().unwrap().into_iter().find(|route| route.method.name() == method).unwrap()
    }

    #[test]
    fn every_annotation_can_be_served_and_what_has_none_has_no_route() {
        let routes = all().unwrap();
        assert!(routes.len() > 50);
        assert!(routes.iter().all(|route| route.method.name() != "GetContact"));
    }

    #[test]
    fn what_is_created_stands_where_it_can_be_got() {
        let collection = |method| route(method).collection.unwrap();
        assert_eq!(collection("CreateEdition"), "/api/v1/editions");
        assert_eq!(collection("CopyEdition"), "/api/v1/editions");
        assert_eq!(collection("SubmitApplication"), "/api/v1/editions/{edition_id}/applications");
        assert_eq!(collection("CreateImport"), "/api/v1/operations");
        assert_eq!(collection("AskQuestion"), "/api/v1/editions/{edition_id}/tandems/{tandem_id}/questions");
        assert_eq!(route("OpenEdition").collection, None);
    }

    #[test]
    fn every_field_has_its_place() {
        let update = route("UpdateEdition");
        assert_eq!(update.place("settings.topics[2].title"), (Place::Body, "topics[2].title"));
        assert_eq!(update.place("settings"), (Place::Body, ""));
        assert_eq!(update.place("edition_id"), (Place::Path, "edition_id"));
        assert_eq!(update.place("etag"), (Place::Header, "If-Match"));
        assert_eq!(route("ListPeople").place("page_size"), (Place::Query, "page_size"));
        assert_eq!(route("ListPeople").place("updraft-after"), (Place::Header, "updraft-after"));
        assert_eq!(route("CreateImport").place("dry_run"), (Place::Query, "dry_run"));
        assert_eq!(route("SubmitApplication").place("offers[0].level"), (Place::Body, "offers[0].level"));
    }
}
