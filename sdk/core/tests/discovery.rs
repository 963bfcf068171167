//! Discovery: exactly the issuer that was asked, and endpoints that can be used.

use gatepass_core::{
    config::Config,
    error::Code,
    machine::Machine,
    wire::{Failure, Outcome, Status},
};
use serde_json::{Value, json};

use crate::world::{APP, CLIENT, Endpoint, ISSUER, World};

/// A click while discovery answers like this; the code that the click fails with.
#[track_caller]
fn refused(change: impl FnMut(&mut crate::world::Reply) + 'static) -> Code {
    let world = World::new();
    let page = world.open();
    world.provider().always(Endpoint::Discovery, change);
    let outcome = page.sign_in();
    let Some(Outcome::Failed { error }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(world.visits(), 0, "the page was not left");
    assert_eq!(world.count(Endpoint::Discovery), 1);
    assert_eq!(page.code(), Some(error.code));
    page.expect_status(Status::Anonymous);
    error.code
}

fn member(name: &'static str, value: Value) -> Code {
    refused(move |reply| reply.member(name, value.clone()))
}

#[test]
fn oidcc_client_test_discovery_openid_config() {
    let world = World::new();
    world.signed_in("richard");
    let first = world.provider().requests[0].url.clone();
    assert_eq!(first, format!("{ISSUER}/.well-known/openid-configuration"));
    assert_eq!(world.count(Endpoint::Keys), 1);
}

#[test]
fn rp14_a_terminating_slash_of_the_issuer_goes_before_the_path() {
    let issuer = "https://idp.example/realm/";
    let world = World::with(|config| config.issuer = issuer.into());
    world.provider().metadata["issuer"] = json!(issuer);
    let page = world.open();
    page.sign_in();
    let first = world.provider().requests[0].url.clone();
    assert_eq!(first, "https://idp.example/realm/.well-known/openid-configuration");
    assert_eq!(world.visits(), 1);
}

#[test]
fn oidcc_client_test_discovery_issuer_mismatch() {
    for other in [
        format!("{ISSUER}/"),
        ISSUER.replace("https", "http"),
        ISSUER.replace("idp", "IDP"),
        format!("{ISSUER}:443"),
        format!("{ISSUER}:8443"),
        format!("{ISSUER}/realm"),
        format!("{ISSUER}.evil.example"),
        "https://evil.example".into(),
        format!("{ISSUER}#"),
        format!("{ISSUER}?"),
        String::new(),
    ] {
        assert_eq!(member("issuer", json!(other)), Code::IssuerMismatch, "{other}");
    }
    assert_eq!(member("issuer", Value::Null), Code::IssuerMismatch);
    assert_eq!(member("issuer", json!(7)), Code::IssuerMismatch);
    assert_eq!(member("issuer", json!([ISSUER])), Code::IssuerMismatch);
}

#[test]
fn an_endpoint_that_is_needed_is_missing_or_no_address() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(member(name, Value::Null), Code::MetadataInvalid, "{name}");
    }
    let all = [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
        "session_events_endpoint",
    ];
    for name in all {
        for value in [
            json!(""),
            json!(7),
            json!([]),
            json!("javascript:alert(1)//https://"),
            json!("JAVASCRIPT:alert(1)"),
            json!("data:text/html,hello"),
            json!("file:///etc/passwd"),
            json!("//idp.example/authorize"),
            json!("/authorize"),
            json!(" https://idp.example/authorize"),
            json!("ftp://idp.example/"),
        ] {
            assert_eq!(member(name, value.clone()), Code::MetadataInvalid, "{name} {value}");
        }
    }
}

#[test]
fn rp14_endpoints_of_plain_http_are_refused_unless_the_app_says_so() {
    let with = |url: &'static str, allowed: bool| {
        let world = World::with(|config| config.dangerously_allow_http = Some(allowed));
        let page = world.open();
        world.provider().once(Endpoint::Discovery, move |reply| {
            reply.member("end_session_endpoint", json!(url));
        });
        world.person_signs_in("richard");
        page.sign_in();
        page.code()
    };
    for url in ["http://idp.example/x", "http://localhost.evil.example/x", "http://10.0.0.1/"] {
        assert_eq!(with(url, false), Some(Code::MetadataInvalid), "{url}");
        assert_eq!(with(url, true), None, "{url}");
    }
    for url in ["http://idp.localhost/x", "http://localhost:9000/x", "http://127.0.0.1/x"] {
        assert_eq!(with(url, false), None, "{url}");
    }
    for url in [
        "javascript:alert(1)",
        "ftp://idp.example",
        "//idp.example",
        "HTTP://idp.example",
        "https://idp.example/a#b",
    ] {
        assert_eq!(with(url, true), Some(Code::MetadataInvalid), "{url}");
    }
}

#[test]
fn what_is_not_needed_may_be_missing() {
    let world = World::new();
    {
        let mut provider = world.provider();
        for name in ["userinfo_endpoint", "end_session_endpoint", "session_events_endpoint"] {
            provider.publishes_no(name);
        }
        provider.metadata["scopes_supported"] = json!(7);
    }
    let page = world.signed_in("richard");
    assert_eq!(world.count(Endpoint::Events), 0);
    // Without UserInfo a refresh tells as much.
    assert_eq!(page.check(), Some(Outcome::Done {}));
    assert_eq!(world.refreshes(), 1);
    let Some(Outcome::Failed { error }) = page.sign_out() else { panic!() };
    assert_eq!(error.code, Code::SignOutUnsupported);
    page.expect_status(Status::Anonymous);
}

#[test]
fn a_discovery_document_that_is_none() {
    assert_eq!(refused(crate::world::Reply::html), Code::MetadataInvalid);
    for body in
        ["", "[]", "null", "7", "\"x\"", "{", "{}garbage", "{\"issuer\":\"a\",\"issuer\":\"b\"}"]
    {
        let code = refused(move |reply| reply.body = body.as_bytes().to_vec());
        assert_eq!(code, Code::MetadataInvalid, "{body}");
    }
    assert_eq!(refused(|reply| reply.body = b"\xef\xbb\xbf{}".to_vec()), Code::MetadataInvalid);
    assert_eq!(
        refused(|reply| reply.body = b"{\"issuer\":\"\xff\"}".to_vec()),
        Code::MetadataInvalid
    );
    assert_eq!(
        refused(|reply| reply.body = "[".repeat(100_000).into_bytes()),
        Code::MetadataInvalid
    );
}

#[test]
fn rp14_a_discovery_document_from_a_redirect_is_refused() {
    assert_eq!(refused(|reply| reply.fail(Failure::Redirected)), Code::MetadataInvalid);
    assert_eq!(refused(|reply| reply.fail(Failure::TooLarge)), Code::MetadataInvalid);
}

#[test]
fn a_provider_that_does_not_answer_is_said_to_be_unreachable() {
    for failure in [Failure::Network, Failure::Timeout, Failure::Unavailable] {
        assert_eq!(refused(move |reply| reply.fail(failure)), Code::IssuerUnreachable);
    }
    for status in [204, 301, 404, 429, 500, 503] {
        let code = refused(move |reply| reply.status = status);
        assert_eq!(code, Code::IssuerUnreachable, "{status}");
    }
}

#[test]
fn before_each_departure_the_provider_is_asked() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    page.sign_in();
    assert_eq!(world.count(Endpoint::Discovery), 1);

    let world = World::new();
    let page = world.signed_in("richard");
    let asked = world.count(Endpoint::Discovery);
    world.inside().stays = true;
    page.sign_out();
    assert_eq!(world.count(Endpoint::Discovery), asked + 1);
}

#[test]
fn the_configuration_is_checked_when_a_machine_is_made() {
    let good = Config {
        issuer: ISSUER.into(),
        client_id: CLIENT.into(),
        redirect_uri: format!("{APP}/").into(),
        post_logout_redirect_uri: format!("{APP}/").into(),
        origin: APP.into(),
        ..Config::default()
    };
    assert!(Machine::new(good.clone()).is_ok());
    type Spoil = fn(&mut Config);
    let bad: [(&str, Spoil); 35] = [
        ("issuer", |c| c.issuer = "".into()),
        ("issuer", |c| c.issuer = "idp.example".into()),
        ("issuer", |c| c.issuer = "javascript:alert(1)".into()),
        ("issuer", |c| c.issuer = format!("{ISSUER}?a=b").into()),
        ("issuer", |c| c.issuer = format!("{ISSUER}#a").into()),
        ("clientId", |c| c.client_id = "".into()),
        ("redirectUri", |c| c.redirect_uri = "/callback".into()),
        ("postLogoutRedirectUri", |c| c.post_logout_redirect_uri = "//x".into()),
        ("scope", |c| c.scope = Some("profile email".into())),
        ("scope", |c| c.scope = Some("openidx".into())),
        ("sessionLifetime", |c| c.session_lifetime = Some(0)),
        ("sessionLifetime", |c| c.session_lifetime = Some(-1)),
        ("idTokenSignedResponseAlg", |c| c.id_token_signed_response_alg = Some("".into())),
        ("idTokenSignedResponseAlg", |c| c.id_token_signed_response_alg = Some("none".into())),
        ("idTokenSignedResponseAlg", |c| c.id_token_signed_response_alg = Some("HS256".into())),
        ("idTokenSignedResponseAlg", |c| {
            c.id_token_signed_response_alg = Some("RS256 HS256".into());
        }),
        ("idTokenSignedResponseAlg", |c| c.id_token_signed_response_alg = Some("RS256 ".into())),
        ("sessionEventsEndpoint", |c| {
            c.session_events_endpoint = Some("http://app.example/session-events".into());
        }),
        ("sessionEventsEndpoint", |c| c.session_events_endpoint = Some("/session-events".into())),
        ("clockSkew", |c| c.clock_skew = Some(-1)),
        ("clockSkew", |c| c.clock_skew = Some(301)),
        ("tokenOrigins", |c| c.token_origins = Some(vec!["http://api.example".into()])),
        ("tokenOrigins", |c| {
            c.token_origins = Some(vec!["https://api.example".into(), "api.example".into()]);
        }),
        // RP14: plain http beyond this machine.
        ("issuer", |c| c.issuer = "http://idp.example".into()),
        ("issuer", |c| c.issuer = "http://localhost@idp.example".into()),
        ("issuer", |c| c.issuer = "http://idp.example/.localhost".into()),
        ("issuer", |c| {
            c.issuer = "http://idp.example".into();
            c.dangerously_allow_http = Some(false);
        }),
        ("issuer", |c| {
            c.issuer = "ftp://idp.example".into();
            c.dangerously_allow_http = Some(true);
        }),
        ("redirectUri", |c| c.redirect_uri = "http://app.example/".into()),
        ("redirectUri", |c| c.redirect_uri = "".into()),
        ("silentRedirectUri", |c| {
            c.silent_redirect_uri = Some("https://other.example/silent.html".into());
        }),
        ("silentRedirectUri", |c| {
            c.silent_redirect_uri = Some("https://app.example.evil.example/".into());
        }),
        ("silentRedirectUri", |c| c.silent_redirect_uri = Some("https://app.example".into())),
        ("silentRedirectUri", |c| c.silent_redirect_uri = Some("/silent.html".into())),
        ("postLogoutRedirectUri", |c| c.post_logout_redirect_uri = "http://app.example/".into()),
    ];
    let fine: [Spoil; 9] = [
        |c| c.session_events_endpoint = Some("https://app.example/session-events".into()),
        |c| c.silent_redirect_uri = Some("https://app.example/a/silent.html".into()),
        |c| {
            let origins = ["https://api.example", "http://localhost:1"];
            c.token_origins = Some(origins.map(Into::into).into());
        },
        |c| c.id_token_signed_response_alg = Some("RS256".into()),
        |c| c.id_token_signed_response_alg = Some("EdDSA PS512 ES384".into()),
        |c| c.clock_skew = Some(0),
        |c| c.clock_skew = Some(300),
        |c| {
            c.issuer = "http://idp.localhost:9000/realms/a".into();
            c.redirect_uri = "http://127.0.0.1/".into();
            c.post_logout_redirect_uri = "http://[::1]:1/".into();
        },
        |c| {
            c.issuer = "http://idp.example".into();
            c.redirect_uri = "http://app.example/".into();
            c.post_logout_redirect_uri = "http://app.example/".into();
            c.dangerously_allow_http = Some(true);
        },
    ];
    for change in fine {
        let mut config = good.clone();
        change(&mut config);
        assert!(Machine::new(config).is_ok());
    }
    for (option, spoil) in bad {
        let mut config = good.clone();
        spoil(&mut config);
        let Err(error) = Machine::new(config) else { panic!("{option}") };
        assert_eq!(error.code, Code::ConfigInvalid);
        assert_eq!(error.evidence.clone().unwrap().subject, option);
    }
}
