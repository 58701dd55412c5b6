//! The signals that ask a process to end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end: Ctrl-C, or a service manager's TERM.
pub async fn asked_to_end() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
