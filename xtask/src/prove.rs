//! `cargo xtask prove`: the long versions of proofs whose short ones are in the test run.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::{process, say, stamp};

#[derive(clap::Subcommand)]
pub(crate) enum Proof {
    /// Replays recordings of real servers: every frame decodes, every roster is the server's own
    Traces {
        /// Recordings; those of presence-core's tests if none are named
        files: Vec<PathBuf>,
    },
}

pub(crate) fn run(project: &Project, proof: &Proof) -> Result<()> {
    match proof {
        Proof::Traces { files } => traces(project, files),
    }
}

fn traces(project: &Project, files: &[PathBuf]) -> Result<()> {
    say::step("Replaying recordings");
    let mut replay = project.cargo(["run", "--quiet", "--release", "--package=presence-core"]);
    replay.args(["--example=replay", "--"]);
    if files.is_empty() {
        let root = project.path("");
        for file in stamp::files(&project.path("presence-core/tests/fixtures"))? {
            replay.arg(file.strip_prefix(&root).unwrap_or(&file));
        }
    }
    for file in files {
        // Named from where the person stands, not from the root where cargo starts.
        let file =
            std::path::absolute(file).with_context(|| format!("cannot find {}", file.display()))?;
        replay.arg(file);
    }
    process::run(&mut replay)
}
