//! Taking turns: commands of one process on the same stream wait here, where it costs no connection.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// How many streams can be told apart; two that fall together wait for each other without need.
const DOORS: usize = 1024;

/// The doors before the streams, shared by the clones of a journal.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<[Mutex<()>]>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..DOORS).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Waits until it is one's turn with a stream; the turn ends with the guard.
    pub(crate) async fn wait(&self, kind: &str, id: Uuid) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((kind, id));
        let door = usize::try_from(hash % DOORS as u64).unwrap_or_default();
        self.0[door].lock().await
    }
}
