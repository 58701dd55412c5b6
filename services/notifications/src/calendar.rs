//! The calendar entry of a session, as iTIP transports it.
//!
//! # Source
//!
//! RFC 5545 (iCalendar), RFC 5546 (iTIP: REQUEST, CANCEL, SEQUENCE), RFC 6047 (iMIP: the MIME part).

use icalendar::{Calendar, Component, Event, EventStatus, Property};
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

/// What a calendar is to do with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Take it in, or replace an older one.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// The name in the calendar and in the type of the MIME part, which must agree.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// A session as an entry of one person's calendar.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What to do with it.
    pub method: Method,
    /// The session: the same for all that is ever said about it.
    pub session: Uuid,
    /// The number of changes so far.
    pub sequence: u32,
    /// When the change was made.
    pub stamp: Timestamp,
    /// Start.
    pub start: Timestamp,
    /// Length.
    pub minutes: i32,
    /// Title.
    pub summary: &'a str,
    /// Text.
    pub description: &'a str,
    /// The address that invites.
    pub organizer: &'a str,
    /// The address that is invited.
    pub attendee: &'a str,
    /// Name of the invited.
    pub attendee_name: &'a str,
}

impl Entry<'_> {
    /// The entry as text.
    #[must_use]
    pub fn written(&self) -> String {
        let end = self.start.saturating_add(i64::from(self.minutes).minutes()).unwrap_or(self.start);
        let status = match self.method {
            Method::Request => EventStatus::Confirmed,
            Method::Cancel => EventStatus::Cancelled,
        };
        let attendee = Property::new("ATTENDEE", format!("mailto:{}", self.attendee))
            .add_parameter("CN", self.attendee_name)
            .add_parameter("ROLE", "REQ-PARTICIPANT")
            .add_parameter("PARTSTAT", "NEEDS-ACTION")
            // Nobody reads the answers yet, so that a calendar need not ask for one.
            .add_parameter("RSVP", "FALSE")
            .done();
        let event = Event::new()
            .uid(&self.session.to_string())
            .sequence(self.sequence)
            .add_property("DTSTAMP", utc(self.stamp))
            .add_property("DTSTART", utc(self.start))
            .add_property("DTEND", utc(end))
            .summary(self.summary)
            .description(self.description)
            .status(status)
            .add_property("ORGANIZER", format!("mailto:{}", self.organizer))
            .append_property(attendee)
            .done();
        let mut calendar = Calendar::empty();
        calendar.append_property(("VERSION", "2.0"));
        calendar.append_property(("PRODID", "-//Updraft//Notifications//EN"));
        calendar.append_property(("CALSCALE", "GREGORIAN"));
        calendar.append_property(("METHOD", self.method.name()));
        calendar.push(event);
        calendar.to_string()
    }
}

fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}
