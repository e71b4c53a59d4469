//! How sockets end, and what their handles may do meanwhile.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::rogue::{Peer, Rogue};
use common::{builder, in_time, server, socket, until};
use presence_native::{
    Channel, ChannelStatus, CloseReason, Disconnect, JoinError, Presence, PresenceError,
    PresenceStatus, PushError, Socket, SocketStatus,
};
use serde_json::{Value, json};

/// A socket with a joined channel, and its other end.
async fn connected(rogue: &Rogue) -> (Socket, Channel, Peer) {
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:lobby");
    let mut peer = rogue.accept().await;
    let (joined, _) = tokio::join!(in_time(channel.join()), peer.joined());
    joined.unwrap();
    (socket, channel, peer)
}

#[tokio::test]
async fn shutdown_sends_what_is_queued_and_says_goodbye() {
    let rogue = Rogue::start().await;
    let (socket, channel, mut peer) = connected(&rogue).await;
    let unjoined = socket.channel("room:other");
    let presence: Presence<Value> = unjoined.presence().unwrap();
    let mut unjoined_events = unjoined.events();
    let mut casts: Vec<_> = (0..20)
        .map(|number| {
            let channel = channel.clone();
            Box::pin(async move { channel.cast("shout", &number).await })
        })
        .collect();
    for cast in &mut casts {
        assert!(futures_util::poll!(cast).is_pending());
    }
    let mut unanswered = channel.push("ask", &json!({}));
    let mut events = channel.events();
    let play = async {
        for number in 0..20 {
            assert_eq!(peer.recv_event("shout").await[4], number);
        }
        assert_eq!(peer.close_code().await, Some(1000));
    };
    // Asked for twice, it ends once.
    tokio::join!(play, in_time(socket.shutdown()), in_time(socket.shutdown()));
    for cast in casts {
        in_time(cast).await.unwrap();
    }
    assert!(matches!(
        socket.status(),
        SocketStatus::Closed(Disconnect::Shutdown)
    ));
    assert!(matches!(
        channel.status(),
        ChannelStatus::Closed(CloseReason::Shutdown)
    ));
    assert!(in_time(events.next()).await.is_none());
    assert!(matches!(
        in_time(&mut unanswered).await,
        Err(PushError::Closed)
    ));
    // What comes later is told so.
    assert!(matches!(
        in_time(channel.cast("shout", &1)).await,
        Err(PushError::Closed)
    ));
    assert!(matches!(
        in_time(channel.join()).await,
        Err(JoinError::Socket(Disconnect::Shutdown))
    ));
    assert!(matches!(
        in_time(socket.connected()).await,
        Err(Disconnect::Shutdown)
    ));
    in_time(channel.leave()).await;
    in_time(socket.reconnect()).await;
    in_time(socket.shutdown()).await;
    // Nor does anybody wait for what a channel that was never joined would bring, before or after.
    assert!(in_time(unjoined_events.next()).await.is_none());
    assert_eq!(presence.status(), PresenceStatus::Closed);
    let late = socket.channel("room:late");
    assert!(in_time(late.events().next()).await.is_none());
    assert_eq!(late.presence::<Value>().unwrap_err(), PresenceError::Closed);
}

#[tokio::test]
async fn pushes_without_a_reply_end_with_the_socket() {
    let rogue = Rogue::start().await;
    let (socket, channel, mut peer) = connected(&rogue).await;
    let (outcome, ()) = tokio::join!(in_time(channel.push("ask", &json!({}))), async {
        peer.recv_event("ask").await;
        tokio::join!(in_time(socket.shutdown()), peer.close_code());
    });
    assert!(
        matches!(outcome, Err(PushError::Disconnected)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn the_last_handle_closes_cleanly() {
    let rogue = Rogue::start().await;
    let (socket, channel, mut peer) = connected(&rogue).await;
    let status = socket.watch_status();
    drop(socket);
    // A channel is a handle of its socket, and so is a stream of a channel.
    let events = channel.events();
    drop(channel);
    assert!(status.borrow().is_connected());
    drop(events);
    assert_eq!(peer.close_code().await, Some(1000));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_the_close_is_not_waited_for() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint())
        .close_timeout(Duration::from_millis(30))
        .build()
        .unwrap();
    let _silent = rogue.accept().await;
    in_time(socket.connected()).await.unwrap();
    in_time(socket.shutdown()).await;
}

#[tokio::test]
async fn a_socket_that_is_connecting_shuts_down_too() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let stalled = rogue.tcp().await;
    in_time(socket.shutdown()).await;
    drop(stalled);
    // And one that waits for its next attempt.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let socket = builder(&format!("ws://{free}/socket"))
        .reconnect_after([Duration::from_secs(3600)])
        .build()
        .unwrap();
    until(&mut socket.watch_status(), |status| {
        matches!(status, SocketStatus::Reconnecting(_))
    })
    .await;
    in_time(socket.shutdown()).await;
}

#[tokio::test]
async fn dropping_connect_drops_the_connection() {
    let rogue = Rogue::start().await;
    let mut connecting = Box::pin(builder(&rogue.endpoint()).connect());
    assert!(futures_util::poll!(&mut connecting).is_pending());
    let mut stream = rogue.tcp().await;
    drop(connecting);
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    in_time(read).await.unwrap();
}

#[tokio::test]
async fn reconnect_ends_a_wait() {
    let server = server().await;
    let socket = builder(&server.endpoint())
        .reconnect_after([Duration::from_secs(3600)])
        .build()
        .unwrap();
    in_time(socket.connected()).await.unwrap();
    let mut status = socket.watch_status();
    server.cut_connections();
    until(&mut status, |status| {
        matches!(status, SocketStatus::Reconnecting(_))
    })
    .await;
    socket.reconnect().await;
    until(&mut status, SocketStatus::is_connected).await;
}

#[tokio::test]
async fn handles_work_from_many_tasks_at_once() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel("room:lobby");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let channel = channel.clone();
        tasks.spawn(async move {
            channel.join().await.unwrap();
            let reply = channel.push("echo", &json!(number)).await.unwrap();
            assert_eq!(reply.decode::<u32>().unwrap(), number);
        });
    }
    while let Some(done) = in_time(tasks.join_next()).await {
        done.unwrap();
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn handles_outlive_their_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (socket, channel, mut events) = runtime.block_on(async {
        let server = server().await;
        let socket = socket(&server, "alice");
        let channel = socket.channel("room:lobby");
        in_time(channel.join()).await.unwrap();
        let events = channel.events_named("shout");
        (socket, channel, events)
    });
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    other.block_on(async {
        assert!(matches!(
            socket.status(),
            SocketStatus::Closed(Disconnect::Shutdown)
        ));
        assert!(in_time(events.next()).await.is_none());
        assert!(matches!(
            in_time(channel.push("echo", &1)).await,
            Err(PushError::Closed)
        ));
        assert!(in_time(channel.join()).await.is_err());
        in_time(socket.shutdown()).await;
    });
}

#[test]
fn handles_work_where_there_are_no_timers() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (_server, channel) = runtime.block_on(async {
        let server = server().await;
        let channel = socket(&server, "alice").channel("room:lobby");
        (server, channel)
    });
    let other = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    other.block_on(async {
        channel.join().await.unwrap();
        channel.push("echo", &1).await.unwrap();
        channel.leave().await;
    });
}

#[test]
fn futures_and_handles_can_go_anywhere() {
    fn send<T: Send>(_: &T) {}
    fn all<T: Send + Sync + Clone + 'static>() {}
    fn sent<T: Send + 'static>() {}
    struct NotSend(std::marker::PhantomData<*const ()>);
    all::<Socket>();
    all::<Channel>();
    // Whatever the metas are: none is ever kept decoded.
    all::<Presence<NotSend, NotSend>>();
    all::<presence_native::Snapshot<NotSend, NotSend>>();
    all::<presence_native::Change<NotSend, NotSend>>();
    sent::<presence_native::Changes<NotSend, NotSend>>();
    sent::<presence_native::Events>();
    #[expect(clippy::no_effect_underscore_binding, reason = "only its types matter")]
    let _never_run = |socket: Socket, channel: Channel, presence: Presence<Value>| {
        send(&socket.connected());
        send(&socket.shutdown());
        send(&socket.reconnect());
        send(&channel.join());
        send(&channel.leave());
        send(&channel.push("x", &1));
        send(&channel.cast("x", &1));
        send(&presence.synced());
        send(&presence.changes().next());
        send(&channel.events().next());
        send(&builder("x").connect());
    };
}
