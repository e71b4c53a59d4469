//! Joining, leaving and pushing.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{JOIN, LEAVE, Socket};
use crate::backoff::Retry;
use crate::channel::{Channel, ChannelState};
use crate::error::{JoinError, PushError};
use crate::event::{Envelope, Event, Outgoing, Wait};
use crate::id::{ChannelId, PushId};
use crate::id_map::IdMap;
use crate::push::Push;
use crate::time::Millis;
use crate::timer::TimerKind;

impl<P: Clone> Socket<P> {
    /// A new channel for `topic`, not joined. `params` is the payload of its
    /// joins.
    pub fn channel(&mut self, topic: &str, params: Option<P>) -> ChannelId {
        let id = ChannelId(self.next_id());
        let join = PushId(self.next_id());
        // phoenix.js registers two callbacks for each channel, and counts them.
        self.last_ref += 2;
        self.pushes.insert(
            join,
            Push::new(Some(id), Arc::from(JOIN), params, self.config.timeout),
        );
        self.channels.insert(
            id,
            Channel {
                topic: Arc::from(topic),
                state: ChannelState::Closed,
                timeout: self.config.timeout,
                joined_once: false,
                listed: true,
                join,
                rejoin: Retry::default(),
                buffer: IdMap::default(),
                sent: IdMap::default(),
                presences: Vec::new(),
                presences_by_shell: false,
                join_text: None,
            },
        );
        id
    }

    /// The channels that are the socket's, in order of creation: all but those
    /// that were left, closed or [removed](Self::remove).
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> {
        let listed = self.channels.iter().filter(|(_, channel)| channel.listed);
        listed.map(|(id, _)| id)
    }

    /// Takes a channel off the socket's, as phoenix.js's `Socket.remove` does:
    /// from now on it gets no messages, hears nothing of the connection and
    /// does not rejoin when that is back. It can still push and leave.
    pub fn remove(&mut self, channel: ChannelId) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.listed = false;
            Self::cancel_wait(&mut channel.rejoin, &mut self.timers);
        }
    }

    /// Where a channel stands; closed, if it is no longer the socket's.
    pub fn channel_state(&self, channel: ChannelId) -> ChannelState {
        self.channels
            .get(channel)
            .map_or(ChannelState::Closed, |channel| channel.state)
    }

    /// A channel's topic, while it is the socket's.
    pub fn topic(&self, channel: ChannelId) -> Option<&str> {
        self.channels.get(channel).map(|channel| &*channel.topic)
    }

    /// The ref of a channel's present join: none before the first, and after
    /// one that failed until the next.
    pub fn join_ref(&self, channel: ChannelId) -> Option<u64> {
        self.channels
            .get(channel)
            .and_then(|channel| self.join_ref_of(channel))
    }

    /// The push of a channel's joins: the same for every rejoin.
    pub fn join_push(&self, channel: ChannelId) -> Option<PushId> {
        self.channels.get(channel).map(|channel| channel.join)
    }

    /// The ref under which a push was sent last, while a reply may come.
    pub fn push_ref(&self, push: PushId) -> Option<u64> {
        self.pushes.get(push).and_then(|push| push.message_ref)
    }

    /// Replaces the payload of a channel's joins.
    pub fn set_join_params(&mut self, channel: ChannelId, params: Option<P>) {
        if let Some(channel) = self.channels.get(channel)
            && let Some(join) = self.pushes.get_mut(channel.join)
        {
            join.payload = params;
        }
    }

    /// Replaces the timeout (ms) of a channel's rejoins and of pushes that name
    /// none.
    pub fn set_timeout(&mut self, channel: ChannelId, timeout: u64) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.timeout = timeout;
        }
    }

    /// Joins a channel, now or once connected, and joins it again whenever it
    /// errors. `timeout` (ms) becomes the channel's. A channel that has joined
    /// the same topic before is left.
    ///
    /// # Errors
    ///
    /// [`JoinError::AlreadyJoined`] the second time, [`JoinError::Closed`] if
    /// the channel is no longer the socket's.
    pub fn join(
        &mut self,
        now: Millis,
        channel: ChannelId,
        timeout: Option<u64>,
    ) -> Result<PushId, JoinError> {
        self.advance(now);
        let state = self.channels.get_mut(channel).ok_or(JoinError::Closed)?;
        if state.joined_once {
            return Err(JoinError::AlreadyJoined);
        }
        if let Some(timeout) = timeout {
            state.timeout = timeout;
        }
        state.joined_once = true;
        let join = state.join;
        self.rejoin(channel);
        Ok(join)
    }

    pub(super) fn rejoin_due(&mut self, channel: ChannelId) {
        if let Some(state) = self.channels.get_mut(channel) {
            state.rejoin.timer = None;
            state.rejoin.tries += 1;
            if self.is_connected() {
                self.rejoin(channel);
            }
        }
    }

    pub(super) fn rejoin(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        if channel.state == ChannelState::Leaving {
            return;
        }
        self.leave_open_topic(&channel.topic.clone(), id);
        // What was sent under the join before gets no reply any more.
        self.disconnect_pushes(id, false);
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        channel.state = ChannelState::Joining;
        Self::cancel_wait(&mut channel.rejoin, &mut self.timers);
        let (join, timeout) = (channel.join, channel.timeout);
        if let Some(push) = self.pushes.get_mut(join) {
            push.timeout = timeout;
        }
        self.reset_push(join);
        self.send_push(join);
        let join_ref = self.push_ref(join);
        if let Some(channel) = self.channels.get_mut(id) {
            channel.join_text = join_ref.map(|join_ref| join_ref.to_string().into());
        }
        self.presences_stale(id);
    }

    /// Leaves the first other channel that has `topic` joined, since a server
    /// has only one for each.
    fn leave_open_topic(&mut self, topic: &str, joining: ChannelId) {
        let duplicate = self.channels.iter().find_map(|(id, channel)| {
            let open = matches!(channel.state, ChannelState::Joined | ChannelState::Joining);
            (id != joining && open && channel.listed && &*channel.topic == topic).then_some(id)
        });
        if let Some(duplicate) = duplicate {
            self.leave_now(duplicate, None);
        }
    }

    /// Leaves a channel: sends the leave if connected, and closes the channel
    /// at once, as phoenix.js does, without waiting for the server's word.
    /// None if the channel is no longer the socket's.
    pub fn leave(
        &mut self,
        now: Millis,
        channel: ChannelId,
        timeout: Option<u64>,
    ) -> Option<PushId> {
        self.advance(now);
        self.leave_now(channel, timeout)
    }

    fn leave_now(&mut self, id: ChannelId, timeout: Option<u64>) -> Option<PushId> {
        let channel = self.channels.get_mut(id)?;
        channel.state = ChannelState::Leaving;
        let timeout = timeout.unwrap_or(channel.timeout);
        let leave = self.next_push();
        self.pushes
            .insert(leave, Push::new(Some(id), Arc::from(LEAVE), None, timeout));
        self.send_push(leave);
        self.finish_push(leave);
        self.events.push_back(Event::PushLeft { push: leave });
        let join_ref = self.join_ref(id);
        self.close_channel(id);
        self.events.push_back(Event::ChannelClosed {
            channel: id,
            join_ref,
        });
        Some(leave)
    }

    /// The channel is gone for good; its pushes can only time out now.
    pub(super) fn close_channel(&mut self, id: ChannelId) {
        self.disconnect_pushes(id, true);
        self.presences_closed(id);
        let Some(mut channel) = self.channels.remove(id) else {
            return;
        };
        Self::reset_wait(&mut channel.rejoin, &mut self.timers);
        // Nothing of it will be sent any more, and no connection's end concerns it.
        self.send_buffer.retain(|message| {
            !matches!(message, Outgoing::Message(envelope) if envelope.channel == Some(id))
        });
        for connection in self.connections.values_mut() {
            connection.joins.remove(id);
        }
        if let Some(join) = self.pushes.get_mut(channel.join) {
            self.timers.cancel(&mut join.timer);
            if let Some(message_ref) = join.message_ref {
                self.waiting.remove(message_ref);
            }
        }
        self.pushes.remove(channel.join);
    }

    /// The channel lost its process or its connection: it will join again,
    /// after a wait if there is a connection, else once there is one.
    pub(super) fn error_channel(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        let joining = channel.state == ChannelState::Joining;
        channel.state = ChannelState::Errored;
        let join = channel.join;
        if joining {
            self.reset_push(join);
        }
        if self.is_connected() {
            self.schedule(Wait::Rejoin(id));
        }
        self.disconnect_pushes(id, false);
        self.presences_stale(id);
    }

    /// Sends `event` to the channel's process, now or once joined. `timeout` in
    /// ms; none: the channel's.
    ///
    /// # Errors
    ///
    /// [`PushError::NotJoined`] before [`join`](Self::join),
    /// [`PushError::BufferFull`], and [`PushError::Closed`] where
    /// [`Config::push_timeout_after_disconnect`](crate::Config::push_timeout_after_disconnect)
    /// is off.
    pub fn push(
        &mut self,
        now: Millis,
        channel: ChannelId,
        event: &str,
        payload: P,
        timeout: Option<u64>,
    ) -> Result<PushId, PushError> {
        self.advance(now);
        let connected = self.is_connected();
        let Some(state) = self.channels.get(channel) else {
            return self.push_to_nobody(event, payload, timeout);
        };
        if !state.joined_once {
            return Err(PushError::NotJoined {
                event: Arc::from(event),
                topic: state.topic.clone(),
            });
        }
        let can_push = connected && state.state == ChannelState::Joined;
        if !can_push && state.buffer.len() >= self.config.max_buffered {
            return Err(PushError::BufferFull(state.buffer.len()));
        }
        let timeout = timeout.unwrap_or(state.timeout);
        let id = self.next_push();
        self.pushes.insert(
            id,
            Push::new(Some(channel), Arc::from(event), Some(payload), timeout),
        );
        if can_push {
            self.send_push(id);
        } else {
            self.start_timeout(id);
            if let Some(state) = self.channels.get_mut(channel) {
                state.buffer.insert(id.0.into(), id);
            }
        }
        Ok(id)
    }

    /// A push to a closed channel runs into its timeout, as in phoenix.js.
    fn push_to_nobody(
        &mut self,
        event: &str,
        payload: P,
        timeout: Option<u64>,
    ) -> Result<PushId, PushError> {
        if !self.config.push_timeout_after_disconnect {
            return Err(PushError::Closed {
                event: Arc::from(event),
            });
        }
        let id = self.next_push();
        let timeout = timeout.unwrap_or(self.config.timeout);
        self.pushes.insert(
            id,
            Push::new(None, Arc::from(event), Some(payload), timeout),
        );
        self.start_timeout(id);
        self.events.push_back(Event::PushDisconnected { push: id });
        Ok(id)
    }

    // Pushes

    /// phoenix.js's `Push.send`.
    pub(super) fn send_push(&mut self, id: PushId) {
        if self.pushes.get(id).is_none_or(|push| push.timed_out) {
            return;
        }
        self.start_timeout(id);
        let Some(push) = self.pushes.get(id) else {
            return;
        };
        let Some(channel) = push.channel.and_then(|channel| self.channels.get(channel)) else {
            return;
        };
        let message = Outgoing::Message(Envelope {
            join_ref: self.join_ref_of(channel),
            message_ref: push.message_ref,
            topic: channel.topic.clone(),
            event: push.event.clone(),
            payload: push.payload.clone(),
            channel: push.channel,
            push: Some(id),
        });
        self.dispatch(message);
    }

    /// Gives a push a new ref and the time it has for its reply.
    fn start_timeout(&mut self, id: PushId) {
        let message_ref = self.make_ref();
        let Some(push) = self.pushes.get_mut(id) else {
            return;
        };
        self.timers.cancel(&mut push.timer);
        if let Some(old) = push.message_ref.replace(message_ref) {
            self.waiting.remove(old);
        }
        self.waiting.insert(message_ref, id);
        push.timer = Some(
            self.timers
                .set(self.now + push.timeout, TimerKind::Push(id)),
        );
    }

    /// phoenix.js's `Push.reset`: no reply to what was sent counts any more.
    fn reset_push(&mut self, id: PushId) {
        let Some(push) = self.pushes.get_mut(id) else {
            return;
        };
        self.timers.cancel(&mut push.timer);
        if let Some(old) = push.message_ref.take() {
            self.waiting.remove(old);
        }
        push.timed_out = false;
    }

    /// The push has its answer, whatever it is. A join's stays, for the next.
    pub(super) fn finish_push(&mut self, id: PushId) {
        let Some(push) = self.pushes.get_mut(id) else {
            return;
        };
        self.timers.cancel(&mut push.timer);
        if let Some(message_ref) = push.message_ref {
            self.waiting.remove(message_ref);
        }
        let channel = push.channel.and_then(|id| self.channels.get_mut(id));
        if let Some(channel) = channel {
            if channel.join == id {
                return;
            }
            channel.sent.remove(id.0.into());
            channel.buffer.remove(id.0.into());
        }
        self.pushes.remove(id);
    }

    pub(super) fn push_overdue(&mut self, id: PushId) {
        let Some(push) = self.pushes.get_mut(id) else {
            return;
        };
        push.timer = None;
        push.timed_out = true;
        let channel = push.channel;
        self.events.push_back(Event::PushTimeout { push: id });
        match channel.filter(|channel| self.join_push(*channel) == Some(id)) {
            Some(channel) => self.join_overdue(channel, id),
            None => self.finish_push(id),
        }
    }

    /// A join that was not answered may still succeed at the server, so it is
    /// left there before it is tried again.
    fn join_overdue(&mut self, id: ChannelId, join: PushId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        channel.state = ChannelState::Errored;
        let timeout = channel.timeout;
        let leave = self.next_push();
        self.pushes
            .insert(leave, Push::new(Some(id), Arc::from(LEAVE), None, timeout));
        self.send_push(leave);
        // Nobody can hear of this leave's end.
        self.finish_push(leave);
        self.reset_push(join);
        if self.is_connected() {
            self.schedule(Wait::Rejoin(id));
        }
    }

    /// The join was answered with `ok`: what waited for it goes out.
    pub(super) fn joined(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        channel.state = ChannelState::Joined;
        Self::reset_wait(&mut channel.rejoin, &mut self.timers);
        for push in core::mem::take(&mut channel.buffer).values() {
            self.send_push(*push);
        }
    }

    /// The join was answered with `error`.
    pub(super) fn join_refused(&mut self, id: ChannelId, for_good: bool) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        channel.state = ChannelState::Errored;
        if for_good && self.config.stop_on_join_refusal {
            self.close_channel(id);
            self.events.push_back(Event::JoinGaveUp { channel: id });
        } else if self.is_connected() {
            self.schedule(Wait::Rejoin(id));
        }
    }

    /// The replies of what a channel has sent can't come any more; nor, if it
    /// is gone for good, can what it has not sent be.
    fn disconnect_pushes(&mut self, id: ChannelId, for_good: bool) {
        let mut lost = Vec::new();
        if let Some(channel) = self.channels.get(id)
            // It would be sent anew, but for the end.
            && for_good
            && self.join_waits(channel)
        {
            lost.push(channel.join);
        }
        if let Some(channel) = self.channels.get_mut(id) {
            // Told once; the timeout may still be to come.
            lost.extend(core::mem::take(&mut channel.sent).values());
            if for_good {
                lost.extend(core::mem::take(&mut channel.buffer).values());
            }
        }
        for push in lost {
            self.events.push_back(Event::PushDisconnected { push });
            if !self.config.push_timeout_after_disconnect {
                self.finish_push(push);
            }
        }
    }

    /// Nobody connects again but the user, and so the answers of joins don't come; they are still sent anew if he does.
    pub(super) fn disconnect_joins(&mut self) {
        for channel in self.channels.values() {
            if self.join_waits(channel) {
                let push = channel.join;
                self.events.push_back(Event::PushDisconnected { push });
            }
        }
    }

    /// Whether a join was asked for and has no answer yet.
    fn join_waits(&self, channel: &Channel) -> bool {
        channel.joined_once
            && self
                .join_ref_of(channel)
                .is_none_or(|message_ref| self.waiting.get(message_ref).is_some())
    }
}
