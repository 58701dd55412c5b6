//! A gRPC server that plays what a test scripts, and a gateway in front of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, response::Response};
use bytes::{Buf, BufMut, Bytes};
use gateway::{Config, Services};
use identity::{Audience, AuthLayer, Caller, Keys, PersonId, Role};
use prost::Message;
use prost_reflect::DynamicMessage;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

pub(crate) const EDITION: &str = "0193a1b2-0000-7000-8000-000000000001";

/// What a service received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) message: Value,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) caller: Caller,
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Result<Value, Status>>,
    received: Vec<Received>,
}

/// A gateway, the scripted services behind it, and a client in front.
pub(crate) struct World {
    script: Arc<Mutex<Script>>,
    pub(crate) keys: Keys,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| ()).await
    }

    /// Starts with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config, &mut Services)) -> Self {
        let keys = Keys::generate().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let services = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = services.local_addr().unwrap();
        let play = Arc::clone(&script);
        let router = Router::new()
            .fallback(move |request| answer(Arc::clone(&play), request))
            .layer(AuthLayer(keys.clone()));
        tokio::spawn(async { axum::serve(services, router).await });

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut config, mut services) = (Config::default(), Services::at(address));
        change(&mut config, &mut services);
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = gateway::router(&config, &services, keys.clone()).unwrap();
        tokio::spawn(gateway::serve(listener, router, CancellationToken::new()));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { script, keys, url, client }
    }

    /// What a method answers from now on, in the JSON of its response message; a list of them if it answers with a stream.
    pub(crate) fn answers(&self, method: &str, answer: Value) {
        self.script.lock().unwrap().answers.insert(method.to_owned(), Ok(answer));
    }

    /// What a method refuses with from now on.
    pub(crate) fn refuses(&self, method: &str, status: Status) {
        self.script.lock().unwrap().answers.insert(method.to_owned(), Err(status));
    }

    /// The last call that arrived.
    pub(crate) fn received(&self) -> Received {
        self.script.lock().unwrap().received.last().expect("a call arrived").clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.script.lock().unwrap().received.len()
    }

    /// A request of somebody of the programme office.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let office = Caller::of(PersonId::mint(), [Role::Office]);
        self.anonymous(method, path).bearer_auth(self.keys.issue(&office, Audience::Updraft, 60).unwrap())
    }

    /// A request without any proof of who calls.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }
}

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

/// Sends a request; the body is JSON or null.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    Answer { status, headers, body }
}

/// Sends a request that must be refused, and checks what every problem has in common.
pub(crate) async fn refused(request: RequestBuilder, status: u16, code: &str) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let path = request.url().path().to_owned();
    let answer = send(RequestBuilder::from_parts(client, request)).await;
    assert_eq!((answer.status, &answer.body["code"]), (status, &Value::from(code)), "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["instance"], path);
    assert!(answer.body["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!(answer.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    assert!(answer.body["type"].as_str().unwrap().starts_with("/problems/"));
    answer
}

/// The errors of a problem as `(in, pointer, code)`.
pub(crate) fn errors(answer: &Answer) -> Vec<(&str, &str, &str)> {
    let errors = answer.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            let part = |key: &str| error[key].as_str().unwrap_or_default();
            (part("in"), part("pointer"), part("code"))
        })
        .collect()
}

async fn answer(script: Arc<Mutex<Script>>, request: Request) -> Response {
    let (service, method) = request.uri().path()[1..].split_once('/').unwrap();
    let service = proto::pool().get_service_by_name(service).unwrap();
    let method = service.methods().find(|candidate| candidate.name() == method).unwrap();
    let is_stream = method.is_server_streaming();
    let play = move |request: tonic::Request<Bytes>| {
        let (script, method) = (Arc::clone(&script), method.clone());
        async move {
            let caller = request.extensions().get::<Caller>().unwrap().clone();
            let metadata = request.metadata().clone().into_headers();
            let metadata = metadata
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
            let metadata = metadata.collect();
            let message = DynamicMessage::decode(method.input(), request.into_inner()).unwrap();
            let message = serde_json::to_value(message).unwrap();
            let mut script = script.lock().unwrap();
            script.received.push(Received { message, metadata, caller });
            let unscripted = || Err(Status::unimplemented(""));
            let answer = script.answers.get(method.name()).cloned().unwrap_or_else(unscripted)?;
            let encoded = |answer| {
                let answer = DynamicMessage::deserialize(method.output(), answer).unwrap();
                Bytes::from(answer.encode_to_vec())
            };
            Ok(match answer {
                Value::Array(answers) => answers.into_iter().map(encoded).collect(),
                answer => vec![encoded(answer)],
            })
        }
    };
    let mut server = tonic::server::Grpc::new(Raw).max_decoding_message_size(128 << 20);
    if is_stream {
        let stream = tower::service_fn(async |request| {
            let messages: Result<Vec<_>, Status> = play(request).await;
            Ok(tonic::Response::new(futures::stream::iter(messages?.into_iter().map(Ok))))
        });
        return server.server_streaming(stream, request).await.map(axum::body::Body::new);
    }
    let unary = tower::service_fn(async |request| {
        play(request).await.map(|messages| tonic::Response::new(messages[0].clone()))
    });
    server.unary(unary, request).await.map(axum::body::Body::new)
}

/// Messages as bytes.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
