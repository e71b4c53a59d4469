//! What the page and the network say: hidden, shown, going, coming back, online.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config, ReadyState};
use socket::Pair;

fn shown(pair: &mut Pair) {
    pair.socket.handle_visibility(pair.at(), false);
    pair.drain();
}

fn hidden(pair: &mut Pair) {
    pair.socket.handle_visibility(pair.at(), true);
    pair.drain();
}

fn online(pair: &mut Pair) {
    pair.socket.handle_online(pair.at());
    pair.drain();
}

fn page_hide(pair: &mut Pair) {
    pair.socket.handle_page_hide(pair.at());
    pair.drain();
}

fn page_show(pair: &mut Pair) {
    pair.socket.handle_page_show(pair.at());
    pair.drain();
}

#[test]
fn a_hidden_page_does_not_reconnect_until_it_is_shown() {
    let mut pair = Pair::connected();
    hidden(&mut pair);
    pair.close(1006);
    pair.log();
    pair.advance(600_000);
    pair.expect(["close"]);
    assert_eq!(pair.socket.timer_count(), 0);
    shown(&mut pair);
    pair.expect(["connect"]);
    // The waits begin anew.
    pair.fail();
    assert_eq!(pair.jump(), Some(10));
}

#[test]
fn a_page_found_hidden_when_the_wait_ends_is_not_reconnected_either() {
    // Shells that see no such events say so before each wake-up.
    let mut pair = Pair::connected();
    pair.close(1006);
    pair.log();
    pair.socket.set_hidden(true);
    pair.advance(10);
    pair.expect(["close"]);
    assert_eq!(pair.socket.connection(), None);
}

#[test]
fn a_hidden_page_keeps_its_connection() {
    let (mut pair, room) = Pair::joined("room:1");
    hidden(&mut pair);
    pair.advance(30_000);
    pair.expect(["send null 4 phoenix heartbeat {}"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_page_that_is_shown_connects_without_the_wait() {
    let mut pair = Pair::connected();
    for _ in 0..9 {
        pair.fail();
        pair.jump();
    }
    pair.fail();
    pair.log();
    shown(&mut pair);
    pair.expect(["close", "connect"]);
    pair.fail();
    assert_eq!(pair.jump(), Some(10), "and the waits begin anew");
}

#[test]
fn shown_again_while_that_connects_it_is_left_alone() {
    // Browsers tell of one return by two events.
    let mut pair = Pair::connected();
    pair.close(1006);
    shown(&mut pair);
    pair.log();
    shown(&mut pair);
    pair.expect([]);
    // Hidden in between, it is a second return.
    hidden(&mut pair);
    shown(&mut pair);
    pair.expect(["close"]);
    pair.close(1006);
    pair.expect(["connect", "closed 1006, will retry"]);
}

#[test]
fn a_page_that_is_shown_replaces_a_connection_that_was_being_made() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    pair.log();
    shown(&mut pair);
    pair.expect(["close"]);
    pair.close(1006);
    pair.expect(["connect", "closed 1006, will retry"]);
    pair.open();
    pair.expect(["opened"]);
}

#[test]
fn a_page_that_is_shown_leaves_alone_what_is_connected_or_shall_not_be() {
    let mut pair = Pair::new(Config::default());
    shown(&mut pair);
    pair.expect([]);
    pair.connect();
    pair.open();
    pair.log();
    shown(&mut pair);
    pair.expect([]);
    pair.disconnect(1);
    pair.close(1000);
    pair.log();
    shown(&mut pair);
    pair.expect([]);
}

#[test]
fn a_page_that_goes_disconnects_and_reconnects_when_it_comes_back() {
    let (mut pair, _) = Pair::joined("room:1");
    page_hide(&mut pair);
    pair.expect(["close", "room:1 errored: connection_closed"]);
    pair.close(1000);
    pair.expect(["closed 1000"]);
    assert_eq!(pair.socket.timer_count(), 0);
    page_show(&mut pair);
    pair.expect(["connect"]);
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    page_show(&mut pair);
    pair.expect([]);
}

#[test]
fn a_page_that_comes_back_before_its_connection_closed_gets_a_new_one() {
    let (mut pair, _) = Pair::joined("room:1");
    let old = pair.connection();
    page_hide(&mut pair);
    page_show(&mut pair);
    pair.expect(["close", "room:1 errored: connection_closed", "connect"]);
    pair.open();
    pair.log();
    pair.close_connection(old, Some(1000));
    pair.expect([]);
    assert!(pair.socket.is_connected());
}

#[test]
fn a_page_that_goes_while_it_waits_for_the_next_try_comes_back_to_connect() {
    let mut pair = Pair::connected();
    pair.close(1006);
    page_hide(&mut pair);
    assert_eq!(pair.socket.timer_count(), 0);
    pair.log();
    page_show(&mut pair);
    pair.expect(["connect"]);
}

#[test]
fn a_page_that_comes_back_does_not_undo_what_the_user_did() {
    // Disconnected before: nothing to come back to.
    let mut pair = Pair::connected();
    pair.disconnect(1);
    page_hide(&mut pair);
    pair.close(1000);
    pair.log();
    page_show(&mut pair);
    pair.expect([]);

    // Never connected: likewise.
    let mut pair = Pair::new(Config::default());
    page_hide(&mut pair);
    page_show(&mut pair);
    pair.expect([]);

    // Disconnected while it was away.
    let mut pair = Pair::connected();
    page_hide(&mut pair);
    pair.disconnect(1);
    pair.close(1000);
    pair.log();
    page_show(&mut pair);
    pair.expect([]);

    // Connected while it was away.
    let mut pair = Pair::connected();
    page_hide(&mut pair);
    pair.connect();
    pair.log();
    page_show(&mut pair);
    pair.expect([]);
}

#[test]
fn back_online_the_next_try_is_made_at_once() {
    let mut pair = Pair::connected();
    for _ in 0..9 {
        pair.fail();
        pair.jump();
    }
    pair.fail();
    pair.log();
    online(&mut pair);
    pair.expect(["close", "connect"]);
    // One more try of the same row: the waits go on.
    pair.fail();
    assert_eq!(pair.jump(), Some(5_000));
}

#[test]
fn back_online_an_open_connection_is_asked_for_a_sign_of_life() {
    let mut pair = Pair::connected();
    online(&mut pair);
    pair.expect(["send null 1 phoenix heartbeat {}"]);
    // One question at a time.
    online(&mut pair);
    pair.expect([]);
    let heartbeat = pair.take();
    pair.reply(&heartbeat, "ok", "{}");
    pair.advance(29_999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn back_online_a_dead_connection_is_found_out() {
    let mut pair = Pair::connected();
    online(&mut pair);
    pair.log();
    pair.advance(30_000);
    pair.expect(["close 1000 heartbeat timeout"]);
}

#[test]
fn back_online_nothing_happens_to_what_shall_not_be_connected() {
    let mut pair = Pair::new(Config::default());
    online(&mut pair);
    pair.connect();
    pair.log();
    online(&mut pair);
    pair.expect([]);
    pair.open();
    pair.disconnect(1);
    pair.close(1000);
    pair.log();
    online(&mut pair);
    pair.expect([]);
    assert_eq!(pair.socket.ready_state(), ReadyState::Closed);
}
