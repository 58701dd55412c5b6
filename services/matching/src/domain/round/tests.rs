use identity::EditionId;
use uuid::Uuid;

use super::*;
use crate::domain::inputs::tests::{inputs, mentee, mentor, pair, person};
use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};
use crate::domain::tandem;

fn unanswered(mentor: u128, mentee: u128) -> Unanswered {
    let by = PerCriterion([5_000, 0, 0, 0, 0, 0, 0]);
    let tandem = TandemId::from_uuid(Uuid::from_u128(100 * mentor + mentee));
    Unanswered { tandem, pair: pair(mentor, mentee), points: Points { by, ..Points::default() } }
}

fn key(mentee: u128) -> repair::Key {
    let tandem = TandemId::from_uuid(Uuid::from_u128(mentee));
    repair::Key::of(tandem::Key { tandem, edition: EditionId::from_uuid(Uuid::from_u128(7)) }, person(mentee))
}

/// A round in which executive 4 was silent too often.
fn beginning(
    inputs: Inputs,
    unanswered: Vec<Unanswered>,
    served: BTreeSet<PersonId>,
    silent: BTreeSet<Pair>,
) -> Round {
    Round::new(inputs, unanswered, served, silent, [(person(4), 2)].into())
}

/// Executives 1 to 4, and mentors 11, 12 and 13, of whom the first two are the better ones.
fn people(free: &[u128]) -> Inputs {
    let mut inputs = inputs();
    inputs.mentees = (1..=4).map(|number| mentee(number, &[100], &[("hashtags", 0)])).collect();
    inputs.mentors.push(mentor(13, &[23, 33, 43, 100], &[("hashtags", 1)]));
    for mentor in &mut inputs.mentors {
        if !free.contains(&mentor.participant.standing.person.uuid().as_u128()) {
            (mentor.places, mentor.taken) = (0, 1);
        }
    }
    inputs
}

fn mentors(round: &mut Round, executive: u128) -> Vec<PersonId> {
    let options = round.options(person(executive)).unwrap().unwrap();
    options.frontier.iter().map(|step| step.offer.pair.mentor).collect()
}

fn serve(round: &mut Round, executive: u128) -> Step {
    let options = round.options(person(executive)).unwrap().unwrap();
    round.take(&key(executive), &options.frontier[0]);
    options.frontier[0]
}

#[test]
fn what_one_is_offered_the_next_does_not_find() {
    let mut round = beginning(people(&[11, 12]), Vec::new(), BTreeSet::new(), BTreeSet::new());
    assert_eq!(serve(&mut round, 1).offer.pair, pair(11, 1));
    assert_eq!(serve(&mut round, 2).offer.pair, pair(12, 2));
    assert_eq!(mentors(&mut round, 3), []);
    assert!(round.options(person(1)).unwrap().is_none(), "the offer is one");
    assert!(round.options(person(9)).unwrap().is_none(), "takes no part");
}

#[test]
fn what_was_offered_in_the_round_may_be_moved_in_it_and_what_was_answered_is_not() {
    // Only executive 2 can be taught by the others: 1 was silent to 12, and 13 is for 2 alone.
    let silent = [pair(12, 1), pair(13, 1)].into();
    let mut round = beginning(people(&[11, 13]), Vec::new(), BTreeSet::new(), silent);
    let first = serve(&mut round, 2);
    assert_eq!(first.offer.pair, pair(11, 2));
    let moved = serve(&mut round, 1).moved.unwrap();
    assert_eq!((moved.from.pair, moved.to.pair), (pair(11, 2), pair(13, 2)));

    let silent = [pair(12, 1), pair(13, 1)].into();
    let mut round = beginning(people(&[13]), vec![unanswered(11, 2)], [person(2)].into(), silent);
    assert_eq!(mentors(&mut round, 1), [person(11)]);
    round.answered(unanswered(11, 2).tandem);
    assert_eq!(mentors(&mut round, 1), []);
}

#[test]
fn the_points_for_free_hands_are_those_of_the_moment() {
    let mut people = people(&[11]);
    people.mentors[0].places = 2;
    let weights = PerCriterion([6_000, 1_000, 0, 1_000, 0, 0, 2_000]);
    people.scoring = Scoring { version: 1, rules: ScoringRules::try_new(weights, &[2_000, 3_000]).unwrap() };
    let mut round = beginning(people, Vec::new(), BTreeSet::new(), BTreeSet::new());
    let load = |step: Step| step.offer.points.by.of(Criterion::LoadBalance);
    assert_eq!(load(serve(&mut round, 1)), 2_000);
    assert_eq!(load(serve(&mut round, 2)), 1_000);
}

#[test]
fn an_offer_that_is_moved_makes_way_with_its_mentors_hands() {
    // The mentor's only place is the one that is given back.
    let mut round =
        beginning(people(&[13]), vec![unanswered(11, 2)], [person(2)].into(), [pair(13, 1)].into());
    let weights = PerCriterion([6_000, 1_000, 0, 1_000, 0, 0, 2_000]);
    round.inputs.scoring =
        Scoring { version: 1, rules: ScoringRules::try_new(weights, &[2_000, 3_000]).unwrap() };
    let step = serve(&mut round, 1);
    assert_eq!(step.offer.pair, pair(11, 1));
    assert_eq!(step.offer.points.by.of(Criterion::LoadBalance), 2_000);
}

#[test]
fn whom_a_round_does_not_come_to_stands_in_line() {
    let mut round = beginning(people(&[11, 12, 13]), Vec::new(), BTreeSet::new(), BTreeSet::new());
    // Three pairs for each of two; the offer of the first would have been two more.
    round.look(Reach::Moves, 6);
    assert_eq!(serve(&mut round, 1).offer.pair, pair(11, 1));
    let second = round.options(person(2)).unwrap().unwrap();
    let way = (second.frontier[0].offer.pair, second.looked);
    assert_eq!(way, (pair(12, 2), Looked::Partly), "served, though not all was looked at");
    let third = round.options(person(3)).unwrap().unwrap();
    assert_eq!((third.frontier, third.looked), (Vec::new(), Looked::Nowhere));
}

#[test]
fn one_for_whom_a_round_is_too_short_is_looked_at_as_far_as_it_goes() {
    let offers = vec![unanswered(11, 2), unanswered(12, 3)];
    let silent = [pair(13, 1), pair(13, 2), pair(13, 3)].into();
    let mut round = beginning(people(&[13]), offers, [person(2), person(3)].into(), silent);
    round.look(Reach::Moves, 4);
    let options = round.options(person(1)).unwrap().unwrap();
    assert_eq!((options.frontier, options.looked), (Vec::new(), Looked::Partly));
    assert!(round.judged.len() <= 5);
}

#[test]
fn nothing_is_judged_twice() {
    let mut round = beginning(people(&[13]), vec![unanswered(11, 2)], [person(2)].into(), BTreeSet::new());
    for executive in [1, 3, 1] {
        mentors(&mut round, executive);
    }
    // Two executives beside the two mentors, and the one with the offer beside the free mentor.
    assert_eq!((round.judged.len(), round.looked), (5, 9));
}

#[test]
fn nobody_is_moved_before_everybody_had_the_free_mentors() {
    // 13 is not for 1, who can have the mentor of 2 only by a move.
    let mut round =
        beginning(people(&[13]), vec![unanswered(11, 2)], [person(2)].into(), [pair(13, 1)].into());
    round.look(Reach::Free, 2);
    assert!(round.options(person(1)).unwrap().is_none());
    let served = serve(&mut round, 3);
    assert_eq!((served.offer.pair, served.moved), (pair(13, 3), None));
    assert_eq!(round.looked, 2, "one free mentor for each of the two");
    round.look(Reach::Moves, 3);
    let options = round.options(person(1)).unwrap().unwrap();
    assert_eq!(
        (options.frontier, options.looked),
        (Vec::new(), Looked::Everywhere),
        "nobody is free any more"
    );
}

#[test]
fn nothing_is_looked_for_who_was_silent_too_often() {
    let mut round = beginning(people(&[11, 12, 13]), Vec::new(), BTreeSet::new(), BTreeSet::new());
    assert_eq!(mentors(&mut round, 4), []);
    assert_eq!((round.looked, round.silences(person(4)), round.silences(person(1))), (0, 2, 0));
    round.look(Reach::Free, 3);
    assert!(round.options(person(4)).unwrap().is_none());
}
