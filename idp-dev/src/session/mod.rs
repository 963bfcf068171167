//! The SSO session: found by its cookie, begun by a sign-in, joined by clients, ended once.

mod change;
mod end;
mod expiry;

use axum::http::HeaderMap;

use crate::clock::{Seconds, UnixTime};
use crate::config::{Client, Config};
use crate::provider::{Provider, Shared};
use crate::secret::{RandomnessUnavailable, Secret, random_id};
use crate::store::{Grant, SsoSession, StoreFull};
use crate::timeline::{Step, StepName};

pub(crate) use change::{set_level, tell_changed_claims};
pub(crate) use end::{EndCause, Told, close_stream, end, end_each, leave, revoke_family};
pub(crate) use expiry::{expire_due, watch_expiry};

/// The only level there is: one factor, a password.
pub(crate) const ACR_PASSWORD: &str = "1";

/// RFC 8176.
const AMR_PASSWORD: &str = "pwd";

impl SsoSession {
    /// When the session ends if nobody visits again.
    pub(crate) fn idle_end(&self, config: &Config) -> UnixTime {
        self.last_seen.plus(config.idle_lifetime)
    }

    /// When the session ends whatever happens.
    pub(crate) fn absolute_end(&self, config: &Config) -> UnixTime {
        self.auth_time.plus(config.absolute_lifetime)
    }

    /// Is it over by itself?
    pub(crate) fn has_expired(&self, config: &Config, now: UnixTime) -> bool {
        self.idle_end(config) <= now || self.absolute_end(config) <= now
    }
}

/// The live session that the request's cookie holds. One that has expired is ended on the way.
pub(crate) async fn current(provider: &Shared, headers: &HeaderMap) -> Option<SsoSession> {
    let cookie = provider.cookies.session_of(headers)?;
    let session = provider.store.session_by_cookie(&cookie.digest())?;
    live(provider, session).await
}

/// The live session for a request that may show nothing: by its cookie, or in a frame of another
/// site, where browsers keep that one back, by the silent cookie. The second opens nothing else: a
/// page that frames us could otherwise act as the person (OP11).
pub(crate) async fn current_silently(
    provider: &Shared,
    headers: &HeaderMap,
) -> Option<(SsoSession, FoundBy)> {
    if let Some(session) = current(provider, headers).await {
        return Some((session, FoundBy::SessionCookie));
    }
    let cookie = provider.cookies.silent_of(headers)?;
    let session = provider.store.session_by_silent_cookie(&cookie.digest())?;
    Some((live(provider, session).await?, FoundBy::SilentCookie))
}

/// Which cookie a session was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoundBy {
    SessionCookie,
    SilentCookie,
}

impl FoundBy {
    /// As the timeline says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SessionCookie => "session",
            Self::SilentCookie => "silent",
        }
    }
}

/// The live session of that id. One that has expired is ended on the way.
pub(crate) async fn by_id(provider: &Shared, id: &str) -> Option<SsoSession> {
    let session = provider.store.session(id)?;
    live(provider, session).await
}

async fn live(provider: &Shared, session: SsoSession) -> Option<SsoSession> {
    if session.has_expired(&provider.config, provider.clock.now()) {
        end(provider, &session.id, EndCause::Expired).await;
        return None;
    }
    // D1: also one that began while its account was being disabled, too late to be ended with the
    // others.
    if !provider.people.is_enabled(&session.user) {
        end(provider, &session.id, EndCause::Disabled).await;
        return None;
    }
    Some(session)
}

/// May tokens of this grant still be used? Not after its revocation, its own end, or the end of
/// the session it was given in, unless it was given to outlive that.
pub(crate) async fn is_grant_active(provider: &Shared, grant: &Grant) -> bool {
    if grant.is_revoked || grant.expires <= provider.clock.now() {
        return false;
    }
    // D1: an account that is disabled gives nothing more, not even what outlives the session.
    if !provider.people.is_enabled(&grant.user) {
        return false;
    }
    grant.is_offline || by_id(provider, &grant.session).await.is_some()
}

/// A sign of life: moves the idle end.
pub(crate) fn touch(provider: &Provider, id: &str) {
    let now = provider.clock.now();
    provider.store.update_session(id, &mut |session| session.last_seen = now);
}

/// Begins a session for `user`, or goes on with `held`, the one that this browser holds already.
/// Gives the session and the values of its new cookies.
///
/// The cookies change with every sign-in, also of the same person: whoever planted the old ones
/// holds nothing (OP11). The session of another person ends, so that that person's apps in this
/// browser hear of it. With `keep` the cookies outlive the browser's restart (F12): they last as
/// long as the session may, and the session lasts no longer for it.
///
/// # Errors
/// When the store is full or there is no randomness.
pub(crate) async fn begin(
    provider: &Shared,
    user: &str,
    held: Option<SsoSession>,
    keep: bool,
) -> Result<(SsoSession, Cookies), BeginError> {
    let mut cookies = Cookies::new(provider, keep)?;
    let now = provider.clock.now();
    if let Some(held) = held {
        if held.user == user {
            // The session is the same: what frames compare must be too.
            cookies.state.clone_from(&held.browser_state);
            let renewed = provider.store.update_session(&held.id, &mut |session| {
                session.cookie = cookies.session.digest();
                session.silent_cookie = cookies.silent.digest();
                session.auth_time = now;
                session.last_seen = now;
                session.is_kept = keep;
            });
            if let Some(session) = renewed {
                return Ok((session, cookies));
            }
        } else {
            end(provider, &held.id, EndCause::Replaced).await;
        }
    }
    let session = SsoSession {
        id: random_id()?,
        cookie: cookies.session.digest(),
        silent_cookie: cookies.silent.digest(),
        browser_state: cookies.state.clone(),
        has_browser: true,
        is_kept: keep,
        user: user.to_owned(),
        started: now,
        auth_time: now,
        last_seen: now,
        acr: ACR_PASSWORD.into(),
        amr: vec![AMR_PASSWORD],
        joined: std::collections::BTreeMap::new(),
    };
    provider.store.insert_session(session.clone())?;
    provider.timeline.record(
        Step::new(
            StepName::SessionStarted,
            "OIDC Core 3.1.2.3",
            "the provider's own session in this browser begins",
        )
        .user(user)
        .note("session", session.id.as_str()),
    );
    Ok((session, cookies))
}

/// New cookies for a session that lives: for a browser that did not get the last ones. `None` if
/// it has ended.
///
/// # Errors
/// When there is no randomness.
pub(crate) fn renew_cookies(
    provider: &Provider,
    id: &str,
) -> Result<Option<Cookies>, RandomnessUnavailable> {
    let Some(session) = provider.store.session(id) else { return Ok(None) };
    let mut cookies = Cookies::new(provider, session.is_kept)?;
    let renewed = provider.store.update_session(id, &mut |session| {
        session.cookie = cookies.session.digest();
        session.silent_cookie = cookies.silent.digest();
    });
    Ok(renewed.map(|session| {
        cookies.state = session.browser_state;
        cookies
    }))
}

/// The values of a session's cookies.
pub(crate) struct Cookies {
    pub(crate) session: Secret,
    pub(crate) silent: Secret,
    /// What frames of ours compare.
    pub(crate) state: String,
    /// How long the browser keeps them; until it ends without it.
    pub(crate) lifetime: Option<Seconds>,
}

impl Cookies {
    fn new(provider: &Provider, keep: bool) -> Result<Self, RandomnessUnavailable> {
        Ok(Self {
            session: Secret::random()?,
            silent: Secret::random()?,
            state: random_id()?,
            lifetime: keep.then_some(provider.config.absolute_lifetime),
        })
    }
}

/// Lets a client join the session; gives the session with the client's `sid` in it, or `None` if
/// it ended meanwhile.
///
/// # Errors
/// When there is no randomness.
pub(crate) fn join(
    provider: &Provider,
    session: &SsoSession,
    client: &Client,
) -> Result<Option<(SsoSession, String)>, RandomnessUnavailable> {
    let fresh = random_id()?;
    let now = provider.clock.now();
    let mut has_joined_now = false;
    let joined = provider.store.update_session(&session.id, &mut |session| {
        session.last_seen = now;
        has_joined_now = !session.joined.contains_key(&client.id);
        if has_joined_now {
            session.joined.insert(client.id.clone(), fresh.clone());
        }
    });
    let Some(session) = joined else { return Ok(None) };
    let Some(sid) = session.joined.get(&client.id).cloned() else { return Ok(None) };
    if has_joined_now {
        provider.timeline.record(
            Step::new(
                StepName::SessionJoined,
                "Back-Channel Logout 2.1",
                format!("{} now takes part in the session", client.name),
            )
            .client(&client.id)
            .sid(&sid)
            .user(&session.user),
        );
    }
    Ok(Some((session, sid)))
}

/// Why a session could not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BeginError {
    Full,
    Randomness,
}

impl From<StoreFull> for BeginError {
    fn from(_: StoreFull) -> Self {
        Self::Full
    }
}

impl From<RandomnessUnavailable> for BeginError {
    fn from(_: RandomnessUnavailable) -> Self {
        Self::Randomness
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::people::Change;
    use crate::{Clock, MemoryStore};

    fn provider() -> Shared {
        let config = Config::parse("idp.toml", Config::EXAMPLE).unwrap();
        let store = Arc::new(MemoryStore::new());
        Provider::start(config, Clock::system(), store, false).unwrap()
    }

    async fn richards(provider: &Shared) -> SsoSession {
        begin(provider, "richard", None, false).await.unwrap().0
    }

    #[tokio::test]
    async fn d1_session_that_begins_while_its_account_is_disabled_is_none() {
        let provider = provider();
        // Everything about the account was ended between the password and the session.
        let change = Change { is_disabled: Some(true), ..Change::default() };
        provider.people.change("richard", change).unwrap();
        let session = richards(&provider).await;
        assert!(by_id(&provider, &session.id).await.is_none());
        assert!(provider.store.sessions().is_empty(), "it has ended");
    }

    #[tokio::test]
    async fn f9_app_that_joins_while_the_last_one_leaves_stays() {
        let provider = provider();
        let client = |id| provider.config.client(id).unwrap();
        let session = richards(&provider).await;
        let (seen, _) = join(&provider, &session, client("pied-piper")).unwrap().unwrap();
        join(&provider, &seen, client("hooli")).unwrap();
        leave(&provider, &seen, &|id| id == "pied-piper").await.unwrap().unwrap();
        let session = by_id(&provider, &session.id).await.unwrap();
        assert_eq!(session.joined.keys().collect::<Vec<_>>(), ["hooli"]);
        leave(&provider, &session, &|id| id == "hooli").await.unwrap().unwrap();
        assert!(provider.store.sessions().is_empty());
    }
}
