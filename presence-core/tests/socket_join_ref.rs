//! Whose a message is: its topic's and its join's.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::message::Vsn;
use presence_core::{ChannelState, Config};
use socket::Pair;

/// Whether the only channel, joined under ref 3, gets a message whose join_ref is this JSON.
fn gets(join_ref: &str) -> bool {
    let (mut pair, _) = Pair::joined("room:1");
    pair.receive(&format!(r#"[{join_ref},null,"room:1","hello",{{}}]"#));
    !pair.log().is_empty()
}

#[test]
fn a_message_of_the_present_join_is_the_channel_s() {
    assert!(gets(r#""3""#));
    assert!(gets(r#""\u0033""#), "however it is written");
}

#[test]
fn a_message_of_another_join_is_stale() {
    for join_ref in [
        r#""2""#,
        r#""4""#,
        r#""33""#,
        r#""03""#,
        r#"" 3""#,
        r#""3 ""#,
        r#""+3""#,
        r#""3.0""#,
        r#""x""#,
        r#""18446744073709551619""#,
        r#""\ud800""#,
    ] {
        assert!(!gets(join_ref), "{join_ref}");
    }
}

#[test]
fn a_join_ref_that_is_no_string_is_stale() {
    // phoenix.js compares without conversion.
    for join_ref in [
        "3",
        "3.0",
        "-1",
        "true",
        "[]",
        "{}",
        r#"["3"]"#,
        r#"{"3":3}"#,
    ] {
        assert!(!gets(join_ref), "{join_ref}");
    }
}

#[test]
fn a_message_without_a_join_ref_is_everybody_s() {
    // What is false in JavaScript is none.
    for join_ref in ["null", r#""""#, "0", "-0", "0.0", "false"] {
        assert!(gets(join_ref), "{join_ref}");
    }
}

#[test]
fn every_channel_of_the_topic_gets_it_in_order_of_creation() {
    let (mut pair, old) = Pair::joined("room:1");
    pair.event(old, "phx_error", "{}");
    let new = pair.channel("room:1");
    pair.join(new);
    pair.accept_joins();
    pair.channel("room:2");
    pair.log();
    pair.receive(r#"[null,null,"room:1","hello",{}]"#);
    pair.expect(["room:1 got hello {}", "room:1~2 got hello {}"]);
    pair.receive(r#"["6",null,"room:1","hello",{}]"#);
    pair.expect(["room:1~2 got hello {}"]);
}

#[test]
fn a_channel_that_never_joined_gets_what_is_everybody_s() {
    let mut pair = Pair::connected();
    pair.channel("room:1");
    pair.receive(r#"[null,null,"room:1","hello",{}]"#);
    pair.expect(["room:1 got hello {}"]);
    pair.receive(r#"["1",null,"room:1","hello",{}]"#);
    pair.expect([]);
}

#[test]
fn after_a_rejoin_the_old_join_s_messages_are_stale() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.close(1006);
    pair.advance(10);
    pair.open();
    pair.log();
    for event in ["hello", "phx_error", "phx_close", "phx_reply"] {
        pair.receive(&format!(
            r#"["3","3","room:1","{event}",{{"status":"ok","response":{{}}}}]"#
        ));
    }
    pair.expect([]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Joining);
    pair.accept_joins();
    pair.expect(["join room:1 replied ok"]);
}

#[test]
fn a_reply_needs_the_ref_of_a_push_not_only_the_join_s() {
    let (mut pair, room) = Pair::joined("room:1");
    pair.push(room, "hello");
    pair.log();
    for message_ref in ["null", r#""5""#, r#""04""#, r#""x""#] {
        pair.receive(&format!(
            r#"["3",{message_ref},"room:1","phx_reply",{{"status":"ok","response":{{}}}}]"#
        ));
        pair.expect(["room:1 got a reply nobody waits for"]);
    }
    // phoenix.js makes an event's name of the ref, so that a number will do.
    pair.receive(r#"["3",4,"room:1","phx_reply",{"status":"ok","response":{}}]"#);
    pair.expect(["hello replied ok"]);
}

#[test]
fn a_reply_without_a_join_ref_finds_its_push() {
    // So the server answers for topics it does not know and for dead channels.
    let mut pair = Pair::connected();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.log();
    pair.receive(
        r#"[null,"3","room:1","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
    );
    pair.expect(["join room:1 replied error"]);
    assert_eq!(pair.socket.channel_state(room), ChannelState::Errored);
}

#[test]
fn topics_are_compared_exactly() {
    let (mut pair, _) = Pair::joined("room:é");
    for topic in ["room", "room:e", "ROOM:É", "room:é ", ""] {
        pair.receive(&format!(r#"[null,null,"{topic}","hello",{{}}]"#));
        pair.expect([]);
    }
    pair.receive(r#"[null,null,"room:\u00e9","hello",{}]"#);
    pair.expect(["room:é got hello {}"]);
}

#[test]
fn the_first_version_has_no_join_refs() {
    let mut pair = Pair::new(Config::default());
    pair.vsn = Vsn::V1;
    pair.connect();
    pair.open();
    let room = pair.channel("room:1");
    pair.join(room);
    pair.accept_joins();
    pair.log();
    pair.receive(r#"{"topic":"room:1","event":"hello","payload":{},"ref":null}"#);
    pair.expect(["room:1 got hello {}"]);
}

#[test]
fn in_the_first_version_the_end_of_an_earlier_join_is_told_by_its_ref() {
    // phoenix.js takes it for the end of the present join.
    let mut pair = Pair::new(Config::default());
    pair.vsn = Vsn::V1;
    pair.connect();
    pair.open();
    let old = pair.channel("room:1");
    pair.join(old);
    pair.accept_joins();
    let new = pair.channel("room:1");
    pair.join(new);
    pair.accept_joins();
    pair.log();
    for event in ["phx_close", "phx_error"] {
        pair.receive(&format!(
            r#"{{"topic":"room:1","event":"{event}","payload":{{}},"ref":"3"}}"#
        ));
        pair.expect([]);
    }
    assert_eq!(pair.socket.channel_state(new), ChannelState::Joined);
    pair.receive(r#"{"topic":"room:1","event":"phx_close","payload":{},"ref":"7"}"#);
    pair.expect(["room:1~2 closed"]);
}

#[test]
fn the_end_of_a_channel_without_any_ref_is_the_present_join_s() {
    for event in ["phx_close", "phx_error"] {
        let (mut pair, room) = Pair::joined("room:1");
        pair.receive(&format!(r#"[null,null,"room:1","{event}",{{}}]"#));
        assert_ne!(pair.socket.channel_state(room), ChannelState::Joined);
    }
}
