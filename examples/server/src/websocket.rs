//! A session over a WebSocket.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::outbox::{Batch, Close, Frame, Outbox};
use crate::session::{Incoming, Session};

/// How long a client may take to answer our close before the connection is cut.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

mod close_code {
    pub(super) const IDLE: u16 = 1002;
    pub(super) const TOO_LARGE: u16 = 1009;
    pub(super) const MALFORMED: u16 = 1011;
}

/// Runs a connection to its end. `cut` ends it at once, without a close frame.
pub(crate) async fn run(
    socket: WebSocket,
    mut session: Session,
    outbox: Arc<Outbox>,
    idle_timeout: Duration,
    cut: CancellationToken,
) {
    let (sink, stream) = socket.split();
    let both = async {
        tokio::join!(
            read(stream, &mut session, &outbox, idle_timeout),
            write(sink, &outbox)
        )
    };
    let overdue = async {
        outbox.closing().await;
        // To a client that doesn't read there is no use in saying goodbye.
        if outbox.close_reason() != Some(Close::Overflow) {
            sleep(CLOSE_GRACE).await;
        }
    };
    tokio::select! {
        // The cut first: of what the others' ends queue here, nothing may get out any more.
        biased;
        () = cut.cancelled() => {}
        _ = both => {}
        () = overdue => {}
    }
}

async fn read(
    mut stream: SplitStream<WebSocket>,
    session: &mut Session,
    outbox: &Outbox,
    idle_timeout: Duration,
) {
    let close = receive(&mut stream, session, outbox, idle_timeout).await;
    // The others see the client leave now, not when it has answered the close.
    session.terminate();
    outbox.close(close);
    while let Some(Ok(_)) = stream.next().await {}
}

/// Handles what comes in until the connection has to close.
async fn receive(
    stream: &mut SplitStream<WebSocket>,
    session: &mut Session,
    outbox: &Outbox,
    idle_timeout: Duration,
) -> Close {
    let mut deadline = Instant::now() + idle_timeout;
    loop {
        let received = match stream.next().now_or_never() {
            Some(received) => received,
            None => {
                session.settle();
                tokio::select! {
                    received = timeout_at(deadline, stream.next()) => match received {
                        Ok(received) => received,
                        Err(_) => return Close::Code(close_code::IDLE),
                    },
                    late = session.next_late() => {
                        session.send_late(&late);
                        continue;
                    }
                    () = outbox.closing() => return Close::Gone,
                }
            }
        };
        deadline = Instant::now() + idle_timeout;
        let incoming = match received {
            Some(Ok(Message::Text(text))) => Incoming::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(data))) => Incoming::Binary(data),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return Close::Gone,
            Some(Err(error)) => {
                tracing::debug!(%error, "the connection broke");
                return broken(&error);
            }
        };
        if let Err(error) = session.handle(incoming).await {
            tracing::debug!(%error, "a malformed frame");
            return Close::Code(close_code::MALFORMED);
        }
        if outbox.close_reason().is_some() {
            return Close::Gone;
        }
    }
}

fn broken(error: &axum::Error) -> Close {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(tungstenite::Error::Capacity(_)) => Close::Code(close_code::TOO_LARGE),
        _ => Close::Gone,
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, outbox: &Outbox) {
    let result: Result<(), axum::Error> = async {
        loop {
            match outbox.next().await {
                Batch::Frames(frames) => {
                    for frame in frames {
                        sink.feed(frame.into()).await?;
                    }
                    sink.flush().await?;
                }
                Batch::Close(Close::Code(code)) => {
                    let reason = Utf8Bytes::default();
                    let frame = CloseFrame { code, reason };
                    return sink.send(Message::Close(Some(frame))).await;
                }
                Batch::Close(Close::Gone | Close::Overflow) => return Ok(()),
            }
        }
    }
    .await;
    if let Err(error) = result {
        tracing::debug!(%error, "the connection broke");
        outbox.close(Close::Gone);
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Text(text) => Self::Text(text),
            Frame::Binary(data) => Self::Binary(data),
        }
    }
}
