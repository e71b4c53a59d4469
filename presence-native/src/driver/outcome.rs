use presence_core::ChannelId;
use tokio::sync::oneshot;

use crate::error::PushError;
use crate::message::Reply;

/// What the sender of a push wants to hear.
pub(crate) enum Outcome {
    /// The reply.
    Reply(oneshot::Sender<Result<Reply, PushError>>),
    /// That it was handed to a connection.
    Sent(oneshot::Sender<Result<(), PushError>>),
}

impl Outcome {
    /// Nobody hears it if the sender has dropped its future, and nobody has to.
    pub(super) fn fail(self, error: PushError) {
        match self {
            Self::Reply(sender) => drop(sender.send(Err(error))),
            Self::Sent(sender) => drop(sender.send(Err(error))),
        }
    }

    pub(super) fn replied(self, reply: Result<Reply, PushError>) {
        match self {
            Self::Reply(sender) => drop(sender.send(reply)),
            Self::Sent(sender) => drop(sender.send(Ok(()))),
        }
    }
}

/// Whom the end of one of the core's pushes concerns.
pub(super) enum Waiting {
    Join(ChannelId),
    Push(Outcome),
}
