//! Segments: the files to which the events of completed work go.
//!
//! A segment holds some thousand events in the order of their positions, and is read as a whole. The log keeps its SHA-256: a
//! segment that is missing, cut short or changed is an error for whoever needs an event of it, never a gap.
//!
//! # Source
//!
//! The format is `proto/updraft/eventlog/v1/segment.proto`, delimited as protobuf's own libraries do.

use std::io;
use std::path::{Path, PathBuf};

use prost::Message;
use proto::eventlog::ArchivedEvent;
use sha2::{Digest, Sha256};
use tokio::fs::{self, DirBuilder, File, OpenOptions};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::{Meta, Recorded, StreamId};

/// Where a segment lies and what its bytes must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) sha256: Vec<u8>,
}

/// A segment of the archive cannot be used; nothing is read past it.
#[derive(Debug, thiserror::Error)]
#[error("the archived segment {} {reason}", path.display())]
pub struct SegmentError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
    /// What the system said, if it was asked.
    pub source: Option<io::Error>,
}

impl Segment {
    /// The events, in the order of the log.
    pub(crate) async fn read(&self) -> Result<Vec<Recorded>, SegmentError> {
        let bytes = fs::read(&self.path).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.failed("is missing", error),
            _ => self.failed("cannot be read", error),
        })?;
        if Sha256::digest(&bytes).as_slice() != self.sha256 {
            return Err(self.damaged("is damaged: its checksum is not the one that the log keeps"));
        }
        let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let archived = ArchivedEvent::decode_length_delimited(&mut rest).ok();
            let event = archived.and_then(of_archived);
            events.push(event.ok_or_else(|| self.damaged("holds something that is no event"))?.upcast());
        }
        Ok(events)
    }

    /// Writes the events to a file that is there as a whole or not at all.
    pub(crate) async fn write(path: PathBuf, events: Vec<Recorded>) -> Result<(Self, u64), SegmentError> {
        let mut bytes = Vec::new();
        for event in events {
            bytes.extend(to_archived(event).encode_length_delimited_to_vec());
        }
        let segment = Self { sha256: Sha256::digest(&bytes).to_vec(), path };
        put(&segment.path, &bytes).await.map_err(|error| segment.failed("cannot be written", error))?;
        Ok((segment, bytes.len() as u64))
    }

    fn failed(&self, reason: &'static str, source: io::Error) -> SegmentError {
        SegmentError { path: self.path.clone(), reason, source: Some(source) }
    }

    fn damaged(&self, reason: &'static str) -> SegmentError {
        SegmentError { path: self.path.clone(), reason, source: None }
    }
}

/// Makes the bytes and the name of a file last through a crash.
async fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).await?;
    let draft = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&draft, path).await?;
    File::open(directory).await?.sync_all().await
}

fn to_archived(event: Recorded) -> ArchivedEvent {
    ArchivedEvent {
        position: event.position,
        stream_kind: event.stream.kind,
        stream_id: event.stream.id.to_string(),
        version: event.version,
        event_id: event.event_id.to_string(),
        name: event.name,
        schema_version: event.schema_version.into(),
        payload: event.payload,
        actor_id: event.meta.actor.map(|actor| actor.to_string()).unwrap_or_default(),
        traceparent: event.meta.traceparent.unwrap_or_default(),
        recorded_at: Some(proto::time::to_proto(event.recorded_at)),
    }
}

/// None if a field cannot be read.
fn of_archived(event: ArchivedEvent) -> Option<Recorded> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let actor = some(event.actor_id).map(|actor| Uuid::try_parse(&actor)).transpose().ok()?;
    Some(Recorded {
        position: event.position,
        stream: StreamId { kind: event.stream_kind, id: event.stream_id.parse().ok()? },
        version: event.version,
        event_id: event.event_id.parse().ok()?,
        name: event.name,
        schema_version: event.schema_version.try_into().ok()?,
        payload: event.payload,
        meta: Meta { actor, traceparent: some(event.traceparent) },
        recorded_at: proto::time::from_proto(&event.recorded_at?)?,
    })
}
