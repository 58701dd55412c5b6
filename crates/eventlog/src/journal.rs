//! A command, from the load of its stream to the commit of its events and views.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Postgres};
use uuid::Uuid;

use crate::appender::take_in;
use crate::instruments::Instruments;
use crate::stream::{self, Loaded};
use crate::turns::Turns;
use crate::{
    Aggregate, Append, Appender, BeginError, CommandError, Context, Draft, Error, Idempotency, Meta, Outcome,
    Receipt, StreamId, Views, Wake, append, idempotency, snapshot,
};

/// How often a command is decided anew when it loses a race against others.
const ATTEMPTS: u32 = 3;

/// Where a service records what happens, together with its views.
#[derive(Clone, Debug)]
pub struct Journal<V> {
    pool: PgPool,
    wake: Wake,
    views: V,
    appender: Appender,
    turns: Turns,
}

impl<V: Views> Journal<V> {
    /// A journal that writes through the service's own pool and wakes the feed's followers.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn new(pool: PgPool, wake: Wake, views: V) -> Self {
        let appender = Appender::start(&pool, &wake, &views);
        Self { pool, wake, views, appender, turns: Turns::default() }
    }

    /// Loads the state and the version of a stream as they are now.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the query fails, [`Error::Corrupt`] if an event cannot be read.
    pub async fn load<A: Aggregate>(&self, id: Uuid) -> Result<(A::State, i64), Error> {
        let loaded = self.fetch::<A>(id, None).await?;
        Ok((loaded.state, loaded.version))
    }

    /// Loads a stream, and keeps a snapshot of it if it is long.
    async fn fetch<A: Aggregate>(
        &self,
        id: Uuid,
        key: Option<&Idempotency>,
    ) -> Result<Loaded<A::State>, Error> {
        let mut conn = self.pool.acquire().await?;
        let loaded = stream::load::<A>(&mut conn, id, key).await?;
        drop(conn);
        snapshot::keep::<A>(&self.pool, id, &loaded);
        Ok(loaded)
    }

    /// Carries out a command on one stream.
    ///
    /// It takes two round trips: the load, and the append, whose commit it shares with other commands. Commands of this
    /// process on the same stream wait for each other; if somebody else changes the stream meanwhile, the command is
    /// decided anew in a transaction that holds it.
    ///
    /// # Errors
    ///
    /// Every variant of [`CommandError`]; [`CommandError::Conflict`] after three lost races.
    pub async fn execute<A: Aggregate>(
        &self,
        context: &Context,
        id: Uuid,
        command: A::Command,
    ) -> Result<Receipt, CommandError<A::Rejection>> {
        let _turn = self.turns.wait(A::KIND, id).await;
        if let Some(answer) = settled(self.at_once::<A>(context, id, &command).await) {
            return answer;
        }
        for _ in 1..ATTEMPTS {
            if let Some(answer) = settled(self.holding::<A>(context, id, &command).await) {
                return answer;
            }
        }
        self.holding::<A>(context, id, &command).await
    }

    /// Loads and appends, without a transaction around both.
    async fn at_once<A: Aggregate>(
        &self,
        context: &Context,
        id: Uuid,
        command: &A::Command,
    ) -> Result<Receipt, CommandError<A::Rejection>> {
        let loaded = self.fetch::<A>(id, context.idempotency.as_ref()).await?;
        if let (Some(kept), Some(repeated)) = (&loaded.kept, &context.idempotency) {
            return Ok(kept.answer(repeated)?);
        }
        let drafts = decide::<A>(&loaded, context.expected_version, command)?;
        let receipt = Receipt { id, version: loaded.version, position: loaded.position };
        if drafts.is_empty() && context.idempotency.is_none() {
            return Ok(receipt);
        }
        let append = Append {
            idempotency: context.idempotency.clone(),
            ..of::<A>(id, loaded.version, drafts, context.actor, context.now)
        };
        match self.appender.append(append).await? {
            Outcome::Recorded(events) => Ok(receipt.after(&events)),
            Outcome::Contended | Outcome::KeyTaken => Err(CommandError::Conflict),
        }
    }

    /// Holds the stream from the load to the commit, so that nobody can come in between.
    async fn holding<A: Aggregate>(
        &self,
        context: &Context,
        id: Uuid,
        command: &A::Command,
    ) -> Result<Receipt, CommandError<A::Rejection>> {
        match self.begin(context).await? {
            Begun::Replayed(receipt) => Ok(receipt),
            Begun::Work(mut transaction) => match transaction.unit().carry_out::<A>(id, command).await {
                Ok(receipt) => Ok(transaction.commit(receipt).await?),
                Err(error) => {
                    transaction.rollback().await;
                    Err(error)
                }
            },
        }
    }

    /// Begins the work on several streams in one transaction.
    ///
    /// Each stream is locked when it is first touched: transactions that touch the same ones should do so in the same
    /// order, or Postgres ends one of two that wait for each other, as a [`CommandError::Conflict`].
    ///
    /// # Errors
    ///
    /// [`BeginError::KeyReused`] and [`BeginError::KeyInUse`] if the idempotency key cannot be had,
    /// [`BeginError::Failed`] if the database does not answer.
    pub async fn begin(&self, context: &Context) -> Result<Begun<V>, BeginError> {
        let mut sql = self.pool.begin().await?;
        if let Some(idempotency) = &context.idempotency
            && let Some(receipt) = idempotency::claim(&mut sql, idempotency).await?
        {
            sql.rollback().await?;
            return Ok(Begun::Replayed(receipt));
        }
        Ok(Begun::Work(Transaction { sql, journal: self.clone(), context: context.clone() }))
    }

    /// Commands inside a follower's transaction: they are committed together with its checkpoint.
    ///
    /// That makes them happen once, so an idempotency key has no use here and is ignored; so is an expected version,
    /// which only a caller from outside can have seen. The feed wakes the followers when it has committed.
    pub fn unit<'c>(&self, conn: &'c mut PgConnection, context: &Context) -> Unit<'c, V> {
        let instruments = Arc::clone(&self.appender.instruments);
        Unit {
            conn,
            views: self.views.clone(),
            instruments,
            now: context.now,
            actor: context.actor,
            expected: None,
        }
    }
}

/// What beginning a transaction led to.
#[derive(Debug)]
pub enum Begun<V> {
    /// The command was carried out before; this was the answer.
    Replayed(Receipt),
    /// The command is new.
    Work(Transaction<V>),
}

/// A transaction over several streams; dropped without a commit it leaves nothing behind.
///
/// A dropped one gives its locks and its idempotency key back only a moment later: see [`Transaction::rollback`].
#[derive(Debug)]
pub struct Transaction<V> {
    sql: sqlx::Transaction<'static, Postgres>,
    journal: Journal<V>,
    context: Context,
}

impl<V: Views> Transaction<V> {
    /// Commands inside this transaction; an expected version is that of the first command's stream.
    pub fn unit(&mut self) -> Unit<'_, V> {
        Unit {
            conn: &mut self.sql,
            views: self.journal.views.clone(),
            instruments: Arc::clone(&self.journal.appender.instruments),
            now: self.context.now,
            actor: self.context.actor,
            expected: Some(&mut self.context.expected_version),
        }
    }

    /// Commits what was done and stores the receipt under the idempotency key.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the commit fails. If the connection was lost, it may have succeeded all the same.
    pub async fn commit(mut self, receipt: Receipt) -> Result<Receipt, Error> {
        if let Some(idempotency) = &self.context.idempotency {
            idempotency::store(&mut self.sql, idempotency, &receipt).await?;
        }
        self.sql.commit().await?;
        self.journal.wake.signal();
        Ok(receipt)
    }

    /// Gives up what was done, and the locks and the idempotency key at once.
    pub async fn rollback(self) {
        if let Err(error) = self.sql.rollback().await {
            // The database ends the transaction itself when it loses the connection.
            tracing::debug!(%error, "a transaction was not rolled back in time");
        }
    }
}

/// Commands on a connection whose transaction somebody else commits.
#[derive(Debug)]
pub struct Unit<'c, V> {
    pub(crate) conn: &'c mut PgConnection,
    pub(crate) views: V,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) now: Timestamp,
    pub(crate) actor: Option<Uuid>,
    expected: Option<&'c mut Option<i64>>,
}

impl<V: Views> Unit<'_, V> {
    /// Loads the state and the version of a stream, and keeps others from changing it until the commit.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if a statement fails, [`Error::Corrupt`] if an event cannot be read.
    pub async fn load<A: Aggregate>(&mut self, id: Uuid) -> Result<(A::State, i64), Error> {
        stream::lock(self.conn, A::KIND, id).await?;
        let Loaded { state, version, .. } = stream::load::<A>(self.conn, id, None).await?;
        Ok((state, version))
    }

    /// Carries out a command on one stream.
    ///
    /// After a [`CommandError::Rejected`] or [`CommandError::Stale`] the transaction can go on, after the others not.
    ///
    /// # Errors
    ///
    /// [`CommandError::Rejected`], [`CommandError::Stale`], [`CommandError::Conflict`] or [`CommandError::Failed`].
    pub async fn execute<A: Aggregate>(
        &mut self,
        id: Uuid,
        command: A::Command,
    ) -> Result<Receipt, CommandError<A::Rejection>> {
        self.carry_out::<A>(id, &command).await
    }

    /// The connection, for what the service stores beside its events.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.conn
    }

    async fn carry_out<A: Aggregate>(
        &mut self,
        id: Uuid,
        command: &A::Command,
    ) -> Result<Receipt, CommandError<A::Rejection>> {
        stream::lock(self.conn, A::KIND, id).await?;
        let loaded = stream::load::<A>(self.conn, id, None).await?;
        let expected = self.expected.as_deref_mut().and_then(Option::take);
        let drafts = decide::<A>(&loaded, expected, command)?;
        let receipt = Receipt { id, version: loaded.version, position: loaded.position };
        if drafts.is_empty() {
            return Ok(receipt);
        }
        let append = of::<A>(id, loaded.version, drafts, self.actor, self.now);
        match self.append(append).await? {
            Outcome::Recorded(events) => Ok(receipt.after(&events)),
            Outcome::Contended | Outcome::KeyTaken => Err(CommandError::Conflict),
        }
    }

    /// Appends in this transaction, as the [`Appender`] does in one of its own.
    #[tracing::instrument(name = "eventlog.append", skip_all, fields(stream.kind = append.stream.kind, events = append.drafts.len()))]
    async fn append(&mut self, append: Append) -> Result<Outcome, Error> {
        let outcome = self.append_and_view(append).await;
        self.instruments.appended(&outcome);
        outcome
    }

    async fn append_and_view(&mut self, append: Append) -> Result<Outcome, Error> {
        let outcome = append::append(self.conn, vec![append]).await?.pop().unwrap_or(Outcome::Contended);
        take_in(&self.views, self.conn, outcome.recorded()).await?;
        Ok(outcome)
    }
}

/// What a command says to a loaded stream.
fn decide<A: Aggregate>(
    loaded: &Loaded<A::State>,
    expected: Option<i64>,
    command: &A::Command,
) -> Result<Vec<Draft>, CommandError<A::Rejection>> {
    if let Some(expected) = expected
        && expected != loaded.version
    {
        return Err(CommandError::Stale { expected, actual: loaded.version });
    }
    let events = A::decide(&loaded.state, command).map_err(CommandError::Rejected)?;
    Ok(events.iter().map(A::encode).collect())
}

pub(crate) fn of<A: Aggregate>(
    id: Uuid,
    version: i64,
    drafts: Vec<Draft>,
    actor: Option<Uuid>,
    now: Timestamp,
) -> Append {
    Append {
        stream: StreamId { kind: A::KIND.to_owned(), id },
        version,
        drafts,
        meta: Meta { actor, traceparent: telemetry::current_traceparent() },
        now,
        idempotency: None,
    }
}

/// The answer to a command, unless it lost a race and should be decided anew.
fn settled<R: std::error::Error>(
    answer: Result<Receipt, CommandError<R>>,
) -> Option<Result<Receipt, CommandError<R>>> {
    if matches!(answer, Err(CommandError::Conflict)) { None } else { Some(answer) }
}
