//! The rules of an edition, as the programme office sets them; texts apart.

use identity::PersonId;
use jiff::civil::Date;
use workdays::WorkingDays;

use crate::domain::first_repeated;

/// What the programme office sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The day on which eligibility and levels are evaluated.
    pub reference_date: Date,
    /// The first day of the first month of meetings.
    pub start_date: Date,
    /// Months of meetings, one session each.
    pub months: i32,
    /// The length of a session.
    pub session_minutes: i32,
    /// Who is obliged.
    pub obligation: ObligationRule,
    /// Who may be a mentor, besides an age rule.
    pub eligibility: EligibilityRule,
    /// Who may not be paired.
    pub pairing: PairingRule,
    /// What follows when somebody is left without a tandem.
    pub repair: RepairRule,
    /// The catalogue, by short names.
    pub topics: Vec<String>,
    /// Mentees a mentor may have, 1 or 2.
    pub mentor_capacity_max: i32,
    /// Working days to answer an application or a proposed tandem.
    pub answer_working_days: i32,
    /// Days after opening until an obligation must be acknowledged.
    pub acknowledge_days: i32,
    /// The smallest group a report speaks of.
    pub anonymity_k: i32,
    /// The zone in which days begin, by the IANA time zone database.
    pub time_zone: String,
    /// The days on which people work.
    pub working_days: WorkingDays,
}

/// Who is obliged: those within the levels, with the included, without the excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObligationRule {
    /// At most this many levels below the top; none means only the list.
    pub max_level: Option<i32>,
    /// Of the levels, only people who lead others.
    pub leaders_only: bool,
    /// Obliged whatever their level.
    pub included: Vec<PersonId>,
    /// Not obliged whatever their level.
    pub excluded: Vec<PersonId>,
}

/// Who may be a mentor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EligibilityRule {
    /// Completed months with the company at the reference date, at least.
    pub tenure_months_min: i32,
    /// Levels below the top, at least.
    pub level_min: i32,
}

/// Who may not be paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairingRule {
    /// Neither stands within this many levels above the other.
    pub chain_levels: i32,
    /// The same department may not be paired.
    pub other_department: bool,
}

/// What follows at once when somebody is left without a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairRule {
    /// Whether nothing is offered but by the programme office.
    pub by_hand: bool,
    /// How many unanswered offers of others may be moved, 0 or 1.
    pub moves_max: i32,
}

/// A rule of an edition that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// The meetings would begin before eligibility is known.
    #[error("The edition starts on {start_date}, before its reference date {reference_date}.")]
    StartsBeforeReference {
        /// When the meetings begin.
        start_date: Date,
        /// When eligibility is evaluated.
        reference_date: Date,
    },
    /// There is nothing to teach.
    #[error("The catalogue has no topic.")]
    NoTopic,
    /// Two topics could not be told apart.
    #[error("The topic {0} stands in the catalogue twice.")]
    TopicTwice(String),
    /// A mentor with more mentees has no time for them.
    #[error("A mentor may have one or two mentees, not {0}.")]
    Capacity(i32),
    /// A smaller group would give its members away.
    #[error("A report must not speak of fewer than five people; the edition says {0}.")]
    AnonymityTooSmall(i32),
    /// Somebody would be obliged and not obliged.
    #[error("The person {0} is on the list of the included and of the excluded.")]
    IncludedAndExcluded(PersonId),
}

/// The smallest group a report may ever speak of.
const ANONYMITY_K_MIN: i32 = 5;

impl Rules {
    /// Checks that the rules fit together.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), Unsound> {
        let Self { start_date, reference_date, .. } = *self;
        if start_date < reference_date {
            return Err(Unsound::StartsBeforeReference { start_date, reference_date });
        }
        if self.topics.is_empty() {
            return Err(Unsound::NoTopic);
        }
        if let Some(topic) = first_repeated(self.topics.iter().map(String::as_str)) {
            return Err(Unsound::TopicTwice(topic.to_owned()));
        }
        if !(1..=2).contains(&self.mentor_capacity_max) {
            return Err(Unsound::Capacity(self.mentor_capacity_max));
        }
        if self.anonymity_k < ANONYMITY_K_MIN {
            return Err(Unsound::AnonymityTooSmall(self.anonymity_k));
        }
        let ObligationRule { included, excluded, .. } = &self.obligation;
        match included.iter().find(|person| excluded.contains(person)) {
            Some(person) => Err(Unsound::IncludedAndExcluded(*person)),
            None => Ok(()),
        }
    }

    /// The day by which whoever asks today is promised an answer.
    #[must_use]
    pub fn promised(&self, today: Date) -> Date {
        self.working_days.after(today, self.answer_working_days)
    }

    /// Tells whether the catalogue has this topic.
    #[must_use]
    pub fn teaches(&self, topic: &str) -> bool {
        self.topics.iter().any(|known| known == topic)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    pub(crate) fn rules() -> Rules {
        Rules {
            reference_date: date(2013, 9, 1),
            start_date: date(2013, 10, 1),
            months: 6,
            session_minutes: 60,
            obligation: ObligationRule {
                max_level: Some(2),
                leaders_only: true,
                included: vec![PersonId::from_uuid(Uuid::from_u128(31))],
                excluded: vec![PersonId::from_uuid(Uuid::from_u128(32))],
            },
            eligibility: EligibilityRule { tenure_months_min: 6, level_min: 2 },
            pairing: PairingRule { chain_levels: 2, other_department: true },
            repair: RepairRule { by_hand: false, moves_max: 1 },
            topics: vec!["hashtags".to_owned(), "linkedin-profile".to_owned()],
            mentor_capacity_max: 2,
            answer_working_days: 3,
            acknowledge_days: 14,
            anonymity_k: 5,
            time_zone: "Europe/Berlin".to_owned(),
            working_days: "DE-HE".parse().unwrap(),
        }
    }

    #[test]
    fn sound_rules_pass() {
        assert_eq!(rules().check(), Ok(()));
        assert_eq!(Rules { start_date: date(2013, 9, 1), ..rules() }.check(), Ok(()));
    }

    #[test]
    fn an_answer_is_promised_in_working_days() {
        // Wednesday; Thursday is the Day of German Unity.
        assert_eq!(rules().promised(date(2013, 10, 2)), date(2013, 10, 8));
    }

    #[test]
    fn the_meetings_start_no_earlier_than_the_reference_date() {
        let refused = Unsound::StartsBeforeReference {
            start_date: date(2013, 8, 31),
            reference_date: date(2013, 9, 1),
        };
        assert_eq!(Rules { start_date: date(2013, 8, 31), ..rules() }.check(), Err(refused));
    }

    #[test]
    fn the_catalogue_has_topics_and_none_twice() {
        assert_eq!(Rules { topics: vec![], ..rules() }.check(), Err(Unsound::NoTopic));
        let topics = ["hashtags", "podcasts", "hashtags"].map(str::to_owned).to_vec();
        assert_eq!(Rules { topics, ..rules() }.check(), Err(Unsound::TopicTwice("hashtags".to_owned())));
    }

    #[test]
    fn a_mentor_has_one_or_two_mentees() {
        for wrong in [0, 3] {
            let refused = Err(Unsound::Capacity(wrong));
            assert_eq!(Rules { mentor_capacity_max: wrong, ..rules() }.check(), refused);
        }
    }

    #[test]
    fn a_report_speaks_of_five_people_at_least() {
        assert_eq!(Rules { anonymity_k: 4, ..rules() }.check(), Err(Unsound::AnonymityTooSmall(4)));
    }

    #[test]
    fn nobody_is_included_and_excluded() {
        let mut contradictory = rules();
        contradictory.obligation.excluded.push(contradictory.obligation.included[0]);
        let refused = Unsound::IncludedAndExcluded(contradictory.obligation.included[0]);
        assert_eq!(contradictory.check(), Err(refused));
    }
}
