//! Commands: append, refusal, expected versions, idempotency keys, transactions over several streams.

use eventlog::{
    Aggregate, Append, Appender, BeginError, Begun, CommandError, Context, Draft, Idempotency, Journal, Meta,
    Outcome, Receipt, StreamId, Wake,
};
use jiff::{Timestamp, ToSpan};
use sqlx::PgPool;

use crate::counter::{Add, Added, Counter, Echo, LIMIT, Overflow, Totals, context, stream};
use crate::support::Database;

fn journal(database: &Database) -> Journal<Totals> {
    Journal::new(database.pool.clone(), Wake::default(), Totals)
}

fn keyed(key: &str, fingerprint: &[u8]) -> Context {
    let idempotency =
        Idempotency { scope: "person".to_owned(), key: key.to_owned(), fingerprint: fingerprint.to_vec() };
    Context { idempotency: Some(idempotency), ..context() }
}

async fn total(pool: &PgPool, number: u128) -> Option<i64> {
    sqlx::query_scalar("select total from matching.totals where id = $1")
        .bind(stream(number))
        .fetch_optional(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_command_records_its_events_and_views_together() {
    let database = Database::create().await;
    let journal = journal(&database);
    let receipt = journal.execute::<Counter>(&context(), stream(1), Add(vec![2, 3])).await.unwrap();
    assert_eq!(receipt, Receipt { id: stream(1), version: 2, position: 2 });
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (5, 2));
    assert_eq!(total(&database.pool, 1).await, Some(5));

    let events = eventlog::read(&database.pool, 0, None, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    let second = &events[1];
    assert_eq!((second.position, second.version), (2, 2));
    assert_eq!((second.stream.kind.as_str(), second.stream.id), ("counter", stream(1)));
    assert_eq!(second.name, "updraft.tests.v1.Added");
    assert_eq!(second.read::<Added>().unwrap(), Added { amount: 3 });
    assert_eq!(second.meta.actor, context().actor);
    assert_eq!(second.recorded_at, context().now);
    assert_ne!(second.event_id, events[0].event_id);
    assert_eq!(eventlog::head(&database.pool).await.unwrap(), 2);
    assert_eq!(eventlog::read(&database.pool, 0, Some(1), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_view_sees_the_recorded_time_as_a_replay_will() {
    let database = Database::create().await;
    let finer = Context { now: Timestamp::UNIX_EPOCH + 1_500.nanoseconds(), ..context() };
    journal(&database).execute::<Counter>(&finer, stream(1), Add(vec![1])).await.unwrap();
    let event = eventlog::read(&database.pool, 0, None, 1).await.unwrap().remove(0);
    assert_eq!(event.recorded_at.subsec_nanosecond() % 1_000, 0);
}

#[tokio::test]
async fn doing_the_same_again_is_success_with_the_version_that_is_there() {
    let database = Database::create().await;
    let journal = journal(&database);
    let first = journal.execute::<Counter>(&context(), stream(1), Add(vec![4])).await.unwrap();
    let again = journal.execute::<Counter>(&context(), stream(1), Add(vec![0])).await.unwrap();
    assert_eq!(again, first);
    let nothing = journal.execute::<Counter>(&context(), stream(2), Add(vec![])).await.unwrap();
    assert_eq!(nothing, Receipt { id: stream(2), version: 0, position: 0 });
}

#[tokio::test]
async fn a_refused_command_leaves_nothing_behind() {
    let database = Database::create().await;
    let journal = journal(&database);
    let refused = journal.execute::<Counter>(&context(), stream(1), Add(vec![1, LIMIT])).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Overflow))));
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (0, 0));
    assert_eq!(total(&database.pool, 1).await, None);
}

#[tokio::test]
async fn streams_of_different_kinds_may_share_an_id() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    let receipt = journal.execute::<Echo>(&context(), stream(1), Add(vec![2])).await.unwrap();
    assert_eq!(receipt.version, 1);
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (1, 1));
}

#[tokio::test]
async fn a_command_on_an_older_version_is_stale() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1, 1])).await.unwrap();
    let seen = |version| Context { expected_version: Some(version), ..context() };
    let stale = journal.execute::<Counter>(&seen(1), stream(1), Add(vec![1])).await;
    assert!(matches!(stale, Err(CommandError::Stale { expected: 1, actual: 2 })));
    let fresh = journal.execute::<Counter>(&seen(2), stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(fresh.version, 3);
}

#[tokio::test]
async fn of_two_commands_on_the_same_version_at_the_same_moment_one_wins() {
    let database = Database::create().await;
    let journal = journal(&database);
    let seen = Context { expected_version: Some(0), ..context() };
    let commands = (0..8).map(|_| journal.execute::<Counter>(&seen, stream(1), Add(vec![1])));
    let answers = futures::future::join_all(commands).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .all(|error| matches!(error, CommandError::Stale { expected: 0, actual: 1 }))
    );
}

#[tokio::test]
async fn commands_on_one_stream_queue_up_and_each_sees_the_one_before() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![LIMIT - 5])).await.unwrap();
    let context = context();
    let commands = (0..8).map(|_| journal.execute::<Counter>(&context, stream(1), Add(vec![1])));
    let answers = futures::future::join_all(commands).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (LIMIT, 6));
}

#[tokio::test]
async fn an_append_behind_the_back_of_a_command_is_a_conflict() {
    let database = Database::create().await;
    let journal = journal(&database);
    let mut rogue = database.pool.begin().await.unwrap();
    sqlx::query(
        "insert into eventlog.events
             (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
         values ('counter', $1, 1, $1, 'updraft.tests.v1.Added', 1, '', now())",
    )
    .bind(stream(1))
    .execute(&mut *rogue)
    .await
    .unwrap();

    let Begun::Work(mut transaction) = journal.begin(&context()).await.unwrap() else {
        panic!("no key, no replay");
    };
    let (answer, ()) =
        tokio::join!(async { transaction.unit().execute::<Counter>(stream(1), Add(vec![1])).await }, async {
            // Only when the append waits for it has the command certainly loaded without it.
            let waiting = "select exists (select from pg_locks where not granted)";
            while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&database.admin).await.unwrap() {}
            rogue.commit().await.unwrap();
        },);
    assert!(matches!(answer, Err(CommandError::Conflict)), "{answer:?}");
    drop(transaction);

    let decided_anew = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(decided_anew.version, 2);
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_receipt_and_records_nothing() {
    let database = Database::create().await;
    let journal = journal(&database);
    let context = keyed("k", b"add 1");
    let first = journal.execute::<Counter>(&context, stream(1), Add(vec![1])).await.unwrap();
    journal.execute::<Counter>(&keyed("other", b"add 1"), stream(1), Add(vec![1])).await.unwrap();
    let again = journal.execute::<Counter>(&context, stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (2, 2));
    assert!(matches!(journal.begin(&context).await, Ok(Begun::Replayed(receipt)) if receipt == first));
}

#[tokio::test]
async fn a_key_used_for_another_command_is_refused() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&keyed("k", b"add 1"), stream(1), Add(vec![1])).await.unwrap();
    let other = journal.execute::<Counter>(&keyed("k", b"add 2"), stream(1), Add(vec![2])).await;
    assert!(matches!(other, Err(CommandError::KeyReused)));
}

#[tokio::test]
async fn a_key_whose_command_still_runs_is_in_use_and_free_again_if_it_fails() {
    let database = Database::create().await;
    let journal = journal(&database);
    let Begun::Work(running) = journal.begin(&keyed("k", b"add 1")).await.unwrap() else {
        panic!("nothing was committed under this key");
    };
    assert!(matches!(journal.begin(&keyed("k", b"add 1")).await, Err(BeginError::KeyInUse)));
    assert!(journal.begin(&keyed("l", b"add 1")).await.is_ok());
    running.rollback().await;
    let refused = journal.execute::<Counter>(&keyed("k", b"too much"), stream(1), Add(vec![LIMIT + 1])).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Overflow))));
    let receipt = journal.execute::<Counter>(&keyed("k", b"add 1"), stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(receipt.version, 1);
}

#[tokio::test]
async fn keys_of_different_callers_do_not_meet_and_old_ones_are_swept_in_passing() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&keyed("k", b"add 1"), stream(1), Add(vec![1])).await.unwrap();
    let mut other = keyed("k", b"add 1");
    if let Some(idempotency) = &mut other.idempotency {
        idempotency.scope = "somebody else".to_owned();
    }
    let receipt = journal.execute::<Counter>(&other, stream(1), Add(vec![1])).await.unwrap();
    assert_eq!(receipt.version, 2);

    sqlx::query("update eventlog.idempotency set created_at = created_at - interval '25 hours'")
        .execute(&database.admin)
        .await
        .unwrap();
    // A journal looks for old receipts after its first append with a key.
    let journal = self::journal(&database);
    journal.execute::<Counter>(&keyed("new", b"add 1"), stream(1), Add(vec![1])).await.unwrap();
    let keys = "select key from eventlog.idempotency";
    while sqlx::query_scalar::<_, String>(keys).fetch_all(&database.pool).await.unwrap() != ["new"] {}
}

#[tokio::test]
async fn more_old_receipts_than_are_swept_at_once_are_gone_soon() {
    let database = Database::create().await;
    sqlx::query(
        "insert into eventlog.idempotency (scope, key, fingerprint, id, version, position, created_at)
         select 'old', n::text, '', gen_random_uuid(), 1, 1, now() - interval '25 hours'
         from generate_series(1, 10500) as n",
    )
    .execute(&database.admin)
    .await
    .unwrap();
    let journal = journal(&database);
    let old = "select count(*) from eventlog.idempotency where scope = 'old'";
    for number in 0_u128.. {
        journal
            .execute::<Counter>(&keyed(&number.to_string(), b""), stream(number), Add(vec![1]))
            .await
            .unwrap();
        if sqlx::query_scalar::<_, i64>(old).fetch_one(&database.pool).await.unwrap() == 0 {
            break;
        }
    }
}

#[tokio::test]
async fn several_streams_change_in_one_transaction_or_not_at_all() {
    let database = Database::create().await;
    let journal = journal(&database);
    let context = Context { expected_version: Some(0), ..keyed("k", b"both") };
    for commits in [false, true] {
        let Begun::Work(mut transaction) = journal.begin(&context).await.unwrap() else {
            panic!("nothing was committed under this key");
        };
        let mut unit = transaction.unit();
        assert_eq!(unit.load::<Counter>(stream(2)).await.unwrap(), (0, 0));
        let receipt = unit.execute::<Counter>(stream(1), Add(vec![1])).await.unwrap();
        transaction.unit().execute::<Counter>(stream(2), Add(vec![2, 2])).await.unwrap();
        transaction.unit().execute::<Counter>(stream(2), Add(vec![1])).await.unwrap();
        if commits {
            transaction.commit(receipt).await.unwrap();
        } else {
            transaction.rollback().await;
        }
        let expected = if commits { (5, 3) } else { (0, 0) };
        assert_eq!(journal.load::<Counter>(stream(2)).await.unwrap(), expected);
    }
    assert!(matches!(journal.begin(&context).await, Ok(Begun::Replayed(_))));
}

#[tokio::test]
async fn a_service_may_neither_change_nor_delete_what_is_recorded() {
    let database = Database::create().await;
    let statements =
        ["update eventlog.events set version = 1", "delete from eventlog.events", "truncate eventlog.events"];
    for statement in statements {
        let refused = sqlx::query(statement).execute(&database.pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}");
    }
}

#[tokio::test]
async fn appends_that_queue_up_share_a_commit_and_a_conflict_is_the_callers_own() {
    let database = Database::create().await;
    let journal = journal(&database);
    let appender = Appender::start(&database.pool, &Wake::default(), &Totals);
    journal.execute::<Counter>(&context(), stream(7), Add(vec![1])).await.unwrap();
    let append = |number: u128, version, amounts: &[i64]| Append {
        stream: StreamId { kind: Counter::KIND.to_owned(), id: stream(number) },
        version,
        drafts: amounts.iter().map(|amount| Draft::of(&Added { amount: *amount })).collect(),
        meta: Meta::default(),
        now: context().now,
        idempotency: None,
    };
    let answers = (0..100).map(|number| appender.append(append(number, 0, &[1, 2])));
    let outcomes: Vec<_> = futures::future::try_join_all(answers).await.unwrap();
    let contended = |(_, outcome): &(usize, &Outcome)| **outcome == Outcome::Contended;
    let contended: Vec<usize> =
        outcomes.iter().enumerate().filter(contended).map(|(number, _)| number).collect();
    assert_eq!(contended, [7]);
    for (number, outcome) in (0..).zip(&outcomes).filter(|(_, outcome)| !outcome.recorded().is_empty()) {
        let [one, two] = outcome.recorded() else { panic!("both or none") };
        assert_eq!((one.version, two.version), (1, 2));
        assert_eq!(total(&database.pool, number).await, Some(3));
    }
    let commits: i64 = sqlx::query_scalar("select count(distinct xmin::text) from eventlog.events")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert!(commits < 50, "99 appends took {commits} commits");
}

#[tokio::test]
async fn commands_on_many_streams_are_decided_in_their_order_and_recorded_together() {
    let database = Database::create().await;
    let journal = journal(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![5])).await.unwrap();
    let Begun::Work(mut work) = journal.begin(&context()).await.unwrap() else { panic!("it is new") };
    let commands = [
        (stream(2), Add(vec![1])),
        (stream(1), Add(vec![LIMIT - 6, 1])),
        (stream(1), Add(vec![1])),
        (stream(3), Add(vec![])),
        (stream(2), Add(vec![2])),
    ];
    let answers = work.unit().execute_many::<Counter>(&commands).await.unwrap();
    let receipt = |number, version, position| Ok(Receipt { id: stream(number), version, position });
    // The third is refused by what the second did, and has no effect on the others.
    let expected = [receipt(2, 2, 3), receipt(1, 3, 5), Err(Overflow), receipt(3, 0, 0), receipt(2, 2, 3)];
    assert_eq!(answers, expected);
    work.commit(Receipt { id: stream(1), version: 0, position: 0 }).await.unwrap();
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (LIMIT, 3));
    assert_eq!(journal.load::<Counter>(stream(2)).await.unwrap(), (3, 2));
    assert_eq!((total(&database.pool, 1).await, total(&database.pool, 2).await), (Some(LIMIT), Some(3)));
}

#[tokio::test]
async fn a_stream_that_is_started_has_no_events_yet() {
    let database = Database::create().await;
    let journal = journal(&database);
    let Begun::Work(mut work) = journal.begin(&context()).await.unwrap() else { panic!("it is new") };
    let commands = [(stream(1), Add(vec![1])), (stream(2), Add(vec![2]))];
    work.unit().start_many::<Counter>(&commands).await.unwrap();
    let again = work.unit().start_many::<Counter>(&commands).await;
    assert!(matches!(again, Err(CommandError::Conflict)), "{again:?}");
    work.rollback().await;
    assert_eq!(journal.load::<Counter>(stream(1)).await.unwrap(), (0, 0));
}
