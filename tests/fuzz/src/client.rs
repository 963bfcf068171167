//! The client, through its one door: a page that signs in, in which one message is the fuzzer's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a panic is what is looked for"
)]

use std::collections::VecDeque;

use base64ct::{Base64UrlUnpadded, Encoding};
use gatepass_core::{
    config::Config,
    entropy::Entropy,
    json::{self, Value, Writer},
    machine::Machine,
    time::Now,
    wire::{
        Answer, Command, Effect, Fact, OnLoad, Order, Response, Scope, Session, Signal, Status,
        read_fact,
    },
};

const ISSUER: &str = "https://idp.example";
const APP: &str = "https://app.example";
const CALLBACK: &str = "https://app.example/?code=c&state=s&iss=https%3A%2F%2Fidp.example";
/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;
const NONCE: &str = "n-0S6_WzA2Mj";
const DISCOVERY: &[u8] = include_bytes!("../corpus/discovery/good");
const JWKS: &[u8] = include_bytes!("../corpus/jwks/good");
const ATTEMPT: &[u8] = include_bytes!("../corpus/attempt/good");
const CLAIMS: &[u8] = include_bytes!("../corpus/jwt/good");

/// What the page is told by others. All of it is good unless a target says otherwise.
struct Told<'a> {
    callback: &'a str,
    attempt: Option<&'a str>,
    discovery: &'a [u8],
    jwks: &'a [u8],
    token_response: Vec<u8>,
    /// What the browser says of every signature.
    is_signed: bool,
    chunks: Vec<&'a [u8]>,
    messages: Vec<&'a str>,
}

impl Told<'_> {
    fn good() -> Self {
        Told {
            callback: CALLBACK,
            attempt: std::str::from_utf8(ATTEMPT).ok(),
            discovery: DISCOVERY,
            jwks: JWKS,
            token_response: tokens(&id_token(CLAIMS)),
            is_signed: true,
            chunks: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// An ID token with this payload. The fuzzer looks for what is read wrongly; no signature is made.
fn id_token(claims: &[u8]) -> String {
    let encoded = Base64UrlUnpadded::encode_string;
    let header = encoded(br#"{"alg":"RS256","kid":"1"}"#);
    format!("{header}.{}.{}", encoded(claims), encoded(&[7; 256]))
}

fn tokens(id_token: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.open('{');
    writer.member("access_token", "a");
    writer.member("token_type", "Bearer");
    writer.member("refresh_token", "r");
    writer.member("id_token", id_token);
    writer.name("expires_in");
    writer.integer(300);
    writer.close('}');
    writer.finish().into_bytes()
}

/// A page and all that was seen of it.
struct Page<'a> {
    machine: Machine,
    told: Told<'a>,
    facts: VecDeque<(Fact, Vec<u8>)>,
    session: Session,
    steps: u8,
    was_signed_in: bool,
    went_on: bool,
}

impl<'a> Page<'a> {
    fn new(told: Told<'a>) -> Self {
        let config = Config {
            issuer: ISSUER.into(),
            client_id: "app".into(),
            redirect_uri: format!("{APP}/").into(),
            post_logout_redirect_uri: format!("{APP}/").into(),
            origin: APP.into(),
            ..Config::default()
        };
        Self {
            machine: Machine::new(config).unwrap(),
            told,
            facts: VecDeque::new(),
            session: Session::default(),
            steps: 0,
            was_signed_in: false,
            went_on: false,
        }
    }

    /// A page that comes back from the provider, then hears whatever else there is, then is asked
    /// for everything that an app can ask for.
    fn run(told: Told<'a>) -> Self {
        let mut page = Self::new(told);
        page.fact(Fact::Command {
            id: 1,
            command: Command::Resume {
                callback: Some(page.told.callback.into()),
                here: "/".into(),
                on_load: OnLoad::Manual,
            },
        });
        for text in std::mem::take(&mut page.told.messages) {
            page.fact(Fact::Signal { signal: Signal::Message { text: text.into() } });
        }
        page.was_signed_in |= page.session.status == Status::Authenticated;
        let commands = [
            Command::GetToken {
                min_ttl: None,
                origin: None,
                refused: None,
                resource: None,
                scope: None,
            },
            Command::CheckSession {},
            Command::SignOut { scope: Scope::Local },
        ];
        for (id, command) in (2..).zip(commands) {
            page.fact(Fact::Command { id, command });
        }
        page
    }

    fn fact(&mut self, fact: Fact) {
        self.facts.push_back((fact, Vec::new()));
        while let Some((fact, bytes)) = self.facts.pop_front() {
            self.steps += 1;
            // Whatever comes, a message causes a bounded number of others.
            assert!(self.steps < 200, "the page never comes to rest");
            for order in self.machine.step(now(), entropy(self.steps), fact, &bytes) {
                self.obey(order);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Session { session } => self.session = *session,
            Order::Effect { id, effect } => {
                if let Some((answer, bytes)) = self.answer(&effect) {
                    self.facts.push_back((Fact::Answer { effect: id, answer }, bytes));
                }
                if matches!(effect, Effect::OpenStream { .. }) {
                    for chunk in std::mem::take(&mut self.told.chunks) {
                        let signal = Signal::Chunk { effect: id };
                        self.facts.push_back((Fact::Signal { signal }, chunk.to_vec()));
                    }
                }
            }
            Order::Cancel { .. } | Order::WakeAt { .. } | Order::Completed { .. } => {}
        }
    }

    fn answer(&mut self, effect: &Effect) -> Option<(Answer, Vec<u8>)> {
        let plain = |answer| Some((answer, Vec::new()));
        match effect {
            Effect::Fetch { url, .. } => {
                let body = match url.as_str().rsplit('/').next() {
                    Some("openid-configuration") => self.told.discovery.to_vec(),
                    Some("jwks") => self.told.jwks.to_vec(),
                    Some("token") => {
                        self.went_on = true;
                        self.told.token_response.clone()
                    }
                    _ => br#"{"sub":"248289761001"}"#.to_vec(),
                };
                let response = Response {
                    status: 200,
                    content_type: Some("application/json".into()),
                    ..Response::default()
                };
                Some((Answer::Response { response }, body))
            }
            Effect::Digest { .. } => {
                plain(Answer::Digest { value: "A".repeat(43).as_str().into() })
            }
            Effect::VerifySignature { .. } => plain(Answer::Verdict { valid: self.told.is_signed }),
            Effect::Load { key, .. } if key.contains("attempt:s") => {
                plain(Answer::Loaded { value: self.told.attempt.map(Into::into) })
            }
            Effect::Load { .. } => plain(Answer::Loaded { value: None }),
            Effect::TakeLock { .. } => plain(Answer::Granted {}),
            Effect::OpenStream { .. } => {
                let response = Response {
                    status: 200,
                    content_type: Some("text/event-stream".into()),
                    ..Response::default()
                };
                plain(Answer::Response { response })
            }
            // The page stays: nobody leads it away.
            Effect::Navigate { .. } => None,
            _ => plain(Answer::Done {}),
        }
    }
}

fn now() -> Now {
    Now { wall_ms: NOW * 1000, monotonic_ms: 1000 }
}

fn entropy(step: u8) -> Entropy {
    Entropy::new([step; Entropy::SIZE])
}

/// Whether the good messages alone sign in: without that a target would look at nothing.
pub fn good_page_signs_in() -> bool {
    Page::run(Told::good()).was_signed_in
}

/// The address that the provider sends the browser back to.
pub fn callback(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let url = format!("{APP}/?{text}");
    let page = Page::run(Told { callback: &url, ..Told::good() });
    // Only the attempt of the state `s` is in storage, and a code is needed.
    if page.went_on {
        assert!(text.contains('s') && text.contains('='), "signed in by {text}");
    }
}

/// JSON: what is read is what serde_json reads, and is written again as it was.
pub fn json(data: &[u8]) {
    let Ok(value) = json::read(data) else { return };
    match serde_json::from_slice(data) {
        Ok(other) => assert!(is_same(&value, &other), "{value:?} is not {other:?}"),
        // 1e999 is JSON, but no floating-point number; ours says "out of range" for it.
        Err(error) if error.to_string().starts_with("number out of range") => {}
        Err(error) => panic!("serde_json refuses it: {error}"),
    }
}

fn is_same(ours: &Value, other: &serde_json::Value) -> bool {
    match ours {
        Value::Null => other.is_null(),
        Value::Bool(value) => other.as_bool() == Some(*value),
        Value::Integer(value) => {
            other.as_i64() == Some(*value) || (*value == 0 && other.as_f64() == Some(0.0))
        }
        Value::String(text) => other.as_str() == Some(text),
        Value::Array(items) => other.as_array().is_some_and(|others| {
            items.len() == others.len() && items.iter().zip(others).all(|(a, b)| is_same(a, b))
        }),
        Value::Object(members) => other.as_object().is_some_and(|others| {
            members.len() == others.len()
                && members
                    .iter()
                    .all(|(name, value)| others.get(name).is_some_and(|o| is_same(value, o)))
        }),
        _ => other.is_number(),
    }
}

/// The ID token's payload, or a whole token: signed and not.
pub fn jwt(data: &[u8]) {
    let mut whole: Vec<String> = vec![id_token(data)];
    whole.extend(std::str::from_utf8(data).ok().map(str::to_owned));
    for token in whole {
        let unsigned = Told { token_response: tokens(&token), is_signed: false, ..Told::good() };
        assert!(!Page::run(unsigned).was_signed_in, "signed in without a signature");
        let page = Page::run(Told { token_response: tokens(&token), ..Told::good() });
        if page.was_signed_in {
            // Nobody is signed in by a token that lacks what makes it one.
            assert!(
                [ISSUER, NONCE, "sub", "exp", "iat"].iter().all(|part| {
                    let payload = token.split('.').nth(1).unwrap_or_default();
                    let payload = Base64UrlUnpadded::decode_vec(payload).unwrap_or_default();
                    let text = String::from_utf8_lossy(&payload).into_owned();
                    text.contains(part) || text.contains('\\')
                }),
                "signed in by {token}"
            );
        }
    }
}

/// The provider's keys.
pub fn jwks(data: &[u8]) {
    let page = Page::run(Told { jwks: data, ..Told::good() });
    assert!(!page.was_signed_in || json::read(data).is_ok(), "keys that are no JSON were used");
}

/// The provider's metadata.
pub fn discovery(data: &[u8]) {
    let page = Page::run(Told { discovery: data, ..Told::good() });
    assert!(!page.went_on || json::read(data).is_ok(), "metadata that is no JSON was used");
}

/// What the token endpoint answers.
pub fn token_response(data: &[u8]) {
    let page = Page::run(Told { token_response: data.to_vec(), ..Told::good() });
    assert!(!page.was_signed_in || json::read(data).is_ok(), "tokens that are no JSON were used");
}

/// What comes over the session-events stream, in chunks of the first byte's length.
pub fn event_stream(data: &[u8]) {
    let Some((size, rest)) = data.split_first() else { return };
    let chunks = rest.chunks(usize::from(*size).max(16)).take(64).collect();
    Page::run(Told { chunks, ..Told::good() });
}

/// The record of the attempt, as storage gives it back.
pub fn attempt(data: &[u8]) {
    let text = std::str::from_utf8(data).ok();
    let page = Page::run(Told { attempt: text, ..Told::good() });
    assert!(!page.went_on || json::read(data).is_ok(), "a record that is no JSON was used");
}

/// What other tabs say, one message a line.
pub fn broadcast(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let messages: Vec<_> = text.lines().take(16).collect();
    Page::run(Told { messages: messages.clone(), is_signed: false, callback: "", ..Told::good() });
    Page::run(Told { messages, ..Told::good() });
}

/// Facts in any order, one a line; a line that is no fact is the bytes of the next.
pub fn door(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut page = Page::new(Told::good());
    let mut bytes = Vec::new();
    for (step, line) in (0..=64).zip(text.lines()) {
        match read_fact(line) {
            Some(fact) => {
                let orders =
                    page.machine.step(now(), entropy(step), fact, &std::mem::take(&mut bytes));
                assert!(orders.len() < 64, "one fact, {} orders", orders.len());
            }
            None => bytes = line.as_bytes().to_vec(),
        }
    }
}
