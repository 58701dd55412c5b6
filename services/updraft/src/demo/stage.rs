//! How the demonstration speaks to the system: REST as anybody in the company, and the clock.

use std::net::SocketAddr;

use anyhow::Context;
use identity::{Audience, Caller, Keys, PersonId, Role};
use reqwest::header::{ETAG, IF_MATCH, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How long a token of the story holds, seconds of real time.
const TOKEN_SECONDS: u64 = 3600;

/// The system the story is played on.
pub struct Stage {
    http: reqwest::Client,
    rest: SocketAddr,
    admin: SocketAddr,
    keys: Keys,
}

/// Somebody who calls.
pub(super) struct Actor<'a> {
    stage: &'a Stage,
    token: String,
}

/// A success.
pub(super) struct Done {
    /// The body.
    pub(super) body: Value,
    etag: String,
    location: String,
}

impl Stage {
    /// A stage at these addresses.
    #[must_use]
    pub fn new(rest: SocketAddr, admin: SocketAddr, keys: Keys) -> Self {
        Self { http: reqwest::Client::new(), rest, admin, keys }
    }

    /// A person of the programme office; nobody in particular before there is a directory.
    pub(super) fn office(&self, person: Option<PersonId>) -> anyhow::Result<Actor<'_>> {
        self.actor(&Caller { person, ..Caller::system(Role::Office) })
    }

    /// A mentor or mentee.
    pub(super) fn person(&self, person: PersonId) -> anyhow::Result<Actor<'_>> {
        self.actor(&Caller::of(person, [Role::Participant]))
    }

    fn actor(&self, caller: &Caller) -> anyhow::Result<Actor<'_>> {
        let token = self.keys.issue(caller, Audience::Updraft, TOKEN_SECONDS)?;
        Ok(Actor { stage: self, token })
    }

    /// Sets the clock, does what is due by then, and waits until everybody knows.
    pub(super) async fn set_clock(&self, now: &str) -> anyhow::Result<()> {
        let url = format!("http://{}/clock", self.admin);
        let answer = self.http.put(url).json(&json!({ "now": now })).send().await?;
        let status = answer.status();
        anyhow::ensure!(status.is_success(), "the clock was not set to {now}: {}", answer.text().await?);
        Ok(())
    }

    /// Lets time run again, from the end of the story to today.
    pub(super) async fn resume_clock(&self) -> anyhow::Result<()> {
        let answer = self.http.post(format!("http://{}/clock/resume", self.admin)).send().await?;
        anyhow::ensure!(answer.status().is_success(), "the clock does not go on: {}", answer.text().await?);
        self.settle().await
    }

    /// Waits until every service knows what the others recorded.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let answer = self.http.post(format!("http://{}/settle", self.admin)).send().await?;
        anyhow::ensure!(answer.status().is_success(), "the system did not settle: {}", answer.text().await?);
        Ok(())
    }
}

impl Actor<'_> {
    /// Reads.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Done> {
        self.send(Method::GET, path, None, None).await
    }

    /// Commands.
    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Done> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// Commands something on the version that was read.
    pub(super) async fn post_on(&self, path: &str, body: Value, read: &Done) -> anyhow::Result<Done> {
        self.send(Method::POST, path, Some(body), Some(&read.etag)).await
    }

    /// Replaces something on the version that was read.
    pub(super) async fn put_on(&self, path: &str, body: Value, read: &Done) -> anyhow::Result<Done> {
        self.send(Method::PUT, path, Some(body), Some(&read.etag)).await
    }

    /// Every row of a list.
    pub(super) async fn list(&self, path: &str, field: &str) -> anyhow::Result<Vec<Value>> {
        let (mut rows, mut token) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?pageSize=200&pageToken={token}")).await?.body;
            if let Value::Array(more) = page[field].take() {
                rows.extend(more);
            }
            token = text(&page, "nextPageToken")?;
            if token.is_empty() {
                return Ok(rows);
            }
        }
    }

    /// Uploads a roster and waits for the end of the import.
    pub(super) async fn import(&self, roster: &'static [u8]) -> anyhow::Result<Value> {
        let url = format!("http://{}/api/v1/imports", self.stage.rest);
        let request = self.stage.http.post(url).bearer_auth(&self.token).header("content-type", "text/csv");
        let started = Done::of("import the roster", request.body(roster).send().await?).await?;
        loop {
            let operation = self.get(&started.location).await?.body;
            match operation["state"].as_str() {
                Some("STATE_RUNNING") => tokio::task::yield_now().await,
                Some("STATE_SUCCEEDED") => return Ok(operation),
                _ => anyhow::bail!("the roster was refused: {}", operation["detail"]),
            }
        }
    }

    /// A command that must be refused; answers with the code of the refusal.
    pub(super) async fn refused(&self, path: &str, body: Value) -> anyhow::Result<String> {
        let url = format!("http://{}/api/v1/{path}", self.stage.rest);
        let answer = self.stage.http.post(url).bearer_auth(&self.token).json(&body).send().await?;
        anyhow::ensure!(!answer.status().is_success(), "{path} was expected to be refused");
        text(&answer.json().await?, "code")
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        etag: Option<&str>,
    ) -> anyhow::Result<Done> {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let url = format!("http://{}{path}", self.stage.rest);
        let mut request = self.stage.http.request(method, url).bearer_auth(&self.token);
        if let Some(etag) = etag {
            request = request.header(IF_MATCH, etag);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Done::of(&path, request.send().await?).await
    }
}

impl Done {
    async fn of(step: &str, response: reqwest::Response) -> anyhow::Result<Self> {
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (etag, location, status) = (header(ETAG), header(LOCATION), response.status());
        let body: Value = response.json().await.with_context(|| format!("{step}: {status} without JSON"))?;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(Self { body, etag, location });
        }
        anyhow::bail!("{step}: {status} {}: {}", body["code"], body["detail"])
    }

    /// The identifier of what a command wrote.
    pub(super) fn id(&self) -> anyhow::Result<String> {
        text(&self.body, "id")
    }
}

/// A text of an answer.
pub(super) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    let found = value[field].as_str().with_context(|| format!("the answer has no text {field}"));
    found.map(ToOwned::to_owned)
}
