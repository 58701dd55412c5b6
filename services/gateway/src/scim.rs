//! SCIM 2.0 below `/scim/v2`: HR systems and identity providers keep the workers of their source, one at a time.
//!
//! A user is a worker in other words. The gateway translates: the service that keeps the workers decides what becomes of them,
//! numbers their versions, and says whose a credential is.
//!
//! Reading order: [`schema`], the attributes there are, all others being passed over; [`document`], what a client sends; [`user`],
//! how that is a worker; [`patch`], [`filter`] and [`query`], the three small languages; [`listing`] and [`endpoints`], the
//! requests; [`workers`], the calls of the service; [`refusal`], every error.
//!
//! # Source
//! RFC 7643 (schema), RFC 7644 (protocol), RFC 9865 (pages by cursor). The crate `scim_v2` parses filters and paths and holds the
//! standard's messages.

mod discovery;
mod document;
mod endpoints;
mod filter;
mod listing;
mod patch;
mod query;
mod refusal;
mod schema;
mod selection;
mod user;
mod workers;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequestParts, Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header, request::Parts, uri::Authority},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    endpoints::{json, pairs},
    refusal::Refusal,
    schema::Catalogue,
    workers::Workers,
};
use crate::{Gateway, StartError};

const PATH: &str = "/scim/v2";

/// What every request of SCIM needs.
#[derive(Clone)]
struct Door {
    gateway: Arc<Gateway>,
    catalogue: Arc<Catalogue>,
}

/// The routes of SCIM.
///
/// # Errors
/// [`StartError::Schemas`] if a schema cannot be read.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Result<Router, StartError> {
    let catalogue = Arc::new(Catalogue::load().map_err(StartError::Schemas)?);
    let door = Door { gateway: Arc::clone(gateway), catalogue };
    let user = get(endpoints::get).put(endpoints::replace).patch(endpoints::modify).delete(endpoints::remove);
    let scim = Router::new()
        .route("/Users", get(endpoints::list).post(endpoints::create))
        .route("/Users/.search", post(endpoints::search))
        .route("/Users/{id}", user)
        // There are users only, so that to search all is to search them.
        .route("/.search", post(endpoints::search))
        .route("/ServiceProviderConfig", get(service_provider_config))
        .route("/ResourceTypes", get(resource_types))
        .route("/ResourceTypes/{id}", get(resource_type))
        .route("/Schemas", get(schemas))
        .route("/Schemas/{id}", get(schema))
        .route("/Me", any(async || unsupported()))
        .route("/Bulk", any(async || unsupported()))
        .fallback(async || nothing_there())
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method.")
        })
        .with_state(door);
    Ok(Router::new().nest(PATH, unbroken(scim)))
}

/// Answers a panic as SCIM writes refusals.
fn unbroken(scim: Router) -> Router {
    scim.layer(CatchPanicLayer::custom(|_| {
        tracing::error!("a request broke off in a panic");
        let detail = "Something broke on our side; it was recorded.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
    }))
}

/// The last segment of a path.
struct Segment(String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let segment = Path::from_request_parts(parts, state).await;
        segment.map(|Path(id)| Self(id)).map_err(|_| nothing_there())
    }
}

fn nothing_there() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

fn unsupported() -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "This is not supported; ServiceProviderConfig says what is.")
}

impl Door {
    /// The address of the interface: the configured one, else that by which this client reaches it.
    fn base(&self, headers: &HeaderMap) -> String {
        if let Some(public) = &self.gateway.public_url {
            return format!("{}{PATH}", public.to_string().trim_end_matches('/'));
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
        host.map_or_else(|| PATH.to_owned(), |host| format!("http://{host}{PATH}"))
    }

    /// Lets in only who has a credential, also to what is the same for everybody.
    async fn known(&self, headers: &HeaderMap, query: Option<&str>) -> Result<String, Refusal> {
        Workers::of(&self.gateway, headers).await?;
        if pairs(query)?.iter().any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
            let detail = "What describes this server cannot be filtered.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(self.base(headers))
    }
}

type Answer = Result<Response, Refusal>;

fn found(body: &Value) -> Response {
    json(StatusCode::OK, body)
}

async fn service_provider_config(
    State(door): State<Door>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let base = door.known(&headers, query.as_deref()).await?;
    Ok(found(&discovery::service_provider_config(&base)?))
}

async fn resource_types(State(door): State<Door>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let base = door.known(&headers, query.as_deref()).await?;
    Ok(found(&discovery::list(&[discovery::user_type(&base)?])))
}

async fn resource_type(
    State(door): State<Door>,
    Segment(id): Segment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let base = door.known(&headers, query.as_deref()).await?;
    Ok(found(&discovery::one(vec![discovery::user_type(&base)?], &id)?))
}

async fn schemas(State(door): State<Door>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let base = door.known(&headers, query.as_deref()).await?;
    Ok(found(&discovery::list(&discovery::schemas(&door.catalogue, &base))))
}

async fn schema(
    State(door): State<Door>,
    Segment(id): Segment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let base = door.known(&headers, query.as_deref()).await?;
    Ok(found(&discovery::one(discovery::schemas(&door.catalogue, &base), &id)?))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_in_the_words_of_scim() {
        async fn breaks_off() {
            panic!("a mistake of ours");
        }
        let router = unbroken(Router::new().route("/", get(breaks_off)));
        let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], refusal::MEDIA_TYPE);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["status"], "500");
    }
}
