//! What is done with leaves nothing behind, however often it is done.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Config, ReadyState};
use socket::Pair;

/// The size of all there is in the machine, roughly: that of its Debug text without the numbers, which grow by themselves.
fn size(pair: &Pair) -> usize {
    let text = format!("{:?}", pair.socket);
    text.chars().filter(|c| !c.is_ascii_digit()).count()
}

/// `step` a thousand times leaves no more than ten times.
#[track_caller]
fn leaves_nothing(config: Config, connected: bool, mut step: impl FnMut(&mut Pair)) {
    let mut pair = Pair::new(config);
    if connected {
        pair.connect();
        pair.open();
    }
    let mut rounds = |pair: &mut Pair, rounds| {
        for _ in 0..rounds {
            step(pair);
            pair.inbox.clear();
            pair.log();
        }
    };
    rounds(&mut pair, 10);
    let before = size(&pair);
    rounds(&mut pair, 1_000);
    let after = size(&pair);
    assert!(after <= before + 64, "{before} bytes became {after}");
}

fn both(mut test: impl FnMut(Config)) {
    for push_timeout_after_disconnect in [true, false] {
        test(Config {
            push_timeout_after_disconnect,
            ..Config::default()
        });
    }
}

#[test]
fn channels_that_come_and_go_over_one_connection() {
    both(|config| {
        leaves_nothing(config, true, |pair| {
            let room = pair.channel("room:1");
            pair.join(room);
            pair.accept_joins();
            pair.push(room, "hello");
            pair.leave(room);
            pair.advance(10_000);
            if let Some(index) = pair.inbox.iter().position(|sent| sent.event == "heartbeat") {
                let heartbeat = pair.inbox.remove(index);
                pair.reply(&heartbeat, "ok", "{}");
            }
        });
    });
}

#[test]
fn channels_that_the_server_closes() {
    leaves_nothing(Config::default(), true, |pair| {
        let room = pair.channel("room:1");
        pair.join(room);
        pair.event(room, "phx_close", "{}");
    });
}

#[test]
fn channels_that_come_and_go_without_a_connection() {
    both(|config| {
        leaves_nothing(config, false, |pair| {
            let room = pair.channel("room:1");
            pair.join(room);
            pair.push(room, "hello");
            pair.advance(10_000);
            pair.leave(room);
        });
    });
}

#[test]
fn pushes() {
    both(|config| {
        let mut room = None;
        leaves_nothing(config, true, |pair| {
            let room = *room.get_or_insert_with(|| {
                let room = pair.channel("room:1");
                pair.join(room);
                pair.accept_joins();
                room
            });
            pair.push(room, "hello");
            let sent = pair.take_event("hello");
            pair.reply(&sent, "ok", "{}");
            pair.try_push(room, "nobody", Some(5)).unwrap();
            pair.advance(5);
            for heartbeat in std::mem::take(&mut pair.inbox) {
                if heartbeat.event == "heartbeat" {
                    pair.reply(&heartbeat, "ok", "{}");
                }
            }
        });
    });
}

#[test]
fn connections_that_come_and_go() {
    both(|config| {
        let mut room = None;
        leaves_nothing(config, true, |pair| {
            let room = *room.get_or_insert_with(|| {
                let room = pair.channel("room:1");
                pair.join(room);
                room
            });
            pair.accept_joins();
            pair.push(room, "hello");
            pair.close(1006);
            pair.advance(10);
            pair.fail();
            pair.advance(50);
            pair.open();
            pair.advance(10_000);
        });
    });
}

#[test]
fn connections_that_are_replaced_before_they_closed() {
    leaves_nothing(Config::default(), true, |pair| {
        let connection = pair.connection();
        pair.socket
            .handle_transport(pair.at(), connection, ReadyState::Open, true);
        pair.disconnect(1);
        pair.disconnect(2);
        pair.connect();
        pair.open();
        pair.advance(3_000);
    });
}

#[test]
fn connections_that_are_refused_for_good() {
    let config = Config {
        stop_on_refusal: true,
        ..Config::default()
    };
    leaves_nothing(config, false, |pair| {
        pair.connect();
        let connection = pair.connection();
        pair.socket.handle_refused(connection, 403);
        pair.error();
        pair.close(1006);
    });
}

#[test]
fn replaced_transports() {
    leaves_nothing(Config::default(), true, |pair| {
        pair.socket.replace_transport(pair.at());
        pair.drain();
        pair.connect();
        pair.open();
    });
}

#[test]
fn joins_that_time_out_without_a_connection() {
    leaves_nothing(Config::default(), false, |pair| {
        let room = pair.channel("room:1");
        pair.join(room);
        pair.advance(10_000);
        pair.leave(room);
    });
}
