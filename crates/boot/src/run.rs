//! The whole of a service's `main`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Parser};

use crate::error::{StartError, USAGE, report};
use crate::{Clock, Config, House, Ports, Service};

#[derive(Parser)]
struct Cli<C: Args> {
    #[command(flatten)]
    process: Config,
    #[command(flatten)]
    service: C,
}

/// Runs one service as a process of its own until it is asked to end.
///
/// Its database is an existing server, as a private one belongs to a single process.
#[must_use]
pub fn run<S: Service>() -> ExitCode {
    let cli: Cli<S::Config> = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    block_on(async move {
        let telemetry = telemetry::start(&cli.process.telemetry, S::NAME)?;
        let served = serve::<S>(cli).await;
        drop(telemetry);
        served
    })
}

async fn serve<S: Service>(cli: Cli<S::Config>) -> Result<(), StartError> {
    let ports = Ports::take(&cli.process).await?;
    let mut house = House::open(&cli.process, Clock::system()).await?;
    house.add::<S>(cli.service).await?;
    let serving = house.serve(ports, &cli.process).await?;
    tracing::info!(grpc = %serving.grpc, admin = %serving.admin, "serving");
    let ended = serving.ended().await;
    serving.drain().await;
    ended
}

/// Reads the command line and the environment; a bad setting is one sentence and exit code 64.
///
/// # Errors
/// The exit code, when the help was shown or a setting is bad.
pub fn parse<P: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<P, ExitCode> {
    P::try_parse_from(args).map_err(|error| {
        // Nothing can be done if the terminal is gone.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
    })
}

/// Runs a future to its end on a runtime of its own, says why it failed, and makes the exit code.
pub fn block_on<E: Into<anyhow::Error>>(process: impl Future<Output = Result<(), E>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(refused) => return report(&refused.into()),
    };
    match runtime.block_on(process) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure.into()),
    }
}
