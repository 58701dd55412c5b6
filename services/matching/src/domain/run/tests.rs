use assignment::Progress;
use uuid::Uuid;

use crate::domain::difference::{Kind, Subject};
use crate::domain::frozen::tests::frozen;
use crate::domain::inputs::tests::{inputs, pair, person};
use crate::domain::pairing::Rule;
use crate::domain::solution::{self, Wishes};

use super::*;

const OFFICE: u128 = 50;

fn key(edition: u128) -> Key {
    Key {
        run: MatchRunId::from_uuid(Uuid::from_u128(1)),
        edition: EditionId::from_uuid(Uuid::from_u128(edition)),
    }
}

fn staged() -> Box<Staged> {
    solved(Wishes::default())
}

fn solved(wishes: Wishes) -> Box<Staged> {
    Box::new(solution::solve(&frozen(inputs()), wishes, &Progress::default()).unwrap())
}

fn revised() -> Box<Staged> {
    let forbids = [pair(11, 1)].into();
    solved(Wishes { forbids, ..Wishes::default() })
}

fn unproved() -> Box<Staged> {
    let mut unproved = staged();
    unproved.certificate.verified = false;
    unproved
}

fn given(history: &[Change]) -> State {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { key: key(7), change: change.clone() });
    }
    state
}

fn when(history: &[Change], action: Action) -> Result<Vec<Change>, Rejection> {
    when_at(history, Phase::Matching, 7, action)
}

fn when_at(
    history: &[Change],
    phase: Phase,
    edition: u128,
    action: Action,
) -> Result<Vec<Change>, Rejection> {
    let command = Command { key: key(edition), phase, action };
    decide(&given(history), &command).map(|events| events.into_iter().map(|event| event.change).collect())
}

#[test]
fn what_would_be_refused_afterwards_is_refused_before_it_is_computed() {
    let before = |history: &[Change], again| when(history, Action::Compute { again });
    let draft = |history: &[Change], again| when_at(history, Phase::Open, 7, Action::Compute { again });
    let staged = vec![Change::Staged(staged())];
    assert_eq!((before(&[], false), before(&staged, true)), (Ok(vec![]), Ok(vec![])));
    assert_eq!(before(&[], true), Err(Rejection::Unknown));
    assert_eq!(before(&published(), true), Err(Rejection::Published));
    assert_eq!(draft(&[], false), Err(Rejection::EditionNotMatching(Phase::Open)));
    assert_eq!(draft(&staged, true), Err(Rejection::EditionNotMatching(Phase::Open)));
    let elsewhere = when_at(&staged, Phase::Matching, 8, Action::Compute { again: true });
    assert_eq!(elsewhere, Err(Rejection::OtherEdition));
}

fn publish() -> Action {
    Action::Publish { by: person(OFFICE), changes: vec![] }
}

fn reviewed() -> Vec<Change> {
    vec![Change::Staged(staged()), Change::Reviewed(person(OFFICE))]
}

fn published() -> Vec<Change> {
    [reviewed(), vec![Change::Published(person(OFFICE))]].concat()
}

#[test]
fn a_run_is_staged_reviewed_and_published() {
    assert_eq!(when(&[], Action::Stage(Ok(staged()))), Ok(vec![Change::Staged(staged())]));
    let looked_at = when(&[Change::Staged(staged())], Action::Review(person(OFFICE)));
    assert_eq!(looked_at, Ok(vec![Change::Reviewed(person(OFFICE))]));
    assert_eq!(when(&reviewed(), publish()), Ok(vec![Change::Published(person(OFFICE))]));
}

#[test]
fn doing_it_again_is_success() {
    assert_eq!(when(&[Change::Staged(staged())], Action::Stage(Ok(staged()))), Ok(vec![]));
    assert_eq!(when(&reviewed(), Action::Review(person(51))), Ok(vec![]));
    assert_eq!(when(&reviewed(), Action::Revise(Ok(staged()))), Ok(vec![]));
    assert_eq!(when(&published(), publish()), Ok(vec![]));
}

#[test]
fn what_was_computed_again_must_be_reviewed_again() {
    assert_eq!(when(&reviewed(), Action::Revise(Ok(revised()))), Ok(vec![Change::Revised(revised())]));
    let history = [reviewed(), vec![Change::Revised(revised())]].concat();
    assert_eq!(when(&history, publish()), Err(Rejection::NotReviewed));
}

#[test]
fn nobody_publishes_what_nobody_looked_at() {
    assert_eq!(when(&[Change::Staged(staged())], publish()), Err(Rejection::NotReviewed));
}

#[test]
fn a_run_is_published_only_on_the_inputs_it_was_computed_from() {
    let changes = vec![Difference { kind: Kind::ScoringRules, subject: Subject::Edition }];
    let publish = Action::Publish { by: person(OFFICE), changes: changes.clone() };
    assert_eq!(when(&reviewed(), publish), Err(Rejection::InputsChanged(changes)));
}

#[test]
fn a_run_that_is_not_proved_is_not_published() {
    let history = [Change::Staged(unproved()), Change::Reviewed(person(OFFICE))];
    assert_eq!(when(&history, publish()), Err(Rejection::Unproved));
}

#[test]
fn a_published_run_stays_as_it_is() {
    assert_eq!(when(&published(), Action::Revise(Ok(revised()))), Err(Rejection::Published));
    assert_eq!(when(&published(), Action::Review(person(OFFICE))), Err(Rejection::Published));
}

#[test]
fn tandems_are_formed_while_the_edition_is_matching_or_running() {
    for phase in Phase::ALL {
        let refused = Err(Rejection::EditionNotMatching(phase));
        let outcomes = [
            when_at(&[], phase, 7, Action::Stage(Ok(staged()))),
            when_at(&reviewed(), phase, 7, Action::Revise(Ok(revised()))),
            when_at(&reviewed(), phase, 7, publish()),
        ];
        for outcome in outcomes {
            if phase.forms_tandems() {
                assert!(outcome.is_ok());
            } else {
                assert_eq!(outcome, refused);
            }
        }
    }
}

#[test]
fn a_run_of_another_edition_is_out_of_reach() {
    for action in [Action::Review(person(OFFICE)), publish(), Action::Revise(Ok(revised()))] {
        assert_eq!(when_at(&reviewed(), Phase::Matching, 8, action), Err(Rejection::OtherEdition));
    }
}

#[test]
fn there_is_nothing_to_do_with_a_run_that_was_never_staged() {
    assert_eq!(when(&[], publish()), Err(Rejection::Unknown));
    assert_eq!(when(&[], Action::Review(person(OFFICE))), Err(Rejection::Unknown));
}

#[test]
fn an_unsolvable_wish_is_refused() {
    let unsolvable = Unsolvable::LockBreaksRule { pair: pair(11, 1), rule: Rule::Chain };
    let refused = Err(Rejection::Unsolvable(unsolvable.clone()));
    assert_eq!(when(&[], Action::Stage(Err(unsolvable.clone()))), refused);
    assert_eq!(when(&[Change::Staged(staged())], Action::Revise(Err(unsolvable))), refused);
}
