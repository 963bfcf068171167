//! The browser: it loads pages and carries out what their machines order, as the driver does.

use std::collections::BTreeMap;

use gatepass_core::{
    base64url::encode,
    secret::Secret,
    wire::{Answer, Area, Command, Effect, Fact, Failure, OnLoad, Order, Scope, Signal},
};

use crate::{
    network::Lane,
    provider::{CLIENTS, Endpoint, ISSUER, Request, Visit},
    rules::{Rule, Wish},
    schedule::tab_name,
    token::{Key, claims_of, grant_of, member, sha256},
    world::{Site, State, World},
};

/// How long the owner of a lease may say nothing (`sdk/driver/lease.js`).
const LEASE_PATIENCE_MS: i64 = 12_000;

impl World {
    // Pages.

    /// Loads an address of the app, as the driver does: an answer is what has a record of its
    /// `state` in this tab, or the issuer as `iss`.
    pub(crate) fn load(&mut self, tab: usize, url: &str, on_load: OnLoad, leaving: Leaving) {
        self.leave(tab, leaving);
        let Some(id) = self.new_page(tab) else { return };
        let Some(place) = self.tabs.get_mut(tab) else { return };
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let stored = |what: &str| {
            let key = format!("gatepass:1:{what}:{}", parameters.get("state")?);
            place.storage.get(&key).cloned()
        };
        let is_ours = parameters.get("iss").is_some_and(|iss| iss == ISSUER)
            && (parameters.contains_key("code") || parameters.contains_key("error"));
        let has_record = stored("attempt").is_some_and(|record| !record.is_empty());
        let is_callback = parameters.contains_key("state") && (is_ours || has_record);
        let here = match (is_callback, stored("return")) {
            (true, Some(kept)) => kept,
            (true, None) => "/".into(),
            (false, _) => {
                let mut origins = (0..CLIENTS.len()).map(|site| self.setup.origin(site));
                let origin = origins.find_map(|origin| path.strip_prefix(origin));
                let query = if query.is_empty() { String::new() } else { format!("?{query}") };
                format!("{}{query}", origin.unwrap_or("/"))
            }
        };
        if is_callback {
            place.last_callback = Some(url.to_owned());
        }
        place.current = Some(id);
        place.elsewhere = None;
        place.on_load = on_load;
        let callback = is_callback.then(|| url.into());
        self.command(id, Wish::Resume, Command::Resume { callback, here: here.into(), on_load });
    }

    /// The page of a tab is left, if there is one.
    pub(crate) fn leave(&mut self, tab: usize, leaving: Leaving) {
        let current = self.tabs.get_mut(tab).and_then(|place| place.current.take());
        let Some(page) = current else { return };
        // One that sleeps already, or hangs, is told nothing.
        let is_awake = self.pages.get(&page).is_some_and(|page| page.is_awake());
        if leaving != Leaving::Crashed && is_awake {
            self.signal(page, Signal::Leave {});
        }
        let hangs = self.pages.get(&page).is_some_and(|page| page.hangs);
        if leaving != Leaving::Cached || hangs {
            return self.destroy(page);
        }
        let forgotten = self.tabs.get_mut(tab).and_then(|place| place.cached.replace(page));
        if let Some(forgotten) = forgotten {
            self.destroy(forgotten);
        }
        self.sleep(page, State::Cached);
    }

    /// A page can do nothing for a while. What it was refreshing is given up by the others.
    pub(crate) fn sleep(&mut self, id: u32, state: State) {
        if let Some(page) = self.pages.get_mut(&id) {
            page.state = state;
            page.leaving_to = None;
        }
        self.refreshing.retain(|(owner, _), _| *owner != id);
    }

    pub(crate) fn back(&mut self, tab: usize) {
        let Some(cached) = self.tabs.get_mut(tab).and_then(|place| place.cached.take()) else {
            return;
        };
        self.leave(tab, Leaving::Gone);
        if let Some(place) = self.tabs.get_mut(tab) {
            place.current = Some(cached);
            place.elsewhere = None;
        }
        if let Some(page) = self.pages.get_mut(&cached) {
            page.state = State::Awake;
        }
        self.signal(cached, Signal::Return {});
    }

    pub(crate) fn destroy(&mut self, id: u32) {
        let Some(page) = self.pages.remove(&id) else { return };
        self.forget_transit(id);
        let Some(site) = self.sites.get_mut(page.site) else { return };
        site.lock_queue.retain(|(owner, _)| *owner != id);
        if site.lock.is_some_and(|(owner, _)| owner == id) {
            // A lease outlives a page that has not let it go, until somebody misses its owner.
            if self.setup.locks_missing {
                site.lease_silent_since = self.now_ms;
            } else {
                self.pass_lock(page.site);
            }
        }
    }

    pub(crate) fn close(&mut self, tab: usize, leaving: Leaving) {
        self.leave(tab, leaving);
        if let Some(cached) = self.tabs.get_mut(tab).and_then(|place| place.cached.take()) {
            self.destroy(cached);
        }
    }

    pub(crate) fn command(&mut self, page: u32, wish: Wish, command: Command) -> u32 {
        self.last_command += 1;
        let id = self.last_command;
        self.note_command(page, id, wish);
        self.step(page, Fact::Command { id, command }, Vec::new());
        id
    }

    pub(crate) fn sign_out(&mut self, page: u32, scope: Scope) -> u32 {
        self.command(page, Wish::SignOut, Command::SignOut { scope })
    }

    pub(crate) fn signal(&mut self, page: u32, signal: Signal) {
        self.step(page, Fact::Signal { signal }, Vec::new());
    }

    // Navigation.

    /// A page that has ordered so is left.
    pub(crate) fn navigate(&mut self, id: u32) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let (tab, Some((url, replace))) = (page.tab, page.leaving_to.take()) else { return };
        let leaving = if replace { Leaving::Gone } else { Leaving::Cached };
        self.leave(tab, leaving);
        let visit = if self.provider.is_up {
            let visit = self.provider.visit(&url, true);
            self.end_dead_sessions();
            visit
        } else {
            Visit::Page("the browser's error page")
        };
        self.follow(tab, visit);
    }

    /// Sessions that have just ended by a visit are told on their streams.
    fn end_dead_sessions(&mut self) {
        let over = self.provider.sessions.iter().enumerate().filter(|(_, sso)| sso.ended);
        let over: Vec<usize> = over.map(|(at, _)| at).collect();
        for sso in over {
            let grants = self.grants_of(sso);
            self.tell_grants_of_end(&grants);
        }
    }

    pub(crate) fn follow(&mut self, tab: usize, visit: Visit) {
        self.story.tell(|| match &visit {
            Visit::Redirect(url) => {
                let query = url.split_once('?').map_or("", |(_, query)| query);
                let names: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
                let names: Vec<_> = names.iter().map(|(name, _)| name.as_ref()).collect();
                format!("{} is sent back with {}", tab_name(tab), names.join(", "))
            }
            Visit::Login(_) => format!("{} shows the login page", tab_name(tab)),
            Visit::Page(what) => format!("{} shows: {what}", tab_name(tab)),
        });
        self.end_dead_sessions();
        match visit {
            Visit::Redirect(url) => {
                let on_load = self.tabs.get(tab).map(|place| place.on_load).unwrap_or_default();
                self.load(tab, &url, on_load, Leaving::Gone);
            }
            other => {
                if let Some(place) = self.tabs.get_mut(tab) {
                    place.elsewhere = Some(other);
                }
            }
        }
    }

    // Orders.

    pub(crate) fn obey(&mut self, id: u32, order: Order) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        match order {
            Order::Effect { id: effect, effect: what } => {
                page.live.insert(effect);
                self.perform(id, effect, what);
            }
            Order::Cancel { effect } => {
                page.live.remove(&effect);
                page.deadlines.remove(&effect);
                let site = page.site;
                self.refreshing.remove(&(id, effect));
                self.close_stream(id, effect);
                self.drop_lock(site, id, effect);
            }
            Order::WakeAt { monotonic_ms } => page.wake_at = Some(monotonic_ms),
            Order::Completed { .. } | Order::Session { .. } => {}
        }
    }

    fn perform(&mut self, id: u32, effect: u32, what: Effect) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let (site, tab) = (page.site, page.tab);
        let (lane, answer) = match what {
            Effect::Fetch { url, authorization, form, timeout_ms, .. } => {
                let authorization = authorization.map(|secret| secret.0.into());
                let form = form.map(|secret| String::from(secret.0)).unwrap_or_default();
                return self.ask(id, effect, &url, form.as_str(), authorization, timeout_ms);
            }
            Effect::OpenStream { url, authorization, timeout_ms } => {
                let authorization = Some(authorization.0.into());
                return self.ask(id, effect, &url, "", authorization, timeout_ms);
            }
            Effect::Digest { text, .. } => {
                let value = encode(&sha256(&text.0)).into();
                (Some(Lane::Own(effect)), Answer::Digest { value })
            }
            Effect::VerifySignature { key, input, signature, .. } => {
                let valid = Key::verify(self.provider.keys, &key.0, &input.0, &signature);
                if let (true, Some(claims)) = (valid, claims_of(&input.0)) {
                    page.seen.verifying.insert(effect, claims);
                }
                (Some(Lane::Own(effect)), Answer::Verdict { valid })
            }
            Effect::Load { area, key } => {
                let Some(storage) = self.area(site, tab, area) else { return };
                let value = storage.get(key.as_str()).map(|text| text.as_str().into());
                (None, Answer::Loaded { value })
            }
            // What is sealed, the world can read; opening it takes a while.
            Effect::LoadSealed { area, key, .. } => {
                let Some(storage) = self.area(site, tab, area) else { return };
                let value = storage.get(key.as_str()).map(|text| text.as_str().into());
                (Some(Lane::Own(effect)), Answer::Loaded { value })
            }
            Effect::Save { area, key, value } | Effect::SaveSealed { area, key, value } => {
                let Some(storage) = self.area(site, tab, area) else { return };
                storage.insert(key.into(), value.0.into());
                (None, Answer::Done {})
            }
            Effect::Erase { area, key } => {
                let Some(storage) = self.area(site, tab, area) else { return };
                storage.remove(key.as_str());
                (None, Answer::Done {})
            }
            // No token here is so long that it is posted.
            Effect::Navigate { url, replace, .. } => {
                page.leaving_to = Some((url.0.into(), replace));
                (None, Answer::Done {})
            }
            Effect::OpenFrame { url, timeout_ms } => {
                page.deadlines.insert(effect, self.now_ms + i64::from(timeout_ms));
                return self.open_frame(id, effect, &url.0);
            }
            // The provider has no frame.
            Effect::WatchSession { .. } => (None, Answer::Failed { reason: Failure::Unavailable }),
            // Nobody here clicks for one.
            Effect::OpenPopup { .. } => (None, Answer::Failed { reason: Failure::Unavailable }),
            Effect::Broadcast { text, .. } => {
                page.listens = true;
                self.broadcast(id, &text.0);
                (None, Answer::Done {})
            }
            Effect::TakeLock { if_free, steal, .. } => {
                return self.take_lock(site, id, effect, if_free, steal);
            }
            Effect::DropLock { lock } => {
                self.drop_lock(site, id, lock);
                (None, Answer::Done {})
            }
        };
        match lane {
            Some(lane) => self.answer(id, effect, lane, answer),
            None => {
                if let Some(page) = self.pages.get_mut(&id) {
                    page.at_once.push_back(Fact::Answer { effect, answer });
                }
            }
        }
    }

    fn ask(
        &mut self,
        id: u32,
        effect: u32,
        url: &str,
        form: &str,
        authorization: Option<String>,
        timeout_ms: u32,
    ) {
        let Some(endpoint) = Endpoint::of(url) else {
            return self.breaks(Rule::EveryCheck, || format!("a request to {url}"));
        };
        let form = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let request = Request { endpoint, form, authorization };
        self.watch_request(id, effect, &request);
        self.request(id, effect, request, timeout_ms);
    }

    fn open_frame(&mut self, id: u32, effect: u32, url: &str) {
        let site = self.pages.get(&id).map_or(0, |page| page.site);
        let sees = !self.setup.frames_are_blind || self.setup.is_same_host(site);
        if !self.provider.is_up {
            return;
        }
        // A page that nobody sees never reports.
        if let Visit::Redirect(back) = self.provider.visit(url, sees)
            && let Some((path, query)) = back.split_once('?')
            && path.ends_with("/gatepass-silent.html")
        {
            let query = Secret(format!("?{query}").into());
            self.answer(id, effect, Lane::Own(effect), Answer::Framed { query });
        }
    }

    fn area(
        &mut self,
        site: usize,
        tab: usize,
        area: Area,
    ) -> Option<&mut BTreeMap<String, String>> {
        match area {
            Area::Tab => self.tabs.get_mut(tab).map(|place| &mut place.storage),
            Area::Origin => self.sites.get_mut(site).map(|site| &mut site.storage),
        }
    }

    fn broadcast(&mut self, id: u32, text: &str) {
        let Some(page) = self.pages.get(&id) else { return };
        let (site, held, tab) = (page.site, page.seen.grant, page.tab);
        let kind = member(text, "kind");
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
        self.story.tell(|| format!("{} tells the other tabs: {kind}", tab_name(tab)));
        if kind == "session"
            && let Some(site) = self.sites.get_mut(site)
        {
            site.last_shared = Some(text.to_owned());
            let token = member(text, "access_token");
            let grant = token.as_ref().and_then(|token| token.as_str()).and_then(grant_of);
            let began = member(text, "began").unwrap_or_default();
            if let (Some(grant), Some(at)) = (grant, began[0].as_i64()) {
                let tab = began[1].as_str().unwrap_or_default().to_owned();
                site.began.insert(grant, (at, tab));
            }
        }
        let ends = held.filter(|_| kind == "ended");
        let signs_out = kind == "ended" && page.seen.is_signing_out();
        if let Some(site) = self.sites.get_mut(site) {
            site.ended.extend(ends);
            // A click ends whatever began before it, also what the page has shown to nobody.
            if signs_out {
                let clicked = member(text, "began").unwrap_or_default();
                let clicked = (clicked[0].as_i64(), clicked[1].as_str());
                let is_before =
                    |(at, tab): &(i64, String)| (Some(*at), Some(tab.as_str())) <= clicked;
                let grants = site.began.iter().filter(|(_, known)| is_before(known));
                site.signed_out.extend(grants.map(|(grant, _)| *grant));
            }
        }
        self.say(Some(id), site, text, ends);
    }

    // Locks.

    fn take_lock(&mut self, at: usize, id: u32, effect: u32, if_free: bool, steal: bool) {
        let lane = self.lock_lane();
        let Some(site) = self.sites.get_mut(at) else { return };
        if steal && let Some((owner, lock)) = site.lock.take() {
            let fact = Fact::Signal { signal: Signal::Lost { effect: lock } };
            self.story.tell(|| "the lock is taken away".into());
            self.send(owner, lane, fact, Vec::new());
        }
        let Some(site) = self.sites.get_mut(at) else { return };
        match site.lock {
            None => {
                site.lock = Some((id, effect));
                self.answer(id, effect, lane, Answer::Granted {});
            }
            Some(_) if if_free => {
                self.answer(id, effect, lane, Answer::Failed { reason: Failure::Held });
            }
            Some(_) => site.lock_queue.push_back((id, effect)),
        }
    }

    fn drop_lock(&mut self, at: usize, id: u32, effect: u32) {
        let Some(site) = self.sites.get_mut(at) else { return };
        site.lock_queue.retain(|entry| *entry != (id, effect));
        if site.lock == Some((id, effect)) {
            self.pass_lock(at);
        }
    }

    /// When those who wait for a lease take its owner for dead.
    pub(crate) fn lease_ends_at(&self, site: &Site) -> Option<i64> {
        let (owner, _) = site.lock.filter(|_| self.setup.locks_missing)?;
        let since = match self.pages.get(&owner) {
            None => site.lease_silent_since,
            Some(page) if page.hangs => page.hangs_since,
            Some(_) => return None,
        };
        // Nobody misses it who hangs too.
        self.first_awake_waiter(site).map(|_| since + LEASE_PATIENCE_MS)
    }

    /// The place in the queue of the first page that does not hang.
    fn first_awake_waiter(&self, site: &Site) -> Option<usize> {
        let hangs = |id: &u32| self.pages.get(id).is_some_and(|page| page.hangs);
        site.lock_queue.iter().position(|(id, _)| !hangs(id))
    }

    pub(crate) fn end_lease(&mut self, at: usize) {
        let Some((owner, effect)) = self.sites.get_mut(at).and_then(|site| site.lock.take()) else {
            return;
        };
        self.story.tell(|| "the lease of a page that says nothing is over".into());
        if self.pages.contains_key(&owner) {
            let fact = Fact::Signal { signal: Signal::Lost { effect } };
            match self.pages.get_mut(&owner) {
                // It finds the word of it when it goes on, older than any answer to what it asks then.
                Some(page) if page.hangs && page.seen.lock == Some(effect) => {
                    page.at_once.push_back(fact);
                }
                _ => self.send(owner, self.lock_lane(), fact, Vec::new()),
            }
        }
        self.pass_lock(at);
    }

    /// Leases that nobody has taken, for all who wait for them hung.
    pub(crate) fn pass_free_locks(&mut self) {
        for at in 0..self.sites.len() {
            if self.sites.get(at).is_some_and(|site| site.lock.is_none()) {
                self.pass_lock(at);
            }
        }
    }

    fn pass_lock(&mut self, at: usize) {
        let Some(site) = self.sites.get(at) else { return };
        // A lock is the browser's to give. A lease is taken by a page itself, so by none that hangs.
        let next = if self.setup.locks_missing { self.first_awake_waiter(site) } else { Some(0) };
        let Some(site) = self.sites.get_mut(at) else { return };
        site.lock = next.and_then(|next| site.lock_queue.remove(next));
        if let Some((id, effect)) = site.lock {
            let (tab, lane) = (self.pages.get(&id).map_or(0, |page| page.tab), self.lock_lane());
            self.story.tell(|| format!("{} gets the lock", tab_name(tab)));
            self.answer(id, effect, lane, Answer::Granted {});
        }
    }
}

/// How a page is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It can be come back to.
    Cached,
    /// It is told, and gone.
    Gone,
    /// It is gone without a word.
    Crashed,
}
