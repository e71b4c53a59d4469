//! Servers that refuse for good: a connection, or a join.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config, JoinError};
use socket::{End, Pair};

fn stopping() -> Config {
    Config {
        stop_on_refusal: true,
        stop_on_join_refusal: true,
        ..Config::default()
    }
}

/// The upgrade is answered with this HTTP status.
fn refuse(pair: &mut Pair, status: u16) {
    let connection = pair.connection();
    pair.socket.handle_refused(connection, status);
    pair.error();
    pair.close(1006);
}

#[test]
fn phoenix_js_tries_for_ever() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    for _ in 0..20 {
        pair.log();
        refuse(&mut pair, 403);
        pair.expect(["failed", "closed 1006, will retry"]);
        pair.jump();
        pair.expect(["close", "connect"]);
    }
}

#[test]
fn a_refused_connection_stays_closed_where_that_is_asked_for() {
    for status in [401, 403, 404] {
        let mut pair = Pair::new(stopping());
        pair.connect();
        pair.log();
        refuse(&mut pair, status);
        pair.expect(["failed", "closed 1006", &format!("gave up: {status}")]);
        assert_eq!(pair.socket.timer_count(), 0);
        assert!(pair.socket.close_was_clean());
        // Neither the page nor the network brings it back.
        pair.socket.handle_visibility(pair.at(), false);
        pair.socket.handle_online(pair.at());
        pair.socket.handle_page_hide(pair.at());
        pair.socket.handle_page_show(pair.at());
        pair.drain();
        pair.advance(600_000);
        pair.expect([]);
    }
}

#[test]
fn a_refusal_that_may_pass_is_tried_again() {
    for status in [400, 408, 426, 429, 500, 502, 503, 504] {
        let mut pair = Pair::new(stopping());
        pair.connect();
        pair.log();
        refuse(&mut pair, status);
        pair.expect(["failed", "closed 1006, will retry"]);
    }
}

#[test]
fn a_policy_violation_is_a_refusal_too() {
    let (mut pair, _) = Pair::joined_with(stopping(), "room:1");
    pair.close(1008);
    pair.expect([
        "room:1 errored: connection_closed",
        "closed 1008",
        "gave up: policy",
    ]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn the_user_may_connect_again() {
    let mut pair = Pair::new(stopping());
    let room = pair.channel("room:1");
    pair.join(room);
    pair.connect();
    refuse(&mut pair, 403);
    pair.log();
    pair.connect();
    pair.expect(["connect"]);
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    // What comes after is tried again as ever.
    pair.close(1006);
    pair.expect([
        "room:1 errored: connection_closed",
        "closed 1006, will retry",
    ]);
}

#[test]
fn a_refusal_of_a_connection_that_was_called_off_is_not_told() {
    let mut pair = Pair::new(stopping());
    pair.connect();
    pair.disconnect(1);
    pair.log();
    refuse(&mut pair, 403);
    pair.expect(["closed 1006", "disconnected 1"]);
}

#[test]
fn a_join_that_is_refused_for_good_is_not_tried_again_where_that_is_asked_for() {
    for reason in ["unauthorized", "forbidden", "unmatched topic"] {
        let mut pair = Pair::connected_with(stopping());
        let room = pair.channel("room:1");
        let push = pair.join(room);
        let waiting = pair.push(room, "hello");
        let join = pair.take();
        pair.log();
        pair.reply(&join, "error", &format!(r#"{{"reason":"{reason}"}}"#));
        pair.expect([
            "join room:1 replied error",
            "hello disconnected",
            "room:1 gave up joining",
        ]);
        assert_eq!(pair.ends_of(push), [End::Reply("error".to_owned())]);
        assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
        assert_eq!(pair.try_join(room, None), Err(JoinError::Closed));
        pair.advance(20_000);
        pair.expect(["hello timed out"]);
        assert_eq!(pair.ends_of(waiting), [End::Timeout]);
        // Nor on another connection.
        pair.close(1006);
        pair.advance(10);
        pair.log();
        pair.open();
        pair.expect(["opened"]);
        // A new channel may.
        let again = pair.channel("room:1");
        pair.join(again);
        pair.accept_joins();
        assert_eq!(pair.socket.channel_state(again), ChannelState::Joined);
    }
}

#[test]
fn a_join_that_is_refused_for_now_is_tried_again() {
    for response in [
        r#"{"reason":"too many channels joined"}"#,
        r#"{"reason":"full"}"#,
        r#"{"reason":null}"#,
        r#"{"reason":["forbidden"]}"#,
        r#"{"other":"forbidden"}"#,
        r#""forbidden""#,
        "null",
        "{}",
    ] {
        let mut pair = Pair::connected_with(stopping());
        let room = pair.channel("room:1");
        pair.join(room);
        let join = pair.take();
        pair.log();
        pair.reply(&join, "error", response);
        pair.expect(["join room:1 replied error"]);
        assert_eq!(pair.jump(), Some(1_000), "{response}");
    }
}

#[test]
fn a_reason_is_read_however_it_is_written() {
    let mut pair = Pair::connected_with(stopping());
    let room = pair.channel("room:1");
    pair.join(room);
    let join = pair.take();
    pair.reply(
        &join,
        "error",
        r#"{ "detail" : [1, {"reason": 2}], "reason" : "\u0075nauthorized" }"#,
    );
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
}

#[test]
fn a_refused_join_concerns_no_other_channel() {
    let (mut pair, one) = Pair::joined_with(stopping(), "room:1");
    let two = pair.channel("room:2");
    pair.join(two);
    let join = pair.take_event("phx_join");
    pair.reply(&join, "error", r#"{"reason":"unauthorized"}"#);
    assert_eq!(pair.socket.channel_state(one), ChannelState::Joined);
    assert_eq!(pair.socket.channels().collect::<Vec<_>>(), [one]);
}

#[test]
fn the_two_are_asked_for_apart() {
    let mut pair = Pair::new(Config {
        stop_on_refusal: false,
        ..stopping()
    });
    pair.connect();
    pair.log();
    refuse(&mut pair, 403);
    pair.expect(["failed", "closed 1006, will retry"]);

    let mut pair = Pair::connected_with(Config {
        stop_on_join_refusal: false,
        ..stopping()
    });
    let room = pair.channel("room:1");
    pair.join(room);
    let join = pair.take();
    pair.reply(&join, "error", r#"{"reason":"unauthorized"}"#);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
}
