//! What the tests of a codec assert: nothing is lost on the way into the log and back, and nothing is made up.

use std::fmt::Debug;

use crate::{Aggregate, Draft};

/// Asserts that every event comes back from the log as it went in.
///
/// # Panics
///
/// If one does not.
pub fn round_trip<A: Aggregate>(events: impl IntoIterator<Item = A::Event>)
where
    A::Event: Debug + PartialEq,
{
    for event in events {
        match A::decode(&A::encode(&event).rehearsed()) {
            Ok(decoded) => assert_eq!(decoded, event),
            Err(corrupt) => panic!("{event:?} does not come back: {corrupt}"),
        }
    }
}

/// Asserts that a message without its fields, and one that is no event of this kind, are reported and not made up.
///
/// # Panics
///
/// If an event is read from either.
pub fn refuses_the_unreadable<A: Aggregate, M: prost::Message + prost::Name + Default>()
where
    A::Event: Debug,
{
    let lacking = Draft::of(&M::default()).rehearsed();
    assert!(A::decode(&lacking).is_err(), "{} is read without its fields", lacking.name);
    let foreign = Draft::of(&()).rehearsed();
    assert!(A::decode(&foreign).is_err(), "{} is read as an event of {}", foreign.name, A::KIND);
}
