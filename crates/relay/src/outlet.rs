//! The broker's side: the stream, how far it has come, and what it takes.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{self, StorageType, Stream};
use async_nats::jetstream::{self, ContextBuilder, context};
use async_nats::{Client, ConnectOptions, Event};
use eventlog::Recorded;
use futures::future::try_join_all;
use tokio::sync::Notify;

use crate::Config;
use crate::last::Last;
use crate::message::{SUBJECTS, message, subject};

/// How long the broker may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker remembers the ids of messages, besides refusing whatever does not follow its last one.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// Why the broker did not take events.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutletError {
    #[error("the file with the credentials for the NATS server cannot be read")]
    Credentials(#[source] std::io::Error),
    #[error("the NATS server cannot be reached or refuses us")]
    Connect(#[source] async_nats::ConnectError),
    #[error("the stream {stream} cannot be had from the NATS server; has it JetStream?")]
    Stream {
        stream: String,
        #[source]
        source: async_nats::Error,
    },
    #[error("the stream {stream} keeps events in memory; make it anew with storage in files")]
    Memory { stream: String },
    #[error("the stream {stream} takes other subjects than {SUBJECTS}.>")]
    Subjects { stream: String },
    #[error("the last message of the stream {stream} is none of ours: it has no position, id and time")]
    Foreign { stream: String },
    #[error("the NATS server did not take an event")]
    Refused(#[source] context::PublishError),
    #[error("somebody else relays into the same stream")]
    Overtaken,
    #[error("the connection to the NATS server is lost")]
    Lost,
}

/// A connection to a stream that is ours to fill.
pub(crate) struct Outlet {
    lost: Arc<Notify>,
    context: jetstream::Context,
    last_sequence: u64,
    held: Held,
}

/// What a stream tells of how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// It has never had a message.
    Nothing,
    /// It has been emptied since.
    NoMore,
    /// Its last message.
    Last(Last),
}

impl Outlet {
    /// Connects, makes the stream if it is not there, and finds out how far it has come.
    pub(crate) async fn open(url: &str, config: &Config) -> Result<Self, OutletError> {
        let lost = Arc::<Notify>::default();
        let client = connect(url, config, Arc::clone(&lost)).await?;
        let context = ContextBuilder::new()
            .timeout(ANSWER_TIMEOUT)
            .ack_timeout(ANSWER_TIMEOUT)
            .backpressure_on_inflight(true)
            .build(client);
        let name = &config.nats_stream;
        let failed = |source: async_nats::Error| OutletError::Stream { stream: name.clone(), source };
        let stream =
            context.get_or_create_stream(settings(name)).await.map_err(|error| failed(error.into()))?;
        let info = stream.get_info().await.map_err(|error| failed(error.into()))?;
        if info.config.storage != StorageType::File {
            return Err(OutletError::Memory { stream: name.clone() });
        }
        if info.config.subjects != settings(name).subjects {
            return Err(OutletError::Subjects { stream: name.clone() });
        }
        let last_sequence = info.state.last_sequence;
        let held = match (last_sequence, info.state.messages) {
            (0, _) => Held::Nothing,
            (_, 0) => Held::NoMore,
            _ => Held::Last(last(&stream, last_sequence, name).await?),
        };
        Ok(Self { lost, context, last_sequence, held })
    }

    /// What the stream held when it was opened.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// Sends events, and waits until the broker has all of them in its files.
    pub(crate) async fn publish(&mut self, events: &[Recorded]) -> Result<(), OutletError> {
        let mut acknowledgements = Vec::with_capacity(events.len());
        for (last_sequence, event) in (self.last_sequence..).zip(events) {
            let sent = self.context.send_publish(subject(event), message(event, last_sequence)).await;
            acknowledgements.push(sent.map_err(refused)?);
        }
        let acknowledged =
            try_join_all(acknowledgements.into_iter().map(IntoFuture::into_future)).await.map_err(refused)?;
        if acknowledged.iter().any(|acknowledgement| acknowledgement.duplicate) {
            return Err(OutletError::Overtaken);
        }
        self.last_sequence += events.len() as u64;
        Ok(())
    }

    /// Returns when the connection is lost; whatever the stream holds then is to be asked anew.
    pub(crate) async fn lost(&self) -> OutletError {
        self.lost.notified().await;
        OutletError::Lost
    }
}

async fn connect(url: &str, config: &Config, lost: Arc<Notify>) -> Result<Client, OutletError> {
    let mut options = ConnectOptions::new().name("updraft-relay").connection_timeout(ANSWER_TIMEOUT);
    if let Some(file) = &config.nats_credentials_file {
        options = options.credentials_file(file).await.map_err(OutletError::Credentials)?;
    }
    let tell = move |event| {
        if event == Event::Disconnected {
            lost.notify_one();
        }
        std::future::ready(())
    };
    options.event_callback(tell).max_reconnects(1).connect(url).await.map_err(OutletError::Connect)
}

fn settings(name: &str) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects: vec![format!("{SUBJECTS}.>")],
        storage: StorageType::File,
        duplicate_window: DUPLICATE_WINDOW,
        ..stream::Config::default()
    }
}

async fn last(stream: &Stream, sequence: u64, name: &str) -> Result<Last, OutletError> {
    let message = stream.get_raw_message(sequence).await;
    let message =
        message.map_err(|error| OutletError::Stream { stream: name.to_owned(), source: error.into() })?;
    Last::of(&message.headers).ok_or_else(|| OutletError::Foreign { stream: name.to_owned() })
}

fn refused(error: context::PublishError) -> OutletError {
    match error.kind() {
        context::PublishErrorKind::WrongLastSequence => OutletError::Overtaken,
        _ => OutletError::Refused(error),
    }
}
