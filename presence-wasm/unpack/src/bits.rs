//! The range decoder: one bit at a time, by how likely it has been.

use std::slice::Iter;

/// How many contexts there is room for; `lzma.rs` has less than that.
pub(crate) const CONTEXTS: usize = 8192;

const PROBABILITY_BITS: u32 = 11;
const ADAPTION: u16 = 5;

pub(crate) struct Bits<'a> {
    input: Iter<'a, u8>,
    /// More was asked for than there is.
    pub(crate) is_over: bool,
    range: u32,
    code: u32,
    /// Of each context, how likely a 0 is, of 2048.
    probabilities: [u16; CONTEXTS],
}

impl<'a> Bits<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        let mut bits = Self {
            input: input.iter(),
            is_over: false,
            range: u32::MAX,
            code: 0,
            probabilities: [1 << (PROBABILITY_BITS - 1); CONTEXTS],
        };
        // The first is shifted out again: it says nothing.
        for _ in 0..5 {
            bits.shift();
        }
        bits
    }

    /// The next bit of a context.
    #[inline(never)]
    pub(crate) fn bit(&mut self, context: usize) -> usize {
        let probability = &mut self.probabilities[context % CONTEXTS];
        let bound = (self.range >> PROBABILITY_BITS) * u32::from(*probability);
        let bit = if self.code < bound {
            self.range = bound;
            *probability += ((1 << PROBABILITY_BITS) - *probability) >> ADAPTION;
            0
        } else {
            self.range -= bound;
            self.code -= bound;
            *probability -= *probability >> ADAPTION;
            1
        };
        self.normalise();
        bit
    }

    /// So many bits that no context helps with.
    pub(crate) fn direct(&mut self, count: u32) -> usize {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            if bit {
                self.code -= self.range;
            }
            value = value << 1 | usize::from(bit);
            self.normalise();
        }
        value
    }

    /// So many bits, the highest first, each with those before as its context.
    #[inline(never)]
    pub(crate) fn tree(&mut self, base: usize, count: u32) -> usize {
        let mut node = 1;
        for _ in 0..count {
            node = node << 1 | self.bit(base + node);
        }
        node - (1 << count)
    }

    /// The same, the lowest first.
    #[inline(never)]
    pub(crate) fn reverse_tree(&mut self, base: usize, count: u32) -> usize {
        let mut node = 1;
        let mut value = 0;
        for place in 0..count {
            let bit = self.bit(base + node);
            node = node << 1 | bit;
            value |= bit << place;
        }
        value
    }

    fn normalise(&mut self) {
        if self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
    }

    #[inline(never)]
    fn shift(&mut self) {
        let next = self.input.next();
        self.is_over |= next.is_none();
        self.code = self.code << 8 | u32::from(next.copied().unwrap_or_default());
    }
}
