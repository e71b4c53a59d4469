//! Through an HTTP proxy.
#![cfg(feature = "proxy")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use common::{builder, in_time, server};
use presence_native::{BuildError, ConnectError, Disconnect, StartError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy for one connection. It wants this `Proxy-Authorization`, and gives the head of the request.
async fn proxy(wanted: Option<&'static str>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        if wanted.is_some_and(|wanted| !head.contains(wanted)) {
            client
                .write_all(b"HTTP/1.1 407 Who are you\r\n\r\n")
                .await
                .unwrap();
            return head;
        }
        let target = head.split(' ').nth(1).unwrap();
        let mut server = TcpStream::connect(target).await.unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        head
    });
    (url, task)
}

#[tokio::test]
async fn a_connection_goes_through_the_proxy() {
    let server = server().await;
    let (url, task) = proxy(None).await;
    let socket = in_time(builder(&server.endpoint()).proxy(url).connect())
        .await
        .unwrap();
    in_time(socket.channel("room:lobby").join()).await.unwrap();
    in_time(socket.shutdown()).await;
    let head = in_time(task).await.unwrap();
    assert!(
        head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.addr())),
        "{head}"
    );
}

#[tokio::test]
async fn a_proxy_gets_its_password_or_refuses() {
    let server = server().await;
    // "user:pass:word"
    let wanted = "Basic dXNlcjpwYXNzOndvcmQ=";
    let (url, _task) = proxy(Some(wanted)).await;
    let socket = builder(&server.endpoint()).proxy_with_password(url, "user", "pass:word");
    assert!(!format!("{socket:?}").contains("pass"));
    in_time(socket.connect()).await.unwrap();

    let (url, _task) = proxy(Some(wanted)).await;
    let error = in_time(builder(&server.endpoint()).proxy(url).connect())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StartError::Connect(Disconnect::Connect(ConnectError::Proxy(_)))
        ),
        "{error:?}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_is_no_proxy_is_named() {
    for url in [
        "",
        "localhost",
        "https://localhost:1",
        "http://",
        "http://alice:s3cret@localhost:1",
    ] {
        let error = builder("ws://localhost:1/socket")
            .proxy(url)
            .build()
            .unwrap_err();
        assert!(
            matches!(error, BuildError::Invalid { field: "proxy", .. }),
            "{url:?}: {error}"
        );
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
