use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::CodecError;
use crate::message::{Message, Payload, Ref};

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;

/// The event of a reply.
const REPLY_EVENT: &str = "phx_reply";

/// Reads a binary frame from the server: a kind, the lengths of the strings, the strings, the data.
///
/// ```
/// use presence_core::codec::decode_binary;
/// use presence_core::message::Payload;
///
/// let message = decode_binary(b"\x02\x06\x04room:ablob\xff\x00")?;
/// assert_eq!((&*message.topic, &*message.event), ("room:a", "blob"));
/// assert_eq!(message.payload, Payload::Binary(&[0xff, 0x00]));
/// # Ok::<(), presence_core::codec::CodecError>(())
/// ```
///
/// # Errors
///
/// When the kind is unknown, the frame ends too early, or a string in it is not UTF-8.
pub fn decode_binary(bytes: &[u8]) -> Result<Message<'_>, CodecError> {
    let mut reader = Reader { rest: bytes };
    match reader.size("kind")? {
        PUSH => {
            let (join_ref, topic, event) = (
                reader.size("header")?,
                reader.size("header")?,
                reader.size("header")?,
            );
            Ok(Message {
                join_ref: reader.reference(join_ref, "join_ref")?,
                message_ref: Ref::None,
                topic: Cow::Borrowed(reader.string(topic, "topic")?),
                event: Cow::Borrowed(reader.string(event, "event")?),
                payload: Payload::Binary(reader.rest),
            })
        }
        REPLY => {
            let (join_ref, message_ref) = (reader.size("header")?, reader.size("header")?);
            let (topic, status) = (reader.size("header")?, reader.size("header")?);
            Ok(Message {
                join_ref: reader.reference(join_ref, "join_ref")?,
                message_ref: reader.reference(message_ref, "ref")?,
                topic: Cow::Borrowed(reader.string(topic, "topic")?),
                event: Cow::Borrowed(REPLY_EVENT),
                payload: Payload::BinaryReply {
                    status: reader.string(status, "status")?,
                    response: reader.rest,
                },
            })
        }
        BROADCAST => {
            let (topic, event) = (reader.size("header")?, reader.size("header")?);
            Ok(Message {
                join_ref: Ref::None,
                message_ref: Ref::None,
                topic: Cow::Borrowed(reader.string(topic, "topic")?),
                event: Cow::Borrowed(reader.string(event, "event")?),
                payload: Payload::Binary(reader.rest),
            })
        }
        kind => Err(CodecError::UnknownKind(kind)),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn size(&mut self, field: &'static str) -> Result<u8, CodecError> {
        let (&size, rest) = self
            .rest
            .split_first()
            .ok_or(CodecError::Truncated(field))?;
        self.rest = rest;
        Ok(size)
    }

    fn string(&mut self, size: u8, field: &'static str) -> Result<&'a str, CodecError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(size.into())
            .ok_or(CodecError::Truncated(field))?;
        self.rest = rest;
        core::str::from_utf8(bytes).map_err(|_| CodecError::FieldUtf8(field))
    }

    fn reference(&mut self, size: u8, field: &'static str) -> Result<Ref<'a>, CodecError> {
        let text = self.string(size, field)?;
        Ok(if text.is_empty() {
            Ref::None
        } else {
            Ref::Str(Cow::Borrowed(text))
        })
    }
}

/// Appends a binary push to `out`. A ref that is `None` goes as an empty string.
///
/// # Errors
///
/// When one of the strings is longer than 255 bytes of UTF-8: the first such field is named, `join_ref` before `ref`
/// before `topic` before `event`. `out` is then as it was.
pub fn encode_binary(
    join_ref: Option<&str>,
    message_ref: Option<&str>,
    topic: &str,
    event: &str,
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let fields = [
        ("join_ref", join_ref.unwrap_or_default()),
        ("ref", message_ref.unwrap_or_default()),
        ("topic", topic),
        ("event", event),
    ];
    let mut header = [PUSH; 5];
    for (size, (field, text)) in header.iter_mut().skip(1).zip(fields) {
        *size = u8::try_from(text.len()).map_err(|_| CodecError::FieldTooLong {
            field,
            size: text.len(),
        })?;
    }
    out.reserve(
        header.len() + fields.iter().map(|(_, text)| text.len()).sum::<usize>() + data.len(),
    );
    out.extend_from_slice(&header);
    for (_, text) in fields {
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(data);
    Ok(())
}
