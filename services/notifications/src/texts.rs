//! What the mails say, in every language; the compiler asks each language for each kind of message.

mod de;
mod en;

use jiff::Zoned;
use jiff::civil::Date;

use crate::domain::{Ending, Kind};

/// A language of the mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// What a message is to say.
#[derive(Clone, Debug)]
pub struct Told {
    /// What about.
    pub kind: Kind,
    /// The name of the other side of the tandem.
    pub partner: Option<String>,
    /// The day it names.
    pub due: Option<Date>,
    /// Months after the end, for a follow-up.
    pub months: Option<i32>,
    /// How the tandem ended.
    pub ending: Option<Ending>,
    /// Start of the session, in the zone of its people.
    pub start: Option<Zoned>,
    /// Length of the session.
    pub minutes: i32,
    /// Whether the session has changed since it was planned.
    pub changed: bool,
}

/// A message in words: plain text, to be escaped where it goes into something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// One paragraph.
    pub paragraph: String,
}

/// What stands around the paragraphs.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The tag of the language (BCP 47).
    pub tag: &'static str,
    /// Before the name.
    pub greeting: &'static str,
    /// Subject of a mail with several messages.
    pub several: &'static str,
    /// Before the link.
    pub link: &'static str,
    /// The last line.
    pub reason: &'static str,
}

impl Language {
    /// A message in words.
    #[must_use]
    pub fn words(self, told: &Told) -> Words {
        match self {
            Self::En => en::words(told),
            Self::De => de::words(told),
        }
    }

    /// What stands around it.
    #[must_use]
    pub const fn frame(self) -> Frame {
        match self {
            Self::En => en::FRAME,
            Self::De => de::FRAME,
        }
    }
}

impl Words {
    fn of(subject: impl Into<String>, paragraph: impl Into<String>) -> Self {
        Self { subject: subject.into(), paragraph: paragraph.into() }
    }
}
