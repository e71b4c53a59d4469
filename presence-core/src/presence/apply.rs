//! phoenix.js's `syncState` and `syncDiff`, on staged frames.

use alloc::vec::Vec;

use super::arena::Span;
use super::body::{Body, BodyOf, Carrier, Metas, same_refs, without};
use super::record::StepKind;
use super::roster::{Found, NAMED, Roster, array_index};
use super::sort::sort_by_key;
use super::stage::{Item, Revision};

impl<C: Carrier> Roster<C> {
    /// Applies the staged state. What it has and the roster has not joins; of what the roster has and it has not,
    /// the roster lets go; first all joins happen, then all leaves.
    pub(super) fn commit_state(&mut self) {
        let mut items = core::mem::take(&mut self.staged.state.items);
        let mut revisions = core::mem::take(&mut self.staged.state.revisions);
        self.arena.retire(self.staged_bytes());
        let was_empty = self.is_empty();
        let any_indexed = self.has_indexed() || self.staged.state.indexed;

        // Who leaves is known before anybody joins: in JavaScript's order of an object that got first the missing
        // keys, in the roster's order, and then, in the state's order, those that lost some metas.
        let mut leaves: Vec<(u32, BodyOf<C>)> = Vec::new();
        if self.staged.state.seen_count < self.len() {
            let missing = self
                .live_slots()
                .filter(|&slot| !self.staged.state.saw(slot));
            leaves.extend(missing.filter_map(|slot| Some((slot, self.slot(slot)?.body.clone()))));
        }
        for revision in &revisions {
            if let Some(left) = self.lost_metas(revision) {
                leaves.push((revision.slot, left));
            }
        }
        if any_indexed {
            sort_by_key(&mut leaves, |(slot, _)| self.place(*slot));
            sort_by_key(&mut items, |item| match *item {
                Item::New(slot) => self.place(slot),
                Item::Known(at) => revisions
                    .get(at as usize)
                    .map_or(NAMED, |revision| self.place(revision.slot)),
            });
        }

        let mut placed = Vec::new();
        for item in items.drain(..) {
            match item {
                Item::New(slot) => placed.extend(self.join_staged(slot).map(|index| (index, slot))),
                Item::Known(at) => {
                    if let Some(Revision { slot, body }) = revisions.get_mut(at as usize) {
                        let metas = core::mem::replace(&mut body.metas, Metas::NONE);
                        let extra = body.extra;
                        self.revise(*slot, Body { metas, extra });
                    }
                }
            }
        }
        self.place_indexed(placed);
        for (slot, left) in leaves {
            self.leave(slot, left);
        }
        self.staged.state.items = items;
        self.staging_done();
        if was_empty {
            self.shrink();
        }
    }

    /// Applies the staged diff: all joins, then all leaves.
    pub(super) fn commit_diff(&mut self) {
        self.arena.retire(self.staged_bytes());
        let mut joins = core::mem::take(&mut self.staged.joins.entries);
        let mut leaves = core::mem::take(&mut self.staged.leaves.entries);
        self.sort_as_properties(&mut joins);
        self.sort_as_properties(&mut leaves);
        for (key, body) in joins.drain(..) {
            match self.find_or_stage(key, body) {
                Found::New(slot) => {
                    let placed = self.join_staged(slot).map(|index| (index, slot));
                    self.place_indexed(placed);
                }
                Found::Known(slot, body) => self.merge(slot, body),
            }
        }
        for (key, left) in leaves.drain(..) {
            if let Some(slot) = self.find(self.arena.get(key)) {
                self.leave(slot, left);
            }
        }
        self.staged.joins.entries = joins;
        self.staged.leaves.entries = leaves;
        self.staging_done();
    }

    fn sort_as_properties(&self, entries: &mut [(Span, BodyOf<C>)]) {
        let place = |key: Span| array_index(self.arena.get(key)).map_or(NAMED, u64::from);
        if entries.len() > 1 {
            sort_by_key(entries, |(key, _)| place(*key));
        }
    }

    /// Where a key sorts among an object's properties, all names being equal.
    fn place(&self, slot: u32) -> u64 {
        let key = self.slot(slot).map_or(Span::default(), |slot| slot.key);
        array_index(self.arena.get(key)).map_or(NAMED, u64::from)
    }

    /// The metas that a presence has and a state's revision of it has not.
    fn lost_metas(&self, revision: &Revision<C>) -> Option<BodyOf<C>> {
        let current = &self.slot(revision.slot)?.body;
        let metas = without(
            &self.arena,
            current.metas.as_slice(),
            revision.body.metas.as_slice(),
        );
        (!metas.is_empty()).then(|| settled::<C>(metas, current.extra))
    }

    /// A key that was not there joins. Gives the key's value if it is an array index.
    fn join_staged(&mut self, slot: u32) -> Option<u32> {
        self.touch(slot);
        let index = self.link(slot);
        if let Some(joined) = self.slots.get(slot as usize) {
            self.arena.keep(C::weight(&joined.body));
            if self.record.steps_wanted {
                self.record
                    .step(StepKind::Join, joined.key, None, joined.body.clone());
            }
            self.dirty.note(joined.order, slot, self.len());
        }
        index
    }

    /// A state has a key that is on the roster.
    fn revise(&mut self, slot: u32, new: BodyOf<C>) {
        let Some(current) = self.slot(slot).map(|slot| &slot.body) else {
            return;
        };
        if same_refs(&self.arena, &current.metas, &new.metas) && self.same_texts(current, &new) {
            // The state's text can stand for the presence as it is, and saves the next state from being read.
            if !C::same_extra(&self.arena, &current.extra, &new.extra) {
                self.touch(slot);
                self.set_body(slot, new);
                self.note(slot);
            } else {
                self.set_body(slot, new);
            }
            return;
        }
        let joined = without(&self.arena, new.metas.as_slice(), current.metas.as_slice());
        if !joined.is_empty() {
            self.merge(slot, settled::<C>(joined, new.extra));
        } else if !C::same_extra(&self.arena, &current.extra, &new.extra) {
            let metas = current.metas.clone();
            let extra = C::merge_extra(&current.extra, &new.extra);
            self.touch(slot);
            self.set_body(slot, Body { metas, extra });
            self.note(slot);
        }
    }

    /// A key that is on the roster joins again: the metas it had come first, but for those that the new ones replace,
    /// and the new extra counts.
    fn merge(&mut self, slot: u32, new: BodyOf<C>) {
        let Some(known) = self.slots.get(slot as usize) else {
            return;
        };
        let (key, current) = (known.key, &known.body);
        if self.record.steps_wanted {
            self.record
                .step(StepKind::Join, key, Some(current.clone()), new.clone());
        }
        if same_refs(&self.arena, &current.metas, &new.metas)
            && self.same_texts(current, &new)
            && C::same_extra(&self.arena, &current.extra, &new.extra)
        {
            return;
        }
        let kept = without(&self.arena, current.metas.as_slice(), new.metas.as_slice());
        let merged = if kept.is_empty() {
            new
        } else {
            let extra = C::merge_extra(&current.extra, &new.extra);
            let metas = kept.as_slice().iter().chain(new.metas.as_slice()).copied();
            Body {
                metas: metas.collect(),
                extra,
            }
        };
        self.touch(slot);
        self.set_body(slot, merged);
        self.note(slot);
    }

    /// A presence loses the metas that are in `left`, and leaves the roster when it has none then.
    fn leave(&mut self, slot: u32, left: BodyOf<C>) {
        let Some(known) = self.slot(slot) else { return };
        let (key, before) = (known.key, known.body.metas.len());
        let metas = without(
            &self.arena,
            known.body.metas.as_slice(),
            left.metas.as_slice(),
        );
        let extra = known.body.extra;
        if self.record.steps_wanted {
            let current = settled::<C>(metas.clone(), extra);
            self.record.step(StepKind::Leave, key, Some(current), left);
        }
        if metas.is_empty() {
            self.touch(slot);
            self.note(slot);
            if let Some(gone) = self.slots.get(slot as usize) {
                self.arena.retire(C::weight(&gone.body));
            }
            self.remove(slot);
        } else if metas.len() < before {
            self.touch(slot);
            self.set_body(slot, Body { metas, extra });
            self.note(slot);
        }
    }

    fn same_texts(&self, a: &BodyOf<C>, b: &BodyOf<C>) -> bool {
        let pairs = || a.metas.as_slice().iter().zip(b.metas.as_slice());
        pairs().all(|(a, b)| C::same_meta(&self.arena, a.body, b.body) == Some(true))
    }

    fn set_body(&mut self, slot: u32, mut body: BodyOf<C>) {
        C::settle(&mut body);
        self.arena.keep(C::weight(&body));
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            self.arena.retire(C::weight(&slot.body));
            slot.body = body;
        }
    }

    /// Tells the mirror.
    fn note(&mut self, slot: u32) {
        if let Some(order) = self.slot(slot).map(|slot| slot.order) {
            self.dirty.note(order, slot, self.len());
        }
    }
}

/// A body made of parts of others.
fn settled<C: Carrier>(metas: Metas<C::Meta>, extra: C::Extra) -> BodyOf<C> {
    let mut body = Body { metas, extra };
    C::settle(&mut body);
    body
}
