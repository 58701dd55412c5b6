//! Roles, schemas and pools.

use boot::database::{Database, DatabaseError};
use boot::postgres::Cluster;
use boot::scratch::Scratch;

use crate::support::Folder;

type Names = (String, String);

const WHO_AND_WHERE: &str = "select current_user::text, current_schema()::text";

async fn scratch(template: &str) -> Scratch {
    boot::scratch::database(template, async |_: &Database| Ok::<(), DatabaseError>(())).await.unwrap()
}

fn url(cluster: &Cluster, user: &str) -> String {
    format!("postgres:///updraft?host={}&user={user}", cluster.socket_dir().display())
}

#[tokio::test]
async fn every_pool_has_the_role_and_the_schema_of_its_service() {
    let database = scratch("roles").await;
    let enrollment = database.pool("enrollment");
    let names: Names = sqlx::query_as(WHO_AND_WHERE).fetch_one(&enrollment).await.unwrap();
    assert_eq!(names, ("updraft_enrollment".to_owned(), "enrollment".to_owned()));

    sqlx::query("create table application (n int)").execute(&enrollment).await.unwrap();
    let others = database.pool("sessions");
    let refused = sqlx::query("select n from enrollment.application").execute(&others).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied for schema enrollment"), "{refused}");
    let became = sqlx::query("set role updraft_enrollment").execute(&others).await.unwrap_err();
    assert!(became.to_string().contains("permission denied"), "{became}");
}

#[tokio::test]
async fn no_session_of_a_service_can_leave_an_append_open_for_long() {
    let database = scratch("sessions").await;
    for service in ["enrollment", "matching", "sessions", "analytics", "notifications"] {
        let bounds: Vec<(String, i64)> = sqlx::query_as(
            "select name, setting::bigint from pg_settings
             where name in ('idle_in_transaction_session_timeout', 'statement_timeout') order by name",
        )
        .fetch_all(&database.pool(service))
        .await
        .unwrap();
        let bounds: Vec<_> =
            bounds.iter().map(|(name, milliseconds)| (name.as_str(), *milliseconds)).collect();
        let expected = [("idle_in_transaction_session_timeout", 15_000), ("statement_timeout", 30_000)];
        assert_eq!(bounds, expected, "{service}");
    }
}

#[tokio::test]
async fn the_reader_sees_every_table_but_the_vaults_and_changes_none() {
    let database = scratch("reader").await;
    for owner in ["matching", "vault"] {
        sqlx::query("create table fact (n int)").execute(&database.pool(owner)).await.unwrap();
    }
    let reader = database.pool("reader");
    sqlx::query("select n from matching.fact").execute(&reader).await.unwrap();
    sqlx::query("insert into matching.fact values (1)").execute(&reader).await.unwrap_err();
    sqlx::query("select n from vault.fact").execute(&reader).await.unwrap_err();
}

#[tokio::test]
async fn the_plan_may_run_again_and_in_several_databases_at_once() {
    let cluster = boot::scratch::cluster().await.unwrap();
    let (one, two) = tokio::join!(Database::named(cluster, "one"), Database::named(cluster, "two"));
    one.unwrap().apply().await.unwrap();
    two.unwrap().apply().await.unwrap();
}

#[tokio::test]
async fn a_copy_has_what_its_template_had_and_lives_on_its_own() {
    let fill = async |template: &Database| {
        let table = sqlx::query("create table fact as select 7 as n");
        table.execute(&template.pool("analytics")).await.map(drop)
    };
    let one = boot::scratch::database("copied", fill).await.unwrap();
    let other = boot::scratch::database("copied", fill).await.unwrap();
    sqlx::query("update fact set n = 8").execute(&one.pool("analytics")).await.unwrap();
    let n: i32 = sqlx::query_scalar("select n from fact").fetch_one(&other.pool("analytics")).await.unwrap();
    assert_eq!(n, 7);
}

#[tokio::test]
async fn a_database_is_removed_once_its_test_is_over() {
    let name = scratch("removed").await.name().to_owned();
    let next = scratch("removed").await;
    let there = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(name);
    let there: bool = there.fetch_one(&next.pool("reader")).await.unwrap();
    assert!(!there);
}

#[tokio::test]
async fn an_existing_server_is_used_with_one_login_that_takes_each_role() {
    let folder = Folder::named("url");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    let server = sqlx::PgPool::connect_lazy_with(cluster.superuser_options("postgres"));
    sqlx::query("create role ada login createrole").execute(&server).await.unwrap();
    sqlx::query("create database updraft owner ada").execute(&server).await.unwrap();

    let database = Database::from_url(&url(&cluster, "ada")).unwrap();
    let missing = database.check(&["eventlog", "matching"]).await.unwrap_err();
    let sentence =
        "the database lacks role updraft_eventlog, role updraft_matching, schema eventlog, schema matching";
    assert!(missing.to_string().starts_with(sentence), "{missing}");

    database.apply().await.unwrap();
    database.check(&["eventlog", "matching"]).await.unwrap();
    let names: Names = sqlx::query_as(WHO_AND_WHERE).fetch_one(&database.pool("matching")).await.unwrap();
    assert_eq!(names, ("updraft_matching".to_owned(), "matching".to_owned()));
    cluster.stop().await;
}

#[tokio::test]
async fn a_service_with_a_login_of_its_own_needs_no_other_role() {
    let folder = Folder::named("own");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    Database::private(&cluster).await.unwrap();
    let database = Database::from_url(&url(&cluster, "updraft_matching")).unwrap();
    database.check(&["matching"]).await.unwrap();
    let missing = database.check(&["matching", "sessions"]).await.unwrap_err();
    assert!(matches!(missing, DatabaseError::Unprepared { missing } if missing == "role updraft_sessions"));
    let names: Names = sqlx::query_as(WHO_AND_WHERE).fetch_one(&database.pool("matching")).await.unwrap();
    assert_eq!(names, ("updraft_matching".to_owned(), "matching".to_owned()));
    cluster.stop().await;
}

#[test]
fn the_password_of_a_url_is_not_shown() {
    let database = Database::from_url("postgres://ada:opensesame@localhost/updraft").unwrap();
    assert_eq!(format!("{database:?}"), "Database(\"updraft\")");
}
