use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// An id that remembers what it identifies.
///
/// `K` is a marker such as [`Person`], so that the compiler refuses a tandem's id where a person's is
/// expected. The text form is the hyphenated UUID.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// Mints a new id (`UUIDv7`).
    ///
    /// This is the only place of the system where ids are made up; services call it at their edge and
    /// hand the id to the decision as data.
    #[expect(clippy::disallowed_methods, reason = "the one place where ids are minted")]
    #[must_use]
    pub fn mint() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// Derives the id (`UUIDv5`) that always belongs to this name in this namespace.
    #[must_use]
    pub fn derived(namespace: Uuid, name: &[u8]) -> Self {
        Self::from_uuid(Uuid::new_v5(&namespace, name))
    }

    /// Takes a UUID from the wire or the database as an id of this kind.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID, for the wire and the database.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// Deriving these would demand the same traits of the markers, which never exist as values.

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(formatter)
    }
}

impl<K> FromStr for Id<K> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::from_uuid)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

/// An employee, as the HR system knows them.
pub enum Person {}
/// One run of the programme.
pub enum Edition {}
/// A mentor's offer to take part.
pub enum Application {}
/// An executive's duty to take part.
pub enum Obligation {}
/// One computation of the best set of tandems.
pub enum MatchRun {}
/// One mentor and one mentee, paired for one edition.
pub enum Tandem {}
/// What follows when an executive is left without a tandem.
pub enum Repair {}
/// One meeting of a tandem.
pub enum Session {}
/// An entry of a tandem's question box.
pub enum Question {}
/// What a tandem agreed to do next.
pub enum Action {}
/// The check, months after the end, whether the practice is still alive.
pub enum FollowUp {}
/// A long piece of work such as an import.
pub enum Operation {}
/// A unit of the organisation.
pub enum OrgUnit {}
/// One synchronisation of a source of the directory.
pub enum SyncRun {}
/// What a source of the directory identifies itself with.
pub enum Credential {}

/// The id of a [`Person`].
pub type PersonId = Id<Person>;
/// The id of an [`Edition`].
pub type EditionId = Id<Edition>;
/// The id of an [`Application`].
pub type ApplicationId = Id<Application>;
/// The id of an [`Obligation`].
pub type ObligationId = Id<Obligation>;
/// The id of a [`MatchRun`].
pub type MatchRunId = Id<MatchRun>;
/// The id of a [`Tandem`].
pub type TandemId = Id<Tandem>;
/// The id of a [`Repair`].
pub type RepairId = Id<Repair>;
/// The id of a [`Session`].
pub type SessionId = Id<Session>;
/// The id of a [`Question`].
pub type QuestionId = Id<Question>;
/// The id of an [`Action`].
pub type ActionId = Id<Action>;
/// The id of a [`FollowUp`].
pub type FollowUpId = Id<FollowUp>;
/// The id of an [`Operation`].
pub type OperationId = Id<Operation>;
/// The id of an [`OrgUnit`].
pub type OrgUnitId = Id<OrgUnit>;
/// The id of a [`SyncRun`].
pub type SyncRunId = Id<SyncRun>;
/// The id of a [`Credential`].
pub type CredentialId = Id<Credential>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json() {
        let id = PersonId::mint();
        assert_eq!(id.to_string().parse::<PersonId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<PersonId>(&json).unwrap(), id);
        assert!("nobody".parse::<PersonId>().is_err());
    }

    #[test]
    fn minted_ids_are_version_7_and_ascend() {
        let ids: Vec<_> = (0..100).map(|_| TandemId::mint()).collect();
        assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_derived_id_depends_on_the_name_alone() {
        let derive = |name: &str| SessionId::derived(Uuid::NAMESPACE_OID, name.as_bytes());
        assert_eq!(derive("first"), derive("first"));
        assert_ne!(derive("first"), derive("second"));
    }
}
