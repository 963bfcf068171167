//! What changes about a session that goes on, and who hears of it: each open session-events stream
//! of its clients (docs/session-events.md, 4.4).

use serde_json::{Map, Value};

use crate::claims::granted_claims;
use crate::config::User;
use crate::http::SseEvent;
use crate::provider::Shared;
use crate::streams::OpenStream;
use crate::timeline::{Step, StepName};
use crate::tokens::{SecurityEvent, issue_security_event};

/// Sets the level of a session. `false` if it has ended.
pub(crate) async fn set_level(provider: &Shared, id: &str, level: &str) -> bool {
    let mut previous = String::new();
    let changed = provider.store.update_session(id, &mut |session| {
        previous = session.acr.to_string();
        session.acr = level.to_owned().into();
    });
    if changed.is_none() {
        return false;
    }
    if previous != level {
        let event = SecurityEvent::AssuranceLevelChange { previous, current: level.to_owned() };
        for stream in provider.streams.of_session(id) {
            send(provider, &stream, &event).await;
        }
    }
    true
}

/// Tells the clients of a person's sessions which of the claims that they were granted are others
/// now: each learns of its own and of no more.
pub(crate) async fn tell_changed_claims(provider: &Shared, old: &User, new: &User) {
    for stream in provider.streams.list(|owner| owner.user == new.username) {
        let Some(grant) = provider.store.grant(&stream.owner.grant) else { continue };
        let (before, now) =
            (granted_claims(old, &grant.scopes), granted_claims(new, &grant.scopes));
        let mut changed: Map<String, Value> =
            now.into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect();
        let names = granted_claims(new, &grant.scopes);
        let gone =
            before.into_iter().map(|(name, _)| name).filter(|name| !names.contains_key(name));
        changed.extend(gone.map(|name| (name, Value::Null)));
        if !changed.is_empty() {
            send(provider, &stream, &SecurityEvent::TokenClaimsChange(changed)).await;
        }
    }
}

async fn send(provider: &Shared, stream: &OpenStream, event: &SecurityEvent) {
    let owner = &stream.owner;
    let (Some(client), Some(user)) =
        (provider.config.client(&owner.client_id), provider.people.user(&owner.user))
    else {
        return;
    };
    let about = (user.sub.as_str(), owner.sid.as_str());
    let token = match issue_security_event(provider, client, about, event).await {
        Ok(token) => token,
        Err(error) => {
            crate::log::line(&format!("no security event for {}: {error}", client.id));
            return;
        }
    };
    if provider.streams.send(stream.id, SseEvent::named("security_event", token)) {
        provider.timeline.record(
            Step::new(
                StepName::SecurityEventSent,
                "RFC 8417 2",
                format!("{} is told what changed about the session, which goes on", client.name),
            )
            .client(&owner.client_id)
            .sid(&owner.sid)
            .user(&owner.user)
            .note("event", event.name()),
        );
    }
}
