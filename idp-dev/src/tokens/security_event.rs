//! Security Event Tokens (RFC 8417) with the event types of CAEP 1.0: what changed about a session
//! that goes on.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::Client;
use crate::keys::KeyError;
use crate::provider::Provider;
use crate::secret::random_id;

/// What changed.
#[derive(Clone, Debug)]
pub(crate) enum SecurityEvent {
    /// The level (`acr`) that the session is at (CAEP 1.0, 3.4).
    AssuranceLevelChange { previous: String, current: String },
    /// Claims about the person that the client was granted (CAEP 1.0, 3.2); `null` for one that is
    /// gone.
    TokenClaimsChange(Map<String, Value>),
}

impl SecurityEvent {
    /// The last part of its type, for people.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::AssuranceLevelChange { .. } => "assurance-level-change",
            Self::TokenClaimsChange(_) => "token-claims-change",
        }
    }
}

/// There is no `exp` (RFC 8417, 2.2) and no `sub` at the top, so that the token is never taken for
/// an ID token.
#[derive(Clone, Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    jti: String,
    /// A complex subject (OpenID Shared Signals Framework 1.0, "Complex Subjects") of identifiers
    /// that RFC 9493 defines: the person, and the client's name for the session.
    sub_id: Value,
    events: Value,
}

/// Signs a token for one client about the session that it knows as `sid`.
///
/// # Errors
/// When no token can be signed.
pub(crate) async fn issue_security_event(
    provider: &Provider,
    client: &Client,
    (sub, sid): (&str, &str),
    event: &SecurityEvent,
) -> Result<String, KeyError> {
    let iss = provider.config.issuer();
    let now = provider.clock.now().seconds();
    let mut body = match event {
        SecurityEvent::AssuranceLevelChange { previous, current } => json!({
            // Ours: the levels of acr_values_supported.
            "namespace": iss,
            "previous_level": previous,
            "current_level": current,
        }),
        SecurityEvent::TokenClaimsChange(claims) => json!({ "claims": claims }),
    };
    if let SecurityEvent::AssuranceLevelChange { previous, current } = event
        && let Some(direction) = direction(previous, current)
    {
        body["change_direction"] = json!(direction);
    }
    body["event_timestamp"] = json!(now);
    let mut events = Map::new();
    events.insert(format!("{TYPES}{}", event.name()), body);
    let claims = Claims {
        iss,
        aud: &client.id,
        iat: now,
        jti: random_id().map_err(|_| KeyError::NotSigned)?,
        sub_id: json!({
            "format": "complex",
            "user": { "format": "iss_sub", "iss": iss, "sub": sub },
            "session": { "format": "opaque", "id": sid },
        }),
        events: Value::Object(events),
    };
    provider.keys.sign(client.id_token_signed_response_alg, TYPE, claims).await
}

/// Optional (CAEP 1.0, 3.4). Numbers have an order; of two names nobody knows which is higher.
fn direction(previous: &str, current: &str) -> Option<&'static str> {
    let (previous, current): (u64, u64) = (previous.parse().ok()?, current.parse().ok()?);
    Some(if current > previous { "increase" } else { "decrease" })
}

/// RFC 8417, 2.3.
const TYPE: &str = "secevent+jwt";

/// CAEP 1.0, 2.
const TYPES: &str = "https://schemas.openid.net/secevent/caep/event-type/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_levels_are_compared_as_numbers_or_not_at_all() {
        assert_eq!(direction("2", "10"), Some("increase"));
        assert_eq!(direction("10", "2"), Some("decrease"));
        assert_eq!(direction("silver", "gold"), None);
        assert_eq!(direction("1", "phr"), None);
    }
}
