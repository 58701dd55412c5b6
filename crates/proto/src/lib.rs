//! The interfaces of Updraft: what `/proto` defines, as Rust, as descriptors and as rules that are enforced.
//!
//! Reading order: the generated packages below, [`pool`] for reflection, [`validate()`] for the rules of fields, [`status`] for
//! errors, [`time`] for instants, [`upcast`] for events in an old schema version.

pub mod status;
pub mod time;
pub mod upcast;
pub mod validate;

mod reflection;

pub use reflection::{descriptors, method_rule, pool};
pub use updraft::{
    analytics::v1 as analytics, api::v1 as api, enrollment::v1 as enrollment, eventlog::v1 as eventlog,
    hris::v1 as hris, matching::v1 as matching, notifications::v1 as notifications, sessions::v1 as sessions,
};
pub use validate::{Violation, validate};

#[allow(
    missing_docs,
    clippy::large_enum_variant,
    clippy::pedantic,
    unreachable_pub,
    reason = "generated; the proto files are the documentation"
)]
mod updraft {
    pub mod analytics {
        pub mod v1 {
            tonic::include_proto!("updraft.analytics.v1");
        }
    }
    pub mod api {
        pub mod v1 {
            tonic::include_proto!("updraft.api.v1");
        }
    }
    pub mod enrollment {
        pub mod v1 {
            tonic::include_proto!("updraft.enrollment.v1");
        }
    }
    pub mod eventlog {
        pub mod v1 {
            tonic::include_proto!("updraft.eventlog.v1");
        }
    }
    pub mod hris {
        pub mod v1 {
            tonic::include_proto!("updraft.hris.v1");
        }
    }
    pub mod matching {
        pub mod v1 {
            tonic::include_proto!("updraft.matching.v1");
        }
    }
    pub mod notifications {
        pub mod v1 {
            tonic::include_proto!("updraft.notifications.v1");
        }
    }
    pub mod sessions {
        pub mod v1 {
            tonic::include_proto!("updraft.sessions.v1");
        }
    }
}
