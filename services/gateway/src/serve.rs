//! Connections: accepted, kept from waiting for ever, and closed in good order.

use std::{io, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long answers that were begun may take once the end has come; few calls last longer.
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the listener rests when the system has no place for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` is cancelled, then finishes what was begun, but waits for no client for long.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    // Only HTTP/1: a browser speaks HTTP/2 with TLS alone, which ends before this server.
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT_MAX);
    let connections = GracefulShutdown::new();
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener)).await {
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection(TokioIo::new(accepted?), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_WAIT_MAX, connections.shutdown()).await.is_err() {
        tracing::warn!("some clients were cut off at the end");
    }
    Ok(())
}

/// The next connection.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    use io::ErrorKind as Kind;
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                // Without this an answer of several packets waits for the client's delayed acknowledgement, 40 ms.
                if let Err(error) = connection.set_nodelay(true) {
                    tracing::debug!(error = error.to_string(), "a connection keeps its delay");
                }
                return Ok(connection);
            }
            // The client went away while it waited.
            Err(error) if matches!(error.kind(), Kind::ConnectionAborted | Kind::ConnectionReset) => {}
            // The listener is none any more.
            Err(error) if error.kind() == Kind::InvalidInput => return Err(error),
            // Such as too many open files: what is served goes on, and its end makes room.
            Err(error) => {
                tracing::error!(error = error.to_string(), "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
