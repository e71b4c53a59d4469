//! Phoenix Channels and Presence as a state machine without I/O.
#![forbid(unsafe_code)]

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
pub use error::{JoinError, PushError};
pub use event::{
    Delivery, DeliveryKind, Envelope, Event, Outgoing, ReadyState, Refusal, Transmit,
    TransportReason, Wait,
};
pub use id::{ChannelId, ConnectionId, PresenceId, PushId};
pub use socket::{FrameError, PresenceKind, PresenceUpdate, Received, Socket};
pub use time::Millis;
