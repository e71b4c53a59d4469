//! Where things are, and the commands that start there.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout and where cargo puts what it builds.
pub(crate) struct Project {
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    /// Finds both from where cargo says this package is, and from where it has put this binary.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let binary = std::env::current_exe().context("cannot tell where this binary is")?;
        let root = manifest.parent().context("xtask is not in a checkout")?;
        // target/debug/xtask
        let target = binary
            .ancestors()
            .nth(2)
            .context("xtask is not in cargo's target folder")?;
        Ok(Self {
            root: root.to_path_buf(),
            target: target.to_path_buf(),
        })
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A file or folder of the chores' own under cargo's target folder.
    pub(crate) fn scratch(&self, relative: &str) -> PathBuf {
        self.target.join("xtask").join(relative)
    }

    /// What cargo built for wasm32 with `profile`.
    pub(crate) fn wasm_artifact(&self, profile: &str, file: &str) -> PathBuf {
        self.target
            .join("wasm32-unknown-unknown")
            .join(profile)
            .join(file)
    }

    /// A binary of the workspace as a plain `cargo build` leaves it.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target
            .join("debug")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A command that starts at the root of the checkout.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// A command that starts in `folder`, a path from the root.
    pub(crate) fn command_in(&self, folder: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(folder));
        command
    }

    /// npm in `folder`, a path from the root.
    pub(crate) fn npm<'a>(&self, folder: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command_in(folder, "npm");
        command.args(args);
        command
    }

    /// The cargo that runs this binary, building where this binary was built.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.env("CARGO_TARGET_DIR", &self.target).args(args);
        command
    }
}
