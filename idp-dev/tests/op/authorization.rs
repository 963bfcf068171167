//! The authorization endpoint: where answers go, and what is refused (OP1 to OP4, OP8, OP13, OP14,
//! OP17, OP24).

use std::net::TcpListener;

use crate::person::{Ask, CHALLENGE, PIPER, Person, VERIFIER};
use crate::wire::Op;

/// Addresses that resemble the registered `http://pied-piper.localhost:8081/`.
const LOOKALIKES: [&str; 44] = [
    // Path.
    "http://pied-piper.localhost:8081",
    "http://pied-piper.localhost:8081//",
    "http://pied-piper.localhost:8081/x",
    "http://pied-piper.localhost:8081/.",
    "http://pied-piper.localhost:8081/..",
    "http://pied-piper.localhost:8081/../",
    "http://pied-piper.localhost:8081/x/..",
    "http://pied-piper.localhost:8081/%2e%2e/",
    "http://pied-piper.localhost:8081/;x",
    "http://pied-piper.localhost:8081/\\",
    "http://pied-piper.localhost:8081/gatepass-silent.html/",
    "http://pied-piper.localhost:8081/GATEPASS-SILENT.html",
    // Case.
    "http://PIED-PIPER.localhost:8081/",
    "HTTP://pied-piper.localhost:8081/",
    // Query and fragment.
    "http://pied-piper.localhost:8081/?",
    "http://pied-piper.localhost:8081/?x=1",
    "http://pied-piper.localhost:8081/#",
    "http://pied-piper.localhost:8081/#x",
    // Hosts that could be the same machine.
    "http://localhost:8081/",
    "http://127.0.0.1:8081/",
    "http://[::1]:8081/",
    "http://0.0.0.0:8081/",
    "http://2130706433:8081/",
    // Ports.
    "http://pied-piper.localhost:8082/",
    "http://pied-piper.localhost/",
    "http://pied-piper.localhost:08081/",
    // Who is asked.
    "http://user@pied-piper.localhost:8081/",
    "http://pied-piper.localhost:8081@evil.example/",
    "http://evil.example/http://pied-piper.localhost:8081/",
    "http://pied-piper.localhost:8081.evil.example/",
    "http://evil.pied-piper.localhost:8081/",
    "http://pied-piper.localhost.:8081/",
    // Encodings.
    "http://pied%2Dpiper.localhost:8081/",
    "http://pied-piper.localhost:8081/%00",
    "http://pied-piper.localhost:8081/\0",
    "http://pied-piper\u{3002}localhost:8081/",
    "http://pied-piper\u{ff0e}localhost:8081/",
    "http://pied-piper.localhost:8081/\u{200b}",
    " http://pied-piper.localhost:8081/",
    "http://pied-piper.localhost:8081/ ",
    // Schemes.
    "https://pied-piper.localhost:8081/",
    "//pied-piper.localhost:8081/",
    "javascript:alert(1)//http://pied-piper.localhost:8081/",
    "data:text/html,<script>alert(1)</script>",
];

#[test]
fn op1_redirect_uri_list_in_full() {
    let op = Op::start();
    for wrong in LOOKALIKES {
        let ask = Ask::piper().set("redirect_uri", wrong);
        op.get(&ask.path()).assert_page(wrong);
        // Signed in or not, and also with `prompt=none`, which shows no page of its own.
        op.get(&ask.set("prompt", "none").path()).assert_page(wrong);
    }
    let twice = Ask::piper().also("redirect_uri", PIPER);
    op.get(&twice.path()).assert_page("the same address twice");
    let beside = Ask::piper().also("redirect_uri", "http://evil.example/");
    op.get(&beside.path()).assert_page("another address beside it");
    // Encoded in another way it is still the same text, and that is what is compared.
    let path = Ask::piper().without("redirect_uri").path();
    let encoded = format!("{path}&redirect_uri=http%3a%2F%2fpied%2Dpiper.localhost:8081/");
    assert_eq!(op.get(&encoded).status, 200);
}

#[test]
fn op1_redirect_uri_of_a_redemption_is_the_one_of_the_request() {
    let op = Op::start();
    let mut person = Person::new(&op);
    for wrong in LOOKALIKES {
        let code = person.code(&Ask::piper());
        let form = crate::person::redemption("pied-piper", wrong, &code);
        let answer = op.post("/token", &form);
        assert_eq!((answer.status, &*answer.error()), (400, "invalid_grant"), "{wrong}");
    }
}

#[test]
fn op2_bad_client_gets_a_page_whatever_else_is_right() {
    let op = Op::start();
    for id in ["", "nobody", "PIED-PIPER", "pied-piper ", "pied-piper\0", "../pied-piper", "%"] {
        op.get(&Ask::piper().set("client_id", id).path()).assert_page(id);
    }
    op.get(&Ask::piper().without("client_id").path()).assert_page("no client");
    op.get(&Ask::piper().also("client_id", "hooli").path()).assert_page("two clients");
    op.get(&Ask::piper().set("client_id", "hooli").path()).assert_page("another's address");
    op.get(&Ask::piper().without("redirect_uri").path()).assert_page("no address");
    // Many parameters, and parameters that are no text, name nobody.
    op.get(&format!("{}{}", Ask::piper().path(), "&x=1".repeat(80))).assert_page("a flood");
    op.get(&format!("{}&x=%ff", Ask::piper().path())).assert_page("bad UTF-8");
    op.assert_well();
}

#[test]
fn op3_each_parameter_counts_once() {
    let op = Op::start();
    for (name, value) in Ask::piper().pairs() {
        let answer = op.get(&Ask::piper().also(name, value).path());
        if ["client_id", "redirect_uri"].contains(&name) {
            answer.assert_page(name);
        } else {
            assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{name}");
            assert_eq!(answer.param("code"), None, "{name}");
        }
    }
    // Also those that nobody has heard of, and the empty one beside the good one.
    let unknown = Ask::piper().also("colour", "red").also("colour", "blue");
    assert_eq!(op.get(&unknown.path()).param("error").as_deref(), Some("invalid_request"));
    let empty = Ask::piper().also("nonce", "");
    assert_eq!(op.get(&empty.path()).param("error").as_deref(), Some("invalid_request"));
    // A state that came twice is not repeated: which of the two would it be?
    let states = op.get(&Ask::piper().also("state", "other").path());
    assert_eq!(states.param("state"), None);

    let code = Person::new(&op).code(&Ask::piper());
    let form = crate::person::redemption("pied-piper", PIPER, &code);
    for pair in form {
        let answer = op.post("/token", &[&form[..], &[pair]].concat());
        assert_eq!((answer.status, &*answer.error()), (400, "invalid_request"), "{}", pair.0);
    }
    // None of these requests was understood, so none has used the code up.
    assert_eq!(op.redeem(&code).status, 200);
}

#[test]
fn op4_downgrade_and_mismatch() {
    let op = Op::start();
    let long = format!("{CHALLENGE}A");
    let padded = format!("{}=", &CHALLENGE[..42]);
    for (why, ask) in [
        ("no PKCE", Ask::piper().without("code_challenge").without("code_challenge_method")),
        ("method alone", Ask::piper().without("code_challenge")),
        ("plain by absence", Ask::piper().without("code_challenge_method")),
        ("plain", Ask::piper().set("code_challenge_method", "plain")),
        ("plain with a verifier", {
            Ask::piper().set("code_challenge_method", "plain").set("code_challenge", VERIFIER)
        }),
        ("method in another case", Ask::piper().set("code_challenge_method", "s256")),
        ("unknown method", Ask::piper().set("code_challenge_method", "S512")),
        ("empty", Ask::piper().set("code_challenge", "")),
        ("short", Ask::piper().set("code_challenge", &CHALLENGE[..42])),
        ("long", Ask::piper().set("code_challenge", &long)),
        ("padded", Ask::piper().set("code_challenge", &padded)),
        ("another alphabet", Ask::piper().set("code_challenge", &CHALLENGE.replace('_', "/"))),
    ] {
        let answer = op.get(&ask.path());
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{why}");
        assert_eq!(answer.param("code"), None, "{why}");
    }
    let mut person = Person::new(&op);
    let other = VERIFIER.replace("more", "less");
    for (verifier, error) in [
        ("", "invalid_request"),
        (CHALLENGE, "invalid_grant"),
        (&*other, "invalid_grant"),
        (&*format!("{VERIFIER} "), "invalid_grant"),
        (&VERIFIER[..42], "invalid_grant"),
        (&*"a".repeat(129), "invalid_grant"),
        (&*format!("{VERIFIER}\0"), "invalid_grant"),
    ] {
        let code = person.code(&Ask::piper());
        let mut form = crate::person::redemption("pied-piper", PIPER, &code);
        form[4].1 = verifier;
        let answer = op.post("/token", &form);
        assert_eq!((answer.status, &*answer.error()), (400, error), "{verifier:?}");
    }
    // A verifier of the right form that does not belong to the code uses the code up.
    let code = person.code(&Ask::piper());
    let mut form = crate::person::redemption("pied-piper", PIPER, &code);
    form[4].1 = &other;
    assert_eq!(op.post("/token", &form).error(), "invalid_grant");
    assert_eq!(op.redeem(&code).error(), "invalid_grant");
}

#[test]
fn op8_iss_on_every_answer() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let good = person.answer(&Ask::piper());
    let answers = [
        good,
        op.get(&Ask::piper().set("prompt", "none").path()),
        op.get(&Ask::piper().set("response_type", "token").path()),
        op.get(&Ask::piper().set("scope", "profile").path()),
        op.get(&Ask::piper().without("code_challenge").path()),
        op.get(&Ask::piper().also("nonce", "x").path()),
        op.get(&Ask::piper().set("request", "x").path()),
        op.get(&Ask::piper().set("max_age", "-1").path()),
        op.get(&Ask::piper().set("prompt", "none login").path()),
    ];
    for answer in answers {
        assert_eq!(answer.status, 303, "{answer:?}");
        assert_eq!(answer.param("iss").as_deref(), Some(&*op.issuer), "{answer:?}");
        assert_eq!(answer.param("state").as_deref(), Some("the-state"), "{answer:?}");
        assert_eq!(answer.param("code").is_some(), answer.param("error").is_none());
    }
}

/// Whatever a request names, the provider opens no connection to it.
#[test]
fn op13_nothing_that_a_request_names_is_fetched() {
    let op = Op::start();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("http://{}/", elsewhere.local_addr().unwrap());
    let mut person = Person::new(&op);
    for name in [
        "request_uri",
        "redirect_uri",
        "registration",
        "claims",
        "sector_identifier_uri",
        "jwks_uri",
        "logo_uri",
        "initiate_login_uri",
        "resource",
        "web_message_uri",
    ] {
        let answer = op.get(&Ask::piper().set(name, &address).path());
        assert!([200, 303, 400].contains(&answer.status), "{name}: {answer:?}");
    }
    let hint =
        format!("{}.e30.e30", base64(&format!("{{\"alg\":\"RS256\",\"jku\":\"{address}\"}}")));
    person.authorize(&Ask::piper().set("id_token_hint", &hint));
    let ended = person.get(&format!("/end_session?id_token_hint={hint}"));
    assert_eq!(person.follow(ended).status, 400);
    let ended = op.get(&format!("/end_session?post_logout_redirect_uri={address}"));
    assert_eq!(person.follow(ended).status, 400);
    assert_eq!(op.userinfo(&hint).status, 401);
    let seen = elsewhere.accept().map(|(_, from)| from).map_err(|error| error.kind());
    assert_eq!(seen.unwrap_err(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn op14_request_objects_are_refused() {
    let op = Op::start();
    let object = format!("{}.{}.", base64("{\"alg\":\"none\"}"), base64("{\"scope\":\"openid\"}"));
    for (ask, error) in [
        (Ask::piper().set("request", &object), "request_not_supported"),
        (Ask::piper().set("request_uri", "urn:example:1"), "request_uri_not_supported"),
        (Ask::piper().set("registration", "{}"), "registration_not_supported"),
        (
            Ask::piper().set("request", &object).set("request_uri", "urn:example:1"),
            "request_not_supported",
        ),
        // What an object says cannot stand in for what the request lacks.
        (Ask::piper().without("scope").set("request", &object), "request_not_supported"),
    ] {
        let answer = op.get(&ask.path());
        assert_eq!(answer.param("error").as_deref(), Some(error));
        assert_eq!(answer.param("code"), None);
    }
}

#[test]
fn op17_no_parameter_leads_a_browser_elsewhere() {
    let op = Op::start();
    let evil = ["//evil.example/", "http://evil.example/", "/\\evil.example", "%2f%2fevil.example"];
    for place in evil {
        for path in [
            format!("/login?r={place}"),
            format!("/login?return={place}&next={place}"),
            format!("/authorize/continue?r={place}"),
            format!("/authorize/continue?next={place}"),
            format!("/not_assigned?r={place}"),
            format!("/end_session?next={place}&returnTo={place}"),
            format!("/end_session/continue?r={place}"),
            format!("/signed_out?r={place}&back={place}"),
            format!("/?next={place}"),
            format!("/{place}"),
        ] {
            let mut person = Person::new(&op);
            let answer = person.get(&path);
            let location = answer.location().to_owned();
            assert!(location.is_empty() || location.starts_with("/end_session/"), "{path}");
            let answer = person.follow(answer);
            assert!(answer.location().starts_with('/') || answer.location().is_empty(), "{path}");
            assert!(!answer.body.contains("evil.example"), "{path}: {}", answer.body);
        }
    }
}

#[test]
fn op24_no_level_is_claimed_that_was_not_reached() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let ask = Ask::piper().set("acr_values", "urn:example:gold 99");
    let claims = person.tokens(&ask).claims();
    let offered = op.get("/.well-known/openid-configuration").json();
    assert_eq!(claims["acr"], offered["acr_values_supported"][0], "{claims}");
    assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
    // `none` beside anything that shows a page.
    for prompt in ["none login", "login none", "none select_account", "none none", "none consent"] {
        let answer = person.authorize(&Ask::piper().set("prompt", prompt));
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{prompt}");
    }
    for age in ["-1", "+1", "1.5", "1e3", " 1", "0x10", "99999999999999999999", "soon"] {
        let answer = person.authorize(&Ask::piper().set("max_age", age));
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{age}");
    }
    // A sign-in of long ago is not recent, by not one second.
    op.advance(600);
    let recent = Ask::piper().set("max_age", "600").set("prompt", "none");
    let answer = person.authorize(&recent.set("max_age", "599"));
    assert_eq!(answer.param("error").as_deref(), Some("login_required"));
    assert!(person.authorize(&Ask::piper().set("max_age", "9000")).param("code").is_some());
    assert_eq!(person.authorize(&Ask::piper().set("max_age", "0")).status, 200);
}

fn base64(text: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::encode_string(text.as_bytes())
}
