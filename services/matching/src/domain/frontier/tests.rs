use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::inputs::tests::{pair, person};
use crate::domain::scoring::PerCriterion;

use super::*;

const BANDS: [u16; 2] = [2_000, 3_000];

fn points(score: i32) -> Points {
    Points { by: PerCriterion([score, 0, 0, 0, 0, 0, 0]), ..Points::default() }
}

fn tandem(number: u128) -> TandemId {
    TandemId::from_uuid(Uuid::from_u128(number))
}

fn offered(mentor: u128, mentee: u128, score: i32) -> Offered {
    Offered { pair: pair(mentor, mentee), points: points(score) }
}

fn unanswered(mentor: u128, mentee: u128, score: i32) -> Unanswered {
    Unanswered { tandem: tandem(100 * mentor + mentee), pair: pair(mentor, mentee), points: points(score) }
}

/// Executive 1 is left over.
fn found(free: &[u128], others: &[Unanswered], scores: &[(u128, u128, i32)]) -> Vec<Step> {
    let fits: BTreeMap<Pair, i32> =
        scores.iter().map(|(mentor, mentee, score)| (pair(*mentor, *mentee), *score)).collect();
    let free = free.iter().copied().map(person).collect();
    let situation = Situation { mentee: person(1), free, unanswered: others.to_vec() };
    let fits = |pair| fits.get(&pair).copied().map(points);
    let found = frontier(&situation, &BANDS, usize::MAX, fits).unwrap();
    assert!(found.is_whole);
    assert_eq!(found.steps, without_pruning(&situation, fits));
    found.steps
}

#[test]
fn the_best_free_mentor_is_offered_without_moving_anybody() {
    let steps = found(&[11, 12, 13], &[], &[(11, 1, 4_000), (12, 1, 6_000)]);
    assert_eq!(steps, [Step { offer: offered(12, 1, 6_000), moved: None }]);
    assert_eq!((steps[0].moves(), steps[0].others_lose()), (0, 0));
}

#[test]
fn one_unanswered_offer_gives_way_where_no_free_mentor_will_do() {
    // The free mentor 11 may not teach 1, but may teach 2, to whom 12 is offered.
    let other = unanswered(12, 2, 5_000);
    let steps = found(&[11], &[other], &[(12, 1, 7_000), (11, 2, 4_500)]);
    let moved = Moved { from: other, to: offered(11, 2, 4_500) };
    assert_eq!(steps, [Step { offer: offered(12, 1, 7_000), moved: Some(moved) }]);
    assert_eq!((steps[0].moves(), steps[0].others_lose()), (1, 500));
}

#[test]
fn both_steps_are_shown_with_their_price_fewest_moves_first() {
    let other = unanswered(12, 2, 5_000);
    let steps = found(&[11], &[other], &[(11, 1, 3_500), (12, 1, 9_000), (11, 2, 8_000)]);
    assert_eq!(steps.iter().map(Step::moves).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(steps.iter().map(Step::others_lose).collect::<Vec<_>>(), [0, -3_000]);
}

#[test]
fn a_step_that_moves_somebody_and_is_no_better_is_not_shown() {
    let other = unanswered(12, 2, 5_000);
    let steps = found(&[11], &[other], &[(11, 1, 8_000), (12, 1, 9_000), (11, 2, 3_500)]);
    assert_eq!(steps, [Step { offer: offered(11, 1, 8_000), moved: None }]);
}

#[test]
fn two_offers_to_one_executive_may_each_be_moved() {
    let others = [unanswered(12, 2, 5_000), unanswered(13, 2, 5_000)];
    let steps = found(&[11], &others, &[(13, 1, 7_000), (11, 2, 4_500)]);
    assert_eq!(steps[0].moved.unwrap().from, others[1]);
}

#[test]
fn nobody_is_moved_to_nowhere_and_nobody_moves_for_themselves() {
    // Without a free mentor for 2 the offer stays, and the own offer is none to be moved.
    assert_eq!(found(&[], &[unanswered(12, 2, 5_000)], &[(12, 1, 7_000)]), []);
    assert_eq!(found(&[11], &[unanswered(12, 2, 5_000)], &[(12, 1, 7_000)]), []);
    assert_eq!(found(&[11], &[unanswered(12, 1, 5_000)], &[(12, 1, 7_000)]), []);
    // 12 has a second place, but the move would lead back to 12.
    assert_eq!(found(&[12], &[unanswered(12, 2, 5_000)], &[(12, 2, 5_000)]), []);
}

#[test]
fn a_bad_pair_is_avoided_before_the_score_counts() {
    let others = [unanswered(12, 2, 9_000), unanswered(13, 3, 5_000)];
    let scores = [(12, 1, 9_900), (11, 2, 1_900), (13, 1, 4_000), (11, 3, 3_000)];
    let steps = found(&[11], &others, &scores);
    assert_eq!(
        steps[0].moved.unwrap().from,
        others[1],
        "the other way has the larger score and a pair below 2,000"
    );
}

#[test]
fn equals_are_decided_by_their_ids_whatever_the_order() {
    let scores = [(11, 1, 5_000), (12, 1, 5_000)];
    assert_eq!(found(&[12, 11], &[], &scores), found(&[11, 12], &[], &scores));
    assert_eq!(found(&[12, 11], &[], &scores).len(), 1);
}

/// What the solver finds when every pair of everybody is looked at.
fn without_pruning(situation: &Situation, fits: impl Fn(Pair) -> Option<Points>) -> Vec<Step> {
    let others: Vec<_> =
        situation.unanswered.iter().filter(|other| other.pair.mentee != situation.mentee).collect();
    let sitting = others.iter().map(|other| other.pair.mentor);
    let mentors: BTreeSet<PersonId> = situation.free.iter().copied().chain(sitting).collect();
    let mentors: Vec<PersonId> = mentors.into_iter().collect();
    let mentee = |row: usize| row.checked_sub(1).map_or(situation.mentee, |other| others[other].pair.mentee);
    let at = |row: usize, mentor: usize| {
        let pair = Pair { mentor: mentors[mentor], mentee: mentee(row) };
        let own = row.checked_sub(1).map(|other| others[other]).filter(|own| own.pair == pair);
        own.map(|own| own.points).or_else(|| fits(pair)).map(|points| Offered { pair, points })
    };
    let cell = |(row, mentor): (usize, usize)| {
        let score = u16::try_from(at(row, mentor)?.points.score()).unwrap();
        let index = |index| u32::try_from(index).unwrap();
        Some(assignment::Pair { executive: index(row), mentor: index(mentor), score })
    };
    let keys = std::iter::once(situation.mentee.uuid()).chain(others.iter().map(|other| other.tandem.uuid()));
    let places = |mentor: &PersonId| {
        let held = others.iter().filter(|other| other.pair.mentor == *mentor).count();
        u32::try_from(held + usize::from(situation.free.contains(mentor))).unwrap()
    };
    let problem = Problem {
        executives: keys.map(|id| Executive { key: key(id), obliged: true }).collect(),
        mentors: mentors
            .iter()
            .map(|mentor| assignment::Mentor { key: key(mentor.uuid()), capacity: places(mentor) })
            .collect(),
        pairs: (0..=others.len())
            .flat_map(|row| (0..mentors.len()).map(move |mentor| (row, mentor)))
            .filter_map(cell)
            .collect(),
        locks: Vec::new(),
        bands: BANDS.to_vec(),
    };
    let seat = |other: &&Unanswered| mentors.binary_search(&other.pair.mentor).ok();
    let assignment: Vec<_> = std::iter::once(None).chain(others.iter().map(seat)).collect();
    let repairs = Instance::new(&problem).unwrap().frontier(&assignment, 0, MOVES_MAX).unwrap();
    let step = |repair: &Repair| {
        let offer = at(0, repair.moves[0].1).unwrap();
        let moved =
            repair.moves.get(1).map(|to| Moved { from: *others[to.0 - 1], to: at(to.0, to.1).unwrap() });
        Step { offer, moved }
    };
    repairs.iter().map(step).collect()
}

/// Numbers below `below` that look random and are always the same.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn what_is_left_out_changes_nothing() {
    let (mut moving, mut staying) = (0, 0);
    for seed in 0..2_000 {
        let mut next = numbers(seed);
        let mentors: Vec<u128> = (11..12 + u128::from(next(6))).collect();
        let free: Vec<u128> = mentors.iter().copied().filter(|_| next(3) == 0).collect();
        let others: Vec<_> = (2..2 + u128::from(next(5)))
            .map(|mentee| {
                let mentor = mentors[usize::try_from(next(mentors.len() as u64)).unwrap()];
                unanswered(mentor, mentee, i32::try_from(1_000 * next(11)).unwrap())
            })
            .collect();
        // Few different scores, so that there are equals.
        let mut scores = Vec::new();
        for &mentor in &mentors {
            for mentee in 1..8 {
                if next(3) > 0 {
                    scores.push((mentor, mentee, i32::try_from(1_000 * next(11)).unwrap()));
                }
            }
        }
        let steps = found(&free, &others, &scores);
        staying += usize::from(steps.iter().any(|step| step.moved.is_none()));
        moving += usize::from(steps.iter().any(|step| step.moved.is_some()));
    }
    assert!(moving > 300 && staying > 300, "{moving} and {staying} of 2,000 had such a step");
}

#[test]
fn it_looks_at_the_most_promising_offers_when_there_are_too_many() {
    let others = [unanswered(12, 2, 5_000), unanswered(13, 3, 4_000), unanswered(14, 4, 3_000)];
    let situation = Situation { mentee: person(1), free: vec![person(11)], unanswered: others.to_vec() };
    let looked = |looked_max| {
        let mut asked = BTreeSet::new();
        let fits = |pair: Pair| {
            asked.insert(pair);
            (pair.mentor != person(11) || pair.mentee == person(4)).then(|| points(8_000))
        };
        let found = frontier(&situation, &BANDS, looked_max, fits).unwrap();
        assert_eq!(found.looked, asked.len());
        found
    };
    // Four pairs are the executive's own.
    let (whole, part, own) = (looked(7), looked(5), looked(2));
    assert!(whole.is_whole && !part.is_whole && !own.is_whole);
    assert_eq!((whole.looked, part.looked, own.looked), (7, 5, 4));
    assert_eq!(part.steps, whole.steps);
    assert_eq!(part.steps[0].moved.unwrap().from, others[2]);
    assert_eq!(own.steps, []);
}
