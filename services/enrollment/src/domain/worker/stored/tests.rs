use jiff::civil::date;
use uuid::Uuid;

use super::*;

const TODAY: Date = date(2014, 1, 15);

fn worker(version: i64, title: &str) -> Worker {
    Worker { job_title: title.to_owned(), ..Worker::blank("w".to_owned(), version) }
}

fn upsert(version: i64, title: &str) -> Change {
    Change::Upsert { worker: worker(version, title), effective_date: None, noticed: Vec::new() }
}

fn later(version: i64, effective_date: Date) -> Change {
    Change::Upsert { worker: worker(version, "a"), effective_date: Some(effective_date), noticed: Vec::new() }
}

fn tombstone(version: i64, kind: Tombstone, last_day: Option<Date>) -> Change {
    Change::Tombstone { external_id: "w".to_owned(), source_version: version, kind, last_day }
}

fn stored(version: i64, title: &str, state: State) -> Stored {
    Stored {
        person: PersonId::from_uuid(Uuid::from_u128(1)),
        state,
        worker: worker(version, title),
        last_day: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn against(stored: &Stored, change: &Change) -> Verdict {
    judge(Some(stored), change, TODAY)
}

#[test]
fn whoever_is_new_or_expected_is_described_whatever_the_version() {
    assert_eq!(judge(None, &upsert(0, "a"), TODAY), Verdict::Described);
    assert_eq!(against(&stored(0, "", State::Expected), &upsert(0, "a")), Verdict::Described);
    let ended = Verdict::Ended(Tombstone::Erased, None);
    assert_eq!(judge(None, &tombstone(1, Tombstone::Erased, None), TODAY), ended);
}

#[test]
fn the_greatest_version_stands() {
    let known = stored(5, "a", State::Active);
    assert_eq!(against(&known, &upsert(4, "b")), Verdict::Stale);
    assert_eq!(against(&known, &upsert(5, "a")), Verdict::Unchanged);
    assert_eq!(against(&known, &upsert(5, "b")), Verdict::Contradicts);
    assert_eq!(against(&known, &upsert(6, "a")), Verdict::Confirmed);
    assert_eq!(against(&known, &upsert(6, "b")), Verdict::Described);
    assert_eq!(against(&known, &tombstone(4, Tombstone::Erased, None)), Verdict::Stale);
}

#[test]
fn a_tombstone_holds_against_what_is_older() {
    for kind in [Tombstone::Left, Tombstone::Rescinded, Tombstone::Erased] {
        let gone = stored(5, "", kind.state());
        assert_eq!(against(&gone, &upsert(4, "a")), Verdict::Stale);
        assert_eq!(against(&gone, &tombstone(5, kind, None)), Verdict::Unchanged);
        assert_eq!(against(&gone, &tombstone(6, kind, None)), Verdict::Confirmed);
        assert_eq!(against(&gone, &upsert(6, "a")), Verdict::Described);
    }
}

#[test]
fn another_last_day_is_something_else_and_none_means_the_known_one() {
    let (known, other) = (Some(date(2014, 1, 10)), Some(date(2014, 1, 8)));
    let gone = Stored { last_day: known, ..stored(5, "a", State::Left) };
    assert_eq!(against(&gone, &tombstone(6, Tombstone::Left, known)), Verdict::Confirmed);
    assert_eq!(against(&gone, &tombstone(6, Tombstone::Left, None)), Verdict::Confirmed);
    assert_eq!(against(&gone, &tombstone(6, Tombstone::Left, other)), Verdict::Ended(Tombstone::Left, other));
    assert_eq!(against(&gone, &tombstone(5, Tombstone::Left, other)), Verdict::Contradicts);
}

#[test]
fn who_was_absent_and_is_listed_again_as_before_is_back() {
    let absent = stored(5, "a", State::Left);
    assert_eq!(against(&absent, &upsert(5, "a")), Verdict::Described);
    assert_eq!(against(&absent, &upsert(5, "b")), Verdict::Contradicts);
}

#[test]
fn a_day_to_come_is_waited_for_unless_something_newer_is_known() {
    let known = stored(5, "a", State::Active);
    assert_eq!(against(&known, &later(6, date(2014, 1, 16))), Verdict::Scheduled(date(2014, 1, 16)));
    assert_eq!(against(&known, &later(6, TODAY)), Verdict::Confirmed);
    assert_eq!(against(&known, &later(4, date(2014, 1, 16))), Verdict::Stale);
    let leaves = tombstone(6, Tombstone::Left, Some(date(2014, 1, 31)));
    assert_eq!(against(&known, &leaves), Verdict::Scheduled(date(2014, 2, 1)));
    let left = tombstone(6, Tombstone::Left, Some(TODAY));
    assert_eq!(against(&known, &left), Verdict::Ended(Tombstone::Left, Some(TODAY)));
}

#[test]
fn who_is_said_to_have_left_is_so_until_another_word() {
    let said = |version, employment| Change::Upsert {
        worker: Worker { employment, ..worker(version, "a") },
        effective_date: None,
        noticed: Vec::new(),
    };
    let mut gone = stored(5, "a", State::Inactive);
    gone.worker.employment = Employment::Inactive;
    assert_eq!(against(&gone, &said(6, Employment::Inactive)), Verdict::Confirmed);
    assert_eq!(against(&gone, &said(6, Employment::Active)), Verdict::Described);
    let removed = Stored { state: State::Left, ..gone.clone() };
    assert_eq!(against(&removed, &said(6, Employment::Inactive)), Verdict::Described);
    let working_until = Stored { state: State::Active, last_day: Some(date(2014, 1, 31)), ..gone };
    assert_eq!(against(&working_until, &said(6, Employment::Inactive)), Verdict::Confirmed);
    assert_eq!(against(&working_until, &said(6, Employment::Active)), Verdict::Described);
}
