//! What the other services recorded, as far as a report needs it.
#![allow(missing_docs, reason = "each variant says what happened; its fields bear the words of the product")]

use identity::{ApplicationId, EditionId, FollowUpId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;

/// A side of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The mentor.
    Mentor,
    /// The mentee.
    Mentee,
}

impl Side {
    /// The side as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Mentee => "mentee",
        }
    }
}

/// What became of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFate {
    /// The two met.
    Held,
    /// A side cancelled.
    Cancelled(Side),
    /// An approved absence.
    Excused(Side),
    /// A side did not come.
    Missed(Side),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An edition was set up or changed.
    EditionSet {
        edition: EditionId,
        start_date: Date,
        months: i32,
        time_zone: String,
        anonymity_k: i32,
        topics: Vec<String>,
    },
    /// The meetings of an edition are over.
    EditionCompleted { edition: EditionId },
    /// A mentor applied.
    Applied { application: ApplicationId, edition: EditionId, person: PersonId, topics: Vec<String> },
    /// An application changed its state.
    ApplicationIs { application: ApplicationId, state: &'static str },
    /// An executive's obligation changed its state.
    ObligationIs { edition: EditionId, person: PersonId, state: &'static str },
    /// An executive said what is known and wanted: topic, level, wanted.
    Needs { edition: EditionId, person: PersonId, needs: Vec<(String, i32, bool)> },
    /// A tandem was offered.
    TandemOffered { tandem: TandemId, edition: EditionId, mentor: PersonId, mentee: PersonId },
    /// A tandem changed its state.
    TandemIs { tandem: TandemId, state: &'static str },
    /// A tandem's sessions were planned: session, month, start.
    SeriesPlanned {
        tandem: TandemId,
        edition: EditionId,
        mentee: PersonId,
        sessions: Vec<(SessionId, i32, Timestamp)>,
    },
    /// A session was moved.
    SessionMoved { session: SessionId, start: Timestamp },
    /// A session that was off is planned again.
    SessionResumed { session: SessionId, start: Timestamp },
    /// A session came to its end.
    SessionIs { session: SessionId, fate: SessionFate },
    /// What a tandem had still planned is gone.
    SeriesEnded { tandem: TandemId },
    /// Two cancellations in a row reached the office.
    Alerted { edition: EditionId },
    /// A follow-up was planned.
    FollowUpScheduled { follow_up: FollowUpId, edition: EditionId, person: PersonId, months: i32 },
    /// A follow-up was answered: levels by topic.
    FollowUpAnswered {
        follow_up: FollowUpId,
        edition: EditionId,
        person: PersonId,
        months: i32,
        active: bool,
        levels: Vec<(String, i32)>,
    },
    /// A person left the company.
    Left { person: PersonId, last_day: Date },
    /// A leaver came back.
    Returned { person: PersonId },
}
