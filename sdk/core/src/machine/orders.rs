//! What the machine orders: effects, what becomes of a command, what is stored.

use super::{Expect, Machine};
use crate::{
    error::Error,
    secret::Secret,
    text::Text,
    wire::{Area, Effect, Order, Outcome},
};

impl Machine {
    pub(super) fn effect(&mut self, effect: Effect, expect: Expect) -> u32 {
        self.last_effect = self.last_effect.wrapping_add(1);
        let id = self.last_effect;
        self.waiting.push((id, expect));
        self.orders.push(Order::Effect { id, effect });
        id
    }

    pub(super) fn cancel(&mut self, effect: u32) {
        self.waiting.retain(|(id, _)| *id != effect);
        self.orders.push(Order::Cancel { effect });
    }

    /// Stops the effects that are waited for like this.
    pub(super) fn cancel_expected(&mut self, is_meant: &dyn Fn(&Expect) -> bool) {
        while let Some(effect) =
            self.waiting.iter().find(|(_, expect)| is_meant(expect)).map(|(effect, _)| *effect)
        {
            self.cancel(effect);
        }
    }

    pub(super) fn complete(&mut self, command: Option<u32>, outcome: Outcome) {
        if let Some(command) = command {
            // Subscribers hear of a change before the command that made it is over.
            self.publish();
            self.orders.push(Order::Completed { command, outcome });
        }
    }

    pub(super) fn complete_failed(&mut self, command: Option<u32>, error: Error) {
        if command.is_some() {
            self.note_error(error.code);
            self.complete(command, Outcome::Failed { error });
        }
    }

    pub(super) fn load(&mut self, area: Area, key: Text, expect: Expect) {
        self.effect(Effect::Load { area, key }, expect);
    }

    pub(super) fn save(&mut self, area: Area, key: Text, value: Secret) {
        self.effect(Effect::Save { area, key, value }, Expect::Nothing);
    }

    pub(super) fn erase(&mut self, area: Area, key: Text) {
        self.effect(Effect::Erase { area, key }, Expect::Nothing);
    }

    /// A key for what is kept per issuer and client.
    pub(super) fn shared_key(&self, what: &str) -> Text {
        Text::concat(&[&self.config.shared_name(), "#", what])
    }

    pub(super) fn save_memory(&mut self) {
        let latest_ms = self.latest_ms();
        if let Some(memory) = &mut self.memory {
            memory.latest_ms = latest_ms;
            let value = Secret(memory.write().into());
            let key = self.shared_key("memory");
            self.save(Area::Tab, key, value);
        }
    }
}
