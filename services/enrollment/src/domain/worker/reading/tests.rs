use jiff::civil::date;

use super::*;

fn said() -> WorkerSaid {
    WorkerSaid {
        external_id: "w-1".to_owned(),
        source_version: 7,
        given_name: "Ada".to_owned(),
        family_name: "Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        ..WorkerSaid::default()
    }
}

fn reasons(said: WorkerSaid) -> Vec<(String, &'static str)> {
    let issues = said.read().unwrap_err().issues;
    issues.into_iter().map(|issue| (issue.field, issue.reason)).collect()
}

fn noticed(said: WorkerSaid) -> Vec<(String, &'static str)> {
    let (_, issues) = said.read().unwrap();
    issues.into_iter().map(|issue| (issue.field, issue.reason)).collect()
}

#[test]
fn what_is_empty_says_nothing() {
    let (worker, issues) = said().read().unwrap();
    assert_eq!(issues, []);
    assert_eq!((worker.source_version, worker.employment), (7, Employment::Active));
    assert_eq!((worker.employee_number, worker.manager_external_id, worker.hire_date), (None, None, None));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let wrong = WorkerSaid {
        given_name: "x".repeat(10_000),
        job_title: "a\nb".to_owned(),
        email: "nobody".to_owned(),
        hire_date: "2013-02-30".to_owned(),
        birth_date: "0001-01-01".to_owned(),
        org_unit_path: vec!["unit".to_owned(); 17],
        leave_first_day: "2013-09-02".to_owned(),
        source_version: 1 << 63,
        ..said()
    };
    let expected = [
        ("worker.source_version", "VERSION_OUT_OF_RANGE"),
        ("worker.given_name", "TOO_LONG"),
        ("worker.email", "NOT_AN_ADDRESS"),
        ("worker.job_title", "CONTROL_CHARACTER"),
        ("worker.org_unit_path", "TOO_DEEP"),
        ("worker.hire_date", "INVALID_DATE"),
        ("worker.birth_date", "DATE_OUT_OF_RANGE"),
        ("worker.leave_first_day", "NOT_ON_LEAVE"),
    ];
    assert_eq!(reasons(wrong), expected.map(|(field, reason)| (field.to_owned(), reason)));
}

#[test]
fn a_key_is_taken_as_it_is_or_not_at_all() {
    for (key, reason) in
        [("", "MISSING_VALUE"), (&"k".repeat(129), "TOO_LONG"), ("a\0b", "CONTROL_CHARACTER")]
    {
        let refused = WorkerSaid { external_id: key.to_owned(), ..said() }.read().unwrap_err();
        assert_eq!((refused.external_id.as_str(), refused.issues[0].reason), ("", reason));
    }
    let (worker, _) = WorkerSaid { external_id: " Ä\u{200b} ".to_owned(), ..said() }.read().unwrap();
    assert_eq!(worker.external_id, " Ä\u{200b} ");
}

#[test]
fn what_nobody_sees_is_removed_and_said() {
    let hidden = WorkerSaid { given_name: "\u{feff}A\u{200b}d\u{202e}a".to_owned(), ..said() };
    let (worker, issues) = hidden.read().unwrap();
    assert_eq!(worker.given_name, "Ada");
    assert_eq!((issues[0].field.as_str(), issues[0].reason), ("worker.given_name", "INVISIBLE_CHARACTER"));
}

#[test]
fn letters_from_right_to_left_and_joiners_stay() {
    for name in ["דוד", "می\u{200c}خواهم", "ක්\u{200d}රි"] {
        let (worker, issues) = WorkerSaid { given_name: name.to_owned(), ..said() }.read().unwrap();
        assert_eq!((worker.given_name.as_str(), issues.len()), (name, 0));
    }
}

#[test]
fn an_address_may_have_a_plus_and_quotes() {
    for address in ["o'neil+hr@example.com", "\"ada @ home\"@example.com"] {
        assert_eq!(said_with_email(address).read().unwrap().0.email, address);
    }
    for address in ["@example.com", "ada@", "a b@example.com", "a@b@example.com", "\"\"@ x"] {
        assert_eq!(reasons(said_with_email(address)), [("worker.email".to_owned(), "NOT_AN_ADDRESS")]);
    }
}

fn said_with_email(address: &str) -> WorkerSaid {
    WorkerSaid { email: address.to_owned(), ..said() }
}

#[test]
fn who_has_no_name_or_address_is_taken_and_noticed() {
    let bare = WorkerSaid { external_id: "w".to_owned(), ..WorkerSaid::default() };
    let expected = [("worker.family_name", "MISSING_NAME"), ("worker.email", "MISSING_EMAIL")];
    assert_eq!(noticed(bare), expected.map(|(field, reason)| (field.to_owned(), reason)));
}

#[test]
fn a_leave_may_be_open_and_never_ends_before_it_begins() {
    let leave = |first: &str, last: &str| WorkerSaid {
        employment: EmploymentSaid::OnLeave,
        leave_first_day: first.to_owned(),
        leave_last_day: last.to_owned(),
        ..said()
    };
    let open = Employment::OnLeave { first_day: Some(date(2013, 9, 2)), last_day: None };
    assert_eq!(leave("2013-09-02", "").read().unwrap().0.employment, open);
    let turned = [("worker.leave_last_day".to_owned(), "LEAVE_ENDS_FIRST")];
    assert_eq!(reasons(leave("2013-09-02", "2013-09-01")), turned);
}

#[test]
fn whoever_has_signed_and_has_no_first_day_is_noticed() {
    let signed = WorkerSaid { employment: EmploymentSaid::Pending, ..said() };
    assert_eq!(noticed(signed.clone()), [("worker.hire_date".to_owned(), "MISSING_HIRE_DATE")]);
    assert_eq!(noticed(WorkerSaid { hire_date: "2014-02-03".to_owned(), ..signed }), []);
}
