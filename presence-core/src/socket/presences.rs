//! The presences of the socket's channels.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Socket;
use crate::channel::{Channel, ChannelState};
use crate::codec::{TextFrame, TextPayload};
use crate::event::{Delivery, Event};
use crate::id::{ChannelId, PresenceId};
use crate::id_map::IdMap;
use crate::presence::{Join, Json, Outcome, PresenceError, PresenceOptions, Tracker};
use crate::time::Millis;

/// Which of a presence's two payloads it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceKind {
    /// The whole roster.
    State,
    /// What changed.
    Diff,
}

/// A presence whose payload a frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceUpdate {
    /// Which.
    pub presence: PresenceId,
    /// What the frame was to it.
    pub kind: PresenceKind,
    /// Whether it was applied, with what waited for it, so that one `onSync`
    /// is due; else it waits for the state of the present join.
    pub synced: bool,
}

#[derive(Debug)]
struct Entry {
    channel: ChannelId,
    tracker: Tracker<Json>,
    /// The join that the channel was in when it closed.
    last_join: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Presences {
    entries: IdMap<PresenceId, Entry>,
    pub(super) updated: Vec<PresenceUpdate>,
}

impl Presences {
    /// What a frame with this event is to a presence.
    fn kind_of(&self, presence: PresenceId, event: &str) -> Option<PresenceKind> {
        let options = self.entries.get(presence)?.tracker.options();
        if event == options.diff_event {
            Some(PresenceKind::Diff)
        } else if event == options.state_event {
            Some(PresenceKind::State)
        } else {
            None
        }
    }

    /// Apart from what depends on `P`, so that it is compiled once.
    fn apply(
        &mut self,
        presence: PresenceId,
        kind: PresenceKind,
        payload: TextPayload<'_>,
        join: Join<'_>,
    ) -> Result<Outcome, PresenceError> {
        let Some(Entry { tracker, .. }) = self.entries.get_mut(presence) else {
            return Ok(Outcome::default());
        };
        match kind {
            PresenceKind::State => tracker.handle_state(payload, join),
            PresenceKind::Diff => tracker.handle_diff(payload, join),
        }
    }
}

impl<P: Clone> Socket<P> {
    /// Follows the presences of a channel from now on: frames that are its
    /// state or its diffs are applied to a roster of its own, which
    /// [`presence`](Self::presence) shows. Any number may follow one channel.
    /// They stay when the channel is left or closed, until
    /// [`untrack`](Self::untrack).
    pub fn track(&mut self, channel: ChannelId, options: PresenceOptions) -> PresenceId {
        let id = PresenceId(self.next_id());
        if let Some(state) = self.channels.get_mut(channel) {
            state.presences.push(id);
        }
        self.presences.entries.insert(
            id,
            Entry {
                channel,
                tracker: Tracker::new(options),
                last_join: None,
            },
        );
        id
    }

    /// Forgets a presence.
    pub fn untrack(&mut self, presence: PresenceId) {
        let Some(entry) = self.presences.entries.remove(presence) else {
            return;
        };
        if let Some(channel) = self.channels.get_mut(entry.channel) {
            channel.presences.retain(|other| *other != presence);
        }
    }

    /// A presence's roster and status, and what the last frame did to it.
    pub fn presence(&self, presence: PresenceId) -> Option<&Tracker<Json>> {
        self.presences
            .entries
            .get(presence)
            .map(|entry| &entry.tracker)
    }

    /// As [`presence`](Self::presence), to say what is wanted of it and to
    /// fetch its patches.
    pub fn presence_mut(&mut self, presence: PresenceId) -> Option<&mut Tracker<Json>> {
        self.presences
            .entries
            .get_mut(presence)
            .map(|entry| &mut entry.tracker)
    }

    /// Whether a presence waits for the state of its channel's present join;
    /// so does one that is gone, or never was.
    pub fn is_pending(&self, presence: PresenceId) -> bool {
        let Some(entry) = self.presences.entries.get(presence) else {
            return true;
        };
        let join = match self.channels.get(entry.channel) {
            Some(channel) => self.present_join(channel),
            None => entry.last_join.as_deref(),
        };
        !entry.tracker.is_synced_with(join)
    }

    /// Leaves the payloads of a channel's presences to the shell, which hands
    /// them to [`sync_presence`](Self::sync_presence) once it is done with
    /// them: in phoenix.js an overridden `onMessage` may change them first.
    pub fn set_presences_by_shell(&mut self, channel: ChannelId) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.presences_by_shell = true;
        }
    }

    /// Applies a payload that the shell has read, of a message that had a
    /// join_ref or not. None if the presence is gone, or if the payload is of
    /// an earlier join.
    ///
    /// # Errors
    ///
    /// [`PresenceError`] if it is no state or diff. Nothing has changed then.
    pub fn sync_presence(
        &mut self,
        now: Millis,
        presence: PresenceId,
        kind: PresenceKind,
        payload: &str,
        has_join_ref: bool,
    ) -> Result<Option<PresenceUpdate>, PresenceError> {
        self.advance(now);
        let Some(entry) = self.presences.entries.get(presence) else {
            return Ok(None);
        };
        let channel = entry.channel;
        if self.is_early(channel, kind, has_join_ref) {
            return Ok(None);
        }
        self.apply(channel, presence, kind, TextPayload::bare(payload))
            .map(Some)
    }

    /// Reads a frame's payload into the presences it is for. False if it is
    /// for none.
    pub(super) fn read_presences(&mut self, frame: &TextFrame<'_>) -> Result<bool, PresenceError> {
        let has_join_ref = !frame.join_ref().is_none();
        let mut at = 0;
        while let Some(&Delivery { channel, .. }) = self.deliveries.get(at) {
            at += 1;
            for next in 0..self.presence_count(channel) {
                if let Some(presence) = self.presence_at(channel, next)
                    && let Some(kind) = self.presences.kind_of(presence, frame.event())
                    && !self.is_early(channel, kind, has_join_ref)
                {
                    let update = self.apply(channel, presence, kind, frame.unread())?;
                    self.presences.updated.push(update);
                }
            }
        }
        Ok(!self.presences.updated.is_empty())
    }

    /// Whether a frame is the state of a join before the one under way: no
    /// server sends a join's state before its answer, and in version 1 nothing
    /// else tells the two apart. (phoenix.js takes it for the present join's,
    /// and then loses the diffs between the two states.)
    fn is_early(&self, channel: ChannelId, kind: PresenceKind, has_join_ref: bool) -> bool {
        kind == PresenceKind::State
            && !has_join_ref
            && matches!(
                self.channel_state(channel),
                ChannelState::Joining | ChannelState::Errored
            )
    }

    /// How many presences of a channel the machine is to read.
    fn presence_count(&self, channel: ChannelId) -> usize {
        let channel = self.channels.get(channel);
        channel.map_or(0, |channel| match channel.presences_by_shell {
            true => 0,
            false => channel.presences.len(),
        })
    }

    fn presence_at(&self, channel: ChannelId, at: usize) -> Option<PresenceId> {
        self.channels.get(channel)?.presences.get(at).copied()
    }

    fn apply(
        &mut self,
        channel: ChannelId,
        presence: PresenceId,
        kind: PresenceKind,
        payload: TextPayload<'_>,
    ) -> Result<PresenceUpdate, PresenceError> {
        let state = self.channels.get(channel);
        let join = Join {
            join_ref: state.and_then(|channel| self.present_join(channel)),
            answered: state.is_some_and(|channel| channel.state == ChannelState::Joined),
        };
        let outcome = self.presences.apply(presence, kind, payload, join)?;
        if outcome.status.is_some() {
            self.events.push_back(Event::PresenceStatus { presence });
        }
        if outcome.rejoin {
            self.rejoin(channel);
        }
        Ok(PresenceUpdate {
            presence,
            kind,
            synced: outcome.synced,
        })
    }

    /// The ref of a channel's join, unless it has given that up.
    fn present_join<'a>(&self, channel: &'a Channel) -> Option<&'a str> {
        self.join_ref_of(channel)?;
        channel.join_text.as_deref()
    }

    /// A channel is about to be gone.
    pub(super) fn presences_closed(&mut self, channel: ChannelId) {
        self.presences_stale(channel);
        let Some(state) = self.channels.get(channel) else {
            return;
        };
        let last_join = self.present_join(state).map(Box::<str>::from);
        for presence in &state.presences {
            if let Some(entry) = self.presences.entries.get_mut(*presence) {
                entry.last_join = last_join.clone();
            }
        }
    }

    /// The channel's join or connection is gone, so its rosters are the last
    /// known ones.
    pub(super) fn presences_stale(&mut self, channel: ChannelId) {
        let Some(channel) = self.channels.get(channel) else {
            return;
        };
        for presence in &channel.presences {
            if let Some(entry) = self.presences.entries.get_mut(*presence)
                && entry.tracker.handle_stale().is_some()
            {
                self.events.push_back(Event::PresenceStatus {
                    presence: *presence,
                });
            }
        }
    }
}
