//! What a client made of a lie, by what it did afterwards.
//!
//! A lie brings codes and tokens with it, or opens a door to them. Whoever uses one of them
//! afterwards has accepted the lie. Whoever says that it refused, or uses nothing although it was
//! asked to, has refused. A logout token is the other way round: it takes something away, so who
//! goes on using its session has refused it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use super::registry::{Outcome, Scenario};
use super::seen::{Place, Seen};
use super::switches::lock;
use crate::secret::Digest;

/// What to look out for after a lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// The codes and tokens that came with it.
    pub(super) secrets: Vec<Digest>,
    /// Any code that comes to the token endpoint.
    pub(super) codes: bool,
    /// Any access token.
    pub(super) bearers: bool,
    /// Any request that follows a discovery document.
    pub(super) requests: bool,
    /// The lie takes a session away: who goes on with it has refused.
    pub(super) goes_on: bool,
    /// No request shows what the client thinks: it has to say so.
    pub(super) is_silent: bool,
}

/// What a client made of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Something of the lie was used.
    Accepted,
    /// The client said so, or used nothing although it was asked to.
    Refused,
    /// There was no lie yet, or nothing has come since.
    StillWaiting,
}

impl Verdict {
    /// As the control API says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::StillWaiting => "still waiting",
        }
    }

    /// Is it what the scenario expects?
    pub(crate) fn fits(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Accept => self == Self::Accepted,
            Outcome::Reject => self == Self::Refused,
            // Whether this try succeeds is not the point, that the next one may is.
            Outcome::Recover => self != Self::StillWaiting,
            Outcome::NotApplicable => false,
        }
    }
}

/// What a harness reports of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It was asked to use what it has, and has done what it would.
    Asked,
    /// It claims success.
    Accepted,
    /// It says that it refused.
    Refused,
}

/// A verdict with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) because: &'static str,
    /// How many lies were told.
    pub(crate) told: u64,
}

/// All lies that were told and what came after them.
#[derive(Default)]
pub(crate) struct Book {
    records: Mutex<BTreeMap<String, Record>>,
}

#[derive(Default)]
struct Record {
    told: u64,
    /// Where: an isolated issuer, or the provider itself.
    issuer: Option<&'static str>,
    client_id: Option<String>,
    secrets: BTreeSet<Digest>,
    watch: Watch,
    used: Option<&'static str>,
    said: Option<Said>,
    asked: bool,
}

impl Book {
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// A lie was told.
    pub(super) fn told(
        &self,
        scenario: &str,
        issuer: Option<&'static str>,
        client_id: Option<&str>,
        watch: Watch,
    ) {
        let mut records = self.lock();
        let record = records.entry(scenario.to_owned()).or_default();
        record.told += 1;
        record.issuer = issuer;
        record.client_id = client_id.map(str::to_owned).or(record.client_id.take());
        if record.secrets.len() < MAX_SECRETS {
            record.secrets.extend(&watch.secrets);
        }
        let old = &record.watch;
        record.watch = Watch {
            secrets: Vec::new(),
            codes: watch.codes || old.codes,
            bearers: watch.bearers || old.bearers,
            requests: watch.requests || old.requests,
            goes_on: watch.goes_on || old.goes_on,
            is_silent: watch.is_silent || old.is_silent,
        };
    }

    /// A request came: gives the scenarios that it decides, and how.
    pub(super) fn observe(
        &self,
        issuer: Option<&'static str>,
        seen: &Seen,
    ) -> Vec<(String, Verdict, &'static str)> {
        let mut decided = Vec::new();
        for (name, record) in self.lock().iter_mut() {
            let is_other = match (&record.client_id, &seen.client_id) {
                (Some(told), Some(asks)) => told != asks,
                (None, _) | (_, None) => false,
            };
            if record.issuer != issuer || is_other || record.used.is_some() {
                continue;
            }
            if let Some(what) = record.use_in(seen) {
                record.used = Some(what);
                decided.push((name.clone(), record.judged().verdict, what));
            }
        }
        decided
    }

    /// A harness reports. `false` if no lie of this scenario was told yet.
    pub(crate) fn report(&self, scenario: &str, said: Said) -> bool {
        let mut records = self.lock();
        let Some(record) = records.get_mut(scenario) else { return false };
        record.asked = true;
        if said != Said::Asked {
            record.said = Some(said);
        }
        true
    }

    /// The verdict as things are.
    pub(crate) fn verdict(&self, scenario: &Scenario) -> Judged {
        match self.lock().get(&scenario.name) {
            Some(record) => record.judged(),
            None => Judged {
                verdict: Verdict::StillWaiting,
                because: "nobody has met the scenario yet",
                told: 0,
            },
        }
    }

    pub(super) fn forget(&self, scenario: &str) {
        self.lock().remove(scenario);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        lock(&self.records)
    }
}

impl Record {
    /// What of the lie a request uses.
    fn use_in(&self, seen: &Seen) -> Option<&'static str> {
        let is_token = matches!(seen.place, Place::Token { .. });
        // Giving tokens back is what who refuses them should do.
        if seen.place == Place::Revocation {
            return None;
        }
        if self.watch.goes_on {
            let goes_on = seen.has_bearer && seen.place == Place::UserInfo
                || seen.place == Place::Token { is_refresh: true };
            return goes_on.then_some("the client went on with its session");
        }
        if seen.code.is_some_and(|code| self.secrets.contains(&code)) {
            return Some("the code of the lie was presented");
        }
        if seen.tokens.iter().any(|token| self.secrets.contains(token)) {
            return Some("a token of the lie was used");
        }
        if self.watch.codes && seen.code.is_some() {
            return Some("a code was presented");
        }
        if self.watch.bearers && seen.has_bearer {
            return Some("an access token was used");
        }
        let follows = seen.place == Place::Authorize || is_token || seen.place == Place::KeySet;
        (self.watch.requests && follows).then_some("the client followed the document")
    }

    fn judged(&self) -> Judged {
        let judged = |verdict, because| Judged { verdict, because, told: self.told };
        let (when_used, when_not) = if self.watch.goes_on {
            (Verdict::Refused, Verdict::Accepted)
        } else {
            (Verdict::Accepted, Verdict::Refused)
        };
        match (self.used, self.said) {
            (Some(what), _) => judged(when_used, what),
            (None, Some(Said::Refused)) => {
                judged(Verdict::Refused, "the client said that it refused")
            }
            (None, Some(Said::Accepted)) => judged(Verdict::Accepted, "the client claimed success"),
            (None, Some(Said::Asked) | None) if self.asked && !self.watch.is_silent => {
                judged(when_not, "the client used nothing although it was asked to")
            }
            (None, Some(Said::Asked) | None) => {
                judged(Verdict::StillWaiting, "the client has neither used anything nor said so")
            }
        }
    }
}

/// Of one scenario: some hundred sign-ins.
const MAX_SECRETS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(place: Place, token: Option<&str>) -> Seen {
        Seen {
            place,
            client_id: Some("app".to_owned()),
            code: None,
            tokens: token.map(|text| Digest::of(text.as_bytes())).into_iter().collect(),
            has_bearer: token.is_some(),
        }
    }

    fn told(watch: Watch) -> Book {
        let book = Book::default();
        book.told("lie", None, Some("app"), watch);
        book
    }

    fn verdict(book: &Book) -> Verdict {
        book.lock()["lie"].judged().verdict
    }

    #[test]
    fn who_uses_a_token_of_the_lie_has_accepted() {
        let book = told(Watch { secrets: vec![Digest::of(b"t")], ..Watch::default() });
        assert_eq!(verdict(&book), Verdict::StillWaiting);
        book.observe(None, &seen(Place::Revocation, Some("t")));
        book.observe(None, &seen(Place::UserInfo, Some("another")));
        book.observe(Some("elsewhere"), &seen(Place::UserInfo, Some("t")));
        assert_eq!(verdict(&book), Verdict::StillWaiting);
        assert!(book.report("lie", Said::Refused));
        assert_eq!(verdict(&book), Verdict::Refused);
        // What was done counts more than what was said.
        let decided = book.observe(None, &seen(Place::UserInfo, Some("t")));
        assert_eq!((decided.len(), verdict(&book)), (1, Verdict::Accepted));
        assert_eq!(book.observe(None, &seen(Place::UserInfo, Some("t"))).len(), 0);
    }

    #[test]
    fn who_was_asked_and_uses_nothing_has_refused() {
        let book = told(Watch { bearers: true, ..Watch::default() });
        book.observe(None, &seen(Place::Authorize, None));
        assert!(book.report("lie", Said::Asked));
        assert_eq!(verdict(&book), Verdict::Refused);
        assert!(!book.report("another", Said::Asked));
    }

    #[test]
    fn who_goes_on_after_a_logout_token_has_refused_it() {
        let watch = || Watch { goes_on: true, ..Watch::default() };
        let book = told(watch());
        book.report("lie", Said::Asked);
        assert_eq!(verdict(&book), Verdict::Accepted);
        let book = told(watch());
        book.observe(None, &seen(Place::UserInfo, Some("t")));
        assert_eq!(verdict(&book), Verdict::Refused);
    }

    #[test]
    fn what_no_request_shows_has_to_be_said() {
        let book = told(Watch { is_silent: true, ..Watch::default() });
        book.report("lie", Said::Asked);
        assert_eq!(verdict(&book), Verdict::StillWaiting);
        book.report("lie", Said::Accepted);
        assert_eq!(verdict(&book), Verdict::Accepted);
    }
}
