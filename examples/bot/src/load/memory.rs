//! How much memory this program takes, where the system says so.

use std::fs;

/// The resident memory, in bytes. Linux only.
pub(super) fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// What each of the clients takes.
pub(super) fn each(before: Option<u64>, after: Option<u64>, clients: u32) -> Option<u64> {
    Some(after?.saturating_sub(before?) / u64::from(clients))
}
