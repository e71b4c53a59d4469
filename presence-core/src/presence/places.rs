//! Finding places in a list by the bytes that stand there.

use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::json::same_bytes;

/// What stands at a place. Not a type of its own for each list: every hash table more would be kilobytes of wasm.
type At<'f, 'a> = &'f dyn Fn(u32) -> &'a [u8];

/// Places in a list that its owner has, each with other bytes.
#[derive(Debug, Default)]
pub(super) struct Places {
    table: HashTable<u32>,
}

impl Places {
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub(super) fn memory(&self) -> usize {
        self.table.allocation_size()
    }

    pub(super) fn reserve(&mut self, additional: usize, at: At<'_, '_>) {
        self.table.reserve(additional, hasher(at));
    }

    pub(super) fn find(&self, bytes: &[u8], at: At<'_, '_>) -> Option<u32> {
        let is_it = |&place: &u32| same_bytes(at(place), bytes);
        self.table.find(hash_bytes(bytes), is_it).copied()
    }

    /// The place where these bytes stand; if there is none, `new` is one from now on.
    pub(super) fn find_or_insert(&mut self, bytes: &[u8], new: u32, at: At<'_, '_>) -> Option<u32> {
        let is_it = |&place: &u32| same_bytes(at(place), bytes);
        match self.table.entry(hash_bytes(bytes), is_it, hasher(at)) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(new);
                None
            }
        }
    }

    /// These bytes no longer stand at this place.
    pub(super) fn remove(&mut self, bytes: &[u8], place: u32) {
        let found = self
            .table
            .find_entry(hash_bytes(bytes), |&found| found == place);
        if let Ok(entry) = found {
            entry.remove();
        }
    }
}

/// One type of closure, and so one table that grows, for all who insert.
fn hasher(at: At<'_, '_>) -> impl Fn(&u32) -> u64 {
    move |&place| hash_bytes(at(place))
}

/// Every run hashes alike: the same frames give the same roster, down to its memory.
pub(super) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    // By the word: foldhash's own way with long texts would be two kilobytes of wasm.
    let (words, rest) = bytes.as_chunks();
    for &word in words {
        hasher.write_u64(u64::from_le_bytes(word));
    }
    let rest = rest.iter().fold(bytes.len() as u64, |rest, &byte| {
        rest << 8 | u64::from(byte)
    });
    hasher.write_u64(rest);
    hasher.finish()
}
