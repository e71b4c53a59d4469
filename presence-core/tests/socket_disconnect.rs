//! Disconnecting: what is still to be sent goes out first, then everything stops.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Backoff, ChannelState, Config, ReadyState, Wait};
use socket::{End, Pair};

/// The transport says that it is open and has bytes left to send, or none.
fn buffered(pair: &mut Pair, buffered: bool) {
    let connection = pair.connection();
    pair.socket
        .handle_transport(pair.at(), connection, ReadyState::Open, buffered);
    pair.drain();
}

#[test]
fn without_a_connection_it_is_complete_at_once() {
    let mut pair = Pair::new(Config::default());
    pair.disconnect(7);
    pair.expect(["disconnected 7"]);
}

#[test]
fn it_closes_and_is_complete_once_the_transport_is_closed() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.socket
        .disconnect(pair.at(), Some(4_000), "bye", Some(1));
    pair.drain();
    pair.expect(["close 4000 bye", "room:1 errored: connection_closed"]);
    assert_eq!(pair.socket.ready_state(), ReadyState::Closing);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
    // phoenix.js looks at 150 ms; here the close itself is enough.
    pair.advance(20);
    pair.close(4_000);
    pair.expect(["closed 4000", "disconnected 1"]);
    assert_eq!(pair.socket.connection(), None);
    assert_eq!(pair.socket.timer_count(), 0);
    pair.advance(600_000);
    pair.expect([]);
}

#[test]
fn a_transport_that_never_closes_is_waited_for_a_second_and_a_half() {
    let mut pair = Pair::connected();
    pair.disconnect(1);
    pair.advance(1_499);
    pair.expect(["close"]);
    pair.advance(1);
    pair.expect(["disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
    // phoenix.js too tells nobody of a close that comes later.
    pair.close(1006);
    pair.expect([]);
}

#[test]
fn what_is_still_to_be_sent_goes_out_first() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.expect([]);
    assert!(
        pair.socket.is_connected(),
        "it is open until it has drained"
    );
    pair.advance(149);
    buffered(&mut pair, false);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["close"]);
    pair.close(1000);
    pair.expect(["closed 1000", "disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn a_transport_that_never_drains_is_waited_for_a_second_and_a_half() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    let mut waits = Vec::new();
    for _ in 0..4 {
        pair.expect([]);
        waits.extend(pair.jump());
    }
    assert_eq!(waits, [150, 300, 450, 600]);
    pair.expect(["close"]);
    pair.close(1000);
    pair.expect(["closed 1000", "disconnected 1"]);
}

#[test]
fn replies_that_come_while_it_drains_still_count() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "last");
    buffered(&mut pair, true);
    pair.disconnect(1);
    let sent = pair.take();
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
    // No longer once it closes, as browsers drop what comes then.
    let other = pair.push(room, "later");
    let sent = pair.take();
    pair.advance(1_500);
    pair.log();
    pair.reply(&sent, "ok", "{}");
    pair.expect(["ignored"]);
    assert_eq!(pair.ends_of(other), []);
}

#[test]
fn a_close_by_the_other_side_while_it_drains_is_told_and_ends_it() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.fail();
    pair.expect(["failed", "close", "closed 1006", "disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn two_disconnects_are_both_told_and_leave_no_timer() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.advance(200);
    pair.disconnect(2);
    pair.advance(150);
    buffered(&mut pair, false);
    pair.expect([]);
    // The first looks again at 450 ms, the second at 650.
    pair.advance(100);
    pair.expect(["close"]);
    pair.close(1000);
    pair.expect(["closed 1000", "disconnected 1", "disconnected 2"]);
    assert_eq!(pair.socket.timer_count(), 0);
    assert_eq!(pair.socket.poll_timeout(), None);
}

#[test]
fn two_disconnects_look_again_each_at_its_own_times() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.advance(200);
    pair.disconnect(2);
    let start = 200;
    let mut looked = Vec::new();
    let mut now = start;
    while let Some(took) = pair.jump() {
        now += took;
        looked.push(now);
        if now >= 1_500 {
            break;
        }
    }
    assert_eq!(looked, [350, 450, 650, 900, 1_100, 1_500]);
    pair.expect(["close"]);
}

#[test]
fn a_wait_for_the_next_try_is_called_off() {
    let mut pair = Pair::connected();
    pair.close(1006);
    pair.log();
    pair.disconnect(1);
    pair.expect(["close", "disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
    assert!(pair.socket.close_was_clean());
}

#[test]
fn a_connection_under_way_is_called_off() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    pair.disconnect(1);
    pair.expect(["connect", "close"]);
    // A browser's WebSocket then fails and closes; the error says nothing.
    pair.error();
    pair.expect([]);
    pair.close(1006);
    pair.expect(["closed 1006", "disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn an_open_that_crossed_the_disconnect_changes_nothing() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    pair.join(room);
    pair.connect();
    pair.disconnect(1);
    pair.log();
    pair.open();
    pair.expect([]);
    assert!(pair.socket.close_was_clean());
    assert!(!pair.socket.is_connected());
    pair.close(1006);
    pair.expect([
        "room:1 errored: connection_closed",
        "closed 1006",
        "disconnected 1",
    ]);
    // Nothing brings it back but the user.
    pair.socket.handle_visibility(pair.at(), false);
    pair.drain();
    pair.expect([]);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn connecting_again_does_not_wait_for_the_old_connection() {
    let (mut pair, room) = Pair::joined("room:1");
    let old = pair.connection();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.connect();
    pair.expect(["connect", "room:1 errored: connection_closed"]);
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    pair.log();
    // The old one goes down by itself, and nobody hears of it.
    pair.advance(1_500);
    pair.expect(["close"]);
    pair.close_connection(old, Some(1000));
    pair.expect(["disconnected 1"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
    assert!(pair.socket.is_connected());
}

#[test]
fn rejoins_under_way_are_called_off() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "phx_error", "{}");
    pair.disconnect(1);
    pair.close(1000);
    assert_eq!(pair.socket.timer_count(), 0);
    pair.log();
    pair.connect();
    pair.open();
    pair.expect(["connect", "send 4 4 room:1 phx_join {}", "opened"]);
}

#[test]
fn an_answer_to_a_rejoin_s_wait_comes_too_late_then() {
    let config = Config {
        rejoin: Backoff::Asked,
        ..Config::default()
    };
    let (mut pair, room) = Pair::joined_with(config, "room:1");
    pair.event(room, "phx_error", "{}");
    pair.disconnect(1);
    pair.close(1000);
    pair.socket.set_delay(pair.at(), Wait::Rejoin(room), 50);
    assert_eq!(pair.socket.timer_count(), 0);
}

#[test]
fn no_timer_is_left_once_the_pushes_have_ended() {
    for push_timeout_after_disconnect in [true, false] {
        let config = Config {
            push_timeout_after_disconnect,
            ..Config::default()
        };
        let (mut pair, room) = Pair::joined_with(config, "room:1");
        let other = pair.channel("room:2");
        pair.join(other);
        pair.push(room, "sent");
        pair.advance(5_000);
        pair.disconnect(1);
        pair.close(1000);
        let left = usize::from(push_timeout_after_disconnect);
        assert_eq!(pair.socket.timer_count(), left);
        pair.advance(5_000);
        assert_eq!(pair.socket.timer_count(), 0);
        assert_eq!(pair.socket.poll_timeout(), None);
        assert_eq!(pair.socket.pending_count(), 0);
    }
}

#[test]
fn the_disconnect_that_finds_the_transport_drained_closes_it_with_its_own_code() {
    let mut pair = Pair::connected();
    buffered(&mut pair, true);
    pair.disconnect(1);
    pair.advance(100);
    buffered(&mut pair, false);
    pair.socket
        .disconnect(pair.at(), Some(4_000), "bye", Some(2));
    pair.drain();
    pair.expect(["close 4000 bye"]);
    // The transport says nothing, so each looks again at its own times: the second after 150, 300, 450 and 600 ms, the
    // first, which waited for the buffer until then, 50 ms after that.
    pair.advance(1_499);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["disconnected 2"]);
    pair.advance(50);
    pair.expect(["disconnected 1"]);
    assert_eq!(pair.socket.timer_count(), 0);
}
