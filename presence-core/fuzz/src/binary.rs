use presence_core::codec::{decode_binary, encode_binary};
use presence_core::message::{Message, Payload};

/// A frame that can be read is written back as it was; what a client sends has the layout that servers read.
pub fn binary(data: &[u8]) {
    let Ok(message) = decode_binary(data) else {
        return;
    };
    let kind = data.first().copied();
    assert_eq!(as_server(&message, kind), data, "{message:?}");
    let payload = match message.payload {
        Payload::Binary(data) => data,
        Payload::BinaryReply { response, .. } => response,
        Payload::Json(text) => panic!("a binary frame with the text {text}"),
    };
    let mut sent = Vec::new();
    let (join_ref, message_ref) = (message.join_ref.as_str(), message.message_ref.as_str());
    encode_binary(
        join_ref,
        message_ref,
        &message.topic,
        &message.event,
        payload,
        &mut sent,
    )
    .unwrap_or_else(|error| panic!("{message:?}: {error}"));
    let fields = [
        join_ref.unwrap_or_default(),
        message_ref.unwrap_or_default(),
        &message.topic,
        &message.event,
    ];
    assert_eq!(sent, frame(0, &fields, payload), "{message:?}");
}

/// The frame that a server writes for a message.
fn as_server(message: &Message<'_>, kind: Option<u8>) -> Vec<u8> {
    let join_ref = message.join_ref.as_str();
    match message.payload {
        Payload::BinaryReply { status, response } => {
            assert_eq!(message.event, "phx_reply");
            let fields = [
                join_ref.unwrap_or_default(),
                message.message_ref.as_str().unwrap_or_default(),
                &message.topic,
                status,
            ];
            frame(1, &fields, response)
        }
        Payload::Binary(data) => {
            assert!(message.message_ref.is_none());
            match (kind, join_ref.unwrap_or_default()) {
                (Some(2), "") => frame(2, &[&message.topic, &message.event], data),
                (_, join_ref) => frame(0, &[join_ref, &message.topic, &message.event], data),
            }
        }
        Payload::Json(text) => panic!("a binary frame with the text {text}"),
    }
}

fn frame(kind: u8, fields: &[&str], data: &[u8]) -> Vec<u8> {
    let sizes = fields.iter().map(|field| field.len() as u8);
    let texts = fields.iter().flat_map(|field| field.bytes());
    std::iter::once(kind)
        .chain(sizes)
        .chain(texts)
        .chain(data.iter().copied())
        .collect()
}
