//! New tables beside the live ones, and how they take their places.

use eventlog::BoxError;
use sqlx::{AssertSqlSafe, PgConnection};

/// What the name of a new table ends with.
const FRESH: &str = "_rebuilt";
/// What the name of a table ends with that is about to go.
const RETIRED: &str = "_retired";

/// Makes the new tables and the views that stand for them in this session; sweeps what a killed rebuild has left.
///
/// Every other table of the service can only be read here: a fold that changes one is none.
pub(super) async fn prepare(
    conn: &mut PgConnection,
    service: &str,
    projections: &[&str],
) -> Result<(), BoxError> {
    let alone: bool =
        sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('rebuild ' || $1, 0))")
            .bind(service)
            .fetch_one(&mut *conn)
            .await?;
    if !alone {
        return Err("another rebuild of the same service is running".into());
    }
    let others: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables
         where schemaname = $1 and tablename <> all ($2) and tablename not like '%\\_rebuilt'",
    )
    .bind(service)
    .bind(projections)
    .fetch_all(&mut *conn)
    .await?;
    for table in projections {
        run(conn, format!("drop table if exists {service}.{table}{FRESH}")).await?;
        run(conn, format!("create table {service}.{table}{FRESH} (like {service}.{table} including all)"))
            .await?;
    }
    for table in projections {
        run(conn, format!("create temporary view {table} as select * from {service}.{table}{FRESH}")).await?;
    }
    for table in others {
        let table = table.replace('"', "\"\"");
        run(
            conn,
            format!(r#"create temporary view "{table}" as select * from {service}."{table}" offset 0"#),
        )
        .await?;
    }
    Ok(())
}

/// Lets the planner know the new tables before anybody asks them.
pub(super) async fn analyze(
    conn: &mut PgConnection,
    service: &str,
    projections: &[&str],
) -> Result<(), BoxError> {
    for table in projections {
        run(conn, format!("analyze {service}.{table}{FRESH}")).await?;
    }
    Ok(())
}

/// Puts the new tables in the place of the live ones, with the same rights, foreign keys, names of indexes, and the views that
/// look at them.
pub(super) async fn swap(
    conn: &mut PgConnection,
    service: &str,
    projections: &[&str],
) -> Result<(), BoxError> {
    // All of it has to be known before the first name changes.
    let statements: Vec<String> = sqlx::query_scalar(include_str!("swap.sql"))
        .bind(service)
        .bind(projections)
        .bind(FRESH)
        .bind(RETIRED)
        .fetch_all(&mut *conn)
        .await?;
    for statement in statements {
        run(conn, statement).await?;
    }
    Ok(())
}

/// The names are constants of the program or come quoted from the catalogue.
async fn run(conn: &mut PgConnection, statement: String) -> Result<(), BoxError> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await?;
    Ok(())
}
