//! Long computations: off the threads that answer calls, and not for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use boot::unavailable;
use proto::status;
use tonic::{Code, Status};

use super::refusal::COMPUTATION_TOO_LONG;
use crate::Matching;

/// Ends a computation when nobody waits for it any more.
struct EndOnDrop(Arc<AtomicBool>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Matching {
    /// Computes on a thread of its own. The work is told to end when it takes too long, and when the caller goes away.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let waiting = EndOnDrop(Arc::clone(&cancelled));
        let span = tracing::info_span!("compute", what = name);
        let working = tokio::task::spawn_blocking(move || span.in_scope(|| work(&cancelled)));
        let done = tokio::time::timeout(self.computation_time_max, working).await;
        drop(waiting);
        match done {
            Ok(done) => done.map_err(unavailable),
            Err(_) => {
                let seconds = self.computation_time_max.as_secs();
                let message =
                    format!("the computation was ended after {seconds} seconds; nothing was recorded");
                Err(status::refusal(Code::DeadlineExceeded, COMPUTATION_TOO_LONG, message))
            }
        }
    }
}
