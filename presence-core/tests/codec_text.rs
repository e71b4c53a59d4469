//! Text frames.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::codec::{CodecError, TextFrame, decode_text, encode_text};
use presence_core::json::{Expected, JsonError};
use presence_core::message::{Message, Payload, Ref, Reply, ReplyError, Vsn};

fn v2(text: &str) -> Result<Message<'_>, CodecError> {
    decode_text(Vsn::V2, text)
}

fn v1(text: &str) -> Result<Message<'_>, CodecError> {
    decode_text(Vsn::V1, text)
}

fn json_error(offset: usize, expected: Expected) -> CodecError {
    CodecError::Json(JsonError { offset, expected })
}

#[test]
fn arrays_have_five_elements() {
    let message = v2(r#" [ "1" , "2" , "room:a" , "shout" , {"body":[1]} ] "#).unwrap();
    assert_eq!(message.join_ref.as_str(), Some("1"));
    assert_eq!(message.message_ref.as_str(), Some("2"));
    assert_eq!((&*message.topic, &*message.event), ("room:a", "shout"));
    assert_eq!(message.payload, Payload::Json(r#"{"body":[1]}"#));
    // Like phoenix.js, which takes what it needs.
    assert_eq!(
        v2(r#"[null,null,"t","e",null,1,{}]"#).unwrap().payload,
        Payload::Json("null")
    );
}

#[test]
fn objects_have_their_fields_in_any_order() {
    let text =
        r#"{"ref":"2","payload":{"a":1},"x":[],"topic":"room:a","join_ref":"1","event":"shout"}"#;
    let array = r#"["1","2","room:a","shout",{"a":1}]"#;
    assert_eq!(v1(text).unwrap(), v2(array).unwrap());
    let least = v1(r#"{"topic":"t","event":"e","payload":5}"#).unwrap();
    assert_eq!((least.join_ref, least.message_ref), (Ref::None, Ref::None));
    // As in any object, the later one of a name counts.
    let again =
        v1(r#"{"topic":"t","event":"e","payload":5,"payl\u006fad":6,"topic":"u"}"#).unwrap();
    assert_eq!((&*again.topic, again.payload), ("u", Payload::Json("6")));
}

#[test]
fn escapes_are_resolved() {
    let message = v2(r#"["\u0031",null,"room:\"\u00e9\ud83d\ude00\"","a\/b\n",{}]"#).unwrap();
    assert_eq!(message.join_ref.as_str(), Some("1"));
    assert_eq!(
        (&*message.topic, &*message.event),
        ("room:\"é😀\"", "a/b\n")
    );
    assert_eq!(
        v2(r#"[null,null,"\ud800","e",{}]"#).unwrap().topic,
        "\u{fffd}"
    );
}

#[test]
fn refs_that_javascript_takes_for_none_are_none() {
    for none in ["null", "\"\"", "0", "-0", "0.0", "0e5", "false"] {
        assert_eq!(
            v2(&format!(r#"[{none},{none},"t","e",{{}}]"#))
                .unwrap()
                .join_ref,
            Ref::None,
            "{none}"
        );
        let object = format!(r#"{{"ref":{none},"topic":"t","event":"e","payload":0}}"#);
        assert_eq!(v1(&object).unwrap().message_ref, Ref::None);
    }
    for other in ["9", "1e999", "true", "[]", "{\"a\":1}"] {
        let text = format!(r#"[{other},{other},"t","e",{{}}]"#);
        assert_eq!(v2(&text).unwrap().join_ref, Ref::Other(other));
        assert_eq!(v2(&text).unwrap().message_ref, Ref::Other(other));
    }
}

#[test]
fn malformed_frames_say_what_is_wrong() {
    let array = "an array, [join_ref, ref, topic, event, payload]";
    let object = "an object, {\"topic\", \"event\", \"payload\", \"ref\"}";
    for (vsn, text, error) in [
        (Vsn::V2, "", json_error(0, Expected::Value)),
        (Vsn::V2, "[", json_error(1, Expected::Value)),
        (Vsn::V2, "{}", CodecError::NotAFrame(array)),
        (Vsn::V2, "{", json_error(1, Expected::Key)),
        (Vsn::V2, "[]", CodecError::Missing("join_ref")),
        (Vsn::V2, "[null,null,\"t\"]", CodecError::Missing("event")),
        (
            Vsn::V2,
            "[null,null,\"t\",\"e\"]",
            CodecError::Missing("payload"),
        ),
        (
            Vsn::V2,
            "[null,null,\"t\",5,{}]",
            CodecError::NotAString("event"),
        ),
        (
            Vsn::V2,
            "[null,null,\"t\",\"e\",{]",
            json_error(20, Expected::Key),
        ),
        (
            Vsn::V2,
            "[null,null,\"t\",\"e\",{}",
            json_error(21, Expected::CommaOrBracket),
        ),
        (
            Vsn::V2,
            "[null,null,\"t\",\"e\",{}]]",
            json_error(22, Expected::End),
        ),
        (
            Vsn::V2,
            "[null,null,\"t\",\"e\",{},]",
            json_error(22, Expected::Value),
        ),
        (Vsn::V1, "[]", CodecError::NotAFrame(object)),
        (Vsn::V1, "{}", CodecError::Missing("topic")),
        (Vsn::V1, "{\"topic\":\"t\"}", CodecError::Missing("event")),
        (
            Vsn::V1,
            "{\"topic\":\"t\",\"event\":\"e\"}",
            CodecError::Missing("payload"),
        ),
        (
            Vsn::V1,
            "{\"topic\":\"t\",\"event\":null,\"payload\":1}",
            CodecError::NotAString("event"),
        ),
        (
            Vsn::V1,
            "{\"payload\":{\"a\"},\"topic\":\"t\"}",
            json_error(15, Expected::Colon),
        ),
        (
            Vsn::V1,
            "{\"topic\":\"t\",\"event\":\"e\",\"payload\":1} x",
            json_error(38, Expected::End),
        ),
    ] {
        assert_eq!(decode_text(vsn, text), Err(error), "{text}");
    }
    assert_eq!(
        v2("[1 2").unwrap_err().to_string(),
        "malformed frame: invalid JSON at byte 3: expected a comma or the end of the array"
    );
}

#[test]
fn a_topic_that_a_server_echoes_need_not_be_a_string() {
    assert_eq!(v2(r#"[null,"2",5,"phx_reply",{}]"#).unwrap().topic, "5");
    assert_eq!(
        v2(r#"[null,"2",null,"phx_reply",{}]"#).unwrap().topic,
        "null"
    );
}

#[test]
fn a_frame_is_read_as_far_as_its_payload_and_no_further() {
    let frame = TextFrame::open(Vsn::V2, r#"["1",null,"t","e",{"broken":]"#).unwrap();
    assert_eq!((frame.topic(), frame.event()), ("t", "e"));
    assert_eq!(frame.payload(), Err(json_error(28, Expected::Value)));
}

#[test]
fn bytes_must_be_utf8() {
    let text = "[null,null,\"é\",\"e\",\"é\"]";
    assert_eq!(
        TextFrame::open_bytes(Vsn::V2, text.as_bytes())
            .unwrap()
            .payload(),
        Ok("\"é\"")
    );
    let mut bytes = text.as_bytes().to_vec();
    let last = bytes.len() - 3;
    bytes[last] = b'"';
    assert_eq!(
        TextFrame::open_bytes(Vsn::V2, &bytes).unwrap_err(),
        CodecError::Utf8(21)
    );
}

#[test]
fn what_is_written_can_be_read() {
    let (topic, event) = ("room:\"é\\😀\n\u{1}", "e/\u{7f}");
    for vsn in [Vsn::V1, Vsn::V2] {
        for (join_ref, message_ref) in [
            (Some("1"), Some("2")),
            (None, Some("a \"ref\"")),
            (None, None),
        ] {
            let mut text = String::from("before");
            encode_text(
                vsn,
                join_ref,
                message_ref,
                topic,
                event,
                " {\"a\": 1} ",
                &mut text,
            )
            .unwrap();
            let message = decode_text(vsn, &text["before".len()..]).unwrap();
            assert_eq!(
                (message.join_ref.as_str(), message.message_ref.as_str()),
                (join_ref, message_ref)
            );
            assert_eq!((&*message.topic, &*message.event), (topic, event));
            assert_eq!(message.payload, Payload::Json("{\"a\": 1}"));
        }
    }
}

#[test]
fn frames_are_spelled_as_phoenix_js_spells_them() {
    let mut text = String::new();
    encode_text(
        Vsn::V2,
        None,
        Some("3"),
        "phoenix",
        "heartbeat",
        "{}",
        &mut text,
    )
    .unwrap();
    assert_eq!(text, r#"[null,"3","phoenix","heartbeat",{}]"#);
    text.clear();
    encode_text(
        Vsn::V1,
        Some("1"),
        Some("1"),
        "room:a",
        "phx_join",
        "{}",
        &mut text,
    )
    .unwrap();
    assert_eq!(
        text,
        r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1","join_ref":"1"}"#
    );
}

#[test]
fn a_payload_that_is_no_json_is_not_sent() {
    for payload in ["", "{", "{} {}", "undefined"] {
        let mut text = String::from("before");
        let error = encode_text(Vsn::V2, None, None, "t", "e", payload, &mut text).unwrap_err();
        assert!(matches!(error, CodecError::Payload(_)), "{error}");
        assert_eq!(text, "before");
    }
}

#[test]
fn replies_have_a_status_and_perhaps_a_response() {
    let parse = |payload: &'static str| Reply::from_payload(&Payload::Json(payload));
    let reply = parse(r#" { "response" : {"a":1} , "status" : "ok" } "#).unwrap();
    assert_eq!(
        (&*reply.status, reply.response),
        ("ok", Payload::Json("{\"a\":1}"))
    );
    let reply = parse(r#"{"st\u0061tus":"err\u006fr"}"#).unwrap();
    assert_eq!(
        (&*reply.status, reply.response),
        ("error", Payload::Json("null"))
    );
    for none in [
        "[]",
        "5",
        "{}",
        r#"{"status":5}"#,
        r#"{"status":"ok","status":null}"#,
    ] {
        assert_eq!(parse(none), Err(ReplyError::NoStatus), "{none}");
    }
    assert_eq!(
        parse("{\"a\""),
        Err(ReplyError::Json(JsonError {
            offset: 4,
            expected: Expected::Colon
        }))
    );
}

#[test]
fn versions_have_their_names() {
    assert_eq!(Vsn::default().as_str(), "2.0.0");
    assert_eq!(Vsn::try_from("1.0.0"), Ok(Vsn::V1));
    assert_eq!(Vsn::try_from("2.0.0"), Ok(Vsn::V2));
    let error = Vsn::try_from("3.0.0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown protocol version \"3.0.0\": expected \"1.0.0\" or \"2.0.0\""
    );
}
