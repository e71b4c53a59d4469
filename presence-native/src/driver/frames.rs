//! Frames in and out.

use std::time::Duration;

use presence_core::message::{self as wire, Vsn};
use presence_core::{
    Backoff, ConnectionId, DeliveryKind, Envelope, Outgoing, Received, Transmit, codec,
};
use tokio_tungstenite::tungstenite;

use super::Driver;
use crate::channel::{ChannelError, CloseReason};
use crate::error::{Disconnect, PushError};
use crate::message::{Message, Payload, Reply};
use crate::presence::Due;

/// The core's reason for closing a connection that it presumes dead.
const HEARTBEAT_TIMEOUT: &str = "heartbeat timeout";

/// The close code of an endpoint that was sent what it can't read.
const PROTOCOL_ERROR: u16 = 1002;

impl Driver {
    pub(super) fn transmit(&mut self, transmit: Transmit<Payload>) {
        match transmit {
            Transmit::Connect { connection } => self.connect(connection),
            Transmit::Send {
                connection,
                message,
            } => match message {
                Outgoing::Message(envelope) => self.send(connection, &envelope),
                Outgoing::Raw(payload) => {
                    self.transports.send(connection, raw(&payload));
                }
            },
            Transmit::Close {
                connection,
                code,
                reason,
            } => {
                if &*reason == HEARTBEAT_TIMEOUT {
                    tracing::warn!("a heartbeat was not answered");
                    self.lost = Some(Disconnect::HeartbeatTimeout);
                }
                if !self.transports.close(connection, code, &reason) {
                    self.core.handle_close(self.now(), connection, code);
                }
            }
            // Payloads here are values already.
            Transmit::Prepare { .. } => {}
        }
    }

    /// Starts an attempt, or starts it anew.
    pub(super) fn connect(&mut self, connection: ConnectionId) {
        let wait = std::mem::take(&mut self.hold_off);
        self.held_off = (!wait.is_zero()).then_some(connection);
        let connecting = self.shared.settings.connector.connect(wait);
        self.transports.connect(connection, connecting);
    }

    /// The next connection may end as this one did: it is not to come too soon.
    pub(super) fn hold_off(&mut self) {
        if let Backoff::Steps { then, .. } = &self.shared.settings.core.reconnect {
            self.hold_off = Duration::from_millis(*then);
        }
    }

    fn send(&mut self, connection: ConnectionId, envelope: &Envelope<Payload>) {
        if let Some(channel) = envelope.channel
            && self.core.join_push(channel) == envelope.push
        {
            self.join_sent(channel);
        }
        match encode(self.shared.settings.vsn, envelope) {
            Ok(frame) => {
                // If the connection is gone, so is the message, and the core tells whom it concerns.
                if self.transports.send(connection, frame)
                    && let Some(push) = envelope.push
                {
                    self.push_sent(push);
                }
            }
            Err(error) => {
                tracing::warn!(topic = %envelope.topic, event = %envelope.event, %error, "a message can't be sent");
                if let Some(push) = envelope.push {
                    self.fail_push(push, error);
                }
            }
        }
    }

    pub(super) fn handle_text(&mut self, connection: ConnectionId, text: &str) {
        let shared = std::sync::Arc::clone(&self.shared);
        let mut gate = shared.presence_gate.lock();
        if std::mem::take(&mut *gate) {
            self.tell_wants();
        }
        let now = self.now();
        match self
            .core
            .handle_text(now, connection, shared.settings.vsn, text)
        {
            Ok(None) => {}
            Ok(Some(Received::Message(message))) => {
                drop(gate);
                self.deliver(&message);
            }
            Ok(Some(Received::Presence(frame))) => {
                let mut due = self.follow_presences();
                drop(gate);
                due.drain(..).for_each(Due::run);
                self.due = due;
                if self.somebody_wants(frame.event())
                    && let Ok(message) = frame.into_message()
                {
                    self.deliver(&message);
                }
            }
            Err(error) => {
                drop(gate);
                self.unreadable(connection, &error);
            }
        }
    }

    pub(super) fn handle_binary(&mut self, connection: ConnectionId, bytes: &[u8]) {
        match self.core.handle_binary(self.now(), connection, bytes) {
            Ok(Some(message)) => self.deliver(&message),
            Ok(None) => {}
            Err(error) => self.unreadable(connection, &error),
        }
    }

    /// A frame that can't be read may have been a diff: what is known is not to be relied on any more. So it all starts
    /// again, but not too soon.
    fn unreadable(&mut self, connection: ConnectionId, error: &dyn std::error::Error) {
        tracing::warn!(%error, "the server sent an unreadable frame");
        self.lost = Some(Disconnect::Protocol(error.to_string()));
        self.hold_off();
        self.transports.abandon(connection, PROTOCOL_ERROR);
        let now = self.now();
        self.core.handle_error(now, connection);
        self.core.handle_close(now, connection, None);
    }

    fn follow_presences(&mut self) -> Vec<Due> {
        let mut due = std::mem::take(&mut self.due);
        for at in 0..self.core.updated_presences().len() {
            let update = self.core.updated_presences()[at];
            if update.synced
                && let Some(presence) = self.presences.get(&update.presence)
                && let Some(tracker) = self.core.presence_mut(update.presence)
            {
                due.push(presence.follow(tracker));
            }
        }
        due
    }

    fn somebody_wants(&self, event: &str) -> bool {
        self.core.deliveries().iter().any(|delivery| {
            self.channels.get(&delivery.channel).is_some_and(|entry| {
                let subscriptions = entry.shared.subscriptions.lock();
                subscriptions
                    .iter()
                    .any(|subscription| subscription.wants(event))
            })
        })
    }

    /// Takes a message to whom the core says it goes.
    fn deliver(&mut self, message: &wire::Message<'_>) {
        let mut owned = None;
        for at in 0..self.core.deliveries().len() {
            let delivery = self.core.deliveries()[at];
            match delivery.kind {
                DeliveryKind::Event => {
                    let Some(entry) = self.channels.get(&delivery.channel) else {
                        continue;
                    };
                    entry.shared.subscriptions.lock().retain(|subscription| {
                        if !subscription.wants(&message.event) {
                            return !subscription.sender.is_abandoned();
                        }
                        let message = owned.get_or_insert_with(|| Message {
                            event: (*message.event).into(),
                            payload: Payload::from_wire(&message.payload),
                        });
                        subscription.sender.send(message.clone())
                    });
                }
                DeliveryKind::Reply(Some(push)) => {
                    self.replied(push, Reply::from_wire(message));
                }
                DeliveryKind::Reply(None) => {}
                DeliveryKind::Closed => {
                    tracing::warn!(topic = %message.topic, "the server closed the channel");
                    self.channel_over(delivery.channel, CloseReason::ByServer);
                }
                DeliveryKind::Errored => {
                    tracing::warn!(topic = %message.topic, "the channel crashed at the server");
                    self.channel_errored(delivery.channel, ChannelError::Crashed);
                }
            }
        }
    }
}

fn raw(payload: &Payload) -> tungstenite::Message {
    match (payload.as_json(), payload.as_binary()) {
        (Some(text), _) => tungstenite::Message::text(text),
        (None, bytes) => tungstenite::Message::Binary(bytes.cloned().unwrap_or_default()),
    }
}

/// The frame of a message.
fn encode(vsn: Vsn, envelope: &Envelope<Payload>) -> Result<tungstenite::Message, PushError> {
    let join_ref = envelope.join_ref.map(|number| number.to_string());
    let message_ref = envelope.message_ref.map(|number| number.to_string());
    let (join_ref, message_ref) = (join_ref.as_deref(), message_ref.as_deref());
    let (topic, event) = (&*envelope.topic, &*envelope.event);
    if let Some(data) = envelope.payload.as_ref().and_then(Payload::as_binary) {
        let mut frame = Vec::new();
        codec::encode_binary(join_ref, message_ref, topic, event, data, &mut frame)?;
        return Ok(tungstenite::Message::binary(frame));
    }
    let payload = envelope
        .payload
        .as_ref()
        .and_then(Payload::as_json)
        .unwrap_or("{}");
    let mut frame = String::new();
    codec::encode_text(
        vsn,
        join_ref,
        message_ref,
        topic,
        event,
        payload,
        &mut frame,
    )?;
    Ok(tungstenite::Message::text(frame))
}
