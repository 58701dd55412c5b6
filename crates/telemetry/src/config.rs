use std::io::{IsTerminal, stderr};

use clap::{Args, ValueEnum};

/// Postgres tells at every start that what is there already is there already.
const DEFAULT_FILTER: &str = "info,sqlx::postgres::notice=warn";

/// What is logged, and how a line looks.
///
/// Where traces, metrics and logs are sent is not set here: the standard `OTEL_*` variables say so.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Config {
    /// Which events are logged, for example `info,sqlx=warn`.
    #[arg(long = "log", env = "UPDRAFT_LOG", value_name = "FILTER", default_value = DEFAULT_FILTER)]
    pub log_filter: String,

    /// How a log line looks; on a terminal text, else JSON.
    #[arg(long, env = "UPDRAFT_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl Default for Config {
    fn default() -> Self {
        Self { log_filter: DEFAULT_FILTER.to_owned(), log_format: None }
    }
}

impl Config {
    pub(crate) fn format(&self) -> LogFormat {
        let default = || if stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
        self.log_format.unwrap_or_else(default)
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// One line of words, for people.
    Text,
}
