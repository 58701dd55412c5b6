//! In whatever order records come, and however often: they end in the same directory.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::worker::Employment;

const SOURCES: [&str; 2] = ["payroll", "login"];
const KEYS: usize = 5;

/// What a source says of one of a few workers; its place in the list is its version.
#[derive(Clone, Debug)]
struct Said {
    source: usize,
    key: usize,
    what: What,
    /// Whether it holds from tomorrow on.
    later: bool,
}

#[derive(Clone, Debug)]
enum What {
    Upsert { with_number: bool, manager: Option<usize>, title: u8, inactive: bool },
    End(Tombstone),
}

fn said() -> impl Strategy<Value = Said> {
    let upsert = (any::<bool>(), proptest::option::of(0..KEYS), 0..3_u8, prop::bool::weighted(0.1));
    let upsert = upsert.prop_map(|(with_number, manager, title, inactive)| What::Upsert {
        with_number,
        manager,
        title,
        inactive,
    });
    let kinds = vec![Tombstone::Left, Tombstone::Rescinded, Tombstone::Erased];
    let what = prop_oneof![4 => upsert, 1 => prop::sample::select(kinds).prop_map(What::End)];
    (0..SOURCES.len(), 0..KEYS, what, prop::bool::weighted(0.15))
        .prop_map(|(source, key, what, later)| Said { source, key, what, later })
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
    fn record(&self, world: &str, place: usize, tomorrow: jiff::civil::Date) -> Record {
        let key = |at: usize| format!("{world}{at}");
        let version = i64::try_from(place).unwrap();
        match &self.what {
            What::Upsert { with_number, manager, title, inactive } => {
                let manager = manager.map(key);
                let worker = Worker {
                    employee_number: with_number.then(|| format!("{world}-{}", self.key)),
                    job_title: format!("{title} of {}", SOURCES[self.source]),
                    employment: if *inactive { Employment::Inactive } else { Employment::Active },
                    ..worker(&key(self.key), version, manager.as_deref())
                };
                let effective_date = self.later.then_some(tomorrow);
                Ok(Change::Upsert { worker, effective_date, noticed: Vec::new() })
            }
            What::End(kind) => end(&key(self.key), version, *kind),
        }
    }
}

/// People who work here, and how workers stand.
type Directory = (Vec<Shown>, BTreeMap<(String, String), (String, i64)>);

/// A person by all keys, with what is shown and the superior's keys. The level is left out: where a superior had stood who has left
/// is known only if somebody said so before.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
struct Shown {
    keys: Vec<String>,
    employee_number: String,
    job_title: String,
    email: String,
    managers: Vec<String>,
    is_at_the_top: bool,
}

async fn directory(stage: &Stage, world: &str) -> Directory {
    let mut shown: Vec<Shown> = sqlx::query_as(
        "with keys as (
             select person_id, array_agg(source_id || ':' || substr(external_id, $2) order by source_id, external_id) as keys
             from workers
             where state = 'active' and starts_with(external_id, $1)
             group by person_id
         )
         select keys.keys, replace(employee_number, $1, '') as employee_number, job_title, replace(email, $1, '') as email,
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
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "select source_id, substr(external_id, $2), state, source_version
         from workers where starts_with(external_id, $1) and state <> 'expected'",
    )
    .bind(world)
    .bind(i32::try_from(world.len() + 1).unwrap())
    .fetch_all(&stage.pool)
    .await
    .unwrap();
    let workers = rows.into_iter().map(|(source, key, state, version)| ((source, key), (state, version)));
    (shown, workers.collect())
}

/// Sends records in an order, so many of a source at once; then a day passes.
async fn live(stage: &mut Stage, world: &str, said: &[Said], order: &[usize], sizes: &[usize]) -> Directory {
    let begin = stage.now;
    let tomorrow = begin + SignedDuration::from_hours(24);
    let day = |time: Timestamp| time.to_zoned(jiff::tz::TimeZone::UTC).date();
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
        let records = batch.iter().map(|place| said[*place].record(world, *place, day(tomorrow))).collect();
        stage.take(runs[source], records).await;
        rest = later;
    }
    assert!(rest.is_empty());
    for run in runs {
        stage.sync.drop(&stage.context(), run).await.unwrap();
    }
    stage.sync.pass(tomorrow).await.unwrap();
    directory(stage, world).await
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
    let config = Config { failure_persistence: None, ..Config::with_cases(24) };
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
