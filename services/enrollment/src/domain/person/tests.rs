use jiff::civil::date;
use uuid::Uuid;

use super::*;

fn anna() -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(1))
}

fn place(department: u128) -> Place {
    Place {
        manager: Some(PersonId::from_uuid(Uuid::from_u128(9))),
        org_unit: OrgUnitId::from_uuid(Uuid::from_u128(department)),
        hire_date: date(2010, 3, 1),
    }
}

fn given(history: &[Change]) -> State {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { person: anna(), change: change.clone() });
    }
    state
}

/// Somebody who joined, and what happened then.
fn joined(history: &[Change]) -> State {
    given(&[&[Change::Joined(place(1))][..], history].concat())
}

fn when(state: &State, command: &Command) -> Result<Vec<Change>, Rejection> {
    decide(state, command).map(|events| events.into_iter().map(|event| event.change).collect())
}

fn record(department: u128) -> Command {
    Command::Record { person: anna(), place: place(department) }
}

const JANUARY: Date = date(2014, 1, 31);
const FEBRUARY: Date = date(2014, 2, 28);
const BEFORE_THE_FIRST: Date = date(2010, 2, 28);

const OPEN: Leave = Leave { first_day: date(2014, 1, 6), last_day: None };
const CLOSED: Leave = Leave { first_day: date(2014, 1, 6), last_day: Some(JANUARY) };

fn ended(last_day: Date) -> Change {
    Change::AbsenceEnded { first_day: OPEN.first_day, last_day }
}

fn end(last_day: Date) -> Command {
    Command::EndLeave { first_day: OPEN.first_day, last_day }
}

#[test]
fn somebody_new_joins() {
    assert_eq!(when(&given(&[]), &record(1)), Ok(vec![Change::Joined(place(1))]));
}

#[test]
fn the_same_line_again_changes_nothing() {
    assert_eq!(when(&joined(&[]), &record(1)), Ok(vec![]));
}

#[test]
fn another_place_is_a_move() {
    assert_eq!(when(&joined(&[]), &record(2)), Ok(vec![Change::Moved(place(2))]));
    assert_eq!(when(&joined(&[Change::Moved(place(2))]), &record(2)), Ok(vec![]));
}

#[test]
fn a_leaver_leaves_once_and_the_day_can_be_corrected() {
    let leave = |last_day| Command::Leave { last_day };
    assert_eq!(when(&joined(&[]), &leave(JANUARY)), Ok(vec![Change::Left(JANUARY)]));
    let left = joined(&[Change::Left(JANUARY)]);
    assert_eq!(when(&left, &leave(JANUARY)), Ok(vec![]));
    assert_eq!(when(&left, &leave(FEBRUARY)), Ok(vec![Change::Left(FEBRUARY)]));
}

#[test]
fn whoever_announced_to_leave_works_until_then() {
    let announce = |last_day| Command::Announce { last_day };
    assert_eq!(when(&joined(&[]), &announce(JANUARY)), Ok(vec![Change::Leaving(JANUARY)]));
    let leaving = joined(&[Change::Leaving(JANUARY)]);
    assert_eq!(when(&leaving, &announce(JANUARY)), Ok(vec![]));
    assert_eq!(when(&leaving, &announce(FEBRUARY)), Ok(vec![Change::Leaving(FEBRUARY)]));
    assert_eq!(when(&leaving, &record(1)), Ok(vec![]), "the directory still lists who still works here");
    assert_eq!(when(&leaving, &Command::BeAbsent(OPEN)), Ok(vec![Change::Absent(OPEN)]));
    assert_eq!(when(&leaving, &Command::Leave { last_day: JANUARY }), Ok(vec![Change::Left(JANUARY)]));
}

#[test]
fn a_leaver_who_leaves_on_a_day_to_come_is_back_until_then() {
    let left = joined(&[Change::Left(JANUARY)]);
    let expected = vec![Change::Returned, Change::Leaving(FEBRUARY)];
    assert_eq!(when(&left, &Command::Announce { last_day: FEBRUARY }), Ok(expected));
}

#[test]
fn a_leaver_who_is_listed_has_returned_and_perhaps_moved() {
    let state = joined(&[Change::Left(JANUARY)]);
    assert_eq!(when(&state, &record(1)), Ok(vec![Change::Returned]));
    assert_eq!(when(&state, &record(2)), Ok(vec![Change::Returned, Change::Moved(place(2))]));
}

#[test]
fn whoever_returns_is_back_from_leave() {
    let state = joined(&[Change::Absent(OPEN), Change::Left(FEBRUARY)]);
    assert_eq!(when(&state, &record(1)), Ok(vec![Change::Returned, ended(FEBRUARY)]));
    let state = joined(&[Change::Absent(CLOSED), Change::Left(FEBRUARY)]);
    assert_eq!(when(&state, &record(1)), Ok(vec![Change::Returned]), "that leave was over");
}

#[test]
fn nothing_but_joining_can_happen_to_a_stranger() {
    let stranger = given(&[]);
    let commands = [
        Command::Leave { last_day: JANUARY },
        Command::Announce { last_day: JANUARY },
        Command::BeAbsent(OPEN),
        end(JANUARY),
        Command::Rescind { today: JANUARY },
        Command::Erase { today: JANUARY },
    ];
    for command in commands {
        assert_eq!(when(&stranger, &command), Err(Rejection::Unknown), "{command:?}");
    }
}

#[test]
fn a_leave_is_recorded_once_and_has_an_end_after_its_beginning() {
    assert_eq!(when(&joined(&[]), &Command::BeAbsent(CLOSED)), Ok(vec![Change::Absent(CLOSED)]));
    assert_eq!(when(&joined(&[Change::Absent(CLOSED)]), &Command::BeAbsent(CLOSED)), Ok(vec![]));
    let turned = Leave { first_day: FEBRUARY, last_day: Some(JANUARY) };
    assert_eq!(when(&joined(&[]), &Command::BeAbsent(turned)), Err(Rejection::LeaveEndsFirst));
    let refused = Err(Rejection::HasLeft);
    assert_eq!(when(&joined(&[Change::Left(JANUARY)]), &Command::BeAbsent(CLOSED)), refused);
}

#[test]
fn a_leave_that_is_recorded_with_another_end_has_that_end() {
    let state = joined(&[Change::Absent(OPEN)]);
    assert_eq!(when(&state, &Command::BeAbsent(CLOSED)), Ok(vec![Change::Absent(CLOSED)]));
    let state = joined(&[Change::Absent(OPEN), Change::Absent(CLOSED)]);
    assert_eq!(when(&state, &Command::BeAbsent(OPEN)), Ok(vec![Change::Absent(OPEN)]));
    let state = joined(&[Change::Absent(OPEN), ended(JANUARY)]);
    assert_eq!(when(&state, &Command::BeAbsent(CLOSED)), Ok(vec![]));
}

#[test]
fn a_leave_is_ended_shortened_and_taken_back_once() {
    let early = date(2014, 1, 10);
    let never = date(2014, 1, 5);
    for leave in [OPEN, CLOSED] {
        let state = joined(&[Change::Absent(leave)]);
        assert_eq!(when(&state, &end(early)), Ok(vec![ended(early)]));
        assert_eq!(when(&state, &end(never)), Ok(vec![ended(never)]));
    }
    let state = joined(&[Change::Absent(OPEN), ended(early)]);
    assert_eq!(when(&state, &end(early)), Ok(vec![]));
    let state = joined(&[Change::Absent(OPEN), ended(never)]);
    assert_eq!(when(&state, &end(date(2014, 1, 2))), Ok(vec![]), "what never was cannot be taken back more");
    assert_eq!(when(&state, &Command::BeAbsent(OPEN)), Ok(vec![Change::Absent(OPEN)]));
    let refused = Err(Rejection::NoSuchLeave);
    assert_eq!(when(&joined(&[]), &end(JANUARY)), refused);
}

#[test]
fn nobody_leaves_before_the_first_day() {
    let refused = Err(Rejection::LeavesBeforeJoining);
    assert_eq!(when(&joined(&[]), &Command::Leave { last_day: BEFORE_THE_FIRST }), refused);
    assert_eq!(when(&joined(&[]), &Command::Announce { last_day: BEFORE_THE_FIRST }), refused);
}

#[test]
fn a_mistake_is_taken_back_once_even_before_the_first_day() {
    let rescind = |today| Command::Rescind { today };
    let expected = Ok(vec![Change::Left(BEFORE_THE_FIRST), Change::Rescinded]);
    assert_eq!(when(&joined(&[]), &rescind(BEFORE_THE_FIRST)), expected);
    let left = joined(&[Change::Left(JANUARY)]);
    assert_eq!(when(&left, &rescind(FEBRUARY)), Ok(vec![Change::Rescinded]));
    let rescinded = joined(&[Change::Left(JANUARY), Change::Rescinded]);
    assert_eq!(when(&rescinded, &rescind(FEBRUARY)), Ok(vec![]));
    assert_eq!(when(&rescinded, &Command::Leave { last_day: FEBRUARY }), Ok(vec![]));
    assert_eq!(when(&rescinded, &record(1)), Ok(vec![Change::Returned]), "it was no mistake after all");
}

#[test]
fn whoever_is_erased_has_left_first_and_never_returns() {
    let erase = Command::Erase { today: JANUARY };
    assert_eq!(when(&joined(&[]), &erase), Ok(vec![Change::Left(JANUARY), Change::Erased]));
    assert_eq!(when(&joined(&[Change::Left(JANUARY)]), &erase), Ok(vec![Change::Erased]));
    let rescinded = joined(&[Change::Left(JANUARY), Change::Rescinded]);
    assert_eq!(when(&rescinded, &erase), Ok(vec![Change::Erased]));
    let erased = joined(&[Change::Left(JANUARY), Change::Erased]);
    for again in [erase, Command::Rescind { today: JANUARY }, Command::Leave { last_day: FEBRUARY }] {
        assert_eq!(when(&erased, &again), Ok(vec![]), "{again:?}");
    }
    for back in [record(1), Command::Announce { last_day: FEBRUARY }, Command::BeAbsent(OPEN)] {
        assert_eq!(when(&erased, &back), Err(Rejection::Erased), "{back:?}");
    }
}
