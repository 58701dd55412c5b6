use uuid::Uuid;

use super::*;
use crate::domain::explanation::Shortage;
use crate::domain::inputs::tests::{pair, person};
use crate::domain::outcome::{Figures, Loss, Move};
use crate::domain::pairing::Broken;
use crate::domain::scoring::ScoringRules;

const BOTH: [Language; 2] = [Language::En, Language::De];

fn weights() -> PerCriterion {
    ScoringRules::default().weights()
}

fn points(by: [i32; 7]) -> Points {
    Points { by: PerCriterion(by), scoring_version: 0 }
}

fn price(unmatched: i64, bands: &[(u16, i64)], score: i64, moves: usize) -> Price {
    let figures = Figures { mentees: 2, pairs: 2, score: 0, bands: vec![], blocking_pairs: 0 };
    let one = Move { mentee: person(1), before: None, after: None };
    Price {
        loss: Loss { unmatched, bands: bands.to_vec(), score },
        moves: vec![one; moves],
        before: figures.clone(),
        after: figures,
    }
}

fn view(price: Option<Price>) -> PairView {
    let is_tandem = price.is_none();
    PairView {
        pair: pair(11, 1),
        verdict: Ok(points([4_000, 1_000, 500, 700, 600, 0, 500])),
        price,
        is_tandem,
    }
}

#[test]
fn a_tandem_is_explained_in_words_of_the_office() {
    assert_eq!(
        Language::En.pair(&view(None), weights()),
        "They fit well: 7,300 of 10,000 points. The mentor can teach nearly everything that the executive wants to learn. \
         Their common time is enough for 2.0 sessions a week. They stand 5 steps apart in the organisation. \
         Both speak the same language best. The executive wished for this mentor. It is the mentor's first tandem."
    );
    assert_eq!(
        Language::De.pair(&view(None), weights()),
        "Die beiden passen gut zusammen: 7.300 von 10.000 Punkten. Gelehrt werden kann fast alles, was die Führungskraft \
         lernen möchte. Die gemeinsame Zeit reicht für 2,0 Treffen in der Woche. Im Unternehmen stehen sie 5 Schritte \
         auseinander. Beide sprechen dieselbe Sprache am besten. Die Führungskraft hat sich diese Person gewünscht. Für die \
         Mentorin oder den Mentor ist es das erste Tandem."
    );
}

#[test]
fn a_price_names_the_goals_in_their_order() {
    let dear = price(1, &[(2_000, 2), (3_000, 0)], 1_234, 3);
    assert_eq!(
        Language::En.price(&dear),
        "1 more executive would be without a mentor. 2 more tandems would score below 2,000. \
         All tandems together would lose 1,234 points. 3 executives would get another mentor."
    );
    assert_eq!(
        Language::De.price(&dear),
        "1 Führungskraft mehr wäre ohne Mentorin oder Mentor. 2 Tandems mehr lägen unter 2.000 Punkten. Alle Tandems \
         zusammen verlören 1.234 Punkte. Für 3 Führungskräfte änderte sich die Zuordnung."
    );
    assert_eq!(
        Language::En.price(&price(-2, &[], -1, 1)),
        "2 fewer executives would be without a mentor. All tandems together would gain 1 point. One executive would get \
         another mentor."
    );
    assert_eq!(Language::En.price(&price(0, &[], 0, 0)), "Nothing would change for anybody.");
    let even = Language::En.price(&price(0, &[], 0, 2));
    assert_eq!(even, "All in all it would be just as good. 2 executives would get another mentor.");
}

#[test]
fn what_would_have_to_change_is_said_where_it_can_be_known() {
    let close = Language::En.pair(&view(Some(price(0, &[(2_000, 0)], 40, 2))), weights());
    assert!(close.ends_with("by itself if they fitted better by more than 40 points."), "{close}");
    let far = Language::En.pair(&view(Some(price(1, &[], 40, 2))), weights());
    assert!(far.ends_with("get another mentor."), "{far}");
    // They have 7,300 of 10,000 points.
    let last = Language::En.pair(&view(Some(price(0, &[], 2_699, 2))), weights());
    assert!(last.ends_with("by more than 2,699 points."), "{last}");
    let impossible = Language::En.pair(&view(Some(price(0, &[], 2_700, 2))), weights());
    assert!(impossible.ends_with("however well they fitted."), "{impossible}");
    let bound = PairView { is_tandem: false, ..view(None) };
    assert!(Language::De.pair(&bound, weights()).ends_with("eine Festlegung müsste entfallen."));
}

#[test]
fn every_rule_is_said_in_every_language_in_words_of_its_own() {
    for language in BOTH {
        let said = |phrase: fn(Rule) -> Phrase| {
            let mut texts: Vec<String> = Rule::ALL.map(|rule| language.phrase(phrase(rule))).to_vec();
            assert!(texts.iter().all(|text| text.ends_with('.')), "{texts:?}");
            texts.sort_unstable();
            texts.dedup();
            texts.len()
        };
        assert_eq!(said(Phrase::Broken), Rule::ALL.len());
        assert_eq!(said(|rule| Phrase::Relaxation(rule, 1, 2)), Rule::ALL.len());
    }
}

#[test]
fn a_shortage_names_its_numbers_and_what_would_help() {
    let person = |number| identity::PersonId::from_uuid(Uuid::from_u128(number));
    let unmatched = Unmatched {
        mentee: person(1),
        competing: (1..=14).map(person).collect(),
        mentors: (20..29).map(person).collect(),
        places: 12,
    };
    let relaxations = vec![Relaxation { rule: Rule::SameDepartment, pairs: 23, matched: 2 }];
    let explanation = Explanation {
        person: person(1),
        side: Side::Mentee,
        tandems: vec![],
        alternative: None,
        asked: None,
        shortage: Some(Shortage { unmatched, relaxations }),
    };
    assert_eq!(
        Language::En.explanation(&explanation, weights()),
        "These 14 executives can only be served by these 9 mentors, who have 12 places together. If people of the same \
         department could be paired, 23 pairs would become possible, and 2 more executives would have a mentor."
    );
    assert_eq!(
        Language::De.explanation(&explanation, weights()),
        "Diese 14 Führungskräfte können nur von diesen 9 Personen versorgt werden, und dort gibt es zusammen 12 Plätze. Wenn \
         Menschen derselben Abteilung ein Tandem bilden dürften, würden 23 Paare möglich, und 2 Führungskräfte hätten \
         zusätzlich ein Tandem."
    );
}

#[test]
fn a_view_of_a_run_says_why_this_one_and_who_is_next() {
    let explanation = Explanation {
        person: person(1),
        side: Side::Mentee,
        tandems: vec![view(None)],
        alternative: Some(view(Some(price(0, &[], 10, 1)))),
        asked: None,
        shortage: None,
    };
    let text = Language::En.explanation(&explanation, weights());
    assert!(
        text.starts_with(
            "This is the mentor with whom all executives together are served best. They fit well"
        )
    );
    assert!(text.ends_with("would lose 10 points. One executive would get another mentor."), "{text}");
    let alone = Explanation { alternative: None, ..explanation };
    assert!(
        Language::De
            .explanation(&alone, weights())
            .ends_with("Ohne dieses Tandem hätte die Führungskraft niemanden.")
    );
    let free = Explanation { side: Side::Mentor, tandems: vec![], ..alone };
    assert!(Language::En.explanation(&free, weights()).starts_with("This mentor gets no executive"));
}

#[test]
fn a_criterion_that_does_not_count_is_not_spoken_of() {
    assert_eq!(Language::En.criterion(Criterion::Distance, 0, 0), "");
    let broken = Broken::of([Rule::Chain, Rule::NoCommonTime]).unwrap();
    let apart = PairView { verdict: Err(broken), is_tandem: false, ..view(None) };
    let text = Language::En.pair(&apart, weights());
    assert_eq!(text.matches("They cannot be paired").count(), 2, "{text}");
}

/// Every phrase, with numbers of one and of many.
fn phrases() -> Vec<Phrase> {
    let shares = [0, 1, 300, 600, 900, 1_000].map(|points| Share { points, most: 1_000 });
    let parts =
        Criterion::ALL.into_iter().flat_map(|criterion| shares.map(|share| Phrase::Part(criterion, share)));
    let fits = [0, 3_000, 5_000, 6_500, 8_000].map(Phrase::Fit);
    let broken = Rule::ALL.map(Phrase::Broken);
    let prices = [-2, -1, 1, 1_234]
        .into_iter()
        .flat_map(|number| [Phrase::Unmatched(number), Phrase::Band(2_000, number), Phrase::Score(number)]);
    let moves = [Phrase::Moves(1), Phrase::Moves(2), Phrase::Nothing, Phrase::Even, Phrase::NoPlace];
    let thresholds = [Phrase::Threshold(1), Phrase::Threshold(1_234), Phrase::OutOfReach];
    let sides = [Side::Mentee, Side::Mentor]
        .into_iter()
        .flat_map(|side| [Phrase::BestForAll(side), Phrase::NextBest(side), Phrase::NobodyElse(side)]);
    let shortages = [
        Phrase::FreeMentor,
        Phrase::Shortage(1, 0, 0),
        Phrase::Shortage(1, 1, 1),
        Phrase::Shortage(14, 9, 12),
    ];
    let relaxations = Rule::ALL
        .into_iter()
        .flat_map(|rule| [Phrase::Relaxation(rule, 1, 1), Phrase::Relaxation(rule, 2, 2)]);
    parts
        .chain(fits)
        .chain(broken)
        .chain(prices)
        .chain(moves)
        .chain(thresholds)
        .chain(sides)
        .chain(shortages)
        .chain(relaxations)
        .collect()
}

#[test]
fn every_phrase_reads_as_it_was_proofread() {
    let mut said: Vec<String> = phrases()
        .into_iter()
        .map(|phrase| format!("{}\n{}\n\n", Language::En.phrase(phrase), Language::De.phrase(phrase)))
        .collect();
    said.dedup();
    let text = said.concat();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/texts/phrases.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        text,
        "read them, and write them with UPDATE_EXPECT=1"
    );
}
