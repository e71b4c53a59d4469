//! How the chores speak: plain lines, with colour where the terminal takes it.

use std::time::Duration;

use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// What is about to be done.
pub(crate) fn step(text: &str) {
    println!("{CYAN}▸{CYAN:#} {BOLD}{text}{BOLD:#}");
}

/// Something worth knowing about the step at hand.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// A command as it is about to be run.
pub(crate) fn command(text: &str) {
    println!("{DIM}  $ {text}{DIM:#}");
}

/// Why it all ends.
pub(crate) fn failure(text: &str) {
    eprintln!("{RED}error:{RED:#} {text}");
}

/// `850 ms`, `12.3 s`, `4 min 07 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{} ms", time.as_millis())
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// `512 B`, `38.4 KB` (of 1024 bytes).
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        format!("{bytes} B")
    } else {
        format!("{:.1} KB", bytes as f64 / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(duration(Duration::from_millis(850)), "850 ms");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(duration(Duration::from_secs(247)), "4 min 07 s");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(39_322), "38.4 KB");
    }
}
