//! The gateway as a process of its own.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use identity::Keys;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    gateway: gateway::Config,
    #[command(flatten)]
    services: gateway::Services,
    #[command(flatten)]
    telemetry: telemetry::Config,
    /// The keys that sign and verify who calls, as PEM; the same file that the services have.
    #[arg(long, env = "UPDRAFT_IDENTITY_KEY_FILE")]
    identity_key_file: PathBuf,
}

fn main() -> ExitCode {
    match boot::parse(std::env::args_os()) {
        Ok(cli) => boot::block_on(run(cli)),
        Err(code) => code,
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&cli.telemetry, "gateway")?;
    let router = gateway::router(&cli.gateway, &cli.services, Keys::load_or_create(&cli.identity_key_file)?)?;
    let listener = boot::listen(cli.gateway.listen, "UPDRAFT_REST_LISTEN").await?;
    tracing::info!(rest = %listener.local_addr()?, "serving");
    let shutdown = CancellationToken::new();
    let serving = gateway::serve(listener, router, shutdown.clone());
    let (served, ()) = tokio::join!(serving, async {
        boot::asked_to_end().await;
        shutdown.cancel();
    });
    served?;
    drop(telemetry);
    Ok(())
}
