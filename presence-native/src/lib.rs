//! A Phoenix Channels and Presence client on tokio.
#![forbid(unsafe_code)]
