//! Signs of life, and what the lack of one means.

use super::Socket;
use super::teardown::Reconnect;
use crate::event::TransportReason;
use crate::timer::TimerKind;

impl<P: Clone> Socket<P> {
    /// Replaces the time between heartbeats (ms), from the next on.
    pub fn set_heartbeat_interval(&mut self, interval: u64) {
        self.config.heartbeat_interval = interval;
    }

    pub(super) fn clear_heartbeats(&mut self) {
        self.timers.cancel(&mut self.heartbeat);
        self.timers.cancel(&mut self.heartbeat_timeout);
        self.pending_heartbeat = None;
    }

    pub(super) fn schedule_heartbeat(&mut self) {
        let at = self.now + self.config.heartbeat_interval;
        self.heartbeat = Some(self.timers.set(at, TimerKind::Heartbeat));
    }

    /// The pending heartbeat, if `message_ref` is its reply's, is answered.
    pub(super) fn heartbeat_answered(&mut self, message_ref: u64) {
        if self.pending_heartbeat == Some(message_ref) {
            self.clear_heartbeats();
            self.schedule_heartbeat();
        }
    }

    pub(super) fn send_heartbeat(&mut self) {
        if self.pending_heartbeat.is_some() && !self.is_connected() {
            return;
        }
        let message_ref = self.make_ref();
        self.pending_heartbeat = Some(message_ref);
        self.dispatch_heartbeat(message_ref);
        let wait = self
            .config
            .heartbeat_timeout
            .unwrap_or(self.config.heartbeat_interval);
        self.timers.cancel(&mut self.heartbeat_timeout);
        self.heartbeat_timeout = Some(
            self.timers
                .set(self.now + wait, TimerKind::HeartbeatTimeout),
        );
    }

    /// The connection is presumed dead: it is closed at once, without waiting
    /// for its buffer, and a new one follows.
    pub(super) fn heartbeat_overdue(&mut self) {
        if self.pending_heartbeat.take().is_none() {
            return;
        }
        self.close_was_clean = false;
        if let Some(connection) = self.current {
            self.close(connection, Some(1000), "heartbeat timeout");
        }
        self.error_channels(TransportReason::HeartbeatTimeout, self.current);
        self.teardown_and_reconnect(Reconnect::Later);
    }
}
