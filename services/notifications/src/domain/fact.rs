//! What the other services recorded, as far as somebody is to hear of it.
#![expect(missing_docs, reason = "each variant says what happened; its fields bear the words of the product")]

use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Meeting, Pair, Side};

/// What an event of another service tells this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An edition keeps its hours in this zone.
    Zone { edition: EditionId, time_zone: String, region: String },
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
    /// Somebody who was left over has another offer; the office is who released it.
    RepairOffered { office: PersonId },
    /// Somebody who was left over has no other offer yet.
    RepairWaiting { office: PersonId },
    /// A side of an offer needs information before it answers.
    TandemInformationNeeded { office: PersonId },
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
    /// The offer was taken back.
    Withdrawn,
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
    /// It takes place after all.
    Resumed { start: Timestamp },
    /// Its time has come, and the two met or did not.
    Past,
}
