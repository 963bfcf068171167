//! The ID token, by every rule of OIDC Core 3.1.3.7: the message that is accepted, and its nearest
//! neighbours that are not. Signatures are real.

use gatepass_core::{
    base64url,
    error::Code,
    wire::{Command, OnLoad, Status},
};
use serde_json::{Value, json};

use crate::world::{
    APP, BEGIN_MS, CLIENT, Endpoint, ISSUER, Page, World,
    keys::{ES256, ES256_NEXT, RS256, STRANGER, hmac_sha256},
    page::sign_in_to,
    provider::Provider,
    token::Draft,
};

const NOW: i64 = BEGIN_MS / 1000;

/// A sign-in whose ID token is changed on the way.
fn arrive(change: impl FnMut(&mut Draft) + 'static) -> Page {
    arrive_at(|_| {}, sign_in_to("/"), change)
}

fn arrive_at(
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
fn accepts(change: impl FnMut(&mut Draft) + 'static) {
    arrive(change).expect_status(Status::Authenticated);
}

#[track_caller]
fn refuses(code: Code, change: impl FnMut(&mut Draft) + 'static) {
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

fn with_max_age(max_age: i64) -> Command {
    let Command::SignIn { return_to, .. } = sign_in_to("/") else { unreachable!() };
    Command::SignIn {
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
fn oidcc_client_test_idtoken_sig_rs256() {
    arrive_at(
        |provider| {
            provider.key = &RS256;
            provider.published = vec![RS256.jwk()];
        },
        sign_in_to("/"),
        |_| {},
    )
    .expect_status(Status::Authenticated);
}

#[test]
fn oidcc_client_test_idtoken_sig_none() {
    for algorithm in ["none", "None", "NONE", "nOnE"] {
        for signed in [false, true] {
            let page = arrive(move |token| {
                token.header("alg", json!(algorithm));
                token.sign = (!signed).then(|| Box::new(|_: &str| Vec::new()) as _);
            });
            page.expect_refused(Code::AlgorithmNotAllowed);
        }
    }
}

#[test]
fn oidcc_client_test_invalid_sig_hs256() {
    // The classic confusion: the public key as the secret of an HMAC.
    let secret = |name: &str| RS256.jwk()[name].as_str().unwrap().to_owned();
    for (algorithm, secret) in [
        ("HS256", secret("n")),
        ("HS256", RS256.jwk().to_string()),
        ("HS256", String::from("pied-piper")),
        ("HS384", String::new()),
        ("HS512", String::new()),
    ] {
        let page = arrive_at(
            |provider| provider.published = vec![RS256.jwk()],
            sign_in_to("/"),
            move |token| {
                token.header("alg", json!(algorithm));
                token.header("kid", json!("rs-1"));
                let secret = secret.clone();
                token.sign = Some(Box::new(move |input| hmac_sha256(&secret, input)));
            },
        );
        page.expect_refused(Code::AlgorithmNotAllowed);
    }
}

#[test]
fn rp10_algorithms_that_nobody_agreed_to() {
    for algorithm in [
        json!("ES384"),
        json!("ES512"),
        json!("ES256K"),
        json!("PS256"),
        json!("RS384"),
        json!("RS1"),
        json!("EdDSA"),
        json!("es256"),
        json!(" ES256"),
        json!(""),
        json!(7),
        json!(["ES256"]),
        json!("A128KW"),
        Value::Null,
    ] {
        refuses(Code::AlgorithmNotAllowed, move |token| token.header("alg", algorithm.clone()));
    }
    refuses(Code::TokenMalformed, |token| {
        token.header_text = Some(r#"{"alg":"none","alg":"ES256","kid":"es-1"}"#.into());
    });
}

#[test]
fn oidcc_client_test_invalid_sig_es256() {
    refuses(Code::SignatureInvalid, |token| token.key = &STRANGER);
    refuses(Code::SignatureInvalid, |token| {
        token.sign = Some(Box::new(|_| vec![0; 64]));
    });
    // The signature of something else.
    refuses(Code::SignatureInvalid, |token| {
        token.sign = Some(Box::new(|_| ES256.sign("something else")));
    });
    // Too short, too long.
    refuses(Code::SignatureInvalid, |token| {
        token.sign = Some(Box::new(|input| ES256.sign(input)[..63].to_vec()));
    });
    refuses(Code::SignatureInvalid, |token| {
        token.sign = Some(Box::new(|input| [ES256.sign(input), vec![0]].concat()));
    });
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    let page = arrive_at(
        |provider| {
            provider.key = &RS256;
            provider.published = vec![RS256.jwk()];
        },
        sign_in_to("/"),
        |token| {
            token.sign = Some(Box::new(|input| {
                let mut signature = RS256.sign(input);
                signature[7] ^= 1;
                signature
            }));
        },
    );
    page.expect_refused(Code::SignatureInvalid);
}

#[test]
fn rp10_the_shape_of_a_signed_token() {
    let malformed = |finish: fn(String) -> String| {
        refuses(Code::TokenMalformed, move |token| token.finish = Some(Box::new(finish)));
    };
    malformed(|token| token[..=token.rfind('.').unwrap()].into());
    malformed(|token| token[..token.rfind('.').unwrap()].into());
    malformed(|token| format!("{token}.AAAA"));
    malformed(|token| format!("{token}="));
    malformed(|token| format!("{token} "));
    malformed(|token| format!(" {token}"));
    malformed(|token| format!("{token}\n"));
    malformed(|token| format!(".{token}"));
    malformed(|token| token.replace('.', ".."));
    malformed(|_| "a.b.c".into());
    malformed(|_| "...".into());
    // Five parts: encrypted.
    malformed(|token| format!("{token}.AAAA.AAAA"));
    malformed(|token| format!("{}.{token}", base64url::encode(&[b'x'; 70_000])));
    // Standard base64 instead of base64url.
    malformed(|token| token.replace(['-', '_'], "+").replacen('.', "+.", 1));
    // Members that are no objects.
    malformed(|token| {
        let rest = token.split_once('.').unwrap().1.to_owned();
        format!("{}.{rest}", base64url::encode(b"[]"))
    });
    refuses(Code::TokenMalformed, |token| token.claims_text = Some("[]".into()));
    refuses(Code::TokenMalformed, |token| token.claims_text = Some(String::new()));
    refuses(Code::TokenMalformed, |token| token.claims_text = Some("{\"iss\":1,}".into()));
    refuses(Code::TokenMalformed, |token| {
        token.claims_text = Some(format!("\u{feff}{}", Value::Object(token.claims.clone())));
    });
}

#[test]
fn rp10_critical_extensions_are_refused() {
    for value in [json!(["b64"]), json!(["exp"]), json!([]), json!("b64"), json!(true)] {
        refuses(Code::TokenMalformed, move |token| {
            token.header("crit", value.clone());
            token.header("b64", json!(false));
        });
    }
    // RFC 7797, 6: without `crit` it must not stand there, but true changes nothing.
    accepts(|token| token.header("b64", json!(true)));
    refuses(Code::TokenMalformed, |token| token.header("b64", json!(false)));
}

#[test]
fn rp11_keys_in_the_header_are_never_read() {
    for name in ["jku", "x5u", "x5c", "jwk"] {
        refuses(Code::SignatureInvalid, move |token| {
            token.key = &STRANGER;
            token.header(name, if name == "jwk" { STRANGER.jwk() } else { json!(APP) });
        });
        accepts(move |token| token.header(name, json!("https://evil.example")));
    }
}

#[test]
fn typ_if_present_is_that_of_a_jwt() {
    accepts(|token| token.header("typ", Value::Null));
    accepts(|token| token.header("typ", json!("jwt")));
    for typ in [json!("logout+jwt"), json!("at+jwt"), json!("secevent+jwt"), json!("JWE")] {
        refuses(Code::TokenMalformed, move |token| token.header("typ", typ.clone()));
    }
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    accepts(|token| token.header("kid", Value::Null));
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let absent = |published: Vec<Value>| {
        arrive_at(
            |provider| provider.published = published,
            sign_in_to("/"),
            |token| token.header("kid", Value::Null),
        )
    };
    absent(vec![ES256.jwk(), ES256_NEXT.jwk()]).expect_refused(Code::KeyNotFound);
    // One that fits among others that do not is the only one.
    absent(vec![RS256.jwk(), ES256.jwk()]).expect_status(Status::Authenticated);
}

#[test]
fn rp12_kid_is_compared_and_nothing_else() {
    for kid in ["es-2", "ES-1", "es-1 ", "../../etc/passwd", "' OR 1=1 --", "es-1\0", "%65s-1"] {
        refuses(Code::KeyNotFound, move |token| token.header("kid", json!(kid)));
    }
    refuses(Code::TokenMalformed, |token| token.header("kid", json!(7)));
    refuses(Code::TokenMalformed, |token| token.header("kid", json!(null_in_text())));
    refuses(Code::TokenMalformed, |token| token.header("kid", json!("k".repeat(1 << 20))));
    refuses(Code::TokenMalformed, |token| {
        token.header_text = Some(r#"{"alg":"ES256","kid":"es-1","kid":"es-1"}"#.into());
    });
}

fn null_in_text() -> Value {
    json!(["es-1"])
}

/// The only key is published with this change.
fn with_key(change: impl Fn(&mut Value)) -> Page {
    with_keys(|key| {
        let mut key = key;
        change(&mut key);
        vec![key]
    })
}

fn with_keys(keys: impl Fn(Value) -> Vec<Value>) -> Page {
    arrive_at(|provider| provider.published = keys(ES256.jwk()), sign_in_to("/"), |_| {})
}

#[test]
fn rp12_a_key_of_another_use_verifies_nothing() {
    with_key(|key| key["key_ops"] = json!(["verify"])).expect_status(Status::Authenticated);
    with_key(|key| {
        key.as_object_mut().unwrap().remove("use");
        key.as_object_mut().unwrap().remove("alg");
    })
    .expect_status(Status::Authenticated);
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(7)),
        ("use", json!("")),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("alg", json!("RS256")),
        ("alg", json!("ES384")),
        ("alg", json!("ECDH-ES")),
        ("kty", json!("RSA")),
        ("kty", json!("OKP")),
        ("kty", json!("oct")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("crv", json!("p-256")),
        ("kid", json!("es-3")),
        ("kid", json!(7)),
    ] {
        let page = with_key(|key| key[name] = value.clone());
        page.expect_refused(Code::KeyNotFound);
        assert_eq!(page.world.count(Endpoint::Keys), 1, "{name} {value}");
    }
}

#[test]
fn rp12_a_key_that_is_broken_verifies_nothing() {
    for (name, value) in [("x", json!("AAAA")), ("y", json!("")), ("x", json!("===="))] {
        with_key(|key| key[name] = value.clone()).expect_refused(Code::KeysInvalid);
    }
    with_key(|key| key["x"] = json!(7)).expect_refused(Code::KeyNotFound);
    // A point that is not on the curve.
    let page = with_key(|key| key["x"] = json!(base64url::encode(&[1; 32])));
    assert!(matches!(page.code(), Some(Code::SignatureInvalid | Code::KeysInvalid)));
}

#[test]
fn rp12_two_keys_of_one_name_are_refused_like_none() {
    with_keys(|key| vec![key, STRANGER.jwk()]).expect_refused(Code::KeyNotFound);
    with_keys(|key| vec![STRANGER.jwk(), key]).expect_refused(Code::KeyNotFound);
    // A namesake that does not fit decides nothing.
    with_keys(|key| {
        let mut other = STRANGER.jwk();
        other["use"] = json!("enc");
        vec![other, key]
    })
    .expect_status(Status::Authenticated);
}

#[test]
fn rp12_symmetric_keys_in_the_set_are_no_keys() {
    let page = arrive_at(
        |provider| {
            provider.published = vec![json!({ "kty": "oct", "kid": "es-1", "k": "c2VjcmV0" })];
        },
        sign_in_to("/"),
        |_| {},
    );
    page.expect_refused(Code::KeyNotFound);
    // Beside a good key they are ignored.
    with_keys(|key| vec![json!({ "kty": "oct", "kid": "oct-1", "k": "c2VjcmV0" }), key])
        .expect_status(Status::Authenticated);
}

#[test]
fn rp12_an_rsa_key_of_less_than_2048_bits_is_refused() {
    let with = |n: String| {
        arrive_at(
            move |provider| {
                provider.key = &RS256;
                let mut key = RS256.jwk();
                key["n"] = json!(n);
                provider.published = vec![key];
            },
            sign_in_to("/"),
            |_| {},
        )
    };
    let n = RS256.jwk()["n"].as_str().unwrap().to_owned();
    let bytes = base64url::decode(&n).unwrap();
    with(n).expect_status(Status::Authenticated);
    with(base64url::encode(&bytes[1..])).expect_refused(Code::KeyNotFound);
    with(base64url::encode(&bytes[..128])).expect_refused(Code::KeyNotFound);
    // The same length, but leading zeros.
    let mut short = bytes.clone();
    short[..64].fill(0);
    let page = with(base64url::encode(&short));
    assert!(
        matches!(page.code(), Some(Code::KeyNotFound | Code::KeysInvalid)),
        "{:?}",
        page.code()
    );
}

#[test]
fn rp12_a_key_set_that_is_none() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[],\"keys\":[]}",
        "<html>",
        "{\"keys\":[]",
    ] {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().always(Endpoint::Keys, move |reply| reply.body = body.as_bytes().to_vec());
        page.sign_in();
        page.expect_refused(Code::KeysInvalid);
    }
    with_keys(|_| Vec::new()).expect_refused(Code::KeyNotFound);
    with_keys(|key| vec![json!(7), json!("key"), json!(null), key])
        .expect_status(Status::Authenticated);
}

#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    // A page that knows the old key set meets a token by the new key: the set is fetched once.
    let world = World::new();
    let page = world.signed_in("richard");
    assert_eq!(world.count(Endpoint::Keys), 1);
    world.advance_with_heartbeat(290);
    {
        let mut provider = world.provider();
        provider.key = &ES256_NEXT;
        provider.published = vec![ES256.jwk(), ES256_NEXT.jwk()];
    }
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), 2);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn rp13_an_unknown_key_is_looked_for_once_and_not_too_often() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    for _ in 0..5 {
        world.push_logout_token(|token| token.header("kid", json!("unheard")));
    }
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(29);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.advance_with_heartbeat(1);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
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
    page.load("/", OnLoad::None);
    page.expect_status(Status::Anonymous);
}
