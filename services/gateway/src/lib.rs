//! REST for everything the services offer by gRPC, and the pages; it translates and decides nothing.
//!
//! Reading order: [`Config`]; `routes`, what the descriptors say of each method; `transcode`, one request from HTTP to
//! gRPC and back, with `auth`, `conditions`, `message`, `download` and `upstream` at its side; `problem`, every refusal;
//! `openapi`, the same routes as a document; `oauth`, tokens for HR systems, whose secrets `source_secret` verifies; `scim`, another
//! way in for them; `pages` and `identity_page`, what a browser shows; `serve`, the connections.

mod auth;
mod conditions;
mod config;
mod download;
mod html;
mod identity_page;
mod message;
mod oauth;
mod openapi;
mod pages;
mod problem;
mod routes;
mod scim;
mod serve;
mod source_secret;
mod transcode;
mod upstream;

use std::sync::Arc;

use axum::{
    Router,
    extract::MatchedPath,
    http::{HeaderName, HeaderValue, Uri, header},
    middleware,
    response::Response,
};
use identity::Keys;
use telemetry::ServerLayer;
use tower_http::catch_panic::CatchPanicLayer;

pub use self::{
    config::{Config, Services},
    openapi::openapi,
    routes::RouteError,
    serve::serve,
};
use self::{problem::Problem, source_secret::SourceSecrets, upstream::Upstreams};

/// Why the gateway cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The identity page would be open to the network.
    #[error(
        "the built-in identity page lets anyone be anyone, so it needs a loopback address, and {0} is none: \
         set UPDRAFT_REST_LISTEN to 127.0.0.1:8080 or UPDRAFT_IDENTITY_PAGE to false"
    )]
    IdentityPageOpen(std::net::SocketAddr),
    /// A proto file has an HTTP annotation that cannot be served.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The `OpenAPI` document cannot be written.
    #[error("the OpenAPI document cannot be written")]
    Document(#[source] serde_json::Error),
    /// A schema of SCIM is none.
    #[error("the schemas of SCIM cannot be read")]
    Schemas(#[source] serde_json::Error),
}

/// What every request needs.
struct Gateway {
    keys: Keys,
    upstreams: Upstreams,
    source_secrets: SourceSecrets,
    identity_page: bool,
    /// Where clients reach the gateway, if it is not where it listens.
    public_url: Option<Uri>,
}

/// Everything the gateway serves; call it inside a runtime, after telemetry was started.
///
/// # Errors
/// [`StartError::IdentityPageOpen`] if the identity page is asked for off loopback, [`StartError::Route`] and
/// [`StartError::Document`] if a proto file is wrong, [`StartError::Schemas`] if a schema is.
pub fn router(config: &Config, services: &Services, keys: Keys) -> Result<Router, StartError> {
    if config.identity_page && !config.listen.ip().is_loopback() {
        return Err(StartError::IdentityPageOpen(config.listen));
    }
    let upstreams = Upstreams::new(services.by_package(), keys.clone());
    let gateway = Arc::new(Gateway {
        keys,
        upstreams,
        source_secrets: SourceSecrets::default(),
        identity_page: config.identity_page,
        public_url: config.public_url.clone(),
    });

    let mut router = Router::new();
    for route in routes::all()? {
        router = transcode::mount(router, &gateway, route);
    }
    let document = openapi()?.to_json().map_err(StartError::Document)?;
    router = router.merge(pages::router(&gateway, document)).merge(oauth::router(&gateway));
    router = router.merge(scim::router(&gateway)?);
    if config.identity_page {
        router = router.merge(identity_page::router(&gateway));
    }
    router = router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed());
    if config.identity_page {
        router = router.layer(middleware::from_fn(auth::loopback_names));
    }
    Ok(router
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a request broke off in a panic");
            axum::response::IntoResponse::into_response(Problem::internal())
        }))
        .layer(middleware::from_fn(problem::finish))
        .layer(middleware::map_response(harden))
        .layer(ServerLayer::http(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))))
}

/// Headers that keep a browser from doing more than it is asked to, unless a page says otherwise.
async fn harden(mut response: Response) -> Response {
    const DEFAULTS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // Two people at one browser see different answers at the same address.
        (header::VARY, "Authorization, Cookie"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in DEFAULTS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
