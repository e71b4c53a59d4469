//! Buffers that JavaScript reads and writes between calls. All machines share
//! them: nothing in them outlives the call that follows.

use std::cell::Cell;
use std::ops::Range;

use presence_core::presence::Patch;

/// One such buffer.
pub(crate) struct Buffer<T: 'static>(&'static std::thread::LocalKey<Cell<Vec<T>>>);

thread_local! {
    static INPUT_CELL: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static TEXT_CELL: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static NUMBERS_CELL: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
    static BUILT_CELL: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
    static PLACES_CELL: Cell<Vec<Range<usize>>> = const { Cell::new(Vec::new()) };
    static PATCHES_CELL: Cell<Vec<Patch>> = const { Cell::new(Vec::new()) };
}

/// A frame from JavaScript.
pub(crate) const INPUT: Buffer<u8> = Buffer(&INPUT_CELL);
/// Text for JavaScript.
pub(crate) const TEXT: Buffer<u8> = Buffer(&TEXT_CELL);
/// Numbers that go with it.
pub(crate) const NUMBERS: Buffer<f64> = Buffer(&NUMBERS_CELL);
/// More of them, which come last.
pub(crate) const BUILT: Buffer<f64> = Buffer(&BUILT_CELL);
pub(crate) const PLACES: Buffer<Range<usize>> = Buffer(&PLACES_CELL);
pub(crate) const PATCHES: Buffer<Patch> = Buffer(&PATCHES_CELL);

impl<T> Buffer<T> {
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
