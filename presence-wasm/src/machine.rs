//! What JavaScript holds: one machine a `Socket`.

use presence_core::FrameError;
use presence_core::codec::CodecError;
use presence_core::message::{Message, Payload, Ref, Vsn};
use presence_core::{
    ChannelId, ConnectionId, Millis, PresenceKind, PushId, ReadyState, Socket, Wait,
};
use wasm_bindgen::prelude::*;

use crate::options;
use crate::outbox::{Outbox, Tag};
use crate::presences::{Foreign, due_after};
use crate::scratch;

/// The number of an argument that is not given.
const NONE: f64 = -1.0;

/// A socket's machine. Every method that can change something leaves what is
/// to be done in the outbox: `outbox_ptr` and the returned count of numbers,
/// of which the first is the deadline of the next `handle_timeout` (-1: none).
/// They stay valid until the next call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Machine {
    pub(crate) socket: Socket<u32>,
    vsn: Vsn,
    outbox: Outbox,
    error: String,
    pub(crate) foreign: Foreign,
}

#[wasm_bindgen]
impl Machine {
    /// A machine that is not connected.
    ///
    /// # Errors
    ///
    /// A `TypeError`-like error naming the option that is not what it should be.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, vsn: &str) -> Result<Self, JsError> {
        Ok(Self {
            socket: Socket::new(options::config(&options)?),
            // What phoenix.js calls the version is only sent; whatever is not
            // the old format is read as the new one.
            vsn: if vsn.starts_with("1.") {
                Vsn::V1
            } else {
                Vsn::V2
            },
            outbox: Outbox::default(),
            error: String::new(),
            foreign: Foreign::default(),
        })
    }

    // Memory

    /// Where to write `len` bytes of a frame.
    pub fn input(len: usize) -> *const u8 {
        let mut input = scratch::INPUT.take();
        if input.len() < len {
            input.resize(len.next_power_of_two(), 0);
        }
        scratch::INPUT.put(input);
        scratch::INPUT.as_ptr()
    }

    /// How many bytes fit in the input now.
    pub fn input_len() -> usize {
        let input = scratch::INPUT.take();
        scratch::INPUT.put(input)
    }

    /// Where the text of the last call that wrote some stands.
    pub fn text_ptr() -> *const u8 {
        scratch::TEXT.as_ptr()
    }

    /// Where the numbers of `presence_mirror` stand.
    pub fn numbers_ptr() -> *const f64 {
        scratch::NUMBERS.as_ptr()
    }

    /// Where the outbox's numbers stand.
    pub fn outbox_ptr(&self) -> *const f64 {
        self.outbox.words().as_ptr()
    }

    /// What was wrong with the frame of the last call that returned 0.
    pub fn take_error(&mut self) -> String {
        std::mem::take(&mut self.error)
    }

    /// The reason of the next close with a code.
    pub fn take_reason(&mut self) -> Option<String> {
        let reason = self.outbox.reasons.pop_front();
        reason.map(|reason| reason.to_string())
    }

    // The connection

    /// See `Socket::connect` in presence-core, as for all that follow.
    pub fn connect(&mut self, now: f64) -> usize {
        self.socket.connect(at(now));
        self.flush()
    }

    /// Disconnects; `code` and `token` -1 where there is none.
    pub fn disconnect(&mut self, now: f64, code: f64, reason: &str, token: f64) -> usize {
        let token = (token != NONE).then_some(token as u32);
        self.socket
            .disconnect(at(now), some_code(code), reason, token);
        self.flush()
    }

    /// Drops the connection for another transport's sake.
    pub fn replace_transport(&mut self, now: f64) -> usize {
        self.socket.replace_transport(at(now));
        self.flush()
    }

    /// Changes whenever somebody connects, disconnects or replaces the transport.
    pub fn connect_clock(&self) -> f64 {
        self.socket.connect_clock() as f64
    }

    /// Whether the last close was asked for.
    pub fn close_was_clean(&self) -> bool {
        self.socket.close_was_clean()
    }

    /// The present connection; 0: none.
    pub fn connection(&self) -> u32 {
        self.socket.connection().map_or(0, ConnectionId::to_u32)
    }

    /// The transport opened.
    pub fn handle_open(&mut self, now: f64, connection: u32, skip_heartbeat: bool) -> usize {
        self.socket
            .handle_open(at(now), ConnectionId::from_u32(connection), skip_heartbeat);
        self.flush()
    }

    /// The transport reported an error.
    pub fn announce_error(&mut self, now: f64, connection: u32) -> usize {
        self.socket
            .announce_error(at(now), ConnectionId::from_u32(connection));
        self.flush()
    }

    /// The user has been told of the transport's error.
    pub fn handle_error_announced(&mut self, now: f64, connection: u32) -> usize {
        self.socket
            .handle_error_announced(at(now), ConnectionId::from_u32(connection));
        self.flush()
    }

    /// The transport closed; `code` -1 where there is none.
    pub fn handle_close(&mut self, now: f64, connection: u32, code: f64) -> usize {
        self.socket
            .handle_close(at(now), ConnectionId::from_u32(connection), some_code(code));
        self.flush()
    }

    /// The transport's `readyState`, and whether its `bufferedAmount` is not 0.
    pub fn handle_transport(
        &mut self,
        now: f64,
        connection: u32,
        ready_state: u8,
        buffered: bool,
    ) -> usize {
        let ready = ReadyState::from_u8(ready_state);
        self.socket
            .handle_transport(at(now), ConnectionId::from_u32(connection), ready, buffered);
        self.flush()
    }

    /// The page was shown or hidden, or resumed.
    pub fn handle_visibility(&mut self, now: f64, hidden: bool) -> usize {
        self.socket.handle_visibility(at(now), hidden);
        self.flush()
    }

    /// The network came back.
    pub fn handle_online(&mut self, now: f64) -> usize {
        self.socket.handle_online(at(now));
        self.flush()
    }

    /// The page goes away.
    pub fn handle_page_hide(&mut self, now: f64) -> usize {
        self.socket.handle_page_hide(at(now));
        self.flush()
    }

    /// The page came back.
    pub fn handle_page_show(&mut self, now: f64) -> usize {
        self.socket.handle_page_show(at(now));
        self.flush()
    }

    /// A deadline has come. `hidden`: the page is.
    pub fn handle_timeout(&mut self, now: f64, hidden: bool) -> usize {
        self.socket.set_hidden(hidden);
        self.socket.handle_timeout(at(now));
        self.flush()
    }

    /// The user's backoff said `ms`, for a channel or, with 0, the connection.
    pub fn set_delay(&mut self, now: f64, channel: u32, ms: f64) -> usize {
        let wait = match channel {
            0 => Wait::Reconnect,
            channel => Wait::Rejoin(ChannelId::from_u32(channel)),
        };
        self.socket.set_delay(at(now), wait, options::millis(ms));
        self.flush()
    }

    // Messages out

    /// The next ref.
    pub fn make_ref(&mut self) -> f64 {
        self.socket.make_ref() as f64
    }

    /// A new channel. Its join's push is `join_push`.
    pub fn channel(&mut self, topic: &str) -> u32 {
        self.socket.channel(topic, Some(0)).to_u32()
    }

    /// The push of a channel's joins.
    pub fn join_push(&self, channel: u32) -> u32 {
        self.socket
            .join_push(ChannelId::from_u32(channel))
            .map_or(0, PushId::to_u32)
    }

    /// The ref of a channel's present join; 0: none.
    pub fn join_ref(&self, channel: u32) -> f64 {
        self.socket
            .join_ref(ChannelId::from_u32(channel))
            .unwrap_or(0) as f64
    }

    /// The ref a push was sent under last; 0: none.
    pub fn push_ref(&self, push: u32) -> f64 {
        self.socket.push_ref(PushId::from_u32(push)).unwrap_or(0) as f64
    }

    /// Where a channel stands, in phoenix.js's words.
    pub fn channel_state(&self, channel: u32) -> String {
        self.socket
            .channel_state(ChannelId::from_u32(channel))
            .as_str()
            .to_owned()
    }

    /// Joins; `timeout` -1 for the socket's.
    ///
    /// # Errors
    ///
    /// When the channel has joined before, or is closed.
    pub fn join(&mut self, now: f64, channel: u32, timeout: f64) -> Result<usize, JsError> {
        self.socket
            .join(at(now), ChannelId::from_u32(channel), some_millis(timeout))?;
        Ok(self.flush())
    }

    /// Leaves. The leave's push is `last_push`; 0 if the channel is closed.
    pub fn leave(&mut self, now: f64, channel: u32, timeout: f64) -> u32 {
        self.socket
            .leave(at(now), ChannelId::from_u32(channel), some_millis(timeout))
            .map_or(0, PushId::to_u32)
    }

    /// Pushes; the payload stays with JavaScript. What is to be done waits for
    /// `drain`.
    ///
    /// # Errors
    ///
    /// Before `join`, and when too much waits for the connection.
    pub fn push(
        &mut self,
        now: f64,
        channel: u32,
        event: &str,
        timeout: f64,
    ) -> Result<u32, JsError> {
        let channel = ChannelId::from_u32(channel);
        Ok(self
            .socket
            .push(at(now), channel, event, 0, some_millis(timeout))?
            .to_u32())
    }

    /// Sends a message of the user's own, by its number.
    ///
    /// # Errors
    ///
    /// When too much waits for the connection.
    pub fn send_raw(&mut self, number: u32) -> Result<usize, JsError> {
        self.socket.send_raw(number)?;
        Ok(self.flush())
    }

    /// Sends a heartbeat; its ref, or 0 if there is no open connection. What is
    /// to be done waits for `drain`.
    pub fn ping(&mut self) -> f64 {
        self.socket.ping().unwrap_or(0) as f64
    }

    /// Whether a message that took its time to encode may still be sent.
    /// `channel` and `join_ref` 0 where there is none to ask.
    pub fn may_transmit(&self, connection: u32, channel: u32, join_ref: f64) -> bool {
        self.socket.may_transmit(
            ConnectionId::from_u32(connection),
            (channel != 0).then(|| ChannelId::from_u32(channel)),
            (join_ref != 0.0).then_some(join_ref as u64),
        )
    }

    /// What is to be done since the last call.
    pub fn drain(&mut self) -> usize {
        self.flush()
    }

    // Messages in

    /// The `len` bytes in the input are a text frame. 0 if they are none:
    /// `take_error` says why.
    pub fn handle_text(&mut self, now: f64, connection: u32, len: usize) -> usize {
        let connection = ConnectionId::from_u32(connection);
        let read = scratch::INPUT.with(len, |bytes| self.read_text(at(now), connection, bytes));
        match read {
            Ok(()) => self.flush_delivered(),
            Err(error) => {
                self.error = error.to_string();
                0
            }
        }
    }

    fn read_text(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        bytes: &[u8],
    ) -> Result<(), FrameError> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| CodecError::Utf8(error.valid_up_to()))?;
        self.socket.handle_text(now, connection, self.vsn, text)?;
        Ok(())
    }

    /// A message that JavaScript has decoded: refs as strings, if they are any;
    /// a reply's status.
    #[allow(
        clippy::too_many_arguments,
        reason = "a message's fields, which JavaScript has apart"
    )]
    pub fn handle_message(
        &mut self,
        now: f64,
        connection: u32,
        join_ref: Option<String>,
        message_ref: Option<String>,
        topic: &str,
        event: &str,
        reply: Option<String>,
    ) -> usize {
        let reply = reply.unwrap_or_default();
        let message = Message {
            join_ref: string_ref(join_ref),
            message_ref: string_ref(message_ref),
            topic: topic.into(),
            event: event.into(),
            payload: Payload::Json(&reply),
        };
        self.socket
            .handle_message(at(now), ConnectionId::from_u32(connection), &message);
        self.flush_delivered()
    }

    fn flush_delivered(&mut self) -> usize {
        self.begin();
        self.outbox.transmits(&mut self.socket);
        for update in self.socket.updated_presences() {
            let due = due_after(&self.socket, update);
            self.outbox.put(
                Tag::Presence,
                &[update.presence.to_u32().into(), due.into()],
            );
        }
        if let Some(update) = self.socket.updated_presences().first() {
            let kind = if update.kind == PresenceKind::State {
                0.0
            } else {
                1.0
            };
            self.outbox
                .put(Tag::PresenceRead, &[update.presence.to_u32().into(), kind]);
        }
        for delivery in self.socket.deliveries() {
            self.outbox.delivery(delivery);
        }
        self.outbox.put(Tag::Received, &[]);
        self.outbox.events(&mut self.socket);
        self.outbox.words().len()
    }

    fn flush(&mut self) -> usize {
        self.begin();
        self.outbox.transmits(&mut self.socket);
        self.outbox.events(&mut self.socket);
        self.outbox.words().len()
    }

    fn begin(&mut self) {
        self.outbox.clear();
        self.outbox.deadline(self.socket.poll_timeout());
    }
}

fn string_ref(text: Option<String>) -> Ref<'static> {
    match text {
        Some(text) if !text.is_empty() => Ref::Str(text.into()),
        _ => Ref::None,
    }
}

/// JavaScript's clock, to the millisecond.
pub(crate) fn at(now: f64) -> Millis {
    Millis(options::millis(now))
}

fn some_millis(ms: f64) -> Option<u64> {
    (ms != NONE).then(|| options::millis(ms))
}

fn some_code(code: f64) -> Option<u16> {
    (code != NONE).then_some(code as u16)
}
