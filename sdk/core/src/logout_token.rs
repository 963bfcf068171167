//! The logout token: the checks of Back-Channel Logout 1.0, 2.6, in its order and with its numbers.
//!
//! (1) encryption is refused when the token is taken apart. (2), the signature, is an effect between
//! [`UntrustedLogoutToken::begin`] and [`UntrustedLogoutToken::finish`]. (8) says again what (3) says.

use crate::{
    claims,
    config::Config,
    error::{Code, Error, Result},
    id_token::VerifiedIdToken,
    json::Value,
    jws::UntrustedJws,
    text::Text,
    time::{Seconds, UnixTime},
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
    /// All passed but those of time: a sleeping tab, a wrong clock, a relay or a replay. Not to be
    /// dropped: the session has to be checked at once.
    Untimely,
}

impl UntrustedLogoutToken {
    /// Takes a token apart and applies the rules that need neither a key nor a session.
    pub(crate) fn begin(raw: &str, config: &Config) -> Result<Self> {
        let token = Self { jws: UntrustedJws::parse(raw, config.algorithms())? };
        token.explicit_type()?;
        token.rule_3_iss(&config.issuer)?;
        token.rule_3_aud(&config.client_id)?;
        token.rule_5_events()?;
        token.rule_6_no_nonce()?;
        Ok(token)
    }

    /// Applies the signature, whose verdict is `valid`, the rules about `session`, the one that is
    /// held by now, and those of time.
    pub(crate) fn finish(
        self,
        valid: bool,
        now: UnixTime,
        config: &Config,
        session: &VerifiedIdToken,
    ) -> Result<Judgement> {
        let skew = config.skew();
        self.rule_2_signature(valid)?;
        self.rule_4_sub_or_sid()?;
        self.rule_9_sub(session)?;
        self.rule_10_sid(session)?;
        let token_id = self.rule_7_jti()?;
        // All are read: a time that is no time is not a matter of clocks.
        let times = [
            self.rule_3_exp(now, skew)?,
            self.rule_3_iat(now, skew)?,
            self.not_before(now, skew)?,
            self.is_of_this_session(session)?,
        ];
        if times == [true; 4] {
            Ok(Judgement::Genuine(VerifiedLogoutToken { token_id }))
        } else {
            Ok(Judgement::Untimely)
        }
    }

    /// (2) the signature is right, as for an ID token.
    fn rule_2_signature(&self, valid: bool) -> Result<()> {
        let found = "a signature that the key did not make";
        let refusal =
            || Error::new(Code::SignatureInvalid, "logout token", self.jws.algorithm.name, found);
        if valid { Ok(()) } else { Err(refusal()) }
    }

    /// (3) now is before `exp`.
    fn rule_3_exp(&self, now: UnixTime, skew: Seconds) -> Result<bool> {
        Ok(UnixTime(claims::date(&self.jws.claims, "exp")?).plus(skew) > now)
    }

    /// (3) `iat` is not in the future.
    fn rule_3_iat(&self, now: UnixTime, skew: Seconds) -> Result<bool> {
        Ok(UnixTime(claims::date(&self.jws.claims, "iat")?) <= now.plus(skew))
    }

    /// RFC 7519, 4.1.5: `nbf`, if present, has come.
    fn not_before(&self, now: UnixTime, skew: Seconds) -> Result<bool> {
        let absent = self.jws.claims.get("nbf").is_none();
        Ok(absent || UnixTime(claims::date(&self.jws.claims, "nbf")?) <= now.plus(skew))
    }

    /// Replay: a token that is older than our ID token is of an earlier sign-in, whose `sid` may have
    /// been the same. `jti` cannot tell, for the page that saw it is gone.
    fn is_of_this_session(&self, session: &VerifiedIdToken) -> Result<bool> {
        Ok(claims::date(&self.jws.claims, "iat")? >= session.issued_at())
    }

    /// 2.4 and RFC 8725, 3.11: an explicit type, if there is one, is that of a logout token.
    fn explicit_type(&self) -> Result<()> {
        match self.jws.media_type.as_deref() {
            Some(other)
                if !other.eq_ignore_ascii_case("logout+jwt")
                    && !other.eq_ignore_ascii_case("application/logout+jwt") =>
            {
                Err(refusal("typ", "logout+jwt", other))
            }
            _ => Ok(()),
        }
    }

    /// (3), (8) `iss` is exactly the issuer.
    fn rule_3_iss(&self, issuer: &str) -> Result<()> {
        let iss = claims::text(&self.jws.claims, "iss")?;
        if iss == issuer { Ok(()) } else { Err(refusal("iss", issuer, iss)) }
    }

    /// (3) `aud` is this client and nobody else, as for an ID token.
    fn rule_3_aud(&self, client_id: &str) -> Result<()> {
        claims::only_audience(&self.jws.claims, client_id, Code::LogoutTokenInvalid)
    }

    /// (4) `sub` or `sid` is there.
    fn rule_4_sub_or_sid(&self) -> Result<()> {
        let has = |name| self.jws.claims.get(name).is_some();
        if has("sub") || has("sid") { Ok(()) } else { Err(refusal("sid", "sid or sub", "")) }
    }

    /// (9) `sub`, if present, is that of our session.
    fn rule_9_sub(&self, session: &VerifiedIdToken) -> Result<()> {
        match claims::optional_text(&self.jws.claims, "sub")? {
            Some(subject) if subject != session.subject() => {
                Err(refusal("sub", "that of this session", "another"))
            }
            _ => Ok(()),
        }
    }

    /// (10) `sid`, if present, is that of our session.
    fn rule_10_sid(&self, session: &VerifiedIdToken) -> Result<()> {
        let session_id = claims::optional_text(&self.jws.claims, "sid")?;
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
    fn rule_7_jti(&self) -> Result<Text> {
        claims::text(&self.jws.claims, "jti").map(Into::into)
    }
}

fn refusal(subject: &str, expected: &str, found: &str) -> Error {
    Error::new(Code::LogoutTokenInvalid, subject, expected, found)
}
