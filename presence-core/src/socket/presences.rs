//! The presences of the socket's channels.

use crate::id::{ChannelId, PresenceId};

use super::Socket;

#[derive(Debug, Default)]
pub(super) struct Presences {
    pub(super) updated: Vec<PresenceId>,
}

impl<P: Clone> Socket<P> {
    pub(super) fn presences_rejoining(&mut self, _channel: ChannelId) {}
    pub(super) fn presences_stale(&mut self, _channel: ChannelId) {}
    pub(super) fn presences_closed(&mut self, _presences: &[PresenceId]) {}
}
