use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use presence_core::presence::{self as core, ChangeKind, Json, MetaRef};
use serde::de::DeserializeOwned;

use super::entry::{Entry, RawEntry};
use super::mirror::Mirror;
use super::snapshot::Snapshot;
use crate::channel::Handle;
use crate::error::DecodeError;
use crate::queue::{Item, Receiver};

/// What brought a change about.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{Cause, Socket};
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<serde_json::Value>()?;
/// let mut changes = presence.changes();
/// channel.join().await?;
/// while let Some(change) = changes.next().await {
///     let change = change?;
///     match change.cause() {
///         Cause::Diff => println!("{} came or went just now", change.key()),
///         Cause::Resync => println!("{} did at some time", change.key()),
///         _ => {} // whatever a later version adds
///     }
/// #   assert_eq!(change.cause(), Cause::Resync);
/// #   break;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// It happened just now: the server sent a diff.
    Diff,
    /// It happened at some time since the connection or the join was lost, or before the first join: the server sent
    /// the whole state, and this is how it differs from what was known.
    Resync,
}

pub(super) struct RawChange {
    kind: ChangeKind,
    cause: Cause,
    key: Box<str>,
    before: Option<Arc<RawEntry>>,
    after: Option<Arc<RawEntry>>,
    joined: Box<[Box<str>]>,
    left: Box<[Box<str>]>,
}

impl RawChange {
    pub(super) fn new(change: &core::Change<'_, Json>, cause: Cause) -> Self {
        let json = |meta: MetaRef<'_, Json>| meta.raw().into();
        Self {
            kind: change.kind(),
            cause,
            key: change.key().into(),
            before: change.before().map(|before| RawEntry::new(&before)),
            after: change.after().map(|after| RawEntry::new(&after)),
            joined: change.joined().map(json).collect(),
            left: change.left().map(json).collect(),
        }
    }
}

/// What one frame from the server did to one presence. Cheap to clone.
///
/// An update is one change, though Phoenix sends it as a leave and a join; what was there already is no join.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChangeKind, Socket};
/// use serde_json::json;
///
/// #[derive(serde::Deserialize)]
/// struct Meta {
///     status: Option<String>,
/// }
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<Meta>()?;
/// channel.join().await?;
/// presence.synced().await?;
/// let mut changes = presence.changes();
///
/// channel.push("set_status", &json!({"status": "away"})).await?;
/// let change = changes.next().await.expect("the channel goes on")?;
/// assert_eq!((change.key(), change.kind()), ("alice", ChangeKind::Updated));
/// for meta in change.joined() {
///     assert_eq!(meta?.status.as_deref(), Some("away"));
/// }
/// assert_eq!((change.joined().len(), change.left().len()), (1, 1));
/// assert!(change.before().is_some() && change.after() == presence.get("alice"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Change<M, X> {
    raw: Arc<RawChange>,
    _types: PhantomData<fn() -> (M, X)>,
}

impl<M, X> Clone for Change<M, X> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.raw))
    }
}

impl<M, X> fmt::Debug for Change<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("kind", &self.kind())
            .field("cause", &self.cause())
            .field("before", &self.before())
            .field("after", &self.after())
            .finish()
    }
}

impl<M, X> Change<M, X> {
    const fn new(raw: Arc<RawChange>) -> Self {
        Self {
            raw,
            _types: PhantomData,
        }
    }

    /// [`Joined`](ChangeKind::Joined): new metas, none lost (the first ones, if there is nothing
    /// [`before`](Self::before)). [`Left`](ChangeKind::Left): metas lost, no new ones (the last ones, if there is
    /// nothing [`after`](Self::after)). [`Updated`](ChangeKind::Updated): metas in exchange for others, or other
    /// extras.
    pub fn kind(&self) -> ChangeKind {
        self.raw.kind
    }

    /// Whether it happened just now.
    pub fn cause(&self) -> Cause {
        self.raw.cause
    }

    /// The presence's key.
    pub fn key(&self) -> &str {
        &self.raw.key
    }

    /// The presence as it was; none if it was not there.
    pub fn before(&self) -> Option<Entry<M, X>> {
        self.raw.before.clone().map(Entry::new)
    }

    /// The presence as it is; none if it is gone.
    pub fn after(&self) -> Option<Entry<M, X>> {
        self.raw.after.clone().map(Entry::new)
    }
}

impl<M: DeserializeOwned, X> Change<M, X> {
    /// The metas that came.
    pub fn joined(&self) -> impl ExactSizeIterator<Item = Result<M, DecodeError>> {
        decoded(&self.raw.joined)
    }

    /// The metas that went.
    pub fn left(&self) -> impl ExactSizeIterator<Item = Result<M, DecodeError>> {
        decoded(&self.raw.left)
    }
}

fn decoded<M: DeserializeOwned>(
    metas: &[Box<str>],
) -> impl ExactSizeIterator<Item = Result<M, DecodeError>> {
    metas.iter().map(|json| Ok(serde_json::from_str(json)?))
}

/// Changes were read too slowly, and some dropped: here is the roster to go on from.
///
/// The changes that follow apply to [`snapshot`](Self::snapshot), none missing.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChannelOptions, Socket};
/// use serde_json::{Map, json};
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel_with("room:lobby", ChannelOptions::new().stream_capacity(2));
/// let presence = channel.presence::<serde_json::Value>()?;
/// channel.join().await?;
/// presence.synced().await?;
/// let mut changes = presence.changes();
///
/// // Five people come, and nobody reads.
/// # let mut people = server.presences().process();
/// # for name in ["bob", "carol", "dave", "erin", "frank"] {
/// #     people.track("room:lobby", name, Map::new())?;
/// # }
/// # channel.push("echo", &json!({})).await?;
/// let lagged = changes.next().await.expect("the channel goes on").unwrap_err();
/// assert_eq!((lagged.missed, lagged.snapshot.len()), (5, 6));
///
/// // From here on all changes come again, and they begin with that snapshot.
/// # people.untrack("room:lobby", "bob");
/// let change = changes.next().await.expect("the channel goes on")?;
/// assert_eq!(change.before(), lagged.snapshot.get("bob"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{missed} changes were dropped since they were read too slowly")]
#[non_exhaustive]
pub struct ChangesLagged<M, X> {
    /// How many changes were dropped.
    pub missed: u64,
    /// Who is there now.
    pub snapshot: Snapshot<M, X>,
}

impl<M, X> fmt::Debug for ChangesLagged<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangesLagged")
            .field("missed", &self.missed)
            .field("present", &self.snapshot.len())
            .finish()
    }
}

/// An item of [`Changes`].
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{ChangeItem, Socket};
/// use serde_json::Value;
///
/// fn line(item: &ChangeItem<Value, serde::de::IgnoredAny>) -> String {
///     match item {
///         Ok(change) => format!("{:?} {}", change.kind(), change.key()),
///         Err(lagged) => format!("{} are here", lagged.snapshot.len()),
///     }
/// }
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let mut changes = channel.presence::<Value>()?.changes();
/// channel.join().await?;
/// assert_eq!(line(&changes.next().await.expect("the channel goes on")), "Joined alice");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub type ChangeItem<M, X> = Result<Change<M, X>, ChangesLagged<M, X>>;

/// The changes of a roster, as a [`Stream`]. Made by [`Presence::changes`](super::Presence::changes).
///
/// It goes on through lost connections, after which changes have the cause [`Cause::Resync`], and ends when the
/// channel is [closed](crate::ChannelStatus). It holds 1,024 changes
/// ([`stream_capacity`](crate::ChannelOptions::stream_capacity)); a reader slower than that gets a [`ChangesLagged`]
/// with the roster to go on from.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use futures_util::TryStreamExt as _;
/// use presence_native::Socket;
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<serde_json::Value>()?;
/// channel.join().await?;
/// presence.synced().await?;
///
/// let mut changes = presence.changes();
/// let mut names: Vec<_> = changes.start().iter().map(|person| person.key().to_owned()).collect();
/// # let mut bob = server.presences().process();
/// # bob.track("room:lobby", "bob", serde_json::Map::new())?;
/// while let Some(change) = changes.try_next().await? {
///     match (change.before(), change.after()) {
///         (None, Some(_)) => names.push(change.key().to_owned()),
///         (Some(_), None) => names.retain(|name| name != change.key()),
///         _ => {} // another device, or something else in the metas
///     }
/// #   break;
/// }
/// assert_eq!(names, ["alice", "bob"]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Changes<M, X> {
    receiver: Receiver<Arc<RawChange>>,
    mirror: Arc<parking_lot::Mutex<Mirror>>,
    start: Snapshot<M, X>,
    _channel: Arc<Handle>,
}

impl<M, X> fmt::Debug for Changes<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

impl<M, X> Changes<M, X> {
    pub(super) const fn new(
        receiver: Receiver<Arc<RawChange>>,
        mirror: Arc<parking_lot::Mutex<Mirror>>,
        start: Snapshot<M, X>,
        channel: Arc<Handle>,
    ) -> Self {
        Self {
            receiver,
            mirror,
            start,
            _channel: channel,
        }
    }

    /// Who was there when the stream began: its changes apply to this.
    pub const fn start(&self) -> &Snapshot<M, X> {
        &self.start
    }

    /// The next change; none once the channel is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ChangeItem<M, X>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<ChangeItem<M, X>>> {
        self.receiver.poll_next(cx).map(|item| {
            item.map(|item| match item {
                Item::Next(change) => Ok(Change::new(change)),
                Item::Missed(missed) => Err(self.catch_up(missed)),
            })
        })
    }

    /// Skips what is queued: the roster has it already.
    fn catch_up(&mut self, missed: u64) -> ChangesLagged<M, X> {
        let mirror = self.mirror.lock();
        ChangesLagged {
            missed: missed + self.receiver.clear(),
            snapshot: Snapshot::new(mirror.list().clone()),
        }
    }
}

impl<M, X> Stream for Changes<M, X> {
    type Item = ChangeItem<M, X>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}
