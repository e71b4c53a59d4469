//! Presence frames through a client, and the join of a large room, beside tokio-tungstenite and serde_json alone.
//!
//! Everything runs on one thread, the server in another process; rounds take turns, and medians are compared.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that can't go on stops"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use common::bare::Bare;
use common::median;
use common::source::{Source, serve_if_asked};
use presence_native::{Channel, Presence, Socket};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::sync::Notify;

const USERS: usize = 100;
const FRAMES: usize = 100_000;
const LARGE_ROOM: usize = 10_000;
const ROUNDS: usize = 9;
/// tungstenite's default, for all; presence-native's own is smaller, for the sake of memory.
const READ_BUFFER: usize = 128 << 10;

#[tokio::main(flavor = "current_thread")]
async fn measure(source: &Source) {
    let busy = source.endpoint(USERS, FRAMES);
    let large = source.endpoint(LARGE_ROOM, 0);
    let mut frames = [const { Vec::new() }; 3];
    let mut joins = [const { Vec::new() }; 2];
    for round in 0..=ROUNDS {
        let rates = [
            bare_frames(&busy, |_| {}).await,
            bare_frames(&busy, parse).await,
            client_frames(&busy).await,
        ];
        let times = [bare_join(&large).await, client_join(&large).await];
        // The first round finds nothing warm.
        if round > 0 {
            for (all, rate) in frames.iter_mut().zip(rates) {
                all.push(rate);
            }
            for (all, time) in joins.iter_mut().zip(times) {
                all.push(time);
            }
        }
    }
    let [read, parsed, client] = frames.each_mut().map(|rates| median(rates));
    println!("diffs a second, of {FRAMES} in a room of {USERS}, medians of {ROUNDS} rounds");
    println!("  tokio-tungstenite, only reading      {read:>10.0}");
    println!("  tokio-tungstenite, parsed to Value   {parsed:>10.0}");
    println!("  presence-native                      {client:>10.0}");
    println!(
        "  presence-native / parsed             {:>10.2}  (aim: at least 1.2)",
        client / parsed
    );
    println!("  frames lost                                   0  (a loss ends the bench)");
    let [parsed, client] = joins.each_mut().map(|times| median(times));
    println!("\nfrom the join to the roster of {LARGE_ROOM}, ms");
    println!("  tokio-tungstenite, parsed to Value   {parsed:>10.2}");
    println!("  presence-native                      {client:>10.2}");
    println!(
        "  presence-native / parsed             {:>10.2}  (aim: at most 1.5)",
        client / parsed
    );
}

fn parse(text: &str) {
    drop(serde_json::from_str::<Value>(text).expect("JSON"));
}

/// The reply, the state and the diffs, each handed to `look`.
async fn bare_frames(endpoint: &str, look: fn(&str)) -> f64 {
    let mut bare = Bare::connect(endpoint, None).await;
    let start = Instant::now();
    bare.join().await;
    for _ in 0..FRAMES + 2 {
        look(&bare.text().await);
    }
    FRAMES as f64 / start.elapsed().as_secs_f64()
}

/// A client that is connected, and has not joined.
async fn client(endpoint: &str) -> (Socket, Channel, Presence<IgnoredAny>) {
    let socket = Socket::builder(endpoint)
        .read_buffer_bytes(READ_BUFFER)
        .connect()
        .await
        .expect("a connection");
    let channel = socket.channel("room:bench");
    let presence: Presence<IgnoredAny> = channel.presence().expect("a new channel");
    (socket, channel, presence)
}

async fn client_frames(endpoint: &str) -> f64 {
    let (socket, channel, presence) = client(endpoint).await;
    let (seen, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (count, tell) = (Arc::clone(&seen), Arc::clone(&done));
    presence.on_sync(move || {
        // One for the state.
        if count.fetch_add(1, Ordering::Relaxed) == FRAMES {
            tell.notify_one();
        }
    });
    let start = Instant::now();
    channel.join().await.expect("a join");
    done.notified().await;
    let took = start.elapsed();
    assert_eq!(seen.load(Ordering::Relaxed), FRAMES + 1, "frames were lost");
    let roster = presence.snapshot();
    assert_eq!(roster.len(), USERS);
    for number in FRAMES..FRAMES + USERS {
        let entry = roster
            .get(&format!("user-{}", number % USERS))
            .expect("everybody is there");
        let newest = format!(r#""phx_ref":"{number}""#);
        assert!(
            entry.len() == 1 && entry.json().contains(&newest),
            "{entry:?} lacks {newest}"
        );
    }
    socket.shutdown().await;
    FRAMES as f64 / took.as_secs_f64()
}

async fn bare_join(endpoint: &str) -> f64 {
    let mut bare = Bare::connect(endpoint, None).await;
    let start = Instant::now();
    bare.join().await;
    parse(&bare.text().await);
    let state: Value = serde_json::from_str(&bare.text().await).expect("JSON");
    let took = start.elapsed();
    assert_eq!(
        state[4].as_object().map(|state| state.len()),
        Some(LARGE_ROOM)
    );
    took.as_secs_f64() * 1e3
}

async fn client_join(endpoint: &str) -> f64 {
    let (socket, channel, presence) = client(endpoint).await;
    let start = Instant::now();
    channel.join().await.expect("a join");
    let roster = presence.synced().await.expect("a roster");
    let took = start.elapsed();
    assert_eq!(roster.len(), LARGE_ROOM);
    socket.shutdown().await;
    took.as_secs_f64() * 1e3
}

fn main() {
    if !serve_if_asked() {
        measure(&Source::start());
    }
}
