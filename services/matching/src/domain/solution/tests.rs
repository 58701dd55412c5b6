use crate::domain::frozen::tests::frozen;
use crate::domain::inputs::tests::{inputs, mentee, mentor, pair, person};
use crate::domain::inputs::{Inputs, Mentor, Past};
use crate::domain::matrix::NoMatrix;
use crate::domain::pairing::Rule;
use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};

use super::*;

fn solve_for(inputs: &Inputs, wishes: Wishes) -> Result<Staged, Unsolvable> {
    solve(&frozen(inputs.clone()), wishes, &Progress::default())
}

fn solved(inputs: &Inputs) -> Staged {
    solve_for(inputs, Wishes::default()).unwrap()
}

fn pairs(staged: &Staged) -> Vec<Pair> {
    staged.pairs.iter().map(|proposed| proposed.pair).collect()
}

fn wishes(locks: &[Pair], forbids: &[Pair]) -> Wishes {
    Wishes { locks: locks.iter().copied().collect(), forbids: forbids.iter().copied().collect() }
}

#[test]
fn everybody_gets_a_mentor_where_that_is_possible() {
    let staged = solved(&inputs());
    assert_eq!((staged.mentee_count, staged.place_count), (2, 2));
    assert_eq!(staged.pairs.len(), 2);
    assert_eq!(staged.unmatched, []);
    assert!(staged.certificate.verified);
    assert_eq!(staged.certificate.prices.len(), 2);
    assert_eq!(staged.inputs_digest, "digest");
    assert_eq!(staged.score(), staged.pairs.iter().map(|proposed| proposed.points.score()).sum::<i32>());
}

/// So many executives and mentors with two places each, who all may be paired.
fn crowd(mentees: u128, mentors: u128) -> Inputs {
    let mut crowd = inputs();
    let needs = |number| if number % 2 == 0 { "hashtags" } else { "podcasts" };
    crowd.mentees = (0..mentees).map(|at| mentee(1_000 + at, &[100], &[(needs(at), 0)])).collect();
    let level = |number: u128| i32::try_from(number % 5).unwrap();
    let offers = |at| [("hashtags", level(at)), ("podcasts", level(at / 5))];
    let mentor = |at| mentor(1_000_000 + at, &[21, 31, 41, 100], &offers(at));
    crowd.mentors = (0..mentors).map(|at| Mentor { places: 2, ..mentor(at) }).collect();
    crowd
}

#[test]
fn more_without_a_mentor_than_can_be_explained_are_refused() {
    assert_eq!(solve_for(&crowd(1_002, 1), Wishes::default()), Err(Unsolvable::TooManyUnmatched(1_000)));
    assert_eq!(solved(&crowd(500, 1)).unmatched.len(), 498);
}

#[test]
#[ignore = "takes minutes and half a gigabyte"]
fn ten_million_pairs_are_answered() {
    let few = solve_for(&crowd(100_000, 100), Wishes::default());
    assert_eq!(few, Err(Unsolvable::TooManyUnmatched(99_800)));
    let staged = solved(&crowd(2_000, 5_000));
    assert!(staged.certificate.verified && staged.unmatched.is_empty());
}

#[test]
fn the_order_of_the_people_changes_nothing_but_the_order() {
    let mut turned = inputs();
    turned.mentees.reverse();
    turned.mentors.reverse();
    let (mut straight, mut turned) = (pairs(&solved(&inputs())), pairs(&solved(&turned)));
    straight.sort_unstable();
    turned.sort_unstable();
    assert_eq!(straight, turned);
}

#[test]
fn a_lock_and_a_forbid_are_kept() {
    for mentor in [11, 12] {
        let wanted = pair(mentor, 1);
        let locked = solve_for(&inputs(), wishes(&[wanted], &[])).unwrap();
        let found = locked.pairs.iter().find(|proposed| proposed.pair == wanted).unwrap();
        assert!(found.locked);
        assert_eq!(locked.pairs.iter().filter(|proposed| proposed.locked).count(), 1);
        let forbidden = solve_for(&inputs(), wishes(&[], &[wanted])).unwrap();
        assert!(!pairs(&forbidden).contains(&wanted));
        assert!(locked.certificate.verified && forbidden.certificate.verified);
    }
}

#[test]
fn a_lock_that_breaks_a_rule_is_refused_by_its_name() {
    let locked = pair(11, 1);
    let mut apart = inputs();
    apart.past.insert(locked, Past::NeverAgain);
    let refused = Unsolvable::LockBreaksRule { pair: locked, rule: Rule::NeverAgain };
    assert_eq!(solve_for(&apart, wishes(&[locked], &[])), Err(refused));
    let refused = Unsolvable::LockBreaksRule { pair: locked, rule: Rule::Forbidden };
    assert_eq!(solve_for(&inputs(), wishes(&[locked], &[locked])), Err(refused));
}

#[test]
fn a_lock_needs_two_people_of_the_run_and_a_place() {
    let stranger = pair(99, 1);
    assert_eq!(solve_for(&inputs(), wishes(&[stranger], &[])), Err(Unsolvable::LockOutsideRun(stranger)));
    let both = wishes(&[pair(11, 1), pair(11, 2)], &[]);
    assert_eq!(solve_for(&inputs(), both), Err(Unsolvable::LockWithoutPlace(pair(11, 2))));
    let twice = wishes(&[pair(11, 1), pair(12, 1)], &[]);
    assert_eq!(solve_for(&inputs(), twice), Err(Unsolvable::LockWithoutPlace(pair(12, 1))));
}

#[test]
fn whoever_has_no_mentor_learns_why() {
    let mut scarce = inputs();
    scarce.mentees.push(mentee(3, &[100], &[("hashtags", 0)]));
    let mut lonely = mentee(4, &[100], &[("hashtags", 0)]);
    lonely.participant.languages = vec!["fi".to_owned()];
    scarce.mentees.push(lonely);

    let staged = solved(&scarce);
    assert_eq!(staged.pairs.len(), 2);
    let [short, none] = staged.unmatched.as_slice() else { panic!("{:?}", staged.unmatched) };
    assert_eq!(short.competing, [person(1), person(2), person(3)]);
    assert_eq!(short.mentors, [person(11), person(12)]);
    assert_eq!(short.places, 2);
    let expected = Unmatched { mentee: person(4), competing: vec![person(4)], mentors: vec![], places: 0 };
    assert_eq!(*none, expected);
}

#[test]
fn a_mentor_takes_as_many_as_there_are_places() {
    let mut two = inputs();
    two.mentors = vec![mentor(11, &[21, 31, 41, 100], &[("hashtags", 4)])];
    two.mentors[0].places = 2;
    let staged = solved(&two);
    assert_eq!(pairs(&staged), [pair(11, 1), pair(11, 2)]);
    assert_eq!(staged.place_count, 2);
}

#[test]
fn nobody_at_all_is_a_solution_too() {
    let mut nobody = inputs();
    nobody.mentees.clear();
    nobody.mentors.clear();
    let staged = solved(&nobody);
    assert!(staged.certificate.verified);
    assert_eq!(staged.certificate.cost, "0");
}

fn scored(weights: [i32; 7], bands: &[i32]) -> Scoring {
    Scoring { version: 1, rules: ScoringRules::try_new(PerCriterion(weights), bands).unwrap() }
}

#[test]
fn of_two_equal_mentors_each_gets_one_mentee_where_load_counts() {
    let mut equal = inputs();
    equal.mentors = vec![
        mentor(11, &[21, 31, 41, 100], &[("hashtags", 4)]),
        mentor(12, &[22, 32, 42, 100], &[("hashtags", 4)]),
    ];
    equal.mentors[0].places = 2;
    equal.mentors[1].places = 2;
    let staged = solved(&equal);
    let mut mentors: Vec<_> = staged.pairs.iter().map(|proposed| proposed.pair.mentor).collect();
    mentors.sort_unstable();
    assert_eq!(mentors, [person(11), person(12)]);
    assert!(staged.certificate.verified);
}

#[test]
fn a_second_mentee_earns_fewer_points_and_is_taken_all_the_same() {
    let mut two = inputs();
    two.mentors = vec![mentor(11, &[21, 31, 41, 100], &[("hashtags", 4)])];
    two.mentors[0].places = 2;
    let staged = solved(&two);
    let mut loads: Vec<_> =
        staged.pairs.iter().map(|proposed| (proposed.place, proposed.points.by.0[6])).collect();
    loads.sort_unstable();
    assert_eq!(loads, [(0, 500), (1, 250)]);
    two.mentors[0].taken = 1;
    let mut loads: Vec<_> = solved(&two).pairs.iter().map(|proposed| proposed.points.by.0[6]).collect();
    loads.sort_unstable();
    assert_eq!(loads, [166, 333]);
}

#[test]
fn wishes_in_a_circle_are_granted_as_far_as_they_go() {
    // 1 wishes for 11, who wishes for 2, who wishes for 12, who wishes for 1.
    let mut circle = inputs();
    circle.scoring = scored([0, 0, 0, 0, 5_000, 5_000, 0], &[]);
    circle.mentees[0].participant.wishes = vec![person(11)];
    circle.mentors[0].participant.wishes = vec![person(2)];
    circle.mentees[1].participant.wishes = vec![person(12)];
    circle.mentors[1].participant.wishes = vec![person(1)];
    let staged = solved(&circle);
    assert_eq!(staged.score(), 10_000);
    assert!(staged.certificate.verified);
}

#[test]
fn the_bands_are_those_of_the_scoring_rules() {
    let mut strict = inputs();
    strict.scoring = scored([10_000, 0, 0, 0, 0, 0, 0], &[6_000]);
    let staged = solved(&strict);
    assert_eq!((staged.scoring_version, staged.bands.as_slice()), (1, &[6_000][..]));
    assert_eq!(staged.band_counts().collect::<Vec<_>>(), [(6_000, 1)]);
}

#[test]
fn a_computation_that_is_ended_says_so() {
    let frozen = frozen(inputs());
    let progress = Progress::default();
    progress.cancel();
    let ended = solve(&frozen, Wishes::default(), &progress);
    assert_eq!(ended, Err(Unsolvable::NoMatrix(NoMatrix::Cancelled)));
}
