use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream as _;
use futures_util::Sink as _;
use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Happening, WebSocket};
use crate::error::Disconnect;

/// How many bytes may wait on a connection, but for one message that is larger.
const MAX_QUEUED_BYTES: usize = 16 << 20;

/// One open WebSocket and what is to be written to it. Reading goes on while writing waits, since a server that does
/// not read may be waiting for us to.
pub(super) struct Link {
    stream: WebSocket,
    outgoing: VecDeque<Message>,
    outgoing_bytes: usize,
    unflushed: bool,
    /// Nothing can be written any more.
    broken: bool,
    /// A close is queued or was received: the end is near, and this is the latest time for it.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Link {
    pub(super) fn new(stream: WebSocket) -> Self {
        Self {
            stream,
            outgoing: VecDeque::with_capacity(1),
            outgoing_bytes: 0,
            unflushed: false,
            broken: false,
            deadline: None,
        }
    }

    /// False once the connection is closing.
    pub(super) fn queue(&mut self, message: Message) -> bool {
        if self.deadline.is_some() || self.broken {
            return false;
        }
        self.outgoing_bytes += message.len();
        self.outgoing.push_back(message);
        true
    }

    /// Whether no more should be queued than so many messages.
    pub(super) fn is_full(&self, max_queued: usize) -> bool {
        self.outgoing.len() >= max_queued || self.outgoing_bytes >= MAX_QUEUED_BYTES
    }

    pub(super) fn close(&mut self, frame: Option<CloseFrame>, within: Duration) {
        if self.deadline.is_none() {
            self.outgoing.push_back(Message::Close(frame));
            self.end_within(within);
        }
    }

    /// To be called when the end was told: whether there is still a goodbye to be said.
    pub(super) fn begin_to_linger(&mut self, within: Duration) -> bool {
        if self.broken {
            return false;
        }
        self.outgoing
            .retain(|message| matches!(message, Message::Close(_)));
        // The answer to the server's close is in the stream's own buffer.
        self.unflushed = true;
        if self.deadline.is_none() {
            self.end_within(within);
        }
        true
    }

    fn end_within(&mut self, within: Duration) {
        self.deadline = Some(Box::pin(tokio::time::sleep(within)));
    }

    /// What happens next. Once it is [`Happening::Closed`] only [`Self::poll_end`] is left to call.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        // A failed write is followed by a failed read, which says more.
        let written = self.poll_write(cx);
        if self
            .deadline
            .as_mut()
            .is_some_and(|at| at.as_mut().poll(cx).is_ready())
        {
            self.broken = true;
            return Poll::Ready(Happening::Closed(Disconnect::Closed { code: None }));
        }
        loop {
            let closed = match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Ready(Some(Ok(Message::Text(text)))) => {
                    return Poll::Ready(Happening::Text(text));
                }
                Poll::Ready(Some(Ok(Message::Binary(bytes)))) => {
                    return Poll::Ready(Happening::Binary(bytes));
                }
                Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {
                    continue;
                }
                Poll::Ready(Some(Ok(Message::Close(frame)))) => Disconnect::Closed {
                    code: frame.map(|frame| frame.code.into()),
                },
                Poll::Ready(Some(Err(error))) => {
                    self.broken = true;
                    disconnect_of(error)
                }
                Poll::Ready(None) => {
                    self.broken = true;
                    Disconnect::Closed { code: None }
                }
                Poll::Pending => match written {
                    Poll::Ready(Err(error)) => {
                        self.broken = true;
                        disconnect_of(error)
                    }
                    _ => return Poll::Pending,
                },
            };
            return Poll::Ready(Happening::Closed(closed));
        }
    }

    /// Completes once the goodbye is said, or took too long.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let late = self
            .deadline
            .as_mut()
            .is_none_or(|at| at.as_mut().poll(cx).is_ready());
        if late || matches!(self.poll_write(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(());
        }
        loop {
            match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(()),
            }
        }
    }

    /// Writes what is queued and flushes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut stream = Pin::new(&mut self.stream);
        while !self.outgoing.is_empty() {
            ready!(stream.as_mut().poll_ready(cx))?;
            if let Some(message) = self.outgoing.pop_front() {
                self.outgoing_bytes = self.outgoing_bytes.saturating_sub(message.len());
                stream.as_mut().start_send(message)?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            ready!(stream.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

fn disconnect_of(error: Error) -> Disconnect {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Disconnect::Closed { code: None },
        Error::Io(error) => Disconnect::Io(Arc::new(error)),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Disconnect::Io(Arc::new(io::ErrorKind::UnexpectedEof.into()))
        }
        other => Disconnect::Protocol(other.to_string()),
    }
}
