//! Misuse, as values, and what all errors have in common.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::error::Error;

/// The text of an error, as its `Display` has it, for shells that do without `core::fmt`: that alone is more wasm than
/// all of the errors.
pub trait ErrorText: Error {
    /// The text.
    fn text(&self) -> String;
}

/// Why a channel can't be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum JoinError {
    /// A channel is joined once; after that it rejoins by itself.
    AlreadyJoined,
    /// The channel was left, closed, or never this socket's.
    Closed,
}

/// Why a push was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum PushError {
    /// Nothing can be pushed before `join` was called.
    NotJoined {
        /// The event of the push.
        event: Arc<str>,
        /// The channel's topic.
        topic: Arc<str>,
    },
    /// Too many messages wait for the connection or the join already
    /// ([`Config::max_buffered`](crate::Config::max_buffered)).
    BufferFull(usize),
    /// The channel was left or closed, and pushes to it are refused
    /// (only where [`Config::push_timeout_after_disconnect`](crate::Config::push_timeout_after_disconnect) is off;
    /// phoenix.js lets them run into their timeout).
    Closed {
        /// The event of the push.
        event: Arc<str>,
    },
}

impl ErrorText for JoinError {
    fn text(&self) -> String {
        match self {
            Self::AlreadyJoined => {
                "tried to join multiple times. 'join' can only be called a single time per channel instance"
            }
            Self::Closed => "the channel is closed; make a new one with `channel`",
        }
        .to_string()
    }
}

impl ErrorText for PushError {
    fn text(&self) -> String {
        match self {
            Self::NotJoined { event, topic } => [
                "tried to push '",
                event,
                "' to '",
                topic,
                "' before joining. Use channel.join() before pushing events",
            ]
            .concat(),
            Self::BufferFull(waiting) => [
                &*waiting.to_string(),
                " messages wait for the connection already; wait for it to open, or raise `max_buffered`",
            ]
            .concat(),
            Self::Closed { event } => [
                "tried to push '",
                event,
                "' to a channel that was left or closed",
            ]
            .concat(),
        }
    }
}
