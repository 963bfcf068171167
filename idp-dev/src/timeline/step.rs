//! One step of one flow.

use serde::Serialize;
use serde_json::{Map, Value};

use super::masking;
use crate::clock::UnixTime;
use crate::params::Params;

/// The names of steps: stable, and in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum StepName {
    #[serde(rename = "authorize.received")]
    AuthorizeReceived,
    /// An error page; the browser is not sent anywhere.
    #[serde(rename = "authorize.refused")]
    AuthorizeRefused,
    #[serde(rename = "authorize.login_page")]
    AuthorizeLoginPage,
    #[serde(rename = "login.submitted")]
    LoginSubmitted,
    #[serde(rename = "login.failed")]
    LoginFailed,
    #[serde(rename = "login.succeeded")]
    LoginSucceeded,
    #[serde(rename = "session.started")]
    SessionStarted,
    /// No page was shown.
    #[serde(rename = "session.reused")]
    SessionReused,
    #[serde(rename = "session.joined")]
    SessionJoined,
    #[serde(rename = "authorize.not_assigned")]
    AuthorizeNotAssigned,
    #[serde(rename = "authorize.cancelled")]
    AuthorizeCancelled,
    /// An error that was sent back to the client by redirect.
    #[serde(rename = "authorize.error")]
    AuthorizeError,
    #[serde(rename = "code.issued")]
    CodeIssued,
    #[serde(rename = "token.received")]
    TokenReceived,
    #[serde(rename = "token.refused")]
    TokenRefused,
    #[serde(rename = "token.issued")]
    TokenIssued,
    #[serde(rename = "token.refreshed")]
    TokenRefreshed,
    #[serde(rename = "token.replayed")]
    TokenReplayed,
    #[serde(rename = "revocation.received")]
    RevocationReceived,
    #[serde(rename = "revocation.refused")]
    RevocationRefused,
    /// The token was unknown or useless already; the app is told that all is well.
    #[serde(rename = "revocation.unneeded")]
    RevocationUnneeded,
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    #[serde(rename = "grants.revoked")]
    GrantsRevoked,
    #[serde(rename = "introspection.received")]
    IntrospectionReceived,
    #[serde(rename = "introspection.refused")]
    IntrospectionRefused,
    #[serde(rename = "introspection.answered")]
    IntrospectionAnswered,
    #[serde(rename = "userinfo.served")]
    UserinfoServed,
    #[serde(rename = "userinfo.refused")]
    UserinfoRefused,
    #[serde(rename = "stream.opened")]
    StreamOpened,
    #[serde(rename = "stream.refused")]
    StreamRefused,
    #[serde(rename = "stream.closed")]
    StreamClosed,
    #[serde(rename = "end_session.received")]
    EndSessionReceived,
    #[serde(rename = "end_session.refused")]
    EndSessionRefused,
    #[serde(rename = "end_session.confirm_page")]
    EndSessionConfirmPage,
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// Some apps left the session; the others go on without this browser.
    #[serde(rename = "session.left")]
    SessionLeft,
    #[serde(rename = "logout_token.sent")]
    LogoutTokenSent,
    /// An app's server took its logout token.
    #[serde(rename = "backchannel.delivered")]
    BackchannelDelivered,
    /// It did not answer, and is asked again.
    #[serde(rename = "backchannel.retried")]
    BackchannelRetried,
    /// It refused, or could not be reached for too long.
    #[serde(rename = "backchannel.failed")]
    BackchannelFailed,
    /// The browser frames the sign-out pages of apps.
    #[serde(rename = "frontchannel.page")]
    FrontchannelPage,
    /// Something about a session changed that goes on.
    #[serde(rename = "security_event.sent")]
    SecurityEventSent,
    #[serde(rename = "end_session.returned")]
    EndSessionReturned,
    /// A lie was told, because somebody asked for it.
    #[serde(rename = "scenario.broke")]
    ScenarioBroke,
    /// A harness has asked the client to use what it has.
    #[serde(rename = "scenario.asked")]
    ScenarioAsked,
    #[serde(rename = "scenario.accepted")]
    ScenarioAccepted,
    #[serde(rename = "scenario.refused")]
    ScenarioRefused,
}

/// Did a check let the request pass?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It did.
    Passed,
    /// It did not.
    Failed,
}

/// The check that decided a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What was checked, mostly the parameter's name.
    pub(crate) name: &'static str,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// A step before it has a number and a time.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    name: StepName,
    client_id: Option<String>,
    sid: Option<String>,
    user: Option<String>,
    received: Map<String, Value>,
    check: Option<Check>,
    spec: &'static str,
    detail: String,
}

impl Step {
    /// A step with the section it follows and one plain sentence.
    pub(crate) fn new(name: StepName, spec: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            client_id: None,
            sid: None,
            user: None,
            received: Map::new(),
            check: None,
            spec,
            detail: detail.into(),
        }
    }

    pub(crate) fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(masking::shortened(client_id));
        self
    }

    pub(crate) fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    pub(crate) fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    pub(crate) fn passed(mut self, check: &'static str) -> Self {
        self.check = Some(Check { name: check, outcome: Outcome::Passed });
        self
    }

    pub(crate) fn failed(mut self, check: &'static str) -> Self {
        self.check = Some(Check { name: check, outcome: Outcome::Failed });
        self
    }

    /// A value of our own making that is no secret.
    pub(crate) fn note(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.received.insert(name.to_owned(), value.into());
        self
    }

    /// What came in, masked: at most [`MAX_RECORDED`] entries, of which the last then counts the
    /// rest. Parameters that are shown come first, so that a flood of others cannot hide them.
    pub(crate) fn params(mut self, params: &Params) -> Self {
        let mut came: Vec<(&str, &str)> = params.iter().collect();
        if came.len() > MAX_RECORDED {
            came.sort_by_key(|(name, _)| !masking::is_shown(name));
            let left_out = came.split_off(MAX_RECORDED - 1).len();
            self = self.note(REST, format!("{left_out} more"));
        }
        for (name, value) in came {
            let value = masking::masked(name, value);
            self.received.insert(masking::name(name), Value::String(value));
        }
        self
    }

    pub(super) fn at(
        self,
        seq: u64,
        at: UnixTime,
        issuer_of: Option<&'static str>,
    ) -> RecordedStep {
        RecordedStep {
            seq,
            at: at.millis(),
            step: self.name,
            issuer_of,
            client_id: self.client_id,
            sid: self.sid,
            user: self.user,
            received: self.received,
            check: self.check,
            spec: self.spec,
            detail: self.detail,
        }
    }
}

/// Twice what an honest request has; with names and values clipped, all kept steps together stay
/// small (OP29).
const MAX_RECORDED: usize = 24;

/// The entry that counts what was left out.
const REST: &str = "...";

/// A step as it is kept and served.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RecordedStep {
    /// Runs from 1 and never repeats in one process.
    pub(crate) seq: u64,
    /// Milliseconds since 1970 on the provider's clock.
    pub(crate) at: i64,
    pub(crate) step: StepName,
    /// The scenario whose isolated issuer did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_of: Option<&'static str>,
    /// The client that the step concerns.
    pub(crate) client_id: Option<String>,
    /// The client's `sid`.
    pub(crate) sid: Option<String>,
    /// The username.
    pub(crate) user: Option<String>,
    /// What came in, secrets masked.
    pub(crate) received: Map<String, Value>,
    /// The check that decided.
    pub(crate) check: Option<Check>,
    /// The specification and section.
    pub(crate) spec: &'static str,
    /// One plain sentence.
    pub(crate) detail: String,
}

impl RecordedStep {
    /// One short line for people.
    pub(super) fn log_line(&self) -> String {
        let name = serde_json::to_value(self.step).unwrap_or_default();
        let name = name.as_str().unwrap_or_default();
        let client = self.client_id.as_deref().unwrap_or("-");
        let user = self.user.as_deref().unwrap_or("-");
        format!("{name} client={client} user={user}: {}", self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(query: &str) -> Map<String, Value> {
        let params = Params::parse(query).unwrap();
        let step = Step::new(StepName::AuthorizeReceived, "s", "d").params(&params);
        step.at(1, UnixTime::from_seconds(1), None).received
    }

    /// `count` parameters that no specification knows.
    fn unknown(count: usize) -> String {
        (0..count).map(|n| format!("x{n:02}=a-long-value&")).collect()
    }

    #[test]
    fn op29_records_at_most_24_parameters() {
        let all = received(&unknown(24));
        assert_eq!(all.len(), 24);
        assert_eq!(all.get(REST), None);
        let some = received(&unknown(25));
        assert_eq!(some.len(), 24);
        assert_eq!(some[REST], "2 more");
        assert_eq!(some["x22"], "a-lo...");
        assert_eq!(received(&unknown(64))[REST], "41 more");
    }

    #[test]
    fn op29_flood_does_not_hide_what_matters() {
        let query = format!("{}client_id=pied-piper&redirect_uri=http://a.example/", unknown(60));
        let some = received(&query);
        assert_eq!(some.len(), 24);
        assert_eq!(some["client_id"], "pied-piper");
        assert_eq!(some["redirect_uri"], "http://a.example/");
        assert_eq!(some[REST], "39 more");
    }

    #[test]
    fn op29_step_stays_small_whatever_comes() {
        let wide = "\u{1f600}".repeat(400);
        let query: String = (0..64).map(|n| format!("{n:02}{wide}={wide}&")).collect();
        let shown = ["acr_values", "client_id", "display", "login_hint", "redirect_uri", "scope"];
        let query = shown.map(|name| format!("{name}={wide}&")).concat()
            + query.split_inclusive('&').take(58).collect::<String>().as_str();
        let text = serde_json::to_string(&received(&query)).unwrap();
        assert!(text.len() < 24 * (51 + 203 + 6), "{}", text.len());
        // A name that is long is not one that is shown.
        let long = format!("client_id{}=a-secret-value", "x".repeat(300));
        let only = received(&long);
        let (name, value) = only.iter().next().unwrap();
        assert_eq!((name.len(), value), (51, &Value::from("a-se...")));
    }
}
