//! Calls that are carried out to their end, whatever becomes of the caller.
//!
//! A server drops the work on a call when the client cancels it, its deadline passes, or its connection breaks. Dropped in the
//! midst of a statement, a database connection is not always what its pool takes it for: one whose BEGIN was cut off goes on in
//! that transaction, and one in the midst of a COPY reads the answers of others (sqlx 0.9.0; its issue 4393 is about the former).
//! The next caller's acknowledged write would be lost, or its answer be somebody else's. So work runs in tasks of its own, and who
//! computes for long looks at [`Gone`] where it can stop.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;

/// Tells that nobody waits for the answer of a call any more: the caller has gone away, or the answer has begun. Of a call whose
/// answer is a stream, that is so from its head on, while the stream itself is still read.
#[derive(Clone, Debug, Default)]
pub struct Gone(CancellationToken);

impl Gone {
    /// Waits until nobody waits for the answer any more.
    pub async fn gone(&self) {
        self.0.cancelled().await;
    }
}

/// Carries work out in a task of its own, which goes on when whoever waits for it is dropped.
///
/// # Errors
/// `INTERNAL` if it panics, which is logged where it does.
pub async fn entirely<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Status> {
    tokio::spawn(work.in_current_span()).await.map_err(|error: JoinError| {
        tracing::error!(panicked = error.is_panic(), "a call was not carried out to its end");
        proto::status::refusal(Code::Internal, "INTERNAL", "something went wrong, and was written to the log")
    })
}

/// Wraps every call of a server in [`entirely`], with [`Gone`] among the extensions of its request.
///
/// The body of a streamed answer is still the server's, and dropped with the connection: what writes there uses [`entirely`] itself.
#[derive(Clone, Copy)]
pub(crate) struct EntireLayer;

impl<S> Layer<S> for EntireLayer {
    type Service = Entire<S>;

    fn layer(&self, inner: S) -> Entire<S> {
        Entire(inner)
    }
}

/// The service that [`EntireLayer`] wraps around another.
#[derive(Clone)]
pub(crate) struct Entire<S>(S);

impl<S, B, R> Service<Request<B>> for Entire<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let gone = Gone::default();
        request.extensions_mut().insert(gone.clone());
        let (waiting, work) = (gone.0.drop_guard(), self.0.call(request));
        Box::pin(async move {
            let _waiting = waiting;
            entirely(work).await.unwrap_or_else(|status| Ok(status.into_http()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use tokio::sync::mpsc;
    use tower::service_fn;

    use super::*;

    type Answer = Result<Response<()>, Infallible>;

    /// Calls a service behind the layer.
    async fn call<W: Future<Output = Answer> + Send + 'static>(work: impl Fn(Gone) -> W) -> Answer {
        let mut service = EntireLayer.layer(service_fn(|request: Request<()>| {
            work(request.extensions().get::<Gone>().cloned().expect("every call has one"))
        }));
        service.call(Request::new(())).await
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_is_told_so_and_goes_on() {
        let (sender, mut steps) = mpsc::unbounded_channel();
        let calling = call(|gone| {
            let sender = sender.clone();
            async move {
                sender.send("begun").unwrap();
                gone.gone().await;
                tokio::task::yield_now().await;
                sender.send("ended").unwrap();
                Ok(Response::new(()))
            }
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), calling).await.is_err(), "it waits");
        assert_eq!((steps.recv().await, steps.recv().await), (Some("begun"), Some("ended")));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let answer = call(|_| async { panic!("of a test") }).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "13");
    }
}
