//! phoenix.js's `Presence`, written down plainly: vectors, searched from end to end, and JavaScript's order of
//! properties. What this library does otherwise is marked.

#![allow(dead_code, reason = "not every test uses all of it")]

/// A JavaScript object: array indices first, ascending, then names in the order they were first set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<T>(pub(crate) Vec<(String, T)>);

impl<T> Object<T> {
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.0
            .iter_mut()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, key: &str, value: T) {
        if let Some(known) = self.get_mut(key) {
            *known = value;
            return;
        }
        let at = match index(key) {
            None => self.0.len(),
            Some(new) => self
                .0
                .iter()
                .position(|(known, _)| index(known).is_none_or(|known| known > new))
                .unwrap_or(self.0.len()),
        };
        self.0.insert(at, (key.to_owned(), value));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(known, _)| known != key);
    }
}

fn index(key: &str) -> Option<u32> {
    key.parse()
        .ok()
        .filter(|index: &u32| *index != u32::MAX && index.to_string() == key)
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meta {
    /// JSON.
    pub(crate) text: String,
    /// The JSON of its ref, if it has one.
    pub(crate) reference: Option<String>,
}

impl Meta {
    fn is_among(&self, metas: &[Meta]) -> bool {
        // Two objects are never the same one.
        let is_object = self
            .reference
            .as_ref()
            .is_some_and(|text| text.starts_with('{'));
        !is_object && metas.iter().any(|meta| meta.reference == self.reference)
    }
}

/// A presence: members in order, one of which, without a value here, is the metas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Presence {
    pub(crate) members: Vec<(String, Option<String>)>,
    pub(crate) metas: Vec<Meta>,
}

impl Presence {
    pub(crate) fn text(&self) -> String {
        let metas: Vec<&str> = self.metas.iter().map(|meta| meta.text.as_str()).collect();
        let metas = format!("[{}]", metas.join(","));
        let members = self
            .members
            .iter()
            .map(|(name, value)| format!("{name:?}:{}", value.as_ref().unwrap_or(&metas)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    fn with_metas(&self, metas: Vec<Meta>) -> Self {
        Self {
            members: self.members.clone(),
            metas,
        }
    }
}

pub(crate) type State = Object<Presence>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Diff {
    pub(crate) joins: State,
    pub(crate) leaves: State,
}

/// A call to `onJoin` or `onLeave`: which, the key, `current` and the other argument, as JSON.
pub(crate) type Call = (bool, String, Option<String>, String);

pub(crate) fn sync_state(state: &mut State, new_state: &State, calls: &mut Vec<Call>) {
    let (mut joins, mut leaves) = (State::default(), State::default());
    for (key, presence) in &state.0 {
        if new_state.get(key).is_none() {
            leaves.set(key, presence.clone());
        }
    }
    let mut refreshed = Vec::new();
    for (key, new) in &new_state.0 {
        let Some(current) = state.get(key) else {
            joins.set(key, new.clone());
            continue;
        };
        let joined: Vec<Meta> = new
            .metas
            .iter()
            .filter(|meta| !meta.is_among(&current.metas))
            .cloned()
            .collect();
        let left: Vec<Meta> = current
            .metas
            .iter()
            .filter(|meta| !meta.is_among(&new.metas))
            .cloned()
            .collect();
        if joined.is_empty() {
            // Otherwise than in phoenix.js: what is beside the metas is the state's.
            refreshed.push((key.clone(), new.members.clone()));
        } else {
            joins.set(key, new.with_metas(joined));
        }
        if !left.is_empty() {
            leaves.set(key, current.with_metas(left));
        }
    }
    for (key, members) in refreshed {
        if let Some(presence) = state.get_mut(&key) {
            presence.members = members;
        }
    }
    sync_diff(state, &Diff { joins, leaves }, calls);
}

pub(crate) fn sync_diff(state: &mut State, diff: &Diff, calls: &mut Vec<Call>) {
    for (key, new) in &diff.joins.0 {
        let current = state.get(key).cloned();
        let mut merged = new.clone();
        if let Some(current) = &current {
            let kept = current
                .metas
                .iter()
                .filter(|meta| !meta.is_among(&new.metas));
            merged.metas = kept.chain(&new.metas).cloned().collect();
        }
        state.set(key, merged);
        calls.push((
            true,
            key.clone(),
            current.map(|current| current.text()),
            new.text(),
        ));
    }
    for (key, left) in &diff.leaves.0 {
        let Some(current) = state.get_mut(key) else {
            continue;
        };
        current.metas.retain(|meta| !meta.is_among(&left.metas));
        calls.push((false, key.clone(), Some(current.text()), left.text()));
        if current.metas.is_empty() {
            state.remove(key);
        }
    }
}
