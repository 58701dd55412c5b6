use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::domain::availability::tests::{backwards, mornings};

const DUE: Date = date(2013, 9, 16);

fn edition(number: u128) -> EditionId {
    EditionId::from_uuid(Uuid::from_u128(number))
}

fn person(number: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(number))
}

fn key() -> Key {
    Key::of(edition(7), person(2))
}

fn acknowledgement(topics: &[&str]) -> Acknowledgement {
    let needs = topics.iter().map(|topic| Need { topic: (*topic).to_owned(), level: 0, wanted: true });
    Acknowledgement {
        needs: needs.collect(),
        sealed_goals: vec![1],
        wishes: vec![],
        availability: mornings(),
    }
}

fn whole() -> Acknowledgement {
    acknowledgement(&["linkedin-profile", "hashtags"])
}

fn given(history: &[Change]) -> State {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { key: key(), change: change.clone() });
    }
    state
}

/// A raised obligation that has come to this status.
fn until(status: Status) -> State {
    let last = match status {
        Status::Due => vec![],
        Status::Acknowledged => vec![Change::Acknowledged(Box::new(whole()))],
        Status::Fulfilled => vec![Change::Acknowledged(Box::new(whole())), Change::Fulfilled],
        Status::Excused => vec![Change::Excused(ExcuseReason::LongLeave, Some(person(3)))],
        Status::Lapsed => vec![Change::Lapsed],
    };
    given(&[vec![Change::Raised(DUE)], last].concat())
}

fn when(state: &State, command: &Command) -> Result<Vec<Change>, Rejection> {
    decide(state, command).map(|events| events.into_iter().map(|event| event.change).collect())
}

fn acknowledge_with(acknowledgement: Acknowledgement) -> Command {
    let topics = ["hashtags", "linkedin-profile"].map(str::to_owned).to_vec();
    let acknowledgement = Box::new(acknowledgement);
    Command::Acknowledge { edition: edition(7), phase: Phase::Open, topics, acknowledgement }
}

fn excuse(approver: u128) -> Command {
    Command::Excuse { edition: edition(7), reason: ExcuseReason::LongLeave, approver: person(approver) }
}

#[test]
fn an_executive_is_obliged_once_in_an_edition() {
    let raise = Command::Raise { key: key(), due_date: DUE };
    assert_eq!(when(&given(&[]), &raise), Ok(vec![Change::Raised(DUE)]));
    assert_eq!(when(&until(Status::Due), &raise), Ok(vec![]));
    assert_eq!(key().obligation, Key::of(edition(7), person(2)).obligation);
    assert_ne!(key().obligation, Key::of(edition(8), person(2)).obligation);
}

#[test]
fn to_acknowledge_is_to_answer_every_topic_once() {
    let state = until(Status::Due);
    assert_eq!(when(&state, &acknowledge_with(whole())), Ok(vec![Change::Acknowledged(Box::new(whole()))]));
    let refused = |topics: &[&str]| when(&state, &acknowledge_with(acknowledgement(topics))).unwrap_err();
    assert_eq!(refused(&["hashtags"]), Rejection::TopicMissing("linkedin-profile".to_owned()));
    assert_eq!(refused(&["hashtags", "telex"]), Rejection::UnknownTopic("telex".to_owned()));
    let twice = refused(&["hashtags", "linkedin-profile", "hashtags"]);
    assert_eq!(twice, Rejection::TopicTwice("hashtags".to_owned()));
}

#[test]
fn a_stretch_of_the_week_has_a_length() {
    let availability = backwards();
    let command = acknowledge_with(Acknowledgement { availability, ..whole() });
    assert!(matches!(when(&until(Status::Due), &command), Err(Rejection::EmptyWindow(_))));
}

#[test]
fn an_obligation_is_acknowledged_while_it_is_due() {
    for status in [Status::Acknowledged, Status::Fulfilled, Status::Excused, Status::Lapsed] {
        let refused = Err(Rejection::WrongStatus(status));
        assert_eq!(when(&until(status), &acknowledge_with(whole())), refused);
    }
}

#[test]
fn an_obligation_is_acknowledged_before_the_edition_is_over() {
    for phase in [Phase::Open, Phase::Matching, Phase::Running, Phase::Completed, Phase::Archived] {
        let Command::Acknowledge { edition, topics, acknowledgement, .. } = acknowledge_with(whole()) else {
            unreachable!()
        };
        let command = Command::Acknowledge { edition, phase, topics, acknowledgement };
        let outcome = when(&until(Status::Due), &command).map(|changes| changes.len());
        assert_eq!(outcome, if phase.is_over() { Err(Rejection::EditionOver(phase)) } else { Ok(1) });
    }
}

#[test]
fn an_executive_is_excused_by_somebody_else_once() {
    let excused = Ok(vec![Change::Excused(ExcuseReason::LongLeave, Some(person(3)))]);
    for status in Status::ALL {
        let expected = match status {
            Status::Due | Status::Acknowledged => excused.clone(),
            Status::Excused => Ok(vec![]),
            Status::Fulfilled | Status::Lapsed => Err(Rejection::WrongStatus(status)),
        };
        assert_eq!(when(&until(status), &excuse(3)), expected, "while {status}");
    }
    assert_eq!(when(&until(Status::Due), &excuse(2)), Err(Rejection::ExcusesThemselves));
}

#[test]
fn the_excuse_is_not_changed_afterwards() {
    let edition = edition(7);
    let command = Command::Excuse { edition, reason: ExcuseReason::Leaving, approver: person(3) };
    let refused = Err(Rejection::WrongStatus(Status::Excused));
    assert_eq!(when(&until(Status::Excused), &command), refused);
}

#[test]
fn an_overdue_obligation_is_reminded_of_every_seven_days_three_times() {
    let on = |today| when(&until(Status::Due), &Command::Escalate { today }).unwrap();
    assert_eq!(on(date(2013, 9, 1)), []);
    assert_eq!(on(date(2013, 9, 22)), []);
    assert_eq!(on(date(2013, 9, 23)), [Change::Escalated(1)]);
    assert_eq!(on(date(2013, 9, 30)), [Change::Escalated(1), Change::Escalated(2)]);
    assert_eq!(on(date(2014, 9, 1)).len(), 3, "and no more");
}

#[test]
fn a_reminder_is_sent_once() {
    let state = given(&[Change::Raised(DUE), Change::Escalated(1)]);
    assert_eq!(when(&state, &Command::Escalate { today: date(2013, 9, 24) }), Ok(vec![]));
    let next = when(&state, &Command::Escalate { today: date(2013, 9, 30) });
    assert_eq!(next, Ok(vec![Change::Escalated(2)]));
}

#[test]
fn only_a_due_obligation_is_reminded_of() {
    let late = Command::Escalate { today: date(2014, 9, 1) };
    for status in [Status::Acknowledged, Status::Fulfilled, Status::Excused, Status::Lapsed] {
        assert_eq!(when(&until(status), &late), Ok(vec![]));
    }
}

#[test]
fn an_acknowledged_obligation_is_fulfilled_once() {
    for status in Status::ALL {
        let expected = match status {
            Status::Acknowledged => Ok(vec![Change::Fulfilled]),
            Status::Fulfilled => Ok(vec![]),
            _ => Err(Rejection::WrongStatus(status)),
        };
        assert_eq!(when(&until(status), &Command::Fulfil), expected, "while {status}");
    }
}

#[test]
fn what_is_open_at_the_end_lapses_once_and_what_has_ended_stays() {
    for status in Status::ALL {
        let expected = if status.is_terminal() { vec![] } else { vec![Change::Lapsed] };
        assert_eq!(when(&until(status), &Command::Lapse), Ok(expected), "while {status}");
    }
}

#[test]
fn an_obligation_that_was_never_raised_is_unknown() {
    for command in [acknowledge_with(whole()), excuse(3), Command::Fulfil, Command::Lapse] {
        assert_eq!(when(&given(&[]), &command), Err(Rejection::Unknown));
    }
}

#[test]
fn an_obligation_is_reached_through_its_own_edition_only() {
    let mut raised = State::default();
    let key = Key::of(edition(8), person(2));
    evolve(&mut raised, &Event { key, change: Change::Raised(DUE) });
    for command in [acknowledge_with(whole()), excuse(3)] {
        assert_eq!(when(&raised, &command), Err(Rejection::OtherEdition));
    }
}

#[test]
fn nobody_wishes_for_themselves() {
    let command = acknowledge_with(Acknowledgement { wishes: vec![person(2)], ..whole() });
    assert_eq!(when(&until(Status::Due), &command), Err(Rejection::WishesThemselves));
}

#[test]
fn an_obligation_ends_when_the_executive_leaves_and_begins_anew_when_they_are_back() {
    let left = || Change::Excused(ExcuseReason::Leaving, None);
    for status in Status::ALL {
        let ends = matches!(status, Status::Due | Status::Acknowledged);
        let expected = if ends { vec![left()] } else { vec![] };
        assert_eq!(when(&until(status), &Command::Leave), Ok(expected), "{status}");
        let back = Command::Return { due_date: date(2013, 11, 1) };
        assert_eq!(when(&until(status), &back), Ok(vec![]), "{status}: nobody came back");
    }
    let mut state = until(Status::Acknowledged);
    evolve(&mut state, &Event { key: key(), change: left() });
    let raised = Change::Raised(date(2013, 11, 1));
    assert_eq!(when(&state, &Command::Return { due_date: date(2013, 11, 1) }), Ok(vec![raised]));
}
