//! The attempt record: the one thing of a redirect that must survive the page.

use crate::{
    config::Config,
    json::{Value, Writer, read},
    secret::Secret,
    text::Text,
    time::{Seconds, UnixTime},
};

/// How long a person may take at the provider.
pub(crate) const LIFETIME: Seconds = Seconds(3600);

/// How long a used record answers a repeat of its callback.
const TOMBSTONE: Seconds = Seconds(600);

const VERSION: i64 = 1;

/// What one trip to the provider is about. Stored per `state`, single use.
#[derive(Clone, Debug)]
pub(crate) enum Attempt {
    /// A sign-in under way.
    SignIn(SignInAttempt),
    /// A sign-out under way.
    SignOut,
    /// Its callback has been handled.
    Used,
}

/// How a sign-in began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// The person clicked.
    #[default]
    Click,
    /// Nobody clicked: a `prompt=none` of a page's start, which is left for it.
    Redirect,
    /// The same in a hidden frame: the page stays, so that no record of it is needed.
    Frame,
    /// The person clicked, and signs in in a window of its own: the page stays. With the command
    /// that waits for it.
    Popup(u32),
}

/// What a sign-in's answer is held against.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignInAttempt {
    pub(crate) nonce: Secret,
    pub(crate) code_verifier: Secret,
    pub(crate) way: Way,
    /// Who was signed in when the page was left: somebody else is a change of user.
    pub(crate) subject: Option<Text>,
    pub(crate) acr_values: Option<Text>,
    pub(crate) max_age: Option<i64>,
}

/// Where the record of `state` is kept.
pub(crate) fn record_key(state: &str) -> Text {
    Text::concat(&["gatepass:1:attempt:", state])
}

/// Where the return path of `state` is kept: beside the record, so that the driver can tidy the
/// address without reading records.
pub(crate) fn return_key(state: &str) -> Text {
    Text::concat(&["gatepass:1:return:", state])
}

impl Attempt {
    /// The record of this attempt, which ends at the latest `LIFETIME` after `now`.
    pub(crate) fn write(&self, config: &Config, now: UnixTime) -> Secret {
        let mut writer = Writer::default();
        writer.open('{');
        writer.name("version");
        writer.integer(VERSION);
        writer.member("client", &config.shared_name());
        writer.name("expires_at");
        let lifetime = if matches!(self, Self::Used) { TOMBSTONE } else { LIFETIME };
        writer.integer(now.plus(lifetime).0);
        match self {
            Self::Used => writer.member("kind", "used"),
            Self::SignOut => writer.member("kind", "sign_out"),
            Self::SignIn(attempt) => {
                writer.member("kind", "sign_in");
                writer.member("nonce", &attempt.nonce.0);
                writer.member("code_verifier", &attempt.code_verifier.0);
                if attempt.way == Way::Redirect {
                    writer.name("automatic");
                    writer.raw("true");
                }
                if let Some(subject) = &attempt.subject {
                    writer.member("subject", subject);
                }
                if let Some(levels) = &attempt.acr_values {
                    writer.member("acr_values", levels);
                }
                if let Some(seconds) = attempt.max_age {
                    writer.name("max_age");
                    writer.integer(seconds);
                }
            }
        }
        writer.close('}');
        Secret(writer.finish().into())
    }

    /// Reads a record and whether its time is over. `None` for what is no record of this client and
    /// version: storage belongs to every script of the origin.
    pub(crate) fn read(text: &str, config: &Config, now: UnixTime) -> Option<(Self, bool)> {
        let record = read(text.as_bytes()).ok()?;
        let ours = record.get("version")?.as_integer()? == VERSION
            && record.str("client")? == config.shared_name();
        if !ours {
            return None;
        }
        let expired = record.get("expires_at")?.as_integer()? <= now.0;
        let attempt = match record.str("kind")? {
            "used" => Self::Used,
            "sign_out" => Self::SignOut,
            "sign_in" => {
                let (nonce, verifier) = (record.str("nonce")?, record.str("code_verifier")?);
                Self::SignIn(SignInAttempt {
                    nonce: Secret(nonce.into()),
                    code_verifier: Secret(verifier.into()),
                    way: if record.get("automatic") == Some(&Value::Bool(true)) {
                        Way::Redirect
                    } else {
                        Way::Click
                    },
                    subject: record.str("subject").map(Into::into),
                    acr_values: record.str("acr_values").map(Into::into),
                    max_age: record.get("max_age").and_then(Value::as_integer),
                })
            }
            _ => return None,
        };
        Some((attempt, expired))
    }
}
