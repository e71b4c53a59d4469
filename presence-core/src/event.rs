//! What the machine asks of its shell, and what it tells it.

use alloc::sync::Arc;

use crate::id::{ChannelId, ConnectionId, PresenceId, PushId};

/// Something the shell has to do to a transport, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Transmit<P> {
    /// Open a connection: ask params and token anew (take as long as it
    /// needs), build the URL, start the transport, then report it under this
    /// id. Until then the connection counts as connecting.
    Connect {
        /// The id to report everything of this connection under.
        connection: ConnectionId,
    },
    /// The push is being sent while there is no connection, so its message
    /// will go out later: a payload that the user computes is computed now
    /// (phoenix.js calls a `params` function when a join is sent).
    Prepare {
        /// The push whose payload to fix.
        push: PushId,
        /// The refs of its message.
        join_ref: Option<u64>,
        /// See `join_ref`.
        message_ref: Option<u64>,
    },
    /// Send a message.
    Send {
        /// Over this connection; if it is no longer open, the message is lost
        /// with it.
        connection: ConnectionId,
        /// What to send.
        message: Outgoing<P>,
    },
    /// Close a connection's transport; then report its state.
    Close {
        /// The connection to close, also if it never opened.
        connection: ConnectionId,
        /// The close code, if one was asked for.
        code: Option<u16>,
        /// The reason that goes with the code.
        reason: Arc<str>,
    },
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing<P> {
    /// An envelope of the machine's own.
    Message(Envelope<P>),
    /// What the user handed to `Socket::send_raw`, as it is.
    Raw(P),
}

/// What goes into the five fields of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<P> {
    /// The ref of the join the message belongs to.
    pub join_ref: Option<u64>,
    /// The message's own ref, which the reply repeats.
    pub message_ref: Option<u64>,
    /// The topic.
    pub topic: Arc<str>,
    /// The event.
    pub event: Arc<str>,
    /// The payload; none stands for `{}`.
    pub payload: Option<P>,
    /// The channel it belongs to.
    pub channel: Option<ChannelId>,
    /// The push it belongs to.
    pub push: Option<PushId>,
}

/// Something the user may want to hear of.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The connection opened: phoenix.js's `onOpen` callbacks are due.
    Opened {
        /// Which.
        connection: ConnectionId,
    },
    /// The transport reported an error: `onError` callbacks are due.
    Failed {
        /// Which connection's transport.
        connection: ConnectionId,
    },
    /// The connection closed: `onClose` callbacks are due.
    Closed {
        /// Which.
        connection: ConnectionId,
        /// The close code, where there was one.
        code: Option<u16>,
        /// Whether the machine will connect again by itself.
        will_retry: bool,
    },
    /// The server refused for good and [`Config::stop_on_refusal`] is set: the
    /// socket stays closed until the user connects again.
    ///
    /// [`Config::stop_on_refusal`]: crate::Config::stop_on_refusal
    GaveUp {
        /// The refused connection.
        connection: ConnectionId,
        /// Why.
        refusal: Refusal,
    },
    /// A disconnect that the user asked for is complete.
    Disconnected {
        /// The number the user's call gave.
        token: u32,
    },
    /// A channel lost its connection, or its join: `phx_error` callbacks are
    /// due, with `{"source": "transport", "reason": …}`.
    ChannelErrored {
        /// Which.
        channel: ChannelId,
        /// Why.
        reason: TransportReason,
    },
    /// The user left a channel: `phx_close` callbacks are due, with `"leave"`.
    /// The channel is no longer the socket's.
    ChannelClosed {
        /// Which.
        channel: ChannelId,
        /// The ref of its last join.
        join_ref: Option<u64>,
    },
    /// The server refused a join for good and
    /// [`Config::stop_on_join_refusal`](crate::Config::stop_on_join_refusal) is
    /// set: nothing joins the channel again but the user.
    JoinGaveUp {
        /// Which channel.
        channel: ChannelId,
    },
    /// A push ran out of time: its `timeout` callbacks are due.
    PushTimeout {
        /// Which.
        push: PushId,
    },
    /// A leave, which phoenix.js answers with `ok` itself.
    PushLeft {
        /// The leave's push.
        push: PushId,
    },
    /// The reply of a push can't come any more: the connection that it was sent
    /// over is lost, or its channel gone. A join is sent anew over the next
    /// connection, and so this is told of it only where none is to come by
    /// itself, or its channel is gone.
    PushDisconnected {
        /// Which.
        push: PushId,
    },
    /// A presence's status changed; see [`Socket::presence`](crate::Socket::presence).
    PresenceStatus {
        /// Which.
        presence: PresenceId,
    },
    /// The user's own backoff has to be asked; answer by
    /// [`Socket::set_delay`](crate::Socket::set_delay).
    DelayNeeded {
        /// For what.
        wait: Wait,
        /// The number of the try, from 1.
        tries: u32,
    },
}

/// What a wait is for.
///
/// ```
/// use presence_core::{Backoff, Config, Event, Millis, Socket, Transmit, Wait};
///
/// let config = Config { reconnect: Backoff::Asked, ..Config::default() };
/// let mut socket: Socket<()> = Socket::new(config);
/// socket.connect(Millis(0));
/// let Some(Transmit::Connect { connection }) = socket.poll_transmit() else { panic!() };
/// socket.handle_close(Millis(20), connection, None);
/// let event = std::iter::from_fn(|| socket.poll_event())
///     .find(|event| matches!(event, Event::DelayNeeded { .. }));
/// assert_eq!(event, Some(Event::DelayNeeded { wait: Wait::Reconnect, tries: 1 }));
/// socket.set_delay(Millis(20), Wait::Reconnect, 700);
/// assert_eq!(socket.poll_timeout(), Some(Millis(720)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// To connect again.
    Reconnect,
    /// To join this channel again.
    Rejoin(ChannelId),
}

/// Why a channel errored without the server saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportReason {
    /// The connection closed.
    ConnectionClosed,
    /// The transport reported an error.
    ConnectionError,
    /// A heartbeat was not answered in time.
    HeartbeatTimeout,
}

impl TransportReason {
    /// phoenix.js's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionClosed => "connection_closed",
            Self::ConnectionError => "connection_error",
            Self::HeartbeatTimeout => "heartbeat_timeout",
        }
    }
}

/// A server's refusal that trying again won't change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The HTTP status of the refused upgrade: 401, 403 or 404.
    Status(u16),
    /// Close code 1008, policy violation.
    Policy,
}

/// Where a connection's transport stands: a WebSocket's `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// 0
    Connecting,
    /// 1
    Open,
    /// 2
    Closing,
    /// 3
    Closed,
}

impl ReadyState {
    /// The state of a `readyState` number; numbers a WebSocket never has count
    /// as closed, as phoenix.js takes them.
    pub const fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Connecting,
            1 => Self::Open,
            2 => Self::Closing,
            _ => Self::Closed,
        }
    }
}

/// To whom a received message goes, and what it did there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel.
    pub channel: ChannelId,
    /// What the message was to it.
    pub kind: DeliveryKind,
    /// The ref of the join that the channel was in; none where it has given its join up.
    pub join_ref: Option<u64>,
}

/// What a received message was to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// An event of the server's or of other members.
    Event,
    /// The reply of this push; none where nothing waits for it.
    Reply(Option<PushId>),
    /// The server closed the channel (`phx_close`); it is no longer the socket's.
    Closed,
    /// The channel crashed (`phx_error`) and will be joined again.
    Errored,
}
