//! Signing out: here first, then everywhere (OIDC RP-Initiated Logout 1.0).

use super::{Expect, Goal, Machine};
use crate::{
    address::{form, path, with_form},
    attempt::Attempt,
    error::{Code, Error},
    secret::Secret,
    text::Text,
    token::revocation_form,
    wire::{Answer, Area, Ending, Outcome, Scope},
};
use alloc::boxed::Box;

/// How long a sign-out waits to hear that its tokens are worth nothing any more.
pub(super) const REVOCATION_TIMEOUT_MS: u32 = 2_000;

/// The longest address that a sign-out leaves for, in bytes: servers commonly take eight thousand for
/// all that stands before a request's body. Posted parameters have no limit, but a provider's cookies
/// may not come with them.
const LONGEST_ADDRESS: usize = 6_000;

/// A sign-out on its way to the provider; nothing is held here any more.
pub(super) struct SignOut {
    pub(super) command: u32,
    id_token_hint: Secret,
    state: Text,
}

impl Machine {
    pub(super) fn handle_sign_out(&mut self, id: u32, scope: Scope) {
        if self.is_gone() {
            return self.complete_failed(Some(id), Code::Superseded.into());
        }
        let id_token_hint = match &self.held {
            Some(held) => Secret(held.id_token.raw().into()),
            // The page stayed where it was when it could not tell: now it may finish that.
            None => self.unfinished.clone(),
        };
        if self.held.is_none() {
            // One that was kept, but could not be recalled.
            self.erase_kept(Area::Tab);
            self.erase_kept(Area::Origin);
            self.erase_forms();
        }
        let revocation = self.held.as_ref().map(|held| revocation_form(&self.config, &held.tokens));
        // Who signs in in a window meanwhile is not signed in by it afterwards.
        self.latest_click = 0;
        self.close_popup();
        // F7: the local session and the other tabs' go first, whatever the provider does.
        self.end(if scope == Scope::Global { Ending::SignedOut } else { Ending::SignedOutHere });
        let at = self.time().0;
        if let Some(memory) = &mut self.memory {
            memory.sign_out();
            // Until it has been told, which a reload may cut short.
            if scope == Scope::Global {
                memory.unfinished_at = at;
            }
        }
        self.save_memory();
        self.publish();
        // The tokens are taken back as well as can be (RFC 7009); nothing depends on it. Signing out
        // here waits for that, so that a page that closes then does not cut it short; signing out
        // everywhere asks for it while it makes sure that the provider is there.
        let waiting = if scope == Scope::Global { None } else { Some(id) };
        match revocation {
            Some(form) => self.with_metadata(Goal::Revoke(form, waiting), false),
            None => self.complete(waiting, Outcome::Done {}),
        }
        if scope == Scope::Global {
            // Until somebody signs in: the provider may not hear of it, nor the page be left.
            self.unfinished = id_token_hint.clone();
            let sign_out = SignOut { command: id, id_token_hint, state: Text::default() };
            self.with_metadata(Goal::EndSession(Box::new(sign_out)), true);
        }
    }

    /// The provider has answered just now. The record lets the page that the person comes back to
    /// know that the answer is ours.
    pub(super) fn save_sign_out(&mut self, mut sign_out: Box<SignOut>) {
        sign_out.state = self.entropy.token(32);
        // Once more: a page that was left meanwhile and came back may have forgotten it.
        if let Some(memory) = &mut self.memory {
            memory.stopped = true;
        }
        let return_to = Text::from(path(&self.config.post_logout_redirect_uri));
        let record = Attempt::SignOut.write(&self.config, self.local_time());
        let state = sign_out.state.clone();
        self.save_attempt(&state, return_to, record, Expect::SignOutSaved(sign_out));
    }

    pub(super) fn handle_sign_out_saved(&mut self, answer: &Answer, sign_out: &SignOut) {
        let endpoint =
            self.metadata.as_ref().and_then(|metadata| metadata.end_session_endpoint.clone());
        let Some(endpoint) = endpoint else {
            return self.sign_out_failed(sign_out, Code::SignOutUnsupported.into());
        };
        // Another command was faster.
        if self.leaving {
            return self.complete_failed(Some(sign_out.command), Code::Superseded.into());
        }
        // Without storage the answer could not be recognised: signing out matters more.
        let saved = matches!(answer, Answer::Done {});
        let form = form(&[
            ("id_token_hint", &sign_out.id_token_hint.0),
            ("client_id", &self.config.client_id),
            ("post_logout_redirect_uri", &self.config.post_logout_redirect_uri),
            ("state", if saved { &sign_out.state } else { "" }),
        ]);
        // RP-Initiated Logout 2: by GET or by POST.
        let (url, form) = if endpoint.len() + form.len() > LONGEST_ADDRESS {
            (endpoint, Some(Secret(form)))
        } else {
            (with_form(&endpoint, &form), None)
        };
        self.forget_unfinished();
        self.complete(Some(sign_out.command), Outcome::Leaving {});
        self.navigate(Secret(url), form, false);
    }

    /// There is nothing left that the provider has to be told, also by the next page of this tab.
    pub(super) fn forget_unfinished(&mut self) {
        if let Some(memory) = &mut self.memory
            && memory.unfinished_at != 0
        {
            memory.unfinished_at = 0;
            self.save_memory();
        }
    }

    /// The person is signed out here, and told that the provider does not know. The next sign-out of
    /// this page finishes it.
    pub(super) fn sign_out_failed(&mut self, sign_out: &SignOut, error: Error) {
        // A provider that has no such endpoint can never be told.
        if error.code == Code::SignOutUnsupported {
            self.forget_unfinished();
        }
        self.set_error(Some(error.clone()));
        self.complete_failed(Some(sign_out.command), error);
    }
}
