//! The plans of the queries that run for every command and every page: they read indexes and sort nothing.

use eventlog::{Journal, Wake};
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
    sqlx::query(
        "insert into eventlog.idempotency (scope, key, fingerprint, stream_kind, id, version)
         select 'scope', n::text, '', 'counter', gen_random_uuid(), 1 from generate_series(1, 2000) as n",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into eventlog.snapshots (stream_kind, stream_id, schema_version, version, position, state)
         select 'counter', gen_random_uuid(), 1, 1, 1, '' from generate_series(1, 2000) as n",
    )
    .execute(&database.pool)
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
    for index in ["events_next_version", "snapshots_pkey", "idempotency_pkey", "archived_streams_pkey"] {
        assert!(load.contains(index), "{load}");
    }
    for plan in [page, load] {
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
    }
}

#[tokio::test]
async fn an_append_compares_no_caller_with_every_other() {
    let database = Database::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    let types = "text[], uuid[], bigint[], bigint[], uuid[], text[], timestamptz[], text[], text[], bytea[],
                 bigint[], bigint[], uuid[], text[], smallint[], bytea[]";
    let nothing = ["'{}'"; 16].join(", ");
    let append = plan(&mut conn, types, include_str!("../../src/append.sql"), &nothing).await;
    assert!(append.contains("Hash Join") && !append.contains("Nested Loop"), "{append}");
}

#[tokio::test]
async fn what_every_command_asks_is_planned_a_few_times_and_never_again() {
    let database = Database::create().await;
    let pool = database.services(1);
    let journal = Journal::new(pool.clone(), Wake::default(), ());
    for number in 0..20 {
        journal.execute::<Counter>(&context(), stream(number), Add(vec![1])).await.unwrap();
    }
    let plans = "select custom_plans, generic_plans from pg_prepared_statements where statement like '%' || $1 || '%'";
    for part in ["from eventlog.snapshots as snapshot", "insert into eventlog.events"] {
        let plans: (i64, i64) = sqlx::query_as(plans).bind(part).fetch_one(&pool).await.unwrap();
        assert_eq!(plans, (5, 15), "{part}");
    }
}
