//! Who comes and goes in a room: the README's program. `cargo run -p presence-native --example room [URL]`
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use presence_native::Socket;

#[derive(serde::Deserialize)]
struct Meta {
    online_at: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or("ws://127.0.0.1:4000/socket".into());
    let socket = Socket::builder(url)
        .param("user_id", "carol")
        .connect()
        .await?;
    let channel = socket.channel("room:lobby");
    let presence = channel.presence::<Meta>()?;
    let mut changes = presence.changes();
    channel.join().await?;

    while let Some(change) = changes.next().await {
        let change = change?;
        for meta in change.joined() {
            println!("{} is here since {}", change.key(), meta?.online_at);
        }
        if change.after().is_none() {
            println!("{} left", change.key());
        }
    }
    Ok(())
}
