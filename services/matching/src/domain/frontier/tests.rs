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
    frontier(&situation, &BANDS, |pair| fits.get(&pair).copied().map(points)).unwrap()
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
