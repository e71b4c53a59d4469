//! Events queued for JavaScript: numbers in one flat array, read in one go.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use presence_core::{
    Delivery, DeliveryKind, Event, Millis, Outgoing, PushId, Socket, Transmit, TransportReason,
    Wait,
};
use wasm_bindgen::prelude::*;

/// What an entry of the outbox is; the numbers that follow it are named here.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Tag {
    /// connection
    Connect = 1,
    /// push, join_ref, ref
    Prepare,
    /// connection, join_ref, ref, channel, push (0 where there is none), what
    Send,
    /// connection, number of the raw message
    SendRaw,
    /// connection, code (0: none; else `take_reason` has its reason)
    Close,
    /// connection
    Opened,
    /// connection
    Failed,
    /// connection, 1 if the machine will retry
    Closed,
    /// connection, HTTP status or close code
    GaveUp,
    /// token
    Disconnected,
    /// channel, index of the reason
    ChannelErrored,
    /// channel, its last join_ref
    ChannelClosed,
    /// channel
    JoinGaveUp,
    /// push
    PushTimeout,
    /// push
    PushLeft,
    /// push
    PushDisconnected,
    /// presence
    PresenceStatus,
    /// channel (0: the socket's reconnect), tries
    DelayNeeded,
    /// channel, kind of delivery, push (0: none), the channel's join_ref (0: none)
    Deliver,
    /// presence, what is due (see `presence_sync`), 0 its state or 1 its diff: what the frame was
    Presence,
}

/// The messages the machine makes itself.
const USERS_PUSH: f64 = 0.0;
const HEARTBEAT: f64 = 1.0;
const LEAVE: f64 = 2.0;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    words: Vec<f64>,
    /// Of the closes with a code that nobody has taken yet, in their order.
    pub(crate) reasons: VecDeque<Arc<str>>,
}

impl Outbox {
    /// Begins anew. The first number is for how many there are, the second says when to wake the machine.
    pub(crate) fn open(&mut self, deadline: Option<Millis>) {
        self.words.clear();
        let deadline = deadline.map_or(-1.0, |at| at.0 as f64);
        self.words.extend([0.0, deadline]);
    }

    /// That is all; where the numbers stand.
    pub(crate) fn close(&mut self) -> usize {
        let count = self.words.len();
        if let Some(first) = self.words.first_mut() {
            *first = count as f64;
        }
        self.words.as_ptr() as usize
    }

    pub(crate) fn put(&mut self, tag: Tag, words: &[f64]) {
        self.words.push(f64::from(tag as u8));
        // So few are quicker pushed than copied.
        for &word in words {
            self.words.push(word);
        }
    }

    pub(crate) fn transmits(&mut self, socket: &mut Socket<u32>) {
        while let Some(transmit) = socket.poll_transmit() {
            match transmit {
                Transmit::Connect { connection } => {
                    self.put(Tag::Connect, &[connection.to_u32().into()]);
                }
                Transmit::Prepare {
                    push,
                    join_ref,
                    message_ref,
                } => self.put(
                    Tag::Prepare,
                    &[push.to_u32().into(), number(join_ref), number(message_ref)],
                ),
                Transmit::Send {
                    connection,
                    message: Outgoing::Raw(number),
                } => {
                    self.put(Tag::SendRaw, &[connection.to_u32().into(), number.into()]);
                }
                Transmit::Send {
                    connection,
                    message: Outgoing::Message(message),
                } => {
                    let what = match &*message.event {
                        "heartbeat" if message.channel.is_none() => HEARTBEAT,
                        "phx_leave" if message.payload.is_none() => LEAVE,
                        _ => USERS_PUSH,
                    };
                    self.put(
                        Tag::Send,
                        &[
                            connection.to_u32().into(),
                            number(message.join_ref),
                            number(message.message_ref),
                            message.channel.map_or(0, |channel| channel.to_u32()).into(),
                            message.push.map_or(0, PushId::to_u32).into(),
                            what,
                        ],
                    );
                }
                Transmit::Close {
                    connection,
                    code,
                    reason,
                } => {
                    let code = code.unwrap_or(0);
                    if code != 0 {
                        self.reasons.push_back(reason);
                    }
                    self.put(Tag::Close, &[connection.to_u32().into(), code.into()]);
                }
            }
        }
    }

    pub(crate) fn delivery(&mut self, delivery: &Delivery) {
        let channel = delivery.channel.to_u32().into();
        let (kind, push) = match delivery.kind {
            DeliveryKind::Event => (0.0, 0),
            DeliveryKind::Reply(push) => (1.0, push.map_or(0, PushId::to_u32)),
            DeliveryKind::Closed => (2.0, 0),
            DeliveryKind::Errored => (3.0, 0),
        };
        let join_ref = number(delivery.join_ref);
        self.put(Tag::Deliver, &[channel, kind, push.into(), join_ref]);
    }

    pub(crate) fn events(&mut self, socket: &mut Socket<u32>) {
        use presence_core::Refusal;
        while let Some(event) = socket.poll_event() {
            match event {
                Event::Opened { connection } => {
                    self.put(Tag::Opened, &[connection.to_u32().into()]);
                }
                Event::Failed { connection } => {
                    self.put(Tag::Failed, &[connection.to_u32().into()]);
                }
                Event::Closed {
                    connection,
                    will_retry,
                    ..
                } => {
                    let will_retry = if will_retry { 1.0 } else { 0.0 };
                    self.put(Tag::Closed, &[connection.to_u32().into(), will_retry]);
                }
                Event::GaveUp {
                    connection,
                    refusal,
                } => {
                    let why = match refusal {
                        Refusal::Status(status) => status,
                        Refusal::Policy => 1008,
                    };
                    self.put(Tag::GaveUp, &[connection.to_u32().into(), why.into()]);
                }
                Event::Disconnected { token } => self.put(Tag::Disconnected, &[token.into()]),
                Event::ChannelErrored { channel, reason } => {
                    let reason = match reason {
                        TransportReason::ConnectionClosed => 0.0,
                        TransportReason::ConnectionError => 1.0,
                        TransportReason::HeartbeatTimeout => 2.0,
                    };
                    self.put(Tag::ChannelErrored, &[channel.to_u32().into(), reason]);
                }
                Event::ChannelClosed { channel, join_ref } => {
                    self.put(
                        Tag::ChannelClosed,
                        &[channel.to_u32().into(), number(join_ref)],
                    );
                }
                Event::JoinGaveUp { channel } => {
                    self.put(Tag::JoinGaveUp, &[channel.to_u32().into()]);
                }
                Event::PushTimeout { push } => {
                    self.put(Tag::PushTimeout, &[push.to_u32().into()]);
                }
                Event::PushLeft { push } => self.put(Tag::PushLeft, &[push.to_u32().into()]),
                Event::PushDisconnected { push } => {
                    self.put(Tag::PushDisconnected, &[push.to_u32().into()]);
                }
                Event::PresenceStatus { presence } => {
                    self.put(Tag::PresenceStatus, &[presence.to_u32().into()]);
                }
                Event::DelayNeeded { wait, tries } => {
                    let channel = match wait {
                        Wait::Reconnect => 0,
                        Wait::Rejoin(channel) => channel.to_u32(),
                    };
                    self.put(Tag::DelayNeeded, &[channel.into(), tries.into()]);
                }
            }
        }
    }
}

/// A ref as JavaScript counts: exact up to 2^53; 0 is none.
fn number(message_ref: Option<u64>) -> f64 {
    message_ref.unwrap_or(0) as f64
}
