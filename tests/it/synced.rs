//! The same company by a file, by gRPC and by SCIM is the same directory.

use std::collections::BTreeMap;

use proto::hris::sync_run::State;
use serde_json::{Value, json};

use crate::company::ADVENTUREWORKS;
use crate::hris::payroll::{Payroll, workers_of};
use crate::scim::{client, secret, send_roster};
use crate::world::World;

/// Everybody by personnel number, as the programme knows them. Ids of people are each system's own; those of units follow from names.
async fn directory(world: &World) -> BTreeMap<String, Value> {
    let pool = world.database.pool("enrollment");
    let units: Vec<(String, String)> =
        sqlx::query_as("select person_id::text, org_unit_id::text from people")
            .fetch_all(&pool)
            .await
            .unwrap();
    let units: BTreeMap<_, _> = units.into_iter().collect();
    let people = world.office(None).list("/api/v1/people", "people").await;
    let text = |person: &Value, field: &str| person[field].as_str().unwrap().to_owned();
    let numbers: BTreeMap<_, _> =
        people.iter().map(|person| (text(person, "personId"), text(person, "employeeNumber"))).collect();
    let known = |mut person: Value| {
        let (id, number) = (text(&person, "personId"), text(&person, "employeeNumber"));
        let superior = numbers.get(&text(&person, "managerPersonId"));
        person["managerPersonId"] = json!(superior);
        person["orgUnitId"] = json!(units[&id]);
        person["personId"] = Value::Null;
        (number, person)
    };
    people.into_iter().map(known).collect()
}

async fn by_file() -> BTreeMap<String, Value> {
    let world = World::new().await;
    let operation = world.office(None).import(ADVENTUREWORKS).await;
    assert_eq!(
        (&operation["state"], &operation["progressPercent"]),
        (&json!("STATE_SUCCEEDED"), &json!(100))
    );
    assert_eq!(operation["counts"]["created"], 290, "{operation:#}");
    directory(&world).await
}

async fn by_grpc() -> BTreeMap<String, Value> {
    let world = World::new().await;
    let run = Payroll::new(&world, "payroll").await.snapshot(&workers_of(ADVENTUREWORKS)).await;
    assert_eq!((run.state(), run.stats.unwrap().created), (State::Committed, 290));
    directory(&world).await
}

async fn by_scim() -> BTreeMap<String, Value> {
    let world = World::new().await;
    send_roster(&client(&world, &secret(&world, "entra", 0).await)).await;
    directory(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_the_same_by_a_file_by_grpc_and_by_scim() {
    let by_file = by_file().await;
    let mut levels = BTreeMap::new();
    for person in by_file.values() {
        *levels.entry(person["level"].as_i64().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(levels, BTreeMap::from([(0, 1), (1, 7), (2, 48), (3, 206), (4, 28)]));
    for (way, directory) in [("gRPC", by_grpc().await), ("SCIM", by_scim().await)] {
        for (number, person) in &by_file {
            assert_eq!(directory.get(number), Some(person), "{number} by {way}");
        }
        assert_eq!(directory.len(), by_file.len());
    }
}
