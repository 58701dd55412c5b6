//! `updraft replay --check|--rebuild`: proves that every read model is what the events say, or makes those of a service anew.

use std::time::Duration;

use boot::rebuild::Progress;
use boot::{Clock, House};
use tokio::sync::watch;

use crate::house::{self, Settings};

/// How often a rebuild says how far it is.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// How to replay.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// Compare every table with a fold of all events and change nothing; the system may run meanwhile.
    #[arg(long, required_unless_present = "rebuild", conflicts_with = "rebuild")]
    check: bool,
    /// Fold all events into new tables of a service, such as `sessions`, and swap them in; the system may run meanwhile.
    #[arg(long, value_name = "SERVICE")]
    rebuild: Option<String>,
    #[command(flatten)]
    process: boot::Config,
    #[command(flatten)]
    settings: Settings,
}

/// Folds all events anew, and compares or swaps.
///
/// # Errors
/// If a table differs or cannot be swapped, or the database cannot be read.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&args.process.telemetry, "updraft")?;
    let mut house = House::visit(&args.process, Clock::system()).await?;
    house::furnish(&mut house, args.settings).await?;
    let done = match &args.rebuild {
        Some(service) => rebuild(&house, service).await,
        None => check(&house).await,
    };
    house.close().await;
    drop(telemetry);
    done
}

async fn check(house: &House) -> anyhow::Result<()> {
    let compared = house.replay().await?;
    let width = compared.iter().map(|table| table.table.len()).max().unwrap_or_default();
    for table in &compared {
        let verdict = if table.agrees() {
            "equal".to_owned()
        } else {
            format!("DIFFERS: {} rows missing, {} too many", table.missing, table.surplus)
        };
        println!("{:width$}  {:>8} rows  {verdict}", table.table, table.rows);
    }
    let differing = compared.iter().filter(|table| !table.agrees()).count();
    anyhow::ensure!(differing == 0, "{differing} of {} tables differ from the replay", compared.len());
    println!("every read model equals a replay of the events");
    Ok(())
}

async fn rebuild(house: &House, service: &str) -> anyhow::Result<()> {
    let (progress, watching) = watch::channel(Progress::default());
    let telling = tokio::spawn(tell(watching));
    let rebuilt = house.rebuild(service, progress).await;
    telling.await?;
    let position = rebuilt?;
    println!("the read models of {service} are made anew from {position} positions and in use");
    Ok(())
}

/// Says on standard output and as a metric how far it is, until the rebuild has ended.
async fn tell(mut progress: watch::Receiver<Progress>) {
    let gauge = telemetry::meter()
        .f64_gauge("eventlog.rebuild.progress")
        .with_description("How much of the history a rebuild has taken in, from 0 to 1.")
        .build();
    while progress.changed().await.is_ok() {
        let now = *progress.borrow_and_update();
        gauge.record(now.ratio(), &[]);
        println!("{:>3.0} %  position {} of {}", now.ratio() * 100.0, now.position, now.target);
        tokio::time::sleep(LINE_EVERY).await;
    }
}
