//! Users and workers: one is the other in SCIM's words.

use proto::hris::{EmploymentStatus, StoredWorker, Worker};
use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    schema::{CONFIDENTIAL, Document, EMPLOYMENT, ENTERPRISE},
};

/// A day as the service takes it, within an instant as some clients send it.
const DAY_LENGTH: usize = "2010-03-01".len();

/// What a client asks to be stored.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) worker: Worker,
    pub(super) external_id: String,
    /// Whether the date of birth stays as it is, as the client says nothing of it.
    pub(super) keep_birth_date: bool,
}

/// What of a worker a client may change, as a document.
pub(super) fn document(stored: &StoredWorker) -> Document {
    let Some(worker) = &stored.worker else { return Document::new() };
    let [organization, division, department] = units(&worker.org_unit_path);
    let mut user = Document::new();
    put(&mut user, "externalId", &stored.alias);
    put(&mut user, "userName", &worker.user_name);
    let mut name = Document::new();
    put(&mut name, "givenName", &worker.given_name);
    put(&mut name, "familyName", &worker.family_name);
    put_object(&mut user, "name", name);
    put(&mut user, "title", &worker.job_title);
    user.insert("active".to_owned(), Value::Bool(worker.employment_status() != EmploymentStatus::Inactive));
    if !worker.email.is_empty() {
        let email = json!([{ "value": worker.email, "type": "work", "primary": true }]);
        user.insert("emails".to_owned(), email);
    }

    let mut enterprise = Document::new();
    put(&mut enterprise, "employeeNumber", &worker.employee_number);
    put(&mut enterprise, "organization", organization);
    put(&mut enterprise, "division", division);
    put(&mut enterprise, "department", department);
    let mut manager = Document::new();
    put(&mut manager, "value", &worker.manager_external_id);
    put_object(&mut enterprise, "manager", manager);
    put_object(&mut user, ENTERPRISE, enterprise);

    let mut employment = Document::new();
    put(&mut employment, "hireDate", &worker.hire_date);
    put_object(&mut user, EMPLOYMENT, employment);
    let mut confidential = Document::new();
    put(&mut confidential, "leaveFirstDay", &worker.leave_first_day);
    put(&mut confidential, "leaveLastDay", &worker.leave_last_day);
    put_object(&mut user, CONFIDENTIAL, confidential);
    user
}

/// A worker as a whole user: what a client may change, and what the server says; `users` is the address of all users.
pub(super) fn resource(stored: &StoredWorker, users: &str) -> Document {
    let mut user = document(stored);
    let Some(worker) = &stored.worker else { return user };
    let address = |id: &str| format!("{users}/{id}");
    user.insert("id".to_owned(), json!(worker.external_id));
    put(&mut user, "displayName", format!("{} {}", worker.given_name, worker.family_name).trim());
    if let Some(manager) = user.get_mut(ENTERPRISE).and_then(|part| part.get_mut("manager")?.as_object_mut())
    {
        manager.insert("$ref".to_owned(), json!(address(&worker.manager_external_id)));
        put(manager, "displayName", stored.manager_name.trim());
    }
    let mut meta = Document::new();
    put(&mut meta, "resourceType", "User");
    for (name, instant) in [("created", &stored.create_time), ("lastModified", &stored.update_time)] {
        put(&mut meta, name, &instant.map(|instant| instant.to_string()).unwrap_or_default());
    }
    put(&mut meta, "location", &address(&worker.external_id));
    put(&mut meta, "version", &version(stored));
    user.insert("meta".to_owned(), Value::Object(meta));
    user
}

/// The version of a user as an entity tag. It is weak, as the name of the superior is no part of it.
pub(super) fn version(stored: &StoredWorker) -> String {
    format!("W/\"{}\"", stored.etag)
}

/// The worker that a user describes; `before` is what the same user was until now.
///
/// # Errors
/// 400 without a user name.
pub(super) fn wanted(user: &Document, id: &str, before: Option<&StoredWorker>) -> Result<Wanted, Refusal> {
    let nothing = Document::new();
    let part = |urn: &str| user.get(urn).and_then(Value::as_object).unwrap_or(&nothing);
    let (enterprise, confidential) = (part(ENTERPRISE), part(CONFIDENTIAL));
    let user_name = text(user, "userName");
    if user_name.is_empty() {
        return Err(Refusal::value("userName", "is required"));
    }
    let name = user.get("name").and_then(Value::as_object).unwrap_or(&nothing);
    let units = ["organization", "division", "department"].map(|unit| text(enterprise, unit));
    let mut worker = Worker {
        external_id: id.to_owned(),
        user_name,
        given_name: text(name, "givenName"),
        family_name: text(name, "familyName"),
        email: work_address(user),
        job_title: text(user, "title"),
        employee_number: text(enterprise, "employeeNumber"),
        org_unit_path: path(units),
        manager_external_id: manager(enterprise),
        hire_date: day(part(EMPLOYMENT), "hireDate"),
        birth_date: day(confidential, "birthDate"),
        ..Worker::default()
    };
    let before = before.and_then(|stored| stored.worker.as_ref());
    let leave = leave(confidential, before);
    worker.set_employment_status(employment_status(user, leave.is_some(), before));
    if worker.employment_status() == EmploymentStatus::OnLeave {
        [worker.leave_first_day, worker.leave_last_day] = leave.unwrap_or_default();
    }
    let keep_birth_date = before.is_some() && !confidential.contains_key("birthDate");
    Ok(Wanted { worker, external_id: text(user, "externalId"), keep_birth_date })
}

/// The first and the last day of the leave, if there is one. A client is never told them: what it does not name stays.
fn leave(confidential: &Document, before: Option<&Worker>) -> Option<[String; 2]> {
    const DAYS: [&str; 2] = ["leaveFirstDay", "leaveLastDay"];
    let kept = before.map(|worker| [&worker.leave_first_day, &worker.leave_last_day].map(String::clone));
    let is_silent = !DAYS.iter().any(|name| confidential.contains_key(*name));
    let goes_on =
        is_silent && before.is_some_and(|worker| worker.employment_status() == EmploymentStatus::OnLeave);
    let mut days = kept.unwrap_or_default();
    for (name, day) in DAYS.iter().zip(&mut days) {
        if confidential.contains_key(*name) {
            *day = self::day(confidential, name);
        }
    }
    (goes_on || days.iter().any(|day| !day.is_empty())).then_some(days)
}

fn employment_status(user: &Document, on_leave: bool, before: Option<&Worker>) -> EmploymentStatus {
    let before = before.map(Worker::employment_status);
    // A client that does not say whether the user is active changes nothing of it.
    let active = user.get("active").and_then(Value::as_bool);
    if !active.unwrap_or(before != Some(EmploymentStatus::Inactive)) {
        return EmploymentStatus::Inactive;
    }
    match before {
        _ if on_leave => EmploymentStatus::OnLeave,
        Some(EmploymentStatus::Pending) => EmploymentStatus::Pending,
        _ => EmploymentStatus::Active,
    }
}

/// The one address that is kept: of those for work the primary one, else the first.
fn work_address(user: &Document) -> String {
    let emails = user.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_work = |email: &&Value| {
        let kind = email.get("type").and_then(Value::as_str);
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("work"))
            && email.get("value").is_some_and(Value::is_string)
    };
    let of_work = emails.iter().filter(of_work).collect::<Vec<_>>();
    let primary = of_work.iter().find(|email| email.get("primary") == Some(&Value::Bool(true)));
    let chosen = primary.or(of_work.first()).and_then(|email| email.get("value")?.as_str());
    chosen.unwrap_or_default().to_owned()
}

/// The superior's identifier; a client may send only the address of the superior, which ends with it.
fn manager(enterprise: &Document) -> String {
    let Some(manager) = enterprise.get("manager").and_then(Value::as_object) else { return String::new() };
    let value = text(manager, "value");
    if !value.is_empty() {
        return value;
    }
    let address = text(manager, "$ref");
    address.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The units from the top down. A department alone is a path of one, so that sources which know no more agree with others.
fn path([organization, division, department]: [String; 3]) -> Vec<String> {
    match (organization.is_empty() && division.is_empty(), department.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => vec![department],
        (false, _) => vec![organization, division, department],
    }
}

/// The organisation, the division and the department of a path; of a longer one the first and the last two.
fn units(path: &[String]) -> [&str; 3] {
    match path {
        [] => ["", "", ""],
        [department] => ["", "", department],
        [division, department] => ["", division, department],
        [organization, .., division, department] => [organization, division, department],
    }
}

fn day(document: &Document, name: &str) -> String {
    let text = text(document, name);
    match text.split_at_checked(DAY_LENGTH) {
        Some((day, time)) if time.starts_with('T') => day.to_owned(),
        _ => text,
    }
}

fn text(document: &Document, name: &str) -> String {
    document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn put(document: &mut Document, name: &str, text: &str) {
    if !text.is_empty() {
        document.insert(name.to_owned(), Value::String(text.to_owned()));
    }
}

fn put_object(document: &mut Document, name: &str, object: Document) {
    if !object.is_empty() {
        document.insert(name.to_owned(), Value::Object(object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> StoredWorker {
        let mut worker = Worker {
            external_id: "7".to_owned(),
            user_name: "ada".to_owned(),
            given_name: "Ada".to_owned(),
            family_name: "Byron".to_owned(),
            email: "ada@example.com".to_owned(),
            job_title: "Analyst".to_owned(),
            employee_number: "12".to_owned(),
            org_unit_path: vec!["Royal".to_owned(), String::new(), "Analysis".to_owned()],
            manager_external_id: "3".to_owned(),
            hire_date: "2010-01-04".to_owned(),
            leave_first_day: "2013-09-01".to_owned(),
            ..Worker::default()
        };
        worker.set_employment_status(EmploymentStatus::OnLeave);
        StoredWorker {
            worker: Some(worker),
            alias: "x".to_owned(),
            etag: "5".to_owned(),
            manager_name: "Charles Babbage".to_owned(),
            update_time: Some(prost_types::Timestamp { seconds: 1_376_290_800, nanos: 0 }),
            ..StoredWorker::default()
        }
    }

    fn user(json: &Value) -> Document {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_read_and_written_again_is_the_same() {
        let stored = stored();
        let wanted = wanted(&document(&stored), "7", Some(&stored)).unwrap();
        assert_eq!(Some(wanted.worker), stored.worker);
        assert_eq!((wanted.external_id.as_str(), wanted.keep_birth_date), ("x", true));
    }

    #[test]
    fn the_server_says_what_only_it_knows() {
        let user = Value::Object(resource(&stored(), "https://example.com/scim/v2/Users"));
        assert_eq!((&user["id"], &user["displayName"]), (&json!("7"), &json!("Ada Byron")));
        let manager = json!({
            "value": "3", "$ref": "https://example.com/scim/v2/Users/3", "displayName": "Charles Babbage",
        });
        assert_eq!(user[ENTERPRISE]["manager"], manager);
        let meta = json!({
            "resourceType": "User", "lastModified": "2013-08-12T07:00:00Z",
            "location": "https://example.com/scim/v2/Users/7", "version": "W/\"5\"",
        });
        assert_eq!(user["meta"], meta);
    }

    #[test]
    fn every_choice_of_units_survives_the_way_there_and_back() {
        for chosen in 0..8 {
            let unit = |bit: u8, name: &str| if chosen & bit == 0 { String::new() } else { name.to_owned() };
            let given = [unit(1, "Royal"), unit(2, "Science"), unit(4, "Analysis")];
            assert_eq!(units(&path(given.clone())).map(str::to_owned), given);
        }
    }

    #[test]
    fn who_is_not_said_to_be_active_stays_as_before() {
        let silent = user(&json!({ "userName": "ada" }));
        let status = |user: &Document, before: Option<&StoredWorker>| {
            wanted(user, "7", before).unwrap().worker.employment_status()
        };
        let mut gone = stored();
        let worker = gone.worker.as_mut().unwrap();
        worker.set_employment_status(EmploymentStatus::Inactive);
        worker.leave_first_day.clear();
        assert_eq!(status(&silent, None), EmploymentStatus::Active);
        assert_eq!(status(&silent, Some(&gone)), EmploymentStatus::Inactive);
        assert_eq!(
            status(&user(&json!({ "userName": "a", "active": true })), Some(&gone)),
            EmploymentStatus::Active
        );
        assert_eq!(
            status(&user(&json!({ "userName": "a", "active": false })), None),
            EmploymentStatus::Inactive
        );
        let leave = json!({ "userName": "a", CONFIDENTIAL: { "leaveLastDay": "2013-12-31" } });
        assert_eq!(status(&user(&leave), None), EmploymentStatus::OnLeave);
    }

    #[test]
    fn a_leave_goes_on_until_the_client_names_a_day_of_it() {
        let mut stored = stored();
        let leave = |user: Value, before: &StoredWorker| {
            let worker = wanted(&self::user(&user), "7", Some(before)).unwrap().worker;
            (worker.employment_status(), worker.leave_first_day, worker.leave_last_day)
        };
        let on_leave =
            |first: &str, last: &str| (EmploymentStatus::OnLeave, first.to_owned(), last.to_owned());
        let replaced = json!({ "userName": "ada", "active": true });
        assert_eq!(leave(replaced.clone(), &stored), on_leave("2013-09-01", ""));
        let ends = json!({ "userName": "ada", CONFIDENTIAL: { "leaveLastDay": "2013-12-31" } });
        assert_eq!(leave(ends, &stored), on_leave("2013-09-01", "2013-12-31"));
        let over = json!({ "userName": "ada", CONFIDENTIAL: { "leaveFirstDay": null } });
        assert_eq!(leave(over, &stored), (EmploymentStatus::Active, String::new(), String::new()));

        let deactivated = json!({ "userName": "ada", "active": false });
        assert_eq!(leave(deactivated, &stored), (EmploymentStatus::Inactive, String::new(), String::new()));
        stored.worker.as_mut().unwrap().set_employment_status(EmploymentStatus::Inactive);
        assert_eq!(leave(replaced, &stored), on_leave("2013-09-01", ""));
    }

    #[test]
    fn a_date_of_birth_is_kept_unless_the_client_says_something_of_it() {
        let before = stored();
        let keeps = |user: Value| wanted(&self::user(&user), "7", Some(&before)).unwrap().keep_birth_date;
        assert!(keeps(json!({ "userName": "ada" })));
        assert!(!keeps(json!({ "userName": "ada", CONFIDENTIAL: { "birthDate": "1990-05-17" } })));
        assert!(!keeps(json!({ "userName": "ada", CONFIDENTIAL: { "birthDate": null } })));
    }

    #[test]
    fn the_work_address_is_taken_and_the_superior_from_an_address_too() {
        let user = user(&json!({
            "userName": "ada",
            "emails": [
                { "value": "home@example.com", "type": "home", "primary": true },
                { "value": "a@example.com", "type": "Work" },
                { "value": "b@example.com", "type": "work", "primary": true },
            ],
            ENTERPRISE: { "manager": { "$ref": "https://example.com/scim/v2/Users/3" } },
            EMPLOYMENT: { "hireDate": "2010-01-04T00:00:00Z" },
        }));
        let worker = wanted(&user, "7", None).unwrap().worker;
        assert_eq!(worker.email, "b@example.com");
        assert_eq!((worker.manager_external_id.as_str(), worker.hire_date.as_str()), ("3", "2010-01-04"));
        assert!(wanted(&Document::new(), "7", None).is_err());
    }
}
