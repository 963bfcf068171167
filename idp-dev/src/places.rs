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

/// Those that ask nothing: they have not sent a whole request head yet, or by HTTP/2 have no request
/// open. The oldest first.
#[derive(Default)]
struct Silent {
    by_age: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

impl Silent {
    fn add(&mut self, wanted: Arc<Notify>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.by_age.insert(number, wanted);
        number
    }
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
        let number = self.add_silent(wanted.clone());
        let asked = Mutex::new(Asked { open: 0, number });
        Place { places: self.clone(), asked, wanted, _permit: permit }
    }

    fn add_silent(&self, wanted: Arc<Notify>) -> u64 {
        let mut silent = self.silent();
        let number = silent.add(wanted);
        let are_too_many = silent.by_age.len() > self.most_silent;
        drop(silent);
        if are_too_many {
            self.make_room();
        }
        number
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
    asked: Mutex<Asked>,
    wanted: Arc<Notify>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What a connection asks at the moment.
struct Asked {
    /// Requests without a whole answer.
    open: usize,
    /// Its number among the silent ones.
    number: u64,
}

/// A request that is open, until it is dropped.
pub(crate) struct Asking(Arc<Place>);

impl Place {
    /// The connection has said something: the place is its own until it ends. (By HTTP/1.1, where the
    /// time to the next request is limited by itself.)
    pub(crate) fn keep(&self) {
        self.places.silent().by_age.remove(&self.asked().number);
    }

    /// The connection asks something: the place is its own until it has all its answers. (By HTTP/2,
    /// where it may be silent for as long as it likes.)
    pub(crate) fn ask(self: &Arc<Self>) -> Asking {
        let mut asked = self.asked();
        asked.open += 1;
        self.places.silent().by_age.remove(&asked.number);
        drop(asked);
        Asking(self.clone())
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when somebody else needs the place more.
    pub(crate) async fn is_wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut asked = self.0.asked();
        asked.open -= 1;
        if asked.open == 0 {
            asked.number = self.0.places.add_silent(self.0.wanted.clone());
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
        assert!(places.silent().by_age.is_empty());
    }

    #[tokio::test]
    async fn op29_who_has_all_answers_is_silent_again() {
        let places = Arc::new(Places::new(9, 1));
        let first = Arc::new(places.take().await);
        let (one, other) = (first.ask(), first.ask());
        drop(one);
        assert!(places.silent().by_age.is_empty());
        drop(other);
        let _second = places.take().await;
        first.is_wanted().await;
        assert_eq!(places.silent().by_age.len(), 1);
        // It has asked once more before it heard of that.
        let _again = first.ask();
        assert_eq!(places.silent().by_age.len(), 1);
        drop(first);
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
