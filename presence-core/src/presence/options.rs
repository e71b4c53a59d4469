use alloc::borrow::ToOwned;
use alloc::string::String;

/// How a [`Tracker`](super::Tracker) behaves.
///
/// ```
/// use presence_core::presence::{PresenceOptions, Tracker};
///
/// // A server that never sends a state, and numbers its metas under another name.
/// let mut options = PresenceOptions::default();
/// options.diffs_without_state = true;
/// options.ref_field = "id".to_owned();
/// let mut tracker: Tracker = Tracker::new(options);
/// tracker.sync_diff(r#"{"joins":{"ann":{"metas":[{"id":"1"}]}},"leaves":{}}"#)?;
/// let ann = tracker.roster().get("ann").and_then(|ann| ann.metas().next());
/// assert_eq!(ann.and_then(|meta| meta.reference()).as_deref(), Some("1"));
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PresenceOptions {
    /// The event that brings the whole state: `presence_state`.
    pub state_event: String,
    /// The event that brings a difference: `presence_diff`.
    pub diff_event: String,
    /// The field of a meta that tells it from all others: `phx_ref`.
    pub ref_field: String,
    /// For servers that never send a state: diffs are applied from the start, and the roster counts as synced with
    /// the first of them. Off by default: diffs wait for the state, as in phoenix.js.
    pub diffs_without_state: bool,
    /// The changes of several frames count as one batch, until [`Tracker::end_turn`](super::Tracker::end_turn): who
    /// came and left between is no change, and who was updated twice is one update. What was overwritten meanwhile
    /// stays in memory until then. Off by default: each frame has changes of its own.
    pub coalesce: bool,
    /// How much may wait for a state.
    pub held_limit: HeldLimit,
}

/// How many diffs may wait for the state of their join, and how many bytes of them. Beyond it none is dropped alone:
/// all are, and the channel has to be joined anew, which [`Outcome::rejoin`](super::Outcome::rejoin) says.
///
/// ```
/// use presence_core::presence::{HeldLimit, Join, PresenceOptions, Tracker};
///
/// let mut options = PresenceOptions::default();
/// options.held_limit = HeldLimit { diffs: 1, ..HeldLimit::default() };
/// let mut tracker: Tracker = Tracker::new(options);
/// let join = Join::answered("1");
/// assert!(!tracker.handle_diff_json(r#"{"joins":{},"leaves":{}}"#, join)?.rejoin);
/// assert!(tracker.handle_diff_json(r#"{"joins":{},"leaves":{}}"#, join)?.rejoin);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLimit {
    /// 10,000 by default.
    pub diffs: usize,
    /// 16 MiB by default.
    pub bytes: usize,
}

impl Default for HeldLimit {
    fn default() -> Self {
        Self {
            diffs: 10_000,
            bytes: 16 << 20,
        }
    }
}

impl Default for PresenceOptions {
    fn default() -> Self {
        Self {
            state_event: "presence_state".to_owned(),
            diff_event: "presence_diff".to_owned(),
            ref_field: "phx_ref".to_owned(),
            diffs_without_state: false,
            coalesce: false,
            held_limit: HeldLimit::default(),
        }
    }
}
