//! The world: one clock, one queue of what is due, and everybody who acts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::client::Client;
use super::cluster::Node;
use super::network::{Link, LinkId};

/// What happens at some moment.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// A connection opens, for the client.
    Opened(LinkId),
    /// A connection fails to open, with the HTTP status if there was one.
    Failed(LinkId, Option<u16>),
    /// A frame arrives at the server.
    ServerGets(LinkId, String),
    /// A frame arrives at the client.
    ClientGets(LinkId, String),
    /// The client's transport has closed.
    ClientClosed(LinkId, Option<u16>),
    /// The server's transport has closed.
    ServerClosed(LinkId),
    /// The server may have time for the next message.
    ServerWorks(LinkId),
    /// The server has heard nothing for long.
    Idle(LinkId),
    /// The connection is cut.
    Cut(LinkId),
    /// A channel's process gets to what it does after the join.
    AfterJoin { link: LinkId, process: u64 },
    /// A channel's process lists the presences.
    ListState { link: LinkId, process: u64 },
    /// What it listed goes out.
    SendState {
        link: LinkId,
        process: u64,
        payload: String,
    },
    /// A process answers a push.
    Answer {
        link: LinkId,
        process: u64,
        message_ref: Option<String>,
        status: &'static str,
    },
    /// A node tells its subscribers.
    Broadcast {
        node: usize,
        incarnation: u64,
        topic: String,
        payload: String,
    },
    /// A node's broadcast period is over.
    Tick(usize),
    /// A node is back.
    Revive(usize),
    /// A split between these is over.
    Heal((usize, usize)),
    /// Somebody in the crowd does something.
    Crowd,
    /// Something happens to nodes or network.
    Trouble,
    /// The user of a client does something.
    User(usize),
}

/// Somebody on the roster who is no client of ours.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) node: usize,
    pub(crate) topic: String,
    /// Key and ref of each.
    pub(crate) metas: Vec<(String, String)>,
}

/// What happened, summed up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) seconds: u64,
    pub(crate) connections: u64,
    pub(crate) refused: u64,
    pub(crate) cuts: u64,
    pub(crate) half_open: u64,
    pub(crate) restarts: u64,
    pub(crate) splits: u64,
    pub(crate) ghosts: u64,
    pub(crate) frames: u64,
    pub(crate) joins: u64,
    pub(crate) states: u64,
    pub(crate) diffs: u64,
    pub(crate) held: u64,
    pub(crate) replied: u64,
    pub(crate) timed_out: u64,
    pub(crate) disconnected: u64,
    pub(crate) rosters: u64,
    pub(crate) present: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.connections += other.connections;
        self.refused += other.refused;
        self.cuts += other.cuts;
        self.half_open += other.half_open;
        self.restarts += other.restarts;
        self.splits += other.splits;
        self.ghosts += other.ghosts;
        self.frames += other.frames;
        self.joins += other.joins;
        self.states += other.states;
        self.diffs += other.diffs;
        self.held += other.held;
        self.replied += other.replied;
        self.timed_out += other.timed_out;
        self.disconnected += other.disconnected;
        self.rosters += other.rosters;
        self.present += other.present;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} h of virtual time: {} connections ({} refused, {} cut, {} half-open), {} nodes died, {} splits ({} ghosts); \
             {} frames, {} joins, {} states, {} diffs ({} not at once); pushes: {} replied, {} timed out, {} disconnected; \
             {} rosters compared, of {} presences",
            self.seconds / 3_600,
            self.connections,
            self.refused,
            self.cuts,
            self.half_open,
            self.restarts,
            self.splits,
            self.ghosts,
            self.frames,
            self.joins,
            self.states,
            self.diffs,
            self.held,
            self.replied,
            self.timed_out,
            self.disconnected,
            self.rosters,
            self.present
        )
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rng: fastrand::Rng,
    /// Whether anything goes wrong.
    pub(crate) troubled: bool,
    pub(crate) first_cut: Option<u32>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) splits: BTreeSet<(usize, usize)>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) next_link: LinkId,
    pub(crate) clients: Vec<Client>,
    pub(crate) crowd: Vec<Member>,
    pub(crate) next_ref: u64,
    pub(crate) next_process: u64,
    pub(crate) totals: Totals,
    pub(crate) failure: Option<String>,
    pub(crate) trace: Option<Vec<String>>,
    /// A hash of all that happened: the same for the same seed.
    pub(crate) digest: u64,
    queue: BTreeMap<(u64, u64), Due>,
    sequence: u64,
}

impl World {
    pub(crate) fn new(seed: u64, first_cut: Option<u32>, traced: bool) -> Self {
        Self {
            now: 0,
            rng: fastrand::Rng::with_seed(seed),
            troubled: true,
            first_cut,
            nodes: Vec::new(),
            splits: BTreeSet::new(),
            links: BTreeMap::new(),
            next_link: 0,
            clients: Vec::new(),
            crowd: Vec::new(),
            next_ref: 0,
            next_process: 0,
            totals: Totals::default(),
            failure: None,
            trace: traced.then(Vec::new),
            digest: 0xcbf2_9ce4_8422_2325,
            queue: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// `due` happens in `ms`.
    pub(crate) fn later(&mut self, ms: u64, due: Due) {
        self.sequence += 1;
        self.queue.insert((self.now + ms, self.sequence), due);
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    /// Writes a line into the trace, if there is one.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>8} {}", self.now, line()));
        }
    }

    pub(crate) fn fail(&mut self, why: impl FnOnce() -> String) {
        if self.failure.is_none() {
            let why = format!("at {} ms: {}", self.now, why());
            self.note(|| format!("FAILED {why}"));
            self.failure = Some(why);
        }
    }

    pub(crate) fn digest(&mut self, value: u64) {
        self.digest = (self.digest ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Lets `ms` pass, or as much as goes well.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.failure.is_none() {
            let due = self.queue.first_key_value().map(|(key, _)| key.0);
            let wake = (0..self.clients.len())
                .filter_map(|client| Some((self.clients[client].wake?.1, client)))
                .min();
            match (due, wake) {
                (due, Some((at, client))) if at <= end && due.is_none_or(|due| at < due) => {
                    self.now = self.now.max(at);
                    self.digest(self.now);
                    self.wake(client);
                }
                (Some(at), _) if at <= end => {
                    self.now = self.now.max(at);
                    self.digest(self.now);
                    if let Some((_, due)) = self.queue.pop_first() {
                        self.happen(due);
                    }
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Opened(link) => self.opened(link),
            Due::Failed(link, status) => self.failed(link, status),
            Due::ServerGets(link, text) => self.server_gets(link, text),
            Due::ClientGets(link, text) => self.client_gets(link, &text),
            Due::ClientClosed(link, code) => self.client_closed(link, code),
            Due::ServerClosed(link) => self.server_closed(link),
            Due::ServerWorks(link) => self.server_works(link),
            Due::Idle(link) => self.idle(link),
            Due::Cut(link) => {
                if self.troubled {
                    self.cut(link, Some(1006));
                }
            }
            Due::AfterJoin { link, process } => self.after_join(link, process),
            Due::ListState { link, process } => self.list_state(link, process),
            Due::SendState {
                link,
                process,
                payload,
            } => self.send_state(link, process, &payload),
            Due::Answer {
                link,
                process,
                message_ref,
                status,
            } => self.answer(link, process, message_ref.as_deref(), status),
            Due::Broadcast {
                node,
                incarnation,
                topic,
                payload,
            } => {
                if self.nodes[node].up && self.incarnation(node) == incarnation {
                    self.broadcast(node, &topic, &payload);
                }
            }
            Due::Tick(node) => self.tick(node),
            Due::Revive(node) => self.revive(node),
            Due::Heal(pair) => {
                if self.splits.remove(&pair) {
                    self.note(|| format!("nodes {} and {} are one again", pair.0, pair.1));
                }
            }
            Due::Crowd => self.crowd_acts(),
            Due::Trouble => self.trouble(),
            Due::User(client) => self.user_acts(client),
        }
    }
}
