//! `/session_events`: the stream that tells an app when the SSO session ends.
//! The wire format is specified in docs/session-events.md; section numbers refer to it.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, interval_at};
use url::{Host, Url};

use crate::http::{
    BearerError, SseEvent, bearer_token, event_stream, json as respond_json, origin_of,
};
use crate::provider::Shared;
use crate::session::{self, close_stream};
use crate::store::EndedSession;
use crate::streams::{
    MAX_PER_GRANT, MAX_PER_POOL, OpenStream, Pool, Queued, StreamOwner, TooManyStreams,
};
use crate::timeline::{Step, StepName};
use crate::tokens::{AccessToken, SignOut, issue_logout_token, read_own_access_token};

/// `GET /session_events`
pub(super) async fn get(
    State(provider): State<Shared>,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let token = bearer_token(&headers)
        .and_then(|token| read_own_access_token(&provider, token).ok_or(BearerError::Invalid));
    let token = match token {
        Ok(token) => token,
        Err(error) => return refuse(&provider, None, error),
    };
    // Section 3: only pages of the client itself, whatever token they hold.
    if let Some(origin) = origin_of(&headers) {
        let is_own = provider.config.client(&token.client_id).is_some_and(|c| c.has_origin(origin));
        if !is_own {
            return refuse_origin(&provider, &token);
        }
    }
    if !token.has_scope("openid") {
        return refuse(&provider, Some(&token), BearerError::Scope);
    }
    // Before expiry and revocation: a tab that slept through the end is to hear of it now, with a
    // token that is of no other use (section 4).
    expire_session_of(&provider, &token).await;
    if let Some(ended) = provider.store.ended_session(&token.client_id, &token.sid) {
        return tell_ended(&provider, &ended).await;
    }
    if token.has_expired(provider.clock.now()) {
        return refuse(&provider, Some(&token), BearerError::Expired);
    }
    open(&provider, &token, pool_of(version, &headers)).await
}

/// Which connections of a browser a stream takes one of: none of a program that is no browser's page,
/// and none by HTTP/2, where a browser has one connection for all.
fn pool_of(version: Version, headers: &HeaderMap) -> Option<Pool> {
    let origin = origin_of(headers)?;
    if shares_among_sites(headers) {
        return Some(Pool::Browser);
    }
    if version > Version::HTTP_11 {
        return None;
    }
    site_of(origin).map(Pool::Site)
}

/// Whether all sites share a browser's connections to a host. So they do in `WebKitGTK`, whose library
/// (libsoup 3) moreover sends each POST by a connection of its own, by HTTP/2 too, and leaves there the
/// stream that comes next. Safari says the same words and is not told apart: what it costs it, if it is
/// not so there, is that a fifth app asks every few seconds in place of being told.
fn shares_among_sites(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.is_some_and(|agent| agent.contains("AppleWebKit/") && !agent.contains("Chrome/"))
}

/// About the site of a page: its host, or the last two names of it. Where that is too little
/// (`co.uk`), more apps than need be ask again and again.
fn site_of(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let names = match url.host()? {
        Host::Domain(name) => name.rsplitn(3, '.').take(2).collect::<Vec<_>>().join("."),
        address => address.to_string(),
    };
    Some(names)
}

/// A session that nobody asked for since it expired ends now, so that the answer is "it ended" and
/// not "invalid token".
async fn expire_session_of(provider: &Shared, token: &AccessToken) {
    if let Some(grant) = provider.store.grant(&token.grant) {
        session::by_id(provider, &grant.session).await;
    }
}

async fn open(provider: &Shared, token: &AccessToken, pool: Option<Pool>) -> Response {
    let Some(grant) = provider.store.grant(&token.grant) else {
        return refuse(provider, Some(token), BearerError::Revoked);
    };
    let owner = StreamOwner {
        client_id: grant.client_id.clone(),
        sid: grant.sid.clone(),
        session: grant.session.clone(),
        grant: grant.id.clone(),
        user: grant.user.clone(),
        pool,
    };
    let (stream, events) = match provider.streams.open(owner) {
        Ok(opened) => opened,
        Err(which) => return refuse_another(provider, token, which),
    };
    let id = stream.id;
    let guard = Guard { provider: provider.clone(), stream };
    // Looked at after the stream stands in the list: a session that ends from here on tells it,
    // one that ended before is seen now. Nothing falls between.
    if let Some(ended) = provider.store.ended_session(&token.client_id, &token.sid) {
        provider.streams.close(id);
        return tell_ended(provider, &ended).await;
    }
    // An offline grant may outlive the session, but there is nothing to hear about then.
    let is_live = session::is_grant_active(provider, &grant).await
        && session::by_id(provider, &grant.session).await.is_some();
    if !is_live {
        provider.streams.close(id);
        return refuse(provider, Some(token), BearerError::Revoked);
    }
    provider.timeline.record(
        Step::new(StepName::StreamOpened, "session-events 3", "the app listens for the sign-out")
            .client(&guard.stream.owner.client_id)
            .sid(&guard.stream.owner.sid)
            .user(&guard.stream.owner.user)
            .passed("access_token"),
    );
    let hello = SseEvent::named("open", json!({ "heartbeat": HEARTBEAT.as_secs() }).to_string());
    event_stream(follow(guard, events, hello))
}

/// Section 4: one `logout` event, then the end of the stream.
async fn tell_ended(provider: &Shared, ended: &EndedSession) -> Response {
    let (Some(client), Some(user)) =
        (provider.config.client(&ended.client_id), provider.people.user(&ended.user))
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let about = SignOut::of(&ended.sid);
    let Ok(token) = issue_logout_token(provider, client, &user.sub, about).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    provider.timeline.record(
        Step::new(
            StepName::LogoutTokenSent,
            "session-events 4",
            format!("{} asks late and is told that the session is over", client.name),
        )
        .client(&ended.client_id)
        .sid(&ended.sid)
        .user(&ended.user),
    );
    event_stream(stream::iter([SseEvent::named("logout", token)]))
}

fn follow(
    guard: Guard,
    events: mpsc::Receiver<Queued>,
    hello: SseEvent,
) -> impl Stream<Item = SseEvent> + Send {
    let heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let first = stream::iter([hello]);
    let rest = stream::unfold(Following { guard, events, heartbeat }, |mut following| async move {
        let event = following.next().await?;
        Some((event, following))
    });
    futures_util::StreamExt::chain(first, rest)
}

struct Following {
    guard: Guard,
    events: mpsc::Receiver<Queued>,
    heartbeat: Interval,
}

impl Following {
    async fn next(&mut self) -> Option<SseEvent> {
        tokio::select! {
            // What was sent goes out before a heartbeat notices that the grant is gone.
            biased;
            event = self.events.recv() => event.map(|event| *event),
            _ = self.heartbeat.tick() => {
                if self.guard.has_grant().await {
                    return Some(SseEvent::Heartbeat);
                }
                // The grant ended by itself: take what may have been sent, then end.
                self.guard.close("the grant is over");
                self.events.recv().await.map(|event| *event)
            }
        }
    }
}

/// Takes the stream out of the list when the reader goes away.
struct Guard {
    provider: Shared,
    stream: OpenStream,
}

impl Guard {
    /// The stream ends with the grant, not with the access token that opened it (section 5).
    async fn has_grant(&self) -> bool {
        match self.provider.store.grant(&self.stream.owner.grant) {
            Some(grant) => session::is_grant_active(&self.provider, &grant).await,
            None => false,
        }
    }

    fn close(&self, why: &'static str) {
        close_stream(&self.provider, &self.stream, why);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.close("the app closed the stream");
    }
}

fn refuse(provider: &Shared, token: Option<&AccessToken>, error: BearerError) -> Response {
    record_refusal(provider, token, "access_token", error.description());
    error.into_response()
}

fn refuse_origin(provider: &Shared, token: &AccessToken) -> Response {
    let description = "the page's origin is not registered for the client of this token";
    record_refusal(provider, Some(token), "origin", description);
    respond_json(
        StatusCode::FORBIDDEN,
        &json!({ "error": "origin_not_registered", "error_description": description }),
    )
}

fn refuse_another(provider: &Shared, token: &AccessToken, which: TooManyStreams) -> Response {
    let (description, most, retry_after) = match which {
        TooManyStreams::OfGrant => {
            ("there are eight open streams of this sign-in already", MAX_PER_GRANT, RETRY_AFTER)
        }
        TooManyStreams::OfPool => (
            "more streams would take all connections that this browser has for these pages",
            MAX_PER_POOL,
            ASK_AGAIN_AFTER,
        ),
        TooManyStreams::InAll => (
            "the provider has as many open streams as it may",
            provider.config.limits.streams,
            RETRY_AFTER,
        ),
    };
    if provider.streams.is_first_refusal(&token.grant) {
        record_refusal(provider, Some(token), "streams", description);
    }
    let mut response = respond_json(
        StatusCode::TOO_MANY_REQUESTS,
        &json!({
            "error": "too_many_streams",
            "error_description": description,
            "max_streams": most,
        }),
    );
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(retry_after));
    response
}

fn record_refusal(
    provider: &Shared,
    token: Option<&AccessToken>,
    check: &'static str,
    detail: &'static str,
) {
    let mut step = Step::new(StepName::StreamRefused, "session-events 3", detail).failed(check);
    if let Some(token) = token {
        step = step.client(&token.client_id).sid(&token.sid);
    }
    provider.timeline.record(step);
}

/// Real time, not the provider's clock: it keeps a connection awake.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Seconds. A tab that closed is noticed at the next heartbeat at the latest.
const RETRY_AFTER: &str = "15";

/// Seconds. An app that has no stream of its own hears of a sign-out this much later at most.
const ASK_AGAIN_AFTER: &str = "5";

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(version: Version, agent: &str) -> Option<Pool> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://one.apps.example:4430"));
        headers.insert(header::USER_AGENT, HeaderValue::from_str(agent).unwrap());
        pool_of(version, &headers)
    }

    #[test]
    fn f3_streams_count_where_they_share_connections() {
        let chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                        HeadlessChrome/156.0.0.0 Safari/537.36";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
        let webkit = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/26.0 Safari/605.1.15";
        let site = site_of("https://another.apps.example").map(Pool::Site);
        assert_ne!(site, None);
        assert_eq!(pool(Version::HTTP_11, chromium), site);
        assert_eq!(pool(Version::HTTP_11, firefox), site);
        assert_eq!(pool(Version::HTTP_11, webkit), Some(Pool::Browser));
        assert_eq!(pool(Version::HTTP_2, chromium), None);
        assert_eq!(pool(Version::HTTP_2, firefox), None);
        assert_eq!(pool(Version::HTTP_2, webkit), Some(Pool::Browser));
        // A program without a page.
        assert_eq!(pool_of(Version::HTTP_11, &HeaderMap::new()), None);
    }
}
