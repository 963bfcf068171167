//! A deterministic world: one browser with tabs of one origin, a provider, and a clock that moves
//! only when a test moves it. After every step of a machine its invariants are checked.

mod browser;
pub mod keys;
mod network;
pub mod page;
mod pauses;
pub mod provider;
mod rules;
pub mod token;

use std::{
    cell::{RefCell, RefMut},
    collections::BTreeMap,
    rc::Rc,
};

use gatepass_core::{config::Config, wire::OnLoad};

pub use browser::{Browser, Random, Vault};
pub use page::Page;
pub use pauses::expect_growing_pauses;
pub use provider::{APP, CLIENT, Endpoint, ISSUER, Provider, Reply};
use serde_json::Value;

/// Where the app's own server passes on what it hears, for an app that says so.
pub const RELAY: &str = "https://app.example/session-events";
/// When every world begins: 2026-01-01T00:00:00Z.
pub const BEGIN_MS: i64 = 1_767_225_600_000;

/// The world. Clones are the same world.
#[derive(Clone)]
pub struct World(Rc<RefCell<Browser>>);

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world whose provider knows nothing of session events.
    pub fn eventless() -> Self {
        let world = Self::new();
        world.provider().publishes_no("session_events_endpoint");
        world
    }

    /// A world whose app is configured otherwise.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            issuer: ISSUER.into(),
            client_id: CLIENT.into(),
            redirect_uri: format!("{APP}/").into(),
            post_logout_redirect_uri: format!("{APP}/").into(),
            origin: APP.into(),
            ..Config::default()
        };
        change(&mut config);
        Self(Rc::new(RefCell::new(Browser::new(config))))
    }

    fn browser(&self) -> RefMut<'_, Browser> {
        self.0.borrow_mut()
    }

    /// The provider, to look at and to change.
    pub fn provider(&self) -> RefMut<'_, Provider> {
        RefMut::map(self.browser(), |browser| &mut browser.provider)
    }

    /// The browser, to look at and to change.
    pub fn inside(&self) -> RefMut<'_, Browser> {
        self.browser()
    }

    /// A new tab with nothing loaded.
    pub fn tab(&self) -> Page {
        let tab = self.browser().new_tab();
        Page { world: self.clone(), tab }
    }

    /// A tab that has loaded `/` and asks nothing by itself.
    pub fn open(&self) -> Page {
        let page = self.tab();
        page.load("/", OnLoad::Manual);
        page
    }

    /// A tab in which a person has signed in.
    pub fn signed_in(&self, user: &str) -> Page {
        let page = self.open();
        self.person_signs_in(user);
        page.sign_in();
        page.expect_status(gatepass_core::wire::Status::Authenticated);
        page
    }

    /// The person has a session at the provider from now on, so that no login page is shown.
    pub fn person_signs_in(&self, user: &str) {
        let mut browser = self.browser();
        let now = browser.provider_time();
        browser.provider.start_session(user, now);
    }

    /// The provider ends the session of the browser's cookie and tells every open stream.
    pub fn provider_ends_session(&self) {
        let mut browser = self.browser();
        let Some(sso) = browser.provider.cookie.take() else { return };
        browser.push_logout(sso, |_| {});
        browser.provider.end_sso(sso);
        browser.settle();
    }

    /// The provider ends the session of the browser's cookie, and nobody hears of it.
    pub fn end_session_unheard(&self) {
        let mut provider = self.provider();
        let sso = provider.cookie.unwrap();
        provider.end_sso(sso);
    }

    /// What `UserInfo` answers from now on, whoever asks.
    pub fn user_info_says(&self, status: u32, body: &'static str) {
        self.provider().always(Endpoint::UserInfo, move |reply| {
            (reply.status, reply.body) = (status, body.into());
        });
    }

    /// Puts a logout token, changed, on every stream of the browser's session, which goes on.
    pub fn push_logout_token(&self, change: impl FnMut(&mut token::Draft)) {
        let mut browser = self.browser();
        let sso = browser.provider.cookie.unwrap();
        browser.push_logout(sso, change);
        browser.settle();
    }

    /// Puts a Security Event Token, changed, on every stream.
    pub fn push_security_event(&self, change: impl FnOnce(&mut token::Draft)) {
        let mut browser = self.browser();
        let (sso, now) = (browser.provider.cookie.unwrap(), browser.provider_time());
        let mut draft = browser.provider.security_event(sso, now);
        change(&mut draft);
        browser.push_bytes(format!("event: security_event\ndata: {}\n\n", draft.sign()).as_bytes());
        browser.settle();
    }

    /// Puts bytes on every open stream.
    pub fn push(&self, bytes: &[u8]) {
        let mut browser = self.browser();
        browser.push_bytes(bytes);
        browser.settle();
    }

    /// The provider closes every open stream.
    pub fn close_streams(&self) {
        let mut browser = self.browser();
        browser.close_streams();
        browser.settle();
    }

    /// The provider sends what keeps the streams alive.
    pub fn heartbeat(&self) {
        self.push(b": alive\n\n");
    }

    /// Moves all clocks; what is due on the way happens on the way.
    pub fn advance_ms(&self, ms: i64) {
        self.browser().advance(ms);
    }

    /// Moves all clocks by whole seconds.
    pub fn advance(&self, seconds: i64) {
        self.advance_ms(seconds * 1000);
    }

    /// Moves all clocks while the streams stay alive.
    pub fn advance_with_heartbeat(&self, seconds: i64) {
        for step in 0..=seconds / 15 {
            self.advance((seconds - step * 15).min(15));
            self.heartbeat();
        }
    }

    /// Sets the local clock off without letting time pass.
    pub fn local_clock_jumps(&self, ms: i64) {
        self.browser().wall_ms += ms;
        self.provider().clock_offset_ms -= ms;
    }

    /// The machine under the pages sleeps: their own clocks stand still, and no timer goes off.
    pub fn sleep(&self, seconds: i64) {
        self.browser().wall_ms += seconds * 1000;
    }

    /// Everything that waits is delivered.
    pub fn settle(&self) {
        self.browser().settle();
    }

    /// Answers of `endpoint` wait from now on.
    pub fn hold(&self, endpoint: Endpoint) {
        self.browser().held_endpoints.push((endpoint, None));
    }

    /// Answers of `endpoint` to one tab wait from now on.
    pub fn hold_for(&self, endpoint: Endpoint, page: &Page) {
        self.browser().held_endpoints.push((endpoint, Some(page.tab)));
    }

    /// What was held is delivered.
    pub fn release(&self) {
        let mut browser = self.browser();
        browser.held_endpoints.clear();
        browser.settle();
    }

    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.provider().count(endpoint)
    }

    pub fn refreshes(&self) -> usize {
        self.provider().refreshes()
    }

    /// Requests of any kind.
    pub fn requests(&self) -> usize {
        self.provider().requests.len()
    }

    pub fn visits(&self) -> usize {
        self.provider().visits.len()
    }

    /// The last address that the browser was sent to at the provider, by parameter.
    pub fn last_visit(&self) -> BTreeMap<String, String> {
        parameters(self.provider().visits.last().unwrap())
    }

    /// Says something on the tabs' channel, as any script of the origin can.
    pub fn say(&self, text: &str) {
        let mut browser = self.browser();
        browser.say(None, text);
        browser.settle();
    }

    /// The last words of this kind that a tab said.
    pub fn overheard(&self, kind: &str) -> Value {
        let browser = self.browser();
        let words = browser.channel.iter().rev().map(|text| serde_json::from_str(text).unwrap());
        words.into_iter().find(|message: &Value| message["kind"] == kind).unwrap()
    }

    /// Whether anything of a session is kept for the whole origin.
    pub fn origin_storage(&self) -> BTreeMap<String, String> {
        self.browser().storage.clone()
    }
}

/// The query parameters of an address.
pub fn parameters(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
