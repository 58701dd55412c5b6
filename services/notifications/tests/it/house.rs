//! The service in a process of its own: it follows the log, answers its caller, and stands a replay.

use boot::database::{Database, DatabaseError};
use boot::{Clock, House, Ports, Serving, UPDRAFT_AFTER, scratch};
use clap::Parser;
use eventlog::{Draft, Recorded};
use identity::{Attest, Caller, EditionId, Keys, ObligationId, PersonId, Role};
use jiff_sqlx::ToSqlx;
use notifications::Notifications;
use proto::enrollment as e;
use proto::notifications::ListNotificationsRequest;
use proto::notifications::notification::{Kind, State};
use proto::notifications::notifications_service_client::NotificationsServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use vault::MasterKey;

use crate::stage::{MONDAY, at, config};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    process: boot::Config,
}

async fn house(database: &Database, keys: &Keys) -> House {
    let master = MasterKey::from_bytes(&[7; 32]).unwrap();
    let clock = Clock::manual(at(MONDAY));
    let mut house = House::on(database.clone(), None, clock, keys.clone(), master).await.unwrap();
    house.add::<Notifications>(config(&[]).unwrap()).await.unwrap();
    house
}

async fn serving(house: House) -> Serving {
    let ports = ["notifications", "--grpc-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];
    let config = Cli::parse_from(ports).process;
    house.serve(Ports::take(&config).await.unwrap(), &config).await.unwrap()
}

/// Records an event as another service would, and answers with its position.
async fn record<M: prost::Message + prost::Name>(database: &Database, message: &M) -> i64 {
    let event: Recorded = Draft::of(message).rehearsed();
    let id = PersonId::mint().uuid();
    let sql = "insert into eventlog.events
                   (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
               values ('rehearsal', $1, 1, $1, $2, 1, $3, $4)
               returning position";
    let insert = sqlx::query_scalar(sql).bind(id).bind(event.name).bind(event.payload);
    insert.bind(at(MONDAY).to_sqlx()).fetch_one(&database.pool("enrollment")).await.unwrap()
}

async fn channel(serving: &Serving) -> Channel {
    Endpoint::from_shared(format!("http://{}", serving.grpc)).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn the_own_messages_are_listed_once_the_log_is_followed_and_a_replay_agrees() {
    let untouched = async |_: &Database| Ok::<_, DatabaseError>(());
    let database = scratch::database("notifications_house", untouched).await.unwrap();
    let keys = Keys::generate().unwrap();
    let serving = serving(house(&database, &keys).await).await;

    let (edition, person) = (EditionId::mint().to_string(), PersonId::mint());
    let rules = e::EditionRules { time_zone: "Europe/Berlin".to_owned(), ..Default::default() };
    let created = e::EditionCreated { edition_id: edition.clone(), rules: Some(rules), ..Default::default() };
    record(&database, &created).await;
    let raised = e::ObligationRaised {
        obligation_id: ObligationId::mint().to_string(),
        edition_id: edition,
        person_id: person.to_string(),
        due_date: "2013-09-16".to_owned(),
    };
    let position = record(&database, &raised).await;

    let own = Attest::new(keys.clone(), Caller::of(person, [Role::Participant]));
    let mut client = NotificationsServiceClient::with_interceptor(channel(&serving).await, own);
    let mut request = Request::new(ListNotificationsRequest::default());
    request.metadata_mut().insert(UPDRAFT_AFTER, position.to_string().parse().unwrap());
    let listed = client.list_notifications(request).await.unwrap().into_inner().notifications;
    let told: Vec<_> = listed.iter().map(|it| (it.kind(), it.state(), it.subject_id.as_str())).collect();
    assert_eq!(told, [(Kind::ObligationDue, State::Pending, raised.obligation_id.as_str())]);

    let system = Attest::new(keys.clone(), Caller::system(Role::Office));
    let mut client = NotificationsServiceClient::with_interceptor(channel(&serving).await, system);
    let refused = client.list_notifications(ListNotificationsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    serving.drain().await;

    let house = house(&database, &keys).await;
    let compared = house.replay().await.unwrap();
    house.close().await;
    assert!(compared.iter().all(boot::replay::Compared::agrees), "{compared:?}");
    assert!(compared.iter().any(|table| table.table == "notifications.messages" && table.rows == 1));
}
