//! What time it is, and what was put off until later.

use super::{Machine, refresh};
use crate::{
    time::{UnixTime, sum},
    wire::Order,
};

/// What a time was set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The other tabs had time to answer `hello`.
    Hello,
    /// The leader had time to answer `renew`; or the others to say that one of them leads too.
    Renew,
    StreamRetry,
    StreamSilence,
    /// The session's own lifetime is over.
    Lifetime,
    /// Another try to reach a provider that did not answer.
    Reach,
    /// The tab that leads had time to say that the stream was heard.
    Word,
    /// The token is about to expire.
    Expiry,
    /// A navigation had time to begin.
    Leaving,
}

impl Machine {
    /// Now, by the provider's clock as far as it is known.
    pub(super) fn time(&self) -> UnixTime {
        UnixTime(sum(self.now.wall_ms, self.clock_offset_ms).div_euclid(1000))
    }

    /// Now, by the local clock: for what never leaves this browser. The provider's clock is not
    /// known yet when a page begins.
    pub(super) const fn local_time(&self) -> UnixTime {
        UnixTime(self.now.wall_ms.div_euclid(1000))
    }

    pub(super) fn set_timer(&mut self, timer: Timer, after_ms: i64) {
        self.clear_timer(timer);
        self.timers.push((timer, sum(self.now.monotonic_ms, after_ms)));
    }

    pub(super) fn has_timer(&self, timer: Timer) -> bool {
        self.timers.iter().any(|(known, _)| *known == timer)
    }

    pub(super) fn clear_timer(&mut self, timer: Timer) {
        self.timers.retain(|(known, _)| *known != timer);
    }

    pub(super) fn run_timers(&mut self) {
        while let Some(at) = self.timers.iter().position(|(_, due)| *due <= self.now.monotonic_ms) {
            let (timer, _) = self.timers.swap_remove(at);
            match timer {
                Timer::Hello => self.ladder(),
                Timer::Renew => self.replace_leader(),
                Timer::StreamRetry => self.open_stream(),
                Timer::StreamSilence => self.handle_silence(),
                Timer::Lifetime => self.handle_lifetime(),
                Timer::Reach => self.reach(),
                Timer::Word => self.handle_no_word(),
                Timer::Expiry => self.handle_expiry(),
                Timer::Leaving => self.stay(refresh::TAKEOVER_MS),
            }
        }
    }

    pub(super) fn order_wake(&mut self) {
        let next = self.timers.iter().map(|(_, due)| *due).min();
        if next != self.wake_at {
            self.wake_at = next;
            if let Some(monotonic_ms) = next {
                self.orders.push(Order::WakeAt { monotonic_ms });
            }
        }
    }
}
