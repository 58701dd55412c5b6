//! The vault on a real Postgres, as a service would use it.
#![expect(clippy::unwrap_used, reason = "a preparation that fails fails its test")]

use boot::scratch::{self, Scratch};
use identity::PersonId;
use sqlx::PgPool;
use uuid::Uuid;
use vault::{Error, MasterKey, Vault};

const QUESTION: &[u8] = b"what does YouTube earn its money with?";

/// A fresh, migrated database.
struct Database {
    /// Connected as a member of the services' group role.
    service: PgPool,
    /// Connected as the owner of the vault's schema.
    admin: PgPool,
    _scratch: Scratch,
}

impl Database {
    async fn fresh() -> Self {
        let fill = async |empty: &boot::database::Database| vault::migrate(&empty.pool("vault")).await;
        let scratch = scratch::database("vault", fill).await.unwrap();
        Self { service: scratch.pool("sessions"), admin: scratch.pool("vault"), _scratch: scratch }
    }
}

fn subject() -> Uuid {
    PersonId::mint().uuid()
}

fn master_key() -> MasterKey {
    MasterKey::from_bytes(&[7; 32]).unwrap()
}

async fn unlocked() -> (Database, Vault) {
    let database = Database::fresh().await;
    let vault = Vault::unlock(&database.service, master_key()).await.unwrap();
    (database, vault)
}

#[tokio::test]
async fn what_is_sealed_opens_again() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let subject = subject();
    let sealed = vault.seal(&mut conn, subject, QUESTION).await.unwrap();
    assert!(!sealed.windows(4).any(|window| QUESTION.windows(4).any(|clear| clear == window)));
    assert_eq!(vault.open(&mut conn, subject, &sealed).await.unwrap().as_deref(), Some(QUESTION));
    let restarted = Vault::unlock(&database.service, master_key()).await.unwrap();
    assert_eq!(restarted.open(&mut conn, subject, &sealed).await.unwrap().as_deref(), Some(QUESTION));
}

#[tokio::test]
async fn the_wrong_subject_and_tampering_are_refused() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let [mine, theirs] = [subject(), subject()];
    let mut sealed = vault.seal(&mut conn, mine, QUESTION).await.unwrap();
    vault.seal(&mut conn, theirs, QUESTION).await.unwrap();
    for stranger in [theirs, subject()] {
        let refused = vault.open(&mut conn, stranger, &sealed).await;
        assert!(matches!(refused, Err(Error::Unreadable)));
    }
    *sealed.last_mut().unwrap() ^= 1;
    assert!(matches!(vault.open(&mut conn, mine, &sealed).await, Err(Error::Unreadable)));
}

#[tokio::test]
async fn a_key_moved_to_another_subject_is_refused() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let [mine, theirs] = [subject(), subject()];
    let sealed = vault.seal(&mut conn, mine, QUESTION).await.unwrap();
    sqlx::query("insert into vault.keys select $1, wrapped from vault.keys where subject = $2")
        .bind(theirs)
        .bind(mine)
        .execute(&database.admin)
        .await
        .unwrap();
    assert!(matches!(vault.open(&mut conn, theirs, &sealed).await, Err(Error::Unreadable)));
    assert!(matches!(vault.seal(&mut conn, theirs, QUESTION).await, Err(Error::Unreadable)));
}

#[tokio::test]
async fn once_forgotten_nothing_opens_and_nothing_is_sealed() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let [forgotten, other] = [subject(), subject()];
    let sealed = vault.seal(&mut conn, forgotten, QUESTION).await.unwrap();
    let others = vault.seal(&mut conn, other, QUESTION).await.unwrap();
    for _ in 0..2 {
        vault.forget(&mut conn, forgotten).await.unwrap();
        assert_eq!(vault.open(&mut conn, forgotten, &sealed).await.unwrap(), None);
        assert!(matches!(vault.seal(&mut conn, forgotten, QUESTION).await, Err(Error::Forgotten)));
    }
    assert!(vault.open(&mut conn, other, &others).await.unwrap().is_some());
}

#[tokio::test]
async fn who_is_forgotten_before_anything_was_sealed_stays_forgotten() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let subject = subject();
    vault.forget(&mut conn, subject).await.unwrap();
    assert!(matches!(vault.seal(&mut conn, subject, QUESTION).await, Err(Error::Forgotten)));
}

#[tokio::test]
async fn a_forgetting_counts_from_its_commit() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let subject = subject();
    let sealed = vault.seal(&mut conn, subject, QUESTION).await.unwrap();
    let mut transaction = database.service.begin().await.unwrap();
    vault.forget(&mut transaction, subject).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(vault.open(&mut conn, subject, &sealed).await.unwrap().is_some());
    let mut transaction = database.service.begin().await.unwrap();
    vault.forget(&mut transaction, subject).await.unwrap();
    assert!(vault.open(&mut conn, subject, &sealed).await.unwrap().is_some());
    transaction.commit().await.unwrap();
    assert_eq!(vault.open(&mut conn, subject, &sealed).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_first_seals_at_once_all_use_one_key() {
    let (database, vault) = unlocked().await;
    let subject = subject();
    let seals: Vec<_> = (0..8_u8)
        .map(|n| {
            let (pool, vault) = (database.service.clone(), vault.clone());
            tokio::spawn(async move {
                let mut transaction = pool.begin().await.unwrap();
                let sealed = vault.seal(&mut transaction, subject, &[n]).await.unwrap();
                transaction.commit().await.unwrap();
                (n, sealed)
            })
        })
        .collect();
    let mut conn = database.service.acquire().await.unwrap();
    for seal in seals {
        let (n, sealed) = seal.await.unwrap();
        assert_eq!(vault.open(&mut conn, subject, &sealed).await.unwrap(), Some(vec![n]));
    }
}

#[tokio::test]
async fn a_first_seal_that_is_rolled_back_leaves_the_key_to_the_next() {
    let (database, vault) = unlocked().await;
    let subject = subject();
    let mut first = database.service.begin().await.unwrap();
    vault.seal(&mut first, subject, b"never said").await.unwrap();
    let second = tokio::spawn({
        let (pool, vault) = (database.service.clone(), vault.clone());
        async move {
            let mut conn = pool.acquire().await.unwrap();
            vault.seal(&mut conn, subject, QUESTION).await.unwrap()
        }
    });
    // The second waits for the first one's row: that it does is seen in the database, not timed.
    let waiting = "select exists (select from pg_locks where not granted)";
    while !second.is_finished() {
        if sqlx::query_scalar(waiting).fetch_one(&database.admin).await.unwrap() {
            break;
        }
    }
    first.rollback().await.unwrap();
    let sealed = second.await.unwrap();
    let mut conn = database.service.acquire().await.unwrap();
    assert_eq!(vault.open(&mut conn, subject, &sealed).await.unwrap().as_deref(), Some(QUESTION));
}

#[tokio::test]
async fn another_master_key_does_not_unlock_the_vault() {
    let (database, _vault) = unlocked().await;
    let other = MasterKey::from_bytes(&[8; 32]).unwrap();
    assert!(matches!(Vault::unlock(&database.service, other).await, Err(Error::WrongMasterKey)));
    assert!(Vault::unlock(&database.service, master_key()).await.is_ok());
}

#[tokio::test]
async fn a_service_cannot_delete_keys_and_the_database_holds_none_in_clear() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    vault.seal(&mut conn, subject(), QUESTION).await.unwrap();
    assert!(sqlx::query("delete from vault.keys").execute(&mut *conn).await.is_err());
    assert!(sqlx::query("update vault.master set proof = ''").execute(&mut *conn).await.is_err());
    let wrapped: Vec<u8> =
        sqlx::query_scalar("select wrapped from vault.keys").fetch_one(&database.admin).await.unwrap();
    assert_eq!(wrapped.len(), 1 + 24 + 32 + 16, "format, nonce, sealed key and tag");
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let subject = subject();
    let sealed = vault.seal(&mut conn, subject, QUESTION).await.unwrap();
    vault::migrate(&database.admin).await.unwrap();
    assert!(vault.open(&mut conn, subject, &sealed).await.unwrap().is_some());
}

#[tokio::test]
async fn debug_shows_nothing_secret() {
    let (_database, vault) = unlocked().await;
    assert_eq!(format!("{vault:?}"), "Vault(MasterKey(secret))");
}

#[tokio::test]
async fn many_are_sealed_and_opened_at_once_as_each_alone() {
    let (database, vault) = unlocked().await;
    let mut conn = database.service.acquire().await.unwrap();
    let [known, new, forgotten] = [subject(), subject(), subject()];
    let alone = vault.seal(&mut conn, known, QUESTION).await.unwrap();
    let texts = [known, new, forgotten].map(|subject| (subject, QUESTION.to_vec()));
    let sealed = vault.seal_each(&mut conn, &texts).await.unwrap();
    assert_eq!(vault.open(&mut conn, new, &sealed[1]).await.unwrap().as_deref(), Some(QUESTION));

    vault.forget(&mut conn, forgotten).await.unwrap();
    let refused = vault.seal_each(&mut conn, &texts).await;
    assert!(matches!(refused, Err(Error::Forgotten)));
    let sealed = [(known, alone), (new, sealed[1].clone()), (forgotten, sealed[2].clone())];
    let opened = vault.open_each(&mut conn, &sealed).await.unwrap();
    assert_eq!(opened, [Some(QUESTION.to_vec()), Some(QUESTION.to_vec()), None]);
    let foreign = [(known, sealed[1].1.clone())];
    assert!(matches!(vault.open_each(&mut conn, &foreign).await, Err(Error::Unreadable)));
}
