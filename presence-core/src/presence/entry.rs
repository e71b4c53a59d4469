//! Reading JSON presences, at any place where there can be some.

use alloc::vec::Vec;

use super::arena::Span;
use super::body::{Body, Meta, Metas};
use super::error::ShapeProblem;
use super::json::{Json, JsonExtra, JsonOptions, REWRITTEN};
use super::read::{Reading, Stop, is_name, other_shape};
use super::reference::{Reference, push_reference, push_unescaped};
use super::rewrite;
use super::roster::Roster;
use crate::json::{Expected, Kind, Scanner};

/// Enough of a state to tell how long an entry is.
const SAMPLE: usize = 16;

/// Where presences go.
#[derive(Clone, Copy)]
pub(super) enum Side {
    State,
    Joins,
    Leaves,
}

pub(super) struct Reader<'r, 'o> {
    pub(super) roster: &'r mut Roster<Json>,
    options: &'o mut JsonOptions,
    side: Side,
}

/// The refs of an entry that have to be spelled out after its text, by the metas' positions.
type Late = Vec<(usize, Reference)>;

impl<'r, 'o> Reader<'r, 'o> {
    pub(super) fn new(
        roster: &'r mut Roster<Json>,
        options: &'o mut JsonOptions,
        side: Side,
    ) -> Self {
        Self {
            roster,
            options,
            side,
        }
    }

    /// Reads an object of presences, at its opening brace.
    pub(super) fn presences(
        &mut self,
        scanner: &mut Scanner<'_>,
        problem: ShapeProblem,
    ) -> Reading<()> {
        if !scanner.eat(b'{') {
            return Err(other_shape(scanner, problem)?);
        }
        self.presences_rest(scanner)
    }

    /// Reads presences after their object's opening brace.
    pub(super) fn presences_rest(&mut self, scanner: &mut Scanner<'_>) -> Reading<()> {
        let start = scanner.position();
        let is_state = matches!(self.side, Side::State);
        let sampled = is_state && self.roster.is_empty();
        let mut count = 0;
        loop {
            scanner.skip_ws();
            if scanner.eat(b'}') {
                return Ok(());
            }
            if count > 0 {
                scanner.expect(b',', Expected::CommaOrBrace)?;
                scanner.skip_ws();
            }
            count += 1;
            if is_state && self.skip_unchanged(scanner) {
                continue;
            }
            if !self.known_entry(scanner) {
                self.entry(scanner, EntryText::Unknown)?;
            }
            if sampled && count == SAMPLE {
                let entry = (scanner.position() - start) / SAMPLE;
                let rest = scanner.remaining().checked_div(entry);
                self.roster.reserve(SAMPLE + rest.unwrap_or_default());
            }
        }
    }

    /// Passes over a presence that is the same, byte for byte, as the one expected here.
    #[inline]
    fn skip_unchanged(&mut self, scanner: &mut Scanner<'_>) -> bool {
        if !self.roster.may_skip_unchanged() {
            return false;
        }
        let rest = scanner.rest();
        for slot in self.roster.candidates() {
            if let Some(len) = self.roster.is_next(slot, rest)
                && self.roster.stage_unchanged(slot)
            {
                scanner.skip_known(len);
                return true;
            }
        }
        false
    }

    /// Reads `"key":{…}` and stages it, if it is built like the last ones.
    #[inline]
    fn known_entry(&mut self, scanner: &mut Scanner<'_>) -> bool {
        let (mark, base) = self.base(scanner);
        scanner.take_odd_number();
        let Some(key) = scanner.plain_key() else {
            return false;
        };
        let Some(presence) = self.options.shapes.read(scanner, base) else {
            scanner.go_to(base.from);
            return false;
        };
        if scanner.take_odd_number() {
            scanner.go_to(base.from);
            return false;
        }
        let text = scanner.raw(base.from, scanner.position());
        self.roster.arena.push(text);
        let count = count_of(&presence.metas);
        self.stage(mark, base.span(key.start, key.end), presence, base, count);
        true
    }

    /// The arena's length, and the next entry's place in it and in the text.
    #[inline]
    fn base(&self, scanner: &Scanner<'_>) -> (usize, Base) {
        let base = Base {
            from: scanner.position(),
            to: self.roster.arena.end(),
        };
        (self.roster.arena.len(), base)
    }

    /// Stages an entry whose text has `count` metas.
    #[inline]
    fn stage(&mut self, mark: usize, key: Span, presence: Presence, base: Base, count: u16) {
        let extra = JsonExtra {
            head: presence.head,
            tail: presence.tail,
            entry: base.to,
            count,
            verbatim: count != REWRITTEN,
            flat: presence.flat,
        };
        let body = Body {
            metas: presence.metas,
            extra,
        };
        let Roster { staged, arena, .. } = &mut *self.roster;
        match self.side {
            Side::State => self.roster.stage_entry(mark, key, body),
            Side::Joins => staged.joins.insert(arena, key, body),
            Side::Leaves => staged.leaves.insert(arena, key, body),
        }
    }

    /// Reads `"key":{…}` and stages it.
    #[inline(never)]
    fn entry(&mut self, scanner: &mut Scanner<'_>, text: EntryText) -> Reading<()> {
        let (mark, base) = self.base(scanner);
        scanner.take_odd_number();
        let key = scanner.key()?;
        let start = scanner.position();
        let mut late = Late::new();
        let mut presence = self.presence(scanner, base, &mut late)?;
        let raw = scanner.raw(base.from, scanner.position());
        if text == EntryText::Unknown {
            if scanner.take_odd_number() || presence.metas_again {
                return self.odd_entry(scanner.slice(base.from, scanner.position()));
            }
            let metas = presence.metas.as_slice();
            let end = |meta: Option<&Meta<Span>>| meta.map_or(base.to, |meta| meta.body.end());
            let [first, last] = [metas.first(), metas.last()].map(|meta| base.position(end(meta)));
            let JsonOptions { shapes, ref_field } = &mut *self.options;
            // The other metas are like the first one, or there is no shape that fits.
            let rest = scanner.slice(last, scanner.position());
            shapes.learn(scanner.slice(start, first), rest, ref_field);
        }
        self.roster.arena.push(raw);
        let mut count = match text {
            EntryText::Rewritten => REWRITTEN,
            _ => count_of(&presence.metas),
        };
        for (at, reference) in late {
            if reference.is_unequal() {
                // Even the same text would not be the same presence.
                count = REWRITTEN;
            }
            let span = push_reference(&mut self.roster.arena, scanner, reference);
            if let Some(meta) = presence.metas.as_mut_slice().get_mut(at) {
                meta.reference = span;
            }
        }
        let key = match key.escaped {
            false => base.span(key.start, key.end),
            true => push_unescaped(&mut self.roster.arena, scanner.raw(key.start, key.end)),
        };
        self.stage(mark, key, presence, base, count);
        Ok(())
    }

    /// An entry that phoenix.js would not have kept as it came.
    #[cold]
    fn odd_entry(&mut self, raw: &str) -> Reading<()> {
        let rewritten = rewrite::entry(raw)?;
        let text = if rewritten == raw {
            EntryText::AsItCame
        } else {
            EntryText::Rewritten
        };
        self.entry(&mut Scanner::new(&rewritten), text)
    }

    /// Reads a presence at its opening brace.
    fn presence(
        &self,
        scanner: &mut Scanner<'_>,
        base: Base,
        late: &mut Late,
    ) -> Reading<Presence> {
        let open = scanner.position();
        if !scanner.eat(b'{') {
            return Err(other_shape(scanner, ShapeProblem::Presence)?);
        }
        let mut presence = Presence {
            head: Span::default(),
            tail: Span::default(),
            metas: Metas::NONE,
            flat: true,
            metas_again: false,
        };
        let mut problem = Some((open, ShapeProblem::Metas));
        let (mut first, mut metas_end) = (true, None);
        while let Some(name) = scanner.member(first)? {
            first = false;
            if !is_name(scanner, name, b"metas") {
                presence.flat &= !scanner.value()?.is_container();
                continue;
            }
            presence.metas_again |= metas_end.is_some();
            let start = scanner.position();
            if scanner.eat(b'[') {
                presence.head = base.span(open, scanner.position());
                problem = self.metas(scanner, base, &mut presence, late)?;
            } else {
                scanner.value()?;
                problem = Some((start, ShapeProblem::Metas));
            }
            metas_end = Some(scanner.position() - 1);
        }
        match (problem, metas_end) {
            (Some((offset, problem)), _) => Err(Stop::Shape(offset, problem)),
            (None, metas_end) => {
                presence.tail = base.span(metas_end.unwrap_or(open), scanner.position());
                Ok(presence)
            }
        }
    }

    /// Reads metas after their opening bracket. A problem with one is only one if these metas count: later ones of
    /// the same presence might replace them.
    fn metas(
        &self,
        scanner: &mut Scanner<'_>,
        base: Base,
        presence: &mut Presence,
        late: &mut Late,
    ) -> Reading<Option<Problem>> {
        late.clear();
        let mut problem = None;
        let mut metas = Metas::NONE;
        while scanner.element(metas.is_empty())? {
            let start = scanner.position();
            let (reference, flat) = self.meta(scanner)?;
            presence.flat &= flat;
            let reference = match reference {
                Reference::Plain(token) => base.span(token.start, token.end),
                Reference::Null => {
                    problem = problem.or(Some((start, ShapeProblem::NullMeta)));
                    Span::default()
                }
                other => {
                    late.push((metas.len(), other));
                    Span::default()
                }
            };
            metas.push(Meta {
                reference,
                body: base.span(start, scanner.position()),
            });
        }
        metas.shrink();
        presence.metas = metas;
        Ok(problem)
    }

    /// Reads a meta: its ref, and whether its values are scalars.
    fn meta(&self, scanner: &mut Scanner<'_>) -> Reading<(Reference, bool)> {
        if !scanner.eat(b'{') {
            let reference = match scanner.value()? {
                Kind::Null => Reference::Null,
                _ => Reference::Missing,
            };
            return Ok((reference, false));
        }
        let (mut reference, mut flat, mut first) = (Reference::Missing, true, true);
        while let Some(name) = scanner.member(first)? {
            first = false;
            if !is_name(scanner, name, &self.options.ref_field) {
                flat &= !scanner.value()?.is_container();
                continue;
            }
            if scanner.eat(b'"') {
                let token = scanner.string_rest()?;
                reference = if token.escaped {
                    Reference::Escaped(token)
                } else {
                    Reference::Plain(token)
                };
            } else {
                let start = scanner.position();
                let kind = scanner.value()?;
                flat &= !kind.is_container();
                reference = Reference::Odd(kind, start, scanner.position());
            }
        }
        Ok((reference, flat))
    }
}

type Problem = (usize, ShapeProblem);

/// What is known of an entry's text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryText {
    Unknown,
    AsItCame,
    Rewritten,
}

/// A presence that has been read, with the spans that it will have.
pub(super) struct Presence {
    pub(super) head: Span,
    pub(super) tail: Span,
    pub(super) metas: Metas<Span>,
    pub(super) flat: bool,
    /// Whether `metas` was there more than once.
    pub(super) metas_again: bool,
}

/// How many metas there are, as an entry counts them.
fn count_of(metas: &Metas<Span>) -> u16 {
    u16::try_from(metas.len()).unwrap_or(REWRITTEN)
}

/// The entry's place in the text and in the arena.
#[derive(Clone, Copy)]
pub(super) struct Base {
    from: usize,
    to: u32,
}

impl Base {
    /// Where the byte at `to` in the arena is in the text.
    fn position(self, to: u32) -> usize {
        (to - self.to) as usize + self.from
    }

    #[inline]
    pub(super) fn span(self, start: usize, end: usize) -> Span {
        Span {
            start: (start - self.from) as u32 + self.to,
            len: (end - start) as u32,
        }
    }
}
