//! How many connections may be open, and who leaves when there are too many (OP29).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for a number of connections, few of which may be silent: whoever means to ask something
/// does so at once.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    most_silent: usize,
    unused: Mutex<Unused>,
}

/// Those that could give their places up, the oldest first.
#[derive(Default)]
struct Unused {
    /// They have not sent a whole request head yet.
    silent: BTreeMap<u64, Arc<Notify>>,
    /// By HTTP/2: they have all their answers.
    idle: BTreeMap<u64, Arc<Notify>>,
    next: u64,
    /// Places that are waited for, when nobody could be asked for one.
    owed: usize,
}

impl Unused {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Asks the connection that has been silent for longest to leave; if none is, one that is idle.
    /// `false` if there is none of either.
    fn make_room(&mut self) -> bool {
        let oldest = self.silent.pop_first().or_else(|| self.idle.pop_first());
        if let Some((_, oldest)) = &oldest {
            oldest.notify_one();
        }
        oldest.is_some()
    }

    fn remove(&mut self, place: &Place) {
        let number = place.number.load(Ordering::Relaxed);
        self.silent.remove(&number);
        self.idle.remove(&number);
    }
}

impl Places {
    /// So many, all free.
    pub(crate) fn new(count: usize, most_silent: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), most_silent, unused: Mutex::default() }
    }

    /// A place for a new connection. When there is none, or too many are silent, the connection that
    /// has been silent for longest gives up its own: ten thousand that say nothing must not keep out
    /// one that speaks.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                self.ask_for_one();
                // It is never closed.
                self.free.clone().acquire_owned().await.ok()
            }
        };
        let wanted = Arc::new(Notify::new());
        let mut unused = self.unused();
        let number = unused.next();
        unused.silent.insert(number, wanted.clone());
        if unused.silent.len() > self.most_silent {
            unused.make_room();
        }
        drop(unused);
        let (number, open) = (AtomicU64::new(number), AtomicUsize::new(0));
        let has_asked = AtomicBool::new(false);
        Place { places: self.clone(), number, open, has_asked, wanted, _permit: permit }
    }

    /// Asks one that is unused to leave; if there is none, the first that is.
    fn ask_for_one(&self) {
        let mut unused = self.unused();
        if !unused.make_room() {
            unused.owed += 1;
        }
    }

    /// Asks one that is unused to leave, if there is one.
    pub(crate) fn make_room(&self) {
        self.unused().make_room();
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    /// Its place in the order of those that are unused. This and the next are changed while `unused`
    /// is locked.
    number: AtomicU64,
    /// Requests whose answers are not handed over yet.
    open: AtomicUsize,
    has_asked: AtomicBool,
    wanted: Arc<Notify>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// A request that is open, until it is dropped.
pub(crate) struct Asking(Arc<Place>);

impl Place {
    /// The connection has said something: the place is its own until it ends. (By HTTP/1.1, where the
    /// time to the next request is limited by itself.)
    pub(crate) fn keep(&self) {
        self.places.unused().remove(self);
    }

    /// The connection asks something: the place is its own until it has all its answers. (By HTTP/2,
    /// where it may be silent for as long as it likes.)
    pub(crate) fn ask(self: &Arc<Self>) -> Asking {
        let mut unused = self.places.unused();
        self.open.fetch_add(1, Ordering::Relaxed);
        self.has_asked.store(true, Ordering::Relaxed);
        unused.remove(self);
        drop(unused);
        Asking(self.clone())
    }

    /// Whether the connection has ever asked anything.
    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Ends when somebody else needs the place more.
    pub(crate) async fn is_wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut unused = self.0.places.unused();
        if self.0.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            let number = unused.next();
            self.0.number.store(number, Ordering::Relaxed);
            unused.idle.insert(number, self.0.wanted.clone());
            if unused.owed > 0 {
                unused.owed -= 1;
                unused.make_room();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn op29_the_longest_silent_makes_room() {
        let places = Arc::new(Places::new(2, 2));
        let (first, second) = (places.take().await, places.take().await);
        first.keep();
        let third = tokio::spawn({
            let places = places.clone();
            async move { places.take().await }
        });
        // Who has spoken stays; the other is asked, and its place is the third one's.
        second.is_wanted().await;
        drop(second);
        let third = third.await.unwrap();
        places.make_room();
        third.is_wanted().await;
        drop(first);
        drop(third);
        assert_eq!(places.free.available_permits(), 2);
        assert!(places.unused().silent.is_empty());
    }

    #[tokio::test]
    async fn op29_who_has_all_answers_makes_room_where_nobody_is_silent() {
        let places = Arc::new(Places::new(9, 1));
        let first = Arc::new(places.take().await);
        let second = Arc::new(places.take().await);
        let counted = || {
            let unused = places.unused();
            (unused.silent.len(), unused.idle.len())
        };
        let (one, other) = (first.ask(), first.ask());
        drop((second.ask(), one));
        assert_eq!(counted(), (0, 1));
        drop(other);
        let third = places.take().await;
        assert_eq!(counted(), (1, 2));
        // Who has never spoken, then who has waited longest since.
        for wanted in [&third, &second, &first] {
            places.make_room();
            wanted.is_wanted().await;
        }
        // One that asks once more before it has left.
        drop(first.ask());
        assert_eq!(places.unused().idle.len(), 1);
        drop(first);
        assert!(places.unused().idle.is_empty());
    }

    #[tokio::test]
    async fn op29_who_waits_gets_the_first_place_that_is_not_used() {
        let places = Arc::new(Places::new(1, 9));
        let first = Arc::new(places.take().await);
        let asking = first.ask();
        let mut second = tokio::spawn({
            let places = places.clone();
            async move { places.take().await }
        });
        while places.unused().owed == 0 {
            tokio::task::yield_now().await;
        }
        drop(asking);
        first.is_wanted().await;
        assert!(!second.is_finished());
        drop(first);
        drop((&mut second).await.unwrap());
    }

    #[tokio::test]
    async fn op29_few_may_be_silent_at_a_time() {
        let places = Arc::new(Places::new(9, 2));
        let (first, second) = (places.take().await, places.take().await);
        first.keep();
        let third = places.take().await;
        let fourth = places.take().await;
        second.is_wanted().await;
        assert_eq!(places.unused().silent.len(), 2);
        drop((third, fourth));
    }
}
