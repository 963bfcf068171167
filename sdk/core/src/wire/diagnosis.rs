//! What the machine knows of how it fares, for `diagnose`.
//!
//! Few pages ask, and every page carries this: so it crosses as bare numbers, whose names
//! `driver/diagnose.js` has.

use super::{Declare, Write, macros::words};
use crate::json::Writer;
use alloc::{string::String, vec::Vec};

/// What the machine knows of how it fares. It holds no token and names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// How the session came to this page.
    pub came: Came,
    /// This tab's part among the tabs.
    pub part: Part,
    /// Where the event stream of this tab stands.
    pub stream: StreamState,
    /// How often this page has opened a stream.
    pub opened: u32,
    /// When this tab's stream last said anything, in milliseconds since the Unix epoch by this
    /// machine's clock.
    pub heard_ms: Option<i64>,
    /// The provider's clock minus this machine's in milliseconds, once the provider has said its
    /// time.
    pub offset_ms: Option<i64>,
    /// The page asks nothing by itself until the person clicks.
    pub stopped: bool,
    /// What this browser has shown of the ways to a session.
    pub noted: Vec<Noted>,
    /// What was refused last, ten at most, the latest at the end.
    pub errors: Vec<PastError>,
}

/// Something that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastError {
    /// The name of its code.
    pub code: &'static str,
    /// When, in Unix seconds by this machine's clock.
    pub at: i64,
}

impl Write for Diagnosis {
    fn write(&self, writer: &mut Writer) {
        writer.open('[');
        let noted = self.noted.iter().fold(0, |bits, noted| bits | 1 << *noted as i64);
        let (has_offset, offset_ms) = self.offset_ms.map_or((0, 0), |ms| (1, ms));
        let numbers = [
            self.came as i64,
            self.part as i64,
            self.stream as i64,
            self.opened.into(),
            self.stopped.into(),
            // Never in 1970.
            self.heard_ms.unwrap_or_default(),
            has_offset,
            offset_ms,
            noted,
        ];
        for number in numbers {
            writer.integer(number);
        }
        for error in &self.errors {
            writer.string(error.code);
            writer.integer(error.at);
        }
        writer.close(']');
    }
}

impl Declare for Diagnosis {
    fn type_name() -> String {
        "(number | string)[]".into()
    }
}

words! {
    /// How a session came to a page.
    pub enum Came (Write) {
        /// There was none.
        No = "no",
        /// From another tab.
        Tab = "tab",
        /// From this browser's storage.
        Storage = "storage",
        /// From the provider, asked in a hidden frame.
        Frame = "frame",
        /// From the provider, asked by a redirect that nobody clicked for.
        Redirect = "redirect",
        /// By a click.
        Click = "click",
        /// By a click, in a window of its own.
        Window = "window",
    }
}

words! {
    /// What a browser has shown of the ways to a session, at this origin and for this client. What has
    /// failed is not tried again until a session was reached.
    pub enum Noted (Write) {
        /// Failed: what was kept in storage could not be read.
        Recall = "recall",
        /// Failed: a hidden frame brought nothing, or what is no answer.
        Frame = "frame",
        /// Failed: a redirect brought what is no answer.
        Redirect = "redirect",
        /// A hidden frame has seen the provider's cookie.
        Sees = "sees",
        /// A hidden frame has found nobody, and a redirect has been asked whether that is so.
        Unseen = "unseen",
    }
}

impl Noted {
    pub(crate) const ALL: [Self; 5] =
        [Self::Recall, Self::Frame, Self::Redirect, Self::Sees, Self::Unseen];
}

words! {
    /// A tab's part among the tabs of its origin.
    pub enum Part (Write) {
        /// It has no session to lead, or another tab holds the lock and it has not asked yet.
        None = "none",
        /// Another tab leads; this one waits for its place.
        Waits = "waits",
        /// It leads: only it refreshes and holds the stream.
        Leads = "leads",
        /// The browser has no locks: every tab acts for itself.
        Alone = "alone",
    }
}

words! {
    /// Where the event stream of a tab stands.
    pub enum StreamState (Write) {
        /// There is none: nobody is signed in, or another tab has it.
        Closed = "closed",
        /// It is being opened.
        Opening = "opening",
        /// It is open.
        Open = "open",
        /// It failed, and is tried again later.
        Retrying = "retrying",
        /// The provider offers none to this client.
        Absent = "absent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names stand in the order of the numbers.
    #[test]
    fn r14_the_driver_has_the_names() {
        let driver = include_str!("../../../driver/diagnose.js");
        let came = [Came::No, Came::Tab, Came::Storage, Came::Frame, Came::Redirect, Came::Click]
            .map(Came::as_str);
        let part = [Part::None, Part::Waits, Part::Leads, Part::Alone].map(Part::as_str);
        let stream = [
            StreamState::Closed,
            StreamState::Opening,
            StreamState::Open,
            StreamState::Retrying,
            StreamState::Absent,
        ]
        .map(StreamState::as_str);
        let noted = Noted::ALL.map(Noted::as_str);
        for names in [&came[..], &part[..], &stream[..], &noted[..]] {
            let list = names.join("\", \"");
            assert!(driver.contains(&list), "{list}");
        }
        assert_eq!(
            (Came::Window as i64, Part::Alone as i64, StreamState::Absent as i64),
            (6, 3, 4)
        );
        assert!(driver.contains(&alloc::format!("\"{}\"", env!("CARGO_PKG_VERSION"))));
    }
}
