//! Codes and refresh tokens: once each, in the right hands, in time (OP5, OP6).

use std::io::Write;
use std::sync::Barrier;

use crate::person::{Ask, HOOLI, PIPER, Person, Tokens, redemption, renewal};
use crate::wire::{Answer, FORM, Op, encoded, read};

/// Sends the same form over several connections at once: all but the last byte first, and the last
/// bytes when all connections stand.
fn at_once(op: &Op, path: &str, form: &[(&str, &str)]) -> Vec<Answer> {
    let text = op.request(&format!("POST {path}"), &[FORM], &encoded(form));
    let (most, last) = text.as_bytes().split_at(text.len() - 1);
    let barrier = Barrier::new(RACERS);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = op.connect();
                    stream.write_all(most).unwrap();
                    barrier.wait();
                    stream.write_all(last).unwrap();
                    read(stream)
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

const RACERS: usize = 4;

#[test]
fn op5_two_redemptions() {
    let op = Op::start();
    let mut person = Person::new(&op);
    for _ in 0..10 {
        let code = person.code(&Ask::piper());
        let answers = at_once(&op, "/token", &redemption("pied-piper", PIPER, &code));
        let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert!(good.len() <= 1, "one code gave tokens {} times", good.len());
        assert!(bad.iter().all(|answer| answer.error() == "invalid_grant"), "{bad:?}");
        // Somebody came second, so what the first one got is dead (RFC 6749, 4.1.2).
        for answer in good {
            let tokens = Tokens(answer.json());
            assert_eq!(op.userinfo(tokens.access()).status, 401);
            assert_eq!(op.refresh(tokens.refresh()).error(), "invalid_grant");
        }
    }
    op.assert_well();
}

#[test]
fn op5_code_is_for_one_client_one_address_and_sixty_seconds() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let code = person.code(&Ask::piper());
    let stolen = op.post("/token", &redemption("hooli", HOOLI, &code));
    assert_eq!(stolen.error(), "invalid_grant");
    let code = person.code(&Ask::piper());
    op.advance(61);
    assert_eq!(op.redeem(&code).error(), "invalid_grant");
    for made_up in ["x", &*"A".repeat(43), &*"A".repeat(10_000), "\0", "'; --"] {
        assert_eq!(op.redeem(made_up).error(), "invalid_grant", "{made_up:.20}");
    }
    // A code is not a refresh token, and the other way round.
    let code = person.code(&Ask::piper());
    assert_eq!(op.refresh(&code).error(), "invalid_grant");
    let tokens = Tokens(op.redeem(&code).json());
    assert_eq!(op.redeem(tokens.refresh()).error(), "invalid_grant");
}

#[test]
fn op6_two_refreshes() {
    let op = Op::start();
    let mut person = Person::new(&op);
    for _ in 0..10 {
        let tokens = person.tokens(&Ask::piper());
        let answers = at_once(&op, "/token", &renewal("pied-piper", tokens.refresh()));
        let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert!(good.len() <= 1, "one token was refreshed {} times", good.len());
        assert!(bad.iter().all(|answer| answer.error() == "invalid_grant"), "{bad:?}");
        // Nobody knows which of them was the client: the family ends (RFC 9700, 4.14.2).
        for answer in good {
            let newer = Tokens(answer.json());
            assert_eq!(op.refresh(newer.refresh()).error(), "invalid_grant");
            assert_eq!(op.userinfo(newer.access()).status, 401);
        }
        assert_eq!(op.userinfo(tokens.access()).status, 401);
    }
}

#[test]
fn op6_refresh_token_is_bound_and_cannot_grow() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let narrow = Ask::piper().set("scope", "openid");
    let tokens = person.tokens(&narrow);
    let foreign = op.post("/token", &renewal("hooli", tokens.refresh()));
    assert_eq!(foreign.error(), "invalid_grant");
    for scope in ["openid email", "openid offline_access email", "profile", "admin"] {
        let form = [&renewal("pied-piper", tokens.refresh())[..], &[("scope", scope)]].concat();
        let answer = op.post("/token", &form);
        assert_eq!((answer.status, &*answer.error()), (400, "invalid_scope"), "{scope}");
    }
    // Each character of the token counts.
    let token = tokens.refresh();
    for at in [0, token.len() / 2, token.len() - 1] {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(op.refresh(&changed).error(), "invalid_grant", "at {at}");
    }
    // None of that has hurt the good one.
    assert_eq!(op.refresh(token).status, 200);
}
