//! Commands on many streams in a handful of round trips.

use std::collections::{BTreeSet, HashMap};
use std::iter::zip;

use uuid::Uuid;

use crate::appender::take_in;
use crate::journal::of;
use crate::stream::{self, Loaded};
use crate::{Aggregate, CommandError, Draft, Outcome, Receipt, Recorded, Unit, Views, append};

/// The answers to commands, in their order.
type Answers<A> = Vec<Result<Receipt, <A as Aggregate>::Rejection>>;

impl<V: Views> Unit<'_, V> {
    /// Carries out commands on many streams: one statement loads them, one appends, and the views take all events in at once.
    ///
    /// Commands on the same stream are decided one after the other. One that is rejected has no effect on the others. Every
    /// stream is held until the commit, which takes a lock of the database for each.
    ///
    /// # Errors
    ///
    /// [`CommandError::Conflict`] or [`CommandError::Failed`], after which the transaction cannot go on.
    pub async fn execute_many<A: Aggregate>(
        &mut self,
        commands: &[(Uuid, A::Command)],
    ) -> Result<Answers<A>, CommandError<A::Rejection>> {
        let ids: BTreeSet<Uuid> = commands.iter().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        stream::lock_many(self.conn, A::KIND, &ids).await?;
        let streams = stream::load_many::<A>(self.conn, &ids).await?;
        self.decide_many::<A>(streams, commands).await
    }

    /// As [`Unit::execute_many`], on streams that nobody else can know, as their ids were made in this transaction: there is
    /// nothing to load. If one has events all the same, it is a conflict.
    ///
    /// # Errors
    ///
    /// As those of [`Unit::execute_many`].
    pub async fn start_many<A: Aggregate>(
        &mut self,
        commands: &[(Uuid, A::Command)],
    ) -> Result<Answers<A>, CommandError<A::Rejection>> {
        self.decide_many::<A>(HashMap::with_capacity(commands.len()), commands).await
    }

    #[tracing::instrument(name = "eventlog.append_many", skip_all, fields(stream.kind = A::KIND, commands = commands.len()))]
    async fn decide_many<A: Aggregate>(
        &mut self,
        mut streams: HashMap<Uuid, Loaded<A::State>>,
        commands: &[(Uuid, A::Command)],
    ) -> Result<Answers<A>, CommandError<A::Rejection>> {
        let mut decided: Vec<(Uuid, Vec<Draft>)> = Vec::new();
        let mut places: HashMap<Uuid, usize> = HashMap::with_capacity(commands.len());
        let mut rejections = Vec::with_capacity(commands.len());
        for (id, command) in commands {
            let loaded = streams.entry(*id).or_default();
            let events = match A::decide(&loaded.state, command) {
                Ok(events) => events,
                Err(rejection) => {
                    rejections.push(Some(rejection));
                    continue;
                }
            };
            rejections.push(None);
            for event in &events {
                let place = *places.entry(*id).or_insert_with(|| {
                    decided.push((*id, Vec::new()));
                    decided.len() - 1
                });
                decided[place].1.push(A::encode(event));
                A::evolve(&mut loaded.state, event);
            }
        }
        let mut receipts: HashMap<Uuid, Receipt> = streams
            .into_iter()
            .map(|(id, loaded)| (id, Receipt { id, version: loaded.version, position: loaded.position }))
            .collect();
        for recorded in self.append_many::<A>(decided, &receipts).await?.chunk_by(|a, b| a.stream == b.stream) {
            let id = recorded[0].stream.id;
            receipts.entry(id).and_modify(|receipt| *receipt = receipt.after(recorded));
        }
        let nothing = |id| Receipt { id, version: 0, position: 0 };
        let answers = zip(commands, rejections).map(|((id, _), rejection)| match rejection {
            Some(rejection) => Err(rejection),
            None => Ok(receipts.get(id).copied().unwrap_or_else(|| nothing(*id))),
        });
        Ok(answers.collect())
    }

    async fn append_many<A: Aggregate>(
        &mut self,
        decided: Vec<(Uuid, Vec<Draft>)>,
        receipts: &HashMap<Uuid, Receipt>,
    ) -> Result<Vec<Recorded>, CommandError<A::Rejection>> {
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        let version = |id: &Uuid| receipts.get(id).map_or(0, |receipt| receipt.version);
        let appends = decided
            .into_iter()
            .map(|(id, drafts)| of::<A>(id, version(&id), drafts, self.actor, self.now))
            .collect();
        let mut recorded = Vec::new();
        for outcome in append::append(self.conn, appends).await.map_err(CommandError::from)? {
            match outcome {
                Outcome::Recorded(events) => recorded.extend(events),
                Outcome::Contended | Outcome::KeyTaken => return Err(CommandError::Conflict),
            }
        }
        take_in(&self.views, self.conn, &recorded).await?;
        Ok(recorded)
    }
}
