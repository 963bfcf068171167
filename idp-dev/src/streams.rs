//! The open session-events streams of this process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::http::SseEvent;

/// Whose stream it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamOwner {
    pub(crate) client_id: String,
    pub(crate) sid: String,
    pub(crate) session: String,
    pub(crate) grant: String,
    pub(crate) user: String,
}

/// Names one open stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(u64);

/// A stream as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct OpenStream {
    pub(crate) id: StreamId,
    pub(crate) owner: StreamOwner,
}

/// All open streams. A stream is open while it stands here: taking it out closes it, after the
/// events that were already sent to it.
pub(crate) struct Streams {
    open: Mutex<Open>,
}

/// An event that waits to be read. Boxed: a channel has room for 32 at once from its start, which
/// for thousands of streams is megabytes that hold nothing.
pub(crate) type Queued = Box<SseEvent>;

struct Open {
    next: u64,
    streams: BTreeMap<StreamId, (StreamOwner, mpsc::Sender<Queued>)>,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self { open: Mutex::new(Open { next: 0, streams: BTreeMap::new() }) }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// When the grant has as many as it may, or the process has.
    pub(crate) fn open(
        &self,
        owner: StreamOwner,
    ) -> Result<(StreamId, mpsc::Receiver<Queued>), TooManyStreams> {
        let mut open = self.lock();
        let of_grant = open.streams.values().filter(|(o, _)| o.grant == owner.grant).count();
        if of_grant >= MAX_PER_GRANT || open.streams.len() >= MAX_STREAMS {
            return Err(TooManyStreams);
        }
        let id = StreamId(open.next);
        open.next += 1;
        let (sender, receiver) = mpsc::channel(MAX_UNREAD);
        open.streams.insert(id, (owner, sender));
        Ok((id, receiver))
    }

    /// The open streams that `wanted` picks, oldest first.
    pub(crate) fn list(&self, wanted: impl Fn(&StreamOwner) -> bool) -> Vec<OpenStream> {
        self.lock()
            .streams
            .iter()
            .filter(|(_, (owner, _))| wanted(owner))
            .map(|(id, (owner, _))| OpenStream { id: *id, owner: owner.clone() })
            .collect()
    }

    /// Puts an event on a stream. `false` if it is closed, or if its reader is so far behind that
    /// it would have to be waited for: nobody's sign-out waits for somebody else's network.
    pub(crate) fn send(&self, id: StreamId, event: SseEvent) -> bool {
        let sender = self.lock().streams.get(&id).map(|(_, sender)| sender.clone());
        sender.is_some_and(|sender| sender.try_send(Box::new(event)).is_ok())
    }

    /// Closes a stream; gives back whose it was if it was open.
    pub(crate) fn close(&self, id: StreamId) -> Option<StreamOwner> {
        self.lock().streams.remove(&id).map(|(owner, _)| owner)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No further stream is opened; none of the open ones is displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyStreams;

/// One origin needs one; eight leave room for tabs that hand over.
pub(crate) const MAX_PER_GRANT: usize = 8;

const MAX_STREAMS: usize = 4_000;

/// Events for a reader that does not read.
const MAX_UNREAD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(grant: &str) -> StreamOwner {
        StreamOwner {
            client_id: "c".to_owned(),
            sid: "s".to_owned(),
            session: "x".to_owned(),
            grant: grant.to_owned(),
            user: "u".to_owned(),
        }
    }

    #[test]
    fn ninth_stream_of_a_grant_is_refused_and_none_displaced() {
        let streams = Streams::new();
        let open: Vec<_> = (0..8).map(|_| streams.open(owner("a")).unwrap()).collect();
        assert_eq!(streams.open(owner("a")).unwrap_err(), TooManyStreams);
        assert!(streams.open(owner("b")).is_ok());
        streams.close(open[0].0);
        assert!(streams.open(owner("a")).is_ok());
    }

    #[tokio::test]
    async fn what_was_sent_before_closing_arrives() {
        let streams = Streams::new();
        let (id, mut events) = streams.open(owner("a")).unwrap();
        assert!(streams.send(id, SseEvent::named("logout", "t")));
        assert!(streams.close(id).is_some());
        assert!(streams.close(id).is_none());
        assert!(!streams.send(id, SseEvent::Heartbeat));
        assert_eq!(events.recv().await, Some(Box::new(SseEvent::named("logout", "t"))));
        assert_eq!(events.recv().await, None);
    }

    #[test]
    fn op29_reader_that_does_not_read_holds_nobody_up() {
        let streams = Streams::new();
        let (id, _events) = streams.open(owner("a")).unwrap();
        let sent = (0..100).filter(|_| streams.send(id, SseEvent::Heartbeat)).count();
        assert_eq!(sent, MAX_UNREAD);
    }
}
