//! Binary frames.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, binary_push, server};
use serde_json::json;

fn header(kind: u8, strings: &[&str]) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend(
        strings
            .iter()
            .map(|string| u8::try_from(string.len()).unwrap()),
    );
    frame.extend(strings.concat().bytes());
    frame
}

#[tokio::test]
async fn pushes_replies_and_broadcasts_may_be_binary() {
    let server = server().await;
    let topic = "room:тема-β";
    let mut alice = Client::joined(&server, "alice", topic).await;
    let mut bob = Client::joined(&server, "bob", topic).await;
    alice.recv().await;
    let all_bytes: Vec<u8> = (0..=255).collect();
    for data in [&b""[..], &all_bytes, &[7; 100_000]] {
        alice
            .send_binary(binary_push(["1", "12", topic, "echo"], data))
            .await;
        let reply = [&header(1, &["1", "12", topic, "ok"]), data].concat();
        assert_eq!(alice.recv_binary().await, reply);

        alice
            .send_binary(binary_push(["1", "13", topic, "push_me"], data))
            .await;
        let push = [&header(0, &["1", topic, "pushed"]), data].concat();
        assert_eq!(alice.recv_binary().await, push);

        alice
            .send_binary(binary_push(["1", "14", topic, "shout"], data))
            .await;
        let shout = [&header(2, &[topic, "shout"]), data].concat();
        assert_eq!(alice.recv_binary().await, shout);
        assert_eq!(bob.recv_binary().await, shout);
    }
}

#[tokio::test]
async fn what_binary_cannot_carry_is_a_crash_or_stale() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    // No join_ref in a binary frame is the empty string, and that is not null.
    alice
        .send_binary(binary_push(["", "2", "room:a", "echo"], b"x"))
        .await;
    alice.assert_quiet().await;
    alice
        .send_binary(binary_push(["1", "2", "room:a", "set_status"], b"x"))
        .await;
    assert_eq!(alice.recv().await[3], "phx_error");
    alice
        .send_binary(binary_push(["3", "3", "room:a", "phx_join"], b"x"))
        .await;
    let reply = json!([
        "3",
        "3",
        "room:a",
        "phx_reply",
        common::error("join crashed")
    ]);
    assert_eq!(alice.recv().await, reply);
}

#[tokio::test]
async fn v1_clients_do_not_get_binary_broadcasts() {
    let server = server().await;
    let mut old = Client::connect_with(&server, "user_id=old").await.unwrap();
    old.send(json!({ "topic": "room:a", "event": "phx_join", "payload": {}, "ref": "1" }))
        .await;
    for _ in 0..3 {
        old.recv().await;
    }
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send_binary(binary_push(["1", "2", "room:a", "shout"], b"x"))
        .await;
    assert_eq!(alice.recv_binary().await.last(), Some(&b'x'));
    alice.send(json!(["1", "3", "room:a", "shout", {}])).await;
    assert_eq!(old.recv().await["event"], "presence_diff");
    assert_eq!(old.recv().await["event"], "shout");
}
