//! `cargo xtask bench`: what it costs, as ratios that any machine can print.

use anyhow::Result;
use clap::ValueEnum;

use crate::process;
use crate::project::Project;
use crate::say;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this bench; all if none is named
    bench: Option<Bench>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// presence-core beside serde_json parsing the same frames
    Core,
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let benches = match &options.bench {
        Some(bench) => std::slice::from_ref(bench),
        None => Bench::value_variants(),
    };
    for bench in benches {
        match bench {
            Bench::Core => {
                say::step("Measuring presence-core");
                process::run(&mut project.cargo([
                    "bench",
                    "--package=presence-core",
                    "--bench=presence",
                ]))?;
            }
        }
    }
    Ok(())
}
