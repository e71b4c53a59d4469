use alloc::vec::Vec;

use super::body::Carrier;
use super::roster::{Roster, SlotId};
use super::sort::sort_by_key;

/// What a mirror of the roster has to do at one place to be like it again.
///
/// ```
/// use presence_core::presence::{CatchUp, Tracker};
///
/// // A mirror: keys, sorted by their places.
/// let mut mirror: Vec<(u64, String)> = Vec::new();
/// let mut patches = Vec::new();
/// let mut tracker: Tracker = Tracker::default();
/// let frames = [
///     r#"{"joins":{"ann":{"metas":[{"phx_ref":"a"}]},"bob":{"metas":[{"phx_ref":"b"}]}},"leaves":{}}"#,
///     r#"{"joins":{"7":{"metas":[{"phx_ref":"c"}]}},"leaves":{"ann":{"metas":[{"phx_ref":"a"}]}}}"#,
/// ];
/// for frame in frames {
///     tracker.sync_diff(frame)?;
///     match tracker.drain_patches(&mut patches) {
///         CatchUp::Rebuild => {
///             let places = tracker.roster().iter().filter_map(|person| Some((person.order()?, person.key().into())));
///             mirror = places.collect();
///         }
///         CatchUp::Patch => {
///             for patch in &patches {
///                 mirror.retain(|(order, _)| *order != patch.order);
///                 if let Some(person) = patch.slot.and_then(|slot| tracker.roster().at(slot)) {
///                     mirror.push((patch.order, person.key().into()));
///                 }
///             }
///             mirror.sort();
///         }
///     }
/// }
/// let keys: Vec<_> = mirror.iter().map(|(_, key)| key.as_str()).collect();
/// assert_eq!(keys, ["7", "bob"]);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The place: mirrors are sorted by [`PresenceRef::order`](super::PresenceRef::order).
    pub order: u64,
    /// The presence to put there, new or instead of the old one; `None`: there is none any more.
    pub slot: Option<SlotId>,
}

/// How a mirror catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// By copying the whole roster: it is the first time, or most of it has changed.
    Rebuild,
    /// By the patches, which are sorted by their places.
    Patch,
}

/// Which places have changed since the mirror looked.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    watched: bool,
    too_many: bool,
    places: Vec<(u64, u32)>,
}

impl Dirty {
    #[inline]
    pub(super) fn note(&mut self, order: u64, slot: u32, len: usize) {
        if !self.watched || self.too_many {
            return;
        }
        if self.places.len() > 64 + len / 8 {
            self.set_too_many();
        } else {
            self.places.push((order, slot));
        }
    }

    pub(super) fn set_too_many(&mut self) {
        self.too_many = self.watched;
        self.places = Vec::new();
    }

    pub(super) fn memory(&self) -> usize {
        self.places.capacity() * size_of::<(u64, u32)>()
    }
}

impl<C: Carrier> Roster<C> {
    /// What has changed since the last call, for a copy of the roster that is kept elsewhere: an array sorted by
    /// order keys. `patches` is overwritten. The first call asks for a copy of everything; from then on the roster
    /// keeps notes, at a cost that goes with what changes.
    pub fn drain_patches(&mut self, patches: &mut Vec<Patch>) -> CatchUp {
        patches.clear();
        if !self.dirty.watched || self.dirty.too_many {
            self.dirty.watched = true;
            self.dirty.too_many = false;
            self.dirty.places.clear();
            return CatchUp::Rebuild;
        }
        let mut places = core::mem::take(&mut self.dirty.places);
        // Stable: of the notes about one place, the latest is last, and counts.
        sort_by_key(&mut places, |&(order, _)| order);
        for (at, &(order, slot)) in places.iter().enumerate() {
            if places.get(at + 1).is_some_and(|&(next, _)| next == order) {
                continue;
            }
            let is_there = self
                .slot(slot)
                .is_some_and(|slot| slot.order == order && slot.is_live());
            patches.push(Patch {
                order,
                slot: is_there.then_some(SlotId(slot)),
            });
        }
        places.clear();
        self.dirty.places = places;
        CatchUp::Patch
    }
}
