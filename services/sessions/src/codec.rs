//! Events and what they consist of, to protobuf and back; one file per kind of stream, and one for those of others.

mod follow_up;
mod news;
mod series;

use eventlog::{Corrupt, Recorded};
use identity::Id;
use jiff::civil::Date;
use proto::api;

pub use follow_up::FollowUp;
pub use series::Series;

pub(crate) use follow_up::answer;
pub(crate) use news::{News, Pair, news};

use crate::domain::Side;

/// Reads the fields of a recorded event, and says which one cannot be read.
struct Fields<'a>(&'a Recorded);

impl Fields<'_> {
    fn id<K>(&self, field: &str, text: &str) -> Result<Id<K>, Corrupt> {
        text.parse().map_err(|_| self.unreadable(field))
    }

    fn date(&self, field: &str, text: &str) -> Result<Date, Corrupt> {
        text.parse().map_err(|_| self.unreadable(field))
    }

    fn side(&self, number: i32) -> Result<Side, Corrupt> {
        self.some("side", side(number))
    }

    fn some<T>(&self, field: &str, value: Option<T>) -> Result<T, Corrupt> {
        value.ok_or_else(|| self.unreadable(field))
    }

    fn unreadable(&self, field: &str) -> Corrupt {
        Corrupt::new(self.0, format!("the field {field} is missing or malformed"))
    }
}

/// The side of a number on the wire; none for one that is not defined.
pub(crate) fn side(number: i32) -> Option<Side> {
    match api::Side::try_from(number) {
        Ok(api::Side::Mentor) => Some(Side::Mentor),
        Ok(api::Side::Mentee) => Some(Side::Mentee),
        Ok(api::Side::Unspecified) | Err(_) => None,
    }
}

pub(crate) fn side_to_proto(side: Side) -> i32 {
    let number = match side {
        Side::Mentor => api::Side::Mentor,
        Side::Mentee => api::Side::Mentee,
    };
    number.into()
}
