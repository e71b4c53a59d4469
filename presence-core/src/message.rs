//! One message of a channel, as it came: borrowed from its frame, nothing decoded that nobody asked for.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::json::{JsonError, Scanner, members, string};

/// The version of the wire format, the `vsn` of the connection's URL.
///
/// ```
/// use presence_core::message::Vsn;
///
/// assert_eq!(Vsn::default().as_str(), "2.0.0");
/// assert_eq!(Vsn::try_from("1.0.0"), Ok(Vsn::V1));
/// assert!(Vsn::try_from("3.0.0").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Vsn {
    /// Objects, `{"topic":…,"event":…,"payload":…,"ref":…}`; no binary payloads. What a server speaks when the URL
    /// names no version.
    V1,
    /// Arrays, `[join_ref, ref, topic, event, payload]`, and binary frames. What phoenix.js speaks.
    #[default]
    V2,
}

impl Vsn {
    /// The value of the URL's `vsn` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0.0",
            Self::V2 => "2.0.0",
        }
    }
}

impl fmt::Display for Vsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A `vsn` that this library does not speak.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown protocol version {0:?}: expected \"1.0.0\" or \"2.0.0\"")]
pub struct UnknownVsn(pub String);

impl TryFrom<&str> for Vsn {
    type Error = UnknownVsn;

    fn try_from(vsn: &str) -> Result<Self, UnknownVsn> {
        match vsn {
            "1.0.0" => Ok(Self::V1),
            "2.0.0" => Ok(Self::V2),
            other => Err(UnknownVsn(other.to_owned())),
        }
    }
}

/// A `ref` or `join_ref` as the server sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ref<'a> {
    /// `null`, absent, or falsy as JavaScript sees it (`""`, `0`, `false`): phoenix.js treats them all as no ref.
    #[default]
    None,
    /// A string, as refs are.
    Str(Cow<'a, str>),
    /// Any other JSON value, as its raw text. It is no join of ours; but the reply to a push is found by its ref's text,
    /// as in phoenix.js.
    Other(&'a str),
}

impl Ref<'_> {
    /// The ref, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            Self::None | Self::Other(_) => None,
        }
    }

    /// Whether there is no ref.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// The raw text of one valid JSON value.
    Json(&'a str),
    /// The data of a binary push or broadcast.
    Binary(&'a [u8]),
    /// A reply with a binary response; see [`Reply::parse`].
    BinaryReply {
        /// The reply's status, `ok` or `error` by convention.
        status: &'a str,
        /// The reply's data.
        response: &'a [u8],
    },
}

/// One message.
///
/// ```
/// use presence_core::codec::decode_text;
/// use presence_core::message::{Payload, Ref, Vsn};
///
/// let message = decode_text(Vsn::V2, r#"["1",null,"room:lobby","shout",{"body":"hi"}]"#)?;
/// assert_eq!((message.join_ref.as_str(), &message.message_ref), (Some("1"), &Ref::None));
/// assert_eq!((&*message.topic, &*message.event), ("room:lobby", "shout"));
/// assert_eq!(message.payload, Payload::Json(r#"{"body":"hi"}"#));
/// # Ok::<(), presence_core::codec::CodecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The ref of the join that the message belongs to, if it says so.
    pub join_ref: Ref<'a>,
    /// The ref of the push that the message answers, if it does.
    pub message_ref: Ref<'a>,
    /// The topic, such as `room:lobby`.
    pub topic: Cow<'a, str>,
    /// The event, such as `presence_diff`.
    pub event: Cow<'a, str>,
    /// What the message carries.
    pub payload: Payload<'a>,
}

/// The payload of a `phx_reply`: `{"status": string, "response": any}`.
///
/// ```
/// use presence_core::codec::decode_text;
/// use presence_core::message::{Payload, Reply, Vsn};
///
/// let frame = r#"["1","2","room:lobby","phx_reply",{"status":"error","response":{"reason":"full"}}]"#;
/// let reply = Reply::parse(&decode_text(Vsn::V2, frame)?)?;
/// assert_eq!(reply.status, "error");
/// assert_eq!(reply.response, Payload::Json(r#"{"reason":"full"}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The status, `ok` or `error` by convention.
    pub status: Cow<'a, str>,
    /// The response. A reply without one has the JSON text `null`.
    pub response: Payload<'a>,
}

/// A reply that is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// The payload is not valid JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The payload is something else than `{"status": string, …}`.
    #[error("a reply without a status: expected an object with a string \"status\"")]
    NoStatus,
}

impl<'a> Reply<'a> {
    /// Reads the reply in a message's payload.
    ///
    /// # Errors
    ///
    /// When the payload is not an object with a string `status`. Such a reply still ends its push, as in phoenix.js:
    /// no callback is called, and no timeout either.
    pub fn parse(message: &Message<'a>) -> Result<Self, ReplyError> {
        Self::from_payload(&message.payload)
    }

    /// Reads the reply in a payload.
    ///
    /// # Errors
    ///
    /// As [`Reply::parse`].
    pub fn from_payload(payload: &Payload<'a>) -> Result<Self, ReplyError> {
        match *payload {
            Payload::Json(json) => Self::from_json(json),
            Payload::Binary(_) => Err(ReplyError::NoStatus),
            Payload::BinaryReply { status, response } => Ok(Self {
                status: Cow::Borrowed(status),
                response: Payload::Binary(response),
            }),
        }
    }

    fn from_json(json: &'a str) -> Result<Self, ReplyError> {
        let mut scanner = Scanner::new(json);
        scanner.skip_ws();
        if scanner.peek() != Some(b'{') {
            return Err(ReplyError::NoStatus);
        }
        let start = scanner.position();
        scanner
            .value()
            .map_err(|expected| scanner.error(expected))?;
        let (mut status, mut response) = (None, "null");
        for (name, raw) in members(scanner.slice(start, scanner.position()), 1) {
            match &*name {
                "status" => status = string(raw),
                "response" => response = raw,
                _ => {}
            }
        }
        let status = status.ok_or(ReplyError::NoStatus)?;
        Ok(Self {
            status,
            response: Payload::Json(response),
        })
    }
}
