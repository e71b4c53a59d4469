//! What a machine is told by numbers.

use presence_core::{ChannelId, ConnectionId, ReadyState, Wait};
use wasm_bindgen::prelude::*;

use crate::machine::{Failure, Machine, NONE, at, millis, number, some_millis, with_text};

/// What is to be done; the numbers that go with it are named here, and what
/// it does is told of presence-core's `Socket`, which has the same names.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// (what is left to do, and nothing else)
    Drain,
    /// (no numbers)
    Connect,
    /// code or -1, length of the reason in the input, token or -1
    Disconnect,
    /// (no numbers)
    ReplaceTransport,
    /// connection, 1 to skip the heartbeat
    HandleOpen,
    /// connection
    AnnounceError,
    /// connection
    HandleErrorAnnounced,
    /// connection, code or -1
    HandleClose,
    /// connection, the transport's `readyState`, 1 if its `bufferedAmount` is not 0
    HandleTransport,
    /// connection, length of a frame in the input: a message that JavaScript
    /// has decoded, in the new format, with a reply's payload or with any
    HandleMessage,
    /// 1 if the page is hidden
    HandleVisibility,
    /// (no numbers)
    HandleOnline,
    /// (no numbers)
    HandlePageHide,
    /// (no numbers)
    HandlePageShow,
    /// 1 if the page is hidden
    HandleTimeout,
    /// channel (0: the connection), what the user's backoff said in ms
    SetDelay,
    /// channel, timeout in ms (-1: the socket's)
    Join,
    /// the user's number of the message
    SendRaw,
}

#[wasm_bindgen]
impl Machine {
    /// Does it; where the outbox stands after that.
    pub fn act(&mut self, act: Act, now: f64, a: f64, b: f64, c: f64) -> f64 {
        number(self.try_act(act, now, a, b, c))
    }

    fn try_act(&mut self, act: Act, now: f64, a: f64, b: f64, c: f64) -> Result<f64, Failure> {
        let now = at(now);
        let connection = ConnectionId::from_u32(a as u32);
        let socket = &mut self.socket;
        match act {
            Act::Drain => {}
            Act::Connect => socket.connect(now),
            Act::Disconnect => with_text(b, |reason| {
                let token = (c != NONE).then_some(c as u32);
                socket.disconnect(now, some_code(a), reason, token);
                Ok(())
            })?,
            Act::ReplaceTransport => {
                socket.replace_transport(now);
            }
            Act::HandleOpen => socket.handle_open(now, connection, b != 0.0),
            Act::AnnounceError => socket.announce_error(now, connection),
            Act::HandleErrorAnnounced => socket.handle_error_announced(now, connection),
            Act::HandleClose => socket.handle_close(now, connection, some_code(b)),
            Act::HandleTransport => {
                let ready = ReadyState::from_u8(b as u8);
                socket.handle_transport(now, connection, ready, c != 0.0);
            }
            Act::HandleMessage => {
                let outbox = with_text(b, |frame| self.handle_message(now, connection, frame))?;
                return Ok(outbox as f64);
            }
            Act::HandleVisibility => socket.handle_visibility(now, a != 0.0),
            Act::HandleOnline => socket.handle_online(now),
            Act::HandlePageHide => socket.handle_page_hide(now),
            Act::HandlePageShow => socket.handle_page_show(now),
            Act::HandleTimeout => {
                socket.set_hidden(a != 0.0);
                socket.handle_timeout(now);
            }
            Act::SetDelay => {
                let wait = match a as u32 {
                    0 => Wait::Reconnect,
                    channel => Wait::Rejoin(ChannelId::from_u32(channel)),
                };
                socket.set_delay(now, wait, millis(b));
            }
            Act::Join => {
                socket.join(now, ChannelId::from_u32(a as u32), some_millis(b))?;
            }
            Act::SendRaw => socket.send_raw(a as u32)?,
        }
        Ok(self.flush() as f64)
    }
}

fn some_code(code: f64) -> Option<u16> {
    (code != NONE).then_some(code as u16)
}
