//! Sixteen bytes at a time.

use wide::u8x16;

/// Where the plain run of a JSON string that starts at `from` ends: the first quote, backslash or control character,
/// or the end of `bytes`.
#[inline(always)]
pub(crate) fn find_special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if let Some(index) = special_in(chunk) {
            return at + index;
        }
        at += 16;
    }
    tail(bytes, at)
}

#[inline(never)]
fn tail(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|&byte| is_special(byte))
        .unwrap_or(rest.len())
}

#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Sixteen at once, by SSE2, NEON or wasm's simd128.
#[inline(always)]
fn special_in(chunk: &[u8; 16]) -> Option<usize> {
    let text = u8x16::new(*chunk);
    let quotes = text.simd_eq(u8x16::splat(b'"'));
    let escapes = text.simd_eq(u8x16::splat(b'\\'));
    let controls = text.min(u8x16::splat(0x1f)).simd_eq(text);
    let mask = (quotes | escapes | controls).to_bitmask();
    (mask != 0).then(|| mask.trailing_zeros() as usize)
}

/// Up to sixteen bytes, to be found again at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    bytes: [u8; 16],
    len: u8,
}

impl Known {
    /// Text of any length, in order.
    pub(crate) fn all(text: &[u8]) -> impl Iterator<Item = Self> {
        text.chunks(16).map(|part| {
            let mut bytes = [0; 16];
            bytes
                .iter_mut()
                .zip(part)
                .for_each(|(to, from)| *to = *from);
            Self {
                bytes,
                len: part.len() as u8,
            }
        })
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    #[inline(always)]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<16>() {
            Some(chunk) => {
                let same = u8x16::new(*chunk).simd_eq(u8x16::new(self.bytes));
                same.to_bitmask().trailing_ones() >= self.len.into()
            }
            None => text.starts_with(self.bytes.get(..self.len()).unwrap_or_default()),
        }
    }
}

/// `a == b`, for targets whose `memcmp` goes byte by byte (wasm32) as fast as for the others.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline)]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if cfg!(not(target_family = "wasm")) {
        return a == b;
    }
    if a.len() != b.len() {
        return false;
    }
    // The last ones once more, instead of what does not fill a chunk.
    let ends = |bytes: &[u8]| {
        let ends = (bytes.first_chunk()?, bytes.last_chunk()?);
        Some((u64::from_ne_bytes(*ends.0), u64::from_ne_bytes(*ends.1)))
    };
    let last = |bytes: &[u8]| bytes.last_chunk().map(|last| u128::from_ne_bytes(*last));
    match a.len() {
        0..8 => a.iter().zip(b).all(|(a, b)| a == b),
        8..16 => ends(a) == ends(b),
        _ => {
            let mut chunks = a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0);
            chunks.all(|(a, b)| u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b))
                && last(a) == last(b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{find_special, is_special, same_bytes};
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn bytes_are_the_same_if_none_differs() {
        for len in 0..70 {
            let bytes: Vec<u8> = (0..len).collect();
            assert!(same_bytes(&bytes, &bytes.clone()));
            assert!(!same_bytes(&bytes, &[&bytes[..], &[0]].concat()));
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 0x80;
                assert!(!same_bytes(&bytes, &other), "{at} of {len}");
            }
        }
    }

    proptest! {
        #[test]
        fn chunks_find_what_single_bytes_find(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x1fu8..0x24, 0x5bu8..0x5e], 0..80),
            from in 0usize..20,
        ) {
            let from = from.min(bytes.len());
            let naive = bytes.iter().skip(from).position(|&byte| is_special(byte));
            prop_assert_eq!(find_special(&bytes, from), naive.map_or(bytes.len(), |at| at + from));
        }
    }
}
