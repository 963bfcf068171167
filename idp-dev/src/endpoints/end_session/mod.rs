//! `/end_session` (OIDC RP-Initiated Logout 1.0): GET and POST.
//!
//! The request is put aside at once and answered with a redirect to an address that holds nothing
//! but an opaque id: the `id_token_hint` stays in nobody's history, and a cross-site POST, which
//! carries no `SameSite=Lax` cookie, goes on as a GET that does.
//!
//! When is the person asked first (OP12)? Whenever the request does not prove that it comes from
//! an app of this very session: without a hint, with the hint of another person or session, and
//! also with a good hint when this browser holds no session while the one named by the hint still
//! lives: its cookie was cleared, or the address was carried to another browser, or the session
//! goes on without its browser since another app left it (F9). In that last case agreeing ends the
//! session that the hint names: its holder was given it as this person. When the browser holds
//! another session by now, agreeing ends that one, and with it the one that no browser holds: the
//! app would be signed in still. One that another browser holds is left alone (F2).

mod checks;
mod frames;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::authorize::{browser_of, failed};
use super::{add_browser_cookie, clear_session_cookies, parked, parked_by_id};
use crate::back_channel;
use crate::clock::Seconds;
use crate::config::LogoutScope;
use crate::end_session_request::EndSessionRequest;
use crate::http::{form_token, is_form_token, page, read_form, see_other};
use crate::pages;
use crate::params::Params;
use crate::provider::Shared;
use crate::secret::{RandomnessUnavailable, Secret};
use crate::session::{self, EndCause, Told};
use crate::store::{Parked, SsoSession};
use crate::timeline::{Step, StepName};
use crate::tokens::{IdTokenHint, read_id_token_hint};

use checks::{Checked, Refusal};

/// `GET /end_session`
pub(super) async fn get(State(provider): State<Shared>, RawQuery(query): RawQuery) -> Response {
    match Params::parse(&query.unwrap_or_default()) {
        Ok(params) => put_aside(&provider, params),
        Err(error) => {
            let title = "This request cannot be read";
            page(StatusCode::BAD_REQUEST, pages::error(title, error.description(), None))
        }
    }
}

/// `POST /end_session`
pub(super) async fn post(
    State(provider): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match read_form(&headers, body).await {
        Ok(params) => put_aside(&provider, params),
        Err(error) => {
            let title = "This request cannot be read";
            page(error.status(), pages::error(title, error.description(), None))
        }
    }
}

fn put_aside(provider: &Shared, params: Params) -> Response {
    let mut step = Step::new(
        StepName::EndSessionReceived,
        "RP-Initiated Logout 2",
        "an app asks to end the session",
    )
    .params(&params);
    if let Some(client_id) = params.get("client_id") {
        step = step.client(client_id);
    }
    let hint = params.get("id_token_hint").and_then(|hint| read_id_token_hint(provider, hint));
    if let Some(hint) = &hint {
        step = step.client(&hint.client_id).sid(&hint.sid);
    }
    provider.timeline.record(step);
    let Ok(id) = Secret::random() else { return failed() };
    let expires = provider.clock.now().plus(PARKED_LIFETIME);
    let parked = Parked::EndSession(Box::new(EndSessionRequest { params }));
    provider.store.park(id.digest(), parked, expires);
    see_other(&format!("/end_session/continue?r={}", id.expose()))
}

/// `GET /end_session/continue?r=...`
pub(super) async fn go_on(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some((id, Parked::EndSession(request))) = parked(&provider, query.as_deref()) else {
        return pages::expired();
    };
    let held = session::current(&provider, &headers).await;
    let checked = match checks::check(&provider, &request.params) {
        Ok(checked) => checked,
        Err(refusal) => return refuse(&provider, &request.params, &refusal, held.is_some()),
    };
    match Target::find(&provider, held, checked.hint.as_ref()).await {
        Target::Proven(session) => end_and_leave(&provider, &[*session], true, &checked, &id).await,
        Target::Unproven { sessions, .. } => {
            confirm_page(&provider, &headers, &id, &checked, &sessions)
        }
        // Nothing to end. Without a hint nobody vouches for the return address (3).
        Target::Nothing if checked.hint.is_some() => leave(&provider, &checked, &id),
        Target::Nothing => see_other(&signed_out_address(&id)),
    }
}

/// `POST /end_session/confirm`: the person's answer.
pub(super) async fn confirm(
    State(provider): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match read_form(&headers, body).await {
        Ok(form) => form,
        Err(error) => {
            let title = "This form cannot be read";
            return page(error.status(), pages::error(title, error.description(), None));
        }
    };
    let parked = form.get("r").and_then(|id| parked_by_id(&provider, id));
    let Some((id, Parked::EndSession(request))) = parked else { return pages::expired() };
    let token = form.get("csrf").unwrap_or_default();
    let is_genuine = provider
        .cookies
        .browser_of(&headers)
        .is_some_and(|browser| is_form_token(&provider, &browser, id.expose(), token))
        && super::is_own_form(&headers)
        && form.first_duplicate().is_none();
    if !is_genuine {
        let again = format!("/end_session/continue?r={}", id.expose());
        return page(StatusCode::FORBIDDEN, pages::stale_form(&again));
    }
    let held = session::current(&provider, &headers).await;
    let checked = match checks::check(&provider, &request.params) {
        Ok(checked) => checked,
        Err(refusal) => return refuse(&provider, &request.params, &refusal, held.is_some()),
    };
    if form.get("action") == Some("stay") {
        return see_other(&format!("/signed_out?r={}&stayed=1", id.expose()));
    }
    let (sessions, is_held) = match Target::find(&provider, held, checked.hint.as_ref()).await {
        Target::Proven(session) => (vec![*session], true),
        Target::Unproven { sessions, is_held } => (sessions, is_held),
        Target::Nothing => return leave(&provider, &checked, &id),
    };
    if form.get("action") == Some("everywhere") {
        let others = others_of(&provider, &sessions);
        session::end_each(&provider, others, EndCause::Everywhere).await;
    }
    end_and_leave(&provider, &sessions, is_held, &checked, &id).await
}

/// The sessions in other browsers of the person whom these are about.
fn others_of(provider: &Shared, sessions: &[SsoSession]) -> Vec<SsoSession> {
    let Some(first) = sessions.first() else { return Vec::new() };
    let is_another = |other: &SsoSession| {
        other.user == first.user && sessions.iter().all(|session| session.id != other.id)
    };
    provider.store.sessions().into_iter().filter(is_another).collect()
}

/// `GET /signed_out?r=...`: where a sign-out ends that returns nowhere by itself. The page stays
/// reachable, and offers the registered way back as a link.
pub(super) async fn signed_out(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let back = match parked(&provider, query.as_deref()) {
        Some((_, Parked::EndSession(request))) => checks::check(&provider, &request.params)
            .ok()
            .and_then(|checked| Some((checked.client.clone()?.name.clone(), checked.location()?))),
        _ => None,
    };
    let session = session::current(&provider, &headers).await;
    let user = session.as_ref().and_then(|session| provider.people.user(&session.user));
    let back = back.as_ref().map(|(name, uri)| (name.as_str(), uri.as_str()));
    page(StatusCode::OK, pages::signed_out(user.as_deref(), back))
}

/// Which session the request is about.
enum Target {
    /// The hint names the session that this browser holds.
    Proven(Box<SsoSession>),
    /// There is one, but the person must say yes.
    Unproven {
        /// The one that this browser holds, if it does, then the one that the hint names.
        sessions: Vec<SsoSession>,
        /// Does this browser hold the first?
        is_held: bool,
    },
    /// There is none.
    Nothing,
}

impl Target {
    async fn find(provider: &Shared, held: Option<SsoSession>, hint: Option<&IdTokenHint>) -> Self {
        let is_of_hint = |session: &SsoSession| {
            hint.is_some_and(|hint| session.joined.get(&hint.client_id) == Some(&hint.sid))
        };
        let held = match held {
            Some(session) if is_of_hint(&session) => return Self::Proven(Box::new(session)),
            held => held,
        };
        let is_held = held.is_some();
        let mut sessions: Vec<SsoSession> = held.into_iter().collect();
        if let Some(named) = provider.store.session_ids(&is_of_hint).first() {
            let named = session::by_id(provider, named).await;
            sessions.extend(named.filter(|named| !is_held || !named.has_browser));
        }
        if sessions.is_empty() { Self::Nothing } else { Self::Unproven { sessions, is_held } }
    }
}

async fn end_and_leave(
    provider: &Shared,
    sessions: &[SsoSession],
    is_held: bool,
    checked: &Checked,
    id: &Secret,
) -> Response {
    let mut told = Told::default();
    for session in sessions {
        let Told { joined, servers } = match end(provider, session, checked).await {
            Ok(told) => told.unwrap_or_default(),
            Err(RandomnessUnavailable) => return failed(),
        };
        told.joined.extend(joined);
        told.servers.extend(servers);
    }
    back_channel::wait_a_moment(told.servers).await;
    let is_realm = checked.scope == LogoutScope::Realm;
    // An app that asks with what it was given has signed itself out. A link that only names an app
    // says nothing of it.
    let initiator = checked.client.as_deref().filter(|_| checked.hint.is_some());
    let framed = frames::addresses(provider, &told.joined, is_realm, initiator);
    let mut response = if framed.is_empty() {
        leave(provider, checked, id)
    } else {
        frames::respond(provider, &framed, &way_on(checked, id))
    };
    if is_held {
        clear_session_cookies(provider, &mut response);
    }
    response
}

/// For all clients of the session, or for those that the sign-out reaches.
async fn end(
    provider: &Shared,
    session: &SsoSession,
    checked: &Checked,
) -> Result<Option<Told>, RandomnessUnavailable> {
    let initiator = match (&checked.scope, &checked.client) {
        (LogoutScope::Initiator | LogoutScope::Apps(_), Some(client)) => client.id.as_str(),
        _ => return Ok(session::end(provider, &session.id, EndCause::RpInitiated).await),
    };
    session::leave(provider, session, &|app| checked.scope.reaches(initiator, app)).await
}

/// Where the browser goes on to.
fn way_on(checked: &Checked, id: &Secret) -> String {
    checked.location().unwrap_or_else(|| signed_out_address(id))
}

/// Back to the app, or to our own page if it named no address.
fn leave(provider: &Shared, checked: &Checked, id: &Secret) -> Response {
    let (Some(uri), Some(location)) = (&checked.return_to, checked.location()) else {
        return see_other(&signed_out_address(id));
    };
    let mut step = Step::new(
        StepName::EndSessionReturned,
        "RP-Initiated Logout 3",
        "the browser goes back to the app that asked",
    )
    .note("uri", uri.without_query());
    if let Some(client) = &checked.client {
        step = step.client(&client.id);
    }
    provider.timeline.record(step);
    see_other(&location)
}

fn confirm_page(
    provider: &Shared,
    headers: &HeaderMap,
    id: &Secret,
    checked: &Checked,
    sessions: &[SsoSession],
) -> Response {
    let Ok((browser, is_browser_new)) = browser_of(provider, headers) else { return failed() };
    let user = sessions.first().and_then(|session| provider.people.user(&session.user));
    let Some(user) = user else { return failed() };
    let mut step = Step::new(
        StepName::EndSessionConfirmPage,
        "RP-Initiated Logout 2",
        "the request does not prove that it belongs to this session, so the person is asked",
    )
    .user(&user.username)
    .failed("id_token_hint");
    if let Some(client) = &checked.client {
        step = step.client(&client.id);
    }
    provider.timeline.record(step);
    let csrf = form_token(provider, &browser, id.expose());
    let asking = checked.client.as_ref().map(|client| client.name.as_str());
    let joined: BTreeSet<&String> =
        sessions.iter().flat_map(|session| session.joined.keys()).collect();
    let apps: Vec<&str> = joined
        .into_iter()
        .filter(|app| match &checked.client {
            Some(client) => checked.scope.reaches(&client.id, app),
            None => true,
        })
        .filter_map(|client_id| provider.config.client(client_id))
        .map(|client| client.name.as_str())
        .collect();
    let others = others_of(provider, sessions).len();
    let asked = pages::SignOut { user: &user, asking, apps: &apps, others };
    let markup = pages::confirm_sign_out(asked, id.expose(), &csrf);
    let mut response = page(StatusCode::OK, markup);
    if is_browser_new {
        add_browser_cookie(provider, &mut response, &browser);
    }
    response
}

/// F23: a page that names the parameter, and no redirect. If the address that was asked for is
/// registered, it is offered as a link, so that nobody is stranded.
fn refuse(provider: &Shared, params: &Params, refusal: &Refusal, is_signed_in: bool) -> Response {
    provider.timeline.record(
        Step::new(StepName::EndSessionRefused, refusal.spec, refusal.description.clone())
            .failed(refusal.parameter),
    );
    let wanted = params.get("post_logout_redirect_uri").unwrap_or_default();
    let back = provider.config.clients.iter().find_map(|client| {
        let uri = client.post_logout_redirect_uris.iter().find(|uri| uri.as_str() == wanted)?;
        Some((client.name.as_str(), uri.as_str()))
    });
    let markup =
        pages::sign_out_refused(&refusal.description, refusal.parameter, back, is_signed_in);
    page(StatusCode::BAD_REQUEST, markup)
}

fn signed_out_address(id: &Secret) -> String {
    format!("/signed_out?r={}", id.expose())
}

/// A sign-out is finished at once or not at all.
const PARKED_LIFETIME: Seconds = Seconds(10 * 60);
