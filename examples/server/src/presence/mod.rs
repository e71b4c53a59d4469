//! Who is on a topic, the way `Phoenix.Presence` and `Phoenix.Tracker` keep it on one node.

mod diff;
mod meta;
mod roster;

pub(crate) use diff::{Diff, groups_json};
pub use meta::Meta;
pub(crate) use meta::RefSource;
pub(crate) use roster::Roster;
pub use roster::TrackError;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The metas of one or more keys, keys in order.
pub(crate) type Groups = BTreeMap<String, Vec<Arc<Meta>>>;

/// What `fetch/2` is in Phoenix: given a topic, a key and its metas, the fields to stand beside
/// `metas`. It is called for every state and for both halves of every diff, and sees only the
/// metas of that message. A field named `metas` is left out.
pub(crate) type Fetch = dyn Fn(&str, &str, &[Arc<Meta>]) -> Map<String, Value> + Send + Sync;

/// Something that owns presences: a channel's process in Phoenix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessId(pub(crate) u64);
