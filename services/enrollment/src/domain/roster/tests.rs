use jiff::civil::date;

use super::*;

const HEADER: &str = "employee_number,manager_employee_number,given_name,family_name,email,job_title,department,hire_date,birth_date";
const ANNA: &str = "1,,Anna,Ärzte,anna@example.com,Chief Executive,Executive,2006-01-28,1961-11-12";

/// A record that stands in a line and reports to somebody.
pub(crate) fn record(line: usize, employee_number: &str, manager: Option<&str>) -> Record {
    Record {
        line,
        employee_number: employee_number.to_owned(),
        manager_employee_number: manager.map(str::to_owned),
        given_name: "Anna".to_owned(),
        family_name: "Ärzte".to_owned(),
        email: "anna@example.com".to_owned(),
        job_title: "Chief Executive".to_owned(),
        department: "Executive".to_owned(),
        hire_date: date(2006, 1, 28),
        birth_date: Some(date(1961, 11, 12)),
    }
}

fn file(lines: &[&str]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// Line, column and code of each issue.
fn issues(file: &[u8]) -> Vec<(usize, String, &'static str)> {
    let issues = parse(file).unwrap_err();
    issues.into_iter().map(|issue| (issue.line, issue.column, issue.code)).collect()
}

fn issue(line: usize, column: &str, code: &'static str) -> Vec<(usize, String, &'static str)> {
    vec![(line, column.to_owned(), code)]
}

#[test]
fn a_roster_is_read() {
    assert_eq!(parse(&file(&[HEADER, ANNA])), Ok(vec![record(2, "1", None)]));
}

#[test]
fn a_byte_order_mark_semicolons_and_windows_line_ends_are_read_as_well() {
    let text = format!("\u{feff}{HEADER}\r\n{ANNA}\r\n\r\n{ANNA}\r\n").replace(',', ";");
    let text = text.replace("\r\n1;;", "\r\n\"1\";;").replacen("\"1\"", "2", 1);
    let records = parse(text.as_bytes()).unwrap();
    assert_eq!(records, [record(2, "2", None), record(4, "1", None)]);
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_passed_over() {
    let text = "shoe_size,hire_date,department,job_title,email,family_name,given_name,manager_employee_number,employee_number\n\
                43,2006-01-28,Executive,Chief Executive,anna@example.com,Ärzte,Anna,,1\n";
    let expected = Record { birth_date: None, ..record(2, "1", None) };
    assert_eq!(parse(text.as_bytes()), Ok(vec![expected]), "and birth_date may be missing");
}

#[test]
fn a_missing_column_is_named() {
    let header = HEADER.replace(",hire_date", "");
    assert_eq!(issues(&file(&[&header, ANNA])), issue(1, "hire_date", "MISSING_COLUMN"));
}

#[test]
fn a_column_that_stands_twice_is_named() {
    let header = format!("{HEADER},email");
    assert_eq!(issues(&file(&[&header, ANNA])), issue(1, "email", "DUPLICATE_COLUMN"));
}

#[test]
fn an_empty_file_is_no_roster() {
    assert_eq!(issues(b""), issue(1, "", "EMPTY_FILE"));
    assert_eq!(issues(&file(&[HEADER])), issue(1, "", "EMPTY_FILE"));
}

#[test]
fn a_duplicate_key_names_both_lines() {
    let found = parse(&file(&[HEADER, ANNA, "", ANNA])).unwrap_err();
    assert_eq!((found[0].line, found[0].code), (4, "DUPLICATE_KEY"));
    assert_eq!(found[0].detail, "The employee number 1 of line 4 stands in line 2 already.");
}

#[test]
fn latin_1_bytes_are_refused_with_line_and_column() {
    let text = file(&[HEADER, ANNA, "2,1,J\u{f6}rg,M,j@example.com,Clerk,Sales,2006-01-28,"]);
    let latin_1: Vec<u8> =
        String::from_utf8(text).unwrap().chars().filter_map(|c| u8::try_from(c).ok()).collect();
    let expected = [issue(2, "family_name", "NOT_UTF8"), issue(3, "given_name", "NOT_UTF8")].concat();
    assert_eq!(issues(&latin_1), expected);
}

#[test]
fn a_date_that_is_none_is_refused_without_repeating_it() {
    let lines =
        [HEADER, &ANNA.replace("2006-01-28", "28.01.2006"), &ANNA.replace("1961-11-12", "1961-11-31")];
    let expected = [issue(2, "hire_date", "INVALID_DATE"), issue(3, "birth_date", "INVALID_DATE")].concat();
    assert_eq!(issues(&file(&lines)), expected);
    assert!(parse(&file(&lines)).unwrap_err().iter().all(|issue| !issue.detail.contains("31")));
}

#[test]
fn every_cell_but_the_superior_and_the_birth_date_is_required() {
    let columns =
        ["employee_number", "given_name", "family_name", "email", "job_title", "department", "hire_date"];
    let expected: Vec<_> = columns.iter().flat_map(|column| issue(2, column, "MISSING_VALUE")).collect();
    assert_eq!(issues(&file(&[HEADER, ",,  ,,,,,,"])), expected);
}

#[test]
fn a_mail_address_has_two_sides() {
    for wrong in ["anna", "@example.com", "anna@", "an na@example.com", "a@b@c"] {
        let line = ANNA.replace("anna@example.com", wrong);
        assert_eq!(issues(&file(&[HEADER, &line])), issue(2, "email", "NOT_AN_ADDRESS"), "{wrong}");
    }
}

#[test]
fn a_line_with_another_number_of_cells_is_refused() {
    assert_eq!(issues(&file(&[HEADER, "1,,Anna"])), issue(2, "", "CELL_COUNT"));
}

#[test]
fn control_characters_and_overlong_cells_are_refused() {
    let line = ANNA.replace("Anna", "An\0na");
    assert_eq!(issues(&file(&[HEADER, &line])), issue(2, "given_name", "CONTROL_CHARACTER"));
    let line = ANNA.replace("Anna", &"A".repeat(CELL_CHARACTERS_MAX + 1));
    assert_eq!(issues(&file(&[HEADER, &line])), issue(2, "given_name", "CELL_TOO_LONG"));
}

#[test]
fn an_overlong_line_is_refused_before_it_is_read() {
    let line = ANNA.replace("Anna", &"A".repeat(LINE_BYTES_MAX));
    assert_eq!(issues(&file(&[HEADER, ANNA, &line])), issue(3, "", "LINE_TOO_LONG"));
    assert_eq!(issues(&vec![b'x'; LINE_BYTES_MAX + 1]), issue(1, "", "LINE_TOO_LONG"));
}

#[test]
fn an_overlarge_file_is_refused_before_it_is_read() {
    assert_eq!(issues(&vec![b'\n'; FILE_BYTES_MAX + 1]), issue(1, "", "FILE_TOO_LARGE"));
}

#[test]
fn the_list_of_issues_ends_somewhere() {
    let mut lines = vec![HEADER];
    lines.extend(vec![",,,,,,,,"; ISSUES_MAX]);
    assert_eq!(issues(&file(&lines)).len(), ISSUES_MAX);
}

#[test]
fn an_issue_is_told_with_its_place() {
    let issue = |column: &str| Issue::new(18, column, "CODE", "It is wrong.").summary();
    assert_eq!(issue("email"), "In line 18, column email: It is wrong.");
    assert_eq!(issue(""), "In line 18: It is wrong.");
}

#[test]
fn a_quote_that_is_never_closed_is_refused() {
    let line = ANNA.replace("Anna", "\"Anna");
    assert_eq!(issues(&file(&[HEADER, &line, ANNA])), issue(2, "", "CELL_COUNT"));
}
