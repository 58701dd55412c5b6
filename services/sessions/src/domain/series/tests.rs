use jiff::civil::date;
use uuid::Uuid;

use super::*;

const MINUTES: i32 = 60;

fn tandem() -> TandemId {
    TandemId::from_uuid(Uuid::from_u128(1))
}

fn edition() -> EditionId {
    EditionId::from_uuid(Uuid::from_u128(2))
}

fn question_id() -> QuestionId {
    QuestionId::from_uuid(Uuid::from_u128(3))
}

fn action_id() -> ActionId {
    ActionId::from_uuid(Uuid::from_u128(4))
}

fn person(number: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(number))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The session of a month, on the third at nine in Berlin.
fn session(month: i32) -> SessionId {
    SessionId::derived(tandem().uuid(), &month.to_be_bytes())
}

fn start(month: i32) -> Timestamp {
    let day = date(2013, 8, 3).saturating_add(jiff::Span::new().months(month));
    day.at(9, 0, 0, 0).in_tz("Europe/Berlin").unwrap().timestamp()
}

fn occasion(month: i32) -> Occasion {
    Occasion { session: session(month), month }
}

fn plan() -> Plan {
    let planned = |month| PlannedSession { id: session(month), month, start: start(month), minutes: MINUTES };
    Plan {
        mentor: person(10),
        mentee: person(11),
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        sessions: (1..=6).map(planned).collect(),
        months_without_time: vec![],
    }
}

fn planned() -> Change {
    Change::Planned(plan())
}

fn ready() -> Vec<Change> {
    vec![planned(), Change::CharterAccepted(Side::Mentor), Change::CharterAccepted(Side::Mentee)]
}

fn after(history: Vec<Change>, more: impl IntoIterator<Item = Change>) -> Vec<Change> {
    history.into_iter().chain(more).collect()
}

fn cancelled(month: i32, side: Side) -> Change {
    Change::Session(occasion(month), Outcome::Cancelled { side, cause: Cause::Own })
}

fn excused(month: i32, side: Side) -> Change {
    Change::Session(occasion(month), Outcome::Cancelled { side, cause: Cause::Approved })
}

fn held(month: i32) -> Change {
    Change::Session(occasion(month), Outcome::Held)
}

fn missed(month: i32) -> Change {
    Change::Session(occasion(month), Outcome::Missed(Side::Mentor))
}

fn question() -> Question {
    Question { id: question_id(), asked_by: person(11), sealed_text: vec![1, 2], topic: String::new() }
}

fn action() -> Action {
    let due_date = date(2013, 10, 1);
    Action { id: action_id(), agreed_by: person(10), sealed_text: vec![3, 4], due_date }
}

fn moving(month: i32, start: &str, busy: Vec<Slot>) -> Act {
    Act::Move(Move { session: session(month), side: Side::Mentee, start: at(start), busy })
}

/// What is decided after this history, while the first session takes place.
fn given(history: Vec<Change>, act: Act) -> Result<Vec<Change>, Rejection> {
    given_at(start(1), history, act)
}

fn given_at(now: Timestamp, history: Vec<Change>, act: Act) -> Result<Vec<Change>, Rejection> {
    given_in(edition(), now, history, act)
}

fn given_in(
    asked: EditionId,
    now: Timestamp,
    history: Vec<Change>,
    act: Act,
) -> Result<Vec<Change>, Rejection> {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { tandem: tandem(), edition: edition(), change });
    }
    let events = decide(&state, &Command { tandem: tandem(), edition: asked, now, act })?;
    Ok(events.into_iter().map(|event| event.change).collect())
}

const NOTHING: Result<Vec<Change>, Rejection> = Ok(Vec::new());

#[test]
fn a_series_is_planned_once() {
    assert_eq!(given(vec![], Act::Plan(plan())), Ok(vec![planned()]));
    assert_eq!(given(ready(), Act::Plan(plan())), NOTHING);
}

#[test]
fn without_a_plan_there_is_nothing_to_do_and_nothing_to_end() {
    assert_eq!(given(vec![], Act::Cancel(session(1), Side::Mentor)), Err(Rejection::UnknownSeries));
    assert_eq!(given(vec![], Act::End(Ending::Dissolved)), NOTHING);
}

#[test]
fn a_command_that_names_another_edition_is_refused() {
    let elsewhere = EditionId::from_uuid(Uuid::from_u128(99));
    let refused = given_in(elsewhere, start(1), ready(), Act::AcceptCharter(Side::Mentor));
    assert_eq!(refused, Err(Rejection::OtherEdition));
}

#[test]
fn each_side_accepts_the_charter_once() {
    let accepted = Change::CharterAccepted(Side::Mentee);
    assert_eq!(given(vec![planned()], Act::AcceptCharter(Side::Mentee)), Ok(vec![accepted]));
    assert_eq!(given(ready(), Act::AcceptCharter(Side::Mentee)), NOTHING);
}

#[test]
fn the_two_meet_only_when_both_have_accepted_the_charter() {
    let hold = Act::Hold(session(1), vec![]);
    let one_side = vec![planned(), Change::CharterAccepted(Side::Mentor)];
    assert_eq!(given(one_side, hold.clone()), Err(Rejection::CharterNotAccepted));
    assert_eq!(given(ready(), hold), Ok(vec![held(1)]));
}

#[test]
fn a_session_is_held_from_its_start_on() {
    let early = start(1) - jiff::SignedDuration::from_secs(1);
    assert_eq!(given_at(early, ready(), Act::Hold(session(1), vec![])), Err(Rejection::NotYet));
}

#[test]
fn a_session_answers_open_questions_of_the_tandem() {
    let asked = after(ready(), [Change::QuestionAsked(question())]);
    let hold = |month| Act::Hold(session(month), vec![question_id()]);
    let answered = Change::QuestionAnswered(question_id(), session(1));
    let both = vec![held(1), answered.clone()];
    assert_eq!(given(asked.clone(), hold(1)), Ok(both.clone()));
    assert_eq!(given(ready(), hold(1)), Err(Rejection::QuestionNotOpen));

    let done = after(asked.clone(), both);
    assert_eq!(given(done.clone(), hold(1)), NOTHING);
    assert_eq!(given_at(start(2), done, hold(2)), Err(Rejection::QuestionNotOpen));
    let met = after(asked, [held(1)]);
    assert_eq!(given(met, hold(1)), Ok(vec![answered]), "it may be noted afterwards");
}

#[test]
fn a_move_stays_in_the_calendar_month_of_the_mentee() {
    let moved = |start| Ok(vec![Change::Session(occasion(2), Outcome::Moved(Side::Mentee, at(start)))]);
    // Midnight in Berlin is two hours earlier in Greenwich.
    for start in ["2013-10-31T22:59:00Z", "2013-09-30T22:00:00Z"] {
        assert_eq!(given(ready(), moving(2, start, vec![])), moved(start));
    }
    for start in ["2013-10-31T23:00:00Z", "2013-09-30T21:59:00Z"] {
        assert_eq!(given(ready(), moving(2, start, vec![])), Err(Rejection::MoveOutsideMonth));
    }
}

#[test]
fn a_move_goes_to_a_time_to_come() {
    let refused = given_at(start(2), ready(), moving(2, "2013-10-02T10:00:00Z", vec![]));
    assert_eq!(refused, Err(Rejection::StartInThePast));
}

#[test]
fn a_move_collides_with_what_either_has_planned() {
    let busy = vec![Slot::of_minutes(at("2013-10-08T09:00:00Z"), MINUTES)];
    let into = moving(2, "2013-10-08T09:59:00Z", busy.clone());
    assert_eq!(given(ready(), into), Err(Rejection::Collision));
    assert!(given(ready(), moving(2, "2013-10-08T10:00:00Z", busy)).is_ok());
}

#[test]
fn moving_to_where_it_is_changes_nothing() {
    let there = at("2013-10-08T09:00:00Z");
    let history = after(ready(), [Change::Session(occasion(2), Outcome::Moved(Side::Mentor, there))]);
    assert_eq!(given_at(there, history, moving(2, "2013-10-08T09:00:00Z", vec![])), NOTHING);
}

#[test]
fn two_cancellations_in_a_row_reach_the_office_once_per_row() {
    let cancel = |month, side| Act::Cancel(session(month), side);
    let one = after(ready(), [cancelled(1, Side::Mentee)]);
    let alerted = vec![cancelled(2, Side::Mentor), Change::OfficeAlerted(Side::Mentor)];
    assert_eq!(given(ready(), cancel(1, Side::Mentee)), Ok(vec![cancelled(1, Side::Mentee)]));
    assert_eq!(given(one.clone(), cancel(2, Side::Mentor)), Ok(alerted.clone()));
    let two = after(one, alerted);
    assert_eq!(given(two.clone(), cancel(3, Side::Mentor)), Ok(vec![cancelled(3, Side::Mentor)]));

    let met_again = after(two, [held(3), cancelled(4, Side::Mentee)]);
    let again = Ok(vec![cancelled(5, Side::Mentee), Change::OfficeAlerted(Side::Mentee)]);
    assert_eq!(given(met_again, cancel(5, Side::Mentee)), again);
}

#[test]
fn cancellations_with_a_meeting_between_them_are_no_row() {
    let history = after(ready(), [cancelled(1, Side::Mentee), held(2)]);
    let decided = given(history, Act::Cancel(session(3), Side::Mentee));
    assert_eq!(decided, Ok(vec![cancelled(3, Side::Mentee)]));
}

#[test]
fn an_approved_absence_neither_counts_nor_breaks_a_row() {
    let history = after(ready(), [cancelled(1, Side::Mentee), excused(2, Side::Mentee)]);
    let completed = Ok(vec![cancelled(3, Side::Mentor), Change::OfficeAlerted(Side::Mentor)]);
    assert_eq!(given(history, Act::Cancel(session(3), Side::Mentor)), completed);

    let around = after(ready(), [cancelled(1, Side::Mentee), cancelled(3, Side::Mentor)]);
    let joined = Ok(vec![excused(2, Side::Mentee), Change::OfficeAlerted(Side::Mentor)]);
    assert_eq!(given(around, Act::Excuse(session(2), Side::Mentee)), joined);

    let beside = after(ready(), [cancelled(1, Side::Mentee)]);
    let alone = Ok(vec![excused(2, Side::Mentee)]);
    assert_eq!(given(beside, Act::Excuse(session(2), Side::Mentee)), alone);
}

#[test]
fn a_side_is_missed_after_the_start() {
    let miss = Act::Miss(session(2), Side::Mentor);
    assert_eq!(given(ready(), miss.clone()), Err(Rejection::NotYet));
    assert_eq!(given_at(start(2), ready(), miss), Ok(vec![missed(2)]));
}

#[test]
fn what_became_of_a_session_is_final_and_saying_it_again_is_success() {
    let acts = [
        Act::Hold(session(1), vec![]),
        Act::Cancel(session(1), Side::Mentor),
        Act::Excuse(session(1), Side::Mentor),
        Act::Miss(session(1), Side::Mentor),
    ];
    let outcomes = [held(1), cancelled(1, Side::Mentor), excused(1, Side::Mentor), missed(1)];
    for (this, outcome) in outcomes.iter().enumerate() {
        let history = after(ready(), [outcome.clone()]);
        for (other, act) in acts.iter().enumerate() {
            let expected = if this == other { NOTHING } else { Err(Rejection::TerminalState) };
            assert_eq!(given(history.clone(), act.clone()), expected, "{act:?} after {outcome:?}");
        }
        let elsewhere = moving(1, "2013-09-20T09:00:00Z", vec![]);
        assert_eq!(given(history.clone(), elsewhere), Err(Rejection::TerminalState));
        let by_the_other = given(history, Act::Cancel(session(1), Side::Mentee));
        assert_eq!(by_the_other, Err(Rejection::TerminalState));
    }
}

#[test]
fn a_session_of_another_tandem_is_unknown() {
    assert_eq!(given(ready(), Act::Cancel(session(7), Side::Mentor)), Err(Rejection::UnknownSession));
}

#[test]
fn questions_and_actions_are_kept_once() {
    let (ask, agree) = (Act::AskQuestion(question()), Act::AgreeAction(action()));
    assert_eq!(given(ready(), ask.clone()), Ok(vec![Change::QuestionAsked(question())]));
    assert_eq!(given(ready(), agree.clone()), Ok(vec![Change::ActionAgreed(action())]));
    let kept = after(ready(), [Change::QuestionAsked(question()), Change::ActionAgreed(action())]);
    assert_eq!(given(kept.clone(), ask), NOTHING);
    assert_eq!(given(kept, agree), NOTHING);
}

#[test]
fn an_action_is_completed_once() {
    let complete = Act::CompleteAction(action_id());
    assert_eq!(given(ready(), complete.clone()), Err(Rejection::UnknownAction));
    let agreed = after(ready(), [Change::ActionAgreed(action())]);
    let completed = Change::ActionCompleted(action_id());
    assert_eq!(given(agreed.clone(), complete.clone()), Ok(vec![completed.clone()]));
    assert_eq!(given(after(agreed, [completed]), complete), NOTHING);
}

#[test]
fn each_side_answers_the_survey_once_after_a_session_was_held() {
    let pulse = Pulse { useful: 5, learnt: 4, open: 0 };
    let answer = |side, pulse| Act::AnswerPulse(session(1), side, pulse);
    assert_eq!(given(ready(), answer(Side::Mentee, pulse)), Err(Rejection::NotHeld));

    let answered = Change::PulseAnswered(session(1), Side::Mentee, pulse);
    let held = after(ready(), [held(1)]);
    assert_eq!(given(held.clone(), answer(Side::Mentee, Pulse::default())), NOTHING);
    assert_eq!(given(held.clone(), answer(Side::Mentee, pulse)), Ok(vec![answered.clone()]));
    let history = after(held, [answered]);
    assert_eq!(given(history.clone(), answer(Side::Mentee, pulse)), NOTHING);
    let other = Pulse { open: 1, ..pulse };
    assert_eq!(given(history.clone(), answer(Side::Mentee, other)), Err(Rejection::AlreadyAnswered));
    assert!(given(history, answer(Side::Mentor, other)).is_ok());
}

#[test]
fn at_the_end_what_is_to_come_is_off_and_what_was_can_still_be_recorded() {
    let ended = Change::Ended(Ending::Dissolved, start(2));
    assert_eq!(given_at(start(2), ready(), Act::End(Ending::Dissolved)), Ok(vec![ended.clone()]));

    let history = after(ready(), [ended]);
    let later = |act| given_at(start(6), history.clone(), act);
    assert_eq!(later(Act::End(Ending::Completed)), NOTHING);
    assert_eq!(later(Act::Hold(session(2), vec![])), Ok(vec![held(2)]));
    assert_eq!(later(Act::Hold(session(3), vec![])), Err(Rejection::TerminalState));
    assert_eq!(later(Act::Cancel(session(3), Side::Mentor)), Err(Rejection::TerminalState));
    assert_eq!(later(Act::AskQuestion(question())), Err(Rejection::SeriesEnded));
    assert_eq!(later(Act::AgreeAction(action())), Err(Rejection::SeriesEnded));
    let put_off = given(history, moving(2, "2013-10-20T09:00:00Z", vec![]));
    assert_eq!(put_off, Err(Rejection::SeriesEnded));
}

#[test]
fn what_is_off_at_the_end_is_no_cancellation() {
    let history = after(ready(), [cancelled(2, Side::Mentor), Change::Ended(Ending::Completed, start(2))]);
    let decided = given_at(start(2), history, Act::Cancel(session(1), Side::Mentor));
    assert_eq!(decided, Ok(vec![cancelled(1, Side::Mentor), Change::OfficeAlerted(Side::Mentor)]));
}

#[test]
fn a_session_that_a_leave_put_off_is_planned_again_and_no_other() {
    let pause = |side| Act::Pause(session(2), side);
    let resume = || Act::Resume(session(2), start(2));
    let paused =
        || Change::Session(occasion(2), Outcome::Cancelled { side: Side::Mentor, cause: Cause::OnLeave });
    let resumed = || Change::Session(occasion(2), Outcome::Resumed(start(2)));
    assert_eq!(given(vec![planned()], pause(Side::Mentor)), Ok(vec![paused()]));
    let off = || vec![planned(), paused()];
    assert_eq!(given(off(), pause(Side::Mentee)), Ok(vec![]), "it is off already");
    assert_eq!(given(off(), resume()), Ok(vec![resumed()]));
    let back = || after(off(), [resumed()]);
    assert_eq!(given(back(), resume()), Ok(vec![]));
    assert_eq!(given(back(), pause(Side::Mentor)), Ok(vec![paused()]), "the leave may be recorded again");

    for off_otherwise in [cancelled(2, Side::Mentor), excused(2, Side::Mentor)] {
        assert_eq!(given(vec![planned(), off_otherwise], resume()), Ok(vec![]));
    }
    let over = after(off(), [Change::Ended(Ending::Dissolved, start(1))]);
    assert_eq!(given(over, resume()), Ok(vec![]), "the two do not meet any more");
}
