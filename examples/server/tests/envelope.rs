//! Replies, closes and errors, to the letter of what a Phoenix node was recorded to send.

mod common;

use common::{Client, error, ok, server};
use serde_json::json;

#[tokio::test]
async fn join_reply_comes_first_and_carries_both_refs() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    alice
        .send(json!(["7", "8", "room:a", "phx_join", {}]))
        .await;
    assert_eq!(
        alice.recv().await,
        json!(["7", "8", "room:a", "phx_reply", ok(json!({}))])
    );
    let diff = alice.recv().await;
    assert_eq!(
        (&diff[0], &diff[1], &diff[3]),
        (&json!(null), &json!(null), &json!("presence_diff"))
    );
    let state = alice.recv().await;
    assert_eq!(
        (&state[0], &state[1], &state[3]),
        (&json!("7"), &json!(null), &json!("presence_state"))
    );
    alice.assert_quiet().await;
}

#[tokio::test]
async fn heartbeat_is_answered_without_join_ref_whatever_its_ref() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    for reference in [json!("1"), json!(null), json!(9)] {
        alice
            .send(json!(["7", reference, "phoenix", "heartbeat", { "x": 1 }]))
            .await;
        let reply = json!([null, reference, "phoenix", "phx_reply", ok(json!({}))]);
        assert_eq!(alice.recv().await, reply);
    }
    alice.send(json!([null, "4", "phoenix", "other", {}])).await;
    let reply = json!([null, "4", "phoenix", "phx_reply", error("unmatched topic")]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn unmatched_topics_are_errors_with_a_null_join_ref() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    for topic in [json!("nosuch:topic"), json!("room"), json!(null), json!(5)] {
        for event in ["phx_join", "echo"] {
            alice.send(json!(["1", "2", topic, event, {}])).await;
            let reply = json!([null, "2", topic, "phx_reply", error("unmatched topic")]);
            assert_eq!(alice.recv().await, reply);
        }
    }
    alice
        .send(json!(["1", "2", "room:never_joined", "echo", {}]))
        .await;
    let reply = json!([
        null,
        "2",
        "room:never_joined",
        "phx_reply",
        error("unmatched topic")
    ]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn leaving_what_was_never_joined_is_ok() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    alice
        .send(json!(["1", "4", "room:never_joined", "phx_leave", {}]))
        .await;
    let reply = json!(["1", "4", "room:never_joined", "phx_reply", ok(json!({}))]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn refused_joins_carry_their_refs_and_reason() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    for (topic, payload, reason) in [
        ("room:forbidden", json!({}), "forbidden"),
        ("room:joincrash", json!({}), "join crashed"),
        ("room:a", json!(null), "join crashed"),
    ] {
        alice
            .send(json!(["1", "2", topic, "phx_join", payload]))
            .await;
        assert_eq!(
            alice.recv().await,
            json!(["1", "2", topic, "phx_reply", error(reason)])
        );
    }
}

#[tokio::test]
async fn payloads_of_any_shape_are_echoed() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    for payload in [
        json!(null),
        json!("text"),
        json!([1]),
        json!({ "s": "\u{0}</script>\u{2028}é😀/" }),
    ] {
        alice
            .send(json!([
                "1",
                "2",
                "room:a",
                "ping_echo",
                payload,
                "a sixth part"
            ]))
            .await;
        assert_eq!(
            alice.recv().await,
            json!(["1", "2", "room:a", "phx_reply", ok(payload)])
        );
    }
    alice
        .send(json!(["1", null, "room:a", "fail", { "reason": "because" }]))
        .await;
    let reply = json!(["1", null, "room:a", "phx_reply", error("because")]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn stale_join_refs_are_ignored_without_a_word() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice.send(json!(["0", "2", "room:a", "echo", {}])).await;
    alice
        .send(json!(["0", "3", "room:a", "phx_leave", {}]))
        .await;
    alice.send(json!([1, 4, "room:a", "echo", {}])).await;
    alice.assert_quiet().await;
    alice.send(json!([null, "5", "room:a", "echo", {}])).await;
    assert_eq!(
        alice.recv().await,
        json!(["1", "5", "room:a", "phx_reply", ok(json!({}))])
    );
}

#[tokio::test]
async fn join_without_join_ref_uses_its_ref_for_what_follows() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    alice
        .send(json!([null, "2", "room:a", "phx_join", {}]))
        .await;
    assert_eq!(
        alice.recv().await,
        json!([null, "2", "room:a", "phx_reply", ok(json!({}))])
    );
    assert_eq!(alice.recv().await[3], "presence_diff");
    assert_eq!(alice.recv().await[0], "2");
    alice.send(json!([null, "3", "room:a", "echo", {}])).await;
    assert_eq!(
        alice.recv().await,
        json!(["2", "3", "room:a", "phx_reply", ok(json!({}))])
    );
    alice.send(json!([null, "4", "room:a", "stop", {}])).await;
    assert_eq!(
        alice.recv().await,
        json!([null, null, "room:a", "phx_close", {}])
    );
}

#[tokio::test]
async fn leave_is_answered_and_then_closed() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send(json!(["1", "2", "room:a", "phx_leave", {}]))
        .await;
    assert_eq!(
        alice.recv().await,
        json!(["1", "2", "room:a", "phx_reply", ok(json!({}))])
    );
    assert_eq!(
        alice.recv().await,
        json!(["1", "1", "room:a", "phx_close", {}])
    );
    alice.send(json!(["1", "3", "room:a", "echo", {}])).await;
    let reply = json!([null, "3", "room:a", "phx_reply", error("unmatched topic")]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn message_right_behind_a_leave_gets_no_reply() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send_together(&[
            json!(["1", "2", "room:a", "phx_leave", {}]),
            json!(["1", "3", "room:a", "echo", {}]),
        ])
        .await;
    assert_eq!(
        alice.recv().await,
        json!(["1", "2", "room:a", "phx_reply", ok(json!({}))])
    );
    assert_eq!(
        alice.recv().await,
        json!(["1", "1", "room:a", "phx_close", {}])
    );
    alice.assert_quiet().await;
}

#[tokio::test]
async fn second_join_is_answered_before_the_first_is_closed() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    for (old, new) in [("1", "2"), ("2", "3")] {
        alice
            .send(json!([new, new, "room:a", "phx_join", {}]))
            .await;
        assert_eq!(
            alice.recv().await,
            json!([new, new, "room:a", "phx_reply", ok(json!({}))])
        );
        assert_eq!(
            alice.recv().await,
            json!([old, old, "room:a", "phx_close", {}])
        );
        let diff = alice.recv().await;
        assert_eq!(diff[4]["leaves"], json!({}));
        let state = alice.recv().await;
        assert_eq!(
            (&state[0], &state[3]),
            (&json!(new), &json!("presence_state"))
        );
        assert_eq!(state[4]["alice"]["metas"].as_array().map(Vec::len), Some(1));
    }
    alice.assert_quiet().await;
}

#[tokio::test]
async fn leave_and_join_sent_together_end_joined() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send_together(&[
            json!(["1", "2", "room:a", "phx_leave", {}]),
            json!(["3", "3", "room:a", "phx_join", {}]),
        ])
        .await;
    assert_eq!(alice.recv().await[1], "2");
    let mut seen = [alice.recv().await, alice.recv().await];
    seen.sort_by_key(|message| message[3].as_str().map(str::to_owned));
    assert_eq!(seen[0], json!(["1", "1", "room:a", "phx_close", {}]));
    assert_eq!(
        seen[1],
        json!(["3", "3", "room:a", "phx_reply", ok(json!({}))])
    );
    assert_eq!(alice.recv().await[3], "presence_diff");
    assert_eq!(alice.recv().await[0], "3");
}

#[tokio::test]
async fn crash_and_unknown_events_are_channel_errors() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    let events = [
        json!("crash"),
        json!("no_such_event"),
        json!("presence_diff"),
        json!(5),
    ];
    for (index, event) in events.into_iter().enumerate() {
        let reference = index.to_string();
        alice.join(&reference, "room:a").await;
        alice
            .send(json!([reference, "x", "room:a", event, {}]))
            .await;
        let crash =
            json!([reference, reference, "room:a", "phx_error", { "reason": "channel_crash" }]);
        assert_eq!(alice.recv().await, crash);
        alice
            .send(json!([reference, "y", "room:a", "echo", {}]))
            .await;
        let reply = json!([null, "y", "room:a", "phx_reply", error("unmatched topic")]);
        assert_eq!(alice.recv().await, reply);
    }
}

#[tokio::test]
async fn stop_closes_the_channel() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice.send(json!(["1", "2", "room:a", "stop", {}])).await;
    assert_eq!(
        alice.recv().await,
        json!(["1", "1", "room:a", "phx_close", {}])
    );
    alice.join("3", "room:a").await;
    alice
        .send(json!(["3", "4", "room:a", "stop_reply", { "bye": 1 }]))
        .await;
    let reply = json!(["3", "4", "room:a", "phx_reply", ok(json!({ "bye": 1 }))]);
    assert_eq!(alice.recv().await, reply);
    assert_eq!(
        alice.recv().await,
        json!(["3", "3", "room:a", "phx_close", {}])
    );
}

#[tokio::test]
async fn channels_of_one_socket_are_limited() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    for index in 0..100 {
        alice
            .join(&index.to_string(), &format!("room:{index}"))
            .await;
    }
    alice
        .send(json!(["x", "x", "room:101", "phx_join", {}]))
        .await;
    let reply = json!([
        "x",
        "x",
        "room:101",
        "phx_reply",
        error("too many channels joined")
    ]);
    assert_eq!(alice.recv().await, reply);
    alice.send(json!(["5", "y", "room:5", "stop", {}])).await;
    assert_eq!(alice.recv().await[3], "phx_close");
    alice.join("z", "room:101").await;
}

#[tokio::test]
async fn broadcasts_reach_all_or_all_others() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    let mut bob = Client::joined(&server, "bob", "room:a").await;
    assert_eq!(alice.recv().await[3], "presence_diff");
    alice
        .send(json!(["1", "2", "room:a", "shout", { "body": "hi" }]))
        .await;
    let shout = json!([null, null, "room:a", "shout", { "body": "hi" }]);
    assert_eq!(alice.recv().await, shout);
    assert_eq!(bob.recv().await, shout);
    alice
        .send(json!(["1", "3", "room:a", "shout_from", { "body": "you" }]))
        .await;
    assert_eq!(
        bob.recv().await,
        json!([null, null, "room:a", "shout", { "body": "you" }])
    );
    alice.assert_quiet().await;
    server.broadcast("room:a", "news", &json!({ "n": 1 }));
    assert_eq!(
        alice.recv().await,
        json!([null, null, "room:a", "news", { "n": 1 }])
    );
    assert_eq!(
        bob.recv().await,
        json!([null, null, "room:a", "news", { "n": 1 }])
    );
}

#[tokio::test]
async fn pushes_carry_the_join_ref_and_no_ref() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send(json!(["1", "2", "room:a", "push_me", { "n": 1 }]))
        .await;
    assert_eq!(
        alice.recv().await,
        json!(["1", null, "room:a", "pushed", { "n": 1 }])
    );
}

#[tokio::test]
async fn late_reply_does_not_hold_others_up_and_dies_with_its_channel() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send_together(&[
            json!(["1", "2", "room:a", "slow", { "ms": 50 }]),
            json!(["1", "h", "room:a", "echo", {}]),
        ])
        .await;
    assert_eq!(alice.recv().await[1], "h");
    let reply = json!(["1", "2", "room:a", "phx_reply", ok(json!({ "ms": 50 }))]);
    assert_eq!(alice.recv().await, reply);

    alice
        .send_together(&[
            json!(["1", "3", "room:a", "slow", { "ms": 20 }]),
            json!(["1", "4", "room:a", "stop", {}]),
        ])
        .await;
    assert_eq!(alice.recv().await[3], "phx_close");
    alice.join("5", "room:a").await;
    // A reply that is due later than the dead channel's shows that the latter never came.
    alice
        .send(json!(["5", "6", "room:a", "slow", { "ms": 50 }]))
        .await;
    assert_eq!(alice.recv().await[1], "6");
}

#[tokio::test]
async fn slow_join_holds_the_whole_socket_up() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    alice
        .send(json!(["1", "1", "room:a", "phx_join", { "slow": 50, "order": "observe" }]))
        .await;
    alice
        .send(json!([null, "2", "phoenix", "heartbeat", {}]))
        .await;
    assert_eq!(alice.recv().await[1], "1");
    assert_eq!(alice.recv().await[3], "presence_state");
    assert_eq!(alice.recv().await[1], "2");
}

#[tokio::test]
async fn v1_has_no_join_ref() {
    let server = server().await;
    // No vsn means V1.
    let mut alice = Client::connect_with(&server, "user_id=alice")
        .await
        .unwrap();
    let send = |event: &str, reference: &str, payload| json!({ "topic": "room:a", "event": event, "payload": payload, "ref": reference });
    alice.send(send("phx_join", "1", json!({}))).await;
    let reply =
        json!({ "topic": "room:a", "event": "phx_reply", "ref": "1", "payload": ok(json!({})) });
    assert_eq!(alice.recv().await, reply);
    let diff = alice.recv().await;
    assert_eq!(diff["event"], "presence_diff");
    assert_eq!(diff.as_object().map(|fields| fields.len()), Some(4));
    assert_eq!(diff["ref"], json!(null));
    assert_eq!(alice.recv().await["event"], "presence_state");
    alice.send(send("echo", "2", json!({ "n": 1 }))).await;
    assert_eq!(alice.recv().await["payload"], ok(json!({ "n": 1 })));
    // phoenix.js sends its join_ref in V1 too, and it counts.
    let mut stale = send("echo", "3", json!({}));
    stale["join_ref"] = json!("0");
    alice.send(stale).await;
    alice.send(send("phx_leave", "4", json!({}))).await;
    assert_eq!(alice.recv().await["ref"], "4");
    let close = json!({ "topic": "room:a", "event": "phx_close", "ref": null, "payload": {} });
    assert_eq!(alice.recv().await, close);
}
