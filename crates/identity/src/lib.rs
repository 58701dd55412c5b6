//! Who calls, and what they may do.
//!
//! Reading order: [`Id`] and the ids of the product, [`Caller`] as a service knows it, [`Keys`] that
//! turn a caller into a token and back, [`AuthLayer`] that does so for every call a server receives and
//! [`Attest`] for every call a client makes, and [`Guard`] that answers "may this caller do that?" from
//! the policies under `policies/`, which are written for people who do not write Rust.

mod caller;
mod guard;
mod ids;
mod keys;
mod layer;
pub mod secret_file;
mod source;
mod token;

pub use caller::{Caller, Role};
pub use guard::{Denied, Guard, PolicyError, Resource, Scope};
pub use ids::{
    Action, ActionId, Application, ApplicationId, Credential, CredentialId, Edition, EditionId, FollowUp,
    FollowUpId, Id, MatchRun, MatchRunId, Obligation, ObligationId, Operation, OperationId, OrgUnit,
    OrgUnitId, Person, PersonId, Question, QuestionId, Repair, RepairId, Session, SessionId, SyncRun,
    SyncRunId, Tandem, TandemId,
};
pub use keys::{KeyError, Keys};
pub use layer::{Attest, Auth, AuthLayer, Certified};
pub use source::{NoSourceId, SourceId};
pub use token::{Audience, TokenError};
