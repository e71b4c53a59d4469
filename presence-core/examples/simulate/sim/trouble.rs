//! What goes wrong, and who comes and goes meanwhile.

use super::world::{Due, Member, World};

/// Keys of all sorts: like a number, empty, of JavaScript's own names, with quotes, long.
const KEYS: [&str; 12] = [
    "ann",
    "bob",
    "carl",
    "10",
    "9",
    "4294967295",
    "",
    "__proto__",
    "constructor",
    "\"quoted\\",
    "zoë 🎉",
    "a key that is so long that it is stored in another way than the short ones are, if there is one",
];
pub(crate) const TOPICS: [&str; 3] = ["room:lobby", "room:\"é\"", "room:3"];

impl World {
    pub(crate) fn trouble_begins(&mut self) {
        self.note(|| "trouble begins".to_owned());
        self.troubled = true;
        self.later(0, Due::Crowd);
        self.later(0, Due::Trouble);
        for client in 0..self.clients.len() {
            self.later(0, Due::User(client));
        }
    }

    /// Nothing goes wrong any more, and nobody comes or goes; what went wrong before is still to be found out.
    pub(crate) fn trouble_ends(&mut self) {
        self.note(|| "calm".to_owned());
        self.troubled = false;
        self.splits.clear();
        for node in 0..self.nodes.len() {
            self.revive(node);
        }
        for client in 0..self.clients.len() {
            self.settle(client);
        }
    }

    /// Somebody comes, goes or is updated.
    pub(crate) fn crowd_acts(&mut self) {
        if !self.troubled {
            return;
        }
        let again = match self.chance(30) {
            true => 0,
            false => self.rng.u64(0..800),
        };
        self.later(again, Due::Crowd);
        let count = self.crowd.len();
        match self.rng.u32(..100) {
            0..35 if count < 30 => {
                let Some(node) = self.live_node() else {
                    return;
                };
                let topic = TOPICS[self.rng.usize(..TOPICS.len())];
                let metas = (0..self.rng.usize(1..=3))
                    .map(|_| {
                        let key = KEYS[self.rng.usize(..KEYS.len())];
                        (key.to_owned(), self.track(node, topic, key, None))
                    })
                    .collect();
                self.crowd.push(Member {
                    node,
                    topic: topic.to_owned(),
                    metas,
                });
            }
            0..60 if count > 0 => {
                let member = self.rng.usize(..count);
                let member = self.crowd.swap_remove(member);
                let refs: Vec<String> = member.metas.into_iter().map(|(_, r)| r).collect();
                self.untrack(member.node, &refs);
            }
            _ if count > 0 => {
                let index = self.rng.usize(..count);
                let member = self.crowd[index].clone();
                let meta = self.rng.usize(..member.metas.len());
                let (key, old) = &member.metas[meta];
                let new = self.track(member.node, &member.topic, key, Some(old));
                self.crowd[index].metas[meta].1 = new;
            }
            _ => {}
        }
    }

    /// A node dies, or two lose sight of each other, or a connection is cut.
    pub(crate) fn trouble(&mut self) {
        if !self.troubled || self.first_cut.is_some() {
            return;
        }
        let again = self.rng.u64(500..20_000);
        self.later(again, Due::Trouble);
        match self.rng.u32(..100) {
            0..20 => {
                if let Some(node) = self.live_node() {
                    self.kill(node);
                    let wait = match self.rng.bool() {
                        true => self.rng.u64(10..3_000),
                        false => self.rng.u64(3_000..45_000),
                    };
                    self.later(wait, Due::Revive(node));
                }
            }
            20..45 => {
                let before = self.splits.clone();
                self.split();
                let wait = self.rng.u64(500..60_000);
                if let Some(pair) = self.splits.difference(&before).next().copied() {
                    self.later(wait, Due::Heal(pair));
                }
            }
            45..70 => {
                let links: Vec<_> = self.links.keys().copied().collect();
                if !links.is_empty() {
                    let link = links[self.rng.usize(..links.len())];
                    self.cut(link, Some(1006));
                }
            }
            _ => {}
        }
    }
}
