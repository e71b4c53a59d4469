//! What must be true in the end.

use std::collections::BTreeMap;

use presence_core::presence::{Json, PresenceRef, SyncStatus};
use presence_core::{ChannelId, ChannelState, PresenceId};
use serde_json::Value;

use super::client::Client;
use super::trouble::TOPICS;
use super::world::World;

impl World {
    /// Every roster is the server's, and so is what the changes made of it.
    pub(crate) fn check_rosters(&mut self, client: usize) {
        let node = self.clients[client]
            .socket
            .connection()
            .and_then(|connection| self.link_of(client, connection))
            .and_then(|link| self.links.get(&link))
            .map(|link| link.node);
        let Some(node) = node.filter(|_| self.clients[client].socket.is_connected()) else {
            return self.fail(|| format!("client {client} is not connected"));
        };
        let rooms: Vec<(ChannelId, &str, PresenceId)> = self.clients[client]
            .rooms
            .iter()
            .map(|room| (room.id, room.topic, room.presence))
            .collect();
        for topic in TOPICS {
            if !rooms.iter().any(|(_, other, _)| *other == topic) {
                return self.fail(|| format!("client {client} is not in {topic}"));
            }
        }
        for (id, topic, presence) in rooms {
            let truth = sorted(self.list(node, topic));
            let Client { socket, rooms, .. } = &self.clients[client];
            let state = socket.channel_state(id);
            let Some(tracker) = socket.presence(presence) else {
                return self.fail(|| format!("{presence:?} is gone"));
            };
            let roster: BTreeMap<String, Value> = tracker
                .roster()
                .iter()
                .map(|presence| (presence.key().into_owned(), comparable(presence)))
                .collect();
            let status = tracker.status();
            let mirrored = rooms
                .iter()
                .any(|room| room.presence == presence && room.mirror == roster);
            self.totals.rosters += 1;
            self.totals.present += roster.len() as u64;
            let roster = Value::Object(roster.into_iter().collect());
            if state != ChannelState::Joined || status != SyncStatus::Synced {
                self.fail(|| format!("client {client}: {topic} is {state:?} and {status:?}"));
            } else if roster != truth {
                self.fail(|| {
                    format!("client {client}: {topic} has\n  {roster}\n  and the server\n  {truth}")
                });
            } else if !mirrored {
                self.fail(|| format!("client {client}: {topic}'s changes don't add up"));
            }
        }
    }

    pub(crate) fn check_rest(&mut self, client: usize) {
        self.disconnect(client);
        self.drain(client);
        self.run(super::REST);
        let Client {
            socket,
            pushes,
            tokens,
            ..
        } = &self.clients[client];
        let (timers, pending) = (socket.timer_count(), socket.pending_count());
        let open = pushes.values().filter(|ends| **ends == 0).count();
        let (connection, untold) = (socket.connection(), tokens.len());
        if timers != 0 || pending != 0 || open != 0 || untold != 0 || connection.is_some() {
            self.fail(|| {
                format!(
                    "client {client} is left with {timers} timers, {pending} pending pushes, {open} pushes without an \
                     end, {untold} untold disconnects, connection {connection:?}"
                )
            });
        }
    }
}

/// A presence with its metas in order of ref: servers and clients keep other orders.
pub(crate) fn comparable(presence: PresenceRef<'_, Json>) -> Value {
    let mut presence = serde_json::from_str(&presence.to_json()).unwrap_or_default();
    sort(&mut presence);
    presence
}

fn sorted(mut presences: Value) -> Value {
    for presence in presences
        .as_object_mut()
        .into_iter()
        .flat_map(serde_json::Map::values_mut)
    {
        sort(presence);
    }
    presences
}

fn sort(presence: &mut Value) {
    if let Some(metas) = presence.get_mut("metas").and_then(Value::as_array_mut) {
        metas.sort_by_key(|meta| meta["phx_ref"].to_string());
    }
}
