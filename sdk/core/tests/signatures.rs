//! The ID token's signature: algorithms, and what its header may say.

use gatepass_core::{base64url, error::Code, wire::Status};
use serde_json::{Value, json};

use crate::{
    id_token::{accepts, arrive, arrive_at, refuses},
    world::{
        APP, World,
        keys::{EACH, ES256, Key, RS256, STRANGER, hmac_sha256},
        page::sign_in_to,
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
