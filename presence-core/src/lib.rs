//! Phoenix Channels and Presence as a state machine without I/O: the decisions of phoenix.js 1.8.16, and none of its
//! sockets, timers and promises.
//!
//! It reads no clock, has no randomness of its own and opens nothing, so the same calls give the same answers wherever
//! it runs. What does the I/O is a shell: `presence-native` on tokio, `presence-wasm` in a browser, or a test with a
//! virtual clock. Whoever wants a client takes one of those. Of the standard library it needs `alloc` alone.
//!
//! # A socket by hand
//!
//! What happens is pushed in; what is to be done ([`Socket::poll_transmit`]), to be told ([`Socket::poll_event`]) and
//! to be waited for ([`Socket::poll_timeout`]) is pulled out.
//!
//! ```
//! use presence_core::codec::{CodecError, encode_text};
//! use presence_core::message::Vsn;
//! use presence_core::presence::{PresenceOptions, SyncStatus};
//! use presence_core::{
//!     ChannelState, Config, DeliveryKind, Envelope, Event, Millis, Outgoing, Socket, Transmit,
//! };
//!
//! /// What is sent. This shell carries payloads as JSON text.
//! fn frame(message: &Envelope<String>) -> Result<String, CodecError> {
//!     let text = |number: Option<u64>| number.map(|number| number.to_string());
//!     let (join_ref, message_ref) = (text(message.join_ref), text(message.message_ref));
//!     let (join_ref, message_ref) = (join_ref.as_deref(), message_ref.as_deref());
//!     let payload = message.payload.as_deref().unwrap_or("{}");
//!     let mut frame = String::new();
//!     encode_text(Vsn::V2, join_ref, message_ref, &message.topic, &message.event, payload, &mut frame)?;
//!     Ok(frame)
//! }
//!
//! let mut socket = Socket::new(Config::default());
//!
//! // It wants a connection. The shell opens a WebSocket, which takes 20 ms.
//! socket.connect(Millis(0));
//! let Some(Transmit::Connect { connection }) = socket.poll_transmit() else { panic!() };
//! socket.handle_open(Millis(20), connection, false);
//! assert_eq!(socket.poll_event(), Some(Event::Opened { connection }));
//!
//! // A join is a message to be sent.
//! let channel = socket.channel("room:lobby", Some(r#"{"device":"phone"}"#.to_owned()));
//! let presence = socket.track(channel, PresenceOptions::default());
//! let join = socket.join(Millis(20), channel, None)?;
//! let Some(Transmit::Send { message: Outgoing::Message(message), .. }) = socket.poll_transmit() else { panic!() };
//! assert_eq!(frame(&message)?, r#"["3","3","room:lobby","phx_join",{"device":"phone"}]"#);
//!
//! // The server answers, and tells who is there.
//! let reply = r#"["3","3","room:lobby","phx_reply",{"status":"ok","response":{}}]"#;
//! socket.handle_text(Millis(30), connection, Vsn::V2, reply)?;
//! assert_eq!(socket.deliveries()[0].kind, DeliveryKind::Reply(Some(join)));
//! assert_eq!(socket.channel_state(channel), ChannelState::Joined);
//! let state = r#"["3",null,"room:lobby","presence_state",{"ann":{"metas":[{"phx_ref":"a"}]}}]"#;
//! socket.handle_text(Millis(31), connection, Vsn::V2, state)?;
//! assert_eq!(socket.poll_event(), Some(Event::PresenceStatus { presence }));
//! let tracker = socket.presence(presence).expect("it is tracked");
//! assert_eq!((tracker.status(), tracker.roster().len()), (SyncStatus::Synced, 1));
//!
//! // Nothing is due before the heartbeat.
//! assert_eq!(socket.poll_timeout(), Some(Millis(30_020)));
//! socket.handle_timeout(Millis(30_020));
//! let Some(Transmit::Send { message: Outgoing::Message(message), .. }) = socket.poll_transmit() else { panic!() };
//! assert_eq!(frame(&message)?, r#"[null,"4","phoenix","heartbeat",{}]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A presence alone
//!
//! Somebody who has another way to the server's states and diffs needs no socket: [`presence::Presence`] is phoenix.js's
//! class, [`presence::Tracker`] gives values instead of callbacks.
//!
//! ```
//! use presence_core::presence::Presence;
//!
//! let mut presence = Presence::default();
//! presence.sync_state(r#"{"ann":{"metas":[{"phx_ref":"a"}]},"7":{"metas":[{"phx_ref":"b"}]}}"#)?;
//! presence.sync_diff(r#"{"joins":{"bob":{"metas":[{"phx_ref":"c"}]}},"leaves":{"ann":{"metas":[{"phx_ref":"a"}]}}}"#)?;
//! // In the order of a JavaScript object's properties.
//! let keys: Vec<_> = presence.list().map(|person| person.key()).collect();
//! assert_eq!(keys, ["7", "bob"]);
//! # Ok::<(), presence_core::presence::PresenceError>(())
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod backoff;
mod channel;
pub mod codec;
mod config;
mod error;
mod event;
mod id;
mod id_map;
pub mod json;
pub mod message;
pub mod presence;
mod push;
mod socket;
mod time;
mod timer;

pub use backoff::Backoff;
pub use channel::ChannelState;
pub use config::Config;
pub use error::{ErrorText, JoinError, PushError};
pub use event::{
    Delivery, DeliveryKind, Envelope, Event, Outgoing, ReadyState, Refusal, Transmit,
    TransportReason, Wait,
};
pub use id::{ChannelId, ConnectionId, PresenceId, PushId};
pub use socket::{FrameError, PresenceKind, PresenceUpdate, Received, Socket};
pub use time::Millis;
