//! What clients sent in the recordings, and the server took: presence-core writes the same.

use presence_core::codec::{encode_binary, encode_text};
use presence_core::message::Vsn;
use serde_json::Value;
use serde_json::value::RawValue;

/// Writes a text frame anew from what is in it. None if it is no message of a client's: some are malformed on purpose,
/// and some have names that no Rust string can hold.
///
/// # Errors
///
/// Says what is written, if it is something else.
pub(crate) fn text(vsn: Vsn, sent: &str) -> Option<Result<(), String>> {
    match vsn {
        Vsn::V2 => array(sent),
        Vsn::V1 => object(sent),
    }
}

/// To the byte.
fn array(sent: &str) -> Option<Result<(), String>> {
    let fields: Vec<&RawValue> = serde_json::from_str(sent).ok()?;
    let [join_ref, message_ref, topic, event, payload] = fields[..] else {
        return None;
    };
    let reference = |field: &RawValue| serde_json::from_str::<Option<String>>(field.get()).ok();
    let name = |field: &RawValue| serde_json::from_str::<String>(field.get()).ok();
    let (join_ref, message_ref) = (reference(join_ref)?, reference(message_ref)?);
    let written = encoded(
        Vsn::V2,
        join_ref.as_deref(),
        message_ref.as_deref(),
        &name(topic)?,
        &name(event)?,
        payload.get(),
    );
    Some(same(written.as_str(), sent))
}

/// In whatever order; not every client names a join_ref.
fn object(sent: &str) -> Option<Result<(), String>> {
    let mut message: Value = serde_json::from_str(sent).ok()?;
    message
        .as_object_mut()?
        .entry("join_ref")
        .or_insert(Value::Null);
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let written = encoded(
        Vsn::V1,
        text("join_ref"),
        text("ref"),
        text("topic")?,
        text("event")?,
        &message.get("payload")?.to_string(),
    );
    // What is written is JSON, or an error's words.
    let written = serde_json::from_str(&written).unwrap_or(Value::String(written));
    Some(same(&written, &message))
}

/// Writes a binary frame anew from what is in it: to the byte. None as for [`text`].
///
/// # Errors
///
/// As there.
pub(crate) fn binary(sent: &[u8]) -> Option<Result<(), String>> {
    let (&[kind, join_ref, message_ref, topic, event], mut rest) = sent.split_first_chunk()?;
    if kind != 0 {
        return None;
    }
    let mut field = |size: u8| {
        let (text, after) = rest.split_at_checked(size.into())?;
        rest = after;
        std::str::from_utf8(text).ok()
    };
    let (join_ref, message_ref) = (field(join_ref)?, field(message_ref)?);
    let (topic, event) = (field(topic)?, field(event)?);
    let mut written = Vec::new();
    if let Err(error) = encode_binary(
        Some(join_ref),
        Some(message_ref),
        topic,
        event,
        rest,
        &mut written,
    ) {
        return Some(Err(error.to_string()));
    }
    Some(same(&*written, sent))
}

fn encoded(
    vsn: Vsn,
    join_ref: Option<&str>,
    message_ref: Option<&str>,
    topic: &str,
    event: &str,
    payload: &str,
) -> String {
    let mut written = String::new();
    match encode_text(
        vsn,
        join_ref,
        message_ref,
        topic,
        event,
        payload,
        &mut written,
    ) {
        Ok(()) => written,
        Err(error) => error.to_string(),
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(written: &T, sent: &T) -> Result<(), String> {
    if written == sent {
        Ok(())
    } else {
        Err(format!("{sent:?} was sent, and {written:?} is written"))
    }
}
