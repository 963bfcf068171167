//! `/login`: the form that people sign in with.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::authorize::{
    CodeGiven, SignInPage, answer_cancelled, failed, give_code, not_assigned_page, without_code,
};
use super::{add_session_cookies, parked, parked_by_id};
use crate::authorization_request::ExpectedPerson;
use crate::config::User;
use crate::http::{is_form_token, page, read_form, see_other};
use crate::pages;
use crate::params::Params;
use crate::provider::Shared;
use crate::secret::{RandomnessUnavailable, Secret};
use crate::session::{self, BeginError};
use crate::store::{Answered, Parked, SignIn, SignInProblem, SsoSession};
use crate::timeline::{Step, StepName};
use crate::tokens::CODE_LIFETIME;

/// `GET /login?r=...`: the form again, after a failed attempt or to sign in as somebody else.
pub(super) async fn get(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let (id, parked) = match parked(&provider, query.as_deref()) {
        Some((id, Parked::SignIn(parked))) => (id, parked),
        Some((_, Parked::Answered(answered))) => return already_answered(&answered),
        Some((_, Parked::Authorize(_) | Parked::EndSession(_))) | None => return pages::expired(),
    };
    let problem = parked.problem;
    match SignInPage::reopen(&provider, &headers, id, *parked) {
        Ok(open) => {
            let username = open.username.clone();
            let config = &provider.config;
            open.respond(&provider, |form| pages::login(config, form, &username, problem))
        }
        Err(RandomnessUnavailable) => failed(),
    }
}

/// `POST /login`: answers 303 whatever happens to a genuine form, so that a reload posts nothing.
pub(super) async fn post(
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
    if form.first_duplicate().is_some() {
        let title = "This form cannot be read";
        return page(StatusCode::BAD_REQUEST, pages::error(title, "A field came twice.", None));
    }
    let parked = form.get("r").and_then(|id| parked_by_id(&provider, id));
    let (id, sign_in) = match parked {
        Some((id, Parked::SignIn(sign_in))) => (id, sign_in),
        Some((id, Parked::Answered(answered))) => {
            return answer_again(&provider, &headers, &form, &id, &answered).await;
        }
        Some((_, Parked::Authorize(_) | Parked::EndSession(_))) | None => return pages::expired(),
    };
    if !is_genuine(&provider, &headers, &form, &id, &sign_in) {
        return refuse_foreign_form(&provider, &sign_in, &id);
    }
    if let Some(username) = form.get("fill") {
        return show_again(&provider, &id, *sign_in, username, None);
    }
    match form.get("action") {
        Some("cancel") => {
            provider.store.unpark(&id.digest(), provider.clock.now());
            answer_cancelled(&provider, &sign_in.request)
        }
        Some("continue") => {
            continue_as_current(&provider, &headers, &id, &sign_in, form.get("account")).await
        }
        _ => submit(&provider, &headers, &form, &id, *sign_in).await,
    }
}

/// `GET /not_assigned?r=...`: after a sign-in by somebody who may not use the app (F14).
pub(super) async fn not_assigned(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some((id, Parked::SignIn(parked))) = parked(&provider, query.as_deref()) else {
        return pages::expired();
    };
    let session = session::current(&provider, &headers).await;
    match session.as_ref().and_then(|session| provider.people.user(&session.user)) {
        Some(user) if !parked.request.client.admits(&user.username) => {
            not_assigned_page(&provider, &parked.request, &user, &id)
        }
        // Somebody else is signed in by now, or nobody: the form decides.
        Some(_) | None => see_other(&login_address(&id)),
    }
}

/// OP10: the form's token belongs to this browser's cookie, and the browser, if it says anything,
/// says that the form was on a page of ours.
fn is_genuine(
    provider: &Shared,
    headers: &HeaderMap,
    form: &Params,
    id: &Secret,
    sign_in: &SignIn,
) -> bool {
    let Some(browser) = provider.cookies.browser_of(headers) else { return false };
    let token = form.get("csrf").unwrap_or_default();
    browser.digest() == sign_in.browser
        && is_form_token(provider, &browser, id.expose(), token)
        && super::is_own_form(headers)
}

fn refuse_foreign_form(provider: &Shared, sign_in: &SignIn, id: &Secret) -> Response {
    provider.timeline.record(
        Step::new(
            StepName::LoginFailed,
            "RFC 9700 4.7",
            "the form was not sent by the page that this browser was given",
        )
        .client(&sign_in.request.client.id)
        .failed("csrf"),
    );
    page(StatusCode::FORBIDDEN, pages::stale_form(&login_address(id)))
}

async fn submit(
    provider: &Shared,
    headers: &HeaderMap,
    form: &Params,
    id: &Secret,
    sign_in: SignIn,
) -> Response {
    let client_id = sign_in.request.client.id.clone();
    let typed = form.get("username").unwrap_or_default();
    provider.timeline.record(
        Step::new(StepName::LoginSubmitted, "OIDC Core 3.1.2.3", "the person sent the form")
            .client(&client_id)
            .note("username", form_excerpt(typed))
            .note("password", "..."),
    );
    let Some(user) = prove(provider, form).await else {
        provider.timeline.record(
            Step::new(
                StepName::LoginFailed,
                "OIDC Core 3.1.2.3",
                "no such person with this password",
            )
            .client(&client_id)
            .failed("password"),
        );
        let problem = Some(SignInProblem::WrongCredentials);
        return show_again(provider, id, sign_in, typed, problem);
    };
    if user.is_disabled {
        provider.timeline.record(
            Step::new(
                StepName::LoginFailed,
                "OIDC Core 3.1.2.3",
                "the password is right, but the account is disabled",
            )
            .client(&client_id)
            .user(&user.username)
            .failed("disabled"),
        );
        let problem = Some(SignInProblem::Disabled);
        return show_again(provider, id, sign_in, typed, problem);
    }
    if !sign_in.request.expected.allows(&user.sub) {
        provider.timeline.record(
            Step::new(
                StepName::LoginFailed,
                "OIDC Core 3.1.2.1",
                "the app expects somebody else, so it gets no answer about this person",
            )
            .client(&client_id)
            .user(&user.username)
            .failed("id_token_hint"),
        );
        let problem = Some(SignInProblem::OtherPersonExpected);
        return show_again(provider, id, sign_in, typed, problem);
    }
    provider.timeline.record(
        Step::new(
            StepName::LoginSucceeded,
            "OIDC Core 3.1.2.3",
            format!("{} proved who they are", user.name),
        )
        .client(&client_id)
        .user(&user.username)
        .passed("password"),
    );
    let keep = form.get("keep").is_some();
    signed_in(provider, headers, id, &sign_in, (&user, keep)).await
}

/// The person whose name and password the form has.
async fn prove(provider: &Shared, form: &Params) -> Option<Arc<User>> {
    let typed = form.get("username").unwrap_or_default();
    let user = provider.people.by_login(typed);
    let password = form.get("password").unwrap_or_default();
    let is_right = provider.passwords.is_right(user.as_ref(), password).await;
    user.filter(|_| is_right)
}

async fn signed_in(
    provider: &Shared,
    headers: &HeaderMap,
    id: &Secret,
    sign_in: &SignIn,
    (user, keep): (&User, bool),
) -> Response {
    let held = session::current(provider, headers).await;
    let (session, cookies) = match session::begin(provider, &user.username, held, keep).await {
        Ok(begun) => begun,
        Err(BeginError::Randomness) => return failed(),
        Err(BeginError::Full) => {
            let title = "Too many people are signed in";
            let detail = "The provider keeps as many sessions as it may. Try again later.";
            return page(StatusCode::SERVICE_UNAVAILABLE, pages::error(title, detail, None));
        }
    };
    let mut response = if sign_in.request.client.admits(&user.username) {
        answer_once(provider, id, sign_in, &session, user)
    } else {
        see_other(&format!("/not_assigned?r={}", id.expose()))
    };
    add_session_cookies(provider, &mut response, &cookies);
    response
}

/// A page is answered once: of two forms that come together one gets the code, and the other is
/// sent where the first one's answer can be seen. The code's short life bounds how long a browser
/// that lost the answer may ask for it again.
fn answer_once(
    provider: &Shared,
    id: &Secret,
    sign_in: &SignIn,
    session: &SsoSession,
    user: &User,
) -> Response {
    if provider.store.unpark(&id.digest(), provider.clock.now()).is_none() {
        return see_other(&login_address(id));
    }
    let CodeGiven { code, location } = match give_code(provider, &sign_in.request, session, user) {
        Ok(given) => given,
        Err(why) => return without_code(provider, &sign_in.request, why),
    };
    let response = see_other(location.expose());
    let answered = Answered {
        sign_in: sign_in.clone(),
        session: session.id.clone(),
        user: user.username.clone(),
        location,
        code,
    };
    let expires = provider.clock.now().plus(CODE_LIFETIME);
    provider.store.park(id.digest(), Parked::Answered(Box::new(answered)), expires);
    response
}

/// A form that is sent a second time, by a double click for instance: the browser has thrown the
/// first answer away, cookies and all. The same person gets the same answer, and no second code;
/// once the app has redeemed the code there is nothing to repeat.
async fn answer_again(
    provider: &Shared,
    headers: &HeaderMap,
    form: &Params,
    id: &Secret,
    answered: &Answered,
) -> Response {
    if !is_genuine(provider, headers, form, id, &answered.sign_in) {
        return refuse_foreign_form(provider, &answered.sign_in, id);
    }
    let is_fresh = || provider.store.is_code_fresh(&answered.code, provider.clock.now());
    match form.get("action") {
        Some("sign-in") | None => {
            let proven = prove(provider, form).await;
            let is_same =
                proven.is_some_and(|user| user.username == answered.user && !user.is_disabled);
            if !is_same || !is_fresh() {
                return already_answered(answered);
            }
            match session::renew_cookies(provider, &answered.session) {
                Ok(Some(cookies)) => {
                    let mut response = see_other(answered.location.expose());
                    add_session_cookies(provider, &mut response, &cookies);
                    response
                }
                Ok(None) => pages::expired(),
                Err(RandomnessUnavailable) => failed(),
            }
        }
        Some("continue") => {
            let held = session::current(provider, headers).await;
            if held.is_some_and(|held| held.id == answered.session) && is_fresh() {
                see_other(answered.location.expose())
            } else {
                already_answered(answered)
            }
        }
        Some(_) => already_answered(answered),
    }
}

fn already_answered(answered: &Answered) -> Response {
    let request = &answered.sign_in.request;
    let back = request.redirect_uri.without_query();
    page(StatusCode::CONFLICT, pages::already_answered(&request.client, back))
}

/// The person chose the account that is signed in: the one that the page named, not whoever has
/// signed in since in another tab.
async fn continue_as_current(
    provider: &Shared,
    headers: &HeaderMap,
    id: &Secret,
    sign_in: &SignIn,
    named: Option<&str>,
) -> Response {
    let request = &sign_in.request;
    // Only where choosing was all that was asked: a sign-in that is due cannot be skipped by
    // posting this button's value.
    let is_choice = request.prompt.is_select_account
        && !request.prompt.is_login
        && request.client.allows_sso
        && request.expected != ExpectedPerson::Unknown
        && request.max_age.is_none();
    let session = session::current(provider, headers).await;
    let known = session
        .as_ref()
        .filter(|session| named.is_none_or(|named| named == session.user))
        .and_then(|session| Some((session, provider.people.user(&session.user)?)));
    match known {
        Some((session, user))
            if is_choice
                && request.expected.allows(&user.sub)
                && request.client.admits(&user.username) =>
        {
            answer_once(provider, id, sign_in, session, &user)
        }
        Some((_, user)) if is_choice && !request.client.admits(&user.username) => {
            see_other(&format!("/not_assigned?r={}", id.expose()))
        }
        Some(_) | None => see_other(&login_address(id)),
    }
}

fn show_again(
    provider: &Shared,
    id: &Secret,
    mut sign_in: SignIn,
    username: &str,
    problem: Option<SignInProblem>,
) -> Response {
    sign_in.username = form_excerpt(username);
    sign_in.problem = problem;
    provider.store.repark(&id.digest(), Parked::SignIn(Box::new(sign_in)));
    see_other(&login_address(id))
}

fn login_address(id: &Secret) -> String {
    format!("/login?r={}", id.expose())
}

/// What is kept and shown of a typed name.
fn form_excerpt(typed: &str) -> String {
    typed.chars().take(200).collect()
}
