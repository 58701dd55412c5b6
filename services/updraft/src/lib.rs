//! Every service of Updraft in one process, over real gRPC, and the operator's commands.
//!
//! Reading order: [`house`] is the one place that knows all services; [`run`] serves them; [`demo`] plays an edition over REST;
//! [`token`], [`events`], [`replay`] and [`database`] are for operators.

pub mod database;
pub mod demo;
pub mod events;
pub mod house;
pub mod replay;
pub mod run;
pub mod token;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs a reverse-mentoring programme: young employees teach executives, once a month, and the company sees what stuck.
#[derive(Parser)]
#[command(name = "updraft", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every service until Ctrl-C.
    Run(run::Args),
    /// Plays a whole edition of a real roster in seconds, prints the report and keeps the state to look at.
    Demo(demo::Args),
    /// Prints a token for a person of the directory, to call REST or gRPC with.
    Token(token::Args),
    /// Looks at the event log, exports it, archives completed editions.
    Events(events::Args),
    /// Proves that every read model is what the events say, or makes those of a service anew.
    Replay(replay::Args),
    /// Prepares an existing Postgres server.
    Database(database::Args),
}

/// The whole program, from its arguments to its exit code.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli: Cli = match boot::parse(args) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match cli.command {
        Command::Run(args) => boot::block_on(run::run(args)),
        Command::Demo(args) => boot::block_on(demo::run(args)),
        Command::Token(args) => boot::block_on(async { token::run(args) }),
        Command::Events(args) => boot::block_on(events::run(args)),
        Command::Replay(args) => boot::block_on(replay::run(args)),
        Command::Database(args) => boot::block_on(database::run(args)),
    }
}
