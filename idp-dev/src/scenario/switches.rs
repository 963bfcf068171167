//! Which scenarios are told at a provider, and what has to be remembered for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lab::Lab;
use super::registry::Scenario;
use super::verdict::{Book, Watch};
use crate::provider::Provider;
use crate::timeline::{Step, StepName};
use crate::tokens::SignOut;

/// A scenario that is switched on.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) scenario: &'static Scenario,
    /// For this client; for all without it.
    pub(crate) client_id: Option<String>,
    /// How many more lies; for good without it.
    pub(crate) left: Option<u64>,
}

/// What a client was told of a sign-out.
#[derive(Clone, Debug, Default)]
pub(super) struct LastSignOut {
    sid: String,
    number: u64,
    token: Option<String>,
    /// The token of the sign-out before.
    pub(super) earlier: Option<String>,
    /// Had the client been told of another, or of none, until now?
    pub(super) is_new: bool,
}

/// The lies of one provider.
pub(crate) struct Scenarios {
    /// The scenario of an isolated issuer.
    own: Option<&'static Scenario>,
    on: Mutex<Vec<Switch>>,
    /// How many answers each fault has seen, by scenario and place in it; a client's sign-outs by
    /// the client too.
    turns: Mutex<BTreeMap<(&'static str, usize, String), u64>>,
    /// The last sign-out that each client was told of.
    sign_outs: Mutex<BTreeMap<String, LastSignOut>>,
    /// How often a session that goes on was told to be over.
    told_by_hand: AtomicU64,
    pub(super) lab: Lab,
    pub(super) book: Arc<Book>,
    pub(super) isolated: Mutex<BTreeMap<&'static str, Arc<Provider>>>,
}

impl Scenarios {
    /// The lies of the provider itself: those of the configuration, to begin with.
    pub(crate) fn switched(on: Vec<Switch>) -> Self {
        Self::with(None, on, Arc::default())
    }

    /// Those of an isolated issuer.
    pub(super) fn of_issuer(scenario: &'static Scenario, book: Arc<Book>) -> Self {
        Self::with(Some(scenario), Vec::new(), book)
    }

    fn with(own: Option<&'static Scenario>, on: Vec<Switch>, book: Arc<Book>) -> Self {
        Self {
            own,
            on: Mutex::new(on),
            turns: Mutex::default(),
            sign_outs: Mutex::default(),
            told_by_hand: AtomicU64::new(0),
            lab: Lab::default(),
            book,
            isolated: Mutex::default(),
        }
    }

    /// The name of an isolated issuer's scenario.
    pub(super) fn issuer_name(&self) -> Option<&'static str> {
        self.own.map(|scenario| scenario.name.as_str())
    }

    /// Is this the isolated issuer of a scenario?
    pub(crate) fn is_issuer(&self) -> bool {
        self.own.is_some()
    }

    /// Is there nothing to tell and nothing to watch?
    pub(super) fn is_quiet(&self) -> bool {
        self.own.is_none() && lock(&self.on).is_empty() && self.book.is_empty()
    }

    /// What is told to this client. To one that is not known, what is told to any: whoever asks
    /// for keys says nothing about itself.
    pub(super) fn active(&self, client_id: Option<&str>) -> Vec<&'static Scenario> {
        let on = lock(&self.on);
        let fits = |switch: &&Switch| match (&switch.client_id, client_id) {
            (Some(wanted), Some(client_id)) => wanted == client_id,
            (None, _) | (_, None) => true,
        };
        let switched = on.iter().filter(fits).map(|switch| switch.scenario);
        // Switched on for a client and for all, it is told once all the same.
        let mut told: Vec<&'static Scenario> = Vec::new();
        for scenario in self.own.into_iter().chain(switched) {
            if told.iter().all(|other| other.name != scenario.name) {
                told.push(scenario);
            }
        }
        told
    }

    /// Switches a scenario on, in place of what was said about it for the same client.
    pub(crate) fn switch_on(&self, switch: Switch) {
        let mut on = lock(&self.on);
        on.retain(|old| {
            old.scenario.name != switch.scenario.name || old.client_id != switch.client_id
        });
        on.push(switch);
    }

    /// Switches a scenario off for everybody, and forgets what came of it.
    pub(crate) fn switch_off(&self, name: &str) {
        lock(&self.on).retain(|switch| switch.scenario.name != name);
        lock(&self.turns).retain(|(own, ..), _| *own != name);
        self.book.forget(name);
        if let Some(provider) = self.isolated(name) {
            lock(&provider.scenarios.turns).clear();
        }
    }

    /// Whether a scenario is switched on, and for whom.
    pub(crate) fn switches(&self, name: &str) -> Vec<Switch> {
        lock(&self.on).iter().filter(|switch| switch.scenario.name == name).cloned().collect()
    }

    /// Everything as at the start; the isolated issuers keep their keys.
    pub(crate) fn reset(&self, on: Vec<Switch>) {
        *lock(&self.on) = on;
        lock(&self.turns).clear();
        lock(&self.sign_outs).clear();
        self.book.clear();
    }

    /// Is this scenario told to this client?
    pub(crate) fn tells(&self, name: &str, client_id: &str) -> bool {
        self.active(Some(client_id)).iter().any(|scenario| scenario.name == name)
    }

    /// The isolated issuers that were asked for so far.
    pub(crate) fn all_isolated(&self) -> Vec<Arc<Provider>> {
        lock(&self.isolated).values().cloned().collect()
    }

    /// The isolated issuer of this name, if it was asked for.
    pub(crate) fn isolated(&self, name: &str) -> Option<Arc<Provider>> {
        lock(&self.isolated).get(name).cloned()
    }

    /// What verdicts are made of.
    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// Counts an answer that a fault may be about.
    pub(super) fn next_turn(&self, scenario: &'static Scenario, place: usize) -> u64 {
        self.turn_of(scenario, place, "", true)
    }

    /// The same for a client's sign-outs; only what `is_new` counts.
    pub(super) fn turn_of(
        &self,
        scenario: &'static Scenario,
        place: usize,
        client_id: &str,
        is_new: bool,
    ) -> u64 {
        let mut turns = lock(&self.turns);
        let turn = turns.entry((&scenario.name, place, client_id.to_owned())).or_default();
        *turn += u64::from(is_new);
        *turn
    }

    /// A number for a sign-out that ends no session.
    pub(crate) fn next_sign_out(&self) -> u64 {
        self.told_by_hand.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Remembers a client's logout token and gives what was said before.
    pub(super) fn swap_logout_token(
        &self,
        client_id: &str,
        about: SignOut<'_>,
        token: &str,
    ) -> LastSignOut {
        let mut all = lock(&self.sign_outs);
        let last = all.entry(client_id.to_owned()).or_default();
        last.is_new = (last.sid.as_str(), last.number) != (about.sid, about.number);
        if last.is_new {
            last.earlier = last.token.replace(token.to_owned());
            (last.sid, last.number) = (about.sid.to_owned(), about.number);
        }
        last.clone()
    }

    /// A lie was told: notes it for the verdict and says so in the timeline.
    pub(super) fn broke(
        &self,
        provider: &Provider,
        scenario: &'static Scenario,
        client_id: Option<&str>,
        watch: Watch,
    ) {
        // Who asks for a document or for keys may say nothing about itself: what was told to it
        // counts too, or a lie for one client would never run out.
        if let Some(switch) = lock(&self.on).iter_mut().find(|switch| {
            switch.scenario.name == scenario.name
                && (switch.client_id.is_none()
                    || client_id.is_none()
                    || switch.client_id.as_deref() == client_id)
        }) {
            switch.left = switch.left.map(|left| left.saturating_sub(1));
        }
        lock(&self.on).retain(|switch| switch.left != Some(0));
        self.book.told(&scenario.name, self.issuer_name(), client_id, watch);
        let mut step = Step::new(StepName::ScenarioBroke, &scenario.spec, scenario.breaks.as_str())
            .note("scenario", scenario.name.as_str())
            .note("rule", scenario.rule.as_str())
            .note("outcome", scenario.outcome.name());
        if let Some(client_id) = client_id {
            step = step.client(client_id);
        }
        provider.timeline.record(step);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
