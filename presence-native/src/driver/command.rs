use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Outcome;
use crate::channel;
use crate::error::JoinError;
use crate::message::{Payload, Reply};

/// What a handle asks of the task.
pub(crate) enum Command {
    Join(
        Arc<channel::Shared>,
        oneshot::Sender<Result<Reply, JoinError>>,
    ),
    Push(Box<PushRequest>),
    Leave(Arc<channel::Shared>, oneshot::Sender<()>),
}

pub(crate) struct PushRequest {
    pub(crate) channel: Arc<channel::Shared>,
    pub(crate) event: Box<str>,
    pub(crate) payload: Payload,
    pub(crate) timeout: Option<Duration>,
    pub(crate) outcome: Outcome,
}

/// What can't wait for room in the queue of commands.
pub(crate) enum Release {
    /// There is a new channel, not joined.
    New(Arc<channel::Shared>),
    /// The last handle of a channel is gone.
    Channel(Arc<channel::Shared>),
    /// The network may be another: what waits for room may have to wait for this.
    Reconnect(oneshot::Sender<()>),
    /// Somebody waits for the end of the socket.
    Socket(oneshot::Sender<()>),
}
