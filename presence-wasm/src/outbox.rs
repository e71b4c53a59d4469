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
    /// connection, join_ref, ref, channel (0: a heartbeat), push (0: none, the machine's own leave)
    Send,
    /// connection, number of the raw message
    SendRaw,
    /// connection, code (0: none; else `take_reason` has its reason)
    Close,
    /// (no numbers)
    Opened,
    /// connection
    Failed,
    /// (no numbers)
    Closed,
    /// HTTP status or close code
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
    /// channel, 1 if the message closed it, push that it is the reply of (0: none), the channel's join_ref (0: none)
    Deliver,
    /// presence, what is due (see `presence_sync`), 0 its state or 1 its diff: what the frame was
    Presence,
}

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
                    self.put(
                        Tag::Send,
                        &[
                            connection.to_u32().into(),
                            number(message.join_ref),
                            number(message.message_ref),
                            message.channel.map_or(0, |channel| channel.to_u32()).into(),
                            message.push.map_or(0, PushId::to_u32).into(),
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
        let closed = delivery.kind == DeliveryKind::Closed;
        let push = match delivery.kind {
            DeliveryKind::Reply(push) => push.map_or(0, PushId::to_u32),
            _ => 0,
        };
        let join_ref = number(delivery.join_ref);
        self.put(
            Tag::Deliver,
            &[channel, closed.into(), push.into(), join_ref],
        );
    }

    pub(crate) fn events(&mut self, socket: &mut Socket<u32>) {
        use presence_core::Refusal;
        while let Some(event) = socket.poll_event() {
            match event {
                Event::Opened { .. } => self.put(Tag::Opened, &[]),
                Event::Failed { connection } => {
                    self.put(Tag::Failed, &[connection.to_u32().into()]);
                }
                Event::Closed { .. } => self.put(Tag::Closed, &[]),
                Event::GaveUp { refusal, .. } => {
                    let why = match refusal {
                        Refusal::Status(status) => status,
                        Refusal::Policy => 1008,
                    };
                    self.put(Tag::GaveUp, &[why.into()]);
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
