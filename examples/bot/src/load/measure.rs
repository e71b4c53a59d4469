//! What is measured: how long until others see it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use parking_lot::Mutex;

/// Shared by all clients of a run.
pub(super) struct Measures {
    start: Instant,
    diffs: AtomicU64,
    joins: Mutex<Histogram<u64>>,
    updates: Mutex<Histogram<u64>>,
}

/// A moment of one user's, in microseconds since the start; 0 if there was none.
#[derive(Default)]
pub(super) struct Moment(AtomicU64);

/// What came of one kind of measurement, in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Latencies {
    pub(super) count: u64,
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
}

/// What takes longer counts as this, in microseconds.
const HOUR: u64 = 3_600_000_000;

impl Measures {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            start: Instant::now(),
            diffs: AtomicU64::new(0),
            joins: Mutex::new(Histogram::new_with_max(HOUR, 2)?),
            updates: Mutex::new(Histogram::new_with_max(HOUR, 2)?),
        })
    }

    fn now(&self) -> u64 {
        micros(self.start.elapsed()).max(1)
    }

    pub(super) fn mark(&self, moment: &Moment) {
        moment.0.store(self.now(), Ordering::Release);
    }

    pub(super) fn saw_join(&self, since: &Moment) {
        self.saw(&self.joins, since);
    }

    pub(super) fn saw_update(&self, since: &Moment) {
        self.saw(&self.updates, since);
    }

    fn saw(&self, histogram: &Mutex<Histogram<u64>>, since: &Moment) {
        let since = since.0.load(Ordering::Acquire);
        if since > 0 {
            histogram
                .lock()
                .saturating_record(self.now().saturating_sub(since));
        }
    }

    pub(super) fn saw_diff(&self) {
        self.diffs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn diffs(&self) -> u64 {
        self.diffs.load(Ordering::Relaxed)
    }

    pub(super) fn joins(&self) -> Latencies {
        Latencies::of(&self.joins.lock())
    }

    pub(super) fn updates(&self) -> Latencies {
        Latencies::of(&self.updates.lock())
    }
}

impl Latencies {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
