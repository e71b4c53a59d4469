//! Feeds recordings through the codec and the presence tracker, compares each roster with what the server itself listed
//! at that moment, and writes anew what the clients sent.
//!
//! `cargo run --release -p presence-core --example replay -- FILE…`

mod recording;
mod sent;

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use recording::{Report, replay};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut out = stdout().lock();
    let (mut matched, mut lists, mut failed) = (0, 0, false);
    for file in std::env::args().skip(1) {
        let report = match std::fs::read_to_string(&file)
            .map_err(Into::into)
            .and_then(|text| replay(&text))
        {
            Ok(report) => report,
            Err(error) => {
                failed = true;
                writeln!(out, "{file}: {error}")?;
                continue;
            }
        };
        let Report {
            frames,
            sent,
            malformed,
            mismatches,
            ..
        } = &report;
        writeln!(
            out,
            "{file}: {} of {} lists matched, {frames} frames decoded, {sent} sent the same ({malformed} malformed)",
            report.matched(),
            report.lists
        )?;
        for mismatch in mismatches {
            writeln!(out, "  {mismatch}")?;
        }
        matched += report.matched();
        lists += report.lists;
    }
    writeln!(out, "{matched} of {lists} lists matched")?;
    let good = !failed && lists > 0 && matched == lists;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
