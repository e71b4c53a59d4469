//! The two wire formats, seen from the server.

use axum::extract::ws::Utf8Bytes;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::outbox::Frame;

/// The serializer version a connection asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vsn {
    V1,
    V2,
}

impl Vsn {
    /// Phoenix's rule: `1.0.x` and `2.0.x`, written with all three numbers.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        let (major, minor, _patch) = (next()?, next()?, next()?);
        if numbers.next().is_some() || minor != 0 {
            return None;
        }
        match major {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}

/// A frame no Phoenix serializer can read; the connection closes with 1011.
#[derive(Debug, Error)]
pub(crate) enum DecodeError {
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("not a [join_ref, ref, topic, event, payload] array")]
    NotAnArray,
    #[error("not an object with topic, event, payload and ref")]
    NotAnObject,
    #[error("a binary frame that is no push")]
    NotAPush,
    #[error("a binary frame shorter than its own header says")]
    Truncated,
    #[error("a binary frame whose header is not UTF-8")]
    NotUtf8,
}

/// A string too long for the one length byte it gets in a binary frame.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the {0} is longer than the 255 bytes a binary frame can hold")]
pub(crate) struct TooLong(&'static str);

/// An incoming message. Everything but the payload may be any JSON value, since Phoenix looks
/// no closer either: such a message matches no topic and is answered with what it carried.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) join_ref: Value,
    pub(crate) reference: Value,
    pub(crate) topic: Value,
    pub(crate) event: Value,
    pub(crate) payload: Payload,
}

/// An incoming payload.
#[derive(Debug)]
pub(crate) enum Payload {
    Json(Value),
    Binary(Bytes),
}

impl Payload {
    pub(crate) fn into_body(self) -> Body {
        match self {
            Self::Json(value) => Body::from(value),
            Self::Binary(data) => Body::Binary(data),
        }
    }
}

/// An outgoing payload, its JSON already written.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Json(String),
    Binary(Bytes),
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Json(value.to_string())
    }
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Json("{}".into())
    }

    pub(crate) fn reason(reason: &str) -> Self {
        Self::from(json!({ "reason": reason }))
    }
}

/// A reply's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Error,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

pub(crate) fn decode_text(vsn: Vsn, text: &str) -> Result<Message, DecodeError> {
    match (vsn, serde_json::from_str(text)?) {
        (Vsn::V2, Value::Array(parts)) => from_array(parts),
        (Vsn::V2, _) => Err(DecodeError::NotAnArray),
        (Vsn::V1, Value::Object(fields)) => from_object(fields),
        (Vsn::V1, _) => Err(DecodeError::NotAnObject),
    }
}

fn from_array(parts: Vec<Value>) -> Result<Message, DecodeError> {
    let mut parts = parts.into_iter();
    let mut next = || parts.next().ok_or(DecodeError::NotAnArray);
    Ok(Message {
        join_ref: next()?,
        reference: next()?,
        topic: next()?,
        event: next()?,
        payload: Payload::Json(next()?),
    })
}

fn from_object(mut fields: Map<String, Value>) -> Result<Message, DecodeError> {
    let join_ref = fields.remove("join_ref").unwrap_or(Value::Null);
    let mut field = |name| fields.remove(name).ok_or(DecodeError::NotAnObject);
    Ok(Message {
        join_ref,
        reference: field("ref")?,
        topic: field("topic")?,
        event: field("event")?,
        payload: Payload::Json(field("payload")?),
    })
}

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;

pub(crate) fn decode_binary(vsn: Vsn, mut data: Bytes) -> Result<Message, DecodeError> {
    if vsn == Vsn::V1 {
        // V1 has no binary form; Phoenix reads such a frame as if it were text.
        let text = std::str::from_utf8(&data).map_err(|_| DecodeError::NotUtf8)?;
        return decode_text(vsn, text);
    }
    let header = data.get(..5).ok_or(DecodeError::Truncated)?;
    let &[kind, join_ref, reference, topic, event] = header else {
        return Err(DecodeError::Truncated);
    };
    if kind != PUSH {
        return Err(DecodeError::NotAPush);
    }
    drop(data.split_to(5));
    let mut string = |size: u8| {
        let size = usize::from(size);
        if data.len() < size {
            return Err(DecodeError::Truncated);
        }
        let bytes = data.split_to(size);
        let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::NotUtf8)?;
        Ok(Value::from(text))
    };
    Ok(Message {
        join_ref: string(join_ref)?,
        reference: string(reference)?,
        topic: string(topic)?,
        event: string(event)?,
        payload: Payload::Binary(data),
    })
}

/// A message of the server's to one client: `presence_state`, `phx_close`, a push.
pub(crate) fn encode_push(
    vsn: Vsn,
    join_ref: &Value,
    reference: &Value,
    topic: &str,
    event: &str,
    body: &Body,
) -> Result<Frame, TooLong> {
    match body {
        Body::Json(json) => Ok(text(vsn, join_ref, reference, &quoted(topic), event, json)),
        Body::Binary(data) => binary(
            PUSH,
            &[
                ("join_ref", &unquoted(join_ref)),
                ("topic", topic),
                ("event", event),
            ],
            data,
        ),
    }
}

/// The answer to one message. The topic is whatever the message said it was.
pub(crate) fn encode_reply(
    vsn: Vsn,
    join_ref: &Value,
    reference: &Value,
    topic: &Value,
    status: Status,
    body: &Body,
) -> Result<Frame, TooLong> {
    match body {
        Body::Json(json) => {
            let payload = format!(r#"{{"response":{json},"status":"{}"}}"#, status.as_str());
            Ok(text(
                vsn,
                join_ref,
                reference,
                &topic.to_string(),
                "phx_reply",
                &payload,
            ))
        }
        Body::Binary(data) => binary(
            REPLY,
            &[
                ("join_ref", &unquoted(join_ref)),
                ("ref", &unquoted(reference)),
                ("topic", &unquoted(topic)),
                ("status", status.as_str()),
            ],
            data,
        ),
    }
}

/// A message to everybody on a topic; `None` where the version has no form for it (V1 and binary).
pub(crate) fn encode_broadcast(
    vsn: Vsn,
    topic: &str,
    event: &str,
    body: &Body,
) -> Result<Option<Frame>, TooLong> {
    match (vsn, body) {
        (_, Body::Json(json)) => {
            let null = Value::Null;
            Ok(Some(text(vsn, &null, &null, &quoted(topic), event, json)))
        }
        (Vsn::V2, Body::Binary(data)) => {
            binary(BROADCAST, &[("topic", topic), ("event", event)], data).map(Some)
        }
        (Vsn::V1, Body::Binary(_)) => Ok(None),
    }
}

fn text(
    vsn: Vsn,
    join_ref: &Value,
    reference: &Value,
    topic: &str,
    event: &str,
    payload: &str,
) -> Frame {
    let event = quoted(event);
    let text = match vsn {
        Vsn::V2 => format!("[{join_ref},{reference},{topic},{event},{payload}]"),
        Vsn::V1 => {
            format!(r#"{{"event":{event},"payload":{payload},"ref":{reference},"topic":{topic}}}"#)
        }
    };
    Frame::Text(Utf8Bytes::from(text))
}

fn binary(kind: u8, strings: &[(&'static str, &str)], data: &Bytes) -> Result<Frame, TooLong> {
    let mut frame = BytesMut::with_capacity(64 + data.len());
    frame.put_u8(kind);
    for (name, string) in strings {
        frame.put_u8(u8::try_from(string.len()).map_err(|_| TooLong(name))?);
    }
    for (_, string) in strings {
        frame.put_slice(string.as_bytes());
    }
    frame.put_slice(data);
    Ok(Frame::Binary(frame.freeze()))
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A ref as it stands in a binary header: null is empty.
fn unquoted(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
