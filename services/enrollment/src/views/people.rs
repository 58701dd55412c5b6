//! Where people stand, as the events say.

use eventlog::{Patches, Table};
use serde_json::json;

use crate::domain::person::{Change, Event};

static PEOPLE: Table = Table {
    name: "people",
    key: "person_id",
    columns: "manager_person_id, org_unit_id, hire_date, last_day",
};

pub(super) fn apply(patches: &mut Patches, event: &Event) {
    let person = event.person;
    match &event.change {
        Change::Joined(place) | Change::Moved(place) => patches.set(
            &PEOPLE,
            json!({ "person_id": person, "manager_person_id": place.manager, "org_unit_id": place.org_unit,
                    "hire_date": place.hire_date }),
        ),
        Change::Left(last_day) => {
            patches.change(&PEOPLE, json!({ "person_id": person, "last_day": last_day }));
        }
        Change::Returned => patches.change(&PEOPLE, json!({ "person_id": person, "last_day": null })),
        // A leave concerns what is planned, which other services know.
        Change::Absent(_) => {}
    }
}
