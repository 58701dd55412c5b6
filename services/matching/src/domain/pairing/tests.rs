use crate::domain::inputs::tests::{mentee, mentor, rules};
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

fn verdict(mentor_number: u128, mentee_number: u128) -> Result<Points, Rule> {
    let (mentor, mentee) = two(mentor_number, mentee_number);
    assess(&rules(), &mentor, &mentee, None)
}

/// What becomes of a pair that is fine but for one thing.
fn spoilt(spoil: impl FnOnce(&mut Mentor, &mut Mentee)) -> Result<Points, Rule> {
    let (mut mentor, mut mentee) = two(6, 3);
    assert!(assess(&rules(), &mentor, &mentee, None).is_ok());
    spoil(&mut mentor, &mut mentee);
    assess(&rules(), &mentor, &mentee, None)
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
    assert_eq!(assess(&three_levels, &mentor, &mentee, None), Err(Rule::Chain));
    let (mentor, mentee) = two(4, 1);
    let one_level = Rules { chain_levels: 1, ..rules() };
    assert!(assess(&one_level, &mentor, &mentee, None).is_ok());
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
    assert_eq!(assess(&rules(), &mentor, &mentee, None), Err(Rule::SameDepartment));
    let together = Rules { other_department: false, ..rules() };
    assert!(assess(&together, &mentor, &mentee, None).is_ok());
}

#[test]
fn a_past_keeps_two_apart() {
    let (mentor, mentee) = two(6, 3);
    let after = |past| assess(&rules(), &mentor, &mentee, Some(past));
    assert_eq!(after(Past::Former), Err(Rule::FormerPair));
    assert_eq!(after(Past::NeverAgain), Err(Rule::NeverAgain));
    assert_eq!(after(Past::Refused), Err(Rule::RefusedBefore));
}

#[test]
fn two_without_a_language_cannot_talk() {
    let french = |mentor: &mut Mentor, _: &mut Mentee| mentor.participant.languages = vec!["fr".to_owned()];
    assert_eq!(spoilt(french), Err(Rule::NoCommonLanguage));
    let american = spoilt(|mentor, _| mentor.participant.languages = vec!["en-US".to_owned()]);
    assert_eq!(american.map(|points| points.language), Ok(1_000));
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
        assess(&rules(), &mentor, &mentee, None).map(|points| points.topics)
    };
    assert_eq!(topics(&[("a", 4), ("b", 4)], &[("a", 0), ("b", 3)]), Ok(6_000));
    assert_eq!(topics(&[("a", 4)], &[("a", 0), ("b", 3)]), Ok(4_800));
    assert_eq!(topics(&[("b", 4)], &[("a", 0), ("b", 3)]), Ok(1_200));
    assert_eq!(topics(&[("a", 1)], &[("a", 0)]), Ok(1_500));
    assert_eq!(topics(&[("a", 4)], &[("a", 4)]), Ok(0));
    assert_eq!(topics(&[("a", 4)], &[]), Ok(0));
}

#[test]
fn the_other_points_grow_up_to_their_most() {
    let points = verdict(6, 3).unwrap();
    let expected = Points { topics: 6_000, availability: 2_000, distance: 625, language: 1_000 };
    assert_eq!(points, expected);
    assert_eq!(points.score(), 9_625);
    let one_hour = spoilt(|mentor, _| mentor.participant.spans[0].end = 60);
    assert_eq!(one_hour.map(|points| points.availability), Ok(500));
    let second_languages =
        spoilt(|mentor, _| mentor.participant.languages = vec!["da".to_owned(), "de".to_owned()]);
    assert_eq!(second_languages.map(|points| points.language), Ok(333));
    assert_eq!(verdict(20, 21).map(|points| points.distance), Ok(1_000));
}

#[test]
fn a_score_lies_within_its_bounds_and_depends_on_nothing_else() {
    let mut seen = 0;
    for (one, other) in (1..=9).flat_map(|one| (1..=9).map(move |other| (one, other))) {
        for (level, known) in (0..=4).flat_map(|level| (0..=4).map(move |known| (level, known))) {
            let mentor = mentor(one, line(one), &[("hashtags", level)]);
            let mentee = mentee(other, line(other), &[("hashtags", known)]);
            let verdict = assess(&rules(), &mentor, &mentee, None);
            assert_eq!(verdict, assess(&rules(), &mentor.clone(), &mentee.clone(), None));
            let Ok(points) = verdict else { continue };
            let Points { topics, availability, distance, language } = points;
            assert_eq!(points.score(), topics + availability + distance + language);
            assert!([topics, availability, distance, language].iter().all(|points| *points >= 0));
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
