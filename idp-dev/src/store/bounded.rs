//! A map that forgets its oldest entries.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map of at most `capacity` entries; a new one pushes the oldest out.
pub(super) struct Bounded<K, V> {
    capacity: usize,
    entries: HashMap<K, (u64, V)>,
    /// Insertion order. May name entries that are gone or were inserted again; the number tells.
    order: VecDeque<(u64, K)>,
    next: u64,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), order: VecDeque::new(), next: 0 }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.entries.insert(key.clone(), (self.next, value));
        self.order.push_back((self.next, key));
        self.next += 1;
        while self.entries.len() > self.capacity {
            let Some((number, key)) = self.order.pop_front() else { break };
            if self.entries.get(&key).is_some_and(|entry| entry.0 == number) {
                self.entries.remove(&key);
            }
        }
        // Removals leave names behind; without this, the order alone could grow for ever.
        if self.order.len() > self.capacity.saturating_mul(2) {
            let entries = &self.entries;
            self.order
                .retain(|(number, key)| entries.get(key).is_some_and(|entry| entry.0 == *number));
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.1)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.1)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|entry| entry.1)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|entry| &mut entry.1)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.entries.retain(|_, entry| keep(&entry.1));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op29_forgets_the_oldest() {
        let mut map = Bounded::new(2);
        for n in 0..4 {
            map.insert(n, n);
        }
        assert_eq!((map.get(&1), map.get(&2), map.get(&3)), (None, Some(&2), Some(&3)));
    }

    #[test]
    fn entry_inserted_again_is_young() {
        let mut map = Bounded::new(2);
        map.insert("a", 1);
        map.insert("b", 2);
        map.insert("a", 3);
        map.insert("c", 4);
        assert_eq!((map.get(&"a"), map.get(&"b"), map.get(&"c")), (Some(&3), None, Some(&4)));
    }

    #[test]
    fn op29_order_stays_bounded_when_entries_are_removed() {
        let mut map = Bounded::new(4);
        for n in 0..1000 {
            map.insert(n, ());
            map.remove(&n);
        }
        assert!(map.order.len() <= 9);
        assert_eq!(map.len(), 0);
    }
}
