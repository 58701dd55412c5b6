//! Every read model is a fold of the events, and a replay proves it.

use crate::company::Company;

#[tokio::test(flavor = "multi_thread")]
async fn every_read_model_equals_a_replay_and_a_tampered_one_does_not() {
    let company = Company::running().await;
    let compared = company.world.replay().await;
    let differing: Vec<_> = compared.iter().filter(|table| !table.agrees()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    let rows: i64 = compared.iter().map(|table| table.rows).sum();
    assert!(rows > 100, "there is something to compare: {rows} rows");

    let pool = company.world.database.pool("analytics");
    sqlx::query("update sessions set month = 7 where month = 6").execute(&pool).await.unwrap();
    let compared = company.world.replay().await;
    let differing: Vec<_> =
        compared.iter().filter(|table| !table.agrees()).map(|table| table.table.as_str()).collect();
    assert_eq!(differing, ["analytics.sessions"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_services_role_can_neither_change_nor_delete_an_event() {
    let company = Company::open().await;
    for service in ["enrollment", "matching", "sessions", "analytics", "notifications"] {
        let pool = company.world.database.pool(service);
        for statement in [
            "update eventlog.events set version = 9",
            "delete from eventlog.events",
            "truncate eventlog.events",
        ] {
            let refused = sqlx::query(statement).execute(&pool).await.unwrap_err();
            assert_eq!(
                refused.as_database_error().unwrap().code().unwrap(),
                "42501",
                "{service}: {statement}"
            );
        }
        let other = if service == "matching" { "sessions.series" } else { "matching.tandems" };
        let peeked = sqlx::query(sqlx::AssertSqlSafe(format!("select * from {other}"))).execute(&pool).await;
        assert_eq!(
            peeked.unwrap_err().as_database_error().unwrap().code().unwrap(),
            "42501",
            "{service} reads {other}"
        );
    }
}
