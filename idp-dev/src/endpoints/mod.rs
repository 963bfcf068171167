//! The endpoints that browsers and apps see, one file each.

mod authorize;
mod check_session;
mod discovery;
mod end_session;
pub(crate) mod health;
mod introspect;
mod jwks;
mod login;
mod program_request;
mod refusal;
mod revoke;
mod root;
mod session_events;
mod timeline;
mod token;
mod userinfo;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};

use crate::clock::Seconds;
use crate::http::{
    SameSite, asset, base_headers, clear_cookie, client_cors, observer_cors, page, refuse_head,
    refuse_other_hosts, set_cookie, set_state_cookie,
};
use crate::pages;
use crate::params::Params;
use crate::provider::{Provider, Shared};
use crate::scenario;
use crate::secret::{Secret, random_id};
use crate::session::Cookies;
use crate::store::Parked;

pub(crate) use timeline::{From as StepsFrom, steps_stream};

/// All routes. Those that scripts of apps may call are wrapped in CORS, no others (OP21).
pub(crate) fn router(provider: Shared) -> Router {
    let no_head = from_fn_with_state("GET", refuse_head);
    let session_events = if provider.config.has_session_events {
        let stream = get(session_events::get).layer(no_head.clone());
        Router::new().route("/session_events", stream)
    } else {
        Router::new()
    };
    let for_scripts = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::get))
        .route("/jwks", get(jwks::get))
        .route("/token", post(token::post))
        .route("/revoke", post(revoke::post))
        .route("/userinfo", get(userinfo::serve).post(userinfo::serve))
        .merge(session_events)
        .layer(from_fn_with_state(provider.clone(), client_cors));
    let for_observers = Router::new()
        .route("/timeline", get(timeline::get).layer(no_head))
        .layer(from_fn_with_state(provider.clone(), observer_cors));
    // RFC 7662: servers ask. There is no CORS, so no page can read an answer.
    let for_servers = Router::new().route("/introspect", post(introspect::post));
    let for_people = Router::new()
        .route("/", get(root::get))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize/continue", get(authorize::go_on))
        .route("/login", get(login::get).post(login::post))
        .route("/not_assigned", get(login::not_assigned))
        .route("/end_session", get(end_session::get).post(end_session::post))
        .route("/end_session/continue", get(end_session::go_on))
        .route("/end_session/confirm", post(end_session::confirm))
        .route("/signed_out", get(end_session::signed_out))
        .route("/check_session", get(check_session::get))
        .layer(from_fn_with_state("GET, POST", refuse_head));
    // Each is a whole provider. There are none behind themselves.
    let isolated = if provider.scenarios.is_issuer() {
        Router::new()
    } else {
        Router::new()
            .route("/s/{name}", any(scenario::isolated::serve))
            .route("/s/{name}/{*rest}", any(scenario::isolated::serve))
    };
    Router::new()
        .route("/health", get(health::get))
        .route("/assets/{name}", get(asset))
        .merge(for_scripts)
        .merge(for_observers)
        .merge(for_servers)
        .merge(for_people)
        .fallback(not_found)
        .layer(from_fn_with_state(provider.clone(), scenario::lie))
        // The lies of a scenario are told at its own issuer; what guards an answer guards all.
        .merge(isolated)
        .layer(from_fn_with_state(provider.clone(), refuse_other_hosts))
        .layer(from_fn_with_state(provider.clone(), base_headers))
        .with_state(provider)
}

async fn not_found() -> Response {
    let detail = "There is no page at this address.";
    page(StatusCode::NOT_FOUND, pages::error("Nothing here", detail, None))
}

/// The parked request that `r` in the query names, with that id.
fn parked(provider: &Provider, query: Option<&str>) -> Option<(Secret, Parked)> {
    let params = Params::parse(query?).ok()?;
    parked_by_id(provider, params.get("r")?)
}

fn parked_by_id(provider: &Provider, id: &str) -> Option<(Secret, Parked)> {
    let id = Secret::new(id);
    let parked = provider.store.parked(&id.digest(), provider.clock.now())?;
    Some((id, parked))
}

/// Marks a browser before anybody signed in.
fn add_browser_cookie(provider: &Provider, response: &mut Response, value: &Secret) {
    append_cookie(
        response,
        set_cookie(&provider.cookies, &provider.cookies.browser, value, SameSite::Lax, None),
    );
}

/// Tells frames of ours that the session changed.
fn add_state_cookie(
    provider: &Provider,
    response: &mut Response,
    state: &str,
    lifetime: Option<Seconds>,
) {
    append_cookie(response, set_state_cookie(&provider.cookies, state, lifetime));
}

/// Gives a browser the session.
fn add_session_cookies(provider: &Provider, response: &mut Response, cookies: &Cookies) {
    let Cookies { session, silent, state, lifetime } = cookies;
    add_state_cookie(provider, response, state, *lifetime);
    let names = &provider.cookies;
    let lax = set_cookie(names, &names.session, session, SameSite::Lax, *lifetime);
    append_cookie(response, lax);
    let none = set_cookie(names, &names.silent, silent, SameSite::None, *lifetime);
    append_cookie(response, none);
}

/// Takes the session from a browser.
fn clear_session_cookies(provider: &Provider, response: &mut Response) {
    append_cookie(
        response,
        clear_cookie(&provider.cookies, &provider.cookies.session, SameSite::Lax),
    );
    append_cookie(
        response,
        clear_cookie(&provider.cookies, &provider.cookies.silent, SameSite::None),
    );
    if let Ok(state) = random_id() {
        add_state_cookie(provider, response, &state, None);
    }
}

fn append_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Does the browser say that a form was sent by a page of ours? Browsers that say nothing are
/// believed: the form's token decides. `Origin` is no help, because a page with
/// `Referrer-Policy: no-referrer` sends `null`.
fn is_own_form(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}
