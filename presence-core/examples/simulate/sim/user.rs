//! The one who uses a client: joins, pushes, leaves, hides the page and comes back, whenever it suits.

use std::collections::BTreeMap;

use presence_core::presence::PresenceOptions;
use presence_core::{Millis, ReadyState};

use super::client::{Client, Room};
use super::network::Stage;
use super::trouble::TOPICS;
use super::world::{Due, World};

const EVENTS: [&str; 6] = ["ok", "ok", "error", "silent", "crash", "stop"];

impl World {
    pub(crate) fn join_room(&mut self, client: usize) {
        let topic = TOPICS[self.rng.usize(..TOPICS.len())];
        self.join_topic(client, topic);
    }

    pub(crate) fn join_topic(&mut self, client: usize, topic: &'static str) {
        let mut options = PresenceOptions::default();
        if self.chance(15) {
            options.held_limit.diffs = 1;
        }
        let timeout = self.chance(20).then(|| self.rng.u64(500..5_000));
        let now = Millis(self.now);
        let Client { socket, rooms, .. } = &mut self.clients[client];
        let id = socket.channel(topic, Some("{}".to_owned()));
        let presence = socket.track(id, options);
        if let Some(tracker) = socket.presence_mut(presence) {
            tracker.set_changes(true);
        }
        let joined = socket.join(now, id, timeout);
        rooms.push(Room {
            id,
            topic,
            presence,
            mirror: BTreeMap::new(),
        });
        self.note(|| format!("client {client}: joins {topic} as {id:?}"));
        if let Err(error) = joined {
            self.fail(|| format!("can't join: {error}"));
        }
        self.drain(client);
    }

    pub(crate) fn disconnect(&mut self, client: usize) {
        let now = Millis(self.now);
        let client_state = &mut self.clients[client];
        client_state.last_token += 1;
        client_state.tokens.insert(client_state.last_token);
        let token = Some(client_state.last_token);
        client_state.socket.disconnect(now, None, "", token);
    }

    /// Something a user, a page or a shell may do at any time.
    pub(crate) fn user_acts(&mut self, client: usize) {
        if !self.troubled {
            return;
        }
        let again = self.rng.u64(1..1_500);
        self.later(again, Due::User(client));
        let now = Millis(self.now);
        let room = match self.clients[client].rooms.len() {
            0 => None,
            rooms => Some(self.clients[client].rooms[self.rng.usize(..rooms)].id),
        };
        let connection = self.clients[client].socket.connection();
        match self.rng.u32(..100) {
            0..40 => {
                let event = EVENTS[self.rng.usize(..EVENTS.len())];
                let timeout = self.chance(30).then(|| self.rng.u64(1..15_000));
                if let Some(room) = room {
                    let Client { socket, pushes, .. } = &mut self.clients[client];
                    let pushed = socket.push(now, room, event, "{}".to_owned(), timeout);
                    if let Ok(push) = pushed {
                        pushes.insert(push, 0);
                    }
                    self.note(|| format!("client {client}: pushes {event}: {pushed:?}"));
                }
            }
            40..50 => self.join_room(client),
            50..57 => {
                if let Some(room) = room {
                    self.note(|| format!("client {client}: leaves {room:?}"));
                    self.clients[client].socket.leave(now, room, None);
                }
            }
            57..60 => self.disconnect(client),
            60..70 => self.clients[client].socket.connect(now),
            70..74 => {
                let hidden = self.rng.bool();
                self.clients[client].socket.handle_visibility(now, hidden);
            }
            74..78 => self.clients[client].socket.handle_online(now),
            78..80 => self.clients[client].socket.handle_page_hide(now),
            80..84 => self.clients[client].socket.handle_page_show(now),
            84..88 => drop(self.clients[client].socket.ping()),
            88..90 => drop(self.clients[client].socket.replace_transport(now)),
            90..96 => {
                // A look at the transport.
                let link = connection.and_then(|connection| self.link_of(client, connection));
                if let (Some(connection), Some(link)) = (connection, link) {
                    let ready = match self.links.get(&link).map(|link| link.stage) {
                        Some(Stage::Connecting) => ReadyState::Connecting,
                        Some(Stage::Open) => ReadyState::Open,
                        Some(Stage::Closing) => ReadyState::Closing,
                        Some(Stage::Closed) | None => ReadyState::Closed,
                    };
                    let buffered = self.rng.bool();
                    self.clients[client]
                        .socket
                        .handle_transport(now, connection, ready, buffered);
                }
            }
            _ => self.clients[client].socket.handle_timeout(now),
        }
        self.drain(client);
    }

    /// The user wants to be connected from now on, and looks at the page.
    pub(crate) fn settle(&mut self, client: usize) {
        let now = Millis(self.now);
        let socket = &mut self.clients[client].socket;
        socket.handle_visibility(now, false);
        socket.connect(now);
        if let Some(connection) = socket.connection() {
            let ready = socket.ready_state();
            socket.handle_transport(now, connection, ready, false);
        }
        self.drain(client);
    }

    /// The user joins what has ended: by a message that was on its way, or because it was joined twice.
    pub(crate) fn join_missing(&mut self, client: usize) {
        for topic in TOPICS {
            let there = self.clients[client]
                .rooms
                .iter()
                .any(|room| room.topic == topic);
            if !there {
                self.join_topic(client, topic);
            }
        }
    }
}
