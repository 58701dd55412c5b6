//! Long computations: off the threads that answer calls, and not for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use assignment::Progress;
use boot::{Gone, unavailable};
use proto::status;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::{Code, Status};

use super::refusal::{COMPUTATION_TOO_LONG, TOO_MANY_COMPUTATIONS};
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

    /// Computes on a thread of its own, once one is free; only then what it computes from is read. The work is told to end when it takes
    /// too long, and when the caller goes away; a read that goes on by then is dropped, so that it must be single statements, from which
    /// a connection recovers: no transaction, no COPY.
    async fn run<I: Send + 'static, T: Send + 'static>(
        &self,
        gone: impl Future<Output = ()>,
        name: &'static str,
        read: impl Future<Output = Result<I, Status>>,
        work: impl FnOnce(I, &Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let begun = Instant::now();
        let computed = async {
            let thread = timeout(self.time_max, Arc::clone(&self.threads).acquire_owned()).await;
            let thread = thread.map_err(|_| too_many(self.time_max))?.map_err(unavailable)?;
            let computed = async { compute(thread, name, read.await?, work).await };
            let computed = timeout(self.time_max.saturating_sub(begun.elapsed()), computed).await;
            computed.map_err(|_| too_long(self.time_max))?
        };
        tokio::select! {
            done = computed => done,
            () = gone => Err(Status::cancelled("nobody waits for the answer")),
        }
    }
}

async fn compute<I: Send + 'static, T: Send + 'static>(
    thread: OwnedSemaphorePermit,
    name: &'static str,
    input: I,
    work: impl FnOnce(I, &Progress) -> T + Send + 'static,
) -> Result<T, Status> {
    let progress = Arc::new(Progress::default());
    let _waiting = EndOnDrop(Arc::clone(&progress));
    let span = tracing::info_span!("compute", what = name);
    let work = move || {
        // The thread is free when the work has ended, not when nobody waits for it any more.
        let _thread = thread;
        span.in_scope(|| work(input, &progress))
    };
    tokio::task::spawn_blocking(work).await.map_err(unavailable)
}

impl Matching {
    /// Computes on a thread of its own: see [`Computing::run`].
    pub(super) async fn off_thread<I: Send + 'static, T: Send + 'static>(
        &self,
        gone: &Gone,
        name: &'static str,
        read: impl Future<Output = Result<I, Status>>,
        work: impl FnOnce(I, &Progress) -> T + Send + 'static,
    ) -> Result<T, Status> {
        self.computing.run(gone.gone(), name, read, work).await
    }
}

fn too_long(at_most: Duration) -> Status {
    let message = format!("the computation was ended after {} s; nothing was recorded", at_most.as_secs());
    status::refusal(Code::DeadlineExceeded, COMPUTATION_TOO_LONG, message)
}

fn too_many(at_most: Duration) -> Status {
    let message = format!("other computations took all of {} s; nothing was computed", at_most.as_secs());
    status::refusal(Code::ResourceExhausted, TOO_MANY_COMPUTATIONS, message)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;

    use super::*;

    /// Work that ends only when it is told to, and says that it has.
    fn endless(ended: oneshot::Sender<()>) -> impl FnOnce((), &Progress) + Send + 'static {
        move |(), progress| {
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
        let refused = computing.run(pending(), "endless", ready(Ok(())), endless(end)).await.unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded);
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_computation_for_which_nobody_waits_is_told_to_end() {
        let (end, ended) = oneshot::channel();
        let computing = computing(Duration::MAX);
        let mut waiting = Box::pin(computing.run(pending(), "endless", ready(Ok(())), endless(end)));
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
        let work = move |(), progress: &Progress| {
            let _ = begin.send(());
            endless(end)((), progress);
        };
        let mut first = Box::pin(patient.run(pending(), "endless", ready(Ok(())), work));
        assert!(is_pending(first.as_mut()).await);
        assert_eq!(has_begun.await, Ok(()));

        let short = |(), _: &Progress| ();
        let unread = async { unreachable!("it is not its turn") };
        let second = hasty.run(pending(), "second", unread, short).await.unwrap_err();
        assert_eq!(second.code(), Code::ResourceExhausted);
        assert_eq!(
            patient.run(ready(()), "third", ready(Ok(())), short).await.unwrap_err().code(),
            Code::Cancelled
        );
        let mut next = Box::pin(patient.run(pending(), "next", ready(Ok(())), short));
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
