//! A Phoenix Channels and Presence client on tokio.
#![forbid(unsafe_code)]

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
pub use presence_core::message::Vsn;
pub use push::Push;
pub use socket::{Socket, SocketStatus};
pub use transport::Tls;
