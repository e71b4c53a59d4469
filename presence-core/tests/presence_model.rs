//! Random histories of states, diffs and joins, beside a plain account of what phoenix.js does.

#[path = "common/histories.rs"]
mod histories;
#[path = "common/phoenix.rs"]
mod phoenix;
#[path = "common/random.rs"]
mod random;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use histories::{Event, KEYS, ODD_REFS, events, state_of, text_of};
use phoenix::{Call, Diff, Meta, Presence, State};
use presence_core::presence::{CatchUp, ChangeKind, Join, PresenceRef, StepKind, Tracker};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

/// The tracker beside the model, and a mirror that follows by patches.
struct Pair {
    tracker: Tracker,
    mirror: Vec<(u64, String)>,
    state: State,
    join: usize,
    answered: bool,
    synced_join: Option<usize>,
    held: Vec<Diff>,
}

impl Pair {
    fn new() -> Self {
        let mut tracker = Tracker::default();
        tracker.set_steps(true);
        tracker.set_changes(true);
        Self {
            tracker,
            mirror: Vec::new(),
            state: State::default(),
            join: 0,
            answered: true,
            synced_join: None,
            held: Vec::new(),
        }
    }

    fn handle(&mut self, event: &Event) -> TestCaseResult {
        let join_ref = self.join.to_string();
        let join = Join {
            join_ref: Some(&join_ref),
            answered: self.answered,
        };
        let before = self.state.clone();
        let mut calls = Vec::new();
        let outcome = match event {
            Event::Rejoin => {
                self.join += 1;
                self.answered = false;
                self.held.clear();
                self.tracker.handle_stale();
                return Ok(());
            }
            Event::Answer => {
                self.answered = true;
                return Ok(());
            }
            Event::State(written) => {
                self.apply_state(&state_of(written), &mut calls);
                self.tracker.handle_state_json(&text_of(written), join)
            }
            Event::Resync => {
                let members = self
                    .tracker
                    .roster()
                    .iter()
                    .map(|presence| format!("{:?}:{}", presence.key(), presence.to_json()));
                let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
                self.apply_state(&self.state.clone(), &mut calls);
                self.tracker.handle_state_json(&text, join)
            }
            Event::Diff(joins, leaves) => {
                let diff = Diff {
                    joins: state_of(joins),
                    leaves: state_of(leaves),
                };
                if self.synced_join == Some(self.join) {
                    phoenix::sync_diff(&mut self.state, &diff, &mut calls);
                } else if self.answered {
                    self.held.push(diff);
                }
                let text = format!(
                    "{{\"joins\":{},\"leaves\":{}}}",
                    text_of(joins),
                    text_of(leaves)
                );
                self.tracker.handle_diff_json(&text, join)
            }
        };
        let outcome = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let is_held = matches!(event, Event::Diff(..)) && self.synced_join != Some(self.join);
        prop_assert_eq!(outcome.synced, !is_held);
        prop_assert_eq!(outcome.rejoin, false);
        self.compare(&before, &calls)
    }

    fn apply_state(&mut self, new_state: &State, calls: &mut Vec<Call>) {
        phoenix::sync_state(&mut self.state, new_state, calls);
        for diff in std::mem::take(&mut self.held) {
            phoenix::sync_diff(&mut self.state, &diff, calls);
        }
        self.synced_join = Some(self.join);
    }

    fn compare(&mut self, before: &State, calls: &[Call]) -> TestCaseResult {
        let roster = self.tracker.roster();
        let ours: Vec<(String, String)> = roster
            .iter()
            .map(|presence| (presence.key().into_owned(), presence.to_json()))
            .collect();
        let theirs: Vec<(String, String)> = self
            .state
            .0
            .iter()
            .map(|(key, presence)| (key.clone(), presence.text()))
            .collect();
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(roster.len(), theirs.len());
        for key in KEYS {
            let ours = roster.get(key).map(|presence| presence.to_json());
            prop_assert_eq!(ours, self.state.get(key).map(Presence::text));
        }
        let steps: Vec<Call> = self
            .tracker
            .steps()
            .map(|step| {
                let current = step.current().map(|current| current.to_json());
                (
                    step.kind() == StepKind::Join,
                    step.key().into_owned(),
                    current,
                    step.other().to_json(),
                )
            })
            .collect();
        prop_assert_eq!(&steps, calls);
        self.compare_changes(before)?;
        self.compare_mirror()
    }

    /// Every presence that differs has one change, and no other has.
    fn compare_changes(&self, before: &State) -> TestCaseResult {
        let mut changed = Vec::new();
        for change in self.tracker.changes() {
            let key = change.key().into_owned();
            let (old, new) = (before.get(&key), self.state.get(&key));
            prop_assert_eq!(
                change.before().map(|presence| presence.to_json()),
                old.map(Presence::text)
            );
            prop_assert_eq!(
                change.after().map(|presence| presence.to_json()),
                new.map(Presence::text)
            );
            let joined = difference(new, old);
            let left = difference(old, new);
            prop_assert_eq!(
                change.joined().map(|meta| meta.raw()).collect::<Vec<_>>(),
                joined.clone()
            );
            prop_assert_eq!(
                change.left().map(|meta| meta.raw()).collect::<Vec<_>>(),
                left.clone()
            );
            let kind = match (old, new) {
                (None, _) => ChangeKind::Joined,
                (_, None) => ChangeKind::Left,
                _ if left.is_empty() && !joined.is_empty() => ChangeKind::Joined,
                _ if joined.is_empty() && !left.is_empty() => ChangeKind::Left,
                _ => ChangeKind::Updated,
            };
            prop_assert_eq!(change.kind(), kind);
            prop_assert!(!changed.contains(&key));
            changed.push(key);
        }
        for key in KEYS {
            let (old, new) = (before.get(key), self.state.get(key));
            let differs = match (old, new) {
                (Some(old), Some(new)) => sorted(old) != sorted(new) || old.members != new.members,
                (old, new) => old.is_some() != new.is_some(),
            };
            if differs {
                prop_assert!(
                    changed.iter().any(|known| known == key),
                    "no change of {:?}",
                    key
                );
            }
        }
        Ok(())
    }

    fn compare_mirror(&mut self) -> TestCaseResult {
        let mut patches = Vec::new();
        let entry = |presence: PresenceRef<'_, _>| {
            (presence.order().unwrap_or(u64::MAX), presence.to_json())
        };
        match self.tracker.drain_patches(&mut patches) {
            CatchUp::Rebuild => self.mirror = self.tracker.roster().iter().map(entry).collect(),
            CatchUp::Patch => {
                for patch in patches {
                    let new = patch
                        .slot
                        .and_then(|slot| self.tracker.roster().at(slot))
                        .map(entry);
                    match (
                        self.mirror
                            .binary_search_by_key(&patch.order, |(order, _)| *order),
                        new,
                    ) {
                        (Ok(at), Some(new)) => self.mirror[at] = new,
                        (Ok(at), None) => drop(self.mirror.remove(at)),
                        (Err(at), Some(new)) => self.mirror.insert(at, new),
                        (Err(_), None) => {}
                    }
                }
            }
        }
        let roster: Vec<(u64, String)> = self.tracker.roster().iter().map(entry).collect();
        prop_assert!(roster.is_sorted_by_key(|(order, _)| *order));
        prop_assert_eq!(&self.mirror, &roster);
        Ok(())
    }
}

fn difference<'a>(a: Option<&'a Presence>, b: Option<&Presence>) -> Vec<&'a str> {
    let others = b.map_or(&[][..], |presence| &presence.metas);
    let is_new = |meta: &&Meta| {
        let is_object = meta.reference.as_deref() == Some("{}");
        is_object || others.iter().all(|other| other.reference != meta.reference)
    };
    let metas = a.map_or(&[][..], |presence| &presence.metas);
    metas
        .iter()
        .filter(is_new)
        .map(|meta| meta.text.as_str())
        .collect()
}

fn sorted(presence: &Presence) -> Vec<&str> {
    let mut metas: Vec<&str> = presence
        .metas
        .iter()
        .map(|meta| meta.text.as_str())
        .collect();
    metas.sort_unstable();
    metas
}

#[test]
fn histories_end_as_in_phoenix_js() {
    random::check(400, events(ODD_REFS), |events| {
        let mut pair = Pair::new();
        events.iter().try_for_each(|event| pair.handle(event))
    });
}
