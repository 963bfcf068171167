//! `driver/loop.js`: the queue between the machine and the browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    entropy::Entropy,
    wire::{Answer, Area, Effect, Fact, Failure, Order, Signal},
};
use js_sys::{Array, Function, Reflect};
use support::{Undo, World, failed, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/loop.js")]
extern "C" {
    /// A part whose `load` does what its key says.
    #[wasm_bindgen(thread_local_v2, js_name = scripted)]
    static SCRIPTED: Function;

    /// What a loop does with a step of JavaScript: see the file.
    fn reentry(create_loop: &Function) -> Array;
    #[wasm_bindgen(js_name = closedByAStep)]
    fn closed_by_a_step(create_loop: &Function) -> Array;
    #[wasm_bindgen(js_name = ordersHeard)]
    fn orders_heard(create_loop: &Function) -> Array;
    #[wasm_bindgen(js_name = brokenStep)]
    fn broken_step(create_loop: &Function) -> js_sys::Promise;
    #[wasm_bindgen(js_name = brokenListener)]
    fn broken_listener(create_loop: &Function) -> js_sys::Promise;
}

#[wasm_bindgen(module = "/tests/support/web.js")]
extern "C" {
    /// Lets an event happen at `document`.
    fn happen(target: &JsValue, event: &str, persisted: bool);
}

#[wasm_bindgen(module = "/driver/loop.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = createLoop)]
    static CREATE_LOOP: Function;
}

fn world() -> World {
    World::new([SCRIPTED.with(Function::clone)])
}

fn load(key: &str) -> Effect {
    Effect::Load { area: Area::Tab, key: key.into() }
}

fn words(list: &Array) -> Vec<String> {
    list.iter().map(|word| word.as_string().unwrap()).collect()
}

#[wasm_bindgen_test]
async fn effect_that_no_part_knows_is_unavailable() {
    let effect = Effect::DropLock { lock: 1 };
    assert_eq!(world().perform(effect.clone()).await, failed(Failure::Unavailable));
    assert_eq!(World::new([]).perform(effect).await, failed(Failure::Unavailable));
}

#[wasm_bindgen_test]
async fn exception_of_a_part_is_unavailable() {
    let world = world();
    for key in ["throw", "throw undefined", "reject"] {
        assert_eq!(world.perform(load(key)).await, failed(Failure::Unavailable), "{key}");
    }
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn answer_comes_now_or_later() {
    for key in ["answer", "promise", "emit"] {
        let value = Some(key.into());
        assert_eq!(world().perform(load(key)).await, Answer::Loaded { value });
    }
}

#[wasm_bindgen_test]
async fn cancelled_effect_is_aborted_and_not_heard() {
    let world = world();
    for key in ["answer", "promise", "reject"] {
        let id = world.begin(load(key));
        world.cancel(id);
    }
    let lasting = world.begin(load("signals"));
    // The first two came at once.
    world.signal().await;
    world.signal().await;
    world.cancel(lasting);
    let aborted = world.begin(load("until aborted"));
    world.cancel(aborted);
    // What was begun later is answered, so the others would have been.
    let last = world.begin(load("promise"));
    assert!(matches!(world.answer_of(last).await, Answer::Loaded { .. }));
    world.assert_silence();
    let count = Reflect::get(&js_sys::global(), &"abortedEffects".into()).unwrap();
    assert_eq!(count.as_f64(), Some(1.0));
}

#[wasm_bindgen_test]
async fn cancelling_what_is_over_or_never_was_does_nothing() {
    let world = world();
    let id = world.begin(load("answer"));
    world.answer_of(id).await;
    world.cancel(id);
    world.cancel(4711);
    assert!(matches!(world.perform(load("promise")).await, Answer::Loaded { .. }));
}

#[wasm_bindgen_test]
async fn signals_of_a_lasting_effect_come_in_order_with_their_bytes() {
    let world = world();
    let id = world.begin(load("signals"));
    for byte in 1..=3 {
        let told = world.next().await;
        assert_eq!(told.fact, Fact::Signal { signal: Signal::Chunk { effect: id } });
        assert_eq!(told.bytes, [byte]);
    }
    assert_eq!(world.signal().await, Signal::Ended { effect: id });
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn each_step_has_the_clocks_and_randomness_of_its_own() {
    let world = world();
    let mut last: Option<support::Told> = None;
    for _ in 0..3 {
        world.begin(load("promise"));
        let told = world.next().await;
        assert_eq!(told.entropy.len(), Entropy::SIZE);
        assert!(told.now.wall_ms > 1_763_000_000_000);
        if let Some(last) = last {
            assert!(told.entropy != last.entropy);
            assert!(told.now.monotonic_ms >= last.now.monotonic_ms);
        }
        last = Some(told);
    }
}

#[wasm_bindgen_test]
async fn orders_are_obeyed_in_their_order() {
    let world = world();
    let order = |id, key: &str| Order::Effect { id, effect: load(key) };
    world.order([order(101, "answer"), order(102, "answer"), Order::Cancel { effect: 101 }]);
    world.answer_of(102).await;
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn closed_loop_aborts_what_runs_and_hears_nothing() {
    let (closed, open) = (world(), world());
    closed.begin(load("promise"));
    closed.begin(load("signals"));
    // The first two come at once.
    closed.signal().await;
    closed.signal().await;
    closed.close();
    closed.begin(load("answer"));
    assert!(matches!(open.perform(load("promise")).await, Answer::Loaded { .. }));
    closed.assert_silence();
}

#[wasm_bindgen_test]
fn step_is_never_re_entered() {
    let log = CREATE_LOOP.with(reentry);
    assert_eq!(words(&log), ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3", "told"]);
}

#[wasm_bindgen_test]
fn loop_that_a_step_closes_obeys_nothing_and_tells_nothing_more() {
    let log = CREATE_LOOP.with(closed_by_a_step);
    assert_eq!(words(&log), ["step", "closed"]);
}

#[wasm_bindgen_test]
fn face_hears_of_commands_and_sessions() {
    let log = CREATE_LOOP.with(orders_heard);
    assert_eq!(words(&log), ["completed", "session"]);
}

#[wasm_bindgen_test]
async fn f17_a_page_rendered_in_advance_asks_nobody_until_it_is_shown() {
    let document = global("document");
    let hidden = Undo::replace(&document, "prerendering", &true.into());
    let (early, closed) = (world(), world());
    drop(hidden);
    let asked = early.begin(load("answer"));
    closed.begin(load("answer"));
    // What was put off is not merely slow.
    assert_ne!(world().perform(load("promise")).await, failed(Failure::Unavailable));
    early.assert_silence();
    closed.close();
    happen(&document, "prerenderingchange", false);
    let value = Some("answer".into());
    assert_eq!(early.answer_of(asked).await, Answer::Loaded { value });
    // From then on as everywhere.
    let value = Some("promise".into());
    assert_eq!(early.perform(load("promise")).await, Answer::Loaded { value });
    closed.assert_silence();
}

#[wasm_bindgen_test]
async fn exception_of_a_step_is_reported_and_the_next_fact_is_told() {
    let log = JsFuture::from(CREATE_LOOP.with(broken_step)).await.unwrap();
    assert_eq!(words(&log.unchecked_into()), ["step", "step", "reported"]);
}

#[wasm_bindgen_test]
async fn exception_of_a_listener_is_reported_and_the_other_orders_are_obeyed() {
    let log = JsFuture::from(CREATE_LOOP.with(broken_listener)).await.unwrap();
    assert_eq!(words(&log.unchecked_into()), ["session", "woken", "reported"]);
}
