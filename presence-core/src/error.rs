//! Misuse, as values.

use std::sync::Arc;

/// Why a channel can't be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A channel is joined once; after that it rejoins by itself.
    #[error(
        "tried to join multiple times. 'join' can only be called a single time per channel instance"
    )]
    AlreadyJoined,
    /// The channel was left, closed, or never this socket's.
    #[error("the channel is closed; make a new one with `channel`")]
    Closed,
}

/// Why a push was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// Nothing can be pushed before `join` was called.
    #[error(
        "tried to push '{event}' to '{topic}' before joining. Use channel.join() before pushing events"
    )]
    NotJoined {
        /// The event of the push.
        event: Arc<str>,
        /// The channel's topic.
        topic: Arc<str>,
    },
    /// Too many messages wait for the connection or the join already
    /// ([`Config::max_buffered`](crate::Config::max_buffered)).
    #[error(
        "{0} messages wait for the connection already; wait for it to open, or raise `max_buffered`"
    )]
    BufferFull(usize),
    /// The channel was left or closed, and pushes to it are refused
    /// (only where [`Config::push_timeout_after_disconnect`](crate::Config::push_timeout_after_disconnect) is off;
    /// phoenix.js lets them run into their timeout).
    #[error("tried to push '{event}' to a channel that was left or closed")]
    Closed {
        /// The event of the push.
        event: Arc<str>,
    },
}
