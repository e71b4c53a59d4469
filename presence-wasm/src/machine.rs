//! What JavaScript holds: one machine a `Socket`.

use alloc::string::String;

use presence_core::codec;
use presence_core::codec::CodecError;
use presence_core::message::Vsn;
use presence_core::{Backoff, Config, ConnectionId, ErrorText, Millis, PresenceKind, Socket};
use wasm_bindgen::prelude::*;

use crate::outbox::{Outbox, Tag};
use crate::presences::{Foreign, due_after};
use crate::scratch;

/// The number of an argument that is not given.
pub(crate) const NONE: f64 = -1.0;

/// A socket's machine. What is to be done after a call is in the outbox, whose
/// address the call returns: numbers, of which the first is how many there are
/// and the second the deadline of the next `Act::HandleTimeout` (-1: none).
/// They stay valid until the next call.
///
/// A negative number instead is an error, whose text stands at `text_ptr`: -1
/// less its length.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Machine {
    pub(crate) socket: Socket<u32>,
    vsn: Vsn,
    pub(crate) outbox: Outbox,
    pub(crate) foreign: Foreign,
}

#[wasm_bindgen]
impl Machine {
    /// A machine that is not connected. `old_format`: that of vsn 1. The times
    /// are in ms; `heartbeat_timeout` and `max_buffered` -1 where there is none.
    #[allow(
        clippy::too_many_arguments,
        reason = "options, which JavaScript has checked"
    )]
    #[wasm_bindgen(constructor)]
    pub fn new(
        old_format: bool,
        timeout: f64,
        heartbeat_interval: f64,
        heartbeat_timeout: f64,
        jitter: f64,
        seed: f64,
        max_buffered: f64,
        stop_on_refusal: bool,
        stop_on_join_refusal: bool,
    ) -> Self {
        let config = Config {
            timeout: millis(timeout),
            heartbeat_interval: millis(heartbeat_interval),
            heartbeat_timeout: some_millis(heartbeat_timeout),
            // The functions stay on the other side.
            reconnect: Backoff::Asked,
            rejoin: Backoff::Asked,
            jitter,
            seed: seed.to_bits(),
            max_buffered: match max_buffered {
                NONE => usize::MAX,
                count => count as usize,
            },
            push_timeout_after_disconnect: true,
            stop_on_refusal,
            stop_on_join_refusal,
            refuse_odd_join_answers: false,
        };
        Self {
            socket: Socket::new(config),
            vsn: if old_format { Vsn::V1 } else { Vsn::V2 },
            outbox: Outbox::default(),
            foreign: Foreign::default(),
        }
    }

    /// Where to write `len` bytes of text.
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

    /// The `len` bytes in the input are a text frame.
    pub fn handle_text(&mut self, now: f64, connection: u32, len: usize) -> f64 {
        let connection = ConnectionId::from_u32(connection);
        number(scratch::INPUT.with(len, |bytes| {
            let text = utf8(bytes)?;
            self.socket
                .handle_text(at(now), connection, self.vsn, text)?;
            Ok(self.flush_delivered() as f64)
        }))
    }

    /// A message that JavaScript has decoded: the new format's frame of it, in
    /// which the payload is a reply's, or anything else.
    pub(crate) fn handle_message(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        frame: &str,
    ) -> Result<usize, Failure> {
        let message = codec::decode_text(Vsn::V2, frame)?;
        self.socket.handle_message(now, connection, &message);
        Ok(self.flush_delivered())
    }

    fn flush_delivered(&mut self) -> usize {
        self.begin();
        self.outbox.transmits(&mut self.socket);
        for update in self.socket.updated_presences() {
            let due = due_after(&self.socket, update);
            let kind = match update.kind {
                PresenceKind::State => 0.0,
                PresenceKind::Diff => 1.0,
            };
            self.outbox.put(
                Tag::Presence,
                &[update.presence.to_u32().into(), due.into(), kind],
            );
        }
        for delivery in self.socket.deliveries() {
            self.outbox.delivery(delivery);
        }
        self.outbox.events(&mut self.socket);
        self.outbox.close()
    }

    pub(crate) fn flush(&mut self) -> usize {
        self.begin();
        self.outbox.transmits(&mut self.socket);
        self.outbox.events(&mut self.socket);
        self.outbox.close()
    }

    fn begin(&mut self) {
        self.outbox.open(self.socket.poll_timeout());
    }
}

/// Why a call could not be answered. (A boxed error would bring along what
/// prints all of them for debugging.)
pub(crate) struct Failure(String);

impl<E: ErrorText> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.text())
    }
}

/// What a call gives back.
pub(crate) fn number(answer: Result<f64, Failure>) -> f64 {
    answer.unwrap_or_else(|Failure(text)| -1.0 - scratch::TEXT.put(text.into_bytes()) as f64)
}

/// What `read` makes of the `len` bytes of text in the input.
pub(crate) fn with_text<R>(
    len: f64,
    read: impl FnOnce(&str) -> Result<R, Failure>,
) -> Result<R, Failure> {
    scratch::INPUT.with(len as usize, |bytes| read(utf8(bytes)?))
}

/// Text that JavaScript has encoded. (The standard library's own error would bring along what prints it.)
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, CodecError> {
    core::str::from_utf8(bytes).map_err(|error| CodecError::Utf8(error.valid_up_to()))
}

/// JavaScript's clock, to the millisecond.
pub(crate) fn at(now: f64) -> Millis {
    Millis(millis(now))
}

/// A JavaScript delay as `setTimeout` takes it: what is no positive number is
/// no delay.
pub(crate) fn millis(ms: f64) -> u64 {
    // `as` rounds down, saturates, and makes 0 of NaN and of negative numbers.
    let whole = ms as u64;
    whole.saturating_add((ms > whole as f64).into())
}

pub(crate) fn some_millis(ms: f64) -> Option<u64> {
    (ms != NONE).then(|| millis(ms))
}
