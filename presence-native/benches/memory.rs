//! What a connected client with one joined channel takes on the heap, beside a bare tokio-tungstenite connection.
//!
//! Counted by the allocator, the server in another process.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that can't go on stops"
)]

mod common;

use std::alloc::System;

use cap::Cap;
use common::bare::Bare;
use common::median;
use common::source::{Source, serve_if_asked};
use presence_native::{Presence, Socket};
use serde::de::IgnoredAny;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const CONNECTIONS: usize = 1_000;
const ROUNDS: usize = 3;
/// presence-native's default, so that the buffer does not decide; tungstenite's own default is 128 KiB.
const READ_BUFFER: usize = 16 << 10;

#[tokio::main(flavor = "current_thread")]
async fn measure(source: &Source) {
    // One user, who is there: an empty room would be no channel worth the name.
    let endpoint = source.endpoint(1, 0);
    let (mut bare, mut client) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (bare_bytes, client_bytes) =
            (bare_bytes(&endpoint).await, client_bytes(&endpoint).await);
        // The first round also makes what is made once.
        if round > 0 {
            bare.push(bare_bytes);
            client.push(client_bytes);
        }
    }
    let (bare, client) = (median(&mut bare), median(&mut client));
    let kib = |bytes: f64| bytes / 1024.0;
    println!("heap of a connection, KiB, of {CONNECTIONS}, medians of {ROUNDS} rounds");
    println!("  tokio-tungstenite, read and joined   {:>10.2}", kib(bare));
    println!(
        "  presence-native, one channel         {:>10.2}",
        kib(client)
    );
    println!(
        "  difference                           {:>10.2}  (aim: at most 8)",
        kib(client - bare)
    );
}

async fn bare_bytes(endpoint: &str) -> f64 {
    let before = HEAP.allocated();
    let mut all = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(4 << 10);
        let mut bare = Bare::connect(endpoint, Some(config)).await;
        bare.join().await;
        drop((bare.text().await, bare.text().await));
        all.push(bare);
    }
    each(before)
}

async fn client_bytes(endpoint: &str) -> f64 {
    let before = HEAP.allocated();
    let mut all = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let socket = Socket::builder(endpoint)
            .connect()
            .await
            .expect("a connection");
        let channel = socket.channel("room:bench");
        let presence: Presence<IgnoredAny> = channel.presence().expect("a new channel");
        channel.join().await.expect("a join");
        assert_eq!(presence.synced().await.expect("a roster").len(), 1);
        all.push((socket, channel, presence));
    }
    let bytes = each(before);
    for (socket, ..) in &all {
        socket.shutdown().await;
    }
    bytes
}

fn each(before: usize) -> f64 {
    HEAP.allocated().saturating_sub(before) as f64 / CONNECTIONS as f64
}

fn main() {
    if !serve_if_asked() {
        measure(&Source::start());
    }
}
