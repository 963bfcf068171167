//! What this browser has shown of the ladder's rungs, for this issuer and client.
//!
//! A rung that failed is not tried again, in any page of the origin, until a session was reached: a
//! database that hangs would cost each start two seconds, a frame that never reports a request and a
//! frame, a provider that answers nonsense a redirect. That nobody is signed in is no failure, and
//! neither is a provider that is away: in a moment either may be otherwise. A frame that says so may be
//! blind: if a redirect finds somebody at once, it was, and counts as failed.
//!
//! What worked is noted where it tells something: that a frame has seen a cookie of the provider's.
//!
//! Words in `localStorage`, which any script of the origin can write: they can keep the ladder from
//! asking, as any script can, and from nothing else. Where that is blocked they last as long as the page.

use super::{Expect, Machine};
use crate::{
    address::has_word,
    error::{Code, Error},
    secret::Secret,
    text::Text,
    wire::{Answer, Area, Came, Noted},
};
use alloc::string::String;

impl Machine {
    pub(super) fn load_rungs(&mut self) {
        self.load(Area::Origin, self.shared_key("rungs"), Expect::Rungs);
    }

    pub(super) fn handle_rungs(&mut self, answer: &Answer) {
        if let Answer::Loaded { value: Some(words) } = answer {
            self.rungs = words.clone();
        }
    }

    /// Whether this was noted.
    pub(super) fn is_noted(&self, noted: Noted) -> bool {
        has_word(&self.rungs, noted.as_str())
    }

    pub(super) fn note(&mut self, noted: Noted) {
        if !self.is_noted(noted) {
            self.write_rungs(Text::concat(&[&self.rungs, noted.as_str(), " "]));
        }
    }

    /// The provider, or what stands between, has brought no session by this rung.
    pub(super) fn note_failure(&mut self, rung: Noted, error: &Error) {
        // RFC 6749, 4.1.2.1: it is there, and cannot answer at this moment.
        let is_busy = |found: &str| found.starts_with("temporarily_unavailable");
        let is_busy = error.evidence.as_ref().is_some_and(|seen| is_busy(&seen.found));
        let is_none = is_busy
            || matches!(
                error.code,
                // Nobody was asked; or nobody is signed in, as it seems.
                Code::IssuerUnreachable
                    | Code::Superseded
                    | Code::Cancelled
                    | Code::LoginRequired
                    | Code::InteractionRequired
                    | Code::ConsentRequired
                    | Code::AccountSelectionRequired
                    | Code::AccessDenied
            );
        if !is_none {
            self.note(rung);
        }
    }

    /// A session was reached: what failed may be tried again. But not the frame that a redirect or
    /// another rung stands in for, before somebody clicks: each reload, or each new tab, would ask it
    /// in vain.
    pub(super) fn forget_failures(&mut self) {
        let has_failed = match self.came {
            Came::Redirect => self.is_noted(Noted::Frame) || self.is_noted(Noted::Unseen),
            Came::Storage | Came::Tab => self.is_noted(Noted::Frame),
            Came::No | Came::Frame | Came::Click | Came::Window => false,
        };
        let sees = if self.is_noted(Noted::Sees) && !has_failed { "sees " } else { "" };
        let frame = if has_failed { "frame " } else { "" };
        let words = Text::concat(&[sees, frame]);
        if self.rungs != words {
            self.write_rungs(words);
        }
    }

    /// Takes one back.
    pub(super) fn drop_word(&mut self, noted: Noted) {
        if self.is_noted(noted) {
            let is_other = |word: &&str| !word.is_empty() && *word != noted.as_str();
            let others = self.rungs.split(' ').filter(is_other);
            let kept = others.flat_map(|noted| [noted, " "]).collect::<String>();
            self.write_rungs(kept.into());
        }
    }

    fn write_rungs(&mut self, words: Text) {
        self.rungs = words.clone();
        self.save(Area::Origin, self.shared_key("rungs"), Secret(words));
    }
}
