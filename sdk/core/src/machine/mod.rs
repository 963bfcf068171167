//! The machine.
use crate::{
    entropy::Entropy,
    time::Now,
    wire::{Fact, Order},
};
use alloc::vec::Vec;
/// M
pub struct Machine;
impl Machine {
    /// A machine for one client.
    pub fn new(_config: crate::config::Config) -> crate::error::Result<Self> {
        Ok(Self)
    }

    /// S
    pub fn step(&mut self, _: Now, _: Entropy, _: Fact, _: &[u8]) -> Vec<Order> {
        Vec::new()
    }
}
