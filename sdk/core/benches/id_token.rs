//! What the verification of an ID token costs natively: `cargo xtask bench verify` starts this and
//! puts what it prints beside what others take for the same token.
//!
//!     id_token RS256|ES256 BATCHES
//!
//! Measured by the client's one door: refreshes that bring an ID token, less as many that bring
//! none. So it is the whole path, from JSON to the last rule and `at_hash`, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code,
    unreachable_pub
)]

#[path = "../tests/world/keys.rs"]
mod keys;

use std::{collections::VecDeque, time::Instant};

use gatepass_core::{
    base64url::{decode, encode},
    config::Config,
    entropy::Entropy,
    machine::Machine,
    time::Now,
    wire::{Answer, Command, Effect, Fact, OnLoad, Order, Outcome, Response},
};
use keys::Key;
use serde_json::{Value, json};

const ISSUER: &str = "https://idp.example";
const APP: &str = "https://app.example";
const CLIENT: &str = "app";
const ACCESS_TOKEN: &str = "vF9dft4qmTcXkZ26zL8b6u";
const NONCE: &str = "n-0S6_WzA2Mj";
/// 2026-01-01T00:00:00Z, and a time that no clock of today is behind: other libraries ask it.
const NOW: i64 = 1_767_225_600;
const EXPIRES: i64 = 4_102_444_800;
/// How many refreshes are timed together: one alone takes no longer than a look at the clock may.
const BATCH: u32 = 20;

/// Who checks signatures and makes hashes.
#[derive(Clone, Copy)]
enum Crypto {
    /// What the client takes natively.
    JwtCompact,
    /// What an app may take instead.
    AwsLc,
}

impl Crypto {
    fn answer(self, algorithm: &str, key: &str, input: &str, signature: &str) -> Answer {
        match self {
            Self::AwsLc => keys::verify(algorithm, key, input, signature),
            Self::JwtCompact => {
                let signature = decode(signature).unwrap();
                let input = input.as_bytes();
                let valid = gatepass_verifier::verify(algorithm, key, input, &signature);
                Answer::Verdict { valid: valid.unwrap() }
            }
        }
    }
}

/// A page that is signed in.
struct Page {
    machine: Machine,
    crypto: Crypto,
    facts: VecDeque<(Fact, Vec<u8>)>,
    jwks: Vec<u8>,
    with_id_token: Vec<u8>,
    without: Vec<u8>,
    brings_id_token: bool,
    commands: u32,
    tokens: u32,
    verdicts: u32,
}

impl Page {
    fn sign_in(crypto: Crypto, key: &Key, token: &str) -> Self {
        let config = Config {
            issuer: ISSUER.into(),
            client_id: CLIENT.into(),
            redirect_uri: format!("{APP}/").into(),
            post_logout_redirect_uri: format!("{APP}/").into(),
            origin: APP.into(),
            ..Config::default()
        };
        let mut tokens = json!({
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": "8xLOxBtZp8",
        });
        let without = tokens.to_string().into_bytes();
        tokens["id_token"] = json!(token);
        let mut page = Self {
            machine: Machine::new(config).unwrap(),
            crypto,
            facts: VecDeque::new(),
            jwks: json!({ "keys": [key.jwk()] }).to_string().into_bytes(),
            with_id_token: tokens.to_string().into_bytes(),
            without,
            brings_id_token: true,
            commands: 0,
            tokens: 0,
            verdicts: 0,
        };
        page.command(Command::Resume {
            callback: Some(format!("{APP}/?code=c&state=s&iss={ISSUER}").as_str().into()),
            here: "/".into(),
            on_load: OnLoad::Manual,
        });
        assert_eq!(page.verdicts, 1, "the sign-in brought an ID token");
        page
    }

    fn refresh(&mut self) {
        let (tokens, verdicts) = (self.tokens, self.verdicts);
        self.command(Command::GetToken {
            min_ttl: Some(100_000),
            origin: None,
            refused: None,
            resource: None,
            scope: None,
        });
        assert_eq!(self.tokens, tokens + 1, "a token came");
        assert_eq!(self.verdicts, verdicts + u32::from(self.brings_id_token));
    }

    fn command(&mut self, command: Command) {
        self.commands += 1;
        self.facts.push_back((Fact::Command { id: self.commands, command }, Vec::new()));
        let now = Now { wall_ms: NOW * 1000, monotonic_ms: 1000 };
        while let Some((fact, bytes)) = self.facts.pop_front() {
            let fresh = Entropy::new([7; Entropy::SIZE]);
            for order in self.machine.step(now, fresh, fact, &bytes) {
                self.obey(order);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Completed { outcome: Outcome::Token { .. }, .. } => self.tokens += 1,
            Order::Completed { outcome: Outcome::Failed { error }, .. } => panic!("{error:?}"),
            Order::Effect { id, effect } => {
                if let Some((answer, bytes)) = self.answer(effect) {
                    self.facts.push_back((Fact::Answer { effect: id, answer }, bytes));
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, effect: Effect) -> Option<(Answer, Vec<u8>)> {
        let plain = |answer| Some((answer, Vec::new()));
        match effect {
            Effect::Fetch { url, .. } => {
                let body = match url.as_str().rsplit('/').next() {
                    Some("openid-configuration") => metadata(),
                    Some("jwks") => self.jwks.clone(),
                    Some("token") if self.brings_id_token => self.with_id_token.clone(),
                    Some("token") => self.without.clone(),
                    other => panic!("{other:?} was asked for"),
                };
                let response = Response { status: 200, ..Response::default() };
                Some((Answer::Response { response }, body))
            }
            Effect::VerifySignature { algorithm, key, input, signature } => {
                self.verdicts += 1;
                plain(self.crypto.answer(algorithm, &key.0, &input.0, &signature))
            }
            Effect::Digest { algorithm, text } => {
                let hash = match self.crypto {
                    Crypto::AwsLc => keys::hash(algorithm, &text.0),
                    Crypto::JwtCompact => {
                        gatepass_verifier::digest(algorithm, text.0.as_bytes()).unwrap()
                    }
                };
                plain(Answer::Digest { value: encode(&hash).as_str().into() })
            }
            Effect::Load { key, .. } if key.contains("attempt:s") => {
                plain(Answer::Loaded { value: Some(attempt().as_str().into()) })
            }
            Effect::Load { .. } => plain(Answer::Loaded { value: None }),
            Effect::TakeLock { .. } => plain(Answer::Granted {}),
            // The stream that waits costs nothing.
            Effect::OpenStream { .. } | Effect::Navigate { .. } => None,
            _ => plain(Answer::Done {}),
        }
    }
}

fn metadata() -> Vec<u8> {
    let at = |path: &str| format!("{ISSUER}/{path}");
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
    })
    .to_string()
    .into_bytes()
}

fn attempt() -> String {
    json!({
        "version": 1,
        "client": format!("gatepass:1:{ISSUER}#{CLIENT}"),
        "expires_at": NOW + 3600,
        "kind": "sign_in",
        "nonce": NONCE,
        "code_verifier": "v".repeat(43),
    })
    .to_string()
}

/// What a provider puts into an ID token.
fn id_token(key: &Key) -> String {
    let header = json!({ "alg": key.algorithm, "kid": key.id, "typ": "JWT" });
    let claims = json!({
        "iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "exp": EXPIRES, "iat": NOW,
        "auth_time": NOW, "nonce": NONCE, "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
        "at_hash": keys::at_hash(key.algorithm, ACCESS_TOKEN), "name": "Richard Hendricks",
        "email": "richard@piedpiper.example", "email_verified": true,
    });
    let part = |part: &Value| encode(part.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(&claims));
    format!("{input}.{}", encode(&key.sign(&input)))
}

/// Microseconds for each run of a batch.
fn time(mut run: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..BATCH {
        run();
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let algorithm = match words.next().as_deref() {
        Some("RS256") => "RS256",
        Some("ES256") => "ES256",
        _ => return eprintln!("usage: id_token RS256|ES256 BATCHES"),
    };
    let batches: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(10);
    let key = Key::new("1", algorithm);
    let token = id_token(&key);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let public = key.jwk().to_string();
    let mut measured = json!({
        "issuer": ISSUER, "audience": CLIENT, "key": key.jwk(), "token": token,
    });
    for (name, crypto) in [("jwt-compact", Crypto::JwtCompact), ("aws-lc-rs", Crypto::AwsLc)] {
        let mut page = Page::sign_in(crypto, &key, &token);
        let (mut whole, mut signature_alone) = (Vec::new(), Vec::new());
        // The first batch fills the processor's caches and is not counted.
        for batch in 0..=batches {
            let mut took = |brings_id_token| {
                page.brings_id_token = brings_id_token;
                time(|| page.refresh())
            };
            let verification = took(true) - took(false);
            let alone = time(|| {
                let answer = crypto.answer(algorithm, &public, input, signature);
                assert_eq!(answer, Answer::Verdict { valid: true });
            });
            if batch > 0 {
                whole.push(verification);
                signature_alone.push(alone);
            }
        }
        measured[name] = json!({ "whole": whole, "signature": signature_alone });
    }
    println!("{measured}");
}
