//! The same bytes years later: a run of the size of the model case, recorded once and computed anew by the program of today.
//!
//! What fails here has changed what every published run was computed from or found. `UPDRAFT_RECORD_GOLDEN=yes` records another one.

use std::path::PathBuf;
use std::{env, fs};

use prost::Message;
use proto::matching::StagedResult;
use uuid::Uuid;

use super::*;
use crate::domain::computation::Wishes;
use crate::domain::inputs::tests::{inputs, mentee, mentor, pair, person, rules};
use crate::domain::inputs::{Inputs, Participant, Past};
use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};
use crate::domain::week::Span;

const RECORD: &str = "UPDRAFT_RECORD_GOLDEN";
const EXECUTIVES: u128 = 20;
const MENTORS: u128 = 25;
const TOPICS: [&str; 5] = ["hashtags", "linkedin-profile", "podcasts", "business-models", "video"];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/proof/golden").join(name)
}

#[test]
fn what_was_computed_once_is_computed_the_same_for_ever() {
    if env::var(RECORD).is_ok_and(|yes| yes == "yes") {
        record();
    }
    let (kept, recorded) = (fs::read(file("inputs.binpb")).unwrap(), fs::read(file("result.binpb")).unwrap());
    let it = StagedResult::decode(recorded.as_slice()).unwrap();
    let inputs = codec::thaw(&kept, &it.inputs_digest).unwrap();
    assert_eq!(codec::freeze(&inputs).bytes, kept);
    let wishes = codec::wishes(&it.locks, &it.forbids).unwrap();
    assert!(!wishes.locks.is_empty() && !wishes.forbids.is_empty());
    let frozen = Frozen::assess(it.inputs_digest.clone(), inputs, &Progress::default()).unwrap();
    let staged = solution::solve(&frozen, wishes, &Progress::default()).unwrap();
    assert!(codec::result_bytes(&staged) == recorded, "recorded: {it:#?}\ncomputed: {staged:#?}");
    certificate::verify(&frozen, &staged).unwrap();
}

fn record() {
    let kept = codec::freeze(&model_case());
    let frozen = Frozen::assess(kept.digest, model_case(), &Progress::default()).unwrap();
    let free = solution::solve(&frozen, Wishes::default(), &Progress::default()).unwrap();
    let forbids = free.pairs.iter().take(2).map(|proposed| proposed.pair).collect();
    let locked = frozen.inputs.mentors.iter().enumerate().find_map(|(mentor, _)| {
        let pair = frozen.pair(19, mentor);
        let is_other = free.pairs.iter().all(|proposed| proposed.pair != pair);
        (is_other && frozen.matrix.verdict(19, mentor).is_ok()).then_some(pair)
    });
    let wishes = Wishes { locks: locked.into_iter().collect(), forbids };
    let staged = solution::solve(&frozen, wishes, &Progress::default()).unwrap();
    fs::write(file("inputs.binpb"), kept.bytes).unwrap();
    fs::write(file("result.binpb"), codec::result_bytes(&staged)).unwrap();
}

/// Twenty executives and twenty-five mentors, some with two places, all of whom differ.
fn model_case() -> Inputs {
    let mut state = 2_013_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let weights = PerCriterion([5_000, 1_500, 1_000, 500, 500, 500, 1_000]);
    let mut case = Inputs {
        rules: rules(),
        scoring: Scoring { version: 3, rules: ScoringRules::try_new(weights, &[2_000, 3_000]).unwrap() },
        mentees: Vec::new(),
        mentors: Vec::new(),
        ..inputs()
    };
    for number in 1..=EXECUTIVES {
        let mut learner = mentee(number, &[200 + number % 4, 200], &[]);
        learner.needs = TOPICS.iter().filter_map(|topic| level(topic, next(8))).collect();
        live(&mut learner.participant, 100, MENTORS, &mut next);
        case.mentees.push(learner);
    }
    for number in 101..=100 + MENTORS {
        let boss = 1 + number % EXECUTIVES;
        let mut teacher = mentor(number, &[300 + number, boss, 200 + boss % 4, 200], &[]);
        teacher.offers = TOPICS.iter().filter_map(|topic| level(topic, next(8))).collect();
        teacher.places = 1 + u32::try_from(next(2)).unwrap();
        live(&mut teacher.participant, 0, EXECUTIVES, &mut next);
        case.mentors.push(teacher);
    }
    case.past = [(pair(101, 1), Past::Refused), (pair(102, 2), Past::NeverAgain)].into();
    case
}

fn level(topic: &str, drawn: u64) -> Option<(String, i32)> {
    let level = i32::try_from(drawn).ok().filter(|level| *level <= 4)?;
    Some((topic.to_owned(), level))
}

/// When and in what languages somebody meets, and whom of the others they wish for.
fn live(one: &mut Participant, others: u128, count: u128, next: &mut impl FnMut(u64) -> u64) {
    let id = one.standing.person.uuid().as_u128();
    one.standing.org_unit = identity::OrgUnitId::from_uuid(Uuid::from_u128(1_000 + id % 9));
    let start = i64::try_from(60 * next(4)).unwrap();
    let length = i64::try_from(60 * (1 + next(4))).unwrap();
    one.spans = vec![Span { start, end: start + length }, Span { start: 1_440, end: 1_530 }];
    if next(3) == 0 {
        one.languages.reverse();
    }
    one.wishes = vec![person(others + 1 + u128::from(next(u64::try_from(count).unwrap())))];
}
