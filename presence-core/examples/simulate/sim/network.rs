//! The network: connections that are slow, refused, cut at any message, or dead without a word.

use std::collections::{BTreeMap, VecDeque};

use presence_core::ConnectionId;

use super::server::Process;
use super::world::{Due, World};

pub(crate) type LinkId = u64;

/// Without a message for so long the server closes.
const IDLE: u64 = 60_000;
/// A connection attempt that nobody answers fails after so long at the latest.
pub(crate) const CONNECT_TIMEOUT: u64 = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Connecting,
    Open,
    /// The client asked it to close.
    Closing,
    Closed,
}

/// One connection of a client's, and its server side.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) connection: ConnectionId,
    pub(crate) node: usize,
    pub(crate) stage: Stage,
    /// Whether the server has it.
    pub(crate) served: bool,
    /// Nothing gets through any more, and nobody is told.
    pub(crate) half_open: bool,
    /// Fate: after so many messages it is cut, or half-open.
    fate: Option<(u32, bool)>,
    crossed: u32,
    /// Messages of one direction arrive in order.
    to_client_at: u64,
    to_server_at: u64,
    pub(crate) heard_at: u64,
    pub(crate) inbox: VecDeque<String>,
    pub(crate) busy_until: u64,
    pub(crate) processes: BTreeMap<String, Process>,
}

impl World {
    fn latency(&mut self) -> u64 {
        match self.troubled && self.chance(5) {
            true => self.rng.u64(100..3_000),
            false => self.rng.u64(1..60),
        }
    }

    /// The client's transport begins to connect.
    pub(crate) fn start(&mut self, client: usize, connection: ConnectionId) {
        self.totals.connections += 1;
        self.next_link += 1;
        let id = self.next_link;
        let node = self.live_node();
        let roll = if self.troubled && self.first_cut.is_none() {
            self.rng.u32(..100)
        } else {
            0
        };
        let latency = self.latency();
        let due = match (node, roll) {
            (Some(_), 0..55) => Due::Opened(id),
            (_, 0..70) => Due::Failed(id, Some(503)),
            (_, 70..80) => Due::Failed(id, Some(403)),
            _ => Due::Failed(id, None),
        };
        let at = match roll {
            90.. => self.rng.u64(1_000..CONNECT_TIMEOUT),
            _ => latency,
        };
        let fate = if id == 1 && self.first_cut.is_some() {
            self.first_cut.map(|messages| (messages, false))
        } else if !self.troubled || self.first_cut.is_some() {
            None
        } else {
            match self.rng.u32(..100) {
                0..35 => Some((self.rng.u32(..40), false)),
                35..50 => Some((self.rng.u32(..40), true)),
                _ => None,
            }
        };
        self.links.insert(
            id,
            Link {
                client,
                connection,
                node: node.unwrap_or(0),
                stage: Stage::Connecting,
                served: false,
                half_open: false,
                fate,
                crossed: 0,
                to_client_at: 0,
                to_server_at: 0,
                heard_at: 0,
                inbox: VecDeque::new(),
                busy_until: 0,
                processes: BTreeMap::new(),
            },
        );
        self.later(at, due);
    }

    pub(crate) fn link_of(&self, client: usize, connection: ConnectionId) -> Option<LinkId> {
        self.links
            .iter()
            .find(|(_, link)| link.client == client && link.connection == connection)
            .map(|(id, _)| *id)
    }

    pub(crate) fn links_of_node(&self, node: usize) -> Vec<LinkId> {
        self.links
            .iter()
            .filter(|(_, link)| link.node == node)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(crate) fn opened(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.stage != Stage::Connecting {
            // A shell may not know yet that it has called this one off.
            let (client, connection) = (link.client, link.connection);
            if link.stage == Stage::Closing && self.rng.bool() {
                self.note(|| format!("client {client}: {connection:?} opens too late"));
                self.client_opened(client, connection);
            }
            return;
        }
        if !self.nodes[link.node].up {
            return self.failed(id, None);
        }
        link.stage = Stage::Open;
        link.served = true;
        link.heard_at = self.now;
        let (client, connection, node) = (link.client, link.connection, link.node);
        self.later(IDLE, Due::Idle(id));
        if self.troubled && self.first_cut.is_none() && self.chance(15) {
            let at = self.rng.u64(1..40_000);
            self.later(at, Due::Cut(id));
        }
        self.note(|| format!("client {client}: {connection:?} opens, at node {node}"));
        self.client_opened(client, connection);
        if self
            .links
            .get(&id)
            .is_some_and(|link| link.fate == Some((0, false)))
        {
            self.cut(id, Some(1006));
        }
    }

    pub(crate) fn failed(&mut self, id: LinkId, status: Option<u16>) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        if link.stage == Stage::Connecting {
            self.totals.refused += 1;
            if let Some(status) = status {
                let (client, connection) = (link.client, link.connection);
                self.clients[client]
                    .socket
                    .handle_refused(connection, status);
            }
            self.client_failed(id, None);
        }
    }

    /// A message is about to cross: whether it does.
    fn crosses(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get_mut(&id) else {
            return false;
        };
        if link.half_open || !link.served || link.stage != Stage::Open {
            return false;
        }
        link.crossed += 1;
        if let Some((messages, half_open)) = link.fate
            && (self.troubled || self.first_cut.is_some())
            && link.crossed >= messages.max(1)
        {
            link.fate = None;
            if half_open {
                link.half_open = true;
                self.totals.half_open += 1;
                self.note(|| format!("link {id} is half-open"));
                return false;
            }
            // The message that was the last to cross still does, half of the time.
            if self.rng.bool() {
                self.cut(id, Some(1006));
                return false;
            }
            self.later(0, Due::Cut(id));
        }
        true
    }

    pub(crate) fn client_sends(&mut self, id: LinkId, text: String) {
        if self.crosses(id) {
            let latency = self.latency();
            let now = self.now;
            if let Some(link) = self.links.get_mut(&id) {
                link.to_server_at = link.to_server_at.max(now + latency);
                let wait = link.to_server_at - now;
                self.later(wait, Due::ServerGets(id, text));
            }
        }
    }

    pub(crate) fn server_sends(&mut self, id: LinkId, text: String) {
        if self.crosses(id) {
            let latency = self.latency();
            let now = self.now;
            if let Some(link) = self.links.get_mut(&id) {
                // What comes up during a slow join waits for its end.
                link.to_client_at = link.to_client_at.max(link.busy_until.max(now) + latency);
                let wait = link.to_client_at - now;
                self.later(wait, Due::ClientGets(id, text));
            }
        }
    }

    /// The connection is gone; each side learns of it in its time. What was on its way is lost.
    pub(crate) fn cut(&mut self, id: LinkId, code: Option<u16>) {
        let (latency, other) = (self.latency(), self.latency());
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.stage == Stage::Closed || link.half_open {
            // Dead already; the server's own end is all there can be.
            if link.served {
                self.later(other, Due::ServerClosed(id));
            }
            return;
        }
        link.half_open = true;
        self.totals.cuts += 1;
        self.note(|| format!("link {id} is cut"));
        self.later(latency, Due::ClientClosed(id, code));
        self.later(other, Due::ServerClosed(id));
    }

    /// The client's transport was told to close.
    pub(crate) fn client_closes(&mut self, id: LinkId) {
        let latency = self.latency();
        let slow = self.troubled && self.chance(20);
        let extra = if slow { self.rng.u64(0..5_000) } else { 0 };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        match link.stage {
            Stage::Closed => {}
            _ if link.half_open => {
                // Nobody answers the close: some transports never say that they have closed.
                link.stage = Stage::Closing;
                if self.rng.bool() {
                    self.later(latency + extra, Due::ClientClosed(id, Some(1006)));
                }
            }
            _ => {
                let served = link.served;
                link.stage = Stage::Closing;
                self.later(latency + extra, Due::ClientClosed(id, Some(1000)));
                if served {
                    self.later(latency, Due::ServerClosed(id));
                }
            }
        }
    }

    pub(crate) fn client_closed(&mut self, id: LinkId, code: Option<u16>) {
        if self
            .links
            .get(&id)
            .is_some_and(|link| link.stage != Stage::Closed)
        {
            self.client_failed(id, code);
        }
    }

    /// Nothing was heard from the client for long?
    pub(crate) fn idle(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        if !link.served {
            return;
        }
        let silent = self.now - link.heard_at;
        if silent < IDLE {
            return self.later(IDLE - silent, Due::Idle(id));
        }
        self.cut(id, Some(1002));
    }

    /// Forgets a connection that both sides have done with.
    pub(crate) fn forget(&mut self, id: LinkId) {
        if self
            .links
            .get(&id)
            .is_some_and(|link| link.stage == Stage::Closed && !link.served)
        {
            self.links.remove(&id);
        }
    }
}
