//! `phx_error` and `phx_close`: what the server says of a channel's process.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config, TransportReason};
use socket::{End, Pair};

#[test]
fn a_crashed_channel_joins_again_after_phoenix_js_s_waits() {
    let config = Config {
        heartbeat_interval: 3_600_000,
        ..Config::default()
    };
    let (mut pair, room) = Pair::joined_with(config, "room:1");
    let mut waits = Vec::new();
    for _ in 0..6 {
        pair.event(room, "phx_error", r#"{"reason":"channel_crash"}"#);
        assert_eq!(pair.log().last().unwrap(), "room:1 crashed");
        assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
        waits.extend(pair.jump());
        assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    }
    assert_eq!(waits, [1_000, 2_000, 5_000, 10_000, 10_000, 10_000]);
    pair.inbox.drain(..5);
    pair.accept_joins();
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_crash_while_joining_forgets_that_join() {
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    let join = pair.take();
    pair.event(room, "phx_error", "{}");
    assert_eq!(pair.socket.join_ref(room), None);
    pair.log();
    pair.reply(&join, "ok", "{}");
    pair.expect([]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    pair.advance(1_000);
    pair.expect(["send 4 4 room:1 phx_join {}"]);
}

#[test]
fn a_second_crash_starts_the_wait_anew() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    pair.advance(600);
    pair.event(room, "phx_error", "{}");
    pair.log();
    pair.advance(999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send 4 4 room:1 phx_join {}"]);
}

#[test]
fn a_crash_concerns_no_other_channel() {
    let mut pair = Pair::connected();
    let one = pair.channel("room:1");
    let two = pair.channel("room:2");
    pair.join(one);
    pair.join(two);
    pair.accept_joins();
    let push = pair.push(two, "hello");
    pair.log();
    pair.event(one, "phx_error", "{}");
    pair.expect(["room:1 crashed"]);
    assert_eq!(pair.socket.channel_state(two), ChannelState::Joined);
    let sent = pair.take();
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
}

#[test]
fn a_closed_channel_is_no_longer_the_socket_s_and_stays_closed() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_close", "{}");
    pair.expect(["room:1 closed"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
    assert_eq!(pair.socket.channels().count(), 0);
    pair.close(1006);
    pair.advance(10);
    pair.log();
    pair.open();
    pair.expect(["opened"]);
    pair.advance(20_000);
    pair.expect([]);
}

#[test]
fn a_close_while_joining_is_the_end_of_the_join() {
    // In phoenix.js the join's timeout is still to come, and brings the channel back.
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.log();
    pair.event(room, "phx_close", "{}");
    pair.expect(["room:1 closed", "join room:1 disconnected"]);
    pair.advance(20_000);
    pair.expect([]);
}

#[test]
fn a_close_calls_the_rejoin_off() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    pair.event(room, "phx_close", "{}");
    pair.log();
    pair.advance(20_000);
    pair.expect([]);
}

#[test]
fn messages_after_the_close_come_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_close", "{}");
    pair.log();
    pair.receive(r#"["3",null,"room:1","hello",{}]"#);
    pair.receive(r#"["3","3","room:1","phx_error",{}]"#);
    pair.expect([]);
}

#[test]
fn an_error_of_the_transport_alone_errors_the_channels_of_an_open_connection() {
    // Long polling reports errors of a connection that goes on, so its channels rejoin after a wait.
    let (mut pair, room) = Pair::joined("room:1");
    pair.error();
    pair.expect(["failed", "room:1 errored: connection_error"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    assert!(pair.socket.is_connected());
    pair.advance(1_000);
    pair.expect(["send 4 4 room:1 phx_join {}"]);
}

#[test]
fn an_error_and_the_close_it_announces_error_a_channel_once() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.error();
    pair.close(1006);
    pair.expect([
        "failed",
        "room:1 errored: connection_error",
        "closed 1006, will retry",
    ]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    assert_eq!(pair.socket.timer_count(), 1, "the reconnect alone");
}

#[test]
fn the_reasons_are_phoenix_js_s() {
    assert_eq!(
        TransportReason::ConnectionClosed.as_str(),
        "connection_closed"
    );
    assert_eq!(
        TransportReason::ConnectionError.as_str(),
        "connection_error"
    );
    assert_eq!(
        TransportReason::HeartbeatTimeout.as_str(),
        "heartbeat_timeout"
    );
}

#[test]
fn the_states_are_phoenix_js_s() {
    for (state, word) in [
        (ChannelState::Closed, "closed"),
        (ChannelState::Errored, "errored"),
        (ChannelState::Joined, "joined"),
        (ChannelState::Joining, "joining"),
        (ChannelState::Leaving, "leaving"),
    ] {
        assert_eq!(state.as_str(), word);
    }
}

#[test]
fn a_wait_for_the_rejoin_is_over_when_the_user_joins() {
    // In phoenix.js a channel that crashed before its join, if a server ever says so, leaves itself then.
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.receive(r#"[null,null,"room:1","phx_error",{}]"#);
    pair.join(room);
    pair.expect(["room:1 crashed", "send 3 3 room:1 phx_join {}"]);
    pair.advance(5_000);
    pair.expect([]);
    pair.accept_joins();
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}
