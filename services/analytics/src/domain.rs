//! What is counted, and how; pure.
//!
//! [`Fact`] is what the others recorded as far as a report needs it; `consistency` and `cadence` count meetings, `anonymity`
//! says which numbers about people's answers may be shown.

pub mod anonymity;
pub mod cadence;
pub mod consistency;
mod fact;

pub use self::fact::{Fact, SessionFate, Side};
