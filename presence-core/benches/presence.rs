//! What presence costs, next to what `serde_json` takes to parse the same frame into a `Value`.
//!
//! `cargo bench -p presence-core` prints criterion's figures and then the ratios. Arguments are criterion's:
//! `cargo bench -p presence-core -- resync`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion};
use presence_core::codec::TextFrame;
use presence_core::message::Vsn;
use presence_core::presence::{Join, Json, Tracker};
use serde_json::Value;

const JOIN: Join<'_> = Join {
    join_ref: Some("1"),
    answered: true,
};

#[derive(Clone, Copy)]
enum Shape {
    Plain,
    Rich,
}

/// A presence as a server sends it.
fn entry(shape: Shape, user: usize, generation: usize) -> String {
    let phx_ref = format!("F{:015x}", user * 64 + generation);
    match shape {
        Shape::Plain => format!(
            r#""user-{user}":{{"metas":[{{"online_at":"{}","status":"{}","phx_ref":"{phx_ref}"}}]}}"#,
            1_764_000_000 + user,
            if user.is_multiple_of(3) {
                "away"
            } else {
                "online"
            },
        ),
        Shape::Rich => format!(
            r#""user-{user}":{{"metas":[{{"device":{{"kind":"phone","at":[{}.5,-{user}],"tags":["a","b\\c","é世😀"]}},"name":"Näme \"{user}\"","phx_ref":"{phx_ref}","typing":{}}}],"user":{{"name":"Name","avatar":null}}}}"#,
            user,
            user.is_multiple_of(5),
        ),
    }
}

fn state(shape: Shape, users: usize) -> String {
    let entries: Vec<String> = (0..users).map(|user| entry(shape, user, 0)).collect();
    format!(
        r#"["1",null,"room:bench","presence_state",{{{}}}]"#,
        entries.join(",")
    )
}

fn diff(joins: &str, leaves: &str) -> String {
    format!(
        r#"[null,null,"room:bench","presence_diff",{{"joins":{{{joins}}},"leaves":{{{leaves}}}}}]"#
    )
}

fn open(text: &str) -> TextFrame<'_> {
    TextFrame::open(Vsn::V2, text).expect("a frame")
}

fn synced(state: &str) -> Tracker {
    let mut tracker = Tracker::default();
    let outcome = tracker.handle_state(open(state), JOIN).expect("a state");
    assert!(outcome.synced);
    tracker
}

fn parse(group: &mut BenchmarkGroup<'_, WallTime>, frames: &[String]) {
    group.bench_function("serde_json", |bencher| {
        bencher.iter_with_large_drop(|| {
            frames
                .iter()
                .map(|frame| serde_json::from_str::<Value>(frame).expect("JSON"))
                .collect::<Vec<_>>()
        });
    });
}

fn states(criterion: &mut Criterion, shape: Shape, name: &str, users: usize) {
    let state = state(shape, users);
    let mut group = criterion.benchmark_group(format!("first sync {name} {users}"));
    parse(&mut group, std::slice::from_ref(&state));
    group.bench_function("presence", |bencher| {
        bencher.iter_batched(
            Tracker::<Json>::default,
            |mut tracker| {
                let outcome = tracker.handle_state(open(&state), JOIN);
                (tracker, outcome)
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();

    let mut group = criterion.benchmark_group(format!("resync {name} {users}"));
    parse(&mut group, std::slice::from_ref(&state));
    let mut tracker = synced(&state);
    group.bench_function("presence", |bencher| {
        bencher.iter(|| tracker.handle_state(open(&state), JOIN))
    });
    group.finish();
}

/// Fifty users who join and leave again, or who update their metas.
fn diffs(criterion: &mut Criterion, shape: Shape, name: &str, users: usize) {
    let mut tracker = synced(&state(shape, users));
    let joins_and_leaves: Vec<String> = (users..users + 50)
        .map(|user| entry(shape, user, 0))
        .flat_map(|entry| [diff(&entry, ""), diff("", &entry)])
        .collect();
    let updates: Vec<String> = (0..50)
        .map(|number| number * 7919 % users)
        .flat_map(|user| {
            [(0, 1), (1, 0)]
                .map(|(old, new)| diff(&entry(shape, user, new), &entry(shape, user, old)))
        })
        .collect();
    for (what, frames) in [("diff", joins_and_leaves), ("update", updates)] {
        let mut group = criterion.benchmark_group(format!("{what} {name} {users}"));
        parse(&mut group, &frames);
        group.bench_function("presence", |bencher| {
            bencher.iter(|| {
                frames
                    .iter()
                    .filter(|frame| tracker.handle_diff(open(frame), JOIN).is_ok())
                    .count()
            });
        });
        group.finish();
    }
}

/// The median of each benchmark that ran, in nanoseconds, by group.
fn medians(folder: &Path) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut medians: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    let entries = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .collect::<Vec<_>>()
    };
    for group in entries(folder) {
        for benchmark in entries(&group.path()) {
            let Ok(text) = fs::read_to_string(benchmark.path().join("new/estimates.json")) else {
                continue;
            };
            let estimates: Value = serde_json::from_str(&text).expect("criterion's estimates");
            let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            let median = estimates["median"]["point_estimate"]
                .as_f64()
                .expect("a median");
            medians
                .entry(name(&group))
                .or_default()
                .insert(name(&benchmark), median);
        }
    }
    medians
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let _ = fs::remove_dir_all(&folder);
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(20)
        .configure_from_args();
    for (shape, name) in [(Shape::Plain, "plain"), (Shape::Rich, "rich")] {
        for users in [100, 10_000] {
            states(&mut criterion, shape, name, users);
        }
        diffs(&mut criterion, shape, name, 10_000);
    }
    for users in [1, 100, 1_000_000] {
        diffs(&mut criterion, Shape::Plain, "plain", users);
    }
    criterion.final_summary();
    println!(
        "\n{:<28} {:>12} {:>12} {:>7}",
        "", "serde_json", "presence", "ratio"
    );
    for (group, times) in medians(&folder) {
        if let (Some(base), Some(ours)) = (times.get("serde_json"), times.get("presence")) {
            println!(
                "{group:<28} {:>9.2} us {:>9.2} us {:>7.3}",
                base / 1e3,
                ours / 1e3,
                ours / base
            );
        }
    }
}
