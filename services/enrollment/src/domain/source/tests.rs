use super::*;

fn source(name: &str) -> SourceId {
    name.parse().unwrap()
}

fn credential(number: u128) -> CredentialId {
    CredentialId::from_uuid(Uuid::from_u128(number))
}

fn owning<const N: usize>(owns: [Attribute; N]) -> Settings {
    Settings { owns: BTreeSet::from(owns), grace_days: 0 }
}

/// The roster, and a payroll that owns when people were hired.
fn register() -> Vec<Registered> {
    let roster = Registered { source: source("roster"), rank: 1, settings: owning([]) };
    let settings = owning([Attribute::HireDate]);
    vec![roster, Registered { source: source("payroll"), rank: 4, settings }]
}

fn make(state: &State, credential: CredentialId) -> Result<Vec<Event>, Rejection> {
    let kind = CredentialKind::Secret;
    decide(
        state,
        &Command::MakeCredential { source: source("roster"), credential, kind, register: register() },
    )
}

fn revoke(state: &State, credential: CredentialId) -> Result<Vec<Event>, Rejection> {
    decide(state, &Command::RevokeCredential { source: source("roster"), credential })
}

fn given(events: &[Event]) -> State {
    let mut state = State::default();
    for event in events {
        evolve(&mut state, event);
    }
    state
}

#[test]
fn a_new_source_becomes_the_last() {
    let settings = owning([Attribute::Email]);
    let command = Command::Add { source: source("scim"), settings: settings.clone(), register: register() };
    let events = decide(&State::default(), &command).unwrap();
    assert_eq!(events, [Event { source: source("scim"), change: Change::Added { rank: 5, settings } }]);
}

#[test]
fn a_name_is_given_once() {
    let command = Command::Add { source: source("roster"), settings: owning([]), register: register() };
    assert_eq!(decide(&State::default(), &command), Err(Rejection::Exists));
}

#[test]
fn an_attribute_has_one_owner() {
    let owned = Rejection::Owned { attribute: Attribute::HireDate, owner: source("payroll") };
    let settings = owning([Attribute::Name, Attribute::HireDate]);
    let add = Command::Add { source: source("scim"), settings: settings.clone(), register: register() };
    assert_eq!(decide(&State::default(), &add), Err(owned.clone()));
    let change =
        Command::Change { source: source("roster"), settings: settings.clone(), register: register() };
    assert_eq!(decide(&State::default(), &change), Err(owned));
    // Who owns it may keep it.
    let change =
        Command::Change { source: source("payroll"), settings: settings.clone(), register: register() };
    let events = decide(&State::default(), &change).unwrap();
    assert_eq!(events, [Event { source: source("payroll"), change: Change::Changed(settings) }]);
}

#[test]
fn the_same_settings_again_change_nothing() {
    let settings = owning([Attribute::HireDate]);
    let same = Command::Change { source: source("payroll"), settings, register: register() };
    assert_eq!(decide(&State::default(), &same), Ok(Vec::new()));
}

#[test]
fn an_unknown_source_has_neither_settings_nor_credentials() {
    let (unknown, settings) = (source("scim"), owning([]));
    let change = Command::Change { source: unknown.clone(), settings, register: register() };
    assert_eq!(decide(&State::default(), &change), Err(Rejection::Unknown));
    let (credential, kind) = (credential(1), CredentialKind::Secret);
    let make = Command::MakeCredential { source: unknown, credential, kind, register: register() };
    assert_eq!(decide(&State::default(), &make), Err(Rejection::Unknown));
}

#[test]
fn two_credentials_hold_and_a_third_once_one_is_revoked() {
    let [first, second, third] = [1, 2, 3].map(credential);
    let mut events = make(&State::default(), first).unwrap();
    events.extend(make(&given(&events), second).unwrap());
    assert_eq!(make(&given(&events), third), Err(Rejection::TwoHold));
    events.extend(revoke(&given(&events), first).unwrap());
    assert_eq!(make(&given(&events), third).unwrap().len(), 1);
}

#[test]
fn what_is_revoked_is_revoked_once() {
    let mut events = make(&State::default(), credential(1)).unwrap();
    events.extend(revoke(&given(&events), credential(1)).unwrap());
    assert_eq!(revoke(&given(&events), credential(1)), Ok(Vec::new()));
    assert_eq!(revoke(&given(&events), credential(2)), Err(Rejection::UnknownCredential));
}
