//! Randomised tests that say how to repeat them.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "this is how a test speaks"
)]

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// Tries `test` on so many values, or on `CASES` if that variable is set. The seed is new each time, unless the variable
/// `SEED` gives one, and is printed; a failure is shrunk first.
pub(crate) fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let seed = variable("SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let cases = variable("CASES").unwrap_or(cases);
    println!("SEED={seed} CASES={cases}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 100_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&strategy, test) {
        panic!("SEED={seed}: {error}");
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
}
