//! What a presence holds, as text and as values.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::presence::{ChangeKind, Presence, Tracker};
use serde::Deserialize;

fn synced(state: &str) -> Tracker {
    let mut tracker = Tracker::default();
    tracker.set_steps(true);
    tracker.set_changes(true);
    tracker.sync_state(state).unwrap();
    tracker
}

fn json(tracker: &Tracker, key: &str) -> String {
    tracker.roster().get(key).unwrap().to_json()
}

#[derive(Debug, Deserialize, PartialEq)]
struct Meta {
    phx_ref: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Extra {
    user: String,
    age: u8,
}

#[test]
fn metas_and_extras_decode_into_types() {
    let tracker = synced(
        r#"{"ann":{"us\u0065r":"A","metas":[{"phx_ref":"1","name":"\ud83d\ude00"},{"phx_ref":"2"}],"age":40,"age":41},"bob":{"metas":[]}}"#,
    );
    let ann = tracker.roster().get("ann").unwrap();
    assert_eq!((&*ann.key(), ann.len(), ann.is_empty()), ("ann", 2, false));
    let metas: Vec<Meta> = ann.metas().map(|meta| meta.decode().unwrap()).collect();
    let name = Some("😀".to_owned());
    assert_eq!(
        metas,
        [
            Meta {
                phx_ref: "1".into(),
                name
            },
            Meta {
                phx_ref: "2".into(),
                name: None
            }
        ]
    );
    assert!(ann.metas().next().unwrap().decode::<Vec<u8>>().is_err());
    let refs: Vec<_> = ann.metas().map(|meta| meta.reference().unwrap()).collect();
    assert_eq!(refs, ["1", "2"]);
    let extras: Vec<_> = ann
        .extras()
        .map(|(name, raw)| (name.into_owned(), raw))
        .collect();
    assert_eq!(
        extras,
        [
            ("user".into(), "\"A\""),
            ("age".into(), "40"),
            ("age".into(), "41")
        ]
    );
    assert_eq!(
        (ann.extra("user"), ann.extra("age"), ann.extra("metas")),
        (Some("\"A\""), Some("41"), None)
    );
    assert!(ann.decode_extra::<Extra>().is_err());
    let bob = tracker.roster().get("bob").unwrap();
    assert_eq!(
        (bob.extras().count(), bob.is_empty(), bob.to_json()),
        (0, true, r#"{"metas":[]}"#.to_owned())
    );
    let tracker = synced(r#"{"ann":{ "user" : "A" , "metas" : [ ] , "age" : 40 }}"#);
    let ann = tracker.roster().get("ann").unwrap();
    assert_eq!(
        ann.decode_extra::<Extra>().unwrap(),
        Extra {
            user: "A".into(),
            age: 40
        }
    );
}

#[test]
fn a_presence_is_written_in_the_order_of_its_newest_value() {
    let mut tracker = synced(r#"{"ann":{"a":1,"metas":[{"phx_ref":"1"}],"b":2}}"#);
    assert_eq!(
        json(&tracker, "ann"),
        r#"{"a":1,"metas":[{"phx_ref":"1"}],"b":2}"#
    );
    tracker
        .sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"2"}],"c":[3]}},"leaves":{}}"#)
        .unwrap();
    assert_eq!(
        json(&tracker, "ann"),
        r#"{"metas":[{"phx_ref":"1"},{"phx_ref":"2"}],"c":[3]}"#
    );
}

#[test]
fn a_state_refreshes_what_is_beside_the_metas() {
    let mut tracker = synced(
        r#"{"ann":{"metas":[{"phx_ref":"1","at":1}],"user":"old"},"bob":{"metas":[{"phx_ref":"b"}]}}"#,
    );
    tracker.sync_state(r#"{"ann":{"metas":[{"phx_ref":"1","at":2}],"user":"new"},"bob":{"metas":[{"phx_ref":"b"}]}}"#).unwrap();
    // The meta with a ref that was there stays as it was.
    assert_eq!(
        json(&tracker, "ann"),
        r#"{"metas":[{"phx_ref":"1","at":1}],"user":"new"}"#
    );
    assert_eq!(tracker.steps().len(), 0);
    let changes: Vec<_> = tracker.changes().collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].kind(), &*changes[0].key()),
        (ChangeKind::Updated, "ann")
    );
    assert_eq!((changes[0].joined().len(), changes[0].left().len()), (0, 0));
    assert_eq!(changes[0].before().unwrap().extra("user"), Some("\"old\""));
    assert_eq!(changes[0].after().unwrap().extra("user"), Some("\"new\""));
}

#[test]
fn an_update_is_neither_a_join_nor_a_leave() {
    let mut tracker = synced(r#"{"ann":{"metas":[{"phx_ref":"1"},{"phx_ref":"2"}]}}"#);
    let update = r#"{"joins":{"ann":{"metas":[{"phx_ref":"3","phx_ref_prev":"never sent"}]}},"leaves":{"ann":{"metas":[{"phx_ref":"1"}]}}}"#;
    tracker.sync_diff(update).unwrap();
    assert_eq!(tracker.steps().len(), 2);
    let changes: Vec<_> = tracker.changes().collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].kind(), ChangeKind::Updated);
    let refs = |metas: Vec<_>| {
        metas
            .iter()
            .map(|meta: &presence_core::presence::MetaRef<'_, _>| {
                meta.reference().unwrap().into_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(refs(changes[0].joined().collect()), ["3"]);
    assert_eq!(refs(changes[0].left().collect()), ["1"]);
    drop(changes);
    // The repetition of a join that a state already had is a step, and no change.
    tracker
        .sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"2"}]}},"leaves":{}}"#)
        .unwrap();
    assert_eq!((tracker.steps().len(), tracker.changes().len()), (1, 0));
    assert_eq!(
        json(&tracker, "ann"),
        r#"{"metas":[{"phx_ref":"3","phx_ref_prev":"never sent"},{"phx_ref":"2"}]}"#
    );
}

#[test]
fn keys_are_equal_as_javascript_strings_are() {
    let mut tracker = synced(
        r#"{"\u0061nn":{"metas":[{"phx_ref":"1"}]},"\ud800":{"metas":[]},"\ud801":{"metas":[]},"\ufffd":{"metas":[]}}"#,
    );
    assert_eq!(tracker.roster().len(), 4);
    assert_eq!(json(&tracker, "ann"), r#"{"metas":[{"phx_ref":"1"}]}"#);
    let keys: Vec<String> = tracker
        .roster()
        .iter()
        .map(|presence| {
            let mut key = Vec::new();
            presence.write_key(&mut key);
            String::from_utf8(key).unwrap()
        })
        .collect();
    assert_eq!(
        keys,
        [r#""ann""#, r#""\ud800""#, r#""\ud801""#, "\"\u{fffd}\""]
    );
    let lone = tracker.roster().get_wtf8(&[0xed, 0xa0, 0x80]).unwrap();
    assert_eq!(
        (&*lone.key(), lone.key_wtf8()),
        ("\u{fffd}", &[0xed, 0xa0, 0x80][..])
    );
    tracker
        .sync_diff(r#"{"joins":{},"leaves":{"ann":{"metas":[{"phx_r\u0065f":"\u0031"}]}}}"#)
        .unwrap();
    assert!(tracker.roster().get("ann").is_none());
}

#[test]
fn refs_that_are_numbers_are_compared_by_all_their_digits() {
    // JavaScript reads both as the same double, and would take the one for the other.
    let mut tracker = synced(r#"{"ann":{"metas":[{"phx_ref":9007199254740992}]}}"#);
    let leave = |number| {
        format!(r#"{{"joins":{{}},"leaves":{{"ann":{{"metas":[{{"phx_ref":{number}}}]}}}}}}"#)
    };
    tracker.sync_diff(&leave("9007199254740993")).unwrap();
    assert_eq!(tracker.roster().len(), 1);
    tracker.sync_diff(&leave("9007199254740992.0")).unwrap();
    assert!(tracker.roster().is_empty());
}

#[test]
fn odd_metas_and_refs_are_compared_as_javascript_does() {
    // No ref equals no ref, numbers are equal by value, a string is no number, and metas need not be objects.
    for (meta, other) in [
        (r#"{"x":1}"#, r#"{"x":2}"#),
        ("5", "\"text\""),
        (r#"{"x":1}"#, "[]"),
        (r#"{"phx_ref":1}"#, r#"{"phx_ref":1.0e0}"#),
        (r#"{"phx_ref":0}"#, r#"{"phx_ref":-0}"#),
        (r#"{"phx_ref":null}"#, r#"{"phx_ref":null,"x":1}"#),
        (r#"{"phx_ref":true}"#, r#"{"phx_ref":true}"#),
    ] {
        let mut tracker = synced(&format!(r#"{{"ann":{{"metas":[{meta}]}}}}"#));
        tracker
            .sync_diff(&format!(
                r#"{{"joins":{{}},"leaves":{{"ann":{{"metas":[{other}]}}}}}}"#
            ))
            .unwrap();
        assert!(tracker.roster().is_empty(), "{meta} {other}");
    }
    for (meta, other) in [
        (r#"{"phx_ref":"1"}"#, r#"{"phx_ref":1}"#),
        (r#"{"phx_ref":null}"#, "{}"),
        (r#"{"phx_ref":"null"}"#, r#"{"phx_ref":null}"#),
        (r#"{"phx_ref":true}"#, r#"{"phx_ref":false}"#),
        (r#"{"phx_ref":{}}"#, r#"{"phx_ref":{}}"#),
        (r#"{"phx_ref":[]}"#, r#"{"phx_ref":[]}"#),
        (r#"{"phx_ref":"1","phx_ref":"2"}"#, r#"{"phx_ref":"1"}"#),
    ] {
        let mut tracker = synced(&format!(r#"{{"ann":{{"metas":[{meta}]}}}}"#));
        tracker
            .sync_diff(&format!(
                r#"{{"joins":{{}},"leaves":{{"ann":{{"metas":[{other}]}}}}}}"#
            ))
            .unwrap();
        assert_eq!(tracker.roster().len(), 1, "{meta} {other}");
    }
    let tracker = synced(r#"{"ann":{"metas":[{"phx_ref":7},{"phx_ref":"\ud800"}]}}"#);
    let refs: Vec<_> = tracker
        .roster()
        .get("ann")
        .unwrap()
        .metas()
        .map(|meta| meta.reference())
        .collect();
    assert_eq!(refs, [None, Some("\u{fffd}".into())]);
}

#[test]
fn numbers_that_json_cannot_write_are_as_phoenix_js_clones_them() {
    let mut tracker = synced(
        r#"{"ann":{"metas":[{"phx_ref":"1","big":1e999,"zero":-0.0,"fine":-0.5e3}],"x":[-1e999]}}"#,
    );
    let written = r#"{"metas":[{"phx_ref":"1","big":null,"zero":0,"fine":-0.5e3}],"x":[null]}"#;
    assert_eq!(json(&tracker, "ann"), written);
    tracker.sync_state(r#"{"ann":{"metas":[{"phx_ref":"1","big":1e999,"zero":-0.0,"fine":-0.5e3}],"x":[-1e999]}}"#).unwrap();
    assert_eq!(
        (json(&tracker, "ann").as_str(), tracker.changes().len()),
        (written, 0)
    );
}

#[test]
fn flat_presences_are_known_to_be_flat() {
    for (text, flat) in [
        (
            r#"{"metas":[{"phx_ref":"1","a":"x","b":1,"c":null}]}"#,
            true,
        ),
        (r#"{"metas":[],"user":"x"}"#, true),
        (r#"{"metas":[{"phx_ref":"1","a":{}}]}"#, false),
        (
            r#"{"metas":[{"phx_ref":"1"},{"phx_ref":"2","a":[]}]}"#,
            false,
        ),
        (r#"{"metas":[[]]}"#, false),
        (r#"{"metas":[],"user":{"name":"x"}}"#, false),
    ] {
        let tracker = synced(&format!(r#"{{"ann":{text}}}"#));
        assert_eq!(
            tracker.roster().get("ann").unwrap().is_flat(),
            flat,
            "{text}"
        );
    }
    let mut tracker = synced(r#"{"ann":{"metas":[{"phx_ref":"1"}]}}"#);
    tracker
        .sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"2","a":[]}]}},"leaves":{}}"#)
        .unwrap();
    tracker
        .sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"3"}]}},"leaves":{}}"#)
        .unwrap();
    assert!(!tracker.roster().get("ann").unwrap().is_flat());
}

#[test]
fn a_presence_is_what_is_around_its_metas_and_they() {
    let mut tracker = synced(r#"{"ann":{"user":{"n":1},"metas":[{"phx_ref":"1"}],"x":2}}"#);
    tracker
        .sync_diff(r#"{"joins":{"ann":{"metas":[{"phx_ref":"2"}],"y":3}},"leaves":{}}"#)
        .unwrap();
    let ann = tracker.roster().get("ann").unwrap();
    let metas: Vec<&[u8]> = ann.metas().map(|meta| meta.raw_bytes()).collect();
    let (head, tail) = ann.around();
    assert_eq!(
        [head, &metas.join(&b','), tail].concat(),
        ann.to_json().as_bytes()
    );
    assert_eq!((head, tail), (&br#"{"metas":["#[..], &br#"],"y":3}"#[..]));
}

#[test]
fn white_space_is_no_matter() {
    let state = "\n{ \"ann\" : { \"metas\" : [ { \"phx_ref\" : \"1\" } , { \"phx_ref\":\"2\"} ] , \"x\" : 1 } }\t";
    let mut tracker = synced(state);
    let compact: String = state.split_whitespace().collect();
    tracker.sync_state(&compact).unwrap();
    assert_eq!(tracker.steps().len(), 0);
    assert_eq!(tracker.roster().get("ann").unwrap().len(), 2);
}

#[test]
fn callbacks_run_once_the_frame_is_applied() {
    use std::sync::{Arc, Mutex};

    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut presence = Presence::default();
    let (joins, leaves, syncs) = (log.clone(), log.clone(), log.clone());
    presence.on_join(move |key, current, new| {
        let current = current.map(|current| current.to_json());
        joins
            .lock()
            .unwrap()
            .push(format!("join {key} {current:?} {}", new.to_json()));
    });
    presence.on_leave(move |key, current, left| {
        let current = current.map(|current| current.to_json());
        leaves
            .lock()
            .unwrap()
            .push(format!("leave {key} {current:?} {}", left.to_json()));
    });
    presence.on_sync(move |roster| syncs.lock().unwrap().push(format!("sync {}", roster.len())));
    presence
        .sync_state(r#"{"b":{"metas":[{"phx_ref":"1"}]},"1":{"metas":[]}}"#)
        .unwrap();
    presence.sync_diff(r#"{"joins":{"b":{"metas":[{"phx_ref":"2"}]}},"leaves":{"1":{"metas":[]},"gone":{"metas":[]}}}"#).unwrap();
    assert!(presence.sync_diff("{}").is_err());
    assert_eq!(
        *log.lock().unwrap(),
        [
            r#"join 1 None {"metas":[]}"#,
            r#"join b None {"metas":[{"phx_ref":"1"}]}"#,
            "sync 2",
            r#"join b Some("{\"metas\":[{\"phx_ref\":\"1\"}]}") {"metas":[{"phx_ref":"2"}]}"#,
            r#"leave 1 Some("{\"metas\":[]}") {"metas":[]}"#,
            "sync 1",
        ]
    );
    assert_eq!(
        presence
            .list()
            .map(|presence| presence.key().into_owned())
            .collect::<Vec<_>>(),
        ["b"]
    );
}
