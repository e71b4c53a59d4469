//! The machine's presences, as JavaScript sees them: text to parse and numbers.

use alloc::string::ToString;
use alloc::vec::Vec;

use presence_core::presence::{
    CatchUp, Join, Json, Patch, PresenceRef, Roster, SyncStatus, Tracker,
};
use presence_core::{PresenceId, PresenceKind, PresenceUpdate, Socket};
use wasm_bindgen::prelude::*;

use crate::machine::{Failure, Machine, at, number, utf8, with_text};
use crate::scratch;
use crate::told::Told;
use crate::values::{HEAD, ValueWriter};

/// A payload was applied: one `onSync` is due.
const SYNCED: u32 = 1;
/// There are steps: `onJoin` and `onLeave` are due.
const STEPS: u32 = 2;
/// There are changes: `onUpdate` and the subscribers are due.
const CHANGES: u32 = 4;
/// It was a state, and no diff.
const RESYNC: u32 = 8;

/// What there is to apply.
const STATE: u32 = 0;
const SAME_STATE: u32 = 2;

/// How the numbers of a mirror's patch begin.
const REBUILD: f64 = 0.0;
const PATCH: f64 = 1.0;
/// And what it does where it puts no metas.
const WHOLE: f64 = -1.0;
const REMOVE: f64 = -2.0;

/// Presences of channels that are not this package's. They have no socket, so
/// they are told their join with every payload.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    /// By their numbers, which only grow.
    trackers: Vec<(u32, Tracker<Json>)>,
    last: u32,
}

impl Foreign {
    pub(crate) fn add(&mut self, tracker: Tracker<Json>) -> u32 {
        self.last += 1;
        self.trackers.push((self.last, tracker));
        self.last
    }

    fn place(&self, presence: u32) -> Result<usize, usize> {
        self.trackers
            .binary_search_by_key(&presence, |&(number, _)| number)
    }

    fn get(&self, presence: u32) -> Option<&Tracker<Json>> {
        let (_, tracker) = self.trackers.get(self.place(presence).ok()?)?;
        Some(tracker)
    }

    fn get_mut(&mut self, presence: u32) -> Option<&mut Tracker<Json>> {
        let place = self.place(presence).ok()?;
        let (_, tracker) = self.trackers.get_mut(place)?;
        Some(tracker)
    }

    pub(crate) fn remove(&mut self, presence: u32) {
        if let Ok(place) = self.place(presence) {
            self.trackers.remove(place);
        }
    }
}

#[wasm_bindgen]
impl Machine {
    /// Applies the payload in the input's first `len` bytes: 0 a state, 1 a
    /// diff. For a channel of somebody else's it can also be 2, a state that
    /// says what the roster says and need not be there, and `join` tells its
    /// joins apart (0: none). `is_of_join`: of such a channel, that this join
    /// is answered; of one of this package's, that the message named its join.
    /// Returns what is due: 1 `onSync`, 2 steps, 4 changes, 8 of a state.
    ///
    /// An error when it is no state or diff; nothing has changed then.
    pub fn presence_sync(
        &mut self,
        now: f64,
        presence: u32,
        kind: u32,
        len: usize,
        join: u32,
        is_of_join: bool,
    ) -> f64 {
        number(with_text(len as f64, |payload| {
            self.apply(now, presence, kind, payload, join, is_of_join)
        }))
    }

    /// Writes the steps of the presence's last frame, as `told.rs` has them;
    /// how many numbers there are.
    pub fn presence_steps(&mut self, presence: u32, by_order: bool) -> usize {
        self.tracker(presence).map_or(0, |tracker| {
            let mut told = Told::new(tracker, tracker.steps().len());
            told.steps(tracker, by_order);
            told.finish()
        })
    }

    /// Writes the changes of the presence's last frame, as `told.rs` has them;
    /// how many numbers there are.
    pub fn presence_changes(&mut self, presence: u32) -> usize {
        self.tracker(presence).map_or(0, |tracker| {
            let changes = tracker.changes();
            let mut told = Told::new(tracker, changes.len());
            told.changes(changes);
            told.finish()
        })
    }

    /// What a mirror of the roster has to do, in numbers (their count is
    /// returned) and values that are used one after the other, as `values.rs`
    /// has them. After its head: `[0 anew | 1 patch, order, what, …]`: put at
    /// each order a presence made of the next `what` values, its metas, or the
    /// next value as it is (-1), or remove what is there (-2). In a patch
    /// `with_keys` the key of who is put is the value before.
    pub fn presence_mirror(&mut self, presence: u32, with_keys: bool) -> usize {
        let mut patches = scratch::PATCHES.take_empty();
        let catch_up = self
            .tracker_mut(presence)
            .map(|tracker| tracker.drain_patches(&mut patches));
        let count = match (self.tracker(presence), catch_up) {
            (Some(tracker), Some(CatchUp::Rebuild)) => Mirrored::new(tracker, usize::MAX).rebuild(),
            (Some(tracker), Some(CatchUp::Patch)) if !patches.is_empty() => {
                Mirrored::new(tracker, patches.len()).patch(&patches, with_keys)
            }
            _ => 0,
        };
        scratch::PATCHES.put(patches);
        count
    }

    /// `Presence.syncState` (or, with `diff`, `syncDiff`) of plain objects: the
    /// input's first `first` bytes are the state, the rest up to `len` the new
    /// state or the diff. Writes the steps, as `told.rs` has them, and then the
    /// count of what changed and of each its key and presence; how many numbers
    /// there are.
    /// An error when either is not what it should be.
    pub fn sync_plain(diff: bool, first: usize, len: usize) -> f64 {
        number(scratch::INPUT.with(len, |input| sync_plain(diff, first, input)))
    }

    pub(crate) fn write_keys(&self, presence: u32, text: &mut Vec<u8>) {
        text.push(b'[');
        if let Some(tracker) = self.tracker(presence) {
            for (index, presence) in tracker.roster().iter().enumerate() {
                separate(text, index);
                presence.write_key(text);
            }
        }
        text.push(b']');
    }

    pub(crate) fn write_pending(&self, presence: u32, text: &mut Vec<u8>) {
        text.push(b'[');
        if let Some(tracker) = self.tracker(presence) {
            for (index, diff) in tracker.held_payloads().enumerate() {
                separate(text, index);
                text.extend_from_slice(diff.as_bytes());
            }
        }
        text.push(b']');
    }

    pub(crate) fn is_pending(&self, presence: u32) -> bool {
        match self.foreign.get(presence) {
            Some(tracker) => tracker.status() != SyncStatus::Synced,
            None => self.socket.is_pending(PresenceId::from_u32(presence)),
        }
    }

    pub(crate) fn tracker(&self, presence: u32) -> Option<&Tracker<Json>> {
        let own = || self.socket.presence(PresenceId::from_u32(presence));
        self.foreign.get(presence).or_else(own)
    }

    pub(crate) fn tracker_mut(&mut self, presence: u32) -> Option<&mut Tracker<Json>> {
        match self.foreign.get_mut(presence) {
            Some(tracker) => Some(tracker),
            None => self.socket.presence_mut(PresenceId::from_u32(presence)),
        }
    }

    fn apply(
        &mut self,
        now: f64,
        presence: u32,
        kind: u32,
        payload: &str,
        join: u32,
        is_of_join: bool,
    ) -> Result<f64, Failure> {
        let synced = match self.foreign.get_mut(presence) {
            Some(tracker) => {
                let join = join.to_string();
                let join = Join {
                    join_ref: (join != "0").then_some(&join),
                    answered: is_of_join,
                };
                match kind {
                    STATE => tracker.handle_state_json(payload, join)?,
                    SAME_STATE => tracker.handle_same_state(join)?,
                    _ => tracker.handle_diff_json(payload, join)?,
                }
                .synced
            }
            None => {
                let kind = if kind == STATE {
                    PresenceKind::State
                } else {
                    PresenceKind::Diff
                };
                let presence = PresenceId::from_u32(presence);
                self.socket
                    .sync_presence(at(now), presence, kind, payload, is_of_join)?
                    .is_some_and(|update| update.synced)
            }
        };
        Ok(self.due(presence, synced).into())
    }

    fn due(&self, presence: u32, synced: bool) -> u32 {
        due(self.tracker(presence), synced)
    }
}

/// What is due after a frame: its flags.
pub(crate) fn due_after(socket: &Socket<u32>, update: &PresenceUpdate) -> u32 {
    due(socket.presence(update.presence), update.synced)
}

fn due(tracker: Option<&Tracker<Json>>, synced: bool) -> u32 {
    let Some(tracker) = tracker.filter(|_| synced) else {
        return 0;
    };
    let steps = if tracker.steps().len() > 0 { STEPS } else { 0 };
    let changes = if tracker.changes().len() > 0 {
        CHANGES
    } else {
        0
    };
    let resync = if tracker.is_resync() { RESYNC } else { 0 };
    SYNCED | steps | changes | resync
}

fn sync_plain(diff: bool, first: usize, input: &[u8]) -> Result<f64, Failure> {
    let current = utf8(input.get(..first).unwrap_or_default())?;
    let next = utf8(input.get(first..).unwrap_or_default())?;
    let mut tracker = Tracker::<Json>::default();
    tracker.sync_state(current)?;
    tracker.set_steps(true);
    tracker.set_changes(!diff);
    if diff {
        tracker.sync_diff(next)?;
    } else {
        tracker.sync_state(next)?;
    }
    let mut told = Told::new(&tracker, usize::MAX);
    told.steps(&tracker, false);
    // What has new extras only takes no step.
    let stepped = tracker.steps().map(|step| step.other());
    let changed = tracker
        .changes()
        .filter_map(|change| change.after().or(change.before()));
    let touched: Vec<_> = stepped.chain(changed).collect();
    told.count(touched.len());
    for touched in touched {
        told.key(touched);
        told.presence(tracker.roster().get_wtf8(touched.key_wtf8()));
    }
    Ok(told.finish() as f64)
}

/// What a mirror is to do, as it is written.
struct Mirrored<'a> {
    roster: &'a Roster<Json>,
    values: ValueWriter<'a>,
    numbers: Vec<f64>,
}

impl<'a> Mirrored<'a> {
    fn new(tracker: &'a Tracker<Json>, presences: usize) -> Self {
        let mut numbers = scratch::NUMBERS.take_empty();
        numbers.extend(HEAD);
        Self {
            roster: tracker.roster(),
            values: ValueWriter::new(tracker, presences),
            numbers,
        }
    }

    fn rebuild(mut self) -> usize {
        self.numbers.push(REBUILD);
        for presence in self.roster.iter() {
            self.numbers
                .push(presence.order().unwrap_or_default() as f64);
            self.put(presence);
        }
        self.values.finish(self.numbers)
    }

    fn patch(mut self, patches: &[Patch], with_keys: bool) -> usize {
        self.numbers.push(PATCH);
        for patch in patches {
            self.numbers.push(patch.order as f64);
            match patch.slot.and_then(|slot| self.roster.at(slot)) {
                None => self.numbers.push(REMOVE),
                Some(presence) => {
                    if with_keys {
                        self.values.add_key(presence);
                    }
                    self.put(presence);
                }
            }
        }
        self.values.finish(self.numbers)
    }

    /// An object around nothing but metas costs V8 more to parse than to make.
    fn put(&mut self, presence: PresenceRef<'_, Json>) {
        if presence.has_only_metas() {
            self.numbers.push(presence.len() as f64);
            for meta in presence.metas() {
                self.values.add_meta(meta);
            }
        } else {
            self.numbers.push(WHOLE);
            self.values.add(|text| presence.write_json(text));
        }
    }
}

/// A comma, except before the first.
pub(crate) fn separate(text: &mut Vec<u8>, index: usize) {
    if index > 0 {
        text.push(b',');
    }
}
