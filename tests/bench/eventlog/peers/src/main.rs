//! The peers that are driven from Rust: postgres-es, mire and message-db.
//!
//! `peers PEER WORK …` does one work on the database that `PGHOST`, `PGUSER` and `PGDATABASE` name and prints what it
//! measured as one line of JSON. The other peers' programs beside this one know the same works:
//!
//! - `prepare EVENTS`: lays the tables out and fills them with as many events,
//! - `append CLIENTS SECONDS`: appends single events, each client to streams of its own,
//! - `catch-up EVENTS`: reads and decodes as many events from the beginning,
//! - `race WRITERS SECONDS`: reads while others write, and compares what was read with what is stored.

mod events;
mod measure;
mod message_db;
mod mire_store;
mod postgres_es_store;

use std::env;

use anyhow::{Context, bail};

/// What there is to do.
#[derive(Clone, Copy)]
enum Work {
    Prepare { events: u64 },
    Append { clients: u32, seconds: u64 },
    CatchUp { events: u64 },
    Race { writers: u32, seconds: u64 },
}

impl Work {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let number = |at: usize| -> anyhow::Result<u64> {
            let word = words.get(at).context("a number is missing")?;
            word.parse().with_context(|| format!("{word} is no number"))
        };
        let callers = || anyhow::Ok(u32::try_from(number(1)?)?);
        Ok(match words.first().map(String::as_str) {
            Some("prepare") => Self::Prepare { events: number(1)? },
            Some("append") => Self::Append { clients: callers()?, seconds: number(2)? },
            Some("catch-up") => Self::CatchUp { events: number(1)? },
            Some("race") => Self::Race { writers: callers()?, seconds: number(2)? },
            other => bail!("there is no work {other:?}"),
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let (peer, work) = words.split_first().context("usage: peers PEER WORK NUMBER…")?;
    let work = Work::parse(work)?;
    let measured = match peer.as_str() {
        "postgres-es" => postgres_es_store::run(work).await?,
        "mire" => mire_store::run(work).await?,
        "message-db" => message_db::run(work).await?,
        other => bail!("there is no peer {other}"),
    };
    println!("{measured}");
    Ok(())
}
