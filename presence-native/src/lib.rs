//! A Phoenix Channels and Presence client on tokio, for bots, services and desktop apps.
//!
//! One connection to a Phoenix server, any number of channels over it, and of each channel who is there. What is lost
//! is opened, joined and brought up to date again by itself, as phoenix.js 1.8.16 does it.
//!
//! ```
//! use presence_native::Socket;
//!
//! #[derive(serde::Deserialize)]
//! struct Meta {
//!     online_at: String,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let endpoint = "ws://localhost:4000/socket";
//! #   let server = presence_server::Server::builder().start().await?;
//! #   let endpoint = server.endpoint();
//!     let socket = Socket::builder(endpoint).param("user_id", "alice").connect().await?;
//!     let channel = socket.channel("room:lobby");
//!     let presence = channel.presence::<Meta>()?;
//!     channel.join().await?;
//!     for person in &presence.synced().await? {
//!         for meta in person.metas() {
//!             println!("{} is here since {}", person.key(), meta?.online_at);
//!         }
//!     }
//!     socket.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! # Connecting
//!
//! [`Socket::builder`] takes the URL that phoenix.js gets. [`connect`](SocketBuilder::connect) waits for the first
//! attempt, and says why it failed. [`build`](SocketBuilder::build) gives the socket at once, which then tries for as
//! long as it takes; joins and pushes wait for it.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder();
//! # let server = server.on_connect(|info| info.auth_token.as_deref() == Some("fresh")).start().await?;
//! # let endpoint = server.endpoint();
//! use std::time::Duration;
//! use presence_native::Socket;
//!
//! async fn token() -> Result<String, std::io::Error> {
//!     Ok("fresh".to_owned())
//! }
//!
//! let socket = Socket::builder(&endpoint)
//!     .param("user_id", "alice") // for connect/3 of the server's socket
//!     .auth_token_with(token) // asked for at each attempt, and sent beside the URL
//!     .heartbeat_interval(Duration::from_secs(15))
//!     .connect()
//!     .await?;
//!
//! let refused = Socket::builder(&endpoint).auth_token("stale").connect().await.unwrap_err();
//! assert_eq!(refused.status(), Some(403));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! `wss://` and `https://` URLs are encrypted, by default with rustls and the roots that the operating system trusts;
//! [`Tls`] chooses otherwise, and adds authorities of your own. A heartbeat goes out every 30 s and is waited for 10 s,
//! which makes 40 s until a dead connection is noticed ([`heartbeat_interval`](SocketBuilder::heartbeat_interval),
//! [`heartbeat_timeout`](SocketBuilder::heartbeat_timeout)).
//!
//! # Channels
//!
//! [`Socket::channel`] makes a channel and tells the server nothing; [`join`](Channel::join) does, and gives its answer
//! or its refusal. From then on the channel is kept joined, also if it was refused, until it is left.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! use presence_native::{ChannelOptions, JoinError, Payload, Socket};
//! use serde_json::json;
//!
//! #[derive(serde::Deserialize)]
//! struct Echo {
//!     n: u32,
//! }
//!
//! let socket = Socket::builder(&endpoint).connect().await?;
//! let options = ChannelOptions::new().params(Payload::json(&json!({"device": "bot"}))?);
//! let channel = socket.channel_with("room:lobby", options);
//! let mut shouts = channel.events_named("shout"); // made before the join, it misses none
//! channel.join().await?;
//!
//! // With a reply, as a type of yours. `push_binary` sends bytes.
//! let echo: Echo = channel.push("echo", &json!({"n": 1})).await?.decode()?;
//! assert_eq!(echo.n, 1);
//!
//! // Without one.
//! channel.cast("shout", &json!({"body": "hi"})).await?;
//! while let Some(shout) = shouts.next().await {
//!     match shout {
//!         Ok(shout) => println!("{:?}", shout.payload),
//!         Err(lagged) => println!("read too slowly: {lagged}"),
//!     }
//! #   break;
//! }
//!
//! match socket.channel("room:forbidden").join().await {
//!     Err(JoinError::Refused { reply, .. }) => assert_eq!(reply.reason().as_deref(), Some("forbidden")),
//!     other => panic!("{other:?}"),
//! }
//!
//! assert!(channel.status().is_joined()); // `watch_status` tells of each change
//! channel.leave().await; // or drop it, with all that was made from it
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Presence
//!
//! [`Channel::presence`] follows who is there. It is made before the join, since the server sends the whole state right
//! after it. Metas are read as your own type when you ask for them, and one that does not fit is an error by itself.
//!
//! - [`snapshot`](Presence::snapshot) and [`get`](Presence::get) look now, [`synced`](Presence::synced) waits until the
//!   roster is the server's. A [`Snapshot`] is cheap to take and does not change.
//! - [`changes`](Presence::changes) is a stream of what happens: one [`Change`] for each frame and person.
//! - [`status`](Presence::status) says how far to rely on it: [`PresenceStatus`].
//! - [`on_join`](Presence::on_join), [`on_leave`](Presence::on_leave) and [`on_sync`](Presence::on_sync) are called as
//!   phoenix.js calls them, which for most programs is harder to use than `changes`.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! use presence_native::{ChangeKind, Socket};
//!
//! #[derive(serde::Deserialize)]
//! struct Meta {
//!     status: Option<String>,
//! }
//!
//! let socket = Socket::builder(&endpoint).param("user_id", "alice").connect().await?;
//! let channel = socket.channel("room:lobby");
//! let presence = channel.presence::<Meta>()?;
//! channel.join().await?;
//! assert!(presence.synced().await?.get("alice").is_some());
//!
//! let mut changes = presence.changes();
//! let mut roster = changes.start().clone(); // who was there when the stream began
//! # let mut bob = server.presences().process();
//! # bob.track("room:lobby", "bob", serde_json::Map::new())?;
//! while let Some(change) = changes.next().await {
//!     match change {
//!         Ok(change) => match change.kind() {
//!             ChangeKind::Joined => println!("{} joined by {} devices", change.key(), change.joined().len()),
//!             ChangeKind::Updated => println!("{} does something else now", change.key()),
//!             ChangeKind::Left => println!("{} left", change.key()),
//!         },
//!         // Read too slowly: this many changes are missing, and here is what they led to.
//!         Err(lagged) => roster = lagged.snapshot,
//!     }
//! #   break;
//! }
//! # assert!(presence.get("bob").is_some() && roster.get("bob").is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # When the network goes
//!
//! | | [`Socket::status`] | [`Channel::status`] | [`Presence::status`] |
//! |---|---|---|---|
//! | all is well | `Connected` | `Joined` | `Synced` |
//! | the connection is lost | `Reconnecting` and why | `Errored(Disconnected)` | `Stale` |
//! | it is back | `Connected` | `Joining`, then `Joined` | `Stale`, then `Synced` |
//! | the channel's process crashed | `Connected` | `Errored(Crashed)`, then `Joining` | `Stale` |
//! | the socket is shut down | `Closed(Shutdown)` | `Closed(Shutdown)` | `Closed` |
//!
//! - It connects again after phoenix.js's waits, a random part of them cut off
//!   ([`reconnect_after`](SocketBuilder::reconnect_after), [`jitter`](SocketBuilder::jitter)), and joins all channels
//!   again. It never stops trying, unless [`give_up_when_refused`](SocketBuilder::give_up_when_refused) is set.
//! - Streams go on. A push that was on its way ends with [`PushError::Disconnected`] and is not repeated; one that is
//!   made meanwhile waits for the join, or for its timeout.
//! - A roster stays as last known. The state that follows the rejoin brings it up to date, and what changed meanwhile
//!   comes as changes of the cause [`Resync`](Cause::Resync).
//! - No diff is lost on the way: those that come before their state are held back until it is there, and where one
//!   can't be read, or too many would be held back, the state is asked for anew.
//! - A half-open connection, where nothing comes and nothing fails, ends with [`Disconnect::HeartbeatTimeout`].
//!   [`Socket::reconnect`] asks for a sign of life now, and ends a wait.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! use std::time::Duration;
//! use presence_native::{Cause, PresenceStatus, Socket, SocketStatus};
//!
//! let socket = Socket::builder(&endpoint)
//!     .reconnect_after([Duration::from_secs(3600)]) // for this example
//!     .build()?;
//! let channel = socket.channel("room:lobby");
//! let presence = channel.presence::<serde_json::Value>()?;
//! channel.join().await?;
//! presence.synced().await?;
//! let mut changes = presence.changes();
//! let mut status = socket.watch_status();
//!
//! // The connection breaks, and bob comes.
//! # server.cut_connections();
//! status.wait_for(|status| matches!(status, SocketStatus::Reconnecting(_))).await?;
//! assert_eq!(presence.status(), PresenceStatus::Stale);
//! # let mut bob = server.presences().process();
//! # bob.track("room:lobby", "bob", serde_json::Map::new())?;
//!
//! // The program learns that there is a network again, and need not wait for an hour.
//! socket.reconnect().await;
//! assert!(presence.synced().await?.get("bob").is_some());
//! while let Some(change) = changes.next().await {
//!     let change = change?;
//!     assert_eq!(change.cause(), Cause::Resync);
//!     if change.key() == "bob" {
//!         break;
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Shutting down
//!
//! [`Socket::shutdown`] sends what is queued, says goodbye and waits for the end, within
//! [`close_timeout`](SocketBuilder::close_timeout). Streams end then, and whoever waits for something gets an error. A
//! socket whose last handle is dropped does the same on its own, as long as its runtime runs: before the end of `main`,
//! wait for `shutdown`.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! use presence_native::Socket;
//!
//! let socket = Socket::builder(&endpoint).connect().await?;
//! let channel = socket.channel("room:lobby");
//! let mut events = channel.events();
//! channel.join().await?;
//!
//! socket.shutdown().await;
//! while let Some(event) = events.next().await {
//!     println!("came before the end: {:?}", event?);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Errors
//!
//! | | says why | comes from |
//! |---|---|---|
//! | [`StartError`] | there is no socket: one of the next two | [`connect`](SocketBuilder::connect) |
//! | [`BuildError`] | a setting is not usable, and which | [`build`](SocketBuilder::build) |
//! | [`Disconnect`] | there is no connection | [`SocketStatus`], [`connected`](Socket::connected) |
//! | [`ConnectError`] | an attempt failed, with the HTTP status | [`Disconnect::Connect`] |
//! | [`JoinError`] | a channel is not joined, with the server's reply | [`join`](Channel::join) |
//! | [`PushError`] | there is no reply, with the refusal if it is one | [`push`](Channel::push), [`cast`](Channel::cast) |
//! | [`PresenceError`] | there is no roster | [`presence`](Channel::presence), [`synced`](Presence::synced) |
//! | [`DecodeError`] | something is not of the type asked for | `decode`, [`metas`](Entry::metas), [`extra`](Entry::extra) |
//! | [`Lagged`], [`ChangesLagged`] | items are missing from a stream | [`Events`], [`Changes`] |
//!
//! Those of sockets, joins and pushes have `is_retryable`: whether the same may succeed later.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! use presence_native::{Channel, PushError, Reply, Socket};
//! use serde_json::json;
//!
//! /// Pushes again where it may help. It may arrive twice then.
//! async fn insist(channel: &Channel, event: &str) -> Result<Reply, PushError> {
//!     loop {
//!         match channel.push(event, &json!({})).await {
//!             Err(error) if error.is_retryable() => println!("once more: {error}"),
//!             done => return done,
//!         }
//!     }
//! }
//!
//! # let socket = Socket::builder(&endpoint).connect().await?;
//! # let channel = socket.channel("room:lobby");
//! # channel.join().await?;
//! assert!(insist(&channel, "echo").await?.is_ok());
//! let refused = insist(&channel, "fail").await.unwrap_err();
//! assert_eq!(refused.reply().map(|reply| &*reply.status), Some("error"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Cancel safety
//!
//! Every future may be dropped at any time, by [`tokio::select!`] or a timeout. Streams lose nothing then. A join goes
//! on, and the next call picks up its answer. A push is sent or not, whole or not at all, and its reply is ignored. Each
//! function says it in detail.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = presence_server::Server::builder().start().await?;
//! # let endpoint = server.endpoint();
//! # use presence_native::Socket;
//! # let socket = Socket::builder(&endpoint).connect().await?;
//! # let channel = socket.channel("room:lobby");
//! # let presence = channel.presence::<serde_json::Value>()?;
//! # let (mut changes, mut events) = (presence.changes(), channel.events());
//! # channel.join().await?;
//! loop {
//!     tokio::select! {
//!         Some(change) = changes.next() => println!("{:?}", change?.kind()),
//!         Some(event) = events.next() => println!("{}", event?.event),
//!         else => break, // the channel is over
//!     }
//! #   socket.shutdown().await;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Tracing
//!
//! All that a socket does on its own is reported to [`tracing`], in the span `socket` with its `endpoint` (without
//! parameters): connections at `info`, what goes wrong at `warn`, the states of channels at `debug`. No parameter,
//! header, token or payload is in it, but for the server's answer to a join that it refused. tungstenite, below, writes
//! whole messages to `log` at `trace`.
//!
//! # Features
//!
//! | | | default |
//! |---|---|---|
//! | `rustls-native-roots` | `wss://` by rustls, trusting what the operating system trusts | yes |
//! | `rustls-webpki-roots` | `wss://` by rustls, trusting Mozilla's roots, compiled in | |
//! | `native-tls` | `wss://` by the operating system's own TLS (OpenSSL on Linux) | |
//! | `proxy` | connections through an HTTP proxy, by CONNECT: `SocketBuilder::proxy` | |
//!
//! They add up: of the first three, the first that is on is the default of [`Tls`]. Without any there is `ws://` alone.
//!
//! # Rust version
//!
//! Rust 1.95 or newer.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod channel;
mod driver;
mod endpoint;
mod error;
mod events;
mod message;
mod presence;
mod push;
mod queue;
mod socket;
mod transport;

pub use builder::{SocketBuilder, StartError};
pub use channel::{Channel, ChannelError, ChannelOptions, ChannelStatus, CloseReason};
pub use error::{
    BuildError, ConnectError, DecodeError, Disconnect, JoinError, Lagged, PresenceError, PushError,
};
pub use events::Events;
pub use message::{Message, Payload, Reply};
pub use presence::{
    Cause, Change, ChangeItem, ChangeKind, Changes, ChangesLagged, Entry, HeldLimit, Iter,
    Presence, PresenceOptions, PresenceStatus, Snapshot,
};
#[doc(inline)]
pub use presence_core::codec::CodecError;
#[doc(inline)]
pub use presence_core::message::{ReplyError, UnknownVsn, Vsn};
pub use push::Push;
pub use socket::{Socket, SocketStatus};
pub use transport::Tls;
