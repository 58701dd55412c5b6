//! Whose client certificate a call comes with.

use std::sync::Arc;
use std::task::{Context, Poll};

use eventlog::BoxError;
use futures::future::{BoxFuture, Either};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use identity::{Certified, SourceId};
use sha2::{Digest, Sha256};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tower::{Layer, Service};

use crate::unavailable;

/// Tells which source of the directory a certificate speaks for, by the SHA-256 of its DER.
pub(crate) type Owner =
    Box<dyn Fn([u8; 32]) -> BoxFuture<'static, Result<Option<SourceId>, BoxError>> + Send + Sync>;

/// Looks up the client certificate of every call that bears no token, so that a revoked one ends at once.
///
/// # Source
/// RFC 8705 (OAuth 2.0 Mutual-TLS), for the idea and the fingerprint; the certificate itself identifies the caller here.
#[derive(Clone)]
pub(crate) struct CertificateLayer(pub(crate) Arc<[Owner]>);

impl<S> Layer<S> for CertificateLayer {
    type Service = Certificates<S>;

    fn layer(&self, inner: S) -> Certificates<S> {
        Certificates { owners: Arc::clone(&self.0), inner }
    }
}

/// The service that [`CertificateLayer`] wraps around another.
#[derive(Clone)]
pub(crate) struct Certificates<S> {
    owners: Arc<[Owner]>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Certificates<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(sha256) = fingerprint(&request) else { return Either::Left(self.inner.call(request)) };
        // The one that is ready serves this call, its copy the next.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let owners = Arc::clone(&self.owners);
        Either::Right(Box::pin(async move {
            match source(&owners, sha256).await {
                Ok(source) => {
                    request.extensions_mut().insert(Certified(source));
                    inner.call(request).await
                }
                Err(error) => Ok(unavailable(error).into_http()),
            }
        }))
    }
}

/// The fingerprint of the client's certificate, unless the call says by a token who calls.
fn fingerprint<B>(request: &Request<B>) -> Option<[u8; 32]> {
    if request.headers().contains_key(AUTHORIZATION) {
        return None;
    }
    let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>()?;
    let certificates = connection.peer_certs()?;
    Some(Sha256::digest(certificates.first()?).into())
}

async fn source(owners: &[Owner], sha256: [u8; 32]) -> Result<Option<SourceId>, BoxError> {
    for owner in owners {
        if let Some(source) = owner(sha256).await? {
            return Ok(Some(source));
        }
    }
    Ok(None)
}
