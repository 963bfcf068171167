//! How long this app's own session lasts, for a person who wants to see it end.

use leptos::prelude::window;
use std::time::Duration;

/// `?session_lifetime=60` gives this tab's sessions sixty seconds from sign-in, and
/// `?session_lifetime=none` takes the limit away again. It is kept in the tab: the way to the
/// provider and back must not lose it.
pub(crate) fn session_lifetime() -> Option<Duration> {
    let storage = window().session_storage().ok().flatten();
    let asked = asked(&window().location().search().unwrap_or_default()).map(str::to_owned);
    if let (Some(asked), Some(storage)) = (&asked, &storage) {
        // A browser that keeps nothing has the limit until the next page.
        drop(storage.set_item(KEY, asked));
    }
    let kept = || storage.and_then(|storage| storage.get_item(KEY).ok().flatten());
    seconds(&asked.or_else(kept)?)
}

/// What the address says.
fn asked(search: &str) -> Option<&str> {
    let mut pairs = search.trim_start_matches('?').split('&');
    pairs.find_map(|pair| pair.strip_prefix("session_lifetime="))
}

/// A whole number of seconds from one on; anything else is no limit.
fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

const KEY: &str = "demo:session-lifetime";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f11_address_may_limit_the_apps_own_session() {
        assert_eq!(asked("?a=b&session_lifetime=60"), Some("60"));
        assert_eq!(asked("?session_lifetime=none"), Some("none"));
        assert_eq!(asked("?a=b"), None);
        assert_eq!(asked(""), None);
    }

    #[test]
    fn f11_limit_is_a_whole_number_of_seconds() {
        assert_eq!(seconds("60"), Some(Duration::from_secs(60)));
        for none in ["none", "", "0", "-1", "1.5", "60s"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }
}
