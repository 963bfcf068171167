//! Event tokens: what the provider says about its session. A logout token, by the checks of Back-Channel
//! Logout 1.0, 2.6, in its order and with its numbers; or a Security Event Token (RFC 8417) with one
//! event of CAEP 1.0 (docs/session-events.md, 4.4). A rule that both have is one function.
//!
//! (1) encryption is refused when the token is taken apart. (2), the signature, is an effect between
//! [`UntrustedEventToken::begin`] and [`UntrustedEventToken::finish`]. (8) says again what (3) says.

use crate::{
    claims,
    config::Config,
    error::{Code, Error, Result},
    id_token::VerifiedIdToken,
    json::Value,
    jws::UntrustedJws,
    text::Text,
    time::{Seconds, UnixTime},
    wire::member,
};

/// What a token may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The session is over.
    Logout,
    /// Something about it changed, and it goes on.
    Change,
}

impl Kind {
    /// What is said of one that breaks a rule.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Logout => Code::LogoutTokenInvalid,
            Self::Change => Code::SecurityEventInvalid,
        }
    }

    /// Its event type, or how those of its kind begin.
    const fn event(self) -> &'static str {
        match self {
            Self::Logout => "http://schemas.openid.net/event/backchannel-logout",
            Self::Change => "https://schemas.openid.net/secevent/caep/event-type/",
        }
    }

    fn refusal(self, subject: &str, expected: &str, found: &str) -> Error {
        Error::new(self.code(), subject, expected, found)
    }
}

/// An event token of which nothing has been believed yet.
#[derive(Clone, Debug)]
pub(crate) struct UntrustedEventToken {
    pub(crate) jws: UntrustedJws,
    pub(crate) kind: Kind,
}

/// An event token that passed every check: what it says is so.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedEventToken {
    pub(crate) kind: Kind,
    /// `jti`, to be accepted once.
    pub(crate) token_id: Text,
}

/// What became of the rules.
pub(crate) enum Judgement {
    /// All passed.
    Genuine(VerifiedEventToken),
    /// All passed but those of time: a sleeping tab, a wrong clock, a relay or a replay. A logout token
    /// is not to be dropped for that: the session has to be checked at once.
    Untimely(Kind),
}

impl UntrustedEventToken {
    /// Takes a token apart and applies the rules that need neither a key nor a session.
    pub(crate) fn begin(raw: &str, kind: Kind, config: &Config) -> Result<Self> {
        let token = Self { jws: UntrustedJws::parse(raw, config.algorithms())?, kind };
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
        let (kind, skew) = (self.kind, config.skew());
        self.rule_2_signature(valid)?;
        if kind == Kind::Logout {
            self.rule_4_sub_or_sid()?;
            self.rule_9_sub(session)?;
            self.rule_10_sid(session)?;
        } else {
            self.subject_identifier(&config.issuer, session)?;
        }
        let token_id = self.rule_7_jti()?;
        // All are read: a time that is no time is not a matter of clocks.
        let times = [
            // RFC 8417, 2.2: an event does not expire.
            kind == Kind::Change || self.rule_3_exp(now, skew)?,
            self.rule_3_iat(now, skew)?,
            self.not_before(now, skew)?,
            self.is_of_this_session(session)?,
        ];
        if times == [true; 4] {
            Ok(Judgement::Genuine(VerifiedEventToken { kind, token_id }))
        } else {
            Ok(Judgement::Untimely(kind))
        }
    }

    /// (2) the signature is right, as for an ID token.
    fn rule_2_signature(&self, valid: bool) -> Result<()> {
        let found = "a signature that the key did not make";
        let refusal =
            || Error::new(Code::SignatureInvalid, "signature", self.jws.algorithm.name, found);
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

    /// 2.4 and RFC 8725, 3.11: an explicit type, if there is one, is that of a logout token. A
    /// Security Event Token has one (docs/session-events.md, 4.4).
    fn explicit_type(&self) -> Result<()> {
        let wanted = match self.kind {
            Kind::Logout => "logout+jwt",
            Kind::Change => "secevent+jwt",
        };
        let found = self.jws.media_type.as_deref();
        // RFC 7515, 4.1.9: the prefix may be left out.
        let name = found.map(|found| match found.split_at_checked("application/".len()) {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case("application/") => name,
            _ => found,
        });
        match name {
            None if self.kind == Kind::Logout => Ok(()),
            Some(name) if name.eq_ignore_ascii_case(wanted) => Ok(()),
            _ => Err(self.kind.refusal("typ", wanted, found.unwrap_or_default())),
        }
    }

    /// (3), (8) `iss` is exactly the issuer.
    fn rule_3_iss(&self, issuer: &str) -> Result<()> {
        let iss = claims::text(&self.jws.claims, "iss")?;
        if iss == issuer { Ok(()) } else { Err(self.kind.refusal("iss", issuer, iss)) }
    }

    /// (3) `aud` is this client and nobody else, as for an ID token.
    fn rule_3_aud(&self, client_id: &str) -> Result<()> {
        claims::only_audience(&self.jws.claims, client_id, self.kind.code())
    }

    /// (4) `sub` or `sid` is there.
    fn rule_4_sub_or_sid(&self) -> Result<()> {
        let has = |name| self.jws.claims.get(name).is_some();
        if has("sub") || has("sid") {
            return Ok(());
        }
        Err(self.kind.refusal("sid", "sid or sub", ""))
    }

    /// (9) `sub`, if present, is that of our session.
    fn rule_9_sub(&self, session: &VerifiedIdToken) -> Result<()> {
        match claims::optional_text(&self.jws.claims, "sub")? {
            Some(subject) if subject != session.subject() => {
                Err(self.kind.refusal("sub", "that of this session", "another"))
            }
            _ => Ok(()),
        }
    }

    /// (10) `sid`, if present, is that of our session.
    fn rule_10_sid(&self, session: &VerifiedIdToken) -> Result<()> {
        let session_id = claims::optional_text(&self.jws.claims, "sid")?;
        if session_id.is_some() && session_id != session.session_id() {
            return Err(self.kind.refusal("sid", "that of this session", "another"));
        }
        Ok(())
    }

    /// RFC 9493 and OpenID Shared Signals Framework 1.0, "Complex Subjects": `sub_id` is the person and
    /// the `sid` of our session.
    fn subject_identifier(&self, issuer: &str, session: &VerifiedIdToken) -> Result<()> {
        let id = self.jws.claims.get("sub_id");
        let (user, own) = (member(id, "user"), member(id, "session"));
        let members = [
            (id, "format", "complex"),
            (user, "format", "iss_sub"),
            (user, "iss", issuer),
            (user, "sub", session.subject()),
            (own, "format", "opaque"),
            (own, "id", session.session_id().unwrap_or_default()),
        ];
        for (value, name, wanted) in members {
            let found = member(value, name).and_then(Value::as_str).unwrap_or_default();
            if found != wanted || found.is_empty() {
                return Err(self.kind.refusal("sub_id", "that of this session", "another"));
            }
        }
        Ok(())
    }

    /// (5) `events` has the member that makes it a logout token, and it is an object. Or its only
    /// member is one of CAEP: more than one event would be more than one token (CAEP 1.0, 3).
    fn rule_5_events(&self) -> Result<()> {
        let (events, wanted) = (self.jws.claims.get("events"), self.kind.event());
        let event = match (self.kind, events) {
            (Kind::Logout, events) => member(events, wanted),
            (Kind::Change, Some(Value::Object(members))) => match &members[..] {
                [(name, event)] if name.starts_with(wanted) => Some(event),
                _ => None,
            },
            _ => None,
        };
        match event {
            Some(Value::Object(_)) => Ok(()),
            _ => Err(self.kind.refusal("events", wanted, "another")),
        }
    }

    /// (6) no `nonce`, so that an ID token can never be taken for an event token; for the same reason
    /// a Security Event Token has no `sub` (docs/session-events.md, 4.4).
    fn rule_6_no_nonce(&self) -> Result<()> {
        for name in ["nonce", "sub"] {
            let may_be = name == "sub" && self.kind == Kind::Logout;
            if !may_be && self.jws.claims.get(name).is_some() {
                return Err(self.kind.refusal(name, "none", "one"));
            }
        }
        Ok(())
    }

    /// (7) `jti` is there; that it comes once is kept by the machine, which remembers the last ones.
    fn rule_7_jti(&self) -> Result<Text> {
        claims::text(&self.jws.claims, "jti").map(Into::into)
    }
}
