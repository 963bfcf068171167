//! `driver/timer.js`: the one timer.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::wire::{Fact, Order, Signal};
use js_sys::Function;
use std::{cell::RefCell, rc::Rc};
use support::{Undo, World};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/timer.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = timer)]
    static TIMER: Function;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic_ms() -> f64;
}

fn world() -> World {
    World::new([TIMER.with(Function::clone)])
}

fn wake_in(ms: i64) -> Order {
    Order::WakeAt { monotonic_ms: monotonic_ms() as i64 + ms }
}

#[wasm_bindgen_test]
async fn machine_is_woken_at_its_time_and_not_before() {
    let world = world();
    for ms in [1, 2, 5, 10, 20] {
        let at = monotonic_ms() as i64 + ms;
        world.order([Order::WakeAt { monotonic_ms: at }]);
        let told = world.next().await;
        assert_eq!(told.fact, Fact::Signal { signal: Signal::Wake {} });
        assert!(told.now.monotonic_ms >= at, "{} is before {at}", told.now.monotonic_ms);
    }
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn time_that_has_passed_wakes_at_once() {
    let world = world();
    world.order([Order::WakeAt { monotonic_ms: 0 }]);
    assert_eq!(world.signal().await, Signal::Wake {});
}

#[wasm_bindgen_test]
async fn later_order_replaces_the_earlier() {
    let (replaced, plain) = (world(), world());
    replaced.order([wake_in(5), wake_in(3_600_000)]);
    plain.order([wake_in(50)]);
    assert_eq!(plain.signal().await, Signal::Wake {});
    replaced.assert_silence();
    replaced.order([wake_in(5)]);
    assert_eq!(replaced.signal().await, Signal::Wake {});
}

#[wasm_bindgen_test]
async fn time_beyond_the_browsers_longest_delay_does_not_wake_at_once() {
    // A delay of 2^31 ms or more overflows: browsers fire such a timer at once.
    let delays = Rc::new(RefCell::new(Vec::new()));
    let noted = delays.clone();
    let note = Closure::<dyn Fn(Function, f64)>::new(move |_, ms| noted.borrow_mut().push(ms));
    let world = world();
    {
        let _spied = Undo::replace(&js_sys::global(), "setTimeout", note.as_ref());
        // A minute more than that: some of the delay has passed when the order is obeyed.
        let longest = 1 << 31;
        world.order([wake_in(longest + 60_000), wake_in(longest * 1000)]);
    }
    assert_eq!(*delays.borrow(), [2_147_483_647.0, 2_147_483_647.0]);
}

#[wasm_bindgen_test]
async fn timer_that_fires_early_is_set_again() {
    let early = Rc::new(RefCell::new(None));
    let kept = early.clone();
    let keep = Closure::<dyn Fn(Function, f64)>::new(move |fire: Function, _: f64| {
        kept.replace(Some(fire));
    });
    let world = world();
    {
        let _spied = Undo::replace(&js_sys::global(), "setTimeout", keep.as_ref());
        world.order([wake_in(40)]);
    }
    let fire = early.take().unwrap();
    fire.call0(&JsValue::NULL).unwrap();
    world.assert_silence();
    assert_eq!(world.signal().await, Signal::Wake {});
}

#[wasm_bindgen_test]
async fn closed_loop_is_not_woken() {
    let (closed, open) = (world(), world());
    closed.order([wake_in(5)]);
    closed.close();
    open.order([wake_in(50)]);
    assert_eq!(open.signal().await, Signal::Wake {});
    closed.assert_silence();
}
