//! The inputs of a run as they are kept: bytes whose SHA-256 the run bears.

use std::collections::BTreeMap;
use std::fmt::Write;

use identity::{Id, PersonId};
use prost::Message;
use proto::api::TopicLevel;
use proto::matching as stored;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{rule, rule_to_proto, scoring_rules, scoring_rules_to_proto};
use crate::domain::Pair;
use crate::domain::inputs::{Inputs, Mentee, Mentor, Participant, Past, Rules, Standing};
use crate::domain::scoring::Scoring;
use crate::domain::week::Span;

/// The bytes of inputs, and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    /// A `FrozenInputs`, in the one way in which it is written: fields ascending, without defaults.
    pub bytes: Vec<u8>,
}

/// Inputs as they are kept.
#[must_use]
pub fn freeze(inputs: &Inputs) -> Kept {
    let Inputs { rules, scoring, mentees, mentors, past } = inputs;
    let mentee = |it: &Mentee| participant_to_proto(&it.participant, &it.needs, (0, 0));
    let mentor = |it: &Mentor| participant_to_proto(&it.participant, &it.offers, (it.places, it.taken));
    let message = stored::FrozenInputs {
        chain_levels: rules.chain_levels,
        other_department: rules.other_department,
        session_minutes: rules.session_minutes,
        months: rules.months,
        scoring_version: scoring.version,
        scoring_rules: Some(scoring_rules_to_proto(&scoring.rules)),
        mentees: mentees.iter().map(mentee).collect(),
        mentors: mentors.iter().map(mentor).collect(),
        past: past.iter().map(|(pair, past)| past_to_proto(pair, *past)).collect(),
    };
    let bytes = message.encode_to_vec();
    Kept { digest: digest(&bytes), bytes }
}

/// Why kept inputs cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spoilt {
    /// They are not those of the run.
    #[error("the bytes have the SHA-256 {0}, not that of the run")]
    Digest(String),
    /// They are no inputs.
    #[error("the bytes are no inputs of a run: the field {0} is missing or malformed")]
    Field(&'static str),
    /// They are no message.
    #[error("the bytes are no inputs of a run")]
    Message(#[from] prost::DecodeError),
}

/// The inputs in kept bytes, which must have this digest.
///
/// # Errors
/// [`Spoilt`].
pub fn thaw(bytes: &[u8], expected: &str) -> Result<Inputs, Spoilt> {
    let found = digest(bytes);
    if found != expected {
        return Err(Spoilt::Digest(found));
    }
    let it = stored::FrozenInputs::decode(bytes)?;
    let rules = it.scoring_rules.ok_or(Spoilt::Field("scoring_rules"))?;
    let rules = scoring_rules(&rules).map_err(|_| Spoilt::Field("scoring_rules"))?;
    let mentees = it.mentees.into_iter().map(|it| {
        let (participant, needs) = participant(&it)?;
        Ok(Mentee { participant, needs })
    });
    let mentors = it.mentors.into_iter().map(|it| {
        let (participant, offers) = participant(&it)?;
        let count = |number: i32| u32::try_from(number).map_err(|_| Spoilt::Field("places"));
        Ok(Mentor { participant, offers, places: count(it.places)?, taken: count(it.taken)? })
    });
    Ok(Inputs {
        rules: Rules {
            chain_levels: it.chain_levels,
            other_department: it.other_department,
            session_minutes: it.session_minutes,
            months: it.months,
        },
        scoring: Scoring { version: it.scoring_version, rules },
        mentees: mentees.collect::<Result<_, Spoilt>>()?,
        mentors: mentors.collect::<Result<_, Spoilt>>()?,
        past: it.past.iter().map(past).collect::<Result<_, Spoilt>>()?,
    })
}

/// SHA-256, hexadecimal.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn participant_to_proto(
    participant: &Participant,
    levels: &BTreeMap<String, i32>,
    (places, taken): (u32, u32),
) -> stored::FrozenParticipant {
    let Participant { standing, languages, spans, wishes } = participant;
    let level = |(topic, level): (&String, &i32)| TopicLevel { topic_id: topic.clone(), level: *level };
    stored::FrozenParticipant {
        person_id: bytes(standing.person),
        line: standing.line.iter().copied().map(bytes).collect(),
        org_unit_id: bytes(standing.org_unit),
        languages: languages.clone(),
        span_steps: steps(spans),
        levels: levels.iter().map(level).collect(),
        wished_person_ids: wishes.iter().copied().map(bytes).collect(),
        places: i32::try_from(places).unwrap_or(i32::MAX),
        taken: i32::try_from(taken).unwrap_or(i32::MAX),
    }
}

fn participant(it: &stored::FrozenParticipant) -> Result<(Participant, BTreeMap<String, i32>), Spoilt> {
    let people = |ids: &[Vec<u8>], field| ids.iter().map(|bytes| id(bytes, field)).collect::<Result<_, _>>();
    let standing = Standing {
        person: id(&it.person_id, "person_id")?,
        line: people(&it.line, "line")?,
        org_unit: id(&it.org_unit_id, "org_unit_id")?,
    };
    let participant = Participant {
        standing,
        languages: it.languages.clone(),
        spans: spans(&it.span_steps).ok_or(Spoilt::Field("span_steps"))?,
        wishes: people(&it.wished_person_ids, "wished_person_ids")?,
    };
    Ok((participant, it.levels.iter().map(|level| (level.topic_id.clone(), level.level)).collect()))
}

fn past_to_proto(pair: &Pair, past: Past) -> stored::FrozenPast {
    let (mentor_person_id, mentee_person_id) = (bytes(pair.mentor), bytes(pair.mentee));
    stored::FrozenPast { mentor_person_id, mentee_person_id, rule: rule_to_proto(past.rule()) }
}

fn past(it: &stored::FrozenPast) -> Result<(Pair, Past), Spoilt> {
    let mentor: PersonId = id(&it.mentor_person_id, "mentor_person_id")?;
    let pair = Pair { mentor, mentee: id(&it.mentee_person_id, "mentee_person_id")? };
    let past = rule(it.rule).and_then(Past::of).ok_or(Spoilt::Field("rule"))?;
    Ok((pair, past))
}

/// The ends of the spans, each as the minutes since the one before.
fn steps(spans: &[Span]) -> Vec<i64> {
    let mut last = 0;
    let ends = spans.iter().flat_map(|span| [span.start, span.end]);
    ends.map(|end| end - std::mem::replace(&mut last, end)).collect()
}

fn spans(steps: &[i64]) -> Option<Vec<Span>> {
    let mut last = 0_i64;
    let mut ends = Vec::with_capacity(steps.len());
    for step in steps {
        last = last.checked_add(*step)?;
        ends.push(last);
    }
    let two = ends.chunks_exact(2);
    two.remainder().is_empty().then(|| two.map(|two| Span { start: two[0], end: two[1] }).collect())
}

fn bytes<K>(id: Id<K>) -> Vec<u8> {
    id.uuid().as_bytes().to_vec()
}

fn id<K>(bytes: &[u8], field: &'static str) -> Result<Id<K>, Spoilt> {
    Uuid::from_slice(bytes).map(Id::from_uuid).map_err(|_| Spoilt::Field(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::tests::other_rules;
    use crate::domain::inputs::tests::{inputs, pair, person};

    fn everything() -> Inputs {
        let mut inputs = inputs();
        inputs.scoring = Scoring { version: 3, rules: other_rules() };
        inputs.mentees[0].participant.wishes = vec![person(11), person(12)];
        inputs.mentees[0].participant.spans = vec![Span { start: -60, end: 0 }, Span { start: 60, end: 240 }];
        (inputs.mentors[0].places, inputs.mentors[0].taken) = (2, 1);
        let past = [Past::Refused, Past::Former, Past::NeverAgain];
        inputs.past = (1..).map(|mentee| pair(11, mentee)).zip(past).collect();
        inputs
    }

    #[test]
    fn inputs_come_back_as_they_were() {
        let kept = freeze(&everything());
        assert_eq!(thaw(&kept.bytes, &kept.digest), Ok(everything()));
        assert_eq!(freeze(&everything()), kept);
    }

    #[test]
    fn the_digest_never_changes() {
        // Published runs are checked against it years later.
        let kept = freeze(&everything());
        assert_eq!(kept.digest, "ea975546a4e194ebf712f62f82c53c47277745f8a1bdfa723a020057a5b1fdb9");
    }

    #[test]
    fn whatever_changes_shows_in_the_digest() {
        let changes: [fn(&mut Inputs); 12] = [
            |inputs| inputs.rules.chain_levels = 3,
            |inputs| inputs.rules.other_department = false,
            |inputs| inputs.rules.session_minutes = 61,
            |inputs| inputs.scoring.version = 1,
            |inputs| drop(inputs.mentees.pop()),
            |inputs| inputs.mentees[0].needs.extend([("podcasts".to_owned(), 0)]),
            |inputs| inputs.mentees[1].participant.standing.line.push(person(5)),
            |inputs| inputs.mentees[1].participant.wishes.push(person(11)),
            |inputs| inputs.mentors[0].places = 2,
            |inputs| inputs.mentors[0].participant.languages.swap(0, 1),
            |inputs| inputs.mentors[1].participant.spans[0].end += 1,
            |inputs| inputs.past = [(pair(11, 1), Past::Refused)].into(),
        ];
        let after = |change: &fn(&mut Inputs)| {
            let mut other = inputs();
            change(&mut other);
            freeze(&other).digest
        };
        let mut digests: Vec<String> = changes.iter().map(after).chain([freeze(&inputs()).digest]).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), changes.len() + 1);
    }

    #[test]
    fn bytes_that_are_not_those_of_the_run_are_refused() {
        let Kept { digest: expected, mut bytes } = freeze(&everything());
        bytes[0] ^= 1;
        assert!(matches!(thaw(&bytes, &expected), Err(Spoilt::Digest(found)) if found == digest(&bytes)));
        assert_eq!(thaw(&[], &digest(&[])), Err(Spoilt::Field("scoring_rules")));
        let no_message = [0xff];
        assert!(matches!(thaw(&no_message, &digest(&no_message)), Err(Spoilt::Message(_))));
    }
}
