//! Presences that somebody else has decoded: the same histories come out as with JSON.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "common/histories.rs"]
mod histories;
#[path = "common/phoenix.rs"]
mod phoenix;
#[path = "common/random.rs"]
mod random;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use histories::{Event, events, state_of, text_of};
use phoenix::{Call, Object, Presence, State};
use presence_core::presence::{
    ChangeKind, Join, PresenceError, PresenceRef, ShapeProblem, StepKind, Tracker, Values,
    ValuesFrame,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

/// Whoever has the values: what each number stands for.
#[derive(Default)]
struct Owner {
    presences: Vec<Presence>,
    metas: Vec<String>,
}

impl Owner {
    /// Numbers a state's presences and metas; the text of it.
    fn tell(&mut self, state: &State) -> String {
        let mut parts = Vec::new();
        for (key, presence) in &state.0 {
            parts.push(format!("{key:?}"));
            // Where the metas stand counts here, since presences are compared as text.
            let without_metas = Presence {
                metas: Vec::new(),
                ..presence.clone()
            };
            if presence.members.len() > 1 {
                parts.push(format!("{:?}", without_metas.text()));
            }
            parts.push(presence.metas.len().to_string());
            for meta in &presence.metas {
                parts.push(meta.reference.clone().unwrap_or_else(|| "null".to_owned()));
                self.metas.push(meta.text.clone());
            }
            self.presences.push(without_metas);
        }
        format!("[{}]", parts.join(","))
    }

    fn frame<'a>(&self, text: &'a str, states: &[&State]) -> ValuesFrame<'a> {
        let presences: usize = states.iter().map(|state| state.0.len()).sum();
        let metas: usize = states
            .iter()
            .flat_map(|state| &state.0)
            .map(|(_, presence)| presence.metas.len())
            .sum();
        ValuesFrame {
            text,
            first: (self.presences.len() - presences) as u32,
            first_meta: (self.metas.len() - metas) as u32,
        }
    }

    fn text(&self, presence: PresenceRef<'_, Values>) -> String {
        let metas: Vec<&str> = presence
            .metas()
            .map(|meta| self.metas[meta.handle() as usize].as_str())
            .collect();
        let text = self.presences[presence.handle() as usize].text();
        text.replacen(
            "\"metas\":[]",
            &format!("\"metas\":[{}]", metas.join(",")),
            1,
        )
    }
}

struct Both {
    json: Tracker,
    values: Tracker<Values>,
    owner: Owner,
    join: usize,
    answered: bool,
}

impl Both {
    fn handle(&mut self, event: &Event) -> TestCaseResult {
        let join_ref = self.join.to_string();
        let join = Join {
            join_ref: Some(&join_ref),
            answered: self.answered,
        };
        let (json, values) = match event {
            Event::Rejoin => {
                self.join += 1;
                self.answered = false;
                return Ok(());
            }
            Event::Answer => {
                self.answered = true;
                return Ok(());
            }
            Event::State(written) => (self.json.handle_state_json(&text_of(written), join), {
                let state = state_of(written);
                let text = self.owner.tell(&state);
                self.values
                    .handle_state(self.owner.frame(&text, &[&state]), join)
            }),
            Event::Resync => {
                let roster = self.json.roster();
                let members = roster
                    .iter()
                    .map(|presence| format!("{:?}:{}", presence.key(), presence.to_json()));
                let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
                let state = self.same_state();
                let told = self.owner.tell(&state);
                let frame = self.owner.frame(&told, &[&state]);
                (
                    self.json.handle_state_json(&text, join),
                    self.values.handle_state(frame, join),
                )
            }
            Event::Diff(joins, leaves) => {
                let text = format!(
                    "{{\"joins\":{},\"leaves\":{}}}",
                    text_of(joins),
                    text_of(leaves)
                );
                let (joins, leaves) = (state_of(joins), state_of(leaves));
                let told = format!("[{},{}]", self.owner.tell(&joins), self.owner.tell(&leaves));
                let frame = self.owner.frame(&told, &[&joins, &leaves]);
                (
                    self.json.handle_diff_json(&text, join),
                    self.values.handle_diff(frame, join),
                )
            }
        };
        prop_assert_eq!(json.unwrap(), values.unwrap());
        self.compare()
    }

    /// The roster as the server would repeat it.
    fn same_state(&self) -> State {
        let mut state = Object::default();
        for presence in self.values.roster().iter() {
            let metas = presence.metas().map(|meta| phoenix::Meta {
                text: self.owner.metas[meta.handle() as usize].clone(),
                reference: meta.reference().map(|text| format!("{text:?}")),
            });
            let members = self.owner.presences[presence.handle() as usize]
                .members
                .clone();
            state.set(
                &presence.key(),
                Presence {
                    members,
                    metas: metas.collect(),
                },
            );
        }
        state
    }

    fn compare(&self) -> TestCaseResult {
        let json: Vec<_> = self
            .json
            .roster()
            .iter()
            .map(|presence| (presence.key(), presence.to_json()))
            .collect();
        let values: Vec<_> = self
            .values
            .roster()
            .iter()
            .map(|presence| (presence.key(), self.owner.text(presence)))
            .collect();
        prop_assert_eq!(values, json);
        let json: Vec<Call> = self
            .json
            .steps()
            .map(|step| {
                let current = step.current().map(|current| current.to_json());
                (
                    step.kind() == StepKind::Join,
                    step.key().into_owned(),
                    current,
                    step.other().to_json(),
                )
            })
            .collect();
        let values: Vec<Call> = self
            .values
            .steps()
            .map(|step| {
                let current = step.current().map(|current| self.owner.text(current));
                (
                    step.kind() == StepKind::Join,
                    step.key().into_owned(),
                    current,
                    self.owner.text(step.other()),
                )
            })
            .collect();
        prop_assert_eq!(values, json);
        Ok(())
    }
}

#[test]
fn histories_come_out_as_with_json() {
    // (Refs that are absent or odd are told as they are; a Resync could not repeat them.)
    random::check(300, events(&["\"r1\""]), |events| {
        let mut both = Both {
            json: Tracker::default(),
            values: Tracker::default(),
            owner: Owner::default(),
            join: 0,
            answered: true,
        };
        both.json.set_steps(true);
        both.values.set_steps(true);
        events.iter().try_for_each(|event| both.handle(event))
    });
}

fn frame(text: &str) -> ValuesFrame<'_> {
    ValuesFrame {
        text,
        first: 0,
        first_meta: 0,
    }
}

const JOIN: Join<'_> = Join {
    join_ref: Some("1"),
    answered: true,
};

#[test]
fn what_did_not_change_keeps_its_numbers() {
    let mut tracker: Tracker<Values> = Tracker::default();
    tracker.set_changes(true);
    let text = r#"["ann",1,"a","b\u006fb","{\"x\":1}",2,"b",null,"7",0]"#;
    let _ = tracker.handle_state(frame(text), JOIN).unwrap();
    let again = ValuesFrame {
        text,
        first: 100,
        first_meta: 100,
    };
    let _ = tracker.handle_state(again, JOIN).unwrap();
    assert_eq!(tracker.changes().len(), 0);
    let numbers = |tracker: &Tracker<Values>| -> Vec<(String, u32, Vec<u32>)> {
        let roster = tracker.roster();
        roster
            .iter()
            .map(|presence| {
                let metas = presence.metas().map(|meta| meta.handle()).collect();
                (presence.key().into_owned(), presence.handle(), metas)
            })
            .collect()
    };
    let expected = [
        ("7".into(), 2, vec![]),
        ("ann".into(), 0, vec![0]),
        ("bob".into(), 1, vec![1, 2]),
    ];
    assert_eq!(numbers(&tracker), expected);
    // What is beside the metas is new; the metas are those that were there.
    let text = r#"["ann",1,"a","bob","{\"x\":2}",2,"b",null,"7",0]"#;
    let refreshed = ValuesFrame {
        text,
        first: 200,
        first_meta: 200,
    };
    let _ = tracker.handle_state(refreshed, JOIN).unwrap();
    let changes: Vec<_> = tracker
        .changes()
        .map(|change| (change.kind(), change.key().into_owned()))
        .collect();
    assert_eq!(changes, [(ChangeKind::Updated, "bob".to_owned())]);
    let expected = [
        ("7".into(), 2, vec![]),
        ("ann".into(), 0, vec![0]),
        ("bob".into(), 201, vec![1, 2]),
    ];
    assert_eq!(numbers(&tracker), expected);
    // A diff's value replaces the one with the same ref, and is no change.
    let repeated = ValuesFrame {
        text: r#"[["ann",1,"a"],[]]"#,
        first: 300,
        first_meta: 300,
    };
    let _ = tracker.handle_diff(repeated, JOIN).unwrap();
    assert_eq!(tracker.changes().len(), 0);
    assert_eq!(numbers(&tracker)[1], ("ann".into(), 300, vec![300]));
}

#[test]
fn values_that_are_not_told_as_they_should_be_change_nothing() {
    let mut tracker: Tracker<Values> = Tracker::default();
    let _ = tracker
        .handle_state(frame(r#"["ann",1,"a"]"#), JOIN)
        .unwrap();
    for (text, offset) in [
        ("{}", 0),
        ("[1]", 1),
        (r#"["bob"]"#, 6),
        (r#"["bob","{}"]"#, 11),
        (r#"["bob",1]"#, 8),
        (r#"["bob",-1,"b"]"#, 7),
        (r#"["bob",1.5,"b"]"#, 7),
        (r#"["bob",4294967296]"#, 7),
        (r#"["bob",1,"b",2]"#, 13),
    ] {
        let error = tracker.handle_state(frame(text), JOIN).unwrap_err();
        assert_eq!(
            error,
            PresenceError::Shape {
                offset,
                problem: ShapeProblem::Values
            },
            "{text}"
        );
    }
    for (text, offset) in [
        ("[]", 1),
        ("[[]]", 3),
        ("[[],[],[]]", 7),
        (r#"[["bob",1,"b"],5]"#, 15),
    ] {
        let error = tracker.handle_diff(frame(text), JOIN).unwrap_err();
        assert_eq!(
            error,
            PresenceError::Shape {
                offset,
                problem: ShapeProblem::Values
            },
            "{text}"
        );
    }
    for text in ["", "[", r#"["bob",1,"b""#, r#"["bob",1,"b"]]"#] {
        let error = tracker.handle_state(frame(text), JOIN).unwrap_err();
        assert!(matches!(error, PresenceError::Frame(_)), "{text}: {error}");
    }
    let keys: Vec<_> = tracker
        .roster()
        .iter()
        .map(|presence| presence.key())
        .collect();
    assert_eq!(keys, ["ann"]);
}

#[test]
fn a_diff_may_wait_for_its_state() {
    let mut tracker: Tracker<Values> = Tracker::default();
    let diff = ValuesFrame {
        text: r#"[["bob",1,"b"],["ann",1,"a"]]"#,
        first: 0,
        first_meta: 0,
    };
    assert!(!tracker.handle_diff(diff, JOIN).unwrap().synced);
    let state = ValuesFrame {
        text: r#"["ann",1,"a"]"#,
        first: 2,
        first_meta: 2,
    };
    assert!(tracker.handle_state(state, JOIN).unwrap().synced);
    let bob = tracker.roster().get("bob").unwrap();
    assert_eq!(
        (
            tracker.roster().len(),
            bob.handle(),
            bob.metas().next().unwrap().handle()
        ),
        (1, 0, 0)
    );
}
