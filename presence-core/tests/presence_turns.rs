//! Changes of several frames as one.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::presence::{Join, PresenceOptions, Tracker};

fn coalescing() -> Tracker {
    let mut options = PresenceOptions::default();
    options.coalesce = true;
    let mut tracker = Tracker::new(options);
    tracker.set_changes(true);
    tracker
}

/// With ann and bob, whom nobody needs to be told of any more.
fn synced() -> Tracker {
    let mut tracker = coalescing();
    state(&mut tracker, &[("ann", "a1"), ("bob", "b1")]);
    assert!(tracker.end_turn());
    tracker
}

fn presences(of: &[(&str, &str)]) -> String {
    let one =
        |(key, meta): &(&str, &str)| format!(r#""{key}":{{"metas":[{{"phx_ref":"{meta}"}}]}}"#);
    format!("{{{}}}", of.iter().map(one).collect::<Vec<_>>().join(","))
}

fn state(tracker: &mut Tracker, of: &[(&str, &str)]) {
    let join = Join::answered("1");
    assert!(
        tracker
            .handle_state_json(&presences(of), join)
            .unwrap()
            .synced
    );
}

fn diff(tracker: &mut Tracker, joins: &[(&str, &str)], leaves: &[(&str, &str)]) {
    let (joins, leaves) = (presences(joins), presences(leaves));
    let payload = format!(r#"{{"joins":{joins},"leaves":{leaves}}}"#);
    let join = Join::answered("1");
    assert!(tracker.handle_diff_json(&payload, join).unwrap().synced);
}

/// Ends the turn, and gives each change: its kind, the key, the refs before and after.
fn turn(tracker: &mut Tracker) -> Vec<String> {
    assert_eq!(tracker.changes().len(), 0, "the turn goes on");
    assert!(tracker.end_turn());
    let changes = tracker.changes().map(|change| {
        let refs = |presence: Option<_>| {
            presence.map(|presence: presence_core::presence::PresenceRef<'_, _>| {
                let refs = presence.metas().filter_map(|meta| meta.reference());
                refs.collect::<Vec<_>>().join(" ")
            })
        };
        let (before, after) = (refs(change.before()), refs(change.after()));
        format!("{:?} {} {before:?} {after:?}", change.kind(), change.key())
    });
    changes.collect()
}

#[test]
fn who_came_and_left_within_a_turn_is_no_change() {
    let mut tracker = synced();
    diff(&mut tracker, &[("cy", "c1")], &[]);
    diff(&mut tracker, &[], &[("cy", "c1")]);
    assert_eq!(turn(&mut tracker), [""; 0]);
}

#[test]
fn who_left_and_came_back_is_updated() {
    let mut tracker = synced();
    diff(&mut tracker, &[], &[("ann", "a1")]);
    diff(&mut tracker, &[("ann", "a2")], &[]);
    diff(&mut tracker, &[], &[("ann", "a2")]);
    diff(&mut tracker, &[("ann", "a3")], &[]);
    assert_eq!(turn(&mut tracker), [r#"Updated ann Some("a1") Some("a3")"#]);
}

#[test]
fn who_came_back_the_same_is_no_change() {
    let mut tracker = synced();
    diff(&mut tracker, &[], &[("ann", "a1")]);
    diff(&mut tracker, &[("ann", "a1")], &[]);
    assert_eq!(turn(&mut tracker), [""; 0]);
}

#[test]
fn two_updates_are_one_from_the_first_before_to_the_last_after() {
    let mut tracker = synced();
    diff(&mut tracker, &[("ann", "a2")], &[("ann", "a1")]);
    diff(&mut tracker, &[("cy", "c1")], &[("bob", "b1")]);
    diff(&mut tracker, &[("ann", "a3")], &[("ann", "a2")]);
    assert!(!tracker.is_resync());
    let expected = [
        r#"Updated ann Some("a1") Some("a3")"#,
        r#"Joined cy None Some("c1")"#,
        r#"Left bob Some("b1") None"#,
    ];
    assert_eq!(turn(&mut tracker), expected);
    // The next turn starts from there.
    diff(&mut tracker, &[], &[("ann", "a3")]);
    assert_eq!(turn(&mut tracker), [r#"Left ann Some("a3") None"#]);
}

#[test]
fn a_state_among_diffs_is_part_of_the_turn() {
    let mut tracker = synced();
    diff(&mut tracker, &[("cy", "c1")], &[("ann", "a1")]);
    state(&mut tracker, &[("ann", "a2"), ("bob", "b1")]);
    diff(&mut tracker, &[("bob", "b2")], &[]);
    assert!(tracker.is_resync());
    let expected = [
        r#"Updated ann Some("a1") Some("a2")"#,
        r#"Joined bob Some("b1") Some("b1 b2")"#,
    ];
    assert_eq!(turn(&mut tracker), expected);
}

#[test]
fn a_frame_that_is_refused_does_not_end_the_turn() {
    let mut tracker = synced();
    diff(&mut tracker, &[("cy", "c1")], &[]);
    let join = Join::answered("1");
    assert!(
        tracker
            .handle_diff_json(r#"{"joins":{"dan":7}}"#, join)
            .is_err()
    );
    diff(&mut tracker, &[("cy", "c2")], &[]);
    assert_eq!(turn(&mut tracker), [r#"Joined cy None Some("c1 c2")"#]);
}

#[test]
fn a_turn_without_frames_has_nothing_to_tell() {
    let mut tracker = synced();
    assert!(!tracker.end_turn());
    // Those of the last turn can still be had.
    assert_eq!(tracker.changes().len(), 2);
}

#[test]
fn a_reset_gives_the_turn_up() {
    let mut tracker = synced();
    diff(&mut tracker, &[("ann", "a2")], &[("bob", "b1")]);
    tracker.reset();
    assert!(!tracker.end_turn());
    state(&mut tracker, &[("ann", "a2"), ("bob", "b2")]);
    let expected = [
        r#"Joined ann None Some("a2")"#,
        r#"Joined bob None Some("b2")"#,
    ];
    assert_eq!(turn(&mut tracker), expected);
}

#[test]
fn a_turn_in_which_all_leave_and_come_back_is_linear() {
    let many: Vec<String> = (0..20_000).map(|n| format!("user{n}")).collect();
    let with = |meta| {
        many.iter()
            .map(|key| (key.as_str(), meta))
            .collect::<Vec<_>>()
    };
    let mut tracker = coalescing();
    state(&mut tracker, &with("1"));
    assert!(tracker.end_turn());
    diff(&mut tracker, &[], &with("1"));
    diff(&mut tracker, &with("2"), &[]);
    let changes = turn(&mut tracker);
    assert_eq!(changes.len(), many.len());
    assert_eq!(changes[0], r#"Updated user0 Some("1") Some("2")"#);
}
