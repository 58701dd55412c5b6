//! The services behind the gateway: a channel to each, and calls whose messages are known at run time only.

use std::{collections::HashMap, time::Duration};

use axum::http::{Uri, uri::PathAndQuery};
use identity::{Attest, Caller, Keys};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use telemetry::{ClientLayer, Traced};
use tonic::{
    Request, Response, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};
use tower::Layer;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A watched channel that says who calls.
pub(crate) type Connection = InterceptedService<Traced<Channel>, Attest>;

/// A channel to each service, opened when it is first used.
#[derive(Clone)]
pub(crate) struct Upstreams {
    channels: HashMap<&'static str, Traced<Channel>>,
    keys: Keys,
}

impl Upstreams {
    /// Services that live at the same address share a channel. Must be called inside a runtime.
    pub(crate) fn new(services: impl IntoIterator<Item = (&'static str, Uri)>, keys: Keys) -> Self {
        let watch = ClientLayer::grpc();
        let mut by_address = HashMap::new();
        let connect = |address: Uri| {
            let endpoint = Endpoint::from(address)
                .connect_timeout(CONNECT_TIMEOUT)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .keep_alive_while_idle(true);
            watch.layer(endpoint.connect_lazy())
        };
        let channels = services
            .into_iter()
            .map(|(package, address)| {
                (package, by_address.entry(address.clone()).or_insert_with(|| connect(address)).clone())
            })
            .collect();
        Self { channels, keys }
    }

    /// The way to the service of a package, in the name of a caller; `None` for a package nobody serves.
    pub(crate) fn connection(&self, package: &str, caller: Caller) -> Option<Connection> {
        let channel = self.channels.get(package)?.clone();
        Some(InterceptedService::new(channel, Attest::new(self.keys.clone(), caller)))
    }
}

/// Calls a method.
///
/// # Errors
/// What the service answers, or `UNAVAILABLE` if it does not.
pub(crate) async fn call(
    connection: Connection,
    method: &MethodDescriptor,
    request: Request<DynamicMessage>,
) -> Result<Response<DynamicMessage>, Status> {
    let (mut client, path) = dial(connection, method).await?;
    client.unary(request, path, Dynamic(method.output())).await
}

/// Calls a method that answers with a stream.
///
/// # Errors
/// What the service answers instead, or `UNAVAILABLE` if it does not.
pub(crate) async fn open(
    connection: Connection,
    method: &MethodDescriptor,
    request: Request<DynamicMessage>,
) -> Result<Streaming<DynamicMessage>, Status> {
    let (mut client, path) = dial(connection, method).await?;
    let answer = client.server_streaming(request, path, Dynamic(method.output())).await?;
    Ok(answer.into_inner())
}

async fn dial(
    connection: Connection,
    method: &MethodDescriptor,
) -> Result<(Grpc<Connection>, PathAndQuery), Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
    let mut client = Grpc::new(connection);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    Ok((client, path))
}

/// Encodes what it is given and decodes the message it was made for.
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0.clone())
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
