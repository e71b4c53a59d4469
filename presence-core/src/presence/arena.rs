use alloc::vec::Vec;

/// A range of an [`Arena`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    #[inline]
    pub(crate) fn new(start: u32, end: u32) -> Self {
        Self {
            start,
            len: end - start,
        }
    }

    #[inline]
    pub(crate) fn end(self) -> u32 {
        self.start + self.len
    }

    #[inline]
    pub(crate) fn contains(self, inner: Self) -> bool {
        inner.start >= self.start && inner.end() <= self.end()
    }

    /// The same range of text that moved from `from` to `to`.
    #[inline]
    pub(crate) fn moved(self, from: u32, to: u32) -> Self {
        Self {
            start: self.start.wrapping_sub(from).wrapping_add(to),
            len: self.len,
        }
    }
}

/// The one buffer that all accepted text lies in, addressed with 32 bits.
#[derive(Debug, Default)]
pub struct Arena {
    bytes: Vec<u8>,
    /// How much of it nobody needs any more, about.
    garbage: usize,
}

/// Below this an arena is not worth compacting.
const SMALL: usize = 4096;

impl Arena {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The position of what is pushed next.
    #[inline]
    pub(crate) fn end(&self) -> u32 {
        self.bytes.len() as u32
    }

    #[inline]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        self.bytes
            .get(span.start as usize..span.start as usize + span.len as usize)
            .unwrap_or_default()
    }

    /// Whether `frame` bytes of a frame can be taken in: at most thrice their number, since keys and refs with
    /// escapes are kept decoded too, and odd numbers rewritten.
    pub(crate) fn has_room_for(&self, frame: usize) -> bool {
        self.bytes.len().saturating_add(frame.saturating_mul(3)) < u32::MAX as usize
    }

    /// Makes room for exactly this much more.
    pub(crate) fn reserve_exact(&mut self, additional: usize) {
        self.bytes.reserve_exact(additional);
    }

    /// Gives memory back, unless there is little to give.
    pub(crate) fn shrink(&mut self) {
        if self.bytes.capacity() - self.bytes.len() > self.bytes.len() / 32 + 64 {
            self.bytes.shrink_to_fit();
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Span {
        let start = self.end();
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            self.grow(bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Span {
            start,
            len: bytes.len() as u32,
        }
    }

    /// By a quarter: doubling would leave half of a large roster's memory unused.
    #[cold]
    fn grow(&mut self, additional: usize) {
        self.bytes
            .reserve_exact(additional.max(self.bytes.len() / 4).max(256));
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    #[inline]
    pub(crate) fn retire(&mut self, bytes: usize) {
        self.garbage += bytes;
    }

    #[inline]
    pub(crate) fn keep(&mut self, bytes: usize) {
        self.garbage = self.garbage.saturating_sub(bytes);
    }

    pub(crate) fn needs_compaction(&self) -> bool {
        self.bytes.len() > SMALL && self.garbage > self.bytes.len() / 2
    }

    /// An empty arena with room for what is worth keeping of this one.
    pub(crate) fn successor(&self) -> Self {
        Self {
            bytes: Vec::with_capacity(self.bytes.len() - self.garbage.min(self.bytes.len())),
            garbage: 0,
        }
    }
}
