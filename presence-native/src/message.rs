//! What channels carry, owned.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use presence_core::message::{self as wire, ReplyError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::DecodeError;

/// The content of a message: JSON text, decoded when asked for, or bytes. Cheap to clone.
///
/// ```
/// use presence_native::Payload;
///
/// let payload = Payload::json(&("hello", 1))?;
/// assert_eq!(payload.as_json(), Some(r#"["hello",1]"#));
/// assert_eq!(payload.decode::<(String, u8)>().unwrap(), ("hello".to_owned(), 1));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Content);

#[derive(Clone, PartialEq, Eq)]
enum Content {
    Json(Arc<str>),
    Binary(Bytes),
}

impl Payload {
    /// `value` as JSON.
    ///
    /// # Errors
    ///
    /// When serde_json can't express it: a map with keys that are no strings, or a `Serialize` that fails.
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        Ok(Self(Content::Json(serde_json::to_string(value)?.into())))
    }

    /// Bytes as they are.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Binary(bytes.into()))
    }

    /// The JSON text, if it is JSON.
    pub fn as_json(&self) -> Option<&str> {
        match &self.0 {
            Content::Json(text) => Some(text),
            Content::Binary(_) => None,
        }
    }

    /// The bytes, if it is binary.
    pub fn as_binary(&self) -> Option<&Bytes> {
        match &self.0 {
            Content::Json(_) => None,
            Content::Binary(bytes) => Some(bytes),
        }
    }

    /// Reads the JSON as a `T`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Json`] if it has another shape, [`DecodeError::Binary`] if it is no JSON.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let text = self.as_json().ok_or(DecodeError::Binary)?;
        Ok(serde_json::from_str(text)?)
    }

    pub(crate) fn from_wire(payload: &wire::Payload<'_>) -> Self {
        Self(match *payload {
            wire::Payload::Json(text) => Content::Json(text.into()),
            wire::Payload::Binary(bytes)
            | wire::Payload::BinaryReply {
                response: bytes, ..
            } => Content::Binary(Bytes::copy_from_slice(bytes)),
        })
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::Json(text) => f.write_str(text),
            Content::Binary(bytes) => write!(f, "{bytes:?}"),
        }
    }
}

/// An event that the server, or through it another client, sent to a channel. Cheap to clone.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::Socket;
/// use serde_json::json;
///
/// #[derive(serde::Deserialize)]
/// struct Shout {
///     body: String,
/// }
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// let mut events = channel.events();
/// channel.join().await?;
/// channel.cast("shout", &json!({"body": "hi"})).await?;
/// while let Some(message) = events.next().await {
///     let message = message?;
///     match &*message.event {
///         "shout" => {
///             println!("{}", message.decode::<Shout>()?.body);
///             break;
///         }
///         other => println!("{other}: {:?}", message.payload),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The event's name, such as `shout`.
    pub event: Arc<str>,
    /// What it carries.
    pub payload: Payload,
}

impl Message {
    /// Reads the JSON payload as a `T`.
    ///
    /// # Errors
    ///
    /// As [`Payload::decode`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.payload.decode()
    }
}

/// The server's answer to a push or a join. Cheap to clone.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{PushError, Socket};
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// channel.join().await?;
///
/// let reply = channel.push("echo", &json!([1, 2])).await?;
/// assert!(reply.is_ok());
/// assert_eq!(reply.decode::<Vec<u8>>()?, [1, 2]);
///
/// // A reply of another status than `ok` comes as an error.
/// match channel.push("fail", &json!({"reason": "too loud"})).await {
///     Err(PushError::Refused(reply)) => {
///         assert_eq!((&*reply.status, reply.reason().as_deref()), ("error", Some("too loud")));
///         assert_eq!(reply.to_string(), "too loud");
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// `ok`, `error`, or whatever the server's channel says.
    pub status: Arc<str>,
    /// What it answers: `{}` most often, and `{"reason": "…"}` for a refusal.
    pub response: Payload,
}

impl Reply {
    pub(crate) fn from_wire(message: &wire::Message<'_>) -> Result<Self, ReplyError> {
        let reply = wire::Reply::parse(message)?;
        Ok(Self {
            status: (*reply.status).into(),
            response: Payload::from_wire(&reply.response),
        })
    }

    /// Whether the status is `ok`.
    pub fn is_ok(&self) -> bool {
        &*self.status == "ok"
    }

    /// Reads the JSON response as a `T`.
    ///
    /// # Errors
    ///
    /// As [`Payload::decode`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.response.decode()
    }

    /// The response's `reason`, where Phoenix puts why it refused.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        #[derive(serde::Deserialize)]
        struct Refusal<'a> {
            #[serde(borrow)]
            reason: Cow<'a, str>,
        }
        let refusal: Refusal<'_> = serde_json::from_str(self.response.as_json()?).ok()?;
        Some(refusal.reason)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.status, self.response)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => f.write_str(&reason),
            None => write!(f, "{self:?}"),
        }
    }
}
