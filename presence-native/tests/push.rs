//! Pushes whose connection goes away, or takes no more.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::rogue::{Peer, Rogue};
use common::{builder, in_time, until};
use presence_native::{Channel, Disconnect, PushError, Socket, SocketBuilder, SocketStatus};
use serde_json::json;

/// A channel that has joined at a server which does just what the test says.
async fn joined(
    set: impl FnOnce(SocketBuilder) -> SocketBuilder,
) -> (Rogue, Socket, Channel, Peer) {
    let rogue = Rogue::start().await;
    let socket = set(builder(&rogue.endpoint())).build().unwrap();
    let channel = socket.channel("room:lobby");
    let mut peer = rogue.accept().await;
    drop(tokio::join!(channel.join(), peer.joined()));
    (rogue, socket, channel, peer)
}

#[tokio::test]
async fn a_push_on_its_way_ends_with_its_connection_and_one_that_waits_is_sent() {
    let (rogue, _socket, channel, mut first) = joined(|builder| builder).await;
    let push = channel.push("ask", &json!(1));
    let (outcome, ()) = tokio::join!(in_time(push), async {
        first.recv_event("ask").await;
        drop(first);
    });
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the connection or the channel was lost before the reply came"
    );
    // Not connected now: this one waits.
    let (reply, _second) = tokio::join!(in_time(channel.push("ask", &json!(2))), async {
        let mut second = rogue.accept().await;
        second.joined().await;
        let ask = second.recv_event("ask").await;
        second.reply(&ask, "ok", &ask[4]).await;
        second
    });
    assert_eq!(reply.unwrap().response.as_json(), Some("2"));
}

#[tokio::test]
async fn a_server_that_does_not_read_makes_pushes_wait() {
    // For there are many of them, or for they are large.
    pushes_wait(|builder| builder.max_buffered(4)).await;
    pushes_wait(|builder| builder).await;
}

async fn pushes_wait(set: fn(SocketBuilder) -> SocketBuilder) {
    let (_rogue, _socket, channel, mut peer) = joined(set).await;
    // More than the buffers of TCP take.
    let big = bytes::Bytes::from(vec![0; 1 << 20]);
    let sent = Arc::new(AtomicUsize::new(0));
    let casting = {
        let (channel, sent) = (channel.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            for _ in 0..64 {
                channel.cast_binary("shout", big.clone()).await.unwrap();
                sent.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let mut received = 0;
    while received < 64 {
        let message = peer.message().await.unwrap();
        received += usize::from(message.is_binary());
        let ahead = sent.load(Ordering::Relaxed).saturating_sub(received);
        assert!(ahead < 50, "{ahead} MiB are queued somewhere");
    }
    in_time(casting).await.unwrap();
}

/// As after a change of network, with much under way: the pushes wait for room, and what is to end that does not.
#[tokio::test]
async fn a_reconnect_asks_for_a_sign_of_life_though_pushes_wait_for_room() {
    let short = |builder: SocketBuilder| {
        let builder = builder.heartbeat_timeout(Duration::from_millis(50));
        builder.max_buffered(4)
    };
    let (_rogue, socket, channel, _peer) = joined(short).await;
    let big = "x".repeat(1 << 20);
    let mut casting: Vec<_> = (0..64)
        .map(|_| Box::pin(channel.cast("shout", &big)))
        .collect();
    for cast in &mut casting {
        assert!(futures_util::poll!(cast).is_pending());
    }
    in_time(socket.reconnect()).await;
    let why = until(&mut socket.watch_status(), |status| !status.is_connected()).await;
    assert!(
        matches!(
            why,
            SocketStatus::Reconnecting(Disconnect::HeartbeatTimeout)
        ),
        "{why:?}"
    );
}

#[tokio::test]
async fn a_push_waits_for_room_no_longer_than_for_its_reply() {
    let (_rogue, _socket, channel, _peer) = joined(|builder| builder.max_buffered(4)).await;
    // More than the buffers of TCP and the queue to the task take together, and the server reads none of it.
    let big = "x".repeat(1 << 20);
    let mut casting: Vec<_> = (0..64)
        .map(|_| Box::pin(channel.cast("shout", &big)))
        .collect();
    for cast in &mut casting {
        assert!(futures_util::poll!(cast).is_pending());
    }
    let push = channel.push("echo", &1).timeout(Duration::from_millis(20));
    let outcome = in_time(push).await;
    assert!(matches!(outcome, Err(PushError::Timeout)), "{outcome:?}");
}
