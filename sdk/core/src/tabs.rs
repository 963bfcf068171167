//! What the tabs of one origin tell each other. Any script of the origin can speak here, so every
//! word is read as untrusted, and an adopted session is verified like a new one.

use crate::{
    json::{Value, Writer, read},
    secret::Secret,
    text::Text,
    time::UnixTime,
    token::{OtherToken, Target, Tokens},
    wire::{Cause, Read, Write},
};
use alloc::boxed::Box;

/// Which of two states of a session is newer: the greater one, by time, then by tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// When it was made, in milliseconds by the machine's clock.
    pub(crate) at_ms: i64,
    /// Who made it.
    pub(crate) tab: Text,
}

/// A session as one tab hands it to the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedSession {
    pub(crate) version: Version,
    /// The version of the sign-in that it came from.
    pub(crate) began: Version,
    pub(crate) id_token: Text,
    pub(crate) tokens: Tokens,
    pub(crate) started_at: i64,
    /// What the provider's frame is asked about.
    pub(crate) session_state: Option<Text>,
    /// From when its own lifetime counts.
    pub(crate) extended_at: i64,
    /// When the ID token was accepted, by the provider's clock: its times are held against that.
    pub(crate) accepted_at: i64,
    /// What the tab knows of the provider's clock: one that adopts has asked nothing yet.
    pub(crate) clock_offset_ms: i64,
    /// The provider's key set as JSON, so that adopting needs no request.
    pub(crate) keys: Text,
    /// It was kept in storage, and the provider said then, by the local clock in milliseconds, that
    /// it stands. No part of the message.
    pub(crate) kept_ms: Option<i64>,
    /// It is the leader's word to those who wait for it: ask again.
    pub(crate) leads: bool,
    /// The provider's stream has spoken of it.
    pub(crate) is_told: bool,
}

/// A message between tabs.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// A new tab, or a new leader, asks who has a session.
    Hello,
    /// Somebody is about to have one: wait.
    Busy {
        /// `state` of the callback that it handles, if it is one.
        state: Option<Text>,
    },
    /// The one that said `busy` got none.
    Idle,
    /// A session, new or refreshed.
    Session(Box<SharedSession>),
    /// To the leader: refresh, unless you have a newer version than this. Said at this time, by the
    /// machine's clock in milliseconds: one that was not heard in time is no wish any more. With
    /// `extends` the session's own lifetime begins anew, if the provider refreshes.
    Renew { version: Version, at_ms: i64, target: Target, extends: bool },
    /// The leader's word that the provider gives no token for this target.
    Refused { target: Target, code: Text, found: Text },
    /// The leader's word that it refreshes this version, and is at a further step of it.
    Refreshing { version: Version },
    /// To the leader, without a time: has the stream of the session that began so just been heard? Its
    /// word: at this time, by the machine's clock in milliseconds. And whether the tab that asks is seen.
    Heard { began: Version, at_ms: Option<i64>, is_seen: bool },
    /// The app's page in a frame of the provider: the session of this `sid` may be over.
    Check { session_id: Text },
    /// The session of this sign-in, or of an older one, is over; if somebody has signed out, whatever
    /// had begun by then.
    Ended { began: Version, session_id: Option<Text>, cause: Cause },
}

impl Message {
    pub(crate) fn write(&self) -> Secret {
        let mut writer = Writer::default();
        writer.open('{');
        writer.member(
            "kind",
            match self {
                Self::Hello => "hello",
                Self::Busy { .. } => "busy",
                Self::Idle => "idle",
                Self::Session(_) => "session",
                Self::Renew { .. } => "renew",
                Self::Refreshing { .. } => "refreshing",
                Self::Refused { .. } => "refused",
                Self::Check { .. } => "check",
                Self::Heard { .. } => "heard",
                Self::Ended { .. } => "ended",
            },
        );
        match self {
            Self::Hello | Self::Idle => {}
            Self::Busy { state } => state.write_member("state", &mut writer),
            Self::Session(session) => {
                session.version.write_member("version", &mut writer);
                session.began.write_member("began", &mut writer);
                writer.member("id_token", &session.id_token);
                writer.member("access_token", &session.tokens.access_token.0);
                let expires_at = session.tokens.expires_at.map(|time| time.0);
                expires_at.write_member("expires_at", &mut writer);
                session.tokens.refresh_token.write_member("refresh_token", &mut writer);
                session.started_at.write_member("started_at", &mut writer);
                session.session_state.write_member("session_state", &mut writer);
                session.extended_at.write_member("extended_at", &mut writer);
                session.accepted_at.write_member("accepted_at", &mut writer);
                session.clock_offset_ms.write_member("clock_offset_ms", &mut writer);
                writer.member("keys", &session.keys);
                session.leads.write_member("leads", &mut writer);
                session.is_told.write_member("told", &mut writer);
                writer.name("others");
                writer.open('[');
                for other in &session.tokens.others {
                    writer.open('{');
                    write_target(&other.target, &mut writer);
                    writer.member("access_token", &other.access_token.0);
                    other.expires_at.map(|time| time.0).write_member("expires_at", &mut writer);
                    writer.close('}');
                }
                writer.close(']');
            }
            Self::Refreshing { version } => version.write_member("version", &mut writer),
            Self::Check { session_id } => writer.member("sid", session_id),
            Self::Heard { began, at_ms, is_seen } => {
                began.write_member("began", &mut writer);
                at_ms.write_member("at", &mut writer);
                is_seen.write_member("seen", &mut writer);
            }
            Self::Renew { version, at_ms, target, extends } => {
                version.write_member("version", &mut writer);
                at_ms.write_member("at", &mut writer);
                extends.write_member("extends", &mut writer);
                write_target(target, &mut writer);
            }
            Self::Refused { target, code, found } => {
                write_target(target, &mut writer);
                writer.member("code", code);
                writer.member("found", found);
            }
            Self::Ended { began, session_id, cause } => {
                began.write_member("began", &mut writer);
                session_id.write_member("sid", &mut writer);
                cause.ending.write_member("cause", &mut writer);
                cause.at.write_member("at", &mut writer);
            }
        }
        writer.close('}');
        Secret(writer.finish().into())
    }

    /// The latest version that it names, in milliseconds.
    pub(crate) fn latest_ms(&self) -> i64 {
        match self {
            Self::Hello
            | Self::Busy { .. }
            | Self::Idle
            | Self::Refused { .. }
            | Self::Check { .. } => 0,
            Self::Session(session) => session.version.at_ms.max(session.began.at_ms),
            Self::Renew { version, .. } | Self::Refreshing { version } => version.at_ms,
            Self::Ended { began, .. } | Self::Heard { began, .. } => began.at_ms,
        }
    }

    /// Reads a message; `None` for what is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let value = &read(text.as_bytes()).ok()?;
        let mut wrong = false;
        let message = match value.str("kind")? {
            "hello" => Self::Hello,
            "busy" => Self::Busy { state: member(value, "state", &mut wrong) },
            "idle" => Self::Idle,
            "session" => Self::Session(Box::new(SharedSession {
                version: member(value, "version", &mut wrong),
                began: member(value, "began", &mut wrong),
                id_token: member(value, "id_token", &mut wrong),
                tokens: Tokens {
                    access_token: member(value, "access_token", &mut wrong),
                    expires_at: expires_at(value),
                    refresh_token: member(value, "refresh_token", &mut wrong),
                    others: value
                        .get("others")
                        .and_then(Value::as_array)
                        .unwrap_or_default()
                        .iter()
                        .map(|other| OtherToken {
                            target: target_of(other),
                            access_token: member(other, "access_token", &mut wrong),
                            expires_at: expires_at(other),
                        })
                        .collect(),
                },
                started_at: member(value, "started_at", &mut wrong),
                session_state: member(value, "session_state", &mut wrong),
                extended_at: member(value, "extended_at", &mut wrong),
                accepted_at: member(value, "accepted_at", &mut wrong),
                clock_offset_ms: member(value, "clock_offset_ms", &mut wrong),
                keys: member(value, "keys", &mut wrong),
                kept_ms: None,
                leads: is_true(value, "leads"),
                is_told: is_true(value, "told"),
            })),
            "renew" => Self::Renew {
                version: member(value, "version", &mut wrong),
                at_ms: member(value, "at", &mut wrong),
                target: target_of(value),
                extends: is_true(value, "extends"),
            },
            "refused" => Self::Refused {
                target: target_of(value),
                code: member(value, "code", &mut wrong),
                found: member(value, "found", &mut wrong),
            },
            "refreshing" => Self::Refreshing { version: member(value, "version", &mut wrong) },
            "heard" => Self::Heard {
                began: member(value, "began", &mut wrong),
                at_ms: member(value, "at", &mut wrong),
                is_seen: member(value, "seen", &mut wrong),
            },
            "check" => Self::Check { session_id: member(value, "sid", &mut wrong) },
            "ended" => Self::Ended {
                began: member(value, "began", &mut wrong),
                session_id: member(value, "sid", &mut wrong),
                cause: Cause {
                    ending: member(value, "cause", &mut wrong),
                    at: member(value, "at", &mut wrong),
                },
            },
            _ => return None,
        };
        if wrong { None } else { Some(message) }
    }
}

fn write_target(target: &Target, writer: &mut Writer) {
    for (name, value) in [("resource", &target.resource), ("scope", &target.scope)] {
        if !value.is_empty() {
            writer.member(name, value);
        }
    }
}

fn target_of(value: &Value) -> Target {
    let text = |name| value.str(name).unwrap_or_default().into();
    Target { resource: text("resource"), scope: text("scope") }
}

fn is_true(value: &Value, name: &str) -> bool {
    value.get(name) == Some(&Value::Bool(true))
}

fn expires_at(value: &Value) -> Option<UnixTime> {
    value.get("expires_at").and_then(Value::as_integer).map(UnixTime)
}

fn member<T: Read>(value: &Value, name: &str, wrong: &mut bool) -> T {
    T::take(value.get(name), wrong)
}

impl Write for Version {
    fn write(&self, writer: &mut Writer) {
        writer.open('[');
        writer.integer(self.at_ms);
        writer.string(&self.tab);
        writer.close(']');
    }
}

impl Read for Version {
    fn take(value: Option<&Value>, wrong: &mut bool) -> Self {
        let parts = value.and_then(Value::as_array).unwrap_or_default();
        *wrong |= parts.len() != 2;
        Self { at_ms: i64::take(parts.first(), wrong), tab: Text::take(parts.get(1), wrong) }
    }
}
