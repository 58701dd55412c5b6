//! What a test stands on, and the events of an edition in Berlin.

use boot::Service;
use boot::scratch::{self, Scratch};
use eventlog::{Draft, Follower, Recorded};
use identity::{EditionId, Keys, ObligationId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use notifications::contacts::Contacts;
use notifications::deliver::Sender;
use notifications::letter::Stationery;
use notifications::texts::Language;
use notifications::{Clerk, Config, Notifications, views};
use proto::{api, enrollment as e, matching as m, sessions as s};
use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use uuid::Uuid;

use crate::directory::Directory;
use crate::server::MailBoxes;

/// Monday morning.
pub(crate) const MONDAY: &str = "2013-09-02T08:00:00Z";

/// One service with everything around it.
pub(crate) struct Stage {
    /// The people.
    pub(crate) directory: Directory,
    /// Their mail.
    pub(crate) boxes: MailBoxes,
    /// What is tested.
    pub(crate) sender: Sender,
    /// The edition.
    pub(crate) edition: EditionId,
    /// Its only tandem.
    pub(crate) tandem: TandemId,
    /// Who teaches.
    pub(crate) mentor: PersonId,
    /// Who learns.
    pub(crate) mentee: PersonId,
    _database: Scratch,
}

/// An instant.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

/// The settings of the service as they are read from a command line.
pub(crate) fn config(arguments: &[&str]) -> Result<Config, clap::Error> {
    let arguments = ["notifications"].iter().chain(arguments);
    <Cli as clap::Parser>::try_parse_from(arguments).map(|cli| cli.config)
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let migrated = async |database: &boot::database::Database| {
            Notifications::migrations().run(&database.pool("notifications")).await?;
            Ok::<_, MigrateError>(())
        };
        let database = scratch::database("notifications", migrated).await.unwrap();
        let (directory, boxes, keys) =
            (Directory::default(), MailBoxes::default(), Keys::generate().unwrap());
        let url = format!("--smtp-url={}", boxes.serve().await);
        let config = config(&[&url, "--portal-url=https://updraft.test"]).unwrap();
        let sender = Sender {
            pool: database.pool("notifications"),
            contacts: Contacts::at(directory.serve(keys.clone()).await, keys),
            stationery: Stationery {
                from: config.smtp_from,
                portal_url: config.portal_url.to_string(),
                language: Language::En,
            },
            server: config.smtp.unwrap(),
        };
        let stage = Self {
            directory,
            boxes,
            sender,
            edition: EditionId::mint(),
            tandem: TandemId::mint(),
            mentor: PersonId::mint(),
            mentee: PersonId::mint(),
            _database: database,
        };
        stage.directory.add(stage.mentor, "Jolene <b>Ng</b>", "jolene@fair.test");
        stage.directory.add(stage.mentee, "Ken Sánchez", "ken@fair.test");
        let rules = e::EditionRules { time_zone: "Europe/Berlin".to_owned(), ..Default::default() };
        let edition_id = stage.edition.to_string();
        stage
            .happens(&e::EditionCreated { edition_id, rules: Some(rules), ..Default::default() }, MONDAY)
            .await;
        stage
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.sender.pool
    }

    /// Lets the follower take in an event.
    pub(crate) async fn happens<M: prost::Message + prost::Name>(&self, message: &M, when: &str) {
        let event_id = PersonId::mint().uuid();
        let event = Recorded { event_id, recorded_at: at(when), ..Draft::of(message).rehearsed() };
        let mut conn = self.pool().acquire().await.unwrap();
        Clerk.project(&mut conn, &[event]).await.unwrap();
    }

    /// An executive is obliged.
    pub(crate) async fn obliged(&self, person: PersonId, when: &str) -> ObligationId {
        let obligation = ObligationId::mint();
        let message = e::ObligationRaised {
            obligation_id: obligation.to_string(),
            edition_id: self.edition.to_string(),
            person_id: person.to_string(),
            due_date: "2013-09-16".to_owned(),
        };
        self.happens(&message, when).await;
        obligation
    }

    /// The tandem is offered.
    pub(crate) async fn offered(&self, when: &str) {
        let message = m::TandemPublished {
            tandem_id: self.tandem.to_string(),
            edition_id: self.edition.to_string(),
            mentor_person_id: self.mentor.to_string(),
            mentee_person_id: self.mentee.to_string(),
            answer_by: Some(proto::time::to_proto(at("2013-09-05T22:30:00Z"))),
            ..Default::default()
        };
        self.happens(&message, when).await;
    }

    /// One session of the tandem is planned.
    pub(crate) async fn planned(&self, start: &str, when: &str) -> SessionId {
        let session = SessionId::mint();
        let planned = s::PlannedSession {
            session_id: session.to_string(),
            month: 1,
            start_time: Some(proto::time::to_proto(at(start))),
            minutes: 60,
        };
        let message = s::SeriesPlanned {
            tandem_id: self.tandem.to_string(),
            edition_id: self.edition.to_string(),
            sessions: vec![planned],
            time_zone: "Europe/Berlin".to_owned(),
            ..Default::default()
        };
        self.happens(&message, when).await;
        session
    }

    /// A session is moved.
    pub(crate) async fn moved(&self, session: SessionId, start: &str, when: &str) {
        let message = s::SessionMoved {
            tandem_id: self.tandem.to_string(),
            edition_id: self.edition.to_string(),
            session_id: session.to_string(),
            start_time: Some(proto::time::to_proto(at(start))),
            side: api::Side::Mentor.into(),
            ..Default::default()
        };
        self.happens(&message, when).await;
    }

    /// The series of the tandem ends.
    pub(crate) async fn series_ended(&self, when: &str) {
        let (tandem_id, edition_id) = (self.tandem.to_string(), self.edition.to_string());
        self.happens(&s::SeriesEnded { tandem_id, edition_id, completed: false }, when).await;
    }

    /// Kind and state of everything a person was or is to be told, newest first.
    pub(crate) async fn told(&self, person: PersonId) -> Vec<(&'static str, String)> {
        let rows = views::list(self.pool(), person, None, 200).await.unwrap();
        rows.into_iter().map(|row| (row.kind().unwrap().name(), row.state)).collect()
    }

    /// How often a mail was tried, by its first message.
    pub(crate) async fn attempts(&self) -> Vec<i32> {
        let attempts = sqlx::query_scalar("select attempts from mails order by created_at, mail_id");
        attempts.fetch_all(self.pool()).await.unwrap()
    }

    /// Some id of nobody.
    pub(crate) fn nobody() -> Uuid {
        PersonId::mint().uuid()
    }
}
