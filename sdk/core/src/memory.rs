//! What a tab remembers across its pages: how often it redirected by itself, and whether it may.

use crate::{
    json::{Value, Writer, read},
    text::Text,
    time::{UnixTime, difference},
};
use alloc::{string::String, vec::Vec};

/// Automatic redirects that are allowed between two reached sessions.
const REDIRECTS: i64 = 1;

/// The redirect that is one too many in a minute: of automatic ones, sessions reached or not, and of those
/// that were asked for, without a session.
const REDIRECTS_A_MINUTE: usize = 10;

/// Trips to the provider whose records a tab keeps, used ones included. A person is on one of them,
/// and may be on a few more by the Back button.
const TRIPS: usize = 16;

/// The memory of one tab for one client, kept in `sessionStorage`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Automatic redirects since a session was last reached.
    redirects: i64,
    /// When the last of them were, in Unix seconds.
    times: Vec<i64>,
    /// When the app asked for the last that brought no session, in Unix seconds.
    asked: Vec<i64>,
    /// Set by an error answer to an automatic check and by a sign-out of the person: no automatic
    /// check until the person clicks.
    pub(crate) stopped: bool,
    /// Why the answer of the last trip brought no session, by the code's name; empty if none came.
    pub(crate) failure: Text,
    /// When somebody signed out of which the provider could not be told, in Unix seconds; 0 if nobody
    /// did.
    pub(crate) unfinished_at: i64,
    /// The time of the latest version of a session that its pages have known, in milliseconds.
    pub(crate) latest_ms: i64,
    /// The `state` of each trip whose record is kept, the oldest first.
    trips: Vec<Text>,
}

/// Whether a page may redirect by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Yes.
    Granted,
    /// No: the marker is set.
    Stopped,
    /// No: it did so before, and no session came of it, or too often.
    Broken,
}

impl Memory {
    /// Whether the page may redirect by itself now.
    pub(crate) fn permission(&self, now: UnixTime) -> Permission {
        if self.stopped {
            Permission::Stopped
        } else if self.redirects >= REDIRECTS || is_too_many(&self.times, now) {
            Permission::Broken
        } else {
            Permission::Granted
        }
    }

    /// The page redirects by itself now.
    pub(crate) fn redirected(&mut self, now: UnixTime) {
        note(&mut self.times, now);
        self.redirects += 1;
        // Of this trip nothing has been seen yet.
        self.failure = Text::default();
    }

    /// The page leaves because the app asked for it.
    pub(crate) fn left_when_asked(&mut self, now: UnixTime) {
        note(&mut self.asked, now);
    }

    /// Whether it has been asked for so often that no person can have done it: an app that signs in
    /// whenever nobody is signed in would leave and come back for ever.
    pub(crate) fn is_asked_too_often(&self, now: UnixTime) -> bool {
        is_too_many(&self.asked, now)
    }

    /// The person signs out: nothing has failed, and nothing is asked until they click.
    pub(crate) fn sign_out(&mut self) {
        self.stopped = true;
        self.failure = Text::default();
    }

    /// A session was reached.
    pub(crate) fn reached(&mut self) {
        self.asked.clear();
        self.reset();
    }

    /// A session was reached, or the person clicked: whatever stopped automatic checks is over.
    pub(crate) fn reset(&mut self) {
        self.redirects = 0;
        self.stopped = false;
        self.failure = Text::default();
    }

    /// Whether the last trip failed. That nobody is signed in is an answer, not a fault.
    pub(crate) fn has_failed(&self) -> bool {
        !matches!(&*self.failure, "" | "login_required")
    }

    /// What became of the redirects that [`Permission::Broken`] is about, as far as it was seen.
    pub(crate) fn why_broken(&self) -> &str {
        match (&*self.failure, self.redirects) {
            ("", 0) => "too many of them in a minute",
            // The record of the trip was lost with the tab's storage, or the person turned back.
            ("", _) => "no answer that could be known again",
            (failure, _) => failure,
        }
    }

    /// The page leaves on a trip. Gives the `state` of one whose record is to go: nobody would ever
    /// take away what is left of a trip that nobody came back from.
    pub(crate) fn left(&mut self, state: &str) -> Option<Text> {
        self.trips.push(state.into());
        if self.trips.len() > TRIPS { Some(self.trips.remove(0)) } else { None }
    }

    pub(crate) fn write(&self) -> String {
        let mut writer = Writer::default();
        writer.open('{');
        writer.name("redirects");
        writer.integer(self.redirects);
        writer.name("stopped");
        writer.raw(if self.stopped { "true" } else { "false" });
        writer.member("failure", &self.failure);
        writer.name("unfinished");
        writer.integer(self.unfinished_at);
        writer.name("latest");
        writer.integer(self.latest_ms);
        for (name, times) in [("times", &self.times), ("asked", &self.asked)] {
            writer.name(name);
            writer.open('[');
            for time in times {
                writer.integer(*time);
            }
            writer.close(']');
        }
        writer.name("trips");
        writer.open('[');
        for state in &self.trips {
            writer.string(state);
        }
        writer.close(']');
        writer.close('}');
        writer.finish()
    }

    /// Reads what was kept; what cannot be read is as if nothing had been kept.
    pub(crate) fn read(text: &str) -> Self {
        let Ok(value) = read(text.as_bytes()) else { return Self::default() };
        let list = |name| value.get(name).and_then(Value::as_array).unwrap_or_default();
        let trips = list("trips");
        let times = |name| {
            list(name).iter().filter_map(Value::as_integer).take(REDIRECTS_A_MINUTE).collect()
        };
        Self {
            redirects: value.get("redirects").and_then(Value::as_integer).unwrap_or_default(),
            times: times("times"),
            asked: times("asked"),
            stopped: value.get("stopped") == Some(&Value::Bool(true)),
            failure: value.str("failure").unwrap_or_default().into(),
            unfinished_at: value.get("unfinished").and_then(Value::as_integer).unwrap_or_default(),
            latest_ms: value.get("latest").and_then(Value::as_integer).unwrap_or_default(),
            trips: trips.iter().filter_map(Value::as_str).take(TRIPS).map(Into::into).collect(),
        }
    }
}

fn note(times: &mut Vec<i64>, now: UnixTime) {
    times.retain(|time| is_recent(*time, now));
    times.push(now.0);
}

fn is_too_many(times: &[i64], now: UnixTime) -> bool {
    let recent = times.iter().filter(|time| is_recent(**time, now)).count();
    recent + 1 >= REDIRECTS_A_MINUTE
}

fn is_recent(time: i64, now: UnixTime) -> bool {
    (difference(now.0, 60)..=now.0).contains(&time)
}
