//! A session whose connection breaks at each of its messages, and at many of its bytes: the roster is right in the end,
//! and every push has an end of its own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use common::cutter::Cutter;
use common::roster::{until_keys, until_true};
use common::{builder, in_time, server};
use presence_native::{Channel, Presence, PushError, Reply};
use presence_server::Server;
use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

const ROOM: &str = "room:lobby";

/// As a program does that wants its push to succeed.
async fn insist(channel: &Channel, event: &str, payload: &Value) -> Reply {
    loop {
        match in_time(channel.push(event, payload)).await {
            Ok(reply) => return reply,
            // The connection broke, before or after it took effect.
            Err(PushError::Disconnected) => {}
            Err(error) => panic!("{event}: {error}"),
        }
    }
}

/// Joins, changes, watches others come, change and go, and leaves.
async fn session(server: &Server, cutter: &Cutter) {
    let socket = builder(&cutter.endpoint())
        .param("user_id", "alice")
        .build()
        .unwrap();
    let channel = socket.channel(ROOM);
    let presence: Presence<Value> = channel.presence().unwrap();
    in_time(channel.join()).await.unwrap();
    until_true(&presence, server, ROOM).await;

    insist(&channel, "set_status", &json!({"status": "busy"})).await;
    until_true(&presence, server, ROOM).await;
    let mut others = server.presences().process();
    others.track(ROOM, "bob", serde_json::Map::new()).unwrap();
    others.track(ROOM, "carol", serde_json::Map::new()).unwrap();
    until_keys(&presence, &["alice", "bob", "carol"]).await;
    let away = json!({"status": "away"}).as_object().unwrap().clone();
    others.update(ROOM, "bob", away).unwrap();
    others.untrack(ROOM, "carol");
    until_keys(&presence, &["alice", "bob"]).await;
    until_true(&presence, server, ROOM).await;

    let echo = insist(&channel, "echo", &json!({"n": 1})).await;
    assert_eq!(echo.response.as_json(), Some(r#"{"n":1}"#));
    drop(others);
    until_keys(&presence, &["alice"]).await;
    until_true(&presence, server, ROOM).await;
    in_time(channel.leave()).await;
    in_time(socket.shutdown()).await;
}

#[tokio::test]
async fn at_every_message_of_a_session() {
    let mut after = 0;
    loop {
        let server = server().await;
        let cutter = Cutter::at_message(server.addr(), after).await;
        session(&server, &cutter).await;
        if !cutter.has_cut() {
            break;
        }
        after += 1;
    }
    println!("cut at each of {after} messages");
    assert!(after >= 15, "the session has only {after} messages");
}

#[tokio::test]
async fn at_many_bytes_of_a_session() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let mut cuts = 0;
    for _ in 0..100 {
        // A session that nothing cuts has about 2,000 bytes.
        let after = random.random_range(0..2_400);
        let server = server().await;
        let cutter = Cutter::at_byte(server.addr(), after).await;
        session(&server, &cutter).await;
        cuts += usize::from(cutter.has_cut());
    }
    println!("{cuts} of 100 sessions were cut");
    assert!(cuts > 50, "only {cuts} sessions were long enough to be cut");
}
