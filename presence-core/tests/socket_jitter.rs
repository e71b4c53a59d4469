//! Waits shortened at random, from a seed.

#[path = "common/socket.rs"]
mod socket;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Backoff, Config, Wait};
use socket::Pair;

const TABLE: [u64; 11] = [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000];

fn config(jitter: f64, seed: u64) -> Config {
    Config {
        jitter,
        seed,
        ..Config::default()
    }
}

/// The waits of a server that is away.
fn reconnects(config: Config) -> Vec<u64> {
    let mut pair = Pair::new(config);
    pair.connect();
    TABLE
        .iter()
        .map(|_| {
            pair.fail();
            pair.jump().unwrap_or_default()
        })
        .collect()
}

#[test]
fn without_jitter_the_waits_are_the_table_whatever_the_seed() {
    for seed in [0, 1, u64::MAX] {
        assert_eq!(reconnects(config(0.0, seed)), TABLE);
    }
}

#[test]
fn a_wait_is_cut_by_the_fraction_at_the_most_and_never_stretched() {
    for seed in 0..200 {
        for (wait, full) in reconnects(config(0.25, seed)).into_iter().zip(TABLE) {
            assert!(wait <= full, "seed {seed}: {wait} of {full}");
            assert!(wait * 4 >= full * 3, "seed {seed}: {wait} of {full}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_waits() {
    for seed in [0, 7, u64::MAX] {
        assert_eq!(reconnects(config(0.5, seed)), reconnects(config(0.5, seed)));
    }
}

#[test]
fn clients_of_different_seeds_spread_over_the_whole_fraction() {
    // The tenth wait is 5000 ms; a thousand clients come back over half of it, evenly.
    let mut tenths = [0; 5];
    for seed in 0..1_000 {
        let wait = reconnects(config(0.5, seed))[9];
        tenths[((wait.clamp(2_501, 5_000) - 2_501) / 500) as usize] += 1;
    }
    for count in tenths {
        assert!((150..250).contains(&count), "{tenths:?}");
    }
}

#[test]
fn a_fraction_that_is_none_is_taken_as_the_nearest_that_is() {
    for jitter in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        assert_eq!(reconnects(config(jitter, 1)), TABLE, "{jitter}");
    }
    let waits = reconnects(config(17.0, 1));
    assert!(waits.iter().zip(TABLE).all(|(wait, full)| *wait <= full));
    assert_eq!(waits, reconnects(config(1.0, 1)));
}

#[test]
fn rejoins_and_answered_waits_are_spread_too() {
    let mut rejoins = Vec::new();
    let mut asked = Vec::new();
    for seed in 0..50 {
        let (mut pair, room) = Pair::joined_with(config(0.5, seed), "room:1");
        pair.event(room, "phx_error", "{}");
        rejoins.extend(pair.jump());

        let mut pair = Pair::connected_with(Config {
            reconnect: Backoff::Asked,
            ..config(0.5, seed)
        });
        pair.close(1006);
        pair.socket.set_delay(pair.at(), Wait::Reconnect, 1_000);
        asked.extend(pair.jump());
    }
    for mut waits in [rejoins, asked] {
        assert!(waits.iter().all(|wait| (500..=1_000).contains(wait)));
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 25, "{waits:?}");
    }
}

#[test]
fn heartbeats_and_timeouts_are_not_spread() {
    let mut pair = Pair::connected_with(config(1.0, 3));
    assert_eq!(pair.jump(), Some(30_000));
    assert_eq!(pair.jump(), Some(30_000));
}

#[test]
fn the_longest_of_waits_is_no_overflow() {
    let mut pair = Pair::new(Config {
        reconnect: Backoff::Steps {
            steps: Vec::new(),
            then: u64::MAX,
        },
        ..config(1.0, 5)
    });
    pair.connect();
    pair.fail();
    assert!(pair.socket.poll_timeout().is_some());
}
