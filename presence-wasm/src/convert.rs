//! Binary frames for JavaScript: their heads, since the data never has to come here.

use presence_core::codec;
use presence_core::message::{Message, Payload, Ref};
use wasm_bindgen::prelude::*;

/// The head of a binary push: all of its frame but the data.
///
/// # Errors
///
/// When a string is longer than the 255 bytes that a binary frame has room for.
#[wasm_bindgen]
pub fn encode_binary_head(
    join_ref: &str,
    message_ref: &str,
    topic: &str,
    event: &str,
) -> Result<Vec<u8>, JsError> {
    let mut head = Vec::new();
    codec::encode_binary(
        Some(join_ref),
        Some(message_ref),
        topic,
        event,
        &[],
        &mut head,
    )?;
    Ok(head)
}

/// `[join_ref, ref, topic, event, status, offset of the data]` of a binary
/// frame; null where there is none.
///
/// # Errors
///
/// When the frame is malformed.
#[wasm_bindgen]
pub fn decode_binary_head(frame: &[u8]) -> Result<js_sys::Array, JsError> {
    let Message {
        join_ref,
        message_ref,
        topic,
        event,
        payload,
    } = codec::decode_binary(frame)?;
    let (status, data) = match payload {
        Payload::Json(text) => (None, text.as_bytes()),
        Payload::Binary(data) => (None, data),
        Payload::BinaryReply { status, response } => (Some(status), response),
    };
    let string = |text: Option<&str>| text.map_or(JsValue::NULL, JsValue::from_str);
    Ok(js_sys::Array::of(&[
        string(ref_text(&join_ref)),
        string(ref_text(&message_ref)),
        topic.as_ref().into(),
        event.as_ref().into(),
        string(status),
        JsValue::from((frame.len() - data.len()) as f64),
    ]))
}

fn ref_text<'a>(message_ref: &'a Ref<'_>) -> Option<&'a str> {
    message_ref.as_str()
}
