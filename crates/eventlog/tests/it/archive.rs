//! The archive: events leave the database, and every reader still gets them, or says why not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use eventlog::{
    Aggregate, Append, Appender, Context, Draft, Error, Idempotency, Meta, Outcome, Recorded, StreamId, Wake,
};
use sqlx::PgPool;

use crate::counter::{Add, Added, Counter, Noting, Totals, context, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

/// A directory for an archive, removed at the end.
struct Shelf(PathBuf);

impl Shelf {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("updraft-archive-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn counters(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<StreamId> {
    numbers
        .into_iter()
        .map(|number| StreamId { kind: Counter::KIND.to_owned(), id: stream(number) })
        .collect()
}

async fn move_away(
    database: &Database,
    directory: &Path,
    streams: &BTreeSet<StreamId>,
) -> eventlog::Archived {
    eventlog::archive(&database.owner, directory, "test", streams).await.unwrap()
}

/// The whole log in small pages.
async fn everything(pool: &PgPool, limit: i64) -> Vec<Recorded> {
    let (mut events, mut at) = (Vec::<Recorded>::new(), 0);
    loop {
        let page = eventlog::read(pool, at, None, limit).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        let Some(last) = page.last() else { return events };
        at = last.position;
        events.extend(page);
    }
}

async fn in_database(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from eventlog.events").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn archived_events_are_read_in_their_place_by_pages_loads_and_followers() {
    let (database, shelf) = (Database::create().await, Shelf::new("read"));
    let (feed, journal) = feed(&database);
    for amount in 1..=30 {
        for number in 0..3 {
            journal.execute::<Counter>(&context(), stream(number), Add(vec![amount])).await.unwrap();
        }
    }
    let before = everything(&database.pool, 1000).await;
    let moved = move_away(&database, &shelf.0, &counters([0, 1])).await;
    assert_eq!((moved.streams, moved.events, moved.segments), (2, 58, 1));
    assert_eq!(in_database(&database.pool).await, 32);

    for limit in [1, 7, 32, 58, 1000] {
        assert!(everything(&database.pool, limit).await == before, "in pages of {limit}");
    }
    assert_eq!(eventlog::read(&database.pool, 10, Some(20), 5).await.unwrap(), before[10..15]);
    assert_eq!(eventlog::read(&database.pool, 10, Some(20), 50).await.unwrap(), before[10..20]);
    for number in 0..3 {
        assert_eq!(journal.load::<Counter>(stream(number)).await.unwrap(), (465, 30));
    }
    feed.follow(database.pool.clone(), Noting("late"));
    feed.settle().await.unwrap();
    assert_eq!(seen(&database.pool, "late").await, (1..=90).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_archived_stream_goes_on_where_it_was_and_can_be_archived_again() {
    let (database, shelf) = (Database::create().await, Shelf::new("again"));
    let (_, journal) = feed(&database);
    let receipt = journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 5000])).await.unwrap();
    let moved = move_away(&database, &shelf.0, &counters([1])).await;
    assert_eq!((moved.events, moved.segments), (4999, 2));
    assert_eq!(move_away(&database, &shelf.0, &counters([1])).await, eventlog::Archived::default());

    let seen = Context { expected_version: Some(receipt.version), ..context() };
    let next = journal.execute::<Counter>(&seen, stream(1), Add(vec![1, 1])).await.unwrap();
    assert_eq!(next.version, 5002);
    let moved = move_away(&database, &shelf.0, &counters([1])).await;
    assert_eq!((moved.events, moved.segments), (2, 1));
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (5002, 5002));
    assert_eq!(everything(&database.pool, 1000).await.len(), 5002);
    assert_eq!(eventlog::head(&database.pool).await.unwrap(), next.position);

    let appender = Appender::start(&database.pool, &Wake::default(), &Totals);
    let old = Append {
        stream: StreamId { kind: Counter::KIND.to_owned(), id: stream(1) },
        version: 7,
        drafts: vec![Draft::of(&Added { amount: 1 })],
        meta: Meta::default(),
        now: context().now,
        idempotency: None,
    };
    assert_eq!(appender.append(old).await.unwrap(), Outcome::Contended);
}

#[tokio::test]
async fn a_receipt_stays_the_same_when_its_events_are_archived() {
    let (database, shelf) = (Database::create().await, Shelf::new("receipt"));
    let (_, journal) = feed(&database);
    let key = Idempotency { scope: "s".to_owned(), key: "k".to_owned(), fingerprint: vec![1] };
    let keyed = Context { idempotency: Some(key), ..context() };
    let first = journal.execute::<Counter>(&keyed, stream(1), Add(vec![1])).await.unwrap();
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(move_away(&database, &shelf.0, &counters([1])).await.events, 1);
    assert_eq!(journal.execute::<Counter>(&keyed, stream(1), Add(vec![1])).await.unwrap(), first);
}

#[tokio::test]
async fn a_missing_or_damaged_segment_is_an_error_and_never_a_gap() {
    let (database, shelf) = (Database::create().await, Shelf::new("damaged"));
    let (feed, journal) = feed(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 20])).await.unwrap();
    journal.execute::<Counter>(&context(), stream(2), Add(vec![1; 3])).await.unwrap();
    move_away(&database, &shelf.0, &counters([1])).await;
    let [file] = &shelf.files()[..] else { panic!("one segment") };
    let whole = fs::read(file).unwrap();

    let mut changed = whole.clone();
    changed[40] ^= 1;
    for (bytes, reason) in
        [(Some(&changed[..]), "is damaged"), (Some(&whole[..99]), "is damaged"), (None, "is missing")]
    {
        match bytes {
            Some(bytes) => fs::write(file, bytes).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
        let refused = eventlog::read(&database.pool, 0, None, 1000).await.unwrap_err();
        assert!(matches!(refused, Error::Archive(_)) && refused.to_string().contains(reason), "{refused}");
        let refused = journal.load::<Counter>(stream(1)).await.unwrap_err();
        assert!(refused.to_string().contains(reason), "{refused}");
        assert_eq!(journal.load::<Counter>(stream(2)).await.unwrap(), (3, 3));
        assert_eq!(eventlog::read(&database.pool, 20, None, 1000).await.unwrap().len(), 3);
    }
    feed.follow(database.pool.clone(), Noting("late"));
    assert!(feed.passed("late", 1, std::time::Duration::from_millis(300)).await.is_err());
    assert!(eventlog::relocate(&database.owner, &shelf.0.join("elsewhere")).await.is_err());

    let elsewhere = Shelf::new("damaged-elsewhere");
    fs::create_dir(&elsewhere.0).unwrap();
    fs::write(elsewhere.0.join(file.file_name().unwrap()), whole).unwrap();
    assert_eq!(eventlog::relocate(&database.owner, &elsewhere.0).await.unwrap(), 1);
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (20, 20));
    feed.passed("late", 23, std::time::Duration::from_secs(20)).await.unwrap();
    assert_eq!(seen(&database.pool, "late").await, (1..=23).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_misses_nothing_while_events_move_to_the_archive() {
    let (database, shelf) = (Database::create().await, Shelf::new("moving"));
    let (_, journal) = feed(&database);
    for _ in 0..5 {
        for number in 0..20 {
            journal.execute::<Counter>(&context(), stream(number), Add(vec![1; 4])).await.unwrap();
        }
    }
    let pool = database.pool.clone();
    let reading = tokio::spawn(async move {
        let mut rounds = 0;
        while in_database(&pool).await > 20 {
            assert_eq!(everything(&pool, 9).await.len(), 400);
            rounds += 1;
        }
        rounds
    });
    for number in 0..20 {
        move_away(&database, &shelf.0, &counters([number])).await;
    }
    assert!(reading.await.unwrap() > 0, "nobody read meanwhile");
    assert_eq!(everything(&database.pool, 9).await.len(), 400);
}

/// Waits until the archive has registered a segment and written no further one, and has nothing to ask the database.
async fn stands_at_a_later_segment(database: &Database) {
    let stands = "select exists (
                      select from pg_stat_activity join pg_locks using (pid)
                      where datname = current_database() and usename = 'updraft_eventlog'
                        and state = 'idle in transaction' and query like 'select * from eventlog.events where%'
                        and relation = 'eventlog.archived_streams'::regclass and mode = 'RowExclusiveLock')";
    while !sqlx::query_scalar::<_, bool>(stands).fetch_one(&database.admin).await.unwrap() {}
}

#[tokio::test]
async fn followers_get_what_is_appended_while_segments_are_written() {
    let (database, shelf) = (Database::create().await, Shelf::new("written"));
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 5000])).await.unwrap();
    feed.settle().await.unwrap();

    // Whoever opens a pipe to write waits for a reader: so long does the second segment take.
    let pipe = shelf.0.join("test-00000000000000004097.new");
    fs::create_dir(&shelf.0).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (owner, directory) = (database.owner.clone(), shelf.0.clone());
    let archiving =
        tokio::spawn(async move { eventlog::archive(&owner, &directory, "test", &counters([1])).await });
    stands_at_a_later_segment(&database).await;
    let receipt = journal.execute::<Counter>(&context(), stream(2), Add(vec![1])).await;
    let passed = feed.passed("noting", 5001, Duration::from_secs(5)).await;
    drop(fs::File::open(&pipe).unwrap());
    assert_eq!(receipt.unwrap().position, 5001);
    passed.unwrap();

    // A pipe is no file that lasts, so the attempt has failed and moved nothing.
    assert!(matches!(archiving.await.unwrap(), Err(Error::Archive(_))));
    assert_eq!(in_database(&database.pool).await, 5001);
    fs::remove_file(pipe).unwrap();
    assert_eq!(move_away(&database, &shelf.0, &counters([1])).await.segments, 2);
    assert_eq!(everything(&database.pool, 1000).await.len(), 5001);
}

#[tokio::test]
async fn a_service_can_neither_archive_nor_touch_what_is_archived() {
    let (database, shelf) = (Database::create().await, Shelf::new("rights"));
    let (_, journal) = feed(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 3])).await.unwrap();
    let refused = eventlog::archive(&database.pool, &shelf.0, "test", &counters([1])).await.unwrap_err();
    let Error::Database(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"));
    for statement in ["delete from eventlog.segments", "delete from eventlog.archived_streams"] {
        assert!(sqlx::query(statement).execute(&database.pool).await.is_err(), "{statement}");
    }
    assert_eq!(in_database(&database.pool).await, 3);
}
