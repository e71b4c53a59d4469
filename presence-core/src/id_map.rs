//! A small map whose keys only ever grow.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// What stands under numbers that are given out in order: a sorted queue, so
/// that a new key is appended, every other is found by halving, and the order
/// is that of the numbers. Taking one out moves the fewer of those before and
/// behind it, and mostly the oldest goes first. (A search tree is as good, at
/// several kilobytes of wasm for each kind.)
#[derive(Debug)]
pub(crate) struct IdMap<K, V> {
    entries: VecDeque<(K, V)>,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
        }
    }
}

impl<K: Ord + Copy, V> IdMap<K, V> {
    fn find(&self, key: K) -> Result<usize, usize> {
        // Most maps have one entry, and what is asked for is mostly the newest.
        let Some((newest, _)) = self.entries.back() else {
            return Err(0);
        };
        match newest.cmp(&key) {
            Ordering::Equal => Ok(self.entries.len() - 1),
            Ordering::Less => Err(self.entries.len()),
            Ordering::Greater => self.entries.binary_search_by(|(other, _)| other.cmp(&key)),
        }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(key) {
            Ok(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => {
                // Most sockets have one of each, and a vector would begin with room for four.
                if self.entries.is_empty() {
                    self.entries.reserve_exact(1);
                }
                self.entries.insert(at, (key, value));
            }
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let at = self.find(key).ok()?;
        self.entries.remove(at).map(|(_, value)| value)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.find(key)
            .ok()
            .and_then(|at| self.entries.get(at))
            .map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.entries.iter().map(|(key, _)| *key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry with the smallest key.
    pub(crate) fn first(&self) -> Option<(K, &V)> {
        self.entries.front().map(|(key, value)| (*key, value))
    }
}
