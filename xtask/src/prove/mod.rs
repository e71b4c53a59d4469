//! `cargo xtask prove`: the long versions of proofs whose short ones are in the test run.

mod fuzz;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::{npm, process, say, stamp};

#[derive(clap::Subcommand)]
pub(crate) enum Proof {
    /// Plays random histories over phoenix.js and over the npm package: all that is seen is the same
    ///
    /// Of presences, of sockets, of the static functions, and texts for the JSON scanner.
    Differential {
        /// How many histories
        #[arg(long, default_value_t = 100_000)]
        count: u64,
        /// Play for so long instead
        #[arg(long)]
        minutes: Option<u64>,
        /// The seed of all of them; a new one each time if none is given
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Simulates worlds that go wrong, on a virtual clock: every roster ends as the server's
    Simulate {
        /// How many worlds
        #[arg(long, default_value_t = 10_000)]
        count: u64,
        /// Simulate for so long instead
        #[arg(long)]
        minutes: Option<u64>,
        /// The first world's seed; a new one each time if none is given
        #[arg(long)]
        seed: Option<u64>,
        /// Print all that happens in them
        #[arg(long)]
        trace: bool,
    },
    /// Feeds hostile bytes to both codecs, the JSON scanner, the roster and the whole socket
    ///
    /// Installs nightly Rust and cargo-fuzz if they are missing; nothing else needs them.
    Fuzz(fuzz::Options),
    /// Replays recordings of real servers: every frame decodes, every roster is the server's own
    ///
    /// What was sent to those servers is what presence-core would send. There is no count and no seed: a recording is played
    /// once, and nothing in it is left to chance.
    Traces {
        /// Recordings; those of presence-core's tests if none are named
        files: Vec<PathBuf>,
    },
    /// Runs phoenix.js's own test files over the npm package: npm/COMPATIBILITY.md says which cases pass
    ///
    /// In jest, which it installs under target/. There is no count and no seed.
    Upstream {
        /// A clone of github.com/phoenixframework/phoenix
        #[arg(long, value_name = "DIR")]
        phoenix: PathBuf,
    },
}

pub(crate) fn run(project: &Project, proof: &Proof) -> Result<()> {
    match proof {
        Proof::Differential {
            count,
            minutes,
            seed,
        } => {
            npm::build(project, &npm::Options::default())?;
            differential(project, *count, *minutes, *seed)
        }
        Proof::Simulate {
            count,
            minutes,
            seed,
            trace,
        } => simulate(project, *count, *minutes, *seed, *trace),
        Proof::Fuzz(options) => fuzz::run(project, options),
        Proof::Traces { files } => traces(project, files),
        Proof::Upstream { phoenix } => {
            npm::build(project, &npm::Options::default())?;
            upstream(project, phoenix)
        }
    }
}

/// The package has to be built.
pub(crate) fn differential(
    project: &Project,
    count: u64,
    minutes: Option<u64>,
    seed: Option<u64>,
) -> Result<()> {
    say::step("Playing histories over both libraries");
    let mut play = project.command("node");
    play.arg("npm/test/differential/run.mjs");
    match minutes {
        Some(minutes) => play.args(["--minutes", &minutes.to_string()]),
        None => play.args(["--count", &count.to_string()]),
    };
    if let Some(seed) = seed {
        play.args(["--seed", &seed.to_string()]);
    }
    process::run(&mut play)
}

fn simulate(
    project: &Project,
    count: u64,
    minutes: Option<u64>,
    seed: Option<u64>,
    trace: bool,
) -> Result<()> {
    say::step("Simulating");
    let mut simulate = example(project, "simulate");
    match minutes {
        Some(minutes) => simulate.args(["--minutes", &minutes.to_string()]),
        None => simulate.args(["--count", &count.to_string()]),
    };
    if let Some(seed) = seed {
        simulate.args(["--seed", &seed.to_string()]);
    }
    if trace {
        simulate.arg("--trace");
    }
    process::run(&mut simulate)
}

/// An example of presence-core's, its arguments to follow.
fn example(project: &Project, name: &str) -> Command {
    let mut command = project.cargo(["run", "--quiet", "--release", "--package=presence-core"]);
    command.args(["--example", name, "--"]);
    command
}

fn traces(project: &Project, files: &[PathBuf]) -> Result<()> {
    say::step("Replaying recordings");
    let mut replay = example(project, "replay");
    if files.is_empty() {
        let root = project.path("");
        for file in stamp::files(&project.path("presence-core/tests/fixtures"))? {
            replay.arg(file.strip_prefix(&root).unwrap_or(&file));
        }
    }
    for file in files {
        replay.arg(from_here(file)?);
    }
    process::run(&mut replay)
}

fn upstream(project: &Project, phoenix: &Path) -> Result<()> {
    say::step("Running upstream's tests");
    process::run(
        project
            .command("node")
            .arg("npm/test/upstream/run.mjs")
            .arg("--phoenix")
            .arg(from_here(phoenix)?)
            .arg("--scratch")
            .arg(project.scratch("upstream")),
    )
}

/// Named from where the person stands, not from the root where the commands start.
fn from_here(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}
