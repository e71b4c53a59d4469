//! What the server sends, and to whom it goes.

use alloc::string::String;

use super::{CLOSE, ERROR, PresenceUpdate, REPLY, Socket};
use crate::codec::{self, CodecError, TextFrame};
use crate::error::ErrorText;
use crate::event::{Delivery, DeliveryKind};
use crate::id::{ChannelId, ConnectionId, PushId};
use crate::json::{members, string};
use crate::message::{Message, Payload, Ref, Reply, Vsn};
use crate::presence::PresenceError;
use crate::time::Millis;

/// A frame that was received.
///
/// ```
/// use presence_core::message::Vsn;
/// use presence_core::presence::PresenceOptions;
/// use presence_core::{Config, Millis, Received, Socket, Transmit};
///
/// # let mut socket: Socket<()> = Socket::new(Config::default());
/// # socket.connect(Millis(0));
/// # let Some(Transmit::Connect { connection }) = socket.poll_transmit() else { panic!() };
/// # socket.handle_open(Millis(0), connection, false);
/// # let channel = socket.channel("room:lobby", None);
/// # let presence = socket.track(channel, PresenceOptions::default());
/// # socket.join(Millis(0), channel, None)?;
/// # let reply = r#"["3","3","room:lobby","phx_reply",{"status":"ok","response":{}}]"#;
/// # socket.handle_text(Millis(0), connection, Vsn::V2, reply)?;
/// // `channel` is joined, and `presence` follows it.
/// let frames = [
///     r#"["3",null,"room:lobby","shout",{"body":"hi"}]"#,
///     r#"["3",null,"room:lobby","presence_state",{"ann":{"metas":[{"phx_ref":"a"}]}}]"#,
/// ];
/// for frame in frames {
///     match socket.handle_text(Millis(30), connection, Vsn::V2, frame)? {
///         Some(Received::Message(message)) => {
///             assert_eq!(message.event, "shout");
///             assert_eq!(socket.deliveries()[0].channel, channel);
///         }
///         Some(Received::Presence(frame)) => {
///             assert_eq!(frame.event(), "presence_state");
///             assert_eq!(socket.updated_presences()[0].presence, presence);
///         }
///         None => panic!("another connection is in use"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Received<'a> {
    /// A message.
    Message(Message<'a>),
    /// A payload that presences have read; it can still be had as a message,
    /// at the cost of reading it again.
    Presence(TextFrame<'a>),
}

/// A frame that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It is malformed.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It is a presence's by its event, but not by its payload.
    #[error(transparent)]
    Presence(#[from] PresenceError),
}

impl ErrorText for FrameError {
    fn text(&self) -> String {
        match self {
            Self::Codec(error) => error.text(),
            Self::Presence(error) => error.text(),
        }
    }
}

impl<P: Clone> Socket<P> {
    /// A text frame arrived. Does to channels, pushes and presences what it
    /// says; [`deliveries`](Self::deliveries) then tells to whom it goes and
    /// [`updated_presences`](Self::updated_presences) whose roster it was for.
    /// None if `connection` is no longer the one in use.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the frame is not what it should be. Nothing has
    /// changed then.
    pub fn handle_text<'a>(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        vsn: Vsn,
        text: &'a str,
    ) -> Result<Option<Received<'a>>, FrameError> {
        self.advance(now);
        self.deliveries.clear();
        self.presences.updated.clear();
        if !self.hears(connection) {
            return Ok(None);
        }
        let frame = TextFrame::open_next(vsn, text, &mut self.last_head)?;
        self.match_channels(
            join_of(frame.join_ref(), frame.message_ref(), frame.event()),
            frame.topic(),
        );
        let read = self.read_presences(&frame);
        if read.is_err() {
            self.deliveries.clear();
        }
        if read? {
            return Ok(Some(Received::Presence(frame)));
        }
        let message = match frame.into_message() {
            Ok(message) => message,
            Err(error) => {
                self.deliveries.clear();
                return Err(error.into());
            }
        };
        self.receive(&message);
        Ok(Some(Received::Message(message)))
    }

    /// A binary frame arrived; as [`handle_text`](Self::handle_text).
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the frame is not what it should be. Nothing has
    /// changed then.
    pub fn handle_binary<'a>(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        bytes: &'a [u8],
    ) -> Result<Option<Message<'a>>, CodecError> {
        let message = codec::decode_binary(bytes)?;
        Ok(self
            .handle_message(now, connection, &message)
            .then_some(message))
    }

    /// A message arrived that somebody else has decoded; as
    /// [`handle_text`](Self::handle_text), but that presences are not touched:
    /// see [`sync_presence`](Self::sync_presence). False if `connection` is no
    /// longer the one in use.
    pub fn handle_message(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        message: &Message<'_>,
    ) -> bool {
        self.advance(now);
        self.deliveries.clear();
        self.presences.updated.clear();
        if !self.hears(connection) {
            return false;
        }
        self.match_channels(
            join_of(&message.join_ref, &message.message_ref, &message.event),
            &message.topic,
        );
        self.receive(message);
        true
    }

    /// To whom the last message goes, in the order of the channels' creation.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The presences whose payload the last frame was.
    pub fn updated_presences(&self) -> &[PresenceUpdate] {
        &self.presences.updated
    }

    /// phoenix.js's `isMember`: the topic's channels, but those that have
    /// joined anew since. A message without a join_ref is everybody's.
    fn match_channels(&mut self, join_ref: &Ref<'_>, topic: &str) {
        let join_ref = match join_ref {
            Ref::None => None,
            Ref::Str(text) => Some(parse_ref(text)),
            Ref::Other(_) => Some(None),
        };
        for (id, channel) in self.channels.iter() {
            let member = &*channel.topic == topic
                && channel.listed
                && join_ref.is_none_or(|join_ref| {
                    join_ref.is_some() && join_ref == self.join_ref_of(channel)
                });
            if member {
                self.deliveries.push(Delivery {
                    channel: id,
                    kind: DeliveryKind::Event,
                    join_ref: self.join_ref_of(channel),
                });
            }
        }
    }

    fn receive(&mut self, message: &Message<'_>) {
        let message_ref = match &message.message_ref {
            Ref::Str(text) => parse_ref(text),
            // phoenix.js makes a reply event's name of it, whatever it is.
            Ref::Other(text) => parse_ref(text),
            Ref::None => None,
        };
        if let (Some(message_ref), Ref::Str(_)) = (message_ref, &message.message_ref) {
            self.heartbeat_answered(message_ref);
        }
        let mut deliveries = core::mem::take(&mut self.deliveries);
        for Delivery { channel, kind, .. } in &mut deliveries {
            let channel = *channel;
            *kind = match &*message.event {
                REPLY => DeliveryKind::Reply(self.take_reply(channel, message_ref, message)),
                CLOSE => {
                    self.close_channel(channel);
                    DeliveryKind::Closed
                }
                ERROR => {
                    self.error_channel(channel);
                    DeliveryKind::Errored
                }
                _ => DeliveryKind::Event,
            };
        }
        self.deliveries = deliveries;
    }

    fn take_reply(
        &mut self,
        channel: ChannelId,
        message_ref: Option<u64>,
        message: &Message<'_>,
    ) -> Option<PushId> {
        let push = *self.waiting.get(message_ref?)?;
        if self.pushes.get(push)?.channel != Some(channel) {
            return None;
        }
        let is_join = self.join_push(channel) == Some(push);
        self.finish_push(push);
        if is_join {
            let reply = Reply::parse(message).ok();
            match reply.as_ref().map(|reply| &*reply.status) {
                Some("ok") => self.joined(channel),
                Some("error") => {
                    let for_good = reply.is_some_and(|reply| is_for_good(&reply.response));
                    self.join_refused(channel, for_good);
                }
                _ if self.config.refuse_odd_join_answers => self.join_refused(channel, false),
                _ => {}
            }
        }
        Some(push)
    }
}

/// The ref of the join that a message belongs to. Version 1 has no join_ref, but
/// the end of a channel has the join's as its ref there: that of an earlier join
/// must not end the present one. (phoenix.js takes it for the present one's.)
fn join_of<'m, 'a>(join_ref: &'m Ref<'a>, message_ref: &'m Ref<'a>, event: &str) -> &'m Ref<'a> {
    match (join_ref, message_ref) {
        (Ref::None, Ref::Str(_)) if event == CLOSE || event == ERROR => message_ref,
        _ => join_ref,
    }
}

/// Whether a refusal's `reason` is one that trying again won't change.
fn is_for_good(response: &Payload<'_>) -> bool {
    let Payload::Json(text) = response else {
        return false;
    };
    if !text.starts_with('{') {
        return false;
    }
    let reason = members(text, 1).filter(|(name, _)| name == "reason").last();
    matches!(
        reason.and_then(|(_, raw)| string(raw)).as_deref(),
        Some("unauthorized" | "forbidden" | "unmatched topic")
    )
}

/// The number of a ref that is one of ours: digits without a leading zero.
fn parse_ref(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes[0] == b'0' || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}
