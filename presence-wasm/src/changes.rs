//! What JavaScript may want to know of a presence beside its list: changes, status, one presence.

use presence_core::presence::{Change, ChangeKind, Json, MetaRef, SyncStatus};
use wasm_bindgen::prelude::*;

use crate::machine::Machine;
use crate::presences::separate;
use crate::scratch;

/// There is no presence with this key.
const NOBODY: f64 = -1.0;

#[wasm_bindgen]
impl Machine {
    /// Whether somebody listens to changes from now on.
    pub fn presence_want_changes(&mut self, presence: u32, wanted: bool) {
        if let Some(tracker) = self.tracker_mut(presence) {
            tracker.set_changes(wanted);
        }
    }

    /// Writes the changes of the presence's last frame, `[[0 joined | 1 updated
    /// | 2 left, key, before, after, joined metas, left metas], …]`; the length
    /// of the text.
    pub fn presence_changes(&mut self, presence: u32) -> usize {
        let mut text = scratch::TEXT.take_empty();
        text.push(b'[');
        if let Some(tracker) = self.tracker(presence) {
            for (index, change) in tracker.changes().enumerate() {
                separate(&mut text, index);
                write_change(&change, &mut text);
            }
        }
        text.push(b']');
        scratch::TEXT.put(text)
    }

    /// How far the roster can be relied on: 0 syncing, 1 synced, 2 stale.
    pub fn presence_status(&self, presence: u32) -> u32 {
        match self.tracker(presence).map(|tracker| tracker.status()) {
            None | Some(SyncStatus::Syncing) => 0,
            Some(SyncStatus::Synced) => 1,
            Some(SyncStatus::Stale) => 2,
        }
    }

    /// How many presences there are.
    pub fn presence_size(&self, presence: u32) -> usize {
        self.tracker(presence)
            .map_or(0, |tracker| tracker.roster().len())
    }

    /// The order of the presence with this key; -1: there is none.
    pub fn presence_order(&self, presence: u32, key: &str) -> f64 {
        self.tracker(presence)
            .and_then(|tracker| tracker.roster().get(key)?.order())
            .map_or(NOBODY, |order| order as f64)
    }
}

fn write_change(change: &Change<'_, Json>, text: &mut Vec<u8>) {
    text.extend_from_slice(match change.kind() {
        ChangeKind::Joined => b"[0,",
        ChangeKind::Updated => b"[1,",
        ChangeKind::Left => b"[2,",
    });
    if let Some(presence) = change.after().or(change.before()) {
        presence.write_key(text);
    }
    for presence in [change.before(), change.after()] {
        text.push(b',');
        match presence {
            Some(presence) => presence.write_json(text),
            None => text.extend_from_slice(b"null"),
        }
    }
    text.push(b',');
    write_metas(change.joined(), text);
    text.push(b',');
    write_metas(change.left(), text);
    text.push(b']');
}

fn write_metas<'a>(metas: impl Iterator<Item = MetaRef<'a, Json>>, text: &mut Vec<u8>) {
    text.push(b'[');
    for (index, meta) in metas.enumerate() {
        separate(text, index);
        text.extend_from_slice(meta.raw().as_bytes());
    }
    text.push(b']');
}
