use crate::domain::inputs::tests::{mentee, mentor, person, rules};
use crate::domain::week::Span;

use super::*;

const HASHTAGS: &[(&str, i32)] = &[("hashtags", 0)];
const TAUGHT: &[(&str, i32)] = &[("hashtags", 4)];

/// The tree: 1 leads 2 and 3; 2 leads 4, 4 leads 5, 5 leads 6; 3 leads 7, 7 leads 8.
fn line(number: u128) -> &'static [u128] {
    match number {
        2 | 3 => &[1],
        4 => &[2, 1],
        5 => &[4, 2, 1],
        6 => &[5, 4, 2, 1],
        7 | 9 => &[3, 1],
        8 => &[7, 3, 1],
        _ => &[],
    }
}

fn two(mentor_number: u128, mentee_number: u128) -> (Mentor, Mentee) {
    (mentor(mentor_number, line(mentor_number), TAUGHT), mentee(mentee_number, line(mentee_number), HASHTAGS))
}

/// The points by the default rules, or the first rule that the pair breaks.
fn judge(rules: &Rules, mentor: &Mentor, mentee: &Mentee, past: Option<Past>) -> Result<Points, Rule> {
    assess(rules, &Scoring::default(), mentor, mentee, past).map_err(Broken::first)
}

fn verdict(mentor_number: u128, mentee_number: u128) -> Result<Points, Rule> {
    let (mentor, mentee) = two(mentor_number, mentee_number);
    judge(&rules(), &mentor, &mentee, None)
}

/// What becomes of a pair that is fine but for one thing.
fn spoilt(spoil: impl FnOnce(&mut Mentor, &mut Mentee)) -> Result<Points, Rule> {
    let (mut mentor, mut mentee) = two(6, 3);
    assert!(judge(&rules(), &mentor, &mentee, None).is_ok());
    spoil(&mut mentor, &mut mentee);
    judge(&rules(), &mentor, &mentee, None)
}

#[test]
fn the_report_of_a_direct_report_is_too_close() {
    assert_eq!(verdict(2, 1), Err(Rule::Chain));
    assert_eq!(verdict(4, 1), Err(Rule::Chain));
    assert!(verdict(5, 1).is_ok());
    assert!(verdict(6, 2).is_ok());
}

#[test]
fn a_superior_does_not_teach_the_own_people_either() {
    assert_eq!(verdict(4, 6), Err(Rule::Chain));
    assert_eq!(verdict(4, 4), Err(Rule::Chain));
    assert!(verdict(2, 6).is_ok());
}

#[test]
fn the_number_of_levels_is_the_editions() {
    let (mentor, mentee) = two(5, 1);
    let three_levels = Rules { chain_levels: 3, ..rules() };
    assert_eq!(judge(&three_levels, &mentor, &mentee, None), Err(Rule::Chain));
    let (mentor, mentee) = two(4, 1);
    let one_level = Rules { chain_levels: 1, ..rules() };
    assert!(judge(&one_level, &mentor, &mentee, None).is_ok());
}

#[test]
fn siblings_are_not_paired_but_two_without_a_superior_are_none() {
    assert_eq!(verdict(2, 3), Err(Rule::SameSuperior));
    assert_eq!(verdict(9, 7), Err(Rule::SameSuperior));
    assert!(verdict(20, 21).is_ok());
}

#[test]
fn a_department_is_kept_apart_unless_the_edition_allows_it() {
    let (mentor, mut mentee) = two(6, 3);
    mentee.participant.standing.org_unit = mentor.participant.standing.org_unit;
    assert_eq!(judge(&rules(), &mentor, &mentee, None), Err(Rule::SameDepartment));
    let together = Rules { other_department: false, ..rules() };
    assert!(judge(&together, &mentor, &mentee, None).is_ok());
}

#[test]
fn a_past_keeps_two_apart() {
    let (mentor, mentee) = two(6, 3);
    let after = |past| judge(&rules(), &mentor, &mentee, Some(past));
    assert_eq!(after(Past::Former), Err(Rule::FormerPair));
    assert_eq!(after(Past::NeverAgain), Err(Rule::NeverAgain));
    assert_eq!(after(Past::Refused), Err(Rule::RefusedBefore));
}

#[test]
fn two_without_a_language_cannot_talk() {
    let french = |mentor: &mut Mentor, _: &mut Mentee| mentor.participant.languages = vec!["fr".to_owned()];
    assert_eq!(spoilt(french), Err(Rule::NoCommonLanguage));
    let american = spoilt(|mentor, _| mentor.participant.languages = vec!["en-US".to_owned()]);
    assert_eq!(american.map(|points| points.by.of(Criterion::Language)), Ok(700));
}

#[test]
fn two_who_can_never_meet_for_a_session_are_no_tandem() {
    let spans = |start, end| {
        move |_: &mut Mentor, mentee: &mut Mentee| {
            mentee.participant.spans = vec![Span { start, end }];
        }
    };
    assert_eq!(spoilt(spans(181, 600)), Err(Rule::NoCommonTime));
    assert!(spoilt(spans(180, 600)).is_ok());
}

#[test]
fn a_topic_counts_the_more_the_less_is_known_of_it() {
    let topics = |offers: &[(&str, i32)], needs: &[(&str, i32)]| {
        let (mentor, mentee) = (mentor(6, line(6), offers), mentee(3, line(3), needs));
        judge(&rules(), &mentor, &mentee, None).map(|points| points.by.of(Criterion::Topics))
    };
    assert_eq!(topics(&[("a", 4), ("b", 4)], &[("a", 0), ("b", 3)]), Ok(5_000));
    assert_eq!(topics(&[("a", 4)], &[("a", 0), ("b", 3)]), Ok(4_000));
    assert_eq!(topics(&[("b", 4)], &[("a", 0), ("b", 3)]), Ok(1_000));
    assert_eq!(topics(&[("a", 1)], &[("a", 0)]), Ok(1_250));
    assert_eq!(topics(&[("a", 4)], &[("a", 4)]), Ok(0));
    assert_eq!(topics(&[("a", 4)], &[]), Ok(0));
}

#[test]
fn the_other_points_grow_up_to_their_most() {
    let points = verdict(6, 3).unwrap();
    assert_eq!(points.by, PerCriterion([5_000, 2_000, 500, 700, 0, 0, 500]));
    assert_eq!(points.score(), 8_700);
    let one_hour = spoilt(|mentor, _| mentor.participant.spans[0].end = 60);
    assert_eq!(one_hour.map(|points| points.by.of(Criterion::Availability)), Ok(500));
    let second_languages =
        spoilt(|mentor, _| mentor.participant.languages = vec!["da".to_owned(), "de".to_owned()]);
    assert_eq!(second_languages.map(|points| points.by.of(Criterion::Language)), Ok(233));
    assert_eq!(verdict(20, 21).map(|points| points.by.of(Criterion::Distance)), Ok(800));
}

#[test]
fn a_wish_earns_its_points_on_each_side_for_itself() {
    let wishes = |of_mentor: &[u128], of_mentee: &[u128]| {
        let points = spoilt(|mentor, mentee| {
            mentor.participant.wishes = of_mentor.iter().copied().map(person).collect();
            mentee.participant.wishes = of_mentee.iter().copied().map(person).collect();
        });
        points.map(|points| (points.by.of(Criterion::MenteeWish), points.by.of(Criterion::MentorWish)))
    };
    assert_eq!(wishes(&[], &[]), Ok((0, 0)));
    assert_eq!(wishes(&[3], &[]), Ok((0, 400)));
    assert_eq!(wishes(&[5], &[7, 6]), Ok((600, 0)));
    assert_eq!(wishes(&[3], &[6]), Ok((600, 400)));
}

#[test]
fn a_side_is_not_told_whether_the_partner_wished_for_it() {
    let both = Points { by: PerCriterion([1, 2, 3, 4, 5, 6, 7]), scoring_version: 9 };
    assert_eq!(both.seen_from(Side::Mentor).by, PerCriterion([1, 2, 3, 4, 0, 6, 7]));
    assert_eq!(both.seen_from(Side::Mentee).by, PerCriterion([1, 2, 3, 4, 5, 0, 7]));
}

#[test]
fn the_more_mentees_a_mentor_has_the_fewer_points_for_another() {
    let mut mentor = mentor(6, line(6), TAUGHT);
    let load = |mentor: &Mentor, place| load_points(&Scoring::default(), mentor, place);
    assert_eq!(load(&mentor, 0), 500);
    mentor.taken = 1;
    assert_eq!(load(&mentor, 0), 250);
    (mentor.places, mentor.taken) = (2, 0);
    assert_eq!((load(&mentor, 0), load(&mentor, 1)), (500, 250));
}

#[test]
fn a_pair_breaks_as_many_rules_as_it_breaks() {
    let (mentor, mut mentee) = two(4, 1);
    mentee.participant.languages = vec!["fi".to_owned()];
    mentee.participant.spans.clear();
    let broken = assess(&rules(), &Scoring::default(), &mentor, &mentee, Some(Past::Former)).unwrap_err();
    let expected = [Rule::Chain, Rule::FormerPair, Rule::NoCommonLanguage, Rule::NoCommonTime];
    assert_eq!(broken.rules().collect::<Vec<_>>(), expected);
    assert_eq!((broken.first(), broken.is_only(Rule::Chain)), (Rule::Chain, false));
    assert!(Broken::of([Rule::Forbidden]).unwrap().is_only(Rule::Forbidden));
    assert_eq!(Broken::of([]), None);
}

#[test]
fn a_score_lies_within_its_bounds_and_depends_on_nothing_else() {
    let mut seen = 0;
    for (one, other) in (1..=9).flat_map(|one| (1..=9).map(move |other| (one, other))) {
        for (level, known) in (0..=4).flat_map(|level| (0..=4).map(move |known| (level, known))) {
            let mentor = mentor(one, line(one), &[("hashtags", level)]);
            let mentee = mentee(other, line(other), &[("hashtags", known)]);
            let verdict = judge(&rules(), &mentor, &mentee, None);
            assert_eq!(verdict, judge(&rules(), &mentor.clone(), &mentee.clone(), None));
            let Ok(points) = verdict else { continue };
            let weights = Scoring::default().rules.weights().0;
            assert!(points.by.0.iter().zip(weights).all(|(points, most)| (0..=most).contains(points)));
            assert!(points.score() <= 10_000);
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let mut names = Rule::ALL.map(Rule::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
}
