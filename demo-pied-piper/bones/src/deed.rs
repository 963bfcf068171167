//! What the app itself did, for the lobby's picture: told apart from two looks at the session.

use crate::snapshot::Snapshot;
use gatepass_leptos::gatepass::{Code, Status};
use serde::Serialize;

/// One thing that the app did. It names codes and rules, never a token.
#[derive(Debug, PartialEq)]
pub(crate) struct Deed {
    /// A stable name.
    step: &'static str,
    /// Names and values, to be shown as they are.
    facts: Vec<(&'static str, String)>,
}

/// A deed as the lobby hears it.
#[derive(Debug, Serialize)]
pub(crate) struct Told<'a> {
    gatepass: &'static str,
    step: &'static str,
    facts: &'a [(&'static str, String)],
    /// When it was done, in milliseconds by this machine's clock: it may be heard later than what it
    /// led to.
    at: f64,
}

impl Deed {
    /// A deed of which there is no more to say.
    pub(crate) fn new(step: &'static str) -> Self {
        Self { step, facts: Vec::new() }
    }

    /// What the lobby is told of it.
    pub(crate) fn told(&self, at: f64) -> Told<'_> {
        Told { gatepass: "step", step: self.step, facts: &self.facts, at }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// What the app did between two looks at its session.
    pub(crate) fn between(before: &Snapshot, now: &Snapshot) -> Vec<Self> {
        let mut deeds = Vec::new();
        // A page that comes back from the provider still says why there is no session: that is no
        // second end.
        if let Some(cause) = &now.cause
            && before.person.is_some()
            && now.cause != before.cause
        {
            deeds.push(Self::new("app.ended").with("ending", cause.ending.as_str()));
        }
        if before.person.is_none() && now.holder().is_some() {
            deeds.push(began(now));
        }
        match (before.status, now.status) {
            (Status::Offline, Status::Offline) => {}
            (_, Status::Offline) => deeds.push(Self::new("app.offline")),
            (Status::Offline, Status::Authenticated) => deeds.push(Self::new("app.back")),
            _ => {}
        }
        if let Some(error) = &now.error
            && now.error != before.error
            && error.code != Code::IssuerUnreachable
        {
            deeds.push(Self::new("app.refused").with("error", error.code.as_str()));
        }
        deeds
    }
}

/// How the session came: by an answer to this tab's own question, which the nonce shows (Core
/// 3.1.3.7 rule 11), or from another tab.
fn began(now: &Snapshot) -> Deed {
    let names: Vec<&str> = now.checks.iter().map(|check| check.name.as_str()).collect();
    let step = if names.contains(&"nonce") { "app.verified" } else { "app.adopted" };
    let deed = Deed::new(step).with("checks passed", names.join(", "));
    match now.started_at.zip(now.expires_at) {
        Some((start, end)) => deed.with("own lifetime", format!("{} s", end - start)),
        None => deed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Person;
    use gatepass_leptos::gatepass::{Cause, Check, Ending, Error};

    fn steps(before: &Snapshot, now: &Snapshot) -> Vec<&'static str> {
        Deed::between(before, now).iter().map(|deed| deed.step).collect()
    }

    fn held(names: &[&str]) -> Snapshot {
        let check = |name: &&str| Check { name: (*name).to_owned(), ..Check::default() };
        Snapshot {
            status: Status::Authenticated,
            person: Some(Person::default()),
            checks: names.iter().map(check).collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn tells_an_answer_from_a_session_of_another_tab() {
        let nobody = Snapshot { status: Status::Anonymous, ..Snapshot::default() };
        assert_eq!(steps(&nobody, &held(&["iss", "nonce"])), ["app.verified"]);
        assert_eq!(steps(&nobody, &held(&["iss"])), ["app.adopted"]);
        assert_eq!(steps(&held(&["iss"]), &held(&["iss", "nonce"])), [""; 0]);
    }

    #[test]
    fn f7_tells_why_the_session_ended_once() {
        let cause = Some(Cause { ending: Ending::SignedOut, at: 1 });
        let over = Snapshot { status: Status::Anonymous, cause, ..Snapshot::default() };
        let deeds = Deed::between(&held(&["nonce"]), &over);
        assert_eq!(deeds, [Deed::new("app.ended").with("ending", "signed_out")]);
        assert_eq!(steps(&over, &over), [""; 0]);
        assert_eq!(steps(&Snapshot::default(), &over), [""; 0]);
    }

    #[test]
    fn tells_when_the_provider_goes_and_comes_back() {
        let away = Snapshot {
            status: Status::Offline,
            error: Some(Error::from(Code::IssuerUnreachable)),
            ..held(&["nonce"])
        };
        assert_eq!(steps(&held(&["nonce"]), &away), ["app.offline"]);
        assert_eq!(steps(&away, &away), [""; 0]);
        assert_eq!(steps(&away, &held(&["nonce"])), ["app.back"]);
    }

    #[test]
    fn f14_tells_that_the_app_was_refused() {
        let refused = Snapshot {
            status: Status::Anonymous,
            error: Some(Error::from(Code::AccessDenied)),
            ..Snapshot::default()
        };
        let deeds = Deed::between(&Snapshot::default(), &refused);
        assert_eq!(deeds, [Deed::new("app.refused").with("error", "access_denied")]);
    }
}
