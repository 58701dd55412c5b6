//! What a tandem does, as rules: pure, without a clock, a database or a network.

pub mod follow_up;
pub mod planning;
pub mod series;

/// A side of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The young employee who teaches.
    Mentor,
    /// The executive who learns.
    Mentee,
}
