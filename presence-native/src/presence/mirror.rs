//! What the socket's task and the handles of a presence share.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use presence_core::presence::{CatchUp, Json, Patch, PresenceOptions, StepKind, Tracker};
use tokio::sync::watch;

use super::PresenceStatus;
use super::change::{Cause, RawChange};
use super::entry::RawEntry;
use super::list::List;
use crate::queue::Sender;

/// The roster as everybody sees it, and who follows it. It changes as a whole, frame by frame.
#[derive(Default)]
pub(crate) struct Mirror {
    list: List,
    /// Where each key is; made when somebody first asks.
    index: Option<HashMap<Box<str>, u64>>,
    readers: Vec<Sender<Arc<RawChange>>>,
    patches: Vec<Patch>,
}

impl Mirror {
    pub(super) const fn list(&self) -> &List {
        &self.list
    }

    pub(super) fn get(&mut self, key: &str) -> Option<Arc<RawEntry>> {
        let index = self.index.get_or_insert_with(|| {
            let place = |entry: &Arc<RawEntry>| (entry.key().into(), entry.order);
            self.list.iter().map(place).collect()
        });
        self.list.get(*index.get(key)?).cloned()
    }

    pub(super) fn add_reader(&mut self, reader: Sender<Arc<RawChange>>) {
        self.readers.retain(|reader| !reader.is_abandoned());
        self.readers.push(reader);
    }

    /// Takes over what the last frame did.
    fn follow(&mut self, tracker: &mut Tracker<Json>) {
        let mut patches = std::mem::take(&mut self.patches);
        match tracker.drain_patches(&mut patches) {
            CatchUp::Rebuild => {
                let entries = tracker.roster().iter();
                self.list = entries.map(|entry| RawEntry::new(&entry)).collect();
                self.index = None;
            }
            CatchUp::Patch => {
                for patch in &patches {
                    self.apply(*patch, tracker);
                }
            }
        }
        self.patches = patches;
        if self.readers.is_empty() {
            return;
        }
        // Where changes are to be coalesced, a turn is one frame.
        tracker.end_turn();
        let cause = if tracker.is_resync() {
            Cause::Resync
        } else {
            Cause::Diff
        };
        for change in tracker.changes() {
            let change = Arc::new(RawChange::new(&change, cause));
            self.readers
                .retain(|reader| reader.send(Arc::clone(&change)));
        }
    }

    fn apply(&mut self, patch: Patch, tracker: &Tracker<Json>) {
        let entry = patch.slot.and_then(|slot| tracker.roster().at(slot));
        if let Some(index) = &mut self.index
            && let Some(old) = self.list.get(patch.order)
        {
            index.remove(old.key());
        }
        match entry {
            Some(entry) => {
                let entry = RawEntry::new(&entry);
                if let Some(index) = &mut self.index {
                    index.insert(entry.key().into(), entry.order);
                }
                self.list.put(entry);
            }
            None => self.list.remove(patch.order),
        }
    }
}

type OnStep = Box<dyn FnMut(Option<Arc<RawEntry>>, Arc<RawEntry>) + Send>;

/// The callbacks of a presence, as phoenix.js has them: one of each kind.
#[derive(Default)]
pub(super) struct Callbacks {
    pub(super) on_join: Option<OnStep>,
    pub(super) on_leave: Option<OnStep>,
    pub(super) on_sync: Option<Box<dyn FnMut() + Send>>,
}

impl Callbacks {
    const fn wants_steps(&self) -> bool {
        self.on_join.is_some() || self.on_leave.is_some()
    }

    /// Those set meanwhile replace the ones that were taken out to be called.
    fn put_back(&mut self, called: Self) {
        self.on_join = self.on_join.take().or(called.on_join);
        self.on_leave = self.on_leave.take().or(called.on_leave);
        self.on_sync = self.on_sync.take().or(called.on_sync);
    }
}

struct Step {
    kind: StepKind,
    current: Option<Arc<RawEntry>>,
    other: Arc<RawEntry>,
}

/// What a frame leaves to be done once nothing is locked any more.
pub(crate) struct Due {
    presence: Arc<Shared>,
    steps: Vec<Step>,
}

/// One presence of a channel's.
pub(crate) struct Shared {
    pub(crate) options: PresenceOptions,
    pub(super) mirror: Arc<Mutex<Mirror>>,
    pub(super) callbacks: Mutex<Callbacks>,
    pub(crate) status: watch::Sender<PresenceStatus>,
}

impl Shared {
    pub(super) fn new(options: PresenceOptions) -> Self {
        Self {
            options,
            mirror: Arc::default(),
            callbacks: Mutex::default(),
            status: watch::Sender::new(PresenceStatus::Syncing),
        }
    }

    /// Has the tracker record what somebody wants to know, from the next frame on.
    pub(crate) fn tell_wants(&self, tracker: &mut Tracker<Json>) {
        let readers = {
            let mut mirror = self.mirror.lock();
            mirror.readers.retain(|reader| !reader.is_abandoned());
            !mirror.readers.is_empty()
        };
        tracker.set_changes(readers);
        tracker.set_steps(self.callbacks.lock().wants_steps());
    }

    /// The last frame was applied.
    pub(crate) fn follow(self: &Arc<Self>, tracker: &mut Tracker<Json>) -> Due {
        self.mirror.lock().follow(tracker);
        let step = |step: presence_core::presence::Step<'_, Json>| Step {
            kind: step.kind(),
            current: step.current().map(|current| RawEntry::new(&current)),
            other: RawEntry::new(&step.other()),
        };
        let steps = tracker.steps().map(step).collect();
        tracker.forget();
        Due {
            presence: Arc::clone(self),
            steps,
        }
    }

    /// The channel is over.
    pub(crate) fn close(&self) {
        self.status.send_replace(PresenceStatus::Closed);
        self.mirror.lock().readers.clear();
        drop(std::mem::take(&mut *self.callbacks.lock()));
    }
}

impl Due {
    /// Runs the callbacks: all joins, all leaves, the sync. One that panics is reported, and the others run.
    pub(crate) fn run(self) {
        let mut callbacks = std::mem::take(&mut *self.presence.callbacks.lock());
        for step in self.steps {
            let callback = match step.kind {
                StepKind::Join => &mut callbacks.on_join,
                StepKind::Leave => &mut callbacks.on_leave,
            };
            if let Some(callback) = callback {
                guarded(|| callback(step.current, step.other));
            }
        }
        if let Some(on_sync) = &mut callbacks.on_sync {
            guarded(on_sync);
        }
        self.presence.callbacks.lock().put_back(callbacks);
    }
}

fn guarded(callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("a callback of a presence panicked");
    }
}
