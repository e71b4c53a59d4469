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
use presence_core::presence::{Json, Tracker};
use serde_json::Value;

#[path = "common/frames.rs"]
mod frames;

use frames::{JOIN, Shape, joins_and_leaves, open, state, synced, updates};

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

fn diffs(criterion: &mut Criterion, shape: Shape, name: &str, users: usize) {
    let mut tracker = synced(&state(shape, users));
    for (what, frames) in [
        ("diff", joins_and_leaves(shape, users)),
        ("update", updates(shape, users)),
    ] {
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
