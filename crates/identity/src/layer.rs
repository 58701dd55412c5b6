use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures::future::Either;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use proto::status;
use tonic::service::Interceptor;
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::{Audience, Caller, Keys, SourceId, TokenError};

/// Long enough for a call with all its retries, short enough to be worthless when it leaks.
const STATEMENT_TTL_SECONDS: u64 = 60;

/// What anyone may call: the health checks of an orchestrator and the reflection of a developer.
///
/// Reflection shows interfaces, no data, and is only served where it is switched on.
const OPEN: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];

/// What the client certificate of a call says: the source of the directory for which it speaks, if it is known.
///
/// The server that ends TLS puts it into the request's extensions, which no client can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified(pub Option<SourceId>);

/// Lets only verified callers through to the services of a server.
///
/// The [`Caller`] stands in the request's extensions afterwards. It is whom the bearer token names, or
/// without one the source of the client's certificate; otherwise the answer is UNAUTHENTICATED.
#[derive(Debug, Clone)]
pub struct AuthLayer(pub Keys);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { keys: self.0.clone(), inner }
    }
}

/// The service that [`AuthLayer`] wraps around another.
#[derive(Debug, Clone)]
pub struct Auth<S> {
    keys: Keys,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Auth<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if OPEN.iter().any(|prefix| request.uri().path().starts_with(prefix)) {
            return Either::Left(self.inner.call(request));
        }
        match self.caller(&request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                Either::Left(self.inner.call(request))
            }
            Err(refusal) => Either::Right(ready(Ok(Status::from(refusal).into_http()))),
        }
    }
}

impl<S> Auth<S> {
    fn caller<B>(&self, request: &Request<B>) -> Result<Caller, TokenError> {
        match (bearer(request.headers()), request.extensions().get()) {
            (Ok(token), _) => self.keys.verify(token),
            (Err(_), Some(Certified(Some(source)))) => Ok(Caller::hris(source.clone())),
            (Err(_), Some(Certified(None))) => Err(TokenError::UnknownCertificate),
            (Err(missing), None) => Err(missing),
        }
    }
}

/// States who calls in every call that a gRPC client makes.
///
/// Each call carries its own freshly signed statement, so that a client may live as long as it likes.
#[derive(Debug, Clone)]
pub struct Attest {
    keys: Keys,
    caller: Caller,
}

impl Attest {
    /// Calls in the name of this caller.
    #[must_use]
    pub fn new(keys: Keys, caller: Caller) -> Self {
        Self { keys, caller }
    }
}

impl Interceptor for Attest {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        let token = self.keys.issue(&self.caller, Audience::Services, STATEMENT_TTL_SECONDS);
        let token = token.map_err(|error| Status::internal(error.to_string()))?;
        let value = format!("Bearer {token}").parse();
        let value = value.map_err(|_| Status::internal("the token is no header"))?;
        request.metadata_mut().insert(AUTHORIZATION.as_str(), value);
        Ok(request)
    }
}

impl From<TokenError> for Status {
    fn from(error: TokenError) -> Self {
        status::refusal(Code::Unauthenticated, error.reason(), error.to_string())
    }
}

/// The name of the scheme is case-insensitive.
///
/// # Source
///
/// RFC 9110, section 11.1.
fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match value.and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(TokenError::Missing),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic_types::StatusExt;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::{PersonId, Role};

    /// Calls through the layer; a service behind it answers with the caller it sees.
    async fn call(keys: &Keys, path: &str, authorization: Option<&str>) -> Response<Option<Caller>> {
        let echo = service_fn(async |request: Request<()>| {
            Ok::<_, Infallible>(Response::new(request.extensions().get::<Caller>().cloned()))
        });
        let mut request = Request::builder().uri(path);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        AuthLayer(keys.clone()).layer(echo).oneshot(request.body(()).unwrap()).await.unwrap()
    }

    fn reason(response: &Response<Option<Caller>>) -> String {
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Unauthenticated);
        status.get_details_error_info().unwrap().reason
    }

    #[tokio::test]
    async fn a_verified_caller_reaches_the_service() {
        let keys = Keys::generate().unwrap();
        let caller = Caller::of(PersonId::mint(), [Role::Participant]);
        let attested = Attest::new(keys.clone(), caller.clone()).call(tonic::Request::new(())).unwrap();
        let token = attested.metadata().get("authorization").unwrap().to_str().unwrap();
        let response = call(&keys, "/updraft.matching.v1.MatchingService/GetTandem", Some(token)).await;
        assert_eq!(response.into_body(), Some(caller.clone()));
        let lowercase = token.replace("Bearer", "bearer");
        let response = call(&keys, "/updraft.matching.v1.MatchingService/GetTandem", Some(&lowercase)).await;
        assert_eq!(response.into_body(), Some(caller));
    }

    #[tokio::test]
    async fn without_a_valid_token_nobody_reaches_the_service() {
        let keys = Keys::generate().unwrap();
        let service = Caller::system(Role::Service);
        let strange = Keys::generate().unwrap().issue(&service, Audience::Services, 60).unwrap();
        let path = "/updraft.matching.v1.MatchingService/GetTandem";
        for missing in [None, Some("Basic b2ZmaWNlOm9mZmljZQ=="), Some("Bearer")] {
            assert_eq!(reason(&call(&keys, path, missing).await), "TOKEN_MISSING");
        }
        let refused = call(&keys, path, Some(&format!("Bearer {strange}"))).await;
        assert_eq!(reason(&refused), "TOKEN_INVALID");
    }

    #[tokio::test]
    async fn a_certificate_speaks_for_its_source_where_there_is_no_token() {
        let keys = Keys::generate().unwrap();
        let call = async |certified: Certified, token: Option<&str>| {
            let echo = service_fn(async |request: Request<()>| {
                Ok::<_, Infallible>(Response::new(request.extensions().get::<Caller>().cloned()))
            });
            let path = "/updraft.hris.v1.HrisSyncService/CreateSyncRun";
            let mut request = Request::builder().uri(path).extension(certified);
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            AuthLayer(keys.clone()).layer(echo).oneshot(request.body(()).unwrap()).await.unwrap()
        };
        let payroll: SourceId = "payroll".parse().unwrap();
        let known = call(Certified(Some(payroll.clone())), None).await;
        assert_eq!(known.into_body(), Some(Caller::hris(payroll.clone())));
        assert_eq!(reason(&call(Certified(None), None).await), "CERTIFICATE_UNKNOWN");

        let office = Caller::system(Role::Office);
        let token = keys.issue(&office, Audience::Updraft, 60).unwrap();
        let both = call(Certified(Some(payroll.clone())), Some(&token)).await;
        assert_eq!(both.into_body(), Some(office));
        assert_eq!(reason(&call(Certified(Some(payroll)), Some("no token")).await), "TOKEN_INVALID");
    }

    #[tokio::test]
    async fn health_and_reflection_are_open_and_know_no_caller() {
        let keys = Keys::generate().unwrap();
        let open =
            ["/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"];
        for path in open {
            let response = call(&keys, path, None).await;
            assert!(response.headers().is_empty());
            assert_eq!(response.into_body(), None);
        }
    }
}
