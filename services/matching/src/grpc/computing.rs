//! Long computations: off the threads that answer calls, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use assignment::Progress;
use boot::{Gone, unavailable};
use proto::status;
use tonic::{Code, Status};

use super::refusal::COMPUTATION_TOO_LONG;
use crate::Matching;

/// Ends a computation when nobody waits for it any more.
struct EndOnDrop(Arc<Progress>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Matching {
    /// Computes on a thread of its own. The work is told to end when it takes too long, and when the caller goes away.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        gone: &Gone,
        name: &'static str,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        tokio::select! {
            done = bounded(self.computation_time_max, name, work) => done,
            () = gone.gone() => Err(Status::cancelled("nobody waits for the answer")),
        }
    }
}

async fn bounded<T: Send + 'static>(
    at_most: Duration,
    name: &'static str,
    work: impl FnOnce(&Progress) -> T + Send + 'static,
) -> Result<T, Status> {
    let progress = Arc::new(Progress::default());
    let waiting = EndOnDrop(Arc::clone(&progress));
    let span = tracing::info_span!("compute", what = name);
    let working = tokio::task::spawn_blocking(move || span.in_scope(|| work(&progress)));
    let done = tokio::time::timeout(at_most, working).await;
    drop(waiting);
    done.map_or_else(|_| Err(too_long(at_most)), |done| done.map_err(unavailable))
}

fn too_long(at_most: Duration) -> Status {
    let message = format!("the computation was ended after {} s; nothing was recorded", at_most.as_secs());
    status::refusal(Code::DeadlineExceeded, COMPUTATION_TOO_LONG, message)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Work that ends only when it is told to, and says that it has.
    fn endless(ended: oneshot::Sender<()>) -> impl FnOnce(&Progress) + Send + 'static {
        move |progress| {
            while !progress.is_cancelled() {
                std::thread::yield_now();
            }
            let _ = ended.send(());
        }
    }

    #[tokio::test]
    async fn a_computation_that_takes_too_long_is_told_to_end() {
        let (end, ended) = oneshot::channel();
        let refused = bounded(Duration::from_millis(1), "endless", endless(end)).await.unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded);
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_computation_for_which_nobody_waits_is_told_to_end() {
        let (end, ended) = oneshot::channel();
        let mut waiting = Box::pin(bounded(Duration::MAX, "endless", endless(end)));
        assert!(is_pending(waiting.as_mut()).await, "it does not end by itself");
        drop(waiting);
        assert_eq!(ended.await, Ok(()));
    }

    /// Polls once; whether there is no answer yet.
    async fn is_pending(waiting: std::pin::Pin<&mut impl Future<Output = Result<(), Status>>>) -> bool {
        let mut waiting = Some(waiting);
        std::future::poll_fn(|context| {
            let pending = waiting.take().is_some_and(|waiting| waiting.poll(context).is_pending());
            std::task::Poll::Ready(pending)
        })
        .await
    }
}
