//! The machine's door as text: what the npm face and the Rust face both speak.

use gatepass_core::{
    config::Config,
    entropy::Entropy,
    machine::Machine,
    time::Now,
    wire::{Answer, Command, Fact, OnLoad, Scope, Signal, read_fact, step_text},
};
use serde_json::{Value, json};

use crate::world::{APP, CLIENT, ISSUER};

fn machine() -> Machine {
    Machine::new(Config {
        issuer: ISSUER.into(),
        client_id: CLIENT.into(),
        redirect_uri: format!("{APP}/").into(),
        post_logout_redirect_uri: format!("{APP}/").into(),
        origin: APP.into(),
        ..Config::default()
    })
    .unwrap()
}

fn step(machine: &mut Machine, fact: &Value) -> Vec<Value> {
    let now = Now { wall_ms: 1_767_225_600_000, monotonic_ms: 0 };
    let orders = step_text(machine, now, Entropy::new([7; Entropy::SIZE]), &fact.to_string(), &[]);
    serde_json::from_str::<Value>(&orders).unwrap().as_array().unwrap().clone()
}

#[test]
fn facts_are_read() {
    let command = |command: Value| {
        read_fact(&json!({ "kind": "command", "id": 7, "command": command }).to_string())
    };
    assert_eq!(
        command(json!({ "kind": "resume", "here": "/", "on_load": "auto", "more": 1 })),
        Some(Fact::Command {
            id: 7,
            command: Command::Resume { callback: None, here: "/".into(), on_load: OnLoad::Auto },
        })
    );
    assert_eq!(
        command(json!({ "kind": "sign_out", "scope": "local" })),
        Some(Fact::Command { id: 7, command: Command::SignOut { scope: Scope::Local } })
    );
    assert_eq!(
        read_fact(r#"{"kind":"answer","effect":3,"answer":{"kind":"verdict","valid":true}}"#),
        Some(Fact::Answer { effect: 3, answer: Answer::Verdict { valid: true } })
    );
    assert_eq!(
        read_fact(r#"{"kind":"signal","signal":{"kind":"message","text":"x"}}"#),
        Some(Fact::Signal { signal: Signal::Message { text: "x".into() } })
    );
}

#[test]
fn what_is_no_fact_orders_nothing() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"kind":"other"}"#,
        r#"{"kind":"command"}"#,
        r#"{"kind":"command","id":-1,"command":{"kind":"check_session"}}"#,
        r#"{"kind":"command","id":4294967296,"command":{"kind":"check_session"}}"#,
        r#"{"kind":"command","id":"1","command":{"kind":"check_session"}}"#,
        r#"{"kind":"command","id":1,"command":{"kind":"sign_in"}}"#,
        r#"{"kind":"command","id":1,"command":{"kind":"sign_in","return_to":7}}"#,
        r#"{"kind":"command","id":1,"command":{"kind":"resume","here":"/","on_load":"always"}}"#,
        r#"{"kind":"command","id":1,"command":{"kind":"sign_out","scope":"all"}}"#,
        r#"{"kind":"command","id":1,"command":{"kind":"check_session"}} x"#,
        r#"{"kind":"answer","effect":1,"answer":{"kind":"response"}}"#,
        r#"{"kind":"answer","effect":1,"answer":{"kind":"failed","reason":"bored"}}"#,
        r#"{"kind":"signal","signal":{"kind":"chunk"}}"#,
    ] {
        assert_eq!(read_fact(text), None, "{text}");
        let now = Now::default();
        let orders = step_text(&mut machine(), now, Entropy::new([0; Entropy::SIZE]), text, &[]);
        assert_eq!(orders, "[]");
    }
}

#[test]
fn the_start_speaks_json() {
    let mut machine = machine();
    let resume = json!({
        "kind": "command", "id": 1, "command": { "kind": "resume", "here": "/", "on_load": "manual" },
    });
    let orders = step(&mut machine, &resume);
    let effects: Vec<&str> =
        orders.iter().filter_map(|order| order["effect"]["kind"].as_str()).collect();
    assert_eq!(effects, ["broadcast", "load", "load", "load", "load", "take_lock"]);
    let session = orders.iter().find(|order| order["kind"] == "session").unwrap();
    assert_eq!(session["session"], json!({ "status": "restoring" }), "what is absent is left out");
    let lock = orders.iter().find(|order| order["effect"]["kind"] == "take_lock").unwrap();
    let free = json!({ "kind": "answer", "effect": lock["id"], "answer": { "kind": "granted" } });
    let orders = step(&mut machine, &free);
    assert!(orders.iter().any(|order| order["session"]["status"] == "anonymous"));
    assert!(orders.iter().any(|order| *order
        == json!({ "kind": "completed", "command": 1, "outcome": { "kind": "done" } })));
}

#[test]
fn answers_to_nothing_are_nobodys_business() {
    let mut machine = machine();
    for answer in [
        json!({ "kind": "granted" }),
        json!({ "kind": "done" }),
        json!({ "kind": "verdict", "valid": true }),
        json!({ "kind": "loaded", "value": "x" }),
    ] {
        for effect in [0, 1, 77] {
            let fact = json!({ "kind": "answer", "effect": effect, "answer": answer });
            assert_eq!(step(&mut machine, &fact), Vec::<Value>::new());
        }
    }
    for signal in ["wake", "shown", "hidden", "online", "leave"] {
        let fact = json!({ "kind": "signal", "signal": { "kind": signal } });
        let orders = step(&mut machine, &fact);
        assert!(orders.iter().all(|order| order["kind"] != "effect"), "{signal}: {orders:?}");
    }
}

#[test]
fn an_answer_of_the_wrong_kind_is_survived() {
    // Whatever an effect is answered by, no command is lost and nothing panics.
    let wrong = [
        json!({ "kind": "granted" }),
        json!({ "kind": "done" }),
        json!({ "kind": "digest", "value": "AAAA" }),
        json!({ "kind": "verdict", "valid": true }),
        json!({ "kind": "loaded" }),
        json!({ "kind": "failed", "reason": "unavailable" }),
        json!({ "kind": "failed", "reason": "held" }),
        json!({ "kind": "failed", "reason": "bad_key" }),
        json!({ "kind": "response", "response": { "status": 200 } }),
    ];
    for (at, answer) in wrong.iter().enumerate() {
        let mut machine = machine();
        let mut queue = step(
            &mut machine,
            &json!({
                "kind": "command", "id": 1,
                "command": { "kind": "resume", "here": "/", "on_load": "auto" },
            }),
        );
        let mut completed = 0;
        for _ in 0..200 {
            if queue.is_empty() {
                break;
            }
            let order = queue.remove(0);
            if order["kind"] == "completed" {
                completed += 1;
            }
            if order["kind"] == "wake_at" {
                let now = Now {
                    wall_ms: 1_767_225_600_000,
                    monotonic_ms: order["monotonic_ms"].as_i64().unwrap(),
                };
                let fact = Fact::Signal { signal: Signal::Wake {} };
                let _ = machine.step(now, Entropy::new([1; Entropy::SIZE]), fact, &[]);
            }
            if order["kind"] == "effect" {
                let fact = json!({ "kind": "answer", "effect": order["id"], "answer": answer });
                queue.extend(step(&mut machine, &fact));
            }
        }
        assert!(completed <= 1, "{at}");
    }
}
