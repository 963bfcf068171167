//! May the SSO session answer this request, or must the person be asked? One function per rule.

use crate::authorization_request::{AuthorizationRequest, ExpectedPerson};
use crate::clock::UnixTime;
use crate::config::User;
use crate::store::SsoSession;

/// What is to be done about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The session answers; no page.
    Reuse,
    /// The person must sign in, because this rule says so.
    SignIn(Rule),
    /// The person must say which account is meant.
    Choose,
}

/// The rules, by what the timeline calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    ReadableHint,
    Session,
    ClientAllowsSso,
    PromptLogin,
    MaxAge,
    IdTokenHint,
    LoginHint,
}

impl Rule {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::ClientAllowsSso => "client_allows_sso",
            Self::PromptLogin => "prompt",
            Self::MaxAge => "max_age",
            Self::ReadableHint | Self::IdTokenHint => "id_token_hint",
            Self::LoginHint => "login_hint",
        }
    }

    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::ReadableHint => {
                "the id_token_hint is no ID token of this provider since its start: nobody knows \
                 whom the app expects"
            }
            Self::Session => "nobody is signed in at the provider in this browser",
            Self::ClientAllowsSso => "the app wants its own sign-in every time",
            Self::PromptLogin => "the app asked for a new sign-in",
            Self::MaxAge => "the sign-in is older than the app allows",
            Self::IdTokenHint => "the app expects somebody else than the person signed in",
            Self::LoginHint => "the app names somebody else than the person signed in",
        }
    }
}

/// Applies the rules in order: the first that objects decides.
pub(super) fn decide(
    request: &AuthorizationRequest,
    session: Option<(&SsoSession, &User)>,
    now: UnixTime,
) -> Decision {
    // Before the session, so that the timeline names the hint whoever is signed in.
    if request.expected == ExpectedPerson::Unknown {
        return Decision::SignIn(Rule::ReadableHint);
    }
    let Some((session, user)) = session else { return Decision::SignIn(Rule::Session) };
    let rules = [
        (Rule::ClientAllowsSso, request.client.allows_sso),
        (Rule::PromptLogin, !request.prompt.is_login),
        (Rule::MaxAge, is_recent_enough(request.max_age, session.auth_time, now)),
        // Core 3.1.2.1, `id_token_hint`: no positive answer about anybody else.
        (Rule::IdTokenHint, request.expected.allows(&user.sub)),
        // Who is to choose sees both: the account that is signed in, and the other with its name
        // filled in.
        (Rule::LoginHint, request.prompt.is_select_account || is_named_person(request, user)),
    ];
    match rules.into_iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => Decision::SignIn(rule),
        None if request.prompt.is_select_account => Decision::Choose,
        None => Decision::Reuse,
    }
}

/// OIDC Core 3.1.2.1, `max_age`: more seconds elapsed than allowed means a new sign-in. 0 always
/// does, also in the second of the sign-in: it is the same as `prompt=login`.
fn is_recent_enough(max_age: Option<u64>, auth_time: UnixTime, now: UnixTime) -> bool {
    match max_age {
        None => true,
        Some(0) => false,
        Some(seconds) => {
            let limit = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            now.millis_since(auth_time) <= limit
        }
    }
}

/// `login_hint` never selects, but a person other than the one it names is not taken silently (D4).
fn is_named_person(request: &AuthorizationRequest, user: &User) -> bool {
    request.login_hint.as_deref().is_none_or(|hint| user.is_named(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_max_age_at_its_limit() {
        let at = UnixTime::from_seconds;
        for (elapsed, is_fine) in [(0, true), (59, true), (60, true), (61, false)] {
            assert_eq!(is_recent_enough(Some(60), at(1000), at(1000 + elapsed)), is_fine);
        }
        assert!(!is_recent_enough(Some(60), at(1000), UnixTime::from_millis(1_060_001)));
        assert!(!is_recent_enough(Some(0), at(1000), at(1000)));
        assert!(is_recent_enough(None, at(0), at(i64::MAX / 1000)));
        assert!(is_recent_enough(Some(u64::MAX), at(0), at(1)));
    }
}
