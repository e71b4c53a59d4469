//! Another transport in place of the one in use, as when long polling takes over.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelState, Config, ReadyState};
use socket::Pair;

fn replace(pair: &mut Pair) -> u64 {
    let clock = pair.socket.replace_transport(pair.at());
    pair.drain();
    clock
}

#[test]
fn the_connection_is_dropped_and_the_next_connect_makes_another() {
    let (mut pair, room) = Pair::joined("room:1");
    let old = pair.connection();
    let clock = replace(&mut pair);
    pair.expect(["close", "room:1 errored: connection_closed"]);
    assert_eq!(pair.socket.connection(), None);
    assert_eq!(pair.socket.connect_clock(), clock);
    assert_eq!(pair.socket.timer_count(), 0);
    // What the old one still says concerns nobody.
    pair.error();
    pair.close_connection(old, Some(1000));
    pair.expect([]);
    pair.connect();
    assert_ne!(pair.socket.connect_clock(), clock);
    pair.open();
    pair.expect(["connect", "send 4 4 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_connection_under_way_is_dropped_and_its_joins_are_kept() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    pair.join(room);
    pair.connect();
    pair.log();
    replace(&mut pair);
    pair.expect(["close"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    pair.connect();
    pair.open();
    pair.expect(["connect", "send 3 3 room:1 phx_join {}", "opened"]);
}

#[test]
fn a_wait_for_the_next_try_is_called_off() {
    let mut pair = Pair::connected();
    pair.close(1006);
    replace(&mut pair);
    assert_eq!(pair.socket.timer_count(), 0);
    pair.log();
    pair.advance(60_000);
    pair.expect([]);
}

#[test]
fn the_waits_begin_anew() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    for _ in 0..5 {
        pair.fail();
        pair.jump();
    }
    replace(&mut pair);
    pair.connect();
    pair.fail();
    assert_eq!(pair.jump(), Some(10));
}

#[test]
fn a_disconnect_under_way_is_still_told() {
    let mut pair = Pair::connected();
    let connection = pair.connection();
    pair.socket
        .handle_transport(pair.at(), connection, ReadyState::Open, true);
    pair.disconnect(1);
    replace(&mut pair);
    pair.connect();
    pair.open();
    pair.log();
    pair.close_connection(connection, Some(1000));
    pair.expect(["disconnected 1"]);
    assert!(pair.socket.is_connected());
}

#[test]
fn a_heartbeat_under_way_is_forgotten() {
    let mut pair = Pair::connected();
    pair.advance(30_000);
    replace(&mut pair);
    pair.connect();
    pair.open();
    pair.log();
    pair.advance(29_999);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["send null 2 phoenix heartbeat {}"]);
}

#[test]
fn without_a_connection_there_is_nothing_to_drop() {
    let mut pair = Pair::new(Config::default());
    replace(&mut pair);
    pair.expect([]);
    pair.connect();
    pair.expect(["connect"]);
}

#[test]
fn a_program_that_does_it_when_told_of_an_error_finds_its_channels_joined_anew() {
    let (mut pair, room) = Pair::joined("room:1");
    let old = pair.connection();
    let now = pair.at();
    pair.socket
        .handle_transport(now, old, ReadyState::Closed, false);
    pair.socket.announce_error(now, old);
    replace(&mut pair);
    pair.connect();
    pair.socket.handle_error_announced(now, old);
    pair.drain();
    pair.expect([
        "close",
        "failed",
        "connect",
        "room:1 errored: connection_error",
    ]);
    pair.close_connection(old, Some(1006));
    pair.open();
    pair.expect(["send 4 4 room:1 phx_join {}", "opened"]);
    pair.accept_joins();
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}
