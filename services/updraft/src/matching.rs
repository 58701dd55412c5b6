//! `updraft matching replay|verify`: a match run years later.

use ::matching::proof::{self, Replayed, Verified};
use boot::{Service, Visit};
use clap::Subcommand;
use identity::MatchRunId;

/// What to prove about a match run.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Computes a run again from the inputs that are kept; ends with 1 if a single byte differs.
    Replay(Named),
    /// Checks a run's proof of optimality by the prices it bears, without computing; ends with 1 if it does not hold.
    Verify(Named),
}

#[derive(clap::Args)]
#[group(skip)]
struct Named {
    /// The match run, by its identifier.
    run: MatchRunId,
    #[command(flatten)]
    process: boot::Config,
}

/// Proves, and says so on standard output.
///
/// # Errors
/// If the run, its inputs or the database cannot be read, a byte differs, or the proof does not hold.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (What::Replay(Named { run, process }) | What::Verify(Named { run, process })) = &args.what;
    let telemetry = telemetry::start(&process.telemetry, "updraft")?;
    // No key is needed: what is proved is not sealed.
    let visit = Visit::to(process).await?;
    let pool = visit.database.pool(::matching::Matching::NAME);
    let proved = async {
        match args.what {
            What::Replay(_) => replayed(*run, &proof::replay(&pool, *run).await?),
            What::Verify(_) => {
                verified(*run, &proof::verify(&pool, *run).await?);
                Ok(())
            }
        }
    }
    .await;
    pool.close().await;
    visit.end().await;
    drop(telemetry);
    proved
}

fn replayed(run: MatchRunId, replayed: &Replayed) -> anyhow::Result<()> {
    println!("inputs    SHA-256 {}", replayed.inputs_digest);
    println!("recorded  {} bytes", replayed.recorded.len());
    println!("computed  {} bytes", replayed.computed.len());
    for pair in &replayed.differing {
        println!("differs   mentor {} with mentee {}", pair.mentor, pair.mentee);
    }
    anyhow::ensure!(replayed.agrees(), "the match run {run} is not what its inputs lead to now");
    println!("the match run {run} is byte for byte what its inputs lead to");
    Ok(())
}

fn verified(run: MatchRunId, verified: &Verified) {
    println!("inputs  SHA-256 {}", verified.inputs_digest);
    println!("prices  {} prove the cost {}", verified.prices, verified.cost);
    println!("no set of tandems is better than the {} of the match run {run}", verified.pairs);
}
