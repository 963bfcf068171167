//! The token endpoint's answer, UserInfo, and refreshing.

use gatepass_core::{
    error::Code,
    secret::Secret,
    wire::{Command, Ending, Failure, OnLoad, Outcome, Status},
};
use serde_json::{Value, json};

use crate::world::{APP, Endpoint, Page, Reply, World, page::get_token};

fn arrive(change: impl FnMut(&mut Reply) + 'static) -> Page {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().once(Endpoint::Token, change);
    page.sign_in();
    page
}

fn with(name: &'static str, value: Value) -> Page {
    arrive(move |reply| reply.member(name, value.clone()))
}

#[test]
fn rp29_each_member_missing_empty_or_of_another_type() {
    for name in ["access_token", "token_type", "id_token"] {
        let missing =
            if name == "id_token" { Code::IdTokenMissing } else { Code::TokenResponseInvalid };
        with(name, Value::Null).expect_refused(missing);
        for value in [json!(""), json!(7), json!([]), json!({}), json!(true)] {
            with(name, value).expect_refused(Code::TokenResponseInvalid);
        }
        // A member that is null is not one that is missing.
        arrive(move |reply| {
            reply.member(name, json!("taken away"));
            let text = String::from_utf8(reply.body.clone()).unwrap();
            reply.body = text.replace("\"taken away\"", "null").into_bytes();
        })
        .expect_refused(Code::TokenResponseInvalid);
    }
    with("refresh_token", Value::Null).expect_status(Status::Authenticated);
    for value in [json!(""), json!(7), json!([])] {
        with("refresh_token", value).expect_refused(Code::TokenResponseInvalid);
    }
}

#[test]
fn rp29_an_access_token_that_is_no_header_is_refused() {
    for character in ["\n", "\r\n", " ", "\t", "\u{0}", "\u{7f}", "\u{e9}"] {
        with("access_token", json!(format!("a{character}b")))
            .expect_refused(Code::TokenResponseInvalid);
    }
    // Some providers use more than the letters of base64: at_hash tells that it is another.
    with("access_token", json!("a|b:c~d")).expect_refused(Code::AtHashInvalid);
}

#[test]
fn rp30_token_type_is_bearer_in_any_case() {
    for token_type in ["bearer", "BEARER", "bEaReR"] {
        with("token_type", json!(token_type)).expect_status(Status::Authenticated);
    }
    for token_type in ["DPoP", "mac", "Bearer ", "Bear", "N_A"] {
        with("token_type", json!(token_type)).expect_refused(Code::TokenResponseInvalid);
    }
}

#[test]
fn rp30_expires_in_absent_a_text_negative_or_a_fraction() {
    let at =
        |page: &Page| page.session().token_expires_at.map(|t| t - crate::world::BEGIN_MS / 1000);
    assert_eq!(at(&with("expires_in", json!(300))), Some(300));
    assert_eq!(at(&with("expires_in", json!("300"))), Some(300));
    let absent = with("expires_in", Value::Null);
    assert_eq!(at(&absent), None);
    absent.world.advance_with_heartbeat(100_000);
    assert!(absent.token().is_ok());
    assert_eq!(absent.world.refreshes(), 0, "good until somebody refuses it");
    assert_eq!(at(&with("expires_in", json!(0))), Some(0));
    for value in [
        json!(-1),
        json!(300.5),
        json!("-1"),
        json!("300.5"),
        json!("3e2"),
        json!(" 300"),
        json!(""),
        json!("soon"),
        json!(1e300),
        json!(true),
        json!([300]),
    ] {
        with("expires_in", value).expect_refused(Code::TokenResponseInvalid);
    }
    // Far in the future is far, not overflown.
    let far = with("expires_in", json!(9_007_199_254_740_991_i64));
    assert!(at(&far).unwrap() > 0);
}

#[test]
fn rp29_what_is_no_token_response() {
    for body in ["", "[]", "null", "\"x\"", "access_token=a&token_type=Bearer", "{", "{}x"] {
        arrive(move |reply| reply.body = body.into()).expect_refused(Code::TokenResponseInvalid);
    }
    arrive(Reply::html).expect_refused(Code::TokenResponseInvalid);
    arrive(|reply| reply.body.insert(0, b' ')).expect_status(Status::Authenticated);
    arrive(|reply| {
        reply.body = [b"\xef\xbb\xbf", &reply.body[..]].concat();
    })
    .expect_refused(Code::TokenResponseInvalid);
    arrive(|reply| {
        let text = String::from_utf8(reply.body.clone()).unwrap();
        reply.body = text.replacen('{', "{\"access_token\":\"other\",", 1).into_bytes();
    })
    .expect_refused(Code::TokenResponseInvalid);
}

#[test]
fn rp29_a_redirect_of_the_token_endpoint_is_not_followed() {
    let page = arrive(|reply| reply.fail(Failure::Redirected));
    page.expect_refused(Code::TokenResponseInvalid);
    assert_eq!(page.world.count(Endpoint::Token), 1);
    arrive(|reply| reply.fail(Failure::TooLarge)).expect_refused(Code::TokenResponseInvalid);
}

#[test]
fn rp29_errors_of_the_token_endpoint() {
    for (status, error, code) in [
        (400, "invalid_grant", Code::InvalidGrant),
        (400, "invalid_client", Code::ProviderError),
        (401, "invalid_client", Code::ProviderError),
        (400, "invented", Code::ProviderError),
        (401, "invalid_token", Code::InvalidToken),
        // A success with an error is one.
        (200, "invalid_grant", Code::InvalidGrant),
        (200, "server_error", Code::ProviderError),
    ] {
        arrive(move |reply| {
            reply.status = status;
            reply.member("error", json!(error));
        })
        .expect_refused(code);
    }
    for status in [201, 204, 302, 400, 403, 404] {
        arrive(move |reply| reply.status = status).expect_refused(Code::TokenResponseInvalid);
    }
    for status in [500, 502, 503] {
        let page = arrive(move |reply| {
            reply.status = status;
            reply.html();
        });
        page.expect_status(Status::Offline);
        assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    }
}

#[test]
fn rp29_an_error_of_any_type_is_one() {
    // Tokens beside it count for nothing.
    for error in [json!(""), json!(7), json!({}), json!([]), json!(true)] {
        with("error", error).expect_refused(Code::ProviderError);
    }
}

#[test]
fn rp6_what_an_error_says_is_bounded_text() {
    let found = |description: Value| {
        let page = arrive(move |reply| {
            reply.status = 400;
            reply.member("error", json!("invalid_request"));
            reply.member("error_description", description.clone());
        });
        page.expect_refused(Code::ProviderError);
        page.session().error.unwrap().evidence.as_ref().unwrap().found.clone()
    };
    let script = "<script>alert(1)</script>";
    assert_eq!(found(json!(script)), format!("invalid_request: {script}"));
    assert_eq!(
        found(json!("a\u{1b}[31m\r\nb\u{0}\u{9f}")),
        "invalid_request: a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}\u{fffd}"
    );
    assert_eq!(found(json!("é".repeat(1000))).chars().count(), 120);
    assert_eq!(found(json!(7)), "invalid_request");
    assert_eq!(found(json!("")), "invalid_request");
}

#[test]
fn rp31_what_a_provider_repeats_of_our_secrets_is_not_shown() {
    // The world's rules look for the secrets in everything that is shown.
    let found =
        |page: &Page| page.session().error.unwrap().evidence.as_ref().unwrap().found.clone();
    for name in ["code", "code_verifier"] {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().echoes = Some(name);
        page.sign_in();
        page.expect_refused(Code::ProviderError);
        assert_eq!(found(&page), "a text with a secret in it");
    }
    let (world, page) = due();
    world.provider().echoes = Some("refresh_token");
    assert_eq!(page.token(), Err(Code::ProviderError));
    assert_eq!(found(&page), "a text with a secret in it");
    // What is no secret may be repeated.
    let (world, page) = due();
    world.provider().echoes = Some("client_id");
    assert_eq!(page.token(), Err(Code::ProviderError));
    assert_eq!(found(&page), "invalid: what is pied-piper?");
}

// UserInfo.

fn check(change: impl FnMut(&mut Reply) + 'static) -> (Page, Option<Outcome>) {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().once(Endpoint::UserInfo, change);
    let outcome = page.check();
    (page, outcome)
}

/// The same where each of its answers is like that.
fn always(change: impl FnMut(&mut Reply) + 'static) -> (Page, Option<Outcome>) {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::UserInfo, change);
    let outcome = page.check();
    (page, outcome)
}

#[test]
fn oidcc_client_test_userinfo_bearer_header() {
    let (page, outcome) = check(|_| {});
    assert_eq!(outcome, Some(Outcome::Done {}));
    let token = page.token().unwrap();
    let request =
        page.world.provider().requests.iter().find(|r| r.endpoint == Endpoint::UserInfo).cloned();
    assert_eq!(request.unwrap().authorization, Some(format!("Bearer {token}")));
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    for sub in ["gavin", "Richard", "richard ", "rich"] {
        let (page, outcome) = always(move |reply| reply.member("sub", json!(sub)));
        let Some(Outcome::Failed { error }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.code, Code::UserInfoSubMismatch);
        assert_eq!(page.claim("sub"), "richard", "nothing of it is used");
    }
    for value in [Value::Null, json!(7), json!(["richard"]), json!({})] {
        let (_, outcome) = always(move |reply| reply.member("sub", value.clone()));
        assert!(
            matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::UserInfoInvalid)
        );
    }
    let (_, outcome) =
        always(|reply| reply.body = br#"{"sub":"richard","sub":"richard"}"#.to_vec());
    assert!(
        matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::UserInfoInvalid)
    );
    let (_, outcome) = always(Reply::html);
    assert!(
        matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::UserInfoInvalid)
    );
}

#[test]
fn a_check_that_fails_for_the_network_is_offline_and_keeps_the_session() {
    for change in [
        |reply: &mut Reply| reply.fail(Failure::Network),
        |reply: &mut Reply| reply.fail(Failure::Timeout),
        |reply: &mut Reply| reply.status = 500,
    ] {
        let (page, outcome) = check(change);
        assert!(
            matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::IssuerUnreachable)
        );
        page.expect_status(Status::Offline);
        assert_eq!(page.claim("sub"), "richard");
        assert_eq!(page.check(), Some(Outcome::Done {}));
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
}

#[test]
fn a_check_finds_that_the_session_is_over() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().provider.end_sso(0);
    assert_eq!(page.check(), Some(Outcome::Done {}));
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
}

#[test]
fn a_check_without_a_refresh_token_ends_a_session_that_the_provider_refuses() {
    let world = World::new();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.inside().provider.end_sso(0);
    assert_eq!(page.check(), Some(Outcome::Done {}));
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidToken));
}

#[test]
fn a_check_without_a_session_asks_nobody() {
    let world = World::new();
    let page = world.open();
    assert_eq!(page.check(), Some(Outcome::Done {}));
    assert_eq!(world.requests(), 0);
}

// Tokens for the app.

#[test]
fn a_token_is_kept_until_it_is_too_old_for_its_use() {
    let world = World::new();
    let page = world.signed_in("richard");
    let ask = |min_ttl| {
        page.run(Command::GetToken {
            min_ttl: Some(min_ttl),
            origin: None,
            refused: None,
            resource: None,
            scope: None,
        })
    };
    let Some(Outcome::Token { expires_at: Some(until), .. }) = ask(30) else { panic!() };
    assert_eq!(until, crate::world::BEGIN_MS / 1000 + 300);
    ask(299);
    assert_eq!(world.refreshes(), 0);
    ask(300);
    assert_eq!(world.refreshes(), 1);
    // A token that never lasts that long is given all the same: there is no better.
    assert!(matches!(ask(100_000), Some(Outcome::Token { .. })));
    assert_eq!(world.refreshes(), 2);
    world.advance_with_heartbeat(269);
    assert!(page.token().is_ok());
    assert_eq!(world.refreshes(), 2);
    world.advance_with_heartbeat(1);
    assert!(page.token().is_ok());
    assert_eq!(world.refreshes(), 3);
}

#[test]
fn a_refused_token_is_replaced_and_not_given_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    let first = page.token().unwrap();
    let second = page.token_instead_of(&first).unwrap();
    assert_ne!(first, second);
    // Another request that was refused with the first one gets the second without asking.
    assert_eq!(page.token_instead_of(&first).unwrap(), second);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn a_token_goes_to_allowed_origins_only() {
    let world = World::with(|config| {
        config.token_origins = Some(vec!["https://api.example".into()]);
    });
    let page = world.signed_in("richard");
    let ask = |origin: &str| {
        let command = Command::GetToken {
            min_ttl: None,
            origin: Some(origin.into()),
            refused: None,
            resource: None,
            scope: None,
        };
        match page.run(command) {
            Some(Outcome::Token { access_token, .. }) => access_token.is_some(),
            other => panic!("{other:?}"),
        }
    };
    assert!(ask(APP));
    assert!(ask("https://api.example"));
    for origin in [
        "https://evil.example",
        "https://api.example.evil.example",
        "http://api.example",
        "https://api.example:8443",
        "https://API.example",
        "https://api.example/",
        "null",
        "",
        "https://idp.example",
    ] {
        assert!(!ask(origin), "{origin}");
    }
}

#[test]
fn a_token_without_a_session_is_refused() {
    let world = World::new();
    let page = world.open();
    assert_eq!(page.token(), Err(Code::NotSignedIn));
    // To a foreign origin the answer is the same as ever: none.
    let command = Command::GetToken {
        min_ttl: None,
        origin: Some("https://evil.example".into()),
        refused: None,
        resource: None,
        scope: None,
    };
    assert!(matches!(page.run(command), Some(Outcome::Token { access_token: None, .. })));
}

#[test]
fn without_a_refresh_token_an_old_token_is_unavailable_and_the_session_stays() {
    let world = World::new();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(290);
    assert_eq!(page.token(), Err(Code::TokenUnavailable));
    page.expect_status(Status::Authenticated);
}

// Refreshing.

/// A signed-in page whose token has to be refreshed.
fn due() -> (World, Page) {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(290);
    (world, page)
}

#[test]
fn oidcc_client_test_refresh_token() {
    let (world, page) = due();
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(page.token().unwrap());
        world.advance_with_heartbeat(290);
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    page.expect_status(Status::Authenticated);
    // Each refresh token was sent once.
    let sent = world
        .provider()
        .requests
        .iter()
        .filter_map(|r| r.form.get("refresh_token").cloned())
        .collect::<Vec<_>>();
    let unique: std::collections::BTreeSet<_> = sent.iter().collect();
    assert_eq!(unique.len(), sent.len());
}

#[test]
fn rp17_a_refresh_token_is_kept_when_none_comes_back() {
    let world = World::new();
    world.provider().rotates = false;
    let page = world.signed_in("richard");
    for _ in 0..3 {
        world.advance_with_heartbeat(290);
        page.token().unwrap();
    }
    let sent = world
        .provider()
        .requests
        .iter()
        .filter_map(|r| r.form.get("refresh_token").cloned())
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sent.len(), 1);
}

#[test]
fn two_calls_at_once_cause_one_refresh() {
    let (world, page) = due();
    let calls: Vec<u32> = (0..5).map(|_| page.begin(get_token())).collect();
    world.settle();
    let outcomes: Vec<_> = calls.iter().map(|id| page.outcome(*id).unwrap()).collect();
    assert!(matches!(&outcomes[0], Outcome::Token { access_token: Some(Secret(_)), .. }));
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn rp17_invalid_grant_ends_the_session() {
    let (world, page) = due();
    world.provider().once(Endpoint::Token, |reply| {
        *reply = Reply::json(400, &json!({ "error": "invalid_grant" }))
    });
    assert_eq!(page.token(), Err(Code::NotSignedIn));
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
    assert_eq!(page.session().claims, None);
    assert_eq!(world.refreshes(), 1);
    assert_eq!(world.inside().open_streams(), 0);
}

#[test]
fn rp17_a_network_that_is_away_keeps_the_session() {
    let (world, page) = due();
    world.provider().is_down = true;
    assert_eq!(page.token(), Err(Code::IssuerUnreachable));
    page.expect_status(Status::Offline);
    assert_eq!(page.claim("sub"), "richard");
    world.provider().is_down = false;
    assert!(page.token().is_ok());
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn rp17_answers_that_break_a_rule_keep_the_session() {
    for change in [
        Reply::html as fn(&mut Reply),
        |reply| reply.status = 500,
        |reply| reply.member("access_token", Value::Null),
        |reply| *reply = Reply::json(400, &json!({ "error": "invalid_client" })),
        |reply| *reply = Reply::json(401, &json!({ "error": "invalid_token" })),
        |reply| reply.fail(Failure::Redirected),
    ] {
        let (world, page) = due();
        world.provider().once(Endpoint::Token, change);
        assert!(page.token().is_err());
        assert!(matches!(page.status(), Status::Authenticated | Status::Offline));
        assert_eq!(page.claim("sub"), "richard");
    }
}

#[test]
fn rp17_a_lost_answer_ends_in_a_clean_sign_out() {
    let (world, page) = due();
    // The provider rotated, but its answer was lost on the way.
    world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    assert_eq!(page.token(), Err(Code::IssuerUnreachable));
    assert_eq!(page.token(), Err(Code::NotSignedIn));
    page.expect_status(Status::Expired);
    page.sign_in();
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp17_a_lost_answer_is_made_up_for_within_the_providers_grace() {
    let (world, page) = due();
    let other = world.open();
    world.provider().has_grace = true;
    world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    assert_eq!(page.token(), Err(Code::IssuerUnreachable));
    assert!(page.token().is_ok());
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!(tab.token(), page.token());
    }
    assert_eq!(world.refreshes(), 2);
}

#[test]
fn oidcc_client_test_refresh_token_invalid_issuer_sub_and_others() {
    for (name, value, code) in [
        ("iss", json!("https://evil.example"), Code::IssInvalid),
        ("sub", json!("gavin"), Code::RefreshedTokenInvalid),
        ("aud", json!("hooli"), Code::AudInvalid),
        ("aud", json!(["pied-piper", "hooli"]), Code::AudInvalid),
        ("auth_time", json!(1_700_000_000), Code::RefreshedTokenInvalid),
        ("azp", json!("hooli"), Code::AzpInvalid),
        // None was there before.
        ("azp", json!("pied-piper"), Code::RefreshedTokenInvalid),
        ("nonce", json!("another"), Code::RefreshedTokenInvalid),
        // 290 s after the first: as old as the skew allows, and a second more is a replay.
        ("iat", json!(crate::world::BEGIN_MS / 1000 - 61), Code::RefreshedTokenInvalid),
        ("sid", json!("another"), Code::RefreshedTokenInvalid),
        ("exp", json!(1_700_000_000), Code::ExpInvalid),
        ("iat", json!(1_900_000_000), Code::IatInvalid),
        ("sub", Value::Null, Code::ClaimInvalid),
        ("iat", Value::Null, Code::ClaimInvalid),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"), Code::AtHashInvalid),
    ] {
        let (world, page) = due();
        let before = page.session().claims;
        world.provider().next_id_token(move |token| token.claim(name, value.clone()));
        assert_eq!(page.token(), Err(code), "{name}");
        page.expect_status(Status::Authenticated);
        assert_eq!(page.session().claims, before, "the session is kept");
        assert_eq!(page.code(), Some(code));
    }
}

#[test]
fn rp17_a_refreshed_id_token_may_leave_out_what_is_optional() {
    for name in ["nonce", "auth_time", "sid", "azp", "acr"] {
        let (world, page) = due();
        world.provider().next_id_token(move |token| token.claim(name, Value::Null));
        assert!(page.token().is_ok(), "{name}");
        page.expect_status(Status::Authenticated);
        // What the first token said is not lost on the stream's tokens.
        world.provider_ends_session();
        page.expect_status(Status::Anonymous);
    }
}

#[test]
fn oidcc_refreshed_claims_that_may_be_as_they_are() {
    // The nonce of the sign-in again, a time that another machine of the provider says.
    let (world, page) = due();
    let nonce = page.session().claims.unwrap().0;
    let nonce: Value = serde_json::from_str(&nonce).unwrap();
    let nonce = nonce["nonce"].clone();
    assert!(nonce.is_string());
    world.provider().next_id_token(move |token| {
        token.claim("nonce", nonce.clone());
        token.claim("iat", json!(crate::world::BEGIN_MS / 1000 - 60));
    });
    assert!(page.token().is_ok());
    assert_eq!(page.code(), None);
}

#[test]
fn oidcc_refreshed_nonce_is_none_that_nobody_knows_any_more() {
    let (world, page) = due();
    // The first refresh leaves the nonce out, and its token takes the place of the first.
    assert!(page.token().is_ok());
    world.advance_with_heartbeat(290);
    world.provider().next_id_token(|token| token.claim("nonce", json!("another")));
    assert_eq!(page.token(), Err(Code::RefreshedTokenInvalid));
    page.expect_status(Status::Authenticated);
}

#[test]
fn oidcc_refreshed_azp_is_there_if_it_was_before() {
    for (azp, good) in [(json!("pied-piper"), true), (Value::Null, false)] {
        let world = World::new();
        world.provider().next_id_token(|token| token.claim("azp", json!("pied-piper")));
        let page = world.signed_in("richard");
        world.advance_with_heartbeat(290);
        world.provider().next_id_token(move |token| token.claim("azp", azp.clone()));
        assert_eq!(page.token().is_ok(), good);
        let code = if good { None } else { Some(Code::RefreshedTokenInvalid) };
        assert_eq!(page.code(), code);
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn rp17_an_audience_in_another_form_is_the_same() {
    let (world, page) = due();
    world.provider().next_id_token(|token| token.claim("aud", json!(["pied-piper"])));
    assert!(page.token().is_ok());
}

#[test]
fn rp17_a_refresh_without_an_id_token_keeps_the_first() {
    let world = World::new();
    world.provider().gives_id_token_on_refresh = false;
    let page = world.signed_in("richard");
    let before = page.session().claims;
    world.advance_with_heartbeat(290);
    page.token().unwrap();
    assert_eq!(page.session().claims, before);
    // The hint at sign-out is the token that was verified.
    page.sign_out();
    assert!(world.last_visit().contains_key("id_token_hint"));
}

#[test]
fn the_checks_of_the_sign_in_stay_after_a_refresh() {
    let (_, page) = due();
    let before = page.checks().len();
    page.token().unwrap();
    let after = page.checks();
    assert_eq!(after.len(), before);
    assert!(after.iter().any(|check| check.name == "nonce"));
}

#[test]
fn a_call_during_a_sign_out_gets_no_token() {
    let (world, page) = due();
    world.hold(Endpoint::Token);
    let id = page.begin(get_token());
    world.settle();
    page.leave_only_this_app();
    assert!(
        matches!(page.outcome(id), Some(Outcome::Failed { error }) if error.code == Code::NotSignedIn)
    );
    world.release();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.token(), Err(Code::NotSignedIn));
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Anonymous);
}
