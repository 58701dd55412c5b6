//! SCIM as it is said on the wire, and what of it reaches the service.

use identity::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::harness::{Answer, World, send};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A gateway whose service knows one worker of the source `payroll`.
async fn world() -> World {
    let world = World::start().await;
    world.answers("AuthenticateSource", json!({ "sourceId": "payroll" }));
    world.answers("GetWorker", json!({ "worker": stored("5") }));
    world.answers("ListWorkers", json!({ "workers": [stored("5")], "total": 1 }));
    world.answers("PutWorker", json!({ "worker": stored("6"), "outcome": "OUTCOME_UPDATED" }));
    world.answers("RemoveWorker", json!({}));
    world
}

fn stored(etag: &str) -> Value {
    json!({
        "worker": {
            "externalId": "7", "userName": "ada", "givenName": "Ada", "familyName": "Byron", "email": "ada@example.com",
            "employmentStatus": "EMPLOYMENT_STATUS_ACTIVE",
        },
        "createTime": "2013-08-12T07:00:00Z", "updateTime": "2013-08-13T07:00:00Z", "etag": etag,
    })
}

fn ask(world: &World, method: Method, path: &str) -> RequestBuilder {
    world.anonymous(method, &format!("/scim/v2{path}")).bearer_auth("updraft_1_secret")
}

fn body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("Content-Type", "application/scim+json").body(body.to_string())
}

async fn refused(request: RequestBuilder, status: u16, kind: &str) -> Answer {
    let answer = send(request).await;
    let (found, given) = (answer.status, answer.body["scimType"].as_str().unwrap_or_default());
    assert_eq!((found, given), (status, kind), "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/scim+json");
    assert_eq!(
        (&answer.body["schemas"], &answer.body["status"]),
        (&json!([ERROR]), &json!(status.to_string()))
    );
    assert!(answer.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    answer
}

#[tokio::test]
async fn a_path_that_is_no_text_leads_nowhere() {
    let world = world().await;
    for path in ["/Users/%FF", "/Schemas/%FF", "/ResourceTypes/%FF"] {
        refused(ask(&world, Method::GET, path), 404, "").await;
    }
    refused(ask(&world, Method::DELETE, "/Users/%FF"), 404, "").await;
}

#[tokio::test]
async fn only_who_has_a_credential_is_let_in_and_speaks_for_its_source() {
    let world = world().await;
    let answer = refused(world.anonymous(Method::GET, "/scim/v2/Users"), 401, "").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"updraft\"");
    assert_eq!(world.calls(), 0);

    assert_eq!(send(ask(&world, Method::GET, "/Users/7")).await.status, 200);
    let received = world.received();
    assert_eq!(received.message, json!({ "sourceId": "payroll", "externalId": "7" }));
    assert!(
        received.caller.roles.contains(&Role::Hris) && received.caller.source.unwrap().as_str() == "payroll"
    );

    let revoked = proto::status::refusal(Code::Unauthenticated, "CREDENTIAL_INVALID", "It was revoked.");
    world.refuses("AuthenticateSource", revoked);
    for path in ["/Users", "/Users/7", "/Schemas", "/ServiceProviderConfig", "/ResourceTypes/User"] {
        refused(ask(&world, Method::GET, path), 401, "").await;
    }
}

#[tokio::test]
async fn a_user_is_answered_with_its_version_and_only_if_it_has_changed() {
    let world = world().await;
    let answer = send(ask(&world, Method::GET, "/Users/7")).await;
    let address = format!("{}/scim/v2/Users/7", world.url);
    assert_eq!(
        (answer.headers["etag"].as_str(), answer.headers["location"].as_str()),
        ("W/\"5\"", address.as_str())
    );
    assert_eq!(answer.headers["content-type"], "application/scim+json");
    let expected = json!({
        "schemas": [USER], "id": "7", "userName": "ada", "displayName": "Ada Byron", "active": true,
        "name": { "givenName": "Ada", "familyName": "Byron" },
        "emails": [{ "value": "ada@example.com", "type": "work" }],
        "meta": {
            "resourceType": "User", "created": "2013-08-12T07:00:00Z", "lastModified": "2013-08-13T07:00:00Z",
            "location": address, "version": "W/\"5\"",
        },
    });
    assert_eq!(answer.body, expected);
    for known in ["W/\"5\"", "\"5\"", "W/\"4\", W/\"5\"", "*"] {
        let again = send(ask(&world, Method::GET, "/Users/7").header("If-None-Match", known)).await;
        assert_eq!((again.status, again.headers["etag"].as_str()), (304, "W/\"5\""), "{known}");
    }
    let other = send(ask(&world, Method::GET, "/Users/7").header("If-None-Match", "W/\"4\"")).await;
    assert_eq!(other.status, 200);
    let part = send(ask(&world, Method::GET, "/Users/7?attributes=userName")).await;
    assert_eq!(part.body, json!({ "schemas": [USER], "id": "7", "userName": "ada" }));
}

#[tokio::test]
async fn what_is_created_is_stored_under_a_new_id_and_nothing_else_of_it() {
    let world = world().await;
    let user = json!({
        "schemas": [USER], "id": "mine", "userName": "ada", "externalId": "x", "password": "hunter2",
        "phoneNumbers": [{ "value": "1" }], "emails": [{ "value": "ada@example.com", "primary": true }],
    });
    let answer = send(body(ask(&world, Method::POST, "/Users"), &user)).await;
    assert_eq!((answer.status, answer.headers["etag"].as_str()), (201, "W/\"6\""));
    assert!(answer.headers["location"].ends_with("/scim/v2/Users/7"));
    let mut message = world.received().message;
    let id = message["worker"].as_object_mut().unwrap().remove("externalId").unwrap();
    assert!(id.as_str().is_some_and(|id| id.len() == 36), "{id}");
    let expected = json!({
        "sourceId": "payroll", "alias": "x", "etag": "*",
        "worker": { "userName": "ada", "email": "ada@example.com", "employmentStatus": "EMPLOYMENT_STATUS_ACTIVE" },
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_change_is_made_on_what_was_read_and_on_nothing_else() {
    let world = world().await;
    let title =
        json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": "Countess" }] });
    let patch = || body(ask(&world, Method::PATCH, "/Users/7"), &title);
    for tag in ["W/\"5\"", "\"4\", W/\"5\"", "*"] {
        let answer = send(patch().header("If-Match", tag)).await;
        assert_eq!((answer.status, answer.headers["etag"].as_str()), (200, "W/\"6\""), "{tag}");
    }
    let message = world.received().message;
    assert_eq!((&message["etag"], &message["keepBirthDate"]), (&json!("5"), &json!(true)));
    assert_eq!(
        (&message["worker"]["jobTitle"], &message["worker"]["givenName"]),
        (&json!("Countess"), &json!("Ada"))
    );
    let before = world.calls();
    refused(patch().header("If-Match", "W/\"4\""), 412, "").await;
    assert_eq!(world.calls(), before + 2, "it was asked who calls and what there is, and no more");

    let put = body(ask(&world, Method::PUT, "/Users/7"), &json!({ "schemas": [USER], "userName": "ada" }));
    assert_eq!(send(put).await.status, 200);
    let worker = &world.received().message["worker"];
    let whole =
        json!({ "externalId": "7", "userName": "ada", "employmentStatus": "EMPLOYMENT_STATUS_ACTIVE" });
    assert_eq!(*worker, whole);
}

#[tokio::test]
async fn whoever_is_overtaken_tries_again_but_not_for_ever() {
    let world = world().await;
    world.refuses("PutWorker", proto::status::refusal(Code::Aborted, "ETAG_MISMATCH", "Changed."));
    let title = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Countess" }] });
    refused(body(ask(&world, Method::PATCH, "/Users/7"), &title), 409, "").await;
    assert_eq!(world.calls(), 1 + 2 * 5);
}

#[tokio::test]
async fn who_is_deleted_has_left() {
    let world = world().await;
    assert_eq!(send(ask(&world, Method::DELETE, "/Users/7")).await.status, 204);
    let expected = json!({ "sourceId": "payroll", "externalId": "7", "kind": "KIND_LEFT" });
    assert_eq!(world.received().message, expected);
    assert_eq!(send(ask(&world, Method::DELETE, "/Users/7").header("If-Match", "W/\"5\"")).await.status, 204);
    assert_eq!(world.received().message["etag"], "5");
    refused(ask(&world, Method::DELETE, "/Users/7").header("If-Match", "W/\"4\""), 412, "").await;
    world.refuses(
        "RemoveWorker",
        proto::status::refusal(Code::NotFound, "NOT_FOUND", "There is no such worker."),
    );
    refused(ask(&world, Method::DELETE, "/Users/7"), 404, "").await;
}

#[tokio::test]
async fn what_the_service_looks_up_is_asked_of_it() {
    let world = world().await;
    let list = async |query: &str| send(ask(&world, Method::GET, &format!("/Users?{query}"))).await;
    let answer = list("filter=userName%20eq%20%22ada%22&startIndex=3&count=2").await;
    assert_eq!((answer.status, &answer.body["totalResults"]), (200, &json!(1)));
    let expected = json!({ "sourceId": "payroll", "userName": "ada", "skip": 2, "pageSize": 2 });
    assert_eq!(world.received().message, expected);
    list("filter=emails%5Btype%20eq%20%22work%22%5D%20and%20externalId%20eq%20%22x%22").await;
    assert_eq!(world.received().message["alias"], "x");
    list("filter=id%20eq%20%227%22").await;
    assert_eq!(world.received().message, json!({ "sourceId": "payroll", "externalId": "7" }));

    let none = list("count=0").await.body;
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(1), &json!([])));
    world.answers("ListWorkers", json!({ "workers": [stored("5")], "total": 10_001 }));
    refused(ask(&world, Method::GET, "/Users?filter=active%20eq%20true"), 400, "tooMany").await;
    refused(ask(&world, Method::GET, "/Users?filter=colour%20eq%20true"), 400, "invalidFilter").await;
    refused(ask(&world, Method::GET, "/Users?cursor=%21"), 400, "invalidCursor").await;
}

#[tokio::test]
async fn a_list_goes_on_by_its_cursor() {
    let world = world().await;
    world.answers("ListWorkers", json!({ "workers": [stored("5")], "total": 2, "nextPageToken": "WyI3Il0" }));
    let first = send(ask(&world, Method::GET, "/Users?cursor&count=1")).await.body;
    assert_eq!((&first["totalResults"], &first["itemsPerPage"]), (&json!(2), &json!(1)));
    let next = first["nextCursor"].as_str().unwrap();
    world.answers("ListWorkers", json!({ "workers": [stored("5"), stored("5"), stored("5")], "total": 3 }));
    let search = json!({ "cursor": next, "count": 2, "filter": "userName sw \"a\"" });
    let second = send(body(ask(&world, Method::POST, "/.search"), &search)).await.body;
    assert_eq!(world.received().message["pageToken"], "WyI3Il0");
    assert_eq!((&second["totalResults"], &second["itemsPerPage"]), (&Value::Null, &json!(2)));
    let search = json!({ "cursor": second["nextCursor"], "count": 2, "filter": "userName sw \"a\"" });
    send(body(ask(&world, Method::POST, "/Users/.search"), &search)).await;
    let asked = world.received().message;
    assert_eq!((&asked["pageToken"], &asked["skip"]), (&json!("WyI3Il0"), &json!(2)));
}

#[tokio::test]
async fn every_refusal_is_one_of_scim() {
    let world = world().await;
    refused(ask(&world, Method::GET, "/Unicorns"), 404, "").await;
    refused(ask(&world, Method::GET, "/Schemas/urn:example:Unicorn"), 404, "").await;
    refused(ask(&world, Method::GET, "/Schemas?filter=id%20pr"), 403, "").await;
    refused(ask(&world, Method::DELETE, "/Schemas"), 405, "").await;
    refused(ask(&world, Method::POST, "/Bulk"), 501, "").await;
    refused(ask(&world, Method::GET, "/Me"), 501, "").await;
    let post = || ask(&world, Method::POST, "/Users");
    refused(post().body("{}"), 415, "").await;
    refused(post().header("Content-Type", "application/json").body("{\"userName\":"), 400, "invalidSyntax")
        .await;
    refused(body(post(), &json!({ "schemas": [USER] })), 400, "invalidValue").await;
    let large = json!({ "userName": "x".repeat(1 << 20) });
    refused(body(post(), &large), 413, "").await;

    let taken = proto::status::refusal(Code::AlreadyExists, "DUPLICATE_USER_NAME", "The name is taken.");
    world.refuses("PutWorker", taken);
    refused(body(post(), &json!({ "userName": "ada" })), 409, "uniqueness").await;
    let issue =
        json!({ "field": "worker.email", "reason": "NOT_AN_ADDRESS", "message": "It is no address." });
    world.answers("PutWorker", json!({ "outcome": "OUTCOME_REJECTED", "issues": [issue] }));
    let answer = refused(body(post(), &json!({ "userName": "ada" })), 400, "invalidValue").await;
    assert_eq!(answer.body["detail"], "emails: It is no address.");
    world.refuses("GetWorker", Status::unavailable("10.0.0.7 refused"));
    let answer = refused(ask(&world, Method::GET, "/Users/7"), 503, "").await;
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(!answer.body.to_string().contains("10.0.0.7"));
}

#[tokio::test]
async fn what_is_advertised_says_where_it_is() {
    let world =
        World::with(|config, _| config.public_url = Some("https://hr.example.com/".parse().unwrap())).await;
    world.answers("AuthenticateSource", json!({ "sourceId": "payroll" }));
    let get = async |path: &str| send(ask(&world, Method::GET, path)).await.body;
    let config = get("/ServiceProviderConfig").await;
    for supported in ["patch", "filter", "etag"] {
        assert_eq!(config[supported]["supported"], true, "{supported}");
    }
    for not in ["bulk", "sort", "changePassword"] {
        assert_eq!(config[not]["supported"], false, "{not}");
    }
    assert_eq!(config["pagination"]["cursor"], true);
    let schemas = get("/Schemas").await;
    assert_eq!(schemas["totalResults"], 4);
    for schema in schemas["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(schema["meta"]["location"], format!("https://hr.example.com/scim/v2/Schemas/{id}"));
        assert_eq!(get(&format!("/Schemas/{id}")).await, *schema);
    }
    assert_eq!(get("/ResourceTypes").await["Resources"][0], get("/ResourceTypes/User").await);
}
