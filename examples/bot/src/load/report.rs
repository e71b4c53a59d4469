//! What a run says at its end.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::measure::Latencies;

pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) clients: u32,
    pub(super) online: usize,
    pub(super) rooms: u32,
    pub(super) joined_in: Duration,
    pub(super) lasted: Duration,
    pub(super) actions: u64,
    pub(super) failures: u64,
    pub(super) diffs: u64,
    pub(super) memory: Option<u64>,
    pub(super) joins: Latencies,
    pub(super) updates: Latencies,
    pub(super) wrong: usize,
}

impl Report {
    fn diffs_per_second(&self) -> f64 {
        self.diffs as f64 / self.lasted.as_secs_f64().max(f64::EPSILON)
    }

    pub(super) fn json(&self) -> Value {
        let latencies = |l: Latencies| json!({ "count": l.count, "p50_us": l.p50, "p90_us": l.p90, "p99_us": l.p99, "max_us": l.max });
        json!({
            "seed": self.seed,
            "clients": self.clients,
            "online": self.online,
            "rooms": self.rooms,
            "joined_in_ms": self.joined_in.as_millis() as u64,
            "lasted_ms": self.lasted.as_millis() as u64,
            "actions": self.actions,
            "failures": self.failures,
            "diffs": self.diffs,
            "diffs_per_second": self.diffs_per_second(),
            "memory_per_client_bytes": self.memory,
            "join_seen": latencies(self.joins),
            "update_seen": latencies(self.updates),
            "wrong_rosters": self.wrong,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |micros: u64| micros as f64 / 1000.0;
        let mut latencies = |what: &str, l: Latencies| match l.count {
            0 => writeln!(f, "{what:<22} never"),
            count => writeln!(
                f,
                "{what:<22} p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms ({count} times)",
                ms(l.p50),
                ms(l.p90),
                ms(l.p99),
                ms(l.max)
            ),
        };
        latencies("joined there, seen here", self.joins)?;
        latencies("updated, seen here", self.updates)?;
        writeln!(
            f,
            "clients                {} in {} rooms, {} online at the end, all joined in {:.1} s",
            self.clients,
            self.rooms,
            self.online,
            self.joined_in.as_secs_f64()
        )?;
        writeln!(
            f,
            "actions                {} in {:.1} s, {} failed",
            self.actions,
            self.lasted.as_secs_f64(),
            self.failures
        )?;
        writeln!(
            f,
            "diffs                  {} received, {:.0} a second",
            self.diffs,
            self.diffs_per_second()
        )?;
        match self.memory {
            Some(bytes) => writeln!(
                f,
                "memory                 {:.1} KB a client",
                bytes as f64 / 1024.0
            )?,
            None => writeln!(f, "memory                 unknown on this system")?,
        }
        match self.wrong {
            0 => writeln!(f, "rosters                all {} right", self.online)?,
            wrong => writeln!(f, "rosters                {wrong} of {} WRONG", self.online)?,
        }
        writeln!(f, "seed                   {}", self.seed)
    }
}
