//! What waits to be written to one connection.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// One encoded message. Clones share the bytes, so a broadcast is encoded once for everybody.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Frame {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(data) => data.len(),
        }
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The server closes, with this code.
    Code(u16),
    /// The client closed, or its connection broke: there is nobody to write to.
    Gone,
    /// The client reads too slowly: more waits for it than the limits allow.
    Overflow,
}

/// What the transport has to do next.
#[derive(Debug)]
pub(crate) enum Batch {
    Frames(VecDeque<Frame>),
    Close(Close),
}

/// How much may wait for one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboxLimits {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

/// The bounded queue between the rooms and one connection's transport. When it is full the
/// connection is closed: a client that can't follow starts afresh, and the room never waits.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    closing: CancellationToken,
    limits: OutboxLimits,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    close: Option<Close>,
}

impl Outbox {
    pub(crate) fn new(limits: OutboxLimits) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            closing: CancellationToken::new(),
            limits,
        }
    }

    /// Queues a frame; once the connection is closing, it goes nowhere.
    pub(crate) fn push(&self, frame: Frame) {
        {
            let mut queue = self.queue.lock();
            if queue.close.is_some() {
                return;
            }
            // One frame larger than the whole limit still passes an empty queue: a large
            // presence_state would otherwise refuse its reader for ever.
            if queue.frames.len() < self.limits.frames && queue.bytes < self.limits.bytes {
                queue.bytes = queue.bytes.saturating_add(frame.len());
                queue.frames.push_back(frame);
            } else {
                queue.frames = VecDeque::new();
                queue.close = Some(Close::Overflow);
                self.closing.cancel();
            }
        }
        self.filled.notify_one();
    }

    /// Ends the connection after what is queued now. The first close wins.
    pub(crate) fn close(&self, close: Close) {
        {
            let mut queue = self.queue.lock();
            if queue.close.is_none() {
                queue.close = Some(close);
            }
        }
        self.closing.cancel();
        self.filled.notify_one();
    }

    /// Completes once the connection has to end.
    pub(crate) async fn closing(&self) {
        self.closing.cancelled().await;
    }

    pub(crate) fn close_reason(&self) -> Option<Close> {
        self.queue.lock().close
    }

    /// Takes all that is queued, or the close when nothing else is left.
    pub(crate) fn take(&self) -> Option<Batch> {
        let mut queue = self.queue.lock();
        if queue.frames.is_empty() {
            return queue.close.map(Batch::Close);
        }
        queue.bytes = 0;
        Some(Batch::Frames(std::mem::take(&mut queue.frames)))
    }

    /// Waits for [`take`](Self::take) to have something. One waiter at a time.
    pub(crate) async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.take() {
                return batch;
            }
            self.filled.notified().await;
        }
    }
}
