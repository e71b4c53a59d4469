//! Every chore of the project, as `cargo xtask NAME`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to its terminal"
)]

mod bench;
mod build;
mod demo;
mod msrv;
mod npm;
mod pack;
mod process;
mod project;
mod prove;
mod readme;
mod say;
mod setup;
mod stamp;
mod suites;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Show a room: builds everything, starts server, page and bot, prints one URL
    Demo(demo::Options),
    /// Run every test suite there is, its set-up included
    Test(test::Options),
    /// Install what the other chores need: the wasm target, npm packages, Chromium
    Setup,
    /// Build the npm package into npm/dist
    BuildNpm(npm::Options),
    /// Prove at length what the tests prove in short
    #[command(subcommand)]
    Prove(prove::Proof),
    /// Measure what it costs
    Bench(bench::Options),
    /// Format the Rust sources
    Fmt {
        /// Only say what is not formatted
        #[arg(long)]
        check: bool,
    },
    /// Run clippy for the host and for wasm32, warnings denied
    Lint,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match Project::find().and_then(|project| run(cli.chore, &project)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore, project: &Project) -> anyhow::Result<()> {
    match chore {
        Chore::Demo(options) => demo::run(project, &options),
        Chore::Test(options) => test::run(project, &options),
        Chore::Setup => setup::everything(project),
        Chore::BuildNpm(options) => npm::build(project, &options),
        Chore::Bench(options) => bench::run(project, &options),
        Chore::Prove(proof) => prove::run(project, &proof),
        Chore::Fmt { check } => suites::fmt(project, check),
        Chore::Lint => suites::lint(project),
    }
}
