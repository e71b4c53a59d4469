//! Frames: between the bytes of a WebSocket message and a [`Message`].

mod binary;
mod encode;
mod last_head;
mod text;

use alloc::string::{String, ToString};

use thiserror::Error;

pub use binary::{decode_binary, encode_binary};
pub use encode::encode_text;
pub(crate) use last_head::LastHead;
pub use text::{TextFrame, TextPayload, decode_text};

use crate::error::ErrorText;
use crate::json::JsonError;
#[cfg(doc)]
use crate::message::Message;

/// A frame that cannot be read or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum CodecError {
    /// A text frame is not valid JSON.
    Json(#[from] JsonError),
    /// A text frame is not valid UTF-8.
    Utf8(usize),
    /// A frame of the array format is no array, one of the object format no object.
    NotAFrame(&'static str),
    /// A frame ends before the named field, or does not have it.
    Missing(&'static str),
    /// The named field is not a string. (A topic need not be one: see [`TextFrame::topic`].)
    NotAString(&'static str),
    /// A binary frame ends within the named field.
    Truncated(&'static str),
    /// A string in a binary frame is not valid UTF-8.
    FieldUtf8(&'static str),
    /// The first byte of a binary frame names no kind of message.
    UnknownKind(u8),
    /// A string is too long for a binary frame, which keeps its length in one byte.
    FieldTooLong {
        /// `join_ref`, `ref`, `topic` or `event`.
        field: &'static str,
        /// Its length in bytes of UTF-8.
        size: usize,
    },
    /// The payload of a message to be sent is not valid JSON.
    Payload(JsonError),
}

impl ErrorText for CodecError {
    fn text(&self) -> String {
        let own;
        let pieces = match self {
            Self::Json(error) => {
                own = error.text();
                ["malformed frame: ", &own, ""]
            }
            Self::Utf8(at) => {
                own = at.to_string();
                ["malformed frame: invalid UTF-8 at byte ", &own, ""]
            }
            Self::NotAFrame(expected) => ["malformed frame: expected ", expected, ""],
            Self::Missing(field) => ["malformed frame: no ", field, ""],
            Self::NotAString(field) => ["malformed frame: ", field, " is not a string"],
            Self::Truncated(field) => ["malformed binary frame: it ends within the ", field, ""],
            Self::FieldUtf8(field) => {
                ["malformed binary frame: the ", field, " is not valid UTF-8"]
            }
            Self::UnknownKind(kind) => {
                own = usize::from(*kind).to_string();
                ["malformed binary frame: unknown kind ", &own, ""]
            }
            Self::FieldTooLong { field, size } => {
                own = [field, " is ", &*size.to_string()].concat();
                ["", &own, " bytes long, and a binary frame has room for 255"]
            }
            Self::Payload(error) => {
                own = error.text();
                ["invalid payload: ", &own, ""]
            }
        };
        pieces.concat()
    }
}
