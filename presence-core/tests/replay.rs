//! Recordings of real servers: every frame decodes, every roster is what the server itself listed, and what clients sent
//! is what is sent here.

#[path = "../examples/replay/recording.rs"]
mod recording;
#[path = "../examples/replay/sent.rs"]
mod sent;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use recording::{Report, replay};

/// The recordings, with the number of rosters that are compared in each.
const RECORDINGS: [(&str, &str, usize); 16] = [
    (
        "a_two_users_join_leave",
        include_str!("fixtures/a_two_users_join_leave.jsonl"),
        3,
    ),
    (
        "a_two_users_join_leave_v1",
        include_str!("fixtures/a_two_users_join_leave_v1.jsonl"),
        3,
    ),
    (
        "b_same_user_two_tabs",
        include_str!("fixtures/b_same_user_two_tabs.jsonl"),
        22,
    ),
    (
        "c_metadata_update",
        include_str!("fixtures/c_metadata_update.jsonl"),
        5,
    ),
    (
        "d_join_forbidden",
        include_str!("fixtures/d_join_forbidden.jsonl"),
        0,
    ),
    (
        "e_crash_and_phx_error_rejoin",
        include_str!("fixtures/e_crash_and_phx_error_rejoin.jsonl"),
        2,
    ),
    (
        "f_phx_close_via_stop",
        include_str!("fixtures/f_phx_close_via_stop.jsonl"),
        1,
    ),
    (
        "g_binary_push_reply_broadcast",
        include_str!("fixtures/g_binary_push_reply_broadcast.jsonl"),
        0,
    ),
    ("h_heartbeat", include_str!("fixtures/h_heartbeat.jsonl"), 0),
    (
        "i_rejoin_same_topic_twice",
        include_str!("fixtures/i_rejoin_same_topic_twice.jsonl"),
        3,
    ),
    (
        "j2_cluster_batching",
        include_str!("fixtures/j2_cluster_batching.jsonl"),
        6,
    ),
    (
        "j3_netsplit_heal",
        include_str!("fixtures/j3_netsplit_heal.jsonl"),
        14,
    ),
    ("k_churn", include_str!("fixtures/k_churn.jsonl"), 2),
    (
        "l_unmatched_and_malformed",
        include_str!("fixtures/l_unmatched_and_malformed.jsonl"),
        0,
    ),
    (
        "n_odd_user_ids",
        include_str!("fixtures/n_odd_user_ids.jsonl"),
        20,
    ),
    (
        "p_diff_before_state",
        include_str!("fixtures/p_diff_before_state.jsonl"),
        3,
    ),
];

#[test]
fn rosters_are_what_the_server_listed() {
    let (mut frames, mut sent, mut malformed) = (0, 0, 0);
    for (name, text, lists) in RECORDINGS {
        let report = replay(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.mismatches, [""; 0], "{name}");
        assert_eq!((report.matched(), report.lists), (lists, lists), "{name}");
        frames += report.frames;
        sent += report.sent;
        malformed += report.malformed;
    }
    assert_eq!(frames, 2498);
    assert_eq!((sent, malformed), (217, 15));
}

#[test]
fn a_roster_that_differs_is_reported() {
    let (_, text, _) = RECORDINGS[0];
    let without_diffs: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("presence_diff"))
        .collect();
    let report: Report = replay(&without_diffs.join("\n")).unwrap();
    assert!(!report.mismatches.is_empty(), "{report:?}");
}
