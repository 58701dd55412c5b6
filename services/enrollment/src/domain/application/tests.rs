use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::domain::availability::tests::{backwards, mornings};
use crate::domain::rules::tests::rules;

/// A Friday.
/// The third working day after it.
const PROMISED: Date = date(2013, 9, 11);

fn edition(number: u128) -> EditionId {
    EditionId::from_uuid(Uuid::from_u128(number))
}

fn key() -> Key {
    Key {
        application: ApplicationId::from_uuid(Uuid::from_u128(1)),
        edition: edition(7),
        person: PersonId::from_uuid(Uuid::from_u128(2)),
    }
}

fn offering() -> Offering {
    Offering {
        offers: vec![Offer { topic: "hashtags".to_owned(), level: 4 }],
        sealed_motivation: vec![1, 2, 3],
        wishes: vec![PersonId::from_uuid(Uuid::from_u128(3))],
        availability: mornings(),
        capacity: 1,
    }
}

fn submission() -> Submission {
    Submission {
        key: key(),
        offering: offering(),
        rules: rules(),
        maximum_age: Some(28),
        candidate: Candidate {
            active: true,
            obliged: false,
            level: Some(3),
            hire_date: date(2010, 1, 1),
            birth_date: Some(date(1987, 5, 5)),
        },
        applied_already: false,
    }
}

fn submitted() -> Change {
    Change::Submitted(Box::new(offering()), PROMISED)
}

fn given(history: &[Change]) -> State {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { key: key(), change: change.clone() });
    }
    state
}

/// A submitted application that has come to this status.
fn until(status: Status) -> State {
    let last = match status {
        Status::Submitted => vec![],
        Status::NeedsInfo => vec![Change::InformationRequested(vec![4])],
        Status::Accepted => vec![Change::Accepted],
        Status::Waitlisted => vec![Change::Waitlisted(DecisionReason::NoCapacity)],
        Status::Declined => vec![Change::Declined(DecisionReason::NoCapacity)],
        Status::Withdrawn => vec![Change::Withdrawn { left_company: false }],
    };
    given(&[vec![submitted()], last].concat())
}

fn in_phase(phase: Phase, action: Action) -> Command {
    Command { edition: edition(7), phase, promised: PROMISED, action }
}

fn decided(state: &State, command: &Command) -> Result<Vec<Change>, Rejection> {
    decide(state, command).map(|events| events.into_iter().map(|event| event.change).collect())
}

fn when(state: &State, action: Action) -> Result<Vec<Change>, Rejection> {
    decided(state, &in_phase(Phase::Open, action))
}

fn submit(submission: Submission) -> Result<Vec<Change>, Rejection> {
    when(&given(&[]), Action::Submit(Box::new(submission)))
}

#[test]
fn an_eligible_applicant_is_promised_an_answer() {
    assert_eq!(submit(submission()), Ok(vec![submitted()]));
}

#[test]
fn applications_are_taken_while_the_edition_is_open() {
    for phase in [Phase::Draft, Phase::Matching, Phase::Running, Phase::Completed, Phase::Archived] {
        let command = in_phase(phase, Action::Submit(Box::new(submission())));
        assert_eq!(decided(&given(&[]), &command), Err(Rejection::EditionNotOpen(phase)));
    }
}

#[test]
fn nobody_applies_twice() {
    let again = Submission { applied_already: true, ..submission() };
    assert_eq!(submit(again), Err(Rejection::AppliedAlready));
}

#[test]
fn an_applicant_who_breaks_a_rule_is_told_which() {
    let mut older = submission();
    older.candidate.birth_date = Some(date(1980, 1, 1));
    let refused = Ineligible::MaximumAge { maximum_age: 28, reference_date: date(2013, 9, 1) };
    assert_eq!(submit(older.clone()), Err(Rejection::Ineligible(refused)));
    assert!(
        submit(Submission { maximum_age: None, ..older }).is_ok(),
        "without an age rule, age is no matter"
    );
}

#[test]
fn only_topics_of_the_catalogue_are_offered_and_each_once() {
    let offering_of = |topics: &[&str]| {
        let mut submission = submission();
        submission.offering.offers =
            topics.iter().map(|topic| Offer { topic: (*topic).to_owned(), level: 3 }).collect();
        submission
    };
    assert_eq!(submit(offering_of(&["telex"])), Err(Rejection::UnknownTopic("telex".to_owned())));
    let twice = offering_of(&["hashtags", "linkedin-profile", "hashtags"]);
    assert_eq!(submit(twice), Err(Rejection::TopicTwice("hashtags".to_owned())));
}

#[test]
fn the_edition_limits_the_mentees_of_a_mentor() {
    let mut generous = submission();
    generous.offering.capacity = 2;
    assert!(submit(generous.clone()).is_ok());
    generous.rules.mentor_capacity_max = 1;
    assert_eq!(submit(generous), Err(Rejection::Capacity { max: 1, offered: 2 }));
}

#[test]
fn a_stretch_of_the_week_has_a_length() {
    let mut submission = submission();
    submission.offering.availability = backwards();
    assert!(matches!(submit(submission), Err(Rejection::EmptyWindow(_))));
}

#[test]
fn an_applicant_who_was_asked_back_answers_and_is_promised_a_decision_anew() {
    let asked = when(&until(Status::Submitted), Action::RequestInformation(vec![4]));
    assert_eq!(asked, Ok(vec![Change::InformationRequested(vec![4])]));
    let answered = when(&until(Status::NeedsInfo), Action::ProvideInformation(vec![5]));
    assert_eq!(answered, Ok(vec![Change::InformationProvided(vec![5], PROMISED)]));
    let state = given(&[
        submitted(),
        Change::InformationRequested(vec![4]),
        Change::InformationProvided(vec![5], PROMISED),
    ]);
    assert_eq!(when(&state, Action::Accept), Ok(vec![Change::Accepted]));
}

#[test]
fn each_status_allows_some_steps_and_no_other() {
    use Status::{Accepted, Declined, NeedsInfo, Submitted, Waitlisted, Withdrawn};
    let reason = DecisionReason::NoCapacity;
    let steps: [(Action, &[Status], Status); 6] = [
        (Action::RequestInformation(vec![]), &[Submitted], NeedsInfo),
        (Action::ProvideInformation(vec![]), &[NeedsInfo], Submitted),
        (Action::Accept, &[Submitted, Waitlisted], Accepted),
        (Action::Waitlist(reason), &[Submitted], Waitlisted),
        (Action::Decline(reason), &[Submitted, NeedsInfo, Waitlisted], Declined),
        (Action::Withdraw { left_company: false }, &[Submitted, NeedsInfo, Accepted, Waitlisted], Withdrawn),
    ];
    for (action, from, to) in steps {
        let free_text = matches!(action, Action::RequestInformation(_) | Action::ProvideInformation(_));
        for status in Status::ALL {
            let outcome = when(&until(status), action.clone()).map(|changes| changes.len());
            let expected = if from.contains(&status) {
                Ok(1)
            } else if status == to && !free_text {
                Ok(0)
            } else {
                Err(Rejection::WrongStatus(status))
            };
            assert_eq!(outcome, expected, "{action:?} while {status}");
        }
    }
}

#[test]
fn nothing_leaves_a_terminal_status_not_even_for_another_reason() {
    let again = Action::Decline(DecisionReason::Language);
    assert_eq!(when(&until(Status::Declined), again), Err(Rejection::WrongStatus(Status::Declined)));
}

#[test]
fn a_leaver_is_withdrawn_even_when_accepted() {
    let left = when(&until(Status::Accepted), Action::Withdraw { left_company: true });
    assert_eq!(left, Ok(vec![Change::Withdrawn { left_company: true }]));
    assert_eq!(when(&until(Status::Declined), Action::Withdraw { left_company: true }), Ok(vec![]));
}

#[test]
fn an_application_that_was_never_submitted_is_unknown() {
    assert_eq!(when(&given(&[]), Action::Accept), Err(Rejection::Unknown));
}

#[test]
fn an_application_is_reached_through_its_own_edition_only() {
    let command = Command { edition: edition(8), ..in_phase(Phase::Open, Action::Accept) };
    assert_eq!(decided(&until(Status::Submitted), &command), Err(Rejection::OtherEdition));
}

#[test]
fn after_the_end_applications_stay_as_they_are() {
    for phase in [Phase::Completed, Phase::Archived] {
        let command = in_phase(phase, Action::Accept);
        assert_eq!(decided(&until(Status::Waitlisted), &command), Err(Rejection::EditionOver(phase)));
    }
    let late = in_phase(Phase::Running, Action::Accept);
    assert_eq!(decided(&until(Status::Waitlisted), &late), Ok(vec![Change::Accepted]), "from the reserve");
}

#[test]
fn nobody_wishes_for_themselves() {
    let mut vain = submission();
    vain.offering.wishes.push(vain.key.person);
    assert_eq!(submit(vain), Err(Rejection::WishesThemselves));
}
