//! Connecting, and connecting again.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Backoff, Config, Event, Millis, ReadyState, Socket, Wait};
use socket::Pair;

#[test]
fn a_new_socket_wants_nothing() {
    let mut socket = Socket::<String>::new(Config::default());
    assert_eq!(socket.poll_transmit(), None);
    assert_eq!(socket.poll_event(), None);
    assert_eq!(socket.poll_timeout(), None);
    assert_eq!(socket.ready_state(), ReadyState::Closed);
    assert!(!socket.is_connected());
    assert!(socket.close_was_clean());
}

#[test]
fn connect_asks_for_one_connection_and_no_second() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    pair.expect(["connect"]);
    assert_eq!(pair.socket.ready_state(), ReadyState::Connecting);
    pair.connect();
    pair.expect([]);
    pair.open();
    pair.expect(["opened"]);
    assert!(pair.socket.is_connected());
    pair.connect();
    pair.expect([]);
}

#[test]
fn a_connection_that_waits_for_its_next_try_is_kept_by_connect() {
    let mut pair = Pair::connected();
    pair.close(1006);
    pair.expect(["closed 1006, will retry"]);
    pair.connect();
    pair.expect([]);
    pair.advance(9);
    pair.expect([]);
    pair.advance(1);
    pair.expect(["close", "connect"]);
}

#[test]
fn the_waits_between_tries_are_phoenix_js_s() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    let mut waits = Vec::new();
    for _ in 0..13 {
        pair.fail();
        pair.log();
        waits.push(pair.jump().expect("a next try"));
        pair.expect(["close", "connect"]);
    }
    assert_eq!(
        waits,
        [
            10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000, 5000, 5000
        ]
    );
}

#[test]
fn a_connection_that_opens_starts_the_waits_anew() {
    let mut pair = Pair::new(Config::default());
    pair.connect();
    for _ in 0..3 {
        pair.fail();
        pair.jump();
    }
    pair.open();
    pair.close(1006);
    assert_eq!(pair.jump(), Some(10));
    pair.fail();
    assert_eq!(pair.jump(), Some(50));
}

#[test]
fn every_close_of_the_other_side_is_tried_again_whatever_its_code() {
    for code in [
        None,
        Some(1000),
        Some(1001),
        Some(1002),
        Some(1006),
        Some(1008),
        Some(1011),
        Some(1012),
    ] {
        let mut pair = Pair::connected();
        pair.close_connection(pair.connection(), code);
        let told = pair.log();
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(", will retry"), "{told:?}");
        pair.advance(10);
        pair.expect(["close", "connect"]);
    }
}

#[test]
fn a_failing_transport_tells_of_the_error_and_then_of_the_close() {
    let mut pair = Pair::connected();
    pair.fail();
    pair.expect(["failed", "closed 1006, will retry"]);
}

#[test]
fn a_close_is_told_once() {
    let mut pair = Pair::connected();
    pair.close(1006);
    pair.close(1006);
    pair.expect(["closed 1006, will retry"]);
    pair.advance(10);
    pair.expect(["close", "connect"]);
}

#[test]
fn a_backoff_of_the_user_s_own() {
    let reconnect = Backoff::Steps {
        steps: vec![7, 8],
        then: 9,
    };
    let mut pair = Pair::new(Config {
        reconnect,
        ..Config::default()
    });
    pair.connect();
    let mut waits = Vec::new();
    for _ in 0..4 {
        pair.fail();
        waits.extend(pair.jump());
    }
    assert_eq!(waits, [7, 8, 9, 9]);
}

#[test]
fn a_backoff_that_is_asked_each_time() {
    let mut pair = Pair::new(Config {
        reconnect: Backoff::Asked,
        ..Config::default()
    });
    pair.connect();
    pair.log();
    pair.fail();
    pair.expect(["failed", "delay of reconnect 1?", "closed 1006, will retry"]);
    assert_eq!(pair.socket.poll_timeout(), None);
    pair.advance(60_000);
    pair.expect([]);
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 33);
    assert_eq!(pair.jump(), Some(33));
    pair.expect(["close", "connect"]);
    pair.fail();
    pair.expect(["failed", "delay of reconnect 2?", "closed 1006, will retry"]);
}

#[test]
fn an_answer_to_a_wait_that_was_called_off_does_nothing() {
    let mut pair = Pair::new(Config {
        reconnect: Backoff::Asked,
        ..Config::default()
    });
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 5);
    assert_eq!(pair.socket.poll_timeout(), None);
    pair.connect();
    pair.fail();
    pair.disconnect(1);
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 5);
    assert_eq!(pair.socket.poll_timeout(), None);

    pair.connect();
    pair.fail();
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 5);
    pair.socket.set_delay(pair.at(), Wait::Reconnect, 7);
    assert_eq!(pair.socket.timer_count(), 1, "the first answer counts");
    assert_eq!(pair.jump(), Some(5));
}

#[test]
fn each_try_has_an_id_of_its_own() {
    let mut pair = Pair::connected();
    let first = pair.connection();
    pair.close(1006);
    pair.advance(10);
    assert_ne!(pair.connection(), first);
    assert_eq!(pair.socket.connection(), Some(pair.connection()));
}

#[test]
fn a_clock_that_jumps_back_does_no_harm() {
    let mut pair = Pair::connected();
    pair.now = 500;
    pair.close(1006);
    pair.log();
    // The machine's clock stands still until the shell's has caught up.
    assert_eq!(pair.socket.poll_timeout(), Some(Millis(1_010)));
    pair.advance(510);
    pair.expect(["close", "connect"]);
}

#[test]
fn closed_says_whether_it_is_tried_again() {
    let mut socket = Socket::<String>::new(Config::default());
    socket.connect(Millis(0));
    let connection = socket.connection().unwrap();
    socket.handle_open(Millis(0), connection, false);
    socket.disconnect(Millis(0), Some(1000), "bye", None);
    socket.handle_close(Millis(5), connection, Some(1000));
    let events: Vec<Event> = std::iter::from_fn(|| socket.poll_event()).collect();
    assert_eq!(
        events,
        [
            Event::Opened { connection },
            Event::Closed {
                connection,
                code: Some(1000),
                will_retry: false
            },
        ]
    );
    assert_eq!(socket.timer_count(), 0);
}
