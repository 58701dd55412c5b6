//! What happened, who is told of it, and when a mail may go.

mod effect;
mod timing;

use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

pub use self::effect::{Effect, Notice};
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
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
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

/// What an event of another service tells this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An edition keeps its hours in this zone.
    Zone { edition: EditionId, time_zone: String },
    /// A person left.
    Left { person: PersonId },
    /// A leaver came back.
    Returned { person: PersonId },
    /// Something happened that concerns one person.
    Personal { subject: Uuid, edition: EditionId, what: Personal },
    /// Two people were paired, and are asked.
    Offered { tandem: TandemId, edition: EditionId, pair: Pair, answer_by: Option<Timestamp> },
    /// Something happened to a tandem.
    Tandem { tandem: TandemId, edition: EditionId, what: Tandem },
    /// The meetings of a tandem are planned.
    Planned { tandem: TandemId, edition: EditionId, time_zone: String, meetings: Vec<Meeting> },
    /// Something happened to a meeting.
    Session { tandem: TandemId, edition: EditionId, session: SessionId, what: Session },
    /// What was planned later than this event is off.
    SeriesEnded { tandem: TandemId, edition: EditionId },
}

/// What happens to one person alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// A mentor applied and was promised a decision.
    Applied { person: PersonId, promised: Option<Date> },
    /// The office asked back.
    AskedBack { person: PersonId },
    /// The applicant answered, or took the offer back.
    ApplicantActed,
    /// The applicant is a mentor.
    Accepted { person: PersonId },
    /// The applicant is in reserve.
    Waitlisted { person: PersonId },
    /// The applicant was not taken.
    Declined { person: PersonId },
    /// An executive is obliged.
    Obliged { person: PersonId, due: Option<Date> },
    /// The executive let the date pass.
    Overdue { person: PersonId },
    /// The obligation was taken on, or is off.
    ObligationSettled,
    /// A mentee can say whether the practice is alive.
    FollowUpDue { mentee: PersonId, months: i32 },
    /// The mentee said so.
    FollowUpAnswered,
}

/// What happens to a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tandem {
    /// It is offered to both.
    Offered { answer_by: Option<Date> },
    /// A side accepted.
    Accepted { side: Side },
    /// Both accepted.
    Activated,
    /// A side refused.
    Refused { side: Side },
    /// A side was silent for too long.
    Expired,
    /// A side, or nobody in particular, ended it.
    Dissolved { side: Option<Side> },
    /// It met until the end.
    Completed,
}

/// What happens to a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// It is planned.
    Planned,
    /// It has another time.
    Moved { start: Timestamp },
    /// It does not take place.
    Cancelled,
    /// Its time has come, and the two met or did not.
    Past,
}
