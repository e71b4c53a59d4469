//! How long to wait before the next try.

use alloc::vec;
use alloc::vec::Vec;

use crate::timer::TimerId;

/// The waits between tries, in milliseconds.
///
/// ```
/// use presence_core::{Backoff, Config, Millis, Socket, Transmit};
///
/// let reconnect = Backoff::Steps { steps: vec![1_000, 2_000], then: 60_000 };
/// let mut socket: Socket<()> = Socket::new(Config { reconnect, ..Config::default() });
/// socket.connect(Millis(0));
/// let Some(Transmit::Connect { connection }) = socket.poll_transmit() else { panic!() };
/// socket.handle_close(Millis(20), connection, None);
/// assert_eq!(socket.poll_timeout(), Some(Millis(1_020)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Backoff {
    /// The n-th try waits for the n-th entry; later ones for `then`.
    Steps {
        /// The first waits.
        steps: Vec<u64>,
        /// Every later wait.
        then: u64,
    },
    /// The shell is asked each time, by [`Event::DelayNeeded`], since the
    /// answer is the user's own function.
    ///
    /// [`Event::DelayNeeded`]: crate::Event::DelayNeeded
    Asked,
}

impl Backoff {
    /// phoenix.js's waits before it connects again: 10, 50, 100, 150, 200,
    /// 250, 500, 1000 and 2000 ms, then 5000.
    pub fn reconnect() -> Self {
        Self::Steps {
            steps: vec![10, 50, 100, 150, 200, 250, 500, 1000, 2000],
            then: 5000,
        }
    }

    /// phoenix.js's waits before it joins a channel again: 1000, 2000 and
    /// 5000 ms, then 10000.
    pub fn rejoin() -> Self {
        Self::Steps {
            steps: vec![1000, 2000, 5000],
            then: 10_000,
        }
    }

    /// The wait before try number `tries`, counted from 1; none if the shell
    /// is to be asked.
    pub(crate) fn delay(&self, tries: u32) -> Option<u64> {
        match self {
            Self::Steps { steps, then } => {
                let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
                Some(steps.get(index).copied().unwrap_or(*then))
            }
            Self::Asked => None,
        }
    }
}

/// A wait that grows with each try: phoenix.js's `Timer`.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    pub(crate) tries: u32,
    pub(crate) timer: Option<TimerId>,
    /// The shell was asked for the wait and has not answered.
    pub(crate) asked: bool,
}

/// Randomness from a seed the shell gave (SplitMix64): enough to spread
/// clients out, and the same each time for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Jitter {
    state: u64,
    fraction: f64,
}

impl Jitter {
    pub(crate) fn new(seed: u64, fraction: f64) -> Self {
        let fraction = if fraction.is_finite() {
            fraction.clamp(0.0, 1.0)
        } else {
            0.0
        };
        Self {
            state: seed,
            fraction,
        }
    }

    /// `ms`, shortened by a random part of the configured fraction.
    pub(crate) fn spread(&mut self, ms: u64) -> u64 {
        if self.fraction == 0.0 {
            return ms;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        let unit = (x >> 11) as f64 / (1u64 << 53) as f64;
        ms - (ms as f64 * self.fraction * unit) as u64
    }
}
