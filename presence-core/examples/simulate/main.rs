//! Runs the machine through worlds that go wrong, on a virtual clock, and compares its rosters with the truth.
//!
//! `cargo run --release -p presence-core --example simulate -- [--count N] [--minutes M] [--seed S] [--trace]`
//!
//! `--count` seeds are run, or as many as `--minutes` have room for, from `--seed` on (a new one each time, if none is
//! given). A seed replays exactly: `--count 1 --seed S` repeats a failure, and `--trace` prints all that happens.

mod sim;

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sim::{Totals, run};

struct Options {
    count: u64,
    minutes: Option<u64>,
    seed: u64,
    trace: bool,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        count: 10_000,
        minutes: None,
        seed: RandomState::new().hash_one(0) >> 16,
        trace: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, Box<dyn Error>> {
            let value = arguments.next().unwrap_or_default();
            Ok(value
                .parse()
                .map_err(|_| format!("{argument} takes a number, not {value:?}"))?)
        };
        match &*argument {
            "--count" => options.count = number()?,
            "--minutes" => options.minutes = Some(number()?),
            "--seed" => options.seed = number()?,
            "--trace" => options.trace = true,
            _ => {
                return Err(format!(
                    "unknown argument {argument}; known are --count N, --minutes M, --seed S and --trace"
                )
                .into());
            }
        }
    }
    Ok(options)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut options = options()?;
    let mut out = stdout().lock();
    let how_many = match options.minutes {
        Some(minutes) => format!("{minutes} minutes of"),
        None => options.count.to_string(),
    };
    writeln!(out, "{how_many} seeds, from seed {}", options.seed)?;
    if options.trace {
        for seed in options.seed..options.seed.saturating_add(options.count) {
            let outcome = run(seed, None, true);
            writeln!(out, "seed {seed}")?;
            for line in outcome.trace {
                writeln!(out, "{line}")?;
            }
        }
    }
    let started = Instant::now();
    let most = if options.minutes.is_some() {
        u64::MAX
    } else {
        options.count
    };
    let time = options
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let next = AtomicU64::new(0);
    let results = Mutex::new((Totals::default(), Vec::new(), 0, 0));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    if time.is_some_and(|time| started.elapsed() >= time) {
                        return;
                    }
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= most {
                        return;
                    }
                    let seed = options.seed.wrapping_add(index);
                    let outcome = run(seed, None, false);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.0.add(&outcome.totals);
                    results.3 += 1;
                    results.2 ^= outcome.digest.rotate_left(index as u32);
                    if let Some(failure) = outcome.failure {
                        results.1.push((seed, failure));
                    }
                }
            });
        }
    });
    let (totals, mut failures, digest, count) =
        results.into_inner().unwrap_or_else(PoisonError::into_inner);
    options.count = count;
    failures.sort();
    for (seed, failure) in failures.iter().take(20) {
        writeln!(out, "seed {seed} failed {failure}")?;
    }
    if let Some((seed, _)) = failures.first() {
        let trace = run(*seed, None, true).trace;
        writeln!(out, "the end of seed {seed}:")?;
        for line in &trace[trace.len().saturating_sub(60)..] {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "all of it: --count 1 --seed {seed} --trace")?;
    }
    writeln!(out, "{totals}")?;
    writeln!(
        out,
        "{} of {} seeds held, in {:.1} s (digest {digest:016x}, the same each time)",
        options.count - failures.len() as u64,
        options.count,
        started.elapsed().as_secs_f64()
    )?;
    Ok(ExitCode::from(u8::from(!failures.is_empty())))
}
