use alloc::vec;
use alloc::vec::Vec;

use super::arena::{Arena, Span};
use super::body::sealed::Carry;
use super::body::{BodyOf, Carrier, same_refs};
use super::error::PresenceError;
use super::places::Places;
use super::roster::{Found, NONE, Roster, STAGED, array_index};
use crate::json::same_bytes;

/// What has been read of a frame and not yet been applied. If the frame proves wrong, it is dropped, and the roster
/// is as it was.
#[derive(Debug)]
pub(super) struct Staged<C: Carry> {
    active: bool,
    /// The arena's length before the frame.
    mark: usize,
    /// How much there was to read at most.
    bytes: usize,
    pub(super) state: StagedState<C>,
    pub(super) joins: KeyedList<C>,
    pub(super) leaves: KeyedList<C>,
}

impl<C: Carry> Default for Staged<C> {
    fn default() -> Self {
        Self {
            active: false,
            mark: 0,
            bytes: 0,
            state: StagedState::default(),
            joins: KeyedList::default(),
            leaves: KeyedList::default(),
        }
    }
}

impl<C: Carry> Staged<C> {
    pub(super) fn memory(&self) -> usize {
        self.state.items.capacity() * size_of::<Item>()
            + self.state.revisions.capacity() * size_of::<Revision<C>>()
            + self.state.seen.capacity() * size_of::<u64>()
            + self.joins.memory()
            + self.leaves.memory()
    }
}

#[derive(Debug)]
pub(super) struct StagedState<C: Carry> {
    /// What is new or differs, in the frame's order.
    pub(super) items: Vec<Item>,
    pub(super) revisions: Vec<Revision<C>>,
    /// Whether a new key is an array index, and so jumps the queue.
    pub(super) indexed: bool,
    /// A bit for each slot that the state has too.
    seen: Vec<u64>,
    pub(super) seen_count: usize,
    /// Whether a known key came twice: where it came first matters then, which is not noted of unchanged presences.
    repeated: bool,
    /// The revisions by their slots, all of them noted, once a state has to be read like that.
    positions: Option<Vec<u32>>,
    /// Who probably comes next: after the last that was expected, and after the last that was not.
    expected: u32,
    alternative: u32,
    previous: u32,
}

impl<C: Carry> Default for StagedState<C> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            revisions: Vec::new(),
            indexed: false,
            seen: Vec::new(),
            seen_count: 0,
            repeated: false,
            positions: None,
            expected: NONE,
            alternative: NONE,
            previous: NONE,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// A staged slot.
    New(u32),
    /// An index among the revisions.
    Known(u32),
}

/// What a state says of a presence that is on the roster.
#[derive(Debug)]
pub(super) struct Revision<C: Carry> {
    pub(super) slot: u32,
    pub(super) body: BodyOf<C>,
}

impl<C: Carry> StagedState<C> {
    #[inline]
    fn see(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1u64 << (slot % 64));
        let Some(word) = self.seen.get_mut(word) else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        self.seen_count += usize::from(new);
        new
    }

    pub(super) fn saw(&self, slot: u32) -> bool {
        self.seen
            .get(slot as usize / 64)
            .is_some_and(|word| word & (1u64 << (slot % 64)) != 0)
    }

    fn revise(&mut self, slot: u32, body: BodyOf<C>) {
        let at = self.revisions.len() as u32;
        if let Some(position) = self
            .positions
            .as_mut()
            .and_then(|positions| positions.get_mut(slot as usize))
        {
            *position = at;
        }
        self.items.push(Item::Known(at));
        self.revisions.push(Revision { slot, body });
    }

    /// A known key came again: what it says now replaces what it said before.
    #[cold]
    fn repeat(&mut self, slot: u32, body: BodyOf<C>) {
        let position = self
            .positions
            .as_ref()
            .and_then(|positions| positions.get(slot as usize).copied());
        match position.and_then(|at| self.revisions.get_mut(at as usize)) {
            Some(revision) => revision.body = body,
            None => self.repeated = true,
        }
    }

    fn clear(&mut self) {
        clear(&mut self.items);
        clear(&mut self.revisions);
        clear(&mut self.seen);
        self.indexed = false;
        self.seen_count = 0;
        self.repeated = false;
        self.positions = None;
    }
}

/// Keeps a little room for the next frame.
#[inline]
pub(super) fn clear<T>(list: &mut Vec<T>) {
    list.clear();
    if list.capacity() > 64 {
        list.shrink_to(64);
    }
}

impl<C: Carrier> Roster<C> {
    /// Begins to read a payload of at most so many bytes.
    pub(super) fn begin(&mut self, bytes: usize) -> Result<(), PresenceError> {
        self.unstage_all();
        if !self.arena.has_room_for(bytes) {
            if self.record.is_empty() {
                self.compact();
            }
            if !self.arena.has_room_for(bytes) {
                return Err(PresenceError::TooLarge);
            }
        }
        self.staged.active = true;
        self.staged.bytes = bytes;
        self.staged.mark = self.arena.len();
        Ok(())
    }

    /// Begins to read a state.
    pub(super) fn begin_state(&mut self, bytes: usize) -> Result<(), PresenceError> {
        self.begin(bytes)?;
        if self.is_empty() {
            self.arena.reserve_exact(bytes);
        }
        let state = &mut self.staged.state;
        state.seen.resize(self.slots.len().div_ceil(64), 0);
        state.expected = self.first_in_state;
        state.alternative = NONE;
        state.previous = NONE;
        Ok(())
    }

    /// Whether the state, which has been read to its end, must be read once more, with every known presence noted:
    /// prepares for that.
    pub(super) fn must_read_again(&mut self) -> bool {
        if !self.staged.state.repeated {
            return false;
        }
        let bytes = self.staged.bytes;
        self.unstage_all();
        // It fitted the first time.
        let again = self.begin_state(bytes).is_ok();
        self.staged.state.positions = Some(vec![NONE; self.slots.len()]);
        again
    }

    /// Whether a presence that is the same as before need not be noted.
    #[inline]
    pub(super) fn may_skip_unchanged(&self) -> bool {
        self.staged.state.positions.is_none()
    }

    /// Drops what is staged.
    pub(super) fn unstage_all(&mut self) {
        if !core::mem::take(&mut self.staged.active) {
            return;
        }
        let items = core::mem::take(&mut self.staged.state.items);
        for item in &items {
            if let Item::New(slot) = *item {
                self.unstage(slot);
            }
        }
        self.staged.state.clear();
        self.staged.joins.clear();
        self.staged.leaves.clear();
        self.arena.truncate(self.staged.mark);
    }

    /// Everything staged has been taken over: all of it counts as garbage, but for what was put to use.
    pub(super) fn staging_done(&mut self) {
        self.staged.active = false;
        self.staged.state.clear();
        self.staged.joins.clear();
        self.staged.leaves.clear();
    }

    /// How much of the arena is staged.
    pub(super) fn staged_bytes(&self) -> usize {
        self.arena.len() - self.staged.mark
    }

    /// The two presences of which one is likely to be the next in the state.
    #[inline]
    pub(super) fn candidates(&self) -> [u32; 2] {
        [self.staged.state.expected, self.staged.state.alternative]
    }

    /// Notes that the state goes on with a presence that is on the roster exactly so; false if it has come before.
    #[inline]
    pub(super) fn stage_unchanged(&mut self, slot: u32) -> bool {
        let new = self.staged.state.see(slot);
        if new {
            self.follow(slot);
        }
        new
    }

    /// Stages a state that has everybody exactly as on the roster.
    pub(super) fn stage_all_unchanged(&mut self) -> Result<(), PresenceError> {
        self.begin_state(0)?;
        for (slot, known) in self.slots.iter().enumerate() {
            if known.is_live() {
                self.staged.state.see(slot as u32);
            }
        }
        Ok(())
    }

    /// Remembers the state's order for the next one, and guesses how it goes on.
    #[inline]
    fn follow(&mut self, slot: u32) {
        let next = self.slot(slot).map_or(NONE, |slot| slot.next_in_state);
        let state = &mut self.staged.state;
        if slot == state.expected {
            state.expected = next;
        } else {
            state.alternative = next;
        }
        let previous = core::mem::replace(&mut state.previous, slot);
        match self.slot_mut(previous) {
            Some(previous) if previous.next_in_state != slot => previous.next_in_state = slot,
            Some(_) => {}
            None => self.first_in_state = slot,
        }
    }

    /// Stages a presence of a state, whose text in the arena begins at `mark`. Of two with one key the later counts,
    /// in the place of the earlier.
    #[inline]
    pub(super) fn stage_entry(&mut self, mark: usize, key: Span, body: BodyOf<C>) {
        match self.find_or_stage(key, body) {
            Found::New(slot) => {
                self.staged.state.items.push(Item::New(slot));
                self.staged.state.indexed |= array_index(self.arena.get(key)).is_some();
                self.follow(slot);
            }
            Found::Known(slot, body) => self.stage_known(mark, slot, body),
        }
    }

    fn stage_known(&mut self, mark: usize, slot: u32, body: BodyOf<C>) {
        let Some(known) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let state = &mut self.staged.state;
        if known.order == STAGED {
            known.body = body;
        } else if !state.see(slot) {
            state.repeat(slot, body);
        } else {
            let current = &known.body;
            let unchanged = same_refs(&self.arena, &current.metas, &body.metas)
                && C::same_extra(&self.arena, &current.extra, &body.extra)
                && !C::prefers(&self.arena, &body, current);
            if unchanged && state.positions.is_none() {
                self.arena.truncate(mark);
            } else {
                state.revise(slot, body);
            }
            self.follow(slot);
        }
    }
}

/// The presences of one half of a diff. Of two with one key the later counts, in the place of the earlier.
#[derive(Debug)]
pub(super) struct KeyedList<C: Carry> {
    pub(super) entries: Vec<(Span, BodyOf<C>)>,
    /// Positions by key, once there are so many that trying them all would not do.
    index: Places,
}

/// A diff seldom has more.
const FEW: usize = 16;

impl<C: Carry> Default for KeyedList<C> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: Places::default(),
        }
    }
}

impl<C: Carry> KeyedList<C> {
    fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<(Span, BodyOf<C>)>() + self.index.memory()
    }

    pub(super) fn clear(&mut self) {
        clear(&mut self.entries);
        if !self.index.is_empty() {
            self.index = Places::default();
        }
    }

    pub(super) fn insert(&mut self, arena: &Arena, key: Span, body: BodyOf<C>) {
        let text = arena.get(key);
        if self.entries.len() < FEW {
            match self
                .entries
                .iter_mut()
                .find(|(known, _)| same_bytes(arena.get(*known), text))
            {
                Some((_, known)) => *known = body,
                None => self.entries.push((key, body)),
            }
            return;
        }
        let Self { entries, index } = self;
        let text_at = |place: u32| {
            entries
                .get(place as usize)
                .map_or(&[][..], |(key, _)| arena.get(*key))
        };
        let new = entries.len() as u32;
        if index.is_empty() {
            for place in 0..new {
                index.find_or_insert(text_at(place), place, &text_at);
            }
        }
        let known = index.find_or_insert(text, new, &text_at);
        match known.and_then(|known| entries.get_mut(known as usize)) {
            Some((_, known)) => *known = body,
            None => entries.push((key, body)),
        }
    }
}
