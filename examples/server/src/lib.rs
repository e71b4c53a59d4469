//! A server that speaks Phoenix Channels and Presence, to be embedded in demos and tests. One
//! node, no persistence, one kind of channel: a room.
//!
//! It follows Phoenix 1.8 in what a client can see: envelopes, `phx_reply`, `phx_close` and
//! `phx_error`, stale join_refs, presence states and diffs with their `phx_ref`s, close codes.
//! See `README.md` beside this crate for the room's events.

mod connect;
mod http;
mod hub;
mod longpoll;
mod outbox;
mod presence;
mod presences;
mod room;
mod serializer;
mod server;
mod session;
mod websocket;

pub use connect::ConnectInfo;
pub use presence::{Meta, TrackError};
pub use presences::{Presences, Process};
pub use server::{Builder, Limits, Server};
