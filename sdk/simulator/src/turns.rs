//! A turn, carried out. What makes no sense at its time does nothing.

use gatepass_core::wire::{Command, OnLoad, Signal};
use serde_json::{Value, json};

use gatepass_core::base64url::encode;

use crate::{
    browser::Leaving,
    provider::{ISSUER, Visit},
    random::Random,
    rules::Wish,
    schedule::{Act, FalseWord, Lie, TABS, Turn},
    token::sha256,
    world::{State, World},
};

impl World {
    /// The address of a tab's app.
    fn home(&self, tab: usize) -> String {
        let site = TABS.get(tab).copied().unwrap_or_default();
        format!("{}/", self.setup.origin(site))
    }

    pub(crate) fn turn(&mut self, turn: &Turn) {
        self.random = Random(turn.order);
        self.act(turn.act);
        for _ in 0..turn.arrivals {
            if !self.arrive() {
                break;
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Load(tab, mode) => self.load(tab, &self.home(tab), mode, Leaving::Cached),
            Act::Reload(tab, mode) => self.load(tab, &self.home(tab), mode, Leaving::Gone),
            Act::OldCallback(tab) => {
                let url = self.tabs.get(tab).and_then(|place| place.last_callback.clone());
                if let Some(url) = url {
                    self.load(tab, &url, OnLoad::Auto, Leaving::Cached);
                }
            }
            Act::StrangersLink(tab) => {
                let site = TABS.get(tab).copied().unwrap_or_default();
                let now = self.time();
                let code = self.provider.strangers_code(site, now);
                let state = encode(&sha256("a stranger's state"));
                let url = format!("{}?code={code}&state={state}&iss={ISSUER}", self.home(tab));
                self.load(tab, &url, OnLoad::Auto, Leaving::Cached);
            }
            Act::Back(tab) => self.back(tab),
            Act::Close(tab) => {
                self.close(tab, Leaving::Gone);
                if let Some(place) = self.tabs.get_mut(tab) {
                    *place = crate::world::Tab::default();
                }
            }
            Act::Crash(tab) => self.close(tab, Leaving::Crashed),
            Act::Duplicate { from, to } => self.duplicate(from, to),
            Act::Freeze(tab) => {
                if let Some(id) = self.awake(tab) {
                    self.signal(id, Signal::Leave {});
                    self.sleep(id, State::Frozen);
                }
            }
            Act::Thaw(tab) => self.thaw(tab),
            Act::Hang(tab) | Act::Recover(tab) => {
                let id = self.tabs.get(tab).and_then(|place| place.current);
                let Some(id) = id else { return };
                if matches!(act, Act::Recover(_)) {
                    self.go_on(id);
                    self.pass_free_locks();
                } else if let Some(page) = self.pages.get_mut(&id) {
                    page.hangs = true;
                    page.hangs_since = self.now_ms;
                    // The others give up what it was refreshing; what it sends later counts.
                    self.refreshing.retain(|(owner, _), _| *owner != id);
                }
            }
            Act::StopLoading(tab) => {
                let id = self.tabs.get(tab).and_then(|place| place.current);
                if let Some(page) = id.and_then(|id| self.pages.get_mut(&id)) {
                    page.leaving_to = None;
                }
            }
            Act::Look(tab) => self.signal_tab(tab, Signal::Shown {}),
            Act::LookAway(tab) => self.signal_tab(tab, Signal::Hidden {}),
            Act::Online(tab) => self.signal_tab(tab, Signal::Online {}),
            Act::SignIn(tab) => self.wish(tab, Wish::SignIn, sign_in(None)),
            Act::SwitchUser(tab) => self.wish(tab, Wish::SignIn, sign_in(Some("login"))),
            Act::SignOut(tab, scope) => {
                if let Some(id) = self.awake(tab) {
                    self.sign_out(id, scope);
                }
            }
            Act::GetToken(tab) => self.wish(tab, Wish::Token, get_token(None, None)),
            Act::GetFreshToken(tab) => self.wish(tab, Wish::Token, get_token(Some(10_000), None)),
            Act::GetTokenFor(tab, resource) => {
                let command = Command::GetToken {
                    min_ttl: None,
                    origin: None,
                    refused: None,
                    resource: Some(resource.into()),
                    scope: None,
                };
                self.wish(tab, Wish::Token, command);
            }
            Act::TokenRefused(tab) => {
                let id = self.awake(tab).and_then(|id| self.pages.get(&id));
                if let Some(token) = id.and_then(|page| page.seen.last_token.clone()) {
                    self.wish(tab, Wish::Token, get_token(None, Some(&token)));
                }
            }
            Act::Check(tab) => self.wish(tab, Wish::Check, Command::CheckSession {}),
            Act::Extend(tab) => self.wish(tab, Wish::Check, Command::Extend {}),
            Act::Enter(tab, user) => {
                if let Some(request) = self.login_page(tab) {
                    let now = self.time();
                    let visit = self.provider.submit_login(request, user.name(), now);
                    self.follow(tab, visit);
                }
            }
            Act::Cancel(tab) => {
                if let Some(request) = self.login_page(tab) {
                    let visit = self.provider.cancel_login(request);
                    self.follow(tab, visit);
                }
            }
            Act::EndSession | Act::EndSessionSilently => {
                if let Some(sso) = self.provider.cookie.take() {
                    self.provider.end_sso(sso);
                    if act == Act::EndSession {
                        self.tell_grants_of_end(&self.grants_of(sso));
                    }
                    self.end_dead_streams();
                }
            }
            Act::RotateKeys { keep_old } => {
                // Nobody fetches keys twice in half a minute; that would hide all else.
                self.pass(31_000, false);
                self.provider.rotate_keys(keep_old);
            }
            Act::ProviderDown => {
                self.provider.is_up = false;
                self.end_streams(|_| true);
            }
            Act::ProviderUp => self.provider.is_up = true,
            Act::EndStreams => self.end_streams(|_| true),
            Act::StallStreams => self.stall_streams(),
            Act::Fate(endpoint, fate) => self.fates.push((endpoint, fate)),
            Act::DoubleMessage => self.doubles_message = true,
            Act::Lie(Lie::LogoutToken(lie)) => self.tell_lie_of_end(lie),
            Act::Lie(lie) => self.provider.lie(lie),
            Act::FalseWord(tab, word) => self.say_falsely(tab, word),
            Act::ClearStorage(site) => self.clear_storage(site),
            Act::Drift(ms) => self.pass(ms, false),
            Act::Pass(ms) => self.pass(ms, true),
            Act::SetClock(ms) => {
                self.was_set_back |= ms < self.clock_ms;
                self.clock_ms = ms;
            }
        }
    }

    /// The page of a tab, if a person or its app can use it now.
    pub(crate) fn awake(&self, tab: usize) -> Option<u32> {
        let id = self.tabs.get(tab)?.current?;
        self.pages.get(&id).filter(|page| page.is_awake()).map(|_| id)
    }

    pub(crate) fn thaw(&mut self, tab: usize) {
        let Some(id) = self.tabs.get(tab).and_then(|place| place.current) else { return };
        if self.pages.get(&id).is_some_and(|page| page.state == State::Frozen) {
            if let Some(page) = self.pages.get_mut(&id) {
                page.state = State::Awake;
            }
            self.signal(id, Signal::Return {});
        }
    }

    fn signal_tab(&mut self, tab: usize, signal: Signal) {
        if let Some(id) = self.awake(tab) {
            self.signal(id, signal);
        }
    }

    fn wish(&mut self, tab: usize, wish: Wish, command: Command) {
        if let Some(id) = self.awake(tab) {
            self.command(id, wish, command);
        }
    }

    fn login_page(&self, tab: usize) -> Option<usize> {
        match self.tabs.get(tab)?.elsewhere {
            Some(Visit::Login(request)) if self.provider.is_up => Some(request),
            _ => None,
        }
    }

    /// The browser copies what the tab has stored.
    fn duplicate(&mut self, from: usize, to: usize) {
        let Some(original) = self.tabs.get(from).filter(|place| place.current.is_some()) else {
            return;
        };
        let copy = crate::world::Tab {
            storage: original.storage.clone(),
            last_callback: original.last_callback.clone(),
            redirects: original.redirects,
            signed_out: original.signed_out,
            was_cleared: original.was_cleared,
            ..crate::world::Tab::default()
        };
        let mode = original.on_load;
        self.close(to, Leaving::Gone);
        if let Some(place) = self.tabs.get_mut(to) {
            *place = copy;
        }
        self.load(to, &self.home(to), mode, Leaving::Gone);
    }

    fn clear_storage(&mut self, site: usize) {
        if let Some(site) = self.sites.get_mut(site) {
            site.storage.clear();
            site.was_cleared = true;
        }
        let places = self.tabs.iter_mut().zip(TABS);
        for (place, _) in places.filter(|(_, at)| *at == site) {
            place.storage.clear();
            // What stopped redirects is gone with it.
            place.opens();
            place.was_cleared = true;
        }
    }

    fn say_falsely(&mut self, tab: usize, word: FalseWord) {
        let Some(at) = TABS.get(tab).copied() else { return };
        let shared = self.sites.get(at).and_then(|site| site.last_shared.clone());
        let text = match word {
            FalseWord::Nonsense => "{\"kind\":\"session\",\"version\":7}".to_owned(),
            FalseWord::Hello => json!({ "kind": "hello" }).to_string(),
            FalseWord::Idle => json!({ "kind": "idle" }).to_string(),
            FalseWord::Busy => json!({ "kind": "busy" }).to_string(),
            FalseWord::ForgedSession => match shared.as_deref().and_then(forged) {
                Some(text) => text,
                None => return,
            },
        };
        self.say(None, at, &text, None);
    }
}

/// A session that was shared, made newer and somebody else's, under the signature that it had.
fn forged(shared: &str) -> Option<String> {
    let mut message: Value = serde_json::from_str(shared).ok()?;
    let token = message["id_token"].as_str()?.to_owned();
    let mut parts = token.split('.');
    let (header, _, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let mut claims: Value = serde_json::from_str(&crate::token::claims_of(&token)?).ok()?;
    claims["lie"] = json!("forged among tabs");
    let payload = encode(claims.to_string().as_bytes());
    message["id_token"] = json!(format!("{header}.{payload}.{signature}"));
    for name in ["version", "began"] {
        let at = message[name][0].as_i64()? + 3_600_000;
        message[name][0] = json!(at);
    }
    Some(message.to_string())
}

fn sign_in(prompt: Option<&str>) -> Command {
    Command::SignIn {
        mode: None,
        return_to: "/".into(),
        prompt: prompt.map(Into::into),
        login_hint: None,
        acr_values: None,
        max_age: None,
        ui_locales: None,
    }
}

pub(crate) fn get_token(min_ttl: Option<i64>, refused: Option<&str>) -> Command {
    let refused = refused.map(|token| gatepass_core::secret::Secret(token.into()));
    Command::GetToken { min_ttl, origin: None, refused, resource: None, scope: None }
}
