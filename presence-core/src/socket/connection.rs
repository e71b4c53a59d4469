//! Connecting and closing, and what a lost connection means.

use alloc::vec::Vec;

use super::Socket;
use super::teardown::Then;
use crate::channel::ChannelState;
use crate::event::{Event, ReadyState, Refusal, Transmit, TransportReason, Wait};
use crate::id::{ChannelId, ConnectionId};
use crate::id_map::IdMap;
use crate::time::Millis;

/// One transport instance, and everything that must not outlive it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ready: ReadyState,
    /// The transport still has bytes to send, says the shell.
    pub(super) buffered: bool,
    /// We closed it, not the server or the network.
    pub(super) closing: bool,
    /// Given up, so that connecting makes a new one.
    pub(super) ended: bool,
    pub(super) channels_errored: bool,
    /// Its error is being told of, and the channels are still to hear of it.
    pub(super) announcing: bool,
    pub(super) close_handled: bool,
    pub(super) refusal: Option<Refusal>,
    /// The join ref of each channel whose join went over it.
    pub(super) joins: IdMap<ChannelId, Option<u64>>,
}

impl<P: Clone> Socket<P> {
    /// Connects, unless a connection is there already or on its way.
    pub fn connect(&mut self, now: Millis) {
        self.advance(now);
        self.connect_unless_kept();
    }

    pub(super) fn connect_unless_kept(&mut self) {
        let kept = self
            .current
            .and_then(|id| self.connections.get(id))
            .is_some_and(|c| !c.ended);
        if !kept {
            self.transport_connect();
        }
    }

    pub(super) fn transport_connect(&mut self) {
        let previous = self.current;
        self.connect_clock += 1;
        self.close_was_clean = false;
        // The tries count on: only a connection that opens resets them.
        Self::cancel_wait(&mut self.reconnect, &mut self.timers);
        let connection = ConnectionId(self.next_id());
        self.connections.insert(
            connection,
            Connection {
                ready: ReadyState::Connecting,
                buffered: false,
                closing: false,
                ended: false,
                channels_errored: false,
                announcing: false,
                close_handled: false,
                refusal: None,
                joins: IdMap::default(),
            },
        );
        self.current = Some(connection);
        self.transmits.push_back(Transmit::Connect { connection });
        if let Some(previous) = previous
            && self
                .connections
                .get(previous)
                .is_some_and(|c| c.ready == ReadyState::Open)
        {
            self.error_channels(TransportReason::ConnectionClosed, Some(previous));
        }
        if let Some(previous) = previous {
            self.forget_if_done(previous);
        }
    }

    /// Disconnects for good, until the next [`connect`](Self::connect). The
    /// end is told by [`Event::Disconnected`] with `token`, if one is given.
    pub fn disconnect(&mut self, now: Millis, code: Option<u16>, reason: &str, token: Option<u32>) {
        self.advance(now);
        self.end_connection(code, reason, token.map_or(Then::Nothing, Then::Tell));
        self.disconnect_joins();
    }

    pub(super) fn end_connection(&mut self, code: Option<u16>, reason: &str, then: Then) {
        self.connect_clock += 1;
        self.close_was_clean = true;
        Self::reset_wait(&mut self.reconnect, &mut self.timers);
        if let Some(connection) = self.current_mut() {
            connection.ended = true;
        }
        self.teardown(code, reason, then);
    }

    /// Drops the connection because its transport is to be another one; the
    /// next [`connect`](Self::connect) uses it. Returns a number that
    /// [`connect_clock`](Self::connect_clock) keeps giving until somebody
    /// connects or disconnects.
    pub fn replace_transport(&mut self, now: Millis) -> u64 {
        self.advance(now);
        self.connect_clock += 1;
        let clock = self.connect_clock;
        self.close_was_clean = true;
        Self::reset_wait(&mut self.reconnect, &mut self.timers);
        if let Some(id) = self.current.take() {
            let was_open = self
                .connections
                .get(id)
                .is_some_and(|c| c.ready == ReadyState::Open);
            if let Some(connection) = self.connections.get_mut(id) {
                connection.ended = true;
            }
            self.close(id, None, "");
            self.clear_heartbeats();
            if was_open {
                self.error_channels(TransportReason::ConnectionClosed, Some(id));
            }
            self.forget_if_done(id);
        }
        clock
    }

    /// Changes whenever somebody connects, disconnects or replaces the
    /// transport.
    pub fn connect_clock(&self) -> u64 {
        self.connect_clock
    }

    /// Whether the last close was asked for, so that nothing reconnects.
    pub fn close_was_clean(&self) -> bool {
        self.close_was_clean
    }

    /// The present connection: the one last asked for, while it lasts.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.current
    }

    /// Where the present connection stands.
    pub fn ready_state(&self) -> ReadyState {
        self.current
            .and_then(|id| self.connections.get(id))
            .map_or(ReadyState::Closed, |connection| connection.ready)
    }

    /// Whether the present connection is open.
    pub fn is_connected(&self) -> bool {
        self.ready_state() == ReadyState::Open
    }

    /// Whether what comes over `connection` counts: it is the one in use, and
    /// neither asked to close nor closed. It need not have told of its opening:
    /// phoenix.js does not ask for that either.
    pub(super) fn hears(&self, connection: ConnectionId) -> bool {
        self.current == Some(connection)
            && self.connections.get(connection).is_some_and(|state| {
                matches!(state.ready, ReadyState::Open | ReadyState::Connecting)
                    && !state.closing
                    && !state.close_handled
            })
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut Connection> {
        self.connections.get_mut(self.current?)
    }

    /// The transport opened. Sends what was waiting, and rejoins the channels
    /// that had errored. `skip_heartbeat` for transports that need none (long
    /// polling).
    pub fn handle_open(&mut self, now: Millis, connection: ConnectionId, skip_heartbeat: bool) {
        self.advance(now);
        if self.current != Some(connection) {
            return;
        }
        match self.connections.get_mut(connection) {
            // It crossed our close, or comes after its own.
            Some(state) if state.closing || state.close_handled => return,
            Some(state) => state.ready = ReadyState::Open,
            None => return,
        }
        self.close_was_clean = false;
        self.flush_send_buffer();
        Self::reset_wait(&mut self.reconnect, &mut self.timers);
        if !skip_heartbeat {
            self.clear_heartbeats();
            self.schedule_heartbeat();
        }
        self.events.push_back(Event::Opened { connection });
        let channels: Vec<ChannelId> = self.channels().collect();
        for id in channels {
            let Some(channel) = self.channels.get_mut(id) else {
                continue;
            };
            Self::reset_wait(&mut channel.rejoin, &mut self.timers);
            if channel.state == ChannelState::Errored {
                self.rejoin(id);
            }
        }
    }

    /// The transport reported an error; its close is to follow.
    pub fn handle_error(&mut self, now: Millis, connection: ConnectionId) {
        self.announce_error(now, connection);
        if self.current == Some(connection) && self.current_mut().is_some_and(|c| !c.closing) {
            self.handle_error_announced(now, connection);
        }
    }

    /// The first half of [`handle_error`](Self::handle_error), for shells that
    /// tell the user of the error before the channels hear of it, since what
    /// the user then does (replacing the transport, say) counts for them. If
    /// [`Event::Failed`] follows,
    /// [`handle_error_announced`](Self::handle_error_announced) is the second.
    pub fn announce_error(&mut self, now: Millis, connection: ConnectionId) {
        self.advance(now);
        // Closing a transport that is still connecting makes it report an
        // error, which says nothing.
        if self.current != Some(connection) {
            return;
        }
        match self.current_mut() {
            Some(state) if !state.closing => state.announcing = true,
            _ => return,
        }
        self.events.push_back(Event::Failed { connection });
        let channels: Vec<ChannelId> = self.channels().collect();
        for id in channels {
            if let Some(channel) = self.channels.get_mut(id) {
                Self::reset_wait(&mut channel.rejoin, &mut self.timers);
            }
        }
    }

    /// The second half of [`handle_error`](Self::handle_error): the channels
    /// hear of it, those whose joins went over the connection if that is not
    /// in use any more.
    pub fn handle_error_announced(&mut self, now: Millis, connection: ConnectionId) {
        self.advance(now);
        if let Some(state) = self.connections.get_mut(connection) {
            state.announcing = false;
        }
        self.error_channels(TransportReason::ConnectionError, Some(connection));
        self.forget_if_done(connection);
    }

    /// The server refused the connection's upgrade with this HTTP status. Its
    /// error and its close are to follow.
    pub fn handle_refused(&mut self, connection: ConnectionId, status: u16) {
        if let Some(connection) = self.connections.get_mut(connection)
            && matches!(status, 401 | 403 | 404)
        {
            connection.refusal = Some(Refusal::Status(status));
        }
    }

    /// The transport closed, with this code if there was one.
    pub fn handle_close(&mut self, now: Millis, connection: ConnectionId, code: Option<u16>) {
        self.advance(now);
        let Some(state) = self.connections.get_mut(connection) else {
            return;
        };
        state.ready = ReadyState::Closed;
        let closed_by_us = state.closing;
        if self.current == Some(connection) && !state.close_handled {
            state.close_handled = true;
            if code == Some(1008) {
                state.refusal.get_or_insert(Refusal::Policy);
            }
            let refusal = state.refusal.filter(|_| self.config.stop_on_refusal);
            let ended = state.ended;
            self.clear_heartbeats();
            self.error_channels(TransportReason::ConnectionClosed, Some(connection));
            let again = !ended && !closed_by_us && !self.close_was_clean;
            match refusal {
                Some(refusal) if again => {
                    self.close_was_clean = true;
                    if let Some(state) = self.connections.get_mut(connection) {
                        state.ended = true;
                    }
                    self.events.push_back(Event::Closed {
                        connection,
                        code,
                        will_retry: false,
                    });
                    self.events.push_back(Event::GaveUp {
                        connection,
                        refusal,
                    });
                    self.disconnect_joins();
                }
                _ => {
                    if again {
                        self.schedule(Wait::Reconnect);
                    }
                    let will_retry = again || self.will_reconnect(connection);
                    self.events.push_back(Event::Closed {
                        connection,
                        code,
                        will_retry,
                    });
                }
            }
        }
        self.resume_teardowns(connection, None);
    }

    /// What the shell sees of a transport beside its events: where it stands
    /// (a WebSocket's `readyState`) and whether it still has bytes to send. To
    /// be told before each call that asks whether the socket is connected, by
    /// shells whose transports change state before they say so.
    pub fn handle_transport(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        ready: ReadyState,
        buffered: bool,
    ) {
        self.advance(now);
        let Some(state) = self.connections.get_mut(connection) else {
            return;
        };
        state.ready = ready;
        state.buffered = buffered;
        // Not where it closes by itself: then its close event is still to come.
        if ready == ReadyState::Closed && state.closing {
            self.resume_teardowns(connection, None);
        }
    }

    /// Errors the channels, since they have to rejoin on the next connection.
    /// Once a connection's channels were errored, only those whose join it
    /// carried are again: others may have joined over another one since.
    pub(super) fn error_channels(
        &mut self,
        reason: TransportReason,
        connection: Option<ConnectionId>,
    ) {
        let mut errored_before = false;
        let mut is_current = true;
        if let Some(id) = connection {
            is_current = self.current == Some(id);
            if let Some(state) = self.connections.get_mut(id)
                && state.ready != ReadyState::Open
            {
                errored_before = core::mem::replace(&mut state.channels_errored, true);
            }
        }
        if !self.is_connected() {
            // The next connection that opens rejoins them without a wait.
            for channel in self.channels.values_mut().filter(|channel| channel.listed) {
                Self::cancel_wait(&mut channel.rejoin, &mut self.timers);
            }
        }
        let joins: Vec<(ChannelId, Option<u64>)> =
            self.channels().map(|id| (id, self.join_ref(id))).collect();
        for (id, join_ref) in joins {
            let carried = || {
                connection
                    .and_then(|id| self.connections.get(id))
                    .and_then(|state| state.joins.get(id))
                    .is_some_and(|carried| *carried == join_ref)
            };
            if connection.is_some() && (errored_before || !is_current) && !carried() {
                continue;
            }
            let Some(channel) = self.channels.get(id) else {
                continue;
            };
            if matches!(channel.state, ChannelState::Joined | ChannelState::Joining) {
                self.error_channel(id);
                self.events.push_back(Event::ChannelErrored {
                    channel: id,
                    reason,
                });
            }
        }
    }
}
