//! The one place that knows all services.

use std::net::SocketAddr;

use boot::{House, NoConfig, StartError};
use clap::Args;
use relay::Relay;

/// The settings of the services that have some.
#[derive(Args, Clone)]
#[group(skip)]
pub struct Settings {
    /// What the enrollment needs.
    #[command(flatten)]
    pub enrollment: enrollment::Config,
    /// What the matching needs.
    #[command(flatten)]
    pub matching: ::matching::Config,
    /// What the notifications need.
    #[command(flatten)]
    pub notifications: notifications::Config,
    /// What the relay to other systems needs.
    #[command(flatten)]
    pub relay: relay::Config,
}

impl Settings {
    /// Lets the services find each other at the address of their own process.
    #[must_use]
    pub fn with_services_at(mut self, address: SocketAddr) -> Self {
        let url = format!("http://{address}");
        if let Ok(url) = url.parse() {
            self.notifications.enrollment_url = url;
        }
        self
    }
}

/// Adds every service to a process.
///
/// # Errors
/// [`StartError`] if a schema cannot be brought up to date.
pub async fn furnish(house: &mut House, settings: Settings) -> Result<(), StartError> {
    house.add::<enrollment::Enrollment>(settings.enrollment).await?;
    house.add::<matching::Matching>(settings.matching).await?;
    house.add::<sessions::Sessions>(NoConfig {}).await?;
    house.add::<analytics::Analytics>(NoConfig {}).await?;
    house.add::<notifications::Notifications>(settings.notifications).await
}

/// Lets a process that serves hand the events on to other systems, if the settings say so.
pub fn relay(house: &House, settings: relay::Config) {
    if let Some(relay) = Relay::configured(house.feed_pool(), house.feed().safe(), settings) {
        house.tasks().spawn(relay.run(house.shutdown()));
    }
}
