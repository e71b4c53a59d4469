//! Every push ends in exactly one of reply, timeout and disconnected.
//!
//! With `push_timeout_after_disconnect`, as in phoenix.js, a push whose connection is lost still runs into its timeout;
//! that it is disconnected is only told. Without, disconnected is its end. (The pair itself fails a test when a push
//! ends twice.)

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{ChannelId, Config, PushId};
use socket::{End, Pair};

fn config(push_timeout_after_disconnect: bool) -> Config {
    Config {
        push_timeout_after_disconnect,
        ..Config::default()
    }
}

/// One push that was sent, and how it ends when `lose` is done.
#[track_caller]
fn ends_when(after: bool, lose: fn(&mut Pair, ChannelId)) {
    let line = "sent disconnected";
    let (mut pair, room) = Pair::joined_with(config(after), "room:1");
    let sent = pair.push(room, "sent");
    pair.log();
    lose(&mut pair, room);
    let log = pair.log();
    let told = log.iter().filter(|told| *told == line).count();
    assert_eq!(told, 1, "{log:?}");
    let expected = if after {
        assert!(pair.ends_of(sent).is_empty());
        End::Timeout
    } else {
        End::Disconnected
    };
    pair.advance(10_000);
    assert_eq!(pair.ends_of(sent), [expected]);
    // Neither is told again.
    assert!(!pair.log().contains(&line.to_owned()));
}

#[test]
fn a_sent_push_is_disconnected_with_its_connection_its_channel_or_its_process() {
    let lost: [fn(&mut Pair, ChannelId); 7] = [
        |pair, _| pair.close(1006),
        |pair, _| pair.fail(),
        |pair, _| pair.disconnect(1),
        |pair, room| {
            pair.leave(room);
        },
        |pair, room| pair.event(room, "phx_error", "{}"),
        |pair, room| pair.event(room, "phx_close", "{}"),
        |pair, _| {
            pair.socket.replace_transport(pair.at());
            pair.drain();
        },
    ];
    for lose in lost {
        for after in [true, false] {
            ends_when(after, lose);
        }
    }
}

#[test]
fn a_heartbeat_timeout_disconnects_them() {
    for after in [true, false] {
        let (mut pair, room) = Pair::joined_with(config(after), "room:1");
        pair.advance(55_000);
        let push = pair.push(room, "sent");
        pair.log();
        pair.advance(5_000);
        assert!(pair.log().contains(&"sent disconnected".to_owned()));
        pair.advance(5_000);
        let expected = if after {
            End::Timeout
        } else {
            End::Disconnected
        };
        assert_eq!(pair.ends_of(push), [expected]);
    }
}

#[test]
fn a_push_that_waits_for_the_join_survives_lost_connections() {
    for after in [true, false] {
        let (mut pair, room) = Pair::joined_with(config(after), "room:1");
        pair.close(1006);
        let push = pair.push(room, "waits");
        pair.advance(10);
        pair.fail();
        pair.advance(50);
        pair.open();
        pair.close(1006);
        pair.advance(10);
        pair.open();
        assert!(!pair.log().contains(&"waits disconnected".to_owned()));
        pair.accept_joins();
        let sent = pair.take_event("waits");
        pair.reply(&sent, "ok", "{}");
        assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
    }
}

#[test]
fn a_push_that_waits_for_the_join_ends_when_the_channel_is_gone_for_good() {
    let gone: [fn(&mut Pair, ChannelId); 2] = [
        |pair, room| {
            pair.leave(room);
        },
        |pair, room| pair.event(room, "phx_close", "{}"),
    ];
    for gone in gone {
        for after in [true, false] {
            let mut pair = Pair::connected_with(config(after));
            let room = pair.channel("room:1");
            pair.join(room);
            let push = pair.push(room, "waits");
            gone(&mut pair, room);
            assert!(pair.log().contains(&"waits disconnected".to_owned()));
            pair.advance(10_000);
            let expected = if after {
                End::Timeout
            } else {
                End::Disconnected
            };
            assert_eq!(pair.ends_of(push), [expected]);
            assert_eq!(pair.socket.pending_count(), 0);
        }
    }
}

#[test]
fn a_reply_that_beat_the_loss_is_the_only_end() {
    for after in [true, false] {
        let (mut pair, room) = Pair::joined_with(config(after), "room:1");
        let push = pair.push(room, "sent");
        let sent = pair.take();
        pair.reply(&sent, "ok", "{}");
        pair.close(1006);
        pair.advance(20_000);
        assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
        assert!(!pair.log().contains(&"sent disconnected".to_owned()));
    }
}

#[test]
fn a_timeout_that_beat_the_loss_is_the_only_end() {
    for after in [true, false] {
        let (mut pair, room) = Pair::joined_with(config(after), "room:1");
        let push = pair.push(room, "sent");
        pair.advance(10_000);
        pair.close(1006);
        pair.advance(20_000);
        assert_eq!(pair.ends_of(push), [End::Timeout]);
    }
}

#[test]
fn after_a_crash_the_reply_that_was_on_its_way_still_counts_as_in_phoenix_js() {
    // The join ref is still the same until the channel rejoins.
    let (mut pair, room) = Pair::joined_with(config(true), "room:1");
    let push = pair.push(room, "sent");
    let sent = pair.take();
    pair.event(room, "phx_error", "{}");
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(push), [End::Reply("ok".to_owned())]);
    pair.advance(20_000);
    assert_eq!(pair.ends_of(push).len(), 1);
}

#[test]
fn where_disconnected_is_the_end_the_reply_that_was_on_its_way_comes_to_nobody() {
    let (mut pair, room) = Pair::joined_with(config(false), "room:1");
    let push = pair.push(room, "sent");
    let sent = pair.take();
    pair.event(room, "phx_error", "{}");
    pair.reply(&sent, "ok", "{}");
    assert_eq!(pair.ends_of(push), [End::Disconnected]);
}

#[test]
fn who_was_told_to_be_disconnected_is_not_told_again_at_the_end_of_the_channel() {
    let (mut pair, room) = Pair::joined_with(config(true), "room:1");
    let push = pair.push(room, "sent");
    pair.close(1006);
    assert!(pair.log().contains(&"sent disconnected".to_owned()));
    pair.leave(room);
    pair.expect(["prepare leave room:1", "room:1 left"]);
    pair.advance(10_000);
    assert_eq!(pair.ends_of(push), [End::Timeout]);
}

#[test]
fn who_has_timed_out_before_the_connection_opened_is_not_told_of_anything_after_that() {
    for after in [true, false] {
        let mut pair = Pair::new(config(after));
        pair.connect();
        let room = pair.channel("room:1");
        pair.join(room);
        let push = pair.push(room, "early");
        // An answer that comes before its connection says that it is open: the push is sent, once that is.
        pair.receive(r#"["3","3","room:1","phx_reply",{"status":"ok","response":{}}]"#);
        pair.advance(10_000);
        assert_eq!(pair.ends_of(push), [End::Timeout]);
        pair.open();
        pair.log();
        pair.leave(room);
        assert!(!pair.log().contains(&"early disconnected".to_owned()));
        assert_eq!(pair.ends_of(push), [End::Timeout]);
    }
}

#[test]
fn a_join_that_waits_ends_when_its_channel_is_gone_for_good() {
    let gone: [fn(&mut Pair, ChannelId); 2] = [
        |pair, room| {
            pair.leave(room);
        },
        |pair, room| pair.event(room, "phx_close", "{}"),
    ];
    for gone in gone {
        let mut pair = Pair::connected_with(config(false));
        let room = pair.channel("room:1");
        let join = pair.join(room);
        gone(&mut pair, room);
        assert_eq!(pair.ends_of(join), [End::Disconnected]);
    }
}

#[test]
fn a_join_that_waits_is_told_to_be_disconnected_when_nobody_connects_again_but_the_user() {
    let ends: [fn(&mut Pair); 2] = [|pair| pair.disconnect(1), |pair| pair.close(1008)];
    for end in ends {
        for after in [true, false] {
            let config = Config {
                stop_on_refusal: true,
                ..config(after)
            };
            let (mut pair, _) = Pair::joined_with(config, "room:1");
            let room = pair.channel("room:2");
            let join = pair.join(room);
            end(&mut pair);
            let told = |line: &String| line.ends_with(" disconnected");
            let lost: Vec<String> = pair.log().into_iter().filter(told).collect();
            // Not that of the channel which had its answer.
            assert_eq!(lost, ["join room:2 disconnected"]);
            pair.connect();
            pair.open();
            pair.accept_joins();
            let reply = End::Reply("ok".to_owned());
            assert_eq!(pair.ends_of(join).last(), Some(&reply));
        }
    }
}

#[test]
fn a_join_that_is_to_be_sent_anew_is_not_told_to_be_disconnected() {
    let ends: [fn(&mut Pair); 4] = [
        |pair| pair.close(1006),
        |pair| pair.fail(),
        |pair| {
            pair.socket.replace_transport(pair.at());
            pair.drain();
        },
        // A page that is hidden may be shown again.
        |pair| {
            pair.socket.handle_page_hide(pair.at());
            pair.drain();
        },
    ];
    for end in ends {
        let mut pair = Pair::connected();
        let room = pair.channel("room:1");
        pair.join(room);
        end(&mut pair);
        let told = "join room:1 disconnected".to_owned();
        assert!(!pair.log().contains(&told));
    }
}

#[test]
fn a_thousand_pushes_end_once_each() {
    for after in [true, false] {
        let (mut pair, room) = Pair::joined_with(config(after), "room:1");
        let mut pushes: Vec<PushId> = Vec::new();
        for round in 0..100 {
            for _ in 0..10 {
                pushes.push(pair.push(room, "many"));
            }
            match round % 4 {
                0 => {
                    let sent = pair.take_event("many");
                    pair.reply(&sent, "ok", "{}");
                }
                1 => pair.event(room, "phx_error", "{}"),
                2 => {
                    pair.close(1006);
                    pair.advance(10);
                    pair.open();
                }
                _ => pair.advance(1_000),
            }
            pair.accept_joins();
        }
        pair.advance(10_000);
        for push in pushes {
            assert_eq!(pair.ends_of(push).len(), 1);
        }
        assert_eq!(pair.socket.pending_count(), 0);
    }
}
