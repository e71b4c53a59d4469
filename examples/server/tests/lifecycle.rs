//! How connections begin and end.

mod common;

use std::time::Duration;

use common::{Client, binary_push, in_time, joining, refusal, server, until};
use presence_server::{Limits, Server};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn unknown_versions_are_refused() {
    let server = server().await;
    for vsn in ["3.0.0", "abc", "2", "2.0", "2.1.0", "2.0.0.0", ""] {
        let result = Client::connect_with(&server, &format!("vsn={vsn}")).await;
        assert_eq!(refusal(result), 403, "{vsn}");
    }
    for vsn in ["1.0.0", "1.0.7", "2.0.0", "2.0.9"] {
        let result = Client::connect_with(&server, &format!("vsn={vsn}")).await;
        assert!(result.is_ok(), "{vsn}");
    }
}

#[tokio::test]
async fn connect_may_refuse() {
    let server = Server::builder()
        .on_connect(|info| {
            info.params
                .get("token")
                .is_some_and(|token| token == "good")
        })
        .start()
        .await
        .unwrap();
    let result = Client::connect_with(&server, "vsn=2.0.0&token=bad").await;
    assert_eq!(refusal(result), 403);
    let result = Client::connect_with(&server, "vsn=2.0.0&token=good&reject=1").await;
    assert_eq!(refusal(result), 403);
    let mut good = Client::connect_with(&server, "vsn=2.0.0&token=good")
        .await
        .unwrap();
    good.assert_quiet().await;
    assert_eq!(server.connection_count(), 1);
}

#[tokio::test]
async fn auth_token_comes_in_the_subprotocols() {
    let server = server().await;
    let query = "vsn=2.0.0&user_id=alice&lang=de";
    // "?>~ÿ" has both characters in which the two base64 alphabets differ.
    let protocols = "phoenix, base64url.bearer.phx.Pz5+w78";
    let mut alice = Client::connect_as(&server, query, Some(protocols))
        .await
        .unwrap();
    alice.join("1", "room:a").await;
    alice.send(json!(["1", "2", "room:a", "whoami", {}])).await;
    let response = alice.recv().await[4]["response"].take();
    let expected = json!({
        "user_id": "alice",
        "params": { "vsn": "2.0.0", "user_id": "alice", "lang": "de" },
        "auth_token": "?>~ÿ",
        "join": {},
    });
    assert_eq!(response, expected);
    for protocols in ["phoenix, base64url.bearer.phx.*", "mqtt"] {
        let result = Client::connect_as(&server, query, Some(protocols)).await;
        assert_eq!(refusal(result), 403, "{protocols}");
    }
}

#[tokio::test]
async fn clients_without_user_id_are_different_guests() {
    let server = server().await;
    let mut first = Client::connect_with(&server, "vsn=2.0.0").await.unwrap();
    first.join("1", "room:a").await;
    let mut second = Client::connect_with(&server, "vsn=2.0.0").await.unwrap();
    let state = second.join("1", "room:a").await;
    let keys: Vec<_> = state.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.starts_with("guest-")), "{keys:?}");
}

#[tokio::test]
async fn malformed_frames_close_with_1011() {
    let server = server().await;
    let texts = [
        "hello",
        "",
        r#""x""#,
        r#"{"topic":"room:a","event":"echo","payload":{},"ref":"5"}"#,
        r#"["1","2","room:a","echo"]"#,
        r#"["1","2","room:a","echo",{"s":"\ud800"}]"#,
        r#"["1","2","room:a","echo",{"n":1e999}]"#,
    ];
    let binaries = [
        Vec::new(),
        vec![7, 1, 2, 3],
        binary_push(["1", "2", "room:a", "echo"], b"")[..12].to_vec(),
        vec![0, 1, 1, 2, 2, b'1', b'2', 0xff, 0xfe, b'A', b'B', 1],
    ];
    let messages = texts.map(Message::text).into_iter();
    for message in messages.chain(binaries.map(Message::binary)) {
        let mut alice = Client::joined(&server, "alice", "room:a").await;
        alice.send_message(message.clone()).await;
        assert_eq!(alice.close_code().await, Some(1011), "{message:?}");
    }
    let mut old = Client::connect_with(&server, "vsn=1.0.0").await.unwrap();
    old.send(json!(["1", "1", "room:a", "phx_join", {}])).await;
    assert_eq!(old.close_code().await, Some(1011));
}

#[tokio::test]
async fn idle_connections_close_with_1002() {
    let mut limits = Limits::default();
    limits.idle_timeout = Duration::from_millis(500);
    let server = Server::builder().limits(limits).start().await.unwrap();
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    // What the server sends doesn't count.
    alice
        .send(json!(["1", "2", "room:a", "slow", { "ms": 20 }]))
        .await;
    alice.recv().await;
    assert_eq!(alice.close_code().await, Some(1002));
}

#[tokio::test]
async fn too_large_frames_close_with_1009() {
    let mut limits = Limits::default();
    limits.max_frame_bytes = 1_000;
    let server = Server::builder().limits(limits).start().await.unwrap();
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send(json!(["1", "2", "room:a", "echo", "x".repeat(900)]))
        .await;
    assert_eq!(alice.recv().await[1], "2");
    alice
        .send(json!(["1", "3", "room:a", "echo", "x".repeat(1_000)]))
        .await;
    assert_eq!(alice.close_code().await, Some(1009));
}

#[tokio::test]
async fn limits_may_be_as_good_as_none() {
    let mut limits = Limits::default();
    limits.idle_timeout = Duration::MAX;
    limits.long_poll_window = Duration::MAX;
    limits.max_queued_frames = usize::MAX;
    limits.max_queued_bytes = usize::MAX;
    let server = Server::builder().limits(limits).start().await.unwrap();
    Client::joined(&server, "alice", "room:a").await;
    let poll = b"GET /socket/longpoll?vsn=2.0.0 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut polling = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    polling.write_all(poll).await.unwrap();
    let mut answer = String::new();
    in_time(polling.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains(r#""status":410"#), "{answer}");
}

#[tokio::test]
async fn clients_that_do_not_read_are_cut_off() {
    let mut limits = Limits::default();
    limits.max_queued_bytes = 1_000_000;
    let server = Server::builder().limits(limits).start().await.unwrap();
    let mut fast = Client::joined(&server, "fast", "room:a").await;
    let slow = Client::joined(&server, "slow", "room:a").await;
    fast.recv().await;
    let news = json!("x".repeat(100_000));
    // The kernel's buffers take some megabytes before anything waits in the server.
    for sent in 0.. {
        assert!(
            sent < 10_000,
            "a gigabyte and the slow client is still there"
        );
        server.broadcast("room:a", "news", &news);
        let message = fast.recv().await;
        if message[3] == "presence_diff" {
            assert!(message[4]["leaves"]["slow"].is_object());
            break;
        }
    }
    until(|| server.connection_count() == 1).await;
    drop(slow);
}

#[tokio::test]
async fn disconnect_closes_all_of_a_user_with_1001() {
    let server = server().await;
    let mut first = Client::joined(&server, "alice", "room:a").await;
    let mut second = Client::joined(&server, "alice", "room:a").await;
    let mut bob = Client::joined(&server, "bob", "room:b").await;
    assert_eq!(server.disconnect("alice"), 2);
    assert_eq!(first.close_code().await, Some(1001));
    assert_eq!(second.close_code().await, Some(1001));
    bob.send(json!(["1", "2", "room:b", "disconnect_me", {}]))
        .await;
    assert_eq!(bob.close_code().await, Some(1001));
}

#[tokio::test]
async fn client_close_is_answered_in_kind() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice
        .send_message(Message::Close(Some(
            tokio_tungstenite::tungstenite::protocol::CloseFrame {
                code: 1000.into(),
                reason: "".into(),
            },
        )))
        .await;
    assert_eq!(alice.close_code().await, Some(1000));
    assert_eq!(server.presences().list("room:a"), json!({}));
}

#[tokio::test]
async fn shutdown_closes_with_1012_and_restarts_on_the_same_port() {
    let server = server().await;
    let addr = server.addr();
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    let stopped = tokio::spawn(server.shutdown());
    assert_eq!(alice.close_code().await, Some(1012));
    let builder = in_time(stopped).await.unwrap();
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    let server = builder.start().await.unwrap();
    assert_eq!(server.addr(), addr);
    let state = Client::connect(&server, "alice")
        .await
        .join("1", "room:a")
        .await;
    assert_eq!(state["alice"]["metas"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn kill_breaks_connections_without_goodbye() {
    let server = server().await;
    let addr = server.addr();
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    let mut bob = Client::joined(&server, "bob", "room:a").await;
    alice.recv().await;
    let builder = in_time(server.kill()).await;
    assert!(bob.recv_message().await.is_none());
    assert!(alice.recv_message().await.is_none());
    assert_eq!(builder.start().await.unwrap().addr(), addr);
}

/// On one thread the server is told of the connections, which wait in the kernel with all they ask, and is killed before
/// it takes them.
#[tokio::test]
async fn a_killed_server_serves_nobody_who_was_about_to_be_accepted() {
    for _ in 0..20 {
        let server = server().await;
        let mut clients: Vec<_> = std::iter::repeat_with(|| joining(&server))
            .take(20)
            .collect();
        tokio::task::yield_now().await;
        in_time(server.kill()).await;
        for client in &mut clients {
            let mut answer = Vec::new();
            // Ended or reset: whichever it is, it is over.
            let _ = in_time(client.read_to_end(&mut answer)).await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(!answer.contains("phx_reply"), "{answer}");
        }
    }
}

#[tokio::test]
async fn cut_connections_break_while_the_server_goes_on() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    server.cut_connections();
    assert_eq!(alice.close_code().await, None);
    let state = Client::connect(&server, "alice")
        .await
        .join("1", "room:a")
        .await;
    assert_eq!(state["alice"]["metas"].as_array().map(Vec::len), Some(1));
}
