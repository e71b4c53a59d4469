//! The running server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect::{ConnectHook, ConnectInfo, Connected};
use crate::http;
use crate::hub::Hub;
use crate::longpoll::Sessions;
use crate::outbox::{Outbox, OutboxLimits};
use crate::presence::{Fetch, Meta};
use crate::presences::Presences;
use crate::serializer::{Body, TooLong};
use crate::session::Session;

/// How long [`Server::shutdown`] waits for clients to answer its close.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Clocks can't count to the longest `Duration`.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// What one connection may take.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// A client that sends nothing for so long is closed with 1002. Default: 60 s.
    pub idle_timeout: Duration,
    /// The largest message from a client, in bytes; a larger one closes with 1009. Default: 8 MiB.
    pub max_frame_bytes: usize,
    /// How many channels one socket may join; the next join is refused with
    /// `too many channels joined`. Default: 100.
    pub max_channels: usize,
    /// How many messages may wait for a slow client before it is cut off. Default: 16,384.
    pub max_queued_frames: usize,
    /// How many bytes may wait for a slow client before it is cut off; the message that crosses
    /// the line still counts as fitting. Default: 16 MiB.
    pub max_queued_bytes: usize,
    /// How long a long-polling request waits for messages; without a poll for one and a half
    /// times as long the client is gone. Default: 10 s.
    pub long_poll_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(60),
            max_frame_bytes: 8 * 1024 * 1024,
            max_channels: 100,
            max_queued_frames: 16_384,
            max_queued_bytes: 16 * 1024 * 1024,
            long_poll_window: Duration::from_secs(10),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Options {
    bind: SocketAddr,
    pub(crate) serve_dir: Option<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) connect: Option<Arc<ConnectHook>>,
    fetch: Option<Arc<Fetch>>,
}

/// Sets a server up. Made by [`Server::builder`].
#[derive(Clone)]
pub struct Builder {
    options: Options,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("bind", &self.options.bind)
            .field("serve_dir", &self.options.serve_dir)
            .field("limits", &self.options.limits)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Where to listen. Default: port 0, any free one, of the loopback interface.
    pub fn bind(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.options.bind = addr.into();
        self
    }

    /// Serves the files of a folder at `/`, and its `index.html` for paths it doesn't have.
    pub fn serve_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.serve_dir = Some(dir.into());
        self
    }

    /// What one connection may take. Times beyond a year are as long as one.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = Limits {
            idle_timeout: limits.idle_timeout.min(LONGEST),
            long_poll_window: limits.long_poll_window.min(LONGEST),
            ..limits
        };
        self
    }

    /// Decides who may connect, as `connect/3` of a Phoenix socket does: on `false` the client
    /// gets a 403. Without it all may, but for those who ask to be refused (`?reject=1`).
    pub fn on_connect(
        mut self,
        hook: impl Fn(&ConnectInfo) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.options.connect = Some(Arc::new(hook));
        self
    }

    /// What `fetch/2` of a Phoenix presence does: given topic, key and metas, the fields that
    /// stand beside `metas` in states and diffs. As in Phoenix it sees only the metas of the
    /// message at hand. It must not call back into the server. Without it there are extras in
    /// rooms named `room:x-…` only: `{"user": {"name": …}}`.
    pub fn on_fetch(
        mut self,
        hook: impl Fn(&str, &str, &[Arc<Meta>]) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.options.fetch = Some(Arc::new(hook));
        self
    }

    /// Listens and serves, on tasks of its own.
    ///
    /// # Errors
    /// The address can't be bound.
    pub async fn start(self) -> io::Result<Server> {
        let listener = TcpListener::bind(self.options.bind).await?;
        let addr = listener.local_addr()?;
        let dead = CancellationToken::new();
        let shared = Arc::new(Shared {
            hub: Arc::new(Hub::new(self.options.fetch.clone())),
            options: self.options,
            long_polls: Sessions::default(),
            connections: TaskTracker::new(),
            cut: Mutex::new(dead.child_token()),
            dead,
        });
        let stop = CancellationToken::new();
        let accepting = accept(listener, Arc::clone(&shared), stop.clone());
        shared.connections.spawn(accepting);
        Ok(Server { addr, shared, stop })
    }

    /// Starts a server that was killed again, once its port is free: a client on the same machine that
    /// tries it meanwhile may meet itself there for a moment. Waits as long as that takes.
    ///
    /// # Errors
    /// The address can't be bound, for another reason.
    pub async fn start_again(self) -> io::Result<Server> {
        loop {
            match self.clone().start().await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                started => return started,
            }
        }
    }
}

/// What the connections of a server share.
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) options: Options,
    pub(crate) long_polls: Sessions,
    /// And what accepts them.
    pub(crate) connections: TaskTracker,
    /// Cuts today's connections; replaced once used.
    cut: Mutex<CancellationToken>,
    /// Cuts them all, those too that are only about to be accepted.
    dead: CancellationToken,
}

impl Shared {
    pub(crate) fn cut_token(&self) -> CancellationToken {
        self.cut.lock().clone()
    }

    pub(crate) fn open_session(&self, connected: Connected) -> (Session, Arc<Outbox>) {
        let limits = &self.options.limits;
        let outbox = Arc::new(Outbox::new(OutboxLimits {
            frames: limits.max_queued_frames,
            bytes: limits.max_queued_bytes,
        }));
        let hub = Arc::clone(&self.hub);
        let session = Session::new(hub, connected, Arc::clone(&outbox), limits.max_channels);
        (session, outbox)
    }
}

/// A running server. Dropping it stops it abruptly, as [`kill`](Self::kill) does.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use presence_server::Server;
///
/// let server = Server::builder().start().await?;
/// println!("{}", server.url()); // http://127.0.0.1:PORT
/// assert_eq!(server.presences().list("room:lobby"), serde_json::json!({}));
/// server.shutdown().await;
/// # std::io::Result::Ok(()) }).unwrap();
/// ```
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.addr)
            .field("connections", &self.connection_count())
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Starts from the defaults.
    pub fn builder() -> Builder {
        Builder {
            options: Options {
                bind: SocketAddr::from(([127, 0, 0, 1], 0)),
                serve_dir: None,
                limits: Limits::default(),
                connect: None,
                fetch: Some(Arc::new(room_x_extras)),
            },
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://HOST:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The endpoint a Phoenix client is given: `ws://HOST:PORT/socket`
    pub fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.addr)
    }

    /// Who is present, and a way to be present without a connection.
    pub fn presences(&self) -> Presences {
        Presences::new(Arc::clone(&self.shared.hub))
    }

    /// How many clients are connected.
    pub fn connection_count(&self) -> usize {
        self.shared.hub.socket_count()
    }

    /// Sends an event to everybody who joined the topic.
    pub fn broadcast(&self, topic: &str, event: &str, payload: &Value) {
        let body = Body::Json(payload.to_string());
        // JSON has no length bytes to overflow.
        let _: Result<(), TooLong> = self
            .shared
            .hub
            .topics()
            .broadcast(topic, event, &body, None);
    }

    /// What `Endpoint.broadcast("users_socket:ID", "disconnect")` does: closes the connections
    /// of a user with 1001, from which clients come back. Says how many there were.
    pub fn disconnect(&self, user_id: &str) -> usize {
        self.shared.hub.close_sockets(Some(user_id), 1001)
    }

    /// Cuts all connections without a goodbye, as a broken network would. Goes on listening.
    pub fn cut_connections(&self) {
        let next = self.shared.dead.child_token();
        let cut = std::mem::replace(&mut *self.shared.cut.lock(), next);
        cut.cancel();
    }

    /// Stops listening, closes all connections with 1012 and waits for their end, two seconds
    /// at most. What [`Builder`] it answers with starts again on the same port.
    pub async fn shutdown(self) -> Builder {
        self.stop.cancel();
        self.shared.hub.close_sockets(None, 1012);
        self.shared.connections.close();
        let ended = self.shared.connections.wait();
        if tokio::time::timeout(SHUTDOWN_GRACE, ended).await.is_err() {
            tracing::debug!("cutting the clients that did not answer the close");
        }
        self.kill().await
    }

    /// Stops at once, as if the process had been killed: all connections break, nobody's
    /// presence is seen to leave. What [`Builder`] it answers with starts again on the same port.
    pub async fn kill(self) -> Builder {
        self.stop.cancel();
        self.shared.dead.cancel();
        self.shared.connections.close();
        self.shared.connections.wait().await;
        let mut options = self.shared.options.clone();
        options.bind = self.addr;
        Builder { options }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.shared.dead.cancel();
    }
}

/// The extras of rooms named `room:x-…`: the last name among the metas at hand, or the key.
fn room_x_extras(topic: &str, key: &str, metas: &[Arc<Meta>]) -> Map<String, Value> {
    let mut extras = Map::new();
    if topic.starts_with("room:x-") {
        let name = metas
            .iter()
            .rev()
            .find_map(|meta| meta.fields().get("name"));
        let name = name.cloned().unwrap_or_else(|| key.into());
        extras.insert("user".into(), serde_json::json!({ "name": name }));
    }
    extras
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = http::router(Arc::clone(&shared));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let cut = shared.cut_token();
                let connection = serve(stream, router.clone(), stop.clone(), cut);
                shared.connections.spawn(connection);
            }
            Err(error) => {
                // Mostly a lack of file descriptors, which passes; no use in spinning until then.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves HTTP on one connection, until its end or its upgrade.
async fn serve(
    stream: TcpStream,
    router: axum::Router,
    stop: CancellationToken,
    cut: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = async {
        tokio::select! {
            served = connection.as_mut() => return served,
            () = stop.cancelled() => {}
        }
        // What is being answered is, but no further request.
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    tokio::select! {
        biased;
        () = cut.cancelled() => {}
        served = served => if let Err(error) = served {
            tracing::debug!(%error, "an HTTP connection broke");
        },
    }
}
