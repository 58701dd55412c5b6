//! Events and what they consist of, to protobuf and back; one file per kind of stream.

mod application;
mod edition;
mod obligation;
mod participation;
mod person;
mod source;
mod worker;

use eventlog::{Corrupt, Recorded};
use identity::Id;
use jiff::civil::Date;
use proto::api;

pub use application::Application;
pub use edition::Edition;
pub use obligation::Obligation;
pub use person::Person;
pub use source::Source;

pub(crate) use application::{decision_reason, decision_reason_to_proto, offer, offer_to_proto};
pub(crate) use edition::{
    eligibility_rule, eligibility_rule_to_proto, obligation_rule_to_proto, pairing_rule,
    pairing_rule_to_proto, repair_rule, repair_rule_to_proto,
};
pub(crate) use obligation::{excuse_reason, excuse_reason_to_proto, need, need_to_proto};
pub(crate) use participation::happenings;
pub(crate) use source::{
    credential_kind, credential_kind_to_proto, owns_to_proto, settings as source_settings,
};
pub(crate) use worker::{record, tombstone_kind, worker_said};

use crate::domain::availability::{Availability, Window};
use crate::domain::iso_date;

/// Reads the fields of a recorded event, and says which one cannot be read.
struct Fields<'a>(&'a Recorded);

impl Fields<'_> {
    fn id<K>(&self, field: &str, text: &str) -> Result<Id<K>, Corrupt> {
        text.parse().map_err(|_| self.unreadable(field))
    }

    fn optional_id<K>(&self, field: &str, text: &str) -> Result<Option<Id<K>>, Corrupt> {
        if text.is_empty() { Ok(None) } else { self.id(field, text).map(Some) }
    }

    fn ids<K>(&self, field: &str, texts: &[String]) -> Result<Vec<Id<K>>, Corrupt> {
        texts.iter().map(|text| self.id(field, text)).collect()
    }

    fn date(&self, field: &str, text: &str) -> Result<Date, Corrupt> {
        iso_date(text).ok_or_else(|| self.unreadable(field))
    }

    fn optional_date(&self, field: &str, text: &str) -> Result<Option<Date>, Corrupt> {
        if text.is_empty() { Ok(None) } else { self.date(field, text).map(Some) }
    }

    fn some<T>(&self, field: &str, value: Option<T>) -> Result<T, Corrupt> {
        value.ok_or_else(|| self.unreadable(field))
    }

    fn unreadable(&self, field: &str) -> Corrupt {
        Corrupt::new(self.0, format!("the field {field} is missing or malformed"))
    }
}

/// Ids, as the wire has them.
pub(crate) fn id_texts<K>(ids: &[Id<K>]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// An id that may be absent, as the wire has it.
pub(crate) fn optional_id_text<K>(id: Option<Id<K>>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(crate) fn availability(message: api::Availability) -> Availability {
    let window = |window: api::Window| Window {
        weekday: window.weekday,
        start_minute: window.start_minute,
        end_minute: window.end_minute,
    };
    Availability {
        windows: message.windows.into_iter().map(window).collect(),
        time_zone: message.time_zone,
        languages: message.languages,
    }
}

pub(crate) fn availability_to_proto(availability: &Availability) -> api::Availability {
    let window = |window: &Window| api::Window {
        weekday: window.weekday,
        start_minute: window.start_minute,
        end_minute: window.end_minute,
    };
    api::Availability {
        windows: availability.windows.iter().map(window).collect(),
        time_zone: availability.time_zone.clone(),
        languages: availability.languages.clone(),
    }
}
