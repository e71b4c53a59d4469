use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::DeserializeOwned;

use super::arena::{Arena, Span};
use super::body::{BodyOf, Carrier, Meta, MetaOf};
use super::json::Json;
use super::roster::SlotId;
use crate::json::{lossy, members, write_string};

/// A presence, as it stands on the roster or in a step or change. A light value: it borrows everything.
///
/// ```
/// use presence_core::presence::Presence;
///
/// let mut presence = Presence::default();
/// presence.sync_state(r#"{"a7":{"metas":[{"phx_ref":"a"}],"user":{"name":"Ann"}}}"#)?;
/// let ann = presence.get("a7").expect("she is there");
/// assert_eq!((&*ann.key(), ann.len()), ("a7", 1));
/// assert_eq!(ann.extra("user"), Some(r#"{"name":"Ann"}"#));
/// assert_eq!(ann.to_json(), r#"{"metas":[{"phx_ref":"a"}],"user":{"name":"Ann"}}"#);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
pub struct PresenceRef<'a, C: Carrier> {
    arena: &'a Arena,
    key: Span,
    body: &'a BodyOf<C>,
    place: Option<(u64, SlotId)>,
}

impl<C: Carrier> Clone for PresenceRef<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Carrier> Copy for PresenceRef<'_, C> {}

impl<C: Carrier> fmt::Debug for PresenceRef<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refs = self
            .body
            .metas
            .as_slice()
            .iter()
            .map(|meta| lossy(self.arena.get(meta.reference)));
        f.debug_struct("PresenceRef")
            .field("key", &self.key())
            .field("refs", &refs.collect::<Vec<_>>())
            .finish()
    }
}

impl<'a, C: Carrier> PresenceRef<'a, C> {
    pub(super) fn new(
        arena: &'a Arena,
        key: Span,
        body: &'a BodyOf<C>,
        place: Option<(u64, SlotId)>,
    ) -> Self {
        Self {
            arena,
            key,
            body,
            place,
        }
    }

    /// The key; a lone surrogate in it reads as U+FFFD.
    pub fn key(&self) -> Cow<'a, str> {
        lossy(self.arena.get(self.key))
    }

    /// The key in WTF-8: as UTF-8, but lone surrogates, which JavaScript's strings may hold, have three bytes each.
    pub fn key_wtf8(&self) -> &'a [u8] {
        self.arena.get(self.key)
    }

    /// Appends the key as a JSON string.
    pub fn write_key(&self, out: &mut Vec<u8>) {
        write_string(self.key_wtf8(), |piece| {
            out.extend_from_slice(piece.as_bytes())
        });
    }

    pub(super) fn body(&self) -> &'a BodyOf<C> {
        self.body
    }

    /// How many metas there are.
    pub fn len(&self) -> usize {
        self.body.metas.len()
    }

    /// Whether there are no metas.
    pub fn is_empty(&self) -> bool {
        self.body.metas.is_empty()
    }

    /// The metas, in phoenix.js's order: those that were there, then those that joined.
    pub fn metas(&self) -> impl ExactSizeIterator<Item = MetaRef<'a, C>> + use<'a, C> {
        MetaRef::all(self.arena, self.body.metas.as_slice())
    }

    /// The place in the roster's order: smaller comes first. `None` for a value of a step or a change.
    pub fn order(&self) -> Option<u64> {
        self.place.map(|(order, _)| order)
    }

    /// Where the roster keeps it. `None` for a value of a step or a change.
    pub fn slot(&self) -> Option<SlotId> {
        self.place.map(|(_, slot)| slot)
    }
}

/// One meta of a presence.
///
/// ```
/// use presence_core::presence::Presence;
///
/// #[derive(serde::Deserialize)]
/// struct Meta {
///     device: String,
/// }
///
/// let mut presence = Presence::default();
/// presence.sync_state(r#"{"ann":{"metas":[{"phx_ref":"a","device":"phone"}]}}"#)?;
/// for meta in presence.get("ann").expect("she is there").metas() {
///     assert_eq!(meta.reference().as_deref(), Some("a"));
///     assert_eq!(meta.decode::<Meta>()?.device, "phone");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MetaRef<'a, C: Carrier> {
    arena: &'a Arena,
    meta: &'a Meta<C::Meta>,
}

impl<C: Carrier> Clone for MetaRef<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Carrier> Copy for MetaRef<'_, C> {}

impl<C: Carrier> fmt::Debug for MetaRef<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaRef")
            .field("reference", &self.reference())
            .finish_non_exhaustive()
    }
}

impl<'a, C: Carrier> MetaRef<'a, C> {
    /// The ref, `phx_ref`; `None` if it is no string.
    pub fn reference(&self) -> Option<Cow<'a, str>> {
        let bytes = self.arena.get(self.meta.reference);
        let is_string = !matches!(
            bytes.first(),
            Some(&(super::body::ODD_REF | super::body::UNEQUAL_REF))
        );
        is_string.then(|| lossy(bytes))
    }

    pub(super) fn meta(&self) -> &'a MetaOf<C> {
        self.meta
    }

    pub(super) fn all(
        arena: &'a Arena,
        metas: &'a [MetaOf<C>],
    ) -> impl ExactSizeIterator<Item = Self> + use<'a, C> {
        metas.iter().map(move |meta| Self { arena, meta })
    }
}

impl<'a> MetaRef<'a, Json> {
    /// The meta's JSON, usually an object.
    pub fn raw(&self) -> &'a str {
        text(self.raw_bytes())
    }

    /// [`raw`](Self::raw), without looking once more whether it is text.
    pub fn raw_bytes(&self) -> &'a [u8] {
        self.arena.get(self.meta.body)
    }

    /// The meta as a value of a type of yours.
    ///
    /// # Errors
    ///
    /// When the JSON does not fit the type. (serde's structs take no field twice, where JavaScript takes the later.)
    pub fn decode<M: DeserializeOwned>(&self) -> Result<M, serde_json::Error> {
        serde_json::from_str(self.raw())
    }
}

impl<'a> PresenceRef<'a, Json> {
    /// Appends the presence's JSON, `{"metas":[…], …}`, with its properties in the order of the newest value: what
    /// `JSON.stringify` would give of phoenix.js's object, but for white space, the spelling of numbers and escapes, and
    /// properties that the server sent twice, which are there twice.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let extra = &self.body.extra;
        if extra.verbatim {
            out.extend_from_slice(self.arena.get(extra.object_span()));
            return;
        }
        out.extend_from_slice(self.arena.get(extra.head));
        for (at, meta) in self.body.metas.as_slice().iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.arena.get(meta.body));
        }
        out.extend_from_slice(self.arena.get(extra.tail));
    }

    /// The presence's JSON: see [`PresenceRef::write_json`].
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Whether all values in the metas and beside them are known to be scalars, so that a shallow copy is a full one.
    pub fn is_flat(&self) -> bool {
        self.body.extra.flat
    }

    /// Whether both are known to be the same piece of the same frame, so that a copy of one serves as the other.
    pub fn is_same_text(&self, other: &PresenceRef<'_, Json>) -> bool {
        let (ours, theirs) = (&self.body.extra, &other.body.extra);
        core::ptr::eq(self.arena, other.arena)
            && (ours.verbatim && theirs.verbatim)
            && ours.entry_span() == theirs.entry_span()
    }

    /// The presence's JSON around its metas: up to their `[`, and from their `]` on.
    pub fn around(&self) -> (&'a [u8], &'a [u8]) {
        let extra = &self.body.extra;
        (self.arena.get(extra.head), self.arena.get(extra.tail))
    }

    /// Whether the presence's JSON is its metas and nothing else, `{"metas":[…]}`.
    pub fn has_only_metas(&self) -> bool {
        let (head, tail) = (self.body.extra.head, self.body.extra.tail);
        // Nothing shorter has metas.
        (head.len, tail.len) == (br#"{"metas":["#.len() as u32, b"]}".len() as u32)
    }

    /// What the server's `fetch` put beside the metas: names and JSON. Of a name that comes twice the later counts.
    pub fn extras(&self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> + use<'a> {
        let (head, tail) = self.around();
        members(text(head), 1).chain(members(text(tail), 1))
    }

    /// The JSON of one thing beside the metas.
    pub fn extra(&self, name: &str) -> Option<&'a str> {
        self.extras()
            .filter(|(found, _)| found == name)
            .map(|(_, raw)| raw)
            .last()
    }

    /// What is beside the metas, as one value of a type of yours.
    ///
    /// # Errors
    ///
    /// When the JSON does not fit the type.
    pub fn decode_extra<X: DeserializeOwned>(&self) -> Result<X, serde_json::Error> {
        let mut object = String::from("{");
        for (name, raw) in self.extras() {
            if object.len() > 1 {
                object.push(',');
            }
            write_string(name.as_bytes(), |piece| object.push_str(piece));
            object.push(':');
            object.push_str(raw);
        }
        object.push('}');
        serde_json::from_str(&object)
    }
}

/// The arena's texts were slices of text when they came.
fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
