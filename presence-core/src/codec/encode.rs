use alloc::string::String;

use super::CodecError;
use crate::json;
use crate::message::Vsn;

/// Appends a text frame to `out`. `payload` is raw JSON.
///
/// ```
/// use presence_core::codec::encode_text;
/// use presence_core::message::Vsn;
///
/// let mut frame = String::new();
/// encode_text(Vsn::V2, Some("1"), Some("2"), "room:a", "shout", r#"{"body":"hi"}"#, &mut frame)?;
/// assert_eq!(frame, r#"["1","2","room:a","shout",{"body":"hi"}]"#);
/// # Ok::<(), presence_core::codec::CodecError>(())
/// ```
///
/// # Errors
///
/// When the payload is not valid JSON; `out` is then as it was.
pub fn encode_text(
    vsn: Vsn,
    join_ref: Option<&str>,
    message_ref: Option<&str>,
    topic: &str,
    event: &str,
    payload: &str,
    out: &mut String,
) -> Result<(), CodecError> {
    json::validate(payload).map_err(CodecError::Payload)?;
    out.reserve(payload.len() + topic.len() + event.len() + 64);
    match vsn {
        Vsn::V1 => {
            out.push_str("{\"topic\":");
            json::write_string(topic.as_bytes(), |piece| out.push_str(piece));
            out.push_str(",\"event\":");
            json::write_string(event.as_bytes(), |piece| out.push_str(piece));
            out.push_str(",\"payload\":");
            out.push_str(payload);
            out.push_str(",\"ref\":");
            write_ref(message_ref, out);
            out.push_str(",\"join_ref\":");
            write_ref(join_ref, out);
            out.push('}');
        }
        Vsn::V2 => {
            out.push('[');
            write_ref(join_ref, out);
            out.push(',');
            write_ref(message_ref, out);
            out.push(',');
            json::write_string(topic.as_bytes(), |piece| out.push_str(piece));
            out.push(',');
            json::write_string(event.as_bytes(), |piece| out.push_str(piece));
            out.push(',');
            out.push_str(payload);
            out.push(']');
        }
    }
    Ok(())
}

fn write_ref(value: Option<&str>, out: &mut String) {
    match value {
        Some(text) => json::write_string(text.as_bytes(), |piece| out.push_str(piece)),
        None => out.push_str("null"),
    }
}
