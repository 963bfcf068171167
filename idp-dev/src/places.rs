//! How many connections may be open, and who leaves when there are too many (OP29).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for a number of connections, few of which may be silent: whoever means to ask something
/// does so at once.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    most_silent: usize,
    silent: Mutex<Silent>,
}

/// Those that have not sent a whole request head yet, the oldest first.
#[derive(Default)]
struct Silent {
    by_age: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

impl Places {
    /// So many, all free.
    pub(crate) fn new(count: usize, most_silent: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), most_silent, silent: Mutex::default() }
    }

    /// A place for a new connection. When there is none, or too many are silent, the connection that
    /// has been silent for longest gives up its own: ten thousand that say nothing must not keep out
    /// one that speaks.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                self.make_room();
                // It is never closed.
                self.free.clone().acquire_owned().await.ok()
            }
        };
        let wanted = Arc::new(Notify::new());
        let mut silent = self.silent();
        let number = silent.next;
        silent.next += 1;
        silent.by_age.insert(number, wanted.clone());
        let are_too_many = silent.by_age.len() > self.most_silent;
        drop(silent);
        if are_too_many {
            self.make_room();
        }
        Place { places: self.clone(), number, wanted, _permit: permit }
    }

    /// Asks the connection that has been silent for longest to leave.
    pub(crate) fn make_room(&self) {
        if let Some((_, oldest)) = self.silent().by_age.pop_first() {
            oldest.notify_one();
        }
    }

    fn silent(&self) -> MutexGuard<'_, Silent> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    wanted: Arc<Notify>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// The connection has said something: the place is its own until it ends.
    pub(crate) fn keep(&self) {
        self.places.silent().by_age.remove(&self.number);
    }

    /// Ends when somebody else needs the place more.
    pub(crate) async fn is_wanted(&self) {
        self.wanted.notified().await;
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
        assert!(places.silent().by_age.is_empty());
    }

    #[tokio::test]
    async fn op29_few_may_be_silent_at_a_time() {
        let places = Arc::new(Places::new(9, 2));
        let (first, second) = (places.take().await, places.take().await);
        first.keep();
        let third = places.take().await;
        let fourth = places.take().await;
        second.is_wanted().await;
        assert_eq!(places.silent().by_age.len(), 2);
        drop((third, fourth));
    }
}
