//! Leaving, and the topic that is joined a second time.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config};
use socket::{End, Pair};

#[test]
fn a_leave_closes_the_channel_at_once() {
    // phoenix.js answers a leave itself, without waiting for the server.
    let (mut pair, room) = Pair::joined("room:1");
    let leave = pair.leave(room).unwrap();
    pair.expect(["send 3 4 room:1 phx_leave {}", "room:1 left"]);
    assert_eq!(pair.ends_of(leave), [End::Left]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
    assert_eq!(pair.socket.channels().count(), 0);
    assert_eq!(pair.socket.topic(room), None);
    assert_eq!(pair.socket.timer_count(), 1, "the heartbeat");
}

#[test]
fn what_the_server_says_to_a_leave_comes_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.leave(room);
    pair.log();
    let leave = pair.take();
    pair.reply(&leave, "ok", "{}");
    pair.receive(r#"["3","3","room:1","phx_close",{}]"#);
    pair.receive(r#"[null,null,"room:1","shout",{}]"#);
    pair.expect([]);
    pair.advance(20_000);
    pair.expect([]);
}

#[test]
fn without_a_connection_nothing_is_left_to_send() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.close(1006);
    pair.log();
    pair.leave(room);
    pair.expect(["prepare leave room:1", "room:1 left"]);
    assert_eq!(pair.socket.buffered_count(), 0);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect(["opened"]);
}

#[test]
fn a_join_that_waits_for_the_connection_is_called_off() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    pair.join(room);
    pair.leave(room);
    pair.connect();
    pair.log();
    pair.open();
    pair.expect(["opened"]);
    assert_eq!(pair.socket.pending_count(), 0);
}

#[test]
fn a_join_on_its_way_is_left_under_its_ref() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    let push = pair.join(room);
    pair.leave(room);
    pair.expect([
        "send 3 3 room:1 phx_join {}",
        "send 3 4 room:1 phx_leave {}",
        "join room:1 disconnected",
        "room:1 left",
    ]);
    let join = pair.take();
    pair.reply(&join, "ok", "{}");
    pair.expect([]);
    // phoenix.js calls no "timeout" hook of it either.
    pair.advance(20_000);
    pair.expect([]);
    assert_eq!(pair.ends_of(push), []);
}

#[test]
fn a_channel_that_never_joined_sends_its_leave_as_in_phoenix_js() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.leave(room);
    pair.expect(["send null 3 room:1 phx_leave {}", "room:1 left"]);
}

#[test]
fn a_wait_for_the_rejoin_is_called_off() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    pair.leave(room);
    pair.log();
    pair.advance(20_000);
    pair.expect([]);
}

#[test]
fn a_second_leave_finds_nothing_to_leave() {
    // phoenix.js sends another one.
    let (mut pair, room) = Pair::joined("room:1");
    assert!(pair.leave(room).is_some());
    pair.log();
    assert_eq!(pair.leave(room), None);
    pair.expect([]);
}

#[test]
fn pushes_on_their_way_run_into_their_timeouts() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "hello");
    let sent = pair.take();
    pair.leave(room);
    pair.log();
    pair.reply(&sent, "ok", "{}");
    pair.expect([]);
    pair.advance(10_000);
    pair.expect(["hello timed out"]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
}

#[test]
fn the_topic_can_be_joined_anew() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.leave(room);
    let again = pair.channel("room:1");
    pair.join(again);
    pair.log();
    // The close of the old join says nothing to the new one.
    pair.receive(r#"["3","3","room:1","phx_close",{}]"#);
    pair.expect([]);
    pair.accept_joins();
    pair.expect(["join room:1~2 replied ok"]);
    assert_eq!(pair.socket.channel_state(again), ChannelState::Joined);
}

#[test]
fn joining_a_topic_again_leaves_the_channel_that_has_it() {
    let (mut pair, old) = Pair::joined("room:1");
    let new = pair.channel("room:1");
    assert_eq!(pair.socket.channels().collect::<Vec<_>>(), [old, new]);
    pair.join(new);
    pair.expect([
        "send 3 6 room:1 phx_leave {}",
        "send 7 7 room:1 phx_join {}",
        "room:1 left",
    ]);
    assert_eq!(pair.socket.channel_state(old), ChannelState::Closed);
    assert_eq!(pair.socket.channels().collect::<Vec<_>>(), [new]);
    // The server answers the new join before it closes the old one.
    pair.accept_joins();
    pair.receive(r#"["3","3","room:1","phx_close",{}]"#);
    pair.expect(["join room:1~2 replied ok"]);
    assert_eq!(pair.socket.channel_state(new), ChannelState::Joined);
}

#[test]
fn joining_a_topic_again_leaves_a_join_on_its_way_too() {
    let mut pair = Pair::connected();
    let old = pair.channel("room:1");
    pair.join(old);
    let new = pair.channel("room:1");
    pair.join(new);
    pair.expect([
        "send 3 3 room:1 phx_join {}",
        "send 3 6 room:1 phx_leave {}",
        "send 7 7 room:1 phx_join {}",
        "join room:1 disconnected",
        "room:1 left",
    ]);
    pair.accept_joins();
    pair.expect(["join room:1~2 replied ok"]);
    assert_eq!(pair.socket.channel_state(new), ChannelState::Joined);
}

#[test]
fn an_errored_channel_of_the_topic_is_not_left_and_leaves_the_new_one_when_it_rejoins() {
    // So does phoenix.js: only joined and joining ones are looked for.
    let (mut pair, old) = Pair::joined("room:1");
    pair.event(old, "phx_error", "{}");
    let new = pair.channel("room:1");
    pair.join(new);
    pair.accept_joins();
    pair.log();
    pair.advance(1_000);
    pair.expect([
        "send 6 7 room:1 phx_leave {}",
        "send 8 8 room:1 phx_join {}",
        "room:1~2 left",
    ]);
    assert_eq!(pair.socket.channel_state(old), ChannelState::Joining);
}

#[test]
fn without_a_connection_the_newest_join_of_a_topic_wins() {
    let mut pair = Pair::new(Config::default());
    let old = pair.channel("room:1");
    pair.join(old);
    let new = pair.channel("room:1");
    pair.join(new);
    pair.connect();
    pair.log();
    pair.open();
    pair.expect(["send 7 7 room:1 phx_join {}", "opened"]);
}

#[test]
fn a_removed_channel_hears_nothing_and_stands_in_nobody_s_way_but_can_leave() {
    let (mut pair, removed) = Pair::joined("room:1");
    pair.socket.remove(removed);
    assert_eq!(pair.socket.channels().count(), 0);
    pair.event(removed, "shout", "{}");
    let new = pair.channel("room:1");
    pair.join(new);
    pair.close(1006);
    pair.expect([
        "send 6 6 room:1 phx_join {}",
        "room:1~2 errored: connection_closed",
        "closed 1006, will retry",
    ]);
    assert_eq!(pair.socket.channel_state(removed), ChannelState::Joined);
    pair.leave(removed);
    pair.expect(["prepare leave room:1", "room:1 left"]);
}
