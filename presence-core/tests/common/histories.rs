//! Random histories of a channel's presence.

#![allow(dead_code, reason = "not every test uses all of it")]

use proptest::prelude::*;
use proptest::sample::select;

use crate::phoenix::{Meta, Object, Presence, State};

/// Keys as they are, which need no escapes in JSON.
pub(crate) const KEYS: &[&str] = &[
    "ann",
    "bob",
    "",
    "__proto__",
    "constructor",
    "é世😀",
    "0",
    "7",
    "10",
    "4294967294",
    "4294967295",
    "01",
    "-1",
    "metas",
    "a key that is a good deal longer than the others are, as some are",
];
/// Refs as a server sends them, as JSON.
const REFS: &[&str] = &["\"r1\"", "\"r2\"", "\"r3\"", "\"r4\"", "\"a longer ref\""];
/// What else JSON allows in their place; the last is none at all.
pub(crate) const ODD_REFS: &[&str] = &["1", "null", "{}", ""];
const VALUES: &[&str] = &[
    "1",
    "\"x\"",
    "[{\"deep\":[]}]",
    "\"a rather long text, so that there is something to clean up\"",
];

/// An object's members in the order they were written, with the repetitions that JSON allows.
pub(crate) type Written = Vec<(&'static str, WrittenPresence)>;

#[derive(Clone, Debug)]
pub(crate) struct WrittenPresence {
    before: Option<&'static str>,
    metas: Vec<(&'static str, &'static str)>,
    after: Option<&'static str>,
    /// What `metas` were before they were written again.
    earlier: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    State(Written),
    Diff(Written, Written),
    /// The roster as it is.
    Resync,
    Rejoin,
    Answer,
}

fn presences(max: usize, odd_refs: &'static [&'static str]) -> impl Strategy<Value = Written> {
    let value = || prop::option::weighted(0.2, select(VALUES));
    // Mostly the refs that a server sends.
    let reference = prop_oneof![9 => select(REFS), 1 => select(odd_refs)];
    let metas = prop::collection::vec((reference, select(VALUES)), 0..4);
    let presence = (
        value(),
        metas,
        value(),
        prop::option::weighted(0.02, select(VALUES)),
    );
    let presence = presence.prop_map(|(before, metas, after, earlier)| WrittenPresence {
        before,
        metas,
        after,
        earlier,
    });
    prop::collection::vec((select(KEYS), presence), 0..max)
}

pub(crate) fn events(odd_refs: &'static [&'static str]) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => presences(8, odd_refs).prop_map(Event::State),
        8 => (presences(4, odd_refs), presences(4, odd_refs)).prop_map(|(joins, leaves)| Event::Diff(joins, leaves)),
        2 => Just(Event::Resync),
        1 => Just(Event::Rejoin),
        1 => Just(Event::Answer),
    ];
    prop::collection::vec(event, 1..60)
}

fn meta(reference: &str, value: &str) -> Meta {
    let text = match reference {
        "" => format!("{{\"at\":{value}}}"),
        reference => format!("{{\"at\":{value},\"phx_ref\":{reference}}}"),
    };
    Meta {
        text,
        reference: Some(reference)
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
    }
}

impl WrittenPresence {
    fn presence(&self) -> Presence {
        let mut members = Vec::new();
        members.extend(
            self.before
                .map(|value| ("before".to_owned(), Some(value.to_owned()))),
        );
        members.push(("metas".to_owned(), None));
        members.extend(
            self.after
                .map(|value| ("after".to_owned(), Some(value.to_owned()))),
        );
        Presence {
            members,
            metas: self
                .metas
                .iter()
                .map(|(reference, value)| meta(reference, value))
                .collect(),
        }
    }

    fn text(&self) -> String {
        let text = self.presence().text();
        match self.earlier {
            None => text,
            Some(earlier) => text.replacen("{", &format!("{{\"metas\":{earlier},"), 1),
        }
    }
}

pub(crate) fn state_of(written: &Written) -> State {
    let mut state = Object::default();
    for (key, presence) in written {
        state.set(key, presence.presence_as_read());
    }
    state
}

impl WrittenPresence {
    /// The later `metas` count, in the place of the earlier.
    fn presence_as_read(&self) -> Presence {
        let mut presence = self.presence();
        if self.earlier.is_some() {
            presence.members.retain(|(name, _)| name != "metas");
            presence.members.insert(0, ("metas".to_owned(), None));
        }
        presence
    }
}

pub(crate) fn text_of(written: &Written) -> String {
    let members = written
        .iter()
        .map(|(key, presence)| format!("{key:?}:{}", presence.text()));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
