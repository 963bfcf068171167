//! The open session-events streams of this process.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Which connections of its browser it takes one of, if it takes a whole one.
    pub(crate) pool: Option<Pool>,
}

/// The pages of one browser that share its few connections to a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pool {
    /// Those of one site.
    Site(String),
    /// All of them.
    Browser,
}

/// Names one open stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(u64);

/// A stream as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct OpenStream {
    pub(crate) id: StreamId,
    pub(crate) owner: Arc<StreamOwner>,
}

/// All open streams. A stream is open while it stands here: taking it out closes it, after the
/// events that were already sent to it.
pub(crate) struct Streams {
    most: usize,
    open: Mutex<Open>,
}

/// An event that waits to be read. Boxed: a channel has room for 32 at once from its start, which
/// for thousands of streams is megabytes that hold nothing.
pub(crate) type Queued = Box<SseEvent>;

#[derive(Default)]
struct Open {
    next: u64,
    streams: BTreeMap<StreamId, (Arc<StreamOwner>, mpsc::Sender<Queued>)>,
    /// Of ten thousand streams a sign-out looks for those of one session.
    of_session: HashMap<String, BTreeSet<StreamId>>,
    /// Grants that were refused a stream since they got one.
    refused: HashSet<String>,
    /// How many each grant has.
    of_grant: HashMap<String, usize>,
    /// How many each session, which is one browser, has of the same connections.
    of_pool: HashMap<(String, Pool), usize>,
}

impl Streams {
    /// Room for so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// When the grant has as many as it may, or the process has.
    pub(crate) fn open(
        &self,
        owner: StreamOwner,
    ) -> Result<(OpenStream, mpsc::Receiver<Queued>), TooManyStreams> {
        let mut open = self.lock();
        if open.of_grant.get(&owner.grant).is_some_and(|count| *count >= MAX_PER_GRANT) {
            return Err(TooManyStreams::OfGrant);
        }
        let pool = owner.pool.clone().map(|pool| (owner.session.clone(), pool));
        let of_pool = pool.as_ref().and_then(|pool| open.of_pool.get(pool));
        if of_pool.is_some_and(|count| *count >= MAX_PER_POOL) {
            return Err(TooManyStreams::OfPool);
        }
        if open.streams.len() >= self.most {
            return Err(TooManyStreams::InAll);
        }
        open.refused.remove(&owner.grant);
        let id = StreamId(open.next);
        open.next += 1;
        let (sender, receiver) = mpsc::channel(MAX_UNREAD);
        let owner = Arc::new(owner);
        open.of_session.entry(owner.session.clone()).or_default().insert(id);
        *open.of_grant.entry(owner.grant.clone()).or_default() += 1;
        if let Some(pool) = pool {
            *open.of_pool.entry(pool).or_default() += 1;
        }
        open.streams.insert(id, (owner.clone(), sender));
        Ok((OpenStream { id, owner }, receiver))
    }

    /// Whether this refusal is the first since the grant got a stream. Its app asks again and again.
    pub(crate) fn is_first_refusal(&self, grant: &str) -> bool {
        let mut open = self.lock();
        // Of grants that are long over, too, something is kept: not without end.
        if open.refused.len() >= self.most {
            open.refused.clear();
        }
        open.refused.insert(grant.to_owned())
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

    /// The open streams of a session, oldest first.
    pub(crate) fn of_session(&self, session: &str) -> Vec<OpenStream> {
        let open = self.lock();
        let ids = open.of_session.get(session).into_iter().flatten();
        ids.filter_map(|id| {
            let (owner, _) = open.streams.get(id)?;
            Some(OpenStream { id: *id, owner: owner.clone() })
        })
        .collect()
    }

    /// Puts an event on a stream. `false` if it is closed, or if its reader is so far behind that
    /// it would have to be waited for: nobody's sign-out waits for somebody else's network.
    pub(crate) fn send(&self, id: StreamId, event: SseEvent) -> bool {
        let sender = self.lock().streams.get(&id).map(|(_, sender)| sender.clone());
        sender.is_some_and(|sender| sender.try_send(Box::new(event)).is_ok())
    }

    /// Closes a stream; gives back whose it was if it was open.
    pub(crate) fn close(&self, id: StreamId) -> Option<Arc<StreamOwner>> {
        let mut open = self.lock();
        let (owner, _) = open.streams.remove(&id)?;
        if let Some(ids) = open.of_session.get_mut(&owner.session) {
            ids.remove(&id);
            if ids.is_empty() {
                open.of_session.remove(&owner.session);
            }
        }
        if let Some(count) = open.of_grant.get_mut(&owner.grant) {
            *count -= 1;
            if *count == 0 {
                open.of_grant.remove(&owner.grant);
            }
        }
        if let Some(pool) = owner.pool.clone().map(|pool| (owner.session.clone(), pool))
            && let Some(count) = open.of_pool.get_mut(&pool)
        {
            *count -= 1;
            if *count == 0 {
                open.of_pool.remove(&pool);
            }
        }
        Some(owner)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No further stream is opened; none of the open ones is displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooManyStreams {
    /// The sign-in has as many as it may.
    OfGrant,
    /// The browser has as many as leave room for other requests of the same pages.
    OfPool,
    /// The provider has (`limits`).
    InAll,
}

/// One origin needs one; eight leave room for tabs that hand over.
pub(crate) const MAX_PER_GRANT: usize = 8;

/// Browsers open six connections to a host for all pages of a [`Pool`]. A seventh stream would wait for
/// ever, and six would keep every other request of these pages waiting: a sign-in too.
pub(crate) const MAX_PER_POOL: usize = 4;

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
            pool: None,
        }
    }

    #[test]
    fn f3_streams_of_one_browser_leave_room_for_its_other_requests() {
        let streams = Streams::new(100);
        let of = |session: &str, site: &str| {
            let (session, pool) = (session.to_owned(), Some(Pool::Site(site.to_owned())));
            StreamOwner { session, pool, ..owner("a") }
        };
        let open: Vec<_> = (0..4).map(|_| streams.open(of("x", "one")).unwrap().0).collect();
        assert_eq!(streams.open(of("x", "one")).unwrap_err(), TooManyStreams::OfPool);
        for other in [of("x", "two"), of("y", "one"), owner("a")] {
            assert!(streams.open(other).is_ok());
        }
        streams.close(open[0].id);
        assert!(streams.open(of("x", "one")).is_ok());
        for stream in streams.list(|_| true) {
            streams.close(stream.id);
        }
        assert!(streams.lock().of_pool.is_empty());
    }

    #[test]
    fn op29_all_together_are_bounded_and_what_is_closed_is_forgotten() {
        let streams = Streams::new(2);
        let open: Vec<_> = ["a", "b"].map(|grant| streams.open(owner(grant)).unwrap().0).into();
        assert_eq!(streams.open(owner("c")).unwrap_err(), TooManyStreams::InAll);
        let ids = |session| streams.of_session(session).iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!((ids("x"), ids("y").len()), (vec![open[0].id, open[1].id], 0));
        streams.close(open[0].id);
        assert_eq!(ids("x"), [open[1].id]);
        streams.close(open[1].id);
        let open = streams.lock();
        assert!(open.of_session.is_empty() && open.of_grant.is_empty());
    }

    #[test]
    fn ninth_stream_of_a_grant_is_refused_and_none_displaced() {
        let streams = Streams::new(100);
        let open: Vec<_> = (0..8).map(|_| streams.open(owner("a")).unwrap()).collect();
        assert_eq!(streams.open(owner("a")).unwrap_err(), TooManyStreams::OfGrant);
        assert!(streams.open(owner("b")).is_ok());
        assert!(streams.is_first_refusal("a") && !streams.is_first_refusal("a"));
        streams.close(open[0].0.id);
        assert!(streams.open(owner("a")).is_ok());
        assert!(streams.is_first_refusal("a"));
    }

    #[tokio::test]
    async fn what_was_sent_before_closing_arrives() {
        let streams = Streams::new(100);
        let (stream, mut events) = streams.open(owner("a")).unwrap();
        let id = stream.id;
        assert!(streams.send(id, SseEvent::named("logout", "t")));
        assert!(streams.close(id).is_some());
        assert!(streams.close(id).is_none());
        assert!(!streams.send(id, SseEvent::Heartbeat));
        assert_eq!(events.recv().await, Some(Box::new(SseEvent::named("logout", "t"))));
        assert_eq!(events.recv().await, None);
    }

    #[test]
    fn op29_reader_that_does_not_read_holds_nobody_up() {
        let streams = Streams::new(100);
        let (stream, _events) = streams.open(owner("a")).unwrap();
        let sent = (0..100).filter(|_| streams.send(stream.id, SseEvent::Heartbeat)).count();
        assert_eq!(sent, MAX_UNREAD);
    }
}
