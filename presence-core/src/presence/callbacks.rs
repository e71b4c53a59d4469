use alloc::boxed::Box;
use core::fmt;

use super::error::PresenceError;
use super::json::Json;
use super::options::PresenceOptions;
use super::record::StepKind;
use super::roster::Roster;
use super::tracker::{Join, Outcome, Tracker};
use super::view::PresenceRef;
use crate::codec::TextFrame;

type OnStep = Box<dyn FnMut(&str, Option<PresenceRef<'_, Json>>, PresenceRef<'_, Json>) + Send>;
type OnSync = Box<dyn FnMut(&Roster<Json>) + Send>;

/// A [`Tracker`] with phoenix.js's three callbacks, which run once a whole frame has been applied.
///
/// ```
/// use presence_core::presence::Presence;
/// use std::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// let mut presence = Presence::default();
/// presence.on_join(move |key, current, new| {
///     let devices = current.map_or(0, |current| current.len()) + new.len();
///     let _ = sender.send(format!("{key} is on {devices} devices"));
/// });
/// presence.sync_state(r#"{"ann":{"metas":[{"phx_ref":"a"}]}}"#)?;
/// presence.sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"b"}]}},"leaves":{}}"#)?;
/// assert_eq!(receiver.try_iter().collect::<Vec<_>>(), ["ann is on 1 devices", "ann is on 2 devices"]);
/// assert_eq!(presence.get("ann").map(|ann| ann.len()), Some(2));
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Default)]
pub struct Presence {
    tracker: Tracker<Json>,
    on_join: Option<OnStep>,
    on_leave: Option<OnStep>,
    on_sync: Option<OnSync>,
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence")
            .field("tracker", &self.tracker)
            .finish_non_exhaustive()
    }
}

impl Presence {
    /// An empty roster.
    pub fn new(options: PresenceOptions) -> Self {
        Self {
            tracker: Tracker::new(options),
            ..Self::default()
        }
    }

    /// Sets what to call for each presence that joins, and for each that gets more metas: with the key, what was there
    /// before, and what joined.
    pub fn on_join(
        &mut self,
        callback: impl FnMut(&str, Option<PresenceRef<'_, Json>>, PresenceRef<'_, Json>)
        + Send
        + 'static,
    ) {
        self.on_join = Some(Box::new(callback));
        self.tracker.set_steps(true);
    }

    /// Sets what to call for each presence that leaves, and for each that loses some metas: with the key, what is left
    /// (without metas, if it is gone), and what left.
    pub fn on_leave(
        &mut self,
        callback: impl FnMut(&str, Option<PresenceRef<'_, Json>>, PresenceRef<'_, Json>)
        + Send
        + 'static,
    ) {
        self.on_leave = Some(Box::new(callback));
        self.tracker.set_steps(true);
    }

    /// Sets what to call after each frame that was applied.
    pub fn on_sync(&mut self, callback: impl FnMut(&Roster<Json>) + Send + 'static) {
        self.on_sync = Some(Box::new(callback));
    }

    /// The tracker within.
    pub fn tracker(&self) -> &Tracker<Json> {
        &self.tracker
    }

    /// All presences, in order.
    pub fn list(&self) -> impl Iterator<Item = PresenceRef<'_, Json>> {
        self.tracker.roster().iter()
    }

    /// The presence with this key.
    pub fn get(&self, key: &str) -> Option<PresenceRef<'_, Json>> {
        self.tracker.roster().get(key)
    }

    /// How many presences there are.
    pub fn len(&self) -> usize {
        self.tracker.roster().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tracker.roster().is_empty()
    }

    /// Applies a state at once.
    ///
    /// # Errors
    ///
    /// When the payload is malformed or no state. Nothing has changed then, and nothing is called.
    pub fn sync_state(&mut self, payload: &str) -> Result<(), PresenceError> {
        self.tracker.sync_state(payload)?;
        self.call(true);
        Ok(())
    }

    /// Applies a diff at once.
    ///
    /// # Errors
    ///
    /// When the payload is malformed or no diff. Nothing has changed then, and nothing is called.
    pub fn sync_diff(&mut self, payload: &str) -> Result<(), PresenceError> {
        self.tracker.sync_diff(payload)?;
        self.call(true);
        Ok(())
    }

    /// A channel's state arrived: see [`Tracker::handle_state`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_state(
        &mut self,
        frame: TextFrame<'_>,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        let outcome = self.tracker.handle_state(frame, join)?;
        self.call(outcome.synced);
        Ok(outcome)
    }

    /// A channel's diff arrived: see [`Tracker::handle_diff`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_diff(
        &mut self,
        frame: TextFrame<'_>,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        let outcome = self.tracker.handle_diff(frame, join)?;
        self.call(outcome.synced);
        Ok(outcome)
    }

    fn call(&mut self, synced: bool) {
        for step in self.tracker.steps() {
            let callback = match step.kind() {
                StepKind::Join => &mut self.on_join,
                StepKind::Leave => &mut self.on_leave,
            };
            if let Some(callback) = callback {
                callback(&step.key(), step.current(), step.other());
            }
        }
        if let Some(callback) = self.on_sync.as_mut().filter(|_| synced) {
            callback(self.tracker.roster());
        }
    }
}
