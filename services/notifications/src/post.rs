//! The mail server: how it is named, and what it answers.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::response::Category;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A mail server and how to sign in there.
///
/// It has no `Debug`, as it holds a password.
#[derive(Clone)]
pub struct MailServer(AsyncSmtpTransport<Tokio1Executor>);

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server took it.
    Taken,
    /// The server asks for another attempt later.
    Busy,
    /// The server refused it for good, with this code if it gave one.
    Refused(Option<u16>),
    /// The server could not be spoken to, which says nothing about the mail.
    Away,
}

impl MailServer {
    fn from_url(url: &str) -> Option<Self> {
        let builder: AsyncSmtpTransportBuilder =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url.trim()).ok()?;
        Some(Self(builder.timeout(Some(TIMEOUT)).build()))
    }

    /// Sends a mail.
    pub async fn send(&self, mail: Message) -> Answer {
        // What the server says may name the recipient: of its errors only the code is used.
        let Err(error) = self.0.send(mail).await else { return Answer::Taken };
        // 53x is about signing in: the setting is wrong, not the mail.
        if error.status().is_some_and(|code| code.category == Category::Unspecified3) {
            return Answer::Away;
        }
        if error.is_permanent() || error.is_client() {
            Answer::Refused(error.status().map(u16::from))
        } else if error.is_transient() || error.is_response() {
            Answer::Busy
        } else {
            Answer::Away
        }
    }
}

/// Reads a mail server from the settings; a bad value is refused without showing it, as it may hold a password.
#[derive(Clone, Copy)]
pub(crate) enum MailServerParser {
    /// The value is the URL.
    Url,
    /// The value names a file that holds the URL.
    File,
}

impl TypedValueParser for MailServerParser {
    type Value = MailServer;

    fn parse_ref(
        &self,
        _: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<MailServer, clap::Error> {
        let url = match self {
            Self::Url => value.to_str().map(ToOwned::to_owned),
            Self::File => std::fs::read_to_string(value).ok(),
        };
        url.as_deref().and_then(MailServer::from_url).ok_or_else(|| {
            let setting = match self {
                Self::Url => "UPDRAFT_SMTP_URL",
                Self::File => "the file of UPDRAFT_SMTP_URL_FILE",
            };
            let form = "smtps://user:password@host, smtp://host?tls=required or smtp://host";
            clap::Error::raw(ErrorKind::ValueValidation, format!("{setting} must hold one of {form}\n"))
        })
    }
}
