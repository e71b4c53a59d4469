use presence_core::codec::{decode_text, encode_text};
use presence_core::message::{Payload, Ref, Reply, Vsn};
use serde_json::value::RawValue;

use crate::is_json;

/// Both text formats, by the first byte: what is read is JSON of the right shape, and comes back the same once written.
pub fn text(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let vsn = if first.is_multiple_of(2) {
        Vsn::V2
    } else {
        Vsn::V1
    };
    let decoded = decode_text(vsn, text);
    if vsn == Vsn::V2 {
        let payload = array_payload(text);
        let read = decoded.as_ref().ok().map(|message| &message.payload);
        assert_eq!(
            read,
            payload.map(Payload::Json).as_ref(),
            "{decoded:?}: {text:?}"
        );
    }
    let Ok(message) = decoded else {
        return;
    };
    assert!(is_json(text), "{text:?}");
    let Payload::Json(payload) = message.payload else {
        panic!("a text frame with binary data");
    };
    assert!(is_json(payload), "{payload:?}");
    // Whatever it says, reading it as a reply does no harm.
    let _ = Reply::parse(&message);

    let mut written = String::new();
    encode_text(
        vsn,
        message.join_ref.as_str(),
        message.message_ref.as_str(),
        &message.topic,
        &message.event,
        payload,
        &mut written,
    )
    .unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let again = decode_text(vsn, &written)
        .unwrap_or_else(|error| panic!("{text:?} was written as {written:?}: {error}"));
    // A ref that is no string is not written.
    let as_string = |r: &Ref<'_>| r.as_str().map(str::to_owned);
    assert_eq!(as_string(&again.join_ref), as_string(&message.join_ref));
    assert_eq!(
        as_string(&again.message_ref),
        as_string(&message.message_ref)
    );
    assert_eq!(
        (&again.topic, &again.event, &again.payload),
        (&message.topic, &message.event, &message.payload),
        "{text:?} was written as {written:?}"
    );
}

/// The payload of a frame in the array format, found by somebody else.
fn array_payload(text: &str) -> Option<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let event_is_text = elements.get(3)?.get().starts_with('"');
    elements
        .get(4)
        .filter(|_| event_is_text)
        .map(|payload| payload.get())
}
