//! The session as the views see it: plain values, compared before anything is drawn again.

use gatepass_leptos::gatepass::{Cause, Check, Error, Session, Status};
use serde::Deserialize;

/// A session at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// In one word.
    pub status: Status,
    /// Who, if a session is held.
    pub person: Option<Person>,
    /// When this app's session began, in Unix seconds by the provider's clock.
    pub started_at: Option<i64>,
    /// When it ends by itself.
    pub expires_at: Option<i64>,
    /// When the access token expires.
    pub token_expires_at: Option<i64>,
    /// What the ID token was checked for.
    pub checks: Vec<Check>,
    /// Why there is no session any more.
    pub cause: Option<Cause>,
    /// What went wrong last.
    pub error: Option<Error>,
    /// How many seconds the provider's clock is ahead.
    pub clock_offset: i64,
}

/// Who is signed in, and how: the claims of the ID token that this app reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Person {
    /// The provider's stable name for the person.
    pub sub: String,
    /// The person's name.
    pub name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// What the person signs in as.
    pub preferred_username: Option<String>,
    /// Which methods proved who it is (RFC 8176).
    #[serde(default)]
    pub amr: Vec<String>,
    /// The level reached.
    pub acr: Option<String>,
    /// When the person was asked last, in Unix seconds.
    pub auth_time: Option<i64>,
}

impl Person {
    /// What to call the person.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().or(self.preferred_username.as_deref()).unwrap_or(&self.sub)
    }
}

impl Snapshot {
    /// What `session` is now.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        // Claims that are not of this app's shape leave the person with the subject alone: who
        // holds a session is never shown as nobody.
        let person = session.subject.clone().map(|sub| {
            let sub = sub.into();
            session.claims::<Person>().unwrap_or_else(|| Person { sub, ..Person::default() })
        });
        Self {
            status: session.status,
            person,
            started_at: session.started_at,
            expires_at: session.expires_at,
            token_expires_at: session.token_expires_at,
            checks: session.checks.clone().unwrap_or_default(),
            cause: session.cause.clone(),
            error: session.error.clone(),
            clock_offset: session.clock_offset.unwrap_or_default(),
        }
    }

    /// Who may see what is private: somebody whose session stands, or stood when the provider was
    /// last reached.
    #[must_use]
    pub fn holder(&self) -> Option<&Person> {
        match self.status {
            Status::Authenticated | Status::Offline => self.person.as_ref(),
            Status::Restoring | Status::Anonymous | Status::Expired => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(status: Status) -> Snapshot {
        Snapshot { status, person: Some(Person::default()), ..Snapshot::default() }
    }

    #[test]
    fn f18_only_a_session_that_stands_or_stood_shows_what_is_private() {
        for status in [Status::Authenticated, Status::Offline] {
            assert!(held(status).holder().is_some(), "{status:?}");
        }
        for status in [Status::Restoring, Status::Anonymous, Status::Expired] {
            assert!(held(status).holder().is_none(), "{status:?}");
        }
    }

    #[test]
    fn person_is_called_by_name_then_account_then_subject() {
        let mut person = Person { sub: "u1".into(), ..Person::default() };
        assert_eq!(person.called(), "u1");
        person.preferred_username = Some("richard".into());
        assert_eq!(person.called(), "richard");
        person.name = Some("Richard Hendricks".into());
        assert_eq!(person.called(), "Richard Hendricks");
    }
}
