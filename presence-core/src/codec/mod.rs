//! Frames: between the bytes of a WebSocket message and a [`Message`].

mod binary;
mod encode;
mod last_head;
mod text;

use thiserror::Error;

pub use binary::{decode_binary, encode_binary};
pub use encode::encode_text;
pub(crate) use last_head::LastHead;
pub use text::{TextFrame, TextPayload, decode_text};

use crate::json::JsonError;
#[cfg(doc)]
use crate::message::Message;

/// A frame that cannot be read or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// A text frame is not valid JSON.
    #[error("malformed frame: {0}")]
    Json(#[from] JsonError),
    /// A text frame is not valid UTF-8.
    #[error("malformed frame: invalid UTF-8 at byte {0}")]
    Utf8(usize),
    /// A frame of the array format is no array, one of the object format no object.
    #[error("malformed frame: expected {0}")]
    NotAFrame(&'static str),
    /// A frame ends before the named field, or does not have it.
    #[error("malformed frame: no {0}")]
    Missing(&'static str),
    /// The named field is not a string. (A topic need not be one: see [`TextFrame::topic`].)
    #[error("malformed frame: {0} is not a string")]
    NotAString(&'static str),
    /// A binary frame ends within the named field.
    #[error("malformed binary frame: it ends within the {0}")]
    Truncated(&'static str),
    /// A string in a binary frame is not valid UTF-8.
    #[error("malformed binary frame: the {0} is not valid UTF-8")]
    FieldUtf8(&'static str),
    /// The first byte of a binary frame names no kind of message.
    #[error("malformed binary frame: unknown kind {0}")]
    UnknownKind(u8),
    /// A string is too long for a binary frame, which keeps its length in one byte.
    #[error("{field} is {size} bytes long, and a binary frame has room for 255")]
    FieldTooLong {
        /// `join_ref`, `ref`, `topic` or `event`.
        field: &'static str,
        /// Its length in bytes of UTF-8.
        size: usize,
    },
    /// The payload of a message to be sent is not valid JSON.
    #[error("invalid payload: {0}")]
    Payload(JsonError),
}
