//! The ID token's signature and key: algorithms, the header, the key set and its rotation.

use gatepass_core::{
    base64url,
    error::Code,
    wire::{Ending, Failure, Status},
};
use serde_json::{Value, json};

use crate::{
    id_token::{accepts, arrive, arrive_at, refuses},
    world::{
        APP, Endpoint, Page, World,
        keys::{EACH, ES256, ES256_NEXT, Key, RS256, STRANGER, hmac_sha256},
        page::{get_token, sign_in_to},
        token::Draft,
    },
};

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
fn rp10_every_algorithm_that_is_agreed_to_is_checked() {
    for key in EACH.iter() {
        let arrive = |change: fn(&mut Draft)| {
            arrive_at(
                move |provider| {
                    provider.key = key;
                    // Others beside it change nothing.
                    provider.published = EACH.iter().map(Key::jwk).collect();
                },
                sign_in_to("/"),
                change,
            )
        };
        let page = arrive(|_| {});
        page.expect_status(Status::Authenticated);
        let check = page.checks().into_iter().find(|check| check.name == "alg").unwrap();
        assert_eq!(check.found, key.algorithm);
        // `at_hash` is of the hash that belongs to the algorithm (OIDC Core 3.1.3.6).
        assert!(page.checks().iter().any(|check| check.name == "at_hash"), "{}", key.algorithm);
        arrive(|token| {
            token.finish = Some(Box::new(|token| {
                // The payload of another token.
                let mut parts = token.split('.');
                let (header, signature) = (parts.next().unwrap(), parts.nth(1).unwrap());
                let claims = base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
                let claims = String::from_utf8(claims).unwrap().replace("richard", "gavin00");
                format!("{header}.{}.{signature}", base64url::encode(claims.as_bytes()))
            }));
        })
        .expect_refused(Code::SignatureInvalid);
    }
}

#[test]
fn rp10_a_key_of_one_algorithm_verifies_no_other() {
    // Without `alg` only type and curve tell keys apart: RSA keys fit both paddings and all hashes,
    // but a signature of one is none of another.
    for signing in EACH.iter() {
        for named in EACH.iter().filter(|named| named.algorithm != signing.algorithm) {
            let page = arrive_at(
                move |provider| {
                    provider.key = signing;
                    let mut key = signing.jwk();
                    key.as_object_mut().unwrap().remove("alg");
                    provider.published = vec![key];
                },
                sign_in_to("/"),
                move |token| token.header("alg", json!(named.algorithm)),
            );
            // One algorithm by two names.
            if signing.jwk()["kty"] == "OKP" && named.jwk()["kty"] == "OKP" {
                page.expect_status(Status::Authenticated);
                continue;
            }
            let same_type = signing.jwk()["kty"] == "RSA" && named.jwk()["kty"] == "RSA";
            let code = if same_type { Code::SignatureInvalid } else { Code::KeyNotFound };
            page.expect_refused(code);
        }
    }
}

#[test]
fn rp10_the_registered_algorithm_narrows_what_is_accepted() {
    let with = |registered: &'static str, key: &'static Key| {
        let world = World::with(|config| {
            config.id_token_signed_response_alg = Some(registered.into());
        });
        world.provider().key = key;
        world.provider().published = vec![key.jwk()];
        let page = world.open();
        world.person_signs_in("richard");
        page.sign_in();
        page
    };
    with("RS256", &RS256).expect_status(Status::Authenticated);
    with("ES256 RS256", &RS256).expect_status(Status::Authenticated);
    with("RS256", &ES256).expect_refused(Code::AlgorithmNotAllowed);
    with("RS256 PS256 ES384", &ES256).expect_refused(Code::AlgorithmNotAllowed);
}

#[test]
fn rfc9864_ed25519_is_eddsa_by_its_full_name() {
    let by = |name: &str| EACH.iter().find(|key| key.algorithm == name).unwrap();
    let with = |registered: &'static str, named: &'static str, key_says: Value| {
        let world = World::with(|config| {
            config.id_token_signed_response_alg = Some(registered.into());
        });
        let mut jwk = by(named).jwk();
        jwk["alg"] = key_says;
        world.provider().key = by(named);
        world.provider().published = vec![jwk];
        let page = world.open();
        world.person_signs_in("richard");
        page.sign_in();
        page
    };
    for named in ["EdDSA", "Ed25519"] {
        for key_says in ["EdDSA", "Ed25519"] {
            with(named, named, json!(key_says)).expect_status(Status::Authenticated);
        }
        for key_says in [json!("Ed448"), json!("ES256"), json!(""), json!(7)] {
            with(named, named, key_says).expect_refused(Code::KeyNotFound);
        }
    }
    // What the client is registered for is a name.
    with("EdDSA", "Ed25519", json!("EdDSA")).expect_refused(Code::AlgorithmNotAllowed);
    with("Ed25519", "EdDSA", json!("EdDSA")).expect_refused(Code::AlgorithmNotAllowed);
}

#[test]
fn rp10_a_logout_token_is_held_to_the_registered_algorithm() {
    // Back-Channel Logout 2.6 (2): as an ID token.
    let world = World::with(|config| config.id_token_signed_response_alg = Some("ES256".into()));
    world.provider().published = vec![ES256.jwk(), RS256.jwk()];
    let page = world.signed_in("richard");
    world.push_logout_token(|token| {
        token.key = &RS256;
        token.header("alg", json!("RS256"));
        token.header("kid", json!("rs-1"));
    });
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    world.push_logout_token(|_| {});
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp10_an_algorithm_that_the_browser_lacks_is_no_wrong_signature() {
    for key in EACH.iter() {
        let world = World::new();
        world.provider().key = key;
        world.provider().published = vec![key.jwk()];
        world.inside().lacks = Some(key.algorithm);
        let page = world.open();
        world.person_signs_in("richard");
        page.sign_in();
        page.expect_refused(Code::AlgorithmUnsupported);
        assert_eq!(page.session().error.unwrap().evidence.as_ref().unwrap().found, key.algorithm);
    }
}

#[test]
fn rp10_algorithms_that_nobody_agreed_to() {
    for algorithm in [
        json!("ES256K"),
        json!("RS1"),
        json!("PS1"),
        json!("Ed448"),
        json!("HS256"),
        json!("es256"),
        json!(" ES256"),
        json!("ES256 "),
        json!("RS256 ES256"),
        json!(""),
        json!(7),
        json!(["ES256"]),
        json!("A128KW"),
        Value::Null,
    ] {
        refuses(Code::AlgorithmNotAllowed, move |token| token.header("alg", algorithm.clone()));
    }
    // Agreed to, but the key is of another.
    for algorithm in ["ES384", "ES512", "PS256", "RS384", "EdDSA"] {
        refuses(Code::KeyNotFound, move |token| token.header("alg", json!(algorithm)));
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
fn rp10_a_token_is_64_kb_at_most() {
    const LONGEST: usize = 64 * 1024;
    for length in [LONGEST - 1, LONGEST] {
        accepts(move |token| pad(token, length));
    }
    refuses(Code::TokenMalformed, |token| pad(token, LONGEST + 1));
}

/// Makes a token that is signed by ES256 exactly so long, by members that mean nothing.
fn pad(token: &mut Draft, length: usize) {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    token.header("pad", json!(""));
    token.claim("pad", json!(""));
    let size =
        |part: &serde_json::Map<String, Value>| Value::Object(part.clone()).to_string().len();
    let (header, claims, signature) = (size(&token.header), size(&token.claims), encoded(64));
    let mut pads = (0..3).flat_map(|header| (0..length).map(move |claims| (header, claims)));
    let fits = |&(more, even_more): &(usize, usize)| {
        encoded(header + more) + encoded(claims + even_more) + signature + 2 == length
    };
    let (more, even_more) = pads.find(fits).unwrap();
    token.header("pad", json!("x".repeat(more)));
    token.claim("pad", json!("x".repeat(even_more)));
    token.finish = Some(Box::new(move |token| {
        assert_eq!(token.len(), length);
        token
    }));
}

#[test]
fn rp10_critical_extensions_are_refused() {
    for value in [json!(["b64"]), json!(["exp"]), json!([]), json!("b64"), json!(true)] {
        refuses(Code::TokenMalformed, move |token| {
            token.header("crit", value.clone());
            token.header("b64", json!(false));
        });
    }
    // Each for itself.
    for value in [json!(["b64"]), json!(["exp"]), json!([])] {
        refuses(Code::TokenMalformed, move |token| token.header("crit", value.clone()));
    }
    // RFC 7797, 6: without `crit` it must not stand there, but true changes nothing.
    accepts(|token| token.header("b64", json!(true)));
    for value in [json!("true"), json!(1), json!([])] {
        refuses(Code::TokenMalformed, move |token| token.header("b64", value.clone()));
    }
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
    for typ in [json!(7), json!(["JWT"]), json!(true)] {
        refuses(Code::TokenMalformed, move |token| token.header("typ", typ.clone()));
    }
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
    // Long, longer than a token may be, longer than an answer may be.
    refuses(Code::KeyNotFound, |token| token.header("kid", json!("k".repeat(1 << 15))));
    refuses(Code::TokenMalformed, |token| token.header("kid", json!("k".repeat(1 << 16))));
    refuses(Code::TokenResponseInvalid, |token| token.header("kid", json!("k".repeat(1 << 20))));
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
        ("alg", json!("EdDSA")),
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
        // Before the page was left, and anew when none fitted.
        assert_eq!(page.world.count(Endpoint::Keys), 2, "{name} {value}");
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
fn rp12_a_key_whose_private_half_is_published_verifies_nothing() {
    for key in EACH.iter() {
        let with = |change: fn(&mut Value)| {
            arrive_at(
                move |provider| {
                    provider.key = key;
                    let mut jwk = key.jwk();
                    change(&mut jwk);
                    provider.published = vec![jwk];
                },
                sign_in_to("/"),
                |_| {},
            )
        };
        with(|jwk| jwk["d"] = json!("AAAA")).expect_refused(Code::KeyNotFound);
        with(|jwk| jwk["d"] = json!(7)).expect_refused(Code::KeyNotFound);
        // A certificate beside it is never read.
        with(|jwk| jwk["x5c"] = json!(["AAAA"])).expect_status(Status::Authenticated);
    }
}

#[test]
fn rp12_an_exponent_that_makes_forging_easy_is_refused() {
    let with = |exponent: &'static str| {
        arrive_at(
            move |provider| {
                provider.key = &RS256;
                let mut key = RS256.jwk();
                key["e"] = json!(exponent);
                provider.published = vec![key];
            },
            sign_in_to("/"),
            |_| {},
        )
    };
    with("AQAB").expect_status(Status::Authenticated);
    for exponent in ["AQ", "Ag", "BA", "AQAA", "AA", "AAE", "AAEAAQ", "", "===", "\u{0}"] {
        with(exponent).expect_refused(Code::KeyNotFound);
    }
    // Whether 3 is the right one is for the signature to show.
    with("Aw").expect_refused(Code::SignatureInvalid);
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
fn rp12_a_set_of_many_keys_is_bounded() {
    let with = |count: usize, empty: bool| {
        with_keys(move |key| {
            let other = if empty { json!({}) } else { key.clone() };
            let mut keys = vec![other; count];
            for (number, other) in keys.iter_mut().enumerate() {
                other["kid"] = json!(number.to_string());
            }
            keys.push(key);
            keys
        })
    };
    with(999, true).expect_status(Status::Authenticated);
    with(1000, true).expect_refused(Code::KeysInvalid);
    // 10,000 keys are longer than a document may be.
    let page = with(10_000, false);
    page.expect_refused(Code::KeysInvalid);
    assert_eq!(page.world.count(Endpoint::UserInfo), 0);
}

#[test]
fn rp13_a_key_set_that_changes_on_each_fetch_is_fetched_once_a_sign_in() {
    let world = World::new();
    world.provider().always(Endpoint::Keys, {
        let mut fetched = 0;
        move |reply| {
            fetched += 1;
            let mut key = ES256.jwk();
            key["kid"] = json!(format!("es-{}", fetched + 1));
            reply.member("keys", json!([key]));
        }
    });
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_refused(Code::KeyNotFound);
    assert_eq!(world.count(Endpoint::Keys), 2, "before leaving, and once for the token");
}

#[test]
fn rp13_one_fetch_serves_all_that_wait_for_it() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    {
        let mut provider = world.provider();
        provider.key = &ES256_NEXT;
        provider.published = vec![ES256.jwk(), ES256_NEXT.jwk()];
    }
    world.hold(Endpoint::Keys);
    world.push_logout_token(|token| token.claim("sub", json!("gavin")));
    world.push_logout_token(|_| {});
    page.expect_status(Status::Authenticated);
    world.release();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp13_a_fetch_that_failed_is_not_repeated_at_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    world.provider().once(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    for _ in 0..3 {
        world.push_logout_token(|token| token.header("kid", json!("unheard")));
        assert_eq!(world.count(Endpoint::Keys), fetched + 1);
        // Why there is no key is the network, for all of them.
        assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    }
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(30);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

/// Signed in, and so much later that the keys are due. The provider is heard on the way.
fn later(seconds: i64) -> (World, Page) {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(seconds);
    (world, page)
}

#[test]
fn rp13_keys_that_are_not_fresh_are_used_and_fetched_anew_meanwhile() {
    let (world, page) = later(2 * 3600);
    let fetched = world.count(Endpoint::Keys);
    // The fetch does not come back before the token is needed.
    world.hold(Endpoint::Keys);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.release();
    assert_eq!(page.code(), None);
    // Fresh again.
    world.advance_with_heartbeat(600);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp13_a_key_that_was_taken_away_verifies_nothing_once_that_is_known() {
    let (world, page) = later(2 * 3600);
    world.provider().published = vec![ES256_NEXT.jwk()];
    page.token().unwrap();
    world.push_logout_token(|_| {});
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

#[test]
fn rp13_keys_that_cannot_be_fetched_anew_are_used_for_a_day() {
    const DAY: i64 = 24 * 3600;
    let (world, page) = later(DAY - 1);
    world.provider().always(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    page.token().unwrap();
    assert_eq!(page.code(), None);
    let (world, page) = later(DAY);
    world.provider().rotates = false;
    world.provider().always(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    assert_eq!(page.token(), Err(Code::IssuerUnreachable));
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.advance_with_heartbeat(30);
    page.token().unwrap();
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp13_the_keys_of_one_issuer_verify_nothing_of_another() {
    // Both name their key `es-1`; the channel of tabs is the other issuer's too, by mistake.
    let world = World::new();
    let page = world.signed_in("richard");
    world.push_logout_token(|token| token.key = &STRANGER);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
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

/// From now on the provider has another key of the same name.
fn replace_key(world: &World) {
    let mut provider = world.provider();
    provider.key = &STRANGER;
    provider.published = vec![STRANGER.jwk()];
}

#[test]
fn rp_key_replaced_under_its_kid_in_an_old_page() {
    // The set is fetched anew meanwhile: it comes after the verdict, or before it.
    for comes_first in [false, true] {
        let (world, page) = later(2);
        // It has fetched them itself before.
        page.token().unwrap();
        world.advance_with_heartbeat(2 * 3600);
        replace_key(&world);
        if comes_first {
            // What is late is the token.
            world.hold(Endpoint::Token);
            page.begin(get_token());
            world.settle();
            world.push_logout_token(|token| token.claim("sub", json!("gavin")));
        } else {
            world.hold(Endpoint::Keys);
            page.begin(get_token());
            world.settle();
        }
        world.release();
        page.expect_status(Status::Authenticated);
        // Rotated: the refresh token that came beside it would be lost with it.
        let now = world.inside().provider_time();
        let token = page.token().unwrap();
        assert!(world.provider().accepts(&token, now));
        world.advance_with_heartbeat(300);
        page.token().unwrap();
    }
}

#[test]
fn rp_key_replaced_under_its_kid_in_a_young_page() {
    let (world, page) = later(2);
    page.token().unwrap();
    world.advance_with_heartbeat(290);
    let fetched = world.count(Endpoint::Keys);
    replace_key(&world);
    page.token().unwrap();
    assert_eq!(page.code(), None);
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    // What came beside the token is kept: the next refresh is good too.
    world.advance_with_heartbeat(290);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp12_a_key_replaced_just_after_it_was_fetched_loses_no_refresh() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(280);
    // Less than half a minute ago somebody asked in vain.
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    let fetched = world.count(Endpoint::Keys);
    world.advance_with_heartbeat(10);
    replace_key(&world);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp13_a_wrong_signature_makes_the_keys_be_fetched_not_too_often() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    for _ in 0..5 {
        world.push_logout_token(|token| token.key = &STRANGER);
    }
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    world.advance_with_heartbeat(29);
    world.push_logout_token(|token| token.key = &STRANGER);
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.advance_with_heartbeat(1);
    replace_key(&world);
    world.push_logout_token(|_| {});
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp13_a_verdict_by_a_set_that_was_replaced_meanwhile_is_none() {
    let (world, page) = later(2);
    replace_key(&world);
    // A set that is not fresh judges the token while the fetch is under way, and it is over before
    // the verdict comes: so soon nobody asks again.
    world.inside().slow_crypto = true;
    world.push_logout_token(|_| {});
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
}

#[test]
fn rp13_why_the_keys_could_not_be_had_before_leaving_is_remembered() {
    let (world, page) = later(2);
    let other = world.open();
    // It asks for the keys before it leaves, in vain, and then stays.
    world.inside().stays = true;
    world.provider().once(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    page.sign_in();
    world.inside().stop_loading();
    world.inside().stays = false;
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    drop(other);
}
