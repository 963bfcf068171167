//! Server-sent events (HTML, 9.2.6), read from bytes as they come.

use crate::address::cut;
use alloc::{string::String, vec::Vec};

/// The longest line and the longest event that is kept, in bytes: a stream without end must not
/// fill the memory.
const LONGEST: usize = 64 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `event`; empty stands for `message`.
    pub(crate) name: String,
    /// `data`, its lines joined by line feeds.
    pub(crate) data: String,
}

/// What is left between two chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventStream {
    line: Vec<u8>,
    after_return: bool,
    event: Event,
    has_data: bool,
}

impl EventStream {
    /// Takes a chunk in and gives the events that it completes; `None` if the stream breaks the
    /// limits and has to be closed.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        for byte in chunk {
            // Lines end with LF, CR or CRLF; the LF of a CRLF may come in the next chunk.
            let second_half = self.after_return && *byte == b'\n';
            self.after_return = *byte == b'\r';
            if second_half {
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                let line = core::mem::take(&mut self.line);
                self.end_line(&line, &mut events);
            } else {
                self.line.push(*byte);
            }
        }
        if self.line.len() > LONGEST || self.event.data.len() > LONGEST {
            return None;
        }
        Some(events)
    }

    fn end_line(&mut self, line: &[u8], events: &mut Vec<Event>) {
        if line.is_empty() {
            let mut event = core::mem::take(&mut self.event);
            if self.has_data {
                event.data.pop();
                events.push(event);
            }
            self.has_data = false;
            return;
        }
        // Bad UTF-8 becomes replacement characters, as the standard says; no token survives that.
        let line = String::from_utf8_lossy(line);
        let (field, value) = cut(&line, b':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.into(),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
                self.has_data = true;
            }
            // `id` and `retry` mean nothing here: what was missed is learnt by a check.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
