//! How a connection comes about, or does not.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::rogue::Rogue;
use common::{builder, in_time, server, until};
use presence_native::{
    BuildError, ChannelOptions, ConnectError, Disconnect, JoinError, Payload, Socket, SocketStatus,
    StartError, Vsn,
};
use presence_server::Server;
use serde_json::{Value, json};

fn is_reconnecting(status: &SocketStatus) -> bool {
    matches!(status, SocketStatus::Reconnecting(_))
}

#[tokio::test]
async fn params_token_and_headers_get_there() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint())
        .param("user_id", "ä&b")
        .param("device", "bot")
        .header("x-team", "blue")
        .header("x-team", "red")
        .auth_token("s3cret")
        .build()
        .unwrap();
    let peer = rogue.accept().await;
    in_time(socket.connected()).await.unwrap();
    assert_eq!(
        peer.request.uri(),
        "/socket/websocket?user_id=%C3%A4%26b&device=bot&vsn=2.0.0"
    );
    let headers = peer.request.headers();
    assert_eq!(
        headers.get_all("x-team").iter().collect::<Vec<_>>(),
        ["blue", "red"]
    );
    assert_eq!(
        headers["sec-websocket-protocol"],
        "phoenix, base64url.bearer.phx.czNjcmV0"
    );
}

#[tokio::test]
async fn a_phoenix_server_takes_the_token() {
    let server = Server::builder()
        .on_connect(|info| info.auth_token.as_deref() == Some("s3cret"))
        .start()
        .await
        .unwrap();
    let error = in_time(builder(&server.endpoint()).auth_token("wrong").connect())
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(!error.is_retryable());
    let socket = in_time(builder(&server.endpoint()).auth_token("s3cret").connect())
        .await
        .unwrap();
    let channel = socket.channel("room:lobby");
    in_time(channel.join()).await.unwrap();
    let who = in_time(channel.push("whoami", &json!({}))).await.unwrap();
    assert_eq!(who.decode::<Value>().unwrap()["auth_token"], "s3cret");
}

#[tokio::test]
async fn the_token_is_asked_for_at_each_attempt_and_may_fail() {
    let rogue = Rogue::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let socket = builder(&rogue.endpoint())
        .auth_token_with(move || {
            let number = counter.fetch_add(1, Ordering::Relaxed);
            async move {
                match number {
                    0 => Err("the vault is locked"),
                    number => Ok(format!("t0ken-{number}")),
                }
            }
        })
        .build()
        .unwrap();
    let status = until(&mut socket.watch_status(), is_reconnecting).await;
    let SocketStatus::Reconnecting(why) = status else {
        unreachable!()
    };
    assert_eq!(why.to_string(), "no auth token: the vault is locked");
    // One is refused, one gets through, each with a token of its own.
    let head = rogue.refuse(500).await;
    assert!(head.contains("dDBrZW4tMQ"), "{head}");
    let peer = rogue.accept().await;
    assert_eq!(
        peer.request.headers()["sec-websocket-protocol"],
        "phoenix, base64url.bearer.phx.dDBrZW4tMg"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_token_provider_that_panics_has_failed_one_attempt() {
    let rogue = Rogue::start().await;
    let asked = AtomicUsize::new(0);
    let socket = builder(&rogue.endpoint())
        .auth_token_with(move || {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            assert_ne!(number, 0, "a bug of the provider's");
            async move {
                assert_ne!(number, 1, "another bug, while it is awaited");
                Ok::<_, std::io::Error>(format!("t0ken-{number}"))
            }
        })
        .build()
        .unwrap();
    let status = until(&mut socket.watch_status(), is_reconnecting).await;
    let SocketStatus::Reconnecting(why) = status else {
        unreachable!()
    };
    assert_eq!(why.to_string(), "no auth token: its provider panicked");
    let peer = rogue.accept().await;
    assert_eq!(
        peer.request.headers()["sec-websocket-protocol"],
        "phoenix, base64url.bearer.phx.dDBrZW4tMg"
    );
}

#[tokio::test]
async fn a_host_header_takes_the_place_of_the_endpoint_s() {
    let rogue = Rogue::start().await;
    let connect = builder(&rogue.endpoint())
        .header("Host", "tenant.example.org")
        .connect();
    let (outcome, head) = tokio::join!(in_time(connect), rogue.refuse(403));
    assert!(outcome.is_err());
    let hosts: Vec<_> = head
        .lines()
        .filter(|line| line.to_lowercase().starts_with("host:"))
        .collect();
    assert_eq!(hosts, ["Host: tenant.example.org"]);
}

#[tokio::test]
async fn the_http_status_of_a_refusal_is_visible() {
    let rogue = Rogue::start().await;
    for (status, retryable) in [
        (401, false),
        (403, false),
        (404, false),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let (outcome, _) = tokio::join!(
            in_time(builder(&rogue.endpoint()).connect()),
            rogue.refuse(status)
        );
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.status(), error.is_retryable()),
            (Some(status), retryable)
        );
        assert_eq!(
            error.to_string(),
            format!("the server refused the connection: HTTP status {status}")
        );
    }
}

#[tokio::test]
async fn refusals_are_retried_unless_told_otherwise() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    for status in [403, 404, 401, 500] {
        rogue.refuse(status).await;
    }
    let _peer = rogue.accept().await;
    in_time(socket.connected()).await.unwrap();

    let socket = builder(&rogue.endpoint())
        .give_up_when_refused(true)
        .build()
        .unwrap();
    let channel = socket.channel("room:lobby");
    let mut join = Box::pin(channel.join());
    assert!(futures_util::poll!(&mut join).is_pending());
    rogue.refuse(500).await;
    rogue.refuse(403).await;
    let why = in_time(socket.connected()).await.unwrap_err();
    assert!(
        matches!(
            why,
            Disconnect::Connect(ConnectError::Refused { status: 403 })
        ),
        "{why}"
    );
    assert!(matches!(socket.status(), SocketStatus::Closed(_)));
    // Whoever waits is told, and whoever comes later.
    assert!(matches!(in_time(join).await, Err(JoinError::Socket(_))));
    assert!(matches!(
        in_time(channel.join()).await,
        Err(JoinError::Socket(_))
    ));
    // Asked to, it tries again, the join too.
    socket.reconnect().await;
    let mut peer = rogue.accept().await;
    in_time(socket.connected()).await.unwrap();
    let (joined, _) = tokio::join!(in_time(channel.join()), peer.joined());
    joined.unwrap();
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up_in_time() {
    let rogue = Rogue::start().await;
    let connect = builder(&rogue.endpoint())
        .connect_timeout(Duration::from_millis(50))
        .connect();
    let (outcome, _stalled) = tokio::join!(in_time(connect), rogue.tcp());
    let error = outcome.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "no connection within 50ms");
}

#[tokio::test]
async fn a_server_that_hangs_up_before_the_upgrade_may_be_tried_again() {
    let rogue = Rogue::start().await;
    let (outcome, ()) = tokio::join!(
        in_time(builder(&rogue.endpoint()).connect()),
        rogue.hang_up()
    );
    let error = outcome.unwrap_err();
    let StartError::Connect(Disconnect::Connect(ConnectError::Io(cause))) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(cause.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_is_no_websocket_server_is_told() {
    use tokio::io::AsyncWriteExt as _;
    let rogue = Rogue::start().await;
    let play = async {
        let mut stream = rogue.tcp().await;
        stream
            .write_all(b"220 mail.example.org ESMTP\r\n\r\n")
            .await
            .unwrap();
        stream
    };
    let (outcome, _stream) = tokio::join!(in_time(builder(&rogue.endpoint()).connect()), play);
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            StartError::Connect(Disconnect::Connect(ConnectError::Handshake(_)))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = in_time(builder(&format!("ws://{free}/socket")).connect())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn every_close_code_is_followed_by_a_new_connection() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:lobby");
    let mut joining = Some(Box::pin(channel.join()));
    let mut status = socket.watch_status();
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999,
    ] {
        let mut peer = rogue.accept().await;
        match joining.take() {
            Some(join) => drop(tokio::join!(join, peer.joined())),
            None => drop(peer.joined().await),
        }
        until(&mut status, SocketStatus::is_connected).await;
        peer.close(Some(code)).await;
        let lost = until(&mut status, is_reconnecting).await;
        let SocketStatus::Reconnecting(Disconnect::Closed { code: seen }) = lost else {
            panic!("after {code}: {lost:?}");
        };
        assert_eq!(seen, Some(code));
        // The client answers the close as the protocol wants it.
        assert_eq!(peer.close_code().await, Some(code));
    }
    let mut peer = rogue.accept().await;
    peer.joined().await;
    until(&mut channel.watch_status(), |status| status.is_joined()).await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed() {
    let rogue = Rogue::start().await;
    let ms = Duration::from_millis;
    let socket = builder(&rogue.endpoint())
        .heartbeat_interval(ms(20))
        .heartbeat_timeout(ms(40))
        .build()
        .unwrap();
    let mut status = socket.watch_status();
    let mut silent = rogue.accept().await;
    let heartbeat = silent.recv().await;
    assert_eq!(
        (&heartbeat[2], &heartbeat[3]),
        (&json!("phoenix"), &json!("heartbeat"))
    );
    silent.ok(&heartbeat).await;
    // The next one is not answered: the connection stays open, but nothing comes.
    assert_eq!(silent.recv().await[3], "heartbeat");
    let lost = until(&mut status, is_reconnecting).await;
    assert!(
        matches!(
            lost,
            SocketStatus::Reconnecting(Disconnect::HeartbeatTimeout)
        ),
        "{lost:?}"
    );
    let mut peer = rogue.accept().await;
    until(&mut status, SocketStatus::is_connected).await;
    assert_eq!(peer.recv().await[3], "heartbeat");
}

#[tokio::test]
async fn garbage_is_survived() {
    use tokio::io::AsyncWriteExt as _;
    use tokio_tungstenite::tungstenite::Message;
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel("room:lobby");
    let mut joining = Some(Box::pin(channel.join()));
    let mut status = socket.watch_status();
    let garbage = [
        Message::text("no JSON"),
        Message::text("[1,2]"),
        Message::text("{}"),
        Message::text("[null,null,\"room:lobby\",\"shout\",{]"),
        Message::text(""),
        Message::binary(vec![]),
        Message::binary(vec![9, 9, 9]),
        Message::binary(vec![2, 255, 255, 0]),
    ];
    for message in garbage {
        let mut peer = rogue.accept().await;
        match joining.take() {
            Some(join) => drop(tokio::join!(join, peer.joined())),
            None => drop(peer.joined().await),
        }
        until(&mut status, SocketStatus::is_connected).await;
        peer.send_message(message.clone()).await;
        let lost = until(&mut status, is_reconnecting).await;
        assert!(
            matches!(lost, SocketStatus::Reconnecting(Disconnect::Protocol(_))),
            "after {message:?}: {lost:?}"
        );
        assert_eq!(peer.close_code().await, Some(1002), "after {message:?}");
    }
    // Bytes that are no WebSocket frame.
    let mut peer = rogue.accept().await;
    peer.joined().await;
    peer.tcp().write_all(&[0xff; 64]).await.unwrap();
    let mut peer = rogue.accept().await;
    peer.joined().await;
    until(&mut channel.watch_status(), |status| status.is_joined()).await;
}

#[tokio::test]
async fn a_connection_that_ended_in_nonsense_is_not_followed_by_the_next_at_once() {
    use tokio::io::AsyncWriteExt as _;
    let rogue = Rogue::start().await;
    let longest = Duration::from_millis(100);
    let socket = builder(&rogue.endpoint())
        .reconnect_after([Duration::from_millis(1), longest])
        .max_message_bytes(1000)
        .build()
        .unwrap();
    let mut status = socket.watch_status();
    let text = |content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x81, 126, high, low], content].concat()
    };
    let mut peer = rogue.accept().await;
    for frame in [text(b"no JSON"), text(&[0xff; 4]), text(&[b'x'; 2000])] {
        until(&mut status, SocketStatus::is_connected).await;
        let begin = std::time::Instant::now();
        peer.tcp().write_all(&frame).await.unwrap();
        let lost = until(&mut status, is_reconnecting).await;
        assert!(
            matches!(lost, SocketStatus::Reconnecting(Disconnect::Protocol(_))),
            "{lost:?}"
        );
        peer = rogue.accept().await;
        assert!(
            begin.elapsed() >= longest,
            "{lost:?}: {:?}",
            begin.elapsed()
        );
    }
}

#[tokio::test]
async fn a_refusal_may_say_when_to_come_again() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    rogue.refuse_with(503, "retry-after: 1\r\n").await;
    let begin = std::time::Instant::now();
    // What is no number of seconds is not waited for, and what was asked for counts once.
    for headers in ["retry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n", ""] {
        rogue.refuse_with(429, headers).await;
        assert!(begin.elapsed() >= Duration::from_secs(1));
    }
    rogue.refuse_with(503, "retry-after: 100\r\n").await;
    let asked = |status: &SocketStatus| {
        let SocketStatus::Reconnecting(Disconnect::Connect(error)) = status else {
            return false;
        };
        matches!(error, ConnectError::RefusedFor { status: 503, retry_after } if retry_after.as_secs() == 100)
    };
    until(&mut socket.watch_status(), asked).await;
    socket.reconnect().await;
    rogue.accept().await;
}

#[tokio::test]
async fn reconnect_ends_the_wait_after_nonsense_too() {
    use tokio_tungstenite::tungstenite::Message;
    let rogue = Rogue::start().await;
    let hour = Duration::from_secs(3600);
    for waits in [vec![hour], vec![Duration::from_millis(1), hour]] {
        let socket = builder(&rogue.endpoint())
            .reconnect_after(waits)
            .build()
            .unwrap();
        let mut status = socket.watch_status();
        let mut peer = rogue.accept().await;
        until(&mut status, SocketStatus::is_connected).await;
        peer.send_message(Message::text("no JSON")).await;
        until(&mut status, is_reconnecting).await;
        // Whether the usual wait is over or not.
        let asking = async {
            loop {
                socket.reconnect().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = rogue.tcp() => {}
            () = asking => {}
        }
    }
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_the_connection() {
    let server = server().await;
    let socket = builder(&server.endpoint())
        .max_message_bytes(10_000)
        .build()
        .unwrap();
    let channel = socket.channel("room:lobby");
    in_time(channel.join()).await.unwrap();
    let mut status = socket.watch_status();
    let error = in_time(channel.push("echo", &"x".repeat(20_000)))
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
    until(&mut status, SocketStatus::is_connected).await;
    in_time(channel.push("echo", &json!("small")))
        .await
        .unwrap();
}

#[test]
fn no_runtime_is_an_error() {
    let error = Socket::builder("ws://127.0.0.1:1/socket")
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::NoRuntime), "{error}");
}

#[tokio::test]
async fn errors_name_the_setting() {
    let zero = Duration::ZERO;
    let ok = || Socket::builder("ws://127.0.0.1:1/socket");
    for (builder, field) in [
        (Socket::builder("localhost:4000"), "endpoint"),
        (ok().header("bad name", "x"), "header"),
        (ok().header("upgrade", "h2c"), "header"),
        (ok().timeout(zero), "timeout"),
        (ok().connect_timeout(zero), "connect_timeout"),
        (ok().close_timeout(zero), "close_timeout"),
        (ok().heartbeat_interval(zero), "heartbeat_interval"),
        (ok().heartbeat_timeout(Duration::MAX), "heartbeat_timeout"),
        (ok().reconnect_after([]), "reconnect_after"),
        (ok().rejoin_after([zero]), "rejoin_after"),
        (ok().jitter(1.5), "jitter"),
        (ok().jitter(f64::NAN), "jitter"),
        (ok().max_buffered(0), "max_buffered"),
        (ok().max_message_bytes(0), "max_message_bytes"),
        (ok().max_frame_bytes(0), "max_frame_bytes"),
        (ok().read_buffer_bytes(0), "read_buffer_bytes"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(
            matches!(&error, BuildError::Invalid { field: named, .. } if *named == field),
            "{field}: {error}"
        );
        assert!(
            error.to_string().starts_with(&format!("{field}: ")),
            "{error}"
        );
        assert!(!error.is_retryable());
    }
    assert!(Vsn::try_from("3.0.0").is_err());
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let rogue = Rogue::start().await;
    let secret = "s3cret";
    let builder = builder(&format!("{}?key={secret}", rogue.endpoint()))
        .param("token", secret)
        .header("authorization", secret)
        .auth_token(secret);
    let mut shown = format!(
        "{builder:?} {:?}",
        builder.clone().header("x", "s3cret\n").build()
    );
    let (outcome, head) = tokio::join!(in_time(builder.clone().connect()), rogue.refuse(403));
    assert!(
        head.contains("token=s3cret") && head.contains("authorization: s3cret"),
        "{head}"
    );
    let error = outcome.unwrap_err();
    shown += &format!("{error} {error:?}");
    let socket = builder.build().unwrap();
    let _peer = rogue.accept().await;
    in_time(socket.connected()).await.unwrap();
    let params = Payload::json(&json!({"token": secret})).unwrap();
    let options = ChannelOptions::new().params(params);
    shown += &format!("{socket:?} {options:?}");
    shown += &format!("{:?}", socket.channel_with("room:lobby", options));
    assert!(
        !shown.contains(secret) && !shown.contains("czNjcmV0"),
        "{shown}"
    );
}
