use crate::domain::frozen::tests::frozen;
use crate::domain::inputs::tests::{inputs, mentee, mentor, pair, person};
use crate::domain::inputs::{Inputs, Past};
use crate::domain::solution::solve;

use super::*;

/// A run of these inputs, solved with these wishes.
fn run(inputs: Inputs, wishes: Wishes) -> (Frozen, Staged) {
    let frozen = frozen(inputs);
    let staged = solve(&frozen, wishes, &Progress::default()).unwrap();
    (frozen, staged)
}

fn explained(
    (frozen, staged): &(Frozen, Staged),
    number: u128,
    other: Option<u128>,
) -> Result<Explanation, Unexplained> {
    explain(frozen, staged, person(number), other.map(person), &Progress::default())
}

/// Mentee 1 needs what only 11 teaches well, mentee 2 needs something that both teach.
fn two_by_two() -> Inputs {
    let mut inputs = inputs();
    inputs.mentees[1].needs = [("podcasts".to_owned(), 0)].into();
    inputs.mentors[0].offers.insert("podcasts".to_owned(), 4);
    inputs.mentors[1].offers.insert("podcasts".to_owned(), 4);
    inputs
}

#[test]
fn an_executive_learns_why_this_one_who_is_next_and_what_that_costs_everybody() {
    let run = run(two_by_two(), Wishes::default());
    let seen = explained(&run, 1, Some(12)).unwrap();
    assert_eq!((seen.side, seen.shortage), (Side::Mentee, None));
    let [tandem] = seen.tandems.as_slice() else { panic!("{:?}", seen.tandems) };
    assert_eq!((tandem.pair, tandem.is_tandem, &tandem.price), (pair(11, 1), true, &None));
    let asked = seen.asked.unwrap();
    assert_eq!((asked.pair, asked.is_tandem), (pair(12, 1), false));
    let price = asked.price.unwrap();
    // 12 teaches hashtags half as well; for 2 both are as good.
    assert_eq!((price.loss.score, price.loss.unmatched), (2_500, 0));
    assert!(price.loss.is_score_alone());
    let moved: Vec<_> = price.moves.iter().map(|moved| moved.mentee).collect();
    assert_eq!(moved, [person(1), person(2)]);
    // There is nobody else than 12, so that the next one is the one who was asked for.
    assert_eq!(seen.alternative.unwrap().pair, pair(12, 1));
}

#[test]
fn a_mentor_has_a_view_of_the_run_too() {
    let run = run(two_by_two(), Wishes::default());
    let seen = explained(&run, 11, Some(2)).unwrap();
    assert_eq!(seen.side, Side::Mentor);
    assert_eq!(seen.tandems[0].pair, pair(11, 1));
    assert_eq!(seen.asked.unwrap().pair, pair(11, 2));
    assert_eq!(seen.alternative.unwrap().pair, pair(11, 2));
}

#[test]
fn a_pair_that_cannot_be_is_told_its_rules() {
    let mut apart = inputs();
    apart.past.insert(pair(12, 1), Past::Former);
    let forbids = [pair(12, 1)].into();
    let run = run(apart, Wishes { forbids, ..Wishes::default() });
    let asked = explained(&run, 1, Some(12)).unwrap().asked.unwrap();
    let broken: Vec<_> = asked.verdict.unwrap_err().rules().collect();
    assert_eq!(broken, [Rule::FormerPair, Rule::Forbidden]);
    assert_eq!(asked.price, None);
}

#[test]
fn whoever_has_nobody_learns_which_rule_to_relax() {
    // 1, 2 and 3 compete for two places; a third mentor is out of reach for a reason each.
    let mut scarce = inputs();
    scarce.mentees.push(mentee(3, &[100], &[("hashtags", 0)]));
    let mut third = mentor(13, &[23, 33, 43, 100], &[("hashtags", 4)]);
    third.participant.spans.clear();
    scarce.mentors.push(third);
    for mentee in [1, 2] {
        scarce.past.insert(pair(13, mentee), Past::Former);
    }
    let run = run(scarce, Wishes::default());
    let left = run.1.unmatched[0].mentee;
    let seen = explain(&run.0, &run.1, left, None, &Progress::default()).unwrap();
    assert_eq!((seen.tandems.len(), seen.alternative), (0, None));
    let shortage = seen.shortage.unwrap();
    assert_eq!(shortage.unmatched.competing, [person(1), person(2), person(3)]);
    // Only the pair of 13 and 3 fails by the lack of time alone.
    let expected = Relaxation { rule: Rule::NoCommonTime, pairs: 1, matched: 1 };
    assert_eq!(shortage.relaxations, [expected]);
}

#[test]
fn a_word_that_was_given_is_no_rule_to_relax() {
    let mut apart = inputs();
    for mentor in [11, 12] {
        apart.past.insert(pair(mentor, 1), Past::NeverAgain);
    }
    let run = run(apart, Wishes::default());
    assert_eq!(explained(&run, 1, None).unwrap().shortage.unwrap().relaxations, []);
}

#[test]
fn a_swap_has_its_exact_price() {
    let (frozen, staged) = run(two_by_two(), Wishes::default());
    let swapped =
        price(&frozen, &staged, Wishes::default(), &[(person(1), person(2))], &Progress::default()).unwrap();
    assert_eq!(swapped.loss.score, 2_500);
    assert_eq!(swapped.moves.len(), 2);
    let to_and_fro = [(person(1), person(2)), (person(1), person(2))];
    // Both are swapped as the run has them, so that a swap twice is the same swap.
    assert_eq!(
        price(&frozen, &staged, Wishes::default(), &to_and_fro, &Progress::default()).unwrap(),
        swapped
    );
    let free = price(&frozen, &staged, Wishes::default(), &[], &Progress::default()).unwrap();
    assert_eq!((free.loss.score, free.moves.len()), (0, 0));
}

#[test]
fn a_lock_that_was_a_bad_idea_is_given_up_with_a_gain() {
    let locks = [pair(12, 1)].into();
    let (frozen, staged) = run(two_by_two(), Wishes { locks, ..Wishes::default() });
    let given_up = price(&frozen, &staged, Wishes::default(), &[], &Progress::default()).unwrap();
    assert_eq!(given_up.loss.score, -2_500);
}

#[test]
fn whoever_is_not_in_the_run_is_not_explained() {
    let run = run(inputs(), Wishes::default());
    assert_eq!(explained(&run, 99, None), Err(Unexplained::NotInRun(person(99))));
    assert_eq!(explained(&run, 1, Some(2)), Err(Unexplained::NotOpposite(person(2))));
    assert_eq!(explained(&run, 11, Some(12)), Err(Unexplained::NotOpposite(person(12))));
    let swap = [(person(1), person(99))];
    let unknown = price(&run.0, &run.1, Wishes::default(), &swap, &Progress::default());
    assert_eq!(unknown, Err(Unexplained::NothingToSwap(person(99))));
}

#[test]
fn a_place_that_other_locks_hold_has_no_price() {
    let locks = [pair(12, 2)].into();
    let run = run(two_by_two(), Wishes { locks, ..Wishes::default() });
    let asked = explained(&run, 1, Some(12)).unwrap().asked.unwrap();
    assert!(asked.verdict.is_ok());
    assert_eq!(asked.price, None);
}
