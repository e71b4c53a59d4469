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
pub type ChangeItem<M, X> = Result<Change<M, X>, ChangesLagged<M, X>>;

/// The changes of a roster, as a [`Stream`]. Made by [`Presence::changes`](super::Presence::changes).
///
/// It goes on through lost connections, after which changes have the cause [`Cause::Resync`], and ends when the
/// channel is [closed](crate::ChannelStatus). It holds 1,024 changes
/// ([`stream_capacity`](crate::ChannelOptions::stream_capacity)); a reader slower than that gets a [`ChangesLagged`]
/// with the roster to go on from.
///
/// # Cancel safety
///
/// Dropping the future of [`next`](Self::next) loses nothing.
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
