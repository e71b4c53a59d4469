//! Joining, refused joins, joins that get no answer, and joining again.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Backoff, ChannelState, Config, JoinError, Wait};
use socket::{End, Pair};

#[test]
fn a_join_is_sent_once_connected() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    pair.join(room);
    pair.expect(["prepare join room:1"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    pair.connect();
    pair.open();
    pair.expect(["connect", "send 3 3 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    pair.expect(["join room:1 replied ok"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_join_is_sent_at_once_when_connected() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
    assert_eq!(pair.socket.join_ref(room), None);
    pair.join(room);
    pair.expect(["send 3 3 room:1 phx_join {}"]);
    assert_eq!(pair.socket.join_ref(room), Some(3));
}

#[test]
fn refs_are_counted_as_phoenix_js_counts_them() {
    // Each channel registers two callbacks there, and callbacks are counted with the messages.
    let mut pair = Pair::connected();
    assert_eq!(pair.socket.make_ref(), 1);
    let one = pair.channel("room:1");
    let two = pair.channel("room:2");
    pair.join(one);
    pair.join(two);
    pair.expect(["send 6 6 room:1 phx_join {}", "send 7 7 room:2 phx_join {}"]);
    pair.accept_joins();
    pair.log();
    pair.push(one, "hello");
    pair.expect([r#"send 6 8 room:1 hello {"of":"hello"}"#]);
}

#[test]
fn a_channel_is_joined_once() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    assert_eq!(pair.try_join(room, None), Err(JoinError::AlreadyJoined));
    pair.accept_joins();
    assert_eq!(pair.try_join(room, None), Err(JoinError::AlreadyJoined));
    pair.leave(room);
    assert_eq!(pair.try_join(room, None), Err(JoinError::Closed));
    assert!(
        JoinError::AlreadyJoined
            .to_string()
            .starts_with("tried to join multiple times"),
        "phoenix.js's words"
    );
}

#[test]
fn its_payload_is_the_one_of_the_time_it_is_sent() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.socket
        .set_join_params(room, Some("{\"token\":1}".to_owned()));
    pair.join(room);
    pair.expect([r#"send 3 3 room:1 phx_join {"token":1}"#]);
    pair.accept_joins();
    pair.socket
        .set_join_params(room, Some("{\"token\":2}".to_owned()));
    pair.close(1006);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect([r#"send 4 4 room:1 phx_join {"token":2}"#, "opened"]);
}

#[test]
fn a_refused_join_is_tried_again_after_phoenix_js_s_waits() {
    let mut pair = Pair::connected_with(Config {
        heartbeat_interval: 3_600_000,
        ..Config::default()
    });
    let room = pair.channel("room:1");
    let push = pair.join(room);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let join = pair.take_event("phx_join");
        pair.reply(&join, "error", r#"{"reason":"full"}"#);
        assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
        waits.extend(pair.jump());
    }
    assert_eq!(waits, [1_000, 2_000, 5_000, 10_000, 10_000, 10_000]);
    assert_eq!(pair.ends_of(push), vec![End::Reply("error".to_owned()); 6]);
    pair.accept_joins();
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_join_that_succeeds_starts_the_waits_anew() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    assert_eq!(pair.jump(), Some(1_000));
    let join = pair.take_event("phx_join");
    pair.reply(&join, "error", "{}");
    assert_eq!(pair.jump(), Some(2_000));
    pair.accept_joins();
    pair.event(room, "phx_error", "{}");
    assert_eq!(pair.jump(), Some(1_000));
}

#[test]
fn a_join_without_an_answer_is_left_and_tried_again() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    let push = pair.join(room);
    pair.log();
    pair.advance(9_999);
    pair.expect([]);
    pair.advance(1);
    // The server may have joined it: the leave undoes that, under the join's ref.
    pair.expect(["send 3 4 room:1 phx_leave {}", "join room:1 timed out"]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    assert_eq!(pair.socket.join_ref(room), None);
    pair.advance(999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send 5 5 room:1 phx_join {}"]);
}

#[test]
fn an_answer_that_says_neither_leaves_a_join_waiting_unless_it_is_to_be_a_refusal() {
    for refuse_odd_join_answers in [false, true] {
        let mut pair = Pair::connected_with(Config {
            refuse_odd_join_answers,
            ..Config::default()
        });
        let room = pair.channel("room:1");
        pair.join(room);
        let join = pair.take();
        pair.reply(&join, "later", "{}");
        pair.log();
        pair.advance(1_000);
        if refuse_odd_join_answers {
            pair.expect(["send 4 4 room:1 phx_join {}"]);
            pair.accept_joins();
            assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
        } else {
            pair.advance(20_000);
            pair.expect([]);
            assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
        }
    }
}

#[test]
fn the_late_answer_of_a_join_is_nobody_s() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    let late = pair.take();
    pair.advance(10_000);
    pair.log();
    pair.reply(&late, "ok", "{}");
    pair.expect([]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    pair.advance(1_000);
    pair.log();
    pair.reply(&late, "ok", "{}");
    pair.expect([]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    // Nor are the answers to the leave in between.
    let leave = pair.take_event("phx_leave");
    pair.reply(&leave, "ok", "{}");
    pair.expect([]);
}

#[test]
fn a_join_waits_for_its_answer_as_long_as_it_was_told() {
    let mut pair = Pair::connected_with(Config {
        timeout: 3_000,
        ..Config::default()
    });
    let one = pair.channel("room:1");
    let two = pair.channel("room:2");
    pair.try_join(one, None).unwrap();
    pair.try_join(two, Some(5_000)).unwrap();
    pair.log();
    pair.advance(3_000);
    pair.expect(["send 5 7 room:1 phx_leave {}", "join room:1 timed out"]);
    pair.advance(1_999);
    pair.log();
    pair.advance(1);
    // Refs 8 went to the rejoin of room:1, a second after its timeout.
    pair.expect(["send 6 9 room:2 phx_leave {}", "join room:2 timed out"]);
    // The rejoins wait as long.
    pair.advance(1_000);
    assert_eq!(pair.log(), ["send 10 10 room:2 phx_join {}"]);
    pair.advance(4_999);
    assert!(!pair.log().contains(&"join room:2 timed out".to_owned()));
    pair.advance(1);
    assert!(pair.log().contains(&"join room:2 timed out".to_owned()));
}

#[test]
fn a_join_that_waits_for_the_connection_times_out_too() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    let push = pair.join(room);
    pair.log();
    pair.advance(10_000);
    pair.expect([
        "prepare a push of the machine's own",
        "join room:1 timed out",
    ]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
    assert_eq!(pair.socket.timer_count(), 0, "it rejoins once connected");
    pair.connect();
    pair.open();
    // Neither the join that timed out nor its leave goes out now.
    pair.expect(["connect", "send 5 5 room:1 phx_join {}", "opened"]);
}

#[test]
fn all_channels_join_again_on_a_new_connection_in_order_of_creation() {
    let mut pair = Pair::connected();
    let rooms: Vec<_> = ["b", "a", "c"].map(|topic| pair.channel(topic)).into();
    // Joined in another order.
    for index in [2, 0, 1] {
        pair.join(rooms[index]);
    }
    pair.accept_joins();
    pair.log();
    pair.close(1006);
    pair.expect([
        "b errored: connection_closed",
        "a errored: connection_closed",
        "c errored: connection_closed",
        "closed 1006, will retry",
    ]);
    pair.advance(10);
    pair.expect(["close", "connect"]);
    pair.open();
    pair.expect([
        "send 10 10 b phx_join {}",
        "send 11 11 a phx_join {}",
        "send 12 12 c phx_join {}",
        "opened",
    ]);
}

#[test]
fn a_channel_that_waits_to_rejoin_does_so_at_once_on_a_new_connection() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    pair.advance(500);
    pair.close(1006);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    pair.log();
    // The wait that was under way is over.
    pair.advance(5_000);
    pair.expect([]);
    // And its tries are forgotten.
    pair.event(room, "phx_error", "{}");
    assert_eq!(pair.jump(), Some(1_000));
}

#[test]
fn a_channel_that_never_joined_does_not_join_by_itself() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.close(1006);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect(["opened"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
}

#[test]
fn an_unanswered_join_is_sent_anew_on_the_next_connection() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    let push = pair.join(room);
    pair.expect(["send 3 3 room:1 phx_join {}"]);
    pair.close(1006);
    pair.expect([
        "room:1 errored: connection_closed",
        "closed 1006, will retry",
    ]);
    assert_eq!(pair.socket.join_ref(room), None);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
}

#[test]
fn a_connection_that_fails_to_open_errors_the_joins_that_wait_for_it() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.log();
    pair.fail();
    pair.expect([
        "failed",
        "room:1 errored: connection_error",
        "closed 1006, will retry",
    ]);
    assert_eq!(pair.socket.pending_count(), 0);
    pair.advance(10);
    pair.log();
    pair.open();
    // One join, not the one that waited and another.
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
}

#[test]
fn a_rejoin_of_the_user_s_own_waits() {
    let mut pair = Pair::connected_with(Config {
        rejoin: Backoff::Asked,
        ..Config::default()
    });
    let room = pair.channel("room:1");
    pair.join(room);
    let join = pair.take();
    pair.log();
    pair.reply(&join, "error", "{}");
    pair.expect(["join room:1 replied error", "delay of rejoin room:1 1?"]);
    pair.socket.set_delay(pair.at(), Wait::Rejoin(room), 70);
    assert_eq!(pair.jump(), Some(70));
    pair.expect(["send 4 4 room:1 phx_join {}"]);
    let join = pair.take();
    pair.reply(&join, "error", "{}");
    pair.expect(["join room:1 replied error", "delay of rejoin room:1 2?"]);
    pair.leave(room);
    pair.socket.set_delay(pair.at(), Wait::Rejoin(room), 70);
    pair.log();
    pair.advance(100);
    pair.expect([]);
}

#[test]
fn a_reply_that_is_neither_ok_nor_error_leaves_the_join_open() {
    // phoenix.js has no hook for it, and takes it for the join's answer all the same.
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    let join = pair.take();
    pair.log();
    pair.reply(&join, "maybe", "{}");
    pair.expect(["join room:1 replied maybe"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    assert_eq!(pair.socket.pending_count(), 0);
    pair.reply(&join, "ok", "{}");
    pair.expect(["room:1 got a reply nobody waits for"]);
}
