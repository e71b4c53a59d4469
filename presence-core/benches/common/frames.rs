//! The frames that the benches read.

use presence_core::codec::TextFrame;
use presence_core::message::Vsn;
use presence_core::presence::{Join, Tracker};

pub(crate) const JOIN: Join<'_> = Join {
    join_ref: Some("1"),
    answered: true,
};

#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Plain,
    Rich,
}

/// A presence as a server sends it.
fn entry(shape: Shape, user: usize, generation: usize) -> String {
    let phx_ref = format!("F{:015x}", user * 64 + generation);
    match shape {
        Shape::Plain => format!(
            r#""user-{user}":{{"metas":[{{"online_at":"{}","status":"{}","phx_ref":"{phx_ref}"}}]}}"#,
            1_764_000_000 + user,
            if user.is_multiple_of(3) {
                "away"
            } else {
                "online"
            },
        ),
        Shape::Rich => format!(
            r#""user-{user}":{{"metas":[{{"device":{{"kind":"phone","at":[{}.5,-{user}],"tags":["a","b\\c","é世😀"]}},"name":"Näme \"{user}\"","phx_ref":"{phx_ref}","typing":{}}}],"user":{{"name":"Name","avatar":null}}}}"#,
            user,
            user.is_multiple_of(5),
        ),
    }
}

pub(crate) fn state(shape: Shape, users: usize) -> String {
    let entries: Vec<String> = (0..users).map(|user| entry(shape, user, 0)).collect();
    format!(
        r#"["1",null,"room:bench","presence_state",{{{}}}]"#,
        entries.join(",")
    )
}

fn diff(joins: &str, leaves: &str) -> String {
    format!(
        r#"[null,null,"room:bench","presence_diff",{{"joins":{{{joins}}},"leaves":{{{leaves}}}}}]"#
    )
}

pub(crate) fn open(text: &str) -> TextFrame<'_> {
    TextFrame::open(Vsn::V2, text).expect("a frame")
}

pub(crate) fn synced(state: &str) -> Tracker {
    let mut tracker = Tracker::default();
    let outcome = tracker.handle_state(open(state), JOIN).expect("a state");
    assert!(outcome.synced);
    tracker
}

/// Fifty users who join and leave again.
pub(crate) fn joins_and_leaves(shape: Shape, users: usize) -> Vec<String> {
    (users..users + 50)
        .map(|user| entry(shape, user, 0))
        .flat_map(|entry| [diff(&entry, ""), diff("", &entry)])
        .collect()
}

/// Fifty users who get other metas, and then their old ones again.
pub(crate) fn updates(shape: Shape, users: usize) -> Vec<String> {
    (0..50)
        .map(|number| number * 7919 % users)
        .flat_map(|user| {
            [(0, 1), (1, 0)]
                .map(|(old, new)| diff(&entry(shape, user, new), &entry(shape, user, old)))
        })
        .collect()
}
