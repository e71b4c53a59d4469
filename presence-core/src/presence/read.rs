//! Reading JSON states and diffs into a roster, in the one pass that also checks that they are JSON.

use alloc::vec::Vec;

use super::entry::{Reader, Side};
use super::error::{PresenceError, ShapeProblem};
use super::json::{Json, JsonOptions};
use super::roster::Roster;
use crate::codec::{CodecError, TextPayload};
use crate::json::{Expected, Scanner, Token, unescape};

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

pub(super) type Reading<T> = Result<T, Stop>;

pub(super) fn into_error(stop: Stop, scanner: &Scanner<'_>) -> PresenceError {
    match stop {
        Stop::Json(expected) => CodecError::Json(scanner.error(expected)).into(),
        Stop::Shape(offset, problem) => PresenceError::Shape { offset, problem },
    }
}

pub(super) fn stage_state(
    roster: &mut Roster<Json>,
    payload: TextPayload<'_>,
    options: &mut JsonOptions,
) -> Result<(), PresenceError> {
    let (mut scanner, tail) = payload.into_scanner();
    roster.begin_state(scanner.remaining())?;
    let start = scanner.clone();
    let mut reader = Reader::new(roster, options, Side::State);
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
    payload: TextPayload<'_>,
    options: &mut JsonOptions,
) -> Result<(), PresenceError> {
    let (mut scanner, tail) = payload.into_scanner();
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
    options: &mut JsonOptions,
) -> Reading<()> {
    let start = scanner.position();
    let (mut joins, mut leaves) = (false, false);
    // What a server sends.
    if scanner.eat_all(br#"{"joins":{"#) {
        Reader::new(roster, options, Side::Joins).presences_rest(scanner)?;
        joins = true;
        if scanner.eat_all(br#","leaves":{"#) {
            Reader::new(roster, options, Side::Leaves).presences_rest(scanner)?;
            leaves = true;
        }
    } else if !scanner.eat(b'{') {
        return Err(other_shape(scanner, ShapeProblem::DiffNotAnObject)?);
    }
    let mut first = !joins;
    while let Some(name) = scanner.member(first)? {
        first = false;
        // A name that comes twice counts the second time.
        if is_name(scanner, name, b"joins") {
            if joins {
                roster.staged.joins.clear();
            }
            Reader::new(roster, options, Side::Joins).presences(scanner, ShapeProblem::Joins)?;
            joins = true;
        } else if is_name(scanner, name, b"leaves") {
            if leaves {
                roster.staged.leaves.clear();
            }
            Reader::new(roster, options, Side::Leaves).presences(scanner, ShapeProblem::Leaves)?;
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
pub(super) fn other_shape(scanner: &mut Scanner<'_>, problem: ShapeProblem) -> Reading<Stop> {
    let start = scanner.position();
    scanner.value()?;
    Ok(Stop::Shape(start, problem))
}

#[inline]
pub(super) fn is_name(scanner: &Scanner<'_>, token: Token, name: &[u8]) -> bool {
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
