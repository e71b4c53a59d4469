use alloc::vec;
use alloc::vec::Vec;

use super::arena::{Arena, Span};
use super::body::{ODD_REF, UNEQUAL_REF};
use crate::json::{Decimal, Kind, Scanner, Token, unescape};

/// What stands where a meta's ref belongs.
pub(super) enum Reference {
    Plain(Token),
    Escaped(Token),
    Odd(Kind, usize, usize),
    Missing,
    /// There is no meta to have one.
    Null,
}

impl Reference {
    pub(super) fn is_unequal(&self) -> bool {
        matches!(self, Self::Odd(kind, ..) if kind.is_container())
    }
}

pub(super) fn push_unescaped(arena: &mut Arena, contents: &[u8]) -> Span {
    let mut text = Vec::with_capacity(contents.len());
    unescape(contents, &mut text);
    arena.push(&text)
}

pub(super) fn push_reference(
    arena: &mut Arena,
    scanner: &Scanner<'_>,
    reference: Reference,
) -> Span {
    let (kind, start, end) = match reference {
        Reference::Plain(token) => return arena.push(scanner.raw(token.start, token.end)),
        Reference::Escaped(token) => {
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
            // Numbers are equal by value: those that differ only beyond a double's 15 certain digits are told apart.
            // (What JSON cannot write has been rewritten before.)
            let number = Decimal::of(scanner.raw(start, end));
            let mut text = vec![ODD_REF, if number.negative { b'-' } else { b'+' }];
            if !number.is_zero() {
                text.extend_from_slice(&number.exponent.to_be_bytes());
                text.extend_from_slice(&number.digits);
            }
            arena.push(&text)
        }
    }
}
