//! `driver/initiated.js`: a sign-in that somebody else begins.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use gatepass::SignIn;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const ISSUER: &str = "https://idp.example/realm";

/// What the address asks for: where to come back to, and who is expected.
fn asked(query: &str) -> Option<(String, Option<String>)> {
    let address = format!("https://app.example/begin?{query}");
    let asked = SignIn::initiated(&address, ISSUER)?;
    Some((asked.return_to?, asked.login_hint))
}

fn home() -> Option<(String, Option<String>)> {
    Some(("/".into(), None))
}

const HERE: &str = "iss=https%3A%2F%2Fidp.example%2Frealm";

#[wasm_bindgen_test]
fn oidcc_client_test_3rd_party_init_login_names_the_apps_own_issuer() {
    assert_eq!(asked(HERE), home());
    for other in [
        "",
        "iss=",
        "iss=https://idp.example/realm/",
        "iss=https://evil.example",
        // Twice is no answer to the question which.
        &format!("{HERE}&{HERE}"),
        // A provider's answer, which is not for this page.
        &format!("code=c&state=s&{HERE}"),
    ] {
        assert_eq!(asked(other), None, "{other}");
    }
    assert_eq!(SignIn::initiated("no address", ISSUER).map(|asked| asked.return_to), None);
}

#[wasm_bindgen_test]
fn oidcc_client_test_3rd_party_init_login_tells_who_is_expected() {
    let hinted = asked(&format!("{HERE}&login_hint=richard%40piedpiper.example"));
    assert_eq!(hinted.unwrap().1.as_deref(), Some("richard@piedpiper.example"));
}

#[wasm_bindgen_test]
fn d13_oidcc_client_test_3rd_party_init_login_leads_to_no_other_origin() {
    let target = |uri: &str| asked(&format!("{HERE}&target_link_uri={uri}")).unwrap().0;
    assert_eq!(target("https://app.example/mail?box=in%23top"), "/mail?box=in#top");
    for other in [
        "https://evil.example/mail",
        "https://app.example.evil.example/",
        "https://app.example:8443/",
        "http://app.example/mail",
        "https://app.example//evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/mail",
        "",
        // It would begin again, for ever.
        "https://app.example/begin?iss=https://idp.example/realm",
    ] {
        assert_eq!(target(other), "/", "{other}");
    }
}
