//! Connections: how one comes about ([`connect`]), and what goes over it ([`Transports`]).

mod connect;
mod link;
#[cfg(feature = "proxy")]
mod proxy;
mod tls;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use presence_core::ConnectionId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use crate::error::{ConnectError, Disconnect};

pub(crate) use connect::{Connector, Limits};
use link::Link;
#[cfg(feature = "proxy")]
pub(crate) use proxy::Proxy;
pub(crate) use tls::Encrypt;
pub use tls::Tls;

/// What a WebSocket goes over: TCP, TLS, or either through a proxy.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(crate) type BoxedIo = Box<dyn Io>;
pub(crate) type WebSocket = WebSocketStream<BoxedIo>;
pub(crate) type Connecting = Pin<Box<dyn Future<Output = Result<WebSocket, ConnectError>> + Send>>;

/// What a connection has to tell.
pub(crate) enum Happening {
    Opened,
    Text(Utf8Bytes),
    Binary(Bytes),
    /// It is over, or never came about.
    Closed(Disconnect),
}

/// How many closed connections are given time to say goodbye at once, at the most.
const MAX_LINGERING: usize = 8;

enum Transport {
    Connecting(Connecting),
    Open(Box<Link>),
}

/// The connections of a socket: mostly one, and for a moment the one before it.
pub(crate) struct Transports {
    live: Vec<(ConnectionId, Transport)>,
    /// Closed by the server; they still answer its close.
    lingering: VecDeque<Box<Link>>,
    close_timeout: Duration,
    /// How many messages may wait on a connection.
    max_queued: usize,
    /// Somebody holds messages back until there are fewer.
    is_full: bool,
}

impl Transports {
    pub(crate) fn new(close_timeout: Duration, max_queued: usize) -> Self {
        Self {
            max_queued,
            is_full: false,
            live: Vec::new(),
            lingering: VecDeque::new(),
            close_timeout,
        }
    }

    /// Takes up an attempt, in place of one that the connection may have under way.
    pub(crate) fn connect(&mut self, id: ConnectionId, connecting: Connecting) {
        self.live.retain(|(live, _)| *live != id);
        self.live.push((id, Transport::Connecting(connecting)));
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_connecting(&self, id: ConnectionId) -> bool {
        self.live
            .iter()
            .any(|(live, transport)| *live == id && matches!(transport, Transport::Connecting(_)))
    }

    /// Queues a message. False if the connection is gone, and the message with it.
    pub(crate) fn send(&mut self, id: ConnectionId, message: Message) -> bool {
        let link = self
            .live
            .iter_mut()
            .find_map(|(live, transport)| match transport {
                Transport::Open(link) if *live == id => Some(link),
                _ => None,
            });
        link.is_some_and(|link| link.queue(message))
    }

    /// Closes a connection once all that is queued is sent; its end is told. False if there is nothing to wait for.
    pub(crate) fn close(&mut self, id: ConnectionId, code: Option<u16>, reason: &str) -> bool {
        let Some(index) = self.live.iter().position(|(live, _)| *live == id) else {
            return false;
        };
        match &mut self.live[index].1 {
            Transport::Open(link) => {
                let frame = code.map(|code| CloseFrame {
                    code: code.into(),
                    reason: reason.into(),
                });
                link.close(frame, self.close_timeout);
                true
            }
            Transport::Connecting(_) => {
                self.live.remove(index);
                false
            }
        }
    }

    /// Gives a connection up at once; it only says goodbye, with this code. Its end is not told.
    pub(crate) fn abandon(&mut self, id: ConnectionId, code: u16) {
        let Some(index) = self.live.iter().position(|(live, _)| *live == id) else {
            return;
        };
        if let (_, Transport::Open(mut link)) = self.live.remove(index) {
            link.close(
                Some(CloseFrame {
                    code: code.into(),
                    reason: "".into(),
                }),
                self.close_timeout,
            );
            self.linger(link);
        }
    }

    /// Whether more messages should be sent now. If not, [`Self::poll_next`] tells when.
    pub(crate) fn has_room(&mut self) -> bool {
        self.is_full = self.live.iter().any(|(_, transport)| match transport {
            Transport::Open(link) => link.is_full(self.max_queued),
            Transport::Connecting(_) => false,
        });
        !self.is_full
    }

    /// Whether no connection is left, not even one that says goodbye.
    pub(crate) fn is_idle(&self) -> bool {
        self.live.is_empty() && self.lingering.is_empty()
    }

    /// Writes what there is to write, and gives what happens next; nothing if it is only that there is
    /// [room](Self::has_room) again. Dropping the wait for it loses nothing.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(ConnectionId, Happening)>> {
        self.lingering
            .retain_mut(|link| link.poll_end(cx).is_pending());
        for index in 0..self.live.len() {
            let (id, transport) = &mut self.live[index];
            let id = *id;
            let Poll::Ready(happening) = transport.poll_next(cx) else {
                continue;
            };
            if matches!(happening, Happening::Closed(_))
                && let (_, Transport::Open(link)) = self.live.remove(index)
            {
                self.linger(link);
            }
            return Poll::Ready(Some((id, happening)));
        }
        if self.is_full && self.has_room() {
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    /// Completes once every connection has ended.
    pub(crate) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.poll_next(cx).is_ready() {}
        if self.is_idle() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn linger(&mut self, mut link: Box<Link>) {
        if link.begin_to_linger(self.close_timeout) {
            if self.lingering.len() >= MAX_LINGERING {
                self.lingering.pop_front();
            }
            self.lingering.push_back(link);
        }
    }
}

impl Transport {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        match self {
            Self::Connecting(connecting) => match connecting.as_mut().poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Happening::Closed(error.into())),
                Poll::Ready(Ok(stream)) => {
                    *self = Self::Open(Box::new(Link::new(stream)));
                    Poll::Ready(Happening::Opened)
                }
            },
            Self::Open(link) => link.poll_next(cx),
        }
    }
}
