//! A follow-up: months after the end a mentee says whether the practice is alive.

use std::collections::BTreeMap;

use identity::{EditionId, FollowUpId, PersonId};
use jiff::ToSpan;
use jiff::civil::Date;

/// How many months after the end of an edition its executives are asked.
pub const MONTHS: [i32; 6] = [3, 6, 12, 24, 36, 48];

/// The follow-up of a mentee so many months after the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The follow-up.
    pub id: FollowUpId,
    /// The edition that ended.
    pub edition: EditionId,
    /// Who is asked.
    pub mentee: PersonId,
    /// Months after the end.
    pub months: i32,
}

impl Subject {
    /// The follow-up that always belongs to this edition, mentee and number of months.
    #[must_use]
    pub fn of(edition: EditionId, mentee: PersonId, months: i32) -> Self {
        let id = FollowUpId::derived(edition.uuid(), format!("{mentee}/{months}").as_bytes());
        Self { id, edition, mentee, months }
    }

    /// The day from which it can be answered.
    #[must_use]
    pub fn due_date(&self, completed: Date) -> Date {
        completed.saturating_add(self.months.months())
    }
}

/// What is asked of a follow-up.
#[derive(Clone, Debug)]
pub struct Command {
    /// The edition in which the caller believes the follow-up to be.
    pub edition: EditionId,
    /// What is asked.
    pub act: Act,
}

/// What may be asked of a follow-up.
#[derive(Clone, Debug)]
pub enum Act {
    /// Ask the mentee from this day on.
    Schedule(Subject, Date),
    /// Find out whether the day has come, today.
    Tick(Date),
    /// Answer it, today.
    Answer(Date, Answer),
}

/// What a mentee says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the practice is alive.
    pub active: bool,
    /// How well the topics are known now, 0 to 4 by topic.
    pub levels: BTreeMap<String, i32>,
}

/// What happened to a follow-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which follow-up.
    pub subject: Subject,
    /// What changed.
    pub change: Change,
}

/// What can change in a follow-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The mentee will be asked from this day on.
    Scheduled(Date),
    /// The day has come.
    Due,
    /// The mentee said how it stands.
    Answered(Answer),
}

/// What the events of a follow-up amount to; without the first one there is none.
#[derive(Clone, Debug, Default)]
pub struct State(Option<FollowUp>);

#[derive(Clone, Debug)]
struct FollowUp {
    subject: Subject,
    due_date: Date,
    is_due: bool,
    answer: Option<Answer>,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such follow-up.
    #[error("There is no such follow-up.")]
    Unknown,
    /// The follow-up belongs to another edition.
    #[error("The follow-up belongs to another edition.")]
    OtherEdition,
    /// Its day has not come.
    #[error("The follow-up cannot be answered yet.")]
    NotYet,
    /// The mentee has answered differently before.
    #[error("The follow-up was answered before.")]
    AlreadyAnswered,
}

/// Decides what happens on a command; nothing, if it is done already.
///
/// # Errors
///
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    match (&state.0, &command.act) {
        (None, Act::Schedule(subject, due_date)) => {
            Ok(vec![Event { subject: *subject, change: Change::Scheduled(*due_date) }])
        }
        (None, _) => Err(Rejection::Unknown),
        (Some(follow_up), _) if follow_up.subject.edition != command.edition => Err(Rejection::OtherEdition),
        (Some(follow_up), act) => {
            let event = |change| Event { subject: follow_up.subject, change };
            Ok(follow_up.decide(act)?.into_iter().map(event).collect())
        }
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    match (&mut state.0, &event.change) {
        (state, Change::Scheduled(due_date)) => {
            let subject = event.subject;
            *state = Some(FollowUp { subject, due_date: *due_date, is_due: false, answer: None });
        }
        (Some(follow_up), Change::Due) => follow_up.is_due = true,
        (Some(follow_up), Change::Answered(answer)) => follow_up.answer = Some(answer.clone()),
        (None, _) => {}
    }
}

impl FollowUp {
    fn decide(&self, act: &Act) -> Result<Vec<Change>, Rejection> {
        match act {
            Act::Schedule(..) => Ok(vec![]),
            Act::Tick(today) => Ok(self.turns_due(*today).into_iter().collect()),
            Act::Answer(today, _) if *today < self.due_date => Err(Rejection::NotYet),
            Act::Answer(today, answer) => match &self.answer {
                None => {
                    let answered = Change::Answered(answer.clone());
                    // Who answers on the very day may be faster than the tick.
                    Ok(self.turns_due(*today).into_iter().chain([answered]).collect())
                }
                Some(same) if same == answer => Ok(vec![]),
                Some(_) => Err(Rejection::AlreadyAnswered),
            },
        }
    }

    fn turns_due(&self, today: Date) -> Option<Change> {
        (!self.is_due && self.due_date <= today).then_some(Change::Due)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const COMPLETED: Date = date(2014, 3, 31);

    fn subject() -> Subject {
        let (edition, mentee) = (EditionId::from_uuid(id(1)), PersonId::from_uuid(id(2)));
        Subject::of(edition, mentee, 3)
    }

    fn id(number: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(number)
    }

    fn event(change: Change) -> Event {
        Event { subject: subject(), change }
    }

    fn scheduled() -> Event {
        event(Change::Scheduled(subject().due_date(COMPLETED)))
    }

    fn answer(active: bool) -> Answer {
        Answer { active, levels: BTreeMap::from([("linkedin".to_owned(), 3)]) }
    }

    fn answering(today: Date, active: bool) -> Act {
        Act::Answer(today, answer(active))
    }

    fn given(history: &[Event], act: Act) -> Result<Vec<Event>, Rejection> {
        given_in(subject().edition, history, act)
    }

    fn given_in(edition: EditionId, history: &[Event], act: Act) -> Result<Vec<Event>, Rejection> {
        let mut state = State::default();
        for event in history {
            evolve(&mut state, event);
        }
        decide(&state, &Command { edition, act })
    }

    #[test]
    fn it_is_scheduled_once_and_for_the_last_day_of_a_shorter_month() {
        let act = Act::Schedule(subject(), subject().due_date(COMPLETED));
        assert_eq!(subject().due_date(COMPLETED), date(2014, 6, 30));
        assert_eq!(given(&[], act.clone()), Ok(vec![scheduled()]));
        assert_eq!(given(&[scheduled()], act), Ok(vec![]));
    }

    #[test]
    fn each_number_of_months_has_an_id_of_its_own() {
        let Subject { edition, mentee, .. } = subject();
        let ids: std::collections::BTreeSet<_> =
            MONTHS.iter().map(|months| Subject::of(edition, mentee, *months).id).collect();
        assert_eq!(ids.len(), MONTHS.len());
    }

    #[test]
    fn it_turns_due_once_when_its_day_has_come() {
        let tick = Act::Tick;
        assert_eq!(given(&[scheduled()], tick(date(2014, 6, 29))), Ok(vec![]));
        assert_eq!(given(&[scheduled()], tick(date(2014, 6, 30))), Ok(vec![event(Change::Due)]));
        let due = [scheduled(), event(Change::Due)];
        assert_eq!(given(&due, tick(date(2014, 7, 1))), Ok(vec![]));
    }

    #[test]
    fn it_cannot_be_answered_before_its_day() {
        let early = answering(date(2014, 6, 29), true);
        assert_eq!(given(&[scheduled()], early), Err(Rejection::NotYet));
    }

    #[test]
    fn an_answer_faster_than_the_tick_makes_it_due_as_well() {
        let answered = event(Change::Answered(answer(true)));
        let act = answering(date(2014, 6, 30), true);
        assert_eq!(given(&[scheduled()], act.clone()), Ok(vec![event(Change::Due), answered.clone()]));
        assert_eq!(given(&[scheduled(), event(Change::Due)], act), Ok(vec![answered]));
    }

    #[test]
    fn the_same_answer_again_is_success_and_another_one_is_refused() {
        let history = [scheduled(), event(Change::Due), event(Change::Answered(answer(true)))];
        assert_eq!(given(&history, answering(date(2014, 8, 1), true)), Ok(vec![]));
        let changed = given(&history, answering(date(2014, 8, 1), false));
        assert_eq!(changed, Err(Rejection::AlreadyAnswered));
    }

    #[test]
    fn a_command_for_another_edition_or_an_unknown_follow_up_is_refused() {
        let act = answering(date(2014, 8, 1), true);
        let elsewhere = EditionId::from_uuid(id(9));
        assert_eq!(given_in(elsewhere, &[scheduled()], act.clone()), Err(Rejection::OtherEdition));
        assert_eq!(given(&[], act), Err(Rejection::Unknown));
    }
}
