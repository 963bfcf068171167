//! JSON from outside, at each door where it comes in: what one reader would read otherwise than
//! another is refused there, by the name of that door (RP26).

use gatepass_core::{error::Code, wire::Status};

use crate::{
    id_token::{arrive, refuses},
    world::{Endpoint, World},
};

/// What makes a good object one that is refused.
type Spoiler = fn(String) -> Vec<u8>;

const SPOILERS: [(&str, Spoiler); 12] = [
    ("a member twice, first", |text| first(&text, r#""x":1,"x":1,"#)),
    ("a member twice, spelled otherwise", |text| first(&text, r#""x":1,"\u0078":1,"#)),
    ("a member twice, deep inside", |text| first(&text, r#""x":[{"y":{"z":1,"z":1}}],"#)),
    ("a byte order mark", |text| format!("\u{feff}{text}").into_bytes()),
    ("something after it", |text| format!("{text}{{}}").into_bytes()),
    ("a comment", |text| first(&text, "/**/")),
    ("a comma too many", |text| first(&text, r#""x":1,,"#)),
    ("half a surrogate pair", |text| first(&text, r#""x":"\ud83d","#)),
    ("bytes that are no UTF-8", |text| [b"{\"x\":\"\xff\",", &text.as_bytes()[1..]].concat()),
    ("more than 32 levels below the first", |text| {
        first(&text, &format!("\"x\":{}{},", "[".repeat(33), "]".repeat(33)))
    }),
    ("1,001 members", |text| {
        let members: String = (0..1001).map(|n| format!("\"{n}\":0,")).collect();
        first(&text, &format!("\"x\":{{{}}},", members.trim_end_matches(',')))
    }),
    ("cut off", |text| text[..text.len() - 1].into()),
];

fn first(text: &str, members: &str) -> Vec<u8> {
    text.replacen('{', &format!("{{{members}"), 1).into_bytes()
}

/// Documents of an endpoint: `spoil` breaks the next one, and `code` refuses it.
fn endpoint(endpoint: Endpoint, code: Code) {
    for (name, spoil) in SPOILERS {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().always(endpoint, move |reply| {
            reply.body = spoil(String::from_utf8(reply.body.clone()).unwrap());
        });
        page.sign_in();
        assert_eq!(page.code(), Some(code), "{endpoint:?}: {name}");
        page.expect_refused(code);
    }
}

#[test]
fn rp26_discovery() {
    endpoint(Endpoint::Discovery, Code::MetadataInvalid);
}

#[test]
fn rp26_key_set() {
    endpoint(Endpoint::Keys, Code::KeysInvalid);
}

#[test]
fn rp26_token_response() {
    endpoint(Endpoint::Token, Code::TokenResponseInvalid);
}

#[test]
fn rp26_error_of_the_token_endpoint() {
    // What cannot be read says nothing: neither the session's end nor anything else.
    for (name, spoil) in SPOILERS {
        let world = World::new();
        let page = world.signed_in("richard");
        world.advance_with_heartbeat(290);
        world.provider().once(Endpoint::Token, move |reply| {
            reply.status = 400;
            reply.body = spoil(r#"{"error":"invalid_grant"}"#.into());
        });
        assert_eq!(page.token(), Err(Code::TokenResponseInvalid), "{name}");
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn rp26_user_info() {
    for (name, spoil) in SPOILERS {
        let world = World::new();
        let page = world.signed_in("richard");
        world.provider().always(Endpoint::UserInfo, move |reply| {
            reply.body = spoil(String::from_utf8(reply.body.clone()).unwrap());
        });
        page.check();
        assert_eq!(page.code(), Some(Code::UserInfoInvalid), "{name}");
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn rp26_claims_and_header_of_an_id_token() {
    // Bytes that are no UTF-8 cannot be written here; vectors have them.
    for (_, spoil) in SPOILERS {
        let Ok(claims) = String::from_utf8(spoil(r#"{"iss":"x"}"#.into())) else { continue };
        refuses(Code::TokenMalformed, move |token| token.claims_text = Some(claims.clone()));
        let header = String::from_utf8(spoil(r#"{"alg":"ES256","kid":"es-1"}"#.into())).unwrap();
        refuses(Code::TokenMalformed, move |token| token.header_text = Some(header.clone()));
    }
    let header = r#"{"x":1,"alg":"ES256","kid":"es-1"}"#;
    arrive(move |token| token.header_text = Some(header.into()))
        .expect_status(Status::Authenticated);
}

#[test]
fn rp26_logout_token() {
    for (name, spoil) in SPOILERS {
        let Ok(claims) = String::from_utf8(spoil(r#"{"iss":"x"}"#.into())) else { continue };
        let world = World::new();
        let page = world.signed_in("richard");
        world.push_logout_token(|token| token.claims_text = Some(claims.clone()));
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), Some(Code::LogoutTokenInvalid), "{name}");
    }
}

#[test]
fn rp26_record_of_an_attempt() {
    for (name, spoil) in SPOILERS {
        let world = World::new();
        let page = world.open();
        page.sign_in();
        let storage = page.storage();
        let key = storage.keys().find(|key| key.starts_with("gatepass:1:attempt:")).unwrap();
        let Ok(record) = String::from_utf8(spoil(storage[key].clone())) else { continue };
        page.set_storage(key, &record);
        page.person_enters("richard");
        assert_eq!(page.code(), Some(Code::StateUnknown), "{name}");
        assert_eq!(world.count(Endpoint::Token), 0);
    }
}

#[test]
fn rp26_message_of_another_tab() {
    let world = World::new();
    let page = world.signed_in("richard");
    let message = world.overheard("session").to_string();
    page.close();
    let page = world.open();
    for (name, spoil) in SPOILERS {
        let Ok(spoiled) = String::from_utf8(spoil(message.clone())) else { continue };
        world.say(&spoiled);
        assert_eq!(page.status(), Status::Anonymous, "{name}");
    }
    // Longer than anything may be.
    world.say(&format!("{message}{}", " ".repeat(1 << 20)));
    page.expect_status(Status::Anonymous);
    world.say(&message);
    page.expect_status(Status::Authenticated);
}
