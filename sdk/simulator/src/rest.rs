//! The world comes to rest: everything is well again and some time passes. Then nothing may wait,
//! the tabs of a site agree, and a sign-out has reached all of them.

use std::collections::BTreeSet;

use gatepass_core::{
    error::Code,
    wire::{Command, Outcome, Scope, Signal, Status},
};

use crate::{
    rules::{Rule, Wish},
    schedule::{TABS, site_name, tab_name},
    turns::get_token,
    world::World,
};

/// What nothing that is asked for may take when all is well: a page that nothing has reached for long
/// looks first whether it was replaced, and one whose session's lifetime is over asks the others first.
const A_MOMENT_MS: i64 = 400;

impl World {
    /// Plays the end of every schedule.
    pub(crate) fn come_to_rest(&mut self, scope: Scope) {
        self.story.begin(|| "  at rest: all is well again, two minutes pass, people look".into());
        self.recover();
        self.look_at_all();
        // What the first look has brought about is seen at the second.
        self.look_at_all();
        self.watch_rest();
        self.story.begin(|| "  at rest: every app asks for a token and checks its session".into());
        self.use_all();
        self.watch_rest();
        self.story.begin(|| "  at the end: somebody signs out".into());
        self.sign_out_somewhere(scope);
    }

    fn recover(&mut self) {
        self.provider.is_up = true;
        self.provider.repent();
        self.fates.clear();
        self.doubles_message = false;
        let pages: Vec<u32> = self.pages.keys().copied().collect();
        for page in pages {
            self.go_on(page);
        }
        self.pass_free_locks();
        self.tell_of_lost_locks();
        for tab in 0..TABS.len() {
            self.thaw(tab);
        }
        self.pass(100_000, true);
    }

    fn look_at_all(&mut self) {
        for tab in 0..TABS.len() {
            if let Some(id) = self.awake(tab) {
                self.signal(id, Signal::Shown {});
            }
        }
        self.pass(35_000, true);
    }

    fn shown_pages(&self) -> Vec<u32> {
        self.tabs.iter().filter_map(|tab| tab.current).collect()
    }

    fn watch_rest(&mut self) {
        for id in self.shown_pages() {
            self.watch_page_at_rest(id);
        }
        for site in 0..self.sites.len() {
            self.watch_site_at_rest(site);
        }
    }

    fn watch_page_at_rest(&mut self, id: u32) {
        let Some(page) = self.pages.get(&id) else { return };
        let name = tab_name(page.tab);
        if let Some(wish) = page.seen.unanswered() {
            return self.breaks(Rule::NothingWaits, || format!("{name}: {wish:?} is not over"));
        }
        let status = page.seen.status();
        if !matches!(status, Some(Status::Anonymous | Status::Authenticated | Status::Expired)) {
            return self.breaks(Rule::NothingWaits, || format!("{name} is still {status:?}"));
        }
        let held = page.seen.grant.filter(|_| page.seen.has_session());
        let Some(grant) = held else { return };
        let is_over = self.provider.grants.get(grant).is_none_or(|grant| grant.revoked.is_some());
        if is_over {
            let what = format!("{name} still shows grant {grant}, which is over");
            self.breaks(Rule::SeenEverywhere, || what);
        }
    }

    fn watch_site_at_rest(&mut self, at: usize) {
        let pages: Vec<_> = self
            .shown_pages()
            .into_iter()
            .filter_map(|id| self.pages.get(&id).filter(|page| page.site == at))
            .collect();
        let held: BTreeSet<_> = pages
            .iter()
            .filter(|page| page.seen.has_session())
            .filter_map(|page| page.seen.grant)
            .collect();
        let without = pages.iter().find(|page| !page.seen.has_session());
        let without = without.map(|page| tab_name(page.tab));
        let is_excused = self.sites.get(at).is_some_and(|site| site.was_cleared);
        let streams = self.streams_of(at);
        let name = site_name(at);
        // With the clock set back and all memory of what was before it gone, nothing tells which of two
        // sign-ins is the later one.
        if held.len() > 1 && !(is_excused && self.was_set_back) {
            return self.breaks(Rule::OneUser, || format!("{name} holds grants {held:?} at once"));
        }
        if let (Some(tab), 1, false) = (without, held.len(), is_excused) {
            let what = format!("{tab} has no session, other tabs of {name} do");
            return self.breaks(Rule::OneUser, || what);
        }
        let wanted = usize::from(!held.is_empty() && !self.setup.no_events);
        if streams != wanted {
            let what = format!("{name} has {streams} streams instead of {wanted}");
            self.breaks(Rule::NothingWaits, || what);
        }
    }

    /// Every page that shows somebody can use its session.
    fn use_all(&mut self) {
        for id in self.shown_pages() {
            self.command(id, Wish::Check, Command::CheckSession {});
        }
        self.pass(A_MOMENT_MS, true);
        let mut asked = Vec::new();
        for id in self.shown_pages() {
            asked.push((id, self.command(id, Wish::Token, get_token(None, None))));
        }
        self.pass(A_MOMENT_MS, true);
        let now = self.time();
        let held = asked.iter().filter_map(|(id, command)| Some((self.pages.get(id)?, *command)));
        let useless =
            held.filter(|(page, _)| page.seen.has_session()).find_map(|(page, command)| {
                let said = match page.seen.outcome(command) {
                    Some(Outcome::Token { access_token: Some(token), .. }) => {
                        (!self.provider.accepts(&token.0, now))
                            .then(|| "a token worth nothing".into())
                    }
                    Some(Outcome::Failed { error }) if error.code == Code::TokenUnavailable => None,
                    other => Some(format!("{other:?}")),
                };
                said.map(|said| format!("{} has a session and gets {said}", tab_name(page.tab)))
            });
        if let Some(what) = useless {
            self.breaks(Rule::NothingWaits, || what);
        }
        self.pass(20_000, true);
    }

    fn sign_out_somewhere(&mut self, scope: Scope) {
        let first = self
            .shown_pages()
            .into_iter()
            .find(|id| self.pages.get(id).is_some_and(|page| page.seen.has_session()));
        let Some(first) = first else { return };
        let site = self.pages.get(&first).map(|page| page.site);
        self.sign_out(first, scope);
        // No timer but that of a page that begins, and nobody looks: what the tabs tell each other
        // is enough. (Where words overtake each other, a tab that begins may hear of the session
        // from one that has not heard of its end; it finds out when somebody looks.)
        self.pass(1000, true);
        for id in self.shown_pages() {
            if self.setup.messages_overtake {
                break;
            }
            let Some(page) = self.pages.get(&id).filter(|page| Some(page.site) == site) else {
                continue;
            };
            if page.seen.has_session() {
                let what = format!("{} still has a session", tab_name(page.tab));
                return self.breaks(Rule::SeenEverywhere, || what);
            }
            let command = self.command(id, Wish::Token, get_token(None, None));
            self.settle();
            let outcome = self.pages.get(&id).and_then(|page| page.seen.outcome(command));
            let refused = matches!(
                outcome,
                Some(Outcome::Failed { error }) if error.code == Code::NotSignedIn
            );
            if !refused {
                let what = format!("after a sign-out a token is asked for: {outcome:?}");
                return self.breaks(Rule::NoTokenAfterSignOut, || what);
            }
        }
        self.pass(60_000, true);
        self.look_at_all();
        self.watch_rest();
    }
}
