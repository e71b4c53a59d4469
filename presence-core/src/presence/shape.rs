//! The presences of a room are built alike.

use alloc::vec::Vec;
use core::ops::Range;

use super::arena::Span;
use super::body::{Meta, Metas};
use super::entry::{Base, Presence};
use super::read::is_name;
use crate::json::{Known, Scanner, find_special};

/// How presences of late were built. One that is built like them need not be taken apart: only its values are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// Which of them came last.
    last: usize,
    /// Which of them gives way to the next new one.
    oldest: usize,
    /// How many presences were like none of them since the last that was.
    missed: u32,
    /// How many there have been.
    learned: u32,
}

/// So many are kept: an update's metas have other members than a join's, a phone's perhaps than a browser's.
const SHAPES: usize = 4;

/// Longer ones are not kept, nor those of longer presences (in bytes).
const PIECES: usize = 64;
const LONGEST: usize = 4096;

/// Where hardly any two are alike, trying costs more than it saves: after so many in vain only one in so many is tried.
const PATIENCE: u32 = 8;

/// The text of a presence with one meta, or more that are alike, but for its values.
#[derive(Clone, Debug)]
struct Shape {
    pieces: Vec<Piece>,
    flat: bool,
    /// Which of the pieces are a meta's.
    meta: Range<usize>,
    /// Tells metas built like this from others, if they are objects of scalars whose names come in the order written.
    layout: Option<u32>,
    /// Which shape came after it the last time.
    after: usize,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    text: Known,
    then: Then,
}

/// What follows a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The next piece, or the end.
    Text,
    /// A string, of which the piece has the first quote.
    String,
    /// The string that is the meta's ref.
    Reference,
    /// A number or literal.
    Scalar,
    /// An array, whose length is nothing to go by.
    Array,
    /// The first meta.
    Metas,
    /// What follows a meta: another one, or the next piece.
    MetaEnd,
}

impl Shapes {
    fn is_hopeless(&self) -> bool {
        self.missed > PATIENCE && !self.missed.is_multiple_of(PATIENCE)
    }

    /// Reads a presence, if it is built like one of these. Else the scanner stays where it is.
    #[inline]
    pub(super) fn read(&mut self, scanner: &mut Scanner<'_>, base: Base) -> Option<Presence> {
        let likely = self.known.get(self.last).map_or(0, |shape| shape.after);
        if self.is_hopeless() {
            return None;
        }
        if let Some(read) = self.read_as(likely, scanner, base) {
            return Some(read);
        }
        (0..self.known.len())
            .filter(|&shape| shape != likely)
            .find_map(|shape| self.read_as(shape, scanner, base))
    }

    #[inline(never)]
    fn read_as(&mut self, shape: usize, scanner: &mut Scanner<'_>, base: Base) -> Option<Presence> {
        let read = self.known.get(shape)?.read(scanner, base)?;
        if let Some(last) = self.known.get_mut(self.last) {
            last.after = shape;
        }
        self.last = shape;
        self.missed = 0;
        Some(read)
    }

    /// Notes how a presence is built that none of these was like: its text up to the end of its first meta, and from
    /// that of its last one.
    #[cold]
    pub(super) fn learn(&mut self, text: &str, rest: &str, ref_field: &[u8]) {
        // The very first might stay the only one.
        let is_first = self.known.is_empty() && self.missed == 0;
        let skip = is_first || self.is_hopeless() || text.len() + rest.len() > LONGEST;
        self.missed = self.missed.wrapping_add(1);
        if skip {
            return;
        }
        let Some(mut shape) = Shape::of(&[text, rest].concat(), ref_field) else {
            return;
        };
        self.learned = self.learned.wrapping_add(1);
        shape.layout = shape.layout.and(Some(self.learned));
        if self.known.len() < SHAPES {
            self.known.push(shape);
        } else if let Some(oldest) = self.known.get_mut(self.oldest) {
            *oldest = shape;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
    }

    /// See [`Tracker::layout`](super::Tracker::layout).
    pub(super) fn layout(&self, meta: &[u8], places: &mut Vec<Range<usize>>) -> Option<u32> {
        self.known.iter().find_map(|shape| {
            places.clear();
            shape.places(meta, places)
        })
    }
}

impl Shape {
    /// The shape of a valid presence without white space, with one meta, whose ref is one string.
    fn of(presence: &str, ref_field: &[u8]) -> Option<Self> {
        const IN_PRESENCE: usize = 1;
        const IN_METAS: usize = 2;
        const IN_META: usize = 3;

        let mut scanner = Scanner::new(presence);
        let mut shape = Self {
            pieces: Vec::new(),
            flat: true,
            meta: 0..0,
            layout: None,
            after: 0,
        };
        let (mut depth, mut text) = (0_usize, 0);
        let (mut metas, mut in_metas, mut references) = (0, false, 0);
        // Whose value is next.
        let (mut is_metas, mut is_reference) = (false, false);
        let mut names: Vec<&[u8]> = Vec::new();
        let mut is_plain = true;
        while let Some(next) = scanner.peek() {
            let start = scanner.position();
            let mut then = Then::Text;
            match next {
                b'[' if !is_metas => {
                    scanner.value().ok()?;
                    shape.flat = false;
                    is_plain &= !in_metas;
                    then = Then::Array;
                }
                b'{' | b'[' => {
                    scanner.skip_known(1);
                    depth += 1;
                    if is_metas {
                        in_metas = true;
                        then = Then::Metas;
                    } else if in_metas && depth == IN_META {
                        metas += 1;
                    } else {
                        shape.flat &= depth == IN_PRESENCE;
                        is_plain &= !in_metas;
                    }
                }
                b'}' | b']' => {
                    scanner.skip_known(1);
                    depth = depth.checked_sub(1)?;
                    if in_metas && depth == IN_METAS {
                        then = Then::MetaEnd;
                    }
                    in_metas &= depth >= IN_METAS;
                }
                b',' => scanner.skip_known(1),
                b'"' => {
                    scanner.skip_known(1);
                    let token = scanner.string_rest().ok()?;
                    if scanner.eat(b':') {
                        is_metas = depth == IN_PRESENCE && is_name(&scanner, token, b"metas");
                        let is_field = in_metas && depth == IN_META;
                        is_reference = is_field && is_name(&scanner, token, ref_field);
                        if is_field {
                            let name = scanner.raw(token.start, token.end);
                            is_plain &= stays_in_place(name) && !names.contains(&name);
                            names.push(name);
                        }
                        continue;
                    }
                    then = if is_reference {
                        Then::Reference
                    } else {
                        Then::String
                    };
                    references += usize::from(is_reference);
                }
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                    scanner.value().ok()?;
                    then = Then::Scalar;
                }
                _ => return None,
            }
            let end = match then {
                Then::Text => continue,
                Then::String | Then::Reference => start + 1,
                Then::Scalar | Then::Array => start,
                Then::Metas | Then::MetaEnd => scanner.position(),
            };
            if is_reference && then != Then::Reference {
                return None;
            }
            (is_metas, is_reference) = (false, false);
            shape.push(scanner.raw(text, end), then);
            text = scanner.position();
            match then {
                Then::Metas => shape.meta = shape.pieces.len()..shape.pieces.len(),
                Then::MetaEnd => shape.meta.end = shape.pieces.len(),
                _ => {}
            }
        }
        shape.push(scanner.raw(text, presence.len()), Then::Text);
        shape.pieces.shrink_to_fit();
        shape.layout = is_plain.then_some(0);
        let fits = metas == 1 && references == 1 && shape.pieces.len() <= PIECES;
        fits.then_some(shape)
    }

    fn push(&mut self, text: &[u8], then: Then) {
        let start = self.pieces.len();
        self.pieces.extend(Known::all(text).map(|text| Piece {
            text,
            then: Then::Text,
        }));
        if let Some(last) = self.pieces.get_mut(start..).and_then(<[_]>::last_mut) {
            last.then = then;
        }
    }

    #[inline(always)]
    fn read(&self, scanner: &mut Scanner<'_>, base: Base) -> Option<Presence> {
        let open = scanner.position();
        let mut at = open;
        let (mut head, mut reference) = (Span::default(), Span::default());
        let (mut meta_start, mut metas_end, mut meta_piece) = (open, open, 0);
        let mut metas: Option<Metas<Span>> = None;
        let mut place = 0;
        while let Some(piece) = self.pieces.get(place) {
            place += 1;
            at = scanner.end_of_known(at, &piece.text)?;
            match piece.then {
                Then::Text => {}
                Then::String => at = scanner.end_of_string(at)?,
                Then::Reference => {
                    let end = scanner.end_of_plain(at)?;
                    reference = base.span(at, end);
                    at = end + 1;
                }
                Then::Scalar => at = scanner.end_of_scalar(at)?,
                Then::Array => at = scanner.end_of_array(at)?,
                Then::Metas => {
                    head = base.span(open, at);
                    (meta_start, meta_piece) = (at, place);
                }
                Then::MetaEnd => {
                    let body = base.span(meta_start, at);
                    let meta = Meta { reference, body };
                    match &mut metas {
                        None => metas = Some(Metas::One(meta)),
                        Some(metas) => metas.push(meta),
                    }
                    if scanner.is_at(at, b',') {
                        at += 1;
                        (meta_start, place) = (at, meta_piece);
                    } else {
                        metas_end = at;
                    }
                }
            }
        }
        let mut metas = metas?;
        metas.shrink();
        scanner.go_to(at);
        Some(Presence {
            head,
            tail: base.span(metas_end, at),
            metas,
            flat: self.flat,
            metas_again: false,
        })
    }

    /// Where the values of a valid meta are, strings without their quotes, if it is built like those of this shape and
    /// has no escapes in them.
    fn places(&self, meta: &[u8], places: &mut Vec<Range<usize>>) -> Option<u32> {
        let layout = self.layout?;
        let mut at = 0;
        for piece in self.pieces.get(self.meta.clone())? {
            if !piece.text.begins(meta.get(at..)?) {
                return None;
            }
            at += piece.text.len();
            let start = at;
            match piece.then {
                Then::Text | Then::MetaEnd => continue,
                Then::String | Then::Reference => {
                    let end = find_special(meta, start);
                    if meta.get(end) != Some(&b'"') {
                        return None;
                    }
                    places.push(start..end);
                    at = end + 1;
                }
                _ => {
                    let value = meta.get(start..)?;
                    let is_scalar = !matches!(value.first(), Some(b'"' | b'{' | b'['));
                    let len = value.iter().position(|byte| matches!(byte, b',' | b'}'))?;
                    at = is_scalar.then_some(start + len)?;
                    places.push(start..at);
                }
            }
        }
        (at == meta.len()).then_some(layout)
    }
}

/// Whether JavaScript keeps a property of this name where it was written, as its own and under this very name.
fn stays_in_place(name: &[u8]) -> bool {
    let is_number = name.first().is_some_and(u8::is_ascii_digit);
    !is_number && name != b"__proto__" && !name.contains(&b'\\')
}
