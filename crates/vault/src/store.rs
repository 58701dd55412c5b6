use std::collections::HashMap;
use std::sync::Arc;
use std::{fmt, io};

use sqlx::migrate::MigrateError;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::cipher::{Cipher, MasterKey, Unreadable, new_key};

/// The master key's own subject, which is nobody's.
const MASTER: Uuid = Uuid::nil();
const PROOF: &[u8] = b"updraft vault";

/// Brings the schema `vault` up to date.
///
/// The group role `updraft_service` must exist; it is granted what [`Vault`] needs.
///
/// # Errors
///
/// What the database answers, or that a migration was changed after it had been applied.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let mut migrator = sqlx::migrate!();
    // Every schema keeps its own record, so that schemas can move apart.
    migrator.dangerous_set_table_name("vault.migrations");
    migrator.run(pool).await
}

/// Seals, opens and forgets; cheap to clone.
///
/// Every method works inside the caller's transaction (READ COMMITTED), so that a key exists exactly if
/// what it sealed does. No data key outlives a call: once a forgetting is committed, nothing opens.
#[derive(Clone)]
pub struct Vault(Arc<MasterKey>);

impl Vault {
    /// Unlocks the vault, and proves that the master key is the one it was first unlocked with.
    ///
    /// # Errors
    ///
    /// [`Error::WrongMasterKey`] if it is another one, else [`Error::Database`] or [`Error::Random`].
    pub async fn unlock(pool: &PgPool, master: MasterKey) -> Result<Self, Error> {
        let mut conn = pool.acquire().await?;
        if proof(&mut conn).await?.is_none() {
            let proof = master.0.seal(MASTER, PROOF).map_err(Error::Random)?;
            sqlx::query("insert into vault.master (proof) values ($1) on conflict do nothing")
                .bind(proof)
                .execute(&mut *conn)
                .await?;
        }
        // Of two processes that were first at once, only one left its proof: both have to pass it.
        let proof = proof(&mut conn).await?.ok_or(Error::WrongMasterKey)?;
        master.0.open(MASTER, &proof).map_err(|Unreadable| Error::WrongMasterKey)?;
        Ok(Self(Arc::new(master)))
    }

    /// Seals a text for a subject, whose key is made when it is first needed.
    ///
    /// # Errors
    ///
    /// [`Error::Forgotten`] if the subject was forgotten, [`Error::Unreadable`] if its key was tampered
    /// with, else [`Error::Database`] or [`Error::Random`].
    pub async fn seal(
        &self,
        conn: &mut PgConnection,
        subject: Uuid,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let key = match find(conn, subject).await? {
            Some(key) => key,
            None => self.create(conn, subject).await?,
        };
        let wrapped = key.ok_or(Error::Forgotten)?;
        self.unwrap(subject, &wrapped)?.seal(subject, plaintext).map_err(Error::Random)
    }

    /// Opens what was sealed for a subject; none if the subject was forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if it was tampered with or sealed for another subject, else
    /// [`Error::Database`].
    pub async fn open(
        &self,
        conn: &mut PgConnection,
        subject: Uuid,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(wrapped) = find(conn, subject).await?.ok_or(Error::Unreadable)? else {
            return Ok(None);
        };
        let plaintext = self.unwrap(subject, &wrapped)?.open(subject, sealed)?;
        Ok(Some(plaintext.to_vec()))
    }

    /// Seals a text for each of many subjects, as [`Vault::seal`] does for one, in a handful of round trips.
    ///
    /// # Errors
    ///
    /// As those of [`Vault::seal`].
    pub async fn seal_each(
        &self,
        conn: &mut PgConnection,
        texts: &[(Uuid, Vec<u8>)],
    ) -> Result<Vec<Vec<u8>>, Error> {
        let subjects: Vec<Uuid> = texts.iter().map(|(subject, _)| *subject).collect();
        let known = find_each(conn, &subjects).await?;
        let (mut new, mut wrapped) = (Vec::new(), Vec::new());
        for subject in subjects.iter().filter(|subject| !known.contains_key(subject)) {
            let key = new_key().map_err(Error::Random)?;
            new.push(*subject);
            wrapped.push(self.0.0.seal(*subject, key.as_slice()).map_err(Error::Random)?);
        }
        let known = if new.is_empty() {
            known
        } else {
            sqlx::query(
                "insert into vault.keys (subject, wrapped)
                 select * from unnest($1::uuid[], $2::bytea[])
                 on conflict do nothing",
            )
            .bind(&new)
            .bind(&wrapped)
            .execute(&mut *conn)
            .await?;
            find_each(conn, &subjects).await?
        };
        let seal = |(subject, text): &(Uuid, Vec<u8>)| {
            let wrapped = known.get(subject).ok_or(Error::Unreadable)?.as_ref().ok_or(Error::Forgotten)?;
            self.unwrap(*subject, wrapped)?.seal(*subject, text).map_err(Error::Random)
        };
        texts.iter().map(seal).collect()
    }

    /// Opens what was sealed for many subjects, as [`Vault::open`] does for one, in one round trip.
    ///
    /// # Errors
    ///
    /// As those of [`Vault::open`].
    pub async fn open_each(
        &self,
        conn: &mut PgConnection,
        sealed: &[(Uuid, Vec<u8>)],
    ) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let subjects: Vec<Uuid> = sealed.iter().map(|(subject, _)| *subject).collect();
        let known = find_each(conn, &subjects).await?;
        let open = |(subject, sealed): &(Uuid, Vec<u8>)| {
            let Some(wrapped) = known.get(subject).ok_or(Error::Unreadable)? else { return Ok(None) };
            Ok(Some(self.unwrap(*subject, wrapped)?.open(*subject, sealed)?.to_vec()))
        };
        sealed.iter().map(open).collect()
    }

    /// Forgets a subject: from the commit on, nothing opens that was or will be sealed for it.
    ///
    /// Doing so again is success.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    pub async fn forget(&self, conn: &mut PgConnection, subject: Uuid) -> Result<(), Error> {
        sqlx::query(
            "insert into vault.keys (subject) values ($1) on conflict (subject) do update set wrapped = null",
        )
        .bind(subject)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Makes the subject's key, unless somebody else just did: the one that stands in the end counts.
    async fn create(&self, conn: &mut PgConnection, subject: Uuid) -> Result<Option<Vec<u8>>, Error> {
        let key = new_key().map_err(Error::Random)?;
        let wrapped = self.0.0.seal(subject, key.as_slice()).map_err(Error::Random)?;
        sqlx::query("insert into vault.keys (subject, wrapped) values ($1, $2) on conflict do nothing")
            .bind(subject)
            .bind(wrapped)
            .execute(&mut *conn)
            .await?;
        find(conn, subject).await?.ok_or(Error::Unreadable)
    }

    fn unwrap(&self, subject: Uuid, wrapped: &[u8]) -> Result<Cipher, Error> {
        let key = self.0.0.open(subject, wrapped)?;
        Cipher::new(&key).ok_or(Error::Unreadable)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Vault").field(&self.0).finish()
    }
}

/// The row of a subject, if there is one, and in it the wrapped key, if it is not forgotten.
async fn find(conn: &mut PgConnection, subject: Uuid) -> sqlx::Result<Option<Option<Vec<u8>>>> {
    sqlx::query_scalar("select wrapped from vault.keys where subject = $1")
        .bind(subject)
        .fetch_optional(conn)
        .await
}

/// The rows of many subjects.
async fn find_each(
    conn: &mut PgConnection,
    subjects: &[Uuid],
) -> sqlx::Result<HashMap<Uuid, Option<Vec<u8>>>> {
    let rows: Vec<(Uuid, Option<Vec<u8>>)> =
        sqlx::query_as("select subject, wrapped from vault.keys where subject = any ($1)")
            .bind(subjects)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().collect())
}

async fn proof(conn: &mut PgConnection) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("select proof from vault.master").fetch_optional(conn).await
}

/// Why the vault did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The subject was forgotten, so that nothing can be sealed for it.
    #[error("the subject was forgotten")]
    Forgotten,
    /// The text or its key was tampered with, or belongs to another subject.
    #[error("what was sealed cannot be opened")]
    Unreadable,
    /// This is not the master key with which the vault was first unlocked.
    #[error("the master key is not the one this vault was first unlocked with")]
    WrongMasterKey,
    /// The operating system gave no randomness.
    #[error("no randomness to seal with")]
    Random(#[source] io::Error),
    /// The database failed.
    #[error("the vault's database failed")]
    Database(#[from] sqlx::Error),
}

impl From<Unreadable> for Error {
    fn from(Unreadable: Unreadable) -> Self {
        Self::Unreadable
    }
}
