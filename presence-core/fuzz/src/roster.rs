use std::collections::BTreeMap;

use presence_core::presence::{
    CatchUp, HeldLimit, Join, Json, Outcome, Patch, PresenceError, PresenceOptions, PresenceRef,
    SyncStatus, Tracker,
};

use crate::is_json;

/// A tracker through a channel's life, a line each: `s` and a state, `k` for a state that is known already, `d` and a
/// diff, `j` for a new join, `a` for its answer, `x` for a lost connection, `r` for a reset, `t` for the end of a turn.
/// The first byte chooses the options.
pub fn roster(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let mut play = Play::new(first);
    for line in text.split('\n') {
        play.line(line);
    }
    play.line("t");
}

struct Play {
    /// Tells of steps and changes, and keeps a mirror.
    watched: Tracker,
    /// Tells of nothing, and must have the same roster.
    plain: Tracker,
    /// What the changes alone make of it: metas without their order, which no change tells of.
    by_changes: BTreeMap<Vec<u8>, Vec<String>>,
    /// A turn goes on, whose changes have not been told.
    untold: bool,
    mirror: Vec<(u64, String)>,
    join: u32,
    answered: bool,
}

impl Play {
    fn new(first: u8) -> Self {
        let mut options = PresenceOptions::default();
        options.diffs_without_state = first & 1 != 0;
        if first & 2 != 0 {
            options.held_limit = HeldLimit {
                diffs: 2,
                bytes: 200,
            };
        }
        let plain = Tracker::new(options.clone());
        // So that the changes of several frames are told as one.
        options.coalesce = first & 4 != 0;
        let mut watched = Tracker::new(options);
        watched.set_changes(true);
        watched.set_steps(true);
        Self {
            watched,
            plain,
            by_changes: BTreeMap::new(),
            untold: false,
            mirror: Vec::new(),
            join: 1,
            answered: true,
        }
    }

    fn line(&mut self, line: &str) {
        let mut characters = line.chars();
        let kind = characters.next();
        let payload = characters.as_str();
        let join_ref = self.join.to_string();
        let join = Join {
            join_ref: Some(&join_ref),
            answered: self.answered,
        };
        match kind {
            Some('s') => self.frame(payload, |tracker| tracker.handle_state_json(payload, join)),
            Some('k') => {
                let before = Looks::of(&self.watched);
                self.frame("{}", |tracker| tracker.handle_same_state(join));
                if before.held.is_empty() {
                    assert_eq!(Looks::of(&self.watched).presences, before.presences);
                }
            }
            Some('d') => self.frame(payload, |tracker| tracker.handle_diff_json(payload, join)),
            Some('j') => {
                self.join += 1;
                self.answered = false;
                self.both(Tracker::handle_stale);
            }
            Some('a') => self.answered = true,
            Some('x') => {
                self.both(Tracker::handle_stale);
            }
            Some('t') => {
                assert_eq!(self.watched.end_turn(), self.untold);
                if self.untold {
                    self.untold = false;
                    self.follow_changes();
                }
            }
            Some('r') => {
                self.both(Tracker::reset);
                self.by_changes.clear();
                self.untold = false;
            }
            _ => return,
        }
        self.check();
    }

    fn both<T: PartialEq + std::fmt::Debug>(&mut self, act: impl Fn(&mut Tracker) -> T) -> T {
        let outcome = act(&mut self.watched);
        assert_eq!(outcome, act(&mut self.plain), "it matters who listens");
        outcome
    }

    fn frame(
        &mut self,
        payload: &str,
        handle: impl Fn(&mut Tracker) -> Result<Outcome, PresenceError>,
    ) {
        let before = Looks::of(&self.watched);
        match self.both(handle) {
            Err(_) => {
                assert_eq!(Looks::of(&self.watched), before, "refused: {payload:?}");
                assert_eq!(self.watched.changes().len(), 0);
                if !self.untold {
                    assert_eq!(self.watched.steps().len(), 0);
                }
            }
            Ok(outcome) => {
                assert!(is_json(payload), "{payload:?}");
                if let Some(status) = outcome.status {
                    assert_eq!(self.watched.status(), status);
                }
                if outcome.synced {
                    assert_eq!(self.watched.held(), 0);
                } else {
                    assert_eq!(Looks::of(&self.watched).presences, before.presences);
                }
                if !self.watched.options().coalesce {
                    self.follow_changes();
                } else if outcome.synced {
                    self.untold = true;
                }
            }
        }
    }

    fn follow_changes(&mut self) {
        for change in self.watched.changes() {
            let presence = change.after().or(change.before());
            let key = presence.map_or_else(Vec::new, |presence| presence.key_wtf8().to_vec());
            let had = match change.after() {
                Some(after) => self.by_changes.insert(key, metas_of(after)),
                None => self.by_changes.remove(&key),
            };
            assert_eq!(had, change.before().map(metas_of), "{change:?}");
        }
    }

    fn check(&mut self) {
        let looks = Looks::of(&self.watched);
        assert_eq!(looks, Looks::of(&self.plain), "it matters who listens");
        let roster = self.watched.roster();
        assert_eq!(roster.len(), looks.presences.len());
        assert_eq!(roster.is_empty(), looks.presences.is_empty());
        for presence in roster.iter() {
            let found = roster.get_wtf8(presence.key_wtf8());
            assert_eq!(found.and_then(|found| found.slot()), presence.slot());
            assert!(is_json(&presence.to_json()), "{}", presence.to_json());
            if !self.untold {
                let known = self.by_changes.get(presence.key_wtf8());
                assert_eq!(known, Some(&metas_of(presence)), "{presence:?}");
            }
        }
        if !self.untold {
            assert_eq!(self.by_changes.len(), roster.len());
        }
        let orders = looks.presences.iter().map(|(order, _)| order);
        assert!(orders.is_sorted_by(|a, b| a < b), "{looks:?}");
        self.catch_up();
        assert_eq!(self.mirror, looks.presences, "the patches say otherwise");
    }

    fn catch_up(&mut self) {
        let mut patches = Vec::new();
        if self.watched.drain_patches(&mut patches) == CatchUp::Rebuild {
            self.mirror = Looks::of(&self.watched).presences;
            return;
        }
        for Patch { order, slot } in patches {
            let presence = slot.and_then(|slot| self.watched.roster().at(slot));
            let at = self
                .mirror
                .binary_search_by_key(&order, |(order, _)| *order);
            match (at, presence) {
                (Ok(at), Some(presence)) => self.mirror[at] = shown(presence),
                (Ok(at), None) => drop(self.mirror.remove(at)),
                (Err(at), Some(presence)) => self.mirror.insert(at, shown(presence)),
                (Err(_), None) => {}
            }
        }
    }
}

/// All that can be seen of a tracker.
#[derive(Debug, PartialEq)]
struct Looks {
    status: SyncStatus,
    held: Vec<String>,
    presences: Vec<(u64, String)>,
}

impl Looks {
    fn of(tracker: &Tracker) -> Self {
        Self {
            status: tracker.status(),
            held: tracker.held_payloads().map(str::to_owned).collect(),
            presences: tracker.roster().iter().map(shown).collect(),
        }
    }
}

/// By its parts: the white space between them may be that of the latest state, of which no patch has to tell.
fn shown(presence: PresenceRef<'_, Json>) -> (u64, String) {
    let metas: Vec<&str> = presence.metas().map(|meta| meta.raw()).collect();
    let extras: Vec<_> = presence.extras().collect();
    let text = format!("{:?} {metas:?} {extras:?}", presence.key_wtf8());
    (presence.order().unwrap_or_default(), text)
}

fn metas_of(presence: PresenceRef<'_, Json>) -> Vec<String> {
    let mut metas: Vec<String> = presence.metas().map(|meta| meta.raw().to_owned()).collect();
    metas.sort();
    metas
}
