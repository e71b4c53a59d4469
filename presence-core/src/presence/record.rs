use alloc::vec::Vec;

use super::arena::Span;
use super::body::sealed::Carry;
use super::body::{BodyOf, Carrier, MetaOf, Metas, without};
use super::places::{Places, hash_bytes};
use super::roster::Roster;
use super::sort::sort_by_key;
use super::stage::clear;

/// What the frames of one batch did, as far as somebody wants to know.
#[derive(Debug)]
pub(super) struct Record<C: Carry> {
    pub(super) steps_wanted: bool,
    pub(super) changes_wanted: bool,
    /// Whether a key that left in this batch may come back in it: when there is more than one frame in it.
    pub(super) may_return: bool,
    /// Whether the batch is that of a state.
    pub(super) resync: bool,
    pub(super) steps: Vec<StepRecord<C>>,
    /// Each presence that was touched, once, with what it was before.
    touched: Vec<Touched<C>>,
    /// A bit for each slot that is among them.
    touched_slots: Vec<u64>,
    pub(super) changes: Vec<ChangeRecord<C>>,
}

/// Which of phoenix.js's callbacks a step stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// `onJoin`.
    Join,
    /// `onLeave`.
    Leave,
}

#[derive(Debug)]
pub(super) struct StepRecord<C: Carry> {
    pub(super) kind: StepKind,
    pub(super) key: Span,
    pub(super) current: Option<BodyOf<C>>,
    pub(super) other: BodyOf<C>,
}

#[derive(Debug)]
struct Touched<C: Carry> {
    slot: u32,
    key: Span,
    before: Option<BodyOf<C>>,
}

/// What happened to a presence.
///
/// ```
/// use presence_core::presence::{ChangeKind, Tracker};
///
/// let diffs = [
///     r#"{"joins":{"ann":{"metas":[{"phx_ref":"a"}]}},"leaves":{}}"#,
///     r#"{"joins":{"ann":{"metas":[{"phx_ref":"b"}]}},"leaves":{"ann":{"metas":[{"phx_ref":"a"}]}}}"#,
///     r#"{"joins":{},"leaves":{"ann":{"metas":[{"phx_ref":"b"}]}}}"#,
/// ];
/// let mut tracker: Tracker = Tracker::default();
/// tracker.set_changes(true);
/// let mut kinds = Vec::new();
/// for diff in diffs {
///     tracker.sync_diff(diff)?;
///     kinds.extend(tracker.changes().map(|change| change.kind()));
/// }
/// assert_eq!(kinds, [ChangeKind::Joined, ChangeKind::Updated, ChangeKind::Left]);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It has new metas and lost none: its first ones, if there was no presence before.
    Joined,
    /// Metas came in exchange for others, or what is beside the metas changed.
    Updated,
    /// It lost metas and has no new ones: its last ones, if there is no presence after.
    Left,
}

#[derive(Debug)]
pub(super) struct ChangeRecord<C: Carry> {
    pub(super) kind: ChangeKind,
    pub(super) key: Span,
    pub(super) before: Option<BodyOf<C>>,
    pub(super) after: Option<BodyOf<C>>,
    pub(super) joined: Metas<C::Meta>,
    pub(super) left: Metas<C::Meta>,
}

impl<C: Carry> Default for Record<C> {
    fn default() -> Self {
        Self {
            steps_wanted: false,
            changes_wanted: false,
            may_return: false,
            resync: false,
            steps: Vec::new(),
            touched: Vec::new(),
            touched_slots: Vec::new(),
            changes: Vec::new(),
        }
    }
}

impl<C: Carry> Record<C> {
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.touched.is_empty() && self.changes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.may_return = false;
        if self.is_empty() {
            return;
        }
        clear(&mut self.steps);
        if !self.touched.is_empty() {
            // A turn that is given up: its marks are for slots that may be others' next.
            self.touched_slots.clear();
        }
        clear(&mut self.touched);
        clear(&mut self.changes);
    }

    pub(super) fn memory(&self) -> usize {
        self.steps.capacity() * size_of::<StepRecord<C>>()
            + self.touched.capacity() * size_of::<Touched<C>>()
            + self.touched_slots.capacity() * size_of::<u64>()
            + self.changes.capacity() * size_of::<ChangeRecord<C>>()
    }

    /// False if it was marked before.
    fn mark(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1u64 << (slot % 64));
        if word >= self.touched_slots.len() {
            self.touched_slots.resize(word + 1, 0);
        }
        let Some(word) = self.touched_slots.get_mut(word) else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn unmark(&mut self, slot: u32) {
        if let Some(word) = self.touched_slots.get_mut(slot as usize / 64) {
            *word &= !(1u64 << (slot % 64));
        }
    }

    pub(super) fn step(
        &mut self,
        kind: StepKind,
        key: Span,
        current: Option<BodyOf<C>>,
        other: BodyOf<C>,
    ) {
        if self.steps_wanted {
            self.steps.push(StepRecord {
                kind,
                key,
                current,
                other,
            });
        }
    }
}

impl<C: Carrier> Roster<C> {
    /// Notes what a presence is before it is changed for the first time in a batch.
    pub(super) fn touch(&mut self, slot: u32) {
        if !self.record.changes_wanted {
            return;
        }
        let Some(touched) = self.slots.get(slot as usize) else {
            return;
        };
        if !self.record.mark(slot) {
            return;
        }
        let before = touched.is_live().then(|| touched.body.clone());
        let key = touched.key;
        self.record.touched.push(Touched { slot, key, before });
    }

    /// The batch is complete: works out what it did as a whole.
    pub(super) fn finish_batch(&mut self) {
        let mut touched = core::mem::take(&mut self.record.touched);
        for Touched { slot, .. } in &touched {
            self.record.unmark(*slot);
        }
        if self.record.may_return {
            touched = self.merge_returned(touched);
        }
        for Touched { slot, key, before } in touched {
            let Some(slot) = self.slots.get(slot as usize) else {
                continue;
            };
            let after = slot.is_live().then(|| slot.body.clone());
            self.record.changes.extend(self.change(key, before, after));
        }
    }

    /// A key that left and came back has another slot: it was what the first of its slots was, and is what the last is.
    fn merge_returned(&self, touched: Vec<Touched<C>>) -> Vec<Touched<C>> {
        let mut merged: Vec<Touched<C>> = Vec::with_capacity(touched.len());
        let mut places = Places::default();
        for one in touched {
            let key_at = |place: u32| {
                merged
                    .get(place as usize)
                    .map_or(&[][..], |known| self.arena.get(known.key))
            };
            let key = self.arena.get(one.key);
            let known = places.find_or_insert(key, merged.len() as u32, &key_at);
            match known.and_then(|known| merged.get_mut(known as usize)) {
                Some(known) => known.slot = one.slot,
                None => merged.push(one),
            }
        }
        merged
    }

    fn change(
        &self,
        key: Span,
        before: Option<BodyOf<C>>,
        after: Option<BodyOf<C>>,
    ) -> Option<ChangeRecord<C>> {
        let (old, new) = (metas_of::<C>(&before), metas_of::<C>(&after));
        let joined = without(&self.arena, new, old);
        let left = without(&self.arena, old, new);
        let kind = match (&before, &after) {
            (None, None) => return None,
            (None, Some(_)) => ChangeKind::Joined,
            (Some(_), None) => ChangeKind::Left,
            (Some(before), Some(after)) => match (joined.is_empty(), left.is_empty()) {
                (false, true) => ChangeKind::Joined,
                (true, false) => ChangeKind::Left,
                (false, false) => ChangeKind::Updated,
                (true, true) if self.same_contents(before, after) => return None,
                (true, true) => ChangeKind::Updated,
            },
        };
        Some(ChangeRecord {
            kind,
            key,
            before,
            after,
            joined,
            left,
        })
    }

    /// Of two bodies with the same refs: whether their metas and extras are the same too, in whatever order.
    fn same_contents(&self, a: &BodyOf<C>, b: &BodyOf<C>) -> bool {
        let (metas_a, metas_b) = (a.metas.as_slice(), b.metas.as_slice());
        let in_order = metas_a
            .iter()
            .zip(metas_b)
            .all(|(a, b)| C::same_meta(&self.arena, a.body, b.body) != Some(false));
        C::same_extra(&self.arena, &a.extra, &b.extra)
            && metas_a.len() == metas_b.len()
            && (in_order || self.same_metas_by_ref(a, b))
    }

    fn same_metas_by_ref(&self, a: &BodyOf<C>, b: &BodyOf<C>) -> bool {
        let sorted = |body: &BodyOf<C>| {
            let mut metas = body.metas.as_slice().to_vec();
            sort_by_key(&mut metas, |meta| {
                hash_bytes(self.arena.get(meta.reference))
            });
            metas
        };
        sorted(a)
            .iter()
            .zip(&sorted(b))
            .all(|(a, b)| C::same_meta(&self.arena, a.body, b.body) != Some(false))
    }
}

fn metas_of<C: Carry>(body: &Option<BodyOf<C>>) -> &[MetaOf<C>] {
    body.as_ref().map_or(&[], |body| body.metas.as_slice())
}
