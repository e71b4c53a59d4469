//! Values for JavaScript: one JSON array, and where they are few also numbers that say how they are built, which
//! spares it the parsing.

use alloc::vec::Vec;
use core::ops::Range;

use presence_core::presence::{Json, MetaRef, PresenceRef, Tracker};

use crate::scratch;

/// What numbers begin with, until [`ValueWriter::finish`] knows better.
pub(crate) const HEAD: [f64; 2] = [0.0; 2];

/// The value is a string.
const STRING: f64 = 0.0;

/// For more presences than this, or more values, parsing is quicker. (And strings cut out of a text keep all of it
/// alive.)
const FEW: usize = 8;
const FEW_VALUES: usize = 4 * FEW;

/// An array as it is written. Of a value that is a meta whose layout is known, the numbers are that layout and the
/// start and end of each of its values in the text; of a key, 0 and its start and end. Of others there is nothing to
/// say, and then of none.
pub(crate) struct ValueWriter<'a> {
    tracker: &'a Tracker<Json>,
    text: Vec<u8>,
    len: usize,
    built: Vec<f64>,
    places: Vec<Range<usize>>,
    is_built: bool,
}

impl<'a> ValueWriter<'a> {
    /// For the values of so many presences.
    pub(crate) fn new(tracker: &'a Tracker<Json>, presences: usize) -> Self {
        Self {
            tracker,
            text: scratch::TEXT.take_empty(),
            len: 0,
            built: scratch::BUILT.take_empty(),
            places: scratch::PLACES.take(),
            is_built: presences <= FEW,
        }
    }

    /// Adds any value; which one it is.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.is_built = false;
        self.begin();
        write(&mut self.text);
        self.len - 1
    }

    pub(crate) fn add_key(&mut self, presence: PresenceRef<'_, Json>) -> usize {
        self.begin();
        let start = self.text.len() + 1;
        presence.write_key(&mut self.text);
        let end = self.text.len() - 1;
        let is_plain = end - start == presence.key_wtf8().len();
        self.is_built &= is_plain;
        if self.is_built {
            self.built.extend([STRING, start as f64, end as f64]);
        }
        self.len - 1
    }

    pub(crate) fn add_meta(&mut self, meta: MetaRef<'_, Json>) -> usize {
        self.begin();
        let start = self.text.len();
        self.text.extend_from_slice(meta.raw_bytes());
        self.is_built &= self.len <= FEW_VALUES;
        if self.is_built {
            match self.tracker.layout(meta, &mut self.places) {
                None => self.is_built = false,
                Some(layout) => {
                    self.built.push(layout.into());
                    for place in &self.places {
                        let places = [start + place.start, start + place.end];
                        self.built.extend(places.map(|place| place as f64));
                    }
                }
            }
        }
        self.len - 1
    }

    /// Leaves them to JavaScript: the length of the text goes into the first of `numbers`, and where what is said of
    /// the values begins into the second. (At the end, where nothing is.) How many numbers there are then.
    pub(crate) fn finish(mut self, mut numbers: Vec<f64>) -> usize {
        if self.len > 0 {
            self.text.push(b']');
        }
        let said = numbers.len();
        if self.is_built {
            numbers.extend_from_slice(&self.built);
        }
        if let Some(head) = numbers.first_chunk_mut() {
            *head = [self.text.len() as f64, said as f64];
        }
        scratch::TEXT.put(self.text);
        scratch::BUILT.put(self.built);
        scratch::PLACES.put(self.places);
        scratch::NUMBERS.put(numbers)
    }

    fn begin(&mut self) {
        self.text.push(if self.len == 0 { b'[' } else { b',' });
        self.len += 1;
    }
}
