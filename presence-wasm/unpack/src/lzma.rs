//! What the bits say: literals, and matches with what came before.

use crate::bits::{Bits, CONTEXTS};

/// How many states there are: what the last few symbols were.
const STATES: usize = 12;
/// From this one on the last symbol was a match.
const AFTER_MATCH: usize = 7;

/// How many bits of a byte help to guess the next: lc.
pub const LITERAL_CONTEXT_BITS: u32 = 2;

// Where the contexts of each question begin.
const IS_MATCH: usize = 0;
const IS_REP: usize = IS_MATCH + STATES;
const IS_REP_0: usize = IS_REP + STATES;
const IS_REP_1: usize = IS_REP_0 + STATES;
const IS_REP_2: usize = IS_REP_1 + STATES;
const IS_REP_0_LONG: usize = IS_REP_2 + STATES;
const SLOT: usize = IS_REP_0_LONG + STATES;
const SPECIAL: usize = SLOT + 4 * 64;
const ALIGN: usize = SPECIAL + 128;
const LENGTH: usize = ALIGN + 16;
const REP_LENGTH: usize = LENGTH + LENGTH_CONTEXTS;
const LENGTH_CONTEXTS: usize = 24 + 256;
const LITERALS: usize = REP_LENGTH + LENGTH_CONTEXTS;
const _: () = assert!(LITERALS + (0x300 << LITERAL_CONTEXT_BITS) <= CONTEXTS);

/// Fills `output` with what `input` was made of. `None` if it is cut off, or
/// refers to what never was.
pub fn unpack(input: &[u8], output: &mut [u8]) -> Option<()> {
    let mut bits = Bits::new(input);
    let mut state = 0;
    // How far back the last four matches were, less one.
    let mut distances = [0; 4];
    let mut at = 0;
    while at < output.len() {
        if bits.bit(IS_MATCH + state) == 0 {
            let (done, rest) = output.split_at_mut(at);
            let before = done.last().copied().unwrap_or_default();
            let matched = match state < AFTER_MATCH {
                true => None,
                false => Some(*done.get(back(at, distances[0])?)?),
            };
            *rest.first_mut()? = literal(&mut bits, before, matched);
            at += 1;
            state = match state {
                0..4 => 0,
                4..10 => state - 3,
                _ => state - 6,
            };
            continue;
        }
        let after_match = state >= AFTER_MATCH;
        let length = if bits.bit(IS_REP + state) == 0 {
            state = if after_match { 10 } else { 7 };
            let length = length(&mut bits, LENGTH);
            distances.rotate_right(1);
            distances[0] = distance(&mut bits, length);
            length
        } else {
            let recent = recent(&mut bits, state);
            distances.get_mut(..=recent)?.rotate_right(1);
            if recent == 0 && bits.bit(IS_REP_0_LONG + state) == 0 {
                state = if after_match { 11 } else { 9 };
                1
            } else {
                state = if after_match { 11 } else { 8 };
                length(&mut bits, REP_LENGTH)
            }
        };
        let from = back(at, distances[0])?;
        // One by one: a match may go on into what it makes.
        for place in 0..length {
            *output.get_mut(at + place)? = *output.get(from + place)?;
        }
        at += length;
    }
    (!bits.is_over).then_some(())
}

/// As far back as this distance says.
fn back(at: usize, distance: usize) -> Option<usize> {
    at.checked_sub(1)?.checked_sub(distance)
}

/// A byte; `before` is the last one, and `matched` that which the last match
/// would go on with.
fn literal(bits: &mut Bits<'_>, before: u8, matched: Option<u8>) -> u8 {
    let base = LITERALS + usize::from(before >> (8 - LITERAL_CONTEXT_BITS)) * 0x300;
    let mut node = 1;
    if let Some(matched) = matched {
        // Other contexts until it differs, as it will.
        for place in (0..8).rev() {
            let expected = usize::from(matched >> place & 1);
            let bit = bits.bit(base + ((1 + expected) << 8) + node);
            node = node << 1 | bit;
            if bit != expected {
                break;
            }
        }
    }
    while node < 0x100 {
        node = node << 1 | bits.bit(base + node);
    }
    // The lowest eight bits are the byte, which the ninth was to tell the nodes apart.
    node as u8
}

/// Which of the last four distances is meant.
fn recent(bits: &mut Bits<'_>, state: usize) -> usize {
    for (recent, base) in [IS_REP_0, IS_REP_1, IS_REP_2].into_iter().enumerate() {
        if bits.bit(base + state) == 0 {
            return recent;
        }
    }
    3
}

fn length(bits: &mut Bits<'_>, base: usize) -> usize {
    let (first, place, count) = if bits.bit(base) == 0 {
        (2, 8, 3)
    } else if bits.bit(base + 1) == 0 {
        (10, 16, 3)
    } else {
        (18, 24, 8)
    };
    first + bits.tree(base + place, count)
}

/// A new distance, less one, of a match this long.
fn distance(bits: &mut Bits<'_>, length: usize) -> usize {
    let slot = bits.tree(SLOT + (length - 2).min(3) * 64, 6);
    if slot < 4 {
        return slot;
    }
    let count = (slot as u32 >> 1) - 1;
    let base = (2 | slot & 1) << count;
    if slot < 14 {
        base + bits.reverse_tree(SPECIAL + base - slot, count)
    } else {
        let high = bits.direct(count - 4) << 4;
        base + high + bits.reverse_tree(ALIGN, 4)
    }
}
