//! What a socket reports to `tracing`, and what not.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::sync::{Arc, Mutex};

use common::rogue::Rogue;
use common::{builder, in_time};
use presence_native::{ChannelOptions, Payload};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

/// The lines of a subscriber.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_socket_does_is_reported_without_what_it_carries() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (secret, carried) = ("s3cret", json!({"text": "s3cret"}));
    let rogue = Rogue::start().await;
    let socket = builder(&format!("{}?key={secret}", rogue.endpoint()))
        .param("password", secret)
        .header("authorization", secret)
        .auth_token(secret)
        .build()
        .unwrap();
    let options = ChannelOptions::new().params(Payload::json(&carried).unwrap());
    let channel = socket.channel_with("room:lobby", options);
    rogue.refuse(500).await;
    let mut peer = rogue.accept().await;
    let (joined, _) = tokio::join!(in_time(channel.join()), async {
        let join = peer.recv_event("phx_join").await;
        peer.reply(&join, "ok", &carried).await;
    });
    joined.unwrap();
    let (refused, ()) = tokio::join!(in_time(channel.push("say", &carried)), async {
        let push = peer.recv_event("say").await;
        let event = json!(["1", null, "room:lobby", "said", carried]);
        peer.send(&event).await;
        peer.reply(&push, "error", &carried).await;
    });
    refused.unwrap_err();
    let shy = socket.channel("room:shy");
    let (unwelcome, ()) = tokio::join!(in_time(shy.join()), async {
        let join = peer.recv_event("phx_join").await;
        let why = json!({"reason": "its answer is told"});
        peer.reply(&join, "error", &why).await;
    });
    unwelcome.unwrap_err();
    let unreadable = r#"["1",null,"room:lobby","said",{"text":"s3cret"}"#;
    peer.send_message(Message::text(unreadable)).await;
    assert_eq!(peer.close_code().await, Some(1002));

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let endpoint = rogue.endpoint();
    for told in [
        &*format!(
            "INFO socket{{endpoint={endpoint}/websocket}}: presence_native::driver: connected"
        ),
        "WARN",
        "HTTP status 500",
        "unreadable frame",
        "DEBUG",
        "its answer is told",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    // Nor as Base64, which the token is sent as.
    for kept in [secret, "czNjcmV0", "said"] {
        assert!(!text.contains(kept), "{text}");
    }
}
