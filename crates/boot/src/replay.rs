//! Proves that the read models are what the events say: folds them anew and compares.

use eventlog::{BoxError, Follower, Recorded, Views};
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::Service;

/// How many events are folded from one query.
const PAGE: i64 = 1000;

/// What the comparison of one table found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Service and table, such as `enrollment.applications`.
    pub table: String,
    /// Rows in the live table.
    pub rows: i64,
    /// Rows of the replay that the live table lacks.
    pub missing: i64,
    /// Rows of the live table that the replay lacks.
    pub surplus: i64,
}

impl Compared {
    /// Whether the live table is what the events say.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing == 0 && self.surplus == 0
    }
}

/// Folds every event into empty copies of a service's tables and compares them with the live ones.
///
/// Everything happens in one transaction that sees one moment and is rolled back. The copies are temporary tables, which
/// Postgres finds before those of the search path, so that the same SQL fills them.
pub(crate) async fn check<S: Service>(service: &S, pool: &PgPool) -> Result<Vec<Compared>, BoxError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *transaction).await?;
    for table in S::PROJECTIONS {
        // The name is a constant of the program.
        let copy =
            format!("create temporary table {table} (like {}.{table} including all) on commit drop", S::NAME);
        sqlx::query(AssertSqlSafe(copy)).execute(&mut *transaction).await?;
    }

    let (views, follower) = (service.views(), service.follower());
    let reached = eventlog::reached(&mut *transaction, follower.name()).await?;
    let mut last = 0;
    loop {
        let page: Vec<Recorded> = eventlog::read(&mut *transaction, last, None, PAGE).await?;
        let Some(end) = page.last() else { break };
        last = end.position;
        views.apply(&mut transaction, &page).await?;
        // The follower's tables reach as far as its checkpoints, not as far as the log.
        let passed: Vec<Recorded> = page.into_iter().filter(|event| reached.covers(event)).collect();
        follower.project(&mut transaction, &passed).await?;
    }

    let mut found = Vec::new();
    for table in S::PROJECTIONS {
        let live = format!("{}.{table}", S::NAME);
        let count = format!(
            "select (select count(*) from {live}),
                    (select count(*) from (select * from pg_temp.{table} except all select * from {live}) as missing),
                    (select count(*) from (select * from {live} except all select * from pg_temp.{table}) as surplus)"
        );
        let row = sqlx::query(AssertSqlSafe(count)).fetch_one(&mut *transaction).await?;
        found.push(Compared {
            table: live,
            rows: row.try_get(0)?,
            missing: row.try_get(1)?,
            surplus: row.try_get(2)?,
        });
    }
    transaction.rollback().await?;
    Ok(found)
}
