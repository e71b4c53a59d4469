//! The handle of a socket.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle as Runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

use crate::builder::{Settings, SocketBuilder};
use crate::channel::{Channel, ChannelOptions};
use crate::driver::{Command, Driver, Release};
use crate::error::Disconnect;

/// How many commands may wait for the task; further ones wait for room.
const COMMANDS: usize = 32;

/// Where a socket stands.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{Socket, SocketStatus};
///
/// let socket = Socket::builder(&endpoint).build()?;
/// assert!(matches!(socket.status(), SocketStatus::Connecting | SocketStatus::Connected));
/// let mut status = socket.watch_status();
/// tokio::spawn(async move {
///     while status.changed().await.is_ok() {
///         match &*status.borrow_and_update() {
///             SocketStatus::Connecting | SocketStatus::Connected => {}
///             SocketStatus::Reconnecting(why) => println!("trying again: {why}"),
///             SocketStatus::Closed(why) => println!("over: {why}"),
///             _ => {} // whatever a later version adds
///         }
///     }
/// });
/// # socket.connected().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SocketStatus {
    /// The first attempt to connect is under way.
    Connecting,
    /// Connected.
    Connected,
    /// Not connected, and trying again.
    Reconnecting(Disconnect),
    /// Not connected, and not trying any more.
    Closed(Disconnect),
}

impl SocketStatus {
    /// Whether there is an open connection.
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

/// What the handles share with the task.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) status: watch::Sender<SocketStatus>,
    /// Whether what presences record has to be looked at again. The task holds it while it takes a frame in, so that
    /// whoever begins to listen does so between two frames.
    pub(crate) presence_gate: Mutex<bool>,
}

struct Inner {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// The task's, whose timers serve whoever waits outside of any runtime too.
    runtime: Runtime,
    /// Bounded by what there is to tell: the begin and the end of each channel, and what somebody waits for.
    releases: mpsc::UnboundedSender<Release>,
}

/// A way to the task, for all that a user can hold. The last one closes the connection.
#[derive(Clone)]
pub(crate) struct SocketHandle(Arc<Inner>);

/// The task is gone.
pub(crate) struct Gone;

impl SocketHandle {
    pub(crate) async fn send(&self, command: Command) -> Result<(), Gone> {
        self.0.commands.send(command).await.map_err(|_| Gone)
    }

    /// Tells the task without waiting, since drops can't wait. False if the task is gone.
    pub(crate) fn release(&self, release: Release) -> bool {
        self.0.releases.send(release).is_ok()
    }

    /// What `future` gives, if it does so within `limit`.
    pub(crate) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let timed = {
            let _guard = self.0.runtime.enter();
            tokio::time::timeout(limit, future)
        };
        timed.await.ok()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.shared.settings
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// Why there is no connection.
    pub(crate) fn disconnect(&self) -> Disconnect {
        match &*self.0.shared.status.borrow() {
            SocketStatus::Closed(why) | SocketStatus::Reconnecting(why) => why.clone(),
            SocketStatus::Connecting | SocketStatus::Connected => Disconnect::Shutdown,
        }
    }
}

/// A connection to a Phoenix server that stays: it is opened again whenever it is lost, with heartbeats to notice
/// when it is, and carries any number of [`Channel`]s.
///
/// Cloning gives another handle of the same socket. The connection lives on a task of the runtime that the socket was
/// built in. It ends with [`shutdown`](Self::shutdown), or by itself, as cleanly, when the last handle goes: of the
/// socket, of a channel, or of a stream or presence made from it.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::Socket;
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").connect().await?;
/// assert!(socket.status().is_connected());
/// socket.shutdown().await;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Socket {
    handle: SocketHandle,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("endpoint", &self.handle.settings().connector.endpoint)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Socket {
    /// Begins to set a socket up. `endpoint` is the URL that phoenix.js gets, `ws://HOST:PORT/socket` by convention;
    /// `/websocket`, the parameters and `vsn` are added to it.
    pub fn builder(endpoint: impl Into<String>) -> SocketBuilder {
        SocketBuilder::new(endpoint.into())
    }

    pub(crate) fn start(runtime: &Runtime, settings: Settings) -> Self {
        let shared = Arc::new(Shared {
            settings,
            status: watch::Sender::new(SocketStatus::Connecting),
            presence_gate: Mutex::new(false),
        });
        let (commands, command_receiver) = mpsc::channel(COMMANDS);
        let (releases, release_receiver) = mpsc::unbounded_channel();
        let driver = Driver::new(Arc::clone(&shared), command_receiver, release_receiver);
        let driver = Box::new(driver);
        let endpoint = &shared.settings.connector.endpoint;
        let span = tracing::info_span!("socket", %endpoint);
        runtime.spawn(driver.run().instrument(span));
        Self {
            handle: SocketHandle(Arc::new(Inner {
                shared,
                commands,
                runtime: runtime.clone(),
                releases,
            })),
        }
    }

    /// A channel for `topic`, not joined yet: see [`Channel::join`].
    ///
    /// A server has one channel for each topic of a socket: joining a topic again leaves the channel that had it.
    pub fn channel(&self, topic: &str) -> Channel {
        self.channel_with(topic, ChannelOptions::default())
    }

    /// [`channel`](Self::channel), with join params or a timeout of its own.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{ChannelOptions, Payload, Socket};
    /// use serde_json::json;
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let params = Payload::json(&json!({"device": "phone"}))?;
    /// let channel = socket.channel_with("room:lobby", ChannelOptions::new().params(params));
    /// channel.join().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn channel_with(&self, topic: &str, options: ChannelOptions) -> Channel {
        Channel::new(self.handle.clone(), topic.into(), options)
    }

    /// Where the socket stands.
    pub fn status(&self) -> SocketStatus {
        self.handle.shared().status.borrow().clone()
    }

    /// Where the socket stands, as a value to be watched. Who looks too rarely sees the latest status and not those
    /// between.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Socket, SocketStatus};
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let mut status = socket.watch_status();
    /// status.wait_for(SocketStatus::is_connected).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn watch_status(&self) -> watch::Receiver<SocketStatus> {
        self.handle.shared().status.subscribe()
    }

    /// Waits until there is an open connection.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby"); // can be made and joined before
    /// socket.connected().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Why there will be none: the socket is shut down, or
    /// [gave up](crate::SocketBuilder::give_up_when_refused).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn connected(&self) -> Result<(), Disconnect> {
        self.settled(|status| match status {
            SocketStatus::Connected => Some(Ok(())),
            SocketStatus::Closed(why) => Some(Err(why.clone())),
            SocketStatus::Connecting | SocketStatus::Reconnecting(_) => None,
        })
        .await
    }

    pub(crate) async fn first_attempt(&self) -> Result<(), Disconnect> {
        self.settled(|status| match status {
            SocketStatus::Connecting => None,
            SocketStatus::Connected => Some(Ok(())),
            SocketStatus::Reconnecting(why) | SocketStatus::Closed(why) => Some(Err(why.clone())),
        })
        .await
    }

    async fn settled(
        &self,
        outcome: impl Fn(&SocketStatus) -> Option<Result<(), Disconnect>>,
    ) -> Result<(), Disconnect> {
        let mut status = self.watch_status();
        loop {
            if let Some(outcome) = outcome(&status.borrow_and_update()) {
                return outcome;
            }
            if status.changed().await.is_err() {
                return Err(Disconnect::Shutdown);
            }
        }
    }

    /// Tries again now: ends a wait between two attempts, begins anew if the socket gave up, and asks for a sign of
    /// life if it is connected. For programs that learn that the network is back or has changed.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Socket, SocketStatus};
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// socket.connected().await?;
    /// # server.cut_connections();
    /// // When the operating system tells of another network:
    /// socket.reconnect().await;
    /// socket.connected().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the socket may or may not have been told.
    pub async fn reconnect(&self) {
        let (sender, receiver) = oneshot::channel();
        self.handle.release(Release::Reconnect(sender));
        // It goes once the task has done so, or with the task: a socket that is shut down stays so.
        let _ = receiver.await;
    }

    /// Sends what is queued, says goodbye to the server, and ends the task; for all handles. Takes no longer than
    /// [`close_timeout`](crate::SocketBuilder::close_timeout). Pushes without a reply end with an error, streams end,
    /// and the status is [`SocketStatus::Closed`].
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Disconnect, Socket, SocketStatus};
    ///
    /// let socket = Socket::builder(&endpoint).connect().await?;
    /// socket.shutdown().await;
    /// assert!(matches!(socket.status(), SocketStatus::Closed(Disconnect::Shutdown)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Once the future was polled, the socket shuts down, also if the future is dropped.
    pub async fn shutdown(&self) {
        let (sender, receiver) = oneshot::channel();
        self.handle.release(Release::Socket(sender));
        // The sender goes with the task, and that is what this waits for.
        let _ = receiver.await;
    }
}
