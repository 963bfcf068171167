//! The ID token: the checks of OIDC Core 3.1.3.7, one function per rule, in the specification's
//! order and with its numbers; then 3.1.3.8 (`at_hash`), and 12.2 for one that came by a refresh.
//!
//! ```text
//!   UntrustedIdToken ──begin──> ... signature ... ──finish──> UnboundIdToken ──bind──> VerifiedIdToken
//! ```
//! Each type is made of the one before it and of nothing else, so that no rule can be skipped.
//!
//! Rules that need no function: (1) and (8), because encrypted tokens and HMAC are refused when the
//! token is taken apart ([`UntrustedJws::parse`]), which is also where the allow-list of rule (7)
//! stands. (6), the signature, is an effect between [`UntrustedIdToken::begin`] and
//! [`UntrustedIdToken::finish`].

use crate::{
    address::has_word,
    attempt::LIFETIME,
    claims,
    config::Config,
    error::{Code, Error, Result},
    jws::UntrustedJws,
    text::Text,
    time::{Seconds, UnixTime, difference},
    wire::Check,
};
use alloc::{string::String, vec::Vec};

/// The longest `sub` (OIDC Core 2), in ASCII characters.
const LONGEST_SUBJECT: usize = 255;

/// Why an ID token came, and what it is held against besides the configuration.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// It answers a sign-in.
    SignIn {
        nonce: Text,
        /// The levels asked for, separated by spaces.
        acr_values: Option<Text>,
        /// The oldest authentication asked for, in seconds.
        max_age: Option<i64>,
    },
    /// It came with refreshed tokens.
    Refreshed,
    /// Another tab has verified it and shares it.
    Adopted {
        /// The access token was refreshed since: it is not the one that the ID token came with.
        is_older: bool,
    },
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

/// An ID token that is right in itself, but not compared yet with what came beside it and before.
#[derive(Clone, Debug)]
pub(crate) struct UnboundIdToken {
    token: UntrustedIdToken,
    subject: Text,
    accepted_at: i64,
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
        let jws = UntrustedJws::parse(raw, config.algorithms())?;
        let mut token = Self { raw: raw.into(), jws, expected, checks: Vec::new() };
        token.explicit_type()?;
        token.rule_2_iss(&config.issuer)?;
        token.rule_3_aud(&config.client_id)?;
        token.rule_5_azp(&config.client_id)?;
        Ok(token)
    }

    /// Applies the rules that come after the signature, whose verdict is `valid`.
    pub(crate) fn finish(
        mut self,
        valid: bool,
        now: UnixTime,
        config: &Config,
    ) -> Result<UnboundIdToken> {
        let skew = config.skew();
        self.rule_6_signature(valid, config.algorithms())?;
        self.rule_9_exp(now, skew)?;
        self.rule_10_iat(now, skew)?;
        self.not_before(now, skew)?;
        self.rule_11_nonce()?;
        self.rule_12_acr()?;
        self.rule_13_auth_time(now, skew)?;
        self.session_id()?;
        let subject = self.subject()?;
        Ok(UnboundIdToken { token: self, subject, accepted_at: now.0 })
    }

    /// `iat`, or the beginning of time; rule 10 says whether it is right.
    pub(crate) fn issued_at(&self) -> i64 {
        claims::date(&self.jws.claims, "iat").unwrap_or_default()
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
        claims::only_audience(&self.jws.claims, client_id, Code::AudInvalid)?;
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
    fn rule_6_signature(&mut self, valid: bool, algorithms: &str) -> Result<()> {
        let algorithm = self.jws.algorithm.name;
        let key_id = self.jws.key_id.clone().unwrap_or_default();
        if !valid {
            let found = "a signature that the key did not make";
            return Err(Error::new(Code::SignatureInvalid, &key_id, algorithm, found));
        }
        self.passed("6", "kid", "a key of the issuer", &key_id);
        self.passed("7", "alg", algorithms, algorithm);
        Ok(())
    }

    /// (9) now is before `exp`.
    fn rule_9_exp(&mut self, now: UnixTime, skew: Seconds) -> Result<()> {
        let exp = claims::date(&self.jws.claims, "exp")?;
        let (after, found) = (claims::number(now.0), claims::number(exp));
        if UnixTime(exp).plus(skew) <= now {
            return Err(Error::new(Code::ExpInvalid, "exp", &after, &found));
        }
        self.passed("9", "exp", &after, &found);
        Ok(())
    }

    /// (10) `iat` is not in the future, and not longer ago than a sign-in may take: whatever comes to
    /// this client was asked for just now. (One that another tab shares is held against the time when
    /// that tab took it.)
    fn rule_10_iat(&mut self, now: UnixTime, skew: Seconds) -> Result<()> {
        let iat = claims::date(&self.jws.claims, "iat")?;
        let (before, found) = (claims::number(now.0), claims::number(iat));
        if UnixTime(iat) > now.plus(skew) || UnixTime(iat).plus(LIFETIME).plus(skew) < now {
            return Err(Error::new(Code::IatInvalid, "iat", &before, &found));
        }
        self.passed("10", "iat", &before, &found);
        Ok(())
    }

    /// RFC 7519, 4.1.5: `nbf`, if present, has come.
    fn not_before(&self, now: UnixTime, skew: Seconds) -> Result<()> {
        if self.jws.claims.get("nbf").is_none() {
            return Ok(());
        }
        let nbf = claims::date(&self.jws.claims, "nbf")?;
        if UnixTime(nbf) > now.plus(skew) {
            let (before, found) = (claims::number(now.0), claims::number(nbf));
            return Err(Error::new(Code::IatInvalid, "nbf", &before, &found));
        }
        Ok(())
    }

    /// (11) `nonce` is the one of this sign-in. Neither value is evidence: both are secrets.
    fn rule_11_nonce(&mut self) -> Result<()> {
        let found = claims::optional_text(&self.jws.claims, "nonce")?;
        let Expected::SignIn { nonce, .. } = &self.expected else { return Ok(()) };
        let ours = "that of this sign-in";
        match found {
            Some(found) if *nonce == *found => {}
            Some(_) => return Err(Error::new(Code::NonceInvalid, "nonce", ours, "another nonce")),
            None => return Err(Error::new(Code::NonceInvalid, "nonce", ours, "")),
        }
        self.passed("11", "nonce", ours, "the same");
        Ok(())
    }

    /// (12) `acr`, if levels were asked for, is one of them.
    fn rule_12_acr(&mut self) -> Result<()> {
        let acr = claims::optional_text(&self.jws.claims, "acr")?.unwrap_or_default();
        let Expected::SignIn { acr_values: Some(wanted), .. } = &self.expected else {
            return Ok(());
        };
        if !has_word(wanted, acr) {
            return Err(Error::new(Code::AcrInvalid, "acr", wanted, acr));
        }
        let (wanted, acr) = (wanted.clone(), Text::from(acr));
        self.passed("12", "acr", &wanted, &acr);
        Ok(())
    }

    /// (13) `auth_time`, if a limit was asked for, is recent enough. Nobody signed in in the future:
    /// such a time would be recent for ever.
    fn rule_13_auth_time(&mut self, now: UnixTime, skew: Seconds) -> Result<()> {
        let present = self.jws.claims.get("auth_time").is_some();
        let Expected::SignIn { max_age: Some(max_age), .. } = self.expected else {
            return if present {
                claims::date(&self.jws.claims, "auth_time").map(|_| ())
            } else {
                Ok(())
            };
        };
        let auth_time = claims::date(&self.jws.claims, "auth_time")
            .map_err(|_| Error::new(Code::AuthTimeInvalid, "auth_time", "a time", ""))?;
        let time = UnixTime(auth_time);
        let is_to_come = time > now.plus(skew);
        let limit = claims::number(if is_to_come { now.0 } else { difference(now.0, max_age) });
        let found = claims::number(auth_time);
        if is_to_come || time.plus(Seconds(max_age)).plus(skew) < now {
            return Err(Error::new(Code::AuthTimeInvalid, "auth_time", &limit, &found));
        }
        self.passed("13", "auth_time", &limit, &found);
        Ok(())
    }

    /// Front-Channel and Back-Channel Logout 2.1: `sid`, if present, is a text.
    fn session_id(&self) -> Result<()> {
        claims::optional_text(&self.jws.claims, "sid").map(|_| ())
    }

    /// OIDC Core 2: `sub` is required, at most 255 ASCII characters.
    fn subject(&self) -> Result<Text> {
        let subject = claims::text(&self.jws.claims, "sub")?;
        if subject.len() > LONGEST_SUBJECT || !subject.is_ascii() {
            let expected = "255 ASCII characters at most";
            return Err(Error::new(Code::ClaimInvalid, "sub", expected, "more or others"));
        }
        Ok(subject.into())
    }
}

impl UnboundIdToken {
    /// The hash of the access token that [`bind`](Self::bind) needs, if the token has an `at_hash`.
    pub(crate) fn hash(&self) -> Result<Option<&'static str>> {
        let hash = claims::optional_text(&self.token.jws.claims, "at_hash")?;
        // The access token that it was made of is gone.
        let is_gone = matches!(self.token.expected, Expected::Adopted { is_older: true });
        Ok(if is_gone { None } else { hash.map(|_| self.token.jws.algorithm.hash) })
    }

    /// Compares the token with the access token, by its `digest`, and with the `first` ID token of
    /// the session, if it came by a refresh.
    pub(crate) fn bind(
        mut self,
        digest: Option<&[u8]>,
        first: Option<&VerifiedIdToken>,
        skew: Seconds,
    ) -> Result<VerifiedIdToken> {
        if self.hash()?.is_some() {
            self.access_token_hash(digest.unwrap_or_default())?;
        }
        if matches!(self.token.expected, Expected::Refreshed) {
            let first = first.ok_or_else(|| refreshed("sub", "that of a session"))?;
            self.refreshed_sub(first)?;
            self.refreshed_iat(first, skew)?;
            self.refreshed_auth_time(first)?;
            self.refreshed_nonce(first)?;
            self.refreshed_azp(first)?;
            self.refreshed_sid(first)?;
        }
        let Self { token: UntrustedIdToken { raw, jws, checks, .. }, subject, accepted_at } = self;
        Ok(VerifiedIdToken { raw, jws, subject, accepted_at, checks })
    }

    /// OIDC Core 3.1.3.8: `at_hash` is the left half of the access token's hash.
    fn access_token_hash(&mut self, digest: &[u8]) -> Result<()> {
        let half = digest.get(..digest.len() / 2).unwrap_or_default();
        let computed = crate::base64url::encode(half);
        let claimed = self.token.jws.claims.str("at_hash").unwrap_or_default();
        if computed != claimed {
            return Err(Error::new(Code::AtHashInvalid, "at_hash", &computed, claimed));
        }
        let rule = "OIDC Core 3.1.3.8".into();
        push_check(&mut self.token.checks, rule, "at_hash", &computed, &computed);
        Ok(())
    }

    // OIDC Core 12.2, in its order. `iss` and `aud` are the same: rules 2 and 3 leave one value.

    /// `sub` is the same.
    fn refreshed_sub(&self, first: &VerifiedIdToken) -> Result<()> {
        if self.subject == first.subject {
            Ok(())
        } else {
            Err(refreshed("sub", "the same as before"))
        }
    }

    /// `iat` is when this token was issued: not before the one that it follows, which would be an
    /// older token replayed. (A provider of several machines has several clocks.)
    fn refreshed_iat(&self, first: &VerifiedIdToken, skew: Seconds) -> Result<()> {
        let new = claims::date(&self.token.jws.claims, "iat")?;
        if UnixTime(new).plus(skew) >= UnixTime(first.issued_at()) {
            Ok(())
        } else {
            Err(refreshed("iat", "not before the first"))
        }
    }

    /// `auth_time`, if present, is of the original authentication.
    fn refreshed_auth_time(&self, first: &VerifiedIdToken) -> Result<()> {
        self.same_if_present(first, "auth_time")
    }

    /// `nonce`, if present, is that of the sign-in. Where none is known any more, because an earlier
    /// refresh left it out, there is none that it could be.
    fn refreshed_nonce(&self, first: &VerifiedIdToken) -> Result<()> {
        let new = self.token.jws.claims.get("nonce");
        if new.is_some() && new != first.jws.claims.get("nonce") {
            return Err(refreshed("nonce", "the same as before"));
        }
        Ok(())
    }

    /// `azp` is the same, or absent as before.
    fn refreshed_azp(&self, first: &VerifiedIdToken) -> Result<()> {
        if self.token.jws.claims.get("azp") == first.jws.claims.get("azp") {
            Ok(())
        } else {
            Err(refreshed("azp", "the same as before"))
        }
    }

    /// `sid`, if present, is the same: a refresh begins no session (Back-Channel Logout 2.1).
    fn refreshed_sid(&self, first: &VerifiedIdToken) -> Result<()> {
        self.same_if_present(first, "sid")
    }

    fn same_if_present(&self, first: &VerifiedIdToken, name: &str) -> Result<()> {
        match (self.token.jws.claims.get(name), first.jws.claims.get(name)) {
            (Some(new), Some(old)) if new != old => Err(refreshed(name, "the same as before")),
            _ => Ok(()),
        }
    }
}

fn refreshed(name: &str, expected: &str) -> Error {
    Error::new(Code::RefreshedTokenInvalid, name, expected, "another")
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

    /// `iat`, which rule 10 has found to be there.
    pub(crate) fn issued_at(&self) -> i64 {
        claims::date(&self.jws.claims, "iat").unwrap_or_default()
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
