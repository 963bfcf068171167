//! Every refusal, in one table: from it follow docs/errors.md, the TypeScript union of codes and
//! the docs of [`Code`].

use crate::{
    json::Writer,
    wire::{Declare, Write},
};
use alloc::{boxed::Box, string::String};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The provider answered something that it must not.
    Provider,
    /// The application's configuration or call is wrong.
    Application,
    /// The browser, the network, the clock or the person: nobody's program is wrong.
    Environment,
}

impl Blame {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Application => "application",
            Self::Environment => "environment",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $blame:ident $source:literal $meaning:literal $fix:literal;)*) => {
        /// A stable name of what went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] #[doc = ""] #[doc = $fix] $variant,)*
        }

        impl Code {
            /// All codes, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire, in snake_case like OAuth's own.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            const NAMES: &[&str] = &[$($code),*];

            /// Who has to act.
            #[must_use]
            pub const fn blame(self) -> Blame {
                Self::BLAMES[self as usize]
            }

            const BLAMES: &[Blame] = &[$(Blame::$blame),*];

            /// The specification and section whose rule was broken; empty if the rule is our own.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source),* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What to change, in one sentence.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix),* }
            }
        }
    };
}

codes! {
    // The provider's own words (OAuth 2.0, 4.1.2.1 and 5.2; OIDC Core, 3.1.2.6), passed on by name.
    AccessDenied "access_denied" Environment "RFC 6749 4.1.2.1"
        "The person cancelled, or may not use this app."
        "Show the sign-in button again; if the person should have access, assign them to the client.";
    LoginRequired "login_required" Environment "OIDC Core 3.1.2.6"
        "Nobody is signed in at the provider."
        "Nothing is wrong: show the sign-in button. Where it comes at each reload although people have just signed in, the browser does not keep the provider's cookie.";
    InteractionRequired "interaction_required" Environment "OIDC Core 3.1.2.6"
        "The provider has to show a page before it can answer."
        "Let the person click sign-in.";
    ConsentRequired "consent_required" Environment "OIDC Core 3.1.2.6"
        "The person has to agree to what the app asks for."
        "Let the person click sign-in.";
    AccountSelectionRequired "account_selection_required" Environment "OIDC Core 3.1.2.6"
        "The person has several accounts and must choose."
        "Let the person click sign-in.";
    ProviderError "provider_error" Provider "RFC 6749 4.1.2.1"
        "The provider answered with an error that is not the person's doing."
        "Read the evidence: it names the provider's error; most often the client's registration differs from the app's configuration.";
    InvalidGrant "invalid_grant" Environment "RFC 6749 5.2"
        "The code or refresh token is used up, expired or revoked."
        "Sign in again; if it happens at every callback, compare redirectUri with the registered one.";
    InvalidToken "invalid_token" Environment "RFC 6750 3.1"
        "The provider no longer accepts the access token."
        "Sign in again.";

    // Reaching the provider.
    IssuerUnreachable "issuer_unreachable" Environment ""
        "The provider did not answer."
        "Try again when the network is back; if it never answers, check the issuer's address, its CORS settings and the page's connect-src.";
    MetadataInvalid "metadata_invalid" Provider "OIDC Discovery 3"
        "The discovery document is not what it must be."
        "Open ISSUER/.well-known/openid-configuration and compare it with the evidence.";
    IssuerMismatch "issuer_mismatch" Provider "OIDC Discovery 4.3"
        "The discovery document names another issuer than the one configured."
        "Configure the issuer exactly as the document writes it: scheme, case, port and trailing slash count.";
    KeysInvalid "keys_invalid" Provider "RFC 7517 5"
        "The provider's key set cannot be read."
        "Open the jwks_uri and compare it with the evidence.";

    // Coming back from the provider.
    StateUnknown "state_unknown" Environment "RFC 6749 10.12"
        "This browser tab did not begin the sign-in that this address answers."
        "Sign in again; it happens when storage was cleared, or when the address was opened in another tab or browser.";
    AttemptExpired "attempt_expired" Environment ""
        "The sign-in took longer than an hour."
        "Sign in again.";
    ResponseInvalid "response_invalid" Provider "RFC 6749 3.1"
        "The authorization response lacks a parameter, or has one twice."
        "Compare the provider's redirect with the evidence.";
    ResponseIssuerMissing "response_issuer_missing" Provider "RFC 9207 2.4"
        "The authorization response has no `iss`, although the provider promises one."
        "Make the provider send `iss`, or take the promise out of its discovery document.";
    ResponseIssuerMismatch "response_issuer_mismatch" Provider "RFC 9207 2.4"
        "The authorization response comes from another issuer than the one asked (mix-up)."
        "Check who answered: the evidence names both.";

    // Tokens.
    TokenResponseInvalid "token_response_invalid" Provider "OIDC Core 3.1.3.3"
        "The token endpoint's answer is not a token response."
        "Look at the token endpoint's answer in the network panel and compare it with the evidence.";
    TokenMalformed "token_malformed" Provider "RFC 7515 5.2"
        "A token is not a signed JWT in compact form."
        "Make the provider issue signed JWTs; encrypted and unsigned ones are refused.";
    AlgorithmNotAllowed "algorithm_not_allowed" Provider "OIDC Core 3.1.3.7 (7)"
        "A token is signed with an algorithm that the client did not agree to."
        "Let the provider sign with an algorithm that the evidence names, or configure idTokenSignedResponseAlg as the client is registered; `none` and HMAC are never accepted.";
    KeyNotFound "key_not_found" Provider "OIDC Core 10.1"
        "The provider's key set has no key that fits the token's header, even when fetched anew."
        "Publish the signing key under the token's `kid`, with fitting `kty`, `alg` and `use`.";
    SignatureInvalid "signature_invalid" Provider "OIDC Core 3.1.3.7 (6)"
        "A token's signature is wrong: it was altered, or signed by somebody else."
        "Do not trust this answer; compare the provider's keys with those that really sign.";
    IdTokenMissing "id_token_missing" Provider "OIDC Core 3.1.3.3"
        "The token response has no ID token."
        "Ask for the scope `openid`, and use a provider that speaks OpenID Connect.";
    ClaimInvalid "claim_invalid" Provider "OIDC Core 2"
        "A required claim is missing or of the wrong type."
        "Make the provider send the claim that the evidence names.";
    IssInvalid "iss_invalid" Provider "OIDC Core 3.1.3.7 (2)"
        "The token was issued by somebody else."
        "Configure the issuer exactly as the provider writes it.";
    AudInvalid "aud_invalid" Provider "OIDC Core 3.1.3.7 (3)"
        "The token is not, or not only, for this client."
        "Configure the client id that the token is issued to; other audiences are not trusted.";
    AzpInvalid "azp_invalid" Provider "OIDC Core 3.1.3.7 (5)"
        "The token was issued to another client."
        "Configure the client id that the token is issued to.";
    ExpInvalid "exp_invalid" Provider "OIDC Core 3.1.3.7 (9)"
        "The token has expired."
        "Compare the clocks of the provider and of this machine.";
    IatInvalid "iat_invalid" Provider "OIDC Core 3.1.3.7 (10)"
        "The token was issued in the future, or longer ago than a sign-in may take; or it counts only later (`nbf`)."
        "Compare the clocks of the provider and of this machine.";
    NonceInvalid "nonce_invalid" Provider "OIDC Core 3.1.3.7 (11)"
        "The ID token does not answer this sign-in (replay or code injection)."
        "Sign in again; if it stays, the provider does not send back `nonce`.";
    AcrInvalid "acr_invalid" Provider "OIDC Core 3.1.3.7 (12)"
        "The person was not authenticated at the level asked for."
        "Ask for a level that the provider offers.";
    AuthTimeInvalid "auth_time_invalid" Provider "OIDC Core 3.1.3.7 (13)"
        "The person was authenticated longer ago than `max_age` allows, or the provider does not say when."
        "Use a provider that honours `max_age`.";
    AtHashInvalid "at_hash_invalid" Provider "OIDC Core 3.1.3.8"
        "The access token is not the one that the ID token was issued with."
        "Do not trust this answer; check what stands between the provider and the browser.";
    RefreshedTokenInvalid "refreshed_token_invalid" Provider "OIDC Core 12.2"
        "The refreshed ID token differs from the first in a claim that must stay."
        "Do not trust this answer; the evidence names the claim.";
    UserInfoInvalid "user_info_invalid" Provider "OIDC Core 5.3.2"
        "UserInfo is not a JSON object with a `sub`."
        "Compare the UserInfo endpoint's answer with the evidence.";
    UserInfoSubMismatch "user_info_sub_mismatch" Provider "OIDC Core 5.3.2"
        "UserInfo speaks of somebody else than the ID token."
        "Do not trust this answer.";
    SecurityEventInvalid "security_event_invalid" Provider "RFC 8417 2"
        "A Security Event Token breaks one of the rules."
        "Nothing was done for it; the evidence names the rule.";
    LogoutTokenInvalid "logout_token_invalid" Provider "Back-Channel Logout 2.6"
        "A logout token breaks one of the rules."
        "Nothing was signed out; the evidence names the rule.";

    // This browser, this app.
    PopupBlocked "popup_blocked" Environment "HTML 7.2.2.1"
        "The browser did not open a window for the sign-in, or it is gone."
        "Call signIn() in the click itself, before anything is awaited, or with mode `popup-or-redirect`.";
    PopupTimeout "popup_timeout" Environment ""
        "The window for the sign-in brought no answer in ten minutes."
        "Nothing is wrong: show the sign-in button. If the person did sign in, see that `redirectUri` leads to a page of this origin that makes the client.";
    Cancelled "cancelled" Application ""
        "The application gave up the sign-in."
        "Nothing is wrong.";
    StorageUnavailable "storage_unavailable" Environment ""
        "The browser keeps no storage for this site, so a sign-in could not find its way back."
        "Allow this site to store data (cookies and site data), or leave private browsing.";
    CryptoUnavailable "crypto_unavailable" Environment "Web Cryptography"
        "The page has no WebCrypto: it is not a secure context."
        "Serve the app by https, or on localhost; or serve verifier_bg.wasm beside the script (npm package), which does without WebCrypto.";
    AlgorithmUnsupported "algorithm_unsupported" Environment "Web Cryptography"
        "The browser cannot check signatures of the algorithm that the provider signs with."
        "Let the provider sign with RS256 or ES256, which every browser has, serve verifier_bg.wasm beside the script (npm package), or ask for a newer browser.";
    ClockDiffers "clock_differs" Environment ""
        "This machine's clock differs from the provider's by more than tokens may. The provider's is followed: this is a warning."
        "Set the clock.";
    ClockWrong "clock_wrong" Environment ""
        "This machine's clock differs from the provider's by more than a quarter of an hour."
        "Set the clock.";
    RedirectLoop "redirect_loop" Environment ""
        "Automatic sign-in was stopped: it had been tried and had brought no session."
        "The evidence says what became of the attempt before. Let the person click sign-in, and no script in their place; if that fails too, its error names the cause.";
    NotSignedIn "not_signed_in" Application ""
        "There is no session to take a token from."
        "Ask for tokens only while the status is `authenticated`.";
    TokenUnavailable "token_unavailable" Environment ""
        "The access token has expired and there is no refresh token."
        "Let the person sign in again.";
    SignOutUnsupported "sign_out_unsupported" Provider "OIDC RP-Initiated Logout 2.1"
        "The provider has no end_session_endpoint: the person is signed out here only."
        "Use a provider with RP-initiated logout, or offer `scope: \"local\"` only.";
    ReturnToRefused "return_to_refused" Application ""
        "`returnTo` leads out of the app."
        "Give a path of this origin that begins with one slash.";
    ConfigInvalid "config_invalid" Application ""
        "The configuration is wrong."
        "Compare the option that the evidence names with the documentation.";
    RequestInvalid "request_invalid" Application ""
        "The machine was told something that it cannot read."
        "This is a defect of the face that drives the machine: report it.";
    Superseded "superseded" Application ""
        "A later command took this one's place."
        "Nothing is wrong.";

    // The npm face's own: it says them where there is no machine.
    WasmUnavailable "wasm_unavailable" Application "WebAssembly JS API"
        "The page could not load or compile the package's WebAssembly."
        "Allow `'wasm-unsafe-eval'` in the page's script-src and its own origin in connect-src, serve gatepass_bg.wasm where the bundler put it, as application/wasm, or import `gatepass/inline`.";
    BrowserRequired "browser_required" Application ""
        "This needs a page: it was called on a server or in a worker."
        "Call it in code that runs in the page only, such as an event handler.";
}

impl Write for Code {
    fn write(&self, writer: &mut Writer) {
        writer.string(self.as_str());
    }
}

impl Declare for Code {
    fn type_name() -> String {
        "ErrorCode".into()
    }
}

/// Why something was refused. It reads like the [`Refusal`] that it holds.
///
/// One pointer, so that most results of this crate are one too and travel in a register: as a pair
/// of code and evidence they went through memory at every `?`, which was 1 kB of the npm client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Refusal>);

/// The code, and what was seen.
///
/// Evidence never holds a token, a code, a verifier or a URL with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable name.
    pub code: Code,
    /// What was expected and what came, if the code alone does not tell.
    pub evidence: Option<Evidence>,
}

/// What was looked at, what it had to be, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The claim, parameter, member or option.
    pub subject: String,
    /// What it had to be.
    pub expected: String,
    /// What it was; empty if absent.
    pub found: String,
}

impl Error {
    /// A refusal with its evidence.
    #[must_use]
    #[inline(never)]
    pub fn new(code: Code, subject: &str, expected: &str, found: &str) -> Self {
        let evidence =
            Evidence { subject: subject.into(), expected: expected.into(), found: clip(found) };
        Self(Box::new(Refusal { code, evidence: Some(evidence) }))
    }

    /// The same evidence under another code.
    #[must_use]
    pub(crate) fn with_code(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }
}

impl From<Code> for Error {
    #[inline(never)]
    fn from(code: Code) -> Self {
        Self(Box::new(Refusal { code, evidence: None }))
    }
}

impl core::ops::Deref for Error {
    type Target = Refusal;

    fn deref(&self) -> &Refusal {
        &self.0
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(e) = &self.evidence {
            write!(f, ": {}: expected {}, found {}", e.subject, e.expected, e.found)?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

impl Write for Error {
    fn write(&self, writer: &mut Writer) {
        writer.open('{');
        writer.member("code", self.code.as_str());
        writer.member("blame", self.code.blame().as_str());
        if let Some(evidence) = &self.evidence {
            writer.member("subject", &evidence.subject);
            writer.member("expected", &evidence.expected);
            writer.member("found", &evidence.found);
        }
        writer.close('}');
    }
}

impl Declare for Error {
    fn type_name() -> String {
        "WireError".into()
    }
}

/// The first 120 characters, control characters replaced: evidence is for people, it ends in logs
/// and terminals, and what came may be anything.
fn clip(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a fallible function of this crate gives.
pub type Result<T> = core::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::Code;
    use std::{
        format, fs,
        path::Path,
        string::{String, ToString as _},
        vec::Vec,
    };

    /// Codes that no test of the machine can bring about, the file that tests them, and why.
    const ELSEWHERE: [(Code, &str, &str); 3] = [
        (Code::RequestInvalid, "sdk/src/client.rs", "only a defect of a face makes it"),
        (Code::WasmUnavailable, "tests/tests/npm_module.rs", "said where there is no machine"),
        (Code::BrowserRequired, "tests/tests/npm.rs", "said where there is no page"),
    ];

    /// Whether the test brings the code about is for its reader to see; that there is one, for this.
    #[test]
    fn every_code_is_named_by_some_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let tests: String = fs::read_dir(root.join("sdk/core/tests"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let named = |text: &str, code: Code| {
            // Not as the beginning of a longer name.
            let (variant, name) = (format!("Code::{code:?}"), format!("\"{}", code.as_str()));
            let ends = |rest: &&str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            [variant, name].iter().any(|word| text.split(word.as_str()).skip(1).any(|r| ends(&r)))
        };
        // What stands before the tests of a source file makes a code and tests none.
        let tests_of = |file: &str| {
            let text = fs::read_to_string(root.join(file)).unwrap();
            text.split_once("#[cfg(test)]").map_or(text.clone(), |(_, tests)| tests.into())
        };
        let missing: Vec<String> = Code::ALL
            .iter()
            .filter(|code| match ELSEWHERE.iter().find(|(known, ..)| known == *code) {
                Some((_, file, _)) => !named(&tests_of(file), **code),
                None => !named(&tests, **code),
            })
            .map(|code| code.as_str().to_string())
            .collect();
        assert!(missing.is_empty(), "no test names {missing:?}");
    }

    #[test]
    fn the_tables_of_codes_are_current() {
        let mut page = String::from(PAGE);
        let mut module = String::from(MODULE);
        for code in Code::ALL {
            let (name, blame) = (code.as_str(), code.blame().as_str());
            let (source, meaning, fix) = (code.source(), code.meaning(), code.fix());
            page.push_str(&format!(
                "| <a id=\"{name}\"></a>`{name}` | {blame} | {source} | {meaning} | {fix} |\n"
            ));
            module.push_str(&format!("  {name}: [{meaning:?}, {fix:?}],\n"));
        }
        module.push_str("};\n");
        for (path, text) in [("docs/errors.md", page), ("sdk/npm/ts/explanations.ts", module)] {
            let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
            crate::testing::keep_current(&path, &text);
        }
    }

    const PAGE: &str = "\
# Errors

Generated from `sdk/core/src/error.rs` by `cargo xtask types`; do not edit.

Every refusal has a code that stays, and names who has to act: the *provider* answered something
that it must not, the *application* is configured or called wrongly, or the *environment* (browser,
network, clock, person) is in the way. What was expected and what came stands beside the code as
evidence; no evidence holds a token, a code, a verifier or an address with its query.

| code | blame | source | meaning | what to do |
|---|---|---|---|---|
";

    const MODULE: &str = "\
// Generated from sdk/core/src/error.rs by `cargo xtask types`; do not edit.

import type { ErrorCode } from \"../../driver/wire.d.ts\";

/** What a code means, and what to do about it. */
export const explanations: Record<ErrorCode, readonly [meaning: string, fix: string]> = {
";
}
