//! Proof: what happened, counted from everybody's events and shown without showing people.
//!
//! Reading order: `domain` says what is counted and what may be shown, `codec` reads the others' events, `views` keeps and asks
//! the tables, `grpc` answers. This service records no events of its own.

pub mod codec;
pub mod domain;
pub mod views;

mod grpc;

use boot::{Ground, NoConfig, Service};
use eventlog::{BoxError, Follower, Recorded};
use proto::analytics::analytics_service_server::AnalyticsServiceServer;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

use crate::grpc::Reports;

/// The service.
#[derive(Clone)]
pub struct Analytics {
    ground: Ground,
}

impl Service for Analytics {
    const NAME: &'static str = "analytics";
    const PROJECTIONS: &'static [&'static str] = &[
        "editions",
        "applications",
        "obligations",
        "needs",
        "tandems",
        "sessions",
        "alerts",
        "follow_ups",
        "levels_after",
        "leavers",
    ];
    type Config = NoConfig;
    type Views = ();
    type Follower = Counter;

    fn migrations() -> Migrator {
        sqlx::migrate!()
    }

    fn open(ground: Ground, NoConfig {}: NoConfig) -> Self {
        Self { ground }
    }

    fn routes(&self, routes: &mut RoutesBuilder) {
        let reports = Reports { desk: self.ground.desk.clone(), pool: self.ground.pool.clone() };
        routes.add_service(AnalyticsServiceServer::new(reports));
    }

    fn views(&self) {}

    fn follower(&self) -> Counter {
        Counter
    }
}

/// Counts everybody's events.
pub struct Counter;

impl Follower for Counter {
    fn name(&self) -> &'static str {
        Analytics::NAME
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
