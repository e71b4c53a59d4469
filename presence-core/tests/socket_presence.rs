//! The presences of a channel, through the socket.
#![allow(clippy::expect_used, reason = "a test fails by it")]

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::presence::{PresenceOptions, SyncStatus};
use presence_core::{ChannelId, ChannelState, PresenceId, PresenceKind};
use socket::Pair;

/// Who is on the roster, in its order.
fn keys(pair: &Pair, presence: PresenceId) -> Vec<String> {
    let tracker = pair.socket.presence(presence).expect("a presence");
    tracker
        .roster()
        .iter()
        .map(|presence| presence.key().into_owned())
        .collect()
}

fn status(pair: &Pair, presence: PresenceId) -> SyncStatus {
    pair.socket.presence(presence).expect("a presence").status()
}

/// A state or a part of a diff: these keys, each with a ref of the same name.
fn payload(keys: &[&str]) -> String {
    let presences: Vec<_> = keys
        .iter()
        .map(|key| format!(r#""{key}":{{"metas":[{{"phx_ref":"{key}"}}]}}"#))
        .collect();
    format!("{{{}}}", presences.join(","))
}

fn state(pair: &mut Pair, room: ChannelId, keys: &[&str]) {
    pair.event(room, "presence_state", &payload(keys));
}

/// Diffs, like all broadcasts, name no join.
fn diff(pair: &mut Pair, joins: &[&str], leaves: &[&str]) {
    pair.receive(&format!(
        r#"[null,null,"room:1","presence_diff",{{"joins":{},"leaves":{}}}]"#,
        payload(joins),
        payload(leaves)
    ));
}

fn tracked() -> (Pair, ChannelId, PresenceId) {
    let (mut pair, room) = Pair::joined("room:1");
    let presence = pair.socket.track(room, PresenceOptions::default());
    (pair, room, presence)
}

#[test]
fn beyond_the_bound_of_what_waits_the_channel_joins_anew_and_stays_the_socket_s() {
    let (mut pair, room) = Pair::joined("room:1");
    let mut options = PresenceOptions::default();
    options.held_limit.diffs = 2;
    let presence = pair.socket.track(room, options);
    diff(&mut pair, &["a"], &[]);
    diff(&mut pair, &["b"], &[]);
    pair.log();
    diff(&mut pair, &["c"], &[]);
    pair.expect([
        r#"room:1 got presence_diff {"joins":{"c":{"metas":[{"phx_ref":"c"}]}},"leaves":{}}"#,
        "send 4 4 room:1 phx_join {}",
    ]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    // The server goes on with the old join until it has answered the new one.
    diff(&mut pair, &["d"], &[]);
    pair.accept_joins();
    pair.receive(r#"["3","3","room:1","phx_close",{}]"#);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
    state(&mut pair, room, &["a", "b", "c", "d"]);
    assert_eq!(keys(&pair, presence), ["a", "b", "c", "d"]);
    assert_eq!(status(&pair, presence), SyncStatus::Synced);
}

#[test]
fn pushes_under_the_join_that_was_given_up_get_no_reply() {
    let (mut pair, room) = Pair::joined("room:1");
    let mut options = PresenceOptions::default();
    options.held_limit.diffs = 0;
    pair.socket.track(room, options);
    pair.push(room, "hello");
    pair.log();
    diff(&mut pair, &["a"], &[]);
    assert_eq!(
        pair.log()[1..],
        ["send 5 5 room:1 phx_join {}", "hello disconnected"]
    );
}

#[test]
fn a_state_and_then_diffs_make_the_roster() {
    let (mut pair, room, presence) = tracked();
    assert_eq!(status(&pair, presence), SyncStatus::Syncing);
    state(&mut pair, room, &["a", "b"]);
    assert_eq!(status(&pair, presence), SyncStatus::Synced);
    diff(&mut pair, &["c"], &["a"]);
    assert_eq!(keys(&pair, presence), ["b", "c"]);
    let updates = pair.socket.updated_presences();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].presence, presence);
    assert!(updates[0].synced);
}

#[test]
fn diffs_wait_for_the_state() {
    let (mut pair, room, presence) = tracked();
    diff(&mut pair, &["late"], &[]);
    assert_eq!(keys(&pair, presence), [""; 0]);
    assert!(!pair.socket.updated_presences()[0].synced);
    assert!(pair.socket.is_pending(presence));
    state(&mut pair, room, &["a"]);
    assert_eq!(keys(&pair, presence), ["a", "late"]);
    assert!(!pair.socket.is_pending(presence));
}

/// phoenix.js 1.8.16 keeps a diff that waits for a state over the reconnect, and applies it to the new join's state:
/// bob, who left while the connection was away, stays on its list for good. Here the diff goes with its join.
#[test]
fn a_diff_that_waited_under_an_earlier_join_is_no_ghost_on_the_roster() {
    let (mut pair, room, presence) = tracked();
    diff(&mut pair, &["bob"], &[]);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.accept_joins();
    state(&mut pair, room, &["ann"]);
    assert_eq!(keys(&pair, presence), ["ann"]);
    diff(&mut pair, &["carl"], &[]);
    assert_eq!(keys(&pair, presence), ["ann", "carl"]);
}

#[test]
fn a_diff_that_comes_before_the_answer_of_a_join_is_the_old_join_s() {
    let (mut pair, room) = Pair::joined("room:1");
    let presence = pair.socket.track(room, PresenceOptions::default());
    state(&mut pair, room, &["ann"]);
    pair.event(room, "phx_error", "{}");
    pair.advance(1_000);
    diff(&mut pair, &["bob"], &[]);
    assert_eq!(keys(&pair, presence), ["ann"]);
    pair.accept_joins();
    state(&mut pair, room, &["ann"]);
    assert_eq!(keys(&pair, presence), ["ann"]);
}

#[test]
fn without_its_connection_a_roster_is_the_last_known_one_and_says_so() {
    let lost: [fn(&mut Pair, ChannelId); 4] = [
        |pair, _| pair.close(1006),
        |pair, _| pair.disconnect(1),
        |pair, room| pair.event(room, "phx_error", "{}"),
        |pair, room| {
            pair.leave(room);
        },
    ];
    for lose in lost {
        let (mut pair, room, presence) = tracked();
        state(&mut pair, room, &["ann"]);
        lose(&mut pair, room);
        assert_eq!(status(&pair, presence), SyncStatus::Stale);
        assert_eq!(keys(&pair, presence), ["ann"]);
    }
}

#[test]
fn the_state_of_the_next_join_makes_it_whole_again() {
    let (mut pair, room, presence) = tracked();
    state(&mut pair, room, &["ann", "bob"]);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    assert!(pair.socket.is_pending(presence));
    pair.accept_joins();
    assert_eq!(status(&pair, presence), SyncStatus::Stale);
    state(&mut pair, room, &["carl", "bob"]);
    assert_eq!(status(&pair, presence), SyncStatus::Synced);
    assert_eq!(keys(&pair, presence), ["bob", "carl"]);
}

#[test]
fn a_state_under_an_old_join_s_ref_is_ignored() {
    let (mut pair, room, presence) = tracked();
    state(&mut pair, room, &["ann"]);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.accept_joins();
    pair.receive(&format!(
        r#"["3",null,"room:1","presence_state",{}]"#,
        payload(&["ghost"])
    ));
    assert_eq!(status(&pair, presence), SyncStatus::Stale);
    assert_eq!(keys(&pair, presence), ["ann"]);
}

#[test]
fn a_join_given_up_awaits_its_state_again_and_a_closed_channel_no_other() {
    let (mut pair, room, presence) = tracked();
    state(&mut pair, room, &["ann"]);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    // A state under the new join, and then the join is given up: its ref is gone, and so is what was of it.
    pair.event(room, "presence_state", &payload(&["bob"]));
    assert!(!pair.socket.is_pending(presence));
    pair.event(room, "phx_error", "{}");
    assert!(pair.socket.is_pending(presence));
    pair.advance(1_000);
    pair.accept_joins();
    state(&mut pair, room, &["carl"]);
    assert!(!pair.socket.is_pending(presence));
    pair.socket.leave(pair.at(), room, None);
    assert!(!pair.socket.is_pending(presence));
    assert_eq!(status(&pair, presence), SyncStatus::Stale);
}

#[test]
fn a_state_by_the_shell_that_names_no_join_does_not_count_for_one_that_is_unanswered() {
    let (mut pair, room, presence) = tracked();
    pair.socket.set_presences_by_shell(room);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    let at = pair.at();
    let sync = |pair: &mut Pair, key, has_join_ref| {
        let payload = payload(&[key]);
        let update =
            pair.socket
                .sync_presence(at, presence, PresenceKind::State, &payload, has_join_ref);
        update.expect("a state").is_some()
    };
    assert!(!sync(&mut pair, "ghost", false));
    assert_eq!(keys(&pair, presence), [""; 0]);
    assert!(sync(&mut pair, "ann", true));
    pair.accept_joins();
    assert!(sync(&mut pair, "bob", false));
    assert_eq!(keys(&pair, presence), ["bob"]);
}

#[test]
fn a_malformed_payload_changes_nothing() {
    let (mut pair, room, presence) = tracked();
    state(&mut pair, room, &["ann"]);
    for frame in [
        r#"["3",null,"room:1","presence_state",[]]"#,
        r#"["3",null,"room:1","presence_state",{"bob":{}}]"#,
        r#"["3",null,"room:1","presence_state",{"bob":{"metas":[{"phx_ref":"b"}]}"#,
        r#"["3",null,"room:1","presence_diff",{"joins":{}}]"#,
    ] {
        let connection = pair.connection();
        let vsn = pair.vsn;
        let result = pair.socket.handle_text(pair.at(), connection, vsn, frame);
        assert!(result.is_err(), "{frame}");
        assert!(pair.socket.deliveries().is_empty());
        assert!(pair.socket.updated_presences().is_empty());
        assert_eq!(keys(&pair, presence), ["ann"]);
        assert_eq!(status(&pair, presence), SyncStatus::Synced);
    }
    diff(&mut pair, &["bob"], &[]);
    assert_eq!(keys(&pair, presence), ["ann", "bob"]);
}

#[test]
fn any_number_may_follow_a_channel_each_by_its_own_events() {
    let (mut pair, room, first) = tracked();
    let mut options = PresenceOptions::default();
    options.state_event = "who_state".to_owned();
    options.diff_event = "who_diff".to_owned();
    let second = pair.socket.track(room, options);
    state(&mut pair, room, &["ann"]);
    pair.event(room, "who_state", &payload(&["bob"]));
    assert_eq!(keys(&pair, first), ["ann"]);
    assert_eq!(keys(&pair, second), ["bob"]);
    let third = pair.socket.track(room, PresenceOptions::default());
    state(&mut pair, room, &["carl"]);
    assert_eq!(keys(&pair, first), ["carl"]);
    assert_eq!(keys(&pair, third), ["carl"]);
    pair.socket.untrack(first);
    pair.socket.untrack(first);
    assert!(pair.socket.presence(first).is_none());
    assert!(pair.socket.is_pending(first));
    diff(&mut pair, &["dora"], &[]);
    assert_eq!(keys(&pair, third), ["carl", "dora"]);
    assert_eq!(pair.socket.updated_presences().len(), 1);
}

#[test]
fn a_presence_of_no_channel_stays_empty() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.leave(room);
    let presence = pair.socket.track(room, PresenceOptions::default());
    diff(&mut pair, &["bob"], &[]);
    assert_eq!(keys(&pair, presence), [""; 0]);
    assert_eq!(status(&pair, presence), SyncStatus::Syncing);
    pair.socket.untrack(presence);
}

#[test]
fn the_same_over_the_first_version_which_has_no_join_refs() {
    let mut pair = Pair::new(presence_core::Config::default());
    pair.vsn = presence_core::message::Vsn::V1;
    pair.connect();
    pair.open();
    let room = pair.channel("room:1");
    pair.join(room);
    let presence = pair.socket.track(room, PresenceOptions::default());
    pair.accept_joins();
    pair.event(
        room,
        "presence_diff",
        &format!(r#"{{"joins":{},"leaves":{{}}}}"#, payload(&["bob"])),
    );
    state(&mut pair, room, &["ann"]);
    assert_eq!(keys(&pair, presence), ["ann", "bob"]);
}

#[test]
fn a_presence_by_the_shell_is_left_to_the_shell() {
    let (mut pair, room, presence) = tracked();
    pair.socket.set_presences_by_shell(room);
    state(&mut pair, room, &["ann"]);
    assert_eq!(keys(&pair, presence), [""; 0]);
    assert!(pair.socket.updated_presences().is_empty());
    let update = pair
        .socket
        .sync_presence(
            pair.at(),
            presence,
            PresenceKind::State,
            &payload(&["bob"]),
            true,
        )
        .unwrap()
        .unwrap();
    assert!(update.synced);
    assert_eq!(keys(&pair, presence), ["bob"]);
    assert!(
        pair.socket
            .sync_presence(pair.at(), presence, PresenceKind::Diff, "[]", true)
            .is_err()
    );
    assert_eq!(keys(&pair, presence), ["bob"]);
    assert_eq!(
        pair.socket.sync_presence(
            pair.at(),
            PresenceId::from_u32(9_999),
            PresenceKind::Diff,
            "[]",
            true,
        ),
        Ok(None)
    );
}

#[test]
fn in_the_first_version_a_state_before_the_join_s_answer_is_an_earlier_join_s() {
    // In phoenix.js the diff between the two states is lost, since the first one counts as the new join's.
    let mut pair = Pair::new(presence_core::Config::default());
    pair.vsn = presence_core::message::Vsn::V1;
    pair.connect();
    pair.open();
    let old = pair.channel("room:1");
    pair.join(old);
    pair.accept_joins();
    pair.leave(old);
    let room = pair.channel("room:1");
    let presence = pair.socket.track(room, PresenceOptions::default());
    pair.join(room);
    state(&mut pair, room, &["old"]);
    assert!(pair.socket.updated_presences().is_empty());
    assert_eq!(keys(&pair, presence), [""; 0]);
    pair.accept_joins();
    let diff = format!(r#"{{"joins":{},"leaves":{{}}}}"#, payload(&["bob"]));
    pair.event(room, "presence_diff", &diff);
    state(&mut pair, room, &["ann"]);
    assert_eq!(keys(&pair, presence), ["ann", "bob"]);
}
