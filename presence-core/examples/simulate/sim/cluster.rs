//! The truth: nodes that keep who is there, and tell each other now and then.
//!
//! As PubSub and Tracker do it: a change at a node is told to that node's subscribers at once, a diff a change; the
//! other nodes hear of it within a broadcast period, merged with whatever else happened in it. A node that is not heard
//! of for 30 s is forgotten, with all who were there; heard of again after a split, it is shown as it was left first,
//! ghosts included, and put right two seconds later. A node that restarted is emptied first and filled in the next
//! period.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::world::{Due, World};

/// How often a node hears from the others.
const PERIOD: u64 = 1_500;
/// How long a node may be silent.
const SILENCE: u64 = 30_000;
/// How long after a split the ghosts stay.
const GHOSTS: u64 = 2_000;
/// Until every node shows the same, once nothing happens any more.
pub(crate) const CONVERGENCE: u64 = 2 * PERIOD + GHOSTS + 500;

/// One meta somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) topic: String,
    pub(crate) key: String,
    pub(crate) meta: Value,
}

type Entries = BTreeMap<String, Entry>;

/// What a node knows of another.
#[derive(Clone, Debug)]
struct Replica {
    incarnation: u64,
    entries: Entries,
    shown: bool,
    silent_since: Option<u64>,
    /// Shown again after a split, and not yet put right.
    settles_at: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) up: bool,
    incarnation: u64,
    /// By ref.
    entries: Entries,
    replicas: BTreeMap<usize, Replica>,
    /// Diffs of a node go out in order.
    told_at: u64,
}

/// What a topic's diff does, by topic: refs that join, refs that leave.
#[derive(Default)]
struct Delta {
    topics: BTreeMap<String, [Vec<(String, Value)>; 2]>,
}

impl Delta {
    fn add(&mut self, which: usize, entry: &Entry) {
        self.topics.entry(entry.topic.clone()).or_default()[which]
            .push((entry.key.clone(), entry.meta.clone()));
    }
}

const JOINS: usize = 0;
const LEAVES: usize = 1;

/// What `fetch/2` adds beside the metas.
fn presence(key: &str, metas: Vec<Value>) -> Value {
    let mut presence = Map::new();
    if key.len().is_multiple_of(2) {
        presence.insert("name".to_owned(), json!(format!("{key}!")));
    }
    presence.insert("metas".to_owned(), Value::Array(metas));
    Value::Object(presence)
}

fn presences<'a>(metas: impl Iterator<Item = (&'a str, &'a Value)>) -> Value {
    let mut keys: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (key, meta) in metas {
        keys.entry(key).or_default().push(meta.clone());
    }
    let object = keys
        .into_iter()
        .map(|(key, metas)| (key.to_owned(), presence(key, metas)))
        .collect();
    Value::Object(object)
}

impl World {
    pub(crate) fn start_nodes(&mut self, count: usize) {
        for node in 0..count {
            self.nodes.push(Node {
                up: true,
                incarnation: 1,
                entries: Entries::new(),
                replicas: BTreeMap::new(),
                told_at: 0,
            });
            let first = self.rng.u64(1..=PERIOD);
            self.later(first, Due::Tick(node));
        }
    }

    pub(crate) fn live_node(&mut self) -> Option<usize> {
        let up: Vec<usize> = (0..self.nodes.len())
            .filter(|node| self.nodes[*node].up)
            .collect();
        (!up.is_empty()).then(|| up[self.rng.usize(..up.len())])
    }

    /// Adds a meta, in place of `instead` if that is given: an update. The ref it has now.
    pub(crate) fn track(
        &mut self,
        node: usize,
        topic: &str,
        key: &str,
        instead: Option<&str>,
    ) -> String {
        self.next_ref += 1;
        let reference = format!("F{}", self.next_ref);
        let mut meta = json!({"phx_ref": reference, "n": self.rng.u32(..)});
        let mut delta = Delta::default();
        if let Some(old) = instead.and_then(|old| self.nodes[node].entries.remove(old)) {
            meta["phx_ref_prev"] = old.meta["phx_ref"].clone();
            delta.add(LEAVES, &old);
        }
        let entry = Entry {
            topic: topic.to_owned(),
            key: key.to_owned(),
            meta,
        };
        delta.add(JOINS, &entry);
        self.nodes[node].entries.insert(reference.clone(), entry);
        self.tell(node, delta);
        reference
    }

    /// Removes metas, in one diff.
    pub(crate) fn untrack(&mut self, node: usize, refs: &[String]) {
        let mut delta = Delta::default();
        for reference in refs {
            if let Some(entry) = self.nodes[node].entries.remove(reference) {
                delta.add(LEAVES, &entry);
            }
        }
        self.tell(node, delta);
    }

    /// A diff for the subscribers at `node`, a moment from now.
    fn tell(&mut self, node: usize, delta: Delta) {
        for (topic, [joins, leaves]) in delta.topics {
            let side = |metas: &[(String, Value)]| {
                presences(metas.iter().map(|(key, meta)| (key.as_str(), meta)))
            };
            let payload = json!({"joins": side(&joins), "leaves": side(&leaves)}).to_string();
            let at = (self.now + self.rng.u64(0..10)).max(self.nodes[node].told_at);
            self.nodes[node].told_at = at;
            let incarnation = self.nodes[node].incarnation;
            self.later(
                at - self.now,
                Due::Broadcast {
                    node,
                    incarnation,
                    topic,
                    payload,
                },
            );
        }
    }

    pub(crate) fn incarnation(&self, node: usize) -> u64 {
        self.nodes[node].incarnation
    }

    /// What a node would answer to `Presence.list`.
    pub(crate) fn list(&self, node: usize, topic: &str) -> Value {
        let node = &self.nodes[node];
        let replicas = node
            .replicas
            .values()
            .filter(|replica| replica.shown)
            .flat_map(|replica| replica.entries.values());
        presences(
            node.entries
                .values()
                .chain(replicas)
                .filter(|entry| entry.topic == topic)
                .map(|entry| (entry.key.as_str(), &entry.meta)),
        )
    }

    /// A node's broadcast period is over: it hears from the others.
    pub(crate) fn tick(&mut self, node: usize) {
        self.later(PERIOD, Due::Tick(node));
        if !self.nodes[node].up {
            return;
        }
        for other in 0..self.nodes.len() {
            if other != node {
                let delta = self.hear(node, other);
                self.tell(node, delta);
            }
        }
    }

    fn hear(&mut self, node: usize, other: usize) -> Delta {
        let mut delta = Delta::default();
        let heard =
            self.nodes[other].up && !self.splits.contains(&(node.min(other), node.max(other)));
        let incarnation = self.nodes[other].incarnation;
        let theirs = self.nodes[other].entries.clone();
        let now = self.now;
        let replica = self.nodes[node].replicas.entry(other).or_insert(Replica {
            incarnation,
            entries: Entries::new(),
            shown: true,
            silent_since: None,
            settles_at: 0,
        });
        if !heard {
            let since = *replica.silent_since.get_or_insert(now);
            if replica.shown && now - since >= SILENCE {
                replica.shown = false;
                for entry in replica.entries.values() {
                    delta.add(LEAVES, entry);
                }
            }
            return delta;
        }
        replica.silent_since = None;
        if replica.incarnation != incarnation {
            if replica.shown {
                for entry in replica.entries.values() {
                    delta.add(LEAVES, entry);
                }
            }
            replica.incarnation = incarnation;
            replica.entries.clear();
            replica.shown = true;
        } else if !replica.shown {
            replica.shown = true;
            replica.settles_at = now + GHOSTS;
            for entry in replica.entries.values() {
                delta.add(JOINS, entry);
            }
            self.totals.ghosts += replica.entries.len() as u64;
        } else if now >= replica.settles_at {
            for (reference, entry) in &theirs {
                if !replica.entries.contains_key(reference) {
                    delta.add(JOINS, entry);
                }
            }
            for (reference, entry) in &replica.entries {
                if !theirs.contains_key(reference) {
                    delta.add(LEAVES, entry);
                }
            }
            replica.entries = theirs;
        }
        delta
    }

    /// A node dies, with all who were connected to it.
    pub(crate) fn kill(&mut self, node: usize) {
        self.totals.restarts += 1;
        self.note(|| format!("node {node} dies"));
        self.nodes[node].up = false;
        self.nodes[node].entries.clear();
        self.nodes[node].replicas.clear();
        self.nodes[node].incarnation += 1;
        self.crowd.retain(|member| member.node != node);
        let links: Vec<_> = self.links_of_node(node);
        for link in links {
            self.cut(link, Some(1012));
        }
    }

    pub(crate) fn revive(&mut self, node: usize) {
        if !self.nodes[node].up {
            self.note(|| format!("node {node} is back"));
            self.nodes[node].up = true;
        }
    }

    pub(crate) fn split(&mut self) {
        let pairs: BTreeSet<_> = (0..self.nodes.len())
            .flat_map(|a| (a + 1..self.nodes.len()).map(move |b| (a, b)))
            .collect();
        let pairs: Vec<_> = pairs.difference(&self.splits).copied().collect();
        if !pairs.is_empty() {
            let pair = pairs[self.rng.usize(..pairs.len())];
            self.totals.splits += 1;
            self.note(|| format!("nodes {} and {} are split", pair.0, pair.1));
            self.splits.insert(pair);
        }
    }
}
