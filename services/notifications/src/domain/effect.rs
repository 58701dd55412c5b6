//! Who is told of what happened, and which earlier message is no longer of use.

use identity::PersonId;
use jiff::civil::Date;

use super::{Ending, Kind, Pair, Personal, Session, Side, Tandem};

/// A message to one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// To whom.
    pub to: PersonId,
    /// What about.
    pub kind: Kind,
    /// The other side of the tandem, if it speaks of it.
    pub partner: Option<PersonId>,
    /// A day it names: promised, or to answer by.
    pub due: Option<Date>,
    /// Months after the end, for a follow-up.
    pub months: Option<i32>,
    /// How a tandem ended.
    pub ending: Option<Ending>,
}

/// What follows for the messages about one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Kinds that are of no use any more if they were not sent yet.
    pub obsolete: &'static [Kind],
    /// The only person for whom that holds; none means everybody.
    pub only_for: Option<PersonId>,
    /// Who is told.
    pub tell: Vec<Notice>,
}

const APPLICATION: &[Kind] = &[
    Kind::ApplicationReceived,
    Kind::InformationRequested,
    Kind::ApplicationAccepted,
    Kind::ApplicationWaitlisted,
    Kind::ApplicationDeclined,
];
const OBLIGATION: &[Kind] = &[Kind::ObligationDue, Kind::ObligationOverdue];
const REPAIR: &[Kind] = &[Kind::RepairWaiting];
const TANDEM: &[Kind] = &[Kind::TandemProposed, Kind::TandemInformationNeeded, Kind::TandemActive];

impl Personal {
    /// What follows from it.
    #[must_use]
    pub fn effect(self) -> Effect {
        let tell = |to, kind| Notice { to, kind, partner: None, due: None, months: None, ending: None };
        let (obsolete, notice) = match self {
            Self::Applied { person, promised } => {
                (APPLICATION, Some(Notice { due: promised, ..tell(person, Kind::ApplicationReceived) }))
            }
            Self::AskedBack { person } => (APPLICATION, Some(tell(person, Kind::InformationRequested))),
            Self::ApplicantActed => (APPLICATION, None),
            Self::Accepted { person } => (APPLICATION, Some(tell(person, Kind::ApplicationAccepted))),
            Self::Waitlisted { person } => (APPLICATION, Some(tell(person, Kind::ApplicationWaitlisted))),
            Self::Declined { person } => (APPLICATION, Some(tell(person, Kind::ApplicationDeclined))),
            Self::Obliged { person, due } => {
                (OBLIGATION, Some(Notice { due, ..tell(person, Kind::ObligationDue) }))
            }
            Self::Overdue { person } => (OBLIGATION, Some(tell(person, Kind::ObligationOverdue))),
            Self::ObligationSettled => (OBLIGATION, None),
            Self::FollowUpDue { mentee, months } => {
                (&[] as _, Some(Notice { months: Some(months), ..tell(mentee, Kind::FollowUpDue) }))
            }
            Self::FollowUpAnswered => (&[Kind::FollowUpDue] as _, None),
            Self::RepairOffered { office } => (REPAIR, Some(tell(office, Kind::RepairOffered))),
            Self::TandemInformationNeeded { office } => {
                (&[] as _, Some(tell(office, Kind::TandemInformationNeeded)))
            }
            Self::RepairWaiting { office } => (REPAIR, Some(tell(office, Kind::RepairWaiting))),
        };
        Effect { obsolete, only_for: None, tell: notice.into_iter().collect() }
    }
}

impl Tandem {
    /// What follows from it for the two.
    #[must_use]
    pub fn effect(self, pair: Pair) -> Effect {
        match self {
            Self::Offered { answer_by } => {
                let tell = pair.both(Kind::TandemProposed).map(|notice| Notice { due: answer_by, ..notice });
                Effect { tell: tell.into(), ..Effect::default() }
            }
            Self::Accepted { side } => Effect {
                obsolete: &[Kind::TandemProposed],
                only_for: Some(pair.of(side)),
                ..Effect::default()
            },
            Self::Activated => {
                Effect { obsolete: TANDEM, only_for: None, tell: pair.both(Kind::TandemActive).into() }
            }
            Self::Refused { side } => pair.ended(Ending::NotFormed, Some(side)),
            Self::Expired | Self::Withdrawn => pair.ended(Ending::NotFormed, None),
            Self::Dissolved { side } => pair.ended(Ending::Dissolved, side),
            Self::Completed => pair.ended(Ending::Completed, None),
        }
    }
}

impl Session {
    /// What follows from it for the two.
    #[must_use]
    pub fn effect(self, pair: Pair) -> Effect {
        let tell = match self {
            // Whoever moved or cancelled it has a calendar as well, so both are told.
            Self::Planned | Self::Moved { .. } | Self::Resumed { .. } => {
                pair.both(Kind::SessionInvitation).into()
            }
            Self::Cancelled => pair.both(Kind::SessionCancelled).into(),
            Self::Past => Vec::new(),
        };
        let obsolete: &[Kind] = match self {
            Self::Resumed { .. } => &[Kind::SessionInvitation, Kind::SessionCancelled],
            _ => &[Kind::SessionInvitation],
        };
        Effect { obsolete, only_for: None, tell }
    }
}

impl Pair {
    const fn of(&self, side: Side) -> PersonId {
        match side {
            Side::Mentor => self.mentor,
            Side::Mentee => self.mentee,
        }
    }

    fn both(&self, kind: Kind) -> [Notice; 2] {
        let tell =
            |to, partner| Notice { to, kind, partner: Some(partner), due: None, months: None, ending: None };
        [tell(self.mentor, self.mentee), tell(self.mentee, self.mentor)]
    }

    /// Nobody is told of what they did themselves.
    fn ended(&self, ending: Ending, by: Option<Side>) -> Effect {
        let by = by.map(|side| self.of(side));
        let both = self.both(Kind::TandemEnded).into_iter();
        let others = both.filter(|notice| Some(notice.to) != by);
        let tell = others.map(|notice| Notice { ending: Some(ending), ..notice }).collect();
        Effect { obsolete: TANDEM, only_for: None, tell }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pair() -> Pair {
        Pair {
            mentor: PersonId::from_uuid(Uuid::from_u128(1)),
            mentee: PersonId::from_uuid(Uuid::from_u128(2)),
        }
    }

    /// Who is told what.
    fn told(effect: &Effect) -> Vec<(PersonId, Kind)> {
        effect.tell.iter().map(|notice| (notice.to, notice.kind)).collect()
    }

    #[test]
    fn given_an_obligation_that_is_acknowledged_when_the_reminder_waits_then_it_is_of_no_use() {
        let effect = Personal::ObligationSettled.effect();
        assert_eq!(effect.obsolete, [Kind::ObligationDue, Kind::ObligationOverdue]);
        assert!(effect.tell.is_empty());
    }

    #[test]
    fn given_a_decision_when_the_receipt_still_waits_then_only_the_decision_is_told() {
        let person = pair().mentor;
        let effect = Personal::Accepted { person }.effect();
        assert!(effect.obsolete.contains(&Kind::ApplicationReceived));
        assert_eq!(told(&effect), [(person, Kind::ApplicationAccepted)]);
    }

    #[test]
    fn given_an_offer_when_the_mentee_accepts_then_only_the_mentee_is_no_longer_asked() {
        let effect = Tandem::Accepted { side: Side::Mentee }.effect(pair());
        assert_eq!((effect.obsolete, effect.only_for), (&[Kind::TandemProposed][..], Some(pair().mentee)));
    }

    #[test]
    fn given_a_veto_when_it_is_told_then_the_mentor_hears_neither_who_nor_why() {
        let effect = Tandem::Refused { side: Side::Mentee }.effect(pair());
        assert_eq!(told(&effect), [(pair().mentor, Kind::TandemEnded)]);
        assert_eq!(effect.tell[0].ending, Some(Ending::NotFormed));
        let silent = Tandem::Expired.effect(pair());
        assert_eq!(silent.tell[0], effect.tell[0], "silence and a veto look the same");
    }

    #[test]
    fn given_somebody_who_waited_when_there_is_an_offer_then_the_office_hears_only_that() {
        let office = pair().mentor;
        let effect = Personal::RepairOffered { office }.effect();
        assert_eq!(effect.obsolete, [Kind::RepairWaiting]);
        assert_eq!(told(&effect), [(office, Kind::RepairOffered)]);
    }

    #[test]
    fn given_a_tandem_that_nobody_in_particular_ended_when_it_is_told_then_both_hear_it() {
        let effect = Tandem::Dissolved { side: None }.effect(pair());
        assert_eq!(told(&effect), [(pair().mentor, Kind::TandemEnded), (pair().mentee, Kind::TandemEnded)]);
    }

    #[test]
    fn given_a_session_that_takes_place_after_all_when_its_cancellation_waits_then_only_the_invitation_goes()
    {
        let start = "2013-10-01T08:00:00Z".parse().unwrap();
        let effect = Session::Resumed { start }.effect(pair());
        assert_eq!(effect.obsolete, [Kind::SessionInvitation, Kind::SessionCancelled]);
        assert_eq!(
            told(&effect),
            [(pair().mentor, Kind::SessionInvitation), (pair().mentee, Kind::SessionInvitation)]
        );
    }

    #[test]
    fn given_a_session_that_is_moved_or_cancelled_when_its_invitation_waits_then_the_newer_one_replaces_it() {
        let start = "2013-10-01T08:00:00Z".parse().unwrap();
        for (what, kind) in [
            (Session::Moved { start }, Kind::SessionInvitation),
            (Session::Cancelled, Kind::SessionCancelled),
        ] {
            let effect = what.effect(pair());
            assert_eq!(effect.obsolete, [Kind::SessionInvitation]);
            assert_eq!(told(&effect), [(pair().mentor, kind), (pair().mentee, kind)]);
        }
    }
}
