//! Leaving for the provider and coming back: state, nonce, PKCE, `iss`, errors, repeats.

use std::collections::BTreeSet;

use gatepass_core::{
    base64url::encode,
    error::Code,
    wire::{Command, Failure, OnLoad, Outcome, Status},
};

use crate::world::{
    APP, Endpoint, ISSUER, Page, World, keys::sha256, page::sign_in_to, provider::Visit,
};

type Parameters = Vec<(String, String)>;

/// A sign-in whose authorization response is changed on the way.
fn arrive(change: impl FnMut(&mut Parameters) + 'static) -> Page {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().next_callback(change);
    page.sign_in();
    page
}

fn set(parameters: &mut Parameters, name: &str, value: &str) {
    for (known, old) in parameters.iter_mut() {
        if known == name {
            value.clone_into(old);
        }
    }
}

fn drop_parameter(parameters: &mut Parameters, name: &str) {
    parameters.retain(|(known, _)| known != name);
}

fn add(parameters: &mut Parameters, name: &str, value: &str) {
    parameters.push((name.into(), value.into()));
}

#[track_caller]
fn refuses(code: Code, change: impl FnMut(&mut Parameters) + 'static) {
    let page = arrive(change);
    page.expect_refused(code);
    assert_eq!(page.world.count(Endpoint::Token), 0, "no token request");
}

#[test]
fn rp4_pkce_is_s256_by_the_vector_of_rfc_7636() {
    // Appendix B.
    let challenge = encode(&sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    // The machine sends the challenge of the verifier that it later shows: the provider compares.
    let world = World::new();
    world.signed_in("richard");
    let verifier =
        world.provider().requests.iter().find_map(|r| r.form.get("code_verifier").cloned());
    let verifier = verifier.unwrap();
    assert_eq!(verifier.len(), 43);
    let asked = world.last_visit();
    assert_eq!(asked["code_challenge"], encode(&sha256(&verifier)));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(!asked.values().any(|value| *value == verifier));
}

#[test]
fn rp5_pkce_is_used_whatever_the_metadata_says() {
    for methods in [serde_json::json!([]), serde_json::json!(["plain"]), serde_json::json!(7)] {
        let world = World::new();
        world.provider().metadata["code_challenge_methods_supported"] = methods;
        world.signed_in("richard");
        assert_eq!(world.last_visit()["code_challenge_method"], "S256");
    }
}

#[test]
fn rp4_the_request_asks_for_what_it_must() {
    let world = World::new();
    let page = world.open();
    page.run(Command::SignIn {
        mode: None,
        return_to: "/private?a=b#c".into(),
        prompt: Some("login".into()),
        login_hint: Some("richard & co@example".into()),
        acr_values: Some("2 3".into()),
        max_age: Some(0),
        ui_locales: Some("de en".into()),
    });
    let asked = world.last_visit();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "pied-piper"),
        ("redirect_uri", "https://app.example/"),
        ("scope", "openid profile email"),
        ("prompt", "login"),
        ("login_hint", "richard & co@example"),
        ("acr_values", "2 3"),
        ("max_age", "0"),
        ("ui_locales", "de en"),
    ] {
        assert_eq!(asked[name], value);
    }
    assert_eq!(asked.len(), 13, "and nothing else: {:?}", asked.keys());
}

#[test]
fn rp3_state_nonce_and_verifier_are_new_for_each_attempt() {
    let world = World::new();
    let page = world.open();
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        page.sign_in();
        let asked = world.last_visit();
        for name in ["state", "nonce", "code_challenge"] {
            assert!(seen.insert(asked[name].clone()), "{name} came before");
        }
        page.load("/", OnLoad::Manual);
        world.advance(10);
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn an_endpoint_with_a_query_keeps_it() {
    let world = World::new();
    world.provider().metadata["authorization_endpoint"] =
        format!("{ISSUER}/authorize?tenant=7").into();
    let page = world.open();
    page.sign_in();
    assert!(
        world.provider().visits[0]
            .starts_with(&format!("{ISSUER}/authorize?tenant=7&response_type=code&"))
    );
}

#[test]
fn rp3_state_missing_duplicated_or_unknown() {
    refuses(Code::ResponseInvalid, |p| add(p, "state", "another"));
    refuses(Code::ResponseInvalid, |p| {
        let same = p.iter().find(|(name, _)| name == "state").unwrap().1.clone();
        add(p, "state", &same);
    });
    refuses(Code::ResponseInvalid, |p| set(p, "state", ""));
    refuses(Code::StateUnknown, |p| set(p, "state", "another"));
    refuses(Code::StateUnknown, |p| {
        let longer = format!("{}x", p.iter().find(|(name, _)| name == "state").unwrap().1);
        set(p, "state", &longer);
    });
    // Without `state` an address is no callback at all.
    let page = arrive(|p| drop_parameter(p, "state"));
    page.expect_status(Status::Anonymous);
    assert_eq!(page.world.count(Endpoint::Token), 0);
}

#[test]
fn rp3_a_callback_counts_in_the_tab_that_began_it_only() {
    let world = World::new();
    let victim = world.open();
    let attacker = world.open();
    world.person_signs_in("gavin");
    world.hold(Endpoint::Discovery);
    attacker.sign_in();
    world.inside().stays = true;
    world.release();
    let state = {
        let storage = attacker.storage();
        let key = storage.keys().find(|key| key.starts_with("gatepass:1:attempt:")).unwrap();
        key.rsplit(':').next().unwrap().to_owned()
    };
    let callback = format!("{APP}/?code=attacker&state={state}&iss={ISSUER}");
    victim.visit(&callback, OnLoad::Manual);
    world.advance(20);
    assert_ne!(victim.status(), Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 0);
}

#[test]
fn rp3_the_record_expires_after_an_hour() {
    for (minutes, code) in [(59, None), (60, Some(Code::AttemptExpired))] {
        let world = World::new();
        let page = world.open();
        page.sign_in();
        world.advance(minutes * 60);
        page.person_enters("richard");
        assert_eq!(page.code(), code);
        assert_eq!(page.is_signed_in(), code.is_none());
        assert_eq!(world.count(Endpoint::Token), usize::from(code.is_none()));
    }
}

#[test]
fn rp3_records_that_are_none_of_ours() {
    let spoil = |change: fn(&str) -> String| {
        let world = World::new();
        let page = world.open();
        page.sign_in();
        let storage = page.storage();
        let key = storage.keys().find(|key| key.starts_with("gatepass:1:attempt:")).unwrap();
        page.set_storage(key, &change(&storage[key]));
        page.person_enters("richard");
        page.expect_refused(Code::StateUnknown);
        assert_eq!(world.count(Endpoint::Token), 0);
    };
    spoil(|_| String::new());
    spoil(|_| "{}".into());
    spoil(|text| text.replace("\"version\":1", "\"version\":2"));
    spoil(|text| text.replace("pied-piper", "hooli"));
    spoil(|text| text.replace("idp.example", "evil.example"));
    spoil(|text| text.replace("sign_in", "other"));
    spoil(|text| text.replace("code_verifier", "verifier"));
    spoil(|text| text.replace("\"nonce\"", "\"once\""));
    spoil(|text| format!("{text}x"));
}

#[test]
fn rp1_another_issuer_in_the_response_is_stopped_before_any_token_request() {
    for other in [
        "https://evil.example".into(),
        format!("{ISSUER}/"),
        ISSUER.replace("https", "http"),
        ISSUER.to_uppercase(),
        format!("{ISSUER}:443"),
        format!("{ISSUER}%2F"),
        format!("{ISSUER} "),
    ] {
        refuses(Code::ResponseIssuerMismatch, move |p| set(p, "iss", &other));
    }
    // Also in an error: it may come from anybody.
    refuses(Code::ResponseIssuerMismatch, |p| {
        drop_parameter(p, "code");
        add(p, "error", "access_denied");
        set(p, "iss", "https://evil.example");
    });
    refuses(Code::ResponseInvalid, |p| add(p, "iss", ISSUER));
}

#[test]
fn rp2_an_issuer_that_was_promised_is_missing() {
    refuses(Code::ResponseIssuerMissing, |p| drop_parameter(p, "iss"));
    refuses(Code::ResponseIssuerMissing, |p| set(p, "iss", ""));
    refuses(Code::ResponseIssuerMissing, |p| {
        drop_parameter(p, "iss");
        drop_parameter(p, "code");
        add(p, "error", "access_denied");
    });
    // Not promised: it may be missing, but not wrong.
    for (promise, change, good) in [
        (serde_json::json!(false), None, true),
        (serde_json::json!("true"), None, true),
        (serde_json::json!(false), Some("https://evil.example"), false),
    ] {
        let world = World::new();
        world.provider().metadata["authorization_response_iss_parameter_supported"] = promise;
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().next_callback(move |p| match change {
            Some(iss) => set(p, "iss", iss),
            None => drop_parameter(p, "iss"),
        });
        page.sign_in();
        assert_eq!(page.is_signed_in(), good, "{:?}", page.code());
    }
}

#[test]
fn rp3_code_missing_or_duplicated() {
    refuses(Code::ResponseInvalid, |p| drop_parameter(p, "code"));
    refuses(Code::ResponseInvalid, |p| set(p, "code", ""));
    refuses(Code::ResponseInvalid, |p| add(p, "code", "another"));
    refuses(Code::ResponseInvalid, |p| {
        add(p, "error", "access_denied");
        add(p, "error", "login_required");
    });
    // With an error beside it a code is worth nothing.
    refuses(Code::AccessDenied, |p| add(p, "error", "access_denied"));
}

#[test]
fn rp6_error_responses_by_name() {
    for (error, code) in [
        ("access_denied", Code::AccessDenied),
        ("login_required", Code::LoginRequired),
        ("interaction_required", Code::InteractionRequired),
        ("consent_required", Code::ConsentRequired),
        ("account_selection_required", Code::AccountSelectionRequired),
        ("invalid_request", Code::ProviderError),
        ("unauthorized_client", Code::ProviderError),
        ("unsupported_response_type", Code::ProviderError),
        ("invalid_scope", Code::ProviderError),
        ("server_error", Code::ProviderError),
        ("temporarily_unavailable", Code::ProviderError),
        ("invented", Code::ProviderError),
        ("ACCESS_DENIED", Code::ProviderError),
        ("<script>alert(1)</script>", Code::ProviderError),
    ] {
        refuses(code, move |p| {
            drop_parameter(p, "code");
            add(p, "error", error);
        });
    }
}

#[test]
fn rp6_a_description_is_text_and_evidence_and_cut() {
    let page = arrive(|p| {
        drop_parameter(p, "code");
        add(p, "error", "server_error");
        add(p, "error_description", &format!("<img src=x onerror=alert(1)>{}", "x".repeat(5000)));
        add(p, "error_uri", "javascript:alert(1)");
    });
    let evidence = page.session().error.unwrap().evidence.clone().unwrap();
    assert!(evidence.found.starts_with("server_error: <img src=x onerror=alert(1)>"));
    assert!(evidence.found.chars().count() <= 120);
    assert!(!evidence.found.contains("javascript"));
    // Repeated, it is left out.
    let page = arrive(|p| {
        drop_parameter(p, "code");
        add(p, "error", "access_denied");
        add(p, "error_description", "one");
        add(p, "error_description", "two");
    });
    page.expect_refused(Code::AccessDenied);
    assert_eq!(page.session().error.unwrap().evidence.clone().unwrap().found, "access_denied");
}

#[test]
fn rp31_a_state_that_the_provider_repeats_is_not_shown() {
    // The world's rules look for it in everything that is shown.
    let page = arrive(|parameters| {
        let state = parameters.iter().find(|(name, _)| name == "state").unwrap().1.clone();
        drop_parameter(parameters, "code");
        add(parameters, "error", "server_error");
        add(parameters, "error_description", &format!("what is {state}?"));
    });
    page.expect_refused(Code::ProviderError);
}

#[test]
fn rp6_an_error_needs_a_state_too() {
    let world = World::new();
    let page = world.tab();
    page.visit(&format!("{APP}/?error=access_denied&state=unheard&iss={ISSUER}"), OnLoad::Manual);
    page.expect_refused(Code::StateUnknown);
    let page = world.tab();
    page.visit(&format!("{APP}/?error=access_denied"), OnLoad::Manual);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
}

#[test]
fn f14_cancel_brings_the_person_back_with_access_denied() {
    let world = World::new();
    let page = world.open();
    page.sign_in();
    page.person_cancels();
    page.expect_refused(Code::AccessDenied);
    // It does not go on by itself, and a click begins anew.
    assert_eq!(world.visits(), 1);
    page.sign_in();
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_repeated_callback_adopts_the_session() {
    let world = World::new();
    let page = world.signed_in("richard");
    let callback = page.loaded();
    let other = world.open();
    for _ in 0..2 {
        page.visit(&callback, OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
    other.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 1, "the code was sent once");
}

#[test]
fn a_repeated_callback_without_another_tab_runs_the_ladder() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.visit(&page.loaded(), OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.visits(), 2, "one `prompt=none`");
    assert!(!world.provider().sessions[0].ended);
    assert_eq!(page.code(), None);
}

#[test]
fn rp3_a_used_record_is_forgotten_after_its_time_but_never_redeemed() {
    for seconds in [599, 601, 7200] {
        let world = World::new();
        let page = world.signed_in("richard");
        let callback = page.loaded();
        page.leave_only_this_app();
        world.advance(seconds);
        page.visit(&callback, OnLoad::Manual);
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), None, "a repeat is no error");
        assert_eq!(world.count(Endpoint::Token), 1);
    }
}

#[test]
fn a_failed_callback_repeated_does_not_ask_again() {
    let page = arrive(|p| {
        drop_parameter(p, "code");
        add(p, "error", "access_denied");
    });
    let world = page.world.clone();
    page.visit(&page.loaded(), OnLoad::Manual);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    assert_eq!(world.visits(), 1);
}

#[test]
fn resume_twice_at_once_has_one_answer() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    page.sign_in();
    let again = Command::Resume {
        callback: Some(page.loaded().into()),
        here: "/".into(),
        on_load: OnLoad::Manual,
    };
    let id = page.begin(again.clone());
    assert_eq!(page.outcome(id), None);
    world.release();
    assert_eq!(page.outcome(id), Some(Outcome::Done {}));
    assert_eq!(page.run(again), Some(Outcome::Done {}));
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 1);
}

#[test]
fn d3_commands_wait_until_the_start_is_over() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    page.sign_in();
    let token = page.begin(crate::world::page::get_token());
    let check = page.begin(Command::CheckSession {});
    assert_eq!(page.outcome(token), None);
    world.release();
    assert!(matches!(page.outcome(token), Some(Outcome::Token { .. })));
    assert_eq!(page.outcome(check), Some(Outcome::Done {}));
}

#[test]
fn a_sign_out_that_waits_for_the_start_counts_after_a_reload_too() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    page.sign_in();
    page.begin(Command::SignOut { scope: gatepass_core::wire::Scope::Local });
    world.settle();
    let visits = world.visits();
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), visits);
    page.expect_status(Status::Anonymous);
}

#[test]
fn two_clicks_leave_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().stays = true;
    let one = page.begin(sign_in_to("/"));
    let two = page.begin(sign_in_to("/"));
    world.settle();
    let outcomes = [page.outcome(one).unwrap(), page.outcome(two).unwrap()];
    assert_eq!(outcomes.iter().filter(|o| **o == Outcome::Leaving {}).count(), 1);
    assert!(
        outcomes
            .iter()
            .any(|o| matches!(o, Outcome::Failed { error } if error.code == Code::Superseded))
    );
    let three = page.run(sign_in_to("/"));
    assert!(matches!(three, Some(Outcome::Failed { error }) if error.code == Code::Superseded));
}

#[test]
fn a_page_that_was_not_left_after_all_works_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().stays = true;
    assert_eq!(page.sign_in(), Some(Outcome::Leaving {}));
    // The person stops the loading.
    world.inside().stop_loading();
    world.advance_with_heartbeat(11);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.sign_in(), Some(Outcome::Leaving {}));
    // The same for a page that left by itself.
    let world = World::new();
    world.inside().stays = true;
    let page = world.tab();
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Restoring);
    world.inside().stop_loading();
    world.advance(11);
    page.expect_status(Status::Anonymous);
    world.inside().stays = false;
    world.settle();
    assert_eq!(world.visits(), 0);
    page.sign_in();
    assert_eq!(world.visits(), 1);
}

#[test]
fn a_click_a_while_after_a_navigation_was_stopped_leaves_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().stays = true;
    assert_eq!(page.sign_in(), Some(Outcome::Leaving {}));
    world.inside().stop_loading();
    world.advance_ms(900);
    let second = page.sign_in();
    assert!(matches!(second, Some(Outcome::Failed { error }) if error.code == Code::Superseded));
    world.advance_ms(100);
    assert_eq!(page.sign_in(), Some(Outcome::Leaving {}));
    world.inside().stop_loading();
    world.advance_ms(1000);
    assert_eq!(page.sign_out(), Some(Outcome::Leaving {}));
}

#[test]
fn two_clicks_while_the_provider_is_slow_leave_once() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    world.hold(Endpoint::Discovery);
    let one = page.begin(sign_in_to("/"));
    let two = page.begin(sign_in_to("/"));
    world.release();
    let outcomes = [page.outcome(one).unwrap(), page.outcome(two).unwrap()];
    assert_eq!(outcomes.iter().filter(|o| **o == Outcome::Leaving {}).count(), 1);
}

#[test]
fn a_click_when_storage_is_blocked_fails_before_it_leaves() {
    let world = World::new();
    world.inside().storage_blocked = true;
    let page = world.open();
    page.expect_status(Status::Anonymous);
    let Some(Outcome::Failed { error }) = page.sign_in() else { panic!() };
    assert_eq!(error.code, Code::StorageUnavailable);
    assert_eq!(page.code(), Some(Code::StorageUnavailable));
    assert_eq!((world.visits(), world.requests()), (0, 0));
}

#[test]
fn storage_that_fails_on_the_way_out_keeps_the_page() {
    let world = World::new();
    let page = world.open();
    world.hold(Endpoint::Discovery);
    let id = page.begin(sign_in_to("/"));
    world.inside().storage_blocked = true;
    world.release();
    assert!(
        matches!(page.outcome(id), Some(Outcome::Failed { error }) if error.code == Code::StorageUnavailable)
    );
    assert_eq!(world.visits(), 0);
}

#[test]
fn the_provider_down_at_the_callback_is_offline_and_no_loop() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    page.sign_in();
    page.expect_status(Status::Offline);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    assert_eq!(page.session().claims, None);
    assert_eq!(world.visits(), 1);
    // It is there again: nothing redirects, the person clicks.
    world.advance(11);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 1);
    page.sign_in();
    page.expect_status(Status::Authenticated);
}

#[test]
fn the_provider_down_at_a_click_is_unreachable_and_the_page_stays() {
    let world = World::new();
    let page = world.open();
    world.provider().is_down = true;
    let Some(Outcome::Failed { error }) = page.sign_in() else { panic!() };
    assert_eq!(error.code, Code::IssuerUnreachable);
    assert!(page.is_here());
    world.provider().is_down = false;
    page.sign_in();
    assert!(matches!(page.at_provider(), Some(Visit::Login(_))));
}

#[test]
fn rp4_a_code_of_another_attempt_is_refused_by_its_nonce_or_verifier() {
    // An attacker's code, put into the victim's response: the verifier does not fit.
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    let code = crate::world::parameters(&page.loaded())["code"].clone();
    world.provider().next_callback(move |p| set(p, "code", &code));
    page.sign_in();
    assert_eq!(page.code(), Some(Code::InvalidGrant));
}
