//! Joining, pushing, listening and leaving.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::rogue::Rogue;
use common::{builder, in_time, server, socket, until};
use presence_native::{
    Channel, ChannelError, ChannelOptions, ChannelStatus, CloseReason, JoinError, Lagged, Payload,
    PushError, Vsn,
};
use serde_json::{Value, json};

async fn joined(socket: &presence_native::Socket) -> Channel {
    let channel = socket.channel("room:lobby");
    in_time(channel.join()).await.unwrap();
    channel
}

#[tokio::test]
async fn a_join_brings_its_params_there_and_the_reply_back() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let params = Payload::json(&json!({"device": "phone"})).unwrap();
    let channel = socket.channel_with("room:lobby", ChannelOptions::new().params(params));
    assert_eq!(channel.status(), ChannelStatus::New);
    let reply = in_time(channel.join()).await.unwrap();
    assert!(reply.is_ok());
    assert_eq!(channel.status(), ChannelStatus::Joined);
    let who = in_time(channel.push("whoami", &json!({}))).await.unwrap();
    let who: Value = who.decode().unwrap();
    assert_eq!(who["user_id"], "alice");
    assert_eq!(who["join"], json!({"device": "phone"}));
    // A second join is answered from the first.
    assert_eq!(in_time(channel.join()).await.unwrap(), reply);
}

#[tokio::test]
async fn a_refused_join_says_why_and_is_tried_again() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:full");
    let play = async {
        let mut peer = rogue.accept().await;
        let join = peer.recv_event("phx_join").await;
        peer.reply(&join, "error", &json!({"reason": "full"})).await;
        let join = peer.recv_event("phx_join").await;
        peer.ok(&join).await;
        peer
    };
    let join = async {
        let error = in_time(channel.join()).await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(
            error.to_string(),
            "the server refused the join of 'room:full': full"
        );
        let JoinError::Refused { reply, .. } = error else {
            panic!("expected a refusal, got {error:?}");
        };
        assert_eq!(
            (&*reply.status, reply.reason().as_deref()),
            ("error", Some("full"))
        );
        in_time(channel.join()).await.unwrap();
    };
    let (_peer, ()) = tokio::join!(play, join);
}

#[tokio::test]
async fn a_join_refused_for_good_ends_the_channel_where_that_is_wanted() {
    let server = server().await;
    let socket = builder(&server.endpoint())
        .give_up_when_refused(true)
        .build()
        .unwrap();
    let channel = socket.channel("room:forbidden");
    let mut events = channel.events();
    let error = in_time(channel.join()).await.unwrap_err();
    assert!(!error.is_retryable());
    let status = until(&mut channel.watch_status(), |status| {
        matches!(status, ChannelStatus::Closed(_))
    })
    .await;
    assert!(
        matches!(status, ChannelStatus::Closed(CloseReason::Refused(reply)) if reply.reason().as_deref() == Some("forbidden"))
    );
    assert!(in_time(events.next()).await.is_none());
    assert!(matches!(
        in_time(channel.join()).await,
        Err(JoinError::Closed { .. })
    ));
    let pushed = in_time(channel.push("echo", &json!({}))).await;
    assert!(matches!(pushed, Err(PushError::Closed)));
}

#[tokio::test]
async fn an_unanswered_join_times_out_and_is_left_and_tried_again() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let options = ChannelOptions::new().timeout(Duration::from_millis(50));
    let channel = socket.channel_with("room:slow", options);
    let mut status = channel.watch_status();
    let (_peer, outcome) = tokio::join!(
        async {
            let mut peer = rogue.accept().await;
            assert_eq!(peer.recv().await[3], "phx_join");
            assert_eq!(peer.recv().await[3], "phx_leave");
            peer.joined().await;
            peer
        },
        in_time(channel.join())
    );
    assert!(matches!(outcome, Err(JoinError::Timeout { .. })));
    until(&mut status, ChannelStatus::is_joined).await;
}

#[tokio::test]
async fn pushes_end_in_a_reply_a_refusal_or_a_timeout() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let echoed = in_time(channel.push("echo", &json!({"n": [1, null, "ü"]})))
        .await
        .unwrap();
    assert_eq!(
        echoed.decode::<Value>().unwrap(),
        json!({"n": [1, null, "ü"]})
    );
    assert!(echoed.decode::<u32>().is_err());

    let error = in_time(channel.push("fail", &json!({"reason": "no"})))
        .await
        .unwrap_err();
    assert_eq!(
        error.reply().and_then(|reply| reply.reason()).as_deref(),
        Some("no")
    );

    let unanswered = channel
        .push("no_reply", &json!({}))
        .timeout(Duration::from_millis(20));
    let error = in_time(unanswered).await.unwrap_err();
    assert!(matches!(error, PushError::Timeout) && error.is_retryable());
}

#[tokio::test]
async fn bytes_go_there_and_back() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let bytes: Vec<u8> = (0..=255).collect();
    let reply = in_time(channel.push_binary("echo", bytes.clone()))
        .await
        .unwrap();
    assert_eq!(reply.response.as_binary().unwrap(), &bytes);
    let mut pushed = channel.events_named("pushed");
    in_time(channel.cast_binary("push_me", bytes.clone()))
        .await
        .unwrap();
    let message = in_time(pushed.next()).await.unwrap().unwrap();
    assert_eq!(message.payload.as_binary().unwrap(), &bytes);
    assert!(message.decode::<Value>().is_err());

    let error = in_time(channel.push_binary(&"x".repeat(256), vec![]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "event is 256 bytes long, and a binary frame has room for 255"
    );
}

#[tokio::test]
async fn vsn_1_works_but_for_bytes() {
    let server = server().await;
    let socket = builder(&server.endpoint()).vsn(Vsn::V1).build().unwrap();
    let channel = joined(&socket).await;
    let echoed = in_time(channel.push("echo", &json!({"n": 1})))
        .await
        .unwrap();
    assert_eq!(echoed.response.as_json(), Some(r#"{"n":1}"#));
    assert!(matches!(
        in_time(channel.push_binary("echo", vec![1])).await,
        Err(PushError::NoBinary)
    ));
}

#[tokio::test]
async fn events_come_to_whom_they_are_named() {
    let server = server().await;
    let (alice, bob) = (socket(&server, "alice"), socket(&server, "bob"));
    let channel = alice.channel("room:lobby");
    let (mut all, mut shouts) = (channel.events(), channel.events_named("shout"));
    in_time(channel.join()).await.unwrap();
    let other = joined(&bob).await;
    in_time(other.cast("broadcast", &json!(1))).await.unwrap();
    in_time(other.cast("shout", &json!({"body": 2})))
        .await
        .unwrap();
    let shout = in_time(shouts.next()).await.unwrap().unwrap();
    assert_eq!(
        (&*shout.event, shout.payload.as_json()),
        ("shout", Some(r#"{"body":2}"#))
    );
    let mut names = Vec::new();
    while names.last().is_none_or(|name| name != "shout") {
        names.push(
            in_time(all.next())
                .await
                .unwrap()
                .unwrap()
                .event
                .to_string(),
        );
    }
    names.retain(|name| !name.starts_with("presence_"));
    assert_eq!(names, ["broadcast", "shout"]);
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let options = ChannelOptions::new().stream_capacity(3);
    let channel = socket.channel_with("room:lobby", options);
    let mut shouts = channel.events_named("shout");
    in_time(channel.join()).await.unwrap();
    for number in 0..10 {
        in_time(channel.cast("shout", &number)).await.unwrap();
    }
    // Once this is answered all ten have come.
    in_time(channel.push("echo", &json!({}))).await.unwrap();
    assert_eq!(
        in_time(shouts.next()).await,
        Some(Err(Lagged { missed: 7 }))
    );
    for number in 7..10 {
        let shout = in_time(shouts.next()).await.unwrap().unwrap();
        assert_eq!(shout.decode::<u32>().unwrap(), number);
    }
}

#[tokio::test]
async fn a_crashed_channel_is_joined_again_and_pushes_on_their_way_are_lost() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let mut status = channel.watch_status();
    status.mark_unchanged();
    let lost = in_time(channel.push("crash", &json!({})))
        .await
        .unwrap_err();
    assert!(matches!(lost, PushError::Disconnected));
    until(&mut status, ChannelStatus::is_joined).await;
    in_time(channel.push("echo", &json!({}))).await.unwrap();
}

#[tokio::test]
async fn a_crash_is_told_before_the_rejoin() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint())
        .rejoin_after([Duration::from_secs(3600)])
        .build()
        .unwrap();
    let channel = socket.channel("room:lobby");
    let mut status = channel.watch_status();
    let (mut peer, _) = tokio::join!(
        async {
            let mut peer = rogue.accept().await;
            let join_ref = peer.joined().await;
            peer.send(&json!([join_ref, join_ref, "room:lobby", "phx_error", {}]))
                .await;
            peer
        },
        channel.join()
    );
    let errored =
        |status: &ChannelStatus| matches!(status, ChannelStatus::Errored(ChannelError::Crashed));
    until(&mut status, errored).await;
    // A lost connection does not wait for the rejoin's hour.
    drop(peer);
    peer = rogue.accept().await;
    peer.joined().await;
    until(&mut status, ChannelStatus::is_joined).await;
}

#[tokio::test]
async fn a_channel_that_the_server_closes_is_over() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let mut events = channel.events();
    in_time(channel.cast("stop", &json!({}))).await.unwrap();
    let status = until(&mut channel.watch_status(), |status| {
        matches!(status, ChannelStatus::Closed(_))
    })
    .await;
    assert!(matches!(
        status,
        ChannelStatus::Closed(CloseReason::ByServer)
    ));
    while let Some(event) = in_time(events.next()).await {
        event.unwrap();
    }
    // The topic is free for a new channel.
    joined(&socket).await;
}

#[tokio::test]
async fn leaving_ends_streams_and_frees_the_topic() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let mut events = channel.events_named("shout");
    in_time(channel.leave()).await;
    assert!(matches!(
        channel.status(),
        ChannelStatus::Closed(CloseReason::Left)
    ));
    assert!(in_time(events.next()).await.is_none());
    assert!(matches!(
        in_time(channel.join()).await,
        Err(JoinError::Closed { .. })
    ));
    let again = joined(&socket).await;
    assert_eq!(
        in_time(again.push("echo", &json!(1)))
            .await
            .unwrap()
            .response
            .as_json(),
        Some("1")
    );
}

#[tokio::test]
async fn a_channel_that_is_left_before_its_join_stays_closed() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel("room:lobby");
    in_time(channel.leave()).await;
    let error = in_time(channel.join()).await.unwrap_err();
    assert!(matches!(error, JoinError::Closed { .. }), "{error}");
    let error = in_time(channel.push("echo", &1)).await.unwrap_err();
    assert!(matches!(error, PushError::Closed), "{error}");
    let status = channel.status();
    assert_eq!(status, ChannelStatus::Closed(CloseReason::Left));
}

/// Phoenix never answers so, and phoenix.js waits for ever then.
#[tokio::test]
async fn an_answer_to_a_join_that_is_neither_ok_nor_error_is_a_refusal() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:lobby");
    let mut peer = rogue.accept().await;
    let (join, error) = tokio::join!(
        async {
            let join = peer.recv_event("phx_join").await;
            peer.reply(&join, "later", &json!({"in": 5})).await;
            peer.recv_event("phx_join").await
        },
        in_time(channel.join())
    );
    let Err(JoinError::Refused { reply, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(&*reply.status, "later");
    // And a payload that is no reply at all.
    let (error, ()) = tokio::join!(in_time(channel.join()), async {
        let answer = json!([join[0], join[1], "room:lobby", "phx_reply", "ok"]);
        peer.send(&answer).await;
    });
    let error = error.unwrap_err();
    assert!(matches!(error, JoinError::Reply { .. }), "{error}");
    let (_, joined) = tokio::join!(peer.joined(), in_time(channel.join()));
    joined.unwrap();
}

/// Also where the socket's task runs beside, on a thread of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waited_for_a_leave_finds_the_channel_closed() {
    let server = server().await;
    let socket = socket(&server, "alice");
    for round in 0..100 {
        let channel = joined(&socket).await;
        in_time(channel.leave()).await;
        let status = channel.status();
        assert!(
            matches!(status, ChannelStatus::Closed(CloseReason::Left)),
            "round {round}: {status:?}"
        );
    }
}

#[tokio::test]
async fn the_last_handle_of_a_channel_leaves_it() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:lobby");
    let (mut peer, _) = tokio::join!(
        async {
            let mut peer = rogue.accept().await;
            peer.joined().await;
            peer
        },
        channel.join()
    );
    let events = channel.events();
    drop(channel.clone());
    drop(channel);
    // The stream is a handle too.
    drop(events);
    let leave = peer.recv().await;
    assert_eq!(
        (&leave[2], &leave[3]),
        (&json!("room:lobby"), &json!("phx_leave"))
    );
}

#[tokio::test]
async fn nothing_is_pushed_before_the_join() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel("room:lobby");
    assert!(matches!(
        in_time(channel.push("echo", &1)).await,
        Err(PushError::NotJoined)
    ));
    assert!(matches!(
        in_time(channel.cast("shout", &1)).await,
        Err(PushError::NotJoined)
    ));
}

#[tokio::test]
async fn a_payload_that_is_no_json_is_told() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = in_time(channel.push("echo", &map)).await.unwrap_err();
    assert!(matches!(error, PushError::Payload(_)), "{error}");
}

#[tokio::test]
async fn dropped_futures_lose_nothing_of_others() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = joined(&socket).await;
    for number in 0..50 {
        let push = channel.push("echo", &json!(number));
        let mut push = push;
        // Polled once, so sent, and dropped.
        assert!(futures_util::poll!(&mut push).is_pending());
        drop(push);
    }
    let reply = in_time(channel.push("echo", &json!("last"))).await.unwrap();
    assert_eq!(reply.response.as_json(), Some(r#""last""#));
}

#[tokio::test]
async fn what_was_asked_of_a_channel_goes_before_its_end() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let mut peer = rogue.accept().await;
    // Often enough that it is not by luck.
    for number in 0..50 {
        let channel = socket.channel(&format!("room:{number}"));
        let (joined, _) = tokio::join!(in_time(channel.join()), peer.joined());
        joined.unwrap();
        let mut push = channel.push("bye", &json!({}));
        assert!(futures_util::poll!(&mut push).is_pending());
        drop(push);
        drop(channel);
        assert_eq!(peer.recv().await[3], "bye", "{number}");
        assert_eq!(peer.recv().await[3], "phx_leave", "{number}");
    }
}

#[tokio::test]
async fn what_waits_is_bounded() {
    // Nobody listens there: a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let socket = builder(&format!("ws://{free}/socket"))
        .max_buffered(2)
        .build()
        .unwrap();
    let channel = socket.channel("room:lobby");
    let mut join = Box::pin(channel.join());
    assert!(futures_util::poll!(&mut join).is_pending());
    let mut waiting: Vec<_> = (0..2)
        .map(|number| Box::pin(channel.push("echo", &number)))
        .collect();
    for push in &mut waiting {
        assert!(futures_util::poll!(push).is_pending());
    }
    let error = in_time(channel.push("echo", &2)).await.unwrap_err();
    assert!(matches!(error, PushError::BufferFull(2)), "{error}");
}
