//! The sources of the directory and what they identify themselves with, beside the events.

use std::collections::BTreeSet;

use identity::{CredentialId, SourceId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};

use super::{named, unreadable};
use crate::domain::source::{Attribute, CredentialKind, Registered, Settings};

/// A source as it stands.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// What the office says of it.
    pub registered: Registered,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A credential as it stands, with the digest that it is told by.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    /// The credential.
    pub credential: CredentialId,
    /// Whose it is.
    pub source: SourceId,
    /// Its kind.
    pub kind: CredentialKind,
    /// SHA-256 of the secret, or of the certificate.
    pub sha256: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The hour in which it was used last.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl FromRow<'_, PgRow> for SourceRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let owns: Vec<String> = row.try_get("owns")?;
        let attribute = |name: &String| {
            let found = Attribute::ALL.into_iter().find(|attribute| attribute.name() == name);
            found.ok_or_else(|| unreadable("owns", format!("{name} is not known")))
        };
        let owns = owns.iter().map(attribute).collect::<sqlx::Result<BTreeSet<_>>>()?;
        let settings = Settings { owns, grace_days: row.try_get("grace_days")? };
        let registered = Registered { source: source(row)?, rank: row.try_get("rank")?, settings };
        let created_at = row.try_get::<jiff_sqlx::Timestamp, _>("created_at")?.to_jiff();
        Ok(Self { registered, created_at })
    }
}

impl FromRow<'_, PgRow> for CredentialRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let time = |column| {
            let time = row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?;
            Ok::<_, sqlx::Error>(time.map(jiff_sqlx::Timestamp::to_jiff))
        };
        let kind = named(row, "kind", &CredentialKind::ALL, CredentialKind::name)?;
        Ok(Self {
            credential: CredentialId::from_uuid(row.try_get("credential_id")?),
            source: source(row)?,
            kind: kind.ok_or_else(|| unreadable("kind", "it is null"))?,
            sha256: row.try_get("sha256")?,
            created_at: row.try_get::<jiff_sqlx::Timestamp, _>("created_at")?.to_jiff(),
            last_used_at: time("last_used_at")?,
            revoked_at: time("revoked_at")?,
        })
    }
}

fn source(row: &PgRow) -> sqlx::Result<SourceId> {
    let name: String = row.try_get("source_id")?;
    SourceId::try_from(name).map_err(|error| unreadable("source_id", error))
}

/// Waits until this transaction is the only one that changes sources: that no two own the same is a rule across all of them.
///
/// # Errors
/// If the database fails.
pub async fn lock(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('sources', 0))").execute(conn).await.map(drop)
}

/// Every source, by rank.
///
/// # Errors
/// If the database fails.
pub async fn all(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<SourceRow>> {
    sqlx::query_as("select source_id, rank, owns, grace_days, created_at from sources order by rank")
        .fetch_all(executor)
        .await
}

/// One source.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, source: &SourceId) -> sqlx::Result<Option<SourceRow>> {
    sqlx::query_as("select source_id, rank, owns, grace_days, created_at from sources where source_id = $1")
        .bind(source.as_str())
        .fetch_optional(executor)
        .await
}

/// Adds a source.
///
/// # Errors
/// If the database fails.
pub async fn add(conn: &mut PgConnection, added: &Registered, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "insert into sources (source_id, rank, owns, grace_days, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(added.source.as_str())
    .bind(added.rank)
    .bind(owned(&added.settings))
    .bind(added.settings.grace_days)
    .bind(now.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

/// Sets what a source decides; if that is something else than before, its people are to be looked at.
///
/// # Errors
/// If the database fails.
pub async fn change(conn: &mut PgConnection, source: &SourceId, settings: &Settings) -> sqlx::Result<()> {
    sqlx::query(
        "update sources
         set owns = $2, grace_days = $3, looked_at_to = case when owns = $2 then looked_at_to else '' end
         where source_id = $1",
    )
    .bind(source.as_str())
    .bind(owned(settings))
    .bind(settings.grace_days)
    .execute(conn)
    .await
    .map(drop)
}

/// The rank of a source whose people are to be looked at, and the key up to which they were.
///
/// # Errors
/// If the database fails.
pub async fn to_look_at(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<(i32, String)>> {
    sqlx::query_as(
        "select rank, looked_at_to from sources where looked_at_to is not null order by rank limit 1",
    )
    .fetch_optional(executor)
    .await
}

/// Notes up to which key the people of a source were looked at, none if that was all, unless it owns something else again.
///
/// # Errors
/// If the database fails.
pub async fn looked_at(
    conn: &mut PgConnection,
    rank: i32,
    before: &str,
    to: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("update sources set looked_at_to = $3 where rank = $1 and looked_at_to = $2")
        .bind(rank)
        .bind(before)
        .bind(to)
        .execute(conn)
        .await
        .map(drop)
}

fn owned(settings: &Settings) -> Vec<&'static str> {
    settings.owns.iter().map(|attribute| attribute.name()).collect()
}

/// Keeps a new credential; false if it is a certificate that speaks for a source already.
///
/// # Errors
/// If the database fails.
pub async fn keep_credential(
    conn: &mut PgConnection,
    credential: CredentialId,
    source: &SourceId,
    kind: CredentialKind,
    sha256: &[u8],
    now: Timestamp,
) -> sqlx::Result<bool> {
    let kept = sqlx::query(
        "insert into source_credentials (credential_id, source_id, kind, sha256, created_at)
         values ($1, $2, $3, $4, $5)
         on conflict (sha256) where kind = 'certificate' and revoked_at is null do nothing",
    )
    .bind(credential.uuid())
    .bind(source.as_str())
    .bind(kind.name())
    .bind(sha256)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() > 0)
}

/// Lets a credential hold no more; the first revocation stands.
///
/// # Errors
/// If the database fails.
pub async fn revoke(conn: &mut PgConnection, credential: CredentialId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "update source_credentials set revoked_at = coalesce(revoked_at, $2) where credential_id = $1",
    )
    .bind(credential.uuid())
    .bind(now.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

/// The credentials of a source, newest first.
///
/// # Errors
/// If the database fails.
pub async fn credentials(
    executor: impl PgExecutor<'_>,
    source: &SourceId,
) -> sqlx::Result<Vec<CredentialRow>> {
    sqlx::query_as(
        "select credential_id, source_id, kind, sha256, created_at, last_used_at, revoked_at
         from source_credentials where source_id = $1 order by credential_id desc",
    )
    .bind(source.as_str())
    .fetch_all(executor)
    .await
}

/// One credential, whether it holds or not.
///
/// # Errors
/// If the database fails.
pub async fn credential(
    executor: impl PgExecutor<'_>,
    credential: CredentialId,
) -> sqlx::Result<Option<CredentialRow>> {
    sqlx::query_as(
        "select credential_id, source_id, kind, sha256, created_at, last_used_at, revoked_at
         from source_credentials where credential_id = $1",
    )
    .bind(credential.uuid())
    .fetch_optional(executor)
    .await
}

/// The credential of a client certificate that holds.
///
/// # Errors
/// If the database fails.
pub async fn certificate(
    executor: impl PgExecutor<'_>,
    sha256: &[u8],
) -> sqlx::Result<Option<CredentialRow>> {
    sqlx::query_as(
        "select credential_id, source_id, kind, sha256, created_at, last_used_at, revoked_at
         from source_credentials where sha256 = $1 and kind = 'certificate' and revoked_at is null",
    )
    .bind(sha256)
    .fetch_optional(executor)
    .await
}

/// Notes the hour in which a credential is used; writes nothing the rest of that hour.
///
/// # Errors
/// If the database fails.
pub async fn note_use(
    executor: impl PgExecutor<'_>,
    credential: CredentialId,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update source_credentials set last_used_at = date_trunc('hour', $2, 'UTC')
         where credential_id = $1 and last_used_at is distinct from date_trunc('hour', $2, 'UTC')",
    )
    .bind(credential.uuid())
    .bind(now.to_sqlx())
    .execute(executor)
    .await
    .map(drop)
}
