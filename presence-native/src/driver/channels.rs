//! Joins, pushes and leaves, and how they end.

use std::sync::Arc;
use std::time::Duration;

use presence_core::message::ReplyError;
use presence_core::{ChannelId, PushId};
use tokio::sync::oneshot;

use super::{Command, Driver, Outcome, PushRequest, Waiting};
use crate::channel::{self, ChannelError, ChannelStatus, CloseReason};
use crate::error::{Disconnect, JoinError, PushError};
use crate::message::Reply;
use crate::presence;

type Joiner = oneshot::Sender<Result<Reply, JoinError>>;

/// A channel that the core has.
pub(super) struct Entry {
    pub(super) shared: Arc<channel::Shared>,
    /// Who waits for the answer to a join.
    joiners: Vec<Joiner>,
    /// The answer to the last join, while it is joined.
    joined: Option<Reply>,
    refused: Option<Reply>,
    presences: Vec<presence_core::PresenceId>,
}

impl Entry {
    fn finish_joins(&mut self, outcome: &Result<Reply, JoinError>) {
        for joiner in self.joiners.drain(..) {
            // Who has dropped its future does not want to know.
            let _ = joiner.send(outcome.clone());
        }
    }
}

impl Driver {
    pub(super) fn handle_command(&mut self, command: Command) {
        match command {
            Command::Join(channel, joiner) => self.join(&channel, joiner),
            Command::Push(request) => self.push(*request),
            Command::Leave(channel, left) => {
                self.leave(&channel);
                // Whoever waited finds the channel closed.
                self.pump();
                let _ = left.send(());
            }
        }
    }

    pub(super) fn channel_made(&mut self, channel: Arc<channel::Shared>) {
        // Its join may have been faster.
        if channel.id.get().is_none() {
            self.unjoined.push(channel);
        }
    }

    fn forget_unjoined(&mut self, channel: &Arc<channel::Shared>) {
        self.unjoined.retain(|other| !Arc::ptr_eq(other, channel));
    }

    fn join(&mut self, channel: &Arc<channel::Shared>, joiner: Joiner) {
        if self.gave_up {
            let why = self.lost.clone().unwrap_or(Disconnect::Shutdown);
            let _ = joiner.send(Err(JoinError::Socket(why)));
            return;
        }
        let id = match channel.id.get() {
            Some(id) => Some(*id),
            // Left before.
            None if channel.is_closed() => None,
            None => Some(self.begin(channel)),
        };
        let Some(entry) = id.and_then(|id| self.channels.get_mut(&id)) else {
            let topic = Arc::clone(&channel.topic);
            let _ = joiner.send(Err(JoinError::Closed { topic }));
            return;
        };
        match &entry.joined {
            Some(reply) => drop(joiner.send(Ok(reply.clone()))),
            None => {
                entry.joiners.retain(|joiner| !joiner.is_closed());
                entry.joiners.push(joiner);
            }
        }
    }

    /// Makes the core's channel, with its presences, and joins it.
    fn begin(&mut self, channel: &Arc<channel::Shared>) -> ChannelId {
        let id = self
            .core
            .channel(&channel.topic, channel.options.params.clone());
        self.forget_unjoined(channel);
        // This task alone sets it, once.
        let _ = channel.id.set(id);
        let mut presences = Vec::new();
        for presence in channel.presences.lock().take().unwrap_or_default() {
            let presence_id = self.core.track(id, presence.options.clone());
            self.presences.insert(presence_id, presence);
            presences.push(presence_id);
        }
        *self.shared.presence_gate.lock() = true;
        self.channels.insert(
            id,
            Box::new(Entry {
                shared: Arc::clone(channel),
                joiners: Vec::new(),
                joined: None,
                refused: None,
                presences,
            }),
        );
        let timeout = channel.options.timeout.map(millis);
        match self.core.join(self.now(), id, timeout) {
            Ok(join) => {
                self.pushes.insert(join, Waiting::Join(id));
                channel.set_status(ChannelStatus::Joining);
            }
            Err(error) => {
                tracing::error!(topic = %channel.topic, %error, "a new channel can't be joined")
            }
        }
        id
    }

    fn push(&mut self, request: PushRequest) {
        let Some(id) = request.channel.id.get() else {
            return request.outcome.fail(match request.channel.is_closed() {
                true => PushError::Closed,
                false => PushError::NotJoined,
            });
        };
        let timeout = request.timeout.map(millis);
        let now = self.now();
        match self
            .core
            .push(now, *id, &request.event, request.payload, timeout)
        {
            Ok(push) => {
                self.pushes.insert(push, Waiting::Push(request.outcome));
            }
            Err(error) => request.outcome.fail(match error {
                presence_core::PushError::BufferFull(waiting) => PushError::BufferFull(waiting),
                presence_core::PushError::NotJoined { .. } => PushError::NotJoined,
                _ => PushError::Closed,
            }),
        }
    }

    pub(super) fn leave(&mut self, channel: &Arc<channel::Shared>) {
        match channel.id.get() {
            Some(id) => drop(self.core.leave(self.now(), *id, None)),
            None => {
                self.forget_unjoined(channel);
                channel.close(CloseReason::Left);
            }
        }
    }

    /// A push was handed to a connection.
    pub(super) fn push_sent(&mut self, push: PushId) {
        if let Some(Waiting::Push(Outcome::Sent(_))) = self.pushes.get(&push)
            && let Some(Waiting::Push(Outcome::Sent(sent))) = self.pushes.remove(&push)
        {
            let _ = sent.send(Ok(()));
        }
    }

    /// There will be no reply.
    pub(super) fn fail_push(&mut self, push: PushId, error: PushError) {
        if let Some(Waiting::Push(outcome)) = self.pushes.remove(&push) {
            outcome.fail(error);
        }
    }

    /// The join of a channel is on its way.
    pub(super) fn join_sent(&mut self, channel: ChannelId) {
        if let Some(entry) = self.channels.get_mut(&channel) {
            entry.joined = None;
            entry.shared.set_status(ChannelStatus::Joining);
        }
    }

    pub(super) fn replied(&mut self, push: PushId, reply: Result<Reply, ReplyError>) {
        if let Some(Waiting::Join(channel)) = self.pushes.get(&push) {
            let channel = *channel;
            match reply {
                Ok(reply) => self.join_replied(channel, reply),
                Err(error) => self.join_answered_badly(channel, error),
            }
        } else if let Some(Waiting::Push(outcome)) = self.pushes.remove(&push) {
            outcome.replied(match reply {
                Ok(reply) if reply.is_ok() => Ok(reply),
                Ok(reply) => Err(PushError::Refused(reply)),
                Err(error) => Err(error.into()),
            });
        }
    }

    fn join_replied(&mut self, channel: ChannelId, reply: Reply) {
        let Some(entry) = self.channels.get_mut(&channel) else {
            return;
        };
        if reply.is_ok() {
            entry.joined = Some(reply.clone());
            entry.shared.set_status(ChannelStatus::Joined);
            entry.finish_joins(&Ok(reply));
        } else {
            tracing::warn!(topic = %entry.shared.topic, %reply, "the join was refused");
            entry.refused = Some(reply.clone());
            let error = ChannelError::Refused(reply.clone());
            entry.shared.set_status(ChannelStatus::Errored(error));
            let topic = Arc::clone(&entry.shared.topic);
            entry.finish_joins(&Err(JoinError::Refused { topic, reply }));
        }
    }

    fn join_answered_badly(&mut self, channel: ChannelId, error: ReplyError) {
        if let Some(entry) = self.channels.get_mut(&channel) {
            let topic = Arc::clone(&entry.shared.topic);
            tracing::warn!(%topic, %error, "the answer to a join is malformed");
            let status = ChannelStatus::Errored(ChannelError::Reply(error.clone()));
            entry.shared.set_status(status);
            entry.finish_joins(&Err(JoinError::Reply { topic, error }));
        }
    }

    pub(super) fn push_timed_out(&mut self, push: PushId) {
        if let Some(Waiting::Join(channel)) = self.pushes.get(&push) {
            let Some(entry) = self.channels.get_mut(channel) else {
                return;
            };
            let topic = Arc::clone(&entry.shared.topic);
            tracing::warn!(%topic, "the join was not answered in time");
            entry
                .shared
                .set_status(ChannelStatus::Errored(ChannelError::Timeout));
            entry.finish_joins(&Err(JoinError::Timeout { topic }));
        } else {
            self.fail_push(push, PushError::Timeout);
        }
    }

    pub(super) fn push_lost(&mut self, push: PushId) {
        // What a join comes to is told with the end of its channel or of the socket.
        if let Some(Waiting::Push(_)) = self.pushes.get(&push) {
            self.fail_push(push, PushError::Disconnected);
        }
    }

    pub(super) fn channel_errored(&mut self, channel: ChannelId, error: ChannelError) {
        if let Some(entry) = self.channels.get_mut(&channel) {
            entry.joined = None;
            entry.shared.set_status(ChannelStatus::Errored(error));
        }
    }

    pub(super) fn channel_left(&mut self, channel: ChannelId) {
        self.channel_over(channel, CloseReason::Left);
    }

    pub(super) fn join_gave_up(&mut self, channel: ChannelId) {
        let refused = self
            .channels
            .get(&channel)
            .and_then(|entry| entry.refused.clone());
        let reason = refused.map_or(CloseReason::ByServer, CloseReason::Refused);
        self.channel_over(channel, reason);
    }

    pub(super) fn channel_over(&mut self, channel: ChannelId, reason: CloseReason) {
        let Some(mut entry) = self.channels.remove(&channel) else {
            return;
        };
        self.pushes
            .retain(|_, waiting| !matches!(waiting, Waiting::Join(id) if *id == channel));
        for id in std::mem::take(&mut entry.presences) {
            self.core.untrack(id);
            if let Some(presence) = self.presences.remove(&id) {
                presence.close();
            }
        }
        self.end_entry(*entry, reason);
    }

    fn end_entry(&self, mut entry: Entry, reason: CloseReason) {
        let topic = Arc::clone(&entry.shared.topic);
        let error = match reason {
            CloseReason::Shutdown => JoinError::Socket(Disconnect::Shutdown),
            _ => JoinError::Closed { topic },
        };
        entry.finish_joins(&Err(error));
        entry.shared.close(reason);
    }

    /// The server refused the connection for good.
    pub(super) fn give_up(&mut self) {
        self.gave_up = true;
        let why = self.lost.clone().unwrap_or(Disconnect::Shutdown);
        tracing::warn!(error = %why, "the socket gives up");
        for entry in self.channels.values_mut() {
            entry.finish_joins(&Err(JoinError::Socket(why.clone())));
        }
    }

    /// Nothing comes any more.
    pub(super) fn close_everything(&mut self) {
        for presence in std::mem::take(&mut self.presences).into_values() {
            presence.close();
        }
        for waiting in std::mem::take(&mut self.pushes).into_values() {
            if let Waiting::Push(outcome) = waiting {
                outcome.fail(PushError::Closed);
            }
        }
        for entry in std::mem::take(&mut self.channels).into_values() {
            self.end_entry(*entry, CloseReason::Shutdown);
        }
        for channel in std::mem::take(&mut self.unjoined) {
            channel.close(CloseReason::Shutdown);
        }
    }

    /// Has the core record what somebody wants to know of presences.
    pub(super) fn tell_wants(&mut self) {
        for (id, presence) in &self.presences {
            if let Some(tracker) = self.core.presence_mut(*id) {
                presence.tell_wants(tracker);
            }
        }
    }

    pub(super) fn presence_status(&mut self, id: presence_core::PresenceId) {
        let Some(presence) = self.presences.get(&id) else {
            return;
        };
        let Some(tracker) = self.core.presence(id) else {
            return;
        };
        let status = presence::PresenceStatus::of(tracker.status());
        presence.status.send_replace(status);
    }
}

/// A timeout in the core's milliseconds; a fraction of one counts as one.
fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}
