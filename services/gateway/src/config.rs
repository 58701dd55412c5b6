use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::Uri;
use clap::Args;

/// Where the gateway listens and how people sign in.
#[derive(Args, Clone, Debug)]
// A process flattens several structs of this name, and clap wants its groups to differ.
#[group(skip)]
pub struct Config {
    /// Address of the REST interface.
    #[arg(
        long = "rest-listen",
        env = "UPDRAFT_REST_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// Lets anyone on this machine be anyone of the roster, for demonstrations; only on a loopback address.
    #[arg(long, env = "UPDRAFT_IDENTITY_PAGE")]
    pub identity_page: bool,

    /// Address by which clients reach the gateway, such as that of a proxy before it; without, the one they use.
    #[arg(long, env = "UPDRAFT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Uri>,
}

/// Where the services are.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Services {
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

impl Default for Config {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), identity_page: false, public_url: None }
    }
}

impl Services {
    /// Every service at one address, such as that of the process it runs in.
    #[must_use]
    pub fn at(services: SocketAddr) -> Self {
        // Who listens everywhere is found on this machine.
        let host = match services.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let address = format!("http://{}", SocketAddr::new(host, services.port()));
        let address = Uri::try_from(address).unwrap_or_default();
        Self {
            enrollment_url: address.clone(),
            matching_url: address.clone(),
            sessions_url: address.clone(),
            analytics_url: address.clone(),
            notifications_url: address,
        }
    }

    /// The address of each package's service.
    pub(crate) fn by_package(&self) -> [(&'static str, Uri); 6] {
        [
            ("updraft.enrollment.v1", self.enrollment_url.clone()),
            ("updraft.hris.v1", self.enrollment_url.clone()),
            ("updraft.matching.v1", self.matching_url.clone()),
            ("updraft.sessions.v1", self.sessions_url.clone()),
            ("updraft.analytics.v1", self.analytics_url.clone()),
            ("updraft.notifications.v1", self.notifications_url.clone()),
        ]
    }
}
