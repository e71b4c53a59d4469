//! The one table of timers.

use crate::id::{ChannelId, ConnectionId, PushId};
use crate::id_map::IdMap;
use crate::time::Millis;

/// What a timer is for. Each has exactly one owner, who holds its [`TimerId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerKind {
    /// Connect again.
    Reconnect,
    /// Send the next heartbeat.
    Heartbeat,
    /// The heartbeat's answer is overdue.
    HeartbeatTimeout,
    /// Look again whether a closing transport has drained or closed.
    Teardown(ConnectionId),
    /// Join a channel again.
    Rejoin(ChannelId),
    /// A push's answer is overdue.
    Push(PushId),
}

/// Where a running timer stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId {
    at: Millis,
    sequence: u64,
}

/// Timers by deadline; those of one deadline fire in the order they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    running: IdMap<TimerId, TimerKind>,
    sequence: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, kind: TimerKind) -> TimerId {
        self.sequence += 1;
        let id = TimerId {
            at,
            sequence: self.sequence,
        };
        self.running.insert(id, kind);
        id
    }

    pub(crate) fn cancel(&mut self, timer: &mut Option<TimerId>) {
        if let Some(id) = timer.take() {
            self.running.remove(id);
        }
    }

    pub(crate) fn next(&self) -> Option<Millis> {
        self.running.first().map(|(id, _)| id.at)
    }

    /// Where the table stands, for [`Self::pop_due`].
    pub(crate) fn mark(&self) -> u64 {
        self.sequence
    }

    /// Takes the first timer that is due and was set before `mark`: what is
    /// set by those that fire waits for the next wake-up, even if it is due.
    pub(crate) fn pop_due(&mut self, now: Millis, mark: u64) -> Option<(TimerId, TimerKind)> {
        let (id, _) = self.running.first()?;
        if id.at > now || id.sequence > mark {
            return None;
        }
        self.running.remove(id).map(|kind| (id, kind))
    }

    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }
}
