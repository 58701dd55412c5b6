//! Properties: whatever is asked in whatever order, the log answers as a model of a few lines does.

use std::collections::HashMap;

use eventlog::{
    Aggregate, Append, Appender, CommandError, Context, Draft, Idempotency, Journal, Meta, Outcome, Receipt,
    StreamId, Wake,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::counter::{Add, Added, Counter, LIMIT, Overflow, Totals, context, stream};
use crate::support::Database;

const STREAMS: u8 = 3;
const KEYS: u8 = 3;

/// What somebody asks of the log.
#[derive(Clone, Debug)]
enum Asked {
    /// A command on a stream; seen is the version the caller saw, counted from the one there is.
    Command { stream: u8, amounts: Vec<i64>, key: Option<u8>, seen: Option<i64> },
    /// An append without a command, at a version counted from the one there is.
    Append { stream: u8, amounts: Vec<i64>, key: Option<u8>, off: i64 },
    /// The state of a stream.
    Load { stream: u8 },
    /// A page of the log.
    Read { after: usize, limit: usize },
}

fn asked() -> impl Strategy<Value = Asked> {
    let amounts = || prop::collection::vec(prop_oneof![9 => -3..4_i64, 1 => Just(LIMIT)], 0..4);
    let key = || prop::option::weighted(0.4, 0..KEYS);
    prop_oneof![
        4 => (0..STREAMS, amounts(), key(), prop::option::weighted(0.3, -1..2_i64))
            .prop_map(|(stream, amounts, key, seen)| Asked::Command { stream, amounts, key, seen }),
        3 => (0..STREAMS, amounts(), key(), prop_oneof![4 => Just(0), 1 => Just(-1), 1 => Just(1)])
            .prop_map(|(stream, amounts, key, off)| Asked::Append { stream, amounts, key, off }),
        1 => (0..STREAMS).prop_map(|stream| Asked::Load { stream }),
        1 => (0..20_usize, 1..20_usize).prop_map(|(after, limit)| Asked::Read { after, limit }),
    ]
}

/// What the log should be.
#[derive(Default)]
struct Model {
    /// Stream, amount and position of every event, in order.
    log: Vec<(u8, i64, i64)>,
    keys: HashMap<u8, (Vec<u8>, Receipt)>,
}

impl Model {
    fn amounts(&self, stream: u8) -> Vec<i64> {
        self.log.iter().filter(|event| event.0 == stream).map(|event| event.1).collect()
    }

    fn version(&self, stream: u8) -> i64 {
        i64::try_from(self.amounts(stream).len()).unwrap()
    }

    fn total(&self, stream: u8) -> i64 {
        self.amounts(stream).iter().sum()
    }

    fn receipt(&self, stream: u8, id: Uuid) -> Receipt {
        let last = self.log.iter().rfind(|event| event.0 == stream);
        Receipt { id, version: self.version(stream), position: last.map_or(0, |event| event.2) }
    }

    /// Takes in what was recorded, which comes after everything before it.
    fn record(&mut self, stream: u8, amounts: &[i64], last: i64) {
        let count = i64::try_from(amounts.len()).unwrap();
        let before = self.log.last().map_or(0, |event| event.2);
        assert!(amounts.is_empty() || before <= last - count, "positions grow");
        self.log
            .extend((last - count + 1..).zip(amounts).map(|(position, amount)| (stream, *amount, position)));
    }
}

/// The log and its model, on streams and keys of their own.
struct Pair<'d> {
    database: &'d Database,
    journal: Journal<Totals>,
    appender: Appender,
    case: u32,
    begin: i64,
    model: Model,
}

impl Pair<'_> {
    fn id(&self, number: u8) -> Uuid {
        stream(u128::from(self.case) * 16 + u128::from(number))
    }

    fn keyed(&self, key: Option<u8>, fingerprint: &str) -> Option<Idempotency> {
        let (scope, fingerprint) = (format!("case {}", self.case), fingerprint.as_bytes().to_vec());
        key.map(|key| Idempotency { scope, key: key.to_string(), fingerprint })
    }

    async fn ask(&mut self, asked: &Asked) {
        match asked {
            Asked::Command { stream, amounts, key, seen } => {
                self.command(*stream, amounts, *key, *seen).await
            }
            Asked::Append { stream, amounts, key, off } => self.append(*stream, amounts, *key, *off).await,
            Asked::Load { stream } => {
                let loaded = self.journal.load::<Counter>(self.id(*stream)).await.unwrap();
                assert_eq!(loaded, (self.model.total(*stream), self.model.version(*stream)));
            }
            Asked::Read { after, limit } => self.read(*after, *limit).await,
        }
    }

    async fn command(&mut self, number: u8, amounts: &[i64], key: Option<u8>, seen: Option<i64>) {
        let id = self.id(number);
        let idempotency = self.keyed(key, &format!("command {number} {amounts:?}"));
        let version = self.model.version(number);
        let context = Context {
            expected_version: seen.map(|off| version + off),
            idempotency: idempotency.clone(),
            ..context()
        };
        let answer = self.journal.execute::<Counter>(&context, id, Add(amounts.to_vec())).await;

        if let Some((fingerprint, receipt)) = key.and_then(|key| self.model.keys.get(&key)) {
            if Some(fingerprint) == idempotency.as_ref().map(|key| &key.fingerprint) {
                assert_eq!(answer.unwrap(), *receipt);
            } else {
                assert!(matches!(answer, Err(CommandError::KeyReused)), "{answer:?}");
            }
        } else if seen.is_some_and(|off| off != 0) {
            assert!(
                matches!(answer, Err(CommandError::Stale { actual, .. }) if actual == version),
                "{answer:?}"
            );
        } else if self.model.total(number) + amounts.iter().sum::<i64>() > LIMIT {
            assert!(matches!(answer, Err(CommandError::Rejected(Overflow))), "{answer:?}");
        } else {
            let receipt = answer.unwrap();
            let amounts: Vec<i64> = amounts.iter().copied().filter(|amount| *amount != 0).collect();
            self.model.record(number, &amounts, receipt.position);
            assert_eq!(receipt, self.model.receipt(number, id));
            self.keep(key, idempotency, receipt);
        }
    }

    async fn append(&mut self, number: u8, amounts: &[i64], key: Option<u8>, off: i64) {
        let id = self.id(number);
        let idempotency = self.keyed(key, &format!("append {number} {amounts:?}"));
        let append = Append {
            stream: StreamId { kind: Counter::KIND.to_owned(), id },
            version: self.model.version(number) + off,
            drafts: amounts.iter().map(|amount| Draft::of(&Added { amount: *amount })).collect(),
            meta: Meta::default(),
            now: context().now,
            idempotency: idempotency.clone(),
        };
        let outcome = self.appender.append(append).await.unwrap();

        if off != 0 {
            assert_eq!(outcome, Outcome::Contended);
        } else if key.is_some_and(|key| self.model.keys.contains_key(&key)) {
            assert_eq!(outcome, Outcome::KeyTaken);
        } else {
            assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
            let last = outcome.recorded().last().map_or(0, |event| event.position);
            self.model.record(number, amounts, last);
            self.keep(key, idempotency, self.model.receipt(number, id));
        }
    }

    fn keep(&mut self, key: Option<u8>, idempotency: Option<Idempotency>, receipt: Receipt) {
        if let (Some(key), Some(idempotency)) = (key, idempotency) {
            self.model.keys.insert(key, (idempotency.fingerprint, receipt));
        }
    }

    async fn read(&self, skip: usize, limit: usize) {
        let expected: Vec<(Uuid, i64, i64)> = self
            .model
            .log
            .iter()
            .skip(skip)
            .take(limit)
            .map(|(stream, amount, position)| (self.id(*stream), *amount, *position))
            .collect();
        let skipped = skip.min(self.model.log.len());
        let after = self.model.log[..skipped].last().map_or(self.begin, |event| event.2);
        let limit = i64::try_from(limit).unwrap();
        let page = eventlog::read(&self.database.pool, after, None, limit).await.unwrap();
        let page: Vec<(Uuid, i64, i64)> = page
            .iter()
            .map(|event| (event.stream.id, event.read::<Added>().unwrap().amount, event.position))
            .collect();
        assert_eq!(page, expected);
    }

    /// The view holds the totals of all streams that have an event.
    async fn check_totals(&self) {
        for number in 0..STREAMS {
            let total: Option<i64> = sqlx::query_scalar("select total from matching.totals where id = $1")
                .bind(self.id(number))
                .fetch_optional(&self.database.pool)
                .await
                .unwrap();
            let expected = (self.model.version(number) > 0).then(|| self.model.total(number));
            assert_eq!(total, expected);
        }
    }
}

#[test]
fn the_log_answers_as_its_model() {
    compare(48);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn the_log_answers_as_its_model_many_times() {
    compare(2_000);
}

fn compare(cases_max: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(Database::create());
    let cases = std::cell::Cell::new(0);
    let config = Config { cases: cases_max, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let property = |asked: Vec<Asked>| {
        cases.set(cases.get() + 1);
        runtime.block_on(async {
            let journal = Journal::new(database.pool.clone(), Wake::default(), Totals);
            let appender = Appender::start(&database.pool, &Wake::default(), &Totals);
            let begin = eventlog::head(&database.pool).await.unwrap();
            let case = cases.get();
            let mut pair =
                Pair { database: &database, journal, appender, case, begin, model: Model::default() };
            for asked in &asked {
                pair.ask(asked).await;
            }
            pair.read(0, 1000).await;
            pair.check_totals().await;
        });
        Ok(())
    };
    runner.run(&prop::collection::vec(asked(), 1..40), property).unwrap();
}
