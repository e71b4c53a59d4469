//! Buffers that JavaScript reads and writes between calls. All machines share
//! them: nothing in them outlives the call that follows.

#![allow(
    unsafe_code,
    reason = "without the standard library there is no safe global that changes"
)]

use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Range;

use presence_core::presence::Patch;

/// One such buffer.
pub(crate) struct Buffer<T>(Cell<Vec<T>>);

// SAFETY: JavaScript calls this module from one thread, and its memory is not shared with others.
unsafe impl<T> Sync for Buffer<T> {}

/// A frame from JavaScript.
pub(crate) static INPUT: Buffer<u8> = Buffer::new();
/// Text for JavaScript.
pub(crate) static TEXT: Buffer<u8> = Buffer::new();
/// Numbers that go with it.
pub(crate) static NUMBERS: Buffer<f64> = Buffer::new();
/// More of them, which come last.
pub(crate) static BUILT: Buffer<f64> = Buffer::new();
pub(crate) static PLACES: Buffer<Range<usize>> = Buffer::new();
pub(crate) static PATCHES: Buffer<Patch> = Buffer::new();

impl<T> Buffer<T> {
    const fn new() -> Self {
        Self(Cell::new(Vec::new()))
    }

    /// The buffer; to be given back.
    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }

    /// The buffer, emptied; to be given back.
    pub(crate) fn take_empty(&self) -> Vec<T> {
        let mut buffer = self.take();
        buffer.clear();
        buffer
    }

    /// Gives the buffer back; how much is in it.
    pub(crate) fn put(&self, buffer: Vec<T>) -> usize {
        let len = buffer.len();
        self.0.set(buffer);
        len
    }

    /// What `read` makes of the first `len` of it.
    pub(crate) fn with<R>(&self, len: usize, read: impl FnOnce(&[T]) -> R) -> R {
        let buffer = self.take();
        let result = read(buffer.get(..len).unwrap_or_default());
        self.put(buffer);
        result
    }

    /// Where it stands, until the next call.
    pub(crate) fn as_ptr(&self) -> *const T {
        let buffer = self.take();
        let at = buffer.as_ptr();
        self.put(buffer);
        at
    }
}
