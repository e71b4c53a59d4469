use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use super::entry::{Entry, RawEntry};
use super::list::List;

/// Who is there, at one moment. Cheap to take, to clone and to keep: what did not change is shared with the roster and
/// with all other snapshots.
///
/// The order is phoenix.js's: keys that are array indices (`"0"`, `"17"`) ascending, then the others in order of
/// arrival.
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
/// let before = presence.synced().await?;
/// for person in &before {
///     println!("{} is on {} devices", person.key(), person.len());
/// }
/// let mut changes = presence.changes();
/// # let mut bob = server.presences().process();
/// # bob.track("room:lobby", "bob", serde_json::Map::new())?;
/// changes.next().await; // bob comes
/// assert!(before.get("bob").is_none());
/// assert!(presence.snapshot().get("bob").is_some());
/// assert_ne!(presence.snapshot(), before);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Snapshot<M, X> {
    list: List,
    index: Arc<OnceLock<HashMap<Box<str>, u64>>>,
    _types: PhantomData<fn() -> (M, X)>,
}

impl<M, X> Clone for Snapshot<M, X> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            index: Arc::clone(&self.index),
            _types: PhantomData,
        }
    }
}

impl<M, X> fmt::Debug for Snapshot<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Two snapshots are equal if they list the same entries in the same order.
impl<M, X> PartialEq for Snapshot<M, X> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl<M, X> Eq for Snapshot<M, X> {}

impl<M, X> Snapshot<M, X> {
    pub(super) fn new(list: List) -> Self {
        Self {
            list,
            index: Arc::default(),
            _types: PhantomData,
        }
    }

    /// How many presences there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The presences, in order.
    pub fn iter(&self) -> Iter<'_, M, X> {
        Iter {
            entries: Box::new(self.list.iter()),
            left: self.len(),
            _types: PhantomData,
        }
    }

    /// The presence with this key. The first call makes an index, which clones of this snapshot share.
    pub fn get(&self, key: &str) -> Option<Entry<M, X>> {
        let index = self.index.get_or_init(|| {
            let place = |entry: &Arc<RawEntry>| (entry.key().into(), entry.order);
            self.list.iter().map(place).collect()
        });
        let order = *index.get(key)?;
        self.list.get(order).cloned().map(Entry::new)
    }
}

/// The presences of a [`Snapshot`], in order.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::Socket;
///
/// # let mut seven = server.presences().process();
/// # seven.track("room:lobby", "7", serde_json::Map::new())?;
/// let socket = Socket::builder(&endpoint).param("user_id", "alice").build()?;
/// let channel = socket.channel("room:lobby");
/// let presence = channel.presence::<serde_json::Value>()?;
/// channel.join().await?;
/// let snapshot = presence.synced().await?;
/// let keys: Vec<_> = snapshot.iter().map(|person| person.key().to_owned()).collect();
/// assert_eq!(keys, ["7", "alice"]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Iter<'a, M, X> {
    entries: Box<dyn Iterator<Item = &'a Arc<RawEntry>> + Send + 'a>,
    left: usize,
    _types: PhantomData<fn() -> (M, X)>,
}

impl<M, X> fmt::Debug for Iter<'_, M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

impl<M, X> Iterator for Iter<'_, M, X> {
    type Item = Entry<M, X>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        self.left -= 1;
        Some(Entry::new(Arc::clone(entry)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<M, X> ExactSizeIterator for Iter<'_, M, X> {}

impl<M, X> std::iter::FusedIterator for Iter<'_, M, X> {}

impl<'a, M, X> IntoIterator for &'a Snapshot<M, X> {
    type Item = Entry<M, X>;
    type IntoIter = Iter<'a, M, X>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
