//! What a tandem does, as rules: pure, without a clock, a database or a network.

pub mod follow_up;
pub mod planning;
pub mod series;

use jiff::tz::TimeZone;

/// A side of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The young employee who teaches.
    Mentor,
    /// The executive who learns.
    Mentee,
}

impl Side {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Mentor, Self::Mentee];

    /// The side as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Mentee => "mentee",
        }
    }
}

/// The name of a zone that was read from the IANA time zone database.
#[must_use]
pub fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}
