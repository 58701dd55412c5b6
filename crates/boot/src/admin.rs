//! The operators' port: liveness, readiness, metrics, and the manual clock of a demonstration.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use eventlog::{Feed, Progress};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::entire::entirely;
use crate::wheel::{Wheel, WheelError};

#[derive(Clone)]
struct Admin {
    pool: PgPool,
    feed: Feed,
    wheel: Wheel,
}

/// The router of the admin port; the clock can be set only where it is manual.
pub(crate) fn router(pool: PgPool, feed: Feed, wheel: Wheel, manual_clock: bool) -> Router {
    let mut router = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    if manual_clock {
        router = router
            .route("/clock", put(set_clock))
            .route("/clock/resume", post(resume_clock))
            .route("/settle", post(settle));
    }
    router.with_state(Admin { pool, feed, wheel })
}

/// Ready if the database answers; what else an operator should know stands below.
///
/// A follower that does not get past an event is no reason to send callers elsewhere: it would stop there as well, and
/// everything but what it tells goes on.
async fn ready(State(admin): State<Admin>) -> Response {
    match sqlx::query("select 1").execute(&admin.pool).await {
        Ok(_) => {
            let notes = admin.feed.progress().iter().filter_map(note).collect::<String>();
            format!("ready\n{notes}").into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

fn note(Progress { follower, position, leads, poison }: &Progress) -> Option<String> {
    if let Some(poison) = poison {
        let eventlog::Poison { position, name, failures, since } = poison;
        return Some(format!(
            "the follower {follower} does not get past {name} at position {position}: {failures} failures since {since:.0}\n"
        ));
    }
    (*leads == 0).then(|| {
        format!("this process does not lead the follower {follower}, which stands at position {position}\n")
    })
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::metrics_page())
}

#[derive(Deserialize)]
struct Time {
    now: Timestamp,
}

#[derive(Serialize)]
struct Settled {
    position: i64,
}

/// What is due is done to its end, also when whoever set the clock goes away.
async fn set_clock(State(admin): State<Admin>, Json(time): Json<Time>) -> Response {
    match entirely(async move { admin.wheel.set_clock(time.now).await }).await {
        Ok(set) => set.map(|()| StatusCode::NO_CONTENT).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn resume_clock(State(admin): State<Admin>) -> StatusCode {
    admin.wheel.resume_clock();
    StatusCode::NO_CONTENT
}

async fn settle(State(admin): State<Admin>) -> Result<Json<Settled>, WheelError> {
    Ok(Json(Settled { position: admin.wheel.settle().await? }))
}

impl IntoResponse for WheelError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Backwards(_) => StatusCode::CONFLICT,
            Self::Stuck(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, format!("{self}\n")).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eventlog::BoxError;
    use http::Request;
    use tokio::sync::{mpsc, watch};
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt;

    use super::*;
    use crate::database::Database;
    use crate::{Clock, scratch};

    #[tokio::test]
    async fn what_is_due_is_done_to_its_end_when_whoever_set_the_clock_goes_away() {
        let fill = async |database: &Database| -> Result<(), BoxError> {
            Ok(eventlog::migrate(&database.pool("eventlog")).await?)
        };
        let database = scratch::database("admin", fill).await.unwrap();
        let feed = Feed::start(database.pool("feed"), CancellationToken::new());
        let (sender, mut steps) = mpsc::unbounded_channel();
        let release = watch::Sender::new(false);
        let released = release.subscribe();
        let due = move |_| -> futures::future::BoxFuture<'static, Result<(), BoxError>> {
            let (sender, mut released) = (sender.clone(), released.clone());
            Box::pin(async move {
                sender.send("begun")?;
                released.wait_for(|released| *released).await?;
                Ok(sender.send("ended")?)
            })
        };
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let wheel = Wheel::new(clock, feed.clone(), vec![("one", Box::new(due))]);
        let router = router(database.pool("reader"), feed.clone(), wheel, true);
        let request = Request::put("/clock").header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(r#"{ "now": "2014-01-15T09:00:00Z" }"#)).unwrap();
        let asked = tokio::spawn(router.oneshot(request));
        assert_eq!(steps.recv().await, Some("begun"));
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        release.send_replace(true);
        let ended = timeout(Duration::from_secs(10), steps.recv()).await.expect("an end");
        assert_eq!(ended, Some("ended"));
        feed.drain().await;
    }
}
