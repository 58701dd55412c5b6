//! Where people stand, as the events say.

use eventlog::{Patches, Table};
use serde_json::json;

use crate::domain::person::{Change, Event};

static PEOPLE: Table = Table {
    name: "people",
    key: "person_id",
    columns: "manager_person_id, org_unit_id, hire_date, last_day, leaving_on",
};

pub(super) fn apply(patches: &mut Patches, event: &Event) {
    let person = event.person;
    match &event.change {
        Change::Joined(place) | Change::Moved(place) => patches.set(
            &PEOPLE,
            json!({ "person_id": person, "manager_person_id": place.manager, "org_unit_id": place.org_unit,
                    "hire_date": place.hire_date }),
        ),
        Change::Leaving(last_day) => {
            patches.change(&PEOPLE, json!({ "person_id": person, "leaving_on": last_day }));
        }
        Change::Left(last_day) => {
            let row = json!({ "person_id": person, "last_day": last_day, "leaving_on": null });
            patches.change(&PEOPLE, row);
        }
        Change::Returned => patches.change(&PEOPLE, json!({ "person_id": person, "last_day": null })),
        // A leave concerns what is planned, which other services know. Who was a mistake or is erased has left before.
        Change::Absent(_) | Change::AbsenceEnded { .. } | Change::Rescinded | Change::Erased => {}
    }
}
