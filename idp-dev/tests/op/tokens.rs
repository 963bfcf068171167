//! What programs send and get: tokens, keys, claims (OP15, OP16, OP20 to OP26).

use serde_json::json;

use crate::person::{Ask, PIPER, Person, part, redemption, renewal};
use crate::program::Running;
use crate::wire::{FORM, Op, encoded};

#[test]
fn op15_public_clients_do_not_authenticate() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let basic = ("Authorization", "Basic cGllZC1waXBlcjpzZWNyZXQ=");
    let bearer = ("Authorization", "Bearer x");
    let code = person.code(&Ask::piper());
    let form = redemption("pied-piper", PIPER, &code);
    for header in [basic, bearer] {
        let answer = op.ask("POST /token", &[FORM, header], &encoded(&form));
        assert_eq!((answer.status, &*answer.error()), (401, "invalid_client"), "{header:?}");
    }
    for extra in [
        ("client_secret", "secret"),
        ("client_assertion", "e30.e30.e30"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    ] {
        let answer = op.post("/token", &[&form[..], &[extra]].concat());
        assert_eq!((answer.status, &*answer.error()), (401, "invalid_client"), "{extra:?}");
    }
    for id in ["", "nobody", "pied-piper\0", "../pied-piper"] {
        let answer = op.post("/token", &redemption(id, PIPER, &code));
        assert!([400, 401].contains(&answer.status), "{id:?}: {}", answer.body);
    }
    // Servers do, with the right secret only.
    for bad in ["", "demo-api", "demo-api-secre", "demo-api-secret2", "demo-api-secret\0"] {
        use base64ct::{Base64, Encoding};
        let basic =
            format!("Basic {}", Base64::encode_string(format!("demo-api:{bad}").as_bytes()));
        let headers = [FORM, ("Authorization", &*basic)];
        assert_eq!(op.ask("POST /introspect", &headers, "token=x").status, 401, "{bad:?}");
    }
    // None of these requests has used the code up.
    assert_eq!(op.redeem(&code).status, 200);
}

/// There is no DPoP here, so nothing may look as if a token were bound to a key.
#[test]
fn op16_dpop_is_not_promised() {
    let op = Op::start();
    let document = op.get("/.well-known/openid-configuration").json();
    assert!(document.get("dpop_signing_alg_values_supported").is_none());
    let code = Person::new(&op).code(&Ask::piper());
    let headers = [FORM, ("DPoP", "e30.e30.e30")];
    let answer = op.ask("POST /token", &headers, &encoded(&redemption("pied-piper", PIPER, &code)));
    assert_eq!(answer.json()["token_type"], "Bearer");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert!(part(&token, 1).get("cnf").is_none());
    let dpop = format!("DPoP {token}");
    assert_eq!(op.ask("GET /userinfo", &[("Authorization", &dpop)], "").status, 400);
}

#[test]
fn op20_nothing_is_cached_and_no_secret_is_logged() {
    let op = Op::of(Running::start(&["--listen", "127.0.0.1:0"]));
    let mut person = Person::new(&op);
    let page = person.authorize(&Ask::piper());
    let answer = person.fill(&page, "richard", "password");
    let code = answer.param("code").unwrap();
    let given = op.redeem(&code);
    let tokens = crate::person::Tokens(given.json());
    let renewed = op.refresh(tokens.refresh());
    let info = op.userinfo(tokens.access());
    let asked = person.get(&format!("/end_session?id_token_hint={}", tokens.id()));
    for answer in [&page, &answer, &given, &renewed, &info, &asked] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:?}");
    }
    let mut secrets = vec![
        code,
        tokens.access().to_owned(),
        tokens.refresh().to_owned(),
        tokens.id().to_owned(),
        renewed.json()["refresh_token"].as_str().unwrap().to_owned(),
        page.hidden("csrf"),
        page.hidden("r"),
        crate::person::VERIFIER.to_owned(),
        op.token.clone(),
    ];
    secrets.extend(person.jar.values().cloned());
    let log = op.stop();
    assert!(log.contains("token.issued"), "there is no log to look through: {log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "the log has a secret of {} characters", secret.len());
        // Nor the part of a token that says the most.
        for part in secret.split('.').filter(|part| part.len() > 20) {
            assert!(!log.contains(part), "the log has a part of a token");
        }
    }
}

#[test]
fn op21_only_scripts_of_registered_origins_read_answers() {
    let op = Op::start();
    let own = "http://pied-piper.localhost:8081";
    let read = |method: &str, path: &str, origin: &str| {
        let preflight = [("Origin", origin), ("Access-Control-Request-Method", "POST"), FORM];
        op.ask(&format!("{method} {path}"), &preflight, "")
    };
    let allow = "access-control-allow-origin";
    for path in ["/.well-known/openid-configuration", "/jwks", "/userinfo", "/token", "/revoke"] {
        for method in ["GET", "POST", "OPTIONS"] {
            assert_eq!(read(method, path, own).header(allow), own, "{method} {path}");
            for other in [
                "null",
                "http://evil.example",
                "http://pied-piper.localhost:8082",
                "https://pied-piper.localhost:8081",
                "http://pied-piper.localhost:8081.evil.example",
                "http://evil.pied-piper.localhost:8081",
                "http://pied-piper.localhost:8081/",
                "*",
            ] {
                assert_eq!(
                    read(method, path, other).all(allow).len(),
                    0,
                    "{method} {path} {other}"
                );
            }
        }
    }
    for path in ["/", "/authorize", "/login", "/end_session", "/signed_out", "/introspect"] {
        for method in ["GET", "POST", "OPTIONS"] {
            let answer = read(method, path, own);
            assert_eq!(answer.all(allow).len(), 0, "{method} {path}");
            assert_eq!(answer.all("access-control-allow-credentials").len(), 0, "{method} {path}");
        }
    }
}

#[test]
fn op22_methods_types_and_places() {
    let op = Op::start();
    let code = Person::new(&op).code(&Ask::piper());
    let form = encoded(&redemption("pied-piper", PIPER, &code));
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "post"] {
        let answer = op.ask(&format!("{method} /token?{form}"), &[FORM], "");
        assert!([400, 405].contains(&answer.status), "{method}: {answer:?}");
    }
    for media_type in
        ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "form", "*/*"]
    {
        let answer = op.ask("POST /token", &[("Content-Type", media_type)], &form);
        assert_eq!(answer.status, 415, "{media_type}");
    }
    assert_eq!(op.ask("POST /token", &[], &form).status, 415, "no type");
    let answer = op.ask(&format!("POST /token?{form}"), &[FORM], "");
    assert_eq!((answer.status, &*answer.error()), (400, "invalid_request"), "all in the address");
    let answer = op.ask("POST /token?client_id=pied-piper", &[FORM], &form);
    assert_eq!((answer.status, &*answer.error()), (400, "invalid_request"), "some in the address");
    for (method, path) in [
        ("POST", "/.well-known/openid-configuration"),
        ("POST", "/jwks"),
        ("GET", "/revoke"),
        ("GET", "/introspect"),
        ("PUT", "/authorize"),
        ("HEAD", "/authorize"),
        ("DELETE", "/userinfo"),
        ("POST", "/session_events"),
        ("GET", "/end_session/confirm"),
    ] {
        let answer = op.ask(&format!("{method} {path}"), &[FORM], "");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
    }
    // An access token is taken from the header only.
    let (_, tokens) = Person::signed_in(&op);
    let query = format!("GET /userinfo?access_token={}", tokens.access());
    assert_eq!(op.ask(&query, &[], "").status, 401);
    let body = encoded(&[("access_token", tokens.access())]);
    assert_eq!(op.ask("POST /userinfo", &[FORM], &body).status, 401);
    // After all that, the code is as good as it was.
    assert_eq!(op.redeem(&code).status, 200);
}

#[test]
fn op23_scopes_and_claims_cannot_be_raised() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let ask = Ask::piper()
        .set("scope", "openid admin roles offline_access address")
        .set("claims", "{\"id_token\":{\"roles\":{\"value\":\"admin\"},\"sub\":{\"value\":\"x\"}}}")
        .set("roles", "admin");
    let tokens = person.tokens(&ask);
    assert_eq!(tokens.0["scope"], "openid");
    let claims = tokens.claims();
    for name in ["roles", "email", "name", "address"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    let info = op.userinfo(tokens.access()).json();
    assert_eq!(info, json!({ "sub": claims["sub"] }));
    // One person is the same at every visit, and nobody else.
    let hooli = {
        let mut other = Person::new(&op);
        let page = other.authorize(&Ask::piper());
        let code = other.fill(&page, "gavin", "password").param("code").unwrap();
        crate::person::Tokens(op.redeem(&code).json()).claims()
    };
    assert_ne!(hooli["sub"], claims["sub"]);
    assert_eq!(person.tokens(&Ask::piper()).claims()["sub"], claims["sub"]);
}

#[test]
fn op25_keys_are_public_strong_and_named() {
    let op = Op::start();
    let document = op.get("/.well-known/openid-configuration").json();
    let algorithms = &document["id_token_signing_alg_values_supported"];
    for algorithm in algorithms.as_array().unwrap() {
        assert!(["RS256", "ES256"].contains(&algorithm.as_str().unwrap()), "{algorithm}");
    }
    let keys = op.get("/jwks").json();
    let keys = keys["keys"].as_array().unwrap();
    let mut names: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), keys.len());
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        assert_eq!(key["use"], "sig");
        assert!(algorithms.as_array().unwrap().contains(&key["alg"]), "{key}");
        if key["kty"] == "RSA" {
            assert!(key["n"].as_str().unwrap().len() >= 342, "shorter than 2048 bits");
        }
    }
}

/// One issuer a process: what one gives is nothing to the other.
#[test]
fn op26_two_providers_share_nothing() {
    let (one, two) = (Op::start(), Op::start());
    let mut person = Person::new(&one);
    let tokens = person.tokens(&Ask::piper());
    let code = person.code(&Ask::piper());
    assert_eq!(two.redeem(&code).error(), "invalid_grant");
    assert_eq!(
        two.post("/token", &renewal("pied-piper", tokens.refresh())).error(),
        "invalid_grant"
    );
    assert_eq!(two.userinfo(tokens.access()).status, 401);
    // The same browser: one host, two ports, so it sends the cookies of both to both.
    let cookies = person.cookies();
    let ask = Ask::piper().set("prompt", "none");
    let answer = two.ask(&format!("GET {}", ask.path()), &[("Cookie", &cookies)], "");
    assert_eq!(answer.param("error").as_deref(), Some("login_required"));
    let names = |op: &Op| {
        let (person, _) = Person::signed_in(op);
        person.jar.into_keys().collect::<Vec<_>>()
    };
    assert!(names(&one).iter().all(|name| !names(&two).contains(name)), "cookies have one name");
    let ids = |op: &Op| {
        let keys = op.get("/jwks").json();
        keys["keys"].as_array().unwrap().iter().map(|k| k["kid"].clone()).collect::<Vec<_>>()
    };
    assert!(ids(&one).iter().all(|id| !ids(&two).contains(id)), "keys are shared");
    assert_eq!(one.redeem(&code).status, 200);
}
