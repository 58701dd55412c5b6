//! Puts waiting messages into mails and sends what is due.

use std::collections::BTreeMap;

use eventlog::BoxError;
use identity::PersonId;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use crate::contacts::Contacts;
use crate::domain::{Verdict, judge, retry_at};
use crate::letter::{Item, Stationery};
use crate::post::{Answer, MailServer};
use crate::views::{self, Closed, Mail, Row};

/// A mail that was being tried for longer than this was given up by a process that died, or failed on our side.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// Sends what is due.
#[derive(Clone)]
pub struct Sender {
    /// The tables.
    pub pool: PgPool,
    /// Where people can be reached.
    pub contacts: Contacts,
    /// What all mails have in common.
    pub stationery: Stationery,
    /// Where mails go.
    pub server: MailServer,
}

/// Why a turn ended before everything that is due was tried.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The tables cannot be reached.
    #[error("the outbox cannot be read or written")]
    Outbox(#[from] sqlx::Error),
    /// The directory does not answer.
    #[error("the directory does not say where a person can be reached ({0})")]
    Directory(tonic::Code),
    /// The mail server cannot be spoken to.
    #[error("the mail server cannot be reached, or does not let us sign in")]
    Server,
    /// The clock is at the end of time.
    #[error("there is no later time")]
    Clock(#[from] jiff::Error),
}

impl Sender {
    /// Does one turn: composes what may go now, then tries every mail that is due.
    ///
    /// # Errors
    /// [`DeliveryError`]; what was not tried stays due.
    pub async fn turn(&self, now: Timestamp) -> Result<(), BoxError> {
        self.compose(now).await?;
        let lease = now.checked_add(LEASE).map_err(DeliveryError::from)?;
        while let Some(mail) = views::claim(&self.pool, now, lease).await.map_err(DeliveryError::from)? {
            self.attempt(&mail, now).await?;
        }
        Ok(())
    }

    /// What is due for a person at the same turn becomes one mail; a calendar entry travels alone.
    async fn compose(&self, now: Timestamp) -> Result<(), DeliveryError> {
        let mut transaction = self.pool.begin().await?;
        if !views::alone(&mut transaction).await? {
            return Ok(());
        }
        let mut mails: BTreeMap<(Uuid, Option<Uuid>), Vec<Row>> = BTreeMap::new();
        let mut last: Option<Row> = None;
        loop {
            let page = views::waiting(&mut transaction, last.as_ref()).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.clone());
            for row in page {
                let Some(kind) = row.kind() else { continue };
                match judge(&row.waiting(kind, &row.zone()), now) {
                    Verdict::Wait(_) => {}
                    Verdict::Suppress => views::suppress(&mut *transaction, row.notification_id).await?,
                    Verdict::Send => {
                        let alone = kind.is_calendar().then_some(row.notification_id);
                        mails.entry((row.person_id, alone)).or_default().push(row);
                    }
                }
            }
        }
        for messages in mails.values() {
            views::compose(&mut transaction, messages, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Tries one mail. What it says is judged again, as time has passed since it was put together.
    async fn attempt(&self, mail: &Mail, now: Timestamp) -> Result<(), DeliveryError> {
        let rows = views::contents(&self.pool, mail.mail_id).await?;
        let mut items = Vec::new();
        for row in &rows {
            let Some(kind) = row.kind() else { continue };
            match judge(&row.waiting(kind, &row.zone()), now) {
                Verdict::Wait(until) => {
                    return Ok(views::postpone(&self.pool, mail, mail.attempts - 1, until).await?);
                }
                Verdict::Suppress => views::suppress(&self.pool, row.notification_id).await?,
                Verdict::Send => items.push((row, kind)),
            }
        }
        if items.is_empty() {
            return Ok(views::close(&self.pool, mail.mail_id, Closed::Suppressed).await?);
        }
        let to = self.contacts.of(PersonId::from_uuid(mail.person_id)).await.map_err(directory)?;
        let Some(to) = to.filter(|to| to.active) else {
            return Ok(views::close(&self.pool, mail.mail_id, Closed::Suppressed).await?);
        };
        let mut written = Vec::new();
        for (row, kind) in items {
            written.push(Item { row, kind, partner: self.name_of(row.partner_id).await? });
        }
        match self.stationery.letter(mail.mail_id, &written, &to, now) {
            Ok(letter) => self.settle(mail, self.server.send(letter).await, now).await,
            Err(error) => {
                tracing::warn!(mail = %mail.mail_id, error = error.to_string(), "a mail cannot be written");
                Ok(views::close(&self.pool, mail.mail_id, Closed::Failed).await?)
            }
        }
    }

    async fn name_of(&self, partner: Option<Uuid>) -> Result<Option<String>, DeliveryError> {
        let Some(partner) = partner else { return Ok(None) };
        let contact = self.contacts.of(PersonId::from_uuid(partner)).await.map_err(directory)?;
        Ok(contact.map(|contact| contact.name).filter(|name| !name.is_empty()))
    }

    async fn settle(&self, mail: &Mail, answer: Answer, now: Timestamp) -> Result<(), DeliveryError> {
        let retry = retry_at(mail.attempts, mail.created(), now);
        match (answer, retry) {
            (Answer::Taken, _) => Ok(views::close(&self.pool, mail.mail_id, Closed::Sent).await?),
            (Answer::Busy, Some(until)) => Ok(views::postpone(&self.pool, mail, mail.attempts, until).await?),
            (Answer::Busy, None) | (Answer::Refused(_), _) => {
                let (mail_id, attempts) = (mail.mail_id, mail.attempts);
                tracing::warn!(mail = %mail_id, attempts, ?answer, "the mail server does not take a mail");
                Ok(views::close(&self.pool, mail_id, Closed::Failed).await?)
            }
            // The mail stays due after its lease, and the others need not be tried now.
            (Answer::Away, _) => Err(DeliveryError::Server),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps an error")]
fn directory(status: tonic::Status) -> DeliveryError {
    // The message of the status is the directory's: only its code is ours to log.
    DeliveryError::Directory(status.code())
}
