use alloc::boxed::Box;

use super::arena::{Arena, Span};
use super::body::sealed::Carry;
use super::body::{Body, Carrier};
use super::error::PresenceError;
use super::options::PresenceOptions;
use super::read;
use super::roster::Roster;
use super::shape::Shapes;
use crate::codec::TextPayload;
use crate::json::same_bytes;

/// Presences as JSON: each meta and what is beside the metas is kept as the text it came in, read no deeper than the
/// meta's ref, and decoded when somebody asks.
#[derive(Debug)]
pub struct Json;

impl Carrier for Json {}

/// The text of a presence around its metas, and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct JsonExtra {
    /// From `{` to the `[` of the metas.
    pub(super) head: Span,
    /// From the `]` of the metas to `}`.
    pub(super) tail: Span,
    /// Where the text of the whole entry, `"key":{…}`, begins. It ends with `tail`.
    pub(super) entry: u32,
    /// How many metas that text has, or [`REWRITTEN`].
    pub(super) count: u16,
    /// Whether that text is the presence as it is now: its metas are all that it has.
    pub(super) verbatim: bool,
    /// Whether the values in the metas and beside them are scalars. (If not, so they may be all the same: a presence
    /// that once had other metas.)
    pub(super) flat: bool,
}

/// The count of an entry whose text is not the one that came, or that has too many metas to count.
pub(super) const REWRITTEN: u16 = u16::MAX;

/// How to read JSON presences, and what is known of those that have been read.
#[derive(Clone, Debug)]
pub struct JsonOptions {
    pub(super) ref_field: Box<[u8]>,
    pub(super) shapes: Shapes,
}

impl JsonExtra {
    pub(super) fn entry_span(&self) -> Span {
        Span::new(self.entry, self.tail.end())
    }

    /// The presence object, from `{` to `}`, if it is `verbatim`.
    pub(super) fn object_span(&self) -> Span {
        Span::new(self.head.start, self.tail.end())
    }

    fn matches(&self, metas: &[super::body::Meta<Span>]) -> bool {
        let within = |span: Span| self.entry_span().contains(span);
        self.count != REWRITTEN
            && metas.len() == usize::from(self.count)
            && metas.iter().all(|meta| within(meta.body))
            && metas
                .iter()
                .zip(metas.iter().skip(1))
                .all(|(a, b)| a.body.start < b.body.start)
    }
}

impl Carry for Json {
    type Meta = Span;
    type Extra = JsonExtra;
    type Source<'a> = TextPayload<'a>;
    type Held = Box<str>;
    type Options = JsonOptions;

    fn reading(options: &PresenceOptions) -> JsonOptions {
        JsonOptions {
            ref_field: options.ref_field.as_bytes().into(),
            shapes: Shapes::default(),
        }
    }

    fn stage_state(
        roster: &mut Roster<Self>,
        source: TextPayload<'_>,
        options: &mut JsonOptions,
    ) -> Result<(), PresenceError> {
        read::stage_state(roster, source, options)
    }

    fn stage_diff(
        roster: &mut Roster<Self>,
        source: TextPayload<'_>,
        options: &mut JsonOptions,
    ) -> Result<(), PresenceError> {
        read::stage_diff(roster, source, options)
    }

    fn hold(source: TextPayload<'_>) -> Result<Box<str>, PresenceError> {
        Ok(source.text()?.into())
    }

    fn release(held: &Box<str>) -> TextPayload<'_> {
        TextPayload::bare(held)
    }

    fn held_bytes(held: &Box<str>) -> usize {
        held.len()
    }

    fn same_extra(arena: &Arena, a: &JsonExtra, b: &JsonExtra) -> bool {
        same_bytes(arena.get(a.tail), arena.get(b.tail))
            && same_bytes(arena.get(a.head), arena.get(b.head))
    }

    fn same_meta(arena: &Arena, a: Span, b: Span) -> Option<bool> {
        Some(same_bytes(arena.get(a), arena.get(b)))
    }

    fn merge_extra(current: &JsonExtra, extra: &JsonExtra) -> JsonExtra {
        JsonExtra {
            flat: current.flat && extra.flat,
            ..*extra
        }
    }

    fn settle(body: &mut Body<Span, JsonExtra>) {
        body.extra.verbatim = body.extra.matches(body.metas.as_slice());
    }

    fn prefers(arena: &Arena, new: &Body<Span, JsonExtra>, old: &Body<Span, JsonExtra>) -> bool {
        let pairs = || new.metas.as_slice().iter().zip(old.metas.as_slice());
        new.extra.verbatim
            && !old.extra.verbatim
            && pairs().all(|(a, b)| arena.get(a.body) == arena.get(b.body))
    }

    fn weight(body: &Body<Span, JsonExtra>) -> usize {
        let extra = &body.extra;
        if extra.verbatim {
            return extra.entry_span().len as usize;
        }
        let metas: usize = body
            .metas
            .as_slice()
            .iter()
            .map(|meta| meta.body.len as usize)
            .sum();
        metas + extra.head.len as usize + extra.tail.len as usize
    }

    fn relocate(key: &mut Span, body: &mut Body<Span, JsonExtra>, from: &Arena, to: &mut Arena) {
        let whole = body.extra.verbatim.then(|| body.extra.entry_span());
        let whole = whole.map(|old| (old, to.push(from.get(old)).start));
        let mut relocate = |span: Span| match whole {
            Some((old, new)) if old.contains(span) => span.moved(old.start, new),
            _ => to.push(from.get(span)),
        };
        *key = relocate(*key);
        body.extra.head = relocate(body.extra.head);
        body.extra.tail = relocate(body.extra.tail);
        for meta in body.metas.as_mut_slice() {
            let (raw, reference) = (meta.body, meta.reference);
            meta.body = relocate(raw);
            meta.reference = if raw.contains(reference) {
                reference.moved(raw.start, meta.body.start)
            } else {
                relocate(reference)
            };
        }
        match whole {
            Some((_, start)) => body.extra.entry = start,
            None => body.extra.count = REWRITTEN,
        }
    }
}

impl Roster<Json> {
    /// If `text` goes on with the entry of this slot, as it is kept: its length.
    #[inline]
    pub(super) fn is_next(&self, slot: u32, text: &[u8]) -> Option<usize> {
        let slot = self
            .slot(slot)
            .filter(|slot| slot.body.extra.verbatim && slot.is_live())?;
        let entry = self.arena.get(slot.body.extra.entry_span());
        let next = text.get(..entry.len())?;
        same_bytes(entry, next).then_some(entry.len())
    }
}
