use std::collections::BTreeSet;

use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use identity::SourceId;
use proto::enrollment as stored;
use proto::hris as wire;

use super::Fields;
use crate::domain::source::{
    self, Attribute, Change, Command, CredentialKind, Event, Rejection, Settings, State,
};

/// The streams of sources.
#[derive(Debug)]
pub enum Source {}

impl Aggregate for Source {
    const KIND: &'static str = "source";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        source::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        source::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let source_id = event.source.to_string();
        match &event.change {
            Change::Added { rank, settings } => Draft::of(&stored::SourceAdded {
                source_id,
                rank: *rank,
                owns: owns_to_proto(settings),
                grace_days: settings.grace_days,
            }),
            Change::Changed(settings) => Draft::of(&stored::SourceChanged {
                source_id,
                owns: owns_to_proto(settings),
                grace_days: settings.grace_days,
            }),
            Change::CredentialMade { credential, kind } => Draft::of(&stored::SourceCredentialMade {
                source_id,
                credential_id: credential.to_string(),
                kind: credential_kind_to_proto(*kind).into(),
            }),
            Change::CredentialRevoked(credential) => Draft::of(&stored::SourceCredentialRevoked {
                source_id,
                credential_id: credential.to_string(),
            }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let (source_id, change) = if event.is::<stored::SourceAdded>() {
            let it: stored::SourceAdded = event.read()?;
            let settings = fields.some("owns", settings(&it.owns, it.grace_days))?;
            (it.source_id, Change::Added { rank: it.rank, settings })
        } else if event.is::<stored::SourceChanged>() {
            let it: stored::SourceChanged = event.read()?;
            let settings = fields.some("owns", settings(&it.owns, it.grace_days))?;
            (it.source_id, Change::Changed(settings))
        } else if event.is::<stored::SourceCredentialMade>() {
            let it: stored::SourceCredentialMade = event.read()?;
            let kind = fields.some("kind", credential_kind(it.kind))?;
            let credential = fields.id("credential_id", &it.credential_id)?;
            (it.source_id, Change::CredentialMade { credential, kind })
        } else if event.is::<stored::SourceCredentialRevoked>() {
            let it: stored::SourceCredentialRevoked = event.read()?;
            let credential = fields.id("credential_id", &it.credential_id)?;
            (it.source_id, Change::CredentialRevoked(credential))
        } else {
            return Err(Corrupt::unknown(event));
        };
        let source = fields.some("source_id", source_id.parse::<SourceId>().ok())?;
        Ok(Event { source, change })
    }
}

/// The settings of a source; none if an attribute is not known.
pub(crate) fn settings(owns: &[i32], grace_days: i32) -> Option<Settings> {
    let owns = owns.iter().map(|number| attribute(*number)).collect::<Option<BTreeSet<_>>>()?;
    Some(Settings { owns, grace_days })
}

pub(crate) fn owns_to_proto(settings: &Settings) -> Vec<i32> {
    settings.owns.iter().map(|attribute| attribute_to_proto(*attribute).into()).collect()
}

fn attribute(number: i32) -> Option<Attribute> {
    use wire::Attribute as Wire;
    Some(match Wire::try_from(number).ok()? {
        Wire::Unspecified => return None,
        Wire::EmployeeNumber => Attribute::EmployeeNumber,
        Wire::Name => Attribute::Name,
        Wire::UserName => Attribute::UserName,
        Wire::Email => Attribute::Email,
        Wire::JobTitle => Attribute::JobTitle,
        Wire::OrgUnit => Attribute::OrgUnit,
        Wire::Manager => Attribute::Manager,
        Wire::HireDate => Attribute::HireDate,
        Wire::BirthDate => Attribute::BirthDate,
        Wire::Employment => Attribute::Employment,
    })
}

fn attribute_to_proto(attribute: Attribute) -> wire::Attribute {
    use wire::Attribute as Wire;
    match attribute {
        Attribute::EmployeeNumber => Wire::EmployeeNumber,
        Attribute::Name => Wire::Name,
        Attribute::UserName => Wire::UserName,
        Attribute::Email => Wire::Email,
        Attribute::JobTitle => Wire::JobTitle,
        Attribute::OrgUnit => Wire::OrgUnit,
        Attribute::Manager => Wire::Manager,
        Attribute::HireDate => Wire::HireDate,
        Attribute::BirthDate => Wire::BirthDate,
        Attribute::Employment => Wire::Employment,
    }
}

pub(crate) fn credential_kind(number: i32) -> Option<CredentialKind> {
    use wire::credential::Kind;
    match Kind::try_from(number).ok()? {
        Kind::Unspecified => None,
        Kind::Secret => Some(CredentialKind::Secret),
        Kind::Certificate => Some(CredentialKind::Certificate),
    }
}

pub(crate) fn credential_kind_to_proto(kind: CredentialKind) -> wire::credential::Kind {
    use wire::credential::Kind;
    match kind {
        CredentialKind::Secret => Kind::Secret,
        CredentialKind::Certificate => Kind::Certificate,
    }
}

#[cfg(test)]
mod tests {
    use identity::CredentialId;

    use super::*;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_a_source_comes_back_as_it_was() {
        let everything = Settings { owns: Attribute::ALL.into(), grace_days: 14 };
        let mut changes =
            vec![Change::Added { rank: 2, settings: Settings::default() }, Change::Changed(everything)];
        let made = |kind| Change::CredentialMade { credential: CredentialId::mint(), kind };
        changes.extend(CredentialKind::ALL.map(made));
        changes.push(Change::CredentialRevoked(CredentialId::mint()));
        let source: SourceId = "payroll".parse().unwrap();
        round_trip::<Source>(changes.into_iter().map(|change| Event { source: source.clone(), change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Source, stored::SourceAdded>();
    }
}
