//! The roles and schemas, as statements that may be run again and again.

/// The services, each the owner of the schema that bears its name.
pub(super) const SERVICES: [&str; 5] = ["enrollment", "matching", "sessions", "analytics", "notifications"];
/// What all services use: schemas with an owner of their own, open to the services' group.
pub(super) const SHARED: [&str; 2] = ["eventlog", "vault"];
/// Who may look at everything but the keys of the vault, and change nothing.
pub(super) const READER: &str = "reader";
/// Who reads what was appended and keeps the watermark of the event log.
pub(super) const FEED: &str = "feed";
/// The roles that own no schema.
pub(super) const WITHOUT_SCHEMA: [&str; 2] = [READER, FEED];
/// The group of the services' roles; it cannot log in.
const GROUP: &str = "updraft_service";

/// The role of a service.
pub(super) fn role(service: &str) -> String {
    format!("updraft_{service}")
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every statement that prepares `database`; `user` is who connects for all roles, if they do not themselves.
pub(super) fn statements(database: &str, user: Option<&str>) -> Vec<String> {
    let owners = || SHARED.into_iter().chain(SERVICES);
    let everyone: Vec<String> = owners().chain(WITHOUT_SCHEMA).map(role).collect();
    let services = SERVICES.map(role).join(", ");

    let mut plan = vec![create_role(GROUP, "nologin")];
    plan.extend(everyone.iter().map(|role| create_role(role, "login")));
    plan.push(format!("grant {GROUP} to {services}"));
    let all = everyone.join(", ");
    if let Some(user) = user.filter(|user| !everyone.iter().any(|role| role == user)) {
        plan.push(format!("grant {all} to {}", quoted(user)));
    }
    plan.push(format!("grant connect, temporary on database {} to {all}", quoted(database)));
    for name in owners() {
        plan.push(format!("create schema if not exists {name} authorization {}", role(name)));
    }
    for name in SHARED {
        plan.push(format!("grant usage on schema {name} to {GROUP}"));
    }
    for name in owners().filter(|name| *name != "vault") {
        plan.push(format!("grant usage on schema {name} to {}", role(READER)));
        for kind in ["tables", "sequences"] {
            let (owner, reader) = (role(name), role(READER));
            plan.push(format!(
                "alter default privileges for role {owner} in schema {name} grant select on {kind} to {reader}"
            ));
        }
    }
    plan
}

/// Postgres has no `create role if not exists`.
fn create_role(name: &str, login: &str) -> String {
    format!(
        "do $$ begin if not exists (select from pg_roles where rolname = '{name}') then \
         create role {name} {login}; end if; end $$"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vault_is_hidden_from_the_reader() {
        let plan = statements("updraft", None).join(";\n");
        assert!(plan.contains("grant usage on schema eventlog to updraft_reader"));
        assert!(!plan.contains("grant usage on schema vault to updraft_reader"));
    }

    #[test]
    fn the_user_of_the_url_may_become_every_role_but_is_not_granted_itself() {
        let plan = statements("updraft", Some("Ada \"the\" admin")).join(";\n");
        assert!(plan.contains("updraft_reader to \"Ada \"\"the\"\" admin\""));
        assert!(!statements("updraft", Some("updraft_vault")).join(";\n").contains("to \"updraft_vault\""));
    }
}
