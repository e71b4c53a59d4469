use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::body::Carrier;
use super::body::sealed::Carry;
use super::error::PresenceError;
use super::json::Json;
use super::options::PresenceOptions;
use super::patches::{CatchUp, Patch};
use super::report::{Change, Step};
use super::roster::Roster;
use super::view::MetaRef;
use crate::codec::TextPayload;

/// The join that a channel is in when a frame arrives.
///
/// ```
/// use presence_core::presence::{Join, SyncStatus, Tracker};
///
/// let (empty, bob) = (r#"{}"#, r#"{"joins":{"bob":{"metas":[{"phx_ref":"b"}]}},"leaves":{}}"#);
/// let mut tracker: Tracker = Tracker::default();
/// let outcome = tracker.handle_state_json(empty, Join::answered("1"))?;
/// assert_eq!(outcome.status, Some(SyncStatus::Synced));
///
/// // A rejoin is on its way: what still comes is of the join before, and its state will override it.
/// tracker.handle_diff_json(bob, Join::unanswered("2"))?;
/// assert_eq!((tracker.status(), tracker.held()), (SyncStatus::Stale, 0));
///
/// // Answered, but its state is still to come: the diff waits for it.
/// tracker.handle_diff_json(bob, Join::answered("2"))?;
/// assert_eq!((tracker.roster().len(), tracker.held()), (0, 1));
/// tracker.handle_state_json(empty, Join::answered("2"))?;
/// assert_eq!((tracker.roster().len(), tracker.held()), (1, 0));
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join<'a> {
    /// Its ref, if the channel has been joined at all.
    pub join_ref: Option<&'a str>,
    /// Whether the server has answered it. Until then what arrives belongs to the join before.
    pub answered: bool,
}

impl<'a> Join<'a> {
    /// A join that the server has answered.
    pub fn answered(join_ref: &'a str) -> Self {
        Self {
            join_ref: Some(join_ref),
            answered: true,
        }
    }

    /// A join that the server has not answered yet.
    pub fn unanswered(join_ref: &'a str) -> Self {
        Self {
            join_ref: Some(join_ref),
            answered: false,
        }
    }
}

/// How far the roster can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncStatus {
    /// There has been no state yet.
    #[default]
    Syncing,
    /// The roster is the server's, up to the latest frame.
    Synced,
    /// The connection or the join was lost since: the roster is the last known one.
    Stale,
}

/// What came of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// The frame has been applied, and with a state the diffs that waited for it: one `onSync` is due.
    pub synced: bool,
    /// Too much is waiting for a state: the channel must be joined anew.
    pub rejoin: bool,
    /// The status, if the frame changed it.
    pub status: Option<SyncStatus>,
}

/// A [`Roster`] that follows a channel: diffs wait for the state of their join, a rejoin makes it stale, and the steps
/// and changes of the latest frame can be had as values.
///
/// ```
/// use presence_core::presence::{Join, Tracker};
///
/// let mut tracker = Tracker::default();
/// let join = Join::answered("1");
/// // The diff of the own join often comes before the state, and waits.
/// let diff = r#"{"joins":{"ann":{"metas":[{"phx_ref":"a"}]}},"leaves":{}}"#;
/// assert!(!tracker.handle_diff_json(diff, join)?.synced);
/// assert!(tracker.handle_state_json(r#"{"ann":{"metas":[{"phx_ref":"a"}]}}"#, join)?.synced);
/// assert_eq!(tracker.roster().len(), 1);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Debug)]
pub struct Tracker<C: Carrier = Json> {
    roster: Roster<C>,
    options: PresenceOptions,
    reading: C::Options,
    status: SyncStatus,
    /// The join of the latest state.
    synced_join: Option<Box<str>>,
    /// The join that the held diffs belong to.
    held_join: Option<Box<str>>,
    held: Vec<C::Held>,
    held_bytes: usize,
    /// There was too much to hold under `held_join`: its state would come too late.
    overflowed: bool,
    /// Frames have been applied whose changes are still to be worked out together.
    turn_goes_on: bool,
}

impl<C: Carrier> Default for Tracker<C> {
    fn default() -> Self {
        Self::new(PresenceOptions::default())
    }
}

impl<C: Carrier> Tracker<C> {
    /// An empty roster that waits for a state.
    pub fn new(options: PresenceOptions) -> Self {
        Self {
            roster: Roster::default(),
            reading: C::reading(&options),
            options,
            status: SyncStatus::default(),
            synced_join: None,
            held_join: None,
            held: Vec::new(),
            held_bytes: 0,
            overflowed: false,
            turn_goes_on: false,
        }
    }

    /// Who is there.
    pub fn roster(&self) -> &Roster<C> {
        &self.roster
    }

    /// What was asked for.
    pub fn options(&self) -> &PresenceOptions {
        &self.options
    }

    /// How far the roster can be relied on.
    pub fn status(&self) -> SyncStatus {
        self.status
    }

    /// Whether the latest state was that of this join, so that its diffs are applied and not held back.
    pub fn is_synced_with(&self, join_ref: Option<&str>) -> bool {
        join_ref.is_some() && self.synced_join.as_deref() == join_ref
    }

    /// How many diffs are waiting for a state.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether to keep the steps of each frame, from the next one on. They cost nothing when nobody wants them.
    pub fn set_steps(&mut self, wanted: bool) {
        self.roster.record.steps_wanted = wanted;
    }

    /// Whether to keep the changes of each frame, from the next one on. They cost nothing when nobody wants them.
    pub fn set_changes(&mut self, wanted: bool) {
        self.roster.record.changes_wanted = wanted;
    }

    /// The steps of the latest frame that was applied, in phoenix.js's order: for a state or a diff all joins and then
    /// all leaves; after a state those of the diffs that had waited for it, one after the other.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = Step<'_, C>> {
        self.roster.steps()
    }

    /// What the latest frame that was applied did as a whole, one change a presence; a state and the diffs that had
    /// waited for it count as one.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_, C>> {
        self.roster.changes()
    }

    /// Whether the changes are those of a state (and not of diffs alone).
    pub fn is_resync(&self) -> bool {
        self.roster.record.resync
    }

    /// See [`Roster::drain_patches`].
    pub fn drain_patches(&mut self, patches: &mut Vec<Patch>) -> CatchUp {
        self.roster.drain_patches(patches)
    }

    /// Forgets the steps and changes of the latest frame, which otherwise stay in memory until the next.
    pub fn forget(&mut self) {
        self.turn_goes_on = false;
        self.roster.expire();
    }

    /// The connection or the join was lost: what was synced is stale now. Gives the status if that changed it.
    pub fn handle_stale(&mut self) -> Option<SyncStatus> {
        (self.status == SyncStatus::Synced)
            .then(|| self.set_status(SyncStatus::Stale))
            .flatten()
    }

    /// Back to the beginning: an empty roster, nothing held back, no state yet. No steps and no changes tell of it;
    /// a mirror is told to rebuild. Gives the status if that changed it.
    pub fn reset(&mut self) -> Option<SyncStatus> {
        self.turn_goes_on = false;
        self.roster.clear();
        self.drop_held();
        self.held_join = None;
        self.synced_join = None;
        self.set_status(SyncStatus::Syncing)
    }

    /// A state arrived: applies it, and then the diffs that waited for it.
    ///
    /// # Errors
    ///
    /// When the frame is malformed or no state. Nothing has changed then.
    pub fn handle_state<'a>(
        &mut self,
        source: impl Into<C::Source<'a>>,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        let source = source.into();
        self.begin_frame();
        C::stage_state(&mut self.roster, source, &mut self.reading)?;
        self.apply_state(join)
    }

    /// A state arrived that is known to say what the roster says, in whatever order: as [`Tracker::handle_state`],
    /// but there is nothing to read.
    ///
    /// # Errors
    ///
    /// As there, should the roster be full.
    ///
    /// ```
    /// use presence_core::presence::{Join, SyncStatus, Tracker};
    ///
    /// let mut tracker = Tracker::default();
    /// tracker.set_changes(true);
    /// tracker.handle_state_json(r#"{"ann":{"metas":[{"phx_ref":"a"}]}}"#, Join::answered("1"))?;
    /// let _ = tracker.handle_stale();
    /// // The rejoin's state brings no news.
    /// assert!(tracker.handle_same_state(Join::answered("2"))?.synced);
    /// assert_eq!(tracker.status(), SyncStatus::Synced);
    /// assert_eq!((tracker.roster().len(), tracker.changes().len()), (1, 0));
    /// # Ok::<(), presence_core::presence::PresenceError>(())
    /// ```
    pub fn handle_same_state(&mut self, join: Join<'_>) -> Result<Outcome, PresenceError> {
        self.begin_frame();
        self.roster.stage_all_unchanged()?;
        self.apply_state(join)
    }

    /// Applies the state that is staged.
    fn apply_state(&mut self, join: Join<'_>) -> Result<Outcome, PresenceError> {
        if self.held_join.as_deref() != join.join_ref {
            self.drop_held();
        } else if self.overflowed {
            // Diffs are missing that this state may not contain.
            self.roster.unstage_all();
            return Ok(Outcome {
                rejoin: true,
                ..Outcome::default()
            });
        }
        self.roster.record.resync = true;
        self.roster.record.may_return |= !self.held.is_empty();
        self.roster.commit_state();
        self.held_bytes = 0;
        for held in core::mem::take(&mut self.held) {
            // It was read once before it was held; it cannot fail now.
            C::stage_diff(&mut self.roster, C::release(&held), &mut self.reading)?;
            self.roster.commit_diff();
        }
        self.finish_frame();
        self.synced_join = join.join_ref.map(Box::from);
        let status = self.set_status(SyncStatus::Synced);
        Ok(Outcome {
            synced: true,
            rejoin: false,
            status,
        })
    }

    /// A diff arrived: applies it, or holds it back until the state of its join.
    ///
    /// One that arrives while a join is unanswered belongs to the join before, which the state to come overrides: it
    /// is read and let go.
    ///
    /// # Errors
    ///
    /// When the frame is malformed or no diff. Nothing has changed then.
    pub fn handle_diff<'a>(
        &mut self,
        source: impl Into<C::Source<'a>>,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        let source = source.into();
        self.begin_frame();
        let is_current = self.is_synced_with(join.join_ref);
        if !is_current && !self.options.diffs_without_state {
            C::stage_diff(&mut self.roster, source.clone(), &mut self.reading)?;
            self.roster.unstage_all();
            return self.hold(source, join);
        }
        C::stage_diff(&mut self.roster, source, &mut self.reading)?;
        self.apply_diff();
        let status = if is_current {
            None
        } else {
            self.set_status(SyncStatus::Synced)
        };
        Ok(Outcome {
            synced: true,
            rejoin: false,
            status,
        })
    }

    fn apply_diff(&mut self) {
        self.roster.record.resync &= self.turn_goes_on;
        self.roster.commit_diff();
        self.finish_frame();
    }

    /// What came of the frames before expires, unless they are of the same turn.
    fn begin_frame(&mut self) {
        if self.turn_goes_on {
            self.roster.record.may_return = true;
        } else {
            self.roster.expire();
        }
    }

    fn finish_frame(&mut self) {
        if self.options.coalesce && self.roster.record.changes_wanted {
            self.turn_goes_on = true;
        } else {
            self.roster.finish_batch();
        }
    }

    /// Where changes are coalesced ([`PresenceOptions::coalesce`]): works out what the frames since the last call did
    /// together, which [`Tracker::changes`] then gives until the next frame. False if there were none.
    pub fn end_turn(&mut self) -> bool {
        let goes_on = core::mem::take(&mut self.turn_goes_on);
        if goes_on {
            self.roster.finish_batch();
        }
        goes_on
    }

    fn hold(&mut self, source: C::Source<'_>, join: Join<'_>) -> Result<Outcome, PresenceError> {
        let status = self.handle_stale();
        if self.held_join.as_deref() != join.join_ref {
            self.drop_held();
            self.held_join = join.join_ref.map(Box::from);
        }
        if join.join_ref.is_some() && !join.answered {
            return Ok(Outcome {
                status,
                ..Outcome::default()
            });
        }
        if !self.overflowed {
            let held = C::hold(source)?;
            self.held_bytes += C::held_bytes(&held);
            self.held.push(held);
            let limit = self.options.held_limit;
            if self.held.len() > limit.diffs || self.held_bytes > limit.bytes {
                self.drop_held();
                self.overflowed = true;
            }
        }
        Ok(Outcome {
            synced: false,
            rejoin: self.overflowed,
            status,
        })
    }

    fn drop_held(&mut self) {
        self.held = Vec::new();
        self.held_bytes = 0;
        self.overflowed = false;
    }

    fn set_status(&mut self, status: SyncStatus) -> Option<SyncStatus> {
        (core::mem::replace(&mut self.status, status) != status).then_some(status)
    }
}

impl Tracker<Json> {
    /// The diffs that are waiting for a state, as their JSON.
    pub fn held_payloads(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|held| &**held)
    }

    /// Where the values of a meta's properties are in its [`raw`](MetaRef::raw) JSON, in `places`: strings without their
    /// quotes, numbers and literals as they are. Metas with the same layout have properties of the same names in the
    /// same order, so that whoever has parsed one can put others together without parsing.
    ///
    /// `None`, and nothing useful in `places`, unless the meta is built as those of some other presence of late, and
    /// an object of numbers, literals and strings without escapes, whose names JavaScript keeps in the order written.
    ///
    /// ```
    /// use presence_core::presence::Tracker;
    ///
    /// let mut tracker = Tracker::default();
    /// tracker.sync_state(
    ///     r#"{"ann":{"metas":[{"phx_ref":"a","tabs":1}]},
    ///         "bob":{"metas":[{"phx_ref":"b","tabs":2}]},"cy":{"metas":[{"phx_ref":"c","tabs":3}]}}"#,
    /// )?;
    /// let metas = tracker.roster().iter().flat_map(|presence| presence.metas());
    /// let mut places = Vec::new();
    /// for meta in metas {
    ///     assert!(tracker.layout(meta, &mut places).is_some());
    ///     let [reference, tabs] = &places[..] else { panic!("two values") };
    ///     assert_eq!(meta.reference().as_deref(), meta.raw().get(reference.clone()));
    ///     assert!(matches!(&meta.raw()[tabs.clone()], "1" | "2" | "3"));
    /// }
    /// # Ok::<(), presence_core::presence::PresenceError>(())
    /// ```
    pub fn layout(&self, meta: MetaRef<'_, Json>, places: &mut Vec<Range<usize>>) -> Option<u32> {
        self.reading.shapes.layout(meta.raw_bytes(), places)
    }

    /// As [`Tracker::handle_state`], with the payload alone.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_state_json(
        &mut self,
        payload: &str,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        self.handle_state(TextPayload::bare(payload), join)
    }

    /// As [`Tracker::handle_diff`], with the payload alone.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_diff_json(
        &mut self,
        payload: &str,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        self.handle_diff(TextPayload::bare(payload), join)
    }

    /// Applies a state at once, whatever the join: phoenix.js's `Presence.syncState`.
    ///
    /// # Errors
    ///
    /// As [`Tracker::handle_state`].
    pub fn sync_state(&mut self, payload: &str) -> Result<(), PresenceError> {
        self.begin_frame();
        Json::stage_state(
            &mut self.roster,
            TextPayload::bare(payload),
            &mut self.reading,
        )?;
        self.roster.record.resync = true;
        self.roster.commit_state();
        self.finish_frame();
        Ok(())
    }

    /// Applies a diff at once, whatever the join: phoenix.js's `Presence.syncDiff`.
    ///
    /// # Errors
    ///
    /// As [`Tracker::handle_diff`].
    pub fn sync_diff(&mut self, payload: &str) -> Result<(), PresenceError> {
        self.begin_frame();
        Json::stage_diff(
            &mut self.roster,
            TextPayload::bare(payload),
            &mut self.reading,
        )?;
        self.apply_diff();
        Ok(())
    }
}
