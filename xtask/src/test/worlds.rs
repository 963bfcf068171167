//! The worlds that journeys run in: an engine with a rule for third-party cookies.

use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

use crate::workspace;

/// Chromium's worlds. In the first every journey but the long ones runs on each change; in all others
/// a spine does, and everything by `test all`.
pub(super) const CHROMIUM: [&str; 2] = ["chromium-blocked", "chromium-allowed"];

/// Firefox's worlds.
pub(super) const FIREFOX: [&str; 2] = ["firefox-default", "firefox-block-all"];

/// WebKit's world.
pub(super) const WEBKIT: &str = "webkit-itp";

/// All of them, as the table has them.
pub(crate) const ALL: [&str; 5] = [CHROMIUM[0], CHROMIUM[1], FIREFOX[0], FIREFOX[1], WEBKIT];

/// The spine: the journeys of each test file that run in every world on each change. What a person
/// would notice first: signing in once for two sites, and out of both.
pub(super) const SPINE: [(&str, &[&str]); 3] = [
    (
        "logout",
        &["f2_f20_sign_out_at_hooli_reaches_pied_piper", "f18_back_after_sign_out_shows_no_data"],
    ),
    ("sso", &["f1_s1_s2_one_password_for_two_sites"]),
    ("tabs", &["a_tab_that_closes_hands_the_stream_over"]),
];

/// Journeys that `test all` walks, and each change does not: each is long, and beside a shorter one that
/// shows the same behaviour.
pub(super) const LONG: [&str; 5] = [
    "f12_network_killed_while_a_kept_session_starts",
    "f1_network_killed_on_the_way_of_a_silent_sign_in",
    "f21_network_killed_in_the_middle_of_a_refresh",
    "f3_seven_apps_on_seven_sites_leave_room_for_an_eighth",
    "f7_provider_restarted_before_a_sign_out",
];

/// What belongs to the spine besides where frames get the provider's cookie: the journeys that see
/// something else there.
const SEEING: [(&str, &[&str]); 3] = [
    (
        "idp_frames",
        &["f4_session_frame_tells_a_change_where_it_sees_its_cookie_and_nothing_elsewhere"],
    ),
    ("ways", &["f17_probe_never_leaves_the_page"]),
    ("world", &["world_proves_itself"]),
];

/// The journeys of a test file that belong to a world's spine.
pub(super) fn spine_of(target: &str, world: &str) -> Vec<&'static str> {
    let seeing: &[_] = if world == CHROMIUM[1] { &SEEING } else { &[] };
    let files = SPINE.iter().chain(seeing).filter(|(file, _)| *file == target);
    files.flat_map(|(_, names)| names.iter().copied()).collect()
}

/// What the journeys of one test file wrote about their drivers.
pub(super) struct Notes {
    pub(super) file: PathBuf,
}

/// What a driver could not do in one journey.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Why the journey could not be walked, if it could not.
    pub(super) cannot: Option<String>,
    /// What it went on without.
    pub(super) without: Vec<String>,
}

impl Notes {
    /// An empty page for them.
    ///
    /// # Errors
    /// When the file of an earlier run cannot be removed.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let file = workspace::output("report/notes.jsonl");
        fs::create_dir_all(workspace::output("report"))?;
        fs::write(&file, "")?;
        Ok(Self { file })
    }

    /// What was noted about a test that has ended.
    ///
    /// # Errors
    /// When the notes cannot be read: a test that could not be walked would look like one that passed.
    pub(super) fn of(&self, test: &str) -> anyhow::Result<Limits> {
        limits(&fs::read_to_string(&self.file)?, test)
    }
}

fn limits(text: &str, test: &str) -> anyhow::Result<Limits> {
    let mut limits = Limits::default();
    // The last line may be half written, by a test that is not over.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let note: Note = serde_json::from_str(line)?;
        if note.test != test {
            continue;
        }
        limits.cannot = limits.cannot.or(note.cannot);
        limits.without.extend(note.without);
    }
    limits.without.sort();
    limits.without.dedup();
    Ok(limits)
}

#[derive(Deserialize)]
struct Note {
    test: String,
    cannot: Option<String>,
    without: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_notes_of_one_test() {
        let text = "{\"test\":\"a\",\"without\":\"x\"}\n{\"test\":\"b\",\"cannot\":\"y\"}\n\
                    {\"test\":\"a\",\"without\":\"x\"}\n";
        let one = Limits { cannot: None, without: vec!["x".to_owned()] };
        assert_eq!(limits(text, "a").unwrap(), one);
        assert_eq!(limits(text, "b").unwrap().cannot.as_deref(), Some("y"));
        assert_eq!(limits(text, "c").unwrap(), Limits::default());
        assert!(limits("nonsense\n", "c").is_err());
    }
}
