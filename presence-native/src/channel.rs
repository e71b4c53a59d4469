//! A topic of a socket's.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use presence_core::ChannelId;
use presence_core::message::ReplyError;
use tokio::sync::{oneshot, watch};

use crate::driver::{Command, Release};
use crate::error::JoinError;
use crate::events::{Events, Filter, Subscription};
use crate::message::{Payload, Reply};
use crate::presence;
use crate::queue;
use crate::socket::SocketHandle;

/// Where a channel stands.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChannelStatus, Socket};
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// assert!(matches!(channel.status(), ChannelStatus::New));
/// channel.join().await?;
/// match channel.status() {
///     ChannelStatus::Joined => println!("joined"),
///     ChannelStatus::New | ChannelStatus::Joining => println!("soon"),
///     ChannelStatus::Errored(why) => println!("soon again: {why:?}"),
///     ChannelStatus::Closed(why) => println!("never again: {why:?}"),
///     _ => {} // whatever a later version adds
/// }
/// # assert!(channel.status().is_joined());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelStatus {
    /// [`Channel::join`] has not been called.
    New,
    /// A join is on its way, or waits for the connection.
    Joining,
    /// Joined.
    Joined,
    /// Lost its process or its connection, or was refused. It is joined again by itself, after phoenix.js's waits (1,
    /// 2, 5, then 10 s) or as soon as there is a connection.
    Errored(ChannelError),
    /// Over for good; [`Socket::channel`](crate::Socket::channel) makes a new one.
    Closed(CloseReason),
}

impl ChannelStatus {
    /// Whether it is joined.
    pub const fn is_joined(&self) -> bool {
        matches!(self, Self::Joined)
    }
}

/// What happened to a channel that will be joined again.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChannelError, ChannelStatus, PushError, Socket};
/// use serde_json::json;
///
/// # let hour = std::time::Duration::from_secs(3600);
/// let socket = Socket::builder(&endpoint);
/// # let socket = socket.rejoin_after([hour]);
/// let socket = socket.build()?;
/// let channel = socket.channel("room:lobby");
/// channel.join().await?;
///
/// // The server's channel has no such event, and crashes.
/// let lost = channel.push("no such event", &json!({})).await;
/// assert!(matches!(lost, Err(PushError::Disconnected)));
/// assert!(matches!(channel.status(), ChannelStatus::Errored(ChannelError::Crashed)));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// Its process at the server crashed (`phx_error`).
    Crashed,
    /// The connection was lost.
    Disconnected,
    /// The join was refused with this reply.
    Refused(Reply),
    /// The answer to the join is no reply.
    Reply(ReplyError),
    /// The join was not answered in time.
    Timeout,
}

/// Why a channel is over.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChannelStatus, CloseReason, Socket};
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// let mut status = channel.watch_status();
/// channel.join().await?;
///
/// // The server's channel answers this event with `{:stop, :normal, socket}`.
/// channel.cast("stop", &json!({})).await?;
/// let closed = status.wait_for(|status| matches!(status, ChannelStatus::Closed(_))).await?;
/// assert!(matches!(*closed, ChannelStatus::Closed(CloseReason::ByServer)));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// This program left it, or joined the same topic by another channel of the same socket.
    Left,
    /// The server closed it (`phx_close`).
    ByServer,
    /// The join was refused with this reply, and
    /// [`give_up_when_refused`](crate::SocketBuilder::give_up_when_refused) is set.
    Refused(Reply),
    /// The socket is shut down.
    Shutdown,
}

/// How a channel is to be made; see [`Socket::channel_with`](crate::Socket::channel_with). `Debug` does not show the
/// params, since they may be secret.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use std::time::Duration;
/// use presence_native::{ChannelOptions, Payload, Socket};
/// use serde_json::{Value, json};
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let options = ChannelOptions::new()
///     .params(Payload::json(&json!({"device": "phone"}))?)
///     .timeout(Duration::from_secs(30))
///     .stream_capacity(64);
/// let channel = socket.channel_with("room:lobby", options);
/// channel.join().await?;
/// let me: Value = channel.push("whoami", &json!({})).await?.decode()?;
/// assert_eq!(me["join"]["device"], "phone");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct ChannelOptions {
    pub(crate) params: Option<Payload>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) capacity: Option<usize>,
}

impl fmt::Debug for ChannelOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelOptions")
            .field("params", &self.params.is_some())
            .field("timeout", &self.timeout)
            .field("stream_capacity", &self.capacity)
            .finish()
    }
}

impl ChannelOptions {
    /// No params, and the socket's timeout.
    pub fn new() -> Self {
        Self::default()
    }

    /// The payload of every join, `{}` by default: what the server's `join/3` gets as its second argument.
    #[must_use]
    pub fn params(mut self, params: Payload) -> Self {
        self.params = Some(params);
        self
    }

    /// How long a join or a push may take, instead of the socket's [`timeout`](crate::SocketBuilder::timeout).
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many items a stream of this channel's holds for a slow reader before the oldest make room. 1,024 by
    /// default.
    #[must_use]
    pub const fn stream_capacity(mut self, items: usize) -> Self {
        self.capacity = Some(items);
        self
    }
}

/// What the handles of a channel share with the socket's task.
pub(crate) struct Shared {
    pub(crate) topic: Arc<str>,
    pub(crate) options: ChannelOptions,
    pub(crate) status: watch::Sender<ChannelStatus>,
    pub(crate) subscriptions: Mutex<Vec<Subscription>>,
    /// The presences to be followed; none any more once the channel is joined.
    pub(crate) presences: Mutex<Option<Vec<Arc<presence::Shared>>>>,
    /// The core's name for it, once the task has heard of it.
    pub(crate) id: OnceLock<ChannelId>,
}

impl Shared {
    pub(crate) fn set_status(&self, status: ChannelStatus) {
        tracing::debug!(topic = %self.topic, ?status, "channel");
        self.status.send_replace(status);
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.status.borrow(), ChannelStatus::Closed(_))
    }

    /// It is over for good: streams end once what they hold is read.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.set_status(ChannelStatus::Closed(reason));
        self.subscriptions.lock().clear();
        for presence in self.presences.lock().take().unwrap_or_default() {
            presence.close();
        }
    }
}

/// Held by everything a user can hold of a channel. The last one leaves it.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) socket: SocketHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.socket
            .release(Release::Channel(Arc::clone(&self.shared)));
    }
}

/// A topic of a socket's: join it, push to it, read its events, see who is [present](Self::presence).
///
/// A channel stays joined through crashes of its process at the server, and through lost connections: it is joined
/// again by itself, and [`status`](Self::status) tells. Cloning gives another handle of the same channel; when the
/// last one goes, and with it every stream and presence made from it, the channel is left.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::Socket;
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// let mut shouts = channel.events_named("shout");
/// channel.join().await?;
///
/// let reply = channel.push("echo", &json!({"hello": 1})).await?;
/// assert_eq!(reply.response.as_json(), Some(r#"{"hello":1}"#));
///
/// channel.cast("shout", &json!({"body": "hi"})).await?;
/// let shout = shouts.next().await.expect("the channel goes on")?;
/// assert_eq!(shout.decode::<serde_json::Value>()?["body"], "hi");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Channel {
    pub(crate) handle: Arc<Handle>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("topic", &self.topic())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Channel {
    pub(crate) fn new(socket: SocketHandle, topic: Arc<str>, options: ChannelOptions) -> Self {
        let shared = Arc::new(Shared {
            topic,
            options,
            status: watch::Sender::new(ChannelStatus::New),
            subscriptions: Mutex::default(),
            presences: Mutex::new(Some(Vec::new())),
            id: OnceLock::new(),
        });
        if !socket.release(Release::New(Arc::clone(&shared))) {
            shared.close(CloseReason::Shutdown);
        }
        Self {
            handle: Arc::new(Handle { shared, socket }),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.shared().topic
    }

    /// Joins the channel, and waits for the server's answer to this join or to the next one that comes.
    ///
    /// Call it again whenever you like: a joined channel answers with what its last join got. Until the first call
    /// the server knows nothing of the channel; from then on it is kept joined. Presence and event streams that are to
    /// miss nothing are made before.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{JoinError, Socket};
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let reply = socket.channel("room:lobby").join().await?;
    /// assert_eq!(reply.response.as_json(), Some("{}"));
    ///
    /// match socket.channel("room:forbidden").join().await {
    ///     Err(JoinError::Refused { reply, .. }) => assert_eq!(reply.reason().as_deref(), Some("forbidden")),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError::Refused`] with the server's answer, [`JoinError::Reply`] if that can't be read,
    /// [`JoinError::Timeout`] if there is none within the channel's timeout, counted from the call. The channel goes on
    /// trying nevertheless, until it is left; [`JoinError::Closed`] and [`JoinError::Socket`] are final.
    ///
    /// # Cancel safety
    ///
    /// Once the future was polled to the point where it waits for the answer, dropping it changes nothing for the
    /// channel: the join goes on, and another call picks up its answer.
    pub async fn join(&self) -> Result<Reply, JoinError> {
        let shared = self.shared();
        let (sender, receiver) = oneshot::channel();
        let command = Command::Join(Arc::clone(shared), sender);
        let closed = || JoinError::Socket(self.handle.socket.disconnect());
        let outcome = async {
            self.handle
                .socket
                .send(command)
                .await
                .map_err(|_| closed())?;
            receiver.await.unwrap_or_else(|_| Err(closed()))
        };
        let late = || JoinError::Timeout {
            topic: Arc::clone(&shared.topic),
        };
        let outcome = self.handle.socket.within(self.timeout(), outcome).await;
        outcome.unwrap_or_else(|| Err(late()))
    }

    pub(crate) fn timeout(&self) -> Duration {
        let options = &self.shared().options;
        options
            .timeout
            .unwrap_or(self.handle.socket.settings().timeout)
    }

    /// All events of this channel from now on, but for replies.
    pub fn events(&self) -> Events {
        self.subscribe(Filter::All)
    }

    /// The events of this name from now on. Make the stream before [`join`](Self::join) to miss none.
    pub fn events_named(&self, event: &str) -> Events {
        self.subscribe(Filter::Named(event.into()))
    }

    fn subscribe(&self, filter: Filter) -> Events {
        let shared = self.shared();
        let capacity = shared.options.capacity.unwrap_or(DEFAULT_CAPACITY);
        let (sender, receiver) = queue::bounded(capacity);
        {
            // Locked before looking, since the task closes a channel in the other order.
            let mut subscriptions = shared.subscriptions.lock();
            subscriptions.retain(|subscription| !subscription.sender.is_abandoned());
            if !shared.is_closed() {
                subscriptions.push(Subscription { filter, sender });
            }
        }
        Events::new(receiver, Arc::clone(&self.handle))
    }

    /// Where the channel stands.
    pub fn status(&self) -> ChannelStatus {
        self.shared().status.borrow().clone()
    }

    /// Where the channel stands, as a value to be watched.
    ///
    /// Who looks too rarely sees the latest status and not those between; events and presences are not affected.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{ChannelStatus, Socket};
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby");
    /// let mut status = channel.watch_status();
    /// channel.join().await?;
    /// status.wait_for(ChannelStatus::is_joined).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn watch_status(&self) -> watch::Receiver<ChannelStatus> {
        self.shared().status.subscribe()
    }

    /// Leaves the channel, for this handle and all others. Its streams end, and pushes that wait end with
    /// [`PushError::Disconnected`](crate::PushError::Disconnected) or [`Closed`](crate::PushError::Closed).
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{ChannelStatus, CloseReason, Socket};
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby");
    /// let mut events = channel.events();
    /// channel.join().await?;
    /// channel.leave().await;
    /// while events.next().await.is_some() {} // what came before
    /// assert!(matches!(channel.status(), ChannelStatus::Closed(CloseReason::Left)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the channel may or may not be left.
    pub async fn leave(&self) {
        let (sender, receiver) = oneshot::channel();
        let command = Command::Leave(Arc::clone(self.shared()), sender);
        if self.handle.socket.send(command).await.is_ok() {
            // The task is gone only if the socket is shut down, and then there is nothing to leave.
            let _ = receiver.await;
        }
    }
}

pub(crate) const DEFAULT_CAPACITY: usize = 1024;

#[cfg(test)]
mod tests {
    use crate::Socket;

    #[tokio::test]
    async fn streams_that_are_gone_are_forgotten_though_no_event_comes() {
        let socket = Socket::builder("ws://127.0.0.1:1/socket").build();
        let channel = socket.map(|socket| socket.channel("room:lobby"));
        let channel = channel.unwrap_or_else(|error| unreachable!("{error}"));
        for _ in 0..100 {
            drop(channel.events());
        }
        let _kept = channel.events();
        assert_eq!(channel.shared().subscriptions.lock().len(), 1);
    }
}
