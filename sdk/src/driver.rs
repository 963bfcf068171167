//! The browser's part: the JavaScript of `driver/`.
//!
//! wasm-bindgen copies a file only if an extern that names it is reached, so every file has one,
//! also those that another file imports.

use gatepass_core::wire::OnLoad;
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{
    JsCast as _,
    prelude::{Closure, JsValue, wasm_bindgen},
};
use web_sys::{AbortController, AbortSignal};

/// The machine as the loop calls it: the two clocks in milliseconds, 128 random bytes, a fact as
/// JSON and the bytes beside it; gives the orders as JSON.
pub(crate) type Step = dyn Fn(f64, f64, Uint8Array, String, Uint8Array) -> String;

/// A machine that is being driven, until this is dropped.
pub(crate) struct Driver {
    queue: Loop,
    /// The loop calls it for as long as it is open.
    _step: Closure<Step>,
}

impl Driver {
    /// Drives `step` with every part there is.
    pub(crate) fn start(step: Closure<Step>, door: &Object) -> Self {
        let parts = Array::new();
        let makers = [
            &HTTP,
            &STREAM,
            &WEB_CRYPTO,
            &STORAGE,
            &VAULT,
            &FRAME,
            &WATCH,
            &CHANNEL,
            &LOCKS,
            // After those, in whose place it comes where the browser has none.
            &LEASE,
            &TIMER,
        ];
        for maker in makers {
            maker.with(|maker| parts.push(maker));
        }
        parts.push(&popup(door));
        parts.push(&navigation_with(door));
        // The last: what it tells when the page is left changes what is shown, and the one before it writes
        // down first how far that was scrolled.
        PAGE.with(|maker| parts.push(maker));
        Self { queue: create_loop(&parts, &step), _step: step }
    }

    /// Queues a fact.
    pub(crate) fn tell(&self, fact: &JsValue) {
        self.queue.tell(fact);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The window of a sign-in. Dropping it gives the sign-in up, if it waits still, and closes the
/// window.
pub(crate) struct OpenDoor {
    shut: Function,
    given_up: AbortController,
}

impl OpenDoor {
    /// Opens it: in a click, or a browser blocks it, and there is none.
    pub(crate) fn open(door: &Object) -> Option<Self> {
        let given_up = AbortController::new().ok()?;
        let shut = open_door(door, &given_up.signal()).dyn_into().ok()?;
        Some(Self { shut, given_up })
    }
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        self.given_up.abort();
        // It has nothing to say.
        drop(self.shut.call0(&JsValue::UNDEFINED));
    }
}

/// How the page began.
pub(crate) struct Arrival {
    /// The address that the provider sent the browser back to.
    pub(crate) callback: Option<String>,
    /// Path, query and fragment of the page, without the provider's answer.
    pub(crate) here: String,
    /// Set in a window that has only to report.
    pub(crate) on_load: Option<OnLoad>,
}

/// Takes the provider's answer out of the page's address.
pub(crate) fn arrival(issuer: &str, client_id: &str) -> Arrival {
    let arrival = take_arrival(issuer, client_id);
    let place = Reflect::get(&arrival, &JsValue::from_str("place")).unwrap_or_default();
    if place.is_object() {
        come_back(&place);
    }
    let member = |name: &str| Reflect::get(&arrival, &JsValue::from_str(name)).ok()?.as_string();
    // The only word there is.
    let on_load = member("on_load").map(|_| OnLoad::Manual);
    Arrival { callback: member("callback"), here: member("here").unwrap_or_default(), on_load }
}

#[wasm_bindgen(module = "/driver/loop.js")]
extern "C" {
    /// The queue between the machine and the browser.
    type Loop;

    #[wasm_bindgen(js_name = createLoop)]
    fn create_loop(parts: &Array, step: &Closure<Step>) -> Loop;

    #[wasm_bindgen(method)]
    fn tell(this: &Loop, fact: &JsValue);

    #[wasm_bindgen(method)]
    fn close(this: &Loop);
}

#[wasm_bindgen(module = "/driver/arrival.js")]
extern "C" {
    #[wasm_bindgen(js_name = takeArrival)]
    fn take_arrival(issuer: &str, client_id: &str) -> JsValue;
}

#[wasm_bindgen(module = "/driver/place.js")]
extern "C" {
    /// Scrolls to where the page was.
    #[wasm_bindgen(js_name = comeBack)]
    fn come_back(place: &JsValue);
}

#[wasm_bindgen(module = "/driver/http.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = http)]
    static HTTP: Function;
}

#[wasm_bindgen(module = "/driver/stream.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = stream)]
    static STREAM: Function;
}

#[wasm_bindgen(module = "/driver/crypto.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = webCrypto)]
    static WEB_CRYPTO: Function;
}

#[wasm_bindgen(module = "/driver/storage.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = storage)]
    static STORAGE: Function;
}

#[wasm_bindgen(module = "/driver/vault.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = vault)]
    static VAULT: Function;
}

#[wasm_bindgen(module = "/driver/navigation.js")]
extern "C" {
    /// The maker of the part that leaves the page.
    #[wasm_bindgen(js_name = navigationWith)]
    fn navigation_with(door: &Object) -> Function;
}

#[wasm_bindgen(module = "/driver/frame.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = frame)]
    static FRAME: Function;
}

#[wasm_bindgen(module = "/driver/watch.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = watch)]
    static WATCH: Function;
}

#[wasm_bindgen(module = "/driver/popup.js")]
extern "C" {
    /// The maker of the part that waits for the window.
    fn popup(door: &Object) -> Function;
}

#[wasm_bindgen(module = "/driver/door.js")]
extern "C" {
    /// What shuts it again, if it could be opened.
    #[wasm_bindgen(js_name = openDoor)]
    fn open_door(door: &Object, given_up: &AbortSignal) -> JsValue;
}

#[wasm_bindgen(module = "/driver/keep.js")]
extern "C" {
    /// What keeps forms for this client; it leaves its hooks in the door.
    pub(crate) fn keeper(client: &str, door: &Object) -> Function;
}

#[wasm_bindgen(module = "/driver/diagnose.js")]
extern "C" {
    /// What the browser allows, and what the machine has told, as one object.
    #[wasm_bindgen(catch)]
    pub(crate) async fn diagnose(
        told: &JsValue,
        status: &str,
        storage: &str,
        door: &Object,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/driver/initiated.js")]
extern "C" {
    /// Where to come back to, and who is expected, of an address that begins a sign-in.
    #[wasm_bindgen(js_name = initiatedSignIn, catch)]
    pub(crate) fn initiated_sign_in(address: &str, issuer: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/driver/channel.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = channel)]
    static CHANNEL: Function;
}

#[wasm_bindgen(module = "/driver/locks.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = locks)]
    static LOCKS: Function;
}

#[wasm_bindgen(module = "/driver/lease.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = lease)]
    static LEASE: Function;
}

#[wasm_bindgen(module = "/driver/timer.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = timer)]
    static TIMER: Function;
}

#[wasm_bindgen(module = "/driver/page.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = page)]
    static PAGE: Function;
}
