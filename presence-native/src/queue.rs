//! A bounded queue from the socket's task to one reader. It never blocks the task: what does not fit makes the oldest
//! items go, and the reader is told how many went.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    missed: u64,
    reader: Option<Waker>,
    ended: bool,
}

/// The task's end.
pub(crate) struct Sender<T>(Arc<Mutex<State<T>>>);

/// The reader's end.
pub(crate) struct Receiver<T>(Arc<Mutex<State<T>>>);

/// What a reader finds.
pub(crate) enum Item<T> {
    Next(T),
    /// So many were dropped before the next one.
    Missed(u64),
}

/// A queue of at most `capacity` items, which takes memory only for those it holds.
pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = Arc::new(Mutex::new(State {
        items: VecDeque::new(),
        capacity: capacity.max(1),
        missed: 0,
        reader: None,
        ended: false,
    }));
    (Sender(Arc::clone(&state)), Receiver(state))
}

impl<T> Sender<T> {
    /// Adds an item. False if the reader is gone.
    pub(crate) fn send(&self, item: T) -> bool {
        if self.is_abandoned() {
            return false;
        }
        let reader = {
            let mut state = self.0.lock();
            if state.items.len() >= state.capacity {
                state.items.pop_front();
                state.missed += 1;
            }
            state.items.push_back(item);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        true
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let reader = {
            let mut state = self.0.lock();
            state.ended = true;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<T> Receiver<T> {
    /// Drops what is queued, and says how many that were.
    pub(crate) fn clear(&mut self) -> u64 {
        let mut state = self.0.lock();
        let cleared = state.items.len() as u64 + std::mem::take(&mut state.missed);
        state.items.clear();
        cleared
    }

    /// The next item, once there is one; none once the queue is empty and its sender gone.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        let mut state = self.0.lock();
        let missed = std::mem::take(&mut state.missed);
        if missed > 0 {
            return Poll::Ready(Some(Item::Missed(missed)));
        }
        if let Some(item) = state.items.pop_front() {
            return Poll::Ready(Some(Item::Next(item)));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next<T>(receiver: &mut Receiver<T>) -> Poll<Option<Item<T>>> {
        receiver.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let (sender, mut receiver) = bounded(2);
        for number in 1..=5 {
            assert!(sender.send(number));
        }
        assert!(matches!(
            next(&mut receiver),
            Poll::Ready(Some(Item::Missed(3)))
        ));
        assert!(matches!(
            next(&mut receiver),
            Poll::Ready(Some(Item::Next(4)))
        ));
        drop(sender);
        assert!(matches!(
            next(&mut receiver),
            Poll::Ready(Some(Item::Next(5)))
        ));
        assert!(matches!(next(&mut receiver), Poll::Ready(None)));
    }

    #[test]
    fn a_reader_that_is_gone_is_noticed() {
        let (sender, receiver) = bounded(2);
        drop(receiver);
        assert!(!sender.send(1));
    }
}
