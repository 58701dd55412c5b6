//! The built-in identity page: anyone on this machine can be anyone of the roster, for a demonstration.
//!
//! It exists only where the configuration asks for it and the listener is on loopback; every page says so.

use std::{fmt::Write, sync::Arc};

use axum::{
    Form, Router,
    extract::{
        Query,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use identity::{Audience, Caller, PersonId, Role};
use proto::enrollment::{ListPeopleRequest, Person, directory_service_client::DirectoryServiceClient};
use serde::Deserialize;
use tonic::Status;

use crate::{
    Gateway,
    auth::{COOKIE, same_origin},
    html::{Page, escape},
    problem::Problem,
};

const SESSION_SECONDS: u64 = 8 * 60 * 60;
const PAGE_SIZE: i32 = 200;
/// Longer lists are for the search.
const SHOWN_MAX: usize = 300;

/// The roles one can be here; systems have tokens, not pages.
const ROLES: [(Role, &str); 6] = [
    (Role::Participant, "Participant (mentor or mentee)"),
    (Role::Office, "Programme office"),
    (Role::Sponsor, "Sponsor"),
    (Role::WorksCouncil, "Works council"),
    (Role::Auditor, "Auditor"),
    (Role::Delegate, "Assistant of an executive"),
];

#[derive(Default, Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

#[derive(Deserialize)]
struct SignIn {
    person: PersonId,
    role: Role,
    /// The executive for whom an assistant acts.
    #[serde(default)]
    executive: String,
}

/// The routes of the identity page.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let (list, enter) = (Arc::clone(gateway), Arc::clone(gateway));
    Router::new()
        .route(
            "/sign-in",
            get(async move |search: Result<Query<Search>, QueryRejection>| {
                let Query(search) = search.unwrap_or_default();
                choose(&list, &search.q).await
            })
            .post(async move |headers: HeaderMap, form: Result<Form<SignIn>, FormRejection>| {
                sign_in(&enter, &headers, form)
            }),
        )
        .route("/sign-out", post(async |headers: HeaderMap| sign_out(&headers)))
}

/// Who is signed in, and the way out.
pub(crate) fn account(roles: &str) -> String {
    format!(
        "<form class=\"account\" method=\"post\" action=\"/sign-out\"><span id=\"who\">{}</span> \
         <button>Sign out</button></form>",
        escape(roles)
    )
}

async fn choose(gateway: &Gateway, search: &str) -> Response {
    let frame = |main: &str, status| {
        Page { title: "Sign in – Updraft", head: "", account: "", main, demonstration: true }
            .with_status(status)
    };
    match people(gateway).await {
        Ok(people) => frame(&form(&people, search), StatusCode::OK),
        Err(status) => {
            tracing::warn!(code = %status.code(), "the directory did not list its people");
            let main = "<h1>Sign in</h1><p role=\"alert\">The directory does not answer right now. Reload the page in \
                        a moment.</p>";
            let mut response = frame(main, StatusCode::SERVICE_UNAVAILABLE);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
    }
}

/// Everybody who works here.
async fn people(gateway: &Gateway) -> Result<Vec<Person>, Status> {
    let connection = gateway.upstreams.connection("updraft.enrollment.v1", Caller::system(Role::Service));
    let connection = connection.ok_or_else(|| Status::unavailable("no directory is configured"))?;
    let mut directory = DirectoryServiceClient::new(connection);
    let (mut people, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListPeopleRequest { page_size: PAGE_SIZE, page_token, ..ListPeopleRequest::default() };
        let page = directory.list_people(request).await?.into_inner();
        people.extend(page.people);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    people.retain(|person| person.state() != proto::enrollment::person::State::Left);
    Ok(people)
}

fn form(people: &[Person], search: &str) -> String {
    let wanted = search.trim().to_lowercase();
    let found = people
        .iter()
        .filter(|person| {
            let text = format!("{} {} {}", name(person), person.job_title, person.department);
            text.to_lowercase().contains(&wanted)
        })
        .collect::<Vec<_>>();
    let mut rows = String::new();
    for person in found.iter().take(SHOWN_MAX) {
        row(&mut rows, person);
    }
    let roles = ROLES.map(|(role, label)| option(role.name(), label)).concat();
    let leaders = people.iter().filter(|person| person.leads_others);
    let leaders = leaders.map(|person| option(&person.person_id, &name(person))).collect::<String>();
    let count = match found.len() {
        0 if people.is_empty() => "The directory is empty: import a roster first.".to_owned(),
        0 => "Nobody of that name.".to_owned(),
        all if all > SHOWN_MAX => format!("{SHOWN_MAX} of {all} people; search for the others."),
        all => format!("{all} people."),
    };
    format!(
        include_str!("../pages/sign_in.html"),
        search = escape(search),
        roles = roles,
        leaders = leaders,
        count = count,
        rows = rows,
    )
}

fn row(rows: &mut String, person: &Person) {
    let name = escape(&name(person));
    // Writing to a string does not fail.
    let _ = write!(
        rows,
        "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{}</td><td><button name=\"person\" value=\"{}\" \
         aria-label=\"Sign in as {name}\">Sign in</button></td></tr>",
        escape(&person.job_title),
        escape(&person.department),
        level(person.level),
        escape(&person.person_id),
    );
}

/// Nothing of whoever does not hang below the top.
fn level(level: i32) -> String {
    if level < 0 { String::new() } else { level.to_string() }
}

fn option(value: &str, label: &str) -> String {
    format!("<option value=\"{}\">{}</option>", escape(value), escape(label))
}

fn name(person: &Person) -> String {
    format!("{} {}", person.given_name, person.family_name)
}

fn sign_in(
    gateway: &Gateway,
    headers: &HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<Response, Problem> {
    same_origin(headers)?;
    let malformed =
        |detail: &'static str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "MALFORMED_FORM", detail);
    let Form(form) = form.map_err(|_| malformed("Choose a person and a role."))?;
    let caller = match form.role {
        Role::Delegate => {
            let executive =
                form.executive.parse().map_err(|_| malformed("Choose the executive to act for."))?;
            Caller::delegate(form.person, executive)
        }
        role if ROLES.iter().any(|(offered, _)| *offered == role) => Caller::of(form.person, [role]),
        _ => return Err(malformed("This role is not for people.")),
    };
    let token = gateway.keys.issue(&caller, Audience::Updraft, SESSION_SECONDS).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a session could not be signed");
        Problem::internal()
    })?;
    to("/", &format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}"))
}

fn sign_out(headers: &HeaderMap) -> Result<Response, Problem> {
    same_origin(headers)?;
    to("/sign-in", &format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"))
}

fn to(place: &str, cookie: &str) -> Result<Response, Problem> {
    let cookie = HeaderValue::from_str(cookie).map_err(|_| Problem::internal())?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(place)).into_response())
}
