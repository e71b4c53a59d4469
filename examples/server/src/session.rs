//! One client: its channels, and what becomes of each message, whatever the transport.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::connect::{ConnectInfo, Connected};
use crate::hub::Hub;
use crate::outbox::{Close, Frame, Outbox};
use crate::presence::ProcessId;
use crate::room::{self, Next, Room};
use crate::serializer::{
    Body, DecodeError, Message, Payload, Status, TooLong, Vsn, decode_binary, decode_text,
    encode_push, encode_reply,
};

/// A frame from a client.
#[derive(Debug)]
pub(crate) enum Incoming {
    Text(String),
    Binary(Bytes),
}

pub(crate) struct Session {
    hub: Arc<Hub>,
    id: u64,
    vsn: Vsn,
    info: Arc<ConnectInfo>,
    outbox: Arc<Outbox>,
    max_channels: usize,
    channels: BTreeMap<String, Channel>,
    late_replies: JoinSet<LateReply>,
}

struct Channel {
    /// As the join carried it: what later messages must carry, or null.
    join_ref: Value,
    /// The client left, but frames that came together with the leave may still follow.
    leaving: bool,
    room: Room,
}

/// A reply that a room gives after a while.
pub(crate) struct LateReply {
    process: ProcessId,
    reference: Value,
    topic: String,
    body: Body,
}

/// How many late replies one connection may have outstanding.
const MAX_LATE_REPLIES: usize = 1_000;

impl Session {
    pub(crate) fn new(
        hub: Arc<Hub>,
        connected: Connected,
        outbox: Arc<Outbox>,
        max_channels: usize,
    ) -> Self {
        let Connected { vsn, info } = connected;
        let id = hub.add_socket(&info.user_id, Arc::clone(&outbox));
        Self {
            hub,
            id,
            vsn,
            info,
            outbox,
            max_channels,
            channels: BTreeMap::new(),
            late_replies: JoinSet::new(),
        }
    }

    /// Handles one frame. A join may take its time, and then holds up all that comes after it,
    /// as in Phoenix. After an error the connection has to close with 1011.
    pub(crate) async fn handle(&mut self, incoming: Incoming) -> Result<(), DecodeError> {
        let message = match incoming {
            Incoming::Text(text) => decode_text(self.vsn, &text)?,
            Incoming::Binary(data) => decode_binary(self.vsn, data)?,
        };
        let (Some(topic), event) = (message.topic.as_str(), message.event.as_str()) else {
            self.answer_stray(&message);
            return Ok(());
        };
        let topic = topic.to_owned();
        match event {
            Some("heartbeat") if topic == "phoenix" => {
                let null = Value::Null;
                self.reply(&null, &message, Status::Ok, &Body::empty());
            }
            Some("phx_join") => self.join(topic, message).await,
            Some("phx_leave") if self.channels.contains_key(&topic) => self.leave(&topic, &message),
            _ if self.channels.contains_key(&topic) => self.message(topic, message),
            _ => self.answer_stray(&message),
        }
        Ok(())
    }

    /// To be called when no further frame is at hand: closes the channels that were left. A
    /// message that came right behind its own leave thus gets no reply, as from Phoenix.
    pub(crate) fn settle(&mut self) {
        let left: Vec<_> = self
            .channels
            .extract_if(.., |_, channel| channel.leaving)
            .collect();
        for (topic, channel) in left {
            self.push_exit(&topic, &channel, "phx_close", &Body::empty());
        }
    }

    /// The next late reply, sent by [`send_late`](Self::send_late); never, if there is none.
    pub(crate) async fn next_late(&mut self) -> LateReply {
        loop {
            match self.late_replies.join_next().await {
                Some(Ok(late)) => return late,
                Some(Err(error)) => tracing::error!(%error, "a late reply was lost"),
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// Sends a late reply if its channel is still the same.
    pub(crate) fn send_late(&self, late: &LateReply) {
        if let Some(channel) = self.channels.get(&late.topic)
            && channel.room.process() == late.process
            && !channel.leaving
        {
            let topic = Value::from(late.topic.as_str());
            let join_ref = channel.room.join_ref();
            let reply = encode_reply(
                self.vsn,
                join_ref,
                &late.reference,
                &topic,
                Status::Ok,
                &late.body,
            );
            self.send(reply);
        }
    }

    /// Ends all channels. Nothing is sent to this client, the others see it leave.
    pub(crate) fn terminate(&mut self) {
        self.late_replies.abort_all();
        let channels = std::mem::take(&mut self.channels);
        let mut topics = self.hub.topics();
        for (topic, channel) in channels {
            topics.leave(&topic, channel.room.process());
        }
    }

    async fn join(&mut self, topic: String, message: Message) {
        // The old channel of this topic ends first, but its close is told after the reply.
        let duplicate = self.channels.remove(&topic);
        if let Some(old) = &duplicate {
            self.hub.topics().leave(&topic, old.room.process());
        }
        self.join_new(&topic, message, duplicate.as_ref()).await;
    }

    async fn join_new(&mut self, topic: &str, message: Message, duplicate: Option<&Channel>) {
        let refuse = |session: &Self, join_ref: &Value, reason: &str| {
            session.reply(join_ref, &message, Status::Error, &Body::reason(reason));
            session.push_duplicate_close(topic, duplicate);
        };
        if !room::matches(topic) {
            return refuse(self, &Value::Null, "unmatched topic");
        }
        if self.channels.len() >= self.max_channels {
            return refuse(self, &message.join_ref, "too many channels joined");
        }
        let params = match &message.payload {
            Payload::Json(params) => params,
            Payload::Binary(_) => &Value::Null,
        };
        let params = match room::authorize(topic, params).await {
            Ok(params) => params,
            Err(reason) => return refuse(self, &message.join_ref, reason),
        };
        let join_ref = match &message.join_ref {
            Value::Null => message.reference.clone(),
            join_ref => join_ref.clone(),
        };
        let room = Room::new(&self.hub, &self.info, topic, join_ref, params);
        let hub = Arc::clone(&self.hub);
        // One guard around it all: nothing can come between the reply and the subscription.
        let mut topics = hub.topics();
        self.reply(&message.join_ref, &message, Status::Ok, &Body::empty());
        self.push_duplicate_close(topic, duplicate);
        topics.subscribe(topic, room.process(), self.vsn, Arc::clone(&self.outbox));
        let joined = room.after_join(&mut topics, |event, body| {
            let null = Value::Null;
            self.send(encode_push(
                self.vsn,
                room.join_ref(),
                &null,
                topic,
                event,
                body,
            ));
        });
        if let Err(error) = joined {
            // Only a process that tracks its key twice gets here, and this one is new.
            tracing::error!(%topic, %error, "a presence was not tracked");
        }
        let channel = Channel {
            join_ref: message.join_ref,
            leaving: false,
            room,
        };
        self.channels.insert(topic.to_owned(), channel);
    }

    fn push_duplicate_close(&self, topic: &str, duplicate: Option<&Channel>) {
        if let Some(old) = duplicate {
            self.push_exit(topic, old, "phx_close", &Body::empty());
        }
    }

    fn leave(&mut self, topic: &str, message: &Message) {
        let hub = Arc::clone(&self.hub);
        let Some(channel) = self.channels.get_mut(topic) else {
            return;
        };
        if channel.leaving || !channel.accepts(&message.join_ref) {
            return;
        }
        channel.leaving = true;
        let process = channel.room.process();
        let join_ref = channel.room.join_ref().clone();
        let mut topics = hub.topics();
        self.reply(&join_ref, message, Status::Ok, &Body::empty());
        topics.leave(topic, process);
    }

    fn message(&mut self, topic: String, message: Message) {
        let hub = Arc::clone(&self.hub);
        let Some(channel) = self.channels.get(&topic) else {
            return;
        };
        if channel.leaving || !channel.accepts(&message.join_ref) {
            return;
        }
        let Message {
            reference,
            topic: raw_topic,
            event,
            payload,
            ..
        } = message;
        let room = &channel.room;
        let process = room.process();
        let next = {
            let mut topics = hub.topics();
            let reply = |status, body: &Body| {
                encode_reply(
                    self.vsn,
                    room.join_ref(),
                    &reference,
                    &raw_topic,
                    status,
                    body,
                )
                .map(|frame| self.outbox.push(frame))
            };
            let push = |event: &str, body: &Body| {
                encode_push(self.vsn, room.join_ref(), &Value::Null, &topic, event, body)
                    .map(|frame| self.outbox.push(frame))
            };
            let event = event.as_str().unwrap_or_default();
            room.handle_in(&mut topics, event, payload, reply, push)
        };
        match next {
            Next::Continue => {}
            Next::ReplyLater(delay, body) => {
                if self.late_replies.len() >= MAX_LATE_REPLIES {
                    return self.end(&topic, "phx_error", &Body::reason("channel_crash"));
                }
                self.late_replies.spawn(late_reply(
                    delay,
                    LateReply {
                        process,
                        reference,
                        topic,
                        body,
                    },
                ));
            }
            Next::Stop => self.end(&topic, "phx_close", &Body::empty()),
            Next::Crash => self.end(&topic, "phx_error", &Body::reason("channel_crash")),
            Next::Disconnect => self.outbox.close(Close::Code(1001)),
        }
    }

    /// A channel's end by the server's will.
    fn end(&mut self, topic: &str, event: &str, body: &Body) {
        if let Some(channel) = self.channels.remove(topic) {
            let mut topics = self.hub.topics();
            self.push_exit(topic, &channel, event, body);
            topics.leave(topic, channel.room.process());
        }
    }

    /// `phx_close` or `phx_error`: its ref is the join's.
    fn push_exit(&self, topic: &str, channel: &Channel, event: &str, body: &Body) {
        let join_ref = &channel.join_ref;
        self.send(encode_push(
            self.vsn, join_ref, join_ref, topic, event, body,
        ));
    }

    /// A message to a topic that isn't joined: a leave is fine, anything else an error.
    fn answer_stray(&self, message: &Message) {
        if message.event == "phx_leave" {
            self.reply(&message.join_ref, message, Status::Ok, &Body::empty());
        } else {
            let body = Body::reason("unmatched topic");
            self.reply(&Value::Null, message, Status::Error, &body);
        }
    }

    fn reply(&self, join_ref: &Value, message: &Message, status: Status, body: &Body) {
        let (reference, topic) = (&message.reference, &message.topic);
        self.send(encode_reply(
            self.vsn, join_ref, reference, topic, status, body,
        ));
    }

    fn send(&self, frame: Result<Frame, TooLong>) {
        match frame {
            Ok(frame) => self.outbox.push(frame),
            // Binary payloads are only sent where a binary frame named the same strings before.
            Err(error) => tracing::error!(%error, "a message was not sent"),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.terminate();
        self.hub.remove_socket(self.id);
    }
}

impl Channel {
    /// Null is accepted (V1 clients have no join_ref to send); anything else must be the very
    /// join_ref, type included, and is stale otherwise.
    fn accepts(&self, join_ref: &Value) -> bool {
        join_ref.is_null() || *join_ref == self.join_ref
    }
}

async fn late_reply(delay: Duration, reply: LateReply) -> LateReply {
    tokio::time::sleep(delay).await;
    reply
}
