//! A topic of the socket's.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::backoff::Retry;
use crate::id::{PresenceId, PushId};
use crate::id_map::IdMap;

/// Where a channel stands; the words are phoenix.js's.
///
/// ```
/// use presence_core::{ChannelState, Config, Millis, Socket};
///
/// let mut socket: Socket<()> = Socket::new(Config::default());
/// let channel = socket.channel("room:lobby", None);
/// assert_eq!(socket.channel_state(channel), ChannelState::Closed);
/// socket.join(Millis(0), channel, None)?;
/// assert_eq!(socket.channel_state(channel).as_str(), "joining");
/// # Ok::<(), presence_core::JoinError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// Never joined, or left, or closed by the server.
    Closed,
    /// Lost its connection or its process, or was refused; rejoins by itself.
    Errored,
    /// Joined.
    Joined,
    /// The join is on its way.
    Joining,
    /// The leave is on its way.
    Leaving,
}

impl ChannelState {
    /// phoenix.js's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Errored => "errored",
            Self::Joined => "joined",
            Self::Joining => "joining",
            Self::Leaving => "leaving",
        }
    }
}

/// One channel: phoenix.js's `Channel`, without its callbacks.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) topic: Arc<str>,
    pub(crate) state: ChannelState,
    /// The timeout of pushes that name none, and of rejoins, in ms.
    pub(crate) timeout: u64,
    pub(crate) joined_once: bool,
    /// It hears of what the socket does: see [`Socket::remove`](crate::Socket::remove).
    pub(crate) listed: bool,
    pub(crate) join: PushId,
    pub(crate) rejoin: Retry,
    /// Pushes that wait for the join, by the number of their ids.
    pub(crate) buffer: IdMap<u64, PushId>,
    /// Likewise those that were sent, until they end or are told to be lost.
    pub(crate) sent: IdMap<u64, PushId>,
    pub(crate) presences: Vec<PresenceId>,
    /// The shell hands their payloads over itself.
    pub(crate) presences_by_shell: bool,
    /// The ref of the last join that was sent, as its text.
    pub(crate) join_text: Option<Box<str>>,
}
