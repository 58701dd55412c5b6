//! What happened, who is told of it, and when a mail may go.

mod effect;
mod fact;
mod timing;

use identity::{PersonId, SessionId};
use jiff::Timestamp;

pub use self::effect::{Effect, Notice};
pub use self::fact::{Fact, Personal, Session, Tandem};
pub use self::timing::{Verdict, Waiting, judge, retry_at};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The application arrived.
    ApplicationReceived,
    /// The office asks back.
    InformationRequested,
    /// The application was accepted.
    ApplicationAccepted,
    /// The application is in reserve.
    ApplicationWaitlisted,
    /// The application was declined.
    ApplicationDeclined,
    /// The obligation is to be acknowledged.
    ObligationDue,
    /// The obligation is overdue.
    ObligationOverdue,
    /// A tandem is offered.
    TandemProposed,
    /// Both accepted.
    TandemActive,
    /// The tandem ended, or never began.
    TandemEnded,
    /// A session was planned or moved.
    SessionInvitation,
    /// A session does not take place.
    SessionCancelled,
    /// A follow-up can be answered.
    FollowUpDue,
    /// Somebody who was left over has another offer.
    RepairOffered,
    /// Somebody who was left over has no other offer yet.
    RepairWaiting,
    /// Somebody needs information before answering an offer.
    TandemInformationNeeded,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::ApplicationReceived,
        Self::InformationRequested,
        Self::ApplicationAccepted,
        Self::ApplicationWaitlisted,
        Self::ApplicationDeclined,
        Self::ObligationDue,
        Self::ObligationOverdue,
        Self::TandemProposed,
        Self::TandemActive,
        Self::TandemEnded,
        Self::SessionInvitation,
        Self::SessionCancelled,
        Self::FollowUpDue,
        Self::RepairOffered,
        Self::RepairWaiting,
        Self::TandemInformationNeeded,
    ];

    /// The name under which it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApplicationReceived => "application_received",
            Self::InformationRequested => "information_requested",
            Self::ApplicationAccepted => "application_accepted",
            Self::ApplicationWaitlisted => "application_waitlisted",
            Self::ApplicationDeclined => "application_declined",
            Self::ObligationDue => "obligation_due",
            Self::ObligationOverdue => "obligation_overdue",
            Self::TandemProposed => "tandem_proposed",
            Self::TandemActive => "tandem_active",
            Self::TandemEnded => "tandem_ended",
            Self::SessionInvitation => "session_invitation",
            Self::SessionCancelled => "session_cancelled",
            Self::FollowUpDue => "follow_up_due",
            Self::RepairOffered => "repair_offered",
            Self::RepairWaiting => "repair_waiting",
            Self::TandemInformationNeeded => "tandem_information_needed",
        }
    }

    /// Whether it carries a calendar entry, and so travels alone.
    #[must_use]
    pub const fn is_calendar(self) -> bool {
        matches!(self, Self::SessionInvitation | Self::SessionCancelled)
    }
}

/// How a tandem ended, as far as its people are told: never by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was offered and did not come about.
    NotFormed,
    /// It ended before its time.
    Dissolved,
    /// It met until the end.
    Completed,
}

impl Ending {
    /// The name under which it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFormed => "not_formed",
            Self::Dissolved => "dissolved",
            Self::Completed => "completed",
        }
    }
}

/// A side of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one who teaches.
    Mentor,
    /// The one who learns.
    Mentee,
}

/// The two of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Who teaches.
    pub mentor: PersonId,
    /// Who learns.
    pub mentee: PersonId,
}

/// A planned meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Its id.
    pub session: SessionId,
    /// Start.
    pub start: Timestamp,
    /// Length.
    pub minutes: i32,
}
