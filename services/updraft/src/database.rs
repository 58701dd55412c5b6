//! `updraft database plan|apply`: roles and schemas on an existing server.

use boot::database::Database;
use clap::{Subcommand, ValueEnum};

/// What to do with the server that `UPDRAFT_DATABASE_URL` names.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    process: boot::Config,
}

#[derive(Subcommand, Clone, Copy, ValueEnum)]
enum What {
    /// Prints the SQL for an administrator.
    Plan,
    /// Runs it as the user of the URL.
    Apply,
}

/// Prints or runs the plan.
///
/// # Errors
/// If no URL is given, or the server refuses a statement.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let url = args.process.database_url()?;
    let url =
        url.ok_or_else(|| anyhow::anyhow!("set UPDRAFT_DATABASE_URL: a private Postgres prepares itself"))?;
    let database = Database::from_url(url.expose())?;
    match args.what {
        What::Plan => database.plan().iter().for_each(|statement| println!("{statement};")),
        What::Apply => {
            database.apply().await?;
            println!("roles and schemas are there");
        }
    }
    Ok(())
}
