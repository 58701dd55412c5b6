//! `updraft run`: every service in one process, and the gateway before them.

use std::path::Path;

use anyhow::Context;
use boot::{Clock, House, Ports, Serving};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::demo;
use crate::house::{self, Settings};

/// The settings of the process.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub struct Args {
    /// Plays the demonstration edition on the very first start.
    #[arg(long, env = "UPDRAFT_DEMONSTRATION", default_value_t = false)]
    demonstration: bool,
    /// Settings of every process.
    #[command(flatten)]
    pub process: boot::Config,
    /// Settings of the gateway.
    #[command(flatten)]
    pub gateway: gateway::Config,
    /// Settings of the services.
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs until the process is asked to end.
///
/// # Errors
/// One sentence for the operator.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&args.process.telemetry, "updraft")?;
    let marker = demo::Marker::in_dir(&args.process.cluster.data_dir);
    let play = args.demonstration && marker.is_first_start();
    let served = async {
        let whole = Whole::start(&args, if play { Some(demo::BEGIN) } else { None }).await?;
        let outcome = attend(&whole, &marker, play).await;
        whole.drain().await;
        outcome
    }
    .await;
    drop(telemetry);
    served
}

async fn attend(whole: &Whole, marker: &demo::Marker, play: bool) -> anyhow::Result<()> {
    if play {
        println!("First start: playing the demonstration edition, a minute at most …");
        marker.playing()?;
        let stage = whole.stage();
        tokio::select! {
            played = demo::play(&stage) => {
                println!("{}", played?);
                marker.played()?;
            }
            ended = whole.serving.ended() => return Ok(ended?),
        }
    } else if marker.is_interrupted() {
        println!(
            "The demonstration was interrupted; what it had done is here. Remove {} to begin anew.",
            marker.dir()
        );
    }
    println!("{}", whole.where_to_go());
    Ok(whole.serving.ended().await?)
}

/// The whole system, serving.
pub struct Whole {
    /// The services.
    pub serving: Serving,
    /// Where REST listens.
    pub rest: std::net::SocketAddr,
    keys: identity::Keys,
    tasks: TaskTracker,
}

impl Whole {
    /// Starts everything; with a manual clock where `clock` gives its start.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn start(args: &Args, clock: Option<Timestamp>) -> anyhow::Result<Self> {
        let rest = boot::listen(args.gateway.listen, "UPDRAFT_REST_LISTEN").await?;
        let ports = Ports::take(&args.process).await?;
        let clock = clock.map_or_else(Clock::system, Clock::manual);
        let mut house = House::open(&args.process, clock).await?;
        house::furnish(&mut house, args.settings.clone().with_services_at(ports.inner())).await?;
        house::relay(&house, args.settings.relay.clone());
        Self::open(house, args, ports, rest).await
    }

    /// Serves a house with its gateway.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn open(house: House, args: &Args, ports: Ports, rest: TcpListener) -> anyhow::Result<Self> {
        let (keys, tasks, shutdown) = (house.keys(), house.tasks(), house.shutdown());
        let serving = house.serve(ports, &args.process).await?;
        let address = rest.local_addr().context("the REST port has no address")?;
        let router = gateway::router(&args.gateway, &gateway::Services::at(serving.inner), keys.clone())?;
        let stop = shutdown.clone();
        tasks.spawn(async move {
            if let Err(error) = gateway::serve(rest, router, stop).await {
                tracing::error!(error = error.to_string(), "the REST port ended");
            }
        });
        Ok(Self { serving, rest: address, keys, tasks })
    }

    /// What the demonstration plays on.
    #[must_use]
    pub fn stage(&self) -> demo::Stage {
        demo::Stage::new(self.rest, self.serving.admin, self.keys.clone())
    }

    /// Where to go, for people.
    #[must_use]
    pub fn where_to_go(&self) -> String {
        format!(
            "Updraft is running.\n  pages      http://{rest}/\n  interface  http://{rest}/docs\n  gRPC       {grpc}\n  operators  \
             http://{admin}/readyz, /metrics\nCtrl-C ends it.",
            rest = self.rest,
            grpc = self.serving.grpc,
            admin = self.serving.admin,
        )
    }

    /// Ends everything in order, Postgres last.
    pub async fn drain(self) {
        let tasks = self.tasks.clone();
        self.serving.drain().await;
        drop(tasks);
    }
}

/// A data directory for people.
pub(crate) fn shown(dir: &Path) -> String {
    dir.display().to_string()
}
