//! English.

use super::{Phrase, Share, grouped, session_tenths, steps};
use crate::domain::Side;
use crate::domain::pairing::Rule;
use crate::domain::scoring::{Criterion, SCORE_MAX};

pub(super) fn phrase(phrase: Phrase) -> String {
    match phrase {
        Phrase::Part(criterion, share) => part(criterion, share),
        Phrase::Fit(score) => format!("They fit {}: {} of {} points.", fit(score), n(score), n(SCORE_MAX)),
        Phrase::Broken(rule) => broken(rule).to_owned(),
        Phrase::NoPlace => {
            "Every place of this mentor is bound by a lock; one would have to be given up.".to_owned()
        }
        Phrase::Unmatched(more) => {
            format!("{} without a mentor.", change(more, "executive would be", "executives would be"))
        }
        Phrase::Band(below, more) => {
            format!("{} score below {}.", change(more, "tandem would", "tandems would"), n(below))
        }
        Phrase::Score(less) if less > 0 => format!("All tandems together would lose {}.", points(less)),
        Phrase::Score(less) => format!("All tandems together would gain {}.", points(less)),
        Phrase::Moves(1) => "One executive would get another mentor.".to_owned(),
        Phrase::Moves(count) => format!("{} executives would get another mentor.", n(count)),
        Phrase::Nothing => "Nothing would change for anybody.".to_owned(),
        Phrase::Even => "All in all it would be just as good.".to_owned(),
        Phrase::Threshold(less) => {
            format!(
                "The run would choose the pair by itself if they fitted better by more than {}.",
                points(less)
            )
        }
        Phrase::OutOfReach => {
            "The run would not choose the pair by itself, however well they fitted.".to_owned()
        }
        Phrase::BestForAll(Side::Mentee) => {
            "This is the mentor with whom all executives together are served best.".to_owned()
        }
        Phrase::BestForAll(Side::Mentor) => {
            "This is the executive with whom all executives together are served best.".to_owned()
        }
        Phrase::NextBest(Side::Mentee) => "Another mentor would be the next best:".to_owned(),
        Phrase::NextBest(Side::Mentor) => "Another executive would be the next best:".to_owned(),
        Phrase::NobodyElse(Side::Mentee) => "Without this mentor the executive would have none.".to_owned(),
        Phrase::NobodyElse(Side::Mentor) => "Without this tandem the mentor would have none.".to_owned(),
        Phrase::FreeMentor => {
            "This mentor gets no executive in this run: all in all the executives are served best by the others."
                .to_owned()
        }
        Phrase::Shortage(_, 0, _) => {
            "No mentor of this run may be paired with this executive: every pair breaks a hard rule."
                .to_owned()
        }
        Phrase::Shortage(executives, mentors, places) => format!(
            "{} can only be served by {}, who {} {} together.",
            these(executives, "executive"),
            these(mentors, "mentor").to_lowercase(),
            if mentors == 1 { "has" } else { "have" },
            count(places, "place", "places")
        ),
        Phrase::Relaxation(rule, pairs, matched) => format!(
            "{} {} would become possible, and {} would have a mentor.",
            relaxed(rule),
            count(pairs, "pair", "pairs"),
            count(matched, "more executive", "more executives")
        ),
    }
}

fn part(criterion: Criterion, share: Share) -> String {
    let per_cent = share.per_cent();
    match criterion {
        Criterion::Topics => {
            let most = match per_cent {
                95.. => "everything",
                75.. => "nearly everything",
                50.. => "most of what",
                25.. => "some of what",
                1.. => "little of what",
                _ => "nothing of what",
            };
            let joint = if most.ends_with("what") { "" } else { " that" };
            format!("The mentor can teach {most}{joint} the executive wants to learn.")
        }
        Criterion::Availability if per_cent >= 100 => "They have ample time in common.".to_owned(),
        Criterion::Availability => {
            let tenths = session_tenths(share);
            format!("Their common time is enough for {}.{} sessions a week.", tenths / 10, tenths % 10)
        }
        Criterion::Distance if per_cent >= 100 => "They stand far apart in the organisation.".to_owned(),
        Criterion::Distance => {
            format!("They stand {} apart in the organisation.", count(steps(share), "step", "steps"))
        }
        Criterion::Language if per_cent >= 100 => "Both speak the same language best.".to_owned(),
        Criterion::Language => "They share a language that is not the first choice of both.".to_owned(),
        Criterion::MenteeWish if share.points > 0 => "The executive wished for this mentor.".to_owned(),
        Criterion::MenteeWish => "The executive did not wish for this mentor.".to_owned(),
        Criterion::MentorWish if share.points > 0 => "The mentor wished for this executive.".to_owned(),
        Criterion::MentorWish => "The mentor did not wish for this executive.".to_owned(),
        Criterion::LoadBalance if per_cent >= 100 => "It is the mentor's first tandem.".to_owned(),
        Criterion::LoadBalance => "The mentor has another tandem besides.".to_owned(),
    }
}

fn fit(score: i32) -> &'static str {
    match score {
        8_000.. => "very well",
        6_500.. => "well",
        5_000.. => "fairly well",
        3_000.. => "moderately",
        _ => "poorly",
    }
}

fn broken(rule: Rule) -> &'static str {
    match rule {
        Rule::Chain => {
            "They cannot be paired: one of them stands too closely above the other. The edition would have to keep fewer levels apart."
        }
        Rule::SameSuperior => {
            "They cannot be paired: both report to the same superior. One of them would have to move in the organisation."
        }
        Rule::SameDepartment => {
            "They cannot be paired: both work in the same department. The edition would have to allow that."
        }
        Rule::FormerPair => "They cannot be paired: they were a tandem before.",
        Rule::NeverAgain => {
            "They cannot be paired: one of them asked never to be paired with the other again. That stays."
        }
        Rule::RefusedBefore => {
            "They cannot be paired: one of them refused the other in this edition. That stays."
        }
        Rule::NoCommonLanguage => {
            "They cannot be paired: they have no language in common. One of them would have to offer another one."
        }
        Rule::NoCommonTime => {
            "They cannot be paired: they have no common time as long as a session. One of them would have to offer other hours."
        }
        Rule::Forbidden => {
            "They are not paired: the programme office has forbidden it for this run, and can permit it again."
        }
    }
}

fn relaxed(rule: Rule) -> &'static str {
    match rule {
        Rule::Chain => "If fewer levels of the hierarchy were kept apart,",
        Rule::SameSuperior => "If people with the same superior could be paired,",
        Rule::SameDepartment => "If people of the same department could be paired,",
        Rule::FormerPair => "If two people could form a tandem again,",
        Rule::NeverAgain => "If nobody had asked never to be paired again,",
        Rule::RefusedBefore => "If nobody had refused the other,",
        Rule::NoCommonLanguage => "If they had a language in common,",
        Rule::NoCommonTime => "If they offered common hours,",
        Rule::Forbidden => "If the programme office permitted what it has forbidden,",
    }
}

/// So many more or fewer of something.
fn change(more: i64, one: &str, many: &str) -> String {
    let word = if more > 0 { "more" } else { "fewer" };
    let (noun, verb) = (if more.abs() == 1 { one } else { many }).split_once(' ').unwrap_or_default();
    format!("{} {word} {noun} {verb}", n(more))
}

fn these(number: usize, noun: &str) -> String {
    if number == 1 { format!("This {noun}") } else { format!("These {} {noun}s", n(number)) }
}

fn count(number: impl TryInto<i64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(i64::MAX);
    format!("{} {}", n(number), if number == 1 { one } else { many })
}

fn points(number: i64) -> String {
    count(number.abs(), "point", "points")
}

fn n(number: impl TryInto<i64>) -> String {
    grouped(number.try_into().unwrap_or(i64::MAX), ',')
}
