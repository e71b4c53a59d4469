//! The machine under test, with the shell that drives it.

use std::collections::{BTreeMap, BTreeSet};

use presence_core::codec::encode_text;
use presence_core::message::Vsn;
use presence_core::{
    Backoff, ChannelId, Config, ConnectionId, DeliveryKind, Event, Millis, Outgoing, PresenceId,
    PushId, Received, Socket, Transmit, Wait,
};
use serde_json::Value;

use super::checks::comparable;
use super::network::{LinkId, Stage};
use super::world::{Due, World};

/// A channel that the user has joined and not left.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: ChannelId,
    pub(super) topic: &'static str,
    pub(super) presence: PresenceId,
    /// The roster as the changes alone make it: a change of the metas' order alone is none.
    pub(super) mirror: BTreeMap<String, Value>,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) socket: Socket<String>,
    pub(crate) vsn: Vsn,
    /// The deadline the machine named, and when the shell will get to it.
    pub(crate) wake: Option<(u64, u64)>,
    pub(super) rooms: Vec<Room>,
    /// How often each push that was taken has ended.
    pub(super) pushes: BTreeMap<PushId, u32>,
    /// The machine may send over these.
    open: BTreeSet<ConnectionId>,
    last_ref: u64,
    pub(super) last_token: u32,
    /// Disconnects that have not been told complete.
    pub(super) tokens: BTreeSet<u32>,
}

impl World {
    pub(crate) fn start_client(&mut self) {
        let pick = |rng: &mut fastrand::Rng, table: fn() -> Backoff| match rng.u32(..4) {
            0 => Backoff::Asked,
            _ => table(),
        };
        let heartbeat_interval = [3_000, 10_000, 30_000][self.rng.usize(..3)];
        let config = Config {
            heartbeat_interval,
            heartbeat_timeout: self.rng.bool().then_some(heartbeat_interval / 2),
            reconnect: pick(&mut self.rng, Backoff::reconnect),
            rejoin: pick(&mut self.rng, Backoff::rejoin),
            jitter: [0.0, 0.25, 1.0][self.rng.usize(..3)],
            seed: self.rng.u64(..),
            max_buffered: [4, usize::MAX][self.rng.usize(..2)],
            push_timeout_after_disconnect: self.rng.bool(),
            stop_on_refusal: self.chance(20),
            stop_on_join_refusal: self.chance(20),
            ..Config::default()
        };
        let client = self.clients.len();
        self.note(|| format!("client {client}: {config:?}"));
        self.clients.push(Client {
            socket: Socket::new(config),
            vsn: match self.rng.u32(..8) {
                0 => Vsn::V1,
                _ => Vsn::V2,
            },
            wake: None,
            rooms: Vec::new(),
            pushes: BTreeMap::new(),
            open: BTreeSet::new(),
            last_ref: 0,
            last_token: 0,
            tokens: BTreeSet::new(),
        });
        self.join_room(client);
        self.clients[client].socket.connect(Millis(self.now));
        self.drain(client);
        self.later(1, Due::User(client));
    }

    // The shell

    pub(crate) fn wake(&mut self, client: usize) {
        self.clients[client].socket.handle_timeout(Millis(self.now));
        self.drain(client);
    }

    pub(crate) fn client_opened(&mut self, client: usize, connection: ConnectionId) {
        let open = self.links.values().any(|link| {
            link.client == client && link.connection == connection && link.stage == Stage::Open
        });
        if open {
            self.clients[client].open.insert(connection);
        }
        self.clients[client]
            .socket
            .handle_open(Millis(self.now), connection, false);
        self.drain(client);
    }

    /// The transport is gone: most say so by an error first.
    pub(crate) fn client_failed(&mut self, id: LinkId, code: Option<u16>) {
        let errs = self.rng.bool();
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.stage = Stage::Closed;
        let (client, connection) = (link.client, link.connection);
        self.note(|| format!("client {client}: {connection:?} closes, {code:?}"));
        let now = Millis(self.now);
        self.clients[client].open.remove(&connection);
        if errs {
            self.clients[client].socket.handle_error(now, connection);
        }
        self.clients[client]
            .socket
            .handle_close(now, connection, code);
        self.drain(client);
        self.forget(id);
    }

    pub(crate) fn client_gets(&mut self, id: LinkId, text: &str) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        if link.half_open || !matches!(link.stage, Stage::Open | Stage::Closing) {
            return;
        }
        let (client, connection) = (link.client, link.connection);
        self.totals.frames += 1;
        self.digest(text.len() as u64);
        self.note(|| format!("client {client} gets {text}"));
        let now = Millis(self.now);
        let Client { socket, vsn, .. } = &mut self.clients[client];
        let received = match socket.handle_text(now, connection, *vsn, text) {
            Ok(Some(received)) => received,
            Ok(None) => return self.drain(client),
            Err(error) => {
                return self.fail(|| format!("client {client} can't read {text}: {error}"));
            }
        };
        let is_reply = match received {
            Received::Message(message) => message.event == "phx_reply",
            Received::Presence(_) => false,
        };
        for delivery in self.clients[client].socket.deliveries().to_vec() {
            match delivery.kind {
                DeliveryKind::Reply(Some(push)) => {
                    self.totals.replied += 1;
                    self.push_ended(client, push, "replied");
                }
                DeliveryKind::Reply(None) if !is_reply => {
                    self.fail(|| "a reply that is none".to_owned());
                }
                DeliveryKind::Closed => self.room_ended(client, delivery.channel),
                DeliveryKind::Reply(None) | DeliveryKind::Errored | DeliveryKind::Event => {}
            }
        }
        for update in self.clients[client].socket.updated_presences().to_vec() {
            match update.kind {
                presence_core::PresenceKind::State => self.totals.states += 1,
                presence_core::PresenceKind::Diff => self.totals.diffs += 1,
            }
            if update.synced {
                self.mirror(client, update.presence);
            } else {
                self.totals.held += 1;
            }
        }
        self.drain(client);
    }

    /// Follows the changes of a frame: each must start from what was there before.
    fn mirror(&mut self, client: usize, presence: PresenceId) {
        let mut wrong = None;
        let Client { socket, rooms, .. } = &mut self.clients[client];
        let (Some(tracker), Some(room)) = (
            socket.presence(presence),
            rooms.iter_mut().find(|room| room.presence == presence),
        ) else {
            return;
        };
        for change in tracker.changes() {
            let key = change.key().into_owned();
            let before = change.before().map(comparable);
            let had = match change.after() {
                Some(after) => room.mirror.insert(key, comparable(after)),
                None => room.mirror.remove(&key),
            };
            if had != before {
                wrong.get_or_insert(format!("{change:?} came upon {had:?}"));
            }
        }
        if let Some(wrong) = wrong {
            self.fail(|| wrong);
        }
    }

    /// Pulls everything out of the machine, and checks what must hold after each step.
    pub(crate) fn drain(&mut self, client: usize) {
        while self.drain_once(client) {}
        let now = self.now;
        let Client { socket, .. } = &mut self.clients[client];
        let before = socket.poll_timeout();
        if before.is_none_or(|at| at.0 > now) {
            socket.handle_timeout(Millis(now));
            if socket.poll_transmit().is_some()
                || socket.poll_event().is_some()
                || socket.poll_timeout() != before
            {
                self.fail(|| "a spurious wake-up did something".to_owned());
            }
        }
        let deadline = before.map(|at| at.0);
        if self.clients[client].wake.map(|(deadline, _)| deadline) != deadline {
            let late = match self.troubled && self.chance(10) {
                true => self.rng.u64(0..200),
                false => 0,
            };
            self.clients[client].wake = deadline.map(|at| (at, at.max(now) + late));
        }
    }

    /// Whether there was anything.
    fn drain_once(&mut self, client: usize) -> bool {
        let mut any = false;
        while let Some(transmit) = self.clients[client].socket.poll_transmit() {
            any = true;
            match transmit {
                Transmit::Connect { connection } => {
                    self.note(|| format!("client {client}: connects {connection:?}"));
                    self.start(client, connection);
                }
                Transmit::Prepare { .. } => {}
                Transmit::Send {
                    connection,
                    message,
                } => self.send(client, connection, message),
                Transmit::Close { connection, .. } => {
                    self.note(|| format!("client {client}: closes {connection:?}"));
                    self.clients[client].open.remove(&connection);
                    if let Some(link) = self.link_of(client, connection) {
                        self.client_closes(link);
                    }
                }
            }
        }
        while let Some(event) = self.clients[client].socket.poll_event() {
            any = true;
            self.note(|| format!("client {client}: {event:?}"));
            match event {
                Event::PushTimeout { push } => {
                    self.totals.timed_out += 1;
                    self.push_ended(client, push, "timed out");
                }
                Event::PushDisconnected { push } => {
                    let config = self.clients[client].socket.config();
                    if !config.push_timeout_after_disconnect {
                        self.totals.disconnected += 1;
                        self.push_ended(client, push, "disconnected");
                    }
                }
                Event::ChannelClosed { channel, .. } | Event::JoinGaveUp { channel } => {
                    self.room_ended(client, channel);
                }
                Event::Disconnected { token } => {
                    if !self.clients[client].tokens.remove(&token) {
                        self.fail(|| format!("disconnect {token} was told twice"));
                    }
                }
                Event::DelayNeeded { wait, tries } => {
                    let ms = match wait {
                        Wait::Reconnect => 50 * u64::from(tries.min(40)),
                        Wait::Rejoin(_) => 500 * u64::from(tries.min(10)),
                    };
                    let now = Millis(self.now);
                    self.clients[client].socket.set_delay(now, wait, ms);
                }
                Event::GaveUp { .. } => {
                    // The user does not, once nobody refuses any more.
                    if !self.troubled {
                        let now = Millis(self.now);
                        self.clients[client].socket.connect(now);
                    }
                }
                Event::Opened { .. }
                | Event::Failed { .. }
                | Event::Closed { .. }
                | Event::ChannelErrored { .. }
                | Event::PushLeft { .. }
                | Event::PresenceStatus { .. } => {}
            }
        }
        any
    }

    fn send(&mut self, client: usize, connection: ConnectionId, message: Outgoing<String>) {
        if !self.clients[client].open.contains(&connection) {
            return self.fail(|| format!("sent over {connection:?}, which is not open"));
        }
        let Outgoing::Message(envelope) = message else {
            return self.fail(|| "sent what nobody gave it".to_owned());
        };
        if let Some(message_ref) = envelope.message_ref {
            let last = &mut self.clients[client].last_ref;
            // Buffered messages keep the order of their refs, but not with those sent since.
            if *last == message_ref {
                return self.fail(|| format!("the ref {message_ref} was used twice"));
            }
            *last = message_ref;
        }
        let text = |r: Option<u64>| r.map(|r| r.to_string());
        let mut frame = String::new();
        let encoded = encode_text(
            self.clients[client].vsn,
            text(envelope.join_ref).as_deref(),
            text(envelope.message_ref).as_deref(),
            &envelope.topic,
            &envelope.event,
            envelope.payload.as_deref().unwrap_or("{}"),
            &mut frame,
        );
        if let Err(error) = encoded {
            return self.fail(|| format!("can't encode: {error}"));
        }
        self.note(|| format!("client {client} sends {frame}"));
        if let Some(link) = self.link_of(client, connection) {
            self.client_sends(link, frame);
        }
    }

    fn push_ended(&mut self, client: usize, push: PushId, how: &str) {
        // Joins, which are not counted here, end each time they are sent.
        if let Some(ends) = self.clients[client].pushes.get_mut(&push) {
            *ends += 1;
            if *ends > 1 {
                self.fail(|| format!("{push:?} {how} after it had ended"));
            }
        }
    }

    fn room_ended(&mut self, client: usize, channel: ChannelId) {
        let Client { socket, rooms, .. } = &mut self.clients[client];
        rooms.retain(|room| {
            if room.id == channel {
                socket.untrack(room.presence);
            }
            room.id != channel
        });
    }
}
