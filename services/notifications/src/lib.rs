//! Tells people what they need to know, once, at a decent hour, and stops when it is no longer of use.
//!
//! Reading order: `domain` says who is told what and when it may go, `codec` reads the others' events, `views` keeps the outbox,
//! `deliver` empties it. A mail is made of `texts` by `letter`, with an entry by `calendar`; `contacts` asks the directory where
//! it goes and `post` speaks to the mail server. `grpc` lists what was sent. This service records no events of its own.

pub mod calendar;
pub mod codec;
pub mod contacts;
pub mod deliver;
pub mod domain;
pub mod letter;
pub mod post;
pub mod texts;
pub mod views;

mod grpc;

use std::sync::{Arc, Once};

use boot::{Ground, Service};
use eventlog::{BoxError, Follower, Recorded};
use jiff::Timestamp;
use lettre::message::Mailbox;
use proto::notifications::notifications_service_server::NotificationsServiceServer;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;
use tonic::transport::Uri;

use crate::contacts::Contacts;
use crate::deliver::Sender;
use crate::grpc::Inbox;
use crate::letter::Stationery;
use crate::post::{MailServer, MailServerParser};
use crate::texts::Language;

/// The settings of the service.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub struct Config {
    /// The mail server, such as <smtps://user:password@host>; without one messages wait and nothing is lost.
    #[arg(long = "smtp-url", env = "UPDRAFT_SMTP_URL", hide_env_values = true, value_parser = MailServerParser::Url)]
    pub smtp: Option<MailServer>,
    /// A file that holds the mail server's URL.
    #[arg(
        long = "smtp-url-file",
        env = "UPDRAFT_SMTP_URL_FILE",
        conflicts_with = "smtp",
        value_parser = MailServerParser::File
    )]
    pub smtp_file: Option<MailServer>,
    /// Who writes the mails and invites to the sessions.
    #[arg(long, env = "UPDRAFT_SMTP_FROM", default_value = "Updraft <updraft@localhost>")]
    pub smtp_from: Mailbox,
    /// The language of the mails.
    #[arg(long, env = "UPDRAFT_MAIL_LANGUAGE", value_enum, default_value_t)]
    pub mail_language: Language,
    /// Where the directory answers, which knows everybody's address.
    #[arg(long, env = "UPDRAFT_ENROLLMENT_URL", default_value = "http://127.0.0.1:8090")]
    pub enrollment_url: Uri,
    /// Where the pages are that a mail points to.
    #[arg(long, env = "UPDRAFT_PORTAL_URL", default_value = "http://127.0.0.1:8080")]
    pub portal_url: Uri,
}

/// The service.
#[derive(Clone)]
pub struct Notifications {
    ground: Ground,
    sender: Option<Sender>,
    /// That there is no mail server is worth one line, not one in every turn.
    said: Arc<Once>,
}

impl Service for Notifications {
    const NAME: &'static str = "notifications";
    const PROJECTIONS: &'static [&'static str] = &["editions", "tandems", "sessions", "leavers", "messages"];
    type Config = Config;
    type Views = ();
    type Follower = Clerk;

    fn migrations() -> Migrator {
        sqlx::migrate!()
    }

    fn open(ground: Ground, config: Config) -> Self {
        let stationery = Stationery {
            from: config.smtp_from,
            portal_url: config.portal_url.to_string(),
            language: config.mail_language,
        };
        let contacts = Contacts::at(config.enrollment_url, ground.keys.clone());
        let pool = ground.pool.clone();
        let server = config.smtp.or(config.smtp_file);
        let sender = server.map(|server| Sender { pool, contacts, stationery, server });
        Self { ground, sender, said: Arc::new(Once::new()) }
    }

    fn routes(&self, routes: &mut RoutesBuilder) {
        let inbox = Inbox { desk: self.ground.desk.clone(), pool: self.ground.pool.clone() };
        routes.add_service(NotificationsServiceServer::new(inbox));
    }

    fn views(&self) {}

    fn follower(&self) -> Clerk {
        Clerk
    }

    async fn tick(&self, now: Timestamp) -> Result<(), BoxError> {
        if let Some(sender) = &self.sender {
            return sender.turn(now).await;
        }
        self.said.call_once(|| {
            tracing::warn!("no mail server configured: messages wait until UPDRAFT_SMTP_URL names one");
        });
        Ok(())
    }
}

/// Writes down who is to be told of everybody's events.
pub struct Clerk;

impl Follower for Clerk {
    fn name(&self) -> &'static str {
        Notifications::NAME
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            if let Some(fact) = codec::fact(event)? {
                views::project(conn, event, &fact).await?;
            }
        }
        Ok(())
    }
}
