//! What can go wrong, one enum a concern.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use presence_core::message::ReplyError;
use thiserror::Error;

use crate::message::Reply;

type SharedError = Arc<dyn StdError + Send + Sync>;

/// Why a socket can't be made from what its builder was told.
///
/// ```
/// use presence_native::{BuildError, Socket};
///
/// let outside = Socket::builder("ws://localhost:4000/socket").build();
/// assert!(matches!(outside, Err(BuildError::NoRuntime)));
///
/// # let runtime = tokio::runtime::Runtime::new().unwrap();
/// let _guard = runtime.enter();
/// match Socket::builder("ws://localhost:4000/socket").jitter(2.0).build() {
///     Err(BuildError::Invalid { field, .. }) => assert_eq!(field, "jitter"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting is not usable.
    #[error("{field}: {problem}")]
    Invalid {
        /// The builder's method that took it.
        field: &'static str,
        /// What is wrong with it. Never the value of a header or a token.
        problem: String,
    },
    /// A socket lives on a task of a tokio runtime, and there is none here.
    #[error("no tokio runtime: build the socket within one, such as under #[tokio::main]")]
    NoRuntime,
    /// The roots or the backend of TLS could not be set up.
    #[error("tls: {0}")]
    Tls(SharedError),
}

impl BuildError {
    pub(crate) fn invalid(field: &'static str, problem: impl ToString) -> Self {
        Self::Invalid {
            field,
            problem: problem.to_string(),
        }
    }

    /// Never: it is the program that has to change.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Why a connection did not come about.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ConnectError, Disconnect, Socket, StartError};
///
/// // The embedded server refuses those who ask for it.
/// match Socket::builder(&endpoint).param("reject", "1").connect().await {
///     Err(StartError::Connect(Disconnect::Connect(error))) => {
///         assert!(matches!(error, ConnectError::Refused { status: 403 }));
///         assert!(!error.is_retryable());
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server answered the upgrade with this HTTP status.
    #[error("the server refused the connection: HTTP status {status}")]
    Refused {
        /// 403 is what Phoenix says when `connect/3` refuses, or to an unknown `vsn`. Redirects are not followed, as in
        /// browsers: 301, say, is a refusal too.
        status: u16,
    },
    /// It did, with a `Retry-After` of so many seconds: the next attempt waits as long, but no longer than five minutes.
    #[error("the server refused the connection for {retry_after:?}: HTTP status {status}")]
    RefusedFor {
        /// Mostly 429 or 503.
        status: u16,
        /// What it asks for.
        retry_after: Duration,
    },
    /// It took longer than [`connect_timeout`](crate::SocketBuilder::connect_timeout).
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// The host was not found, or TCP failed, or the connection ended before the handshakes of TLS (by rustls) and of
    /// WebSocket were over.
    #[error("cannot reach the server: {0}")]
    Io(Arc<io::Error>),
    /// TLS failed: most often a certificate that is not trusted.
    #[error("TLS failed: {0}")]
    Tls(SharedError),
    /// The proxy did not open a tunnel.
    #[error("the proxy failed: {0}")]
    Proxy(SharedError),
    /// What answered does not speak WebSocket.
    #[error("not a WebSocket server: {0}")]
    Handshake(String),
    /// The [token provider](crate::SocketBuilder::auth_token_with) failed.
    #[error("no auth token: {0}")]
    Token(SharedError),
    /// The socket was shut down meanwhile.
    #[error("the socket is shut down")]
    Shutdown,
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl ConnectError {
    /// The HTTP status of a refused upgrade.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status } | Self::RefusedFor { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same attempt may succeed later. Not if the server refused with 401, 403 or 404, if TLS or the
    /// handshake failed, or if the socket is shut down.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { status } | Self::RefusedFor { status, .. } => {
                !matches!(status, 401 | 403 | 404)
            }
            Self::Timeout(_) | Self::Io(_) | Self::Proxy(_) | Self::Token(_) => true,
            Self::Tls(_) | Self::Handshake(_) | Self::Shutdown => false,
        }
    }
}

/// Why a socket is not connected.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{Disconnect, Socket, SocketStatus};
///
/// # let hour = std::time::Duration::from_secs(3600);
/// let socket = Socket::builder(&endpoint).param("user_id", "alice");
/// # let socket = socket.reconnect_after([hour]);
/// let socket = socket.connect().await?;
/// # // Once the server answers, it counts the connection.
/// # socket.channel("room:lobby").join().await?;
/// let mut status = socket.watch_status();
///
/// // The server does what `Endpoint.broadcast("users_socket:alice", "disconnect", %{})` does.
/// # server.disconnect("alice");
/// match &*status.wait_for(|status| !status.is_connected()).await? {
///     SocketStatus::Reconnecting(why @ Disconnect::Closed { code }) => {
///         assert_eq!((*code, why.is_retryable()), (Some(1001), true));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The connection did not come about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server closed it.
    #[error("the server closed the connection{}", Code(*code))]
    Closed {
        /// The close code, if it gave one. Phoenix: 1001 for a `disconnect` broadcast, 1002 when idle for too long,
        /// 1011 for a malformed frame, 1012 when it shuts down.
        code: Option<u16>,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(Arc<io::Error>),
    /// The server broke the WebSocket protocol, or sent a message beyond the
    /// [limit](crate::SocketBuilder::max_message_bytes).
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// A heartbeat was not answered in time.
    #[error("the server did not answer a heartbeat")]
    HeartbeatTimeout,
    /// The program asked for it.
    #[error("the socket is shut down")]
    Shutdown,
}

struct Code(Option<u16>);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(code) => write!(f, " with code {code}"),
            None => Ok(()),
        }
    }
}

impl Disconnect {
    /// Whether connecting again may help.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(error) => error.is_retryable(),
            Self::Closed { code } => !matches!(code, Some(1008)),
            Self::Io(_) | Self::Protocol(_) | Self::HeartbeatTimeout => true,
            Self::Shutdown => false,
        }
    }

    /// Whether both are the same happening.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Why a channel was not joined.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{JoinError, Socket};
///
/// let socket = Socket::builder(&endpoint).build()?;
/// match socket.channel("room:forbidden").join().await {
///     Ok(reply) => println!("joined: {:?}", reply.response),
///     Err(error @ JoinError::Refused { .. }) => {
///         assert_eq!(error.to_string(), "the server refused the join of 'room:forbidden': forbidden");
///         assert!(!error.is_retryable());
///     }
///     Err(other) => println!("not yet, or not any more: {other}"),
/// }
/// # assert!(socket.channel("room:forbidden").join().await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The server answered with something else than `ok`.
    #[error("the server refused the join of '{topic}': {reply}")]
    Refused {
        /// The channel's topic.
        topic: Arc<str>,
        /// Its answer, mostly `{"reason": …}`.
        reply: Reply,
    },
    /// The server's answer is no reply. The channel goes on trying.
    #[error("a malformed answer to the join of '{topic}': {error}")]
    Reply {
        /// The channel's topic.
        topic: Arc<str>,
        /// What is wrong with it.
        error: ReplyError,
    },
    /// No answer within the channel's timeout. The channel goes on trying.
    #[error("no answer to the join of '{topic}' in time")]
    Timeout {
        /// The channel's topic.
        topic: Arc<str>,
    },
    /// The channel was left, or closed by the server, for good.
    #[error("the channel '{topic}' is closed")]
    Closed {
        /// The channel's topic.
        topic: Arc<str>,
    },
    /// The socket has given up or is shut down.
    #[error("no connection: {0}")]
    Socket(Disconnect),
}

impl JoinError {
    /// Whether joining later may succeed. A refusal is final if its reason is `unauthorized`, `forbidden` or
    /// `unmatched topic`.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { reply, .. } => !reply.reason().is_some_and(|reason| {
                matches!(&*reason, "unauthorized" | "forbidden" | "unmatched topic")
            }),
            Self::Timeout { .. } => true,
            Self::Closed { .. } | Self::Reply { .. } => false,
            Self::Socket(disconnect) => disconnect.is_retryable(),
        }
    }

    /// The server's answer, if it refused.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused { reply, .. } => Some(reply),
            _ => None,
        }
    }
}

/// Why a push has no reply, or was not sent.
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
/// match channel.push("fail", &json!({"reason": "too loud"})).await {
///     Ok(reply) => println!("{:?}", reply.response),
///     Err(PushError::Refused(reply)) => assert_eq!(reply.reason().as_deref(), Some("too loud")),
///     Err(PushError::Disconnected) => println!("it may have taken effect or not"),
///     Err(error) if error.is_retryable() => println!("later: {error}"),
///     Err(error) => println!("never: {error}"),
/// }
/// # assert!(channel.push("fail", &json!({})).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PushError {
    /// The server answered with another status than `ok`.
    #[error("the server answered: {0}")]
    Refused(Reply),
    /// No answer in time, or no connection to send it over.
    #[error("no answer in time")]
    Timeout,
    /// The connection, or the channel's process, was lost before the reply: whether it took effect is unknown. Also the
    /// end of what waits for its turn when the channel is left.
    #[error("the connection or the channel was lost before the reply came")]
    Disconnected,
    /// Nothing can be pushed before [`join`](crate::Channel::join) was called.
    #[error("pushed before the channel was joined")]
    NotJoined,
    /// Too many messages wait for the connection or the join already
    /// ([`max_buffered`](crate::SocketBuilder::max_buffered)).
    #[error("{0} messages wait for the connection already")]
    BufferFull(usize),
    /// The channel was left, or closed by the server, or the socket is shut down.
    #[error("the channel is closed")]
    Closed,
    /// Binary messages came with vsn 2.0.0, and this socket speaks 1.0.0.
    #[error("vsn 1.0.0 has no binary messages")]
    NoBinary,
    /// The payload is not to be expressed as JSON.
    #[error("the payload is not JSON: {0}")]
    Payload(#[from] serde_json::Error),
    /// The server's reply has no status.
    #[error("a malformed reply: {0}")]
    Reply(#[from] ReplyError),
    /// The message does not fit into a frame.
    #[error(transparent)]
    Frame(#[from] presence_core::codec::CodecError),
}

impl PushError {
    /// Whether the same push may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout | Self::Disconnected | Self::BufferFull(_) => true,
            Self::Refused(_)
            | Self::NotJoined
            | Self::Closed
            | Self::NoBinary
            | Self::Payload(_)
            | Self::Reply(_)
            | Self::Frame(_) => false,
        }
    }

    /// The server's answer, if it refused.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused(reply) => Some(reply),
            _ => None,
        }
    }
}

/// Why there is no roster.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{PresenceError, Socket};
/// use serde_json::Value;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<Value>()?;
/// channel.join().await?;
/// assert_eq!(channel.presence::<Value>().unwrap_err(), PresenceError::TooLate);
///
/// channel.leave().await;
/// assert_eq!(presence.synced().await.unwrap_err(), PresenceError::Closed);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresenceError {
    /// The channel was joined already, and the state that the server sent after that is gone. Make the presence
    /// first, or a new channel.
    #[error("the channel was joined before its presence was made")]
    TooLate,
    /// The channel is over: left, closed by the server, or its socket shut down.
    #[error("the channel is closed")]
    Closed,
}

/// A payload, meta or extra that does not have the shape asked for.
///
/// ```
/// use presence_native::{DecodeError, Payload};
///
/// let payload = Payload::json("one")?;
/// assert!(matches!(payload.decode::<u8>(), Err(DecodeError::Json(_))));
/// let payload = Payload::binary(vec![1]);
/// assert!(matches!(payload.decode::<u8>(), Err(DecodeError::Binary)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is JSON, but of another shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is binary, where JSON was asked for.
    #[error("the payload is binary, not JSON")]
    Binary,
}

/// Items that a slow reader missed.
///
/// Streams hold a bounded number of items. When one is full, the oldest items make room, and the reader is told here
/// how many they were before it gets the rest.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChannelOptions, Lagged, Socket};
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel_with("room:lobby", ChannelOptions::new().stream_capacity(2));
/// let mut shouts = channel.events_named("shout");
/// channel.join().await?;
/// for number in 1..=5 {
///     channel.cast("shout", &number).await?;
/// }
/// channel.push("echo", &json!({})).await?; // all five have come back before its reply
///
/// assert_eq!(shouts.next().await, Some(Err(Lagged { missed: 3 })));
/// let shout = shouts.next().await.expect("the channel goes on")?;
/// assert_eq!(shout.decode::<u8>()?, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{missed} items were dropped since they were read too slowly")]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

#[cfg(test)]
mod tests {
    use presence_core::codec::CodecError;

    use super::*;
    use crate::StartError;
    use crate::message::Payload;

    fn reply(response: &str) -> Reply {
        Reply {
            status: "error".into(),
            response: serde_json::from_str::<&serde_json::value::RawValue>(response)
                .and_then(Payload::json)
                .unwrap_or_else(|error| unreachable!("{error}")),
        }
    }

    /// As one prints an error with all that is under it.
    #[test]
    fn what_does_not_fit_is_told_once() {
        let decoded = Payload::json("one").map(|payload| payload.decode::<u8>());
        let Ok(Err(error)) = decoded else {
            unreachable!("a text is no number")
        };
        assert!(error.source().is_none(), "{error}");
    }

    #[test]
    fn each_error_says_whether_to_try_again() {
        let topic = || Arc::<str>::from("room:lobby");
        let io = || io::Error::from(io::ErrorKind::ConnectionReset);
        let shared = || -> SharedError { Arc::new(io()) };
        let json = || serde_json::Error::io(io());
        let status = |status| ConnectError::Refused { status };
        let closed = |code| Disconnect::Closed { code };
        let refused = |response| JoinError::Refused {
            topic: topic(),
            reply: reply(response),
        };
        let table = [
            (BuildError::invalid("jitter", "x").is_retryable(), false),
            (BuildError::NoRuntime.is_retryable(), false),
            (BuildError::Tls(shared()).is_retryable(), false),
            (status(401).is_retryable(), false),
            (status(403).is_retryable(), false),
            (status(404).is_retryable(), false),
            (status(429).is_retryable(), true),
            (status(503).is_retryable(), true),
            (ConnectError::Timeout(Duration::ZERO).is_retryable(), true),
            (ConnectError::from(io()).is_retryable(), true),
            (ConnectError::Tls(shared()).is_retryable(), false),
            (ConnectError::Proxy(shared()).is_retryable(), true),
            (ConnectError::Handshake("x".into()).is_retryable(), false),
            (ConnectError::Token(shared()).is_retryable(), true),
            (ConnectError::Shutdown.is_retryable(), false),
            (Disconnect::from(status(403)).is_retryable(), false),
            (Disconnect::from(status(503)).is_retryable(), true),
            (closed(None).is_retryable(), true),
            (closed(Some(1001)).is_retryable(), true),
            (closed(Some(1008)).is_retryable(), false),
            (Disconnect::Io(Arc::new(io())).is_retryable(), true),
            (Disconnect::Protocol("x".into()).is_retryable(), true),
            (Disconnect::HeartbeatTimeout.is_retryable(), true),
            (Disconnect::Shutdown.is_retryable(), false),
            (
                StartError::from(BuildError::NoRuntime).is_retryable(),
                false,
            ),
            (StartError::from(Disconnect::Shutdown).is_retryable(), false),
            (StartError::from(closed(None)).is_retryable(), true),
            (refused("{}").is_retryable(), true),
            (refused(r#"{"reason":"full"}"#).is_retryable(), true),
            (
                refused(r#"{"reason":"unauthorized"}"#).is_retryable(),
                false,
            ),
            (refused(r#"{"reason":"forbidden"}"#).is_retryable(), false),
            (
                refused(r#"{"reason":"unmatched topic"}"#).is_retryable(),
                false,
            ),
            (JoinError::Timeout { topic: topic() }.is_retryable(), true),
            (JoinError::Closed { topic: topic() }.is_retryable(), false),
            (
                JoinError::Reply {
                    topic: topic(),
                    error: ReplyError::NoStatus,
                }
                .is_retryable(),
                false,
            ),
            (JoinError::Socket(closed(None)).is_retryable(), true),
            (
                JoinError::Socket(Disconnect::Shutdown).is_retryable(),
                false,
            ),
            (PushError::Refused(reply("{}")).is_retryable(), false),
            (PushError::Timeout.is_retryable(), true),
            (PushError::Disconnected.is_retryable(), true),
            (PushError::NotJoined.is_retryable(), false),
            (PushError::BufferFull(1).is_retryable(), true),
            (PushError::Closed.is_retryable(), false),
            (PushError::NoBinary.is_retryable(), false),
            (PushError::Payload(json()).is_retryable(), false),
            (PushError::Reply(ReplyError::NoStatus).is_retryable(), false),
            (
                PushError::Frame(CodecError::Missing("topic")).is_retryable(),
                false,
            ),
        ];
        for (row, (said, expected)) in table.into_iter().enumerate() {
            assert_eq!(said, expected, "row {row}");
        }
    }
}
