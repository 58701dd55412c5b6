use proto::hris::{self, upsert_workers_request, worker_tombstone};

use crate::domain::worker::{
    self, Change, EmploymentSaid, FieldIssue, Record, Tombstone, Unreadable, WorkerSaid,
};

/// What a record says, or all that is wrong with it.
pub(crate) fn record(request: hris::UpsertWorkersRequest) -> Record {
    match request.change {
        Some(upsert_workers_request::Change::Upsert(upsert)) => upsert_record(upsert),
        Some(upsert_workers_request::Change::Tombstone(tombstone)) => tombstone_record(tombstone),
        None => Err(nobodys("change", "The record says neither upsert nor tombstone.")),
    }
}

/// A worker as the wire has it, before it is looked at.
pub(crate) fn worker_said(message: hris::Worker, alias: String) -> WorkerSaid {
    let employment = match hris::EmploymentStatus::try_from(message.employment_status) {
        Ok(hris::EmploymentStatus::Unspecified | hris::EmploymentStatus::Active) => EmploymentSaid::Active,
        Ok(hris::EmploymentStatus::OnLeave) => EmploymentSaid::OnLeave,
        Ok(hris::EmploymentStatus::Pending) => EmploymentSaid::Pending,
        Ok(hris::EmploymentStatus::Inactive) => EmploymentSaid::Inactive,
        Err(_) => EmploymentSaid::Unknown,
    };
    WorkerSaid {
        external_id: message.external_id,
        source_version: message.source_version,
        employee_number: message.employee_number,
        user_name: message.user_name,
        given_name: message.given_name,
        family_name: message.family_name,
        email: message.email,
        job_title: message.job_title,
        org_unit_path: message.org_unit_path,
        manager_external_id: message.manager_external_id,
        hire_date: message.hire_date,
        birth_date: message.birth_date,
        employment,
        leave_first_day: message.leave_first_day,
        leave_last_day: message.leave_last_day,
        alias,
    }
}

/// The kind of a tombstone; none for one that is not set or not known.
pub(crate) fn tombstone_kind(kind: i32) -> Option<Tombstone> {
    match worker_tombstone::Kind::try_from(kind) {
        Ok(worker_tombstone::Kind::Left) => Some(Tombstone::Left),
        Ok(worker_tombstone::Kind::Rescinded) => Some(Tombstone::Rescinded),
        Ok(worker_tombstone::Kind::Erased) => Some(Tombstone::Erased),
        Ok(worker_tombstone::Kind::Unspecified) | Err(_) => None,
    }
}

fn upsert_record(upsert: hris::WorkerUpsert) -> Record {
    let effective_date = worker::day("effective_date", &upsert.effective_date);
    let Some(message) = upsert.worker else { return Err(nobodys("worker", "The record has no worker.")) };
    match (worker_said(message, String::new()).read(), effective_date) {
        (Ok((worker, noticed)), Ok(effective_date)) => Ok(Change::Upsert { worker, effective_date, noticed }),
        (Ok((worker, _)), Err(issue)) => {
            Err(Unreadable { external_id: worker.external_id, issues: vec![issue] })
        }
        (Err(unreadable), Ok(_)) => Err(unreadable),
        (Err(mut unreadable), Err(issue)) => {
            unreadable.issues.push(issue);
            Err(unreadable)
        }
    }
}

fn tombstone_record(tombstone: hris::WorkerTombstone) -> Record {
    let key = worker::key("tombstone.external_id", &tombstone.external_id);
    let version = worker::version("tombstone.source_version", tombstone.source_version);
    let last_day = worker::day("tombstone.last_day", &tombstone.last_day);
    let kind = tombstone_kind(tombstone.kind).ok_or_else(|| {
        FieldIssue::new("tombstone.kind", "MISSING_VALUE", "The field is not set, or no kind that is known.")
    });
    let external_id = if key.is_ok() { tombstone.external_id } else { String::new() };
    match (key, version, kind, last_day) {
        (Ok(()), Ok(source_version), Ok(kind), Ok(last_day)) => {
            Ok(Change::Tombstone { external_id, source_version, kind, last_day })
        }
        (key, version, kind, last_day) => {
            let issues = [key.err(), version.err(), kind.err(), last_day.err()];
            Err(Unreadable { external_id, issues: issues.into_iter().flatten().collect() })
        }
    }
}

fn nobodys(field: &str, message: &str) -> Unreadable {
    let issues = vec![FieldIssue::new(field, "MISSING_VALUE", message)];
    Unreadable { external_id: String::new(), issues }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(record: Record) -> Vec<(String, &'static str)> {
        record.unwrap_err().issues.into_iter().map(|issue| (issue.field, issue.reason)).collect()
    }

    fn with(change: Option<upsert_workers_request::Change>) -> Record {
        record(hris::UpsertWorkersRequest { sync_run_id: String::new(), client_ref: 1, change })
    }

    #[test]
    fn a_record_without_a_change_is_one_that_cannot_be_read() {
        assert_eq!(reasons(with(None)), [("change".to_owned(), "MISSING_VALUE")]);
        let empty = hris::WorkerUpsert { worker: None, effective_date: String::new() };
        let empty = with(Some(upsert_workers_request::Change::Upsert(empty)));
        assert_eq!(reasons(empty), [("worker".to_owned(), "MISSING_VALUE")]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let tombstone = hris::WorkerTombstone {
            external_id: String::new(),
            source_version: u64::MAX,
            kind: 9,
            last_day: "soon".to_owned(),
        };
        let refused = with(Some(upsert_workers_request::Change::Tombstone(tombstone)));
        assert_eq!(refused.unwrap_err().issues.len(), 4);
        let worker =
            hris::Worker { external_id: "A".to_owned(), hire_date: "x".to_owned(), ..Default::default() };
        let upsert = hris::WorkerUpsert { worker: Some(worker), effective_date: "y".to_owned() };
        let refused = with(Some(upsert_workers_request::Change::Upsert(upsert))).unwrap_err();
        let fields: Vec<_> = refused.issues.iter().map(|issue| issue.field.as_str()).collect();
        assert_eq!((refused.external_id.as_str(), fields), ("A", vec!["worker.hire_date", "effective_date"]));
    }

    #[test]
    fn every_kind_of_end_is_known() {
        let kinds = [0, 1, 2, 3, 4].map(tombstone_kind);
        let known = [Tombstone::Left, Tombstone::Rescinded, Tombstone::Erased].map(Some);
        assert_eq!(kinds, [None, known[0], known[1], known[2], None]);
    }
}
