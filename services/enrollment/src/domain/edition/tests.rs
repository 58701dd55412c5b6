use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::domain::rules::tests::rules;

fn edition() -> EditionId {
    EditionId::from_uuid(Uuid::from_u128(7))
}

fn office(number: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(number))
}

fn created() -> Box<Created> {
    Box::new(Created { edition: edition(), copied_from: None, rules: rules(), sealed_texts: vec![1] })
}

fn revised(rules: Rules) -> Box<Revised> {
    Box::new(Revised { rules, sealed_texts: vec![2] })
}

fn age_rule() -> AgeRule {
    AgeRule { maximum_age: 28, owner: office(1), expiry_date: date(2014, 12, 31), proposed_by: office(1) }
}

fn proposed() -> Change {
    Change::AgeRuleProposed(age_rule(), vec![3])
}

/// A drafted edition with this further history.
fn given(history: &[Change]) -> State {
    let mut state = State::default();
    evolve(&mut state, &Event { edition: edition(), change: Change::Created(created()) });
    for change in history {
        evolve(&mut state, &Event { edition: edition(), change: change.clone() });
    }
    state
}

/// The history of an edition that has come to this phase.
fn until(phase: Phase) -> State {
    let steps =
        [Change::Opened(20), Change::MatchingStarted, Change::Started, Change::Completed, Change::Archived];
    let taken = Phase::ALL.iter().position(|other| *other == phase).unwrap();
    given(&steps[..taken])
}

fn when(state: &State, command: &Command) -> Result<Vec<Change>, Rejection> {
    decide(state, command).map(|events| events.into_iter().map(|event| event.change).collect())
}

#[test]
fn an_edition_is_drafted_once() {
    let command = Command::Create(created());
    assert_eq!(when(&State::default(), &command), Ok(vec![Change::Created(created())]));
    assert_eq!(when(&given(&[]), &command), Ok(vec![]));
}

#[test]
fn an_edition_with_unsound_rules_is_neither_drafted_nor_revised() {
    let unsound = Rules { topics: vec![], ..rules() };
    let draft = Command::Create(Box::new(Created { rules: unsound.clone(), ..*created() }));
    let refused = Err(Rejection::Unsound(Unsound::NoTopic));
    assert_eq!(when(&State::default(), &draft), refused);
    assert_eq!(when(&given(&[]), &Command::Revise(revised(unsound))), refused);
}

#[test]
fn a_draft_is_revised_and_an_open_edition_is_not() {
    let longer = revised(Rules { months: 12, ..rules() });
    let command = Command::Revise(longer.clone());
    assert_eq!(when(&given(&[]), &command), Ok(vec![Change::Revised(longer)]));
    let refused = Rejection::WrongPhase { is: Phase::Open, needs: Phase::Draft };
    assert_eq!(when(&until(Phase::Open), &command), Err(refused));
}

#[test]
fn the_anonymity_threshold_is_raised_and_never_lowered() {
    let raised = revised(Rules { anonymity_k: 7, ..rules() });
    let state = given(&[Change::Revised(raised.clone())]);
    assert_eq!(when(&state, &Command::Revise(raised.clone())), Ok(vec![Change::Revised(raised)]));
    let refused = Err(Rejection::AnonymityLowered { is: 7, asked: 5 });
    assert_eq!(when(&state, &Command::Revise(revised(rules()))), refused);
}

fn archive(live_tandems: i64) -> Command {
    Command::Archive { live_tandems }
}

#[test]
fn an_edition_is_not_archived_before_its_tandems_have_ended() {
    assert_eq!(when(&until(Phase::Completed), &archive(2)), Err(Rejection::TandemsLive(2)));
    assert_eq!(when(&until(Phase::Archived), &archive(2)), Ok(vec![]), "it was archived before");
}

#[test]
fn an_edition_that_was_never_drafted_is_unknown() {
    for command in [Command::Revise(revised(rules())), Command::Open { obliged: 1 }, archive(0)] {
        assert_eq!(when(&State::default(), &command), Err(Rejection::Unknown));
    }
}

#[test]
fn an_age_rule_is_proposed_and_released_by_a_second_person_once() {
    let propose = Command::ProposeAgeRule(age_rule(), vec![3]);
    assert_eq!(when(&given(&[]), &propose), Ok(vec![proposed()]));
    let release = Command::ReleaseAgeRule { by: office(2) };
    let released = Change::AgeRuleReleased(office(2));
    assert_eq!(when(&given(&[proposed()]), &release), Ok(vec![released.clone()]));
    assert_eq!(when(&given(&[proposed(), released]), &release), Ok(vec![]));
}

#[test]
fn a_new_proposal_needs_a_new_release() {
    let state = given(&[proposed(), Change::AgeRuleReleased(office(2)), proposed()]);
    let released = Ok(vec![Change::AgeRuleReleased(office(3))]);
    assert_eq!(when(&state, &Command::ReleaseAgeRule { by: office(3) }), released);
}

#[test]
fn nobody_releases_their_own_age_rule() {
    let release = Command::ReleaseAgeRule { by: office(1) };
    assert_eq!(when(&given(&[proposed()]), &release), Err(Rejection::SecondPersonNeeded));
}

#[test]
fn without_a_proposal_there_is_nothing_to_release() {
    let release = Command::ReleaseAgeRule { by: office(2) };
    assert_eq!(when(&given(&[]), &release), Err(Rejection::NoAgeRule));
}

#[test]
fn an_age_rule_outlives_the_reference_date() {
    let on_the_day = AgeRule { expiry_date: date(2013, 9, 1), ..age_rule() };
    assert!(when(&given(&[]), &Command::ProposeAgeRule(on_the_day, vec![])).is_ok());
    let refused =
        |expiry_date, reference_date| Err(Rejection::AgeRuleExpires { expiry_date, reference_date });
    let before = AgeRule { expiry_date: date(2013, 8, 31), ..age_rule() };
    assert_eq!(
        when(&given(&[]), &Command::ProposeAgeRule(before, vec![])),
        refused(date(2013, 8, 31), date(2013, 9, 1))
    );
    let later = Rules { reference_date: date(2015, 1, 1), start_date: date(2015, 1, 1), ..rules() };
    assert_eq!(
        when(&given(&[proposed()]), &Command::Revise(revised(later))),
        refused(date(2014, 12, 31), date(2015, 1, 1))
    );
}

#[test]
fn age_rules_are_a_matter_of_the_draft() {
    let refused = Err(Rejection::WrongPhase { is: Phase::Open, needs: Phase::Draft });
    let state = until(Phase::Open);
    assert_eq!(when(&state, &Command::ProposeAgeRule(age_rule(), vec![])), refused);
    assert_eq!(when(&state, &Command::ReleaseAgeRule { by: office(2) }), refused);
}

#[test]
fn an_edition_that_obliges_nobody_does_not_open() {
    assert_eq!(when(&given(&[]), &Command::Open { obliged: 0 }), Err(Rejection::NobodyObliged));
}

#[test]
fn each_step_leads_from_one_phase_to_the_next_and_nowhere_else() {
    let steps = [
        (Command::Open { obliged: 20 }, Phase::Draft, Change::Opened(20)),
        (Command::StartMatching, Phase::Open, Change::MatchingStarted),
        (Command::Start, Phase::Matching, Change::Started),
        (Command::Complete, Phase::Running, Change::Completed),
        (archive(0), Phase::Completed, Change::Archived),
    ];
    for (command, from, change) in steps {
        for phase in Phase::ALL {
            let expected = if phase == from {
                Ok(vec![change.clone()])
            } else if given_after(from) == phase {
                Ok(vec![])
            } else {
                Err(Rejection::WrongPhase { is: phase, needs: from })
            };
            assert_eq!(when(&until(phase), &command), expected, "{command:?} while {phase}");
        }
    }
}

fn given_after(phase: Phase) -> Phase {
    let next = Phase::ALL.iter().position(|other| *other == phase).unwrap() + 1;
    Phase::ALL[next]
}

#[test]
fn only_completed_and_archived_editions_are_over() {
    let over: Vec<_> = Phase::ALL.into_iter().filter(|phase| phase.is_over()).collect();
    assert_eq!(over, [Phase::Completed, Phase::Archived]);
}
