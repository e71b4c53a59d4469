//! `cargo xtask bench`: what it costs, as ratios that any machine can print.

use anyhow::Result;
use clap::ValueEnum;

use crate::project::Project;
use crate::{npm, process, say, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this bench; all if none is named
    bench: Option<Bench>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// presence-core beside serde_json parsing the same frames
    Core,
    /// Instructions that presence-core takes, counted by valgrind, beside those recorded in presence-core/benches/counts.txt
    Counts,
    /// The npm package beside phoenix.js and the best plain JavaScript we could write, in Node
    Node,
    /// The same in headless Chromium
    Chromium,
    /// presence-native beside tokio-tungstenite and serde_json alone: frames, a large room, memory
    Native,
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
            Bench::Counts => {
                setup::valgrind()?;
                say::step("Counting presence-core's instructions");
                process::run(&mut project.cargo([
                    "bench",
                    "--package=presence-core",
                    "--bench=counts",
                ]))?;
            }
            Bench::Node => {
                npm::build(project, &npm::Options::default())?;
                say::step("Measuring the npm package in Node");
                process::run(project.command("node").arg("npm/bench/node.mjs"))?;
            }
            Bench::Chromium => {
                let chromium = setup::chromium()?;
                npm::build(project, &npm::Options::default())?;
                say::step("Measuring the npm package in Chromium");
                let mut bench = project.command("node");
                process::run(
                    bench
                        .arg("npm/bench/chromium.mjs")
                        .env("CHROMIUM_BIN", chromium),
                )?;
            }
            Bench::Native => {
                say::step("Measuring presence-native");
                for bench in ["frames", "memory"] {
                    process::run(
                        project
                            .cargo(["bench", "--package=presence-native"])
                            .arg(format!("--bench={bench}")),
                    )?;
                }
            }
        }
    }
    Ok(())
}
