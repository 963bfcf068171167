//! Authorization responses (OIDC Core 3.1.2.5 and 3.1.2.6; RFC 9207: `iss` on every one).

use axum::http::StatusCode;
use axum::response::Response;

use super::checks::{ErrorCode, PageRefusal, Refusal, ReplyTo};
use crate::authorization_request::AuthorizationRequest;
use crate::config::User;
use crate::endpoints::check_session::session_state;
use crate::http::{page, see_other};
use crate::pages;
use crate::params::Params;
use crate::provider::Shared;
use crate::secret::{Digest, RandomnessUnavailable, Secret, random_id};
use crate::session;
use crate::store::{Code, Grant, SsoSession};
use crate::timeline::{Step, StepName};
use crate::tokens::CODE_LIFETIME;

/// The page for a request that has no trustworthy place to answer to.
pub(super) fn refuse_with_page(
    provider: &Shared,
    params: &Params,
    refusal: &PageRefusal,
) -> Response {
    let mut step = Step::new(
        StepName::AuthorizeRefused,
        refusal.spec,
        format!("an error page is shown, nobody is sent anywhere: {}", refusal.description),
    )
    .failed(refusal.check);
    if let Some(client_id) = params.get("client_id") {
        step = step.client(client_id);
    }
    provider.timeline.record(step);
    let title = "This app sent a request that cannot be trusted";
    page(StatusCode::BAD_REQUEST, pages::error(title, &refusal.description, Some(refusal.check)))
}

/// An error response to a request whose form was wrong.
pub(super) fn answer_error(
    provider: &Shared,
    reply_to: &ReplyTo,
    user: Option<&str>,
    refusal: &Refusal,
) -> Response {
    let mut step = Step::new(StepName::AuthorizeError, refusal.spec, refusal.description)
        .client(&reply_to.client.id)
        .failed(refusal.check)
        .note("error", refusal.error.name());
    if let Some(user) = user {
        step = step.user(user);
    }
    provider.timeline.record(step);
    see_other(&error_location(provider, reply_to, refusal))
}

/// An error response to a request whose form was right.
pub(super) fn answer_request_error(
    provider: &Shared,
    request: &AuthorizationRequest,
    refusal: &Refusal,
) -> Response {
    answer_error(provider, &reply_to(request), None, refusal)
}

/// The person pressed "Cancel".
pub(in crate::endpoints) fn answer_cancelled(
    provider: &Shared,
    request: &AuthorizationRequest,
) -> Response {
    provider.timeline.record(
        Step::new(
            StepName::AuthorizeCancelled,
            "OIDC Core 3.1.2.6",
            "the person went back to the app without signing in",
        )
        .client(&request.client.id)
        .note("error", ErrorCode::AccessDenied.name()),
    );
    see_other(&access_denied_location(provider, request, "the person did not want to sign in"))
}

/// The page for a person who is not assigned to the app, with the way back.
pub(in crate::endpoints) fn not_assigned_page(
    provider: &Shared,
    request: &AuthorizationRequest,
    user: &User,
    id: &Secret,
) -> Response {
    provider.timeline.record(
        Step::new(
            StepName::AuthorizeNotAssigned,
            "OIDC Core 3.1.2.6",
            format!("{} is signed in but may not use {}", user.name, request.client.name),
        )
        .client(&request.client.id)
        .user(&user.username)
        .failed("assignment"),
    );
    let back = access_denied_location(provider, request, "the person may not use this app");
    page(StatusCode::FORBIDDEN, pages::not_assigned(&request.client, user, &back, id.expose()))
}

/// The successful response.
pub(in crate::endpoints) fn answer_with_code(
    provider: &Shared,
    request: &AuthorizationRequest,
    session: &SsoSession,
    user: &User,
) -> Response {
    match give_code(provider, request, session, user) {
        Ok(given) => see_other(given.location.expose()),
        Err(why) => without_code(provider, request, why),
    }
}

/// Why there is no code to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints) enum NoCode {
    SessionOver,
    Randomness,
}

impl From<RandomnessUnavailable> for NoCode {
    fn from(_: RandomnessUnavailable) -> Self {
        Self::Randomness
    }
}

/// The answer where there is no code to give.
pub(in crate::endpoints) fn without_code(
    provider: &Shared,
    request: &AuthorizationRequest,
    why: NoCode,
) -> Response {
    match why {
        NoCode::SessionOver if request.prompt.is_none => {
            answer_request_error(provider, request, &no_session())
        }
        NoCode::SessionOver => pages::expired(),
        NoCode::Randomness => failed(),
    }
}

/// A code, and the address that takes it to the app.
pub(in crate::endpoints) struct CodeGiven {
    pub(in crate::endpoints) code: Digest,
    pub(in crate::endpoints) location: Secret,
}

/// Lets the client join the session, makes a grant and a code for it.
///
/// # Errors
/// [`NoCode`].
pub(in crate::endpoints) fn give_code(
    provider: &Shared,
    request: &AuthorizationRequest,
    session: &SsoSession,
    user: &User,
) -> Result<CodeGiven, NoCode> {
    let joined = session::join(provider, session, &request.client)?;
    let Some((session, sid)) = joined else {
        // Ended between two lines of ours: the person starts again.
        return Err(NoCode::SessionOver);
    };
    let (code, grant_id) = (Secret::random()?, random_id()?);
    let now = provider.clock.now();
    let grant = Grant {
        id: grant_id,
        client_id: request.client.id.clone(),
        session: session.id.clone(),
        sid,
        user: user.username.clone(),
        scopes: request.scopes.clone(),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        amr: session.amr.clone(),
        is_offline: request.scopes.iter().any(|scope| scope == "offline_access"),
        refresh_serial: 0,
        rotated_at: None,
        expires: now.plus(CODE_LIFETIME),
        is_revoked: false,
    };
    let kept = Code {
        grant: grant.id.clone(),
        client_id: grant.client_id.clone(),
        redirect_uri: request.redirect_uri.as_str().to_owned(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        expires: grant.expires,
    };
    provider.timeline.record(
        Step::new(
            StepName::CodeIssued,
            "OIDC Core 3.1.2.5",
            format!("the browser goes back to {} with a code", request.client.name),
        )
        .client(&grant.client_id)
        .sid(&grant.sid)
        .user(&grant.user)
        .passed("authorize"),
    );
    provider.store.insert_grant(grant, now);
    provider.store.insert_code(code.digest(), kept);
    let mut params = vec![("code", code.expose())];
    if let Some(state) = &request.state {
        params.push(("state", state));
    }
    params.push(("iss", provider.config.issuer()));
    let session_state = session_state(request, &session)?;
    if let Some(session_state) = &session_state {
        params.push(("session_state", session_state));
    }
    let location = request.redirect_uri.with_answer(request.response_mode, &params);
    Ok(CodeGiven { code: code.digest(), location: Secret::new(location) })
}

/// Something of the machine failed. There is nothing that the person or the app could mend.
pub(in crate::endpoints) fn failed() -> Response {
    let detail = "The provider has no randomness left. Try again in a moment.";
    page(StatusCode::INTERNAL_SERVER_ERROR, pages::error("Something went wrong", detail, None))
}

/// The session is over where nothing may be shown.
fn no_session() -> Refusal {
    Refusal {
        error: ErrorCode::LoginRequired,
        check: "session",
        spec: "OIDC Core 3.1.2.6",
        description: "nobody is signed in at the provider in this browser any more",
    }
}

fn access_denied_location(
    provider: &Shared,
    request: &AuthorizationRequest,
    description: &'static str,
) -> String {
    let refusal = Refusal {
        error: ErrorCode::AccessDenied,
        check: "person",
        spec: "OIDC Core 3.1.2.6",
        description,
    };
    error_location(provider, &reply_to(request), &refusal)
}

fn reply_to(request: &AuthorizationRequest) -> ReplyTo {
    ReplyTo {
        client: request.client.clone(),
        redirect_uri: request.redirect_uri.clone(),
        response_mode: request.response_mode,
        state: request.state.clone(),
    }
}

fn error_location(provider: &Shared, reply_to: &ReplyTo, refusal: &Refusal) -> String {
    let mut params =
        vec![("error", refusal.error.name()), ("error_description", refusal.description)];
    if let Some(state) = &reply_to.state {
        params.push(("state", state));
    }
    params.push(("iss", provider.config.issuer()));
    reply_to.redirect_uri.with_answer(reply_to.response_mode, &params)
}
