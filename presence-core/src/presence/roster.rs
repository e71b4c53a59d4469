use alloc::vec::Vec;

use super::arena::{Arena, Span};
use super::body::sealed::Carry;
use super::body::{BodyOf, Carrier};
use super::indexed::Indexed;
use super::patches::Dirty;
use super::places::Places;
use super::record::Record;
use super::stage::Staged;
use super::view::PresenceRef;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;
/// Order keys from here on are those of named keys; below are array indices, by their value.
pub(super) const NAMED: u64 = 1 << 32;
/// The order key of a slot that is free.
const FREE: u64 = u64::MAX;
/// The order key of a staged presence, which gets its own when it joins.
pub(super) const STAGED: u64 = u64::MAX - 1;

/// Where a presence is kept, as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub(super) u32);

impl SlotId {
    /// A number below the roster's [`Roster::slots`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a key led to.
pub(super) enum Found<C: Carry> {
    New(u32),
    /// With the body that was to be staged.
    Known(u32, BodyOf<C>),
}

#[derive(Debug)]
pub(super) struct Slot<C: Carry> {
    /// The place in JavaScript's order of properties.
    pub(super) order: u64,
    pub(super) body: BodyOf<C>,
    pub(super) key: Span,
    /// Where a named key stands in the roster's list of them.
    position: u32,
    /// Who came next in the latest state frame: a guess, checked whenever it is used.
    pub(super) next_in_state: u32,
}

impl<C: Carry> Slot<C> {
    /// Whether the presence is on the roster.
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.order < STAGED
    }
}

/// Who is there: presences by key, in the order in which JavaScript lists an object's properties. Keys that are
/// canonical array indices (`"0"` to `"4294967294"`) come first, ascending, and then the others in order of arrival;
/// a key that left and came back goes last.
///
/// Looking up, joining and leaving are O(1) for named keys, and a search by halving for index-like ones.
///
/// ```
/// use presence_core::presence::Tracker;
///
/// let mut tracker: Tracker = Tracker::default();
/// tracker.sync_state(r#"{"bob":{"metas":[]},"10":{"metas":[]},"ann":{"metas":[]},"9":{"metas":[]}}"#)?;
/// let keys: Vec<_> = tracker.roster().iter().map(|person| person.key()).collect();
/// assert_eq!(keys, ["9", "10", "bob", "ann"]);
/// assert!(tracker.roster().get("carol").is_none());
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Debug)]
pub struct Roster<C: Carrier> {
    pub(super) arena: Arena,
    pub(super) slots: Vec<Slot<C>>,
    free: Vec<u32>,
    /// Freed in this batch, and not used again before its values have expired.
    freed: Vec<u32>,
    index: Places,
    /// The slots of array indices.
    indexed: Indexed,
    /// The slots of all other keys in order of arrival, with gaps where some have left.
    named: Vec<u32>,
    gaps: usize,
    sequence: u64,
    len: usize,
    pub(super) first_in_state: u32,
    pub(super) staged: Staged<C>,
    pub(super) record: Record<C>,
    pub(super) dirty: Dirty,
}

impl<C: Carrier> Default for Roster<C> {
    fn default() -> Self {
        Self {
            arena: Arena::default(),
            slots: Vec::new(),
            free: Vec::new(),
            freed: Vec::new(),
            index: Places::default(),
            indexed: Indexed::default(),
            named: Vec::new(),
            gaps: 0,
            sequence: 0,
            len: 0,
            first_in_state: NONE,
            staged: Staged::default(),
            record: Record::default(),
            dirty: Dirty::default(),
        }
    }
}

fn key_of<'a, C: Carrier>(arena: &'a Arena, slots: &[Slot<C>], slot: u32) -> &'a [u8] {
    slots
        .get(slot as usize)
        .map_or(&[], |slot| arena.get(slot.key))
}

/// Makes room for one more, by a quarter: doubling would leave half of a large roster's memory unused.
#[inline]
fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(4));
    }
}

/// The key as an array index, if it is one in its canonical form.
pub(super) fn array_index(key: &[u8]) -> Option<u32> {
    let first = *key.first()?;
    if !first.is_ascii_digit() || key.len() > 10 || (first == b'0' && key.len() > 1) {
        return None;
    }
    let value = key.iter().try_fold(0u64, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })?;
    u32::try_from(value).ok().filter(|&index| index != u32::MAX)
}

impl<C: Carrier> Roster<C> {
    /// How many presences there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The presence with this key.
    pub fn get(&self, key: &str) -> Option<PresenceRef<'_, C>> {
        self.get_wtf8(key.as_bytes())
    }

    /// The presence with this key in WTF-8, which, unlike UTF-8, can hold the lone surrogates of a JavaScript string.
    pub fn get_wtf8(&self, key: &[u8]) -> Option<PresenceRef<'_, C>> {
        self.find(key).and_then(|slot| self.at(SlotId(slot)))
    }

    /// The presence in this slot.
    pub fn at(&self, slot: SlotId) -> Option<PresenceRef<'_, C>> {
        let found = self.slots.get(slot.index()).filter(|slot| slot.is_live())?;
        Some(PresenceRef::new(
            &self.arena,
            found.key,
            &found.body,
            Some((found.order, slot)),
        ))
    }

    /// How many slots there are, free ones included.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// All presences, in order.
    pub fn iter(&self) -> impl Iterator<Item = PresenceRef<'_, C>> {
        self.live_slots().filter_map(|slot| self.at(SlotId(slot)))
    }

    /// The memory held, in bytes, but for that of the allocator itself.
    pub fn memory(&self) -> usize {
        self.arena.capacity()
            + self.slots.capacity() * size_of::<Slot<C>>()
            + self.index.memory()
            + self.indexed.memory()
            + (self.named.capacity() + self.free.capacity() + self.freed.capacity())
                * size_of::<u32>()
            + self
                .slots
                .iter()
                .map(|slot| slot.body.metas.heap())
                .sum::<usize>()
            + self.staged.memory()
            + self.record.memory()
            + self.dirty.memory()
    }

    pub(super) fn has_indexed(&self) -> bool {
        !self.indexed.is_empty()
    }

    pub(super) fn live_slots(&self) -> impl Iterator<Item = u32> {
        self.indexed
            .slots()
            .chain(self.named.iter().copied().filter(|&slot| slot != NONE))
    }

    #[inline]
    pub(super) fn slot(&self, slot: u32) -> Option<&Slot<C>> {
        self.slots.get(slot as usize)
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, slot: u32) -> Option<&mut Slot<C>> {
        self.slots.get_mut(slot as usize)
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let Self { arena, slots, .. } = self;
        self.index.find(key, &|slot| key_of(arena, slots, slot))
    }

    /// The slot of a key, or a new one, staged: known by its key, but not yet on the roster.
    #[inline]
    pub(super) fn find_or_stage(&mut self, key: Span, body: BodyOf<C>) -> Found<C> {
        let (arena, slots) = (&self.arena, &self.slots);
        let slot = self.free.last().copied().unwrap_or(slots.len() as u32);
        let known = self
            .index
            .find_or_insert(arena.get(key), slot, &|slot| key_of(arena, slots, slot));
        if let Some(known) = known {
            return Found::Known(known, body);
        }
        let new = Slot {
            order: STAGED,
            body,
            key,
            position: NONE,
            next_in_state: NONE,
        };
        match self.slots.get_mut(slot as usize) {
            Some(place) => {
                *place = new;
                self.free.pop();
            }
            None => {
                grow(&mut self.slots);
                self.slots.push(new);
            }
        }
        Found::New(slot)
    }

    /// Takes back a staged presence.
    pub(super) fn unstage(&mut self, slot: u32) {
        self.forget(slot);
        self.free.push(slot);
    }

    /// Puts a staged presence on the roster: at its end, or, if its key is an array index, wherever the caller puts
    /// it by [`Roster::place_indexed`].
    pub(super) fn link(&mut self, slot: u32) -> Option<u32> {
        let new = self.slots.get_mut(slot as usize)?;
        self.len += 1;
        let index = array_index(self.arena.get(new.key));
        if let Some(index) = index {
            new.order = index.into();
        } else {
            new.order = NAMED + self.sequence;
            self.sequence += 1;
            new.position = self.named.len() as u32;
            grow(&mut self.named);
            self.named.push(slot);
        }
        index
    }

    /// Gives presences with index-like keys their places in the order.
    pub(super) fn place_indexed(&mut self, placed: impl IntoIterator<Item = (u32, u32)>) {
        for (index, slot) in placed {
            self.indexed.insert(index, slot);
        }
    }

    /// Takes a presence off the roster. Its slot stays as it is, but for being dead, until the batch's values expire.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(&Slot {
            order, position, ..
        }) = self.slot(slot)
        else {
            return;
        };
        if let Ok(index) = u32::try_from(order) {
            self.indexed.remove(index);
        } else if let Some(place) = self.named.get_mut(position as usize) {
            *place = NONE;
            self.gaps += 1;
        }
        self.forget(slot);
        self.freed.push(slot);
        self.len -= 1;
        if self.gaps > self.named.len() / 2 + 16 {
            self.close_gaps();
        }
    }

    fn close_gaps(&mut self) {
        self.gaps = 0;
        self.named.retain(|&slot| slot != NONE);
        self.named.shrink_to(self.named.len() / 4 * 5);
        for (position, &slot) in self.named.iter().enumerate() {
            if let Some(slot) = self.slots.get_mut(slot as usize) {
                slot.position = position as u32;
            }
        }
    }

    fn forget(&mut self, slot: u32) {
        let Some(dead) = self.slots.get_mut(slot as usize) else {
            return;
        };
        dead.order = FREE;
        self.index.remove(self.arena.get(dead.key), slot);
    }

    /// Makes room for a first state of about so many presences.
    pub(super) fn reserve(&mut self, additional: usize) {
        let Self {
            arena,
            slots,
            index,
            ..
        } = self;
        slots.reserve_exact(additional);
        index.reserve(additional, &|slot| key_of(arena, slots, slot));
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink(&mut self) {
        self.arena.shrink();
        if self.slots.capacity() - self.slots.len() > self.slots.len() / 64 + 4 {
            self.slots.shrink_to_fit();
        }
        self.named.shrink_to_fit();
    }

    /// Lets the values of the last batch expire, and cleans up when that is worth it.
    pub(super) fn expire(&mut self) {
        self.record.clear();
        self.free.append(&mut self.freed);
        if self.arena.needs_compaction() {
            self.compact();
        }
    }

    /// Nobody is there any more. Who listens goes on to.
    pub(super) fn clear(&mut self) {
        let mut record = core::mem::take(&mut self.record);
        let mut dirty = core::mem::take(&mut self.dirty);
        record.clear();
        dirty.set_too_many();
        // Order keys are never used twice.
        *self = Self {
            record,
            dirty,
            sequence: self.sequence,
            ..Self::default()
        };
    }

    pub(super) fn compact(&mut self) {
        let mut arena = self.arena.successor();
        for slot in self.slots.iter_mut().filter(|slot| slot.is_live()) {
            C::relocate(&mut slot.key, &mut slot.body, &self.arena, &mut arena);
        }
        self.arena = arena;
    }
}

#[cfg(test)]
mod tests {
    use super::array_index;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn array_indices_are_javascripts() {
        for (key, index) in [
            ("0", 0),
            ("7", 7),
            ("10", 10),
            ("4294967294", 4_294_967_294),
        ] {
            assert_eq!(array_index(key.as_bytes()), Some(index));
        }
        for key in [
            "",
            "-1",
            "00",
            "01",
            "1.0",
            "1e3",
            " 1",
            "4294967295",
            "9999999999",
            "18446744073709551616",
            "x",
        ] {
            assert_eq!(array_index(key.as_bytes()), None, "{key}");
        }
    }
}
