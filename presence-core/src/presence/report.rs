//! Steps and changes as values.

use alloc::borrow::Cow;
use core::fmt;

use super::arena::Arena;
use super::body::Carrier;
use super::record::{ChangeKind, ChangeRecord, StepKind, StepRecord};
use super::roster::Roster;
use super::view::{MetaRef, PresenceRef};

/// One call that phoenix.js would make to `onJoin` or `onLeave`.
///
/// ```
/// use presence_core::presence::{StepKind, Tracker};
///
/// let mut tracker: Tracker = Tracker::default();
/// tracker.set_steps(true);
/// tracker.sync_state(r#"{"ann":{"metas":[{"phx_ref":"a"}]}}"#)?;
/// // An update is a join and a leave to phoenix.js.
/// let diff = r#"{
///     "joins": {"ann": {"metas": [{"phx_ref":"b"}]}},
///     "leaves": {"ann": {"metas": [{"phx_ref":"a"}]}}
/// }"#;
/// tracker.sync_diff(diff)?;
/// let steps: Vec<_> = tracker.steps().map(|step| (step.kind(), step.other().len())).collect();
/// assert_eq!(steps, [(StepKind::Join, 1), (StepKind::Leave, 1)]);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Step<'a, C: Carrier> {
    arena: &'a Arena,
    record: &'a StepRecord<C>,
}

impl<C: Carrier> fmt::Debug for Step<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("kind", &self.kind())
            .field("current", &self.current())
            .field("other", &self.other())
            .finish()
    }
}

impl<'a, C: Carrier> Step<'a, C> {
    /// Which of the two it would call.
    pub fn kind(&self) -> StepKind {
        self.record.kind
    }

    /// The presence's key; a lone surrogate in it reads as U+FFFD.
    pub fn key(&self) -> Cow<'a, str> {
        self.other().key()
    }

    /// On a join what was there before, if anything; on a leave what is left, which may have no metas.
    pub fn current(&self) -> Option<PresenceRef<'a, C>> {
        let body = self.record.current.as_ref()?;
        Some(PresenceRef::new(self.arena, self.record.key, body, None))
    }

    /// What joined or left, with just the metas that did.
    pub fn other(&self) -> PresenceRef<'a, C> {
        PresenceRef::new(self.arena, self.record.key, &self.record.other, None)
    }
}

/// What a frame as a whole did to one presence: an update is an update, and a ref that was there already is no join.
///
/// ```
/// use presence_core::presence::{ChangeKind, Tracker};
///
/// let mut tracker: Tracker = Tracker::default();
/// tracker.set_changes(true);
/// tracker.sync_state(r#"{"ann":{"metas":[{"phx_ref":"a"}]}}"#)?;
/// let diff = r#"{
///     "joins": {"ann": {"metas": [{"phx_ref":"b"}]}},
///     "leaves": {"ann": {"metas": [{"phx_ref":"a"}]}}
/// }"#;
/// tracker.sync_diff(diff)?;
/// let change = tracker.changes().next().expect("ann was updated");
/// assert_eq!((&*change.key(), change.kind()), ("ann", ChangeKind::Updated));
/// assert_eq!(change.joined().next().map(|meta| meta.raw()), Some(r#"{"phx_ref":"b"}"#));
/// assert_eq!(change.left().next().map(|meta| meta.raw()), Some(r#"{"phx_ref":"a"}"#));
/// assert!(change.before().is_some() && change.after().is_some());
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Change<'a, C: Carrier> {
    arena: &'a Arena,
    record: &'a ChangeRecord<C>,
}

impl<C: Carrier> fmt::Debug for Change<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("kind", &self.kind())
            .field("before", &self.before())
            .field("after", &self.after())
            .finish_non_exhaustive()
    }
}

impl<'a, C: Carrier> Change<'a, C> {
    /// What happened.
    pub fn kind(&self) -> ChangeKind {
        self.record.kind
    }

    /// The presence's key; a lone surrogate in it reads as U+FFFD.
    pub fn key(&self) -> Cow<'a, str> {
        crate::json::lossy(self.key_wtf8())
    }

    /// The presence's key in WTF-8: see [`PresenceRef::key_wtf8`].
    pub fn key_wtf8(&self) -> &'a [u8] {
        self.arena.get(self.record.key)
    }

    /// The presence as it was; `None` if it was not there.
    pub fn before(&self) -> Option<PresenceRef<'a, C>> {
        let body = self.record.before.as_ref()?;
        Some(PresenceRef::new(self.arena, self.record.key, body, None))
    }

    /// The presence as it is; `None` if it is gone.
    pub fn after(&self) -> Option<PresenceRef<'a, C>> {
        let body = self.record.after.as_ref()?;
        Some(PresenceRef::new(self.arena, self.record.key, body, None))
    }

    /// The metas that came.
    pub fn joined(&self) -> impl ExactSizeIterator<Item = MetaRef<'a, C>> + use<'a, C> {
        MetaRef::all(self.arena, self.record.joined.as_slice())
    }

    /// The metas that went.
    pub fn left(&self) -> impl ExactSizeIterator<Item = MetaRef<'a, C>> + use<'a, C> {
        MetaRef::all(self.arena, self.record.left.as_slice())
    }
}

impl<C: Carrier> Roster<C> {
    pub(super) fn steps(&self) -> impl ExactSizeIterator<Item = Step<'_, C>> {
        self.record.steps.iter().map(|record| Step {
            arena: &self.arena,
            record,
        })
    }

    pub(super) fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_, C>> {
        self.record.changes.iter().map(|record| Change {
            arena: &self.arena,
            record,
        })
    }
}
