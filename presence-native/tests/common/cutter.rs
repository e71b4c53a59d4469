//! Something between client and server that breaks connections, at a message or at a byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// Counts down to the cut; never, once it is far below.
#[derive(Clone)]
struct Fuse(Arc<AtomicUsize>);

impl Fuse {
    fn new(after: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(after)))
    }

    /// How many of `wanted` still pass. Fewer than that: cut now.
    fn pass(&self, wanted: usize) -> usize {
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                (left != usize::MAX).then(|| left.checked_sub(wanted).unwrap_or(usize::MAX))
            });
        match taken {
            Ok(left) if left < wanted => left,
            _ => wanted,
        }
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stands before a server, and breaks one connection: the one over which the fuse burns down.
pub(crate) struct Cutter {
    addr: SocketAddr,
    fuse: Fuse,
    _tasks: JoinSet<()>,
}

impl Cutter {
    /// Cuts after so many messages, counted both ways and over all connections. Nothing else is changed.
    pub(crate) async fn at_message(server: SocketAddr, after: usize) -> Self {
        Self::start(server, after, |stream, server, fuse| async move {
            forward_messages(stream, server, &fuse).await;
        })
        .await
    }

    /// Cuts after so many bytes, counted both ways and over all connections.
    pub(crate) async fn at_byte(server: SocketAddr, after: usize) -> Self {
        Self::start(server, after, |stream, server, fuse| async move {
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let (client_read, client_write) = stream.into_split();
            let (server_read, server_write) = server.into_split();
            // Whichever ends first takes the other with it.
            tokio::select! {
                () = forward_bytes(client_read, server_write, &fuse) => {}
                () = forward_bytes(server_read, client_write, &fuse) => {}
            }
        })
        .await
    }

    async fn start<F>(
        server: SocketAddr,
        after: usize,
        forward: impl Fn(TcpStream, SocketAddr, Fuse) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let fuse = Fuse::new(after);
        let mut tasks = JoinSet::new();
        let shared = fuse.clone();
        tasks.spawn(async move {
            // Dropped with the listener, and their connections with them.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(forward(stream, server, shared.clone()));
            }
        });
        Self {
            addr,
            fuse,
            _tasks: tasks,
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.addr)
    }

    /// Whether the cut was made.
    pub(crate) fn has_cut(&self) -> bool {
        self.fuse.left() == usize::MAX
    }
}

async fn forward_messages(stream: TcpStream, server: SocketAddr, fuse: &Fuse) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "tungstenite's own type")]
    let callback = |asked: &Request, response: Response| -> Result<Response, ErrorResponse> {
        path = asked.uri().to_string();
        Ok(response)
    };
    let Ok(mut client) = accept_hdr_async(stream, callback).await else {
        return;
    };
    let Ok(stream) = TcpStream::connect(server).await else {
        return;
    };
    let Ok((mut server, _)) = client_async(format!("ws://{server}{path}"), stream).await else {
        return;
    };
    loop {
        let passed = tokio::select! {
            message = client.next() => pass(message, &mut server, fuse).await,
            message = server.next() => pass(message, &mut client, fuse).await,
        };
        if !passed {
            return;
        }
    }
}

async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    to: &mut WebSocketStream<S>,
    fuse: &Fuse,
) -> bool {
    match message {
        Some(Ok(message)) => fuse.pass(1) == 1 && to.send(message).await.is_ok(),
        Some(Err(_)) | None => false,
    }
}

async fn forward_bytes(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    fuse: &Fuse,
) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let passing = fuse.pass(count);
        if to.write_all(&buffer[..passing]).await.is_err() || passing < count {
            return;
        }
    }
}
