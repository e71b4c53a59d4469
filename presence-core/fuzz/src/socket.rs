use std::collections::BTreeMap;

use presence_core::message::{Reply, Vsn};
use presence_core::presence::PresenceOptions;
use presence_core::{
    Backoff, ChannelId, Config, ConnectionId, DeliveryKind, Event, Millis, Outgoing, PresenceId,
    PushId, ReadyState, Received, Socket, Transmit, Wait,
};

/// A whole socket: the bytes say what its user, its transports, its clock and its server do. Whatever that is, each
/// push ends exactly once, a frame that is refused changes nothing, and nothing is left once all has come to rest.
pub fn socket(data: &[u8]) {
    let mut play = Play::new(Bytes(data));
    while !play.bytes.0.is_empty() {
        play.step();
        play.drain();
    }
    play.finish();
}

/// What is left of the input; where nothing is, zeros.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = usize::from(self.next()).checked_rem(from.len())?;
        from.get(at).copied()
    }

    /// As many bytes as the next two say, or all there are.
    fn take(&mut self) -> &'a [u8] {
        let size = usize::from(self.next()) * 256 + usize::from(self.next());
        let (taken, rest) = self.0.split_at(size.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

const TOPICS: [&str; 3] = ["a", "b", "c"];
const EVENTS: [&str; 6] = [
    "presence_state",
    "presence_diff",
    "phx_error",
    "phx_close",
    "phx_reply",
    "shout",
];
const PAYLOADS: [&str; 5] = [
    "{}",
    r#"{"x":{"metas":[{"phx_ref":"1"}]}}"#,
    r#"{"joins":{"y":{"metas":[{"phx_ref":"2"}]}},"leaves":{}}"#,
    r#"{"joins":{},"leaves":{"x":{"metas":[{"phx_ref":"1"}]}}}"#,
    "[]",
];
const RESPONSES: [&str; 4] = [
    r#"{"status":"ok","response":{}}"#,
    r#"{"status":"error","response":{"reason":"unauthorized"}}"#,
    r#"{"status":"odd"}"#,
    "null",
];

/// How long anything can take to come to rest: the longest time a push may have.
const REST: u64 = 300_000;

struct Play<'a> {
    bytes: Bytes<'a>,
    socket: Socket<String>,
    now: u64,
    vsn: Vsn,
    connections: Vec<ConnectionId>,
    channels: Vec<ChannelId>,
    presences: Vec<PresenceId>,
    /// How often each push that was taken has ended.
    pushes: BTreeMap<PushId, u32>,
    /// What the server has got: join_ref, ref and topic, as JSON.
    sent: Vec<(String, String, String)>,
    tokens: Vec<u32>,
    last_token: u32,
}

impl<'a> Play<'a> {
    fn new(mut bytes: Bytes<'a>) -> Self {
        let mut backoff = |table: fn() -> Backoff| {
            if bytes.flag() {
                Backoff::Asked
            } else {
                table()
            }
        };
        let (reconnect, rejoin) = (backoff(Backoff::reconnect), backoff(Backoff::rejoin));
        let config = Config {
            reconnect,
            rejoin,
            heartbeat_timeout: bytes.flag().then_some(1_000),
            jitter: f64::from(bytes.next()) / 255.0,
            max_buffered: if bytes.flag() { 3 } else { usize::MAX },
            push_timeout_after_disconnect: bytes.flag(),
            stop_on_refusal: bytes.flag(),
            stop_on_join_refusal: bytes.flag(),
            ..Config::default()
        };
        let config = Config {
            // Native programs have it, where drop-ins for phoenix.js have timeouts.
            refuse_odd_join_answers: !config.push_timeout_after_disconnect,
            ..config
        };
        let vsn = if bytes.flag() { Vsn::V1 } else { Vsn::V2 };
        Self {
            bytes,
            socket: Socket::new(config),
            now: 0,
            vsn,
            connections: Vec::new(),
            channels: Vec::new(),
            presences: Vec::new(),
            pushes: BTreeMap::new(),
            sent: Vec::new(),
            tokens: Vec::new(),
            last_token: 0,
        }
    }

    fn at(&self) -> Millis {
        Millis(self.now)
    }

    fn step(&mut self) {
        let at = self.at();
        match self.bytes.next() % 24 {
            // Its user
            0 => self.socket.connect(at),
            1 => {
                self.last_token += 1;
                self.tokens.push(self.last_token);
                self.socket
                    .disconnect(at, None, "bye", Some(self.last_token));
            }
            2 => {
                if let Some(topic) = self.bytes.pick(&TOPICS) {
                    let channel = self.socket.channel(topic, Some("{}".to_owned()));
                    self.channels.push(channel);
                }
            }
            3 | 4 => {
                if let Some(channel) = self.bytes.pick(&self.channels) {
                    let timeout = self.timeout();
                    let _ = self.socket.join(at, channel, timeout);
                }
            }
            5 => {
                if let Some(channel) = self.bytes.pick(&self.channels) {
                    let timeout = self.timeout();
                    let _ = self.socket.leave(at, channel, timeout);
                }
            }
            6..=8 => self.push(),
            9 => {
                if let Some(channel) = self.bytes.pick(&self.channels) {
                    let options = PresenceOptions::default();
                    self.presences.push(self.socket.track(channel, options));
                }
            }
            10 => {
                if let Some(presence) = self.bytes.pick(&self.presences) {
                    self.socket.untrack(presence);
                }
            }
            11 => match self.bytes.next() % 4 {
                0 => drop(self.socket.ping()),
                1 => drop(self.socket.send_raw("raw".to_owned())),
                2 => drop(self.socket.replace_transport(at)),
                _ => {
                    if let Some(channel) = self.bytes.pick(&self.channels) {
                        self.socket.set_presences_by_shell(channel);
                    }
                }
            },
            // Its page
            12 => match self.bytes.next() % 5 {
                0 => self.socket.handle_visibility(at, true),
                1 => self.socket.handle_visibility(at, false),
                2 => self.socket.handle_online(at),
                3 => self.socket.handle_page_hide(at),
                _ => self.socket.handle_page_show(at),
            },
            // Its transports
            13 | 14 => {
                if let Some(connection) = self.connection() {
                    let skip = self.bytes.next() == 1;
                    self.socket.handle_open(at, connection, skip);
                }
            }
            15 => {
                if let Some(connection) = self.connection() {
                    match self.bytes.next() % 4 {
                        0 => self.socket.handle_error(at, connection),
                        1 => self.socket.handle_refused(connection, 403),
                        2 => self.socket.handle_close(at, connection, Some(1008)),
                        _ => self.socket.handle_close(at, connection, None),
                    }
                }
            }
            16 => {
                if let Some(connection) = self.connection() {
                    let ready = ReadyState::from_u8(self.bytes.next() % 5);
                    let buffered = self.bytes.flag();
                    self.socket
                        .handle_transport(at, connection, ready, buffered);
                }
            }
            // Its clock
            17 | 18 => {
                let ms = [1, 10, 150, 1_000, 10_000, 30_000];
                self.now += self.bytes.pick(&ms).unwrap_or_default();
                self.socket.handle_timeout(self.at());
            }
            // Its server
            19 => self.answer(),
            20 | 21 => self.event(),
            22 => {
                let frame = self.bytes.take();
                if let (Ok(text), Some(connection)) =
                    (std::str::from_utf8(frame), self.connection())
                {
                    self.receive(connection, text);
                }
            }
            _ => {
                let frame = self.bytes.take();
                if let Some(connection) = self.connection() {
                    self.receive_binary(connection, frame);
                }
            }
        }
    }

    fn timeout(&mut self) -> Option<u64> {
        let timeouts = [None, None, Some(100), Some(20_000)];
        self.bytes.pick(&timeouts).flatten()
    }

    /// Mostly the present one.
    fn connection(&mut self) -> Option<ConnectionId> {
        match self.bytes.next() {
            0..=7 => self.bytes.pick(&self.connections),
            _ => self.socket.connection(),
        }
    }

    fn push(&mut self) {
        let Some(channel) = self.bytes.pick(&self.channels) else {
            return;
        };
        let timeout = self.timeout();
        let pushed = self
            .socket
            .push(self.at(), channel, "ask", "{}".to_owned(), timeout);
        if let Ok(push) = pushed {
            assert_eq!(self.pushes.insert(push, 0), None, "an id was used twice");
        }
    }

    fn answer(&mut self) {
        let (sent, response) = (self.bytes.next(), self.bytes.pick(&RESPONSES));
        // From the latest backwards: what was sent last is most likely to matter.
        let sent = self.sent.iter().rev().nth(usize::from(sent)).cloned();
        if let (Some((join_ref, message_ref, topic)), Some(connection), Some(response)) =
            (sent, self.connection(), response)
        {
            let text = self.frame(&join_ref, &message_ref, &topic, "phx_reply", response);
            self.receive(connection, &text);
        }
    }

    fn event(&mut self) {
        let (Some(channel), Some(event), Some(payload)) = (
            self.bytes.pick(&self.channels),
            self.bytes.pick(&EVENTS),
            self.bytes.pick(&PAYLOADS),
        ) else {
            return;
        };
        let joined = self.bytes.flag();
        let join_ref = match self.socket.join_ref(channel).filter(|_| joined) {
            Some(join_ref) => format!("\"{join_ref}\""),
            None => "null".to_owned(),
        };
        let topic = format!("\"{}\"", self.socket.topic(channel).unwrap_or("a"));
        if let Some(connection) = self.connection() {
            let text = self.frame(&join_ref, &join_ref, &topic, event, payload);
            self.receive(connection, &text);
        }
    }

    fn frame(&self, join: &str, own: &str, topic: &str, event: &str, payload: &str) -> String {
        match self.vsn {
            Vsn::V1 => {
                format!(r#"{{"topic":{topic},"event":"{event}","payload":{payload},"ref":{own}}}"#)
            }
            Vsn::V2 => format!(r#"[{join},{own},{topic},"{event}",{payload}]"#),
        }
    }

    fn receive(&mut self, connection: ConnectionId, text: &str) {
        self.drain();
        let before = self.looks();
        let (at, vsn) = (self.at(), self.vsn);
        match self.socket.handle_text(at, connection, vsn, text) {
            Err(_) => {
                assert_eq!(self.looks(), before, "refused: {text:?}");
                self.assert_quiet();
            }
            Ok(Some(Received::Message(message))) => drop(Reply::parse(&message)),
            Ok(_) => {}
        }
        self.delivered();
    }

    fn receive_binary(&mut self, connection: ConnectionId, frame: &[u8]) {
        self.drain();
        let before = self.looks();
        let refused = self
            .socket
            .handle_binary(self.at(), connection, frame)
            .is_err();
        if refused {
            assert_eq!(self.looks(), before, "refused: {frame:?}");
            self.assert_quiet();
        } else {
            self.delivered();
        }
    }

    fn delivered(&mut self) {
        for delivery in self.socket.deliveries().to_vec() {
            assert!(self.channels.contains(&delivery.channel));
            if let DeliveryKind::Reply(Some(push)) = delivery.kind {
                self.ended(push);
            }
        }
        for update in self.socket.updated_presences() {
            assert!(self.socket.presence(update.presence).is_some());
        }
    }

    /// What a frame that is refused may not change.
    fn looks(&self) -> String {
        let channels: Vec<_> = self
            .channels
            .iter()
            .map(|id| (self.socket.channel_state(*id), self.socket.join_ref(*id)))
            .collect();
        let rosters: Vec<_> = self
            .presences
            .iter()
            .filter_map(|id| self.socket.presence(*id))
            .map(|tracker| {
                let presences = tracker.roster().iter().map(|presence| presence.to_json());
                (
                    tracker.status(),
                    tracker.held(),
                    presences.collect::<Vec<_>>(),
                )
            })
            .collect();
        format!(
            "{channels:?} {rosters:?} {:?} {} {} {} {:?}",
            self.socket.poll_timeout(),
            self.socket.timer_count(),
            self.socket.pending_count(),
            self.socket.buffered_count(),
            self.socket.ready_state(),
        )
    }

    fn assert_quiet(&mut self) {
        assert_eq!(self.socket.poll_transmit(), None);
        assert_eq!(self.socket.poll_event(), None);
    }

    /// Joins are none of those that are counted here: they end each time they are sent.
    fn ended(&mut self, push: PushId) {
        if let Some(ends) = self.pushes.get_mut(&push) {
            *ends += 1;
            assert_eq!(*ends, 1, "{push:?} ended twice");
        }
    }

    fn drain(&mut self) {
        loop {
            if let Some(transmit) = self.socket.poll_transmit() {
                self.transmit(transmit);
            } else if let Some(event) = self.socket.poll_event() {
                self.tell(event);
            } else {
                break;
            }
        }
        // A wake-up that is not due does nothing.
        let before = self.socket.poll_timeout();
        if before.is_none_or(|at| at.0 > self.now) {
            self.socket.handle_timeout(self.at());
            assert_eq!(self.socket.poll_timeout(), before);
            self.assert_quiet();
        }
    }

    fn transmit(&mut self, transmit: Transmit<String>) {
        match transmit {
            Transmit::Connect { connection } => self.connections.push(connection),
            Transmit::Send {
                message: Outgoing::Message(envelope),
                ..
            } => {
                let json = |r: Option<u64>| r.map_or("null".to_owned(), |r| format!("\"{r}\""));
                self.sent.push((
                    json(envelope.join_ref),
                    json(envelope.message_ref),
                    format!("\"{}\"", envelope.topic),
                ));
            }
            Transmit::Send { .. } | Transmit::Prepare { .. } | Transmit::Close { .. } => {}
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::PushTimeout { push } => self.ended(push),
            Event::PushDisconnected { push }
                if !self.socket.config().push_timeout_after_disconnect =>
            {
                self.ended(push);
            }
            Event::Disconnected { token } => {
                let at = self.tokens.iter().position(|known| *known == token);
                let at = at.unwrap_or_else(|| panic!("disconnect {token} was told twice"));
                self.tokens.remove(at);
            }
            Event::DelayNeeded { wait, tries } => {
                let ms = match wait {
                    Wait::Reconnect => 10 * u64::from(tries.min(100)),
                    Wait::Rejoin(_) => 100 * u64::from(tries.min(100)),
                };
                self.socket.set_delay(self.at(), wait, ms);
            }
            _ => {}
        }
    }

    /// The user disconnects, the transports close, and time passes.
    fn finish(&mut self) {
        self.last_token += 1;
        self.tokens.push(self.last_token);
        let at = self.at();
        self.socket
            .disconnect(at, None, "end", Some(self.last_token));
        self.drain();
        for connection in self.connections.clone() {
            self.socket.handle_close(at, connection, Some(1000));
            self.drain();
        }
        let end = self.now + REST;
        while let Some(Millis(at)) = self.socket.poll_timeout() {
            assert!(at <= end, "something goes on after the disconnect");
            self.now = self.now.max(at);
            self.socket.handle_timeout(self.at());
            self.drain();
        }
        assert_eq!(self.socket.timer_count(), 0);
        assert_eq!(self.socket.pending_count(), 0);
        assert!(
            self.tokens.is_empty(),
            "untold disconnects {:?}",
            self.tokens
        );
        for (push, ends) in &self.pushes {
            assert_eq!(*ends, 1, "{push:?}");
        }
    }
}
