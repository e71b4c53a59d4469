//! Reading JSON states and diffs into a roster, in the one pass that also checks that they are JSON.

use super::arena::{Arena, Span};
use super::body::{Body, Meta, Metas, ODD_REF, UNEQUAL_REF};
use super::error::{PresenceError, ShapeProblem};
use super::json::{Json, JsonExtra, JsonOptions, REWRITTEN};
use super::rewrite;
use super::roster::Roster;
use crate::codec::{CodecError, TextFrame};
use crate::json::{Expected, Kind, Scanner, Token, unescape};

/// What stops a reading.
pub(super) enum Stop {
    Json(Expected),
    Shape(usize, ShapeProblem),
}

impl From<Expected> for Stop {
    fn from(expected: Expected) -> Self {
        Self::Json(expected)
    }
}

type Reading<T> = Result<T, Stop>;

fn into_error(stop: Stop, scanner: &Scanner<'_>) -> PresenceError {
    match stop {
        Stop::Json(expected) => CodecError::Json(scanner.error(expected)).into(),
        Stop::Shape(offset, problem) => PresenceError::Shape { offset, problem },
    }
}

/// Enough of a state to tell how long an entry is.
const SAMPLE: usize = 16;

pub(super) fn stage_state(
    roster: &mut Roster<Json>,
    frame: TextFrame<'_>,
    options: &JsonOptions,
) -> Result<(), PresenceError> {
    let (mut scanner, tail) = frame.into_scanner();
    roster.begin_state(scanner.remaining())?;
    let start = scanner.clone();
    let mut reader = Reader {
        roster,
        options,
        side: Side::State,
        late: Vec::new(),
    };
    let mut staged = reader.presences(&mut scanner, ShapeProblem::StateNotAnObject);
    if staged.is_ok() && reader.roster.must_read_again() {
        scanner = start;
        staged = reader.presences(&mut scanner, ShapeProblem::StateNotAnObject);
    }
    let staged = staged.and_then(|()| Ok(tail.finish(&mut scanner)?));
    staged.map_err(|stop| {
        roster.unstage_all();
        into_error(stop, &scanner)
    })
}

pub(super) fn stage_diff(
    roster: &mut Roster<Json>,
    frame: TextFrame<'_>,
    options: &JsonOptions,
) -> Result<(), PresenceError> {
    let (mut scanner, tail) = frame.into_scanner();
    roster.begin(scanner.remaining())?;
    let staged =
        halves(roster, &mut scanner, options).and_then(|()| Ok(tail.finish(&mut scanner)?));
    staged.map_err(|stop| {
        roster.unstage_all();
        into_error(stop, &scanner)
    })
}

fn halves(
    roster: &mut Roster<Json>,
    scanner: &mut Scanner<'_>,
    options: &JsonOptions,
) -> Reading<()> {
    let start = scanner.position();
    if !scanner.eat(b'{') {
        return Err(other_shape(scanner, ShapeProblem::DiffNotAnObject)?);
    }
    let (mut joins, mut leaves) = (false, false);
    let mut first = true;
    while let Some(name) = scanner.member(first)? {
        first = false;
        // A name that comes twice counts the second time.
        if is_name(scanner, name, b"joins") {
            if joins {
                roster.staged.joins.clear();
            }
            Reader {
                roster,
                options,
                side: Side::Joins,
                late: Vec::new(),
            }
            .presences(scanner, ShapeProblem::Joins)?;
            joins = true;
        } else if is_name(scanner, name, b"leaves") {
            if leaves {
                roster.staged.leaves.clear();
            }
            Reader {
                roster,
                options,
                side: Side::Leaves,
                late: Vec::new(),
            }
            .presences(scanner, ShapeProblem::Leaves)?;
            leaves = true;
        } else {
            scanner.value()?;
        }
    }
    match (joins, leaves) {
        (true, true) => Ok(()),
        (false, _) => Err(Stop::Shape(start, ShapeProblem::Joins)),
        (_, false) => Err(Stop::Shape(start, ShapeProblem::Leaves)),
    }
}

/// What stands here is of the wrong kind, if it is JSON at all.
fn other_shape(scanner: &mut Scanner<'_>, problem: ShapeProblem) -> Reading<Stop> {
    let start = scanner.position();
    scanner.value()?;
    Ok(Stop::Shape(start, problem))
}

#[inline]
fn is_name(scanner: &Scanner<'_>, token: Token, name: &[u8]) -> bool {
    let contents = scanner.raw(token.start, token.end);
    if token.escaped {
        is_escaped_name(contents, name)
    } else {
        contents == name
    }
}

#[cold]
fn is_escaped_name(contents: &[u8], name: &[u8]) -> bool {
    let mut text = Vec::with_capacity(contents.len());
    unescape(contents, &mut text);
    text == name
}

/// Where presences go.
#[derive(Clone, Copy)]
enum Side {
    State,
    Joins,
    Leaves,
}

struct Reader<'r, 'o> {
    roster: &'r mut Roster<Json>,
    options: &'o JsonOptions,
    side: Side,
    /// The refs of the current entry that have to be spelled out after its text, by the metas' positions.
    late: Vec<(usize, Reference)>,
}

impl Reader<'_, '_> {
    /// Reads an object of presences, at its opening brace.
    fn presences(&mut self, scanner: &mut Scanner<'_>, problem: ShapeProblem) -> Reading<()> {
        let start = scanner.position();
        if !scanner.eat(b'{') {
            return Err(other_shape(scanner, problem)?);
        }
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
            self.entry(scanner, EntryText::Unknown)?;
            if sampled && count == SAMPLE {
                let entry = (scanner.position() - start) / SAMPLE;
                self.roster.reserve(SAMPLE + scanner.remaining() / entry);
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

    /// Reads `"key":{…}` and stages it.
    #[inline]
    fn entry(&mut self, scanner: &mut Scanner<'_>, text: EntryText) -> Reading<()> {
        let mark = self.roster.arena.len();
        let base = Base {
            from: scanner.position(),
            to: self.roster.arena.end(),
        };
        scanner.take_odd_number();
        let key = scanner.key()?;
        let Presence {
            head,
            tail,
            mut metas,
            flat,
            metas_again,
        } = self.presence(scanner, base)?;
        let raw = scanner.raw(base.from, scanner.position());
        if text == EntryText::Unknown && (scanner.take_odd_number() || metas_again) {
            return self.odd_entry(scanner.slice(base.from, scanner.position()));
        }
        self.roster.arena.push(raw);
        let mut count = match text {
            EntryText::Rewritten => REWRITTEN,
            _ => u16::try_from(metas.len()).unwrap_or(REWRITTEN),
        };
        for (at, reference) in self.late.drain(..) {
            if reference.is_unequal() {
                // Even the same text would not be the same presence.
                count = REWRITTEN;
            }
            let span = push_reference(&mut self.roster.arena, scanner, reference);
            if let Some(meta) = metas.as_mut_slice().get_mut(at) {
                meta.reference = span;
            }
        }
        let key = match key.escaped {
            false => base.span(key.start, key.end),
            true => push_unescaped(&mut self.roster.arena, scanner.raw(key.start, key.end)),
        };
        let extra = JsonExtra {
            head,
            tail,
            entry: base.to,
            count,
            verbatim: count != REWRITTEN,
            flat,
        };
        let body = Body { metas, extra };
        match self.side {
            Side::State => self.roster.stage_entry(mark, key, body),
            Side::Joins => self
                .roster
                .staged
                .joins
                .insert(&self.roster.arena, key, body),
            Side::Leaves => self
                .roster
                .staged
                .leaves
                .insert(&self.roster.arena, key, body),
        }
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
    #[inline(always)]
    fn presence(&mut self, scanner: &mut Scanner<'_>, base: Base) -> Reading<Presence> {
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
                problem = self.metas(scanner, base, &mut presence)?;
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
    #[inline(always)]
    fn metas(
        &mut self,
        scanner: &mut Scanner<'_>,
        base: Base,
        presence: &mut Presence,
    ) -> Reading<Option<Problem>> {
        self.late.clear();
        let mut problem = None;
        let (mut one, mut many) = (None, Vec::new());
        while scanner.element(one.is_none())? {
            let start = scanner.position();
            let (reference, flat) = self.meta(scanner)?;
            presence.flat &= flat;
            let at = if many.is_empty() {
                usize::from(one.is_some())
            } else {
                many.len()
            };
            let reference = match reference {
                Reference::Plain(token) => base.span(token.start, token.end),
                Reference::Null => {
                    problem = problem.or(Some((start, ShapeProblem::NullMeta)));
                    Span::default()
                }
                other => {
                    self.late.push((at, other));
                    Span::default()
                }
            };
            let meta = Meta {
                reference,
                body: base.span(start, scanner.position()),
            };
            match one {
                None => one = Some(meta),
                Some(first) => {
                    if many.is_empty() {
                        many.push(first);
                    }
                    many.push(meta);
                }
            }
        }
        presence.metas = match one {
            Some(one) if many.is_empty() => Metas::One(one),
            _ => {
                many.shrink_to_fit();
                Metas::Many(many)
            }
        };
        Ok(problem)
    }

    /// Reads a meta: its ref, and whether its values are scalars.
    #[inline(always)]
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

struct Presence {
    head: Span,
    tail: Span,
    metas: Metas<Span>,
    flat: bool,
    /// Whether `metas` was there more than once.
    metas_again: bool,
}

/// The entry's place in the text and in the arena.
#[derive(Clone, Copy)]
struct Base {
    from: usize,
    to: u32,
}

impl Base {
    #[inline]
    fn span(self, start: usize, end: usize) -> Span {
        Span {
            start: (start - self.from) as u32 + self.to,
            len: (end - start) as u32,
        }
    }
}

/// What stands where a meta's ref belongs.
enum Reference {
    Plain(Token),
    Escaped(Token),
    Odd(Kind, usize, usize),
    Missing,
    /// There is no meta to have one.
    Null,
}

impl Reference {
    fn is_unequal(&self) -> bool {
        matches!(self, Self::Odd(kind, ..) if kind.is_container())
    }
}

fn push_unescaped(arena: &mut Arena, contents: &[u8]) -> Span {
    let mut text = Vec::with_capacity(contents.len());
    unescape(contents, &mut text);
    arena.push(&text)
}

#[cold]
fn push_reference(arena: &mut Arena, scanner: &Scanner<'_>, reference: Reference) -> Span {
    let (kind, start, end) = match reference {
        Reference::Plain(token) | Reference::Escaped(token) => {
            return push_unescaped(arena, scanner.raw(token.start, token.end));
        }
        Reference::Missing | Reference::Null => return arena.push(&[ODD_REF]),
        Reference::Odd(kind, start, end) => (kind, start, end),
    };
    match kind {
        Kind::Null => arena.push(&[ODD_REF, b'n']),
        Kind::True => arena.push(&[ODD_REF, b't']),
        Kind::False => arena.push(&[ODD_REF, b'f']),
        Kind::Object | Kind::Array | Kind::String => arena.push(&[UNEQUAL_REF]),
        Kind::Number => {
            // Numbers are equal by value. (What JSON cannot write has been rewritten before.)
            let number: f64 = scanner.slice(start, end).parse().unwrap_or_default();
            let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
            arena.push(&[ODD_REF, a, b, c, d, e, f, g, h])
        }
    }
}
