//! The simulation in short: see `examples/simulate`, which runs as many worlds as one likes.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by it, and says how to repeat it"
)]

#[path = "../examples/simulate/sim/mod.rs"]
mod sim;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::hash::{BuildHasher, RandomState};

use sim::{Totals, run};

/// As wasm, unoptimised, all takes ten times as long.
const SHARE: u64 = if cfg!(target_arch = "wasm32") { 8 } else { 1 };

/// Runs so many worlds, other ones each time, or those from the variable `SEED` on; then says what they were like.
fn worlds(count: u64, first_cut: impl Fn(u64) -> Option<u32>) -> Totals {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    println!("SEED={seed}");
    let mut totals = Totals::default();
    for index in 0..count {
        let outcome = run(seed + index, first_cut(index), false);
        if let Some(failure) = outcome.failure {
            let trace = run(seed + index, first_cut(index), true).trace;
            let end = trace[trace.len().saturating_sub(60)..].join("\n");
            panic!("seed {} failed {failure}\n{end}", seed + index);
        }
        totals.add(&outcome.totals);
    }
    println!("{totals}");
    totals
}

#[test]
fn whatever_happens_the_roster_is_the_server_s_soon_after() {
    let totals = worlds(160 / SHARE, |_| None);
    // Enough has happened for that to mean something.
    for (what, count) in [
        ("connections", totals.connections),
        ("cuts", totals.cuts),
        ("half-open connections", totals.half_open),
        ("nodes that died", totals.restarts),
        ("splits", totals.splits),
        ("ghosts", totals.ghosts),
        ("diffs that waited", totals.held),
        ("replies", totals.replied),
        ("timeouts", totals.timed_out),
        ("disconnected pushes", totals.disconnected),
        ("rosters", totals.rosters),
        ("presences", totals.present),
    ] {
        assert!(count > 16 / SHARE, "only {count} {what}");
    }
}

#[test]
fn a_connection_may_be_cut_at_any_message() {
    let totals = worlds(200 / SHARE, |index| Some((index % 40) as u32));
    assert!(totals.cuts >= 40 / SHARE, "only {} cuts", totals.cuts);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 1..=(8 / SHARE) {
        let (first, second) = (run(seed, None, true), run(seed, None, true));
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert!(!first.trace.is_empty());
        // And being watched changes nothing.
        assert_eq!(run(seed, None, false).digest, first.digest, "seed {seed}");
    }
    assert_ne!(run(1, None, false).digest, run(2, None, false).digest);
}
