//! Which join a diff belongs to, what waits for a state, and how far a roster can be relied on.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::presence::{
    CatchUp, ChangeKind, HeldLimit, Join, Json, Outcome, PresenceOptions, StepKind, SyncStatus,
    Tracker,
};

fn state(keys: &[&str]) -> String {
    let entries: Vec<String> = keys.iter().map(|key| entry(key)).collect();
    format!("{{{}}}", entries.join(","))
}

fn entry(key: &str) -> String {
    format!(r#""{key}":{{"metas":[{{"phx_ref":"{key}"}}]}}"#)
}

fn diff(joins: &[&str], leaves: &[&str]) -> String {
    format!(r#"{{"joins":{},"leaves":{}}}"#, state(joins), state(leaves))
}

fn keys(tracker: &Tracker) -> Vec<String> {
    tracker
        .roster()
        .iter()
        .map(|presence| presence.key().into_owned())
        .collect()
}

fn steps(tracker: &Tracker) -> Vec<(StepKind, String)> {
    tracker
        .steps()
        .map(|step| (step.kind(), step.key().into_owned()))
        .collect()
}

fn with(options: impl FnOnce(&mut PresenceOptions)) -> Tracker {
    let mut all = PresenceOptions::default();
    options(&mut all);
    Tracker::new(all)
}

const SYNCED: Outcome = Outcome {
    synced: true,
    rejoin: false,
    status: None,
};
const HELD: Outcome = Outcome {
    synced: false,
    rejoin: false,
    status: None,
};

#[test]
fn a_diff_before_the_state_waits_for_it() {
    let mut tracker: Tracker = Tracker::default();
    tracker.set_steps(true);
    let join = Join::answered("1");
    assert_eq!(
        tracker.handle_diff_json(&diff(&["ann", "bob"], &[]), join),
        Ok(HELD)
    );
    assert_eq!(
        tracker.handle_diff_json(&diff(&[], &["bob"]), join),
        Ok(HELD)
    );
    assert_eq!(
        (
            tracker.roster().len(),
            tracker.held(),
            tracker.steps().len()
        ),
        (0, 2, 0)
    );
    let outcome = tracker.handle_state_json(&state(&["ann"]), join).unwrap();
    assert_eq!(
        outcome,
        Outcome {
            status: Some(SyncStatus::Synced),
            ..SYNCED
        }
    );
    assert_eq!(keys(&tracker), ["ann"]);
    assert_eq!(tracker.held(), 0);
    let (join, leave) = (StepKind::Join, StepKind::Leave);
    let all = [(join, "ann"), (join, "ann"), (join, "bob"), (leave, "bob")];
    assert_eq!(
        steps(&tracker),
        all.map(|(kind, key)| (kind, key.to_owned()))
    );
}

#[test]
fn a_state_and_what_waited_for_it_are_one_change() {
    let mut tracker: Tracker = Tracker::default();
    tracker.set_changes(true);
    tracker.sync_state(&state(&["old", "back"])).unwrap();
    let join = Join::answered("1");
    let _ = tracker
        .handle_diff_json(&diff(&["ann", "back"], &[]), join)
        .unwrap();
    let _ = tracker
        .handle_diff_json(&diff(&["bob"], &["ann"]), join)
        .unwrap();
    let _ = tracker.handle_state_json(&state(&["ann"]), join).unwrap();
    assert!(tracker.is_resync());
    let changes: Vec<_> = tracker
        .changes()
        .map(|change| (change.kind(), change.key().into_owned()))
        .collect();
    // Ann came and went, and the one who left with the state came back with a diff: nothing to tell.
    assert_eq!(
        changes,
        [
            (ChangeKind::Left, "old".to_owned()),
            (ChangeKind::Joined, "bob".to_owned())
        ]
    );
    assert_eq!(keys(&tracker), ["back", "bob"]);
}

#[test]
fn a_state_that_is_known_is_as_one_that_is_read() {
    let text = state(&["carol", "9", "ann"]);
    let held = diff(&["ann", "bob"], &["carol"]);
    let play = |known: bool| {
        let mut tracker = with(|options| options.held_limit.diffs = 1);
        tracker.set_steps(true);
        let _ = tracker.handle_state_json(&text, Join::answered("1"));
        // None waits, then too many, then one.
        [("1", 0), ("2", 2), ("3", 1)].map(|(join, waiting)| {
            let join = Join::answered(join);
            for _ in 0..waiting {
                let _ = tracker.handle_diff_json(&held, join).unwrap();
            }
            let outcome = if known {
                tracker.handle_same_state(join).unwrap()
            } else {
                tracker.handle_state_json(&text, join).unwrap()
            };
            (outcome, steps(&tracker), keys(&tracker))
        })
    };
    let known = play(true);
    assert_eq!(known, play(false));
    let outcomes = known
        .each_ref()
        .map(|(outcome, ..)| (outcome.synced, outcome.rejoin));
    assert_eq!(outcomes, [(true, false), (false, true), (true, false)]);
    assert_eq!(known[2].2, ["9", "ann", "bob"]);
}

#[test]
fn a_diff_that_waited_under_an_older_join_is_dropped() {
    let mut tracker: Tracker = Tracker::default();
    let _ = tracker
        .handle_diff_json(&diff(&["ghost"], &[]), Join::answered("1"))
        .unwrap();
    let _ = tracker
        .handle_diff_json(&diff(&["ann"], &[]), Join::answered("2"))
        .unwrap();
    assert_eq!(tracker.held(), 1);
    let _ = tracker
        .handle_state_json("{}", Join::answered("2"))
        .unwrap();
    assert_eq!(keys(&tracker), ["ann"]);
}

#[test]
fn a_diff_while_a_join_is_unanswered_belongs_to_the_join_before() {
    let mut tracker: Tracker = Tracker::default();
    let _ = tracker
        .handle_state_json(&state(&["ann"]), Join::answered("1"))
        .unwrap();
    tracker.handle_stale();
    assert_eq!(
        tracker.handle_diff_json(&diff(&["ghost"], &[]), Join::unanswered("2")),
        Ok(HELD)
    );
    assert_eq!(tracker.held(), 0);
    let _ = tracker
        .handle_diff_json(&diff(&["bob"], &[]), Join::answered("2"))
        .unwrap();
    let _ = tracker
        .handle_state_json(&state(&["ann"]), Join::answered("2"))
        .unwrap();
    assert_eq!(keys(&tracker), ["ann", "bob"]);
}

#[test]
fn a_channel_that_was_never_joined_syncs_nothing() {
    let mut tracker: Tracker = Tracker::default();
    let none = Join {
        join_ref: None,
        answered: false,
    };
    let _ = tracker.handle_state_json(&state(&["ann"]), none).unwrap();
    assert!(!tracker.is_synced_with(None));
    let outcome = tracker.handle_diff_json(&diff(&["bob"], &[]), none);
    assert!(!outcome.unwrap().synced);
    assert_eq!(keys(&tracker), ["ann"]);
}

#[test]
fn the_status_follows_the_joins() {
    let mut tracker: Tracker = Tracker::default();
    assert_eq!(tracker.status(), SyncStatus::Syncing);
    assert_eq!(tracker.handle_stale(), None);
    let _ = tracker
        .handle_state_json("{}", Join::answered("1"))
        .unwrap();
    assert_eq!(tracker.status(), SyncStatus::Synced);
    assert_eq!(
        tracker.handle_state_json("{}", Join::answered("1")),
        Ok(SYNCED)
    );
    assert_eq!(tracker.handle_stale(), Some(SyncStatus::Stale));
    assert_eq!(tracker.handle_stale(), None);
    let _ = tracker
        .handle_state_json("{}", Join::answered("2"))
        .unwrap();
    // A diff of a join whose state has not come says as much.
    let outcome = tracker
        .handle_diff_json(&diff(&[], &[]), Join::answered("3"))
        .unwrap();
    assert_eq!(
        outcome,
        Outcome {
            status: Some(SyncStatus::Stale),
            ..HELD
        }
    );
    assert_eq!(tracker.reset(), Some(SyncStatus::Syncing));
    assert_eq!(tracker.reset(), None);
}

#[test]
fn a_reset_begins_anew() {
    let mut tracker: Tracker = Tracker::default();
    tracker.set_steps(true);
    let mut patches = Vec::new();
    tracker.drain_patches(&mut patches);
    let _ = tracker
        .handle_state_json(&state(&["ann", "7"]), Join::answered("1"))
        .unwrap();
    let _ = tracker
        .handle_diff_json(&diff(&["bob"], &[]), Join::answered("2"))
        .unwrap();
    tracker.reset();
    assert_eq!(
        (
            tracker.roster().len(),
            tracker.held(),
            tracker.steps().len()
        ),
        (0, 0, 0)
    );
    assert!(tracker.roster().get("ann").is_none() && tracker.roster().get("7").is_none());
    assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Rebuild);
    assert!(
        !tracker
            .handle_diff_json(&diff(&["bob"], &[]), Join::answered("1"))
            .unwrap()
            .synced
    );
    let _ = tracker
        .handle_state_json(&state(&["eve"]), Join::answered("1"))
        .unwrap();
    assert_eq!(keys(&tracker), ["eve", "bob"]);
    assert_eq!(tracker.steps().len(), 2);
}

#[test]
fn too_much_to_hold_asks_for_a_rejoin_and_drops_none_alone() {
    for limit in [
        HeldLimit {
            diffs: 2,
            bytes: 1 << 20,
        },
        HeldLimit {
            diffs: 100,
            bytes: 2 * diff(&["a"], &[]).len(),
        },
    ] {
        let mut tracker = with(|options| options.held_limit = limit);
        let (old, new) = (Join::answered("1"), Join::answered("2"));
        for key in ["a", "b"] {
            assert_eq!(tracker.handle_diff_json(&diff(&[key], &[]), old), Ok(HELD));
        }
        let rejoin = Outcome {
            rejoin: true,
            ..HELD
        };
        assert_eq!(
            tracker.handle_diff_json(&diff(&["c"], &[]), old),
            Ok(rejoin)
        );
        assert_eq!(tracker.held(), 0);
        assert_eq!(
            tracker.handle_diff_json(&diff(&["d"], &[]), old),
            Ok(rejoin)
        );
        // The state of that join may be older than the diffs that are gone.
        assert_eq!(tracker.handle_state_json(&state(&["e"]), old), Ok(rejoin));
        assert_eq!(
            (tracker.roster().len(), tracker.status()),
            (0, SyncStatus::Syncing)
        );
        assert_eq!(tracker.handle_diff_json(&diff(&["f"], &[]), new), Ok(HELD));
        assert!(
            tracker
                .handle_state_json(&state(&["e"]), new)
                .unwrap()
                .synced
        );
        assert_eq!(keys(&tracker), ["e", "f"]);
    }
}

#[test]
fn a_malformed_diff_is_not_held() {
    let mut tracker: Tracker = Tracker::default();
    let join = Join::answered("1");
    assert!(
        tracker
            .handle_diff_json(r#"{"joins":{},"leaves":{}"#, join)
            .is_err()
    );
    assert!(tracker.handle_diff_json(r#"{"joins":{}}"#, join).is_err());
    assert_eq!(tracker.held(), 0);
}

#[test]
fn a_server_that_sends_no_state_can_be_followed() {
    let mut tracker = with(|options| options.diffs_without_state = true);
    let outcome = tracker
        .handle_diff_json(&diff(&["ann"], &[]), Join::answered("1"))
        .unwrap();
    assert_eq!(
        outcome,
        Outcome {
            status: Some(SyncStatus::Synced),
            ..SYNCED
        }
    );
    assert_eq!(
        tracker.handle_diff_json(&diff(&["bob"], &["ann"]), Join::answered("1")),
        Ok(SYNCED)
    );
    assert_eq!(keys(&tracker), ["bob"]);
}

#[test]
fn the_ref_may_be_in_another_field() {
    let mut tracker = with(|options| options.ref_field = "id".to_owned());
    tracker
        .sync_state(r#"{"ann":{"metas":[{"id":"1","phx_ref":"x"},{"id":"2","phx_ref":"x"}]}}"#)
        .unwrap();
    tracker
        .sync_diff(r#"{"joins":{},"leaves":{"ann":{"metas":[{"i\u0064":"1"}]}}}"#)
        .unwrap();
    let ann = tracker.roster().get("ann").unwrap();
    assert_eq!(
        ann.metas().map(|meta| meta.raw()).collect::<Vec<_>>(),
        [r#"{"id":"2","phx_ref":"x"}"#]
    );
}

#[test]
fn steps_and_changes_are_kept_only_for_those_who_ask() {
    let mut tracker: Tracker<Json> = Tracker::default();
    tracker.sync_state(&state(&["ann"])).unwrap();
    assert_eq!((tracker.steps().len(), tracker.changes().len()), (0, 0));
    tracker.set_steps(true);
    tracker.set_changes(true);
    tracker.sync_diff(&diff(&["bob"], &[])).unwrap();
    assert_eq!((tracker.steps().len(), tracker.changes().len()), (1, 1));
    assert!(!tracker.is_resync());
    tracker.forget();
    assert_eq!((tracker.steps().len(), tracker.changes().len()), (0, 0));
    assert_eq!(keys(&tracker), ["ann", "bob"]);
}
