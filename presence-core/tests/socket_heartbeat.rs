//! Heartbeats, and what becomes of a connection that does not answer one.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Config, ReadyState};
use socket::Pair;

const INTERVAL: u64 = 30_000;

/// The answer of a Phoenix server.
fn answer(pair: &mut Pair) {
    let heartbeat = pair.take_event("heartbeat");
    assert_eq!(heartbeat.topic, "phoenix");
    assert_eq!(heartbeat.join_ref, None);
    pair.reply(&heartbeat, "ok", "{}");
}

#[test]
fn one_goes_out_an_interval_after_the_opening() {
    let mut pair = Pair::connected();
    pair.advance(INTERVAL - 1);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send null 1 phoenix heartbeat {}"]);
}

#[test]
fn the_next_goes_out_an_interval_after_the_answer() {
    let mut pair = Pair::connected();
    pair.advance(INTERVAL);
    pair.advance(4_000);
    answer(&mut pair);
    pair.log();
    pair.advance(INTERVAL - 1);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn any_message_with_its_ref_is_its_answer() {
    // phoenix.js compares the ref alone.
    let mut pair = Pair::connected();
    pair.advance(INTERVAL);
    pair.receive(r#"[null,"1","whatever","event",{}]"#);
    pair.log();
    pair.advance(INTERVAL);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn other_refs_are_not() {
    for frame in [
        r#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        r#"[null,"01","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        r#"[null,1,"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        r#"[null,null,"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        r#"["1",null,"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
    ] {
        let mut pair = Pair::connected();
        pair.advance(INTERVAL);
        pair.receive(frame);
        pair.log();
        pair.advance(INTERVAL);
        assert_eq!(
            pair.log().first().map(String::as_str),
            Some("close 1000 heartbeat timeout"),
            "{frame}"
        );
    }
}

#[test]
fn an_overdue_answer_closes_errors_and_reconnects() {
    let (mut pair, _) = Pair::joined("room:1");
    pair.advance(INTERVAL);
    pair.expect(["send null 4 phoenix heartbeat {}"]);
    pair.advance(INTERVAL - 1);
    pair.expect([]);
    pair.advance(1);
    pair.expect([
        "close 1000 heartbeat timeout",
        "room:1 errored: heartbeat_timeout",
    ]);
    assert_eq!(pair.socket.ready_state(), ReadyState::Closing);
    pair.close(1006);
    pair.expect(["closed 1006, will retry"]);
    assert_eq!(pair.jump(), Some(10));
    pair.expect(["connect"]);
    pair.open();
    pair.expect(["send 5 5 room:1 phx_join {}", "opened"]);
}

#[test]
fn a_dead_transport_that_never_closes_is_given_up_after_a_second_and_a_half() {
    let mut pair = Pair::connected();
    pair.advance(2 * INTERVAL);
    pair.log();
    // Looked at again after 150, 300, 450 and 600 ms, as in phoenix.js.
    let mut waited = Vec::new();
    for _ in 0..4 {
        waited.extend(pair.jump());
        pair.expect([]);
    }
    assert_eq!(waited, [150, 300, 450, 600]);
    assert_eq!(pair.socket.connection(), None);
    assert_eq!(pair.jump(), Some(10));
    pair.expect(["connect"]);
    // Its close, when it comes at last, says nothing to anybody.
    let new = pair.connection();
    pair.open();
    pair.log();
    let old = presence_core::ConnectionId::from_u32(new.to_u32() - 1);
    pair.close_connection(old, Some(1006));
    pair.expect([]);
    assert!(pair.socket.is_connected());
}

#[test]
fn the_timeout_may_be_shorter_than_the_interval() {
    let mut pair = Pair::connected_with(Config {
        heartbeat_timeout: Some(5_000),
        ..Config::default()
    });
    pair.advance(INTERVAL);
    pair.log();
    pair.advance(4_999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["close 1000 heartbeat timeout"]);
}

#[test]
fn the_timeout_may_be_longer_than_the_interval() {
    let mut pair = Pair::connected_with(Config {
        heartbeat_interval: 1_000,
        heartbeat_timeout: Some(5_000),
        ..Config::default()
    });
    pair.advance(1_000);
    pair.expect(["send null 1 phoenix heartbeat {}"]);
    // One is under way at the most.
    pair.advance(4_999);
    pair.expect([]);
    answer(&mut pair);
    pair.log();
    pair.advance(1_000);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn none_goes_out_once_the_connection_is_gone() {
    let mut pair = Pair::connected();
    pair.advance(INTERVAL - 5);
    pair.close(1006);
    pair.advance(9);
    pair.expect(["closed 1006, will retry"]);
    pair.advance(1);
    pair.expect(["close", "connect"]);
    pair.advance(10 * INTERVAL);
    pair.expect([]);
}

#[test]
fn an_answer_after_the_close_starts_none() {
    let mut pair = Pair::connected();
    let connection = pair.connection();
    pair.advance(INTERVAL);
    let heartbeat = pair.take_event("heartbeat");
    pair.close(1006);
    pair.log();
    pair.receive_on(
        connection,
        &format!(
            r#"[null,"{}","phoenix","phx_reply",{{"status":"ok","response":{{}}}}]"#,
            heartbeat.message_ref.unwrap()
        ),
    );
    pair.expect(["ignored"]);
    assert_eq!(pair.socket.timer_count(), 1, "the reconnect");
}

#[test]
fn a_disconnect_stops_them() {
    let mut pair = Pair::connected();
    pair.advance(INTERVAL);
    pair.log();
    pair.disconnect(1);
    pair.expect(["close"]);
    pair.close(1000);
    pair.expect(["closed 1000", "disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn a_transport_that_needs_none_gets_none() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    let connection = pair.connection();
    pair.socket.handle_open(pair.at(), connection, true);
    assert_eq!(pair.socket.poll_timeout(), None);
}

#[test]
fn a_ping_of_the_user_s_leaves_the_heartbeats_alone() {
    let mut pair = Pair::connected();
    assert_eq!(pair.socket.ping(), Some(1));
    pair.drain();
    pair.expect(["send null 1 phoenix heartbeat {}"]);
    let ping = pair.take_event("heartbeat");
    pair.reply(&ping, "ok", "{}");
    pair.log();
    pair.advance(INTERVAL);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
    pair.close(1006);
    assert_eq!(pair.socket.ping(), None, "there is no connection");
}

#[test]
fn after_a_long_sleep_the_connection_is_asked_before_it_is_given_up() {
    let mut pair = Pair::connected();
    pair.now += 3_600_000;
    pair.wake();
    pair.expect(["send null 1 phoenix heartbeat {}"]);
    answer(&mut pair);
    pair.log();
    pair.advance(INTERVAL);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn one_that_found_the_connection_closing_waits_for_the_next() {
    let mut pair = Pair::connected();
    let connection = pair.connection();
    pair.socket
        .handle_transport(pair.at(), connection, ReadyState::Closing, false);
    pair.advance(INTERVAL);
    pair.expect([]);
    assert_eq!(pair.socket.buffered_count(), 1);
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.expect([
        "closed 1006, will retry",
        "close",
        "connect",
        "send null 1 phoenix heartbeat {}",
        "opened",
    ]);
}
