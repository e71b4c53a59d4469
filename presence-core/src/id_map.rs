//! A small map whose keys mostly grow.

use alloc::vec::Vec;

/// What stands under numbers that are given out in order: a sorted list, so that a new key is appended, every other is
/// found by halving, and the order is that of the numbers. What is taken out leaves a gap, until there are more gaps
/// than entries. (A search tree is as good, at several kilobytes of wasm for each kind.)
#[derive(Debug)]
pub(crate) struct IdMap<K, V> {
    entries: Vec<(K, Option<V>)>,
    /// How many of them are gaps, and how many gaps come before all else.
    gaps: usize,
    leading: usize,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            gaps: 0,
            leading: 0,
        }
    }
}

impl<K: Ord + Copy, V> IdMap<K, V> {
    /// Where the key stands, or would.
    fn find(&self, key: K) -> Result<usize, usize> {
        match self.entries.last() {
            None => Err(0),
            Some((newest, _)) if *newest < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by(|(other, _)| other.cmp(&key)),
        }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let (Ok(at) | Err(at)) = self.find(key);
        self.leading = self.leading.min(at);
        match self.entries.get_mut(at).filter(|(other, _)| *other == key) {
            Some((_, known)) => self.gaps -= usize::from(known.replace(value).is_none()),
            None => {
                // Most sockets have one of each, and a vector would begin with room for four.
                if self.entries.is_empty() {
                    self.entries.reserve_exact(1);
                }
                self.entries.insert(at, (key, Some(value)));
            }
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let at = self.find(key).ok()?;
        let value = self.entries.get_mut(at)?.1.take()?;
        self.gaps += 1;
        if self.gaps > self.entries.len() / 2 {
            self.entries.retain(|(_, value)| value.is_some());
            (self.gaps, self.leading) = (0, 0);
        }
        while let Some((_, None)) = self.entries.get(self.leading) {
            self.leading += 1;
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        // Most maps have one entry, and what is asked for is mostly the newest.
        match self.entries.last() {
            Some((newest, value)) if *newest == key => value.as_ref(),
            _ => self.entries.get(self.find(key).ok()?)?.1.as_ref(),
        }
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let at = match self.entries.last() {
            Some((newest, _)) if *newest == key => self.entries.len() - 1,
            _ => self.find(key).ok()?,
        };
        self.entries.get_mut(at)?.1.as_mut()
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries
            .iter()
            .filter_map(|(key, value)| Some((*key, value.as_ref()?)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries
            .iter_mut()
            .filter_map(|(_, value)| value.as_mut())
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.gaps
    }

    /// The entry with the smallest key.
    pub(crate) fn first(&self) -> Option<(K, &V)> {
        let (key, value) = self.entries.get(self.leading)?;
        Some((*key, value.as_ref()?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::IdMap;
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    proptest! {
        #[test]
        fn is_a_sorted_map(steps in prop::collection::vec((any::<bool>(), 0..40_u32, any::<u8>()), 0..200)) {
            let (mut map, mut model) = (IdMap::default(), BTreeMap::new());
            for (comes, key, value) in steps {
                if comes {
                    map.insert(key, value);
                    model.insert(key, value);
                } else {
                    prop_assert_eq!(map.remove(key), model.remove(&key));
                }
                prop_assert_eq!(map.get(key), model.get(&key));
                prop_assert_eq!(map.get_mut(key), model.get_mut(&key));
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.first(), model.iter().next().map(|(key, value)| (*key, value)));
                prop_assert!(map.iter().eq(model.iter().map(|(key, value)| (*key, value))));
            }
        }
    }
}
