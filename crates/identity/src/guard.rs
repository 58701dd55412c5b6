use std::collections::{HashMap, HashSet};
use std::fmt;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

use crate::{Caller, PersonId, SourceId};

const SCHEMA: &str = include_str!("../policies/updraft.cedarschema");
const POLICIES: &[&str] = &[
    include_str!("../policies/everyone.cedar"),
    include_str!("../policies/participant.cedar"),
    include_str!("../policies/delegate.cedar"),
    include_str!("../policies/office.cedar"),
    include_str!("../policies/sponsor.cedar"),
    include_str!("../policies/works_council.cedar"),
    include_str!("../policies/systems.cedar"),
    include_str!("../policies/promises.cedar"),
];

/// What an action touches, as far as the policies need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Whose it is: the applicant, the obliged executive, the mentee of a follow-up.
    pub owner: Option<PersonId>,
    /// Between whom it is: mentor and mentee.
    pub parties: Vec<PersonId>,
    /// Which source of the directory it comes from.
    pub source: Option<SourceId>,
    /// Whether it reaches every record rather than one, as an unfiltered list does.
    pub everything: bool,
}

impl Resource {
    /// All records at once.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// A record that belongs to one person.
    #[must_use]
    pub fn of(owner: PersonId) -> Self {
        Self { owner: Some(owner), ..Self::default() }
    }

    /// A record between these people.
    #[must_use]
    pub fn between(parties: &[PersonId]) -> Self {
        Self { parties: parties.to_vec(), ..Self::default() }
    }

    /// What a source of the directory delivers: a run, a worker.
    #[must_use]
    pub fn of_source(source: SourceId) -> Self {
        Self { source: Some(source), ..Self::default() }
    }

    /// A record that is about nobody, such as an edition's rules or a published report.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }
}

/// How much of a list the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every record.
    All,
    /// The records this person owns or is a party of.
    Own(PersonId),
}

/// The answer to whoever may not do what they asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the caller may not {action} here")]
pub struct Denied {
    /// The action that no policy permits.
    pub action: String,
}

/// Decides from the policies who may do what.
///
/// An action is the name of an RPC. What no policy permits is denied, and so is an action that the
/// schema does not know.
pub struct Guard {
    authorizer: Authorizer,
    policies: PolicySet,
    schema: Schema,
    names: Names,
}

/// The names of the schema's types, parsed once.
struct Names {
    action: EntityTypeName,
    person: EntityTypeName,
    record: EntityTypeName,
    role: EntityTypeName,
}

impl Guard {
    /// Reads the policies that are built into the program and proves them against their schema.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if they do not fit together, which the tests of this crate exclude.
    pub fn new() -> Result<Self, PolicyError> {
        let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(PolicyError::schema)?;
        if let Some(warning) = warnings.into_iter().next() {
            return Err(PolicyError::schema(warning));
        }
        let policies = POLICIES.concat().parse::<PolicySet>().map_err(PolicyError::policies)?;
        let verdict = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !verdict.validation_passed_without_warnings() {
            let found = verdict.validation_errors().map(ToString::to_string);
            let found = found.chain(verdict.validation_warnings().map(ToString::to_string));
            return Err(PolicyError::policies(found.collect::<Vec<_>>().join("; ")));
        }
        Ok(Self { authorizer: Authorizer::new(), policies, schema, names: Names::parse()? })
    }

    /// Permits or denies one action on one resource.
    ///
    /// # Errors
    ///
    /// [`Denied`] unless a policy permits the action.
    pub fn check(&self, caller: &Caller, action: &str, resource: &Resource) -> Result<(), Denied> {
        match self.permits(caller, action, resource) {
            Some(true) => Ok(()),
            Some(false) | None => Err(Denied { action: action.to_owned() }),
        }
    }

    /// Tells how much of a list the caller may see.
    ///
    /// All of it if they may see everything, else their own, else that of the executive for whom they
    /// act. Who is both a participant and a delegate sees their own, and uses a token of the delegate's
    /// role alone to see the executive's.
    ///
    /// # Errors
    ///
    /// [`Denied`] if they may see none of it.
    pub fn scope(&self, caller: &Caller, action: &str) -> Result<Scope, Denied> {
        if self.check(caller, action, &Resource::everything()).is_ok() {
            return Ok(Scope::All);
        }
        [caller.person, caller.delegate_for]
            .into_iter()
            .flatten()
            .find(|person| {
                let own = Resource { parties: vec![*person], ..Resource::of(*person) };
                self.check(caller, action, &own).is_ok()
            })
            .map(Scope::Own)
            .ok_or_else(|| Denied { action: action.to_owned() })
    }

    /// Every action that the schema knows, in alphabetical order.
    #[must_use]
    pub fn actions(&self) -> Vec<&str> {
        let mut actions: Vec<_> = self.schema.actions().map(|action| action.id().unescaped()).collect();
        actions.sort_unstable();
        actions
    }

    /// None stands for a question the policies cannot answer, such as an unknown action.
    fn permits(&self, caller: &Caller, action: &str, resource: &Resource) -> Option<bool> {
        let names = &self.names;
        let principal = names.principal(caller)?;
        let record = names.record(resource)?;
        let action = uid(&names.action, action);
        let request =
            Request::new(principal.uid(), action, record.uid(), Context::empty(), Some(&self.schema)).ok()?;
        let entities = Entities::from_entities([principal, record], None).ok()?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        // A policy that fails is left out by Cedar; were it a prohibition, that would permit too much.
        let sound = response.diagnostics().errors().next().is_none();
        Some(sound && response.decision() == Decision::Allow)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("policies", &self.policies.num_of_policies())
            .finish_non_exhaustive()
    }
}

impl Names {
    fn parse() -> Result<Self, PolicyError> {
        let name = |text: &str| text.parse().map_err(PolicyError::schema);
        Ok(Self {
            action: name("Action")?,
            person: name("Person")?,
            record: name("Record")?,
            role: name("Role")?,
        })
    }

    /// A system is nobody: no record has an owner or a party of that name.
    fn principal(&self, caller: &Caller) -> Option<Entity> {
        let name = caller.person.map_or_else(|| "nobody".to_owned(), |person| person.to_string());
        let roles = caller.roles.iter().map(|role| uid(&self.role, role.name())).collect();
        let acts_for = caller.delegate_for.map(|person| ("delegate_for".to_owned(), self.person(person)));
        let attributes = acts_for.into_iter().chain(source(caller.source.as_ref())).collect();
        Entity::new(uid(&self.person, &name), attributes, roles).ok()
    }

    fn record(&self, resource: &Resource) -> Option<Entity> {
        let people = |ids: &[PersonId]| RestrictedExpression::new_set(ids.iter().map(|id| self.person(*id)));
        let mut attributes = HashMap::from([
            ("owner".to_owned(), people(resource.owner.as_slice())),
            ("parties".to_owned(), people(&resource.parties)),
            ("everything".to_owned(), RestrictedExpression::new_bool(resource.everything)),
        ]);
        attributes.extend(source(resource.source.as_ref()));
        Entity::new(uid(&self.record, "asked for"), attributes, HashSet::new()).ok()
    }

    fn person(&self, id: PersonId) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(uid(&self.person, &id.to_string()))
    }
}

fn source(id: Option<&SourceId>) -> Option<(String, RestrictedExpression)> {
    id.map(|id| ("source".to_owned(), RestrictedExpression::new_string(id.to_string())))
}

fn uid(kind: &EntityTypeName, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(name))
}

/// The policies or their schema are wrong.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The schema cannot be used.
    #[error("the schema of the policies is wrong: {0}")]
    Schema(String),
    /// The policies do not parse, or do not fit the schema.
    #[error("the policies are wrong: {0}")]
    Policies(String),
}

impl PolicyError {
    fn schema(cause: impl fmt::Display) -> Self {
        Self::Schema(cause.to_string())
    }

    fn policies(cause: impl fmt::Display) -> Self {
        Self::Policies(cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_file_is_in_force() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        let policies = files.filter(|path| path.extension().is_some_and(|extension| extension == "cedar"));
        for path in policies {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(POLICIES.contains(&text.as_str()), "{}", path.display());
        }
    }
}
