//! Building the npm package: Rust to wasm, its JavaScript side, then the package's own build.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::stamp::Stamp;
use crate::{build, pack, process, say, setup};

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

/// For size, at which nothing is lost in speed: LLVM has inlined already what is to be, and its stack, not data, is at
/// the bottom of the memory.
const WASM_OPTIONS: [&str; 7] = [
    "-Oz",
    "--converge",
    "--one-caller-inline-max-function-size=0",
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Where the wasm and its glue go; the package's build picks them up there.
const WASM: &str = "npm/wasm/presence_wasm_bg.wasm";

/// The same in streams of what is alike, and these compressed, to be inlined.
const SPLIT: &str = "npm/wasm/presence_wasm_bg.wasm.split";
const COMPRESSED: &str = "npm/wasm/presence_wasm_bg.wasm.split.lzma";

/// What unpacks it.
const UNPACK: &str = "npm/wasm/presence_unpack.wasm";

/// Prints the sizes that users pay for: those of the wasm, and of the entry that browsers get.
const SIZES: &str = r#"
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
const wasm = readFileSync("wasm/presence_wasm_bg.wasm");
const { module } = JSON.parse(readFileSync("package.json", "utf8"));
const entry = readFileSync(module);
for (const data of [wasm, entry]) console.log(data.length, gzipSync(data, { level: 9 }).length);
"#;

/// Builds npm/wasm and npm/dist, each only if its inputs have changed.
pub(crate) fn build(project: &Project, options: &Options) -> Result<()> {
    setup::node_modules(project, "npm")?;
    build_wasm(project, options.force)?;
    build_package(project, options.force)
}

/// Where panics happen is in the wasm: not by the paths of the machine that built it.
fn anonymous_paths(project: &Project) -> Result<String> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let sysroot = process::output(project.command("rustc").args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    let renamed = [
        (Some(project.path("")), "/project"),
        (cargo_home, "/cargo"),
        (Some(library), "/rust"),
    ]
    .into_iter()
    .filter_map(|(path, name)| {
        Some(format!(
            "{:?}",
            format!("--remap-path-prefix={}={name}", path?.display())
        ))
    })
    .collect::<Vec<_>>();
    Ok(format!(
        "--config=target.wasm32-unknown-unknown.rustflags=[{}]",
        renamed.join(",")
    ))
}

fn build_wasm(project: &Project, force: bool) -> Result<()> {
    let stamp = Stamp::of(
        project.scratch("wasm.stamp"),
        &[
            "presence-core/src",
            "presence-core/Cargo.toml",
            "presence-wasm/src",
            "presence-wasm/Cargo.toml",
            "presence-wasm/unpack/src",
            "presence-wasm/unpack/Cargo.toml",
            "npm/package-lock.json",
            "xtask/src/npm.rs",
            "xtask/src/pack.rs",
            "Cargo.toml",
            "Cargo.lock",
            ".cargo/config.toml",
        ]
        .map(|path| project.path(path)),
    )?;
    if !force && stamp.is_fresh(&[WASM, SPLIT, COMPRESSED, UNPACK].map(|path| project.path(path))) {
        return Ok(());
    }
    setup::wasm_target(project)?;
    say::step("Building presence-wasm and presence-unpack");
    build_crate(project, "presence-wasm")?;
    build_crate(project, "presence-unpack")?;
    build::bindgen(project)?;
    process::run(
        project
            .command(project.binary("xtask-bindgen"))
            .args(["bindgen", "--target=web", "--omit-default-module-path"])
            .args(["--remove-producers-section", "--out-dir=npm/wasm"])
            .arg(project.wasm_artifact("wasm", "presence_wasm.wasm")),
    )?;
    say::step("Optimising the wasm");
    optimise(project, &project.path(WASM), WASM)?;
    let unpack = project.wasm_artifact("wasm", "presence_unpack.wasm");
    optimise(project, &unpack, UNPACK)?;
    pack(project)?;
    stamp.keep()
}

fn build_crate(project: &Project, package: &str) -> Result<()> {
    process::run(
        project
            .cargo([
                "rustc",
                &format!("--package={package}"),
                "--lib",
                "--crate-type=cdylib",
                "--target=wasm32-unknown-unknown",
                "--profile=wasm",
            ])
            .arg(anonymous_paths(project)?),
    )
}

fn optimise(project: &Project, wasm: &Path, output: &str) -> Result<()> {
    process::run(
        project
            .command(project.path("npm/node_modules/.bin/wasm-opt"))
            .args(WASM_OPTIONS)
            .args(WASM_FEATURES)
            .arg(wasm)
            .args(["--output", output]),
    )
}

/// That is a fifth less to download than what browsers unpack themselves.
fn pack(project: &Project) -> Result<()> {
    let cannot = || format!("cannot pack {WASM}");
    let wasm = std::fs::read(project.path(WASM)).with_context(cannot)?;
    let packed = pack::pack(&wasm).with_context(cannot)?;
    std::fs::write(project.path(SPLIT), packed.split).with_context(cannot)?;
    std::fs::write(project.path(COMPRESSED), packed.compressed).with_context(cannot)
}

fn build_package(project: &Project, force: bool) -> Result<()> {
    let mut inputs = ["npm/wasm", "npm/src", "README.md"]
        .map(|path| project.path(path))
        .to_vec();
    inputs.extend(build_files(project)?);
    let stamp = Stamp::of(project.scratch("npm.stamp"), &inputs)?;
    if !force && stamp.is_fresh(&["npm/dist", "npm/README.md"].map(|path| project.path(path))) {
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
        let is_input = |ext: &OsStr| ext != "tgz" && ext != "md";
        if path.is_file() && path.extension().is_some_and(is_input) {
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
