//! Taking a connection down, and connecting again after it.

use alloc::sync::Arc;

use super::Socket;
use super::connection::Connection;
use crate::event::{Event, ReadyState, Transmit, TransportReason, Wait};
use crate::id::ConnectionId;
use crate::timer::{TimerId, TimerKind};

/// A connection on its way down. Several may concern the same connection.
#[derive(Debug)]
pub(super) struct Teardown {
    connection: ConnectionId,
    stage: Stage,
    tries: u32,
    timer: Option<TimerId>,
    code: Option<u16>,
    reason: Arc<str>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for the transport to have sent everything.
    Drain,
    /// Waits for the transport to have closed.
    Close,
}

/// What follows a teardown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    Nothing,
    Tell(u32),
    /// Only if nobody connected or disconnected meanwhile.
    Reconnect {
        clock: u64,
        how: Reconnect,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Reconnect {
    Now,
    /// Now, since the page was shown.
    Shown,
    /// After the usual wait.
    Later,
}

/// A closing transport is looked at again after 150, 300, 450 and 600 ms.
const TEARDOWN_STEP: u64 = 150;
const TEARDOWN_TRIES: u32 = 5;

impl<P: Clone> Socket<P> {
    pub(super) fn reconnect_now(&mut self) {
        self.reconnect.timer = None;
        self.reconnect.tries += 1;
        if self.hidden {
            self.teardown(None, "", Then::Nothing);
        } else {
            self.teardown_and_reconnect(Reconnect::Now);
        }
    }

    pub(super) fn teardown_and_reconnect(&mut self, how: Reconnect) {
        let clock = self.connect_clock;
        self.teardown(None, "", Then::Reconnect { clock, how });
    }

    pub(super) fn teardown(&mut self, code: Option<u16>, reason: &str, then: Then) {
        let Some(connection) = self.current else {
            return self.finish(None, then);
        };
        self.clear_heartbeats();
        self.teardowns.push(Teardown {
            connection,
            stage: Stage::Drain,
            tries: 1,
            timer: None,
            code,
            reason: Arc::from(reason),
            then,
        });
        self.resume_teardowns(connection, None);
    }

    /// Takes every teardown of `connection` as far as it goes. `due`: the
    /// timer that went off, if that is why.
    pub(super) fn resume_teardowns(&mut self, connection: ConnectionId, due: Option<TimerId>) {
        let mut index = 0;
        while let Some(teardown) = self.teardowns.get_mut(index) {
            if teardown.connection != connection {
                index += 1;
                continue;
            }
            if due.is_some() && teardown.timer == due {
                teardown.timer = None;
                teardown.tries += 1;
            }
            let Some(state) = self.connections.get(connection) else {
                self.teardowns.remove(index);
                continue;
            };
            let ready = state.ready;
            // One that waits for the transport to drain looks again at its own
            // times, even if another finds it drained before.
            if teardown.timer.is_some()
                && teardown.stage == Stage::Drain
                && ready != ReadyState::Closed
            {
                index += 1;
                continue;
            }
            let waits = match teardown.stage {
                Stage::Drain => state.buffered && ready == ReadyState::Open,
                Stage::Close => ready != ReadyState::Closed,
            };
            if waits && teardown.tries < TEARDOWN_TRIES {
                if teardown.timer.is_none() {
                    let at = self.now + TEARDOWN_STEP * u64::from(teardown.tries);
                    teardown.timer = Some(self.timers.set(at, TimerKind::Teardown(connection)));
                }
                index += 1;
                continue;
            }
            self.timers.cancel(&mut teardown.timer);
            match teardown.stage {
                Stage::Drain => {
                    teardown.stage = Stage::Close;
                    teardown.tries = 1;
                    let (code, reason) = (teardown.code, teardown.reason.clone());
                    let closing = state.closing;
                    if !closing {
                        self.close(connection, code, &reason);
                        if ready != ReadyState::Connecting {
                            self.error_channels(
                                TransportReason::ConnectionClosed,
                                Some(connection),
                            );
                        }
                    }
                }
                Stage::Close => {
                    let then = self.teardowns.remove(index).then;
                    if self.current == Some(connection) {
                        self.current = None;
                    }
                    self.finish(Some(connection), then);
                    self.forget_if_done(connection);
                }
            }
        }
    }

    pub(super) fn finish(&mut self, connection: Option<ConnectionId>, then: Then) {
        match then {
            Then::Nothing => {}
            Then::Tell(token) => self.events.push_back(Event::Disconnected { token }),
            Then::Reconnect { clock, how } => {
                let ended = connection
                    .and_then(|id| self.connections.get(id))
                    .is_some_and(|connection| connection.ended);
                if clock != self.connect_clock || ended {
                    return;
                }
                match how {
                    Reconnect::Now => self.connect_unless_kept(),
                    Reconnect::Shown => {
                        self.connect_unless_kept();
                        self.visibility_connection = self.current;
                    }
                    Reconnect::Later => self.schedule(Wait::Reconnect),
                }
            }
        }
    }

    /// Whether a teardown under way is to connect again.
    pub(super) fn will_reconnect(&self, connection: ConnectionId) -> bool {
        self.teardowns.iter().any(|teardown| {
            teardown.connection == connection
                && matches!(teardown.then, Then::Reconnect { clock, .. } if clock == self.connect_clock)
        })
    }

    /// Closes a transport. Its close event then only confirms it.
    pub(super) fn close(&mut self, connection: ConnectionId, code: Option<u16>, reason: &str) {
        let Some(state) = self.connections.get_mut(connection) else {
            return;
        };
        state.closing = true;
        if state.ready != ReadyState::Closed {
            state.ready = ReadyState::Closing;
        }
        self.transmits.push_back(Transmit::Close {
            connection,
            code,
            reason: Arc::from(reason),
        });
    }

    /// Drops what is known of a connection that neither the socket nor a
    /// teardown has a use for.
    pub(super) fn forget_if_done(&mut self, connection: ConnectionId) {
        let announcing = |state: &Connection| state.announcing;
        let used = self.current == Some(connection)
            || self.connections.get(connection).is_some_and(announcing)
            || self
                .teardowns
                .iter()
                .any(|teardown| teardown.connection == connection);
        if !used {
            self.connections.remove(connection);
        }
    }
}
