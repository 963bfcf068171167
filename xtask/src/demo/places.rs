//! Where each part of the demo is: six ports in a row, each with a name of its own.

use std::fmt;
use std::path::PathBuf;

use crate::workspace;

/// The lobby's port unless the person says otherwise.
pub(crate) const DEFAULT_BASE: u16 = 8080;

/// The highest lobby port that leaves room for the other five.
pub(crate) const LAST_BASE: i64 = 65530;

/// A part of the demo that has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Lobby,
    PiedPiper,
    Hooli,
    Provider,
    Control,
    Api,
}

impl Place {
    /// All that browsers visit.
    pub(crate) const VISITED: [Self; 5] =
        [Self::Lobby, Self::PiedPiper, Self::Hooli, Self::Provider, Self::Api];

    /// The name under which it is reached.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Lobby => "localhost",
            Self::PiedPiper => "pied-piper.localhost",
            Self::Hooli => "hooli.localhost",
            Self::Provider => "idp.localhost",
            Self::Control => "127.0.0.1",
            Self::Api => "api.localhost",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lobby => "the lobby",
            Self::PiedPiper => "Pied Piper",
            Self::Hooli => "Hooli",
            Self::Provider => "the provider",
            Self::Control => "the provider's control API",
            Self::Api => "the API",
        })
    }
}

/// One of the two apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum App {
    PiedPiper,
    Hooli,
}

impl App {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::PiedPiper, Self::Hooli];

    /// Its client id, which is also its directory below `target/demo`.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::PiedPiper => "pied-piper",
            Self::Hooli => "hooli",
        }
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PiedPiper => "Pied Piper",
            Self::Hooli => "Hooli",
        }
    }

    /// Its crate, which is also its directory in the working tree.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::PiedPiper => "demo-pied-piper",
            Self::Hooli => "demo-hooli",
        }
    }

    /// Where it is served.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::PiedPiper => Place::PiedPiper,
            Self::Hooli => Place::Hooli,
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::PiedPiper => Self::Hooli,
            Self::Hooli => Self::PiedPiper,
        }
    }
}

/// The ports of one demo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    base: u16,
    is_tls: bool,
}

impl Places {
    /// Six ports from `base` on, which is at most [`LAST_BASE`].
    pub(crate) fn new(base: u16) -> Self {
        Self { base, is_tls: false }
    }

    /// The same, where browsers go by https.
    pub(crate) fn over_tls(self) -> Self {
        Self { is_tls: true, ..self }
    }

    /// A part's port.
    pub(crate) fn port(self, place: Place) -> u16 {
        self.base.saturating_add(match place {
            Place::Lobby => 0,
            Place::PiedPiper => 1,
            Place::Hooli => 2,
            Place::Provider => 3,
            Place::Control => 4,
            Place::Api => 5,
        })
    }

    /// A part's origin, without a trailing slash. The provider's is its issuer.
    pub(crate) fn origin(self, place: Place) -> String {
        // The control API is for programs on this machine: it stays http.
        let scheme = if self.is_tls && place != Place::Control { "https" } else { "http" };
        format!("{scheme}://{}:{}", place.host(), self.port(place))
    }

    /// Where a run keeps its files: two demos on other ports do not share them.
    pub(crate) fn run_directory(self) -> PathBuf {
        workspace::output("demo").join(format!("run-{}", self.base))
    }

    /// A base to try when a port of this one is taken.
    pub(crate) fn another_base(self) -> u16 {
        if self.base <= 64_000 { self.base + 1000 } else { DEFAULT_BASE }
    }

    /// A text written for the default ports and http, moved to these.
    pub(crate) fn moved(self, text: &str) -> String {
        let default = Self::new(DEFAULT_BASE);
        let all = [
            Place::Lobby,
            Place::PiedPiper,
            Place::Hooli,
            Place::Provider,
            Place::Control,
            Place::Api,
        ];
        // From right to left over the original, so that a moved port is never moved again.
        let mut moved = text.to_owned();
        let mut found: Vec<(usize, String, String)> = all
            .into_iter()
            .flat_map(|place| {
                let old = format!(":{}", default.port(place));
                let new = format!(":{}", self.port(place));
                let starts: Vec<usize> = text.match_indices(&old).map(|(at, _)| at).collect();
                starts.into_iter().map(move |at| (at, old.clone(), new.clone()))
            })
            .collect();
        found.sort();
        for (at, old, new) in found.into_iter().rev() {
            moved.replace_range(at..at + old.len(), &new);
        }
        if self.is_tls {
            for host in Place::VISITED.map(Place::host) {
                moved = moved.replace(&format!("http://{host}:"), &format!("https://{host}:"));
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_ports_from_the_base() {
        let places = Places::new(9000);
        assert_eq!(places.origin(Place::Lobby), "http://localhost:9000");
        assert_eq!(places.origin(Place::PiedPiper), "http://pied-piper.localhost:9001");
        assert_eq!(places.origin(Place::Hooli), "http://hooli.localhost:9002");
        assert_eq!(places.origin(Place::Provider), "http://idp.localhost:9003");
        assert_eq!(places.origin(Place::Control), "http://127.0.0.1:9004");
        assert_eq!(places.origin(Place::Api), "http://api.localhost:9005");
    }

    #[test]
    fn moves_a_text_even_where_old_and_new_ports_overlap() {
        let text = "a http://localhost:8080 b http://hooli.localhost:8082/ c :8081";
        let moved = Places::new(8081).moved(text);
        assert_eq!(moved, "a http://localhost:8081 b http://hooli.localhost:8083/ c :8082");
    }

    #[test]
    fn leaves_a_text_for_the_default_ports_alone() {
        let text = "issuer = \"http://idp.localhost:8083\" # 8083 seconds";
        assert_eq!(Places::new(DEFAULT_BASE).moved(text), text);
        assert_eq!(
            Places::new(9000).moved(text),
            "issuer = \"http://idp.localhost:9003\" # 8083 seconds"
        );
    }

    #[test]
    fn moves_what_browsers_visit_to_https() {
        let text = "issuer = \"http://idp.localhost:{port}\" http://localhost:8080 \
                    http://hooli.localhost:8082/ http://127.0.0.1:8084";
        let moved = Places::new(9000).over_tls().moved(text);
        assert_eq!(
            moved,
            "issuer = \"https://idp.localhost:{port}\" https://localhost:9000 \
             https://hooli.localhost:9002/ http://127.0.0.1:9004"
        );
        let places = Places::new(9000).over_tls();
        for place in Place::VISITED {
            assert!(places.origin(place).starts_with("https://"), "{place}");
        }
        assert_eq!(places.origin(Place::Control), "http://127.0.0.1:9004");
    }

    #[test]
    fn suggests_a_base_that_leaves_room_for_six() {
        for base in [1, 8080, 64_000, 64_001, 65_530] {
            assert!(i64::from(Places::new(base).another_base()) <= LAST_BASE);
        }
    }
}
