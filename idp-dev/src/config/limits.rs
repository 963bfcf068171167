//! How much may be open or kept: what somebody could fill on purpose is bounded (OP29).

use toml::Spanned;

use super::ConfigError;
use super::place::Place;
use super::shape::FileLimits;

/// The most of each. What is more is refused, and nothing that is there is displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Open event streams. By HTTP/1.1 each of them is a connection.
    pub streams: usize,
    /// Sessions that live.
    pub sessions: usize,
    /// Does the configuration ask for these connections or streams? What it does not ask for may
    /// be fewer where the system gives fewer files.
    pub are_asked_for: bool,
}

impl Limits {
    const fn of(streams: usize, sessions: usize) -> Self {
        Self { connections: streams + BESIDE_STREAMS, streams, sessions, are_asked_for: false }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(10_000, 20_000)
    }
}

impl Place<'_> {
    pub(super) fn limits(&self, file: &FileLimits) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        let streams = self.count(file.streams.as_ref(), default.streams)?;
        let sessions = self.count(file.sessions.as_ref(), default.sessions)?;
        let limits = Limits::of(streams, sessions);
        let connections = self.count(file.connections.as_ref(), limits.connections)?;
        if let Some(said) = &file.connections
            && connections <= streams
        {
            let expected = format!("more connections than the {streams} that streams may be");
            return Err(self.value(said.span(), &expected, &connections.to_string()));
        }
        let are_asked_for = file.streams.is_some() || file.connections.is_some();
        Ok(Limits { connections, are_asked_for, ..limits })
    }

    fn count(&self, said: Option<&Spanned<i64>>, default: usize) -> Result<usize, ConfigError> {
        let Some(said) = said else { return Ok(default) };
        match usize::try_from(*said.get_ref()) {
            Ok(count) if (1..=A_MILLION).contains(&count) => Ok(count),
            _ => {
                let found = said.get_ref().to_string();
                Err(self.value(said.span(), "a number from 1 to a million", &found))
            }
        }
    }
}

/// For requests, and for connections that say nothing.
const BESIDE_STREAMS: usize = 2_000;

const A_MILLION: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn with(limits: &str) -> Result<super::Limits, String> {
        let text = format!("issuer = \"http://idp.localhost\"\nlimits = {limits}\n");
        let config = Config::parse("idp.toml", &text);
        config.map(|config| config.limits()).map_err(|error| error.expected)
    }

    #[test]
    fn op29_limits_are_named_and_fit_each_other() {
        let default = super::Limits::default();
        assert_eq!(with("{}").unwrap(), default);
        assert!(default.streams >= 10_000 && default.connections > default.streams);
        let limits = with("{ streams = 20000 }").unwrap();
        assert_eq!((limits.connections, limits.are_asked_for), (22_000, true));
        let limits = with("{ sessions = 5 }").unwrap();
        assert_eq!((limits.sessions, limits.are_asked_for), (5, false));
        for wrong in
            ["{ streams = 0 }", "{ sessions = 1000001 }", "{ connections = 10000 }", "{ x = 1 }"]
        {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }
}
