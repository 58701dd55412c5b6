//! `updraft replay --check`: proves that every read model is what the events say.

use boot::{Clock, House};

use crate::house::{self, Settings};

/// How to replay.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// Compare and change nothing; the only way there is, spelt out so that nobody fears for the tables.
    #[arg(long, required = true)]
    check: bool,
    #[command(flatten)]
    process: boot::Config,
    #[command(flatten)]
    settings: Settings,
}

/// Folds all events anew and compares every table.
///
/// # Errors
/// If a table differs, or the database cannot be read.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&args.process.telemetry, "updraft")?;
    let mut house = House::open(&args.process, Clock::system()).await?;
    house::furnish(&mut house, args.settings).await?;
    let compared = house.replay().await;
    house.close().await;
    let compared = compared?;

    let width = compared.iter().map(|table| table.table.len()).max().unwrap_or_default();
    for table in &compared {
        let verdict = if table.agrees() {
            "equal".to_owned()
        } else {
            format!("DIFFERS: {} rows missing, {} too many", table.missing, table.surplus)
        };
        println!("{:width$}  {:>8} rows  {verdict}", table.table, table.rows);
    }
    drop(telemetry);
    let differing = compared.iter().filter(|table| !table.agrees()).count();
    anyhow::ensure!(differing == 0, "{differing} of {} tables differ from the replay", compared.len());
    println!("every read model equals a replay of the events");
    Ok(())
}
