//! Properties: whatever comes, the same answer as another reader, and never a panic.

use gatepass_core::{
    base64url,
    json::read,
    wire::{OnLoad, Status},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    json::{compare, same},
    world::{APP, Endpoint, World},
};

fn config(cases: u32) -> ProptestConfig {
    // What is found becomes a test by name, not a file of seeds.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A document without what I-JSON leaves open: large numbers, and names that come twice.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Pieces of JSON in any order: what looks right for a while.
fn pieces() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"\\u0061\"",
        "\\",
        "0",
        "-1",
        "1.5",
        "1e5",
        "9007199254740993",
        "true",
        "null",
        " ",
        "\n",
        "\u{feff}",
        "\\ud800",
        "é",
    ]);
    vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn rp26_any_document_is_read_as_serde_json_wrote_it(value in document()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let read = read(text.as_bytes()).unwrap();
            prop_assert!(same(&read, &value), "{text}");
        }
    }

    #[test]
    fn rp26_any_bytes_are_refused_or_read_alike(bytes in vec(any::<u8>(), 0..60)) {
        compare(&bytes);
    }

    #[test]
    fn rp26_any_pieces_of_json_are_refused_or_read_alike(text in pieces()) {
        compare(text.as_bytes());
    }

    #[test]
    fn base64url_has_one_spelling(bytes in vec(any::<u8>(), 0..80)) {
        let text = base64url::encode(&bytes);
        prop_assert!(!text.contains(['+', '/', '=']));
        prop_assert_eq!(base64url::decode(&text), Some(bytes));
    }

    #[test]
    fn base64url_is_read_only_as_it_is_written(text in "[A-Za-z0-9_+/=. -]{0,12}") {
        if let Some(bytes) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(&bytes), text);
        }
    }
}

/// Something like a token: parts of base64url or of anything, and dots.
fn token() -> impl Strategy<Value = String> {
    let header = select(vec![
        r#"{"alg":"ES256","kid":"es-1"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"ES256","crit":["exp"]}"#,
        r#"{"alg":["ES256"]}"#,
        "{}",
        "[]",
        "",
        "{",
    ])
    .prop_map(|json| base64url::encode(json.as_bytes()));
    let claims = prop_oneof![
        Just(json!({ "iss": "https://idp.example", "aud": "pied-piper", "sub": "richard" })),
        document(),
    ]
    .prop_map(|claims| base64url::encode(claims.to_string().as_bytes()));
    let part = || {
        prop_oneof![
            vec(any::<u8>(), 0..70).prop_map(|bytes| base64url::encode(&bytes)),
            "\\PC{0,9}"
        ]
    };
    prop_oneof![
        (header, claims, part()).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
        vec(part(), 0..6).prop_map(|parts| parts.join(".")),
        any::<String>(),
    ]
}

/// Something like the address that a provider sends the browser back to.
fn callback() -> impl Strategy<Value = String> {
    let name = select(vec![
        "code",
        "state",
        "iss",
        "error",
        "error_description",
        "session_state",
        "x",
        "",
        "st%61te",
    ]);
    let value = prop_oneof!["[A-Za-z0-9%&=+#?/._~-]{0,20}", "\\PC{0,8}"];
    let query = vec((name, value), 0..6).prop_map(|parameters| {
        let parameters = parameters.into_iter().map(|(name, value)| format!("{name}={value}"));
        parameters.collect::<Vec<_>>().join("&")
    });
    prop_oneof![query.prop_map(|query| format!("{APP}/?{query}")), "\\PC{0,40}"]
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn f5_nothing_made_up_is_a_session(token in token()) {
        let world = World::new();
        let page = world.signed_in("richard");
        let mut message = world.overheard("session");
        page.close();
        let page = world.open();
        message["id_token"] = json!(token);
        world.say(&message.to_string());
        prop_assert_eq!(page.status(), Status::Anonymous);
    }

    #[test]
    fn d13_no_made_up_callback_redeems_anything(url in callback()) {
        let world = World::new();
        let page = world.open();
        page.visit(&url, OnLoad::Manual);
        prop_assert_eq!(page.status(), Status::Anonymous);
        prop_assert_eq!(world.count(Endpoint::Token), 0);
    }
}
