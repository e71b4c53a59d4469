//! Frames that are wrong change nothing, and say what is wrong.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "common/random.rs"]
mod random;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::codec::{CodecError, TextFrame};
use presence_core::json::Expected;
use presence_core::message::Vsn;
use presence_core::presence::{CatchUp, Join, PresenceError, ShapeProblem, Tracker};
use proptest::prelude::*;

const STATE: &str = r#"{"ann":{"metas":[{"phx_ref":"a1"},{"phx_ref":"a2"}],"x":1},"7":{"metas":[{"phx_ref":"b"}]}}"#;
const JOIN: Join<'_> = Join {
    join_ref: Some("1"),
    answered: true,
};

fn synced() -> Tracker {
    let mut tracker = Tracker::default();
    tracker.set_steps(true);
    tracker.set_changes(true);
    tracker.sync_state(STATE).unwrap();
    tracker
}

fn list(tracker: &Tracker) -> Vec<(String, Option<u64>, String)> {
    let roster = tracker.roster();
    roster
        .iter()
        .map(|presence| {
            (
                presence.key().into_owned(),
                presence.order(),
                presence.to_json(),
            )
        })
        .collect()
}

fn shape(error: &PresenceError) -> Option<(usize, ShapeProblem)> {
    match error {
        PresenceError::Shape { offset, problem } => Some((*offset, *problem)),
        _ => None,
    }
}

#[test]
fn states_of_another_shape() {
    for (payload, offset, problem) in [
        ("null", 0, ShapeProblem::StateNotAnObject),
        (" []", 1, ShapeProblem::StateNotAnObject),
        (r#"{"new":null}"#, 7, ShapeProblem::Presence),
        (r#"{"new":[]}"#, 7, ShapeProblem::Presence),
        (r#"{"new":{}}"#, 7, ShapeProblem::Metas),
        (r#"{"new":{"metas":null}}"#, 16, ShapeProblem::Metas),
        (r#"{"new":{"metas":{}}}"#, 16, ShapeProblem::Metas),
        (
            r#"{"new":{"metas":[{}, null]}}"#,
            21,
            ShapeProblem::NullMeta,
        ),
        (r#"{"new":{"metas":[],"metas":5}}"#, 27, ShapeProblem::Metas),
        (
            r#"{"ann":{"metas":[]},"new":{"Metas":[]}}"#,
            26,
            ShapeProblem::Metas,
        ),
    ] {
        let mut tracker = synced();
        let before = list(&tracker);
        let error = tracker.sync_state(payload).unwrap_err();
        assert_eq!(shape(&error), Some((offset, problem)), "{payload}");
        assert_eq!(list(&tracker), before, "{payload}");
        assert_eq!((tracker.steps().len(), tracker.changes().len()), (0, 0));
    }
}

#[test]
fn diffs_of_another_shape() {
    for (payload, offset, problem) in [
        ("5", 0, ShapeProblem::DiffNotAnObject),
        ("{}", 0, ShapeProblem::Joins),
        (r#"{"joins":{}}"#, 0, ShapeProblem::Leaves),
        (r#"{"leaves":{}}"#, 0, ShapeProblem::Joins),
        (r#"{"joins":[],"leaves":{}}"#, 9, ShapeProblem::Joins),
        (r#"{"joins":{},"leaves":null}"#, 21, ShapeProblem::Leaves),
        (
            r#"{"joins":{},"leaves":{"ghost":{}}}"#,
            30,
            ShapeProblem::Metas,
        ),
        (
            r#"{"joins":{"new":{"metas":[{"phx_ref":"n"}]}},"leaves":{"ann":5}}"#,
            61,
            ShapeProblem::Presence,
        ),
    ] {
        let mut tracker = synced();
        let before = list(&tracker);
        let error = tracker.sync_diff(payload).unwrap_err();
        assert_eq!(shape(&error), Some((offset, problem)), "{payload}");
        assert_eq!(list(&tracker), before, "{payload}");
    }
    let error = synced().sync_diff("{}").unwrap_err();
    let text =
        "not a presence payload, at byte 0: a diff's \"joins\" must be an object of presences";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_broken_rest_of_the_frame_undoes_what_was_read() {
    let mut tracker = synced();
    let _ = tracker.handle_state_json(STATE, JOIN).unwrap();
    let before = list(&tracker);
    let state = r#"["1",null,"t","presence_state",{"new":{"metas":[{"phx_ref":"n"}]}}"#;
    let diff = r#"[null,null,"t","presence_diff",{"joins":{"new":{"metas":[{"phx_ref":"n"}]}},"leaves":{}}"#;
    for end in ["", "}", ",", ",{]", "]]"] {
        let (state, diff) = (format!("{state}{end}"), format!("{diff}{end}"));
        let state = TextFrame::open(Vsn::V2, &state).unwrap();
        let diff = TextFrame::open(Vsn::V2, &diff).unwrap();
        for error in [
            tracker.handle_state(state, JOIN),
            tracker.handle_diff(diff, JOIN),
        ]
        .map(Result::unwrap_err)
        {
            assert!(
                matches!(error, PresenceError::Frame(CodecError::Json(_))),
                "{end}: {error}"
            );
        }
        assert_eq!(list(&tracker), before, "{end}");
    }
    assert_eq!(tracker.drain_patches(&mut Vec::new()), CatchUp::Rebuild);
    tracker
        .sync_diff(r#"{"joins":{"new":{"metas":[{"phx_ref":"n"}]}},"leaves":{}}"#)
        .unwrap();
    assert_eq!(tracker.roster().len(), 3);
}

#[test]
fn offsets_count_from_the_start_of_the_frame() {
    let frame = r#"["1",null,"t","presence_state",{"ann":{"metas":[{]}}]"#;
    let error = Tracker::<presence_core::presence::Json>::default()
        .handle_state(TextFrame::open(Vsn::V2, frame).unwrap(), JOIN)
        .unwrap_err();
    let PresenceError::Frame(CodecError::Json(error)) = error else {
        panic!("{error}")
    };
    assert_eq!((error.offset, error.expected), (49, Expected::Key));
}

#[test]
fn a_frame_cut_or_damaged_anywhere_changes_nothing_or_is_valid() {
    let state = r#"{"ann":{"metas":[{"phx_ref":"a2"},{"at":[{}],"phx_ref":"a3"}],"x":[1,{"y":"z"}]},"9":{"metas":[{"phx_ref":"c"}]},"\u00e9":{"metas":[],"metas":[{"phx_ref":-0}]}}"#;
    let diff = r#"{"joins":{"ann":{"metas":[{"phx_ref":"a3"}]},"new":{"x":-1e999,"metas":[{"phx_ref":"n"},{}]}},"leaves":{"7":{"metas":[{"phx_ref":"b"}]}}}"#;
    let cases = (
        any::<bool>(),
        any::<prop::sample::Index>(),
        0usize..3,
        "[\"{}\\[\\],:0a\\\\]?",
    );
    random::check(2000, cases, |(is_state, at, cut, piece)| {
        let text = if is_state { state } else { diff };
        let start = at.index(text.len());
        let damaged = format!(
            "{}{piece}{}",
            &text[..start],
            &text[(start + cut).min(text.len())..]
        );
        let mut tracker = synced();
        let _ = tracker.drain_patches(&mut Vec::new());
        let before = list(&tracker);
        let result = if is_state {
            tracker.sync_state(&damaged)
        } else {
            tracker.sync_diff(&damaged)
        };
        let valid = serde_json::from_str::<serde::de::IgnoredAny>(&damaged).is_ok();
        if !valid {
            prop_assert!(result.is_err(), "{}", damaged);
        }
        if result.is_err() {
            prop_assert_eq!(list(&tracker), before);
            let mut patches = Vec::new();
            prop_assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Patch);
            prop_assert_eq!(patches, []);
        }
        // Nothing is poisoned: what comes next is applied as if nothing had been.
        tracker.sync_state(state).unwrap();
        let mut fresh = Tracker::default();
        fresh.sync_state(state).unwrap();
        let keys = |tracker: &Tracker| {
            let mut keys: Vec<String> = tracker
                .roster()
                .iter()
                .map(|presence| presence.key().into_owned())
                .collect();
            keys.sort();
            keys
        };
        prop_assert_eq!(keys(&tracker), keys(&fresh));
        Ok(())
    });
}
