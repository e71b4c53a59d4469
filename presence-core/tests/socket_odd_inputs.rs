//! Calls and reports that concern nothing: they do nothing.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::message::Vsn;
use presence_core::{
    Backoff, ChannelId, ChannelState, Config, ConnectionId, Millis, PresenceId, PresenceKind,
    PushError, PushId, ReadyState, Socket, Wait,
};
use socket::{End, Pair, frame};

/// Reports everything there is to report of `connection`.
fn report_everything(pair: &mut Pair, connection: ConnectionId) {
    let now = pair.at();
    pair.socket.handle_open(now, connection, false);
    pair.socket.handle_refused(connection, 403);
    pair.socket.handle_error(now, connection);
    pair.socket.announce_error(now, connection);
    pair.socket.handle_error_announced(now, connection);
    for ready in [
        ReadyState::Open,
        ReadyState::Connecting,
        ReadyState::Closing,
        ReadyState::Closed,
    ] {
        pair.socket.handle_transport(now, connection, ready, true);
    }
    for text in [
        r#"[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        r#"[null,null,"room:1","phx_close",{}]"#,
        r#"[null,null,"room:1","phx_error",{}]"#,
    ] {
        let received = pair.socket.handle_text(now, connection, Vsn::V2, text);
        assert!(matches!(received, Ok(None)), "{text}");
        assert!(pair.socket.deliveries().is_empty());
    }
    pair.socket.handle_close(now, connection, Some(1006));
    pair.socket.handle_close(now, connection, None);
    pair.drain();
}

#[test]
fn connections_there_never_were() {
    let (mut pair, room) = Pair::joined("room:1");
    let before = pair.socket.poll_timeout();
    for number in [0, 4_000, u32::MAX] {
        report_everything(&mut pair, ConnectionId::from_u32(number));
    }
    // Numbers of other things are no connections either.
    report_everything(&mut pair, ConnectionId::from_u32(room.to_u32()));
    pair.expect([]);
    assert_eq!(pair.socket.poll_timeout(), before);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_connection_that_was_replaced() {
    let (mut pair, room) = Pair::joined("room:1");
    let old = pair.connection();
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.accept_joins();
    pair.log();
    let before = pair.socket.poll_timeout();
    report_everything(&mut pair, old);
    pair.expect([]);
    assert_eq!(pair.socket.poll_timeout(), before);
    assert!(pair.socket.is_connected());
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

#[test]
fn a_connection_that_has_closed_does_not_open_again() {
    let mut pair = Pair::connected();
    pair.close(1006);
    pair.log();
    pair.open();
    pair.expect([]);
    assert!(!pair.socket.is_connected());
    pair.advance(10);
    pair.expect(["close", "connect"]);
}

#[test]
fn channels_and_pushes_there_never_were() {
    let mut pair = Pair::connected();
    for number in [0, 1, 77, u32::MAX] {
        let channel = ChannelId::from_u32(number);
        let push = PushId::from_u32(number);
        assert_eq!(pair.socket.channel_state(channel), ChannelState::Closed);
        assert_eq!(pair.socket.topic(channel), None);
        assert_eq!(pair.socket.join_ref(channel), None);
        assert_eq!(pair.socket.join_push(channel), None);
        assert_eq!(pair.socket.push_ref(push), None);
        assert_eq!(pair.socket.leave(pair.at(), channel, None), None);
        assert!(pair.socket.join(pair.at(), channel, None).is_err());
        pair.socket.set_join_params(channel, None);
        pair.socket.set_delay(pair.at(), Wait::Rejoin(channel), 10);
        pair.drain();
    }
    pair.expect([]);
    assert_eq!(pair.socket.timer_count(), 1, "the heartbeat");
}

#[test]
fn presences_there_never_were() {
    let mut pair = Pair::connected();
    for number in [0, 1, 77, u32::MAX] {
        let presence = PresenceId::from_u32(number);
        assert!(pair.socket.presence(presence).is_none());
        assert!(pair.socket.presence_mut(presence).is_none());
        assert!(pair.socket.is_pending(presence));
        let (at, kind) = (pair.at(), PresenceKind::State);
        let synced = pair.socket.sync_presence(at, presence, kind, "{}", false);
        assert_eq!(synced, Ok(None));
        pair.socket.untrack(presence);
        pair.drain();
    }
    pair.expect([]);
}

#[test]
fn delays_that_nobody_asked_for() {
    let (mut pair, room) = Pair::joined("room:1");
    let before = pair.socket.poll_timeout();
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 0);
    pair.socket.set_delay(pair.at(), Wait::Rejoin(room), 0);
    assert_eq!(pair.socket.poll_timeout(), before);
}

#[test]
fn early_and_repeated_wake_ups() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.push(room, "hello");
    pair.log();
    let deadline = pair.socket.poll_timeout();
    for _ in 0..100 {
        pair.now += 99;
        pair.wake();
    }
    pair.expect([]);
    assert_eq!(pair.socket.poll_timeout(), deadline);
    pair.now += 100;
    pair.wake();
    pair.wake();
    pair.expect(["hello timed out"]);
}

#[test]
fn the_end_of_time() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.now = u64::MAX;
    pair.wake();
    pair.expect(["send null 4 phoenix heartbeat {}"]);
    let push = pair.push(room, "late");
    pair.wake();
    assert_eq!(pair.ends_of(push), [End::Timeout]);
}

#[test]
fn waits_of_nothing_do_not_hang() {
    // Each wake-up does what was due when it began, and no more.
    let mut pair = Pair::new(Config {
        timeout: 0,
        heartbeat_interval: 0,
        reconnect: Backoff::Steps {
            steps: Vec::new(),
            then: 0,
        },
        rejoin: Backoff::Steps {
            steps: Vec::new(),
            then: 0,
        },
        ..Config::default()
    });
    pair.connect();
    pair.open();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.log();
    pair.wake();
    let log = pair.log();
    assert!(log.contains(&"join room:1 timed out".to_owned()), "{log:?}");
    assert_eq!(
        pair.socket.poll_timeout(),
        Some(pair.at()),
        "it is to be woken again"
    );
    for _ in 0..10 {
        pair.wake();
    }
}

#[test]
fn malformed_frames_change_nothing_and_go_to_nobody() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.event(room, "hello", "{}");
    let before = pair.socket.poll_timeout();
    for text in [
        "",
        "null",
        "{}",
        "[]",
        r#"["3","4","room:1"]"#,
        r#"["3","4","room:1","phx_close"]"#,
        r#"["3","4","room:1","phx_close",{]"#,
        r#"["3","4","room:1","phx_close",{}"#,
        r#"["3","4","room:1","phx_close",{}]]"#,
        r#"["3","4","room:1",{},{}]"#,
        "[\"3\",\"4\",\"room:1\",\"phx_close\",\"\u{1}\"]",
    ] {
        let connection = pair.connection();
        let result = pair
            .socket
            .handle_text(pair.at(), connection, Vsn::V2, text);
        assert!(result.is_err(), "{text}");
        assert!(pair.socket.deliveries().is_empty(), "{text}");
        assert!(pair.socket.updated_presences().is_empty(), "{text}");
    }
    for bytes in [
        &[][..],
        &[0],
        &[9, 1, 1, 1],
        &[2, 200, 1, b'a'],
        &[2, 1, 1, 0xff, b'e'],
    ] {
        let connection = pair.connection();
        let result = pair.socket.handle_binary(pair.at(), connection, bytes);
        assert!(result.is_err(), "{bytes:?}");
        assert!(pair.socket.deliveries().is_empty(), "{bytes:?}");
    }
    pair.log();
    pair.drain();
    pair.expect([]);
    assert_eq!(pair.socket.poll_timeout(), before);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joined);
}

/// phoenix.js stops the timeout when a reply comes, before it looks what is in it.
#[test]
fn a_reply_without_a_status_ends_its_push_all_the_same() {
    for payload in ["{}", "[]", "7", r#"{"status":7,"response":{}}"#] {
        let (mut pair, channel) = Pair::joined("room:a");
        let push = pair.push(channel, "ask");
        let sent = pair.take_event("ask");
        let text = |r: Option<u64>| r.map(|r| r.to_string());
        pair.receive(&frame(
            pair.vsn,
            text(sent.join_ref).as_deref(),
            text(sent.message_ref).as_deref(),
            "room:a",
            "phx_reply",
            payload,
        ));
        pair.advance(20_000);
        let malformed = End::Reply("malformed".to_owned());
        assert_eq!(pair.ends_of(push), [malformed], "{payload}");
    }
}

#[test]
fn messages_for_topics_there_are_not() {
    let (mut pair, _) = Pair::joined("room:1");
    pair.receive(r#"[null,null,"room:2","hello",{}]"#);
    pair.receive(r#"[null,null,"","",{}]"#);
    pair.receive(r#"["1","2","phoenix","phx_close",{}]"#);
    pair.receive(r#"["3","4",1,"phx_close",{}]"#);
    pair.expect([]);
}

#[test]
fn a_socket_of_any_payload_type() {
    // The machine never looks inside, so that a number may stand for an object elsewhere.
    let mut socket = Socket::<u32>::new(Config {
        push_timeout_after_disconnect: false,
        ..Config::default()
    });
    let room = socket.channel("room:1", None);
    assert!(socket.join(Millis(0), room, None).is_ok());
    assert!(socket.push(Millis(0), room, "hello", 7, None).is_ok());
    socket.leave(Millis(0), room, None);
    assert!(matches!(
        socket.push(Millis(0), room, "hello", 7, None),
        Err(PushError::Closed { .. })
    ));
}
