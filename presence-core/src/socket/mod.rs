//! The socket: connections, channels, pushes and presences under one roof.

mod channels;
mod connection;
mod heartbeat;
mod page;
mod presences;
mod receive;
mod teardown;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::backoff::{Jitter, Retry};
use crate::channel::Channel;
use crate::codec::LastHead;
use crate::config::Config;
use crate::event::{Delivery, Envelope, Event, Outgoing, ReadyState, Transmit, Wait};
use crate::id::{ChannelId, ConnectionId, PushId};
use crate::id_map::IdMap;
use crate::push::Push;
use crate::time::Millis;
use crate::timer::{TimerId, TimerKind, Timers};

use connection::Connection;
use presences::Presences;
pub use presences::{PresenceKind, PresenceUpdate};
pub use receive::{FrameError, Received};
use teardown::Teardown;

/// phoenix.js's `Socket` with its channels and pushes, as a machine that does
/// no I/O.
///
/// `P` is whatever the shell carries as the payload of a push: JSON text, bytes
/// or a number that stands for an object elsewhere. The machine never looks
/// inside.
///
/// A shell matches all that [`Transmit`] and [`Event`] have: what a later
/// version adds there is something that it has to do, and better not compiled
/// than not done.
///
/// # How to drive it
///
/// Push in: the user's calls, and what the transport does ([`handle_open`],
/// [`handle_text`], [`handle_binary`], [`handle_error`], [`handle_close`],
/// [`handle_transport`]) and the clock ([`handle_timeout`]). After each, pull
/// out until empty: first [`poll_transmit`], then [`poll_event`]. Then
/// [`poll_timeout`] says when to call [`handle_timeout`] at the latest; calling
/// it early, or twice, does nothing. The same calls give the same answers.
///
/// ```
/// use presence_core::{Config, Event, Millis, Socket, Transmit};
///
/// let mut socket: Socket<()> = Socket::new(Config::default());
/// socket.connect(Millis(0));
/// let Some(Transmit::Connect { connection }) = socket.poll_transmit() else { panic!() };
/// socket.handle_open(Millis(20), connection, false);
/// assert!(socket.is_connected());
///
/// // The connection breaks: the first try comes 10 ms later.
/// socket.handle_close(Millis(500), connection, None);
/// assert_eq!(socket.poll_event(), Some(Event::Opened { connection }));
/// let closed = Event::Closed { connection, code: None, will_retry: true };
/// assert_eq!(socket.poll_event(), Some(closed));
/// assert_eq!(socket.poll_timeout(), Some(Millis(510)));
/// socket.handle_timeout(Millis(510));
/// assert!(matches!(socket.poll_transmit(), Some(Transmit::Close { .. }))); // what is left of the old one
/// assert!(matches!(socket.poll_transmit(), Some(Transmit::Connect { .. })));
/// ```
///
/// [`handle_open`]: Self::handle_open
/// [`handle_text`]: Self::handle_text
/// [`handle_binary`]: Self::handle_binary
/// [`handle_error`]: Self::handle_error
/// [`handle_close`]: Self::handle_close
/// [`handle_transport`]: Self::handle_transport
/// [`handle_timeout`]: Self::handle_timeout
/// [`poll_transmit`]: Self::poll_transmit
/// [`poll_event`]: Self::poll_event
/// [`poll_timeout`]: Self::poll_timeout
#[derive(Debug)]
pub struct Socket<P> {
    config: Config,
    now: Millis,
    timers: Timers,
    jitter: Jitter,

    /// The last ref given out; phoenix.js counts messages and callbacks with it.
    last_ref: u64,
    last_id: u32,
    last_push: u32,

    connections: IdMap<ConnectionId, Connection>,
    current: Option<ConnectionId>,
    teardowns: Vec<Teardown>,
    /// Changes whenever the user or a timer connects, disconnects or replaces
    /// the transport, so that work begun before can tell.
    connect_clock: u64,
    close_was_clean: bool,
    hidden: bool,
    visibility_connection: Option<ConnectionId>,
    resume_clock: Option<u64>,
    reconnect: Retry,
    heartbeat: Option<TimerId>,
    heartbeat_timeout: Option<TimerId>,
    pending_heartbeat: Option<u64>,

    /// In order of creation, which is the order of their ids.
    channels: IdMap<ChannelId, Channel>,
    pushes: IdMap<PushId, Push<P>>,
    /// The pushes that wait for a reply, by their ref.
    waiting: IdMap<u64, PushId>,
    send_buffer: Vec<Outgoing<P>>,
    presences: Presences,

    transmits: VecDeque<Transmit<P>>,
    events: VecDeque<Event>,
    deliveries: Vec<Delivery>,
    last_head: LastHead,
}

impl<P: Clone> Socket<P> {
    /// A socket that is not connected.
    pub fn new(config: Config) -> Self {
        Self {
            now: Millis(0),
            timers: Timers::default(),
            jitter: Jitter::new(config.seed, config.jitter),
            config,
            last_ref: 0,
            last_id: 0,
            last_push: 0,
            connections: IdMap::default(),
            current: None,
            teardowns: Vec::new(),
            connect_clock: 1,
            close_was_clean: true,
            hidden: false,
            visibility_connection: None,
            resume_clock: None,
            reconnect: Retry::default(),
            heartbeat: None,
            heartbeat_timeout: None,
            pending_heartbeat: None,
            channels: IdMap::default(),
            pushes: IdMap::default(),
            waiting: IdMap::default(),
            send_buffer: Vec::new(),
            presences: Presences::default(),
            // Mostly one at a time; a queue that begins by itself has room for four.
            transmits: VecDeque::with_capacity(1),
            events: VecDeque::new(),
            deliveries: Vec::new(),
            last_head: LastHead::default(),
        }
    }

    /// The settings the socket was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next thing to do to a transport.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        self.transmits.pop_front()
    }

    /// The next thing to tell the user.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest;
    /// none if nothing waits for time to pass. Any other call can change it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// How many timers run: none, once a socket has nothing left to do.
    pub fn timer_count(&self) -> usize {
        self.timers.len()
    }

    /// How many messages wait for a connection.
    pub fn buffered_count(&self) -> usize {
        self.send_buffer.len()
    }

    /// How many pushes wait for a reply or for a join.
    pub fn pending_count(&self) -> usize {
        self.pushes
            .values()
            .filter(|push| push.timer.is_some())
            .count()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.advance(now);
        let mark = self.timers.mark();
        while let Some((timer, kind)) = self.timers.pop_due(self.now, mark) {
            match kind {
                TimerKind::Reconnect => self.reconnect_now(),
                TimerKind::Heartbeat => {
                    self.heartbeat = None;
                    self.send_heartbeat();
                }
                TimerKind::HeartbeatTimeout => {
                    self.heartbeat_timeout = None;
                    self.heartbeat_overdue();
                }
                TimerKind::Teardown(connection) => {
                    self.resume_teardowns(connection, Some(timer));
                }
                TimerKind::Rejoin(channel) => self.rejoin_due(channel),
                TimerKind::Push(push) => self.push_overdue(push),
            }
        }
    }

    /// Answers [`Event::DelayNeeded`]: the wait begins now and takes `ms`. Too
    /// late an answer, to a wait that was called off, does nothing.
    pub fn set_delay(&mut self, now: Millis, wait: Wait, ms: u64) {
        self.advance(now);
        let retry = match wait {
            Wait::Reconnect => &mut self.reconnect,
            Wait::Rejoin(channel) => match self.channels.get_mut(channel) {
                Some(channel) => &mut channel.rejoin,
                None => return,
            },
        };
        if !retry.asked {
            return;
        }
        retry.asked = false;
        let ms = self.jitter.spread(ms);
        retry.timer = Some(self.timers.set(self.now + ms, timer_of(wait)));
    }

    /// The next ref: phoenix.js numbers messages and callbacks alike, and so
    /// does a shell that registers callbacks.
    pub fn make_ref(&mut self) -> u64 {
        self.last_ref += 1;
        self.last_ref
    }

    /// Time never runs backwards in here.
    fn advance(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// Pushes are many: their numbers begin anew after 2^28 of them, and are
    /// never those of what lasts, such as the push of a channel's joins.
    fn next_push(&mut self) -> PushId {
        self.last_push = (self.last_push.wrapping_add(1) % PUSHES) | PUSHES;
        PushId(self.last_push)
    }

    /// phoenix.js's `Timer.scheduleTimeout`: the next try, after its wait.
    fn schedule(&mut self, wait: Wait) {
        let (retry, backoff) = match wait {
            Wait::Reconnect => (&mut self.reconnect, &self.config.reconnect),
            Wait::Rejoin(channel) => match self.channels.get_mut(channel) {
                Some(channel) => (&mut channel.rejoin, &self.config.rejoin),
                None => return,
            },
        };
        self.timers.cancel(&mut retry.timer);
        let tries = retry.tries + 1;
        match backoff.delay(tries) {
            Some(ms) => {
                let at = self.now + self.jitter.spread(ms);
                retry.timer = Some(self.timers.set(at, timer_of(wait)));
            }
            None => {
                retry.asked = true;
                self.events.push_back(Event::DelayNeeded { wait, tries });
            }
        }
    }

    /// Calls a wait off, and keeps count of the tries.
    fn cancel_wait(retry: &mut Retry, timers: &mut Timers) {
        timers.cancel(&mut retry.timer);
        retry.asked = false;
    }

    /// phoenix.js's `Timer.reset`.
    fn reset_wait(retry: &mut Retry, timers: &mut Timers) {
        Self::cancel_wait(retry, timers);
        retry.tries = 0;
    }

    /// phoenix.js's `Socket.push`: now if connected, else later.
    fn dispatch(&mut self, message: Outgoing<P>) {
        match self.open_connection() {
            Some(connection) => self.transmit(connection, message),
            None => {
                if let Outgoing::Message(Envelope {
                    push: Some(push),
                    join_ref,
                    message_ref,
                    ..
                }) = &message
                {
                    self.transmits.push_back(Transmit::Prepare {
                        push: *push,
                        join_ref: *join_ref,
                        message_ref: *message_ref,
                    });
                }
                self.send_buffer.push(message);
            }
        }
    }

    fn transmit(&mut self, connection: ConnectionId, message: Outgoing<P>) {
        if let Outgoing::Message(envelope) = &message {
            let channel = envelope.channel.and_then(|id| self.channels.get_mut(id));
            if let (Some(id), Some(push), Some(channel)) =
                (envelope.channel, envelope.push, channel)
            {
                if push != channel.join {
                    // It may have ended while it waited for the connection.
                    if self.pushes.get(push).is_some() {
                        channel.sent.insert(push.0.into(), push);
                    }
                } else if let Some(carrier) = self.connections.get_mut(connection) {
                    carrier.joins.insert(id, envelope.join_ref);
                }
            }
        }
        self.transmits.push_back(Transmit::Send {
            connection,
            message,
        });
    }

    /// Sends what waited for the connection, but what a later join, a leave or
    /// an error has overtaken.
    fn flush_send_buffer(&mut self) {
        let Some(connection) = self.open_connection() else {
            return;
        };
        for message in core::mem::take(&mut self.send_buffer) {
            let outdated = match &message {
                Outgoing::Message(envelope) => {
                    self.is_outdated(envelope.channel, envelope.join_ref)
                }
                Outgoing::Raw(_) => false,
            };
            if !outdated {
                self.transmit(connection, message);
            }
        }
    }

    /// Whether a message was made for an earlier join of its channel, or its
    /// channel has left since.
    fn is_outdated(&self, channel: Option<ChannelId>, join_ref: Option<u64>) -> bool {
        match channel {
            Some(channel) => self
                .channels
                .get(channel)
                .is_none_or(|channel| join_ref != self.join_ref_of(channel)),
            None => false,
        }
    }

    /// Whether a message that took its time to encode may still be sent over
    /// `connection`: it is the present one and open, and the message's channel
    /// has not moved on since. (A leave has no channel left to ask; give none.)
    pub fn may_transmit(
        &self,
        connection: ConnectionId,
        channel: Option<ChannelId>,
        join_ref: Option<u64>,
    ) -> bool {
        self.open_connection() == Some(connection) && !self.is_outdated(channel, join_ref)
    }

    /// Hands a message of the user's own to the connection, now or once there
    /// is one: phoenix.js's `Socket.push` without a channel.
    ///
    /// # Errors
    ///
    /// [`PushError::BufferFull`](crate::PushError::BufferFull).
    pub fn send_raw(&mut self, payload: P) -> Result<(), crate::PushError> {
        self.check_room()?;
        self.dispatch(Outgoing::Raw(payload));
        Ok(())
    }

    /// Sends a heartbeat of the user's own, whose reply carries the ref that
    /// is returned; none if there is no open connection. phoenix.js's `ping`.
    pub fn ping(&mut self) -> Option<u64> {
        self.open_connection()?;
        let message_ref = self.make_ref();
        self.dispatch_heartbeat(message_ref);
        Some(message_ref)
    }

    fn dispatch_heartbeat(&mut self, message_ref: u64) {
        self.dispatch(Outgoing::Message(Envelope {
            join_ref: None,
            message_ref: Some(message_ref),
            topic: Arc::from("phoenix"),
            event: Arc::from("heartbeat"),
            payload: None,
            channel: None,
            push: None,
        }));
    }

    fn check_room(&self) -> Result<(), crate::PushError> {
        if self.open_connection().is_none() && self.send_buffer.len() >= self.config.max_buffered {
            return Err(crate::PushError::BufferFull(self.send_buffer.len()));
        }
        Ok(())
    }

    /// The ref of a channel's present join, if it has one.
    fn join_ref_of(&self, channel: &Channel) -> Option<u64> {
        self.pushes
            .get(channel.join)
            .and_then(|join| join.message_ref)
    }

    /// The present connection, if it is open.
    fn open_connection(&self) -> Option<ConnectionId> {
        let current = self.current?;
        (self.connections.get(current)?.ready == ReadyState::Open).then_some(current)
    }
}

pub(crate) const JOIN: &str = "phx_join";
pub(crate) const LEAVE: &str = "phx_leave";
pub(crate) const REPLY: &str = "phx_reply";
pub(crate) const ERROR: &str = "phx_error";
pub(crate) const CLOSE: &str = "phx_close";

/// Where the numbers of pushes begin, and how many there are of them.
const PUSHES: u32 = 1 << 28;

const fn timer_of(wait: Wait) -> TimerKind {
    match wait {
        Wait::Reconnect => TimerKind::Reconnect,
        Wait::Rejoin(channel) => TimerKind::Rejoin(channel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn pushes_whose_numbers_begin_anew_are_not_taken_for_joins() {
        let mut socket: Socket<()> = Socket::new(Config::default());
        let room = socket.channel("room:lobby", None);
        let join = socket.join(Millis(0), room, None).ok();
        let first = socket.push(Millis(0), room, "shout", (), None).ok();
        socket.last_push = u32::MAX;
        let again = socket.push(Millis(0), room, "shout", (), None).ok();
        assert_eq!(again, Some(PushId(PUSHES)));
        assert!(first > again && again > join);
        assert_eq!(socket.join_push(room), join);
    }
}
