use std::net::SocketAddr;

use axum::http::Uri;
use clap::Args;

/// Where the gateway listens and where it finds the services.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address of the REST interface.
    #[arg(long, env = "UPDRAFT_REST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub rest_listen: SocketAddr,

    /// Lets anyone on this machine be anyone of the roster, for demonstrations; only on a loopback address.
    #[arg(long, env = "UPDRAFT_IDENTITY_PAGE")]
    pub identity_page: bool,

    /// Address of the enrolment service.
    #[arg(long, env = "UPDRAFT_ENROLLMENT_URL", value_name = "URL", default_value = SERVICES)]
    pub enrollment_url: Uri,

    /// Address of the matching service.
    #[arg(long, env = "UPDRAFT_MATCHING_URL", value_name = "URL", default_value = SERVICES)]
    pub matching_url: Uri,

    /// Address of the sessions service.
    #[arg(long, env = "UPDRAFT_SESSIONS_URL", value_name = "URL", default_value = SERVICES)]
    pub sessions_url: Uri,

    /// Address of the analytics service.
    #[arg(long, env = "UPDRAFT_ANALYTICS_URL", value_name = "URL", default_value = SERVICES)]
    pub analytics_url: Uri,

    /// Address of the notifications service.
    #[arg(long, env = "UPDRAFT_NOTIFICATIONS_URL", value_name = "URL", default_value = SERVICES)]
    pub notifications_url: Uri,
}

/// Where the all-in-one binary serves gRPC.
const SERVICES: &str = "http://127.0.0.1:8090";

impl Config {
    /// Listens here and finds every service there.
    #[must_use]
    pub fn new(rest_listen: SocketAddr, services: &Uri) -> Self {
        Self {
            rest_listen,
            identity_page: false,
            enrollment_url: services.clone(),
            matching_url: services.clone(),
            sessions_url: services.clone(),
            analytics_url: services.clone(),
            notifications_url: services.clone(),
        }
    }

    /// The address of each package's service.
    pub(crate) fn services(&self) -> [(&'static str, Uri); 5] {
        [
            ("updraft.enrollment.v1", self.enrollment_url.clone()),
            ("updraft.matching.v1", self.matching_url.clone()),
            ("updraft.sessions.v1", self.sessions_url.clone()),
            ("updraft.analytics.v1", self.analytics_url.clone()),
            ("updraft.notifications.v1", self.notifications_url.clone()),
        ]
    }
}
