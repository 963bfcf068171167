//! The core of the npm package: machines behind one `step()`, as a small wasm module.
//!
//! Only bytes and numbers cross. Measured with wasm-bindgen 0.2.130, brotli of module and glue: an
//! exported class with texts costs 1.0 KB more (text codecs that the page has anyway, a finalizer),
//! a thrown error 0.3 KB on top (the table of references to JavaScript values). So a machine is a
//! number, texts are UTF-8, and a refused configuration is a value. `ts/load.ts` is the other side.
//!
//! Not covered: anything that a browser does. That is `sdk/driver`, and `ts/client.ts` joins both.
#![cfg_attr(all(target_arch = "wasm32", not(test)), no_std)]

extern crate alloc;

#[cfg(all(target_arch = "wasm32", not(test)))]
mod runtime;

use alloc::vec::Vec;
use gatepass_core::{
    config::Config,
    entropy::Entropy,
    error::{Code, Error, Result},
    json::{self, Writer},
    machine::Machine,
    time::Now,
    wire::{Read as _, Write as _, read_fact, write_orders},
};
use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// All machines of the page; a machine's number is its place. None is ever taken out: a client
/// lives as long as its page.
///
/// The module has one thread and is never re-entered, so the lock is always free, except after a
/// trap in the middle of a step: then it is never free again, and no further step gets in.
static MACHINES: Mutex<Vec<Machine>> = Mutex::new(Vec::new());

/// Makes a machine for a configuration (JSON, `Config` in `wire.d.ts`).
///
/// Gives JSON: the machine's number, or why the configuration was refused (`WireError`).
#[must_use]
#[wasm_bindgen]
pub fn open(config: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    match try_open(config) {
        Ok(machine) => writer.integer(machine),
        Err(error) => error.write(&mut writer),
    }
    writer.finish().into_bytes()
}

/// Tells a machine a fact (JSON) and gives its orders (a JSON array).
///
/// `wall_ms` is milliseconds since the Unix epoch, `monotonic_ms` since any origin; fractions are
/// cut off. `entropy` is [`Entropy::SIZE`] fresh bytes of a cryptographic generator; with any other
/// number nothing happens, as an attempt without randomness could be guessed. `bytes` is what came
/// beside the fact. Gives nothing at all when the fact cannot be read, when there is no such machine,
/// or when a step has trapped.
#[must_use]
#[wasm_bindgen]
pub fn step(
    machine: usize,
    wall_ms: f64,
    monotonic_ms: f64,
    entropy: &[u8],
    fact: &[u8],
    bytes: &[u8],
) -> Vec<u8> {
    let now = Now { wall_ms: whole(wall_ms), monotonic_ms: whole(monotonic_ms) };
    try_step(machine, now, entropy, fact, bytes).unwrap_or_default()
}

fn try_open(config: &[u8]) -> Result<i64> {
    let config = json::read(config).ok().and_then(|value| Config::read(Some(&value)));
    let machine = Machine::new(config.ok_or(Error::from(Code::ConfigInvalid))?)?;
    let mut machines = MACHINES.try_lock().ok_or(Error::from(Code::RequestInvalid))?;
    let number = i64::try_from(machines.len()).unwrap_or(i64::MAX);
    machines.push(machine);
    Ok(number)
}

fn try_step(
    machine: usize,
    now: Now,
    entropy: &[u8],
    fact: &[u8],
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let mut machines = MACHINES.try_lock()?;
    let machine = machines.get_mut(machine)?;
    let entropy = Entropy::new(entropy.try_into().ok()?);
    let fact = read_fact(core::str::from_utf8(fact).ok()?)?;
    Some(write_orders(&machine.step(now, entropy, fact, bytes)).into_bytes())
}

/// Numbers of JavaScript are floats; what is out of range saturates.
#[allow(clippy::cast_possible_truncation, reason = "saturates, and both clocks fit in 53 bits")]
fn whole(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"issuer":"http://idp.localhost","client_id":"app",
        "redirect_uri":"http://app.localhost/","post_logout_redirect_uri":"http://app.localhost/",
        "origin":"http://app.localhost"}"#;
    const RESUME: &[u8] = br#"{"kind":"command","id":1,
        "command":{"kind":"resume","here":"/","on_load":"manual"}}"#;
    const FRESH: [u8; Entropy::SIZE] = [7; Entropy::SIZE];

    /// The module has one thread; libtest has many.
    fn alone() -> std::sync::MutexGuard<'static, ()> {
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn opened() -> usize {
        let answer = open(CONFIG.as_bytes());
        core::str::from_utf8(&answer).unwrap().parse().unwrap()
    }

    #[test]
    fn gives_each_machine_its_own_number() {
        let _alone = alone();
        assert_ne!(opened(), opened());
    }

    #[test]
    fn says_why_a_configuration_is_refused() {
        let _alone = alone();
        for config in ["", "{}", "[]", "{\"issuer\":1}", "\u{feff}{}"] {
            let answer = open(config.as_bytes());
            let text = core::str::from_utf8(&answer).unwrap();
            assert!(text.starts_with(r#"{"code":"config_invalid""#), "{config}: {text}");
        }
    }

    #[test]
    fn orders_something_on_resume() {
        let _alone = alone();
        let orders = step(opened(), 1.76e12, 5.5, &FRESH, RESUME, &[]);
        assert!(orders.starts_with(br#"[{"kind":""#), "{:?}", core::str::from_utf8(&orders));
    }

    #[test]
    fn gives_nothing_without_a_machine_or_enough_randomness_or_a_fact() {
        let _alone = alone();
        let machine = opened();
        assert!(step(usize::MAX, 0.0, 0.0, &FRESH, RESUME, &[]).is_empty());
        assert!(step(machine, 0.0, 0.0, &[7; Entropy::SIZE - 1], RESUME, &[]).is_empty());
        assert!(step(machine, 0.0, 0.0, &FRESH, b"\xff", &[]).is_empty());
        assert!(step(machine, 0.0, 0.0, &FRESH, b"{}", &[]).is_empty());
    }

    #[test]
    fn cuts_fractions_off_and_saturates() {
        let _alone = alone();
        assert_eq!([whole(1.9), whole(-1.9), whole(f64::NAN)], [1, -1, 0]);
        assert_eq!(whole(f64::INFINITY), i64::MAX);
    }
}
