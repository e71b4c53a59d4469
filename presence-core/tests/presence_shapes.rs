//! Presences that are built alike are read by their shape: what that gives is what reading them in full gives.
#![allow(clippy::expect_used, reason = "a test fails by it")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::HashMap;

use presence_core::presence::{Json, MetaRef, PresenceRef, Tracker};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// White space may stand here. Where it does, no shape is looked for.
const GAP: char = '\u{7f}';

fn value() -> impl Strategy<Value = &'static str> {
    select(vec![
        r#""a""#,
        r#""""#,
        r#""longer than sixteen bytes, and so in two steps""#,
        r#""\"\\ \u00e9 世😀""#,
        r#""phx_ref":"x","b":"c""#,
        "0",
        "-0",
        "-1.5e3",
        "12345678901234567890",
        "true",
        "false",
        "null",
        "{}",
        r#"{"metas":[{"phx_ref":"inner"}]}"#,
        r#"["a",1,[],{"phx_ref":"inner"}]"#,
    ])
}

/// `{"…":…}` with up to four members and a ref among them.
fn meta() -> impl Strategy<Value = String> {
    let reference = prop_oneof![
        9 => "[a-c]".prop_map(|text| format!("\"{text}\"")),
        1 => select(vec!["1", "null", r#""\u0061""#, "{}"]).prop_map(str::to_owned),
    ];
    let members = prop::collection::vec(value(), 0..4);
    (reference, members, 0..4_usize).prop_map(|(reference, values, at)| {
        let mut members: Vec<String> = ["a", "b", "phx_ref_prev", "d"]
            .iter()
            .zip(values)
            .map(|(name, value)| format!(r#""{name}":{value}"#))
            .collect();
        let reference = format!(r#""phx_ref":{reference}"#);
        members.insert(at.min(members.len()), reference);
        format!("{{{}}}", members.join(","))
    })
}

fn entry() -> impl Strategy<Value = String> {
    let key = select(vec!["ann", "bob", "7", r"\u0061", "世"]);
    let beside = || prop::option::weighted(0.3, value());
    let metas = prop_oneof![
        6 => meta().prop_map(|meta| vec![meta]),
        2 => (meta(), 2..4_usize).prop_map(|(meta, count)| vec![meta; count]),
        1 => prop::collection::vec(meta(), 0..3),
    ];
    (key, beside(), metas, beside()).prop_map(|(key, before, metas, after)| {
        let metas = metas.join(",");
        let before = before.map_or(String::new(), |value| format!(r#""before":{value},"#));
        let after = after.map_or(String::new(), |value| format!(r#","user":{value}"#));
        format!(r#""{key}":{GAP}{{{before}"metas":[{metas}]{after}}}"#)
    })
}

fn presences() -> impl Strategy<Value = String> {
    prop::collection::vec(entry(), 0..6).prop_map(|entries| format!("{{{}}}", entries.join(",")))
}

#[derive(Clone, Debug)]
struct Frame {
    is_state: bool,
    text: String,
}

fn frame() -> impl Strategy<Value = Frame> {
    let damage = prop::option::weighted(
        0.2,
        (
            any::<prop::sample::Index>(),
            select(vec!["\"", "\\", "{", "]", ",", ":", "1", "x", "\n"]),
        ),
    );
    (any::<bool>(), presences(), presences(), damage).prop_map(
        |(is_state, joins, leaves, damage)| {
            let mut text = if is_state {
                joins
            } else {
                format!(r#"{{"joins":{joins},"leaves":{leaves}}}"#)
            };
            if let Some((at, with)) = damage {
                let chars: Vec<(usize, char)> = text.char_indices().collect();
                let (at, char) = *at.get(&chars);
                if char != GAP {
                    text.replace_range(at..at + char.len_utf8(), with);
                }
            }
            Frame { is_state, text }
        },
    )
}

fn apply(tracker: &mut Tracker, frame: &Frame, gap: &str) -> bool {
    let text = frame.text.replace(GAP, gap);
    if frame.is_state {
        tracker.sync_state(&text).is_ok()
    } else {
        tracker.sync_diff(&text).is_ok()
    }
}

fn show(presence: &PresenceRef<'_, Json>) -> String {
    let references: Vec<_> = presence.metas().map(|meta| meta.reference()).collect();
    format!(
        "{} {} {references:?} {}",
        presence.key(),
        presence.to_json(),
        presence.is_flat()
    )
}

fn show_all(tracker: &Tracker) -> [Vec<String>; 3] {
    let steps = tracker.steps().map(|step| {
        let current = step.current().as_ref().map(show);
        format!("{:?} {current:?} {}", step.kind(), show(&step.other()))
    });
    let changes = tracker.changes().map(|change| {
        let [before, after] = [change.before(), change.after()].map(|side| side.as_ref().map(show));
        format!("{:?} {before:?} {after:?}", change.kind())
    });
    let roster = tracker.roster().iter().map(|presence| show(&presence));
    [steps.collect(), changes.collect(), roster.collect()]
}

/// What stands before a value, without the name's quotes and the colon.
fn name_before(text: &str) -> &str {
    let quoted = text.strip_suffix('"').filter(|text| text.ends_with(':'));
    let name = quoted
        .unwrap_or(text)
        .strip_suffix("\":")
        .unwrap_or_default();
    name.rsplit('"').next().unwrap_or_default()
}

/// The names of a meta's properties, if its layout is known; the values are checked.
fn laid_out<'a>(tracker: &Tracker, meta: MetaRef<'a, Json>) -> Option<(u32, Vec<&'a str>)> {
    let mut places = Vec::new();
    let layout = tracker.layout(meta, &mut places)?;
    let raw = meta.raw();
    let parsed: Map<String, Value> = serde_json::from_str(raw).expect("an object");
    let names: Vec<&str> = places
        .iter()
        .map(|place| name_before(&raw[..place.start]))
        .collect();
    assert_eq!(names.len(), parsed.len(), "{raw}");
    for (name, place) in names.iter().zip(places) {
        let text = &raw[place.clone()];
        match &parsed[*name] {
            Value::String(value) => assert_eq!(value, text, "{raw}"),
            value => assert_eq!(value.to_string(), number_or_literal(text), "{raw}"),
        }
    }
    Some((layout, names))
}

fn number_or_literal(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("one value");
    assert!(!value.is_object() && !value.is_array() && !value.is_string());
    value.to_string()
}

#[test]
fn a_layout_is_of_flat_metas_whose_names_stay_in_place() {
    let has_layout = |members: &str| {
        let entry = |key| format!(r#""{key}":{{"metas":[{{"phx_ref":"{key}",{members}}}]}}"#);
        let state = format!("{{{},{},{}}}", entry("ann"), entry("bob"), entry("cy"));
        let mut tracker: Tracker = Tracker::default();
        tracker.sync_state(&state).expect("a state");
        let metas = || {
            tracker
                .roster()
                .iter()
                .flat_map(|presence| presence.metas())
        };
        let found = metas().filter(|meta| laid_out(&tracker, *meta).is_some());
        let count = found.count();
        assert!(count == 0 || count == metas().count(), "{members}: {count}");
        count > 0
    };
    assert!(has_layout(r#""a":"","b":-1.5,"c":null,"d":true,"é":"世""#));
    for odd in [
        r#""__proto__":1"#,
        r#""0":1"#,
        r#""\u0061":1"#,
        r#""a":1,"a":2"#,
        r#""phx_ref":"again""#,
        r#""a":{}"#,
        r#""a":[]"#,
        r#""a":{"b":1}"#,
        r#""a":"\"""#,
    ] {
        assert!(!has_layout(odd), "{odd}");
    }
}

proptest! {
    #[test]
    fn a_layout_says_where_the_values_are(frames in prop::collection::vec(frame(), 1..12)) {
        let mut tracker = Tracker::default();
        tracker.set_steps(true);
        let mut known = HashMap::new();
        for frame in &frames {
            apply(&mut tracker, frame, "");
            let stepped = tracker.steps().map(|step| step.other());
            for meta in tracker.roster().iter().chain(stepped).flat_map(|presence| presence.metas()) {
                if let Some((layout, names)) = laid_out(&tracker, meta) {
                    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
                    prop_assert_eq!(known.entry(layout).or_insert_with(|| names.clone()), &names);
                }
            }
        }
    }

    #[test]
    fn a_shape_changes_nothing(frames in prop::collection::vec(frame(), 1..12)) {
        let mut trackers = [Tracker::default(), Tracker::default()];
        for tracker in &mut trackers {
            tracker.set_steps(true);
            tracker.set_changes(true);
        }
        let [shaped, spaced] = &mut trackers;
        for frame in &frames {
            prop_assert_eq!(apply(shaped, frame, ""), apply(spaced, frame, " "), "{}", frame.text);
            prop_assert_eq!(show_all(shaped), show_all(spaced), "{}", frame.text);
        }
    }
}
