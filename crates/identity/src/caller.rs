use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{PersonId, SourceId};

/// A hat somebody wears; the policies grant rights to roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A mentor or a mentee, or somebody who may become one.
    Participant,
    /// An executive's assistant, who books and moves meetings and sees no content.
    Delegate,
    /// The programme office, which runs the edition.
    Office,
    /// The board member in whose name executives are obliged.
    Sponsor,
    /// The employees' representation.
    WorksCouncil,
    /// Reads rules and the catalogue.
    Auditor,
    /// The HR system that feeds the directory.
    Hris,
    /// Whoever operates the installation.
    Ops,
    /// One of the system's own services.
    Service,
}

impl Role {
    /// Every role, in the order of the works council's table.
    pub const ALL: [Self; 9] = [
        Self::Participant,
        Self::Delegate,
        Self::Office,
        Self::Sponsor,
        Self::WorksCouncil,
        Self::Auditor,
        Self::Hris,
        Self::Ops,
        Self::Service,
    ];

    /// The role's name in tokens and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Delegate => "delegate",
            Self::Office => "office",
            Self::Sponsor => "sponsor",
            Self::WorksCouncil => "works_council",
            Self::Auditor => "auditor",
            Self::Hris => "hris",
            Self::Ops => "ops",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whoever makes a call, as a verified token says.
///
/// Systems (the HRIS, our own services) have no person. A delegate has both: the person they are and
/// the executive for whom they act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person behind the call; none for a system.
    pub person: Option<PersonId>,
    /// The hats the caller wears; any one that permits is enough.
    pub roles: BTreeSet<Role>,
    /// The executive for whom a delegate acts.
    pub delegate_for: Option<PersonId>,
    /// The source of the directory for which an HR system speaks.
    pub source: Option<SourceId>,
}

impl Caller {
    /// A person who wears these hats.
    #[must_use]
    pub fn of(person: PersonId, roles: impl IntoIterator<Item = Role>) -> Self {
        let roles = roles.into_iter().collect();
        Self { person: Some(person), roles, delegate_for: None, source: None }
    }

    /// An assistant who acts for an executive.
    #[must_use]
    pub fn delegate(person: PersonId, executive: PersonId) -> Self {
        Self { delegate_for: Some(executive), ..Self::of(person, [Role::Delegate]) }
    }

    /// A system, which is no person.
    #[must_use]
    pub fn system(role: Role) -> Self {
        Self { person: None, roles: BTreeSet::from([role]), delegate_for: None, source: None }
    }

    /// The HR system that feeds a source of the directory.
    #[must_use]
    pub fn hris(source: SourceId) -> Self {
        Self { source: Some(source), ..Self::system(Role::Hris) }
    }

    /// Who calls, in one word: the person, or what a system is and for which source it speaks.
    #[must_use]
    pub fn subject(&self) -> String {
        if let Some(person) = self.person {
            return person.to_string();
        }
        let roles = self.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join("+");
        match &self.source {
            Some(source) => format!("{roles}:{source}"),
            None => roles,
        }
    }

    /// Tells whether the caller wears this hat.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_name_everywhere() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(role.to_string(), role.name());
        }
    }

    #[test]
    fn no_two_callers_have_the_same_subject() {
        let person = PersonId::mint();
        let subjects = [
            Caller::of(person, [Role::Office]),
            Caller::system(Role::Hris),
            Caller::hris("payroll".parse().unwrap()),
            Caller::hris("roster".parse().unwrap()),
        ]
        .map(|caller| caller.subject());
        assert_eq!(subjects, [person.to_string().as_str(), "hris", "hris:payroll", "hris:roster"]);
    }
}
