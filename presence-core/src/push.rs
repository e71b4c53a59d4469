//! A message that waits for its reply.

use alloc::sync::Arc;

use crate::id::ChannelId;
use crate::timer::TimerId;

/// One push: phoenix.js's `Push`, without its callbacks.
#[derive(Debug)]
pub(crate) struct Push<P> {
    /// None or a channel that is gone: only the timeout is left to come.
    pub(crate) channel: Option<ChannelId>,
    pub(crate) event: Arc<str>,
    pub(crate) payload: Option<P>,
    pub(crate) timeout: u64,
    pub(crate) message_ref: Option<u64>,
    pub(crate) timer: Option<TimerId>,
    /// Ran out of time before it could be sent, so it never will be.
    pub(crate) timed_out: bool,
}

impl<P> Push<P> {
    pub(crate) fn new(
        channel: Option<ChannelId>,
        event: Arc<str>,
        payload: Option<P>,
        timeout: u64,
    ) -> Self {
        Self {
            channel,
            event,
            payload,
            timeout,
            message_ref: None,
            timer: None,
            timed_out: false,
        }
    }
}
