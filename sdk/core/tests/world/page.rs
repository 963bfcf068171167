//! One tab, with the verbs of a person and of an app.

use gatepass_core::{
    error::Code,
    secret::Secret,
    wire::{Cause, Check, Command, Ending, OnLoad, Outcome, Scope, Session, Signal, Status},
};
use serde_json::Value;

use super::{APP, World, provider::Visit};

/// A tab of the world's browser.
pub struct Page {
    pub world: World,
    pub tab: usize,
}

/// What a click on "sign in" asks for.
pub fn sign_in_to(return_to: &str) -> Command {
    Command::SignIn {
        mode: None,
        return_to: return_to.into(),
        prompt: None,
        login_hint: None,
        acr_values: None,
        max_age: None,
        ui_locales: None,
    }
}

/// A click sends the page away, but the provider is slow: it may stay.
pub fn leave_slowly(page: &Page) {
    page.world.inside().stays = true;
    page.begin(sign_in_to("/"));
    page.world.settle();
    assert!(page.world.inside().is_leaving(page.tab));
}

impl Page {
    /// Loads a path of the app and lets what follows happen.
    pub fn load(&self, path: &str, on_load: OnLoad) {
        self.begin_load(path, on_load);
        self.world.settle();
    }

    /// Loads a path of the app; nothing is delivered yet.
    pub fn begin_load(&self, path: &str, on_load: OnLoad) {
        self.world.inside().load(self.tab, &format!("{APP}{path}"), on_load);
    }

    /// Loads any address of the app.
    pub fn visit(&self, url: &str, on_load: OnLoad) {
        let mut browser = self.world.inside();
        browser.load(self.tab, url, on_load);
        browser.settle();
    }

    /// The address that the last page was loaded with.
    pub fn loaded(&self) -> String {
        self.world.inside().tabs[self.tab].loaded.clone()
    }

    pub fn back(&self) {
        let mut browser = self.world.inside();
        browser.back(self.tab);
        browser.settle();
    }

    pub fn begin_back(&self) {
        self.world.inside().back(self.tab);
    }

    pub fn close(&self) {
        let mut browser = self.world.inside();
        browser.close(self.tab);
        browser.settle();
    }

    fn document(&self) -> u64 {
        self.world.inside().tabs[self.tab].current.expect("the tab shows no page of the app")
    }

    pub fn is_here(&self) -> bool {
        self.world.inside().tabs[self.tab].current.is_some()
    }

    /// Gives a command; nothing that follows is delivered yet.
    pub fn begin(&self, command: Command) -> u32 {
        let document = self.document();
        self.world.inside().command(document, command)
    }

    /// Gives a command and lets what follows happen; its outcome, if the page is still there.
    pub fn run(&self, command: Command) -> Option<Outcome> {
        let document = self.document();
        let id = self.begin(command);
        self.world.settle();
        let browser = self.world.inside();
        browser.documents.get(&document).and_then(|page| page.outcomes[&id].clone())
    }

    /// What became of a command.
    pub fn outcome(&self, id: u32) -> Option<Outcome> {
        let browser = self.world.inside();
        browser.documents.values().find_map(|page| page.outcomes.get(&id).cloned().flatten())
    }

    pub fn sign_in(&self) -> Option<Outcome> {
        self.run(sign_in_to("/"))
    }

    pub fn sign_out(&self) -> Option<Outcome> {
        self.run(Command::SignOut { scope: Scope::Global })
    }

    pub fn leave_only_this_app(&self) -> Option<Outcome> {
        self.run(Command::SignOut { scope: Scope::Local })
    }

    pub fn check(&self) -> Option<Outcome> {
        self.run(Command::CheckSession {})
    }

    pub fn get_token(&self) -> Option<Outcome> {
        self.run(get_token())
    }

    /// The access token, or the error's code.
    pub fn token(&self) -> Result<String, Code> {
        match self.get_token() {
            Some(Outcome::Token { access_token: Some(Secret(token)), .. }) => Ok(token.into()),
            Some(Outcome::Failed { error }) => Err(error.code),
            other => panic!("{other:?}"),
        }
    }

    /// A token in place of one that a resource refused.
    pub fn token_instead_of(&self, refused: &str) -> Result<String, Code> {
        let command = Command::GetToken {
            min_ttl: None,
            origin: None,
            refused: Some(Secret(refused.into())),
            resource: None,
            scope: None,
        };
        match self.run(command) {
            Some(Outcome::Token { access_token: Some(Secret(token)), .. }) => Ok(token.into()),
            Some(Outcome::Failed { error }) => Err(error.code),
            other => panic!("{other:?}"),
        }
    }

    /// At the provider's login page.
    pub fn person_enters(&self, user: &str) {
        let mut browser = self.world.inside();
        let request = login_request(browser.tabs[self.tab].at_provider.as_ref());
        let now = browser.provider_time();
        let visit = browser.provider.submit_login(request, user, now);
        browser.follow(self.tab, visit);
        browser.settle();
    }

    /// At the provider's login page, in the window that was opened last.
    pub fn person_enters_in_window(&self, user: &str) {
        let mut browser = self.world.inside();
        let (document, effect, visit) = browser.popups.pop().expect("a window is open");
        let (request, now) = (login_request(Some(&visit)), browser.provider_time());
        let visit = browser.provider.submit_login(request, user, now);
        browser.show_in_popup(document, effect, visit);
        browser.settle();
    }

    /// At the provider's login page.
    pub fn person_cancels(&self) {
        let mut browser = self.world.inside();
        let request = login_request(browser.tabs[self.tab].at_provider.as_ref());
        let visit = browser.provider.cancel_login(request);
        browser.follow(self.tab, visit);
        browser.settle();
    }

    pub fn at_provider(&self) -> Option<Visit> {
        self.world.inside().tabs[self.tab].at_provider.clone()
    }

    pub fn signal(&self, signal: Signal) {
        let document = self.document();
        let mut browser = self.world.inside();
        browser.signal(document, signal);
        browser.settle();
    }

    /// Somebody turns to the page.
    pub fn look(&self) {
        self.signal(Signal::Hidden {});
        self.signal(Signal::Shown {});
    }

    pub fn freeze(&self) {
        let document = self.document();
        let mut browser = self.world.inside();
        browser.signal(document, Signal::Leave {});
        browser.documents.get_mut(&document).unwrap().away = true;
        browser.settle();
    }

    pub fn thaw(&self) {
        let document = self.document();
        let mut browser = self.world.inside();
        browser.documents.get_mut(&document).unwrap().away = false;
        browser.signal(document, Signal::Return {});
        browser.settle();
    }

    /// The page does nothing any more, without the browser's knowledge.
    pub fn hang(&self) {
        let document = self.document();
        self.world.inside().documents.get_mut(&document).unwrap().hangs = true;
    }

    /// A page that hung wakes for its timer first: what was said to it has not been heard yet.
    pub fn wake_deaf(&self) {
        let document = self.document();
        self.world.inside().signal(document, Signal::Wake {});
    }

    pub fn recover(&self) {
        let document = self.document();
        let mut browser = self.world.inside();
        browser.documents.get_mut(&document).unwrap().hangs = false;
        browser.settle();
    }

    /// The same, and this reaches it first.
    pub fn recover_by(&self, first: Signal) {
        let document = self.document();
        let mut browser = self.world.inside();
        browser.documents.get_mut(&document).unwrap().hangs = false;
        browser.signal(document, first);
        browser.settle();
    }

    // What is to be seen.

    pub fn session(&self) -> Session {
        let document = self.document();
        let browser = self.world.inside();
        browser.documents[&document].sessions.last().cloned().unwrap_or_default()
    }

    /// How often the subscribers were told.
    pub fn notices(&self) -> usize {
        let document = self.document();
        self.world.inside().documents[&document].sessions.len()
    }

    /// All that they were told.
    pub fn shown(&self) -> Vec<Session> {
        let document = self.document();
        self.world.inside().documents[&document].sessions.clone()
    }

    /// The statuses that they were told, after the first `since`.
    pub fn statuses_since(&self, since: usize) -> Vec<Status> {
        self.shown()[since..].iter().map(|session| session.status).collect()
    }

    pub fn status(&self) -> Status {
        self.session().status
    }

    #[track_caller]
    pub fn expect_status(&self, status: Status) {
        let session = self.session();
        assert_eq!(session.status, status, "{:?} {:?}", session.error, session.cause);
    }

    /// Nobody is signed in, and this is why.
    #[track_caller]
    pub fn expect_refused(&self, code: Code) {
        let session = self.session();
        assert_eq!(session.error.map(|error| error.code), Some(code));
        assert_eq!(session.status, Status::Anonymous);
        assert_eq!(session.claims, None);
    }

    pub fn code(&self) -> Option<Code> {
        self.session().error.map(|error| error.code)
    }

    pub fn cause(&self) -> Option<Ending> {
        self.session().cause.map(|Cause { ending, .. }| ending)
    }

    pub fn claim(&self, name: &str) -> Value {
        let claims = self.session().claims.expect("claims are shown");
        serde_json::from_str::<Value>(&claims.0).unwrap()[name].clone()
    }

    pub fn checks(&self) -> Vec<Check> {
        self.session().checks.unwrap_or_default()
    }

    pub fn storage(&self) -> std::collections::BTreeMap<String, String> {
        self.world.inside().tabs[self.tab].storage.clone()
    }

    pub fn set_storage(&self, key: &str, value: &str) {
        self.world.inside().tabs[self.tab].storage.insert(key.into(), value.into());
    }

    pub fn wake_in(&self) -> Option<i64> {
        let document = self.document();
        let browser = self.world.inside();
        browser.wake_at(document).map(|at| at - browser.monotonic_ms)
    }

    pub fn leads(&self) -> bool {
        self.world.inside().leader() == Some(self.tab)
    }
}

pub const fn get_token() -> Command {
    Command::GetToken { min_ttl: None, origin: None, refused: None, resource: None, scope: None }
}

fn login_request(visit: Option<&Visit>) -> usize {
    match visit {
        Some(Visit::Login(request)) => *request,
        other => panic!("no login page: {other:?}"),
    }
}

impl Page {
    pub fn is_signed_in(&self) -> bool {
        self.status() == Status::Authenticated
    }
}
