//! A source of the directory: a system that feeds it, what it decides, and what it identifies itself with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use identity::{CredentialId, Id, SourceId};
use uuid::Uuid;

/// How many credentials of a source hold at once: the one in use and the one that takes its place.
pub const HOLDING_MAX: usize = 2;

/// The namespace of the streams of sources.
const STREAMS: Uuid = Uuid::from_u128(0x531f_03a9_341e_4a13_8592_efa2_fed9_e709);

/// The stream of a source.
#[must_use]
pub fn stream(source: &SourceId) -> Uuid {
    Id::<Registered>::derived(STREAMS, source.as_str().as_bytes()).uuid()
}

/// The rank of a source that is added.
#[must_use]
pub fn next_rank(register: &[Registered]) -> i32 {
    register.iter().map(|registered| registered.rank).max().unwrap_or_default() + 1
}

/// What a source may decide of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// Personnel number.
    EmployeeNumber,
    /// Given and family name.
    Name,
    /// Name at the identity provider.
    UserName,
    /// Work address.
    Email,
    /// Job title.
    JobTitle,
    /// Department.
    OrgUnit,
    /// Direct superior.
    Manager,
    /// First day with the company.
    HireDate,
    /// Date of birth.
    BirthDate,
    /// Whether the person works, is on leave or has left.
    Employment,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Self; 10] = [
        Self::EmployeeNumber,
        Self::Name,
        Self::UserName,
        Self::Email,
        Self::JobTitle,
        Self::OrgUnit,
        Self::Manager,
        Self::HireDate,
        Self::BirthDate,
        Self::Employment,
    ];

    /// The name under which it is kept.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmployeeNumber => "employee_number",
            Self::Name => "name",
            Self::UserName => "user_name",
            Self::Email => "email",
            Self::JobTitle => "job_title",
            Self::OrgUnit => "org_unit",
            Self::Manager => "manager",
            Self::HireDate => "hire_date",
            Self::BirthDate => "birth_date",
            Self::Employment => "employment",
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What the office sets of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What it decides whoever else reports it.
    pub owns: BTreeSet<Attribute>,
    /// Days between the deactivation of a worker and the last working day.
    pub grace_days: i32,
}

/// A source as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The source.
    pub source: SourceId,
    /// Its place among the sources, from 1.
    pub rank: i32,
    /// What the office has set.
    pub settings: Settings,
}

/// What a source identifies itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A secret.
    Secret,
    /// A client certificate.
    Certificate,
}

impl CredentialKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Secret, Self::Certificate];

    /// The name under which it is kept.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
        }
    }
}

/// What may be asked. The register holds every source there is, as nobody changes it meanwhile.
#[derive(Clone, Debug)]
pub enum Command {
    /// Add a source.
    Add {
        /// The source.
        source: SourceId,
        /// What it decides.
        settings: Settings,
        /// All sources.
        register: Vec<Registered>,
    },
    /// Change what a source decides.
    Change {
        /// The source.
        source: SourceId,
        /// What it decides from now on.
        settings: Settings,
        /// All sources.
        register: Vec<Registered>,
    },
    /// Let a source identify itself with something more.
    MakeCredential {
        /// The source.
        source: SourceId,
        /// The credential.
        credential: CredentialId,
        /// Its kind.
        kind: CredentialKind,
        /// All sources.
        register: Vec<Registered>,
    },
    /// Let a credential hold no more.
    RevokeCredential {
        /// The source.
        source: SourceId,
        /// The credential.
        credential: CredentialId,
    },
}

/// What can happen to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The source.
    pub source: SourceId,
    /// What happened.
    pub change: Change,
}

/// A change of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It may feed the directory.
    Added {
        /// Its place among the sources.
        rank: i32,
        /// What it decides.
        settings: Settings,
    },
    /// It decides something else.
    Changed(Settings),
    /// It may identify itself with something more.
    CredentialMade {
        /// The credential.
        credential: CredentialId,
        /// Its kind.
        kind: CredentialKind,
    },
    /// A credential holds no more.
    CredentialRevoked(CredentialId),
}

/// The credentials that a source ever had, and whether each holds. The rest stands in the register, which has sources that nobody
/// added: the roster is there from the beginning.
#[derive(Clone, Debug, Default)]
pub struct State(BTreeMap<CredentialId, bool>);

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such source.
    #[error("There is no such source.")]
    Unknown,
    /// There is no such credential.
    #[error("This source has no such credential.")]
    UnknownCredential,
    /// The name is taken.
    #[error("There is a source of this name already.")]
    Exists,
    /// An attribute has an owner.
    #[error("{attribute} is owned by the source {owner}; take it from that source first.")]
    Owned {
        /// The attribute.
        attribute: Attribute,
        /// Who owns it.
        owner: SourceId,
    },
    /// No third credential.
    #[error("Two credentials of this source hold; revoke one of them first.")]
    TwoHold,
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Add { source, settings, register } => {
            if find(register, source).is_some() {
                return Err(Rejection::Exists);
            }
            check_owners(source, settings, register)?;
            let change = Change::Added { rank: next_rank(register), settings: settings.clone() };
            Ok(vec![Event { source: source.clone(), change }])
        }
        Command::Change { source, settings, register } => {
            let registered = find(register, source).ok_or(Rejection::Unknown)?;
            if registered.settings == *settings {
                return Ok(Vec::new());
            }
            check_owners(source, settings, register)?;
            Ok(vec![Event { source: source.clone(), change: Change::Changed(settings.clone()) }])
        }
        Command::MakeCredential { source, credential, kind, register } => {
            find(register, source).ok_or(Rejection::Unknown)?;
            if state.0.values().filter(|holds| **holds).count() >= HOLDING_MAX {
                return Err(Rejection::TwoHold);
            }
            let change = Change::CredentialMade { credential: *credential, kind: *kind };
            Ok(vec![Event { source: source.clone(), change }])
        }
        Command::RevokeCredential { source, credential } => match state.0.get(credential) {
            None => Err(Rejection::UnknownCredential),
            Some(false) => Ok(Vec::new()),
            Some(true) => {
                Ok(vec![Event { source: source.clone(), change: Change::CredentialRevoked(*credential) }])
            }
        },
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    match &event.change {
        Change::Added { .. } | Change::Changed(_) => {}
        Change::CredentialMade { credential, .. } => drop(state.0.insert(*credential, true)),
        Change::CredentialRevoked(credential) => drop(state.0.insert(*credential, false)),
    }
}

fn find<'a>(register: &'a [Registered], source: &SourceId) -> Option<&'a Registered> {
    register.iter().find(|registered| registered.source == *source)
}

/// Each attribute has at most one owner.
fn check_owners(source: &SourceId, settings: &Settings, register: &[Registered]) -> Result<(), Rejection> {
    let others = register.iter().filter(|other| other.source != *source);
    let taken = others.flat_map(|other| other.settings.owns.iter().map(move |owned| (owned, other)));
    match taken.into_iter().find(|(attribute, _)| settings.owns.contains(attribute)) {
        None => Ok(()),
        Some((attribute, other)) => {
            Err(Rejection::Owned { attribute: *attribute, owner: other.source.clone() })
        }
    }
}

#[cfg(test)]
mod tests;
