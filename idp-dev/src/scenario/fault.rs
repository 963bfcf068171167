//! The vocabulary of lies: what can be done to which answer.
//!
//! Text in faults may hold marks that are filled in when the lie is told (see [`super::fill`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::keys::SigningAlg;

/// One thing that is done to one kind of answer.
#[derive(Debug, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// The ID token of a token response.
    IdToken(TokenFault),
    /// The logout token of an event stream.
    LogoutToken(TokenFault),
    /// The token endpoint's answer around it.
    TokenResponse(AnswerFault),
    /// The discovery document.
    Discovery(AnswerFault),
    /// The key set.
    KeySet(KeySetFault),
    /// UserInfo.
    UserInfo(AnswerFault),
    /// Where a person is sent who comes to sign in.
    AuthorizationRequest(RequestFault),
    /// What the browser brings back to the app.
    AuthorizationResponse(ParamsFault),
    /// What it brings back after a sign-out.
    LogoutResponse(ParamsFault),
}

/// Which of several answers of one kind are lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// The first one, counted from 1.
    #[serde(default = "one")]
    pub(crate) from: u64,
    /// How many; all that follow without it.
    pub(crate) times: Option<u64>,
}

impl Default for Turn {
    fn default() -> Self {
        Self { from: one(), times: None }
    }
}

impl Turn {
    /// Is the answer of this number one of them?
    pub(crate) fn has(self, number: u64) -> bool {
        number >= self.from && self.times.is_none_or(|times| number < self.from + times)
    }
}

const fn one() -> u64 {
    1
}

/// What a token request asks with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum With {
    /// A code.
    #[default]
    Code,
    /// A refresh token.
    Refresh,
    /// Either.
    Any,
}

impl With {
    pub(crate) fn fits(self, is_refresh: bool) -> bool {
        match self {
            Self::Code => !is_refresh,
            Self::Refresh => is_refresh,
            Self::Any => true,
        }
    }
}

/// Changes to a JSON object, as raw text: duplicate members and numbers that no parser writes are
/// possible.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Edit {
    /// Members that get this text as their value.
    pub(crate) set: BTreeMap<String, String>,
    /// Members that go.
    pub(crate) remove: Vec<String>,
    /// Members that come a second time, at the end, with this text.
    pub(crate) again: BTreeMap<String, String>,
    /// This text in place of the object.
    pub(crate) whole: Option<String>,
}

impl Edit {
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty()
            && self.remove.is_empty()
            && self.again.is_empty()
            && self.whole.is_none()
    }
}

/// What is done to a signed token.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenFault {
    pub(crate) turn: Turn,
    pub(crate) with: With,
    pub(crate) claims: Edit,
    pub(crate) header: Edit,
    pub(crate) sign: Sign,
    /// The provider's key that signs, if not the one of the client's registration.
    pub(crate) key: Option<KeyName>,
    pub(crate) text: TextFault,
    /// In place of a new token comes the last one that went to this client.
    pub(crate) replay: bool,
}

/// One of the provider's two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum KeyName {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

impl KeyName {
    pub(crate) const fn alg(self) -> SigningAlg {
        match self {
            Self::Rs256 => SigningAlg::Rs256,
            Self::Es256 => SigningAlg::Es256,
        }
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sign {
    /// As it should be.
    #[default]
    Honest,
    /// `alg` none, without signature.
    None,
    /// As it should be, but the signature is left out.
    Empty,
    /// HS256 with the provider's public key, as PEM, for a secret.
    Hs256PublicKey,
    /// HS256 with the client's id for a secret.
    Hs256ClientId,
    /// An ECDSA signature in DER, as X.509 has it.
    Der,
    /// Zeros, as many as there should be bytes.
    Zero,
    /// The first half.
    Truncated,
    /// One bit is another.
    Flipped,
    /// Another key under the honest `kid`: it is not published.
    Foreign,
    /// Another key of the same kind under its own `kid`.
    Next,
    /// RS512 by the key that is published for RS256.
    Rs512SameKey,
    /// RS384 by a key of its own.
    Rs384,
    /// RS512 by a key of its own.
    Rs512,
    /// PS256 by a key of its own.
    Ps256,
    /// ES384 by a key of its own.
    Es384,
    /// ES512 by a key of its own.
    Es512,
    /// EdDSA (Ed25519) by a key of its own.
    EdDsa,
    /// `ES256` in the header, but the key and the signature are those of P-384.
    Es256OnP384,
    /// RS256 by an RSA key of 1024 bits with the exponent 1: the signature is its own proof.
    WeakRsa,
    /// RS256 by an RSA key of 2048 bits with the exponent 1.
    RsaExponentOne,
}

/// What is done to a token's text when it is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TextFault {
    #[default]
    Nothing,
    /// One claim is another, the signature stays.
    Tampered,
    /// Header and claims only.
    TwoParts,
    /// Five parts, as an encrypted token has.
    FiveParts,
    /// A fourth part.
    FourParts,
    /// `=` at the end of the claims (RFC 7515, 2 forbids it).
    Padded,
    /// A line break in the middle.
    Spaced,
}

/// What is done to the key set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeySetFault {
    pub(crate) turn: Turn,
    /// Which of the provider's keys stay; both without it.
    pub(crate) only: Option<KeyName>,
    /// None of them stays.
    pub(crate) none: bool,
    /// Changes to each key that stays.
    pub(crate) keys: Edit,
    /// Further keys, as raw text.
    pub(crate) add: Vec<String>,
    /// The same, before all others.
    pub(crate) first: Vec<String>,
    /// The key that a token was signed with by `sign`, as soon as one was.
    pub(crate) add_signed: bool,
    /// So many further keys that nobody signs with.
    pub(crate) many: usize,
    /// Each key gets a new `kid` at each fetch.
    pub(crate) changing: bool,
    /// Private members are added to the keys.
    pub(crate) private: bool,
    /// Changes to the document around the keys.
    pub(crate) document: Edit,
    pub(crate) answer: Answer,
}

/// What is done to a JSON answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AnswerFault {
    pub(crate) turn: Turn,
    pub(crate) with: With,
    /// Following the document is no fault, as nothing shows what is wrong: presenting a code is.
    pub(crate) by_code: bool,
    pub(crate) json: Edit,
    pub(crate) answer: Answer,
}

/// What is done to an answer as HTTP carries it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    /// Text in place of the body.
    pub(crate) body: Option<String>,
    /// Text before the body, a byte order mark for instance.
    pub(crate) before: String,
    /// Text after it.
    pub(crate) after: String,
    /// A byte that is no UTF-8 stands in the middle of the body.
    pub(crate) bad_utf8: bool,
    /// So many spaces after the body.
    pub(crate) padding: usize,
    /// The body goes on for ever, in spaces.
    pub(crate) endless: bool,
    /// The connection breaks after half of the body.
    pub(crate) cut: bool,
    /// The connection breaks before the answer; what was asked for is done.
    pub(crate) lost: bool,
    /// The answer does not come.
    pub(crate) silent: bool,
    /// The body comes in so many pieces, with a pause before each.
    pub(crate) pieces: usize,
    /// The pause in milliseconds.
    pub(crate) pause_ms: u64,
}

/// Where a person is sent who comes to sign in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestFault {
    #[serde(default)]
    pub(crate) turn: Turn,
    /// The place, which gets the request's parameters.
    pub(crate) to: String,
}

/// What is done to the parameters that a browser brings back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ParamsFault {
    pub(crate) turn: Turn,
    pub(crate) set: BTreeMap<String, String>,
    pub(crate) remove: Vec<String>,
    /// Parameters that come a second time.
    pub(crate) again: BTreeMap<String, String>,
    /// Answers at once, without asking who the person is.
    pub(crate) at_once: bool,
    /// The answer to an app's request does not come. A person who has just sent the sign-in form
    /// gets theirs.
    pub(crate) silent: bool,
    /// Nothing shows that the code is wrong before the provider refuses it: presenting it is no
    /// acceptance.
    pub(crate) unseen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_from_one() {
        assert!(Turn::default().has(1) && Turn::default().has(99));
        let second = Turn { from: 2, times: Some(1) };
        assert_eq!([1, 2, 3].map(|number| second.has(number)), [false, true, false]);
    }
}
