//! What a bare machine lacks: the wasm target, npm packages, Chromium.
//!
//! Each step is quick when there is nothing to do, and says what to do by hand when it cannot help.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::stamp::Stamp;
use crate::{process, say};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

/// Folders with a package.json whose packages the chores use.
const NPM_FOLDERS: [&str; 5] = [
    "npm",
    "npm/test/react-18",
    "examples/web",
    "examples/react",
    "examples/server/tests/phoenix_js",
];

/// Installs whatever is missing.
pub(crate) fn everything(project: &Project) -> Result<()> {
    wasm_target(project)?;
    for folder in NPM_FOLDERS {
        node_modules(project, folder)?;
    }
    let chromium = chromium()?;
    say::note(&format!("Chromium: {}", chromium.display()));
    Ok(())
}

/// rustc's standard library for wasm32.
pub(crate) fn wasm_target(project: &Project) -> Result<()> {
    let sysroot = process::output(project.command("rustc").args(["--print", "sysroot"]))?;
    let std = PathBuf::from(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .join("lib");
    if std.is_dir() {
        return Ok(());
    }
    say::step("Installing Rust's wasm target");
    process::run(
        project
            .command("rustup")
            .args(["target", "add", WASM_TARGET]),
    )
    .with_context(|| {
        format!(
            "Rust's standard library for {WASM_TARGET} is missing. Install it with \
                 `rustup target add {WASM_TARGET}`, or with your system's package manager"
        )
    })
}

/// A nightly Rust, and cargo's command for libFuzzer.
pub(crate) fn cargo_fuzz(project: &Project) -> Result<()> {
    let nightly = |args: &[&str]| {
        let mut command = project.command("rustup");
        command.args(["run", "nightly"]).args(args);
        command.env_remove("CARGO");
        command
    };
    if process::output(&mut nightly(&["rustc", "--version"])).is_err() {
        say::step("Installing nightly Rust, which libFuzzer needs");
        process::run(project.command("rustup").args([
            "toolchain",
            "install",
            "nightly",
            "--profile=minimal",
        ]))
        .context("a nightly Rust is needed: `rustup toolchain install nightly`")?;
    }
    if process::output(&mut nightly(&["cargo", "fuzz", "--version"])).is_err() {
        say::step("Installing cargo-fuzz");
        process::run(&mut project.cargo(["install", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

/// Node and npm, new enough.
pub(crate) fn node(project: &Project) -> Result<()> {
    let hint = || {
        format!(
            "Node.js {OLDEST_NODE} or newer with npm is needed: install it from your system's packages or nodejs.org"
        )
    };
    let version = process::output(project.command("node").arg("--version")).with_context(hint)?;
    let major = node_major(&version);
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("{}; this one is {}", hint(), version.trim());
    }
    process::output(project.command("npm").arg("--version")).with_context(hint)?;
    Ok(())
}

/// The `20` of `v20.11.1`.
fn node_major(version: &str) -> Option<u32> {
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// What `folder`'s package-lock.json asks for, in its node_modules.
pub(crate) fn node_modules(project: &Project, folder: &str) -> Result<()> {
    let modules = project.path(folder).join("node_modules");
    let stamp = Stamp::of(
        modules.join(".xtask-stamp"),
        &["package.json", "package-lock.json"].map(|name| project.path(folder).join(name)),
    )?;
    if stamp.is_fresh(&[modules]) {
        return Ok(());
    }
    node(project)?;
    say::step(&format!("Installing the npm packages of {folder}/"));
    process::run(
        project
            .command_in(folder, "npm")
            .args(["ci", "--no-audit", "--no-fund"]),
    )
    .with_context(|| {
        format!(
            "the npm packages of {folder}/ could not be installed. If the registry cannot be \
                 reached, see `npm config get registry`; then `cd {folder} && npm ci`"
        )
    })?;
    stamp.keep()
}

/// A Chromium to test with: `CHROMIUM_BIN`, or one on the path, or Debian's, installed now.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM_BIN").map(PathBuf::from) {
        if path.is_file() {
            return Ok(path);
        }
        bail!("CHROMIUM_BIN is {}, which is no file", path.display());
    }
    if let Some(path) = installed_chromium() {
        return Ok(path);
    }
    install_chromium().context(
        "the browser suites need Chromium. Install it (Debian: `apt-get install chromium`), or set \
         CHROMIUM_BIN to a Chromium or Chrome",
    )
}

fn installed_chromium() -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .iter()
    .find_map(|name| which::which(name).ok())
    .or_else(|| {
        let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
        mac.is_file().then_some(mac)
    })
}

fn install_chromium() -> Result<PathBuf> {
    say::step("Installing Chromium");
    apt_install(&["chromium"])?;
    installed_chromium().context("apt-get installed no chromium")
}

/// OpenSSL's headers, which the feature `native-tls` compiles against on Linux.
pub(crate) fn openssl(project: &Project) -> Result<()> {
    let found = || process::output(project.command("pkg-config").args(["--exists", "openssl"]));
    if !cfg!(target_os = "linux") || found().is_ok() {
        return Ok(());
    }
    say::step("Installing OpenSSL's headers");
    apt_install(&["libssl-dev", "pkg-config"]).context(
        "OpenSSL's headers and pkg-config are needed: install them from your system's packages",
    )
}

/// What counts instructions.
pub(crate) fn valgrind() -> Result<()> {
    if which::which("valgrind").is_ok() {
        return Ok(());
    }
    say::step("Installing valgrind");
    apt_install(&["valgrind"])
        .context("valgrind is needed: install it from your system's packages, on Linux")
}

fn apt_install(packages: &[&str]) -> Result<()> {
    which::which("apt-get").context("there is no apt-get to install it with")?;
    let apt_get = |args: &[&str]| {
        // -n: rather fail than wait for a password that nobody may be there to type.
        let mut command = if is_root() {
            std::process::Command::new("apt-get")
        } else {
            let mut sudo = std::process::Command::new("sudo");
            sudo.args(["-n", "apt-get"]);
            sudo
        };
        process::run(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt_get(&["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&install[..], packages].concat())
}

fn is_root() -> bool {
    process::output(std::process::Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_node_versions() {
        assert_eq!(node_major("v20.11.1\n"), Some(20));
        assert_eq!(node_major("v9.0.0"), Some(9));
        assert_eq!(node_major("unknown"), None);
    }
}
