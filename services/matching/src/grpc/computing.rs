//! Long computations: off the threads that answer calls, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use assignment::Progress;
use boot::{Gone, unavailable};
use proto::status;
use tokio::sync::Semaphore;
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

/// The threads for long computations: so many at a time that answering calls never waits for them.
#[derive(Clone, Debug)]
pub(crate) struct Computing {
    /// The longest computation, the wait for a thread included.
    time_max: Duration,
    threads: Arc<Semaphore>,
}

impl Computing {
    pub(crate) fn new(time_max: Duration, at_once: usize) -> Self {
        Self { time_max, threads: Arc::new(Semaphore::new(at_once)) }
    }

    /// Computes on a thread of its own, once one is free. The work is told to end when it takes too long, and when the caller goes away.
    async fn run<T: Send + 'static>(
        &self,
        gone: impl Future<Output = ()>,
        name: &'static str,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let computed = tokio::time::timeout(self.time_max, self.compute(name, work));
        tokio::select! {
            done = computed => done.map_err(|_| too_long(self.time_max))?,
            () = gone => Err(Status::cancelled("nobody waits for the answer")),
        }
    }

    async fn compute<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(unavailable)?;
        let progress = Arc::new(Progress::default());
        let _waiting = EndOnDrop(Arc::clone(&progress));
        let span = tracing::info_span!("compute", what = name);
        let work = move || {
            // The thread is free when the work has ended, not when nobody waits for it any more.
            let _thread = thread;
            span.in_scope(|| work(&progress))
        };
        tokio::task::spawn_blocking(work).await.map_err(unavailable)
    }
}

impl Matching {
    /// Computes on a thread of its own: see [`Computing::run`].
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        gone: &Gone,
        name: &'static str,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        self.computing.run(gone.gone(), name, work).await
    }
}

fn too_long(at_most: Duration) -> Status {
    let message = format!("the computation was ended after {} s; nothing was recorded", at_most.as_secs());
    status::refusal(Code::DeadlineExceeded, COMPUTATION_TOO_LONG, message)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

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

    fn computing(time_max: Duration) -> Computing {
        Computing::new(time_max, 1)
    }

    #[tokio::test]
    async fn a_computation_that_takes_too_long_is_told_to_end() {
        let (end, ended) = oneshot::channel();
        let computing = computing(Duration::from_millis(1));
        let refused = computing.run(pending(), "endless", endless(end)).await.unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded);
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_computation_for_which_nobody_waits_is_told_to_end() {
        let (end, ended) = oneshot::channel();
        let computing = computing(Duration::MAX);
        let mut waiting = Box::pin(computing.run(pending(), "endless", endless(end)));
        assert!(is_pending(waiting.as_mut()).await, "it does not end by itself");
        drop(waiting);
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_computation_waits_for_a_thread_no_longer_than_it_may_take_or_its_caller_waits() {
        let (end, ended) = oneshot::channel();
        let patient = computing(Duration::MAX);
        let hasty = Computing { time_max: Duration::from_millis(50), ..patient.clone() };
        let (begin, has_begun) = oneshot::channel();
        let work = move |progress: &Progress| {
            let _ = begin.send(());
            endless(end)(progress);
        };
        let mut first = Box::pin(patient.run(pending(), "endless", work));
        assert!(is_pending(first.as_mut()).await);
        assert_eq!(has_begun.await, Ok(()));

        let short = |_: &Progress| ();
        assert_eq!(hasty.run(pending(), "second", short).await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(patient.run(ready(()), "third", short).await.unwrap_err().code(), Code::Cancelled);
        let mut next = Box::pin(patient.run(pending(), "next", short));
        assert!(is_pending(next.as_mut()).await);

        // Its thread is free once it has ended.
        drop(first);
        assert_eq!(ended.await, Ok(()));
        assert!(next.await.is_ok());
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
