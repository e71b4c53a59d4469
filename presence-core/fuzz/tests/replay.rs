//! The corpus, damaged copies of it, and what would exhaust a stack, through every target.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by it, and says how to repeat it"
)]

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::{fs, panic, thread};

use anyhow::{Context, Result};
use presence_fuzz::{TARGETS, Target};

/// A target recurses nowhere: no depth of nesting needs more stack than this.
const STACK: usize = 256 << 10;

/// The files that a target is seeded with, in their order.
fn corpus(target: &str) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {folder:?}"))? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        files.push((path, bytes));
    }
    files.sort();
    anyhow::ensure!(!files.is_empty(), "{folder:?} is empty");
    Ok(files)
}

#[test]
fn the_corpus_holds() -> Result<()> {
    for (name, target) in TARGETS {
        for (path, bytes) in corpus(name)? {
            // Says which file it is, should it fail.
            println!("{}", path.display());
            target(&bytes);
        }
    }
    Ok(())
}

/// The seed is new each time, unless the variable `SEED` gives one; a failure says which input it was.
#[test]
fn damaged_copies_hold() -> Result<()> {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("SEED={seed}");
    for target in TARGETS {
        let files: Vec<Vec<u8>> = corpus(target.0)?
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect();
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..2_000 {
            attempt(target, &damaged(&files, &mut random), seed);
        }
    }
    Ok(())
}

fn attempt((name, target): Target, bytes: &[u8], seed: u64) {
    if let Err(panic) = panic::catch_unwind(|| target(bytes)) {
        println!("{name} failed with SEED={seed} on {}", bytes.escape_ascii());
        panic::resume_unwind(panic);
    }
}

/// A file with some bytes changed, put in, taken out, repeated, or with the end of another.
fn damaged(files: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = random.choice(files).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=bytes.len());
        let end = (at + random.usize(..40)).min(bytes.len());
        match random.u32(..5) {
            0 => bytes.insert(at, random.u8(..)),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = random.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => {
                let other = random.choice(files).cloned().unwrap_or_default();
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *random.choice(b"\"\\{}[]:,0-e\n \xc3dsja").unwrap_or(byte);
                }
            }
        }
    }
    bytes
}

#[test]
fn no_depth_exhausts_the_stack() -> Result<()> {
    let depth = 100_000;
    let nested = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
    let inputs = [
        ("json", nested.clone()),
        ("json", "[".repeat(depth)),
        ("text", format!("\0[null,null,\"t\",\"e\",{nested}]")),
        (
            "text",
            format!("\x01{{\"topic\":\"t\",\"event\":\"e\",\"payload\":{nested}}}"),
        ),
        (
            "roster",
            format!("\0s{{\"x\":{{\"metas\":[{nested}],\"more\":{nested}}}}}"),
        ),
        ("roster", format!("\0s{nested}")),
    ];
    for (name, input) in inputs {
        let (_, target) = TARGETS
            .into_iter()
            .find(|(known, _)| *known == name)
            .with_context(|| format!("there is no target {name}"))?;
        let thread = thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn(move || target(input.as_bytes()))?;
        assert!(thread.join().is_ok(), "{name}");
    }
    Ok(())
}
