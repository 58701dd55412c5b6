//! German.

use super::{Phrase, Share, grouped, session_tenths, steps};
use crate::domain::Side;
use crate::domain::pairing::Rule;
use crate::domain::scoring::{Criterion, SCORE_MAX};

pub(super) fn phrase(phrase: Phrase) -> String {
    match phrase {
        Phrase::Part(criterion, share) => part(criterion, share),
        Phrase::Fit(score) => {
            format!("Die beiden passen {} zusammen: {} von {} Punkten.", fit(score), n(score), n(SCORE_MAX))
        }
        Phrase::Broken(rule) => broken(rule).to_owned(),
        Phrase::NoPlace => {
            "Alle Plätze dieser Mentorin oder dieses Mentors sind festgelegt; eine Festlegung müsste entfallen.".to_owned()
        }
        Phrase::Unmatched(more) => {
            format!("{} ohne Mentorin oder Mentor.", change(more, "Führungskraft wäre", "Führungskräfte wären"))
        }
        Phrase::Band(below, more) => {
            format!("{} unter {} Punkten.", change(more, "Tandem läge", "Tandems lägen"), n(below))
        }
        Phrase::Score(less) if less > 0 => format!("Alle Tandems zusammen verlören {}.", points(less)),
        Phrase::Score(less) => format!("Alle Tandems zusammen gewännen {}.", points(less)),
        Phrase::Moves(1) => "Für eine Führungskraft änderte sich die Zuordnung.".to_owned(),
        Phrase::Moves(count) => format!("Für {} Führungskräfte änderte sich die Zuordnung.", n(count)),
        Phrase::Nothing => "Es änderte sich für niemanden etwas.".to_owned(),
        Phrase::Even => "Insgesamt wäre es ebenso gut.".to_owned(),
        Phrase::Threshold(less) => {
            format!("Von selbst käme das Paar zustande, wenn es um mehr als {} besser passte.", points(less))
        }
        Phrase::OutOfReach => {
            "Von selbst käme das Paar nicht zustande, auch wenn es noch so gut passte.".to_owned()
        }
        Phrase::BestForAll(Side::Mentee) => {
            "Mit dieser Mentorin oder diesem Mentor sind alle Führungskräfte zusammen am besten versorgt.".to_owned()
        }
        Phrase::BestForAll(Side::Mentor) => {
            "Mit dieser Führungskraft sind alle Führungskräfte zusammen am besten versorgt.".to_owned()
        }
        Phrase::NextBest(Side::Mentee) => "Die nächstbeste Wahl wäre jemand anderes:".to_owned(),
        Phrase::NextBest(Side::Mentor) => "Die nächstbeste Wahl wäre eine andere Führungskraft:".to_owned(),
        Phrase::NobodyElse(Side::Mentee) => {
            "Ohne dieses Tandem hätte die Führungskraft niemanden.".to_owned()
        }
        Phrase::NobodyElse(Side::Mentor) => {
            "Ohne dieses Tandem hätte die Mentorin oder der Mentor keines.".to_owned()
        }
        Phrase::FreeMentor => {
            "Diese Mentorin oder dieser Mentor bekommt in diesem Lauf kein Tandem: Insgesamt sind die Führungskräfte mit den anderen am besten versorgt.".to_owned()
        }
        Phrase::Shortage(_, 0, _) => {
            "Niemand in diesem Lauf darf dieser Führungskraft zugeordnet werden: jedes Paar verletzt eine feste Regel.".to_owned()
        }
        Phrase::Shortage(executives, mentors, places) => format!(
            "{} nur von {} versorgt werden, und dort gibt es zusammen {}.",
            if executives == 1 { "Diese Führungskraft kann".to_owned() } else { format!("Diese {} Führungskräfte können", n(executives)) },
            if mentors == 1 { "einer Person".to_owned() } else { format!("diesen {} Personen", n(mentors)) },
            count(places, "Platz", "Plätze")
        ),
        Phrase::Relaxation(rule, pairs, matched) => format!(
            "{} {} möglich, und {} zusätzlich ein Tandem.",
            relaxed(rule),
            if pairs == 1 { "würde 1 Paar".to_owned() } else { format!("würden {} Paare", n(pairs)) },
            count(matched, "Führungskraft hätte", "Führungskräfte hätten")
        ),
    }
}

fn part(criterion: Criterion, share: Share) -> String {
    let per_cent = share.per_cent();
    match criterion {
        Criterion::Topics => {
            let most = match per_cent {
                95.. => "alles",
                75.. => "fast alles",
                50.. => "das meiste",
                25.. => "einiges",
                1.. => "weniges",
                _ => "nichts",
            };
            format!("Gelehrt werden kann {most}, was die Führungskraft lernen möchte.")
        }
        Criterion::Availability if per_cent >= 100 => "Gemeinsame Zeit ist reichlich da.".to_owned(),
        Criterion::Availability => {
            let tenths = session_tenths(share);
            format!("Die gemeinsame Zeit reicht für {},{} Treffen in der Woche.", tenths / 10, tenths % 10)
        }
        Criterion::Distance if per_cent >= 100 => "Im Unternehmen stehen sie weit auseinander.".to_owned(),
        Criterion::Distance => {
            format!("Im Unternehmen stehen sie {} auseinander.", count(steps(share), "Schritt", "Schritte"))
        }
        Criterion::Language if per_cent >= 100 => "Beide sprechen dieselbe Sprache am besten.".to_owned(),
        Criterion::Language => "Ihre gemeinsame Sprache ist nicht für beide die erste Wahl.".to_owned(),
        Criterion::MenteeWish if share.points > 0 => {
            "Die Führungskraft hat sich diese Person gewünscht.".to_owned()
        }
        Criterion::MenteeWish => "Die Führungskraft hat sich diese Person nicht gewünscht.".to_owned(),
        Criterion::MentorWish if share.points > 0 => {
            "Die Mentorin oder der Mentor hat sich diese Führungskraft gewünscht.".to_owned()
        }
        Criterion::MentorWish => {
            "Die Mentorin oder der Mentor hat sich diese Führungskraft nicht gewünscht.".to_owned()
        }
        Criterion::LoadBalance if per_cent >= 100 => {
            "Für die Mentorin oder den Mentor ist es das erste Tandem.".to_owned()
        }
        Criterion::LoadBalance => "Die Mentorin oder der Mentor hat daneben ein weiteres Tandem.".to_owned(),
    }
}

fn fit(score: i32) -> &'static str {
    match score {
        8_000.. => "sehr gut",
        6_500.. => "gut",
        5_000.. => "recht gut",
        3_000.. => "mäßig",
        _ => "schlecht",
    }
}

fn broken(rule: Rule) -> &'static str {
    match rule {
        Rule::Chain => {
            "Die Zuordnung ist nicht möglich: einer der beiden steht zu nah über dem anderen. Die Regeln des Durchgangs müssten weniger Ebenen trennen."
        }
        Rule::SameSuperior => {
            "Die Zuordnung ist nicht möglich: beide haben dieselbe direkte Führungskraft. Einer der beiden müsste die Stelle wechseln."
        }
        Rule::SameDepartment => {
            "Die Zuordnung ist nicht möglich: beide arbeiten in derselben Abteilung. Die Regeln des Durchgangs müssten das erlauben."
        }
        Rule::FormerPair => "Die Zuordnung ist nicht möglich: die beiden waren schon ein Tandem.",
        Rule::NeverAgain => {
            "Die Zuordnung ist nicht möglich: einer der beiden möchte nie wieder mit dem anderen ein Tandem bilden. Dabei bleibt es."
        }
        Rule::RefusedBefore => {
            "Die Zuordnung ist nicht möglich: einer der beiden hat den anderen in diesem Durchgang abgelehnt. Dabei bleibt es."
        }
        Rule::NoCommonLanguage => {
            "Die Zuordnung ist nicht möglich: die beiden haben keine gemeinsame Sprache. Einer müsste eine weitere anbieten."
        }
        Rule::NoCommonTime => {
            "Die Zuordnung ist nicht möglich: die beiden haben keine gemeinsame Zeit von der Länge eines Treffens. Einer müsste andere Stunden anbieten."
        }
        Rule::Forbidden => {
            "Die Zuordnung gibt es nicht: das Programmbüro hat sie für diesen Lauf ausgeschlossen und kann sie wieder zulassen."
        }
    }
}

fn relaxed(rule: Rule) -> &'static str {
    match rule {
        Rule::Chain => "Wenn weniger Ebenen der Hierarchie getrennt blieben,",
        Rule::SameSuperior => "Wenn Menschen mit derselben direkten Führungskraft ein Tandem bilden dürften,",
        Rule::SameDepartment => "Wenn Menschen derselben Abteilung ein Tandem bilden dürften,",
        Rule::FormerPair => "Wenn zwei Menschen noch einmal ein Tandem bilden dürften,",
        Rule::NeverAgain => "Wenn niemand den anderen für immer ausgeschlossen hätte,",
        Rule::RefusedBefore => "Wenn niemand den anderen abgelehnt hätte,",
        Rule::NoCommonLanguage => "Wenn sie eine gemeinsame Sprache hätten,",
        Rule::NoCommonTime => "Wenn sie gemeinsame Stunden anböten,",
        Rule::Forbidden => "Wenn das Programmbüro zuließe, was es ausgeschlossen hat,",
    }
}

/// So many more or fewer of something.
fn change(more: i64, one: &str, many: &str) -> String {
    let word = if more > 0 { "mehr" } else { "weniger" };
    let (noun, verb) = (if more.abs() == 1 { one } else { many }).split_once(' ').unwrap_or_default();
    format!("{} {noun} {word} {verb}", n(more))
}

fn count(number: impl TryInto<i64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(i64::MAX);
    format!("{} {}", n(number), if number == 1 { one } else { many })
}

fn points(number: i64) -> String {
    count(number.abs(), "Punkt", "Punkte")
}

fn n(number: impl TryInto<i64>) -> String {
    grouped(number.try_into().unwrap_or(i64::MAX), '.')
}
