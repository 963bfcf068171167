//! `/authorize` (OIDC Core 3.1.2): GET and POST.

mod checks;
mod respond;
mod reuse;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::authorization_request::{AuthorizationRequest, ExpectedPerson};
use crate::clock::Seconds;
use crate::config::User;
use crate::http::{page, read_form, see_other};
use crate::pages;
use crate::params::Params;
use crate::provider::Shared;
use crate::secret::{RandomnessUnavailable, Secret};
use crate::session::{self, FoundBy};
use crate::store::{Parked, SignIn, SsoSession};
use crate::timeline::{Step, StepName};

use checks::{ErrorCode, Refusal};
use reuse::{Decision, Rule};

pub(crate) use checks::prompt::SUPPORTED as SUPPORTED_PROMPTS;
pub(super) use respond::{
    CodeGiven, answer_cancelled, answer_with_code, failed, give_code, not_assigned_page,
    without_code,
};

/// `GET /authorize`
pub(super) async fn get(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match Params::parse(&query.unwrap_or_default()) {
        Ok(params) => handle(&provider, &headers, &params).await,
        Err(error) => unreadable(&provider, StatusCode::BAD_REQUEST, error.description()),
    }
}

/// `POST /authorize`: a cross-site POST carries no `SameSite=Lax` cookie, so every POST is put
/// aside and answered with a GET of our own, to which the browser attaches the cookie.
pub(super) async fn post(
    State(provider): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let params = match read_form(&headers, body).await {
        Ok(params) => params,
        Err(error) => return unreadable(&provider, error.status(), error.description()),
    };
    let Ok(id) = Secret::random() else { return failed() };
    let expires = provider.clock.now().plus(PARKED_LIFETIME);
    provider.store.park(id.digest(), Parked::Authorize(params), expires);
    see_other(&format!("/authorize/continue?r={}", id.expose()))
}

/// `GET /authorize/continue?r=...`: goes on with what was put aside.
pub(super) async fn go_on(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match super::parked(&provider, query.as_deref()) {
        Some((_, Parked::Authorize(params))) => handle(&provider, &headers, &params).await,
        _ => pages::expired(),
    }
}

async fn handle(provider: &Shared, headers: &HeaderMap, params: &Params) -> Response {
    let mut step = Step::new(
        StepName::AuthorizeReceived,
        "OIDC Core 3.1.2.1",
        "an app asks who the person is",
    )
    .params(params);
    if let Some(client_id) = params.get("client_id") {
        step = step.client(client_id);
    }
    provider.timeline.record(step);

    let reply_to = match checks::check_reply_to(provider, params) {
        Ok(reply_to) => reply_to,
        Err(refusal) => return respond::refuse_with_page(provider, params, &refusal),
    };
    let request = match checks::check_request(provider, &reply_to, params) {
        Ok(request) => request,
        Err(refusal) => return respond::answer_error(provider, &reply_to, None, &refusal),
    };
    decide(provider, headers, request).await
}

async fn decide(provider: &Shared, headers: &HeaderMap, request: AuthorizationRequest) -> Response {
    let found = if request.prompt.is_none {
        session::current_silently(provider, headers).await
    } else {
        let session = session::current(provider, headers).await;
        session.map(|session| (session, FoundBy::SessionCookie))
    };
    let known = found.as_ref().and_then(|(session, by)| {
        let user = provider.people.user(&session.user)?;
        Some(Known { session, user, by: *by })
    });
    let decision = reuse::decide(
        &request,
        known.as_ref().map(|known| (known.session, &*known.user)),
        provider.clock.now(),
    );
    match (decision, known) {
        (Decision::Reuse, Some(known)) => reuse_session(provider, headers, request, &known),
        (Decision::Choose, Some(Known { user, .. })) => {
            let open = match SignInPage::open(provider, headers, request) {
                Ok(open) => open,
                Err(RandomnessUnavailable) => return failed(),
            };
            open.record(provider, "prompt", "the app asked the person to choose an account");
            open.respond(provider, |form| pages::choose_account(form, &user))
        }
        (Decision::SignIn(rule), _) => sign_in(provider, headers, request, rule),
        (Decision::Reuse | Decision::Choose, None) => {
            sign_in(provider, headers, request, Rule::Session)
        }
    }
}

/// Who is signed in at the provider in this browser.
struct Known<'a> {
    session: &'a SsoSession,
    user: Arc<User>,
    by: FoundBy,
}

fn reuse_session(
    provider: &Shared,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    known: &Known<'_>,
) -> Response {
    let Known { session, user, by } = known;
    if !request.client.admits(&user.username) {
        return refuse_unassigned(provider, headers, request, user);
    }
    provider.timeline.record(
        Step::new(
            StepName::SessionReused,
            "OIDC Core 3.1.2.3",
            format!("{} is signed in already; no page is shown", user.name),
        )
        .client(&request.client.id)
        .user(&user.username)
        .note("cookie", by.name())
        .passed("session"),
    );
    answer_with_code(provider, &request, session, user)
}

/// F14: the person is known, but not to this app.
fn refuse_unassigned(
    provider: &Shared,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    user: &User,
) -> Response {
    if request.prompt.is_none {
        let refusal = Refusal {
            error: ErrorCode::AccessDenied,
            check: "assignment",
            spec: "OIDC Core 3.1.2.6",
            description: "the person may not use this app",
        };
        return respond::answer_request_error(provider, &request, &refusal);
    }
    match SignInPage::open(provider, headers, request) {
        Ok(open) => {
            let response = not_assigned_page(provider, &open.request, user, &open.id);
            open.with_cookie(provider, response)
        }
        Err(RandomnessUnavailable) => failed(),
    }
}

fn sign_in(
    provider: &Shared,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    rule: Rule,
) -> Response {
    if request.prompt.is_none {
        let refusal = Refusal {
            error: ErrorCode::LoginRequired,
            check: rule.name(),
            spec: "OIDC Core 3.1.2.6",
            description: rule.detail(),
        };
        return respond::answer_request_error(provider, &request, &refusal);
    }
    match SignInPage::open(provider, headers, request) {
        Ok(open) => {
            open.record(provider, rule.name(), rule.detail());
            let username = open.username.clone();
            let config = &provider.config;
            open.respond(provider, |form| pages::login(config, form, &username, None))
        }
        Err(RandomnessUnavailable) => failed(),
    }
}

/// A page about one parked request, bound to this browser.
pub(in crate::endpoints) struct SignInPage {
    pub(super) request: std::sync::Arc<AuthorizationRequest>,
    /// What stands in the URL and the form.
    pub(super) id: Secret,
    pub(super) browser: Secret,
    is_browser_new: bool,
    pub(in crate::endpoints) username: String,
}

impl SignInPage {
    /// Puts the request aside and marks the browser.
    fn open(
        provider: &Shared,
        headers: &HeaderMap,
        request: AuthorizationRequest,
    ) -> Result<Self, RandomnessUnavailable> {
        let id = Secret::random()?;
        let (browser, is_browser_new) = browser_of(provider, headers)?;
        let request = std::sync::Arc::new(request);
        let username = suggested_username(provider, &request);
        let parked = SignIn {
            request: request.clone(),
            browser: browser.digest(),
            username: username.clone(),
            problem: None,
        };
        let expires = provider.clock.now().plus(PARKED_LIFETIME);
        provider.store.park(id.digest(), Parked::SignIn(Box::new(parked)), expires);
        Ok(Self { request, id, browser, is_browser_new, username })
    }

    /// Shows a parked request again, in whichever browser asks: its form then belongs to that one.
    pub(in crate::endpoints) fn reopen(
        provider: &Shared,
        headers: &HeaderMap,
        id: Secret,
        mut parked: SignIn,
    ) -> Result<Self, RandomnessUnavailable> {
        let (browser, is_browser_new) = browser_of(provider, headers)?;
        let request = parked.request.clone();
        let username = parked.username.clone();
        parked.browser = browser.digest();
        parked.problem = None;
        provider.store.repark(&id.digest(), Parked::SignIn(Box::new(parked)));
        Ok(Self { request, id, browser, is_browser_new, username })
    }

    fn record(&self, provider: &Shared, check: &'static str, detail: &'static str) {
        provider.timeline.record(
            Step::new(StepName::AuthorizeLoginPage, "OIDC Core 3.1.2.3", detail)
                .client(&self.request.client.id)
                .failed(check),
        );
    }

    /// Renders the page with its form.
    pub(in crate::endpoints) fn respond(
        self,
        provider: &Shared,
        render: impl FnOnce(pages::Form<'_>) -> maud::Markup,
    ) -> Response {
        let csrf = crate::http::form_token(provider, &self.browser, self.id.expose());
        let form =
            pages::Form { request: &self.request, id: self.id.expose(), csrf: csrf.as_str() };
        let response = page(StatusCode::OK, render(form));
        self.with_cookie(provider, response)
    }

    fn with_cookie(self, provider: &Shared, mut response: Response) -> Response {
        if self.is_browser_new {
            super::add_browser_cookie(provider, &mut response, &self.browser);
        }
        response
    }
}

/// The browser's pre-session cookie, or a new one. A value that we could not have made is replaced.
pub(in crate::endpoints) fn browser_of(
    provider: &Shared,
    headers: &HeaderMap,
) -> Result<(Secret, bool), RandomnessUnavailable> {
    match provider.cookies.browser_of(headers) {
        Some(browser) if browser.expose().len() == 43 => Ok((browser, false)),
        _ => Secret::random().map(|browser| (browser, true)),
    }
}

/// `login_hint` prefills; without it, the person that `id_token_hint` names.
fn suggested_username(provider: &Shared, request: &AuthorizationRequest) -> String {
    let hinted = || {
        let ExpectedPerson::Sub(sub) = &request.expected else { return None };
        Some(provider.people.by_sub(sub)?.username.clone())
    };
    request.login_hint.clone().or_else(hinted).unwrap_or_default()
}

fn unreadable(provider: &Shared, status: StatusCode, description: &'static str) -> Response {
    provider.timeline.record(
        Step::new(StepName::AuthorizeRefused, "RFC 6749 3.1", description).failed("encoding"),
    );
    page(status, pages::error("This request cannot be read", description, None))
}

/// Long enough for a person who looks for a password.
const PARKED_LIFETIME: Seconds = Seconds(30 * 60);
