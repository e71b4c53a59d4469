//! The slots of keys that are array indices, in their order.

use alloc::vec;
use alloc::vec::Vec;

/// How many entries a run may have: 2 KiB, which move quickly.
const RUN: usize = 256;

/// Slots by index, ascending: a sorted list in sorted runs. Two neighbours together are never less than half of a run,
/// so finding is by halving, and a change moves no more than a run and the list of them. (A search tree is as good, at
/// five kilobytes of wasm.)
#[derive(Debug, Default)]
pub(super) struct Indexed {
    runs: Vec<Vec<(u32, u32)>>,
}

impl Indexed {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flatten().map(|&(_, slot)| slot)
    }

    pub(super) fn memory(&self) -> usize {
        let entries: usize = self.runs.iter().map(Vec::capacity).sum();
        entries * size_of::<(u32, u32)>() + self.runs.capacity() * size_of::<Vec<(u32, u32)>>()
    }

    pub(super) fn insert(&mut self, index: u32, slot: u32) {
        // Those of a state come in order.
        if let Some(run) = self.runs.last_mut()
            && run.len() < RUN
            && run.last().is_some_and(|&(last, _)| last < index)
        {
            run.push((index, slot));
            return;
        }
        let at = self.run_for(index);
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(vec![(index, slot)]);
            return;
        };
        match place(run, index) {
            Ok(known) => {
                if let Some(entry) = run.get_mut(known) {
                    entry.1 = slot;
                }
            }
            Err(place) if run.len() < RUN => run.insert(place, (index, slot)),
            // Full: what only ever comes at the end leaves no run half empty.
            Err(place) => {
                let mut upper = run.split_off(if place < RUN { RUN / 2 } else { RUN });
                match place.checked_sub(run.len()) {
                    Some(place) => upper.insert(place, (index, slot)),
                    None => run.insert(place, (index, slot)),
                }
                self.runs.insert(at + 1, upper);
                self.join(at + 1);
            }
        }
    }

    pub(super) fn remove(&mut self, index: u32) {
        let at = self.run_for(index);
        let Some(run) = self.runs.get_mut(at) else {
            return;
        };
        let Ok(place) = place(run, index) else {
            return;
        };
        run.remove(place);
        if run.is_empty() {
            self.runs.remove(at);
        }
        self.join(at);
        if let Some(before) = at.checked_sub(1) {
            self.join(before);
        }
    }

    /// Makes one of this run and the next, if they are too small for two.
    fn join(&mut self, at: usize) {
        if let Some([run, next]) = self.runs.get_mut(at..at + 2)
            && run.len() + next.len() < RUN / 2
        {
            run.append(next);
            self.runs.remove(at + 1);
        }
    }

    /// The run that an index is in, if in any.
    fn run_for(&self, index: u32) -> usize {
        let after = self
            .runs
            .partition_point(|run| run.first().is_some_and(|&(first, _)| first <= index));
        after.saturating_sub(1)
    }
}

fn place(run: &[(u32, u32)], index: u32) -> Result<usize, usize> {
    run.binary_search_by_key(&index, |&(index, _)| index)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Indexed, RUN};
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// What is as it has to be inside.
    fn check(indexed: &Indexed) {
        let lens: Vec<_> = indexed.runs.iter().map(Vec::len).collect();
        assert!(lens.iter().all(|&len| (1..=RUN).contains(&len)), "{lens:?}");
        assert!(
            lens.windows(2)
                .all(|pair| pair.iter().sum::<usize>() >= RUN / 2),
            "{lens:?}"
        );
    }

    /// Comes and goes, in stretches of neighbours.
    fn stretches() -> impl Strategy<Value = Vec<(bool, u32, u32, bool)>> {
        prop::collection::vec(
            (any::<bool>(), 0..2_000_u32, 1..700_u32, any::<bool>()),
            0..30,
        )
    }

    proptest! {
        #[test]
        fn is_a_sorted_map(stretches in stretches()) {
            let (mut indexed, mut model) = (Indexed::default(), BTreeMap::new());
            for (slot, (comes, from, len, upwards)) in (0..).zip(stretches) {
                for step in 0..len {
                    let index = from + if upwards { step } else { len - step };
                    if comes {
                        indexed.insert(index, slot);
                        model.insert(index, slot);
                    } else {
                        indexed.remove(index);
                        model.remove(&index);
                    }
                }
                check(&indexed);
                prop_assert!(indexed.slots().eq(model.values().copied()));
                prop_assert_eq!(indexed.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn leaves_no_run_half_empty_when_all_come_in_order() {
        let mut indexed = Indexed::default();
        for index in 0..10_000 {
            indexed.insert(index, index);
        }
        assert_eq!(indexed.runs.len(), 10_000_usize.div_ceil(RUN));
    }

    #[test]
    fn gives_back_its_memory() {
        let mut indexed = Indexed::default();
        for index in 0..10_000 {
            indexed.insert(index, index);
        }
        for index in (0..10_000).filter(|index| index % 100 != 0) {
            indexed.remove(index);
        }
        assert_eq!(indexed.slots().count(), 100);
        assert!(indexed.runs.len() == 1, "{} runs", indexed.runs.len());
    }
}
