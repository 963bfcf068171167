//! Lies on demand: for each kind of fault the bytes on the wire are broken as said, and nothing
//! else is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

mod common;

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use common::{Ask, Browser, FORM, PIPER, Reply, START, Tokens, World, claims, encoded, fields};
use serde_json::{Value, json};

/// The isolated issuer of a scenario.
struct Hostile<'w> {
    world: &'w World,
    name: &'static str,
}

impl World {
    fn hostile(&self, name: &'static str) -> Hostile<'_> {
        Hostile { world: self, name }
    }

    async fn verdict(&self, name: &str) -> String {
        let judged =
            self.control("GET", &format!("/scenarios/{name}/verdict"), None).await.ok_json();
        judged["verdict"].as_str().unwrap().to_owned()
    }

    async fn asked(&self, name: &str, body: Option<Value>) -> Reply {
        self.control("POST", &format!("/scenarios/{name}/asked"), body).await
    }
}

impl Hostile<'_> {
    fn path(&self, path: &str) -> String {
        format!("/s/{}{path}", self.name)
    }

    fn issuer(&self) -> String {
        format!("{}{}", self.world.issuer, self.path(""))
    }

    async fn get(&self, path: &str) -> Reply {
        self.world.get(&self.path(path)).await
    }

    /// Signs in and gives the redirect to the app.
    async fn sign_in(&self, browser: &mut Browser<'_>) -> Reply {
        let page = browser.get(&self.path(&Ask::piper().path())).await;
        if page.status == 303 {
            return page;
        }
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(
            page.body.contains(&format!("action=\"{}\"", self.path("/login"))),
            "{}",
            page.body
        );
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let form = fields::sign_in(&r, &csrf, "richard", "password");
        browser.post(&self.path("/login"), &form).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.world.send("POST", &self.path("/token"), &[FORM], Some(encoded(form))).await
    }

    async fn redeem(&self, code: &str) -> Reply {
        self.token(&fields::redemption("pied-piper", PIPER, code)).await
    }

    async fn refresh(&self, token: &str) -> Reply {
        self.token(&fields::renewal("pied-piper", token)).await
    }

    async fn tokens(&self) -> Tokens {
        let reply = self.sign_in(&mut self.world.browser()).await;
        let code = reply.param("code").unwrap_or_else(|| panic!("no code: {}", reply.location()));
        Tokens(self.redeem(&code).await.ok_json())
    }

    async fn userinfo(&self, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.world.send("GET", &self.path("/userinfo"), &headers, None).await
    }
}

/// One part of a token as its text.
fn text(token: &str, part: usize) -> String {
    let part = token.split('.').nth(part).unwrap();
    String::from_utf8(Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    common::jwt_header(token)
}

/// The names of members in which two objects differ.
fn differences(a: &Value, b: &Value) -> Vec<String> {
    let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    // These differ in any two sign-ins.
    let always = ["at_hash", "sid", "iss"];
    differ.filter(|name| !always.contains(&name.as_str())).cloned().collect()
}

/// Verifies a token with a key set, by another library than the one that signed.
fn is_signed(token: &str, jwks: &Value) -> bool {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    };
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let header = header(token);
    let keys = jwks["keys"].as_array().unwrap();
    let bytes = |key: &Value, name: &str| {
        Base64UrlUnpadded::decode_vec(key[name].as_str().unwrap()).unwrap()
    };
    keys.iter().filter(|key| key["kid"] == header["kid"]).any(|key| {
        if key["kty"] == "RSA" {
            RsaPublicKeyComponents { n: bytes(key, "n"), e: bytes(key, "e") }
                .verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature)
                .is_ok()
        } else {
            let point = [&[4][..], &bytes(key, "x"), &bytes(key, "y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(input.as_bytes(), &signature)
                .is_ok()
        }
    })
}

#[tokio::test]
async fn isolated_issuer_is_a_whole_provider_of_its_own() {
    let world = World::new().await;
    let hostile = world.hostile("oidcc-client-test");
    let document = hostile.get("/.well-known/openid-configuration").await.ok_json();
    assert_eq!(document["issuer"], hostile.issuer());
    for (name, path) in [("authorization_endpoint", "/authorize"), ("jwks_uri", "/jwks")] {
        assert_eq!(document[name], format!("{}{path}", hostile.issuer()));
    }
    let tokens = hostile.tokens().await;
    let keys = hostile.get("/jwks").await.ok_json();
    assert!(is_signed(tokens.id(), &keys));
    assert!(!is_signed(tokens.id(), &world.get("/jwks").await.ok_json()), "keys of its own");
    assert_eq!(tokens.claims()["iss"], hostile.issuer());
    assert_eq!(hostile.userinfo(tokens.access()).await.status, 200);
    assert_eq!(world.userinfo(tokens.access()).await.status, 401, "sessions of its own");
    // A browser that is signed in there is not signed in at the provider, and the other way round.
    let mut browser = world.browser();
    hostile.sign_in(&mut browser).await;
    assert!(browser.jar.keys().all(|name| name.starts_with("__Secure-")), "{:?}", browser.jar);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 200, "asked for a password");
    assert_eq!(world.get("/s/no-such-thing/jwks").await.status, 404);
    let steps = world.timeline().await;
    assert!(steps.iter().any(|step| step["issuer_of"] == "oidcc-client-test"));
}

#[tokio::test]
async fn claims_are_changed_as_said_and_nothing_else() {
    let world = World::new().await;
    let honest = world.hostile("oidcc-client-test").tokens().await.claims();
    for (name, claim, value) in [
        ("oidcc-client-test-nonce-invalid", "nonce", json!("another-nonce")),
        ("oidcc-client-test-missing-sub", "sub", Value::Null),
        ("id-token-exp-beyond-skew", "exp", json!(START - 61)),
        ("id-token-aud-stranger", "aud", json!(["pied-piper", "a-stranger"])),
        ("id-token-exp-string", "exp", json!((START + 60).to_string())),
    ] {
        let hostile = world.hostile(name);
        let tokens = hostile.tokens().await;
        assert!(is_signed(tokens.id(), &hostile.get("/jwks").await.ok_json()), "{name}");
        assert_eq!(tokens.claims().get(claim).cloned().unwrap_or_default(), value, "{name}");
        assert_eq!(differences(&honest, &tokens.claims()), [claim], "{name}");
    }
    let tokens = world.hostile("oidcc-client-test-invalid-iss").tokens().await;
    assert_eq!(tokens.claims()["iss"], "https://other.example");
    let tokens = world.hostile("oidcc-client-test-invalid-athash").tokens().await;
    assert_eq!(tokens.claims()["at_hash"], "AAAAAAAAAAAAAAAAAAAAAA");
}

#[tokio::test]
async fn what_no_library_writes_is_signed_all_the_same() {
    let world = World::new().await;
    for (name, wanted) in [
        ("id-token-exp-1e400", "\"exp\":1e400"),
        ("id-token-not-an-object", "[1,2]"),
        ("id-token-exp-fraction", ".5"),
        ("id-token-lone-surrogate", "\"\\ud800\""),
    ] {
        let hostile = world.hostile(name);
        let tokens = hostile.tokens().await;
        assert!(text(tokens.id(), 1).contains(wanted), "{name}: {}", text(tokens.id(), 1));
        assert!(is_signed(tokens.id(), &hostile.get("/jwks").await.ok_json()), "{name}");
    }
    let tokens = world.hostile("id-token-sub-twice").tokens().await;
    assert_eq!(text(tokens.id(), 1).matches("\"sub\":").count(), 2);
    let tokens = world.hostile("id-token-alg-twice").tokens().await;
    assert_eq!(text(tokens.id(), 0).matches("\"alg\":").count(), 2);
    let tokens = world.hostile("id-token-kid-huge").tokens().await;
    assert!(text(tokens.id(), 0).len() > 1_048_576);
}

#[tokio::test]
async fn signatures_are_broken_as_said() {
    let world = World::new().await;
    for (name, alg, length) in [
        ("oidcc-client-test-idtoken-sig-none", "none", 0),
        ("id-token-unsigned-honest-alg", "RS256", 0),
        ("oidcc-client-test-invalid-sig-rs256", "RS256", 256),
        ("oidcc-client-test-invalid-sig-es256", "ES256", 64),
        ("oidcc-client-test-invalid-sig-hs256", "HS256", 32),
        ("id-token-hs256-public-key", "HS256", 32),
        ("id-token-signature-truncated", "RS256", 128),
        ("id-token-signature-zero-es256", "ES256", 64),
        ("id-token-signature-foreign", "RS256", 256),
        ("fapi2-security-profile-final-client-test-invalid-alternate-alg", "RS512", 256),
    ] {
        let hostile = world.hostile(name);
        let token = hostile.tokens().await.id().to_owned();
        assert_eq!(header(&token)["alg"], alg, "{name}");
        let signature = Base64UrlUnpadded::decode_vec(token.rsplit('.').next().unwrap()).unwrap();
        assert_eq!(signature.len(), length, "{name}");
        assert!(!is_signed(&token, &hostile.get("/jwks").await.ok_json()), "{name}");
    }
    let token = world.hostile("id-token-signature-der").tokens().await.id().to_owned();
    let signature = Base64UrlUnpadded::decode_vec(token.rsplit('.').next().unwrap()).unwrap();
    assert_eq!((signature[0], usize::from(signature[1])), (0x30, signature.len() - 2));
    let token = world.hostile("id-token-jwk-header").tokens().await.id().to_owned();
    assert_eq!(header(&token)["jwk"]["kty"], "RSA");
}

#[tokio::test]
async fn keys_appear_when_a_token_was_signed_with_them() {
    let world = World::new().await;
    let hostile = world.hostile("oidcc-client-test-signing-key-rotation");
    let old = hostile.get("/jwks").await.ok_json();
    assert!(is_signed(hostile.tokens().await.id(), &old), "the first token is by the first key");
    let second = hostile.tokens().await;
    assert!(!is_signed(second.id(), &old));
    assert!(is_signed(second.id(), &hostile.get("/jwks").await.ok_json()));
}

#[tokio::test]
async fn key_sets_are_broken_as_said() {
    let world = World::new().await;
    let keys = async |name| world.hostile(name).get("/jwks").await;
    let count = |reply: &Reply| reply.json()["keys"].as_array().unwrap().len();
    assert_eq!(count(&keys("jwks-empty").await), 0);
    assert_eq!(count(&keys("jwks-ten-thousand").await), 10_002);
    assert_eq!(count(&keys("oidcc-client-test-kid-absent-single-jwks").await), 1);
    let twice = keys("jwks-kid-twice-same-kind").await.json();
    let kinds: Vec<&Value> = twice["keys"].as_array().unwrap().iter().map(|k| &k["kty"]).collect();
    assert_eq!(kinds, ["RSA", "RSA", "EC"]);
    assert!(twice["keys"].as_array().unwrap().iter().all(|key| key["kid"] == "the-same"));
    assert_eq!(keys("jwks-symmetric").await.json()["keys"][0]["kty"], "oct");
    assert!(keys("jwks-private").await.json()["keys"][0]["d"].is_string());
    let first = keys("jwks-changing").await.json();
    assert_ne!(first, keys("jwks-changing").await.json());
    assert!(keys("jwks-html").await.body.starts_with("<!doctype html>"));
    assert_eq!(keys("jwks-500").await.status, 500);
    assert!(keys("jwks-bom").await.body.starts_with('\u{feff}'));
}

#[tokio::test]
async fn documents_are_broken_as_said() {
    let world = World::new().await;
    let document = async |name| world.hostile(name).get("/.well-known/openid-configuration").await;
    let reply = document("oidcc-client-test-discovery-issuer-mismatch").await;
    assert_eq!(reply.json()["issuer"], "https://other.example");
    let reply = document("discovery-redirected").await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.location(), format!("{}/.well-known/openid-configuration", world.issuer));
    assert_eq!(document("discovery-issuer-twice").await.body.matches("\"issuer\":").count(), 2);
    assert!(document("discovery-huge").await.body.len() > 10_000_000);
    assert!(document("discovery-slow").await.json()["issuer"].is_string());
    let random = document("oidcc-client-test-discovery-jwks-uri-keys").await.json();
    assert!(random["jwks_uri"].as_str().unwrap().contains("/jwks?"));
}

#[tokio::test]
async fn answers_break_off_where_they_should() {
    let world = World::new().await;
    for name in ["discovery-cut", "discovery-lost-once"] {
        let url = format!("{}/s/{name}/.well-known/openid-configuration", world.base);
        let read = async || reqwest::get(&url).await?.bytes().await;
        assert!(read().await.is_err(), "{name}");
    }
    let again = world.hostile("discovery-lost-once").get("/.well-known/openid-configuration").await;
    assert_eq!(again.status, 200, "the second try is an honest one");
    let url = format!("{}/s/discovery-endless/.well-known/openid-configuration", world.base);
    let mut response = reqwest::get(&url).await.unwrap();
    let mut got = 0;
    while got < 1_000_000 {
        got += response.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn token_responses_are_broken_as_said() {
    let world = World::new().await;
    let answer = async |name| {
        let hostile = world.hostile(name);
        let code = hostile.sign_in(&mut world.browser()).await.param("code").unwrap();
        hostile.redeem(&code).await
    };
    let reply = answer("token-response-error-200").await;
    assert_eq!((reply.status, reply.error().as_str()), (200, "invalid_grant"));
    let reply = answer("token-response-307").await;
    assert_eq!(reply.status, 307);
    let reply = answer("token-response-token-type-mac").await.ok_json();
    assert_eq!(reply["token_type"], "mac");
    assert!(reply["access_token"].is_string() && reply["id_token"].is_string());
    let reply = answer(
        "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
    )
    .await
    .ok_json();
    assert_eq!(reply.get("expires_in"), None);
    assert!(answer("token-response-expires-in-1e400").await.body.contains("\"expires_in\":1e400"));
}

#[tokio::test]
async fn authorization_responses_are_broken_as_said() {
    let world = World::new().await;
    let back = async |name| {
        let reply = world.hostile(name).sign_in(&mut world.browser()).await;
        let location = url::Url::parse(&reply.location()).unwrap();
        assert!(location.as_str().starts_with(PIPER), "{location}");
        location.query_pairs().into_owned().collect::<Vec<(String, String)>>()
    };
    let names =
        |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let pairs =
        back("fapi2-security-profile-final-client-test-remove-authorization-response-iss").await;
    assert_eq!(names(&pairs), ["code", "state", "session_state"]);
    let pairs = back("authorization-response-iss-twice").await;
    assert_eq!(names(&pairs), ["code", "state", "iss", "session_state", "iss"]);
    assert_eq!(pairs[4].1, "https://other.example");
    let pairs = back("authorization-response-code-twice").await;
    assert_eq!(names(&pairs), ["code", "state", "iss", "session_state", "code"]);
    let pairs = back("authorization-response-error-script").await;
    assert_eq!(names(&pairs), ["state", "iss", "error", "error_description"]);
    assert_eq!(pairs[0].1, "the-state");
    assert!(pairs[3].1.contains("<script>"));
}

/// No answer comes, and the next one does: whoever stops waiting can sign in.
#[tokio::test]
async fn silent_provider_answers_who_asks_again() {
    let world = World::new().await;
    let hostile = world.hostile("authorization-response-silent");
    let mut browser = world.browser();
    assert!(hostile.sign_in(&mut browser).await.param("code").is_some());
    let path = hostile.path(&Ask::piper().path());
    tokio::select! {
        reply = browser.get(&path) => panic!("an answer came: {}", reply.status),
        () = told(&world, hostile.name) => {}
    }
    assert!(hostile.sign_in(&mut browser).await.param("code").is_some());
    let hostile = world.hostile("token-response-silent");
    let code = hostile.sign_in(&mut world.browser()).await.param("code").unwrap();
    tokio::select! {
        reply = hostile.redeem(&code) => panic!("an answer came: {}", reply.status),
        () = told(&world, hostile.name) => {}
    }
}

/// Waits until a lie was told.
async fn told(world: &World, name: &str) {
    loop {
        let path = format!("/scenarios/{name}/verdict");
        if world.control("GET", &path, None).await.ok_json()["told"] != 0 {
            return;
        }
    }
}

/// Nobody can see that a code is somebody else's before the provider says so.
#[tokio::test]
async fn code_of_another_is_refused_by_the_provider_and_presenting_it_is_no_fault() {
    let world = World::new().await;
    let hostile = world.hostile("authorization-response-code-of-another");
    let code = hostile.sign_in(&mut world.browser()).await.param("code").unwrap();
    assert_eq!(hostile.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(world.verdict(hostile.name).await, "still waiting");
    let judged = world.asked(hostile.name, None).await.ok_json();
    assert_eq!((&judged["verdict"], &judged["as_expected"]), (&json!("refused"), &json!(true)));
    let said = json!({ "said": "accepted" });
    assert_eq!(world.asked(hostile.name, Some(said)).await.ok_json()["verdict"], "accepted");
}

#[tokio::test]
async fn op1_nobody_is_sent_to_an_address_that_is_not_registered() {
    let world = World::new().await;
    let ask = Ask::piper().set("redirect_uri", "https://evil.example/");
    for name in ["authorization-response-error", "authorization-response-iss-twice"] {
        let reply = world.get(&world.hostile(name).path(&ask.path())).await;
        reply.assert_error_page(name);
    }
}

#[tokio::test]
async fn refreshed_tokens_are_broken_and_the_first_ones_are_not() {
    let world = World::new().await;
    let hostile = world.hostile("oidcc-client-test-refresh-token-invalid-sub");
    let first = hostile.tokens().await;
    assert_ne!(first.claims()["sub"], "somebody-else");
    let second = Tokens(hostile.refresh(first.refresh()).await.ok_json());
    assert_eq!(second.claims()["sub"], "somebody-else");
    assert_eq!(
        differences(&first.claims(), &second.claims()),
        ["nonce", "sub"],
        "a refreshed token has no nonce"
    );
}

#[tokio::test]
async fn userinfo_is_broken_as_said() {
    let world = World::new().await;
    let hostile = world.hostile("oidcc-client-test-userinfo-invalid-sub");
    let tokens = hostile.tokens().await;
    let user = hostile.userinfo(tokens.access()).await.ok_json();
    assert_eq!(
        (&user["sub"], &user["name"]),
        (&json!("somebody-else"), &json!("Richard Hendricks"))
    );
}

#[tokio::test]
async fn logout_tokens_are_broken_as_said_and_the_session_goes_on() {
    let world = World::new().await;
    let hostile = world.hostile("oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce");
    let tokens = hostile.tokens().await;
    let mut events = world.events_at(&hostile.path("/session_events"), tokens.access()).await;
    assert_eq!(events.next().await.unwrap().event, "open");
    let path = format!("/scenarios/{}/logout_token", hostile.name);
    assert_eq!(world.control("POST", &path, None).await.ok_json()["streams"], 1);
    let event = events.next().await.unwrap();
    assert_eq!(event.event, "logout");
    assert_eq!(claims(&event.data)["nonce"], "a-nonce");
    assert!(is_signed(&event.data, &hostile.get("/jwks").await.ok_json()));
    assert_eq!(world.verdict(hostile.name).await, "still waiting");
    assert_eq!(hostile.userinfo(tokens.access()).await.status, 200);
    assert_eq!(world.verdict(hostile.name).await, "refused");
}

#[tokio::test]
async fn verdict_follows_what_the_client_does() {
    let world = World::new().await;
    let name = "oidcc-client-test-nonce-invalid";
    assert_eq!(world.verdict(name).await, "still waiting");
    assert_eq!(world.asked(name, None).await.status, 409, "nothing was told yet");
    let hostile = world.hostile(name);
    let tokens = hostile.tokens().await;
    assert_eq!(world.verdict(name).await, "still waiting");
    assert_eq!(world.asked(name, None).await.ok_json()["verdict"], "refused");
    hostile.userinfo(tokens.access()).await;
    assert_eq!(world.verdict(name).await, "accepted");
    assert_eq!(world.last_step("scenario.broke").await["received"]["scenario"], name);
    assert_eq!(world.last_step("scenario.accepted").await["client_id"], "pied-piper");
    // Forgotten, and refused by word.
    assert_eq!(world.control("DELETE", &format!("/scenarios/{name}"), None).await.status, 204);
    assert_eq!(world.verdict(name).await, "still waiting");
    hostile.tokens().await;
    let said = json!({ "said": "refused", "code": "nonce_invalid" });
    let judged = world.asked(name, Some(said)).await.ok_json();
    assert_eq!((&judged["verdict"], &judged["as_expected"]), (&json!("refused"), &json!(true)));
}

#[tokio::test]
async fn op27_code_of_a_mix_up_is_seen_at_the_hostile_provider() {
    let world = World::new().await;
    let hostile = world.hostile("mix-up");
    let mut browser = world.browser();
    let reply = browser.get(&hostile.path(&Ask::piper().path())).await;
    assert!(reply.location().starts_with(&format!("{}/authorize?", world.issuer)));
    let path = reply.location().replace(&world.issuer, "");
    let page = browser.get(&path).await;
    let reply = browser.sign_in_at(&page, "richard", "password").await;
    assert_eq!(reply.param("iss").as_deref(), Some(world.issuer.as_str()));
    assert_eq!(world.verdict("mix-up").await, "still waiting");
    hostile.redeem(&reply.param("code").unwrap()).await;
    assert_eq!(world.verdict("mix-up").await, "accepted");
}

#[tokio::test]
async fn scenario_is_switched_on_for_a_client_and_for_some_requests() {
    let world = World::new().await;
    let path = "/scenarios/oidcc-client-test-missing-sub";
    let asked = json!({ "client_id": "pied-piper", "requests": 1 });
    let shown = world.control("POST", path, Some(asked)).await.ok_json();
    assert_eq!(shown["switched_on"][0]["requests_left"], 1);
    let mut browser = world.browser();
    assert!(browser.hooli("richard").await.claims()["sub"].is_string(), "not for this client");
    assert_eq!(browser.piper("richard").await.claims().get("sub"), None);
    assert!(browser.piper("richard").await.claims()["sub"].is_string(), "one only");
    // For good, for everybody, until it is switched off.
    assert_eq!(world.control("POST", path, None).await.status, 200);
    for _ in 0..2 {
        assert_eq!(browser.piper("richard").await.claims().get("sub"), None);
    }
    assert_eq!(browser.hooli("richard").await.claims().get("sub"), None);
    world.control("DELETE", path, None).await;
    assert!(browser.piper("richard").await.claims()["sub"].is_string());
    for (path, body, status) in [
        ("/scenarios/nothing", None, 404),
        (path, Some(json!({ "client_id": "nobody" })), 400),
        (path, Some(json!({ "requests": 0 })), 400),
        (path, Some(json!({ "unknown": 0 })), 400),
        // Token and key set go together: one answer alone would use up the number.
        ("/scenarios/id-token-es384", Some(json!({ "requests": 1 })), 400),
    ] {
        assert_eq!(world.control("POST", path, body).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn lie_for_a_client_runs_out_when_nobody_says_who_asks() {
    let world = World::new().await;
    let asked = json!({ "client_id": "pied-piper", "requests": 1 });
    world.control("POST", "/scenarios/discovery-issuer-slash", Some(asked)).await.ok_json();
    let issuer =
        async || world.get("/.well-known/openid-configuration").await.json()["issuer"].clone();
    // No `Origin`: a server or a person at a terminal.
    assert_eq!(issuer().await, format!("{}/", world.issuer));
    assert_eq!(issuer().await, world.issuer);
}

#[tokio::test]
async fn lie_that_is_switched_on_twice_is_told_once() {
    let world = World::new().await;
    let path = "/scenarios/authorization-response-iss-twice";
    world.control("POST", path, Some(json!({ "client_id": "pied-piper" }))).await.ok_json();
    world.control("POST", path, None).await.ok_json();
    let reply = world.browser().sign_in(&Ask::piper(), "richard").await;
    assert_eq!(reply.location().matches("iss=").count(), 2, "{}", reply.location());
    let steps = world.step_names().await;
    assert_eq!(steps.iter().filter(|step| *step == "scenario.broke").count(), 1);
}

/// OP30, OP20: a page whose name was made to resolve to loopback learns nothing there either.
#[tokio::test]
async fn op30_below_the_issuers_of_scenarios_too_hosts_are_checked_and_headers_are_there() {
    let world = World::new().await;
    for name in ["no-such-thing", "oidcc-client-test"] {
        let path = format!("/s/{name}/jwks");
        let reply = world.send("GET", &path, &[("host", "evil.example")], None).await;
        assert_eq!((reply.status, reply.error().as_str()), (421, "wrong_host"), "{name}");
        let reply = world.get(&path).await;
        assert_eq!(reply.header("x-idp-dev"), "not-for-production", "{name}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(reply.all("date").len(), 1, "{name}");
    }
}

#[tokio::test]
async fn scenario_is_switched_on_by_the_configuration() {
    let lies = "\n[[scenarios]]\nname = \"oidcc-client-test-missing-sub\"\nclient = \"hooli\"\n";
    let world = World::with(|text| text + lies).await;
    let mut browser = world.browser();
    assert!(browser.piper("richard").await.claims()["sub"].is_string());
    assert_eq!(browser.hooli("richard").await.claims().get("sub"), None);
    world.control("POST", "/reset", None).await;
    let mut browser = world.browser();
    assert_eq!(browser.hooli("richard").await.claims().get("sub"), None, "a reset is a new start");
    for wrong in [
        "name = \"nothing\"",
        "name = \"mix-up\"\nclient = \"nobody\"",
        "name = \"mix-up\"\nrequests = 0",
        "name = \"id-token-es384\"\nrequests = 1",
    ] {
        let text = format!("{}\n[[scenarios]]\n{wrong}\n", idp_dev::Config::EXAMPLE);
        assert_eq!(idp_dev::Config::parse("idp.toml", &text).unwrap_err().code, "config_value");
    }
}

#[tokio::test]
async fn scenarios_are_listed_by_both_names() {
    let world = World::new().await;
    let all = world.control("GET", "/scenarios", None).await.ok_json();
    assert_eq!(all, world.control("GET", "/control/scenarios", None).await.ok_json());
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), idp_dev::scenarios().len());
    let one = all.iter().find(|one| one["name"] == "mix-up").unwrap();
    assert_eq!(one["outcome"], "reject");
    assert_eq!(one["issuer"], format!("{}/s/mix-up", world.issuer));
    let anonymous = world.control_raw("/control/scenarios", &[]).await;
    assert_eq!(anonymous.status, 401);
}

/// Whatever is told, the provider does not fail over it.
#[tokio::test]
async fn every_scenario_can_be_told() {
    let world = World::new().await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    for scenario in idp_dev::scenarios() {
        if scenario.outcome == idp_dev::Outcome::NotApplicable || scenario.name.contains("endless")
        {
            continue;
        }
        let base = format!("{}/s/{}", world.base, scenario.name);
        let mut paths = vec!["/.well-known/openid-configuration"];
        paths.extend(scenario.name.starts_with("jwks").then_some("/jwks"));
        for path in paths {
            // One breaks off before anything comes.
            let Ok(reply) = http.get(format!("{base}{path}")).send().await else {
                assert!(scenario.name.contains("lost"), "{}", scenario.name);
                continue;
            };
            let is_error = scenario.name.ends_with("500") || scenario.name.ends_with("404");
            assert!(reply.status().as_u16() < 400 || is_error, "{}: {path}", scenario.name);
        }
    }
}
