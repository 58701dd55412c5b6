use uuid::Uuid;

use crate::domain::inputs::tests::pair;
use crate::domain::scoring::PerCriterion;

use super::*;

const POINTS: Points = Points { by: PerCriterion([3_000, 1_000, 500, 1_000, 0, 0, 0]), scoring_version: 0 };

fn key(edition: u128) -> Key {
    Key {
        tandem: TandemId::from_uuid(Uuid::from_u128(1)),
        edition: EditionId::from_uuid(Uuid::from_u128(edition)),
    }
}

fn at(day: &str) -> Timestamp {
    format!("2013-09-{day}T12:00:00Z").parse().unwrap()
}

fn offer() -> Offer {
    Offer { pair: pair(11, 1), run: None, repair: None, points: POINTS, answer_by: at("10") }
}

fn proposal() -> Proposal {
    Proposal {
        pair: pair(11, 1),
        phase: Phase::Running,
        assessed: Ok(Ok(POINTS)),
        offered_already: false,
        places_left: true,
        answer_by: at("10"),
    }
}

fn published() -> Vec<Change> {
    vec![Change::Published(offer())]
}

fn active() -> Vec<Change> {
    [published(), vec![Change::Accepted(Side::Mentor), Change::Accepted(Side::Mentee), activated()]].concat()
}

fn activated() -> Change {
    Change::Activated(pair(11, 1))
}

fn vetoed() -> Change {
    Change::Vetoed(pair(11, 1))
}

fn declined() -> Change {
    Change::Declined(pair(11, 1))
}

fn completed() -> Change {
    Change::Completed(pair(11, 1))
}

fn expired(mentor_silent: bool, mentee_silent: bool) -> Change {
    Change::Expired { pair: pair(11, 1), mentor_silent, mentee_silent }
}

fn dissolved(side: Side) -> Change {
    let (left_company, never_again, sealed_reason) = (false, true, vec![1, 2]);
    Change::Dissolved { pair: pair(11, 1), side: Some(side), left_company, never_again, sealed_reason }
}

fn left(side: Side) -> Change {
    let (left_company, never_again, sealed_reason) = (true, false, vec![]);
    Change::Dissolved { pair: pair(11, 1), side: Some(side), left_company, never_again, sealed_reason }
}

fn accept(side: Side, day: &str) -> Action {
    Action::Accept { side, now: at(day) }
}

fn dissolve(side: Side) -> Action {
    Action::Dissolve { side, never_again: true, sealed_reason: vec![1, 2] }
}

fn given(history: &[Change]) -> State {
    let mut state = State::default();
    for change in history {
        evolve(&mut state, &Event { key: key(7), change: change.clone() });
    }
    state
}

fn when(history: &[Change], action: Action) -> Result<Vec<Change>, Rejection> {
    when_in(7, history, action)
}

fn when_in(edition: u128, history: &[Change], action: Action) -> Result<Vec<Change>, Rejection> {
    let command = Command { key: key(edition), action };
    decide(&given(history), &command).map(|events| events.into_iter().map(|event| event.change).collect())
}

fn then(mut history: Vec<Change>, change: Change) -> Vec<Change> {
    history.push(change);
    history
}

#[test]
fn a_pair_of_a_run_is_published_once() {
    assert_eq!(when(&[], Action::Publish(offer())), Ok(published()));
    assert_eq!(when(&published(), Action::Publish(offer())), Ok(vec![]));
}

#[test]
fn the_office_proposes_a_pair_that_keeps_the_rules() {
    let propose = |proposal| when(&[], Action::Propose(Box::new(proposal)));
    assert_eq!(propose(proposal()), Ok(published()));
    let broken = Proposal { assessed: Ok(Err(Rule::Chain)), ..proposal() };
    assert_eq!(propose(broken), Err(Rejection::Breaks(Rule::Chain)));
    let stranger = Proposal { assessed: Err(Side::Mentor), ..proposal() };
    assert_eq!(propose(stranger), Err(Rejection::NotTakingPart(Side::Mentor)));
    let early = Proposal { phase: Phase::Open, ..proposal() };
    assert_eq!(propose(early), Err(Rejection::EditionNotMatching(Phase::Open)));
    let twice = Proposal { offered_already: true, ..proposal() };
    assert_eq!(propose(twice), Err(Rejection::OfferedAlready));
    let full = Proposal { places_left: false, ..proposal() };
    assert_eq!(propose(full), Err(Rejection::Place(place::Rejection::NoPlaceLeft)));
}

#[test]
fn the_second_acceptance_activates() {
    for (first, second) in [(Side::Mentor, Side::Mentee), (Side::Mentee, Side::Mentor)] {
        assert_eq!(when(&published(), accept(first, "09")), Ok(vec![Change::Accepted(first)]));
        let history = then(published(), Change::Accepted(first));
        assert_eq!(when(&history, accept(first, "09")), Ok(vec![]));
        let both = vec![Change::Accepted(second), activated()];
        assert_eq!(when(&history, accept(second, "09")), Ok(both));
        assert_eq!(when(&active(), accept(first, "20")), Ok(vec![]));
    }
}

#[test]
fn only_an_active_tandem_holds_its_places() {
    assert!(!given(&published()).is_active());
    assert!(given(&active()).is_active());
    assert_eq!(given(&active()).pair(), Some(pair(11, 1)));
    for end in [completed(), dissolved(Side::Mentor), left(Side::Mentee)] {
        assert!(!given(&then(active(), end)).is_active());
    }
}

#[test]
fn an_answer_after_the_time_is_none() {
    let refused = Err(Rejection::AnswerTimeOver(at("10")));
    assert_eq!(when(&published(), accept(Side::Mentee, "10")), refused);
}

#[test]
fn the_mentee_vetoes_and_the_mentor_declines() {
    assert_eq!(when(&published(), Action::Veto(Side::Mentee)), Ok(vec![vetoed()]));
    assert_eq!(when(&published(), Action::Decline(Side::Mentor)), Ok(vec![declined()]));
    let wrong = |side| Err(Rejection::WrongSide(side));
    assert_eq!(when(&published(), Action::Veto(Side::Mentor)), wrong(Side::Mentor));
    assert_eq!(when(&published(), Action::Decline(Side::Mentee)), wrong(Side::Mentee));
}

#[test]
fn a_side_that_accepted_may_still_refuse_until_the_other_has() {
    let history = then(published(), Change::Accepted(Side::Mentee));
    assert_eq!(when(&history, Action::Veto(Side::Mentee)), Ok(vec![vetoed()]));
    assert_eq!(when(&active(), Action::Veto(Side::Mentee)), Err(Rejection::Active));
    assert_eq!(when(&active(), Action::Decline(Side::Mentor)), Err(Rejection::Active));
}

#[test]
fn either_side_ends_an_active_tandem() {
    for side in [Side::Mentor, Side::Mentee] {
        assert_eq!(when(&active(), dissolve(side)), Ok(vec![dissolved(side)]));
        assert_eq!(when(&then(active(), dissolved(side)), dissolve(side)), Ok(vec![]));
    }
    assert_eq!(when(&published(), dissolve(Side::Mentor)), Err(Rejection::NotActive));
}

#[test]
fn a_dissolution_that_asks_for_more_than_was_recorded_is_refused() {
    let plainly = |side| Action::Dissolve { side, never_again: false, sealed_reason: vec![] };
    let over = Err(Rejection::Over(Status::Dissolved));
    for (history, side) in [
        (then(published(), vetoed()), Side::Mentee),
        (then(published(), declined()), Side::Mentor),
        (then(active(), when(&active(), plainly(Side::Mentee)).unwrap().remove(0)), Side::Mentee),
    ] {
        assert_eq!(when(&history, dissolve(side)), over, "never again was not recorded");
        assert_eq!(when(&history, plainly(side)), Ok(vec![]), "it says nothing new");
    }
    let never_again = then(active(), dissolved(Side::Mentor));
    assert_eq!(when(&never_again, plainly(Side::Mentor)), over, "it is not taken back");
}

#[test]
fn silence_ends_at_the_deadline() {
    assert_eq!(when(&published(), Action::Lapse { now: at("09") }), Ok(vec![]));
    assert_eq!(when(&published(), Action::Lapse { now: at("10") }), Ok(vec![expired(true, true)]));
    let history = then(published(), Change::Accepted(Side::Mentor));
    assert_eq!(when(&history, Action::Lapse { now: at("11") }), Ok(vec![expired(false, true)]));
    assert_eq!(when(&active(), Action::Lapse { now: at("11") }), Ok(vec![]));
}

#[test]
fn a_leaver_ends_what_is_live() {
    for history in [published(), active()] {
        assert_eq!(when(&history, Action::Leave(Side::Mentee)), Ok(vec![left(Side::Mentee)]));
    }
    assert_eq!(when(&then(active(), completed()), Action::Leave(Side::Mentee)), Ok(vec![]));
}

#[test]
fn a_withdrawn_mentor_declines_what_was_offered_and_keeps_what_is_active() {
    assert_eq!(when(&published(), Action::WithdrawMentor), Ok(vec![declined()]));
    assert_eq!(when(&active(), Action::WithdrawMentor), Ok(vec![]));
}

#[test]
fn the_end_of_the_edition_completes_what_is_active() {
    assert_eq!(when(&active(), Action::Complete), Ok(vec![completed()]));
    assert_eq!(when(&published(), Action::Complete), Ok(vec![expired(true, true)]));
    assert_eq!(when(&then(active(), completed()), Action::Complete), Ok(vec![]));
}

#[test]
fn what_is_live_is_flagged_once_and_cleared_when_the_rule_holds_again() {
    let (breaks, keeps) = (Action::Examine { breaks: true }, Action::Examine { breaks: false });
    for history in [published(), active()] {
        assert_eq!(when(&history, keeps.clone()), Ok(vec![]));
        assert_eq!(when(&history, breaks.clone()), Ok(vec![Change::Flagged]));
        let flagged = then(history, Change::Flagged);
        assert_eq!(when(&flagged, breaks.clone()), Ok(vec![]));
        assert_eq!(when(&flagged, keeps.clone()), Ok(vec![Change::Cleared]));
        assert_eq!(when(&then(flagged, Change::Cleared), breaks.clone()), Ok(vec![Change::Flagged]));
    }
    assert_eq!(when(&then(active(), completed()), breaks), Ok(vec![]));
}

#[test]
fn an_offer_that_a_side_has_accepted_is_not_moved() {
    let moved = Action::Withdraw(Withdrawal::Moved);
    assert_eq!(
        when(&published(), moved.clone()),
        Ok(vec![Change::Withdrawn(pair(11, 1), Withdrawal::Moved)])
    );
    for side in [Side::Mentor, Side::Mentee] {
        let answered = then(published(), Change::Accepted(side));
        assert_eq!(when(&answered, moved.clone()), Err(Rejection::Answered(side)));
    }
    assert_eq!(when(&active(), moved), Err(Rejection::Active));
}

#[test]
fn an_offer_whose_place_is_taken_ends_and_whoever_comes_later_hears_why() {
    let (taken, gone) = (Action::Withdraw(Withdrawal::PlaceTaken), Withdrawal::PlaceTaken);
    let answered = then(published(), Change::Accepted(Side::Mentor));
    for history in [published(), answered] {
        let withdrawn = Change::Withdrawn(pair(11, 1), gone);
        assert_eq!(when(&history, taken.clone()), Ok(vec![withdrawn.clone()]));
        let history = then(history, withdrawn);
        assert_eq!(when(&history, taken.clone()), Ok(vec![]));
        let refused = Err(Rejection::Place(place::Rejection::NoPlaceLeft));
        assert_eq!(when(&history, accept(Side::Mentee, "09")), refused);
    }
    let moved = then(published(), Change::Withdrawn(pair(11, 1), Withdrawal::Moved));
    let over = Err(Rejection::Over(Status::Withdrawn));
    assert_eq!(when(&moved, accept(Side::Mentee, "09")), over);
    assert_eq!(when(&active(), taken), Err(Rejection::Active));
}

#[test]
fn an_excused_mentee_ends_what_is_live_and_nobody_has_ended_it() {
    let released = Change::Dissolved {
        pair: pair(11, 1),
        side: None,
        left_company: false,
        never_again: false,
        sealed_reason: vec![],
    };
    for history in [published(), active()] {
        assert_eq!(when(&history, Action::ExcuseMentee), Ok(vec![released.clone()]));
    }
    assert_eq!(when(&then(active(), completed()), Action::ExcuseMentee), Ok(vec![]));
}

#[test]
fn nothing_leaves_a_terminal_state() {
    let ends = [
        (then(published(), vetoed()), Status::Dissolved),
        (then(published(), declined()), Status::Dissolved),
        (then(published(), expired(true, true)), Status::Expired),
        (then(active(), completed()), Status::Completed),
    ];
    for (history, status) in &ends {
        let refused = Err(Rejection::Over(*status));
        for side in [Side::Mentor, Side::Mentee] {
            assert_eq!(when(history, accept(side, "02")), refused);
        }
    }
    let (vetoed, declined, expired) = (&ends[0].0, &ends[1].0, &ends[2].0);
    assert_eq!(when(vetoed, Action::Veto(Side::Mentee)), Ok(vec![]));
    assert_eq!(when(declined, Action::Decline(Side::Mentor)), Ok(vec![]));
    assert_eq!(when(vetoed, Action::Decline(Side::Mentor)), Err(Rejection::Over(Status::Dissolved)));
    assert_eq!(when(expired, dissolve(Side::Mentor)), Err(Rejection::Over(Status::Expired)));
}

#[test]
fn a_tandem_of_another_edition_is_out_of_reach() {
    for action in [accept(Side::Mentor, "02"), Action::Veto(Side::Mentee), dissolve(Side::Mentor)] {
        assert_eq!(when_in(8, &published(), action), Err(Rejection::OtherEdition));
    }
}

#[test]
fn there_is_nothing_to_do_with_a_tandem_that_was_never_published() {
    assert_eq!(when(&[], accept(Side::Mentor, "02")), Err(Rejection::Unknown));
    assert_eq!(when(&[], Action::Complete), Err(Rejection::Unknown));
}

#[test]
fn a_run_makes_the_same_tandem_of_the_same_pair() {
    let run = MatchRunId::from_uuid(Uuid::from_u128(5));
    let of = |pair| Key::of_run(run, key(7).edition, pair);
    assert_eq!(of(pair(11, 1)), of(pair(11, 1)));
    assert!(of(pair(11, 1)).tandem != of(pair(11, 2)).tandem);
}

fn asking(side: Side, need: Need) -> Asking {
    Asking { side, need, answer_by: at("15"), released_by: None }
}

fn ask(side: Side, need: Need, day: &str) -> Action {
    Action::Ask { asking: asking(side, need), now: at(day) }
}

#[test]
fn the_first_who_needs_information_puts_the_time_to_answer_off_and_nobody_else_does() {
    let first = Change::Asked(asking(Side::Mentee, Need::Effort));
    assert_eq!(when(&published(), ask(Side::Mentee, Need::Effort, "09")), Ok(vec![first.clone()]));
    let asked = then(published(), first);
    assert_eq!(when(&asked, ask(Side::Mentee, Need::Effort, "16")), Ok(vec![]), "asked already");
    let other = ask(Side::Mentee, Need::Other, "09");
    assert_eq!(when(&asked, other), Err(Rejection::Answered(Side::Mentee)), "once");
    assert_eq!(when(&asked, Action::Lapse { now: at("14") }), Ok(vec![]));
    assert_eq!(when(&asked, Action::Lapse { now: at("15") }), Ok(vec![expired(true, false)]));
    let second = asking(Side::Mentor, Need::Partner);
    let later = Asking { answer_by: at("19"), ..second };
    let asks = Action::Ask { asking: later, now: at("12") };
    assert_eq!(when(&asked, asks.clone()), Ok(vec![Change::Asked(second)]));
    let accepted = then(asked, Change::Accepted(Side::Mentee));
    assert_eq!(when(&accepted, asks), Ok(vec![Change::Asked(second)]));
}

#[test]
fn whoever_has_asked_was_not_silent() {
    let lapse = Action::Lapse { now: at("15") };
    for (side, silent) in [(Side::Mentor, expired(false, true)), (Side::Mentee, expired(true, false))] {
        let asked = then(published(), Change::Asked(asking(side, Need::Effort)));
        assert_eq!(when(&asked, lapse.clone()), Ok(vec![silent]));
    }
}

#[test]
fn whoever_has_asked_may_still_answer_either_way_and_the_offer_is_not_moved() {
    let asked = [Side::Mentor, Side::Mentee].map(|side| Change::Asked(asking(side, Need::Topics)));
    let history = [published(), asked.to_vec()].concat();
    assert_eq!(when(&history, accept(Side::Mentor, "14")), Ok(vec![Change::Accepted(Side::Mentor)]));
    assert_eq!(when(&history, Action::Veto(Side::Mentee)), Ok(vec![vetoed()]));
    assert_eq!(when(&history, Action::Decline(Side::Mentor)), Ok(vec![declined()]));
    let moved = Action::Withdraw(Withdrawal::Moved);
    assert_eq!(when(&history, moved), Err(Rejection::Answered(Side::Mentor)));
}

#[test]
fn whoever_has_answered_or_is_too_late_asks_nothing() {
    let asks = ask(Side::Mentor, Need::Effort, "09");
    let accepted = then(published(), Change::Accepted(Side::Mentor));
    assert_eq!(when(&accepted, asks.clone()), Err(Rejection::Answered(Side::Mentor)));
    assert!(when(&accepted, ask(Side::Mentee, Need::Effort, "09")).is_ok());
    let late = ask(Side::Mentor, Need::Effort, "10");
    assert_eq!(when(&published(), late), Err(Rejection::AnswerTimeOver(at("10"))));
    assert_eq!(when(&active(), asks.clone()), Err(Rejection::Active));
    let over = then(published(), vetoed());
    assert_eq!(when(&over, asks), Err(Rejection::Over(Status::Dissolved)));
}
