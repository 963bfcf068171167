//! The end of an SSO session: one way, whatever the cause.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::back_channel::{self, Delivered};
use crate::http::SseEvent;
use crate::provider::Shared;
use crate::secret::{Digest, RandomnessUnavailable, Secret};
use crate::store::{Leave, Left, SsoSession};
use crate::streams::{OpenStream, StreamOwner};
use crate::timeline::{Step, StepName};
use crate::tokens::{SignOut, issue_logout_token};

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndCause {
    /// The person signed out.
    RpInitiated,
    /// The control API ended it.
    Administrator,
    /// Its idle or absolute lifetime is over.
    Expired,
    /// The control API forgot everything.
    Reset,
    /// Somebody else signed in in the same browser.
    Replaced,
    /// The person signed out everywhere, in another browser.
    Everywhere,
    /// The account was disabled (D1).
    Disabled,
}

impl EndCause {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RpInitiated => "rp_initiated",
            Self::Administrator => "administrator",
            Self::Expired => "expired",
            Self::Reset => "reset",
            Self::Replaced => "replaced",
            Self::Everywhere => "everywhere",
            Self::Disabled => "disabled",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::RpInitiated => "the person signed out; the provider's session is over",
            Self::Administrator => "an administrator ended the session",
            Self::Expired => "the session's lifetime is over",
            Self::Reset => "the provider was reset",
            Self::Replaced => "somebody else signed in in the same browser",
            Self::Everywhere => "the person signed out everywhere, in another browser",
            Self::Disabled => "the account was disabled",
        }
    }

    const fn spec(self) -> &'static str {
        match self {
            Self::RpInitiated => "RP-Initiated Logout 2",
            Self::Administrator
            | Self::Expired
            | Self::Reset
            | Self::Replaced
            | Self::Everywhere
            | Self::Disabled => "Back-Channel Logout 2.3",
        }
    }
}

/// What is on its way to the apps' servers when a session has ended; it goes on by itself.
#[derive(Default)]
pub(crate) struct Told {
    /// The clients whose session it was, with the name that each knew it by.
    pub(crate) joined: Vec<(String, String)>,
    pub(crate) servers: Vec<Delivered>,
}

/// Ends a session: (1) it no longer counts, (2) each open stream of each joined client gets the
/// client's logout token, and the back channels get theirs, (3) what was given in it is revoked,
/// (4) its streams close. `None` if it had ended before.
///
/// The tokens go out before the revocation, so that a client learns why its grant is gone and
/// does not take it for an error.
pub(crate) async fn end(provider: &Shared, id: &str, cause: EndCause) -> Option<Told> {
    let session = provider.store.end_session(id, provider.clock.now())?;
    ended(provider, session, cause).await
}

async fn ended(provider: &Shared, session: SsoSession, cause: EndCause) -> Option<Told> {
    provider.timeline.record(
        Step::new(StepName::SessionEnded, cause.spec(), cause.detail())
            .user(&session.user)
            .note("cause", cause.name())
            .note("session", session.id.as_str()),
    );
    tell(provider, session).await
}

/// Ends these sessions, one after the other, whoever hangs up meanwhile.
pub(crate) async fn end_each(provider: &Shared, sessions: Vec<SsoSession>, cause: EndCause) {
    let provider = provider.clone();
    let all = tokio::spawn(async move {
        for session in sessions {
            end(&provider, &session.id, cause).await;
        }
    });
    // Only a defect ends it early, and its task has said so.
    let _over = all.await;
}

/// Takes those clients out of a session that `whose` picks, and the session out of the browser;
/// the other clients go on with what they have (F9). A session that nobody is left in ends.
///
/// # Errors
/// When there is no randomness.
pub(crate) async fn leave(
    provider: &Shared,
    session: &SsoSession,
    whose: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Option<Told>, RandomnessUnavailable> {
    let nobodys = || Secret::random().map(|secret| secret.digest());
    let (cookie, silent_cookie): (Digest, Digest) = (nobodys()?, nobodys()?);
    let at = provider.clock.now();
    let left =
        provider.store.leave_session(&session.id, &Leave { whose, cookie, silent_cookie, at });
    let left = match left {
        None => return Ok(None),
        Some(Left::Ended(session)) => {
            return Ok(ended(provider, session, EndCause::RpInitiated).await);
        }
        Some(Left::GoesOn(left)) => left,
    };
    provider.timeline.record(
        Step::new(
            StepName::SessionLeft,
            "RP-Initiated Logout 2",
            "this browser holds the session no longer; the apps that stay in it go on",
        )
        .user(&session.user)
        .note("session", session.id.as_str())
        .note("left", left.joined.keys().map(String::as_str).collect::<Vec<_>>().join(" ")),
    );
    Ok(tell(provider, left).await)
}

/// Tells all clients in `session`, which is as it ended for them, and takes what they were given.
/// In a task of its own: a browser that hangs up must not stop half of a sign-out.
async fn tell(provider: &Shared, session: SsoSession) -> Option<Told> {
    let provider = provider.clone();
    tokio::spawn(async move { tell_and_revoke(&provider, &session).await }).await.ok()
}

async fn tell_and_revoke(provider: &Shared, session: &SsoSession) -> Told {
    let is_told = |client_id: &str| session.joined.contains_key(client_id);
    let mut streams = provider.streams.of_session(&session.id);
    streams.retain(|stream| is_told(&stream.owner.client_id));
    send_logout_tokens(provider, &streams).await;
    let user = provider.people.user(&session.user);
    let servers = session.joined.iter().filter_map(|(client_id, sid)| {
        let (client, user) = (provider.config.client(client_id)?, user.as_ref()?);
        back_channel::tell(provider, client, &user.sub, SignOut::of(sid))
    });
    let servers = servers.collect();
    let mut revoked = provider.store.revoke_grants_of_session(&session.id, &is_told);
    revoked.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    for grant in revoked {
        provider.timeline.record(
            Step::new(
                StepName::GrantsRevoked,
                "Back-Channel Logout 2.7",
                "what was given in the session is good for nothing now",
            )
            .client(&grant.client_id)
            .sid(&grant.sid)
            .user(&grant.user),
        );
    }
    for stream in streams {
        close_stream(provider, &stream, "the session is over");
    }
    Told { joined: session.joined.clone().into_iter().collect(), servers }
}

/// One token for each client and name of the session, on all of the client's streams: the token is
/// what the client is told, the streams are where (docs/session-events.md, 4.3). An RS256 signature
/// takes most of a millisecond, so those of several clients are made side by side.
async fn send_logout_tokens(provider: &Shared, streams: &[OpenStream]) {
    let mut told: Vec<(Vec<&OpenStream>, JoinHandle<_>)> = Vec::new();
    for stream in streams {
        let is_same = |other: &&OpenStream| {
            (&other.owner.client_id, &other.owner.sid)
                == (&stream.owner.client_id, &stream.owner.sid)
        };
        match told.iter_mut().find(|(group, _)| group.first().is_some_and(is_same)) {
            Some((group, _)) => group.push(stream),
            None => {
                let signing = sign(provider.clone(), stream.owner.clone());
                told.push((vec![stream], tokio::spawn(signing)));
            }
        }
    }
    // In the order in which they were asked for: the timeline then tells the same story each time.
    for (group, signing) in told {
        let Ok(Some(token)) = signing.await else { continue };
        for stream in group {
            send_logout_token(provider, stream, &token);
        }
    }
}

async fn sign(provider: Shared, owner: Arc<StreamOwner>) -> Option<String> {
    let (client, user) =
        (provider.config.client(&owner.client_id)?, provider.people.user(&owner.user)?);
    match issue_logout_token(&provider, client, &user.sub, SignOut::of(&owner.sid)).await {
        Ok(token) => Some(token),
        Err(error) => {
            crate::log::line(&format!("no logout token for {}: {error}", owner.client_id));
            None
        }
    }
}

fn send_logout_token(provider: &Shared, stream: &OpenStream, token: &str) {
    let owner = &stream.owner;
    let name = provider.config.client(&owner.client_id).map_or("the app", |client| &client.name);
    if provider.streams.send(stream.id, SseEvent::named("logout", token)) {
        provider.timeline.record(
            Step::new(
                StepName::LogoutTokenSent,
                "Back-Channel Logout 2.4",
                format!("{name} is told that the session is over"),
            )
            .client(&owner.client_id)
            .sid(&owner.sid)
            .user(&owner.user),
        );
    }
}

/// Closes a stream, if it is still open, and says so in the timeline.
pub(crate) fn close_stream(provider: &Shared, stream: &OpenStream, why: &'static str) {
    if let Some(owner) = provider.streams.close(stream.id) {
        provider.timeline.record(
            Step::new(StepName::StreamClosed, "session-events 5", why)
                .client(&owner.client_id)
                .sid(&owner.sid)
                .user(&owner.user),
        );
    }
}

/// Revokes one grant, because a code or token of it was seen in wrong hands. Its streams close
/// without a logout token: the session itself goes on.
pub(crate) fn revoke_family(provider: &Shared, grant: &str, spec: &'static str) {
    let Some(grant) = provider.store.revoke_grant(grant) else { return };
    provider.timeline.record(
        Step::new(StepName::GrantsRevoked, spec, "all tokens of this sign-in are refused now")
            .client(&grant.client_id)
            .sid(&grant.sid)
            .user(&grant.user),
    );
    for stream in provider.streams.of_session(&grant.session) {
        if stream.owner.grant != grant.id {
            continue;
        }
        close_stream(provider, &stream, "the grant was revoked");
    }
}
