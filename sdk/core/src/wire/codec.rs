//! The machine's door as text: facts and orders as JSON.

use super::{Fact, Order, Read as _, Write as _};
use crate::{
    entropy::Entropy,
    json::{Writer, read},
    machine::Machine,
    time::Now,
};
use alloc::string::String;

/// One step with its fact and its orders as JSON; `bytes` is a body or a chunk.
///
/// A fact that cannot be read does nothing and orders nothing: only a defect of the face makes one,
/// and the machine must not break on it.
#[must_use]
pub fn step_text(
    machine: &mut Machine,
    now: Now,
    entropy: Entropy,
    fact: &str,
    bytes: &[u8],
) -> String {
    let mut writer = Writer::default();
    writer.open('[');
    if let Some(fact) = read(fact.as_bytes()).ok().and_then(|value| Fact::read(Some(&value))) {
        for order in machine.step(now, entropy, fact, bytes) {
            Order::write(&order, &mut writer);
        }
    }
    writer.close(']');
    writer.finish()
}
