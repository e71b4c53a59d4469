//! The one task of a socket: it moves bytes, keeps time and tells the handles; the core decides.

mod channels;
mod command;
mod frames;
mod outcome;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use presence_core::{
    ChannelId, ConnectionId, Event, Millis, PresenceId, PushId, ReadyState, Socket,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::channel::{self, ChannelError};
use crate::error::{ConnectError, Disconnect};
use crate::message::Payload;
use crate::presence::{self, Due};
use crate::socket::{Shared, SocketStatus};
use crate::transport::{Happening, Transports};

use channels::Entry;
pub(crate) use command::{Command, PushRequest, Release};
pub(crate) use outcome::Outcome;
use outcome::Waiting;

/// How many frames are taken before commands and timers have their turn.
const IN_A_ROW: usize = 32;

/// A server that asks for more may have got it wrong, or be back before.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// See the module.
pub(crate) struct Driver {
    core: Socket<Payload>,
    shared: Arc<Shared>,
    started: Instant,
    commands: mpsc::Receiver<Command>,
    releases: mpsc::UnboundedReceiver<Release>,
    transports: Transports,
    /// Boxed, since a node of the map has room for eleven.
    channels: BTreeMap<ChannelId, Box<Entry>>,
    /// Made and not joined.
    unjoined: Vec<Arc<channel::Shared>>,
    presences: BTreeMap<PresenceId, Arc<presence::Shared>>,
    pushes: BTreeMap<PushId, Waiting>,
    /// Why there is no connection, once one was tried.
    lost: Option<Disconnect>,
    /// How long the next attempt to connect waits beyond what the core says.
    hold_off: Duration,
    /// The connection whose attempt began with such a wait.
    held_off: Option<ConnectionId>,
    /// The server refused, and nothing tries again.
    gave_up: bool,
    shutdowns: Vec<oneshot::Sender<()>>,
    /// The status was told last when the socket was connected, and so need not be looked at while it is.
    told_connected: bool,
    /// Empty between frames; kept for its room.
    due: Vec<Due>,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        releases: mpsc::UnboundedReceiver<Release>,
    ) -> Self {
        Self {
            core: Socket::new(shared.settings.core.clone()),
            started: Instant::now(),
            commands,
            releases,
            transports: Transports::new(
                shared.settings.close_timeout,
                shared.settings.max_buffered,
            ),
            channels: BTreeMap::new(),
            unjoined: Vec::new(),
            presences: BTreeMap::new(),
            pushes: BTreeMap::new(),
            lost: None,
            hold_off: Duration::ZERO,
            held_off: None,
            gave_up: false,
            shutdowns: Vec::new(),
            told_connected: false,
            due: Vec::new(),
            shared,
        }
    }

    /// Boxed, since a future that takes a value and keeps it has room for two.
    pub(crate) async fn run(mut self: Box<Self>) {
        tracing::debug!("socket starts");
        self.core.connect(self.now());
        self.pump();
        self.work().await;
        self.end().await;
    }

    /// Until the last handle is gone, or somebody shuts the socket down.
    async fn work(&mut self) {
        let sleep = sleep_until(self.started);
        tokio::pin!(sleep);
        let mut alarm = None;
        loop {
            let next = self.core.poll_timeout();
            if next != alarm {
                alarm = next;
                if let Some(at) = next {
                    sleep
                        .as_mut()
                        .reset(self.started + Duration::from_millis(at.0));
                }
            }
            // A connection that takes no more makes the handles wait, and so whoever pushes.
            let has_room = self.transports.has_room();
            tokio::select! {
                next = poll_fn(|cx| self.transports.poll_next(cx)) => {
                    if let Some((id, happening)) = next {
                        self.handle_happening(id, happening);
                        poll_fn(|cx| self.poll_waiting(cx)).await;
                    }
                }
                command = self.commands.recv(), if has_room => match command {
                    Some(command) => self.handle_command(command),
                    None => return,
                },
                release = self.releases.recv() => match release {
                    Some(Release::New(channel)) => self.channel_made(channel),
                    Some(Release::Channel(channel)) => {
                        // What was asked of it before goes first.
                        for _ in 0..self.commands.len() {
                            if let Ok(command) = self.commands.try_recv() {
                                self.handle_command(command);
                            }
                        }
                        self.leave(&channel);
                    }
                    Some(Release::Reconnect(done)) => {
                        self.reconnect();
                        drop(done);
                    }
                    Some(Release::Socket(done)) => {
                        self.shutdowns.push(done);
                        return;
                    }
                    None => return,
                },
                () = &mut sleep, if alarm.is_some() => {
                    alarm = None;
                    self.core.handle_timeout(self.now());
                }
            }
            self.pump();
        }
    }

    /// Takes what has arrived too, before commands and timers have their turn. The wait that follows polls again, and
    /// so nothing is missed.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 1..IN_A_ROW {
            self.pump();
            let Poll::Ready(Some((id, happening))) = self.transports.poll_next(cx) else {
                break;
            };
            self.handle_happening(id, happening);
        }
        Poll::Ready(())
    }

    /// Sends what was queued before, says goodbye and tells everybody.
    async fn end(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.handle_command(command);
            self.pump();
        }
        self.core.disconnect(self.now(), Some(1000), "", None);
        self.pump();
        // Each closing connection has its own latest time.
        poll_fn(|cx| self.transports.poll_idle(cx)).await;
        tracing::debug!("socket ends");
    }

    fn now(&self) -> Millis {
        let elapsed = self.started.elapsed().as_millis();
        Millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// Does and tells all that the core has to say.
    fn pump(&mut self) {
        loop {
            while let Some(transmit) = self.core.poll_transmit() {
                self.transmit(transmit);
            }
            let Some(event) = self.core.poll_event() else {
                break;
            };
            self.tell(event);
        }
        self.update_status();
    }

    fn handle_happening(&mut self, id: ConnectionId, happening: Happening) {
        match happening {
            Happening::Opened => {
                tracing::info!("connected");
                self.core.handle_open(self.now(), id, false);
            }
            Happening::Text(text) => self.handle_text(id, &text),
            Happening::Binary(bytes) => self.handle_binary(id, &bytes),
            Happening::Closed(why) => self.handle_closed(id, why),
        }
    }

    fn handle_closed(&mut self, id: ConnectionId, why: Disconnect) {
        let (code, is_error) = match &why {
            Disconnect::Closed { code } => (*code, false),
            Disconnect::Connect(ConnectError::Refused { status }) => {
                self.core.handle_refused(id, *status);
                (None, true)
            }
            Disconnect::Connect(ConnectError::RefusedFor {
                status,
                retry_after,
            }) => {
                self.hold_off = (*retry_after).min(LONGEST_RETRY_AFTER);
                self.core.handle_refused(id, *status);
                (None, true)
            }
            _ => (None, true),
        };
        // What a closing connection ends with says nothing: the reason was there before.
        if self.core.connection() == Some(id) && self.core.ready_state() != ReadyState::Closing {
            tracing::warn!(error = %why, "not connected");
            if matches!(why, Disconnect::Protocol(_)) {
                self.hold_off();
            }
            self.lost = Some(why);
        }
        let now = self.now();
        if is_error {
            self.core.handle_error(now, id);
        }
        self.core.handle_close(now, id, code);
    }

    fn reconnect(&mut self) {
        let now = self.now();
        self.hold_off = Duration::ZERO;
        if std::mem::take(&mut self.gave_up) {
            self.core.connect(now);
        } else if let Some(id) = self.held_off.take()
            && self.transports.is_connecting(id)
        {
            // The core takes it to be connecting already.
            self.connect(id);
        } else {
            self.core.handle_online(now);
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Opened { .. }
            | Event::Failed { .. }
            | Event::Closed { .. }
            | Event::Disconnected { .. } => {}
            Event::GaveUp { .. } => self.give_up(),
            Event::ChannelErrored { channel, .. } => {
                self.channel_errored(channel, ChannelError::Disconnected)
            }
            Event::ChannelClosed { channel, .. } => self.channel_left(channel),
            Event::JoinGaveUp { channel } => self.join_gave_up(channel),
            Event::PushTimeout { push } => self.push_timed_out(push),
            Event::PushLeft { .. } => {}
            Event::PushDisconnected { push } => self.push_lost(push),
            Event::PresenceStatus { presence } => self.presence_status(presence),
            // The waits are given as steps.
            Event::DelayNeeded { .. } => {}
        }
    }

    fn update_status(&mut self) {
        let is_connected = self.core.is_connected();
        if is_connected && self.told_connected {
            return;
        }
        self.told_connected = is_connected;
        let status = if is_connected {
            SocketStatus::Connected
        } else {
            match (&self.lost, self.gave_up) {
                (Some(why), true) => SocketStatus::Closed(why.clone()),
                (Some(why), false) => SocketStatus::Reconnecting(why.clone()),
                (None, _) => SocketStatus::Connecting,
            }
        };
        self.shared.status.send_if_modified(|old| {
            let same = match (&*old, &status) {
                (SocketStatus::Connecting, SocketStatus::Connecting)
                | (SocketStatus::Connected, SocketStatus::Connected)
                | (SocketStatus::Closed(_), SocketStatus::Closed(_)) => true,
                (SocketStatus::Reconnecting(old), SocketStatus::Reconnecting(new)) => {
                    old.is_same(new)
                }
                _ => false,
            };
            if !same {
                *old = status;
            }
            !same
        });
    }
}

/// Also where the runtime ends before the socket does.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared
            .status
            .send_replace(SocketStatus::Closed(Disconnect::Shutdown));
        // What was made meanwhile; later ones find the queue closed.
        self.releases.close();
        while let Ok(release) = self.releases.try_recv() {
            if let Release::New(channel) = release {
                self.channel_made(channel);
            }
        }
        self.close_everything();
    }
}
