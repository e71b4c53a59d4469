//! The roster's entries in order, cheap to copy and cheap to change: chunks that copies share until they change.

use std::sync::Arc;

use super::entry::RawEntry;

type Chunk = Arc<Vec<Arc<RawEntry>>>;

/// How many entries a chunk has at first. Changing one entry copies a chunk and the list of chunks, if a copy of the
/// list is held by somebody, so about the square root of the largest rosters.
const CHUNK: usize = 64;

#[derive(Clone, Default)]
pub(super) struct List {
    chunks: Arc<Vec<Chunk>>,
    len: usize,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<RawEntry>> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    pub(super) fn get(&self, order: u64) -> Option<&Arc<RawEntry>> {
        let chunk = self.chunks.get(self.chunk_of(order))?;
        let at = chunk
            .binary_search_by_key(&order, |entry| entry.order)
            .ok()?;
        chunk.get(at)
    }

    /// Adds an entry, or replaces the one that has its place.
    pub(super) fn put(&mut self, entry: Arc<RawEntry>) {
        let order = entry.order;
        let at = self
            .chunk_of(order)
            .min(self.chunks.len().saturating_sub(1));
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(at) else {
            chunks.push(Arc::new(vec![entry]));
            self.len = 1;
            return;
        };
        let chunk = Arc::make_mut(chunk);
        match chunk.binary_search_by_key(&order, |entry| entry.order) {
            Ok(found) => chunk[found] = entry,
            Err(place) => {
                chunk.insert(place, entry);
                self.len += 1;
                if chunk.len() > 2 * CHUNK {
                    let rest = chunk.split_off(CHUNK);
                    chunks.insert(at + 1, Arc::new(rest));
                }
            }
        }
    }

    pub(super) fn remove(&mut self, order: u64) {
        let at = self.chunk_of(order);
        let found = self
            .chunks
            .get(at)
            .and_then(|chunk| chunk.binary_search_by_key(&order, |entry| entry.order).ok());
        let Some(place) = found else {
            return;
        };
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at]);
        chunk.remove(place);
        if chunk.is_empty() {
            chunks.remove(at);
        }
        self.len -= 1;
    }

    /// The chunk that has, or would have, this place; one past the last if the place is beyond all.
    fn chunk_of(&self, order: u64) -> usize {
        self.chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| last.order < order))
    }
}

impl FromIterator<Arc<RawEntry>> for List {
    fn from_iter<I: IntoIterator<Item = Arc<RawEntry>>>(entries: I) -> Self {
        let mut list = Self::default();
        let mut chunks = Vec::new();
        let mut chunk = Vec::new();
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            list.len += 1;
            if chunk.len() == CHUNK {
                chunks.push(Arc::new(std::mem::take(&mut chunk)));
            }
            if chunk.is_empty() {
                let most = entries.size_hint().1.map_or(CHUNK, |rest| rest + 1);
                chunk.reserve_exact(most.min(CHUNK));
            }
            chunk.push(entry);
        }
        if !chunk.is_empty() {
            chunks.push(Arc::new(chunk));
        }
        list.chunks = Arc::new(chunks);
        list
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn entry(order: u64, text: u64) -> Arc<RawEntry> {
        RawEntry::of(order, &order.to_string(), &text.to_string())
    }

    fn shown(list: &List) -> Vec<(u64, String)> {
        list.iter()
            .map(|entry| (entry.order, entry.json().to_string()))
            .collect()
    }

    /// Whatever is done to a list, it is what a map would be, and copies taken before stay as they were.
    #[test]
    fn a_list_is_a_sorted_map_and_copies_do_not_change() {
        let seed: u64 = rand::random();
        println!("seed {seed}");
        let mut rng = <rand::rngs::SmallRng as rand::SeedableRng>::seed_from_u64(seed);
        let mut list = List::default();
        let mut model = BTreeMap::new();
        let mut copies: Vec<(List, Vec<(u64, String)>)> = Vec::new();
        for step in 0..20_000_u64 {
            let order = rand::Rng::random_range(&mut rng, 0..2_000);
            if rand::Rng::random_bool(&mut rng, 0.6) {
                list.put(entry(order, step));
                model.insert(order, step.to_string());
            } else {
                list.remove(order);
                model.remove(&order);
            }
            assert_eq!(
                list.get(order).map(|entry| entry.json().to_string()),
                model.get(&order).cloned()
            );
            if step % 1_000 == 0 {
                let expected: Vec<_> = model.clone().into_iter().collect();
                assert_eq!(list.len(), model.len());
                assert_eq!(shown(&list), expected);
                copies.push((list.clone(), expected));
            }
        }
        for (copy, expected) in copies {
            assert_eq!(shown(&copy), expected);
            assert_eq!(shown(&copy.iter().cloned().collect()), expected);
        }
    }
}
