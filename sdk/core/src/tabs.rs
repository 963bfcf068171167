//! What the tabs of one origin tell each other. Any script of the origin can speak here, so every
//! word is read as untrusted, and an adopted session is verified like a new one.

use crate::{
    json::{Value, Writer, read},
    secret::Secret,
    time::UnixTime,
    token::Tokens,
    wire::{Cause, Ending, Read as _, Write as _},
};
use alloc::string::String;

/// Which of two states of a session is newer: the greater one, by time, then by tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// When it was made, in milliseconds by the machine's clock.
    pub(crate) at_ms: i64,
    /// Who made it.
    pub(crate) tab: String,
}

/// A session as one tab hands it to the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedSession {
    pub(crate) version: Version,
    /// The version of the sign-in that it came from.
    pub(crate) began: Version,
    pub(crate) id_token: String,
    pub(crate) tokens: Tokens,
    pub(crate) started_at: i64,
    /// When the ID token was accepted, by the provider's clock: its times are held against that.
    pub(crate) accepted_at: i64,
    /// What the tab knows of the provider's clock: one that adopts has asked nothing yet.
    pub(crate) clock_offset_ms: i64,
    /// The provider's key set as JSON, so that adopting needs no request.
    pub(crate) keys: String,
}

/// A message between tabs.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// A new tab, or a new leader, asks who has a session.
    Hello,
    /// Somebody is about to have one: wait.
    Busy {
        /// `state` of the callback that it handles, if it is one.
        state: Option<String>,
    },
    /// The one that said `busy` got none.
    Idle,
    /// A session, new or refreshed.
    Session(SharedSession),
    /// To the leader: refresh, unless you have a newer version than this. Said at this time, by the
    /// machine's clock in milliseconds: one that was not heard in time is no wish any more.
    Renew { version: Version, at_ms: i64 },
    /// The session of this sign-in, or of an older one, is over.
    Ended { began: Version, session_id: Option<String>, cause: Cause },
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
                Self::Ended { .. } => "ended",
            },
        );
        match self {
            Self::Hello | Self::Idle => {}
            Self::Busy { state } => state.write_member("state", &mut writer),
            Self::Session(session) => {
                write_version("version", &session.version, &mut writer);
                write_version("began", &session.began, &mut writer);
                writer.member("id_token", &session.id_token);
                writer.member("access_token", &session.tokens.access_token.0);
                let expires_at = session.tokens.expires_at.map(|time| time.0);
                expires_at.write_member("expires_at", &mut writer);
                session.tokens.refresh_token.write_member("refresh_token", &mut writer);
                session.started_at.write_member("started_at", &mut writer);
                session.accepted_at.write_member("accepted_at", &mut writer);
                session.clock_offset_ms.write_member("clock_offset_ms", &mut writer);
                writer.member("keys", &session.keys);
            }
            Self::Renew { version, at_ms } => {
                write_version("version", version, &mut writer);
                at_ms.write_member("at", &mut writer);
            }
            Self::Ended { began, session_id, cause } => {
                write_version("began", began, &mut writer);
                session_id.write_member("sid", &mut writer);
                cause.ending.write_member("cause", &mut writer);
                cause.at.write_member("at", &mut writer);
            }
        }
        writer.close('}');
        Secret(writer.finish())
    }

    /// Reads a message; `None` for what is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let value = read(text.as_bytes()).ok()?;
        Some(match value.str("kind")? {
            "hello" => Self::Hello,
            "busy" => Self::Busy { state: Option::read(value.get("state"))? },
            "idle" => Self::Idle,
            "session" => Self::Session(SharedSession {
                version: read_version("version", &value)?,
                began: read_version("began", &value)?,
                id_token: value.str("id_token")?.into(),
                tokens: Tokens {
                    access_token: Secret::read(value.get("access_token"))?,
                    expires_at: value.get("expires_at").and_then(Value::as_integer).map(UnixTime),
                    refresh_token: Option::read(value.get("refresh_token"))?,
                },
                started_at: value.get("started_at")?.as_integer()?,
                accepted_at: value.get("accepted_at")?.as_integer()?,
                clock_offset_ms: value.get("clock_offset_ms")?.as_integer()?,
                keys: value.str("keys")?.into(),
            }),
            "renew" => Self::Renew {
                version: read_version("version", &value)?,
                at_ms: value.get("at")?.as_integer()?,
            },
            "ended" => Self::Ended {
                began: read_version("began", &value)?,
                session_id: Option::read(value.get("sid"))?,
                cause: Cause {
                    ending: Ending::read(value.get("cause"))?,
                    at: value.get("at")?.as_integer()?,
                },
            },
            _ => return None,
        })
    }
}

fn write_version(name: &str, version: &Version, writer: &mut Writer) {
    writer.name(name);
    writer.open('[');
    writer.integer(version.at_ms);
    writer.string(&version.tab);
    writer.close(']');
}

fn read_version(name: &str, value: &Value) -> Option<Version> {
    match value.get(name)?.as_array()? {
        [at_ms, tab] => Some(Version { at_ms: at_ms.as_integer()?, tab: tab.as_str()?.into() }),
        _ => None,
    }
}
