//! The conformance suite's modules for providers, by their names, as far as they apply to a
//! provider of public clients. Those of sign-out are in `logout`.

use serde_json::{Value, json};

use crate::person::{Ask, Person, Tokens, part};
use crate::program::{file, run};
use crate::wire::{FORM, Op, encoded};

/// Signs in and gives the tokens.
fn flow(ask: &Ask) -> (Op, Tokens) {
    let op = Op::start();
    let tokens = Person::new(&op).tokens(ask);
    (op, tokens)
}

#[test]
fn oidcc_server() {
    let (op, tokens) = flow(&Ask::piper());
    let claims = tokens.claims();
    assert_eq!(claims["iss"], op.issuer);
    assert_eq!(claims["aud"], "pied-piper");
    assert_eq!(claims["nonce"], "the-nonce");
    for name in ["exp", "iat", "auth_time"] {
        assert!(claims[name].is_i64(), "{name}: {claims}");
    }
    assert_eq!(op.userinfo(tokens.access()).json()["sub"], claims["sub"]);
}

#[test]
fn oidcc_response_type_missing() {
    let op = Op::start();
    let answer = op.get(&Ask::piper().without("response_type").path());
    assert_eq!(answer.param("error").as_deref(), Some("invalid_request"));
}

#[test]
fn oidcc_idtoken_signature() {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use base64ct::{Base64UrlUnpadded, Encoding};
    let (op, tokens) = flow(&Ask::piper());
    let header = part(tokens.id(), 0);
    assert_eq!(header["alg"], "RS256");
    let keys = op.get("/jwks").json();
    let keys: Vec<&Value> =
        keys["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == header["kid"]).collect();
    assert_eq!(keys.len(), 1);
    let bytes =
        |name: &str| Base64UrlUnpadded::decode_vec(keys[0][name].as_str().unwrap()).unwrap();
    let key = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
    let (signed, signature) = tokens.id().rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
}

#[test]
fn oidcc_idtoken_unsigned() {
    let printed = String::from_utf8(run(&["--print-config"]).stdout).unwrap();
    for algorithm in ["none", "HS256"] {
        let line = format!("id = \"pied-piper\"\nid_token_signed_response_alg = \"{algorithm}\"");
        let path = file("unsigned.toml", &printed.replace("id = \"pied-piper\"", &line));
        let output = run(&["--config", &path]);
        assert_eq!(output.status.code(), Some(2), "{algorithm}");
    }
}

#[test]
fn oidcc_userinfo_get() {
    let (op, tokens) = flow(&Ask::piper());
    let answer = op.userinfo(tokens.access());
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
}

#[test]
fn oidcc_userinfo_post_header() {
    let (op, tokens) = flow(&Ask::piper());
    let bearer = format!("Bearer {}", tokens.access());
    let answer = op.ask("POST /userinfo", &[("Authorization", &bearer)], "");
    assert_eq!(answer.json()["sub"], tokens.claims()["sub"]);
}

/// The suite warns and passes: a token in a body is not taken here.
#[test]
fn oidcc_userinfo_post_body() {
    let (op, tokens) = flow(&Ask::piper());
    let body = encoded(&[("access_token", tokens.access())]);
    assert_eq!(op.ask("POST /userinfo", &[FORM], &body).status, 401);
}

#[test]
fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let (_, tokens) = flow(&Ask::piper().without("nonce"));
    assert!(tokens.claims().get("nonce").is_none());
}

#[test]
fn oidcc_scope_profile() {
    let (op, tokens) = flow(&Ask::piper().set("scope", "openid profile"));
    let info = op.userinfo(tokens.access()).json();
    assert_eq!(info["name"], "Richard Hendricks");
    assert_eq!(info["given_name"], "Richard");
    assert!(info.get("email").is_none());
}

#[test]
fn oidcc_scope_email() {
    let (op, tokens) = flow(&Ask::piper().set("scope", "openid email"));
    let info = op.userinfo(tokens.access()).json();
    assert_eq!(info["email"], "richard@piedpiper.example");
    assert_eq!(info["email_verified"], true);
    assert!(info.get("name").is_none());
}

/// Not offered in discovery, so ignored (RFC 6749, 3.3), and the answer says so.
#[test]
fn oidcc_scope_address() {
    let (op, tokens) = flow(&Ask::piper().set("scope", "openid address"));
    assert_eq!(tokens.0["scope"], "openid");
    let document = op.get("/.well-known/openid-configuration").json();
    assert!(!document["scopes_supported"].as_array().unwrap().contains(&json!("address")));
}

#[test]
fn oidcc_scope_phone() {
    let (_, tokens) = flow(&Ask::piper().set("scope", "openid phone"));
    assert_eq!(tokens.0["scope"], "openid");
}

#[test]
fn oidcc_scope_all() {
    let (op, tokens) = flow(&Ask::piper().set("scope", "openid profile email address phone"));
    let info = op.userinfo(tokens.access()).json();
    assert!(info["name"].is_string() && info["email"].is_string(), "{info}");
}

#[test]
fn oidcc_alternate_happy_flow() {
    let mut ask = Ask::piper().set("scope", "email profile openid");
    ask.0.reverse();
    let (op, tokens) = flow(&ask);
    assert_eq!(op.userinfo(tokens.access()).status, 200);
}

#[test]
fn oidcc_display_page_and_popup() {
    for display in ["page", "popup", "touch", "wap"] {
        flow(&Ask::piper().set("display", display));
    }
}

#[test]
fn oidcc_prompt_login() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let first = person.tokens(&Ask::piper()).claims();
    op.advance(2);
    let page = person.authorize(&Ask::piper().set("prompt", "login"));
    let code = person.fill(&page, "richard", "password").param("code").unwrap();
    let second = Tokens(op.redeem(&code).json()).claims();
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    assert_eq!(second["sub"], first["sub"]);
}

#[test]
fn oidcc_prompt_none_not_logged_in() {
    let op = Op::start();
    let answer = op.get(&Ask::piper().set("prompt", "none").path());
    assert_eq!(answer.param("error").as_deref(), Some("login_required"));
    assert_eq!(answer.param("code"), None);
}

#[test]
fn oidcc_prompt_none_logged_in() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let first = person.tokens(&Ask::piper()).claims();
    op.advance(1);
    let second = person.tokens(&Ask::piper().set("prompt", "none")).claims();
    for name in ["sub", "auth_time", "sid"] {
        assert_eq!(second[name], first[name], "{name}");
    }
}

#[test]
fn oidcc_max_age_1() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let first = person.tokens(&Ask::piper()).claims();
    op.advance(2);
    let page = person.authorize(&Ask::piper().set("max_age", "1"));
    let code = person.fill(&page, "richard", "password").param("code").unwrap();
    let second = Tokens(op.redeem(&code).json()).claims();
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
}

#[test]
fn oidcc_max_age_10000() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let first = person.tokens(&Ask::piper()).claims();
    op.advance(2);
    let second =
        person.tokens(&Ask::piper().set("max_age", "10000").set("prompt", "none")).claims();
    assert_eq!(second["auth_time"], first["auth_time"]);
}

#[test]
fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    flow(&Ask::piper().set("extra", "foobar"));
}

#[test]
fn oidcc_id_token_hint() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let tokens = person.tokens(&Ask::piper());
    let ask = Ask::piper().set("prompt", "none").set("id_token_hint", tokens.id());
    assert_eq!(person.tokens(&ask).claims()["sub"], tokens.claims()["sub"]);
    // Somebody else's browser gets nothing for it.
    let mut other = Person::new(&op);
    let page = other.authorize(&Ask::piper());
    assert!(other.fill(&page, "gavin", "password").param("code").is_some());
    assert_eq!(other.authorize(&ask).param("error").as_deref(), Some("login_required"));
}

#[test]
fn oidcc_login_hint() {
    let op = Op::start();
    let page = op.get(&Ask::piper().set("login_hint", "gavin@hooli.example").path());
    assert!(page.body.contains("value=\"gavin@hooli.example\""), "{}", page.body);
}

#[test]
fn oidcc_ui_locales_and_claims_locales() {
    flow(&Ask::piper().set("ui_locales", "se de").set("claims_locales", "se"));
}

#[test]
fn oidcc_ensure_request_with_acr_values_succeeds() {
    let (_, tokens) = flow(&Ask::piper().set("acr_values", "1 2"));
    assert!(tokens.claims()["acr"].is_string());
}

/// The parameter is not offered; what it asks for is ignored.
#[test]
fn oidcc_claims_essential() {
    let claims = "{\"userinfo\":{\"name\":{\"essential\":true}}}";
    let (op, tokens) = flow(&Ask::piper().set("scope", "openid").set("claims", claims));
    assert!(op.userinfo(tokens.access()).json().get("name").is_none());
    let document = op.get("/.well-known/openid-configuration").json();
    assert_eq!(document["claims_parameter_supported"], false);
}

#[test]
fn oidcc_codereuse() {
    let op = Op::start();
    let code = Person::new(&op).code(&Ask::piper());
    let tokens = Tokens(op.redeem(&code).json());
    assert_eq!(op.redeem(&code).error(), "invalid_grant");
    assert_eq!(op.userinfo(tokens.access()).status, 401);
}

#[test]
fn oidcc_codereuse_30seconds() {
    let op = Op::start();
    let code = Person::new(&op).code(&Ask::piper());
    let tokens = Tokens(op.redeem(&code).json());
    op.advance(30);
    assert_eq!(op.redeem(&code).error(), "invalid_grant");
    assert_eq!(op.userinfo(tokens.access()).status, 401);
    assert_eq!(op.refresh(tokens.refresh()).error(), "invalid_grant");
}

#[test]
fn oidcc_ensure_registered_redirect_uri() {
    let op = Op::start();
    op.get(&Ask::piper().set("redirect_uri", "https://client.example/cb").path())
        .assert_page("uri");
}

#[test]
fn oidcc_ensure_post_request_succeeds() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let sent = person.post("/authorize", &Ask::piper().pairs());
    let page = person.follow(sent);
    assert!(person.fill(&page, "richard", "password").param("code").is_some());
    // And again, silently.
    let sent = person.post("/authorize", &Ask::piper().pairs());
    assert!(person.follow(sent).param("code").is_some());
}

#[test]
fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let op = Op::start();
    let answer = op.get(&Ask::piper().set("request_uri", "https://client.example/r").path());
    assert_eq!(answer.param("error").as_deref(), Some("request_uri_not_supported"));
}

#[test]
fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let op = Op::start();
    let answer = op.get(&Ask::piper().set("request", "eyJhbGciOiJub25lIn0.e30.").path());
    assert_eq!(answer.param("error").as_deref(), Some("request_not_supported"));
}

#[test]
fn oidcc_ensure_request_object_with_redirect_uri() {
    let op = Op::start();
    let inner = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.";
    let answer = op.get(&Ask::piper().set("request", inner).path());
    assert_eq!(answer.param("error").as_deref(), Some("request_not_supported"));
    op.get(&Ask::piper().without("redirect_uri").set("request", inner).path()).assert_page("uri");
}

#[test]
fn oidcc_refresh_token() {
    let op = Op::start();
    let tokens = Person::new(&op).tokens(&Ask::piper());
    let stolen = op.post("/token", &crate::person::renewal("hooli", tokens.refresh()));
    assert_eq!(stolen.error(), "invalid_grant");
    op.advance(5);
    let renewed = Tokens(op.refresh(tokens.refresh()).json());
    for name in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(renewed.claims()[name], tokens.claims()[name], "{name}");
    }
    assert!(renewed.claims()["iat"].as_i64() > tokens.claims()["iat"].as_i64());
    assert!(renewed.claims().get("nonce").is_none());
    assert_eq!(op.userinfo(renewed.access()).status, 200);
}

#[test]
fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    flow(&Ask::piper());
}

#[test]
fn oidcc_discovery_endpoint_verification() {
    let op = Op::start();
    let answer = op.get("/.well-known/openid-configuration");
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document = answer.json();
    assert_eq!(document["issuer"], op.issuer);
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(document[name].as_str().unwrap().starts_with(&op.issuer), "{name}");
    }
    let has = |name: &str, value: &str| {
        assert!(document[name].as_array().unwrap().contains(&json!(value)), "{name} {value}");
    };
    has("response_types_supported", "code");
    has("subject_types_supported", "public");
    has("id_token_signing_alg_values_supported", "RS256");
    has("scopes_supported", "openid");
    has("claims_supported", "sub");
    has("token_endpoint_auth_methods_supported", "none");
    // Whatever is offered works: keys for every algorithm.
    let keys =
        op.get(document["jwks_uri"].as_str().unwrap().strip_prefix(&op.issuer).unwrap()).json();
    for algorithm in document["id_token_signing_alg_values_supported"].as_array().unwrap() {
        assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["alg"] == *algorithm));
    }
}
