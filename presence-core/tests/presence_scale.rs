//! Large rosters: linear, without recursion, within bounds of memory.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::presence::{CatchUp, Tracker};

fn entry(key: usize, generation: usize) -> String {
    format!(
        r#""user-{key}":{{"metas":[{{"online_at":"1764000000","status":"online","phx_ref":"F{key:010}-{generation:04}"}}]}}"#
    )
}

fn state(keys: impl Iterator<Item = usize>) -> String {
    let entries: Vec<String> = keys.map(|key| entry(key, 0)).collect();
    format!("{{{}}}", entries.join(","))
}

fn diff(joins: &[String], leaves: &[String]) -> String {
    format!(
        r#"{{"joins":{{{}}},"leaves":{{{}}}}}"#,
        joins.join(","),
        leaves.join(",")
    )
}

fn metas(range: std::ops::Range<usize>) -> String {
    let metas: Vec<String> = range
        .map(|number| format!(r#"{{"phx_ref":"ref {number}"}}"#))
        .collect();
    format!(r#"{{"bot":{{"metas":[{}]}}}}"#, metas.join(","))
}

#[test]
fn a_hundred_thousand_metas_on_one_key() {
    let mut tracker = Tracker::default();
    tracker.set_steps(true);
    tracker.set_changes(true);
    tracker.sync_state(&metas(0..100_000)).unwrap();
    tracker.sync_state(&metas(50_000..150_000)).unwrap();
    let steps: Vec<_> = tracker
        .steps()
        .map(|step| {
            (
                step.current().map(|current| current.len()),
                step.other().len(),
            )
        })
        .collect();
    assert_eq!(steps, [(Some(100_000), 50_000), (Some(100_000), 50_000)]);
    let change = tracker.changes().next().unwrap();
    assert_eq!(
        (change.joined().len(), change.left().len()),
        (50_000, 50_000)
    );
    let bot = tracker.roster().get("bot").unwrap();
    assert_eq!(bot.len(), 100_000);
    assert_eq!(
        bot.metas().next().unwrap().reference().unwrap(),
        "ref 50000"
    );
    assert_eq!(
        bot.metas().last().unwrap().reference().unwrap(),
        "ref 149999"
    );
    tracker
        .sync_diff(&format!(
            r#"{{"joins":{{}},"leaves":{}}}"#,
            metas(50_000..150_000)
        ))
        .unwrap();
    assert!(tracker.roster().is_empty());
}

#[test]
fn a_million_keys() {
    let count = 1_000_000;
    let entry = |key: usize| format!(r#""k{key}":{{"metas":[{{"phx_ref":"{key}"}}]}}"#);
    let text = format!(
        "{{{}}}",
        (0..count).map(entry).collect::<Vec<_>>().join(",")
    );
    let mut tracker = Tracker::default();
    tracker.sync_state(&text).unwrap();
    assert_eq!(tracker.roster().len(), count);
    tracker.sync_state(&text).unwrap();
    tracker
        .sync_diff(&diff(&[entry(count)], &[entry(7)]))
        .unwrap();
    let roster = tracker.roster();
    assert!(roster.get("k7").is_none());
    assert_eq!(roster.iter().last().unwrap().key(), "k1000000");
    tracker.sync_state("{}").unwrap();
    assert!(tracker.roster().is_empty());
}

#[test]
fn index_like_keys_come_in_their_order_whatever_the_frames() {
    let count = 20_000;
    let scattered = |number: usize| number * 7919 % 100_003;
    let keyed = |key: usize| format!(r#""{key}":{{"metas":[{{"phx_ref":"{key}"}}]}}"#);
    let entries: Vec<String> = (0..count).map(|number| keyed(scattered(number))).collect();
    let mut tracker = Tracker::default();
    tracker
        .sync_state(&format!("{{{}}}", entries[..count / 2].join(",")))
        .unwrap();
    for entry in &entries[count / 2..count / 2 + 100] {
        tracker
            .sync_diff(&diff(std::slice::from_ref(entry), &[]))
            .unwrap();
    }
    tracker
        .sync_state(&format!("{{{}}}", entries.join(",")))
        .unwrap();
    tracker.sync_diff(&diff(&[], &entries[..5000])).unwrap();
    let mut expected: Vec<usize> = (5000..count).map(scattered).collect();
    expected.sort_unstable();
    let keys: Vec<usize> = tracker
        .roster()
        .iter()
        .map(|presence| presence.key().parse().unwrap())
        .collect();
    assert_eq!(keys, expected);
}

#[test]
fn a_first_state_takes_its_text_and_96_bytes_a_presence() {
    for count in [10_000, 14_337, 28_673, 50_000] {
        let named = state(0..count);
        let indexed = named.replace("user-", "1");
        for text in [named, indexed] {
            let mut tracker = Tracker::default();
            tracker.sync_state(&text).unwrap();
            let memory = tracker.roster().memory();
            assert!(
                memory <= text.len() + 96 * count,
                "{count}: {}",
                (memory - text.len()) / count
            );
        }
    }
}

#[test]
fn memory_stays_bounded_however_long_it_goes_on() {
    let count = 500;
    let text = state(0..count);
    let mut tracker = Tracker::default();
    tracker.set_changes(true);
    tracker.sync_state(&text).unwrap();
    let mut generations = vec![0; count];
    for turn in 0..100_000 {
        let key = turn * 7919 % count;
        let old = entry(key, generations[key]);
        generations[key] += 1;
        tracker
            .sync_diff(&diff(&[entry(key, generations[key])], &[old]))
            .unwrap();
    }
    let roster = tracker.roster();
    assert!(
        roster.memory() < 4 * (text.len() + 96 * count),
        "{}",
        roster.memory()
    );
    for (key, generation) in generations.iter().enumerate() {
        let presence = roster.get(&format!("user-{key}")).unwrap();
        assert_eq!(
            format!(r#""user-{key}":{}"#, presence.to_json()),
            entry(key, *generation)
        );
    }
}

#[test]
fn presences_that_come_and_go_leave_nothing_behind() {
    let mut tracker: Tracker = Tracker::default();
    for key in 0..50_000 {
        tracker.sync_diff(&diff(&[entry(key, 0)], &[])).unwrap();
        if key >= 10 {
            tracker
                .sync_diff(&diff(&[], &[entry(key - 10, 0)]))
                .unwrap();
        }
    }
    assert_eq!(tracker.roster().len(), 10);
    assert!(
        tracker.roster().slots() < 32,
        "{}",
        tracker.roster().slots()
    );
    assert!(
        tracker.roster().memory() < 64 << 10,
        "{}",
        tracker.roster().memory()
    );
}

#[test]
fn a_mirror_hears_of_what_changed_and_no_more() {
    let mut tracker: Tracker = Tracker::default();
    let mut patches = Vec::new();
    tracker.sync_state(&state(0..1000)).unwrap();
    assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Rebuild);
    assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Patch);
    assert_eq!(patches, []);
    // A state that says what is known is no news.
    tracker.sync_state(&state(0..1000)).unwrap();
    assert_eq!(
        (tracker.drain_patches(&mut patches), patches.len()),
        (CatchUp::Patch, 0)
    );
    tracker
        .sync_diff(&diff(
            &[entry(1000, 0), entry(5, 1)],
            &[entry(5, 0), entry(6, 0)],
        ))
        .unwrap();
    assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Patch);
    let there: Vec<bool> = patches.iter().map(|patch| patch.slot.is_some()).collect();
    assert_eq!(there, [true, false, true]);
    assert!(patches.is_sorted_by_key(|patch| patch.order));
    tracker.sync_state(&state(5000..6000)).unwrap();
    assert_eq!(tracker.drain_patches(&mut patches), CatchUp::Rebuild);
    assert_eq!(tracker.roster().len(), 1000);
}

#[test]
fn the_same_frames_give_the_same_roster() {
    let run = || {
        let mut tracker = Tracker::default();
        tracker.set_steps(true);
        tracker.set_changes(true);
        tracker.sync_state(&state(0..100)).unwrap();
        tracker
            .sync_diff(&diff(&[entry(200, 0), entry(5, 1)], &[entry(5, 0)]))
            .unwrap();
        let outcome = format!(
            "{:?} {:?}",
            tracker.steps().collect::<Vec<_>>(),
            tracker.changes().collect::<Vec<_>>()
        );
        tracker.sync_state(&state(50..250)).unwrap();
        format!("{outcome} {tracker:?}")
    };
    assert_eq!(run(), run());
}
