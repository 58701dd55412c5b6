//! In whatever order records come, and however often: they end in the same directory.
//!
//! Left out is what order decides by itself: of two records of one version, or of two workers of a source with one number, the first
//! stands and the other is refused; and a snapshot lets go whoever was not reported by the moment of its end.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::worker::Employment;

const SOURCES: [&str; 2] = ["payroll", "login"];
const KEYS: usize = 5;
/// So many passages are tried, unless `PROPTEST_CASES` asks for more.
const CASES: u32 = 48;

/// The day on which everything is said.
const TODAY: Date = date(2014, 1, 15);
/// So many days later nothing waits any more.
const DAYS: i64 = 3;

/// What a source says of one of a few workers; its place in the list is its version.
#[derive(Clone, Debug)]
struct Said {
    source: usize,
    key: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Upsert {
        /// One of two that only this key has, in either source.
        number: Option<u8>,
        manager: Option<usize>,
        title: u8,
        employment: Employment,
        /// Days until the first one with the company; none for one that is long past.
        begins: Option<i64>,
        /// Days until it holds.
        later: i64,
    },
    /// The person leaves so many days after today, or before.
    Leave(i64),
    /// One of the other ends.
    End(Tombstone),
}

fn employment() -> impl Strategy<Value = Employment> {
    let open = Employment::OnLeave { first_day: Some(date(2014, 1, 6)), last_day: None };
    let closed =
        Employment::OnLeave { first_day: Some(date(2014, 1, 20)), last_day: Some(date(2014, 1, 31)) };
    prop_oneof![
        7 => Just(Employment::Active),
        1 => Just(Employment::Inactive),
        2 => Just(Employment::Pending),
        1 => Just(open),
        1 => Just(closed),
    ]
}

fn later() -> impl Strategy<Value = i64> {
    prop_oneof![6 => Just(0), 1 => 1..DAYS]
}

fn said() -> impl Strategy<Value = Said> {
    let begins = option::weighted(0.3, -1..DAYS);
    let upsert =
        (option::weighted(0.8, 0..2_u8), option::of(0..KEYS), 0..3_u8, employment(), begins, later());
    let upsert = upsert.prop_map(|(number, manager, title, employment, begins, later)| What::Upsert {
        number,
        manager,
        title,
        employment,
        begins,
        later,
    });
    let kinds = vec![Tombstone::Rescinded, Tombstone::Erased];
    let what = prop_oneof![
        8 => upsert,
        1 => (-6..DAYS).prop_map(What::Leave),
        1 => prop::sample::select(kinds).prop_map(What::End),
    ];
    (0..SOURCES.len(), 0..KEYS, what).prop_map(|(source, key, what)| Said { source, key, what })
}

/// What was said, an order in which some of it comes twice, and how much comes at once.
fn passage() -> impl Strategy<Value = (Vec<Said>, Vec<usize>, Vec<usize>)> {
    vec(said(), 1..16).prop_flat_map(|said| {
        let places: Vec<usize> = (0..said.len()).chain(0..said.len() / 2).collect();
        let sizes = vec(1..6_usize, places.len());
        (Just(said), Just(places).prop_shuffle(), sizes)
    })
}

impl Said {
    /// The record; a world of its own is told from the others by its name.
    fn record(&self, world: &str, place: usize) -> Record {
        let key = |at: usize| format!("{world}{at}");
        let version = i64::try_from(place).unwrap();
        match &self.what {
            What::Upsert { number, manager, title, employment, begins, later } => {
                let manager = manager.map(key);
                let begun = date(2010, 3, 1);
                let worker = Worker {
                    employee_number: number.map(|number| format!("{world}-{}-{number}", self.key)),
                    job_title: format!("{title} of {}", SOURCES[self.source]),
                    employment: *employment,
                    hire_date: Some(begins.map_or(begun, |days| TODAY + days.days())),
                    ..worker(&key(self.key), version, manager.as_deref())
                };
                let effective_date = (*later > 0).then_some(TODAY + later.days());
                Ok(Change::Upsert { worker, effective_date, noticed: Vec::new() })
            }
            What::Leave(days) => Ok(Change::Tombstone {
                external_id: key(self.key),
                source_version: version,
                kind: Tombstone::Left,
                last_day: Some(TODAY + days.days()),
            }),
            What::End(kind) => end(&key(self.key), version, *kind),
        }
    }
}

/// People who work here, and how workers stand.
type Directory = (Vec<Shown>, BTreeMap<(String, String), Standing>);

/// A person by all keys, with what is shown and the superior's keys. The level is left out: where a superior had stood who has left
/// is known only if somebody said so before.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
struct Shown {
    keys: Vec<String>,
    employee_number: String,
    job_title: String,
    email: String,
    leave: String,
    managers: Vec<String>,
    is_at_the_top: bool,
}

/// How a worker stands: whether one of the company, as of which version, until when if that was said.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    state: String,
    version: usize,
    last_day: Option<Date>,
}

async fn shown(stage: &Stage, world: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = sqlx::query_as(
        "with keys as (
             select person_id, array_agg(source_id || ':' || substr(external_id, $2) order by source_id, external_id) as keys
             from workers
             where state = 'active' and starts_with(external_id, $1)
             group by person_id
         )
         select keys.keys, replace(employee_number, $1, '') as employee_number, job_title, replace(email, $1, '') as email,
                concat(leave_first_day, '/', leave_last_day) as leave,
                array(select distinct substr(external_id, $2) from workers where person_id = manager_person_id) as managers,
                manager_person_id is null as is_at_the_top
         from keys
         join people using (person_id)
         join person_details using (person_id)
         where last_day is null",
    )
    .bind(world)
    .bind(i32::try_from(world.len() + 1).unwrap())
    .fetch_all(&stage.pool)
    .await
    .unwrap();
    shown.sort();
    shown
}

async fn directory(stage: &Stage, world: &str, said: &[Said]) -> Directory {
    let rows: Vec<(String, String, String, i64, Option<jiff_sqlx::Date>)> = sqlx::query_as(
        "select source_id, substr(external_id, $2), replace(state, 'inactive', 'left'), source_version, last_day
         from workers where starts_with(external_id, $1) and state <> 'expected'",
    )
    .bind(world)
    .bind(i32::try_from(world.len() + 1).unwrap())
    .fetch_all(&stage.pool)
    .await
    .unwrap();
    let workers = rows.into_iter().map(|(source, key, state, version, last_day)| {
        let version = usize::try_from(version).unwrap();
        let last_day = last_day.filter(|_| matches!(said[version].what, What::Leave(_)));
        ((source, key), Standing { state, version, last_day: last_day.map(jiff_sqlx::Date::to_jiff) })
    });
    (shown(stage, world).await, workers.collect())
}

/// How many have left on another day than their workers; nobody has left before the first day.
async fn misled(stage: &Stage, world: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*) from (
             select person_id
             from workers join people using (person_id) join person_details using (person_id)
             where starts_with(external_id, $1)
             group by person_id, people.last_day, people.hire_date
             having bool_and(state in ('left', 'inactive'))
                    and people.last_day is distinct from greatest(max(workers.last_day), people.hire_date)
                 or bool_or(state = 'active') and people.last_day is not null
         ) as misled",
    )
    .bind(world)
    .fetch_one(&stage.pool)
    .await
    .unwrap()
}

/// Sends records in an order, so many of a source at once; then days pass.
async fn live(stage: &mut Stage, world: &str, said: &[Said], order: &[usize], sizes: &[usize]) -> Directory {
    let mut runs = Vec::new();
    for source in SOURCES {
        runs.push(stage.open(source, Mode::Delta, false).await.unwrap());
    }
    let mut rest = order;
    for size in sizes {
        let Some(first) = rest.first() else { break };
        let source = said[*first].source;
        let together = rest.iter().take(*size).take_while(|place| said[**place].source == source).count();
        let (batch, later) = rest.split_at(together);
        let records = batch.iter().map(|place| said[*place].record(world, *place)).collect();
        stage.take(runs[source], records).await;
        rest = later;
    }
    assert!(rest.is_empty());
    for run in runs {
        stage.sync.drop(&stage.context(), run).await.unwrap();
    }
    let begin: Timestamp = TODAY.to_zoned(TimeZone::UTC).unwrap().timestamp();
    for day in 1..=DAYS {
        stage.sync.pass(begin + SignedDuration::from_hours(24 * day)).await.unwrap();
    }
    assert_eq!(misled(stage, world).await, 0);
    directory(stage, world, said).await
}

#[test]
fn any_order_and_repetition_over_any_batches_ends_in_the_same_directory() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(async {
        let stage = Stage::new().await;
        stage.add_source(SOURCES[0], &[]).await;
        stage.add_source(SOURCES[1], &["job_title"]).await;
        tokio::sync::Mutex::new((stage, 0_usize))
    });
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    let outcome = TestRunner::new(config).run(&passage(), |(said, order, sizes)| {
        let (one, other) = runtime.block_on(async {
            let (stage, worlds) = &mut *stage.lock().await;
            *worlds += 1;
            let (world, other_world) = (format!("a{worlds:06}-"), format!("b{worlds:06}-"));
            let in_order: Vec<usize> = (0..said.len()).collect();
            let one = live(stage, &world, &said, &in_order, &vec![1; said.len()]).await;
            let ones = vec![1; order.len()];
            let sizes: Vec<usize> = sizes.iter().chain(&ones).copied().collect();
            (one, live(stage, &other_world, &said, &order, &sizes).await)
        });
        prop_assert_eq!(one, other);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
