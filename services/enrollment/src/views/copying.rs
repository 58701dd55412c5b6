//! Rows in the binary form of COPY, by which many new ones are written at a fraction of the cost of an INSERT.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands after the last row.
const TRAILER: i16 = -1;
/// The number of the type `text`.
const TEXT: u32 = 25;
/// Days and times are counted from here.
const EPOCH: Date = date(2000, 1, 1);
/// Seconds from the Unix epoch to that of Postgres.
const EPOCH_SECONDS: i64 = 946_684_800;

/// Rows on their way to a table.
#[derive(Debug)]
pub(super) struct Rows(Vec<u8>);

impl Rows {
    pub(super) fn new() -> Self {
        Self(HEADER.to_vec())
    }

    /// Begins a row of so many columns.
    pub(super) fn row(&mut self, columns: i16) {
        self.0.extend(columns.to_be_bytes());
    }

    pub(super) fn null(&mut self) {
        self.0.extend((-1_i32).to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn uuid(&mut self, uuid: Uuid) {
        self.bytes(uuid.as_bytes());
    }

    pub(super) fn bigint(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn boolean(&mut self, truth: bool) {
        self.bytes(&[u8::from(truth)]);
    }

    pub(super) fn date(&mut self, date: Date) {
        let days = date.duration_since(EPOCH).as_hours() / 24;
        self.bytes(&i32::try_from(days).unwrap_or_default().to_be_bytes());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        let since = time.as_duration() - SignedDuration::from_secs(EPOCH_SECONDS);
        self.bytes(&i64::try_from(since.as_micros()).unwrap_or_default().to_be_bytes());
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        let length: usize = texts.iter().map(|text| text.len() + 4).sum();
        let dimensions = u32::from(!texts.is_empty());
        self.length(12 + if texts.is_empty() { 0 } else { 8 } + length);
        for number in [dimensions, 0, TEXT] {
            self.0.extend(number.to_be_bytes());
        }
        if !texts.is_empty() {
            self.length(texts.len());
            self.0.extend(1_u32.to_be_bytes());
        }
        for text in texts {
            self.text(text);
        }
    }

    /// The value, or null.
    pub(super) fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// Sends the rows to a `copy ... from stdin (format binary)`.
    pub(super) async fn copy(mut self, conn: &mut PgConnection, statement: &'static str) -> sqlx::Result<()> {
        self.0.extend(TRAILER.to_be_bytes());
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(self.0).await?;
        copy.finish().await.map(drop)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend(bytes);
    }

    /// No value is anywhere near two gigabytes.
    fn length(&mut self, length: usize) {
        self.0.extend(i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
    }
}
