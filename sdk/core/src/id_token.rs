//! The ID token: the checks of OIDC Core 3.1.3.7, one function per rule, in the specification's
//! order and with its numbers.
//!
//! Rules that need no function: (1) and (8), because encrypted tokens and HMAC are refused when the
//! token is taken apart ([`UntrustedJws::parse`]), which is also where the allow-list of rule (7)
//! stands. (6), the signature, is an effect: it is asked for between [`UntrustedIdToken::begin`] and
//! [`UntrustedIdToken::finish`], and only `finish` makes a [`VerifiedIdToken`].

use crate::{
    address::has_word,
    claims,
    config::Config,
    error::{Code, Error, Result},
    jws::UntrustedJws,
    text::Text,
    time::{Seconds, UnixTime, difference},
    wire::Check,
};
use alloc::{string::String, vec::Vec};

/// How far clocks may differ when a time is checked.
pub(crate) const SKEW: Seconds = Seconds(60);

/// What an ID token is held against besides the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// The nonce of the sign-in; `None` for a token that answers none (refreshed, adopted).
    pub(crate) nonce: Option<Text>,
    /// The levels asked for, separated by spaces.
    pub(crate) acr_values: Option<Text>,
    /// The oldest authentication asked for, in seconds.
    pub(crate) max_age: Option<i64>,
}

/// An ID token of which nothing has been believed yet.
#[derive(Clone, Debug)]
pub(crate) struct UntrustedIdToken {
    /// As it came.
    raw: Text,
    pub(crate) jws: UntrustedJws,
    expected: Expected,
    checks: Vec<Check>,
}

/// An ID token that passed every check.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedIdToken {
    raw: Text,
    jws: UntrustedJws,
    subject: Text,
    accepted_at: i64,
    checks: Vec<Check>,
}

impl UntrustedIdToken {
    /// Takes a token apart and applies the rules that come before the signature.
    pub(crate) fn begin(raw: &str, config: &Config, expected: Expected) -> Result<Self> {
        let jws = UntrustedJws::parse(raw)?;
        let mut token = Self { raw: raw.into(), jws, expected, checks: Vec::new() };
        token.explicit_type()?;
        token.rule_2_iss(&config.issuer)?;
        token.rule_3_aud(&config.client_id)?;
        token.rule_5_azp(&config.client_id)?;
        Ok(token)
    }

    /// Applies the rules that come after the signature, whose verdict is `valid`.
    pub(crate) fn finish(mut self, valid: bool, now: UnixTime) -> Result<VerifiedIdToken> {
        self.rule_6_signature(valid)?;
        self.rule_9_exp(now)?;
        self.rule_10_iat(now)?;
        self.not_before(now)?;
        self.rule_11_nonce()?;
        self.rule_12_acr()?;
        self.rule_13_auth_time(now)?;
        // OIDC Core 2: `sub` is required, at most 255 ASCII characters.
        let subject = claims::text(&self.jws.claims, "sub")?;
        if subject.len() > 255 {
            return Err(Error::new(Code::ClaimInvalid, "sub", "255 characters at most", "more"));
        }
        let subject = subject.into();
        // Read for their type only: what is present must be right.
        claims::optional_text(&self.jws.claims, "sid")?;
        Ok(VerifiedIdToken {
            raw: self.raw,
            jws: self.jws,
            subject,
            accepted_at: now.0,
            checks: self.checks,
        })
    }

    fn passed(&mut self, rule: &str, name: &str, expected: &str, found: &str) {
        let rule = ["OIDC Core 3.1.3.7 (", rule, ")"].concat();
        push_check(&mut self.checks, rule, name, expected, found);
    }

    /// RFC 8725, 3.11: a token that says that it is of another type (`logout+jwt`, `at+jwt`) is none.
    fn explicit_type(&self) -> Result<()> {
        match self.jws.media_type.as_deref() {
            Some(other) if !other.eq_ignore_ascii_case("JWT") => {
                Err(Error::new(Code::TokenMalformed, "typ", "JWT", other))
            }
            _ => Ok(()),
        }
    }

    /// (2) `iss` is exactly the issuer.
    fn rule_2_iss(&mut self, issuer: &str) -> Result<()> {
        let iss = claims::text(&self.jws.claims, "iss")?;
        if iss != issuer {
            return Err(Error::new(Code::IssInvalid, "iss", issuer, iss));
        }
        self.passed("2", "iss", issuer, issuer);
        Ok(())
    }

    /// (3) `aud` contains our `client_id`, and nobody whom we do not trust; we trust nobody else.
    fn rule_3_aud(&mut self, client_id: &str) -> Result<()> {
        let audiences = claims::audiences(&self.jws.claims)?;
        let stranger = audiences.iter().find(|item| item.as_str() != Some(client_id));
        if audiences.is_empty() || stranger.is_some() {
            let found = stranger.and_then(|item| item.as_str()).unwrap_or_default();
            return Err(Error::new(Code::AudInvalid, "aud", client_id, found));
        }
        self.passed("3", "aud", client_id, client_id);
        Ok(())
    }

    /// (4), (5) `azp`, if present, is our `client_id`.
    fn rule_5_azp(&mut self, client_id: &str) -> Result<()> {
        match claims::optional_text(&self.jws.claims, "azp")? {
            Some(azp) if azp != client_id => {
                return Err(Error::new(Code::AzpInvalid, "azp", client_id, azp));
            }
            Some(_) => self.passed("5", "azp", client_id, client_id),
            None => {}
        }
        Ok(())
    }

    /// (6), (7) the signature is right, by a key of the issuer and an algorithm of ours.
    fn rule_6_signature(&mut self, valid: bool) -> Result<()> {
        let algorithm = self.jws.algorithm.as_str();
        let key_id = self.jws.key_id.clone().unwrap_or_default();
        if !valid {
            let found = "a signature that the key did not make";
            return Err(Error::new(Code::SignatureInvalid, &key_id, algorithm, found));
        }
        self.passed("6", "kid", "a key of the issuer", &key_id);
        self.passed("7", "alg", "RS256 or ES256", algorithm);
        Ok(())
    }

    /// (9) now is before `exp`.
    fn rule_9_exp(&mut self, now: UnixTime) -> Result<()> {
        let exp = claims::date(&self.jws.claims, "exp")?;
        let (after, found) = (claims::number(now.0), claims::number(exp));
        if UnixTime(exp).plus(SKEW) <= now {
            return Err(Error::new(Code::ExpInvalid, "exp", &after, &found));
        }
        self.passed("9", "exp", &after, &found);
        Ok(())
    }

    /// (10) `iat` is not in the future.
    fn rule_10_iat(&mut self, now: UnixTime) -> Result<()> {
        let iat = claims::date(&self.jws.claims, "iat")?;
        let (before, found) = (claims::number(now.0), claims::number(iat));
        if UnixTime(iat) > now.plus(SKEW) {
            return Err(Error::new(Code::IatInvalid, "iat", &before, &found));
        }
        self.passed("10", "iat", &before, &found);
        Ok(())
    }

    /// RFC 7519, 4.1.5: `nbf`, if present, has come.
    fn not_before(&self, now: UnixTime) -> Result<()> {
        if self.jws.claims.get("nbf").is_none() {
            return Ok(());
        }
        let nbf = claims::date(&self.jws.claims, "nbf")?;
        if UnixTime(nbf) > now.plus(SKEW) {
            let (before, found) = (claims::number(now.0), claims::number(nbf));
            return Err(Error::new(Code::IatInvalid, "nbf", &before, &found));
        }
        Ok(())
    }

    /// (11) `nonce` is the one of this sign-in. Neither value is evidence: both are secrets.
    fn rule_11_nonce(&mut self) -> Result<()> {
        let Some(expected) = self.expected.nonce.take() else { return Ok(()) };
        match claims::optional_text(&self.jws.claims, "nonce")? {
            Some(nonce) if nonce == expected => {}
            Some(_) => {
                let found = "another nonce";
                return Err(Error::new(Code::NonceInvalid, "nonce", "that of this sign-in", found));
            }
            None => {
                return Err(Error::new(Code::NonceInvalid, "nonce", "that of this sign-in", ""));
            }
        }
        self.passed("11", "nonce", "that of this sign-in", "the same");
        Ok(())
    }

    /// (12) `acr`, if levels were asked for, is one of them.
    fn rule_12_acr(&mut self) -> Result<()> {
        let acr = claims::optional_text(&self.jws.claims, "acr")?.unwrap_or_default();
        let Some(wanted) = self.expected.acr_values.clone() else { return Ok(()) };
        if !has_word(&wanted, acr) {
            return Err(Error::new(Code::AcrInvalid, "acr", &wanted, acr));
        }
        let acr = Text::from(acr);
        self.passed("12", "acr", &wanted, &acr);
        Ok(())
    }

    /// (13) `auth_time`, if a limit was asked for, is recent enough.
    fn rule_13_auth_time(&mut self, now: UnixTime) -> Result<()> {
        let present = self.jws.claims.get("auth_time").is_some();
        let Some(max_age) = self.expected.max_age else {
            return if present {
                claims::date(&self.jws.claims, "auth_time").map(|_| ())
            } else {
                Ok(())
            };
        };
        let auth_time = claims::date(&self.jws.claims, "auth_time")
            .map_err(|_| Error::new(Code::AuthTimeInvalid, "auth_time", "a time", ""))?;
        let oldest = claims::number(difference(now.0, max_age));
        let found = claims::number(auth_time);
        if UnixTime(auth_time).plus(Seconds(max_age)).plus(SKEW) < now {
            return Err(Error::new(Code::AuthTimeInvalid, "auth_time", &oldest, &found));
        }
        self.passed("13", "auth_time", &oldest, &found);
        Ok(())
    }
}

impl VerifiedIdToken {
    /// The token as it came, for `id_token_hint` and for the other tabs.
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }

    /// `sub`
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// When it passed the rules of time.
    pub(crate) const fn accepted_at(&self) -> i64 {
        self.accepted_at
    }

    /// `sid`
    pub(crate) fn session_id(&self) -> Option<&str> {
        self.jws.claims.str("sid")
    }

    /// `nonce`: the attempt that this token answers.
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.jws.claims.str("nonce")
    }

    /// The claims as JSON.
    pub(crate) fn claims_text(&self) -> &str {
        &self.jws.claims_text
    }

    /// What was compared.
    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// `at_hash` and the hash to compute for it, if the token has one.
    pub(crate) fn access_token_hash(&self) -> Result<Option<(&str, &'static str)>> {
        let hash = claims::optional_text(&self.jws.claims, "at_hash")?;
        Ok(hash.map(|hash| (hash, self.jws.algorithm.hash())))
    }

    /// OIDC Core 3.1.3.8: `at_hash` is the left half of the access token's hash.
    pub(crate) fn check_access_token_hash(&mut self, digest: &[u8]) -> Result<()> {
        let half = digest.get(..digest.len() / 2).unwrap_or_default();
        let computed = crate::base64url::encode(half);
        let claimed = self.jws.claims.str("at_hash").unwrap_or_default();
        if computed != claimed {
            return Err(Error::new(Code::AtHashInvalid, "at_hash", &computed, claimed));
        }
        push_check(&mut self.checks, "OIDC Core 3.1.3.8".into(), "at_hash", &computed, &computed);
        Ok(())
    }

    /// OIDC Core 12.2: what a refreshed ID token must have in common with the first.
    pub(crate) fn check_refreshed(&self, first: &Self) -> Result<()> {
        // `iss` and `aud` are the same: rules 2 and 3 leave only one value for each.
        for name in ["sub", "azp", "auth_time", "sid"] {
            let (old, new) = (first.jws.claims.get(name), self.jws.claims.get(name));
            // `auth_time` and `sid` may be left out of the refreshed token, but not changed.
            let optional = name != "sub";
            if old != new && !(optional && (new.is_none() || old.is_none())) {
                let expected = "the same as before";
                return Err(Error::new(Code::RefreshedTokenInvalid, name, expected, "another"));
            }
        }
        Ok(())
    }

    /// Whether this refreshed token says about the session all that the first one did. One that
    /// leaves `sid` out cannot take its place: a logout token could no longer be compared with it.
    pub(crate) fn replaces(&self, first: &Self) -> bool {
        ["auth_time", "sid"]
            .iter()
            .all(|name| self.jws.claims.get(name) == first.jws.claims.get(name))
    }

    /// The checks of the first token stay: a refreshed one does not repeat all of them.
    pub(crate) fn keep_checks_of(&mut self, first: &Self) {
        for check in &first.checks {
            if !self.checks.iter().any(|own| own.rule == check.rule) {
                self.checks.push(check.clone());
            }
        }
    }
}

fn push_check(checks: &mut Vec<Check>, rule: String, name: &str, expected: &str, found: &str) {
    checks.push(Check { rule, name: name.into(), expected: expected.into(), found: found.into() });
}
