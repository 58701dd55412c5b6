//! Days on which people are on leave, from the events of the enrollment.

use eventlog::{Patches, Table};
use identity::PersonId;
use jiff::civil::Date;
use serde_json::json;

static ABSENCES: Table = Table { name: "absences", key: "person_id, first_day, last_day", columns: "" };

pub(crate) fn keep(patches: &mut Patches, person: PersonId, [first_day, last_day]: [Date; 2]) {
    patches.set(&ABSENCES, json!({ "person_id": person, "first_day": first_day, "last_day": last_day }));
}
