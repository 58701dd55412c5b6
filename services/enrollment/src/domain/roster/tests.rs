use jiff::civil::date;

use super::*;
use crate::domain::worker::{Change, Employment, Unreadable, Worker};

const HEADER: &str = "employee_number,manager_employee_number,given_name,family_name,email,job_title,department,hire_date,birth_date";
const ANNA: &str = "1,,Anna,Ärzte,anna@example.com,Chief Executive,Executive,2006-01-28,1961-11-12";
const BERT: &str = "2,1,Bert,Bär,bert@example.com,Clerk,Sales,2010-01-01,";

fn anna() -> Worker {
    Worker {
        external_id: "1".to_owned(),
        source_version: 7,
        employee_number: Some("1".to_owned()),
        user_name: String::new(),
        given_name: "Anna".to_owned(),
        family_name: "Ärzte".to_owned(),
        email: "anna@example.com".to_owned(),
        job_title: "Chief Executive".to_owned(),
        org_unit_path: vec!["Executive".to_owned()],
        manager_external_id: None,
        hire_date: Some(date(2006, 1, 28)),
        birth_date: Some(date(1961, 11, 12)),
        employment: Employment::Active,
        alias: String::new(),
    }
}

fn file(lines: &[&str]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// The lines of a file that is no reason to refuse it.
fn entries(file: &[u8]) -> Vec<Entry> {
    survey(file, None).unwrap().records(file, 7).collect()
}

/// What is said in a line of a file.
fn worker(file: &[u8], place: usize) -> (usize, Worker) {
    let entry = entries(file).swap_remove(place);
    let Ok(Change::Upsert { worker, .. }) = entry.record else { panic!("{:?}", entry.record) };
    (entry.line, worker)
}

/// Line, column and code of everything for which lines are rejected.
fn rejected(file: &[u8]) -> Vec<(usize, String, &'static str)> {
    let survey = survey(file, None).unwrap();
    let mut rejected = Vec::new();
    for Entry { line, record, .. } in survey.records(file, 7) {
        let issues = record.err().map(|unreadable| unreadable.issues).unwrap_or_default();
        rejected.extend(issues.into_iter().map(|issue| {
            assert!(!issue.message.is_empty());
            (line, survey.column_of(&issue.field).to_owned(), issue.reason)
        }));
    }
    rejected
}

/// Line, column and code of why a file is refused.
fn refused(file: &[u8]) -> Vec<(usize, String, String)> {
    let issues = survey(file, None).unwrap_err();
    issues.into_iter().map(|issue| (issue.line, issue.column, issue.code)).collect()
}

fn whole(line: usize, column: &str, code: &str) -> Vec<(usize, String, String)> {
    vec![(line, column.to_owned(), code.to_owned())]
}

fn issue(line: usize, column: &str, code: &'static str) -> (usize, String, &'static str) {
    (line, column.to_owned(), code)
}

#[test]
fn a_roster_is_read() {
    let file = file(&[HEADER, ANNA, BERT]);
    assert_eq!(worker(&file, 0), (2, anna()));
    let (line, bert) = worker(&file, 1);
    assert_eq!((line, bert.manager_external_id.as_deref(), bert.birth_date), (3, Some("1"), None));
}

#[test]
fn a_byte_order_mark_semicolons_and_windows_line_ends_are_read_as_well() {
    let text = format!("\u{feff}{HEADER}\r\n{BERT}\r\n\r\n{ANNA}\r\n").replace(',', ";");
    let text = text.replace("\r\n1;", "\r\n\"1\";");
    assert_eq!(worker(text.as_bytes(), 1), (4, anna()));
    let survey = survey(text.as_bytes(), None).unwrap();
    assert_eq!((survey.delimiter, survey.encoding, survey.lines), (';', Encoding::Utf8, 2));
    assert_eq!(survey.noticed, []);
}

#[test]
fn what_a_german_spreadsheet_saves_is_read_and_its_encoding_is_said() {
    let text = "Personalnummer;Vorgesetzter;Vorname;Nachname;E-Mail;Stelle;Abteilung;Eintrittsdatum;Geburtsdatum\r\n\
                2;1;Bert;Bar;bert@example.com;Clerk;Sales;1.1.2010;\r\n\
                1;;Anna;Ärzte;anna@example.com;Chief Executive;Executive;28.01.2006;12.11.1961\r\n\
                ;;;;;;;;\r\n";
    let (bytes, _, unmapped) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!unmapped);
    assert_eq!(worker(&bytes, 1), (3, anna()));
    let survey = survey(&bytes, None).unwrap();
    assert_eq!((survey.encoding.name(), survey.lines), ("windows-1252", 2));
    let [noticed] = survey.noticed.as_slice() else { panic!("{:?}", survey.noticed) };
    assert_eq!((noticed.line, noticed.column.as_str(), noticed.refused), (3, "Nachname", false));
    assert_eq!(noticed.code, "WINDOWS_1252");
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_passed_over() {
    let text = "shoe_size\thire_date\tdepartment\tjob_title\temail\tfamily_name\tgiven_name\tmanager_employee_number\temployee_number\n\
                43\t2006-01-28\tExecutive\tChief Executive\tanna@example.com\tÄrzte\tAnna\t\t1\n";
    let expected = Worker { birth_date: None, ..anna() };
    assert_eq!(worker(text.as_bytes(), 0), (2, expected), "and birth_date may be missing");
}

#[test]
fn a_file_without_a_column_or_with_one_twice_is_refused() {
    let header = HEADER.replace(",hire_date", "");
    assert_eq!(refused(&file(&[&header, ANNA])), whole(1, "hire_date", "MISSING_COLUMN"));
    let header = format!("{HEADER},email");
    assert_eq!(refused(&file(&[&header, ANNA])), whole(1, "email", "DUPLICATE_COLUMN"));
}

#[test]
fn an_empty_file_is_no_roster() {
    assert_eq!(refused(b""), whole(1, "", "EMPTY_FILE"));
    assert_eq!(refused(b"\n\n"), whole(1, "", "EMPTY_FILE"));
    assert_eq!(refused(&file(&[HEADER])), whole(1, "", "EMPTY_FILE"));
    assert_eq!(refused(&file(&[HEADER, ",,,,,,,,", " ,,"])), whole(1, "", "EMPTY_FILE"));
}

#[test]
fn none_of_several_lines_about_one_person_is_taken_over() {
    let other = ANNA.replace("Anna", "Other");
    let file = file(&[HEADER, ANNA, BERT, &other]);
    let expected =
        [issue(2, "employee_number", "DUPLICATE_KEY"), issue(4, "employee_number", "DUPLICATE_KEY")];
    assert_eq!(rejected(&file), expected);
    let Err(Unreadable { external_id, issues }) = &entries(&file)[2].record else { panic!() };
    let detail = "The employee number 1 stands in the lines 2, 4; none of them is taken over.";
    assert_eq!((external_id.as_str(), issues[0].message.as_str()), ("1", detail));
    let survey = survey(&file, None).unwrap();
    assert_eq!((survey.lines, survey.people), (3, 2));
}

#[test]
fn a_file_that_ends_in_the_middle_is_refused() {
    let text = String::from_utf8(file(&[HEADER, ANNA, BERT])).unwrap();
    let cut = |after: &str| text.as_bytes()[..text.find(after).unwrap() + after.len()].to_vec();
    assert_eq!(refused(&cut("bert@")), whole(3, "", "CUT_OFF"));
    assert_eq!(refused(&cut("Anna,Ärz")), whole(2, "", "CUT_OFF"));
    let quoted = text.replace("Bert", "\"Bert");
    assert_eq!(refused(quoted.as_bytes()), whole(3, "given_name", "CUT_OFF"));
    let letter = cut("Anna,Ä");
    assert_eq!(refused(&letter[..letter.len() - 1]), whole(2, "", "CUT_OFF"), "in the middle of a letter");
    assert!(survey(text.as_bytes(), None).is_ok(), "the last line break is nobody's");
}

#[test]
fn a_file_with_another_number_of_lines_than_expected_is_not_whole() {
    let file = file(&[HEADER, ANNA, "", BERT]);
    assert!(survey(&file, Some(2)).is_ok());
    let issues = survey(&file, Some(3)).unwrap_err();
    assert_eq!((issues[0].line, issues[0].code.as_str()), (4, "UNEXPECTED_NUMBER"));
    assert_eq!(issues[0].detail, "The file has 2 lines below its header, not 3: it is not whole.");
}

#[test]
fn a_cell_that_is_not_as_the_others_are_encoded_is_rejected() {
    let mut bytes = file(&[HEADER, ANNA, "3,1,J?rg,M,j@example.com,Clerk,Sales,2006-01-28,"]);
    let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xf6;
    assert_eq!(
        rejected(&bytes),
        [issue(3, "given_name", "NOT_UTF8")],
        "and its email is looked at all the same"
    );
}

#[test]
fn a_day_that_is_none_or_two_is_rejected_without_repeating_it() {
    let lines = [
        HEADER,
        &ANNA.replace("2006-01-28", "31.02.2006"),
        &BERT.replace("2010-01-01", "03/04/2010"),
        &BERT.replace("2,1", "3,1").replace("2010-01-01,", "1.1.2010,31.12.1850"),
    ];
    let expected = [
        issue(2, "hire_date", "INVALID_DATE"),
        issue(3, "hire_date", "AMBIGUOUS_DATE"),
        issue(4, "birth_date", "DATE_OUT_OF_RANGE"),
    ];
    assert_eq!(rejected(&file(&lines)), expected);
    let says = |entry: Entry| entry.record.unwrap_err().issues.swap_remove(0).message;
    assert!(
        entries(&file(&lines))
            .into_iter()
            .map(says)
            .all(|detail| !detail.contains("31") && !detail.contains("04/"))
    );
}

#[test]
fn every_cell_but_the_superior_and_the_birth_date_is_required() {
    let columns =
        ["employee_number", "given_name", "family_name", "email", "job_title", "department", "hire_date"];
    let expected: Vec<_> = columns.iter().map(|column| issue(2, column, "MISSING_VALUE")).collect();
    let nameless = file(&[HEADER, ",1,  ,,,,,,"]);
    assert_eq!(rejected(&nameless), expected);
}

#[test]
fn a_line_with_another_number_of_cells_is_rejected() {
    assert_eq!(rejected(&file(&[HEADER, "1,,Anna", BERT])), [issue(2, "", "CELL_COUNT")]);
    let swallowing = file(&[HEADER, "3,1,\"Anna", ANNA, "4,1,An\"na", BERT]);
    assert_eq!(rejected(&swallowing), [issue(2, "", "CELL_COUNT")]);
    let Err(unreadable) = &entries(&swallowing)[0].record else { panic!() };
    assert!(unreadable.issues[0].message.ends_with("It goes on to line 4, as a cell in quotes does."));
}

#[test]
fn control_characters_overlong_cells_and_wrong_addresses_are_rejected() {
    let with = |name: &str| file(&[HEADER, &ANNA.replace("Anna", name)]);
    assert_eq!(rejected(&with("An\0na")), [issue(2, "given_name", "CONTROL_CHARACTER")]);
    assert_eq!(rejected(&with("\"An\nna\"")), [issue(2, "given_name", "CONTROL_CHARACTER")]);
    assert_eq!(rejected(&with(&"A".repeat(10_000))), [issue(2, "given_name", "TOO_LONG")]);
    let line = ANNA.replace("anna@example.com", "anna");
    assert_eq!(rejected(&file(&[HEADER, &line])), [issue(2, "email", "NOT_AN_ADDRESS")]);
    let key = "1".repeat(129);
    let long_key = file(&[HEADER, &ANNA.replacen('1', &key, 1)]);
    assert_eq!(rejected(&long_key), [issue(2, "employee_number", "TOO_LONG")]);
}

#[test]
fn an_overlong_line_and_an_overlarge_file_are_refused_before_they_are_read() {
    let line = ANNA.replace("Anna", &"A".repeat(LINE_BYTES_MAX));
    assert_eq!(refused(&file(&[HEADER, ANNA, &line])), whole(3, "", "LINE_TOO_LONG"));
    assert_eq!(refused(&vec![b'x'; LINE_BYTES_MAX + 1]), whole(1, "", "LINE_TOO_LONG"));
    assert_eq!(refused(&vec![b'\n'; FILE_BYTES_MAX + 1]), whole(1, "", "FILE_TOO_LARGE"));
}

#[test]
fn a_file_with_too_many_lines_is_refused() {
    let lines = format!("{HEADER}\n{}", ",,x\n".repeat(LINES_MAX + 1));
    assert_eq!(refused(lines.as_bytes()), whole(LINES_MAX + 2, "", "FILE_TOO_LONG"));
}

#[test]
fn an_issue_is_told_with_its_place() {
    let issue = |column: &str| Issue::new(18, column, "CODE", "It is wrong.").summary();
    assert_eq!(issue("email"), "In line 18, column email: It is wrong.");
    assert_eq!(issue(""), "In line 18: It is wrong.");
}
