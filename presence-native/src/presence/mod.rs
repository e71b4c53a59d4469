//! Who is in a channel.

mod change;
mod entry;
mod list;
mod mirror;
mod snapshot;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use parking_lot::Mutex;
use presence_core::presence::SyncStatus;
use serde::de::IgnoredAny;
use tokio::sync::watch;

use crate::channel::{Channel, DEFAULT_CAPACITY, Handle};
use crate::error::PresenceError;
use crate::queue;
use mirror::Mirror;

pub use change::{Cause, Change, ChangeItem, Changes, ChangesLagged};
pub use entry::Entry;
pub(crate) use mirror::{Due, Shared};
pub use presence_core::presence::{ChangeKind, HeldLimit, PresenceOptions};
pub use snapshot::{Iter, Snapshot};

/// How far a roster can be relied on.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{PresenceStatus, Socket};
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<serde_json::Value>()?;
/// assert_eq!(presence.status(), PresenceStatus::Syncing);
/// let mut status = presence.watch_status();
/// channel.join().await?;
/// status.wait_for(|status| *status == PresenceStatus::Synced).await?;
/// assert_eq!(presence.len(), 1);
///
/// channel.leave().await;
/// assert_eq!((presence.status(), presence.len()), (PresenceStatus::Closed, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PresenceStatus {
    /// The server has not sent its state yet.
    Syncing,
    /// The roster is the server's, up to the latest frame.
    Synced,
    /// The connection or the join was lost since: the roster is the last known one, until the next state.
    Stale,
    /// The channel is over: the roster is the last known one, for ever.
    Closed,
}

impl PresenceStatus {
    pub(crate) const fn of(status: SyncStatus) -> Self {
        match status {
            SyncStatus::Syncing => Self::Syncing,
            SyncStatus::Synced => Self::Synced,
            SyncStatus::Stale => Self::Stale,
        }
    }
}

/// Who is in a channel: the roster that a Phoenix server's `Presence` tracks, followed frame by frame.
///
/// `M` is what the metas are read as, `X` what the server's `fetch/2` puts beside them. Decoding happens when you ask
/// for a value, and one that does not fit is an error for that value alone.
///
/// Make it before the channel is joined, so that it gets the state that follows the join. Cloning gives another handle
/// of the same roster.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::Socket;
///
/// #[derive(serde::Deserialize)]
/// struct Meta {
///     online_at: String,
/// }
///
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<Meta>()?;
/// channel.join().await?;
///
/// let roster = presence.synced().await?;
/// let alice = roster.get("alice").expect("this is us");
/// assert_eq!(alice.len(), 1);
/// for meta in alice.metas() {
///     println!("online since {}", meta?.online_at);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Presence<M, X = IgnoredAny> {
    shared: Arc<Shared>,
    channel: Arc<Handle>,
    _types: PhantomData<fn() -> (M, X)>,
}

impl<M, X> Clone for Presence<M, X> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            channel: Arc::clone(&self.channel),
            _types: PhantomData,
        }
    }
}

impl<M, X> fmt::Debug for Presence<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence")
            .field("topic", &self.channel.shared.topic)
            .field("status", &self.status())
            .field("len", &self.len())
            .finish()
    }
}

impl Channel {
    /// Follows who is in the channel, with metas of type `M` and nothing beside them.
    ///
    /// # Errors
    ///
    /// [`PresenceError::TooLate`] once the channel was joined: the server sends the state right after the join.
    /// [`PresenceError::Closed`] if it is over.
    pub fn presence<M>(&self) -> Result<Presence<M>, PresenceError> {
        self.presence_with(PresenceOptions::default())
    }

    /// [`presence`](Self::presence) with extras of type `X`, or for a server with events of other names. Changes come
    /// frame by frame, whatever [`coalesce`](PresenceOptions::coalesce) says.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::{Presence, PresenceOptions, Socket};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Meta {
    ///     device: Option<String>,
    /// }
    ///
    /// /// What the server's `fetch/2` adds.
    /// #[derive(serde::Deserialize)]
    /// struct Extra {
    ///     user: User,
    /// }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// let socket = Socket::builder(&endpoint).param("user_id", "a7").param("name", "Alice").build()?;
    /// let channel = socket.channel("room:x-ray"); // where the embedded server has a `fetch/2`
    /// let presence: Presence<Meta, Extra> = channel.presence_with(PresenceOptions::default())?;
    /// channel.join().await?;
    /// presence.synced().await?;
    /// assert_eq!(presence.get("a7").expect("this is us").extra()?.user.name, "Alice");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn presence_with<M, X>(
        &self,
        options: PresenceOptions,
    ) -> Result<Presence<M, X>, PresenceError> {
        let shared = Arc::new(Shared::new(options));
        let waiting = &self.handle.shared.presences;
        match &mut *waiting.lock() {
            Some(waiting) => waiting.push(Arc::clone(&shared)),
            None if self.handle.shared.is_closed() => return Err(PresenceError::Closed),
            None => return Err(PresenceError::TooLate),
        }
        Ok(Presence {
            shared,
            channel: Arc::clone(&self.handle),
            _types: PhantomData,
        })
    }
}

impl<M, X> Presence<M, X> {
    fn mirror(&self) -> &Arc<Mutex<Mirror>> {
        &self.shared.mirror
    }

    /// Who is there. The status says how far to rely on it.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
    /// let channel = socket.channel("room:lobby");
    /// let presence = channel.presence::<serde_json::Value>()?;
    /// assert!(presence.snapshot().is_empty());
    /// channel.join().await?;
    /// presence.synced().await?;
    /// assert_eq!(presence.snapshot().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn snapshot(&self) -> Snapshot<M, X> {
        Snapshot::new(self.mirror().lock().list().clone())
    }

    /// The presence with this key. To look at several of one moment, take a [`snapshot`](Self::snapshot).
    pub fn get(&self, key: &str) -> Option<Entry<M, X>> {
        self.mirror().lock().get(key).map(Entry::new)
    }

    /// How many presences there are.
    pub fn len(&self) -> usize {
        self.mirror().lock().list().len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the roster can be relied on.
    pub fn status(&self) -> PresenceStatus {
        *self.shared.status.borrow()
    }

    /// How far the roster can be relied on, as a value to be watched.
    pub fn watch_status(&self) -> watch::Receiver<PresenceStatus> {
        self.shared.status.subscribe()
    }

    /// Waits until the roster is the server's, and gives it.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
    /// let channel = socket.channel("room:lobby");
    /// let presence = channel.presence::<serde_json::Value>()?;
    /// channel.join().await?;
    /// let keys: Vec<_> = presence.synced().await?.iter().map(|person| person.key().to_owned()).collect();
    /// assert_eq!(keys, ["alice"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`PresenceError::Closed`] if the channel is over, so that it never will be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn synced(&self) -> Result<Snapshot<M, X>, PresenceError> {
        let mut status = self.watch_status();
        let settled = |status: &PresenceStatus| {
            matches!(status, PresenceStatus::Synced | PresenceStatus::Closed)
        };
        let status = status.wait_for(settled).await.map(|status| *status);
        match status {
            Ok(PresenceStatus::Synced) => Ok(self.snapshot()),
            _ => Err(PresenceError::Closed),
        }
    }

    /// What happens from now on, as a stream; [`Changes::start`] is the roster that it begins with. Make it before
    /// [`Channel::join`] to get the first state as changes too.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
    /// let channel = socket.channel("room:lobby");
    /// let presence = channel.presence::<serde_json::Value>()?;
    /// let mut changes = presence.changes();
    /// channel.join().await?;
    /// let first = changes.next().await.expect("the channel goes on")?;
    /// assert_eq!((first.key(), first.after()), ("alice", presence.get("alice")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn changes(&self) -> Changes<M, X> {
        let capacity = self
            .channel
            .shared
            .options
            .capacity
            .unwrap_or(DEFAULT_CAPACITY);
        let (sender, receiver) = queue::bounded(capacity);
        let mut gate = self.channel.socket.shared().presence_gate.lock();
        let start = {
            let mut mirror = self.mirror().lock();
            if self.status() != PresenceStatus::Closed {
                mirror.add_reader(sender);
            }
            Snapshot::new(mirror.list().clone())
        };
        *gate = true;
        Changes::new(
            receiver,
            Arc::clone(self.mirror()),
            start,
            Arc::clone(&self.channel),
        )
    }

    /// Calls `callback` with the key, what was there before (if anything) and what joined, whenever phoenix.js would
    /// call `onJoin`: an update is a join and a leave, and the own join may come twice. [`changes`](Self::changes) has
    /// neither.
    ///
    /// Callbacks run on the socket's task, after the whole frame was applied, so they must not block; one that panics
    /// is reported to `tracing` and runs again the next time. A second call replaces the first one's callback. They stay
    /// until the channel is over, also if the presence is dropped; and handles that they hold keep the channel, or the
    /// socket, as any other does.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let server = presence_server::Server::builder().start().await?;
    /// # let endpoint = server.endpoint();
    /// use presence_native::Socket;
    ///
    /// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
    /// let channel = socket.channel("room:lobby");
    /// let presence = channel.presence::<serde_json::Value>()?;
    /// let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    /// let (joins, leaves, syncs) = (sender.clone(), sender.clone(), sender);
    /// presence.on_join(move |key, current, _joined| {
    ///     let what = if current.is_some() { "on one more device" } else { "here" };
    ///     let _ = joins.send(format!("{key} is {what}"));
    /// });
    /// presence.on_leave(move |key, current, _left| {
    ///     let what = if current.is_empty() { "gone" } else { "on one device less" };
    ///     let _ = leaves.send(format!("{key} is {what}"));
    /// });
    /// presence.on_sync(move || {
    ///     let _ = syncs.send("that was all".to_owned());
    /// });
    /// channel.join().await?;
    /// presence.synced().await?;
    /// # let mut bob = server.presences().process();
    /// # bob.track("room:lobby", "bob", serde_json::Map::new())?;
    /// # bob.untrack("room:lobby", "bob");
    /// while let Some(line) = receiver.recv().await {
    ///     println!("{line}");
    ///     if line == "bob is gone" {
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn on_join(
        &self,
        mut callback: impl FnMut(&str, Option<Entry<M, X>>, Entry<M, X>) + Send + 'static,
    ) {
        self.set(|callbacks| {
            callbacks.on_join = Some(Box::new(move |current, joined| {
                let entry = Entry::new(Arc::clone(&joined));
                callback(joined.key(), current.map(Entry::new), entry);
            }));
        });
    }

    /// Calls `callback` with the key, what is left (with no metas, if the key is gone) and what left, whenever
    /// phoenix.js would call `onLeave`. See [`on_join`](Self::on_join).
    pub fn on_leave(
        &self,
        mut callback: impl FnMut(&str, Entry<M, X>, Entry<M, X>) + Send + 'static,
    ) {
        self.set(|callbacks| {
            callbacks.on_leave = Some(Box::new(move |current, left| {
                if let Some(current) = current {
                    let entry = Entry::new(Arc::clone(&left));
                    callback(left.key(), Entry::new(current), entry);
                }
            }));
        });
    }

    /// Calls `callback` after each state and each diff, and after the callbacks of its joins and leaves. See
    /// [`on_join`](Self::on_join).
    pub fn on_sync(&self, callback: impl FnMut() + Send + 'static) {
        self.set(|callbacks| callbacks.on_sync = Some(Box::new(callback)));
    }

    fn set(&self, set: impl FnOnce(&mut mirror::Callbacks)) {
        let mut gate = self.channel.socket.shared().presence_gate.lock();
        let mut callbacks = self.shared.callbacks.lock();
        // Looked at under the lock, since the end says so before it takes the callbacks away.
        if self.status() != PresenceStatus::Closed {
            set(&mut callbacks);
            *gate = true;
        }
    }
}
