//! The ID token, by every rule of OIDC Core 3.1.3.7: the message that is accepted, and its nearest
//! neighbours that are not. Signatures are real.

use gatepass_core::{
    error::Code,
    wire::{Command, OnLoad, Status},
};
use serde_json::{Value, json};

use crate::world::{
    BEGIN_MS, CLIENT, Endpoint, ISSUER, Page, World, page::sign_in_to, provider::Provider,
    token::Draft,
};

const NOW: i64 = BEGIN_MS / 1000;

/// A sign-in whose ID token is changed on the way.
pub fn arrive(change: impl FnMut(&mut Draft) + 'static) -> Page {
    arrive_at(|_| {}, sign_in_to("/"), change)
}

pub fn arrive_at(
    prepare: impl FnOnce(&mut Provider),
    wish: Command,
    change: impl FnMut(&mut Draft) + 'static,
) -> Page {
    let world = World::new();
    prepare(&mut world.provider());
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().next_id_token(change);
    page.run(wish);
    page
}

#[track_caller]
pub fn accepts(change: impl FnMut(&mut Draft) + 'static) {
    arrive(change).expect_status(Status::Authenticated);
}

#[track_caller]
pub fn refuses(code: Code, change: impl FnMut(&mut Draft) + 'static) {
    let page = arrive(change);
    page.expect_refused(code);
    assert_eq!(page.world.count(Endpoint::UserInfo), 0, "nothing more is asked");
    assert_eq!(page.world.count(Endpoint::Token), 1);
}

/// The claim is missing, empty, of every wrong type, or there twice.
#[track_caller]
fn refuses_misshapen(name: &'static str, code: Code) {
    refuses(code, move |token| token.claim(name, Value::Null));
    refuses_misshapen_if_present(name, code);
}

#[track_caller]
fn refuses_misshapen_if_present(name: &'static str, code: Code) {
    for value in [json!(""), json!(true), json!({}), json!({ "a": 1 }), json!([1]), json!([[]])] {
        refuses(code, move |token| token.claim(name, value.clone()));
    }
    refuses(code, move |token| {
        let member = format!("{}:", Value::String(name.into()));
        token.claim(name, json!("taken away"));
        let text = Value::Object(token.claims.clone()).to_string();
        token.claims_text =
            Some(text.replace(&format!("{member}\"taken away\""), &format!("{member}null")));
    });
    refuses(Code::TokenMalformed, move |token| {
        let same = token.claims.get(name).cloned().unwrap_or_else(|| json!("x"));
        token.claim(name, same.clone());
        token.duplicate(name, &same);
    });
}

#[test]
fn oidcc_client_test_accepts_the_good_token_and_shows_what_was_compared() {
    let page = arrive(|_| {});
    page.expect_status(Status::Authenticated);
    let rules: Vec<String> = page.checks().into_iter().map(|check| check.rule).collect();
    let number = |n: &str| format!("OIDC Core 3.1.3.7 ({n})");
    for rule in ["2", "3", "6", "7", "9", "10", "11"] {
        assert!(rules.contains(&number(rule)), "{rule} in {rules:?}");
    }
    assert!(rules.contains(&"OIDC Core 3.1.3.8".into()));
    let audience = page.checks().into_iter().find(|check| check.name == "aud").unwrap();
    assert_eq!((audience.expected.as_str(), audience.found.as_str()), (CLIENT, CLIENT));
}

#[test]
fn oidcc_client_test_invalid_iss() {
    refuses_misshapen("iss", Code::ClaimInvalid);
    refuses(Code::ClaimInvalid, |token| token.claim("iss", json!(7)));
    for other in [
        format!("{ISSUER}/"),
        ISSUER.replace("https", "http"),
        ISSUER.to_uppercase(),
        format!("{ISSUER}:443"),
        format!("{ISSUER}:8443"),
        format!("{ISSUER}.evil.example"),
        format!("{ISSUER}/realm"),
        format!(" {ISSUER}"),
        "idp.example".into(),
    ] {
        refuses(Code::IssInvalid, move |token| token.claim("iss", json!(other)));
    }
}

#[test]
fn oidcc_client_test_invalid_aud() {
    refuses(Code::ClaimInvalid, |token| token.claim("aud", Value::Null));
    for value in [json!(7), json!({}), json!([7]), json!([CLIENT, 7]), json!(true)] {
        refuses(Code::ClaimInvalid, move |token| token.claim("aud", value.clone()));
    }
    for value in [
        json!(""),
        json!([]),
        json!([""]),
        json!("hooli"),
        json!(["hooli"]),
        json!("Pied-Piper"),
        json!("pied-piper "),
        json!("pied-piper hooli"),
        json!("pied"),
    ] {
        refuses(Code::AudInvalid, move |token| token.claim("aud", value.clone()));
    }
    refuses(Code::TokenMalformed, |token| token.duplicate("aud", &json!(CLIENT)));
}

#[test]
fn fapi2_valid_aud_as_array_and_invalid_secondary_aud() {
    accepts(|token| token.claim("aud", json!([CLIENT])));
    refuses(Code::AudInvalid, |token| token.claim("aud", json!([CLIENT, "hooli"])));
    refuses(Code::AudInvalid, |token| token.claim("aud", json!(["hooli", CLIENT])));
    // Not even with `azp`: nobody else is trusted.
    refuses(Code::AudInvalid, |token| {
        token.claim("aud", json!([CLIENT, "hooli"]));
        token.claim("azp", json!(CLIENT));
    });
}

#[test]
fn rp9_azp_if_present_is_this_client() {
    accepts(|token| token.claim("azp", json!(CLIENT)));
    refuses(Code::AzpInvalid, |token| token.claim("azp", json!("hooli")));
    refuses(Code::AzpInvalid, |token| token.claim("azp", json!("Pied-Piper")));
    refuses(Code::ClaimInvalid, |token| token.claim("azp", json!(7)));
    refuses_misshapen_if_present("azp", Code::ClaimInvalid);
}

#[test]
fn oidcc_client_test_missing_sub() {
    refuses_misshapen("sub", Code::ClaimInvalid);
    refuses(Code::ClaimInvalid, |token| token.claim("sub", json!(7)));
    accepts(|token| token.claim("sub", json!("x".repeat(255))));
    refuses(Code::ClaimInvalid, |token| token.claim("sub", json!("x".repeat(256))));
    refuses(Code::ClaimInvalid, |token| token.claim("sub", json!("r\u{ef}chard")));
}

#[test]
fn rp15_exp_with_a_minute_of_skew() {
    accepts(|token| token.claim("exp", json!(NOW - 59)));
    refuses(Code::ExpInvalid, |token| token.claim("exp", json!(NOW - 60)));
    refuses(Code::ExpInvalid, |token| token.claim("exp", json!(NOW - 61)));
    refuses(Code::ExpInvalid, |token| token.claim("exp", json!(0)));
    accepts(|token| token.claim("exp", json!(9_007_199_254_740_991_i64)));
    accepts(|token| token.claim("exp", json!(1_800_000_000.5)));
    for value in [json!(-1), json!("1800000000"), json!(9_007_199_254_740_992_i64), json!(1e20)] {
        refuses(Code::ClaimInvalid, move |token| token.claim("exp", value.clone()));
    }
    refuses_misshapen("exp", Code::ClaimInvalid);
}

#[test]
fn oidcc_client_test_missing_iat() {
    refuses_misshapen("iat", Code::ClaimInvalid);
    accepts(|token| token.claim("iat", json!(NOW + 60)));
    refuses(Code::IatInvalid, |token| token.claim("iat", json!(NOW + 61)));
    // As long ago as a sign-in may take, and the skew.
    accepts(|token| token.claim("iat", json!(NOW - 3660)));
    refuses(Code::IatInvalid, |token| token.claim("iat", json!(NOW - 3661)));
    refuses(Code::IatInvalid, |token| token.claim("iat", json!(NOW - 31_536_000)));
    for value in [json!(-1), json!("1700000000"), json!(1e20)] {
        refuses(Code::ClaimInvalid, move |token| token.claim("iat", value.clone()));
    }
}

#[test]
fn rp15_nbf_if_present_has_come() {
    accepts(|token| token.claim("nbf", json!(NOW)));
    accepts(|token| token.claim("nbf", json!(NOW + 60)));
    refuses(Code::IatInvalid, |token| token.claim("nbf", json!(NOW + 61)));
    refuses_misshapen_if_present("nbf", Code::ClaimInvalid);
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    refuses(Code::NonceInvalid, |token| token.claim("nonce", Value::Null));
    refuses(Code::NonceInvalid, |token| token.claim("nonce", json!("another")));
    refuses(Code::NonceInvalid, |token| {
        let nonce = token.claims["nonce"].as_str().unwrap().to_lowercase();
        token.claim("nonce", json!(nonce));
    });
    refuses(Code::NonceInvalid, |token| {
        let nonce = format!("{} ", token.claims["nonce"].as_str().unwrap());
        token.claim("nonce", json!(nonce));
    });
    refuses(Code::ClaimInvalid, |token| token.claim("nonce", json!(7)));
    refuses_misshapen_if_present("nonce", Code::ClaimInvalid);
}

fn at_level(levels: &str) -> Command {
    let Command::SignIn { return_to, .. } = sign_in_to("/") else { unreachable!() };
    Command::SignIn {
        mode: None,
        return_to,
        prompt: None,
        login_hint: None,
        acr_values: Some(levels.into()),
        max_age: None,
        ui_locales: None,
    }
}

#[test]
fn acr_if_asked_for_is_one_of_the_levels() {
    let with = |acr: Value| {
        arrive_at(|_| {}, at_level("2 3"), move |token| token.claim("acr", acr.clone()))
    };
    with(json!("2")).expect_status(Status::Authenticated);
    with(json!("3")).expect_status(Status::Authenticated);
    for acr in [json!("1"), json!("2 3"), json!("23"), Value::Null] {
        with(acr).expect_refused(Code::AcrInvalid);
    }
    for acr in [json!(2), json!(""), json!(["2"])] {
        with(acr).expect_refused(Code::ClaimInvalid);
    }
}

#[test]
fn acr_values_that_name_no_level_ask_for_none() {
    for levels in ["", " ", "   "] {
        let page = arrive_at(|_| {}, at_level(levels), |_| {});
        page.expect_status(Status::Authenticated);
        assert_eq!(page.world.last_visit().get("acr_values"), None);
    }
}

fn with_max_age(max_age: i64) -> Command {
    let Command::SignIn { return_to, .. } = sign_in_to("/") else { unreachable!() };
    Command::SignIn {
        mode: None,
        return_to,
        prompt: None,
        login_hint: None,
        acr_values: None,
        max_age: Some(max_age),
        ui_locales: None,
    }
}

#[test]
fn auth_time_if_asked_for_is_recent_enough() {
    let with = |max_age: i64, auth_time: Value| {
        arrive_at(
            |_| {},
            with_max_age(max_age),
            move |token| {
                token.claim("auth_time", auth_time.clone());
            },
        )
    };
    for max_age in [0, 1, 300] {
        let limit = NOW - max_age - 60;
        with(max_age, json!(limit + 1)).expect_status(Status::Authenticated);
        with(max_age, json!(limit)).expect_status(Status::Authenticated);
        with(max_age, json!(limit - 1)).expect_refused(Code::AuthTimeInvalid);
        // Nobody signed in in the future: such a time would be recent for ever.
        with(max_age, json!(NOW + 60)).expect_status(Status::Authenticated);
        with(max_age, json!(NOW + 61)).expect_refused(Code::AuthTimeInvalid);
    }
    for value in [Value::Null, json!(""), json!("1767225600"), json!(-1), json!([])] {
        with(300, value).expect_refused(Code::AuthTimeInvalid);
    }
    assert_eq!(
        with(300, json!(NOW)).world.last_visit().get("max_age").map(String::as_str),
        Some("300")
    );
}

#[test]
fn auth_time_that_nobody_asked_for_must_be_a_time() {
    accepts(|token| token.claim("auth_time", Value::Null));
    accepts(|token| token.claim("auth_time", json!(1)));
    for value in [json!("1767225600"), json!(-1), json!([]), json!(true)] {
        refuses(Code::ClaimInvalid, move |token| token.claim("auth_time", value.clone()));
    }
}

#[test]
fn rp9_at_hash_fits_the_access_token() {
    accepts(|token| token.claim("at_hash", Value::Null));
    refuses(Code::AtHashInvalid, |token| token.claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")));
    refuses(Code::AtHashInvalid, |token| {
        let hash = token.claims["at_hash"].as_str().unwrap();
        let shorter = json!(hash[..hash.len() - 1]);
        token.claim("at_hash", shorter);
    });
    refuses(Code::AtHashInvalid, |token| {
        let hash = json!(format!("{}=", token.claims["at_hash"].as_str().unwrap()));
        token.claim("at_hash", hash);
    });
    refuses(Code::ClaimInvalid, |token| token.claim("at_hash", json!(7)));
    refuses_misshapen_if_present("at_hash", Code::ClaimInvalid);
}

#[test]
fn rp9_another_access_token_than_the_one_that_was_signed_for() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().once(Endpoint::Token, |reply| reply.member("access_token", json!("stolen")));
    page.sign_in();
    page.expect_refused(Code::AtHashInvalid);
}

#[test]
fn sid_if_present_is_a_text() {
    accepts(|token| token.claim("sid", Value::Null));
    refuses(Code::ClaimInvalid, |token| token.claim("sid", json!(7)));
    refuses_misshapen_if_present("sid", Code::ClaimInvalid);
}

#[test]
fn f5_no_flipped_bit_of_a_good_token_makes_a_session() {
    let world = World::new();
    let page = world.signed_in("richard");
    let mut message = world.overheard("session");
    page.close();
    let page = world.open();
    page.expect_status(Status::Anonymous);
    let good = message["id_token"].as_str().unwrap().to_owned();
    for at in 0..good.len() {
        for bit in 0..8 {
            let flipped: String = good
                .bytes()
                .enumerate()
                .map(|(here, byte)| char::from(if here == at { byte ^ (1 << bit) } else { byte }))
                .collect();
            message["id_token"] = json!(flipped);
            world.say(&message.to_string());
            assert_eq!(page.status(), Status::Anonymous, "byte {at}, bit {bit}");
        }
    }
    message["id_token"] = json!(good);
    world.say(&message.to_string());
    page.expect_status(Status::Authenticated);
}

#[test]
fn f5_a_tampered_token_never_creates_a_session_at_sign_in() {
    // The same for the token of a sign-in, one bit of every character.
    for at in (0..600).step_by(7) {
        let page = arrive(move |token| {
            token.finish = Some(Box::new(move |token| {
                let at = at % token.len();
                let byte = token.as_bytes()[at] ^ (1 << (at % 6));
                format!("{}{}{}", &token[..at], char::from(byte), &token[at + 1..])
            }));
        });
        page.expect_status(Status::Anonymous);
        assert!(page.code().is_some());
    }
}

#[test]
fn rp26_claims_that_other_readers_read_otherwise() {
    refuses(Code::TokenMalformed, |token| token.duplicate("name", &json!("another")));
    // The same name, spelled with an escape.
    refuses(Code::TokenMalformed, |token| {
        let text = Value::Object(token.claims.clone()).to_string();
        token.claims_text = Some(text.replacen('{', r#"{"s\u0075b":"gavin","#, 1));
    });
    refuses(Code::TokenMalformed, |token| {
        let text = Value::Object(token.claims.clone()).to_string();
        token.claims_text = Some(text.replacen('{', r#"{"x":"\ud800","#, 1));
    });
    accepts(|token| token.claim("huge", json!(1e300)));
    accepts(|token| token.claim("__proto__", json!({ "sub": "gavin" })));
    refuses(Code::TokenMalformed, |token| {
        let text = Value::Object(token.claims.clone()).to_string();
        let deep = format!("{{\"x\":{}{},", "[".repeat(40), "]".repeat(40));
        token.claims_text = Some(text.replacen('{', &deep, 1));
    });
}

#[test]
fn crypto_that_is_missing_is_said() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.inside().crypto_missing = true;
    page.sign_in();
    assert_eq!(page.code(), Some(Code::CryptoUnavailable));
    assert_eq!(world.visits(), 0);
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    page.sign_in();
    world.inside().crypto_missing = true;
    world.release();
    page.expect_refused(Code::CryptoUnavailable);
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Anonymous);
}
