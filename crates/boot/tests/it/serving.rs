//! A process from its start to its end.

use std::time::Duration;

use boot::database::{Database, DatabaseError};
use boot::{Clock, Config, House, Ports, Serving};
use clap::Parser;
use identity::Keys;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use vault::MasterKey;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

async fn serving(database: &Database) -> Serving {
    let config =
        Cli::parse_from(["updraft", "--grpc-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"]).config;
    let ports = Ports::take(&config).await.unwrap();
    let (keys, master) = (Keys::generate().unwrap(), MasterKey::from_bytes(&[7; 32]).unwrap());
    let house = House::on(database.clone(), None, Clock::system(), keys, master).await.unwrap();
    house.serve(ports, &config).await.unwrap()
}

#[tokio::test]
async fn clients_that_never_let_go_do_not_keep_a_process_from_ending() {
    let prepared = async |_: &Database| Ok::<(), DatabaseError>(());
    let database = boot::scratch::database("serving", prepared).await.unwrap();
    let serving = serving(&database).await;

    let _silent = TcpStream::connect(serving.grpc).await.unwrap();
    let mut halting = TcpStream::connect(serving.admin).await.unwrap();
    halting.write_all(b"GET /livez HTTP/1.1\r\nHo").await.unwrap();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", serving.grpc)).unwrap();
    let mut watching = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest { service: String::new() };
    let mut states = watching.watch(request).await.unwrap().into_inner();
    states.message().await.unwrap();

    timeout(Duration::from_secs(20), serving.drain()).await.expect("the process ends");
}
