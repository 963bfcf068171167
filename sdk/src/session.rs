//! The session of the app, as an app sees it.

use gatepass_core::{json, wire};
use serde::de::DeserializeOwned;
use std::{ops::Deref, rc::Rc, time::Duration};

/// The session of the app at one moment. It holds no token; everything in it is verified.
///
/// It derefs to [`gatepass_core::wire::Session`], whose members say the rest: `status`, `subject`,
/// `checks`, `started_at`, `expires_at`, `token_expires_at`, `cause`, `error`, `warning`,
/// `clock_offset`.
/// Cloning is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session(Rc<wire::Session>);

/// Who is signed in, by the standard claims of OIDC Core 5.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `sub`: the provider's name of the person; never reassigned, not for people's eyes.
    pub subject: String,
    /// `name`: for people's eyes.
    pub name: Option<String>,
    /// `email`: may change, and may belong to somebody else later; not a key.
    pub email: Option<String>,
    /// `preferred_username`: for people's eyes.
    pub preferred_username: Option<String>,
}

impl Session {
    pub(crate) fn new(session: impl Into<Rc<wire::Session>>) -> Self {
        Self(session.into())
    }

    /// Who is signed in; `None` if nobody is.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        let claims = json::read(self.claims.as_ref()?.0.as_bytes()).ok()?;
        let text = |name| claims.str(name).map(str::to_owned);
        Some(User {
            subject: self.subject.clone()?.into(),
            name: text("name"),
            email: text("email"),
            preferred_username: text("preferred_username"),
        })
    }

    /// How long it lasts from `now_ms` by this machine's clock, in whole seconds, of which the last
    /// counts until it is over.
    pub(crate) fn expires_in(&self, now_ms: f64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "exact for 285 million years")]
        let ends_at = (self.expires_at? - self.clock_offset.unwrap_or_default()) as f64;
        let left = (ends_at - now_ms / 1000.0).ceil().max(0.0);
        Duration::try_from_secs_f64(left).ok()
    }

    /// The claims of the ID token as the app's own type; `None` if nobody is signed in or if the
    /// claims do not fit the type. [`try_claims`](Self::try_claims) tells these apart.
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        self.try_claims().ok().flatten()
    }

    /// The claims of the ID token as the app's own type; `None` if nobody is signed in.
    ///
    /// # Errors
    /// When the claims do not fit the type.
    pub fn try_claims<T: DeserializeOwned>(&self) -> Result<Option<T>, serde_wasm_bindgen::Error> {
        let Some(claims) = &self.claims else { return Ok(None) };
        let object = js_sys::JSON::parse(&claims.0)?;
        serde_wasm_bindgen::from_value(object).map(Some)
    }
}

impl Deref for Session {
    type Target = wire::Session;

    fn deref(&self) -> &wire::Session {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::wire::{Raw, Status};

    fn signed_in(claims: &str) -> Session {
        Session::new(wire::Session {
            status: Status::Authenticated,
            subject: Some("248289761001".into()),
            claims: Some(Raw(claims.into())),
            ..wire::Session::default()
        })
    }

    #[test]
    fn user_has_the_standard_claims() {
        let session =
            signed_in(r#"{"sub":"248289761001","name":"Jane Doe","email":"j@x.example"}"#);
        assert_eq!(
            session.user(),
            Some(User {
                subject: "248289761001".to_owned(),
                name: Some("Jane Doe".to_owned()),
                email: Some("j@x.example".to_owned()),
                preferred_username: None,
            })
        );
    }

    #[test]
    fn claim_of_another_type_is_absent() {
        let user = signed_in(r#"{"sub":"248289761001","name":7}"#).user();
        assert_eq!(user.map(|user| user.name), Some(None));
    }

    #[test]
    fn f11_what_is_left_is_by_the_providers_clock() {
        let left = |expires_at, clock_offset, now_ms| {
            let session = wire::Session { expires_at, clock_offset, ..wire::Session::default() };
            Session::new(session).expires_in(now_ms).map(|left| left.as_secs())
        };
        assert_eq!(left(Some(1_600), None, 1_000_000.0), Some(600));
        assert_eq!(left(Some(1_600), None, 1_000_001.0), Some(600));
        assert_eq!(left(Some(1_600), None, 1_599_999.0), Some(1));
        assert_eq!(left(Some(1_600), None, 1_600_000.0), Some(0));
        assert_eq!(left(Some(1_600), None, 9_600_000.0), Some(0));
        assert_eq!(left(Some(1_600), Some(100), 1_000_000.0), Some(500));
        assert_eq!(left(Some(1_600), Some(-100), 1_000_000.0), Some(700));
        assert_eq!(left(None, None, 1_000_000.0), None);
    }

    #[test]
    fn nobody_is_no_user() {
        assert_eq!(Session::default().user(), None);
        assert_eq!(Session::default().status, Status::Restoring);
    }
}
