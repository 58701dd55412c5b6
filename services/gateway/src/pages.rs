//! What a browser shows besides the identity page: the first page, the document's reader, the pages of problems.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use identity::{Caller, Role};

use crate::{
    Gateway, auth,
    html::{Page, escape},
    identity_page,
    problem::{Problem, slug, title},
};

/// The files of the pages, by name.
const ASSETS: [(&str, &str, &str); 6] = [
    ("style.css", "text/css; charset=utf-8", include_str!("../pages/style.css")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("../pages/app.js")),
    ("dom.js", "text/javascript; charset=utf-8", include_str!("../pages/dom.js")),
    ("participant.js", "text/javascript; charset=utf-8", include_str!("../pages/participant.js")),
    ("office.js", "text/javascript; charset=utf-8", include_str!("../pages/office.js")),
    ("roster.js", "text/javascript; charset=utf-8", include_str!("../pages/roster.js")),
];

/// What the codes of the gateway mean, and those that every service shares.
const MEANINGS: [(&str, &str); 24] = [
    ("BODY_CUT_OFF", "The body of the request did not arrive whole. Send it again."),
    ("BODY_TOO_LARGE", "The body is larger than this path takes: 64 MiB for a file, 1 MiB otherwise."),
    ("BODY_TOO_SLOW", "The body of the request did not arrive within a minute."),
    ("CONFLICT", "Other changes came first, several times in a row. Read again and repeat."),
    (
        "CROSS_SITE_REQUEST",
        "The request came with a cookie but not from a page of this server. Programs send a token instead.",
    ),
    (
        "DEADLINE_EXCEEDED",
        "The service did not answer in time. A repeated Idempotency-Key makes it safe to try again.",
    ),
    (
        "ETAG_MISMATCH",
        "Somebody changed the resource since it was read. Read it again, then repeat with the new ETag.",
    ),
    (
        "HOST_NOT_LOOPBACK",
        "With the built-in identity page, the server answers only to localhost and loopback addresses.",
    ),
    (
        "IDEMPOTENCY_KEY_IN_USE",
        "The first request with this Idempotency-Key is still running. Try again in a moment.",
    ),
    (
        "IDEMPOTENCY_KEY_REUSED",
        "This Idempotency-Key was used with another body within 24 hours. Choose a new one.",
    ),
    (
        "IF_MATCH_REQUIRED",
        "This change needs the version it was made on: the ETag that was read, as If-Match.",
    ),
    ("INTERNAL", "Something broke on the side of the server. Give the traceId to the operators."),
    ("INVALID_FIELDS", "Fields of the request break their rules; errors names each of them."),
    ("MALFORMED_HEADER", "A header cannot be read."),
    ("MALFORMED_IF_MATCH", "If-Match must be one strong entity tag, as the server sent it, with its quotes."),
    ("MALFORMED_JSON", "The body is no JSON; detail says at which line and column."),
    ("MALFORMED_URI", "The path or the query cannot be read."),
    ("METHOD_NOT_ALLOWED", "The path is right, the method is not; the header Allow names those that are."),
    ("PATH_NOT_FOUND", "There is nothing at this path. The interface is described at /docs."),
    ("TOKEN_EXPIRED", "The token was valid once. Get a new one."),
    ("TOKEN_INVALID", "The token is not one of ours, not for this interface, or was changed."),
    ("TOKEN_MISSING", "The request does not say who calls. Send a token: Authorization: Bearer …"),
    ("UNAVAILABLE", "The service does not answer right now. Retry-After says when to try again."),
    ("UNSUPPORTED_MEDIA_TYPE", "The body is of another media type than this path takes."),
];

/// The routes of the pages.
pub(crate) fn router(gateway: &Arc<Gateway>, openapi: String) -> Router {
    let (first, roster) = (Arc::clone(gateway), Arc::clone(gateway));
    let demonstration = gateway.identity_page;
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Router::new()
        .route("/", get(async move |headers: HeaderMap| first_page(&first, &headers)))
        .route("/roster", get(async move |headers: HeaderMap| roster_page(&roster, &headers)))
        .route("/assets/{file}", get(asset))
        .route("/openapi.json", get(async move || (json, openapi)))
        .route("/docs", get(async move || docs(demonstration)))
        .route("/docs/{file}", get(docs_file))
        .route(
            "/problems/{code}",
            get(async move |path: Result<Path<String>, _>| problem_page(path.ok(), demonstration)),
        )
}

/// The shell of the application for who is signed in; the rest is done by its scripts.
fn first_page(gateway: &Gateway, headers: &HeaderMap) -> Response {
    let signed_in = auth::caller(&gateway.keys, gateway.identity_page, &Method::GET, headers).ok();
    let demonstration = gateway.identity_page;
    let Some(caller) = signed_in else {
        let main = if demonstration {
            "<h1>Updraft</h1><p>Young employees teach executives. <a href=\"/sign-in\">Sign in as a person of the \
             roster</a>, or read <a href=\"/docs\">the interface</a>.</p>"
        } else {
            "<h1>Updraft</h1><p>This server is for programs: read <a href=\"/docs\">the interface</a>.</p>"
        };
        return Page { title: "Updraft", head: "", account: "", main, demonstration }.into_response();
    };
    let roles = caller.roles.iter().map(|role| role.name()).collect::<Vec<_>>();
    let person = caller.person.map(|person| person.to_string()).unwrap_or_default();
    let main = format!(
        include_str!("../pages/first.html"),
        person = escape(&person),
        roles = escape(&roles.join(" ")),
    );
    let account = account(&caller);
    let head = "<script type=\"module\" src=\"/assets/app.js\"></script>";
    Page { title: "Updraft", head, account: &account, main: &main, demonstration }.into_response()
}

/// The upload of the roster. Who may not upload gets the same page, whose script shows the refusals.
fn roster_page(gateway: &Gateway, headers: &HeaderMap) -> Response {
    let Ok(caller) = auth::caller(&gateway.keys, gateway.identity_page, &Method::GET, headers) else {
        return Redirect::to("/").into_response();
    };
    let person = caller.person.map(|person| person.to_string()).unwrap_or_default();
    let main = format!(include_str!("../pages/roster.html"), person = escape(&person));
    let (account, head) = (account(&caller), "<script type=\"module\" src=\"/assets/roster.js\"></script>");
    let demonstration = gateway.identity_page;
    Page { title: "Roster – Updraft", head, account: &account, main: &main, demonstration }.into_response()
}

/// Who is signed in, the way to what their roles have beside the first page, and the way out.
fn account(caller: &Caller) -> String {
    let roles = caller.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let more = if caller.is(Role::Office) { "<a href=\"/roster\">Roster</a> " } else { "" };
    format!("{more}{}", identity_page::account(&roles.replace('_', " ")))
}

async fn asset(
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path(file) = path.map_err(|_| Problem::not_found())?;
    let found = ASSETS.into_iter().find(|(name, ..)| *name == file);
    let (_, media_type, text) = found.ok_or_else(Problem::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, text).into_response())
}

fn docs(demonstration: bool) -> Response {
    let head = "<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">\
                <script defer src=\"/docs/swagger-ui-bundle.js\"></script>\
                <script defer src=\"/docs/swagger-ui-standalone-preset.js\"></script>\
                <script defer src=\"/docs/swagger-initializer.js\"></script>";
    let main = "<div id=\"swagger-ui\"></div><noscript><p>The reader needs JavaScript; the document itself is \
                <a href=\"/openapi.json\">/openapi.json</a>.</p></noscript>";
    Page { title: "Interface – Updraft", head, account: "", main, demonstration }.for_docs()
}

async fn docs_file(
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path(file) = path.map_err(|_| Problem::not_found())?;
    // A badge of a public validator would tell the internet about this server.
    let config = utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none").use_base_layout();
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config)).map_err(|error| {
        tracing::error!(error, "a file of the reader could not be made");
        Problem::internal()
    })?;
    let file = found.ok_or_else(Problem::not_found)?;
    let media_type = HeaderValue::from_str(&file.content_type).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, media_type)], file.bytes.into_owned()).into_response())
}

/// Explains a code; one that only a service knows is explained in general.
fn problem_page(path: Option<Path<String>>, demonstration: bool) -> Result<Response, Problem> {
    let written = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    let Some(Path(path)) = path.filter(|path| path.bytes().all(written)) else {
        return Err(Problem::not_found());
    };
    let code = path.to_ascii_uppercase().replace('-', "_");
    let known = MEANINGS.into_iter().find(|(known, _)| slug(known) == path);
    let meaning = known.map_or(
        "The service refused this because of one of its rules. The member detail of the answer says in one sentence \
         what was in the way; code is for programs and does not change.",
        |(_, meaning)| meaning,
    );
    let heading = title(&code);
    let main = format!(
        "<h1>{}</h1><p><code>{}</code></p><p>{}</p>",
        escape(&heading),
        escape(&code),
        escape(meaning)
    );
    Ok(Page { title: &heading, head: "", account: "", main: &main, demonstration }.into_response())
}
