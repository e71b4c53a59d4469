//! How many instructions the hot paths take, counted by valgrind: the same on a noisy machine as on a quiet one.
//!
//! `cargo bench -p presence-core --bench counts` prints them beside `serde_json` parsing the same frames into a
//! `Value`, and beside what `counts.txt` has recorded; more than a twentieth above that is a failure.
//! `cargo bench -p presence-core --bench counts -- --record` writes the file anew. Another compiler counts differently.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use presence_core::message::Vsn;
use presence_core::presence::PresenceOptions;
use presence_core::{Config, Millis, Socket};
use serde_json::Value;

#[path = "common/frames.rs"]
mod frames;

use frames::{JOIN, Shape, joins_and_leaves, open, state, synced, updates};

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.txt");

/// By how much a count may exceed the recorded one.
const TOLERANCE: f64 = 0.05;

/// How often the frames of a diff are read, so that the rare compaction of the roster has its share.
const ROUNDS: usize = 20;

/// What is counted: a name, how many frames it reads, and what does it.
type Op = (&'static str, usize, fn(Side));

#[derive(Clone, Copy)]
enum Side {
    Presence,
    SerdeJson,
}

const OPS: &[Op] = &[
    ("first sync, 100", 1, |side| first_sync(side, 100)),
    ("first sync, 10000", 1, |side| first_sync(side, 10_000)),
    ("resync, 100", 1, |side| resync(side, 100)),
    ("resync, 10000", 1, |side| resync(side, 10_000)),
    ("diff, 10000", 100 * ROUNDS, |side| {
        diffs(side, Shape::Plain, joins_and_leaves)
    }),
    ("rich diff, 10000", 100 * ROUNDS, |side| {
        diffs(side, Shape::Rich, joins_and_leaves)
    }),
    ("update, 10000", 100 * ROUNDS, |side| {
        diffs(side, Shape::Plain, updates)
    }),
    ("socket's diff, 10000", 100 * ROUNDS, socket_diffs),
];

/// Counting goes on from here until it returns.
#[inline(never)]
fn while_counting<R>(run: impl FnOnce() -> R) -> R {
    black_box(run())
}

fn parse(frames: &[String]) {
    for frame in frames {
        black_box(serde_json::from_str::<Value>(black_box(frame)).expect("JSON"));
    }
}

fn first_sync(side: Side, users: usize) {
    let state = state(Shape::Plain, users);
    match side {
        Side::SerdeJson => while_counting(|| parse(&[state])),
        Side::Presence => drop(while_counting(|| synced(black_box(&state)))),
    }
}

fn resync(side: Side, users: usize) {
    let state = state(Shape::Plain, users);
    match side {
        Side::SerdeJson => while_counting(|| parse(&[state])),
        Side::Presence => {
            let mut tracker = synced(&state);
            let outcome = while_counting(|| tracker.handle_state(open(black_box(&state)), JOIN));
            assert!(outcome.expect("a state").synced);
        }
    }
}

/// Counts the rounds, but for a first one, which makes room.
fn rounds(mut round: impl FnMut()) {
    round();
    while_counting(|| (0..ROUNDS).for_each(|_| round()));
}

fn diffs(side: Side, shape: Shape, frames: fn(Shape, usize) -> Vec<String>) {
    let frames = frames(shape, 10_000);
    match side {
        Side::SerdeJson => rounds(|| parse(&frames)),
        Side::Presence => {
            let mut tracker = synced(&state(shape, 10_000));
            rounds(|| {
                for frame in &frames {
                    let outcome = tracker.handle_diff(open(black_box(frame)), JOIN);
                    assert!(outcome.expect("a diff").synced);
                }
            });
        }
    }
}

/// The same through a whole socket, as a connected client reads them.
fn socket_diffs(side: Side) {
    let frames = joins_and_leaves(Shape::Plain, 10_000);
    if let Side::SerdeJson = side {
        return rounds(|| parse(&frames));
    }
    let now = Millis(0);
    let mut socket = Socket::<()>::new(Config::default());
    socket.connect(now);
    let connection = socket.connection().expect("a connection");
    socket.handle_open(now, connection, false);
    let channel = socket.channel("room:bench", None);
    let presence = socket.track(channel, PresenceOptions::default());
    socket.join(now, channel, None).expect("a join");
    let join = socket.join_ref(channel).expect("a join");
    let frames_of_join = [
        format!(
            r#"["{join}","{join}","room:bench","phx_reply",{{"status":"ok","response":{{}}}}]"#
        ),
        state(Shape::Plain, 10_000).replacen('1', &join.to_string(), 1),
    ];
    let mut read = |frame: &str| {
        socket
            .handle_text(now, connection, Vsn::V2, black_box(frame))
            .expect("a frame");
        while socket.poll_transmit().is_some() {}
        while socket.poll_event().is_some() {}
        let update = socket.updated_presences().first();
        update.is_some_and(|update| update.synced)
    };
    let [answered, synced] = frames_of_join.map(|frame| read(&frame));
    assert!(!answered && synced);
    rounds(|| {
        for frame in &frames {
            assert!(read(frame));
        }
    });
    let tracker = socket.presence(presence).expect("the presence");
    assert_eq!(tracker.roster().len(), 10_000);
}

/// Runs one op of this binary in valgrind.
fn count(op: usize, side: Side) -> u64 {
    let binary = std::env::current_exe().expect("this binary's path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*while_counting*")
        .arg(binary)
        .args(["--op", &op.to_string(), &(side as usize).to_string()])
        .output()
        .expect("valgrind is needed: install it with your system's package manager");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    collected
        .and_then(|(_, count)| count.trim().parse().ok())
        .filter(|count| *count > 0)
        .unwrap_or_else(|| panic!("valgrind counted nothing:\n{said}"))
}

fn recorded() -> BTreeMap<String, f64> {
    let text = fs::read_to_string(RECORD).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.rsplit_once(": "));
    lines
        .filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
        .collect()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--op") {
        let number = |at: usize| args.get(at).and_then(|arg| arg.parse::<usize>().ok());
        let (_, _, run) = number(at + 1).and_then(|op| OPS.get(op)).expect("an op");
        run(if number(at + 2) == Some(0) {
            Side::Presence
        } else {
            Side::SerdeJson
        });
        return ExitCode::SUCCESS;
    }
    let before = recorded();
    let mut record = String::new();
    let mut worse = false;
    println!(
        "{:<22} {:>14} {:>12} {:>9}",
        "instructions a frame", "presence-core", "× serde_json", "recorded"
    );
    for (op, (name, frames, _)) in OPS.iter().enumerate() {
        let a_frame = |side| count(op, side) as f64 / *frames as f64;
        let (ours, theirs) = (a_frame(Side::Presence), a_frame(Side::SerdeJson));
        let change = before.get(*name).map(|before| ours / before - 1.0);
        worse |= change.is_none_or(|change| change > TOLERANCE);
        let change = change.map_or("not".to_owned(), |change| {
            format!("{:+.1} %", change * 100.0)
        });
        println!(
            "{name:<22} {ours:>14.0} {:>12.3} {change:>9}",
            ours / theirs
        );
        writeln!(record, "{name}: {ours:.0}").expect("text");
    }
    if args.iter().any(|arg| arg == "--record") {
        fs::write(RECORD, record).expect("counts.txt can be written");
    } else if worse {
        println!(
            "\nMore than recorded, or not recorded. If that is meant so: `cargo bench -p presence-core --bench counts -- --record`"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
