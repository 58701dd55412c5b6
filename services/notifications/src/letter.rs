//! A mail as its reader sees it: the words framed as text and as HTML, and the calendar entry.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use uuid::Uuid;

use crate::calendar::{Entry, Method};
use crate::contacts::Contact;
use crate::domain::Kind;
use crate::texts::{Language, Told, Words};
use crate::views::Row;

/// What all mails have in common.
#[derive(Clone)]
pub struct Stationery {
    /// Who writes.
    pub from: Mailbox,
    /// Where the pages are.
    pub portal_url: String,
    /// In which language.
    pub language: Language,
}

/// A message together with the name it needs.
pub struct Item<'a> {
    /// The message.
    pub row: &'a Row,
    /// What about.
    pub kind: Kind,
    /// The name of the other side of the tandem.
    pub partner: Option<String>,
}

/// Why a mail cannot be written. It names nobody, as it goes into a log.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// There is nothing to say.
    #[error("a mail has no message")]
    Empty,
    /// The directory holds something that is no address.
    #[error("the directory's address of the person is none")]
    Address,
    /// A part of the mail does not fit together.
    #[error("the mail cannot be built")]
    Build,
}

impl Stationery {
    /// Writes one mail. The same id makes it recognisable as the same mail.
    ///
    /// # Errors
    /// [`LetterError`] if it cannot be written, now or ever.
    pub fn letter(
        &self,
        id: Uuid,
        items: &[Item<'_>],
        to: &Contact,
        now: jiff::Timestamp,
    ) -> Result<Message, LetterError> {
        let words: Vec<Words> = items.iter().map(|item| self.language.words(&item.told())).collect();
        let first = items.first().zip(words.first()).ok_or(LetterError::Empty)?;
        let subject = match items {
            [_] => first.1.subject.as_str(),
            _ => self.language.frame().several,
        };
        let mut parts = MultiPart::alternative()
            .singlepart(SinglePart::plain(self.text(&words, to)))
            .singlepart(SinglePart::html(self.html(subject, &words, to)));
        if let Some((method, entry)) = self.entry(first.0, first.1, to) {
            let kind = format!("text/calendar; charset=utf-8; method={}", method.name());
            let kind = ContentType::parse(&kind).map_err(|_| LetterError::Build)?;
            parts = parts.singlepart(SinglePart::builder().header(kind).body(entry));
        }
        let address: Address = to.email.parse().map_err(|_| LetterError::Address)?;
        let name = Some(to.name.clone()).filter(|name| !name.is_empty());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(subject)
            .date(now.into())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .multipart(parts)
            .map_err(|_| LetterError::Build)
    }

    fn text(&self, words: &[Words], to: &Contact) -> String {
        let frame = self.language.frame();
        let paragraphs: Vec<_> = words.iter().map(|words| words.paragraph.as_str()).collect();
        format!(
            "{} {},\n\n{}\n\n{} {}\n\n-- \n{}\n",
            frame.greeting,
            to.name,
            paragraphs.join("\n\n"),
            frame.link,
            self.portal_url,
            frame.reason
        )
    }

    fn html(&self, subject: &str, words: &[Words], to: &Contact) -> String {
        let frame = self.language.frame();
        let paragraph = |words: &Words| format!("<p>{}</p>\n", escaped(&words.paragraph));
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body style=\"font-family: sans-serif; max-width: 40em\">\n<p>{greeting} {name},</p>\n{paragraphs}\
             <p>{link} <a href=\"{url}\">{url}</a></p>\n<p><small>{reason}</small></p>\n</body>\n</html>\n",
            tag = frame.tag,
            title = escaped(subject),
            greeting = escaped(frame.greeting),
            name = escaped(&to.name),
            paragraphs = words.iter().map(paragraph).collect::<String>(),
            link = escaped(frame.link),
            url = escaped(&self.portal_url),
            reason = escaped(frame.reason),
        )
    }

    /// The calendar entry of a message about a session.
    fn entry(&self, item: &Item<'_>, words: &Words, to: &Contact) -> Option<(Method, String)> {
        let method = match item.kind {
            Kind::SessionInvitation => Method::Request,
            Kind::SessionCancelled => Method::Cancel,
            _ => return None,
        };
        let partner = item.partner.as_deref();
        let entry = Entry {
            method,
            session: item.row.subject_id,
            sequence: item.row.sequence.and_then(|sequence| sequence.try_into().ok()).unwrap_or_default(),
            stamp: item.row.created(),
            start: item.row.start()?,
            minutes: item.row.minutes?,
            summary: &partner.map_or_else(|| "Updraft".to_owned(), |partner| format!("Updraft: {partner}")),
            description: &format!("{}\n\n{}", words.paragraph, self.portal_url),
            organizer: self.from.email.as_ref(),
            attendee: &to.email,
            attendee_name: &to.name,
        };
        Some((method, entry.written()))
    }
}

impl Item<'_> {
    fn told(&self) -> Told {
        Told {
            kind: self.kind,
            partner: self.partner.clone(),
            due: self.row.due(),
            months: self.row.months,
            ending: self.row.ending(),
            start: self.row.start().map(|start| start.to_zoned(self.row.session_zone())),
            minutes: self.row.minutes.unwrap_or_default(),
            changed: self.row.sequence.is_some_and(|sequence| sequence > 0),
        }
    }
}

/// Text as it may stand between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
