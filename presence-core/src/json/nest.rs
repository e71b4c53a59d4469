use alloc::vec::Vec;

/// A stack of booleans, one bit a level: which of the open containers are objects. The first 64 levels need no heap,
/// and a hostile megabyte of `[` costs 128 KiB.
#[derive(Default)]
pub(super) struct Nest {
    bits: u64,
    depth: u32,
    full: Vec<u64>,
}

impl Nest {
    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        if self.depth == 64 {
            self.full.push(self.bits);
            self.depth = 0;
        }
        self.bits = (self.bits << 1) | u64::from(bit);
        self.depth += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<bool> {
        if self.depth == 0 {
            self.bits = self.full.pop()?;
            self.depth = 64;
        }
        let bit = self.bits & 1 == 1;
        self.bits >>= 1;
        self.depth -= 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::Nest;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn gives_back_what_went_in_beyond_one_word() {
        let mut nest = Nest::default();
        let bits: Vec<bool> = (0..1000).map(|i| i % 3 == 0 || i % 7 == 1).collect();
        for &bit in &bits {
            nest.push(bit);
        }
        for &bit in bits.iter().rev() {
            assert_eq!(nest.pop(), Some(bit));
        }
        assert_eq!(nest.pop(), None);
        assert_eq!(nest.pop(), None);
    }
}
