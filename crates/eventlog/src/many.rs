//! Commands on many streams in a handful of round trips.

use std::collections::{BTreeSet, HashMap};
use std::iter::zip;

use uuid::Uuid;

use crate::appender::take_in;
use crate::journal::of;
use crate::stream::{self, Loaded};
use crate::{Aggregate, CommandError, Draft, Meta, Outcome, Receipt, Recorded, Unit, Views, append};

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

    /// As [`Unit::execute_many`], on streams that nobody else can know, as their ids were made by this caller: there is nothing
    /// to lock and nothing to load. If one has events all the same, it is a conflict.
    ///
    /// # Errors
    ///
    /// As those of [`Unit::execute_many`].
    #[tracing::instrument(name = "eventlog.start_many", skip_all, fields(stream.kind = A::KIND, commands = commands.len()))]
    pub async fn start_many<A: Aggregate>(
        &mut self,
        commands: &[(Uuid, A::Command)],
    ) -> Result<Answers<A>, CommandError<A::Rejection>> {
        let decided = Decided::of::<A>(&mut HashMap::with_capacity(commands.len()), commands);
        let meta = Meta { actor: self.actor, traceparent: telemetry::current_traceparent() };
        let started = append::start(self.conn, A::KIND, decided.drafts, &meta, self.now).await;
        let recorded = started.inspect_err(|error| self.instruments.failed(error))?;
        self.instruments.recorded(recorded.len());
        take_in(&self.views, self.conn, &recorded).await?;
        Ok(answers::<A>(commands, decided.rejections, HashMap::new(), &recorded))
    }

    #[tracing::instrument(name = "eventlog.append_many", skip_all, fields(stream.kind = A::KIND, commands = commands.len()))]
    async fn decide_many<A: Aggregate>(
        &mut self,
        mut streams: HashMap<Uuid, Loaded<A::State>>,
        commands: &[(Uuid, A::Command)],
    ) -> Result<Answers<A>, CommandError<A::Rejection>> {
        let receipts: HashMap<Uuid, Receipt> = streams
            .iter()
            .map(|(id, loaded)| {
                (*id, Receipt { id: *id, version: loaded.version, position: loaded.position })
            })
            .collect();
        let decided = Decided::of::<A>(&mut streams, commands);
        let recorded = self.append_many::<A>(decided.drafts, &receipts).await?;
        Ok(answers::<A>(commands, decided.rejections, receipts, &recorded))
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
        let appended = append::append(self.conn, appends).await;
        let mut recorded = Vec::new();
        for outcome in appended.inspect_err(|error| self.instruments.failed(error))? {
            match outcome {
                Outcome::Recorded(events) => recorded.extend(events),
                Outcome::Contended | Outcome::KeyTaken => {
                    self.instruments.contended();
                    return Err(CommandError::Conflict);
                }
            }
        }
        self.instruments.recorded(recorded.len());
        take_in(&self.views, self.conn, &recorded).await?;
        Ok(recorded)
    }
}

/// What was decided on commands.
struct Decided<R> {
    /// By stream, in the order in which they were first touched.
    drafts: Vec<(Uuid, Vec<Draft>)>,
    /// By command.
    rejections: Vec<Option<R>>,
}

impl<R> Decided<R> {
    /// Decides commands one after the other; who comes first changes what the next one finds.
    fn of<A: Aggregate<Rejection = R>>(
        streams: &mut HashMap<Uuid, Loaded<A::State>>,
        commands: &[(Uuid, A::Command)],
    ) -> Self {
        let mut drafts: Vec<(Uuid, Vec<Draft>)> = Vec::new();
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
                    drafts.push((*id, Vec::new()));
                    drafts.len() - 1
                });
                drafts[place].1.push(A::encode(event));
                A::evolve(&mut loaded.state, event);
            }
        }
        Self { drafts, rejections }
    }
}

fn answers<A: Aggregate>(
    commands: &[(Uuid, A::Command)],
    rejections: Vec<Option<A::Rejection>>,
    mut receipts: HashMap<Uuid, Receipt>,
    recorded: &[Recorded],
) -> Answers<A> {
    let nothing = |id| Receipt { id, version: 0, position: 0 };
    for events in recorded.chunk_by(|one, next| one.stream == next.stream) {
        let id = events[0].stream.id;
        let receipt = receipts.entry(id).or_insert_with(|| nothing(id));
        *receipt = receipt.after(events);
    }
    zip(commands, rejections)
        .map(|((id, _), rejection)| match rejection {
            Some(rejection) => Err(rejection),
            None => Ok(receipts.get(id).copied().unwrap_or_else(|| nothing(*id))),
        })
        .collect()
}
