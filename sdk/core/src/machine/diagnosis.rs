//! What `diagnose` is told: how the session came, who leads, how the stream fares, what was refused.

use super::{Machine, leader::Lead};
use crate::{
    attempt::Way,
    error::Code,
    wire::{Came, Diagnosis, Noted, Outcome, Part, PastError},
};
use alloc::boxed::Box;

/// How many refusals are remembered.
const REMEMBERED_ERRORS: usize = 10;

impl Machine {
    /// A refusal, in the words that anybody may read: its evidence may name people.
    pub(super) fn note_error(&mut self, code: Code) {
        let error = PastError { code: code.as_str(), at: self.local_time().0 };
        // The session's error is mostly the command's too.
        if self.past_errors.last() == Some(&error) {
            return;
        }
        if self.past_errors.len() == REMEMBERED_ERRORS {
            self.past_errors.remove(0);
        }
        self.past_errors.push(error);
    }

    pub(super) fn diagnose(&mut self, id: u32) {
        let (stream, heard_ms) = self.stream_health();
        let diagnosis = Diagnosis {
            came: self.came,
            stopped: self.memory.as_ref().is_some_and(|memory| memory.stopped),
            noted: Noted::ALL.into_iter().filter(|noted| self.is_noted(*noted)).collect(),
            part: match self.lead {
                Lead::No => Part::None,
                Lead::Asking(_) => Part::Waits,
                Lead::Holding(_) => Part::Leads,
                Lead::Alone => Part::Alone,
            },
            stream,
            heard_ms,
            opened: self.streams_opened,
            offset_ms: self.date_is_known.then_some(self.measured_offset_ms),
            errors: self.past_errors.clone(),
        };
        self.complete(Some(id), Outcome::Diagnosis { diagnosis: Box::new(diagnosis) });
    }
}

impl From<Way> for Came {
    fn from(way: Way) -> Self {
        match way {
            Way::Click => Self::Click,
            Way::Redirect => Self::Redirect,
            Way::Frame => Self::Frame,
            Way::Popup(_) => Self::Window,
        }
    }
}
