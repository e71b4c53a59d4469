//! What JavaScript may want to know of a presence beside its list: changes, status, one presence.

use presence_core::presence::SyncStatus;
use wasm_bindgen::prelude::*;

use crate::machine::Machine;
use crate::told::Told;

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

    /// Writes the changes of the presence's last frame, as `told.rs` has them;
    /// the length of the text.
    pub fn presence_changes(&mut self, presence: u32) -> usize {
        let mut told = Told::new();
        if let Some(tracker) = self.tracker(presence) {
            told.changes(tracker.changes());
        }
        told.finish()
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
