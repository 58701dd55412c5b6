//! The whole system on a private Postgres with fsync on, and who pushes into it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use boot::database::Database;
use boot::postgres::{Cluster, ClusterConfig};
use boot::{Clock, House, Ports};
use clap::Parser;
use identity::{Audience, Caller, Keys, Role, SourceId};
use proto::hris::hris_sync_service_client::HrisSyncServiceClient;
use proto::hris::source_service_client::SourceServiceClient;
use proto::hris::{CreateSourceRequest, Source};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use updraft::run::{Args, Whole};
use vault::MasterKey;

/// The HR system of the benchmark.
pub(crate) const SOURCE: &str = "bench";
/// How long its token holds.
const TOKEN_SECONDS: u64 = 3600;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// The server that every system of the benchmark runs on, one after the other.
pub(crate) struct Server(Cluster);

/// One system with an empty directory.
pub(crate) struct Stage {
    whole: Whole,
    /// Of the owner of everything.
    pub(crate) owner: PgPool,
    channel: Channel,
    token: MetadataValue<Ascii>,
    admin: SocketAddr,
}

impl Server {
    /// Starts it in this folder.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(Cluster::start(ClusterConfig::in_dir(folder)).await?))
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.0.stop().await;
    }

    /// Starts a system in a database of this name.
    pub(crate) async fn stage(&self, name: &str) -> anyhow::Result<Stage> {
        let database = Database::named(&self.0, name).await?;
        let owner = PgPoolOptions::new().max_connections(2).connect_with(database.admin_options()).await?;
        let keys = Keys::generate()?;
        let args =
            ["bench", "--grpc-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--rest-listen=127.0.0.1:0"];
        let args = Cli::parse_from(args).args;
        let master = MasterKey::from_bytes(&[7; 32]).context("a key has 32 bytes")?;
        let mut house =
            House::on(database, None, Clock::manual(Clock::system().now()), keys.clone(), master).await?;
        let ports = Ports::take(&args.process).await?;
        let settings = args.settings.clone().with_services_at(ports.inner());
        updraft::house::furnish(&mut house, settings).await?;
        let rest = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let whole = Whole::open(house, &args, ports, rest).await?;
        let channel = Channel::from_shared(format!("http://{}", whole.serving.grpc))?.connect().await?;
        let bearer = |caller: &Caller| -> anyhow::Result<MetadataValue<Ascii>> {
            Ok(format!("Bearer {}", keys.issue(caller, Audience::Updraft, TOKEN_SECONDS)?).parse()?)
        };
        add_source(&channel, bearer(&Caller::system(Role::Office))?).await?;
        let source: SourceId = SOURCE.parse()?;
        let token = bearer(&Caller::hris(source))?;
        let admin = whole.serving.admin;
        Ok(Stage { whole, owner, channel, token, admin })
    }
}

async fn add_source(channel: &Channel, office: MetadataValue<Ascii>) -> anyhow::Result<()> {
    let source = Source { source_id: SOURCE.to_owned(), ..Source::default() };
    let mut request = Request::new(CreateSourceRequest { source: Some(source) });
    request.metadata_mut().insert("authorization", office);
    SourceServiceClient::new(channel.clone()).create_source(request).await?;
    Ok(())
}

impl Stage {
    /// The service that is measured.
    pub(crate) fn client(&self) -> HrisSyncServiceClient<Channel> {
        HrisSyncServiceClient::new(self.channel.clone())
    }

    /// A request of the HR system.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }

    /// Waits until every service knows what the others recorded.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let answer = reqwest::Client::new().post(format!("http://{}/settle", self.admin)).send().await?;
        anyhow::ensure!(answer.status().is_success(), "the system did not settle: {}", answer.text().await?);
        Ok(())
    }

    /// How many events there are.
    pub(crate) async fn events(&self) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from eventlog.events").fetch_one(&self.owner).await?)
    }

    /// Ends the system; its database stays until the server ends.
    pub(crate) async fn clear(self) {
        self.owner.close().await;
        self.whole.drain().await;
    }
}
