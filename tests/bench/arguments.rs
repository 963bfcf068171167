//! What is to be measured, and how thoroughly.

use anyhow::{Result, bail};

/// What `cargo xtask bench` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) part: Part,
    pub(crate) size: Size,
}

/// A part of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A sign-out at one app to the other app's knowing.
    Logout,
    /// The same in any world, beside how others watch a session.
    Worlds,
    /// Ten tabs whose token has expired.
    Tabs,
    /// A callback's load to a session.
    Callback,
    /// A reload to a session, by where that is kept.
    Reload,
    /// A provider's start to the first verified ID token.
    Start,
    /// Requests and logins per second.
    Load,
    /// Many open event streams.
    Streams,
    /// The verification of an ID token.
    Verify,
    /// Schedules of the simulated world.
    Schedules,
}

/// How many runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// As many as the figures are made of.
    Full,
    /// A few: to see that it works.
    Quick,
}

impl Size {
    /// One of two numbers.
    pub(crate) fn of(self, full: usize, quick: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

impl Arguments {
    /// Those of this process.
    ///
    /// # Errors
    /// When they name no part.
    pub(crate) fn of_this_run() -> Result<Self> {
        Self::of(std::env::args().skip(1))
    }

    fn of(words: impl Iterator<Item = String>) -> Result<Self> {
        let (mut part, mut size) = (None, Size::Full);
        for word in words {
            match word.as_str() {
                "logout" => part = Some(Part::Logout),
                "worlds" => part = Some(Part::Worlds),
                "tabs" => part = Some(Part::Tabs),
                "callback" => part = Some(Part::Callback),
                "reload" => part = Some(Part::Reload),
                "start" => part = Some(Part::Start),
                "load" => part = Some(Part::Load),
                "streams" => part = Some(Part::Streams),
                "verify" => part = Some(Part::Verify),
                "schedules" => part = Some(Part::Schedules),
                "--quick" => size = Size::Quick,
                other => bail!("{other} is no part: start this by `cargo xtask bench`"),
            }
        }
        match part {
            Some(part) => Ok(Self { part, size }),
            None => bail!("no part is named: start this by `cargo xtask bench`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Arguments> {
        Arguments::of(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn reads_part_and_size() {
        let full = of(&["load"]).unwrap();
        assert_eq!(full, Arguments { part: Part::Load, size: Size::Full });
        let quick = of(&["--quick", "streams"]).unwrap();
        assert_eq!(quick, Arguments { part: Part::Streams, size: Size::Quick });
        assert_eq!((full.size.of(50, 3), quick.size.of(50, 3)), (50, 3));
    }

    #[test]
    fn refuses_no_part_and_unknown_words() {
        assert!(of(&[]).is_err());
        assert!(of(&["--quick"]).is_err());
        assert!(of(&["size"]).is_err());
    }
}
