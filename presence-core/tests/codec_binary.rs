//! Binary frames.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::codec::{CodecError, decode_binary, encode_binary};
use presence_core::message::{Payload, Ref, Reply};

#[test]
fn a_push_from_the_server_has_no_ref() {
    let message = decode_binary(b"\x00\x02\x06\x0412room:eblob\x00\xff").unwrap();
    assert_eq!(
        (message.join_ref.as_str(), message.message_ref),
        (Some("12"), Ref::None)
    );
    assert_eq!((&*message.topic, &*message.event), ("room:e", "blob"));
    assert_eq!(message.payload, Payload::Binary(&[0, 0xff]));
}

#[test]
fn a_reply_has_a_status_and_data() {
    let message = decode_binary(b"\x01\x01\x01\x06\x0212room:eok\x01\x02").unwrap();
    assert_eq!(
        (message.join_ref.as_str(), message.message_ref.as_str()),
        (Some("1"), Some("2"))
    );
    assert_eq!((&*message.topic, &*message.event), ("room:e", "phx_reply"));
    let reply = Reply::parse(&message).unwrap();
    assert_eq!(
        (&*reply.status, reply.response),
        ("ok", Payload::Binary(&[1, 2]))
    );
}

#[test]
fn a_broadcast_has_no_refs() {
    let message = decode_binary("\u{2}\u{3}\u{1}tée".as_bytes()).unwrap();
    assert_eq!(
        (message.join_ref, message.message_ref),
        (Ref::None, Ref::None)
    );
    assert_eq!((&*message.topic, &*message.event), ("té", "e"));
    assert_eq!(message.payload, Payload::Binary(&[]));
}

#[test]
fn an_empty_ref_is_none() {
    let message = decode_binary(b"\x00\x00\x01\x01te").unwrap();
    assert_eq!(message.join_ref, Ref::None);
}

#[test]
fn malformed_frames_say_what_is_wrong() {
    for (bytes, error) in [
        (&b""[..], CodecError::Truncated("kind")),
        (b"\x03\x00\x00", CodecError::UnknownKind(3)),
        (b"\x00\x01", CodecError::Truncated("header")),
        (b"\x00\x01\x01\x01", CodecError::Truncated("join_ref")),
        (b"\x00\x00\x02\x01t", CodecError::Truncated("topic")),
        (b"\x01\x00\x00\x01\x03tok", CodecError::Truncated("status")),
        (b"\x01\x00\x02\x01\x03t", CodecError::Truncated("ref")),
        (b"\x02\x01\x02te", CodecError::Truncated("event")),
        (b"\x02\x01\x01\xffe", CodecError::FieldUtf8("topic")),
    ] {
        assert_eq!(decode_binary(bytes), Err(error), "{bytes:?}");
    }
}

#[test]
fn every_frame_cut_short_is_an_error_or_has_less_data() {
    let whole = b"\x01\x01\x01\x06\x0212room:eok\x01\x02";
    for end in 0..whole.len() {
        match decode_binary(&whole[..end]) {
            Ok(_) => assert!(end >= 15),
            Err(error) => assert!(matches!(error, CodecError::Truncated(_)), "{error}"),
        }
    }
}

#[test]
fn a_push_is_a_header_the_strings_and_the_data() {
    let mut frame = vec![9];
    encode_binary(Some("1"), Some("22"), "room:é", "e", &[0, 1], &mut frame).unwrap();
    assert_eq!(
        frame,
        ["\u{9}\0\u{1}\u{2}\u{7}\u{1}122room:ée".as_bytes(), &[0, 1]].concat()
    );
    frame.clear();
    encode_binary(None, None, "t", "e", &[], &mut frame).unwrap();
    assert_eq!(frame, [0, 0, 0, 1, 1, b't', b'e']);
}

#[test]
fn strings_have_255_bytes_at_most() {
    let (just, long) = ("é".repeat(127) + "x", "é".repeat(128));
    let mut frame = Vec::new();
    encode_binary(Some(&just), Some(&just), &just, &just, &[], &mut frame).unwrap();
    assert_eq!(frame.len(), 5 + 4 * 255);
    for (field, at) in [("join_ref", 0), ("ref", 1), ("topic", 2), ("event", 3)] {
        let text = |this| if this >= at { long.as_str() } else { "x" };
        let mut frame = vec![9];
        let error = encode_binary(
            Some(text(0)),
            Some(text(1)),
            text(2),
            text(3),
            &[],
            &mut frame,
        )
        .unwrap_err();
        assert_eq!(error, CodecError::FieldTooLong { field, size: 256 });
        assert_eq!(
            error.to_string(),
            format!("{field} is 256 bytes long, and a binary frame has room for 255")
        );
        assert_eq!(frame, [9]);
    }
}
