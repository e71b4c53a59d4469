//! What the page and the network tell.

use super::Socket;
use super::teardown::{Reconnect, Then};
use crate::event::ReadyState;
use crate::time::Millis;

impl<P: Clone> Socket<P> {
    /// Whether the page is hidden: a hidden page does not reconnect until it
    /// is shown.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.hidden = hidden;
    }

    /// The page was shown or hidden, or resumed. Shown, a socket that should
    /// be connected and is not connects at once.
    pub fn handle_visibility(&mut self, now: Millis, hidden: bool) {
        self.advance(now);
        self.hidden = hidden;
        if hidden {
            self.visibility_connection = None;
            return;
        }
        let connecting = self.ready_state() == ReadyState::Connecting;
        if self.current.is_some() && self.current == self.visibility_connection && connecting {
            return;
        }
        if !self.is_connected() && !self.close_was_clean {
            Self::reset_wait(&mut self.reconnect, &mut self.timers);
            self.teardown_and_reconnect(Reconnect::Shown);
        }
    }

    /// The network came back: a connection that waits for its next try is
    /// tried now, and an open one is asked for a sign of life now, since it
    /// may be dead without knowing.
    pub fn handle_online(&mut self, now: Millis) {
        self.advance(now);
        if self.reconnect.timer.is_some() {
            Self::cancel_wait(&mut self.reconnect, &mut self.timers);
            self.reconnect_now();
        } else if self.is_connected()
            && self.heartbeat.is_some()
            && self.pending_heartbeat.is_none()
        {
            self.timers.cancel(&mut self.heartbeat);
            self.send_heartbeat();
        }
    }

    /// The page goes away, maybe into the back/forward cache: disconnects, and
    /// remembers that [`handle_page_show`](Self::handle_page_show) should
    /// connect again.
    pub fn handle_page_hide(&mut self, now: Millis) {
        self.advance(now);
        if self
            .current_mut()
            .is_some_and(|connection| !connection.ended)
        {
            self.end_connection(None, "", Then::Nothing);
            self.resume_clock = Some(self.connect_clock);
        }
    }

    /// The page came back.
    pub fn handle_page_show(&mut self, now: Millis) {
        self.advance(now);
        if self.resume_clock == Some(self.connect_clock) {
            self.resume_clock = None;
            self.connect(now);
        }
    }
}
