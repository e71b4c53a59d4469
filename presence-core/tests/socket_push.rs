//! Pushes: their replies, their timeouts, and those that wait for a join.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config, PushError, ReadyState};
use socket::{End, Pair};

#[test]
fn a_push_goes_out_at_once_and_gets_its_reply() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "hello");
    pair.expect([r#"send 3 4 room:1 hello {"of":"hello"}"#]);
    assert_eq!(pair.socket.push_ref(push), Some(4));
    assert_eq!(pair.socket.pending_count(), 1);
    let sent = pair.take();
    pair.reply(&sent, "ok", r#"{"answer":42}"#);
    pair.expect(["hello replied ok"]);
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
    assert_eq!(pair.socket.pending_count(), 0);
    assert_eq!(pair.socket.push_ref(push), None);
}

#[test]
fn a_reply_of_any_status_is_the_end() {
    for status in ["ok", "error", "teapot"] {
        let (mut pair, room) = Pair::joined("room:1");
        let push = pair.push(room, "hello");
        let sent = pair.take();
        pair.reply(&sent, status, "{}");
        assert_eq!(pair.ends_of(push), [End::Reply(status.to_owned())]);
        pair.advance(20_000);
        assert_eq!(pair.ends_of(push).len(), 1);
    }
}

#[test]
fn replies_in_another_order_find_their_pushes() {
    let (mut pair, room) = Pair::joined("room:1");
    for event in ["a", "b", "c"] {
        pair.push(room, event);
    }
    pair.log();
    let sent: Vec<_> = (0..3).map(|_| pair.take()).collect();
    for index in [1, 2, 0] {
        pair.reply(&sent[index], "ok", "{}");
    }
    pair.expect(["b replied ok", "c replied ok", "a replied ok"]);
}

#[test]
fn a_push_without_an_answer_times_out() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "hello");
    pair.log();
    pair.advance(9_999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["hello timed out"]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_late_reply_comes_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "hello");
    pair.advance(10_000);
    pair.log();
    let sent = pair.take();
    pair.reply(&sent, "ok", "{}");
    pair.expect(["room:1 got a reply nobody waits for"]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
}

#[test]
fn a_second_reply_comes_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.push(room, "hello");
    let sent = pair.take();
    pair.log();
    pair.reply(&sent, "ok", "{}");
    pair.reply(&sent, "ok", "{}");
    pair.expect(["hello replied ok", "room:1 got a reply nobody waits for"]);
}

#[test]
fn the_reply_of_another_channel_s_push_comes_to_nobody() {
    let mut pair = Pair::connected();
    let one = pair.channel("room:1");
    let two = pair.channel("room:2");
    pair.join(one);
    pair.join(two);
    pair.accept_joins();
    let push = pair.push(one, "hello");
    let mut sent = pair.take();
    sent.topic = "room:2".to_owned();
    sent.join_ref = pair.socket.join_ref(two);
    pair.log();
    pair.reply(&sent, "ok", "{}");
    pair.expect(["room:2 got a reply nobody waits for"]);
    assert!(pair.ends_of(push).is_empty());
}

#[test]
fn a_malformed_reply_is_an_end_too() {
    // In phoenix.js no hook runs then, and the timeout is called off.
    let (mut pair, room) = Pair::joined("room:1");
    pair.push(room, "hello");
    pair.log();
    pair.receive(r#"["3","4","room:1","phx_reply",{"nothing":1}]"#);
    pair.expect(["hello replied malformed"]);
    assert_eq!(pair.socket.pending_count(), 0);
}

#[test]
fn a_timeout_of_its_own() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.try_push(room, "hello", Some(250)).unwrap();
    pair.log();
    assert_eq!(pair.jump(), Some(250));
    pair.expect(["hello timed out"]);
}

#[test]
fn a_channel_s_timeout_is_its_pushes_too() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.try_join(room, Some(700)).unwrap();
    pair.accept_joins();
    pair.push(room, "hello");
    assert_eq!(pair.jump(), Some(700));
}

#[test]
fn before_join_a_push_is_an_error() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    let error = pair.try_push(room, "hello", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tried to push 'hello' to 'room:1' before joining. Use channel.join() before pushing events"
    );
    pair.expect([]);
    assert_eq!(pair.socket.timer_count(), 1, "the heartbeat");
}

#[test]
fn a_push_waits_for_the_join() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    let first = pair.push(room, "first");
    pair.push(room, "second");
    pair.expect(["send 3 3 room:1 phx_join {}"]);
    assert_eq!(pair.socket.pending_count(), 3);
    pair.accept_joins();
    // Waiting took a ref of each, as in phoenix.js; sending takes another.
    pair.expect([
        "join room:1 replied ok",
        r#"send 3 6 room:1 first {"of":"first"}"#,
        r#"send 3 7 room:1 second {"of":"second"}"#,
    ]);
    let sent = pair.take();
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(first), [End::Reply("ok".to_owned())]);
}

#[test]
fn a_push_that_waited_has_all_its_time_for_the_reply() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.push(room, "hello");
    pair.advance(6_000);
    pair.accept_joins();
    pair.log();
    pair.advance(9_999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["hello timed out"]);
}

#[test]
fn a_push_that_waited_too_long_is_not_sent() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    let push = pair.try_push(room, "hello", Some(300)).unwrap();
    pair.push(room, "patient");
    pair.advance(300);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
    pair.log();
    pair.accept_joins();
    pair.expect([
        "join room:1 replied ok",
        r#"send 3 6 room:1 patient {"of":"patient"}"#,
    ]);
}

#[test]
fn while_the_connection_is_away_a_push_waits_for_the_rejoin() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.close(1006);
    let push = pair.push(room, "hello");
    pair.advance(10);
    pair.open();
    pair.log();
    pair.accept_joins();
    pair.expect([
        "join room:1 replied ok",
        r#"send 5 6 room:1 hello {"of":"hello"}"#,
    ]);
    let sent = pair.take_event("hello");
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
}

#[test]
fn a_push_while_the_transport_is_closing_waits_too() {
    let (mut pair, room) = Pair::joined("room:1");
    let connection = pair.connection();
    pair.socket
        .handle_transport(pair.at(), connection, ReadyState::Closing, false);
    pair.push(room, "hello");
    pair.expect([]);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.log();
    pair.accept_joins();
    pair.expect([
        "join room:1 replied ok",
        r#"send 5 6 room:1 hello {"of":"hello"}"#,
    ]);
}

#[test]
fn the_reply_of_an_old_join_s_push_comes_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "hello");
    let sent = pair.take();
    pair.event(room, "phx_error", "{}");
    pair.advance(1_000);
    pair.accept_joins();
    pair.log();
    pair.reply(&sent, "ok", "{}");
    pair.expect([]);
    assert!(pair.ends_of(push).is_empty());
    pair.advance(9_000);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
}

#[test]
fn the_buffer_of_a_channel_is_bounded_and_says_so() {
    let mut pair = Pair::connected_with(Config {
        max_buffered: 2,
        ..Config::default()
    });
    let one = pair.channel("room:1");
    let two = pair.channel("room:2");
    pair.join(one);
    pair.join(two);
    let first = pair.push(one, "a");
    pair.push(one, "b");
    assert_eq!(pair.try_push(one, "c", None), Err(PushError::BufferFull(2)));
    // Each channel has room of its own.
    pair.push(two, "d");
    assert_eq!(pair.socket.pending_count(), 5);
    // What is refused leaves nothing behind, what is not is sent.
    pair.log();
    let join = pair.take();
    pair.reply(&join, "ok", "{}");
    pair.expect([
        "join room:1 replied ok",
        r#"send 5 10 room:1 a {"of":"a"}"#,
        r#"send 5 11 room:1 b {"of":"b"}"#,
    ]);
    // Joined, there is no buffer to fill.
    for _ in 0..5 {
        pair.push(one, "e");
    }
    pair.advance(10_000);
    assert_eq!(pair.ends_of(first), [End::Timeout]);
}

#[test]
fn a_push_that_times_out_makes_room() {
    let mut pair = Pair::connected_with(Config {
        max_buffered: 1,
        ..Config::default()
    });
    let room = pair.channel("room:1");
    pair.join(room);
    pair.try_push(room, "a", Some(100)).unwrap();
    assert!(pair.try_push(room, "b", None).is_err());
    pair.advance(100);
    pair.push(room, "b");
}

#[test]
fn raw_messages_wait_for_the_connection_and_are_bounded() {
    let mut pair = Pair::new(Config {
        max_buffered: 2,
        ..Config::default()
    });
    pair.socket.send_raw("one".to_owned()).unwrap();
    pair.socket.send_raw("two".to_owned()).unwrap();
    assert_eq!(
        pair.socket.send_raw("three".to_owned()),
        Err(PushError::BufferFull(2))
    );
    assert_eq!(pair.socket.buffered_count(), 2);
    pair.connect();
    pair.open();
    pair.expect(["connect", "send raw one", "send raw two", "opened"]);
    for _ in 0..3 {
        pair.socket.send_raw("more".to_owned()).unwrap();
    }
    pair.drain();
    pair.expect(["send raw more", "send raw more", "send raw more"]);
}

#[test]
fn a_push_to_a_channel_that_was_left_times_out_as_in_phoenix_js() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.leave(room);
    pair.log();
    let push = pair.push(room, "hello");
    pair.expect(["hello disconnected"]);
    pair.advance(10_000);
    pair.expect(["hello timed out"]);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
    assert_eq!(pair.socket.pending_count(), 0);
}

#[test]
fn a_push_to_a_channel_that_was_left_is_refused_where_that_is_asked_for() {
    let config = Config {
        push_timeout_after_disconnect: false,
        ..Config::default()
    };
    let (mut pair, room) = Pair::joined_with(config, "room:1");
    pair.leave(room);
    let error = pair.try_push(room, "hello", None).unwrap_err();
    assert!(matches!(error, PushError::Closed { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "tried to push 'hello' to a channel that was left or closed"
    );
}

#[test]
fn a_message_that_took_its_time_to_encode_is_sent_only_if_it_still_may() {
    let (mut pair, room) = Pair::joined("room:1");
    let connection = pair.connection();
    let join_ref = pair.socket.join_ref(room);
    assert!(pair.socket.may_transmit(connection, Some(room), join_ref));
    assert!(pair.socket.may_transmit(connection, None, None));
    pair.event(room, "phx_error", "{}");
    pair.advance(1_000);
    assert!(!pair.socket.may_transmit(connection, Some(room), join_ref));
    pair.close(1006);
    pair.advance(10);
    pair.open();
    assert!(!pair.socket.may_transmit(connection, None, None));
    let join_ref = pair.socket.join_ref(room);
    let connection = pair.connection();
    assert!(pair.socket.may_transmit(connection, Some(room), join_ref));
    pair.leave(room);
    assert!(!pair.socket.may_transmit(connection, Some(room), join_ref));
}
