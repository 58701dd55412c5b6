//! Read models are made anew while the service goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use boot::rebuild::Progress;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::company::{Company, settings};
use crate::world::World;

const SERVICES: [&str; 5] = ["enrollment", "matching", "sessions", "analytics", "notifications"];

/// Everything about the tables that a swap has to keep: indexes, rights, constraints, defaults, views.
async fn shape(world: &World) -> Vec<(String, String)> {
    sqlx::query_as(
        "with relation as (
             select oid, relnamespace::regnamespace || '.' || relname as name, relacl, relkind
             from pg_class
             where relnamespace = any (array['enrollment', 'matching', 'sessions', 'analytics', 'notifications']::regnamespace[])
         )
         select 'index', pg_get_indexdef(indexrelid) from pg_index join relation on relation.oid = indrelid
         union all
         select 'constraint', name || ' ' || conname || ' ' || pg_get_constraintdef(pg_constraint.oid)
         from pg_constraint join relation on relation.oid = conrelid
         union all
         select 'rights', name || ' ' || right_held::text
         from relation cross join lateral unnest(relacl) as right_held
         union all
         select 'column', name || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
                          || coalesce(' ' || pg_get_expr(adbin, adrelid), '')
         from relation
         join pg_attribute on attrelid = relation.oid and attnum > 0 and relkind in ('r', 'v')
         left join pg_attrdef on adrelid = relation.oid and adnum = attnum
         union all
         select 'view', name || ' ' || pg_get_viewdef(oid) from relation where relkind = 'v'
         order by 1, 2",
    )
    .fetch_all(&admin(world).await)
    .await
    .unwrap()
}

async fn admin(world: &World) -> sqlx::PgPool {
    sqlx::PgPool::connect_with(world.database.admin_options()).await.unwrap()
}

async fn assert_equal_to_a_replay(world: &World) {
    let compared = world.replay().await;
    let differing: Vec<_> = compared.iter().filter(|table| !table.agrees()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

/// Creates editions until it is told to stop; each of them is acknowledged.
async fn create(office: Client, written: Arc<AtomicUsize>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let answer = office.post("/api/v1/editions", json!({ "settings": settings() })).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        written.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_model_is_made_anew_while_others_write() {
    let company = Company::running().await;
    let world = &company.world;
    let broken = [
        "update analytics.sessions set month = 7",
        "delete from sessions.questions",
        "delete from enrollment.people",
    ];
    for statement in broken {
        sqlx::query(statement).execute(&admin(world).await).await.unwrap();
    }
    let before = shape(world).await;
    let (written, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let writers: Vec<_> =
        (0..4).map(|_| tokio::spawn(create(company.office(), Arc::clone(&written), stop.clone()))).collect();
    for service in SERVICES {
        let begun = written.load(Ordering::Relaxed);
        let (progress, watching) = watch::channel(Progress::default());
        let position = world.rebuild(service, progress).await.unwrap();
        let reached = *watching.borrow();
        assert_eq!((reached.position, reached.target), (position, position));
        // They were not kept from writing, and still are not.
        while written.load(Ordering::Relaxed) < begun + 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    stop.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_equal_to_a_replay(world).await;
    assert_eq!(shape(world).await, before);
    let listed = company.office().list("/api/v1/editions", "editions").await;
    assert_eq!(listed.len(), written.load(Ordering::Relaxed) + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_killed_leaves_the_live_tables_and_the_next_one_sweeps() {
    let company = Company::running().await;
    let world = &company.world;
    let before = shape(world).await;
    let (progress, mut watching) = watch::channel(Progress::default());
    tokio::select! {
        _ = world.rebuild("sessions", progress) => panic!("it was to be killed"),
        _ = watching.changed() => {}
    }
    let left = "select count(*) from pg_tables where tablename like '%\\_rebuilt'";
    let left = async || sqlx::query_scalar::<_, i64>(left).fetch_one(&admin(world).await).await.unwrap();
    assert_eq!(left().await, 9);
    assert_equal_to_a_replay(world).await;

    // The server may not have noticed yet that the first one is gone.
    while world.rebuild("sessions", watch::channel(Progress::default()).0).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(left().await, 0);
    assert_eq!(shape(world).await, before);
    assert_equal_to_a_replay(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_is_one_clear_sentence() {
    let world = World::new().await;
    let refused = world.rebuild("nothing", watch::channel(Progress::default()).0).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no service nothing with read models");
}
