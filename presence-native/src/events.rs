//! A channel's events as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::channel::Handle;
use crate::error::Lagged;
use crate::message::Message;
use crate::queue::{Item, Receiver, Sender};

/// Which events a stream wants.
pub(crate) enum Filter {
    All,
    Named(Box<str>),
}

/// The task's end of a stream.
pub(crate) struct Subscription {
    pub(crate) filter: Filter,
    pub(crate) sender: Sender<Message>,
}

impl Subscription {
    pub(crate) fn wants(&self, event: &str) -> bool {
        match &self.filter {
            Filter::All => true,
            Filter::Named(name) => **name == *event,
        }
    }
}

/// The events of a channel, as a [`Stream`]. Made by [`Channel::events`](crate::Channel::events) and
/// [`Channel::events_named`](crate::Channel::events_named).
///
/// It goes on through crashes and lost connections, and ends when the channel is [closed](crate::ChannelStatus).
/// A stream holds 1,024 messages
/// ([`stream_capacity`](crate::ChannelOptions::stream_capacity)); a reader slower than that finds a [`Lagged`] in
/// place of the oldest.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use futures_util::StreamExt as _;
/// use presence_native::Socket;
/// use serde_json::json;
///
/// let socket = Socket::builder(&endpoint).build()?;
/// let channel = socket.channel("room:lobby");
/// let mut events = channel.events(); // also presence_state and presence_diff
/// let shouts = channel.events_named("shout");
/// channel.join().await?;
/// channel.cast("shout", &json!("one")).await?;
/// channel.cast("shout", &json!("two")).await?;
///
/// while let Some(event) = events.next().await {
///     let event = event?;
///     println!("{} {:?}", event.event, event.payload);
/// #   if &*event.event == "shout" { break; }
/// }
///
/// // Or with all that there is for streams.
/// let bodies: Vec<String> = shouts
///     .filter_map(async |shout| shout.ok()?.decode().ok())
///     .take(2)
///     .collect()
///     .await;
/// assert_eq!(bodies, ["one", "two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Events {
    receiver: Receiver<Message>,
    _channel: Arc<Handle>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) fn new(receiver: Receiver<Message>, channel: Arc<Handle>) -> Self {
        Self {
            receiver,
            _channel: channel,
        }
    }

    /// The next event; none once the channel is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Message, Lagged>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Lagged>>> {
        self.receiver.poll_next(cx).map(|item| {
            item.map(|item| match item {
                Item::Next(message) => Ok(message),
                Item::Missed(missed) => Err(Lagged { missed }),
            })
        })
    }
}

impl Stream for Events {
    type Item = Result<Message, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}
