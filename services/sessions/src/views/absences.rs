//! Days on which people are on leave, from the events of the enrollment.

use eventlog::{Patches, Table};
use identity::PersonId;
use jiff::civil::Date;
use serde_json::json;

static ABSENCES: Table = Table { name: "absences", key: "person_id, first_day", columns: "last_day" };

/// Keeps a leave with the end it has now, which may not be known; one that never was is none.
pub(crate) fn keep(patches: &mut Patches, person: PersonId, first_day: Date, last_day: Option<Date>) {
    let row = json!({ "person_id": person, "first_day": first_day, "last_day": last_day });
    if last_day.is_some_and(|last_day| last_day < first_day) {
        patches.remove(&ABSENCES, json!({ "person_id": person, "first_day": first_day }));
    } else {
        patches.set(&ABSENCES, row);
    }
}
