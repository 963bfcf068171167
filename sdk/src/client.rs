//! The client: what an app holds.

use crate::{
    Code, Error, Options, Result, Scope, Session,
    driver::{self, Arrival},
    options::whole_seconds,
    shared::Shared,
};
use futures_channel::oneshot;
use gatepass_core::{
    config::StorageKind,
    machine::Machine,
    wire::{Command, Mode, Outcome},
};
use js_sys::Reflect;
use std::{
    fmt,
    rc::{Rc, Weak},
    time::Duration,
};
use wasm_bindgen::prelude::JsValue;

/// One app at one provider: its session, and the wishes of the person about it.
///
/// Make one when the page starts, before a router reads the address: making it takes the provider's
/// answer out of the address and begins to look for a session at once. Clones are the same client;
/// it ends when the last one is dropped.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Rc<Shared>,
    pub(crate) storage: StorageKind,
}

/// Where a person signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignInMode {
    /// In this page's place: it is left, and comes back with the answer.
    #[default]
    Redirect,
    /// In a window of its own, while the page stays. It ends at the redirect URI, whose page must
    /// make the client: that reports and closes the window.
    Popup,
    /// In a window if the browser opens one.
    PopupOrRedirect,
}

/// How to sign in; everything by default.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// Where.
    pub mode: SignInMode,
    /// Where to come back to: a path of this origin; the present one if absent.
    pub return_to: Option<String>,
    /// `prompt`: `login` asks for the password even if a session is there (OIDC Core 3.1.2.1).
    pub prompt: Option<String>,
    /// `login_hint`: who is expected to sign in (OIDC Core 3.1.2.1).
    pub login_hint: Option<String>,
    /// `acr_values`, separated by spaces: levels of authentication, one of which the answer must
    /// reach (OIDC Core 3.1.2.1).
    pub acr_values: Option<String>,
    /// `max_age`: how long ago the person may have authenticated, in whole seconds (OIDC Core
    /// 3.1.2.1).
    pub max_age: Option<Duration>,
    /// `ui_locales`, separated by spaces (OIDC Core 3.1.2.1).
    pub ui_locales: Option<String>,
}

impl SignIn {
    /// What the address of the page asks for that is registered as `initiate_login_uri`: a sign-in that
    /// somebody else begins (OIDC Core 4).
    ///
    /// Nothing if the address names no issuer, or another one than the app's. A `target_link_uri` of
    /// another origin is not followed, for anybody may write such an address.
    #[must_use]
    pub fn initiated(address: &str, issuer: &str) -> Option<Self> {
        let asked = driver::initiated_sign_in(address, issuer).ok()?;
        let member = |name: &str| Reflect::get(&asked, &JsValue::from_str(name)).ok()?.as_string();
        let return_to = member("returnTo")?;
        Some(Self {
            return_to: Some(return_to),
            login_hint: member("loginHint"),
            ..Self::default()
        })
    }
}

/// A subscriber's place; dropping it ends the subscription.
#[must_use = "a subscription ends when it is dropped"]
pub struct Subscription {
    number: u32,
    shared: Weak<Shared>,
}

impl Client {
    /// A client that begins to look for a session at once.
    ///
    /// # Errors
    /// `config_invalid` if the options are wrong, or if there is no page (on a server, in a worker).
    /// Never for reasons of the session: those are the session's `error`.
    pub fn new(options: Options) -> Result<Self> {
        let origin = page().and_then(|window| window.location().origin().ok());
        let origin = origin.ok_or_else(|| {
            Error::new(Code::ConfigInvalid, "window", "a page with an origin", "")
        })?;
        let (config, on_load) = options.on(origin);
        // Before the address is touched: a refused configuration must not lose the answer in it.
        let (issuer, client_id) = (config.issuer.clone(), config.client_id.clone());
        let storage = config.storage.unwrap_or_default();
        let client = format!("{issuer}#{client_id}");
        let machine = Machine::new(config)?;
        let Arrival { callback, here, on_load: only } = driver::arrival(&issuer, &client_id);
        let shared = Shared::new(machine, client);
        // Nobody waits for the outcome: the session says what came of it.
        drop(shared.tell(&Command::Resume {
            callback: callback.map(Into::into),
            here: here.into(),
            on_load: only.unwrap_or(on_load),
        }));
        Ok(Self { shared, storage })
    }

    /// The session at this moment.
    #[must_use]
    pub fn session(&self) -> Session {
        self.shared.session()
    }

    /// Calls `subscriber` with the present session at once, and from then on once per change.
    ///
    /// It may call the client: commands are queued.
    pub fn subscribe(&self, subscriber: impl Fn(&Session) + 'static) -> Subscription {
        subscriber(&self.session());
        let number = self.shared.add_subscriber(Rc::new(subscriber));
        Subscription { number, shared: Rc::downgrade(&self.shared) }
    }

    /// Leads the person to the provider to sign in: in this page's place, which is left, or in a window
    /// of its own, with which it is over. That one is opened at the call, before the future is polled:
    /// call in the click itself, or browsers block it. Dropping the future gives it up.
    ///
    /// # Errors
    /// The page stays where it is: `issuer_unreachable`, `storage_unavailable`,
    /// `crypto_unavailable`, `return_to_refused`, the codes of a discovery document, or
    /// `superseded` if a later command took its place. In a window besides: `popup_blocked`,
    /// `popup_timeout`, and the codes of an answer.
    pub fn sign_in(&self, sign_in: SignIn) -> impl Future<Output = Result<()>> + use<> {
        let door = match sign_in.mode {
            SignInMode::Redirect => None,
            SignInMode::Popup | SignInMode::PopupOrRedirect => self.shared.open_door(),
        };
        let in_window = door.is_some() || sign_in.mode == SignInMode::Popup;
        let told = self.shared.tell(&Command::SignIn {
            mode: Some(if in_window { Mode::Popup } else { Mode::Redirect }),
            return_to: sign_in.return_to.unwrap_or_else(here).into(),
            prompt: sign_in.prompt.map(Into::into),
            login_hint: sign_in.login_hint.map(Into::into),
            acr_values: sign_in.acr_values.map(Into::into),
            max_age: sign_in.max_age.map(whole_seconds),
            ui_locales: sign_in.ui_locales.map(Into::into),
        });
        async move {
            let told = told.await;
            drop(door);
            result(told).map(drop)
        }
    }

    /// Ends the session here, in the other tabs, and with [`Scope::Global`] at the provider and at
    /// all its apps: for that the page is left.
    ///
    /// # Errors
    /// The person is signed out here whatever the error: `issuer_unreachable` or
    /// `sign_out_unsupported` if the others could not be told. Nothing leaves the page later by itself:
    /// the next call finishes it.
    pub async fn sign_out(&self, scope: Scope) -> Result<()> {
        self.command(Command::SignOut { scope }).await.map(drop)
    }

    /// Asks the provider whether the session still stands; the session tells the answer.
    ///
    /// # Errors
    /// `issuer_unreachable`, or the codes of a provider's answer that is wrong.
    pub async fn check(&self) -> Result<()> {
        self.command(Command::CheckSession {}).await.map(drop)
    }

    /// How long until this app's session ends by itself, in whole seconds, for a countdown; `None` if
    /// nobody is signed in or no [`session_lifetime`](Options::session_lifetime) is set.
    ///
    /// Nobody is asked: it is the session's `expires_at` by the provider's clock.
    #[must_use]
    pub fn session_expires_in(&self) -> Option<Duration> {
        self.session().expires_in(js_sys::Date::now())
    }

    /// The person stays: asks the provider whether its session still lives (by a refresh; without a
    /// refresh token by `UserInfo`) and then starts the session's lifetime anew, in all tabs of the
    /// origin.
    ///
    /// # Errors
    /// `issuer_unreachable` if the provider does not answer: nothing is extended and nothing ends.
    /// `not_signed_in` if the session is over; `token_unavailable` if it has neither a refresh token
    /// nor a provider with `UserInfo`; the codes of a provider's answer that is wrong.
    pub async fn extend(&self) -> Result<()> {
        self.command(Command::Extend {}).await.map(drop)
    }

    /// Waits for what comes of a command.
    pub(crate) async fn command(&self, command: Command) -> Result<Outcome> {
        result(self.shared.tell(&command).await)
    }
}

/// What a command has come to.
fn result(told: core::result::Result<Outcome, oneshot::Canceled>) -> Result<Outcome> {
    match told {
        Ok(Outcome::Failed { error }) => Err(error),
        Ok(outcome) => Ok(outcome),
        // The machine completes each command that it can read.
        Err(oneshot::Canceled) => Err(Code::RequestInvalid.into()),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("session", &self.session()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.remove_subscriber(self.number);
        }
    }
}

/// The page; `None` on a server and in a worker.
fn page() -> Option<web_sys::Window> {
    // Elsewhere wasm-bindgen's imports do not exist, and calling one would panic.
    if cfg!(target_arch = "wasm32") { web_sys::window() } else { None }
}

/// Path, query and fragment of the page.
fn here() -> String {
    let part = |of: fn(&web_sys::Location) -> std::result::Result<String, _>| {
        page().and_then(|window| of(&window.location()).ok()).unwrap_or_default()
    };
    part(web_sys::Location::pathname)
        + &part(web_sys::Location::search)
        + &part(web_sys::Location::hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_without_a_page_is_refused() {
        let client = Client::new(Options::new("https://idp.example", "pied-piper"));
        assert_eq!(client.map(drop).map_err(|error| error.code), Err(Code::ConfigInvalid));
    }

    #[test]
    fn a_command_that_nobody_completes_is_refused() {
        let code = |told| result(told).map_err(|error| error.code);
        assert_eq!(code(Err(oneshot::Canceled)), Err(Code::RequestInvalid));
        let error = Code::NotSignedIn.into();
        assert_eq!(code(Ok(Outcome::Failed { error })), Err(Code::NotSignedIn));
        assert_eq!(code(Ok(Outcome::Done {})), Ok(Outcome::Done {}));
    }
}
