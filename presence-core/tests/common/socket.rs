//! The socket machine beside a scripted server on a virtual clock.
//!
//! Nothing waits here: [`Pair::advance`] jumps from one wake-up of the machine to the next. What the machine does and
//! tells is written down, a line each, in its order; [`Pair::log`] hands the lines out. After every step the pair
//! checks what must hold whatever the test is about: see [`Pair::check`].
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};

use presence_core::message::{Message, Payload, Reply, Vsn};
use presence_core::{
    ChannelId, Config, ConnectionId, DeliveryKind, Event, JoinError, Millis, Outgoing, PushError,
    PushId, Received, Refusal, Socket, Transmit, Wait,
};

/// A message that the machine sent, as the server got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub connection: ConnectionId,
    pub join_ref: Option<u64>,
    pub message_ref: Option<u64>,
    pub topic: String,
    pub event: String,
    pub payload: String,
}

/// How a push ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Reply(String),
    Timeout,
    Disconnected,
    /// A leave's `ok`, which the machine gives itself.
    Left,
}

/// A socket and the one who plays its transports, its clock, its user and its server.
#[derive(Debug)]
pub struct Pair {
    pub socket: Socket<String>,
    pub now: u64,
    pub vsn: Vsn,
    /// What the server got, and no test has taken.
    pub inbox: Vec<Sent>,
    /// How each push ended; a join can end more than once.
    pub ends: BTreeMap<PushId, Vec<End>>,
    log: Vec<String>,
    channels: BTreeMap<ChannelId, String>,
    pushes: BTreeMap<PushId, String>,
    joins: BTreeSet<PushId>,
    told_disconnected: BTreeSet<PushId>,
    /// The machine has been told of these that they are open, and not yet that they are not.
    open: BTreeSet<ConnectionId>,
    last_connection: Option<ConnectionId>,
    last_ref: u64,
    zero_waits: bool,
}

impl Pair {
    pub fn new(config: Config) -> Self {
        let zero_waits = config.timeout == 0 || config.heartbeat_interval == 0;
        Self {
            socket: Socket::new(config),
            now: 1_000,
            vsn: Vsn::V2,
            inbox: Vec::new(),
            ends: BTreeMap::new(),
            log: Vec::new(),
            channels: BTreeMap::new(),
            pushes: BTreeMap::new(),
            joins: BTreeSet::new(),
            told_disconnected: BTreeSet::new(),
            open: BTreeSet::new(),
            last_connection: None,
            last_ref: 0,
            zero_waits,
        }
    }

    /// With phoenix.js's defaults, connected.
    pub fn connected() -> Self {
        Self::connected_with(Config::default())
    }

    pub fn connected_with(config: Config) -> Self {
        let mut pair = Self::new(config);
        pair.connect();
        pair.open();
        pair.log();
        pair
    }

    /// Connected, and `topic` joined.
    pub fn joined(topic: &str) -> (Self, ChannelId) {
        Self::joined_with(Config::default(), topic)
    }

    pub fn joined_with(config: Config, topic: &str) -> (Self, ChannelId) {
        let mut pair = Self::connected_with(config);
        let channel = pair.channel(topic);
        pair.join(channel);
        pair.accept_joins();
        pair.log();
        (pair, channel)
    }

    pub fn at(&self) -> Millis {
        Millis(self.now)
    }

    // The user

    pub fn connect(&mut self) {
        self.socket.connect(self.at());
        self.drain();
    }

    pub fn disconnect(&mut self, token: u32) {
        self.socket.disconnect(self.at(), None, "", Some(token));
        self.drain();
    }

    pub fn channel(&mut self, topic: &str) -> ChannelId {
        let id = self.socket.channel(topic, Some("{}".to_owned()));
        let twins = self
            .channels
            .values()
            .filter(|name| name.split('~').next() == Some(topic))
            .count();
        let name = match twins {
            0 => topic.to_owned(),
            n => format!("{topic}~{}", n + 1),
        };
        if let Some(join) = self.socket.join_push(id) {
            self.pushes.insert(join, format!("join {name}"));
            self.joins.insert(join);
        }
        self.channels.insert(id, name);
        id
    }

    pub fn join(&mut self, channel: ChannelId) -> PushId {
        self.try_join(channel, None).expect("joinable")
    }

    pub fn try_join(
        &mut self,
        channel: ChannelId,
        timeout: Option<u64>,
    ) -> Result<PushId, JoinError> {
        let join = self.socket.join(self.at(), channel, timeout);
        self.drain();
        join
    }

    pub fn leave(&mut self, channel: ChannelId) -> Option<PushId> {
        let leave = self.socket.leave(self.at(), channel, None);
        if let Some(leave) = leave {
            let name = format!("leave {}", self.channels[&channel]);
            self.pushes.insert(leave, name);
        }
        self.drain();
        leave
    }

    pub fn push(&mut self, channel: ChannelId, event: &str) -> PushId {
        self.try_push(channel, event, None).expect("pushable")
    }

    pub fn try_push(
        &mut self,
        channel: ChannelId,
        event: &str,
        timeout: Option<u64>,
    ) -> Result<PushId, PushError> {
        let payload = format!("{{\"of\":\"{event}\"}}");
        let push = self
            .socket
            .push(self.at(), channel, event, payload, timeout);
        if let Ok(push) = push {
            self.pushes.insert(push, event.to_owned());
        }
        self.drain();
        push
    }

    // The transport

    /// The connection asked for last.
    pub fn connection(&self) -> ConnectionId {
        self.last_connection.expect("a connection was asked for")
    }

    /// The connection asked for last opens.
    pub fn open(&mut self) {
        let connection = self.connection();
        self.open.insert(connection);
        self.socket.handle_open(self.at(), connection, false);
        self.drain();
    }

    /// The connection asked for last closes.
    pub fn close(&mut self, code: u16) {
        self.close_connection(self.connection(), Some(code));
    }

    pub fn close_connection(&mut self, connection: ConnectionId, code: Option<u16>) {
        self.open.remove(&connection);
        self.socket.handle_close(self.at(), connection, code);
        self.drain();
    }

    pub fn error(&mut self) {
        let connection = self.connection();
        self.socket.handle_error(self.at(), connection);
        self.drain();
    }

    /// What a WebSocket does that fails: `readyState` 3, then an error, then a close.
    pub fn fail(&mut self) {
        let connection = self.connection();
        self.open.remove(&connection);
        self.socket.handle_transport(
            self.at(),
            connection,
            presence_core::ReadyState::Closed,
            false,
        );
        self.drain();
        self.error();
        self.close(1006);
    }

    // The clock

    /// Lets `ms` pass, waking the machine when it asks to be woken.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(Millis(at)) = self.socket.poll_timeout().filter(|at| at.0 <= end) {
            self.now = self.now.max(at);
            self.wake();
        }
        self.now = end;
        self.wake();
    }

    /// Jumps to the next wake-up; how long that took.
    pub fn jump(&mut self) -> Option<u64> {
        let Millis(at) = self.socket.poll_timeout()?;
        let took = at.saturating_sub(self.now);
        self.now += took;
        self.wake();
        Some(took)
    }

    pub fn wake(&mut self) {
        self.socket.handle_timeout(self.at());
        self.drain();
    }

    // The server

    /// The oldest message that the server has not looked at.
    pub fn take(&mut self) -> Sent {
        assert!(!self.inbox.is_empty(), "nothing was sent");
        self.inbox.remove(0)
    }

    /// The oldest with this event that the server has not looked at.
    pub fn take_event(&mut self, event: &str) -> Sent {
        let index = self
            .inbox
            .iter()
            .position(|sent| sent.event == event)
            .unwrap_or_else(|| panic!("no {event} was sent, but {:?}", self.inbox));
        self.inbox.remove(index)
    }

    pub fn reply(&mut self, to: &Sent, status: &str, response: &str) {
        let frame = frame(
            self.vsn,
            to.join_ref.map(|r| r.to_string()).as_deref(),
            to.message_ref.map(|r| r.to_string()).as_deref(),
            &to.topic,
            "phx_reply",
            &format!("{{\"status\":\"{status}\",\"response\":{response}}}"),
        );
        self.receive_on(to.connection, &frame);
    }

    /// Answers every join that waits with `ok`, in order.
    pub fn accept_joins(&mut self) {
        while self.inbox.iter().any(|sent| sent.event == "phx_join") {
            let join = self.take_event("phx_join");
            self.reply(&join, "ok", "{}");
        }
    }

    /// An event for `channel`, under its present join.
    pub fn event(&mut self, channel: ChannelId, event: &str, payload: &str) {
        let join_ref = self.socket.join_ref(channel).map(|r| r.to_string());
        let topic = self.socket.topic(channel).expect("a channel").to_owned();
        let own = (event == "phx_error" || event == "phx_close").then_some(join_ref.as_deref());
        let frame = frame(
            self.vsn,
            join_ref.as_deref(),
            own.flatten(),
            &topic,
            event,
            payload,
        );
        self.receive(&frame);
    }

    /// A text frame over the connection asked for last.
    pub fn receive(&mut self, text: &str) {
        self.receive_on(self.connection(), text);
    }

    pub fn receive_on(&mut self, connection: ConnectionId, text: &str) {
        let received = self
            .socket
            .handle_text(self.at(), connection, self.vsn, text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let message = received.map(|received| match received {
            Received::Message(message) => message,
            Received::Presence(frame) => frame.into_message().expect("read once already"),
        });
        self.deliver(message.as_ref());
    }

    pub fn receive_binary(&mut self, bytes: &[u8]) {
        let message = self
            .socket
            .handle_binary(self.at(), self.connection(), bytes)
            .unwrap_or_else(|error| panic!("{bytes:?}: {error}"));
        self.deliver(message.as_ref());
    }

    /// Writes down to whom a message went.
    fn deliver(&mut self, message: Option<&Message<'_>>) {
        let Some(message) = message else {
            self.log.push("ignored".to_owned());
            return self.drain();
        };
        for delivery in self.socket.deliveries().to_vec() {
            let channel = self.channel_name(delivery.channel);
            let payload = match &message.payload {
                Payload::Json(text) => (*text).to_owned(),
                Payload::Binary(data) => format!("{data:?}"),
                Payload::BinaryReply { status, response } => format!("{status} {response:?}"),
            };
            let line = match delivery.kind {
                DeliveryKind::Event => format!("{channel} got {} {payload}", message.event),
                DeliveryKind::Reply(None) => format!("{channel} got a reply nobody waits for"),
                DeliveryKind::Reply(Some(push)) => {
                    let status = Reply::parse(message).map_or_else(
                        |_| "malformed".to_owned(),
                        |reply| reply.status.into_owned(),
                    );
                    let line = format!("{} replied {status}", self.push_name(push));
                    self.end(push, End::Reply(status));
                    line
                }
                DeliveryKind::Closed => format!("{channel} closed"),
                DeliveryKind::Errored => format!("{channel} crashed"),
            };
            self.log.push(line);
        }
        self.drain();
    }

    // What came of it

    /// The lines since the last call: what was sent, then what was told, a step after the other.
    pub fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// The lines since the last call must be these.
    #[track_caller]
    pub fn expect<const N: usize>(&mut self, lines: [&str; N]) {
        assert_eq!(self.log(), lines, "at {} ms", self.now);
    }

    pub fn push_name(&self, push: PushId) -> String {
        self.pushes
            .get(&push)
            .cloned()
            .unwrap_or_else(|| "a push of the machine's own".to_owned())
    }

    fn channel_name(&self, channel: ChannelId) -> String {
        self.channels
            .get(&channel)
            .cloned()
            .expect("a channel the test made")
    }

    pub fn ends_of(&self, push: PushId) -> &[End] {
        self.ends.get(&push).map_or(&[], Vec::as_slice)
    }

    fn end(&mut self, push: PushId, end: End) {
        let name = self.push_name(push);
        let ends = self.ends.entry(push).or_default();
        ends.push(end);
        assert!(
            ends.len() == 1 || self.joins.contains(&push),
            "{name} ended twice: {ends:?}"
        );
    }

    /// Pulls everything out, and checks.
    pub fn drain(&mut self) {
        while let Some(transmit) = self.socket.poll_transmit() {
            self.transmit(transmit);
        }
        while let Some(event) = self.socket.poll_event() {
            self.tell(event);
        }
        self.check();
    }

    /// What holds after each step: nothing is overdue, and waking the machine once more changes nothing.
    fn check(&mut self) {
        let before = self.socket.poll_timeout();
        if before.is_some_and(|at| at.0 <= self.now) || self.zero_waits {
            // The step came late or the waits are none; the next wake-up is about it.
            return;
        }
        self.socket.handle_timeout(self.at());
        assert!(
            self.socket.poll_transmit().is_none(),
            "a spurious wake-up sent something"
        );
        assert!(
            self.socket.poll_event().is_none(),
            "a spurious wake-up told something"
        );
        assert_eq!(
            self.socket.poll_timeout(),
            before,
            "a spurious wake-up moved a timer"
        );
    }

    fn transmit(&mut self, transmit: Transmit<String>) {
        let line = match transmit {
            Transmit::Connect { connection } => {
                assert!(
                    self.last_connection < Some(connection),
                    "a connection's id was used twice"
                );
                self.last_connection = Some(connection);
                "connect".to_owned()
            }
            Transmit::Prepare { push, .. } => format!("prepare {}", self.push_name(push)),
            Transmit::Send {
                connection,
                message,
            } => {
                assert!(
                    self.open.contains(&connection),
                    "sent over a connection that is not open"
                );
                match message {
                    Outgoing::Raw(payload) => format!("send raw {payload}"),
                    Outgoing::Message(envelope) => {
                        let sent = Sent {
                            connection,
                            join_ref: envelope.join_ref,
                            message_ref: envelope.message_ref,
                            topic: envelope.topic.to_string(),
                            event: envelope.event.to_string(),
                            payload: envelope.payload.unwrap_or_else(|| "{}".to_owned()),
                        };
                        let show = |r: Option<u64>| r.map_or("null".to_owned(), |r| r.to_string());
                        let line = format!(
                            "send {} {} {} {} {}",
                            show(sent.join_ref),
                            show(sent.message_ref),
                            sent.topic,
                            sent.event,
                            sent.payload
                        );
                        self.inbox.push(sent);
                        line
                    }
                }
            }
            Transmit::Close {
                connection,
                code,
                reason,
            } => {
                self.open.remove(&connection);
                let code = code.map_or(String::new(), |code| format!(" {code} {reason}"));
                format!("close{code}")
            }
        };
        self.log.push(line.trim_end().to_owned());
    }

    fn tell(&mut self, event: Event) {
        let line = match event {
            Event::Opened { .. } => "opened".to_owned(),
            Event::Failed { .. } => "failed".to_owned(),
            Event::Closed {
                code, will_retry, ..
            } => format!(
                "closed{}{}",
                code.map_or(String::new(), |code| format!(" {code}")),
                if will_retry { ", will retry" } else { "" }
            ),
            Event::GaveUp { refusal, .. } => match refusal {
                Refusal::Status(status) => format!("gave up: {status}"),
                Refusal::Policy => "gave up: policy".to_owned(),
            },
            Event::Disconnected { token } => format!("disconnected {token}"),
            Event::ChannelErrored { channel, reason } => {
                format!(
                    "{} errored: {}",
                    self.channel_name(channel),
                    reason.as_str()
                )
            }
            Event::ChannelClosed { channel, .. } => format!("{} left", self.channel_name(channel)),
            Event::JoinGaveUp { channel } => {
                format!("{} gave up joining", self.channel_name(channel))
            }
            Event::PushTimeout { push } => {
                self.end(push, End::Timeout);
                format!("{} timed out", self.push_name(push))
            }
            Event::PushLeft { push } => {
                self.end(push, End::Left);
                return;
            }
            Event::PushDisconnected { push } => {
                assert!(
                    self.told_disconnected.insert(push),
                    "{} was told to be disconnected twice",
                    self.push_name(push)
                );
                if self.socket.config().push_timeout_after_disconnect {
                    // Only told: the timeout is its end.
                } else {
                    self.end(push, End::Disconnected);
                }
                format!("{} disconnected", self.push_name(push))
            }
            Event::PresenceStatus { .. } => return,
            Event::DelayNeeded { wait, tries } => match wait {
                Wait::Reconnect => format!("delay of reconnect {tries}?"),
                Wait::Rejoin(channel) => {
                    format!("delay of rejoin {} {tries}?", self.channel_name(channel))
                }
            },
        };
        self.log.push(line);
    }
}

/// A frame as a Phoenix server writes it.
pub fn frame(
    vsn: Vsn,
    join_ref: Option<&str>,
    message_ref: Option<&str>,
    topic: &str,
    event: &str,
    payload: &str,
) -> String {
    let quote = |r: Option<&str>| r.map_or("null".to_owned(), |r| format!("\"{r}\""));
    match vsn {
        Vsn::V1 => format!(
            "{{\"event\":\"{event}\",\"payload\":{payload},\"ref\":{},\"topic\":\"{topic}\"}}",
            quote(message_ref)
        ),
        Vsn::V2 => format!(
            "[{},{},\"{topic}\",\"{event}\",{payload}]",
            quote(join_ref),
            quote(message_ref)
        ),
    }
}
