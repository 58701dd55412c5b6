//! The plans of the queries that run for every command and every page: they read indexes and sort nothing.

use sqlx::{Executor, PgConnection, Row};

use crate::counter::{Add, Counter, context, stream};
use crate::delivery::feed;
use crate::support::Database;

/// The plan of a prepared statement that knows nothing of its arguments, as a busy connection uses it.
async fn plan(conn: &mut PgConnection, types: &str, sql: &str, arguments: &str) -> String {
    let statement =
        format!("set plan_cache_mode = force_generic_plan; deallocate all; prepare asked ({types}) as {sql}");
    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await.unwrap();
    let explain = format!("explain execute asked ({arguments})");
    let rows = conn.fetch_all(sqlx::raw_sql(sqlx::AssertSqlSafe(explain))).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn pages_and_loads_read_indexes_and_sort_nothing() {
    let database = Database::create().await;
    let (_, journal) = feed(&database);
    for number in 0..20 {
        journal.execute::<Counter>(&context(), stream(number), Add(vec![1; 200])).await.unwrap();
    }
    // As many segments as the archive of some years has.
    sqlx::query(
        "insert into eventlog.segments (directory, file, sha256, bytes, events, first_position, last_position)
         select '/archive', n::text, '', 1, 1, n * 10, n * 10 + 5 from generate_series(1, 2000) as n",
    )
    .execute(&database.owner)
    .await
    .unwrap();
    for table in ["events", "segments", "snapshots", "idempotency"] {
        let analyze = format!("analyze eventlog.{table}");
        sqlx::query(sqlx::AssertSqlSafe(analyze)).execute(&database.owner).await.unwrap();
    }

    let mut conn = database.pool.acquire().await.unwrap();
    let page = include_str!("../../src/page.sql");
    let page = plan(&mut conn, "bigint, bigint, bigint", page, "100, 3000, 1000").await;
    assert!(page.contains("Index Scan using events_pkey"), "{page}");
    assert!(page.contains("segments_by_position"), "{page}");
    let load = include_str!("../../src/load.sql");
    let arguments = "'00000000-0000-0000-0000-000000000001', 'counter', 'scope', 'key', 1::smallint";
    let load = plan(&mut conn, "uuid, text, text, text, smallint", load, arguments).await;
    assert!(load.contains("events_next_version"), "{load}");
    assert!(load.contains("idempotency_pkey"), "{load}");
    for plan in [page, load] {
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan on events"), "{plan}");
    }
}
