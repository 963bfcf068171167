//! The logout token: the checks of Back-Channel Logout 1.0, 2.6, in its order and with its numbers.
//!
//! (1) encryption is refused when the token is taken apart. (2), the signature, is an effect between
//! [`UntrustedLogoutToken::begin`] and [`UntrustedLogoutToken::finish`].

use crate::{
    claims,
    error::{Code, Error, Result},
    id_token::{SKEW, VerifiedIdToken},
    json::Value,
    jws::UntrustedJws,
    text::Text,
    time::UnixTime,
};

/// A logout token of which nothing has been believed yet.
#[derive(Clone, Debug)]
pub(crate) struct UntrustedLogoutToken {
    pub(crate) jws: UntrustedJws,
}

/// A logout token that passed every check: the session it names is over.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedLogoutToken {
    /// `jti`, to be accepted once.
    pub(crate) token_id: Text,
}

/// What became of the rules.
pub(crate) enum Judgement {
    /// All passed.
    Genuine(VerifiedLogoutToken),
    /// All passed but those of time: a sleeping tab, a wrong clock or a relay. Not to be dropped:
    /// the session has to be checked at once.
    Untimely,
}

impl UntrustedLogoutToken {
    /// Takes a token apart and applies all rules but signature and time.
    pub(crate) fn begin(
        raw: &str,
        issuer: &str,
        client_id: &str,
        session: &VerifiedIdToken,
    ) -> Result<Self> {
        let jws = UntrustedJws::parse(raw)?;
        let token = Self { jws };
        token.explicit_type()?;
        token.rule_3_iss_and_aud(issuer, client_id)?;
        token.rule_4_sub_or_sid(session)?;
        token.rule_5_events()?;
        token.rule_6_no_nonce()?;
        token.rule_7_jti()?;
        Ok(token)
    }

    /// Applies (2), whose verdict is `valid`, (4) once more, for the session held by now, and the
    /// times of (3).
    pub(crate) fn finish(
        self,
        valid: bool,
        now: UnixTime,
        session: &VerifiedIdToken,
    ) -> Result<Judgement> {
        if !valid {
            let expected = self.jws.algorithm.as_str();
            return Err(Error::new(
                Code::SignatureInvalid,
                "logout token",
                expected,
                "a signature that the key did not make",
            ));
        }
        self.rule_4_sub_or_sid(session)?;
        let issued = claims::date(&self.jws.claims, "iat")?;
        let expires = claims::date(&self.jws.claims, "exp")?;
        if UnixTime(issued) > now.plus(SKEW) || UnixTime(expires).plus(SKEW) <= now {
            return Ok(Judgement::Untimely);
        }
        let token_id = claims::text(&self.jws.claims, "jti")?.into();
        Ok(Judgement::Genuine(VerifiedLogoutToken { token_id }))
    }

    /// 2.4 and RFC 8725, 3.11: an explicit type, if there is one, is that of a logout token.
    fn explicit_type(&self) -> Result<()> {
        match self.jws.media_type.as_deref() {
            None | Some("logout+jwt" | "application/logout+jwt") => Ok(()),
            Some(other) => Err(refusal("typ", "logout+jwt", other)),
        }
    }

    /// (3) `iss` and `aud` as for an ID token.
    fn rule_3_iss_and_aud(&self, issuer: &str, client_id: &str) -> Result<()> {
        let iss = claims::text(&self.jws.claims, "iss")?;
        if iss != issuer {
            return Err(refusal("iss", issuer, iss));
        }
        let audiences = claims::audiences(&self.jws.claims)?;
        let stranger = audiences.iter().find(|item| item.as_str() != Some(client_id));
        if audiences.is_empty() || stranger.is_some() {
            let found = stranger.and_then(Value::as_str).unwrap_or_default();
            return Err(refusal("aud", client_id, found));
        }
        Ok(())
    }

    /// (4) `sub` or `sid` is there, and what is there is of our session.
    fn rule_4_sub_or_sid(&self, session: &VerifiedIdToken) -> Result<()> {
        let subject = claims::optional_text(&self.jws.claims, "sub")?;
        let session_id = claims::optional_text(&self.jws.claims, "sid")?;
        if subject.is_none() && session_id.is_none() {
            return Err(refusal("sid", "sid or sub", ""));
        }
        if subject.is_some_and(|subject| subject != session.subject()) {
            return Err(refusal("sub", "that of this session", "another"));
        }
        if session_id.is_some() && session_id != session.session_id() {
            return Err(refusal("sid", "that of this session", "another"));
        }
        Ok(())
    }

    /// (5) `events` has the member that makes it a logout token, and it is an object.
    fn rule_5_events(&self) -> Result<()> {
        let event =
            self.jws.claims.get("events").and_then(|events| {
                events.get("http://schemas.openid.net/event/backchannel-logout")
            });
        match event {
            Some(Value::Object(_)) => Ok(()),
            _ => Err(refusal("events", "the back-channel logout event", "none")),
        }
    }

    /// (6) no `nonce`, so that an ID token can never be taken for a logout token.
    fn rule_6_no_nonce(&self) -> Result<()> {
        match self.jws.claims.get("nonce") {
            None => Ok(()),
            Some(_) => Err(refusal("nonce", "none", "one")),
        }
    }

    /// (7) `jti` is there; that it comes once is kept by the machine, which remembers the last ones.
    fn rule_7_jti(&self) -> Result<()> {
        claims::text(&self.jws.claims, "jti").map(|_| ())
    }
}

fn refusal(subject: &str, expected: &str, found: &str) -> Error {
    Error::new(Code::LogoutTokenInvalid, subject, expected, found)
}
