//! What must always hold. Each order of each machine is held against these rules as it comes; some
//! can only be looked at when the world has come to rest (`rest`).

use std::collections::{BTreeMap, BTreeSet};

use gatepass_core::{
    error::Code,
    wire::{Answer, Effect, Ending, Fact, Order, Outcome, Session, Signal, Status},
};

use crate::{
    provider::{CLIENTS, Request},
    schedule::tab_name,
    token::{claims_of, grant_of, member},
    world::{Page, Tab, World},
};

/// The rules, each with the name that a failure carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A page that knows of a sign-out uses no token of that session any more.
    NoTokenAfterSignOut,
    /// No tab has a session of another person than the site's other tabs, once they had time to
    /// tell each other, and none goes back to somebody before.
    OneUser,
    /// What is shown as somebody's identity passed every check: the provider issued it for this
    /// client, and this very page had its signature verified.
    EveryCheck,
    /// At most one refresh of a grant is under way.
    OneRefresh,
    /// No page refreshes without having been granted the lock.
    RefreshNeedsLock,
    /// At most one automatic redirect between two reached sessions, and none after a sign-out.
    OneRedirect,
    /// Every command is completed exactly once.
    OneCompletion,
    /// At rest, with a healthy provider, nothing waits.
    NothingWaits,
    /// The start of a page that an answer has come to is not over before the provider has said what
    /// the answer is worth.
    WaitsForTheAnswer,
    /// A session ends for one of the reasons that end sessions; a network failure is none.
    EndsForAReason,
    /// A sign-out, wherever it was, has reached every tab when the network is well.
    SeenEverywhere,
    /// Subscribers are told once per change.
    OneNotice,
    /// Nothing panics.
    NoPanic,
}

impl Rule {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoTokenAfterSignOut => "no-token-after-sign-out",
            Self::OneUser => "one-user-per-site",
            Self::EveryCheck => "authenticated-only-after-every-check",
            Self::OneRefresh => "one-refresh-per-grant",
            Self::RefreshNeedsLock => "no-refresh-without-the-lock",
            Self::OneRedirect => "one-automatic-redirect",
            Self::OneCompletion => "one-completion-per-command",
            Self::NothingWaits => "nothing-waits-for-ever",
            Self::WaitsForTheAnswer => "a-start-waits-for-its-answer",
            Self::EndsForAReason => "a-session-ends-for-a-reason",
            Self::SeenEverywhere => "a-sign-out-is-seen-everywhere",
            Self::OneNotice => "one-notice-per-change",
            Self::NoPanic => "no-panic",
        }
    }
}

/// A rule was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub rule: Rule,
    /// How.
    pub what: String,
}

/// What a page has been asked, told and shown.
#[derive(Default)]
pub(crate) struct Seen {
    commands: BTreeMap<u32, Asked>,
    shown: Option<Session>,
    /// The grant that it shows, or showed before it began to restore.
    pub(crate) grant: Option<usize>,
    /// Grants that it held before.
    past: BTreeSet<usize>,
    /// Grants that it knows are signed out.
    pub(crate) over: BTreeSet<usize>,
    /// Grants of whose end it has been told, or is being told.
    pub(crate) heard: BTreeSet<usize>,
    /// Grants of sessions that it has told the others: it may have had one and never shown it.
    told: BTreeSet<usize>,
    /// Claims whose signature is on its way to be found right, by the effect.
    pub(crate) verifying: BTreeMap<u32, String>,
    /// Claims whose signature was found right for this page.
    verified: BTreeSet<String>,
    pub(crate) last_token: Option<String>,
    /// The request by which it redeems a code: the one it was loaded with, or a frame's.
    redeeming: Option<u32>,
    /// The lock that it has been told is its own.
    pub(crate) lock: Option<u32>,
    /// What it asked for the lock by.
    asked_locks: BTreeSet<u32>,
    /// New tokens may have come since it was told last.
    pub(crate) has_news: bool,
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Resume,
    SignIn,
    SignOut,
    Token,
    Check,
}

struct Asked {
    wish: Wish,
    /// The grant that was held then.
    grant: Option<usize>,
    /// How often the way had been opened for redirects in this tab.
    openings: usize,
    outcome: Option<Outcome>,
}

impl Seen {
    pub(crate) fn status(&self) -> Option<Status> {
        self.shown.as_ref().map(|session| session.status)
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.shown.as_ref()?.subject.as_deref()
    }

    /// Whether it shows somebody.
    pub(crate) fn has_session(&self) -> bool {
        self.shown.as_ref().is_some_and(|session| session.claims.is_some())
    }

    /// Whether somebody clicked "Sign in" after a command: who signs out and clicks then wants to
    /// come back.
    /// Somebody has clicked "Sign out", and that is not over.
    pub(crate) fn is_signing_out(&self) -> bool {
        let waits = |asked: &Asked| asked.wish == Wish::SignOut && asked.outcome.is_none();
        self.commands.values().any(waits)
    }

    fn clicked_after(&self, command: u32) -> bool {
        self.commands.range(command..).any(|(_, asked)| asked.wish == Wish::SignIn)
    }

    pub(crate) fn outcome(&self, command: u32) -> Option<&Outcome> {
        self.commands.get(&command)?.outcome.as_ref()
    }

    pub(crate) fn unanswered(&self) -> Option<Wish> {
        self.commands.values().find(|asked| asked.outcome.is_none()).map(|asked| asked.wish)
    }
}

impl World {
    pub(crate) fn note_command(&mut self, id: u32, command: u32, wish: Wish) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let openings = self.tabs.get(page.tab).map_or(0, |tab| tab.openings);
        let asked = Asked { wish, grant: page.seen.grant, openings, outcome: None };
        page.seen.commands.insert(command, asked);
        if wish == Wish::SignIn
            && let Some(tab) = self.tabs.get_mut(page.tab)
        {
            tab.opens();
        }
    }

    /// What arrives at a page, whatever its machine is then told: the world's own verdict, and what
    /// may be fresh tokens.
    pub(crate) fn note_arrival(&mut self, id: u32, fact: &Fact) {
        if let Some(page) = self.pages.get_mut(&id) {
            let brings = |answer: &Answer| {
                matches!(
                    answer,
                    Answer::Verdict { .. } | Answer::Digest { .. } | Answer::Response { .. }
                )
            };
            match fact {
                Fact::Answer { effect, answer: Answer::Granted {} }
                    if page.seen.asked_locks.remove(effect) =>
                {
                    page.seen.lock = Some(*effect);
                }
                Fact::Signal { signal: Signal::Lost { effect } }
                    if page.seen.lock == Some(*effect) =>
                {
                    page.seen.lock = None;
                }
                _ => {}
            }
            page.seen.has_news |= matches!(fact, Fact::Answer { answer, .. } if brings(answer));
            page.seen.redeeming = page
                .seen
                .redeeming
                .filter(|sent| !matches!(fact, Fact::Answer { effect, .. } if effect == sent));
        }
        if let Fact::Answer { effect, answer: Answer::Verdict { valid } } = fact
            && let Some(page) = self.pages.get_mut(&id)
            && let Some(claims) = page.seen.verifying.remove(effect).filter(|_| *valid)
        {
            page.seen.verified.insert(claims);
        }
    }

    /// Holds an order against the rules.
    pub(crate) fn watch(&mut self, id: u32, order: &Order) {
        match order {
            Order::Session { session } => self.watch_session(id, session),
            Order::Completed { command, outcome } => self.watch_outcome(id, *command, outcome),
            Order::Effect { effect: Effect::Navigate { replace, .. }, .. } => {
                self.watch_navigation(id, *replace);
            }
            Order::Effect { id: effect, effect: Effect::TakeLock { .. } } => {
                if let Some(page) = self.pages.get_mut(&id) {
                    page.seen.asked_locks.insert(*effect);
                }
            }
            Order::Effect { effect: Effect::DropLock { lock: effect }, .. }
            | Order::Cancel { effect } => {
                if let Some(page) = self.pages.get_mut(&id)
                    && page.seen.lock == Some(*effect)
                {
                    page.seen.lock = None;
                }
            }
            Order::Effect { effect: Effect::Broadcast { text, .. }, .. } => {
                self.watch_message(id, &text.0);
            }
            _ => {}
        }
    }

    // What is shown.

    fn watch_session(&mut self, id: u32, session: &Session) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let (tab, site) = (page.tab, page.site);
        self.story.tell(|| format!("{} shows: {}", tab_name(tab), shown(session)));
        let before = page.seen.shown.replace(session.clone());
        // Fresh tokens of the same lifetime are a change that is not to be seen.
        let has_news = core::mem::take(&mut page.seen.has_news);
        if before.as_ref() == Some(session) && !has_news {
            let what = format!("{} was told twice: {}", tab_name(tab), shown(session));
            return self.breaks(Rule::OneNotice, || what);
        }
        let grant = session.claims.as_ref().and_then(|claims| member(&claims.0, "grant"));
        let grant = grant.and_then(|grant| grant.as_u64()).and_then(|at| usize::try_from(at).ok());
        if let Some(claims) = &session.claims {
            let was_verified = page.seen.verified.contains(claims.0.as_str());
            self.watch_claims(id, session, &claims.0, was_verified);
            self.watch_grant(id, grant);
        } else if session.subject.is_some() {
            self.breaks(Rule::EveryCheck, || "a subject without claims".into());
        } else if session.status == Status::Authenticated {
            self.breaks(Rule::EveryCheck, || "authenticated without claims".into());
        } else if session.status != Status::Restoring {
            self.watch_end(id, session);
        }
        if session.status == Status::Authenticated
            && let Some(tab) = self.tabs.get_mut(tab)
        {
            tab.opens();
        }
        // Whoever signs in to something new has signed out of nothing of it.
        if let (Some(grant), Some(site)) = (grant, self.sites.get(site))
            && site.signed_out.contains(&grant)
            && self.pages.get(&id).is_some_and(|page| page.seen.over.contains(&grant))
        {
            let what = format!("{} shows a session that it knows is over", tab_name(tab));
            self.breaks(Rule::NoTokenAfterSignOut, || what);
        }
    }

    fn watch_claims(&mut self, id: u32, session: &Session, claims: &str, was_verified: bool) {
        let Some(page) = self.pages.get(&id) else { return };
        let (tab, site) = (page.tab, page.site);
        if let Some(lie) = member(claims, "lie") {
            let what = format!("{} believes a lie: {lie}", tab_name(tab));
            return self.breaks(Rule::EveryCheck, || what);
        }
        if !self.provider.issued.contains(&(site, claims.to_owned())) {
            let what =
                format!("{} shows what nobody issued for {:?}", tab_name(tab), CLIENTS.get(site));
            return self.breaks(Rule::EveryCheck, || what);
        }
        if session.subject.as_deref() == Some(crate::provider::STRANGER_NAME) {
            let what = format!("{} shows a stranger", tab_name(tab));
            return self.breaks(Rule::EveryCheck, || what);
        }
        if !was_verified {
            let what = format!("{} had no signature checked for what it shows", tab_name(tab));
            return self.breaks(Rule::EveryCheck, || what);
        }
        let checks = session.checks.as_deref().unwrap_or_default();
        let missing = ["iss", "aud", "kid", "exp", "iat"]
            .iter()
            .find(|name| !checks.iter().any(|check| check.name == **name));
        if let Some(missing) = missing {
            self.breaks(Rule::EveryCheck, || format!("no check of {missing} is told"));
        }
    }

    fn watch_grant(&mut self, id: u32, grant: Option<usize>) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let before = page.seen.grant;
        if let (Some(before), true) = (before, before != grant) {
            page.seen.past.insert(before);
        }
        page.seen.grant = grant;
        if let Some(grant) = grant
            && page.seen.past.contains(&grant)
        {
            let what = format!("{} goes back to grant {grant}, after others", tab_name(page.tab));
            self.breaks(Rule::OneUser, || what);
        }
    }

    /// Nobody is shown any more: that needs a reason.
    fn watch_end(&mut self, id: u32, session: &Session) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let (tab, at) = (page.tab, page.site);
        let Some(grant) = page.seen.grant.take() else { return };
        page.seen.past.insert(grant);
        let ending = session.cause.as_ref().map(|cause| cause.ending);
        let command = page
            .seen
            .commands
            .iter()
            .find(|(_, asked)| asked.wish == Wish::SignOut && asked.outcome.is_none());
        let command = command.map(|(command, _)| *command);
        let clicked_after = command.is_some_and(|command| page.seen.clicked_after(command));
        let signed_out = matches!(ending, Some(Ending::SignedOut | Ending::SignedOutHere));
        let Some(site) = self.sites.get_mut(at) else { return };
        if signed_out && command.is_some() {
            page.seen.over.insert(grant);
            site.signed_out.insert(grant);
            if let Some(tab) = self.tabs.get_mut(tab).filter(|_| !clicked_after) {
                tab.signs_out();
            }
        }
        let sso = self.provider.grants.get(grant).map(|grant| grant.sso);
        // The end of a newer sign-in is the end of what came before it in the same session; and for a
        // page that slept, of whatever the newer one had replaced.
        let began = |at: &usize| site.began.get(at);
        let is_later = |at: &usize| began(at) >= began(&grant);
        let replaced_by: Vec<usize> = site.ended.iter().copied().filter(is_later).collect();
        let had = || page.seen.told.iter().chain([&grant]);
        let known = || page.seen.heard.iter().chain(had()).chain(&replaced_by);
        let is_revoked = known().any(|at| {
            self.provider.grants.get(*at).is_some_and(|other| {
                other.revoked.is_some() && (Some(other.sso) == sso || replaced_by.contains(at))
            })
        });
        let is_told = |at: &usize| {
            self.provider.grants.get(*at).is_some_and(|it| self.provider.told.contains(&it.sso))
        };
        let is_justified = match ending {
            Some(Ending::SignedOut | Ending::SignedOutHere) => {
                known().any(|at| site.signed_out.contains(at))
            }
            Some(Ending::LogoutToken) => {
                // What a page has adopted or recalled while it was asked about, it has shown to nobody.
                let later = page.seen.told.iter().filter(|at| is_later(at));
                is_told(&grant) || later.chain(&replaced_by).any(is_told)
            }
            Some(Ending::InvalidGrant) => is_revoked,
            Some(Ending::InvalidToken) => self.setup.no_refresh_tokens,
            Some(Ending::Lifetime) => self.setup.session_lifetime.is_some(),
            Some(Ending::LoginRequired | Ending::UserChanged) | None => false,
        };
        if !is_justified {
            let what = format!(
                "{}: the session of grant {grant} ended by {} for no reason",
                tab_name(tab),
                ending.map_or("nothing", Ending::as_str)
            );
            self.breaks(Rule::EndsForAReason, || what);
        }
    }

    // What commands come to.

    fn watch_outcome(&mut self, id: u32, command: u32, outcome: &Outcome) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let tab = page.tab;
        let Some(asked) = page.seen.commands.get_mut(&command) else {
            return self.breaks(Rule::OneCompletion, || format!("nobody asked for {command}"));
        };
        let (wish, asked_grant, openings) = (asked.wish, asked.grant, asked.openings);
        if asked.outcome.replace(outcome.clone()).is_some() {
            let what = format!("{}: {wish:?} is over twice", tab_name(tab));
            return self.breaks(Rule::OneCompletion, || what);
        }
        self.story.tell(|| format!("{}: {wish:?} is over: {}", tab_name(tab), told(outcome)));
        // What a frame may bring is nothing to wait for once there is a session.
        if wish == Wish::Resume && page.seen.redeeming.is_some() && !page.seen.has_session() {
            let what = format!("{} has begun while it redeems a code", tab_name(tab));
            return self.breaks(Rule::WaitsForTheAnswer, || what);
        }
        match outcome {
            Outcome::Token { access_token: Some(token), .. } => self.watch_token(id, &token.0),
            Outcome::Failed { error } if error.code == Code::Superseded => {}
            _ if wish == Wish::SignOut => {
                let is_back = page.seen.clicked_after(command) || page.seen.has_session();
                // Another page of the tab may have reached a session while this one slept.
                let is_latest = |tab: &&mut Tab| !is_back && tab.openings == openings;
                if let Some(tab) = self.tabs.get_mut(tab).filter(is_latest) {
                    tab.signs_out();
                }
                let Some(grant) = asked_grant else { return };
                page.seen.over.insert(grant);
                let still = page.seen.has_session() && page.seen.grant == Some(grant);
                if let Some(site) = self.sites.get_mut(page.site) {
                    site.signed_out.insert(grant);
                }
                if still {
                    let what = format!("{} is signed out and still shows it", tab_name(tab));
                    self.breaks(Rule::NoTokenAfterSignOut, || what);
                }
            }
            _ => {}
        }
    }

    fn watch_token(&mut self, id: u32, token: &str) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        page.seen.last_token = Some(token.to_owned());
        let tab = page.tab;
        let Some(grant) = grant_of(token) else {
            return self.breaks(Rule::EveryCheck, || "a token that nobody issued".into());
        };
        if page.seen.over.contains(&grant) {
            let what =
                format!("{} gives out a token of grant {grant}, which is over", tab_name(tab));
            return self.breaks(Rule::NoTokenAfterSignOut, || what);
        }
        if page.seen.grant.is_some_and(|held| held != grant) || page.seen.past.contains(&grant) {
            let what = format!(
                "{} gives out a token of grant {grant}, but shows {:?}",
                tab_name(tab),
                page.seen.subject()
            );
            self.breaks(Rule::OneUser, || what);
        }
    }

    // What pages do.

    /// A request with a token in it.
    pub(crate) fn watch_request(&mut self, id: u32, effect: u32, request: &Request) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let tab = page.tab;
        if request.form.contains_key("code") {
            page.seen.redeeming = Some(effect);
        }
        let page = &*page;
        let bearer = request.authorization.as_deref().and_then(|text| text.strip_prefix("Bearer "));
        let used = request.form.get("refresh_token").map(String::as_str);
        for token in [bearer, used].into_iter().flatten() {
            let is_over = grant_of(token).is_some_and(|grant| page.seen.over.contains(&grant));
            if is_over {
                let what = format!("{} uses {token}, which is over", tab_name(tab));
                return self.breaks(Rule::NoTokenAfterSignOut, || what);
            }
        }
        let Some(grant) = used.and_then(grant_of) else { return };
        if page.seen.lock.is_none() {
            let what = format!("{} refreshes grant {grant} without the lock", tab_name(tab));
            return self.breaks(Rule::RefreshNeedsLock, || what);
        }
        // What a page that sleeps or hangs has sent is given up by the others.
        let another = self.refreshing.iter().find(|((owner, _), known)| {
            // Nor does it count when its session is over by now: nothing will come of it.
            let counts = |page: &Page| page.is_awake() && page.seen.grant == Some(grant);
            **known == grant && self.pages.get(owner).is_some_and(counts)
        });
        if let Some(((owner, _), _)) = another {
            let first = self.pages.get(owner).map_or_else(String::new, |page| tab_name(page.tab));
            let what = format!("{} refreshes grant {grant} while {first} does", tab_name(tab));
            return self.breaks(Rule::OneRefresh, || what);
        }
        self.refreshing.insert((id, effect), grant);
    }

    fn watch_navigation(&mut self, id: u32, replace: bool) {
        let Some(page) = self.pages.get(&id) else { return };
        let name = tab_name(page.tab);
        let Some(tab) = self.tabs.get_mut(page.tab) else { return };
        if !replace {
            return;
        }
        // Who has clicked meanwhile opens the way, which the page does when it comes to that.
        let waits = |asked: &Asked| asked.wish == Wish::SignIn && asked.outcome.is_none();
        tab.redirects += usize::from(!page.seen.commands.values().any(waits));
        let (count, signed_out) = (tab.redirects, tab.signed_out);
        self.story.tell(|| format!("{name} redirects by itself"));
        if count > 1 {
            self.breaks(Rule::OneRedirect, || format!("{name} redirects by itself again"));
        } else if signed_out {
            let what = format!("{name} redirects by itself after a sign-out");
            self.breaks(Rule::OneRedirect, || what);
        }
    }

    fn watch_message(&mut self, id: u32, text: &str) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        let token = member(text, "access_token");
        let token = token.as_ref().and_then(|token| token.as_str()).and_then(grant_of);
        page.seen.told.extend(token);
        if token.is_some_and(|grant| page.seen.over.contains(&grant)) {
            let what = format!("{} shares a session that it knows is over", tab_name(page.tab));
            self.breaks(Rule::NoTokenAfterSignOut, || what);
        }
        let claims = member(text, "id_token");
        let claims = claims.as_ref().and_then(|token| token.as_str()).and_then(claims_of);
        if claims.is_some_and(|claims| member(&claims, "lie").is_some()) {
            self.breaks(Rule::EveryCheck, || "a lie is shared".into());
        }
    }
}

fn shown(session: &Session) -> String {
    let mut said = session.status.as_str().to_owned();
    if let Some(subject) = &session.subject {
        said.push_str(&format!(", {subject}"));
    }
    let grant = session.claims.as_ref().and_then(|claims| member(&claims.0, "grant"));
    if let Some(grant) = grant {
        said.push_str(&format!(" (grant {grant})"));
    }
    if let Some(cause) = &session.cause {
        said.push_str(&format!(", because {}", cause.ending.as_str()));
    }
    if let Some(error) = &session.error {
        said.push_str(&format!(", error {}", error.code.as_str()));
    }
    said
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done {} => "done".into(),
        Outcome::Leaving {} => "leaving".into(),
        Outcome::Token { access_token: Some(token), .. } => token.0.as_str().into(),
        Outcome::Token { .. } => "no token for that origin".into(),
        Outcome::Diagnosis { .. } => "a diagnosis".into(),
        Outcome::Failed { error } => error.code.as_str().into(),
    }
}
