//! The desk of a service: every gRPC call comes in here, and every refusal goes out.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{BoxError, CommandError, Context, Feed, Idempotency, Receipt};
use identity::{Caller, Guard, PersonId, Resource, Scope};
use jiff::Timestamp;
use proto::status::{self, Unmet};
use proto::{Violation, api};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status, Streaming};

use crate::{Clock, Gone};

/// Metadata under which a repeated command gets the first answer.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Metadata with the position of a write that the answer must know of.
pub const UPDRAFT_AFTER: &str = "updraft-after";
/// Longest idempotency key, characters.
const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 255;
/// How long a call waits for its service to catch up.
const CATCH_UP_AT_MOST: Duration = Duration::from_secs(5);

/// What a service checks and adds before it looks at a request.
#[derive(Clone)]
pub struct Desk {
    clock: Clock,
    guard: Arc<Guard>,
    feed: Feed,
    follower: &'static str,
}

impl Desk {
    pub(crate) fn new(clock: Clock, guard: Arc<Guard>, feed: Feed, follower: &'static str) -> Self {
        Self { clock, guard, feed, follower }
    }

    /// The time a command is given at.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes a request in: who calls is known, the rules of its fields hold, and the service has caught up as far as asked.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a verified caller, `INVALID_ARGUMENT` naming each wrong field, `UNAVAILABLE` if the service
    /// does not catch up within five seconds.
    pub async fn receive<M: prost::Message + prost::Name>(
        &self,
        request: Request<M>,
    ) -> Result<Call<M>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let (caller, gone) = (known(&extensions)?, gone(&extensions));
        proto::validate(&message).map_err(status::invalid)?;
        self.passed_as_asked(&metadata).await?;

        let idempotency = match metadata.get(IDEMPOTENCY_KEY).map(tonic::metadata::MetadataValue::to_str) {
            None => None,
            Some(Ok(key)) if (1..=IDEMPOTENCY_KEY_LENGTH_MAX).contains(&key.len()) => Some(Idempotency {
                // Two callers may choose the same key.
                scope: caller.subject(),
                key: key.to_owned(),
                fingerprint: fingerprint(&message),
            }),
            Some(_) => {
                let rule = format!("must have 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters");
                return Err(violation(IDEMPOTENCY_KEY, "KEY", rule));
            }
        };
        Ok(self.call::<M, M>(message, caller, gone, idempotency))
    }

    /// Takes a stream of requests in, as [`Desk::receive`] does with one.
    ///
    /// The rules of fields are not looked at, as one message must not end a stream of many; an idempotency key is not either,
    /// as it is about one command.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a verified caller, `UNAVAILABLE` if the service does not catch up within five seconds.
    pub async fn receive_stream<M: prost::Message + prost::Name>(
        &self,
        request: Request<Streaming<M>>,
    ) -> Result<Call<Streaming<M>>, Status> {
        let (metadata, extensions, stream) = request.into_parts();
        let (caller, gone) = (known(&extensions)?, gone(&extensions));
        self.passed_as_asked(&metadata).await?;
        Ok(self.call::<M, _>(stream, caller, gone, None))
    }

    fn call<M: prost::Name, T>(
        &self,
        message: T,
        caller: Caller,
        gone: Gone,
        idempotency: Option<Idempotency>,
    ) -> Call<T> {
        let action = M::NAME.strip_suffix("Request").unwrap_or(M::NAME);
        let (now, guard) = (self.clock.now(), Arc::clone(&self.guard));
        Call { message, caller, now, gone, action, idempotency, guard }
    }

    /// Waits until the service has taken in an event behind a position, and answers with how far it has come.
    pub async fn beyond(&self, position: i64) -> i64 {
        self.feed.beyond(self.follower, position).await
    }

    /// Waits until the service knows of everything that has been recorded by now.
    ///
    /// # Errors
    /// `UNAVAILABLE` if it does not catch up within five seconds, or the event log is away.
    pub async fn catch_up(&self, pool: &PgPool) -> Result<(), Status> {
        self.passed(eventlog::head(pool).await.map_err(unavailable)?).await
    }

    async fn passed_as_asked(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let Some(after) = metadata.get(UPDRAFT_AFTER) else { return Ok(()) };
        let position = after.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            violation(UPDRAFT_AFTER, "POSITION", "must be the position of a receipt".to_owned())
        })?;
        self.passed(position).await
    }

    async fn passed(&self, position: i64) -> Result<(), Status> {
        self.feed
            .passed(self.follower, position, CATCH_UP_AT_MOST)
            .await
            .map_err(|behind| status::refusal(Code::Unavailable, "NOT_CAUGHT_UP", behind.to_string()))
    }
}

/// A request that was taken in.
pub struct Call<M> {
    /// What is asked; its fields keep their rules.
    pub message: M,
    /// Who asks.
    pub caller: Caller,
    /// When.
    pub now: Timestamp,
    /// Tells when nobody waits for the answer any more; of a streamed answer, from its head on.
    pub gone: Gone,
    /// The name of the RPC, which is that of its request without `Request` and the action of the policies.
    action: &'static str,
    idempotency: Option<Idempotency>,
    guard: Arc<Guard>,
}

impl<M> Call<M> {
    /// Asks the policies whether the caller may call this RPC on that.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`.
    pub fn allow(&self, resource: &Resource) -> Result<(), Status> {
        self.guard.check(&self.caller, self.action, resource).map_err(|denied| forbidden(&denied))
    }

    /// Asks the policies whether the caller could call another RPC, for an answer that depends on it.
    #[must_use]
    pub fn could(&self, action: &'static str, resource: &Resource) -> bool {
        self.guard.check(&self.caller, action, resource).is_ok()
    }

    /// Asks the policies how much of this RPC's list the caller may see.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` if not even the caller's own.
    pub fn scope(&self) -> Result<Scope, Status> {
        self.guard.scope(&self.caller, self.action).map_err(|denied| forbidden(&denied))
    }

    /// The person who calls.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` if the caller is a system.
    pub fn person(&self) -> Result<PersonId, Status> {
        let message = "only a person can do this, and the caller is a system";
        self.caller.person.ok_or_else(|| status::refusal(Code::PermissionDenied, "NOT_A_PERSON", message))
    }

    /// The context of a command.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            now: self.now,
            actor: self.caller.person.map(PersonId::uuid),
            idempotency: self.idempotency.clone(),
            expected_version: None,
        }
    }

    /// The context of a command on the version that an etag names.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if it is no etag of ours.
    pub fn context_at(&self, etag: &str) -> Result<Context, Status> {
        let version = etag.trim_matches('"').parse().map_err(|_| {
            violation("etag", "ETAG", "must be the etag of the resource, as it was read".to_owned())
        })?;
        Ok(Context { expected_version: Some(version), ..self.context() })
    }
}

/// A rejection that knows its place among the codes of gRPC.
pub trait Refusal: std::error::Error {
    /// The code.
    fn code(&self) -> Code;
    /// The machine-readable reason, `UPPER_SNAKE_CASE`.
    fn reason(&self) -> &'static str;
    /// Each thing that is not as the caller took it to be, where the rejection is about such things.
    fn unmet(&self) -> Vec<Unmet> {
        Vec::new()
    }
}

/// The status of a command that was not carried out.
#[must_use]
pub fn refuse<R: Refusal>(error: CommandError<R>) -> Status {
    match error {
        CommandError::Failed(failure) => unavailable(failure),
        CommandError::Rejected(rejection) => {
            let (code, reason, message) = (rejection.code(), rejection.reason(), rejection.to_string());
            match rejection.unmet() {
                unmet if unmet.is_empty() => status::refusal(code, reason, message),
                unmet => status::unmet(code, reason, message, unmet),
            }
        }
        CommandError::Stale { .. } => {
            status::refusal(Code::Aborted, "ETAG_MISMATCH", format!("somebody changed it since: {error}"))
        }
        CommandError::KeyReused => {
            status::refusal(Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED", error.to_string())
        }
        CommandError::KeyInUse => status::refusal(Code::Aborted, "IDEMPOTENCY_KEY_IN_USE", error.to_string()),
        CommandError::Conflict => status::refusal(Code::Aborted, "CONFLICT", error.to_string()),
    }
}

/// `NOT_FOUND` that says what there is none of.
#[must_use]
pub fn not_found(what: &str) -> Status {
    status::refusal(Code::NotFound, "NOT_FOUND", format!("there is no such {what}"))
}

/// The status of a failure that is none of the caller's doing; this is where it is logged, once.
#[must_use]
pub fn unavailable(error: impl Into<BoxError>) -> Status {
    let error: &dyn Error = &*error.into();
    tracing::error!(error, "a call failed");
    status::refusal(Code::Unavailable, "UNAVAILABLE", "the service cannot answer right now")
}

/// A receipt as the interfaces write it.
#[must_use]
pub fn receipt(receipt: &Receipt) -> Option<api::Receipt> {
    Some(api::Receipt {
        id: receipt.id.to_string(),
        etag: receipt.version.to_string(),
        position: receipt.position,
    })
}

fn known(extensions: &Extensions) -> Result<Caller, Status> {
    extensions.get::<Caller>().cloned().ok_or_else(|| {
        status::refusal(Code::Unauthenticated, "UNAUTHENTICATED", "the call carries no verified caller")
    })
}

fn gone(extensions: &Extensions) -> Gone {
    extensions.get().cloned().unwrap_or_default()
}

fn forbidden(denied: &identity::Denied) -> Status {
    status::refusal(Code::PermissionDenied, "PERMISSION_DENIED", denied.to_string())
}

fn violation(field: &str, code: &'static str, message: String) -> Status {
    status::invalid(vec![Violation { field: field.to_owned(), code, message }])
}

fn fingerprint<M: prost::Message + prost::Name>(message: &M) -> Vec<u8> {
    Sha256::new().chain_update(M::full_name()).chain_update(message.encode_to_vec()).finalize().to_vec()
}
