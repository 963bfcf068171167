//! `driver/locks.js`: exclusive locks among the tabs of an origin.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::wire::{Answer, Effect, Failure, Signal};
use js_sys::Function;
use support::{Undo, World, failed, global, lock_state, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/locks.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = locks)]
    static LOCKS: Function;
}

fn world() -> World {
    World::new([LOCKS.with(Function::clone)])
}

fn take(name: &str) -> Effect {
    Effect::TakeLock { name: name.into(), if_free: false, steal: false }
}

fn take_if_free(name: &str) -> Effect {
    Effect::TakeLock { name: name.into(), if_free: true, steal: false }
}

fn steal(name: &str) -> Effect {
    Effect::TakeLock { name: name.into(), if_free: false, steal: true }
}

/// Takes a lock that is free and gives the effect's number.
async fn taken(world: &World, name: &str) -> u32 {
    let id = world.begin(take(name));
    assert_eq!(world.answer_of(id).await, Answer::Granted {});
    id
}

#[wasm_bindgen_test]
async fn waiting_tab_gets_the_lock_when_it_is_dropped() {
    let (one, two, name) = (world(), world(), unique("lock"));
    let lock = taken(&one, &name).await;
    let waiting = two.begin(take(&name));
    assert_eq!(lock_state(&name).await, "1+1");
    two.assert_silence();
    assert_eq!(one.perform(Effect::DropLock { lock }).await, Answer::Done {});
    assert_eq!(two.answer_of(waiting).await, Answer::Granted {});
    // It was let go, not lost.
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn lock_that_is_held_is_answered_at_once_if_asked_so() {
    let (one, two, name) = (world(), world(), unique("lock"));
    assert_eq!(one.perform(take_if_free(&name)).await, Answer::Granted {});
    assert_eq!(two.perform(take_if_free(&name)).await, failed(Failure::Held));
    assert_eq!(lock_state(&name).await, "1+0");
}

#[wasm_bindgen_test]
async fn stolen_lock_is_lost() {
    let (one, two, name) = (world(), world(), unique("lock"));
    let lock = taken(&one, &name).await;
    assert_eq!(two.perform(steal(&name)).await, Answer::Granted {});
    assert_eq!(one.signal().await, Signal::Lost { effect: lock });
    assert_eq!(lock_state(&name).await, "1+0");
    // The thief's lock does not go with the loser's.
    assert_eq!(one.perform(Effect::DropLock { lock }).await, Answer::Done {});
    assert_eq!(lock_state(&name).await, "1+0");
}

#[wasm_bindgen_test]
async fn free_lock_can_be_stolen() {
    assert_eq!(world().perform(steal(&unique("lock"))).await, Answer::Granted {});
}

#[wasm_bindgen_test]
async fn cancelled_lock_is_let_go() {
    let (one, two, name) = (world(), world(), unique("lock"));
    let lock = taken(&one, &name).await;
    one.cancel(lock);
    assert_eq!(two.perform(take(&name)).await, Answer::Granted {});
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn cancelled_wait_is_over() {
    let (one, two, name) = (world(), world(), unique("lock"));
    let lock = taken(&one, &name).await;
    let waiting = two.begin(take(&name));
    assert_eq!(lock_state(&name).await, "1+1");
    two.cancel(waiting);
    assert_eq!(lock_state(&name).await, "1+0");
    one.perform(Effect::DropLock { lock }).await;
    assert_eq!(lock_state(&name).await, "0+0");
    two.assert_silence();
}

#[wasm_bindgen_test]
async fn lock_that_is_cancelled_before_it_is_granted_is_not_held() {
    let (one, two, name) = (world(), world(), unique("lock"));
    for effect in [take(&name), take_if_free(&name), steal(&name)] {
        let id = one.begin(effect);
        one.cancel(id);
        let lock = taken(&two, &name).await;
        two.perform(Effect::DropLock { lock }).await;
    }
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn dropping_a_lock_that_is_not_held_is_done() {
    assert_eq!(world().perform(Effect::DropLock { lock: 4711 }).await, Answer::Done {});
}

#[wasm_bindgen_test]
async fn closed_loop_lets_its_locks_go() {
    let (one, two, name) = (world(), world(), unique("lock"));
    taken(&one, &name).await;
    one.close();
    assert_eq!(two.perform(take(&name)).await, Answer::Granted {});
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn browser_without_locks_is_answered() {
    let _without = Undo::replace(&global("navigator"), "locks", &JsValue::UNDEFINED);
    for effect in [take("x"), take_if_free("x"), steal("x")] {
        assert_eq!(world().perform(effect).await, failed(Failure::Unavailable));
    }
}

#[wasm_bindgen_test]
async fn name_that_the_browser_refuses_is_unavailable() {
    // Names that begin with a hyphen are reserved (Web Locks 2.2).
    assert_eq!(world().perform(take("-reserved")).await, failed(Failure::Unavailable));
}
