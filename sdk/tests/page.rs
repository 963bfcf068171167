//! `driver/page.js`: what happens to the page.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::wire::Signal;
use js_sys::Function;
use support::{Undo, World, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/page.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = page)]
    static PAGE: Function;
}

#[wasm_bindgen(module = "/tests/support/web.js")]
extern "C" {
    /// Lets an event happen at `window` or `document`.
    fn happen(target: &JsValue, event: &str, persisted: bool);

    /// Somebody turns from the page to a frame in it, so many shadow roots deep.
    #[wasm_bindgen(js_name = enterFrame)]
    fn enter_frame(depth: u32) -> Function;

    /// Lets time pass.
    async fn pass(milliseconds: u32);
}

fn world() -> World {
    World::new([PAGE.with(Function::clone)])
}

/// A page of which nothing was heard for a while, and its window.
async fn quiet_world() -> (World, JsValue) {
    let world = world();
    pass(1_200).await;
    (world, global("window"))
}

/// The same, whose frame has the focus, and how the frame goes.
async fn quiet_world_of_a_frame(depth: u32) -> (World, JsValue, Function) {
    let world = world();
    let leave_frame = enter_frame(depth);
    pass(1_200).await;
    (world, global("window"), leave_frame)
}

/// The window gets the focus, and the clock of the day is another one.
fn focus_at(window: &JsValue, at_ms: f64) {
    let now = Function::new_no_args(&format!("return {at_ms}"));
    let _clock = Undo::replace(&global("Date"), "now", &now);
    happen(window, "focus", false);
}

#[wasm_bindgen_test]
async fn page_tells_when_it_is_hidden_and_shown() {
    let (world, document) = (world(), global("document"));
    {
        let _hidden = Undo::replace(&document, "hidden", &true.into());
        happen(&document, "visibilitychange", false);
        assert_eq!(world.signal().await, Signal::Hidden {});
    }
    let _shown = Undo::replace(&document, "hidden", &false.into());
    happen(&document, "visibilitychange", false);
    assert_eq!(world.signal().await, Signal::Shown {});
}

#[wasm_bindgen_test]
async fn s15_page_tells_that_somebody_turns_to_its_window() {
    let (world, window) = (world(), global("window"));
    // A page that has just begun asks by itself.
    happen(&window, "focus", false);
    pass(1_200).await;
    world.assert_silence();
    happen(&window, "focus", false);
    assert_eq!(world.signal().await, Signal::Shown {});
}

#[wasm_bindgen_test]
async fn page_of_a_tab_that_is_shown_and_gets_the_focus_says_so_once() {
    let (world, window) = quiet_world().await;
    happen(&window, "focus", false);
    happen(&global("document"), "visibilitychange", false);
    assert_eq!(world.signal().await, Signal::Shown {});
    pass(300).await;
    world.assert_silence();
    // Whichever of the two comes first.
    happen(&global("document"), "visibilitychange", false);
    assert_eq!(world.signal().await, Signal::Shown {});
    happen(&window, "focus", false);
    pass(300).await;
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn page_whose_clock_was_set_back_or_on_tells_that_somebody_turns_to_its_window() {
    for hours in [-1.0, 1.0] {
        let (world, window) = quiet_world().await;
        focus_at(&window, js_sys::Date::now() + hours * 3_600_000.0);
        assert_eq!(world.signal().await, Signal::Shown {});
        let (world, window, leave_frame) = quiet_world_of_a_frame(0).await;
        focus_at(&window, js_sys::Date::now() + hours * 3_600_000.0);
        assert_eq!(world.signal().await, Signal::Shown {});
        leave_frame.call0(&JsValue::NULL).unwrap();
    }
}

#[wasm_bindgen_test]
async fn page_that_is_used_by_turns_with_a_frame_of_its_own_does_not_tell_of_each() {
    // Also where the frame is part of a component, or of one in another.
    for depth in 0..3 {
        let (world, window, leave_frame) = quiet_world_of_a_frame(depth).await;
        happen(&window, "focus", false);
        pass(300).await;
        world.assert_silence();
        leave_frame.call0(&JsValue::NULL).unwrap();
        // To another window now, and back.
        happen(&window, "blur", false);
        pass(300).await;
        happen(&window, "focus", false);
        assert_eq!(world.signal().await, Signal::Shown {});
    }
}

/// Who left for a frame may have been in another window before they come back to the page.
#[wasm_bindgen_test]
async fn page_that_somebody_comes_back_to_from_a_frame_says_so_half_a_minute_after_its_last_word() {
    let begun = js_sys::Date::now();
    let (world, window, leave_frame) = quiet_world_of_a_frame(0).await;
    focus_at(&window, begun + 28_000.0);
    pass(300).await;
    world.assert_silence();
    assert_eq!(world.signal().await, Signal::Shown {});
    leave_frame.call0(&JsValue::NULL).unwrap();
    happen(&window, "blur", false);
    pass(10).await;
}

#[wasm_bindgen_test]
async fn page_that_is_hidden_says_nothing_of_a_focus() {
    let (world, window) = quiet_world().await;
    let _hidden = Undo::replace(&global("document"), "hidden", &true.into());
    happen(&window, "focus", false);
    pass(300).await;
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn page_that_is_opened_in_the_background_says_so() {
    let _hidden = Undo::replace(&global("document"), "hidden", &true.into());
    assert_eq!(world().signal().await, Signal::Hidden {});
}

#[wasm_bindgen_test]
async fn page_tells_when_the_network_is_back() {
    let world = world();
    happen(&global("window"), "offline", false);
    happen(&global("window"), "online", false);
    assert_eq!(world.signal().await, Signal::Online {});
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn page_tells_when_it_is_left_or_frozen() {
    let world = world();
    for (target, event, persisted) in
        [("window", "pagehide", true), ("window", "pagehide", false), ("document", "freeze", false)]
    {
        happen(&global(target), event, persisted);
        assert_eq!(world.signal().await, Signal::Leave {}, "{event}");
    }
}

#[wasm_bindgen_test]
async fn page_tells_when_it_comes_back() {
    let world = world();
    happen(&global("window"), "pageshow", true);
    assert_eq!(world.signal().await, Signal::Return {});
    happen(&global("document"), "resume", false);
    assert_eq!(world.signal().await, Signal::Return {});
}

#[wasm_bindgen_test]
async fn first_showing_of_a_page_is_no_return() {
    let world = world();
    happen(&global("window"), "pageshow", false);
    happen(&global("window"), "online", false);
    assert_eq!(world.signal().await, Signal::Online {});
}

#[wasm_bindgen_test]
async fn closed_loop_hears_nothing() {
    let (closed, open) = (world(), world());
    closed.close();
    happen(&global("window"), "online", false);
    assert_eq!(open.signal().await, Signal::Online {});
    closed.assert_silence();
}
