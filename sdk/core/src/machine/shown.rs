//! The session as subscribers see it.

use super::{Machine, Timer};
use crate::{
    error::Error,
    wire::{Order, Raw, Session, Status},
};
use alloc::boxed::Box;

impl Machine {
    pub(super) fn set_status(&mut self, status: Status) {
        // Whatever else is heard meanwhile says nothing of the lifetime.
        if self.status != status && self.over.is_none() {
            self.status = status;
            // That is what a page that has not heard the others yet shows in any case.
            self.changed = !(self.is_deaf && status == Status::Restoring);
            if status == Status::Offline {
                self.begin_to_reach();
            } else {
                self.clear_timer(Timer::Reach);
            }
        }
    }

    pub(super) fn set_error(&mut self, error: Option<Error>) {
        if self.error != error {
            if let Some(error) = &error {
                self.note_error(error.code);
            }
            self.error = error;
            self.changed = true;
        }
        self.error_passes = false;
    }

    /// A check or a refresh has failed.
    pub(super) fn set_passing_error(&mut self, error: Error) {
        self.set_error(Some(error));
        self.error_passes = true;
    }

    /// One has succeeded.
    pub(super) fn drop_passing_error(&mut self) {
        if self.error_passes {
            self.set_error(None);
        }
    }

    /// Tells the subscribers, once per change.
    pub(super) fn publish(&mut self) {
        if !self.changed || self.is_deaf {
            return;
        }
        self.changed = false;
        // What a page shows when it is left is what it shows first when it comes back. Said once, whatever
        // else is heard before it sleeps.
        let is_masked = self.away && self.held.is_some();
        if core::mem::replace(&mut self.is_masked, is_masked) && is_masked {
            return;
        }
        let status = if is_masked { Status::Restoring } else { self.status };
        let mut session = Session {
            status,
            cause: self.cause.clone(),
            error: self.error.clone(),
            warning: self.clock_warning(),
            clock_offset: (self.clock_offset_ms != 0).then_some(self.clock_offset_ms / 1000),
            ..Session::default()
        };
        // While it is not known whether the session still stands, its data is not shown.
        if status != Status::Restoring
            && let Some(held) = &self.held
        {
            session.subject = Some(held.id_token.subject().into());
            session.claims = Some(Raw(held.id_token.claims_text().into()));
            session.checks = Some(held.id_token.checks().to_vec());
            session.started_at = Some(held.started_at);
            session.expires_at = self.ends_at();
            session.token_expires_at = held.tokens.expires_at.map(|time| time.0);
        }
        self.orders.push(Order::Session { session: Box::new(session) });
    }
}
