//! Uploads that break off: by a failure, with their process, or because it is to end.

use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::timeout;

use super::{MANY, PATIENCE, ended, other_company, started};
use crate::company::roster;
use crate::world::World;

async fn admin(world: &World) -> PgPool {
    PgPool::connect_with(world.database.admin_options()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_outlives_the_start_of_another_process_and_is_given_up_with_its_own() {
    let world = World::new().await;
    let (office, admin) = (world.office(None), admin(&world).await);
    let lock_lines = async || {
        let mut lines = admin.begin().await.unwrap();
        sqlx::query("lock table enrollment.operation_lines in exclusive mode")
            .execute(&mut *lines)
            .await
            .unwrap();
        lines
    };
    let locked = lock_lines().await;
    let first = started(&office).await;
    let beside = world.beside().await;
    beside.set_clock("2013-08-12T08:00:00Z").await;
    assert_eq!(office.get(&first).await.ok()["state"], "STATE_RUNNING");
    locked.rollback().await.unwrap();
    let done = ended(&office, &first).await;
    assert_eq!(
        (&done["state"], &done["counts"]["created"]),
        (&"STATE_SUCCEEDED".into(), &16.into()),
        "{done:#}"
    );

    // Of a process that is gone the server knows by its sessions, and this is the one that shows that it lives.
    let locked = lock_lines().await;
    let second = started(&office).await;
    let gone = "select count(pg_terminate_backend(pid)) from pg_locks
                where locktype = 'advisory' and mode = 'ShareLock' and granted
                  and database = (select oid from pg_database where datname = current_database())
                  and (classid::bigint << 32 | objid::bigint) = hashtextextended(
                      'imports' || (select runner::text from enrollment.operations where state = 'running'), 0)";
    let cut = async || sqlx::query_scalar::<_, i64>(gone).fetch_one(&admin).await.unwrap();
    assert_eq!(cut().await, 1);
    // Whoever still lives shows it again before the others look.
    world.set_clock("2013-08-12T08:00:00Z").await;
    beside.set_clock("2013-08-12T08:30:00Z").await;
    assert_eq!(office.get(&second).await.ok()["state"], "STATE_RUNNING");
    assert_eq!(cut().await, 1);
    let mut clock = 9;
    while office.get(&second).await.ok()["state"] == "STATE_RUNNING" {
        beside.set_clock(&format!("2013-08-12T{clock:02}:00:00Z")).await;
        clock += 1;
    }
    let given_up = office.get(&second).await.ok();
    assert!(given_up["detail"].as_str().unwrap().starts_with("The service was restarted"), "{given_up:#}");
    locked.rollback().await.unwrap();
    assert_eq!(beside.office(None).import(roster()).await["counts"]["unchanged"], 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_of_an_upload_that_breaks_off_is_closed_as_soon_as_it_can_be() {
    let world = World::new().await;
    let (office, admin) = (world.office(None), admin(&world).await);
    for statement in [
        "create sequence enrollment.attempts",
        "grant all on sequence enrollment.attempts to public",
        "create function enrollment.break() returns trigger language plpgsql as
         $$ begin perform nextval('enrollment.attempts'); raise exception 'broken'; end $$",
        "create trigger broken before insert on enrollment.operation_lines for each row execute function enrollment.break()",
        "create trigger broken before update on enrollment.sync_runs for each row when (new.state = 'aborted')
         execute function enrollment.break()",
    ] {
        sqlx::query(statement).execute(&admin).await.unwrap();
    }
    let broken = started(&office).await;
    let waiting = started(&office).await;
    // Once for the lines, once for the run.
    let attempts = "select last_value from enrollment.attempts";
    let tried = async {
        while sqlx::query_scalar::<_, i64>(attempts).fetch_one(&admin).await.unwrap() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, tried).await.expect("an attempt");
    for table in ["operation_lines", "sync_runs"] {
        let statement = format!("drop trigger broken on enrollment.{table}");
        sqlx::query(AssertSqlSafe(statement)).execute(&admin).await.unwrap();
    }
    assert_eq!(ended(&office, &broken).await["state"], "STATE_FAILED");
    for next in [ended(&office, &waiting).await, office.import(roster()).await] {
        let expected = (&"STATE_SUCCEEDED".into(), &16.into());
        assert_eq!((&next["state"], &next["counts"]["unchanged"]), expected, "{next:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_between_two_of_its_batches_when_its_process_is_to_end() {
    let world = World::new().await;
    let after = world.beside().await;
    let office = world.office(None);
    let started = office.upload("/api/v1/imports", other_company(MANY)).await.ok();
    let path = format!("/api/v1/operations/{}", started["operationId"].as_str().unwrap());
    let begun = async { while office.get(&path).await.ok()["progressPercent"] == 0 {} };
    timeout(PATIENCE, begun).await.expect("a first batch");
    world.whole.drain().await;

    let office = after.office(None);
    let stopped = office.get(&path).await.ok();
    assert_eq!(stopped["state"], "STATE_FAILED");
    assert!(stopped["detail"].as_str().unwrap().starts_with("The service was stopped"), "{stopped:#}");
    let run = office.get(&format!("/api/v1/sync-runs/{}", stopped["syncRunId"].as_str().unwrap())).await.ok();
    assert_eq!(run["state"], "STATE_ABORTED");
    let created: usize = run["stats"]["created"].as_str().unwrap().parse().unwrap();
    assert!((1..MANY).contains(&created), "{run:#}");
    let there: i64 = sqlx::query_scalar("select count(*) from people")
        .fetch_one(&after.database.pool("enrollment"))
        .await
        .unwrap();
    assert_eq!(usize::try_from(there).unwrap(), created, "what is counted is there, and no more");
}
