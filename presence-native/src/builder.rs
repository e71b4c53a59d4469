//! How a socket is set up.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use presence_core::message::Vsn;
use presence_core::{Backoff, Config};

use crate::endpoint::{Endpoint, Token};
use crate::error::{BuildError, Disconnect};
use crate::socket::Socket;
#[cfg(feature = "proxy")]
use crate::transport::Proxy;
use crate::transport::{Connector, Limits, Tls};

/// What the task has to know of the settings.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) connector: Arc<Connector>,
    pub(crate) core: Config,
    pub(crate) vsn: Vsn,
    /// The timeout of pushes and joins.
    pub(crate) timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) max_buffered: usize,
}

/// Sets a [`Socket`] up. Made by [`Socket::builder`].
///
/// Nothing is checked before [`build`](Self::build) or [`connect`](Self::connect), whose error then names the method
/// that took the unusable value. `Debug` shows no parameter, header or token, since they may be secret.
///
/// ```
/// # let _runtime = tokio::runtime::Runtime::new().unwrap();
/// # let _guard = _runtime.enter();
/// use std::time::Duration;
/// use presence_native::Socket;
///
/// let socket = Socket::builder("wss://example.org/socket")
///     .param("user_id", "alice")
///     .header("x-team", "blue")
///     .auth_token_with(|| async { Ok::<_, std::io::Error>("fresh".to_owned()) })
///     .heartbeat_interval(Duration::from_secs(15))
///     .build()?;
/// # Ok::<(), presence_native::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` or `connect`"]
pub struct SocketBuilder {
    endpoint: String,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    token: Option<Token>,
    vsn: Vsn,
    timeout: Duration,
    connect_timeout: Duration,
    close_timeout: Duration,
    heartbeat_interval: Duration,
    heartbeat_timeout: Duration,
    reconnect_after: Option<Vec<Duration>>,
    rejoin_after: Option<Vec<Duration>>,
    jitter: f64,
    give_up_when_refused: bool,
    max_buffered: usize,
    limits: Limits,
    tls: Tls,
    #[cfg(feature = "proxy")]
    proxy: Option<(String, Option<(String, String)>)>,
}

impl fmt::Debug for SocketBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| -> Vec<String> {
            pairs.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("SocketBuilder")
            .field("params", &names(&self.params))
            .field("headers", &names(&self.headers))
            .field("auth_token", &self.token.is_some())
            .field("vsn", &self.vsn)
            .finish_non_exhaustive()
    }
}

impl SocketBuilder {
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            params: Vec::new(),
            headers: Vec::new(),
            token: None,
            vsn: Vsn::V2,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            heartbeat_interval: Duration::from_secs(30),
            heartbeat_timeout: Duration::from_secs(10),
            reconnect_after: None,
            rejoin_after: None,
            jitter: 0.25,
            give_up_when_refused: false,
            max_buffered: 4096,
            limits: Limits {
                max_message_bytes: 64 << 20,
                max_frame_bytes: 64 << 20,
                read_buffer_bytes: 16 << 10,
            },
            tls: Tls::default(),
            #[cfg(feature = "proxy")]
            proxy: None,
        }
    }

    /// A parameter of the URL: what `connect/3` of the server's socket gets. To be called once for each.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// A header of the HTTP request that opens the connection. To be called once for each. `host` takes the place of
    /// the endpoint's; those of the WebSocket handshake itself are refused.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// phoenix.js's `authToken`: sent as a subprotocol instead of in the URL, so that it is in no log of a proxy. The
    /// server's socket needs `auth_token: true`.
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Token::Fixed(token.into()));
        self
    }

    /// [`auth_token`](Self::auth_token), asked for anew at each attempt to connect. An error, or a panic, counts as
    /// a failed attempt, which is followed by the next one after the usual wait.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// async fn token() -> Result<String, std::io::Error> {
    ///     Ok("fresh".to_owned())
    /// }
    ///
    /// let socket = Socket::builder(&endpoint).auth_token_with(token).connect().await?;
    /// # let channel = socket.channel("room:lobby");
    /// # channel.join().await?;
    /// # let me: serde_json::Value = channel.push("whoami", &()).await?.decode()?;
    /// # assert_eq!(me["auth_token"], "fresh");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn auth_token_with<F, Fut, E>(mut self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.token = Some(Token::Asked(Arc::new(move || {
            let token = provider();
            Box::pin(async move { token.await.map_err(|error| Arc::from(error.into())) })
        })));
        self
    }

    /// The version of the wire format; [`Vsn::V2`] by default.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Socket, Vsn};
    ///
    /// let socket = Socket::builder(&endpoint).vsn(Vsn::V1).connect().await?;
    /// socket.channel("room:lobby").join().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub const fn vsn(mut self, vsn: Vsn) -> Self {
        self.vsn = vsn;
        self
    }

    /// How long a push or a join waits for its reply. 10 s by default.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long one attempt to connect may take, from asking for the token to the end of the upgrade. 10 s by default.
    /// Where the host has several addresses, each but the last has an equal share of it.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a close may take, from sending what is queued to the server's answer. 2 s by default.
    pub const fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// The time between an answered heartbeat and the next. 30 s by default; a Phoenix server closes connections that
    /// are idle for 60 s.
    pub const fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat_interval = interval;
        self
    }

    /// How long a heartbeat may stay unanswered before the connection counts as dead. 10 s by default.
    pub const fn heartbeat_timeout(mut self, timeout: Duration) -> Self {
        self.heartbeat_timeout = timeout;
        self
    }

    /// The waits before connecting again; the last one goes for all further attempts. phoenix.js's by default: 10, 50,
    /// 100, 150, 200, 250, 500, 1000, 2000, then 5000 ms. They begin anew once a connection opens. After one that
    /// ended with [`Disconnect::Protocol`] the last one is waited for as well; after a refusal with `Retry-After` what
    /// the server asks for, up to five minutes.
    pub fn reconnect_after(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.reconnect_after = Some(waits.into_iter().collect());
        self
    }

    /// The waits before joining a channel again that crashed or was refused; the last one goes for all further
    /// attempts. phoenix.js's by default: 1, 2, 5, then 10 s.
    pub fn rejoin_after(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.rejoin_after = Some(waits.into_iter().collect());
        self
    }

    /// The fraction, from 0 to 1, of each of these waits that is cut at random, so that clients don't come back all at
    /// once. 0.25 by default.
    pub const fn jitter(mut self, fraction: f64) -> Self {
        self.jitter = fraction;
        self
    }

    /// Whether to stop trying once the server refuses for good: a connection with HTTP status 401, 403 or 404 or close
    /// code 1008, a join with the reason `unauthorized`, `forbidden` or `unmatched topic`. Off by default, as in
    /// phoenix.js: such answers also come from servers that are being deployed.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Socket, SocketStatus};
    ///
    /// // The embedded server refuses those who ask for it.
    /// let builder = Socket::builder(&endpoint).param("reject", "1").give_up_when_refused(true);
    /// let socket = builder.build()?;
    /// let refused = socket.connected().await.unwrap_err();
    /// assert!(!refused.is_retryable());
    /// assert!(matches!(socket.status(), SocketStatus::Closed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub const fn give_up_when_refused(mut self, give_up: bool) -> Self {
        self.give_up_when_refused = give_up;
        self
    }

    /// How many messages may wait for a connection, and in each channel for its join, before
    /// [`PushError::BufferFull`](crate::PushError::BufferFull). An open connection that takes no more makes pushes wait
    /// once as many are queued, or 16 MiB. 4,096 by default.
    pub const fn max_buffered(mut self, messages: usize) -> Self {
        self.max_buffered = messages;
        self
    }

    /// The largest message taken from the server, in bytes; a larger one closes the connection. 64 MiB by default. A
    /// presence state of 10,000 people is about 1.3 MB.
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_message_bytes = bytes;
        self
    }

    /// The largest single WebSocket frame taken from the server, in bytes. 64 MiB by default.
    pub const fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_frame_bytes = bytes;
        self
    }

    /// The size of the buffer that a connection reads into, in bytes: memory for each connection, against fewer calls
    /// to read large frames. 16 KiB by default.
    pub const fn read_buffer_bytes(mut self, bytes: usize) -> Self {
        self.limits.read_buffer_bytes = bytes;
        self
    }

    /// How `wss://` is done, and whom it trusts. See [`Tls`] for the default.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Connects through an HTTP proxy, by CONNECT: `http://HOST:PORT`.
    ///
    /// ```
    /// # let _runtime = tokio::runtime::Runtime::new().unwrap();
    /// # let _guard = _runtime.enter();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder("ws://example.org/socket").proxy("http://localhost:3128").build()?;
    /// # Ok::<(), presence_native::BuildError>(())
    /// ```
    #[cfg(feature = "proxy")]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some((url.into(), None));
        self
    }

    /// [`proxy`](Self::proxy), with the name and password that it asks for (`Basic`).
    ///
    /// ```
    /// # let _runtime = tokio::runtime::Runtime::new().unwrap();
    /// # let _guard = _runtime.enter();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder("ws://example.org/socket")
    ///     .proxy_with_password("http://localhost:3128", "alice", "s3cret")
    ///     .build()?;
    /// # Ok::<(), presence_native::BuildError>(())
    /// ```
    #[cfg(feature = "proxy")]
    pub fn proxy_with_password(
        mut self,
        url: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.proxy = Some((url.into(), Some((user.into(), password.into()))));
        self
    }

    /// Makes the socket, on a task of the present tokio runtime, which connects and keeps connecting until it is shut
    /// down. Doesn't wait for the connection: joins and pushes do. The runtime needs its I/O and its timers, as with
    /// `enable_all`; without them the socket's task panics, and the socket is closed.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).build()?;
    /// let channel = socket.channel("room:lobby");
    /// channel.join().await?; // waits for the connection too
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::Invalid`] names the setting that is not usable; [`BuildError::NoRuntime`] outside of a runtime.
    pub fn build(self) -> Result<Socket, BuildError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        Ok(Socket::start(&runtime, self.settings()?))
    }

    /// [`build`](Self::build)s the socket and waits until it is connected.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).connect().await?;
    /// assert!(socket.status().is_connected());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As `build`; and when the first attempt fails, its reason, with the HTTP status if the server refused
    /// ([`ConnectError::status`](crate::ConnectError::status)). The socket is gone then. To go on trying instead, use
    /// `build`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket.
    pub async fn connect(self) -> Result<Socket, StartError> {
        let socket = self.build()?;
        socket.first_attempt().await?;
        Ok(socket)
    }

    fn settings(self) -> Result<Settings, BuildError> {
        let core = Config {
            timeout: millis("timeout", self.timeout)?,
            heartbeat_interval: millis("heartbeat_interval", self.heartbeat_interval)?,
            heartbeat_timeout: Some(millis("heartbeat_timeout", self.heartbeat_timeout)?),
            reconnect: backoff("reconnect_after", self.reconnect_after, Backoff::reconnect)?,
            rejoin: backoff("rejoin_after", self.rejoin_after, Backoff::rejoin)?,
            jitter: self.jitter,
            seed: rand::random(),
            max_buffered: self.max_buffered,
            push_timeout_after_disconnect: false,
            stop_on_refusal: self.give_up_when_refused,
            stop_on_join_refusal: self.give_up_when_refused,
            refuse_odd_join_answers: true,
        };
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(BuildError::invalid(
                "jitter",
                "it is a fraction from 0 to 1",
            ));
        }
        for (field, size) in [
            ("max_buffered", self.max_buffered),
            ("max_message_bytes", self.limits.max_message_bytes),
            ("max_frame_bytes", self.limits.max_frame_bytes),
            ("read_buffer_bytes", self.limits.read_buffer_bytes),
        ] {
            if size == 0 {
                return Err(BuildError::invalid(field, "it is 0"));
            }
        }
        millis("connect_timeout", self.connect_timeout)?;
        millis("close_timeout", self.close_timeout)?;
        let endpoint = Endpoint::new(
            &self.endpoint,
            &self.params,
            self.vsn,
            &self.headers,
            self.token,
        )?;
        let connector = Connector {
            tls: endpoint
                .is_secure()
                .then(|| self.tls.connector())
                .transpose()?,
            endpoint,
            #[cfg(feature = "proxy")]
            proxy: self
                .proxy
                .map(|(url, auth)| Proxy::new(&url, auth))
                .transpose()?,
            limits: self.limits,
            timeout: self.connect_timeout,
        };
        Ok(Settings {
            connector: Arc::new(connector),
            core,
            vsn: self.vsn,
            timeout: self.timeout,
            close_timeout: self.close_timeout,
            max_buffered: self.max_buffered,
        })
    }
}

/// The milliseconds of a setting, which can't be none.
fn millis(field: &'static str, duration: Duration) -> Result<u64, BuildError> {
    match u64::try_from(duration.as_millis()) {
        Ok(0) => Err(BuildError::invalid(field, "it is less than a millisecond")),
        Ok(millis) if duration <= LONGEST => Ok(millis),
        _ => Err(BuildError::invalid(field, "it is longer than a year")),
    }
}

const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn backoff(
    field: &'static str,
    waits: Option<Vec<Duration>>,
    default: fn() -> Backoff,
) -> Result<Backoff, BuildError> {
    let Some(waits) = waits else {
        return Ok(default());
    };
    let steps: Vec<u64> = waits
        .into_iter()
        .map(|wait| millis(field, wait))
        .collect::<Result<_, _>>()?;
    let then = *steps
        .last()
        .ok_or_else(|| BuildError::invalid(field, "there is no wait in it"))?;
    Ok(Backoff::Steps { steps, then })
}

/// Why [`SocketBuilder::connect`] gave no socket.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{Socket, StartError};
///
/// // The embedded server refuses those who ask for it.
/// let error = Socket::builder(&endpoint).param("reject", "1").connect().await.unwrap_err();
/// assert!(matches!(error, StartError::Connect(_)));
/// assert_eq!((error.status(), error.is_retryable()), (Some(403), false));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is not usable.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The first attempt to connect failed.
    #[error(transparent)]
    Connect(#[from] Disconnect),
}

impl StartError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Build(error) => error.is_retryable(),
            Self::Connect(error) => error.is_retryable(),
        }
    }

    /// The HTTP status of a refused upgrade.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Connect(Disconnect::Connect(error)) => error.status(),
            _ => None,
        }
    }
}
