//! What a frame did, as JavaScript gets it: keys, metas and objects as JSON
//! values in the text, each once, and numbers that say how they go together.

use alloc::vec::Vec;

use presence_core::presence::{Change, ChangeKind, Json, MetaRef, PresenceRef, StepKind, Tracker};

use crate::scratch;
use crate::values::{HEAD, ValueWriter};

/// There is no presence.
const NOBODY: f64 = -1.0;
/// The presence has metas and nothing else.
const METAS: f64 = -2.0;
/// The presence stands just so on the list, at this order, and a shallow copy
/// is a full one.
const LISTED: f64 = -3.0;
/// The presence stands just so on the list, at this order.
const LISTED_DEEP: f64 = -4.0;

/// How many metas back one is looked for: an update has two, in four places.
const RECENT: usize = 4;

/// Numbers and values as they are written. A key or a meta is the place of its
/// value; metas are their count and each. A presence is `NOBODY`, or `LISTED`
/// or `LISTED_DEEP` and its order, or `METAS` and its metas, or the place of an object that is
/// to get the metas which follow.
pub(crate) struct Told<'a> {
    values: ValueWriter<'a>,
    numbers: Vec<f64>,
    key: Option<(&'a [u8], usize)>,
    metas: [Option<(&'a [u8], usize)>; RECENT],
    /// Which of them gives way to the next.
    oldest: usize,
}

impl<'a> Told<'a> {
    /// Of so many presences.
    pub(crate) fn new(tracker: &'a Tracker<Json>, presences: usize) -> Self {
        let mut numbers = scratch::NUMBERS.take_empty();
        numbers.extend(HEAD);
        Self {
            values: ValueWriter::new(tracker, presences),
            numbers,
            key: None,
            metas: [None; RECENT],
            oldest: 0,
        }
    }

    /// Leaves it to JavaScript; how many numbers there are.
    pub(crate) fn finish(self) -> usize {
        self.values.finish(self.numbers)
    }

    /// The count of the steps, and of each its kind (0 join, 1 leave), key,
    /// current and other. With `by_order`, who joined and stands on the roster
    /// just so is listed.
    pub(crate) fn steps(&mut self, tracker: &'a Tracker<Json>, by_order: bool) {
        self.count(tracker.steps().len());
        for step in tracker.steps() {
            self.numbers.push(match step.kind() {
                StepKind::Join => 0.0,
                StepKind::Leave => 1.0,
            });
            let other = step.other();
            self.key(other);
            self.presence(step.current());
            let order = (by_order && step.current().is_none())
                .then(|| tracker.roster().get_wtf8(other.key_wtf8()))
                .flatten()
                .filter(|present| present.is_same_text(&other))
                .and_then(|present| present.order());
            match order {
                Some(order) => {
                    let kind = if other.is_flat() { LISTED } else { LISTED_DEEP };
                    self.numbers.extend([kind, order as f64]);
                }
                None => self.presence(Some(other)),
            }
        }
    }

    /// The count of the changes, and of each its kind (0 joined, 1 updated,
    /// 2 left), key, before, after, the metas that joined and those that left.
    pub(crate) fn changes(&mut self, changes: impl ExactSizeIterator<Item = Change<'a, Json>>) {
        self.count(changes.len());
        for change in changes {
            self.numbers.push(match change.kind() {
                ChangeKind::Joined => 0.0,
                ChangeKind::Updated => 1.0,
                ChangeKind::Left => 2.0,
            });
            if let Some(presence) = change.after().or(change.before()) {
                self.key(presence);
            }
            self.presence(change.before());
            self.presence(change.after());
            self.metas(change.joined());
            self.metas(change.left());
        }
    }

    pub(crate) fn key(&mut self, presence: PresenceRef<'a, Json>) {
        let key = presence.key_wtf8();
        let at = match self.key {
            Some((last, at)) if last == key => at,
            _ => {
                let at = self.values.add_key(presence);
                self.key = Some((key, at));
                at
            }
        };
        self.count(at);
    }

    pub(crate) fn presence(&mut self, presence: Option<PresenceRef<'a, Json>>) {
        let Some(presence) = presence else {
            self.numbers.push(NOBODY);
            return;
        };
        if presence.has_only_metas() {
            self.numbers.push(METAS);
        } else {
            let (head, tail) = presence.around();
            let at = self.values.add(|text| {
                text.extend_from_slice(head);
                text.extend_from_slice(tail);
            });
            self.count(at);
        }
        self.metas(presence.metas());
    }

    fn metas(&mut self, metas: impl ExactSizeIterator<Item = MetaRef<'a, Json>>) {
        self.count(metas.len());
        for meta in metas {
            let raw = meta.raw_bytes();
            let is_it = |known: &[u8]| core::ptr::eq(known, raw) || known == raw;
            let known = self.metas.iter().flatten().find(|(known, _)| is_it(known));
            let at = match known {
                Some(&(_, at)) => at,
                None => {
                    let at = self.values.add_meta(meta);
                    self.metas[self.oldest % RECENT] = Some((raw, at));
                    self.oldest += 1;
                    at
                }
            };
            self.count(at);
        }
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.numbers.push(count as f64);
    }
}
