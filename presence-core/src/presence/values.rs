use alloc::boxed::Box;
use alloc::vec::Vec;

use super::arena::{Arena, Span};
use super::body::sealed::Carry;
use super::body::{Body, Carrier, Meta, Metas};
use super::error::{PresenceError, ShapeProblem};
use super::options::PresenceOptions;
use super::read::{Reading, Stop, into_error, other_shape};
use super::reference::{Reference, push_reference, push_unescaped};
use super::roster::Roster;
use super::view::{MetaRef, PresenceRef};
use crate::json::{Expected, Kind, Scanner, Token};

/// Presences that somebody else has decoded and keeps: the roster knows them, and their metas, by numbers.
#[derive(Debug)]
pub struct Values;

impl Carrier for Values {}

/// A state or a diff of [`Values`]: all that the roster has to know of it.
///
/// `text` is JSON. A state is one flat array, in which each presence is its key, the JSON of what stands beside its
/// metas (as one string; left out if there is nothing), the number of its metas, and their refs (`null` for one that
/// has none): `["ann",1,"ref 1","bob","{\"user\":{}}",2,"ref 2","ref 3"]`. A diff is two of these in an array, the
/// joins and the leaves.
///
/// Presences are numbered from `first` on in the order of the text, and metas from `first_meta` on; these numbers are
/// what [`PresenceRef::handle`] and [`MetaRef::handle`] give.
///
/// ```
/// use presence_core::presence::{Join, Tracker, Values, ValuesFrame};
///
/// let mut tracker: Tracker<Values> = Tracker::default();
/// let state = ValuesFrame { text: r#"["ann",1,"a","bob",2,"b","c"]"#, first: 10, first_meta: 100 };
/// assert!(tracker.handle_state(state, Join::answered("1"))?.synced);
/// let bob = tracker.roster().get("bob").unwrap();
/// assert_eq!(bob.handle(), 11);
/// assert_eq!(bob.metas().map(|meta| meta.handle()).collect::<Vec<_>>(), [101, 102]);
/// # Ok::<(), presence_core::presence::PresenceError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ValuesFrame<'a> {
    /// Keys and refs.
    pub text: &'a str,
    /// The number of the first presence.
    pub first: u32,
    /// The number of the first meta.
    pub first_meta: u32,
}

/// A presence beside its metas.
#[derive(Clone, Copy, Debug)]
pub struct ValuesExtra {
    handle: u32,
    /// What stands beside the metas, to tell whether it is the same.
    text: Span,
}

/// A frame that waits.
#[derive(Debug)]
pub struct HeldValues {
    text: Box<str>,
    first: u32,
    first_meta: u32,
}

impl Carry for Values {
    type Meta = u32;
    type Extra = ValuesExtra;
    type Source<'a> = ValuesFrame<'a>;
    type Held = HeldValues;
    type Options = ();

    fn reading(_options: &PresenceOptions) {}

    fn stage_state(
        roster: &mut Roster<Self>,
        source: ValuesFrame<'_>,
        _options: &mut (),
    ) -> Result<(), PresenceError> {
        let mut scanner = Scanner::new(source.text);
        scanner.skip_ws();
        roster.begin_state(scanner.remaining())?;
        let mut staged = state(roster, &mut scanner, source);
        if staged.is_ok() && roster.must_read_again() {
            scanner = Scanner::new(source.text);
            scanner.skip_ws();
            staged = state(roster, &mut scanner, source);
        }
        finish(roster, &mut scanner, staged)
    }

    fn stage_diff(
        roster: &mut Roster<Self>,
        source: ValuesFrame<'_>,
        _options: &mut (),
    ) -> Result<(), PresenceError> {
        let mut scanner = Scanner::new(source.text);
        scanner.skip_ws();
        roster.begin(scanner.remaining())?;
        let staged = diff(roster, &mut scanner, source);
        finish(roster, &mut scanner, staged)
    }

    fn hold(source: ValuesFrame<'_>) -> Result<HeldValues, PresenceError> {
        Ok(HeldValues {
            text: source.text.into(),
            first: source.first,
            first_meta: source.first_meta,
        })
    }

    fn release(held: &HeldValues) -> ValuesFrame<'_> {
        ValuesFrame {
            text: &held.text,
            first: held.first,
            first_meta: held.first_meta,
        }
    }

    fn held_bytes(held: &HeldValues) -> usize {
        held.text.len()
    }

    fn same_extra(arena: &Arena, a: &ValuesExtra, b: &ValuesExtra) -> bool {
        arena.get(a.text) == arena.get(b.text)
    }

    fn same_meta(_arena: &Arena, _a: u32, _b: u32) -> Option<bool> {
        None
    }

    fn merge_extra(_current: &ValuesExtra, extra: &ValuesExtra) -> ValuesExtra {
        *extra
    }

    fn settle(_body: &mut Body<u32, ValuesExtra>) {}

    fn prefers(
        _arena: &Arena,
        _new: &Body<u32, ValuesExtra>,
        _old: &Body<u32, ValuesExtra>,
    ) -> bool {
        false
    }

    fn weight(body: &Body<u32, ValuesExtra>) -> usize {
        let refs: usize = body
            .metas
            .as_slice()
            .iter()
            .map(|meta| meta.reference.len as usize)
            .sum();
        refs + body.extra.text.len as usize
    }

    fn relocate(key: &mut Span, body: &mut Body<u32, ValuesExtra>, from: &Arena, to: &mut Arena) {
        *key = to.push(from.get(*key));
        body.extra.text = to.push(from.get(body.extra.text));
        for meta in body.metas.as_mut_slice() {
            meta.reference = to.push(from.get(meta.reference));
        }
    }
}

impl PresenceRef<'_, Values> {
    /// The number of the presence whose extra this one has: the newest that joined under its key.
    pub fn handle(&self) -> u32 {
        self.body().extra.handle
    }
}

impl MetaRef<'_, Values> {
    /// The number of the meta.
    pub fn handle(&self) -> u32 {
        self.meta().body
    }
}

fn finish(
    roster: &mut Roster<Values>,
    scanner: &mut Scanner<'_>,
    staged: Reading<()>,
) -> Result<(), PresenceError> {
    let staged = staged.and_then(|()| Ok(scanner.end()?));
    staged.map_err(|stop| {
        roster.unstage_all();
        into_error(stop, scanner)
    })
}

fn state(
    roster: &mut Roster<Values>,
    scanner: &mut Scanner<'_>,
    frame: ValuesFrame<'_>,
) -> Reading<()> {
    let mut reader = Reader {
        next: frame.first,
        next_meta: frame.first_meta,
        refs: Vec::new(),
    };
    reader.entries(scanner, |scanner, entry| {
        let next = roster
            .candidates()
            .into_iter()
            .find(|&slot| entry.is(roster, slot, scanner));
        if roster.may_skip_unchanged() && next.is_some_and(|slot| roster.stage_unchanged(slot)) {
            return;
        }
        let mark = roster.arena.len();
        let (key, body) = entry.push(&mut roster.arena, scanner);
        roster.stage_entry(mark, key, body);
    })
}

fn diff(
    roster: &mut Roster<Values>,
    scanner: &mut Scanner<'_>,
    frame: ValuesFrame<'_>,
) -> Reading<()> {
    let mut reader = Reader {
        next: frame.first,
        next_meta: frame.first_meta,
        refs: Vec::new(),
    };
    open(scanner)?;
    next(scanner, true)?;
    reader.entries(scanner, |scanner, entry| {
        let (key, body) = entry.push(&mut roster.arena, scanner);
        roster.staged.joins.insert(&roster.arena, key, body);
    })?;
    next(scanner, false)?;
    reader.entries(scanner, |scanner, entry| {
        let (key, body) = entry.push(&mut roster.arena, scanner);
        roster.staged.leaves.insert(&roster.arena, key, body);
    })?;
    if scanner.element(false)? {
        Err(other_shape(scanner, ShapeProblem::Values)?)
    } else {
        Ok(())
    }
}

fn open(scanner: &mut Scanner<'_>) -> Reading<()> {
    if scanner.eat(b'[') {
        Ok(())
    } else {
        Err(other_shape(scanner, ShapeProblem::Values)?)
    }
}

/// There has to be one more element.
fn next(scanner: &mut Scanner<'_>, first: bool) -> Reading<()> {
    let start = scanner.position();
    if scanner.element(first)? {
        Ok(())
    } else {
        Err(Stop::Shape(start, ShapeProblem::Values))
    }
}

struct Reader {
    next: u32,
    next_meta: u32,
    /// The refs of the current entry.
    refs: Vec<Reference>,
}

/// One presence in the text.
struct Entry<'a> {
    key: Token,
    extra: Option<Token>,
    refs: &'a mut Vec<Reference>,
    handle: u32,
    first_meta: u32,
}

impl Reader {
    /// Reads presences at the bracket that opens their array.
    fn entries<'a>(
        &mut self,
        scanner: &mut Scanner<'a>,
        mut take: impl FnMut(&Scanner<'a>, Entry<'_>),
    ) -> Reading<()> {
        open(scanner)?;
        let mut first = true;
        while scanner.element(first)? {
            first = false;
            if !scanner.eat(b'"') {
                return Err(other_shape(scanner, ShapeProblem::Values)?);
            }
            let key = scanner.string_rest()?;
            next(scanner, false)?;
            let extra = if scanner.eat(b'"') {
                Some(scanner.string_rest()?)
            } else {
                None
            };
            if extra.is_some() {
                next(scanner, false)?;
            }
            self.refs.clear();
            for _ in 0..count(scanner)? {
                next(scanner, false)?;
                self.refs.push(reference(scanner)?);
            }
            let metas = self.refs.len() as u32;
            let (handle, first_meta) = (self.next, self.next_meta);
            take(
                scanner,
                Entry {
                    key,
                    extra,
                    refs: &mut self.refs,
                    handle,
                    first_meta,
                },
            );
            self.next = self.next.wrapping_add(1);
            self.next_meta = self.next_meta.wrapping_add(metas);
        }
        Ok(())
    }
}

fn count(scanner: &mut Scanner<'_>) -> Reading<u32> {
    let start = scanner.position();
    scanner.value()?;
    let count = scanner.slice(start, scanner.position()).parse();
    count.map_err(|_| Stop::Shape(start, ShapeProblem::Values))
}

fn reference(scanner: &mut Scanner<'_>) -> Result<Reference, Expected> {
    if scanner.eat(b'"') {
        let token = scanner.string_rest()?;
        return Ok(if token.escaped {
            Reference::Escaped(token)
        } else {
            Reference::Plain(token)
        });
    }
    let start = scanner.position();
    Ok(match scanner.value()? {
        Kind::Null => Reference::Missing,
        kind => Reference::Odd(kind, start, scanner.position()),
    })
}

impl Entry<'_> {
    /// Whether a presence on the roster has this key, these refs, and the same beside them.
    fn is(&self, roster: &Roster<Values>, slot: u32, scanner: &Scanner<'_>) -> bool {
        let Some(slot) = roster.slot(slot).filter(|slot| slot.is_live()) else {
            return false;
        };
        let is_token = |span: Span, token: Token| {
            !token.escaped && roster.arena.get(span) == scanner.raw(token.start, token.end)
        };
        let metas = slot.body.metas.as_slice();
        let same_extra = match self.extra {
            Some(token) => is_token(slot.body.extra.text, token),
            None => slot.body.extra.text.len == 0,
        };
        let is_ref = |(meta, reference): (&Meta<u32>, &Reference)| match *reference {
            Reference::Plain(token) => is_token(meta.reference, token),
            _ => false,
        };
        is_token(slot.key, self.key)
            && metas.len() == self.refs.len()
            && metas.iter().zip(&*self.refs).all(is_ref)
            && same_extra
    }

    fn push(self, arena: &mut Arena, scanner: &Scanner<'_>) -> (Span, Body<u32, ValuesExtra>) {
        let mut push = |token: Token| {
            let contents = scanner.raw(token.start, token.end);
            if token.escaped {
                push_unescaped(arena, contents)
            } else {
                arena.push(contents)
            }
        };
        let key = push(self.key);
        let text = self.extra.map(push).unwrap_or_default();
        let numbered = (self.first_meta..).zip(self.refs.drain(..));
        let metas: Metas<u32> = numbered
            .map(|(body, reference)| Meta {
                reference: push_reference(arena, scanner, reference),
                body,
            })
            .collect();
        (
            key,
            Body {
                metas,
                extra: ValuesExtra {
                    handle: self.handle,
                    text,
                },
            },
        )
    }
}
