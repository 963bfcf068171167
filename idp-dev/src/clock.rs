//! The provider's clock: injected everywhere, so that a test can stop it, set it and move it.
//!
//! No other file reads the time. Timers that only pace a connection (heartbeats, read limits) run
//! on real time, because they measure the network and not the protocol.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The moment so many whole seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The moment so many milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since 1970, rounded down; the unit of `iat`, `exp` and `auth_time`.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later; stays at the last representable one instead of wrapping.
    pub fn plus(self, seconds: Seconds) -> Self {
        Self(self.0.saturating_add(seconds.millis()))
    }

    /// How long ago `earlier` was, in milliseconds; negative if it lies in the future.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u32);

impl Seconds {
    /// The same length in milliseconds.
    pub const fn millis(self) -> i64 {
        self.0 as i64 * 1000
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The clock that every part of the provider asks. Clones show the same time.
///
/// ```
/// use idp_dev::{Clock, Seconds, UnixTime};
/// let clock = Clock::frozen_at(UnixTime::from_seconds(1_763_697_600));
/// clock.advance(Seconds(60));
/// assert_eq!(clock.now().seconds(), 1_763_697_660);
/// ```
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

impl Clock {
    /// The machine's own time, until somebody sets it.
    pub fn system() -> Self {
        Self::with(Mode::System)
    }

    /// A stopped clock that shows `at`.
    pub fn frozen_at(at: UnixTime) -> Self {
        Self::with(Mode::Frozen { at })
    }

    fn with(mode: Mode) -> Self {
        let (changes, _) = watch::channel(0);
        Self { inner: Arc::new(Inner { first: mode, mode: Mutex::new(mode), changes }) }
    }

    /// The time now, as everything in the provider sees it.
    pub fn now(&self) -> UnixTime {
        self.mode().now()
    }

    /// Is the clock standing still?
    pub fn is_frozen(&self) -> bool {
        matches!(self.mode(), Mode::Frozen { .. })
    }

    /// Shows `at` from this moment on; a running clock goes on running from there.
    pub fn set(&self, at: UnixTime) {
        self.change(|mode| match mode {
            Mode::Frozen { .. } => Mode::Frozen { at },
            Mode::System | Mode::Moved { .. } => Mode::Moved { at, since: Instant::now() },
        });
    }

    /// Moves forward by `seconds`, whether running or stopped.
    pub fn advance(&self, seconds: Seconds) {
        self.change(|mode| {
            let at = mode.now().plus(seconds);
            match mode {
                Mode::Frozen { .. } => Mode::Frozen { at },
                Mode::System | Mode::Moved { .. } => Mode::Moved { at, since: Instant::now() },
            }
        });
    }

    /// Stops at the time it shows.
    pub fn freeze(&self) {
        self.change(|mode| Mode::Frozen { at: mode.now() });
    }

    /// Runs on from the time it shows.
    pub fn thaw(&self) {
        self.change(|mode| match mode {
            Mode::Frozen { at } => Mode::Moved { at, since: Instant::now() },
            running @ (Mode::System | Mode::Moved { .. }) => running,
        });
    }

    /// Goes back to how the clock was made.
    pub fn reset(&self) {
        let first = self.inner.first;
        self.change(|_| first);
    }

    /// Tells when the clock was set, moved, stopped or started by hand.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    fn mode(&self) -> Mode {
        *self.inner.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(Mode) -> Mode) {
        {
            let mut mode = self.inner.mode.lock().unwrap_or_else(PoisonError::into_inner);
            *mode = change(*mode);
        }
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("now", &self.now())
            .field("frozen", &self.is_frozen())
            .finish()
    }
}

struct Inner {
    first: Mode,
    mode: Mutex<Mode>,
    changes: watch::Sender<u64>,
}

#[derive(Clone, Copy)]
enum Mode {
    System,
    /// Set by hand and running: monotonic time is added, so that a change of the machine's time
    /// cannot move a clock that a test has set.
    Moved {
        at: UnixTime,
        since: Instant,
    },
    Frozen {
        at: UnixTime,
    },
}

impl Mode {
    fn now(self) -> UnixTime {
        match self {
            Self::System => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixTime(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Moved { at, since } => {
                let elapsed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
                UnixTime(at.0.saturating_add(elapsed))
            }
            Self::Frozen { at } => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_clock_moves_only_by_hand() {
        let clock = Clock::frozen_at(UnixTime::from_seconds(100));
        assert_eq!(clock.now(), UnixTime::from_seconds(100));
        clock.advance(Seconds(5));
        assert_eq!(clock.now(), UnixTime::from_seconds(105));
        clock.set(UnixTime::from_seconds(7));
        assert_eq!(clock.now(), UnixTime::from_seconds(7));
        clock.reset();
        assert_eq!(clock.now(), UnixTime::from_seconds(100));
    }

    #[test]
    fn set_clock_goes_on_running_until_frozen() {
        let clock = Clock::system();
        clock.set(UnixTime::from_seconds(1000));
        assert!(!clock.is_frozen());
        assert!(clock.now() >= UnixTime::from_seconds(1000));
        clock.freeze();
        let at = clock.now();
        assert!(clock.is_frozen());
        assert_eq!(clock.now(), at);
        clock.thaw();
        assert!(!clock.is_frozen());
    }

    #[test]
    fn seconds_round_down_before_1970_too() {
        assert_eq!(UnixTime::from_millis(-1).seconds(), -1);
        assert_eq!(UnixTime::from_millis(1999).seconds(), 1);
    }
}
