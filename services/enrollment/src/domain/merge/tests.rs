use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::domain::worker::Worker;

const TODAY: Date = date(2014, 1, 15);

fn person(number: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(number))
}

fn source(name: &str, rank: i32, owns: &[Attribute]) -> Source {
    Source { name: name.to_owned(), rank, owns: owns.to_vec(), grace_days: 0 }
}

fn stored(key: &str, change: impl FnOnce(&mut Stored)) -> Stored {
    let mut worker = Worker::blank(key.to_owned(), 1);
    worker.hire_date = Some(date(2010, 3, 1));
    worker.org_unit_path = vec!["Sales".to_owned()];
    let mut stored = Stored {
        person: person(1),
        state: State::Active,
        worker,
        last_day: None,
        created_at: Timestamp::UNIX_EPOCH,
    };
    change(&mut stored);
    stored
}

fn report<'a>(source: &'a Source, stored: &'a Stored) -> Report<'a> {
    Report { source, stored, manager: None }
}

fn told(standing: Standing) -> Told {
    let Standing::Here { place, details, .. } = standing else { panic!("{standing:?}") };
    Told { place, last_day: None, details: Some(details), leave: None }
}

#[test]
fn the_owner_of_an_attribute_decides_it_and_the_smallest_rank_all_others() {
    let (payroll, login) = (source("payroll", 1, &[]), source("login", 2, &[Attribute::Email]));
    let first = stored("p", |it| {
        it.worker.email = "old@example.com".to_owned();
        it.worker.job_title = "Clerk".to_owned();
    });
    let second = stored("l", |it| {
        it.worker.email = "new@example.com".to_owned();
        it.worker.job_title = "Guest".to_owned();
    });
    let merge = Merge::of([report(&login, &second), report(&payroll, &first)]);
    let Standing::Here { details, .. } = merge.standing(TODAY) else { panic!() };
    assert_eq!((details.email.as_str(), details.job_title.as_str()), ("new@example.com", "Clerk"));
    assert_eq!(details.employee_number, "p", "the key stands for the number that nobody says");

    let fields = |rank| merge.conflicts(rank).into_iter().map(|issue| issue.field).collect::<Vec<_>>();
    assert_eq!(fields(1), ["worker.email", "worker.job_title"]);
    assert_eq!(fields(2), ["worker.email", "worker.job_title"]);
}

#[test]
fn who_has_left_one_source_and_not_the_other_works_here_unless_the_first_decides() {
    let gone = stored("p", |it| (it.state, it.last_day) = (State::Left, Some(date(2014, 1, 10))));
    let here = stored("l", |_| {});
    let (payroll, login) = (source("payroll", 1, &[]), source("login", 2, &[]));
    let standing = Merge::of([report(&payroll, &gone), report(&login, &here)]).standing(TODAY);
    assert!(matches!(standing, Standing::Here { .. }), "{standing:?}");

    let payroll = source("payroll", 1, &[Attribute::Employment]);
    let standing = Merge::of([report(&payroll, &gone), report(&login, &here)]).standing(TODAY);
    assert_eq!(standing, Standing::Gone(date(2014, 1, 10)));
}

#[test]
fn whoever_was_rescinded_or_only_expected_is_nobody() {
    let payroll = source("payroll", 1, &[]);
    for state in [State::Expected, State::Rescinded, State::Erased] {
        let nobody = stored("p", |it| it.state = state);
        assert_eq!(Merge::of([report(&payroll, &nobody)]).standing(TODAY), Standing::Nobody);
    }
    assert_eq!(Merge::of([]).standing(TODAY), Standing::Nobody);
}

#[test]
fn who_has_signed_waits_for_the_first_day() {
    let payroll = source("payroll", 1, &[]);
    let signed = stored("p", |it| {
        (it.worker.employment, it.worker.hire_date) = (Employment::Pending, Some(date(2014, 2, 1)));
    });
    let merge = Merge::of([report(&payroll, &signed)]);
    assert_eq!(merge.standing(TODAY), Standing::NotYet);
    assert!(matches!(merge.standing(date(2014, 2, 1)), Standing::Here { .. }));
}

#[test]
fn nothing_happens_to_whom_everything_was_told_of() {
    let payroll = source("payroll", 1, &[]);
    let clerk = stored("p", |_| {});
    let here = || Merge::of([report(&payroll, &clerk)]).standing(TODAY);
    let told = told(here());
    let steps = Steps::to(person(1), Some(&told), here(), TODAY);
    assert!(steps.commands.is_empty() && steps.shown.is_none(), "{steps:?}");

    let gone = Told { last_day: Some(date(2014, 1, 10)), ..told };
    let steps = Steps::to(person(1), Some(&gone), here(), TODAY);
    assert!(matches!(steps.commands[..], [Command::Record { .. }]), "{steps:?}");
}

#[test]
fn another_last_day_than_the_one_told_corrects_it() {
    let payroll = source("payroll", 1, &[]);
    let clerk = stored("p", |_| {});
    let told = told(Merge::of([report(&payroll, &clerk)]).standing(TODAY));
    let left = Told { last_day: Some(date(2014, 1, 10)), ..told };
    let to = |standing| Steps::to(person(1), Some(&left), standing, TODAY).commands;
    assert!(to(Standing::Gone(date(2014, 1, 10))).is_empty());
    assert!(to(Standing::NotYet).is_empty(), "until the new first day they have left");
    let earlier = date(2014, 1, 8);
    let corrected = to(Standing::Gone(earlier));
    assert!(matches!(corrected[..], [Command::Leave { last_day }] if last_day == earlier), "{corrected:?}");
}

#[test]
fn who_never_started_was_a_mistake_and_has_not_left() {
    let payroll = source("payroll", 1, &[]);
    let clerk = stored("p", |it| it.worker.hire_date = Some(date(2014, 3, 1)));
    let told = told(Merge::of([report(&payroll, &clerk)]).standing(TODAY));
    let steps = Steps::to(person(1), Some(&told), Standing::Gone(TODAY), TODAY);
    assert!(matches!(steps.commands[..], [Command::Rescind { .. }]), "{steps:?}");
    let steps = Steps::to(person(1), Some(&told), Standing::Gone(TODAY), date(2014, 3, 2));
    let last_day = date(2014, 3, 1);
    assert!(matches!(steps.commands[..], [Command::Leave { last_day: day }] if day == last_day), "{steps:?}");
}

fn on_leave(told: Option<Leave>, said: Option<(Option<Date>, Option<Date>)>) -> (Vec<String>, Option<Leave>) {
    let mut commands = Vec::new();
    let leave = leaves(told, said, TODAY, &mut commands);
    (commands.iter().map(|command| format!("{command:?}")).collect(), leave)
}

#[test]
fn a_leave_begins_changes_and_ends() {
    let open = Leave { first_day: date(2014, 1, 6), last_day: None };
    let begins = format!("{:?}", Command::BeAbsent(open));
    assert_eq!(on_leave(None, Some((Some(open.first_day), None))), (vec![begins], Some(open)));
    // Who tells it again without a day means the leave that is known.
    assert_eq!(on_leave(Some(open), Some((None, None))), (vec![], Some(open)));

    let ended = Command::EndLeave { first_day: open.first_day, last_day: date(2014, 1, 14) };
    assert_eq!(on_leave(Some(open), None), (vec![format!("{ended:?}")], None));

    let limited = Leave { last_day: Some(date(2014, 1, 31)), ..open };
    let changes = format!("{:?}", Command::BeAbsent(limited));
    assert_eq!(on_leave(Some(open), Some((None, limited.last_day))), (vec![changes], Some(limited)));

    let over = Leave { last_day: Some(date(2014, 1, 10)), ..open };
    assert_eq!(on_leave(Some(over), None), (vec![], Some(over)));
}
