//! A REST client as an intranet's developer would write it.

use std::net::SocketAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// One caller of the REST interface.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when empty or no JSON.
    pub body: Value,
}

impl Client {
    /// A client of one address with one token.
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{address}"), token }
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Commands.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// Anything.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a header's name");
            request = request.header(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.expect("an answer")).await
    }

    /// Commands; none if the far side goes away.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Answer> {
        let request = self.http.post(format!("{}{path}", self.base)).json(&body);
        let response = request.bearer_auth(self.token.as_deref().unwrap_or_default()).send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.ok()?;
        Some(Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Sends a file.
    pub async fn upload(&self, path: &str, content: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).header("content-type", "text/csv");
        let request = request.bearer_auth(self.token.as_deref().unwrap_or_default()).body(content);
        Answer::of(request.send().await.expect("an answer")).await
    }

    /// Imports a roster and waits for the end of the operation.
    pub async fn import(&self, roster: impl Into<reqwest::Body>) -> Value {
        self.import_as("", roster).await
    }

    /// The same with parameters.
    pub async fn import_as(&self, parameters: &str, roster: impl Into<reqwest::Body>) -> Value {
        let started = self.upload(&format!("/api/v1/imports?{parameters}"), roster).await;
        assert_eq!(started.status, StatusCode::ACCEPTED, "{:?}", started.body);
        let operation = started.headers["location"].to_str().expect("a path").to_owned();
        loop {
            let answer = self.get(&operation).await.ok();
            if answer["state"] != "STATE_RUNNING" {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Downloads a file; answers with its headers and its bytes.
    pub async fn download(&self, path: &str) -> (HeaderMap, Vec<u8>) {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request.bearer_auth(self.token.as_deref().unwrap_or_default());
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers().clone();
        (headers, response.bytes().await.expect("a whole file").to_vec())
    }

    /// Every row of a list, page by page.
    pub async fn list(&self, path: &str, field: &str) -> Vec<Value> {
        let (mut rows, mut token) = (Vec::new(), String::new());
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{mark}pageSize=200&pageToken={token}")).await.ok();
            rows.extend(page[field].as_array().expect("a list").iter().cloned());
            page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                return rows;
            }
        }
    }
}

impl Answer {
    async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {:#}", self.status, self.body);
        self.body
    }

    /// The identifier in a receipt.
    #[track_caller]
    pub fn id(self) -> String {
        self.ok()["id"].as_str().expect("a receipt").to_owned()
    }

    /// Asserts a refusal with a status and a code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default()),
            (status, code),
            "{:#}",
            self.body
        );
        let media_type = self.headers.get("content-type").and_then(|value| value.to_str().ok());
        assert_eq!(media_type, Some("application/problem+json"));
        self.body
    }
}
