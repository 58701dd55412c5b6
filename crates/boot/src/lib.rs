//! What every process of Updraft stands on.
//!
//! Reading order: [`run()`] is the whole of a service's `main`; [`House`] takes the database, adds every [`Service`] and serves;
//! `ports` and `tls` are where it listens; `entire` keeps the work on a call going when its caller is gone; [`Desk`] is where a service's calls come in and [`refuse`] how refusals go out; [`Clock`] is the time; `postgres` and
//! `database` are the private Postgres, its roles and schemas; `replay` proves the read models and `rebuild` makes
//! them anew; [`Visit`] is for an operator's command beside the running system.

pub mod clock;
pub mod database;
pub mod page;
pub mod postgres;
pub mod rebuild;
pub mod replay;
pub mod scratch;

mod admin;
mod certificate;
mod config;
mod desk;
mod entire;
mod error;
mod ground;
mod house;
mod ports;
mod run;
mod signal;
mod tls;
mod visit;
mod wheel;

pub use self::clock::Clock;
pub use self::config::{Config, Secret};
pub use self::desk::{
    Call, Desk, IDEMPOTENCY_KEY, Refusal, UPDRAFT_AFTER, not_found, receipt, refuse, unavailable,
};
pub use self::entire::{Gone, entirely};
pub use self::error::{StartError, report};
pub use self::ground::{Ground, NoConfig, Service};
pub use self::house::{House, Serving};
pub use self::page::Page;
pub use self::ports::{Ports, listen};
pub use self::run::{block_on, parse, run};
pub use self::signal::asked_to_end;
pub use self::tls::{TlsConfig, TlsError};
pub use self::visit::Visit;
