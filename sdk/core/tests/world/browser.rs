//! The browser: it carries out what machines order, as the driver does, and delivers what comes of
//! it one fact at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gatepass_core::{
    base64url::{decode, encode},
    config::Config,
    entropy::Entropy,
    machine::Machine,
    secret::Secret,
    time::Now,
    wire::{Answer, Area, Command, Effect, Fact, Failure, OnLoad, Order, Outcome, Session, Signal},
};

use super::{
    BEGIN_MS,
    keys::{hash, verify},
    provider::{Endpoint, ISSUER, Provider, Visit},
    rules::Rules,
};

/// More than any test has to be delivered at once.
const MOST_DELIVERIES: usize = 3_000;

/// One page: a machine and what its driver knows.
pub struct Document {
    pub machine: Machine,
    pub tab: usize,
    pub rules: Rules,
    pub outcomes: BTreeMap<u32, Option<Outcome>>,
    pub sessions: Vec<Session>,
    wake_at: Option<i64>,
    live: BTreeSet<u32>,
    listens: bool,
    /// Frozen, or in the back/forward cache.
    pub away: bool,
    /// It does nothing, but the browser has not noticed.
    pub hangs: bool,
    leaving_to: Option<(String, bool)>,
}

#[derive(Default)]
pub struct Tab {
    pub storage: BTreeMap<String, String>,
    pub current: Option<u64>,
    pub cached: Option<u64>,
    /// Where it is if no page of ours is loaded.
    pub at_provider: Option<Visit>,
    pub on_load: OnLoad,
    /// The address that the last page was loaded with.
    pub loaded: String,
}

pub(super) struct Delivery {
    document: u64,
    endpoint: Option<Endpoint>,
    fact: Fact,
    bytes: Vec<u8>,
}

pub(super) struct Stream {
    pub(super) document: u64,
    pub(super) effect: u32,
    pub(super) sso: Option<usize>,
}

/// The storage that seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vault {
    Works,
    /// It takes until `finish_sealing` to write anything.
    Slow,
    /// The browser blocks or lacks what it needs.
    Missing,
    /// It never answers; the driver gives up.
    Hangs,
    /// It reads, but there is no room to write.
    Full,
}

#[expect(clippy::struct_excessive_bools, reason = "switches of a test double")]
pub struct Browser {
    pub config: Config,
    pub wall_ms: i64,
    pub monotonic_ms: i64,
    pub provider: Provider,
    pub tabs: Vec<Tab>,
    pub documents: BTreeMap<u64, Document>,
    pub storage: BTreeMap<String, String>,
    /// All that was said among the tabs.
    pub channel: Vec<String>,
    pub storage_blocked: bool,
    pub origin_storage_blocked: bool,
    pub locks_missing: bool,
    /// Streams are answered, and say nothing.
    pub streams_are_mute: bool,
    pub crypto_missing: bool,
    /// What becomes of the storage that seals.
    pub vault: Vault,
    /// The key that it has now.
    pub vault_key: u32,
    /// What is being sealed: page, effect, area, key, text.
    sealing: Vec<(u64, u32, Area, String, String)>,
    /// Frames of the provider that pages have asked to be watched, and the words for them.
    watching: Vec<(u64, u32, String, String)>,
    /// Its verdicts come after everything else.
    pub slow_crypto: bool,
    /// An algorithm that its WebCrypto has not.
    pub lacks: Option<&'static str>,
    /// The provider does not get its cookie in frames.
    pub frames_are_blind: bool,
    /// What pages open frames with does not load.
    pub frames_are_missing: bool,
    /// How many navigations were posted.
    pub posts: usize,
    /// No window of its own for a sign-in.
    pub popups_blocked: bool,
    /// Those that are open: the page, the effect, and what the provider shows there.
    pub popups: Vec<(u64, u32, Visit)>,
    /// Navigations are ordered but do not happen.
    pub stays: bool,
    pub held_endpoints: Vec<(Endpoint, Option<usize>)>,
    pub(super) lock: Option<(u64, u32)>,
    pub(super) lock_queue: VecDeque<(u64, u32)>,
    pub(super) streams: Vec<Stream>,
    /// Refresh tokens on their way: page, effect, token.
    pub(super) refreshing: Vec<(u64, u32, String)>,
    pub(super) deliveries: Vec<Delivery>,
    entropy: Random,
    last_document: u64,
    last_command: u32,
    /// Automatic redirects since a session was last reached, by tab.
    pub redirects: BTreeMap<usize, usize>,
}

/// A small generator (splitmix64): the same seed, the same world.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

impl Browser {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            wall_ms: BEGIN_MS,
            monotonic_ms: 1000,
            provider: Provider::new(),
            tabs: Vec::new(),
            documents: BTreeMap::new(),
            storage: BTreeMap::new(),
            channel: Vec::new(),
            storage_blocked: false,
            origin_storage_blocked: false,
            locks_missing: false,
            streams_are_mute: false,
            crypto_missing: false,
            vault: Vault::Works,
            vault_key: 1,
            sealing: Vec::new(),
            watching: Vec::new(),
            slow_crypto: false,
            lacks: None,
            frames_are_blind: false,
            frames_are_missing: false,
            posts: 0,
            popups_blocked: false,
            popups: Vec::new(),
            stays: false,
            held_endpoints: Vec::new(),
            lock: None,
            lock_queue: VecDeque::new(),
            streams: Vec::new(),
            refreshing: Vec::new(),
            deliveries: Vec::new(),
            entropy: Random(1),
            last_document: 0,
            last_command: 0,
            redirects: BTreeMap::new(),
        }
    }

    pub fn provider_time(&self) -> i64 {
        (self.wall_ms + self.provider.clock_offset_ms).div_euclid(1000)
    }

    pub fn new_tab(&mut self) -> usize {
        self.tabs.push(Tab::default());
        self.tabs.len() - 1
    }

    // Pages.

    /// Loads an address of the app, as the driver does: a callback is an answer whose `state` has a
    /// record or whose `iss` is the issuer, and the person sees the path kept beside the record.
    pub fn load(&mut self, tab: usize, url: &str, on_load: OnLoad) {
        self.leave(tab, false);
        let machine = Machine::new(self.config.clone()).unwrap();
        self.last_document += 1;
        let document = self.last_document;
        let parameters = super::parameters(url);
        let is_blocked = self.storage_blocked;
        let place = &mut self.tabs[tab];
        let stored = |what: &str| {
            let key = format!("gatepass:1:{what}:{}", parameters.get("state")?);
            place.storage.get(&key).filter(|_| !is_blocked).cloned()
        };
        let is_ours = parameters.get("iss").is_some_and(|iss| iss == ISSUER)
            && (parameters.contains_key("code") || parameters.contains_key("error"));
        let is_callback = parameters.contains_key("state")
            && (is_ours || stored("attempt").is_some_and(|record| !record.is_empty()));
        let callback = is_callback.then(|| url.to_owned());
        let after_host = url.split_once("://").and_then(|(_, r)| r.find('/').map(|at| &r[at..]));
        let path = after_host.unwrap_or(url);
        let clean = path.split('?').next().unwrap_or_default();
        let here = match (is_callback, stored("return")) {
            (true, Some(kept)) => kept,
            (true, None) => clean.to_owned(),
            (false, _) => path.to_owned(),
        };
        place.current = Some(document);
        place.at_provider = None;
        place.on_load = on_load;
        place.loaded = url.into();
        self.documents.insert(
            document,
            Document {
                machine,
                tab,
                rules: Rules::default(),
                outcomes: BTreeMap::new(),
                sessions: Vec::new(),
                wake_at: None,
                live: BTreeSet::new(),
                listens: false,
                away: false,
                hangs: false,
                leaving_to: None,
            },
        );
        self.command(
            document,
            Command::Resume { callback: callback.map(Into::into), here: here.into(), on_load },
        );
    }

    pub fn command(&mut self, document: u64, command: Command) -> u32 {
        self.last_command += 1;
        let id = self.last_command;
        if let Some(page) = self.documents.get_mut(&document) {
            page.outcomes.insert(id, None);
            if matches!(command, Command::SignIn { .. }) {
                // Somebody clicked: the way is open again.
                self.redirects.insert(page.tab, 0);
            }
        }
        self.step(document, Fact::Command { id, command }, &[]);
        id
    }

    pub fn signal(&mut self, document: u64, signal: Signal) {
        self.step(document, Fact::Signal { signal }, &[]);
    }

    /// The page is left: it goes to the back/forward cache.
    fn leave(&mut self, tab: usize, replaced: bool) {
        if let Some(document) = self.tabs[tab].current.take() {
            self.signal(document, Signal::Leave {});
            // One that is replaced in the history cannot be gone back to.
            if replaced {
                return self.destroy(document);
            }
            if let Some(forgotten) = self.tabs[tab].cached.take() {
                self.destroy(forgotten);
            }
            if let Some(page) = self.documents.get_mut(&document) {
                page.away = true;
                page.leaving_to = None;
            }
            self.tabs[tab].cached = Some(document);
        }
    }

    /// Back to the page in the cache.
    pub fn back(&mut self, tab: usize) {
        let cached = self.tabs[tab].cached.take().unwrap();
        if let Some(current) = self.tabs[tab].current.take() {
            self.signal(current, Signal::Leave {});
            self.destroy(current);
        }
        self.tabs[tab].current = Some(cached);
        self.tabs[tab].at_provider = None;
        let page = self.documents.get_mut(&cached).unwrap();
        page.away = false;
        page.rules.returned();
        self.signal(cached, Signal::Return {});
    }

    pub fn destroy(&mut self, document: u64) {
        self.documents.remove(&document);
        self.deliveries.retain(|delivery| delivery.document != document);
        self.streams.retain(|stream| stream.document != document);
        self.lock_queue.retain(|(owner, _)| *owner != document);
        if self.lock.is_some_and(|(owner, _)| owner == document) {
            self.pass_lock();
        }
    }

    pub fn close(&mut self, tab: usize) {
        let documents = [self.tabs[tab].current.take(), self.tabs[tab].cached.take()];
        for document in documents.into_iter().flatten() {
            self.destroy(document);
        }
    }

    // Steps.

    fn step(&mut self, document: u64, fact: Fact, bytes: &[u8]) {
        let Some(mut page) = self.documents.remove(&document) else { return };
        let now = Now { wall_ms: self.wall_ms, monotonic_ms: self.monotonic_ms };
        let mut random = [0; Entropy::SIZE];
        for byte in &mut random {
            *byte = self.entropy.next().to_le_bytes()[0];
        }
        let said = std::env::var_os("GATEPASS_TRACE").map(|_| format!("{fact:?}"));
        let orders = page.machine.step(now, Entropy::new(random), fact, bytes);
        if let Some(said) = said {
            eprintln!("page {document}: {said}");
            for order in &orders {
                eprintln!("    {order:?}");
            }
        }
        page.rules.check(self.monotonic_ms, &orders, &self.provider.secrets);
        self.documents.insert(document, page);
        for order in orders {
            self.obey(document, order);
        }
    }

    pub(super) fn page(&mut self, document: u64) -> &mut Document {
        self.documents.get_mut(&document).unwrap()
    }

    fn obey(&mut self, document: u64, order: Order) {
        match order {
            Order::Effect { id, effect } => {
                self.page(document).live.insert(id);
                self.perform(document, id, effect);
            }
            Order::Cancel { effect } => self.cancel(document, effect),
            Order::WakeAt { monotonic_ms } => self.page(document).wake_at = Some(monotonic_ms),
            Order::Completed { command, outcome } => {
                let before = self.page(document).outcomes.insert(command, Some(outcome));
                assert_eq!(before, Some(None), "command {command} is over twice, or unknown");
            }
            Order::Session { session } => {
                let tab = self.page(document).tab;
                if session.status == gatepass_core::wire::Status::Authenticated {
                    self.redirects.insert(tab, 0);
                }
                self.page(document).sessions.push(*session);
            }
        }
    }

    fn answer(&mut self, document: u64, effect: u32, answer: Answer) {
        let fact = Fact::Answer { effect, answer };
        self.deliver(document, None, fact, Vec::new());
    }

    pub(super) fn deliver(
        &mut self,
        document: u64,
        endpoint: Option<Endpoint>,
        fact: Fact,
        bytes: Vec<u8>,
    ) {
        self.deliveries.push(Delivery { document, endpoint, fact, bytes });
    }

    fn perform(&mut self, document: u64, id: u32, effect: Effect) {
        let unavailable = Answer::Failed { reason: Failure::Unavailable };
        let endpoint = matches!(effect, Effect::LoadSealed { .. }).then_some(Endpoint::Vault);
        let answer = match effect {
            Effect::Fetch { method, url, authorization, form, limit, .. } => {
                return self.fetch(
                    document,
                    id,
                    method,
                    url.into(),
                    authorization.map(|s| s.0.into()),
                    form.map(|s| s.0.into()),
                    limit,
                );
            }
            Effect::OpenStream { url, authorization, .. } => {
                return self.open_stream(document, id, url.into(), authorization.0.into());
            }
            Effect::Digest { .. } | Effect::VerifySignature { .. } if self.crypto_missing => {
                unavailable
            }
            Effect::Digest { algorithm, text } => {
                Answer::Digest { value: encode(&hash(algorithm, &text.0)).into() }
            }
            Effect::VerifySignature { algorithm, .. } if self.lacks == Some(algorithm) => {
                Answer::Failed { reason: Failure::Unsupported }
            }
            Effect::VerifySignature { algorithm, key, input, signature } => {
                verify(algorithm, &key.0, &input.0, &signature)
            }
            Effect::Load { area, key } => match self.area(document, area) {
                Some(storage) => Answer::Loaded {
                    value: storage.get(key.as_str()).map(|kept| kept.as_str().into()),
                },
                None => unavailable,
            },
            Effect::Save { area, key, value } => match self.area(document, area) {
                Some(storage) => {
                    storage.insert(key.into(), value.0.into());
                    Answer::Done {}
                }
                None => unavailable,
            },
            Effect::Erase { area, key } => match self.area(document, area) {
                Some(storage) => {
                    storage.remove(key.as_str());
                    Answer::Done {}
                }
                None => unavailable,
            },
            Effect::LoadSealed { .. } if self.vault == Vault::Missing => unavailable,
            Effect::LoadSealed { .. } if self.vault == Vault::Hangs => {
                Answer::Failed { reason: Failure::Timeout }
            }
            Effect::LoadSealed { area, key, .. } => {
                let prefix = format!("sealed {} ", self.vault_key);
                match self.area(document, area).map(|storage| storage.get(key.as_str())) {
                    Some(Some(kept)) => match kept.strip_prefix(&prefix).and_then(decode) {
                        Some(text) => {
                            Answer::Loaded { value: Some(String::from_utf8(text).unwrap().into()) }
                        }
                        None => unavailable,
                    },
                    Some(None) => Answer::Loaded { value: None },
                    None => unavailable,
                }
            }
            Effect::SaveSealed { area, key, value } => match self.vault {
                Vault::Works | Vault::Slow => {
                    self.sealing.push((document, id, area, key.into(), value.0.into()));
                    if self.vault == Vault::Works {
                        self.finish_sealing();
                    }
                    return;
                }
                _ => unavailable,
            },
            Effect::Navigate { url, form, replace } => {
                let url = match form {
                    Some(form) => {
                        self.posts += 1;
                        format!("{}?{}", url.0, form.0)
                    }
                    None => url.0.into(),
                };
                let tab = self.page(document).tab;
                if !replace {
                    self.redirects.insert(tab, 0);
                }
                if replace {
                    let count = self.redirects.entry(tab).or_default();
                    *count += 1;
                    assert!(*count <= 1, "a second automatic redirect without a session");
                }
                self.page(document).leaving_to = Some((url, replace));
                Answer::Done {}
            }
            Effect::OpenFrame { .. } if self.frames_are_missing => {
                Answer::Failed { reason: Failure::Cancelled }
            }
            Effect::OpenFrame { url, .. } => {
                let now = self.provider_time();
                let cookie = self.provider.cookie;
                if self.frames_are_blind {
                    self.provider.cookie = None;
                }
                let visit = self.provider.visit(&url.0, now);
                self.provider.cookie = cookie;
                let answer = match visit {
                    Visit::Redirect(back) if back.starts_with(&self.provider.silent) => {
                        let query = back.split_once('?').map_or("", |(_, query)| query);
                        Answer::Framed { query: Secret(format!("?{query}").into()) }
                    }
                    // A page that nobody sees, and that never reports.
                    _ => Answer::Failed { reason: Failure::Timeout },
                };
                let fact = Fact::Answer { effect: id, answer };
                return self.deliver(document, Some(Endpoint::Frame), fact, Vec::new());
            }
            Effect::OpenPopup { url, .. } if !self.popups_blocked => {
                let now = self.provider_time();
                let visit = self.provider.visit(&url.0, now);
                return self.show_in_popup(document, id, visit);
            }
            Effect::OpenPopup { .. } => unavailable,
            Effect::WatchSession { url, words } => {
                self.watching.push((document, id, url.into(), words.0.into()));
                return;
            }
            Effect::Broadcast { text, .. } => {
                self.page(document).listens = true;
                self.say(Some(document), &text.0);
                Answer::Done {}
            }
            Effect::TakeLock { if_free, steal, .. } => {
                return self.take_lock(document, id, if_free, steal);
            }
            Effect::DropLock { lock } => {
                self.drop_lock(document, lock);
                Answer::Done {}
            }
        };
        let fact = Fact::Answer { effect: id, answer };
        self.deliver(document, endpoint, fact, Vec::new());
    }

    /// The provider's frames that are watched now: address and words.
    pub fn watched(&mut self) -> Vec<(String, String)> {
        let live = |(document, id, ..): &(u64, u32, String, String)| {
            self.documents.get(document).is_some_and(|page| page.live.contains(id))
        };
        self.watching.retain(live);
        self.watching.iter().map(|(_, _, url, words)| (url.clone(), words.clone())).collect()
    }

    /// What comes of watching them.
    pub fn frames_say(&mut self, answer: &Answer) {
        self.watched();
        for (document, id, ..) in core::mem::take(&mut self.watching) {
            self.answer(document, id, answer.clone());
        }
        self.settle();
    }

    /// They have shown that they see the provider's cookie.
    pub fn frames_see(&mut self) {
        self.watched();
        for (document, effect, ..) in self.watching.clone() {
            self.signal(document, Signal::Chunk { effect });
        }
        self.settle();
    }

    /// What is being sealed is stored now, unless it was cancelled meanwhile.
    pub fn finish_sealing(&mut self) {
        for (document, id, area, key, text) in core::mem::take(&mut self.sealing) {
            if !self.documents.get(&document).is_some_and(|page| page.live.contains(&id)) {
                continue;
            }
            let sealed = self.seal(&text);
            let answer = match self.area(document, area) {
                Some(storage) => {
                    storage.insert(key, sealed);
                    Answer::Done {}
                }
                None => Answer::Failed { reason: Failure::Unavailable },
            };
            self.answer(document, id, answer);
        }
    }

    /// A text as it lies in storage.
    pub fn seal(&self, text: &str) -> String {
        format!("sealed {} {}", self.vault_key, encode(text.as_bytes()))
    }

    fn area(&mut self, document: u64, area: Area) -> Option<&mut BTreeMap<String, String>> {
        let tab = self.page(document).tab;
        let blocked = self.storage_blocked;
        match area {
            Area::Tab if !blocked => Some(&mut self.tabs[tab].storage),
            Area::Origin if !blocked && !self.origin_storage_blocked => Some(&mut self.storage),
            _ => None,
        }
    }

    fn cancel(&mut self, document: u64, effect: u32) {
        self.page(document).live.remove(&effect);
        self.streams.retain(|s| (s.document, s.effect) != (document, effect));
        self.drop_lock(document, effect);
    }

    // Tabs among themselves.

    pub fn say(&mut self, from: Option<u64>, text: &str) {
        self.channel.push(text.into());
        let ears = self
            .documents
            .iter()
            .filter(|(id, page)| Some(**id) != from && page.listens && !page.away);
        let ears: Vec<u64> = ears.map(|(id, _)| *id).collect();
        for id in ears {
            let fact = Fact::Signal { signal: Signal::Message { text: text.into() } };
            self.deliver(id, None, fact, Vec::new());
        }
    }

    fn take_lock(&mut self, document: u64, id: u32, if_free: bool, steal: bool) {
        if self.locks_missing {
            let answer = Answer::Failed { reason: Failure::Unavailable };
            return self.answer(document, id, answer);
        }
        if steal && let Some((owner, effect)) = self.lock.take() {
            let fact = Fact::Signal { signal: Signal::Lost { effect } };
            self.deliver(owner, None, fact, Vec::new());
        }
        match self.lock {
            None => {
                self.lock = Some((document, id));
                self.answer(document, id, Answer::Granted {});
            }
            Some(_) if if_free => {
                self.answer(document, id, Answer::Failed { reason: Failure::Held });
            }
            Some(_) => self.lock_queue.push_back((document, id)),
        }
    }

    fn drop_lock(&mut self, document: u64, effect: u32) {
        self.lock_queue.retain(|entry| *entry != (document, effect));
        if self.lock == Some((document, effect)) {
            self.pass_lock();
        }
    }

    fn pass_lock(&mut self) {
        self.lock = self.lock_queue.pop_front();
        if let Some((document, id)) = self.lock {
            self.answer(document, id, Answer::Granted {});
        }
    }

    /// The tab whose page leads.
    pub fn leader(&self) -> Option<usize> {
        self.lock.and_then(|(document, _)| self.documents.get(&document)).map(|page| page.tab)
    }

    // Time.

    /// Delivers what waits and follows navigations, until nothing is left to do. What a page puts
    /// off for a moment, so that what has reached it is heard first, happens too.
    pub fn settle(&mut self) {
        let mut delivered = 0;
        while self.deliver_one() {
            delivered += 1;
            assert!(delivered < MOST_DELIVERIES, "the world never comes to rest");
        }
        let moment = self.monotonic_ms + 20;
        self.run_timers(moment);
        assert!(self.monotonic_ms < i64::MAX);
    }

    /// Delivers one fact, or follows one navigation; false if there is neither.
    pub fn deliver_one(&mut self) -> bool {
        let ready: Vec<usize> = (0..self.deliveries.len())
            .filter(|at| {
                let delivery = &self.deliveries[*at];
                let Some(page) = self.documents.get(&delivery.document) else { return false };
                let held = |endpoint| {
                    self.held_endpoints.iter().any(|(held, tab)| {
                        *held == endpoint && tab.is_none_or(|tab| tab == page.tab)
                    })
                };
                !page.away && !page.hangs && !delivery.endpoint.is_some_and(held)
            })
            .collect();
        let is_slow = |at: &&usize| {
            let fact = &self.deliveries[**at].fact;
            self.slow_crypto && matches!(fact, Fact::Answer { answer: Answer::Verdict { .. }, .. })
        };
        let first = ready.iter().find(|at| !is_slow(at)).or(ready.first());
        let Some(first) = first else { return self.navigate() };
        let delivery = self.deliveries.remove(*first);
        self.hand_over(delivery);
        true
    }

    fn hand_over(&mut self, delivery: Delivery) {
        if let Fact::Answer { effect, .. } = delivery.fact {
            self.refreshing.retain(|(page, id, _)| (*page, *id) != (delivery.document, effect));
        }
        let live = &mut self.page(delivery.document).live;
        // What was cancelled answers no more.
        let wanted = match &delivery.fact {
            Fact::Answer { effect, .. } => live.contains(effect),
            Fact::Signal { signal: Signal::Chunk { effect } | Signal::Ended { effect } } => {
                live.contains(effect)
            }
            _ => true,
        };
        if wanted {
            self.step(delivery.document, delivery.fact, &delivery.bytes);
        }
    }

    /// Follows one navigation that a page has ordered; false if there is none.
    pub fn navigate(&mut self) -> bool {
        if self.stays {
            return false;
        }
        let next = self.documents.iter().find(|(_, page)| page.leaving_to.is_some());
        let Some(document) = next.map(|(id, _)| *id) else { return false };
        let page = self.page(document);
        let tab = page.tab;
        let Some((url, replace)) = page.leaving_to.take() else { return false };
        self.leave(tab, replace);
        let now = self.provider_time();
        let visit = if self.provider.is_down {
            Visit::Refused("unreachable".into())
        } else {
            self.provider.visit(&url, now)
        };
        self.follow(tab, visit);
        true
    }

    /// What the window goes to; on the app's own page it reports.
    pub fn show_in_popup(&mut self, document: u64, effect: u32, visit: Visit) {
        match visit {
            Visit::Redirect(back) => {
                let query = back.split_once('?').map_or("", |(_, query)| query);
                let answer = Answer::Framed { query: Secret(format!("?{query}").into()) };
                self.answer(document, effect, answer);
            }
            other => self.popups.push((document, effect, other)),
        }
    }

    /// The window ends otherwise.
    pub fn end_popup(&mut self, failure: Failure) {
        let (document, effect, _) = self.popups.pop().expect("a window is open");
        self.answer(document, effect, Answer::Failed { reason: failure });
    }

    pub fn follow(&mut self, tab: usize, visit: Visit) {
        match visit {
            Visit::Redirect(url) => {
                let on_load = self.tabs[tab].on_load;
                self.load(tab, &url, on_load);
            }
            other => self.tabs[tab].at_provider = Some(other),
        }
    }

    /// Whether the tab's page has ordered to be left.
    pub fn is_leaving(&self, tab: usize) -> bool {
        let page = self.tabs[tab].current.and_then(|id| self.documents.get(&id));
        page.is_some_and(|page| page.leaving_to.is_some())
    }

    /// What is on its way arrives the other way round.
    pub fn cross_deliveries(&mut self) {
        self.deliveries.reverse();
    }

    /// The same for each fact by itself: what was asked for last is answered first, to the end.
    pub fn settle_backwards(&mut self) {
        loop {
            let latest = self.deliveries.len().saturating_sub(1);
            self.deliveries.rotate_left(latest);
            if !self.deliver_one() {
                return self.settle();
            }
        }
    }

    /// The person stops all navigations.
    pub fn stop_loading(&mut self) {
        for page in self.documents.values_mut() {
            page.leaving_to = None;
            page.rules.returned();
        }
    }

    /// Lets time pass; timers of all pages fire when they are due.
    pub fn advance(&mut self, ms: i64) {
        self.settle();
        let end = self.monotonic_ms + ms;
        self.run_timers(end);
        self.wall_ms += (end - self.monotonic_ms).max(0);
        self.monotonic_ms = self.monotonic_ms.max(end);
    }

    fn run_timers(&mut self, end: i64) {
        loop {
            let due = self
                .documents
                .iter()
                .filter(|(_, page)| !page.away && !page.hangs)
                .filter_map(|(id, page)| page.wake_at.map(|at| (at, *id)))
                .filter(|(at, _)| *at <= end)
                .min();
            let Some((at, document)) = due else { break };
            let passed = (at - self.monotonic_ms).max(0);
            self.monotonic_ms += passed;
            self.wall_ms += passed;
            self.page(document).wake_at = None;
            self.signal(document, Signal::Wake {});
            while self.deliver_one() {}
        }
    }

    /// When the page wants to be woken.
    pub fn wake_at(&self, document: u64) -> Option<i64> {
        self.documents.get(&document).and_then(|page| page.wake_at)
    }
}
