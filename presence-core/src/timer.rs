//! The one table of timers.

use std::collections::BTreeMap;

use crate::id::{ChannelId, ConnectionId, PushId};
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
    running: BTreeMap<TimerId, TimerKind>,
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
            self.running.remove(&id);
        }
    }

    pub(crate) fn next(&self) -> Option<Millis> {
        self.running.first_key_value().map(|(id, _)| id.at)
    }

    /// Takes the first timer that is due, with the moment it was due at.
    pub(crate) fn pop_due(&mut self, now: Millis) -> Option<(Millis, TimerKind)> {
        let entry = self.running.first_entry()?;
        if entry.key().at > now {
            return None;
        }
        let (id, kind) = entry.remove_entry();
        Some((id.at, kind))
    }

    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }
}
