//! Building the npm package: Rust to wasm, its JavaScript side, then the package's own build.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::stamp::Stamp;
use crate::{build, process, say, setup};

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Build even if nothing has changed
    #[arg(long)]
    force: bool,
}

/// What wasm-opt may use: the features that every browser with wasm SIMD has too.
const WASM_FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Where the wasm and its glue go; the package's build picks them up there.
const WASM: &str = "npm/wasm/presence_wasm_bg.wasm";

/// The same deflated, to be inlined.
const DEFLATED: &str = "npm/wasm/presence_wasm_bg.wasm.deflate";

/// Prints the sizes that users pay for. Relative paths are files; the package's entry is resolved
/// as Node resolves it for a user.
const SIZES: &str = r#"
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
const wasm = readFileSync("wasm/presence_wasm_bg.wasm");
const { name } = JSON.parse(readFileSync("package.json", "utf8"));
const entry = readFileSync(new URL(import.meta.resolve(name)));
for (const data of [wasm, entry]) console.log(data.length, gzipSync(data, { level: 9 }).length);
"#;

/// Builds npm/wasm and npm/dist, each only if its inputs have changed.
pub(crate) fn build(project: &Project, options: &Options) -> Result<()> {
    setup::node_modules(project, "npm")?;
    build_wasm(project, options.force)?;
    build_package(project, options.force)
}

/// Where panics happen is in the wasm: not by the paths of the machine that built it.
fn anonymous_paths(project: &Project) -> String {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let renamed = [(Some(project.path("")), "/project"), (cargo_home, "/cargo")]
        .into_iter()
        .filter_map(|(path, name)| {
            Some(format!(
                "{:?}",
                format!("--remap-path-prefix={}={name}", path?.display())
            ))
        })
        .collect::<Vec<_>>();
    format!(
        "--config=target.wasm32-unknown-unknown.rustflags=[{}]",
        renamed.join(",")
    )
}

fn build_wasm(project: &Project, force: bool) -> Result<()> {
    let stamp = Stamp::of(
        project.scratch("wasm.stamp"),
        &[
            "presence-core/src",
            "presence-core/Cargo.toml",
            "presence-wasm/src",
            "presence-wasm/Cargo.toml",
            "npm/package-lock.json",
            "xtask/src/npm.rs",
            "Cargo.toml",
            "Cargo.lock",
            ".cargo/config.toml",
        ]
        .map(|path| project.path(path)),
    )?;
    if !force && stamp.is_fresh(&[WASM, DEFLATED].map(|path| project.path(path))) {
        return Ok(());
    }
    setup::wasm_target(project)?;
    say::step("Building presence-wasm");
    process::run(
        project
            .cargo([
                "rustc",
                "--package=presence-wasm",
                "--lib",
                "--crate-type=cdylib",
                "--target=wasm32-unknown-unknown",
                "--profile=wasm",
            ])
            .arg(anonymous_paths(project)),
    )?;
    build::bindgen(project)?;
    process::run(
        project
            .command(project.binary("xtask-bindgen"))
            .args(["bindgen", "--target=web", "--omit-default-module-path"])
            .args(["--remove-producers-section", "--out-dir=npm/wasm"])
            .arg(project.wasm_artifact("wasm", "presence_wasm.wasm")),
    )?;
    say::step("Optimising the wasm");
    process::run(
        project
            .command(project.path("npm/node_modules/.bin/wasm-opt"))
            .args(["-O3", "--strip-debug"])
            .args(WASM_FEATURES)
            .args([WASM, "--output", WASM]),
    )?;
    deflate(project)?;
    stamp.keep()
}

/// Zopfli takes its time to save a twentieth of what users download.
fn deflate(project: &Project) -> Result<()> {
    say::step("Deflating the wasm");
    let cannot = || format!("cannot deflate {WASM}");
    let wasm = std::fs::read(project.path(WASM)).with_context(cannot)?;
    let mut deflated = Vec::new();
    let format = zopfli::Format::Deflate;
    zopfli::compress(Default::default(), format, &wasm[..], &mut deflated).with_context(cannot)?;
    std::fs::write(project.path(DEFLATED), deflated).with_context(cannot)
}

fn build_package(project: &Project, force: bool) -> Result<()> {
    let mut inputs = vec![project.path("npm/wasm"), project.path("npm/src")];
    inputs.extend(build_files(project)?);
    let stamp = Stamp::of(project.scratch("npm.stamp"), &inputs)?;
    if !force && stamp.is_fresh(&[project.path("npm/dist")]) {
        return Ok(());
    }
    say::step("Building the npm package");
    process::run(&mut project.npm("npm", ["run", "build"]))?;
    print_sizes(project)?;
    stamp.keep()
}

/// The files at the top of npm/: package.json, the build script, the compiler's settings.
fn build_files(project: &Project) -> Result<Vec<PathBuf>> {
    let cannot = "cannot list npm/";
    let mut files = Vec::new();
    for entry in std::fs::read_dir(project.path("npm")).context(cannot)? {
        let path = entry.context(cannot)?.path();
        if path.is_file() && path.extension().is_some_and(|ext| ext != "tgz") {
            files.push(path);
        }
    }
    Ok(files)
}

fn print_sizes(project: &Project) -> Result<()> {
    let sizes = process::output(project.command_in("npm", "node").args([
        "--input-type=module",
        "--eval",
        SIZES,
    ]))?;
    for (what, line) in ["wasm", "default entry"].iter().zip(sizes.lines()) {
        let mut bytes = line.split(' ').map(str::parse::<u64>);
        if let (Some(Ok(raw)), Some(Ok(gzipped))) = (bytes.next(), bytes.next()) {
            let (raw, gzipped) = (say::size(raw), say::size(gzipped));
            say::note(&format!("{what}: {raw}, gzipped {gzipped}"));
        }
    }
    Ok(())
}
