//! Who feeds the directory: the office names the sources, and each identifies itself by a secret or a certificate.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use identity::{Caller, Role};
use proto::hris::{
    AuthenticateSourceRequest, CreateSyncRunRequest, GetSyncRunRequest, SyncMode, UpsertWorkersRequest,
    authenticate_source_request::Credential, hris_sync_service_client::HrisSyncServiceClient,
    source_service_client::SourceServiceClient,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::client::{Answer, Client};
use crate::rpc::{by, channel};
use crate::world::World;

/// A source that the office has just added.
pub async fn add(office: &Client, source: &str, owns: &[&str]) -> Value {
    office.post("/api/v1/sources", json!({ "sourceId": source, "owns": owns })).await.ok()
}

/// A credential of a source: its identifier, and its secret.
pub async fn make_secret(office: &Client, source: &str) -> (String, String) {
    let path = format!("/api/v1/sources/{source}/credentials");
    let made = office.post(&path, json!({ "kind": "KIND_SECRET" })).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["credential"]["credentialId"]), text(&made["secret"]))
}

async fn revoke(office: &Client, source: &str, credential: &str) -> Answer {
    let path = format!("/api/v1/sources/{source}/credentials/{credential}/revoke");
    office.post(&path, json!({})).await
}

/// Asks for a token with these parameters, and perhaps HTTP Basic.
async fn ask(world: &World, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> (u16, Value, String) {
    let mut request = reqwest::Client::new().post(format!("http://{}/oauth2/token", world.rest())).form(form);
    if let Some((client, secret)) = basic {
        let encoded = BASE64_STANDARD.encode(format!("{client}:{secret}"));
        request = request.header("authorization", format!("Basic {encoded}"));
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap(), challenge.unwrap_or_default())
}

/// A token for a secret.
pub async fn token(world: &World, source: &str, secret: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("client_id", source), ("client_secret", secret)];
    let (status, answer, _) = ask(world, &form, None).await;
    assert_eq!(status, 200, "{answer:#}");
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn refused_token(world: &World, source: &str, secret: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("client_id", source), ("client_secret", secret)];
    let (status, answer, challenge) = ask(world, &form, None).await;
    assert_eq!((status, challenge.as_str()), (401, "Basic realm=\"updraft\""), "{answer:#}");
    answer["error"].as_str().unwrap().to_owned()
}

/// A call that bears a token.
pub fn bearing<M>(token: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// What a call is answered that asks for a run which is not there: `NOT_FOUND`, if it is known who calls.
pub async fn knock(
    hris: &mut HrisSyncServiceClient<Channel>,
    request: impl Fn(GetSyncRunRequest) -> Request<GetSyncRunRequest>,
) -> Status {
    let sync_run_id = "0193a1b2-0000-7000-8000-000000000001".to_owned();
    hris.get_sync_run(request(GetSyncRunRequest { sync_run_id })).await.unwrap_err()
}

/// A run to be opened.
pub fn opening(source: &str, request_id: &str) -> CreateSyncRunRequest {
    CreateSyncRunRequest {
        source_id: source.to_owned(),
        mode: SyncMode::Delta.into(),
        request_id: request_id.to_owned(),
        ..CreateSyncRunRequest::default()
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_adds_sources_and_each_attribute_has_one_owner() {
    let world = World::new().await;
    let office = world.office(None);
    let added = office
        .post(
            "/api/v1/sources",
            json!({ "sourceId": "payroll", "owns": ["ATTRIBUTE_HIRE_DATE"], "graceDays": 14 }),
        )
        .await;
    assert_eq!(added.status, 201);
    assert_eq!(added.headers["location"], "/api/v1/sources/payroll");
    let added = added.ok();
    assert_eq!((&added["rank"], &added["graceDays"]), (&json!(2), &json!(14)));

    office.post("/api/v1/sources", json!({ "sourceId": "payroll" })).await.refused(409, "SOURCE_EXISTS");
    let owned = json!({ "sourceId": "scim", "owns": ["ATTRIBUTE_NAME", "ATTRIBUTE_HIRE_DATE"] });
    let refused = office.post("/api/v1/sources", owned).await.refused(409, "ATTRIBUTE_OWNED");
    assert_eq!(
        refused["detail"],
        "hire_date is owned by the source payroll; take it from that source first."
    );
    for name in ["", "Payroll", "pay roll"] {
        office.post("/api/v1/sources", json!({ "sourceId": name })).await.refused(422, "INVALID_FIELDS");
    }

    let put = async |source: &str, body: Value| {
        office.send(reqwest::Method::PUT, &format!("/api/v1/sources/{source}"), Some(body), &[]).await
    };
    put("payroll", json!({ "owns": ["ATTRIBUTE_EMPLOYMENT"] })).await.ok();
    put("roster", json!({ "owns": ["ATTRIBUTE_EMPLOYMENT"] })).await.refused(409, "ATTRIBUTE_OWNED");
    put("roster", json!({ "owns": ["ATTRIBUTE_HIRE_DATE"] })).await.ok();
    put("nobody", json!({})).await.refused(404, "NOT_FOUND");
    put("roster", json!({ "sourceId": "payroll" })).await.refused(422, "INVALID_FIELDS");
    let twice = json!({ "owns": ["ATTRIBUTE_NAME", "ATTRIBUTE_NAME"] });
    put("roster", twice).await.refused(422, "INVALID_FIELDS");

    let listed = office.get("/api/v1/sources").await.ok();
    let shown: Vec<_> =
        listed["sources"].as_array().unwrap().iter().map(|s| (&s["sourceId"], &s["owns"])).collect();
    assert_eq!(
        shown,
        [
            (&json!("roster"), &json!(["ATTRIBUTE_HIRE_DATE"])),
            (&json!("payroll"), &json!(["ATTRIBUTE_EMPLOYMENT"]))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_over_the_rules_sees_the_sources_and_not_what_they_identify_themselves_with() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &["ATTRIBUTE_NAME"]).await;
    let (_, secret) = make_secret(&office, "payroll").await;
    for role in [Role::WorksCouncil, Role::Auditor] {
        let watching = world.client(&Caller::system(role));
        let listed = watching.get("/api/v1/sources").await.ok();
        assert_eq!(listed["sources"][1]["owns"], json!(["ATTRIBUTE_NAME"]));
        let credentials = watching.get("/api/v1/sources/payroll/credentials").await;
        credentials.refused(403, "PERMISSION_DENIED");
        watching
            .post("/api/v1/sources", json!({ "sourceId": "own" }))
            .await
            .refused(403, "PERMISSION_DENIED");
    }
    // Whoever feeds the directory does not say who may.
    let payroll = Client::new(world.rest(), Some(token(&world, "payroll", &secret).await));
    payroll.post("/api/v1/sources", json!({ "sourceId": "own" })).await.refused(403, "PERMISSION_DENIED");
    payroll.get("/api/v1/sources/payroll/credentials").await.refused(403, "PERMISSION_DENIED");

    let listed = office.get("/api/v1/sources/payroll/credentials").await.ok();
    assert!(!listed.to_string().contains(&secret), "{listed:#}");
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select sha256 from source_credentials")
        .fetch_all(&world.database.pool("enrollment"))
        .await
        .unwrap();
    assert_eq!(kept, [<sha2::Sha256 as sha2::Digest>::digest(&secret).to_vec()]);
    let events: Vec<Vec<u8>> =
        sqlx::query_scalar("select payload from eventlog.events where stream_kind = 'source'")
            .fetch_all(&world.database.pool("reader"))
            .await
            .unwrap();
    assert_eq!(events.len(), 2);
    let random = secret.rsplit_once('_').unwrap().1;
    let tells =
        |event: &[u8]| event.windows(32).any(|bytes| bytes == kept[0] || bytes == &random.as_bytes()[..32]);
    assert!(!events.iter().any(|event| tells(event)), "an event tells a secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_exchanged_without_a_gap() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let (old, old_secret) = make_secret(&office, "payroll").await;
    let (_, new_secret) = make_secret(&office, "payroll").await;
    let path = "/api/v1/sources/payroll/credentials";
    office.post(path, json!({ "kind": "KIND_SECRET" })).await.refused(409, "TWO_CREDENTIALS_HOLD");

    let mut hris = HrisSyncServiceClient::new(channel(&world).await);
    let bearer = token(&world, "payroll", &old_secret).await;
    let run =
        hris.create_sync_run(bearing(&bearer, opening("payroll", "0193a1b2-0000-7000-8000-000000000001")));
    let run = run.await.unwrap().into_inner().sync_run.unwrap().sync_run_id;
    let (records, stream) = mpsc::channel(1);
    let answers = hris.upsert_workers(bearing(&bearer, ReceiverStream::new(stream)));
    let send = async |client_ref| {
        let record = UpsertWorkersRequest { sync_run_id: run.clone(), client_ref, change: None };
        records.send(record).await.unwrap();
    };
    let (answers, ()) = tokio::join!(answers, send(1));
    let mut answers = answers.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().client_ref, 1);

    revoke(&office, "payroll", &old).await.ok();
    assert_eq!(refused_token(&world, "payroll", &old_secret).await, "invalid_client");
    // What is open goes on, and the new secret opens what comes next.
    send(2).await;
    assert_eq!(answers.message().await.unwrap().unwrap().client_ref, 2);
    let bearer = token(&world, "payroll", &new_secret).await;
    let found = hris.get_sync_run(bearing(&bearer, GetSyncRunRequest { sync_run_id: run.clone() })).await;
    assert_eq!(found.unwrap().into_inner().sync_run.unwrap().sync_run_id, run);

    let (third, _) = make_secret(&office, "payroll").await;
    let listed = office.get(path).await.ok();
    let listed = listed["credentials"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["credentialId"]), (3, &json!(third)));
    assert_eq!(listed[2]["credentialId"], json!(old));
    assert!(listed[2]["revokeTime"].is_string() && listed[1]["revokeTime"].is_null(), "{listed:#?}");
    // To the hour, so that a busy source does not write with every call.
    assert_eq!(
        (&listed[1]["lastUseTime"], &listed[0]["lastUseTime"]),
        (&json!("2013-08-12T07:00:00Z"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_credential_and_shows_its_secret_once() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let path = "/api/v1/sources/payroll/credentials";
    let make = async || {
        let body = json!({ "kind": "KIND_SECRET" });
        let key = [("idempotency-key", "first")];
        office.send(reqwest::Method::POST, path, Some(body), &key).await.ok()
    };
    let (first, again) = (make().await, make().await);
    assert_eq!(first["credential"], again["credential"]);
    assert_eq!((first["secret"].as_str().unwrap().len(), &again["secret"]), (105, &json!("")));
    assert_eq!(office.get(path).await.ok()["credentials"].as_array().unwrap().len(), 1);
    revoke(&office, "roster", first["credential"]["credentialId"].as_str().unwrap())
        .await
        .refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_handed_out_as_the_standard_has_it() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let (_, secret) = make_secret(&office, "payroll").await;
    let grant = ("grant_type", "client_credentials");
    let (id, password) = (("client_id", "payroll"), ("client_secret", secret.as_str()));

    let (status, answer, _) = ask(&world, &[grant], Some(("payroll", &secret))).await;
    assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("Bearer"), &json!(600)));
    let bearer = answer["access_token"].as_str().unwrap();
    let part = |at: usize| -> Value {
        let part = bearer.split('.').nth(at).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (head, claims) = (part(0), part(1));
    assert_eq!(head["typ"], "at+jwt");
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("updraft"), &json!("hris:payroll")));
    assert_eq!((&claims["source"], &claims["roles"]), (&json!("payroll"), &json!(["hris"])));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
    let mut hris = HrisSyncServiceClient::new(channel(&world).await);
    let known = knock(&mut hris, |message| bearing(bearer, message)).await;
    assert_eq!(known.code(), Code::NotFound, "{known}");

    let refusals = [
        (&[id, password][..], None, "invalid_request"),
        (&[("grant_type", "password"), id, password], None, "unsupported_grant_type"),
        (&[grant, id, password, ("scope", "everything")], None, "invalid_scope"),
        (&[grant, id, password, password], None, "invalid_request"),
        (&[grant, id, password], Some(("payroll", secret.as_str())), "invalid_request"),
        (&[grant, id], None, "invalid_client"),
        (&[grant, ("client_id", "roster"), password], None, "invalid_client"),
        (&[grant], Some(("payroll", "updraft_wrong")), "invalid_client"),
    ];
    for (form, basic, error) in refusals {
        let (status, answer, challenge) = ask(&world, form, basic).await;
        assert_eq!(answer["error"], error, "{form:?}");
        assert_eq!(status, if error == "invalid_client" { 401 } else { 400 }, "{form:?}");
        assert_eq!(!challenge.is_empty(), error == "invalid_client", "{form:?}");
    }
    let http = reqwest::Client::new();
    let no_form =
        http.post(format!("http://{}/oauth2/token", world.rest())).json(&json!({})).send().await.unwrap();
    assert_eq!(no_form.json::<Value>().await.unwrap()["error"], "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_not_tried_out_and_nobody_else_is_locked_out() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let [(_, first), (_, second)] =
        [make_secret(&office, "payroll").await, make_secret(&office, "payroll").await];
    let wrong = format!("{}_{}", first.rsplit_once('_').unwrap().0, "0".repeat(64));
    for _ in 0..10 {
        assert_eq!(refused_token(&world, "payroll", &wrong).await, "invalid_client");
    }
    let form = [("grant_type", "client_credentials"), ("client_id", "payroll"), ("client_secret", &*first)];
    let (status, answer, _) = ask(&world, &form, None).await;
    assert_eq!((status, &answer["error"]), (429, &json!("temporarily_unavailable")));
    token(&world, "payroll", &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_reaches_its_own_records_alone() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    add(&office, "scim", &[]).await;
    let (_, secret) = make_secret(&office, "payroll").await;
    let payroll = token(&world, "payroll", &secret).await;
    let mut hris = HrisSyncServiceClient::new(channel(&world).await);
    let [first, second] = [1, 2].map(|number| format!("0193a1b2-0000-7000-8000-00000000000{number}"));
    let foreign = hris.create_sync_run(bearing(&payroll, opening("scim", &first))).await.unwrap_err();
    assert_eq!((foreign.code(), reason(&foreign).as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
    let run = hris.create_sync_run(bearing(&payroll, opening("payroll", &first))).await.unwrap().into_inner();
    let run = GetSyncRunRequest { sync_run_id: run.sync_run.unwrap().sync_run_id };
    let scim = Caller::hris("scim".parse().unwrap());
    let foreign = hris.get_sync_run(by(&world, &scim, run.clone())).await.unwrap_err();
    assert!(matches!(foreign.code(), Code::PermissionDenied | Code::NotFound), "{foreign}");
    let nobody = Caller::system(Role::Hris);
    let refused = hris.create_sync_run(by(&world, &nobody, opening("scim", &second))).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    hris.get_sync_run(by(&world, &Caller::system(Role::Office), run)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_systems_own_services_ask_whose_a_secret_is() {
    let world = World::new().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let (_, secret) = make_secret(&office, "payroll").await;
    let mut sources = SourceServiceClient::new(channel(&world).await);
    let asked =
        |secret: &str| AuthenticateSourceRequest { credential: Some(Credential::Secret(secret.to_owned())) };
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Service) {
        let refused = sources.authenticate_source(by(&world, &Caller::system(role), asked(&secret))).await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied, "{role}");
    }
    let service = Caller::system(Role::Service);
    let known = sources.authenticate_source(by(&world, &service, asked(&secret))).await.unwrap();
    assert_eq!(known.into_inner().source_id, "payroll");
    let (credential, _) = secret.rsplit_once('_').unwrap();
    for wrong in ["", "updraft_", credential, &format!("{credential}_{}", "0".repeat(64))] {
        let refused = sources.authenticate_source(by(&world, &service, asked(wrong))).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::Unauthenticated, "CREDENTIAL_INVALID")
        );
    }
}
