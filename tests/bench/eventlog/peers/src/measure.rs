//! What is measured: a rate, or what a race has lost.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::events::Place;

/// How long a reader that misses events may go without finding another one.
const PATIENCE: Duration = Duration::from_secs(3);

/// The place of one event.
pub(crate) type Seen = (String, u64);

/// The rate of so many events since then.
pub(crate) fn rate(events: u64, begun: Instant) -> Value {
    json!({ "events": events, "seconds": begun.elapsed().as_secs_f64() })
}

/// Appends with as many clients for as long, each to streams of its own, and answers with how many there were.
pub(crate) async fn append<F: Future<Output = anyhow::Result<()>> + Send>(
    clients: u32,
    seconds: u64,
    operation: impl Fn(Place) -> F + Clone + Send + 'static,
) -> anyhow::Result<u64> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let operation = operation.clone();
        running.spawn(async move {
            let (mut place, mut events) = (Place::default(), 0);
            while Instant::now() < until {
                place.advance();
                operation(Place { ..place }).await?;
                events += 1;
            }
            anyhow::Ok(events)
        });
    }
    let mut total = 0;
    while let Some(events) = running.join_next().await {
        total += events??;
    }
    Ok(total)
}

/// When a reader in a race is done: all is written, and it has seen as much or finds nothing more.
pub(crate) struct Finish {
    written: Option<usize>,
    found: Instant,
}

impl Finish {
    pub(crate) fn new() -> Self {
        Self { written: None, found: Instant::now() }
    }

    /// Takes in that the writers have ended.
    pub(crate) fn written(&mut self, events: usize) {
        self.written = Some(events);
        self.found = Instant::now();
    }

    pub(crate) fn found(&mut self) {
        self.found = Instant::now();
    }

    pub(crate) fn is_written(&self) -> bool {
        self.written.is_some()
    }

    pub(crate) fn is_reached(&self, seen: usize) -> bool {
        self.written.is_some_and(|written| seen >= written || self.found.elapsed() > PATIENCE)
    }
}

/// Compares what a reader saw, in its order, with what is stored in the end.
pub(crate) fn race(seen: &[Seen], stored: &HashSet<Seen>) -> Value {
    let mut once = HashSet::new();
    let mut latest: HashMap<&str, u64> = HashMap::new();
    let (mut duplicated, mut disordered) = (0, 0);
    for event in seen {
        if !once.insert(event) {
            duplicated += 1;
            continue;
        }
        let before = latest.insert(&event.0, event.1).unwrap_or(0);
        disordered += u64::from(event.1 < before);
    }
    let lost = stored.iter().filter(|event| !once.contains(event)).count();
    json!({ "written": stored.len(), "lost": lost, "duplicated": duplicated, "disordered": disordered })
}
