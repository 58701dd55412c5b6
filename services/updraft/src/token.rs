//! `updraft token`: a token for a first run on one machine.

use identity::{Audience, Caller, Keys, PersonId, Role, SourceId};

/// What the token says.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// The person to be, by the directory's identifier; none for a system such as the HRIS.
    #[arg(long)]
    person: Option<PersonId>,
    /// The hats to wear; several may be given.
    #[arg(long = "role", required = true, value_parser = role)]
    roles: Vec<Role>,
    /// The executive a delegate acts for.
    #[arg(long)]
    delegate_for: Option<PersonId>,
    /// The source of the directory for which an HR system speaks; with the role hris.
    #[arg(long)]
    source: Option<SourceId>,
    /// How long the token holds.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    #[command(flatten)]
    process: boot::Config,
}

/// Prints the token, and nothing else, on standard output.
///
/// # Errors
/// If the key file cannot be read or created, or an address is not loopback.
pub fn run(args: Args) -> anyhow::Result<()> {
    // Whoever can read the key can be anybody, so this is for one machine; a company has an identity provider.
    anyhow::ensure!(
        args.process.grpc_listen.ip().is_loopback(),
        "tokens are handed out only where gRPC listens on loopback, not on {}",
        args.process.grpc_listen
    );
    anyhow::ensure!(
        !args.roles.contains(&Role::Service),
        "the role service is the system's own: it comes from the keys of a process, never as a token"
    );
    anyhow::ensure!(
        args.source.is_none() || args.roles.contains(&Role::Hris),
        "a source is fed by the role hris: add --role hris"
    );
    let keys = Keys::load_or_create(args.process.identity_key_path())?;
    let caller = Caller {
        person: args.person,
        roles: args.roles.into_iter().collect(),
        delegate_for: args.delegate_for,
        source: args.source,
    };
    println!("{}", keys.issue(&caller, Audience::Updraft, args.seconds)?);
    Ok(())
}

fn role(name: &str) -> Result<Role, String> {
    Role::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("there is no such role; the roles are {}", names.join(", "))
    })
}
