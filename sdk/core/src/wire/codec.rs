//! The machine's door as text: facts and orders as JSON.

use super::{Fact, Order, Read as _, Write as _};
use crate::{
    entropy::Entropy,
    json::{Writer, read_long},
    machine::Machine,
    time::Now,
};
use alloc::string::String;

/// The fact that `text` says, or `None` if it says none: only a defect of a face makes such a one.
#[must_use]
pub fn read_fact(text: &str) -> Option<Fact> {
    Fact::read(read_long(text.as_bytes()).ok().as_ref())
}

/// A JSON array of `orders`.
#[must_use]
pub fn write_orders(orders: &[Order]) -> String {
    let mut writer = Writer::default();
    writer.open('[');
    for order in orders {
        order.write(&mut writer);
    }
    writer.close(']');
    writer.finish()
}

/// One step with its fact and its orders as JSON; `bytes` is a body or a chunk.
///
/// A fact that cannot be read orders nothing.
#[must_use]
pub fn step_text(
    machine: &mut Machine,
    now: Now,
    entropy: Entropy,
    fact: &str,
    bytes: &[u8],
) -> String {
    match read_fact(fact) {
        Some(fact) => write_orders(&machine.step(now, entropy, fact, bytes)),
        None => write_orders(&[]),
    }
}
