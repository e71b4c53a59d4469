//! What a channel sends, and what comes of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use presence_core::message::Vsn;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::channel::Channel;
use crate::driver::{Command, Outcome, PushRequest};
use crate::error::PushError;
use crate::message::{Payload, Reply};

impl Channel {
    /// Sends `event` with `payload` as JSON and waits for the reply: `channel.push("echo", &payload).await`.
    ///
    /// A push that finds the channel joining, or the socket without a connection, waits for them; see
    /// [`max_buffered`](crate::SocketBuilder::max_buffered). It is sent at most once: one that was lost with its
    /// connection is not repeated, since it may have taken effect.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    /// use serde_json::json;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Tracked {
    ///     r#ref: String,
    /// }
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby");
    /// channel.join().await?;
    /// let tracked: Tracked = channel.push("set_status", &json!({"status": "away"})).await?.decode()?;
    /// println!("the meta's new phx_ref is {}", tracked.r#ref);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The future gives a [`PushError`]: every push ends in a reply, a refusal, a timeout or a lost connection.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll is over, or while it waits for room
    /// ([`max_buffered`](crate::SocketBuilder::max_buffered)), nothing may have been sent; dropped later, the message is
    /// sent, also if the channel is dropped or left right after, and its reply ignored. No other message is affected.
    pub fn push(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Push<'_> {
        Push::new(
            self,
            event,
            Payload::json(payload).map_err(PushError::Payload),
        )
    }

    /// [`push`](Self::push) with bytes instead of JSON. Needs vsn 2.0.0, the default. The event and the topic may be
    /// 255 bytes long each.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby");
    /// channel.join().await?;
    /// let reply = channel.push_binary("echo", vec![0, 1, 2]).await?;
    /// assert_eq!(reply.response.as_binary().map(|bytes| &bytes[..]), Some(&[0, 1, 2][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and [`PushError::NoBinary`].
    ///
    /// # Cancel safety
    ///
    /// As [`push`](Self::push).
    pub fn push_binary(&self, event: &str, payload: impl Into<Bytes>) -> Push<'_> {
        Push::new(self, event, self.binary(payload))
    }

    /// Sends `event` and waits for no reply, only until the message is handed to the connection.
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
    /// let early = channel.cast("shout", &json!({"body": "hi"})).await;
    /// assert!(matches!(early, Err(PushError::NotJoined)));
    /// channel.join().await?;
    /// channel.cast("shout", &json!({"body": "hi"})).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`PushError`], but that the server's answer is not among them.
    ///
    /// # Cancel safety
    ///
    /// As [`push`](Self::push).
    pub async fn cast(
        &self,
        event: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<(), PushError> {
        let payload = Payload::json(payload)?;
        self.send(event, payload, None, Outcome::Sent).await
    }

    /// [`cast`](Self::cast) with bytes instead of JSON.
    ///
    /// # Errors
    ///
    /// As [`cast`](Self::cast), and [`PushError::NoBinary`].
    ///
    /// # Cancel safety
    ///
    /// As [`push`](Self::push).
    pub async fn cast_binary(
        &self,
        event: &str,
        payload: impl Into<Bytes>,
    ) -> Result<(), PushError> {
        let payload = self.binary(payload)?;
        self.send(event, payload, None, Outcome::Sent).await
    }

    fn binary(&self, payload: impl Into<Bytes>) -> Result<Payload, PushError> {
        if self.handle.socket.settings().vsn == Vsn::V1 {
            return Err(PushError::NoBinary);
        }
        Ok(Payload::binary(payload))
    }

    /// With a timeout it waits no longer than that for room in the queue either.
    async fn send<T>(
        &self,
        event: &str,
        payload: Payload,
        timeout: Option<Duration>,
        outcome: fn(oneshot::Sender<Result<T, PushError>>) -> Outcome,
    ) -> Result<T, PushError> {
        let (sender, receiver) = oneshot::channel();
        let request = PushRequest {
            channel: Arc::clone(self.shared()),
            event: event.into(),
            payload,
            timeout,
            outcome: outcome(sender),
        };
        let socket = &self.handle.socket;
        let sending = socket.send(Command::Push(Box::new(request)));
        let sent = match timeout {
            Some(limit) => socket.within(limit, sending).await,
            None => Some(sending.await),
        };
        sent.ok_or(PushError::Timeout)?
            .map_err(|_| PushError::Closed)?;
        receiver.await.unwrap_or(Err(PushError::Closed))
    }
}

type Replying<'a> = Pin<Box<dyn Future<Output = Result<Reply, PushError>> + Send + 'a>>;

/// A push on its way: the future of its reply. Made by [`Channel::push`].
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use std::time::Duration;
/// use presence_native::{PushError, Socket};
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// channel.join().await?;
///
/// // The server never answers this one.
/// let push = channel.push("no_reply", &json!({})).timeout(Duration::from_millis(20));
/// assert!(matches!(push.await, Err(PushError::Timeout)));
///
/// // Two at once: each waits for its own reply.
/// let (one, two) = (json!(1), json!(2));
/// let (one, two) = tokio::try_join!(channel.push("echo", &one), channel.push("echo", &two))?;
/// assert_eq!((one.decode::<u8>()?, two.decode::<u8>()?), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[must_use = "nothing is sent until it is awaited"]
pub struct Push<'a> {
    channel: &'a Channel,
    event: Box<str>,
    /// Taken by the first poll.
    payload: Option<Result<Payload, PushError>>,
    timeout: Option<Duration>,
    replying: Option<Replying<'a>>,
}

impl fmt::Debug for Push<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("topic", &self.channel.topic())
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl<'a> Push<'a> {
    fn new(channel: &'a Channel, event: &str, payload: Result<Payload, PushError>) -> Self {
        Self {
            channel,
            event: event.into(),
            payload: Some(payload),
            timeout: None,
            replying: None,
        }
    }

    /// How long to wait for the reply, instead of the channel's timeout; and, before that, for room where an open
    /// connection takes no more.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<'a> Future for Push<'a> {
    type Output = Result<Reply, PushError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(payload) = this.payload.take() {
            let payload = payload?;
            let channel = this.channel;
            let timeout = Some(this.timeout.unwrap_or_else(|| channel.timeout()));
            let event = std::mem::take(&mut this.event);
            this.replying = Some(Box::pin(async move {
                channel.send(&event, payload, timeout, Outcome::Reply).await
            }));
        }
        match &mut this.replying {
            Some(replying) => replying.as_mut().poll(cx),
            // Polled again after its error.
            None => Poll::Pending,
        }
    }
}
