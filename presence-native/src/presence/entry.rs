use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use presence_core::presence::{Json, PresenceRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::DecodeError;

/// A presence as text, shared by whoever holds it.
pub(crate) struct RawEntry {
    /// Its place on the roster; none of its own for a value that is not there (any more).
    pub(super) order: u64,
    pub(super) metas: u32,
    key_len: u32,
    /// The key, and then `{"metas":[…], …}`: one piece of memory, since every diff makes an entry.
    text: Box<str>,
}

impl RawEntry {
    pub(super) fn new(presence: &PresenceRef<'_, Json>) -> Arc<Self> {
        let key = presence.key();
        let (head, tail) = presence.around();
        let metas: usize = presence
            .metas()
            .map(|meta| meta.raw_bytes().len() + 1)
            .sum();
        let json = (head.len() + metas + tail.len()).saturating_sub(1);
        let mut text = Vec::with_capacity(key.len() + json);
        text.extend_from_slice(key.as_bytes());
        presence.write_json(&mut text);
        Arc::new(Self {
            order: presence.order().unwrap_or(u64::MAX),
            metas: count(presence.len()),
            key_len: count(key.len()),
            text: String::from_utf8(text).unwrap_or_default().into(),
        })
    }

    #[cfg(test)]
    pub(super) fn of(order: u64, key: &str, json: &str) -> Arc<Self> {
        Arc::new(Self {
            order,
            metas: 1,
            key_len: count(key.len()),
            text: format!("{key}{json}").into(),
        })
    }

    pub(super) fn key(&self) -> &str {
        self.text.get(..self.key_len as usize).unwrap_or_default()
    }

    pub(super) fn json(&self) -> &str {
        self.text.get(self.key_len as usize..).unwrap_or_default()
    }

    /// The members of the object. Of a name that comes twice the later counts, as in JavaScript.
    fn members(&self) -> Result<HashMap<String, &RawValue>, DecodeError> {
        Ok(serde_json::from_str(self.json())?)
    }

    pub(super) fn metas(&self) -> Vec<&str> {
        // The core let only presences with an array of metas in.
        let members = self.members().unwrap_or_default();
        let found = members.get("metas").copied();
        let metas: Option<Vec<&RawValue>> =
            found.and_then(|json| Deserialize::deserialize(json).ok());
        metas
            .unwrap_or_default()
            .into_iter()
            .map(RawValue::get)
            .collect()
    }
}

/// One presence of a roster: a key (most often a user) and its metas (most often one for each device or tab), as they
/// were at one moment. Cheap to clone.
///
/// `M` is what a meta is read as, `X` what stands beside the metas, from the server's `fetch/2`. Both are decoded when
/// asked for, so that one that does not fit is an error by itself.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let server = presence_server::Server::builder().start().await?;
/// # let endpoint = server.endpoint();
/// use presence_native::{Presence, PresenceOptions, Socket};
/// use serde_json::Value;
///
/// #[derive(serde::Deserialize)]
/// struct Meta {
///     device: String,
/// }
///
/// let socket = Socket::builder(&endpoint)
///     .param("user_id", "a7")
///     .param("device", "phone")
///     .param("name", "Alice")
///     .build()?;
/// let channel = socket.channel("room:x-ray"); // where the embedded server has a `fetch/2`
/// let presence: Presence<Meta, Value> = channel.presence_with(PresenceOptions::default())?;
/// channel.join().await?;
/// presence.synced().await?;
///
/// let entry = presence.get("a7").expect("this is us");
/// assert_eq!((entry.key(), entry.len()), ("a7", 1));
/// for meta in entry.metas() {
///     assert_eq!(meta?.device, "phone");
/// }
/// assert_eq!(entry.extra()?["user"]["name"], "Alice");
/// println!("{}", entry.json()); // {"metas":[{"phx_ref":"…","device":"phone",…}],"user":{"name":"Alice"}}
/// # let metas: Value = serde_json::from_str(entry.metas_json().next().unwrap_or_default())?;
/// # assert_eq!(metas["device"], "phone");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Entry<M, X> {
    pub(super) raw: Arc<RawEntry>,
    _types: PhantomData<fn() -> (M, X)>,
}

impl<M, X> Clone for Entry<M, X> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.raw))
    }
}

impl<M, X> fmt::Debug for Entry<M, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.raw.key(), self.raw.json())
    }
}

/// Two entries are equal if key, metas and extras are the same text.
impl<M, X> PartialEq for Entry<M, X> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.raw, &other.raw)
            || (self.raw.key_len == other.raw.key_len && self.raw.text == other.raw.text)
    }
}

impl<M, X> Eq for Entry<M, X> {}

impl<M, X> Entry<M, X> {
    pub(super) const fn new(raw: Arc<RawEntry>) -> Self {
        Self {
            raw,
            _types: PhantomData,
        }
    }

    /// The key. A lone surrogate, which JavaScript's strings may hold, reads as U+FFFD.
    pub fn key(&self) -> &str {
        self.raw.key()
    }

    /// How many metas there are.
    pub fn len(&self) -> usize {
        self.raw.metas as usize
    }

    /// Whether there are no metas, which a Phoenix server never says.
    pub fn is_empty(&self) -> bool {
        self.raw.metas == 0
    }

    /// The presence as JSON: `{"metas":[{…,"phx_ref":"…"}], …}`.
    pub fn json(&self) -> &str {
        self.raw.json()
    }

    /// The metas as JSON, in phoenix.js's order: those that were there, then those that joined.
    pub fn metas_json(&self) -> impl ExactSizeIterator<Item = &str> {
        self.raw.metas().into_iter()
    }
}

impl<M: DeserializeOwned, X> Entry<M, X> {
    /// The metas, in phoenix.js's order: those that were there, then those that joined. One that is no `M` is an error
    /// for itself.
    pub fn metas(&self) -> impl ExactSizeIterator<Item = Result<M, DecodeError>> {
        self.metas_json()
            .map(|json| Ok(serde_json::from_str(json)?))
    }
}

impl<M, X: DeserializeOwned> Entry<M, X> {
    /// What stands beside the metas.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Json`] if it is no `X`.
    pub fn extra(&self) -> Result<X, DecodeError> {
        let mut members = self.raw.members()?;
        members.remove("metas");
        let object = serde_json::to_string(&members)?;
        Ok(serde_json::from_str(&object)?)
    }
}

/// No frame is as long as that.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
