use gateway::{Config, Services};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{EDITION, World, refused, send};

async fn world() -> World {
    let world = World::with(|config, _| config.identity_page = true).await;
    let ken = json!({
        "personId": EDITION, "givenName": "Ken", "familyName": "<b>Sánchez", "jobTitle": "Chief Executive Officer",
        "department": "Executive", "leadsOthers": true, "state": "STATE_ACTIVE",
    });
    let gone = json!({"personId": EDITION, "givenName": "Gone", "familyName": "Away", "state": "STATE_LEFT"});
    world.answers("ListPeople", json!({"people": [ken, gone]}));
    world
}

fn sign_in(world: &World, form: &[(&str, &str)]) -> RequestBuilder {
    world.anonymous(Method::POST, "/sign-in").header("Sec-Fetch-Site", "same-origin").form(form)
}

/// Signs in as the office and answers with the cookie.
async fn cookie(world: &World) -> String {
    let answer = send(sign_in(world, &[("person", EDITION), ("role", "office")])).await;
    assert_eq!((answer.status, answer.headers["location"].as_str()), (303, "/"));
    let cookie = &answer.headers["set-cookie"];
    assert!(cookie.contains("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

async fn page(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    response.text().await.unwrap()
}

#[tokio::test]
async fn off_loopback_the_identity_page_is_refused_in_one_sentence() {
    let keys = identity::Keys::generate().unwrap();
    let listen = "0.0.0.0:8080".parse().unwrap();
    let services = Services::at(listen);
    let mut config = Config { listen, identity_page: true, ..Config::default() };
    let refused = gateway::router(&config, &services, keys.clone()).unwrap_err().to_string();
    assert!(refused.contains("0.0.0.0:8080") && refused.contains("UPDRAFT_IDENTITY_PAGE"), "{refused}");
    config.identity_page = false;
    assert!(gateway::router(&config, &services, keys).is_ok());
}

#[tokio::test]
async fn the_page_lists_who_works_here_and_says_what_it_is() {
    let world = world().await;
    let html = page(world.anonymous(Method::GET, "/sign-in")).await;
    assert!(html.contains("anyone on this machine can be anyone"));
    assert!(html.contains("Ken &lt;b&gt;Sánchez") && !html.contains("<b>Sánchez"));
    assert!(!html.contains("Gone Away"));
    assert!(world.received().caller.is(identity::Role::Service));
    let html = page(world.anonymous(Method::GET, "/sign-in?q=nobody%22%3E")).await;
    assert!(html.contains("Nobody of that name") && html.contains("value=\"nobody&quot;&gt;\""));
}

#[tokio::test]
async fn a_cookie_stands_for_a_token_on_our_own_pages_only() {
    let world = world().await;
    let cookie = cookie(&world).await;
    let with = |method, path: &str| world.anonymous(method, path).header("Cookie", format!("a=b; {cookie}"));
    world.answers("OpenEdition", json!({"receipt": {"id": EDITION}}));
    assert_eq!(send(with(Method::GET, "/api/v1/people")).await.status, 200);
    assert_eq!(world.received().caller.person.unwrap().to_string(), EDITION);

    let open = format!("/api/v1/editions/{EDITION}/open");
    let post = || with(Method::POST, &open);
    refused(post(), 403, "CROSS_SITE_REQUEST").await;
    refused(post().header("Sec-Fetch-Site", "cross-site"), 403, "CROSS_SITE_REQUEST").await;
    refused(post().header("Sec-Fetch-Site", "same-site"), 403, "CROSS_SITE_REQUEST").await;
    refused(post().header("Origin", "http://evil.example"), 403, "CROSS_SITE_REQUEST").await;
    assert_eq!(send(post().header("Sec-Fetch-Site", "same-origin")).await.status, 200);
    assert_eq!(send(post().header("Origin", &world.url)).await.status, 200);
    let html = page(with(Method::GET, "/")).await;
    assert!(html.contains("data-roles=\"office\"") && html.contains("anyone on this machine can be anyone"));
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_out() {
    let world = world().await;
    let form = [("person", EDITION), ("role", "office")];
    let foreign =
        world.anonymous(Method::POST, "/sign-in").header("Sec-Fetch-Site", "cross-site").form(&form);
    refused(foreign, 403, "CROSS_SITE_REQUEST").await;
    refused(world.anonymous(Method::POST, "/sign-out"), 403, "CROSS_SITE_REQUEST").await;
    let out = world.anonymous(Method::POST, "/sign-out").header("Sec-Fetch-Site", "same-origin");
    assert!(send(out).await.headers["set-cookie"].contains("Max-Age=0"));
}

#[tokio::test]
async fn nobody_becomes_a_system() {
    let world = world().await;
    for role in ["service", "hris", "ops", "king"] {
        refused(sign_in(&world, &[("person", EDITION), ("role", role)]), 422, "MALFORMED_FORM").await;
    }
    refused(sign_in(&world, &[("person", EDITION), ("role", "delegate")]), 422, "MALFORMED_FORM").await;
    refused(sign_in(&world, &[("role", "office")]), 422, "MALFORMED_FORM").await;
}

#[tokio::test]
async fn a_name_of_the_internet_that_points_here_is_refused() {
    let world = world().await;
    let rebound = world.anonymous(Method::GET, "/api/v1/people").header("Host", "rebind.example:8080");
    refused(rebound, 421, "HOST_NOT_LOOPBACK").await;
}

#[tokio::test]
async fn without_the_identity_page_a_cookie_means_nothing() {
    let demonstration = world().await;
    let cookie = cookie(&demonstration).await;
    let world = World::start().await;
    refused(world.anonymous(Method::GET, "/api/v1/people").header("Cookie", cookie), 401, "TOKEN_MISSING")
        .await;
    refused(world.anonymous(Method::GET, "/sign-in"), 404, "PATH_NOT_FOUND").await;
    let html = page(world.anonymous(Method::GET, "/")).await;
    assert!(!html.contains("anyone on this machine") && !html.contains("/sign-in"));
}

#[tokio::test]
async fn while_the_directory_is_down_the_page_says_so() {
    let world = World::with(|config, _| config.identity_page = true).await;
    let response = world.anonymous(Method::GET, "/sign-in").send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(response.text().await.unwrap().contains("does not answer"));
}
