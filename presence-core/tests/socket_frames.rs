//! The same conversation in each format: version 1, version 2, and binary frames.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::message::Vsn;
use presence_core::{ChannelState, Config};
use socket::{End, Pair};

/// A binary frame: the kind, a size for each string, the strings, the data.
fn binary(kind: u8, strings: &[&str], data: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend(strings.iter().map(|string| string.len() as u8));
    for string in strings {
        frame.extend_from_slice(string.as_bytes());
    }
    frame.extend_from_slice(data);
    frame
}

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;

#[test]
fn a_conversation_in_each_version() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let mut pair = Pair::new(Config::default());
        pair.vsn = vsn;
        pair.connect();
        pair.open();
        let room = pair.channel("room:1");
        pair.join(room);
        pair.accept_joins();
        let push = pair.push(room, "hello");
        let sent = pair.take();
        pair.reply(&sent, "error", r#"{"reason":"no"}"#);
        assert_eq!(pair.ends_of(push), [End::Reply("error".to_owned())]);
        pair.log();
        pair.event(room, "shout", r#"{"body":"é"}"#);
        pair.expect([r#"room:1 got shout {"body":"é"}"#]);
        pair.event(room, "phx_error", "{}");
        pair.advance(1_000);
        pair.accept_joins();
        assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
        pair.advance(29_000);
        let heartbeat = pair.take_event("heartbeat");
        pair.reply(&heartbeat, "ok", "{}");
        pair.event(room, "phx_close", "{}");
        assert_eq!(pair.socket.channels().count(), 0);
        pair.log();
        pair.advance(30_000);
        pair.expect(["send null 7 phoenix heartbeat {}"]);
    }
}

#[test]
fn a_binary_broadcast_is_everybody_s() {
    let (mut pair, _) = Pair::joined("room:1");
    pair.receive_binary(&binary(BROADCAST, &["room:1", "image"], &[1, 2, 3]));
    pair.expect(["room:1 got image [1, 2, 3]"]);
    pair.receive_binary(&binary(BROADCAST, &["room:2", "image"], &[1, 2, 3]));
    pair.expect([]);
}

#[test]
fn a_binary_push_is_its_join_s() {
    let (mut pair, _) = Pair::joined("room:1");
    pair.receive_binary(&binary(PUSH, &["3", "room:1", "image"], &[]));
    pair.expect(["room:1 got image []"]);
    pair.receive_binary(&binary(PUSH, &["2", "room:1", "image"], &[9]));
    pair.expect([]);
}

#[test]
fn a_binary_reply_is_a_push_s_end() {
    let (mut pair, room) = Pair::joined("room:1");
    let push = pair.push(room, "upload");
    pair.log();
    pair.receive_binary(&binary(REPLY, &["2", "4", "room:1", "ok"], &[7]));
    pair.expect([]);
    pair.receive_binary(&binary(REPLY, &["3", "4", "room:1", "ok"], &[7]));
    pair.expect(["upload replied ok"]);
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
}

#[test]
fn a_join_may_be_answered_in_binary() {
    for (status, state) in [
        ("ok", ChannelState::Joined),
        ("error", ChannelState::Errored),
    ] {
        let mut pair = Pair::connected();
        let room = pair.channel("room:1");
        pair.join(room);
        pair.receive_binary(&binary(
            REPLY,
            &["3", "3", "room:1", status],
            b"unauthorized",
        ));
        assert_eq!(pair.socket.channel_state(room), state);
    }
}

#[test]
fn a_channel_may_crash_and_close_in_binary() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.receive_binary(&binary(PUSH, &["3", "room:1", "phx_error"], &[]));
    pair.expect(["room:1 crashed"]);
    pair.receive_binary(&binary(PUSH, &["3", "room:1", "phx_close"], &[]));
    pair.expect(["room:1 closed"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
}

#[test]
fn frames_that_come_before_the_opening_is_told_are_heard() {
    let mut pair = Pair::new(Config::default());
    let room = pair.channel("room:1");
    pair.connect();
    pair.log();
    pair.receive(r#"[null,null,"room:1","shout",{}]"#);
    pair.expect(["room:1 got shout {}"]);
    pair.disconnect(1);
    pair.log();
    pair.receive(r#"[null,null,"room:1","shout",{}]"#);
    pair.expect(["ignored"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Closed);
}

#[test]
fn frames_of_a_connection_no_longer_in_use_are_ignored() {
    let (mut pair, room) = Pair::joined("room:1");
    let old = pair.connection();
    pair.close(1006);
    let frame = binary(BROADCAST, &["room:1", "image"], &[1]);
    assert!(
        pair.socket
            .handle_binary(pair.at(), old, &frame)
            .unwrap()
            .is_none()
    );
    assert!(pair.socket.deliveries().is_empty());
    pair.log();
    pair.receive_on(old, r#"[null,null,"room:1","phx_close",{}]"#);
    pair.expect(["ignored"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
}
