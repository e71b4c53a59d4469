//! Presence: who is in a channel, from the states and diffs that a Phoenix server sends.
//!
//! A [`Roster`] is the ordered state, a [`Tracker`] the roster of a channel, and [`Presence`] a tracker with callbacks.
//! All of it does what phoenix.js 1.8.16 does (`assets/js/phoenix/presence.js`), down to the order of keys, metas and
//! callbacks, with these differences, which are meant:
//!
//! - Diffs that arrive before a state belong to the join they came under; a rejoin drops them.
//! - A state refreshes what stands beside the metas even of a presence whose refs did not change.
//! - A frame that is no state or diff is an error and changes nothing. phoenix.js throws at such frames too, some of
//!   them only half-way; it accepts a new presence without an array of metas, and then throws at the next frame.
//! - Callbacks run after the whole frame has been applied.
//!
//! What is odd but works in phoenix.js works here: metas that are no objects or have no ref (which are equal then),
//! the same ref twice, presences without metas, any key.

mod apply;
mod arena;
mod body;
mod callbacks;
mod entry;
mod error;
mod indexed;
mod json;
mod options;
mod patches;
mod places;
mod read;
mod record;
mod reference;
mod report;
mod rewrite;
mod roster;
mod shape;
mod sort;
mod stage;
mod tracker;
mod values;
mod view;

pub use body::Carrier;
pub use callbacks::Presence;
pub use error::{PresenceError, ShapeProblem};
pub use json::Json;
pub use options::{HeldLimit, PresenceOptions};
pub use patches::{CatchUp, Patch};
pub use record::{ChangeKind, StepKind};
pub use report::{Change, Step};
pub use roster::{Roster, SlotId};
pub use tracker::{Join, Outcome, SyncStatus, Tracker};
pub use values::{Values, ValuesFrame};
pub use view::{MetaRef, PresenceRef};
