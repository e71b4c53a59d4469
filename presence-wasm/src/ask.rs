//! What a machine is asked by numbers. What is to be done after an answer waits for `Act::Drain`.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use presence_core::presence::{PresenceOptions, SyncStatus, Tracker};
use presence_core::{ChannelId, ChannelState, ConnectionId, PresenceId, PushId};
use wasm_bindgen::prelude::*;

use crate::machine::{Failure, Machine, at, millis, number, some_millis, with_text};
use crate::scratch;

/// What is asked for: the numbers that go with it → the answer. What is yes or
/// no is 1 or 0.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// → the present connection; 0: none
    Connection,
    /// → changes whenever somebody connects, disconnects or replaces the transport
    ConnectClock,
    /// → whether the last close was asked for
    CloseWasClean,
    /// → the length of the text: the reason of the next close with a code
    TakeReason,
    /// connection, channel (0: none), join_ref (0: none) → whether a message
    /// that took its time to encode may still be sent
    MayTransmit,
    /// → the next ref
    MakeRef,
    /// → the ref of a heartbeat; 0: there is no open connection
    Ping,
    /// length of the topic in the input → a new channel
    Channel,
    /// channel → where it stands: 0 closed, 1 errored, 2 joined, 3 joining, 4 leaving
    ChannelState,
    /// channel → the push of its joins
    JoinPush,
    /// channel → the ref of its present join; 0: none
    JoinRef,
    /// now, channel, timeout in ms (-1: the socket's) → the leave's push; 0: the channel is closed
    Leave,
    /// now, channel, timeout in ms (-1: the socket's), length of the event in the input → a push
    Push,
    /// push → the ref it was sent under last; 0: none
    PushRef,
    /// channel, its timeout in ms
    SetTimeout,
    /// the time between heartbeats in ms
    SetHeartbeatInterval,
    /// channel, which is taken off the socket's
    Remove,
    /// channel, whose `onMessage` is overridden: its presences get their payloads by `presence_sync`
    SetHooked,
    /// channel (0: somebody else's), length of the events of states and of
    /// diffs in the input, that of the first → a presence
    Presence,
    /// presence, which is forgotten
    PresenceRelease,
    /// presence: somebody listens to joins and leaves from now on
    PresenceWantSteps,
    /// presence, whether somebody listens to changes from now on
    PresenceWantChanges,
    /// presence → whether it waits for the state of its channel's present join
    PresenceIsPending,
    /// presence → how far it can be relied on: 0 syncing, 1 synced, 2 stale
    PresenceStatus,
    /// presence → how many are on the roster
    PresenceSize,
    /// presence, length of a key in the input → its order; infinite: there is none
    PresenceOrder,
    /// presence → the length of the text: the keys in order, `["…", …]`
    PresenceKeys,
    /// presence → the length of the text: the diffs that wait for a state, `[diff, …]`
    PresencePending,
}

#[wasm_bindgen]
impl Machine {
    /// The answer.
    pub fn ask(&mut self, ask: Ask, a: f64, b: f64, c: f64, d: f64) -> f64 {
        number(self.try_ask(ask, a, b, c, d))
    }

    fn try_ask(&mut self, ask: Ask, a: f64, b: f64, c: f64, d: f64) -> Result<f64, Failure> {
        let channel = ChannelId::from_u32(a as u32);
        let presence = a as u32;
        let socket = &mut self.socket;
        let answer = match ask {
            Ask::Connection => socket.connection().map_or(0, ConnectionId::to_u32).into(),
            Ask::ConnectClock => socket.connect_clock() as f64,
            Ask::CloseWasClean => socket.close_was_clean().into(),
            Ask::TakeReason => {
                let reason = self.outbox.reasons.pop_front().unwrap_or_default();
                write(|text| text.extend_from_slice(reason.as_bytes()))
            }
            Ask::MayTransmit => {
                let connection = ConnectionId::from_u32(a as u32);
                let channel = (b != 0.0).then(|| ChannelId::from_u32(b as u32));
                let join_ref = (c != 0.0).then_some(c as u64);
                socket.may_transmit(connection, channel, join_ref).into()
            }
            Ask::MakeRef => socket.make_ref() as f64,
            Ask::Ping => socket.ping().unwrap_or(0) as f64,
            Ask::Channel => {
                with_text(a, |topic| Ok(socket.channel(topic, Some(0)).to_u32()))?.into()
            }
            Ask::ChannelState => match socket.channel_state(channel) {
                ChannelState::Closed => 0.0,
                ChannelState::Errored => 1.0,
                ChannelState::Joined => 2.0,
                ChannelState::Joining => 3.0,
                ChannelState::Leaving => 4.0,
            },
            Ask::JoinPush => socket.join_push(channel).map_or(0, PushId::to_u32).into(),
            Ask::JoinRef => socket.join_ref(channel).unwrap_or(0) as f64,
            Ask::Leave => {
                let channel = ChannelId::from_u32(b as u32);
                let push = socket.leave(at(a), channel, some_millis(c));
                push.map_or(0, PushId::to_u32).into()
            }
            Ask::Push => {
                let channel = ChannelId::from_u32(b as u32);
                let timeout = some_millis(c);
                let push = with_text(d, |event| {
                    Ok(socket.push(at(a), channel, event, 0, timeout)?)
                });
                push?.to_u32().into()
            }
            Ask::PushRef => {
                let push = PushId::from_u32(a as u32);
                socket.push_ref(push).unwrap_or(0) as f64
            }
            Ask::SetTimeout => {
                socket.set_timeout(channel, millis(b));
                0.0
            }
            Ask::SetHeartbeatInterval => {
                socket.set_heartbeat_interval(millis(a));
                0.0
            }
            Ask::Remove => {
                socket.remove(channel);
                0.0
            }
            Ask::SetHooked => {
                socket.set_presences_by_shell(channel);
                0.0
            }
            Ask::Presence => {
                let mut options = PresenceOptions::default();
                with_text(b, |events| {
                    let (state, diff) = events.split_at_checked(c as usize).unwrap_or_default();
                    options.state_event = state.to_owned();
                    options.diff_event = diff.to_owned();
                    Ok(())
                })?;
                match a as u32 {
                    0 => self.foreign.add(Tracker::new(options)).into(),
                    _ => socket.track(channel, options).to_u32().into(),
                }
            }
            Ask::PresenceRelease => {
                self.foreign.remove(presence);
                socket.untrack(PresenceId::from_u32(presence));
                0.0
            }
            Ask::PresenceWantSteps => {
                if let Some(tracker) = self.tracker_mut(presence) {
                    tracker.set_steps(true);
                }
                0.0
            }
            Ask::PresenceWantChanges => {
                if let Some(tracker) = self.tracker_mut(presence) {
                    tracker.set_changes(b != 0.0);
                }
                0.0
            }
            Ask::PresenceIsPending => self.is_pending(presence).into(),
            Ask::PresenceStatus => match self.tracker(presence).map(Tracker::status) {
                None | Some(SyncStatus::Syncing) => 0.0,
                Some(SyncStatus::Synced) => 1.0,
                Some(SyncStatus::Stale) => 2.0,
            },
            Ask::PresenceSize => {
                let tracker = self.tracker(presence);
                tracker.map_or(0, |tracker| tracker.roster().len()) as f64
            }
            Ask::PresenceOrder => {
                let tracker = self.tracker(presence);
                let order = with_text(b, |key| {
                    Ok(tracker.and_then(|tracker| tracker.roster().get(key)?.order()))
                });
                order?.map_or(f64::INFINITY, |order| order as f64)
            }
            Ask::PresenceKeys => write(|text| self.write_keys(presence, text)),
            Ask::PresencePending => write(|text| self.write_pending(presence, text)),
        };
        Ok(answer)
    }
}

/// Text for JavaScript; its length.
fn write(write: impl FnOnce(&mut Vec<u8>)) -> f64 {
    let mut text = scratch::TEXT.take_empty();
    write(&mut text);
    scratch::TEXT.put(text) as f64
}
