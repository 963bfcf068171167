//! `driver/lease.js`: exclusive locks among the tabs of an origin where there are no Web Locks.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::wire::{Answer, Effect, Failure, Signal};
use js_sys::Function;
use support::{Undo, World, failed, global, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/lease.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = lease)]
    static LEASE: Function;
    #[wasm_bindgen(js_name = leaseWith)]
    fn lease_with(patience_ms: u32) -> Function;
}

/// A patience that no test loses.
const LONG: u32 = 60_000;

fn world() -> World {
    World::new([lease_with(LONG)])
}

/// A tab that takes whoever says nothing for a moment for dead.
fn impatient() -> World {
    World::new([lease_with(1)])
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

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn owner(name: &str) -> Option<String> {
    storage().get_item(&format!("{name}#lease")).unwrap()
}

#[wasm_bindgen_test]
async fn rp17_waiting_tab_gets_the_lease_when_it_is_dropped() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    let waiting = two.begin(take(&name));
    // Nothing is granted while it is held.
    assert_eq!(world().perform(take_if_free(&name)).await, failed(Failure::Held));
    two.assert_silence();
    assert_eq!(one.perform(Effect::DropLock { lock }).await, Answer::Done {});
    assert_eq!(two.answer_of(waiting).await, Answer::Granted {});
    // It was let go, not lost.
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn rp17_lease_is_free_as_soon_as_it_is_dropped() {
    let (one, name) = (world(), unique("lease"));
    let lock = taken(&one, &name).await;
    assert!(owner(&name).is_some());
    // The page may be gone in a moment.
    one.begin(Effect::DropLock { lock });
    assert_eq!(owner(&name), None);
}

#[wasm_bindgen_test]
async fn rp17_of_those_who_wait_one_gets_the_lease() {
    let (one, two, three, name) = (world(), world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    let waiting = [two.begin(take(&name)), three.begin(take(&name))];
    assert_eq!(world().perform(take_if_free(&name)).await, failed(Failure::Held));
    one.perform(Effect::DropLock { lock }).await;
    // The one that heard of it first.
    assert_eq!(two.answer_of(waiting[0]).await, Answer::Granted {});
    assert_eq!(world().perform(take_if_free(&name)).await, failed(Failure::Held));
    three.assert_silence();
    two.perform(Effect::DropLock { lock: waiting[0] }).await;
    assert_eq!(three.answer_of(waiting[1]).await, Answer::Granted {});
}

#[wasm_bindgen_test]
async fn rp17_of_those_who_steal_at_once_one_gets_the_lease() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let ids = [one.begin(steal(&name)), two.begin(steal(&name))];
    // The last that wrote it.
    assert_eq!(two.answer_of(ids[1]).await, Answer::Granted {});
    one.assert_silence();
    two.perform(Effect::DropLock { lock: ids[1] }).await;
    assert_eq!(one.answer_of(ids[0]).await, Answer::Granted {});
}

#[wasm_bindgen_test]
async fn rp17_stolen_lease_is_lost() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    assert_eq!(two.perform(steal(&name)).await, Answer::Granted {});
    assert_eq!(one.signal().await, Signal::Lost { effect: lock });
    // The thief's lease does not go with the loser's.
    let thief = owner(&name);
    assert_eq!(one.perform(Effect::DropLock { lock }).await, Answer::Done {});
    assert_eq!(owner(&name), thief);
    assert!(thief.is_some());
}

#[wasm_bindgen_test]
async fn rp17_lease_of_a_dead_tab_is_taken() {
    let name = unique("lease");
    storage().set_item(&format!("{name}#lease"), "crashed").unwrap();
    // Whoever does not want to wait does not find out.
    assert_eq!(world().perform(take_if_free(&name)).await, failed(Failure::Held));
    assert_eq!(impatient().perform(take(&name)).await, Answer::Granted {});
    assert_ne!(owner(&name).as_deref(), Some("crashed"));
}

#[wasm_bindgen_test]
async fn rp17_tab_that_lives_keeps_its_lease() {
    let (one, name) = (world(), unique("lease"));
    taken(&one, &name).await;
    let held = owner(&name);
    // It has a while to say so: far more than any machine takes for that.
    let two = World::new([lease_with(1_000)]);
    two.begin(take(&name));
    // Each of these takes a tenth of that while.
    let (three, other) = (world(), unique("lease"));
    for _ in 0..15 {
        let lock = taken(&three, &other).await;
        three.perform(Effect::DropLock { lock }).await;
    }
    two.assert_silence();
    one.assert_silence();
    assert_eq!(owner(&name), held);
}

#[wasm_bindgen_test]
async fn rp17_lease_that_was_cleared_is_put_back_or_taken() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    storage().remove_item(&format!("{name}#lease")).unwrap();
    assert_eq!(two.perform(take(&name)).await, Answer::Granted {});
    assert_eq!(one.signal().await, Signal::Lost { effect: lock });
}

#[wasm_bindgen_test]
async fn rp17_cancelled_lease_is_let_go() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    one.cancel(lock);
    assert_eq!(two.perform(take(&name)).await, Answer::Granted {});
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn rp17_cancelled_wait_is_over() {
    let (one, two, name) = (world(), world(), unique("lease"));
    let lock = taken(&one, &name).await;
    let waiting = two.begin(take(&name));
    two.cancel(waiting);
    one.perform(Effect::DropLock { lock }).await;
    assert_eq!(owner(&name), None);
    two.assert_silence();
}

#[wasm_bindgen_test]
async fn rp17_lease_that_is_cancelled_before_it_is_granted_is_not_held() {
    let (one, two, name) = (world(), world(), unique("lease"));
    for effect in [take(&name), take_if_free(&name), steal(&name)] {
        let id = one.begin(effect);
        one.cancel(id);
        let lock = taken(&two, &name).await;
        two.perform(Effect::DropLock { lock }).await;
    }
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn rp17_dropping_a_lease_that_is_not_held_is_done() {
    assert_eq!(world().perform(Effect::DropLock { lock: 4711 }).await, Answer::Done {});
}

#[wasm_bindgen_test]
async fn rp17_closed_loop_lets_its_leases_go() {
    let (one, two, name) = (world(), world(), unique("lease"));
    taken(&one, &name).await;
    one.close();
    assert_eq!(two.perform(take(&name)).await, Answer::Granted {});
    one.assert_silence();
}

#[wasm_bindgen_test]
async fn rp17_blocked_storage_or_channel_is_unavailable() {
    let window = global("window");
    for blocked in ["localStorage", "BroadcastChannel"] {
        let _undo = Undo::block(&window, blocked);
        for effect in [take("x"), take_if_free("x"), steal("x")] {
            assert_eq!(world().perform(effect).await, failed(Failure::Unavailable), "{blocked}");
        }
    }
}

#[wasm_bindgen_test]
async fn rp17_lease_stands_in_only_where_there_are_no_locks() {
    // A part without effects: nobody answers.
    let with_locks = World::new([LEASE.with(Function::clone)]);
    assert_eq!(with_locks.perform(take("x")).await, failed(Failure::Unavailable));
    let _without = Undo::replace(&global("navigator"), "locks", &JsValue::UNDEFINED);
    let without = World::new([LEASE.with(Function::clone)]);
    assert_eq!(without.perform(take(&unique("lease"))).await, Answer::Granted {});
}
