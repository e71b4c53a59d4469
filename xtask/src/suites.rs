//! The test suites: one entry each in one table, and what they need.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::run;
use crate::project::Project;
use crate::{build, demo, msrv, npm, prove, readme, setup, stamp};

/// A suite of tests, as `cargo xtask test` runs it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&Project) -> Result<()>,
}

/// Cheap and telling suites come first.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        about: "the Rust sources are formatted",
        needs: &[],
        run: |project| fmt(project, true),
    },
    Suite {
        name: "lint",
        about: "clippy, warnings denied, host and wasm32",
        needs: &[Need::WasmTarget],
        run: lint,
    },
    Suite {
        name: "msrv",
        about: "no dependency needs a newer Rust than rust-version",
        needs: &[],
        run: msrv::check,
    },
    Suite {
        name: "features",
        about: "presence-native with every set of its features, warnings denied",
        needs: &[Need::OpenSsl],
        run: features,
    },
    Suite {
        name: "doc",
        about: "rustdoc, warnings denied",
        needs: &[],
        run: doc,
    },
    Suite {
        name: "rust",
        about: "unit, integration and doc tests of every crate",
        needs: &[],
        run: rust,
    },
    Suite {
        name: "wasm32",
        about: "presence-core's tests once more, as wasm32 in Node",
        needs: &[Need::WasmTarget, Need::Node, Need::Bindgen],
        run: wasm32,
    },
    Suite {
        name: "phoenix-js",
        about: "phoenix.js itself against the embedded server",
        needs: &[Need::Binaries, Need::Modules(PHOENIX_JS)],
        run: |project| {
            run(with_binaries(
                project,
                &mut project.npm(PHOENIX_JS, ["test"]),
            ))
        },
    },
    Suite {
        name: "npm",
        about: "the package's lint, types and tests, in Node",
        needs: &[Need::Binaries, Need::Package, Need::Modules(REACT_18)],
        run: npm_package,
    },
    Suite {
        name: "differential",
        about: "random histories over phoenix.js and the package: all that is seen is the same",
        needs: &[Need::Package],
        run: |project| prove::differential(project, 5_000, None, None),
    },
    Suite {
        name: "memory",
        about: "10,000 of everything and an hour of churn leave nothing in memory",
        needs: &[Need::Package],
        run: |project| run(&mut vitest(project, "test/memory/vitest.config.ts")),
    },
    Suite {
        name: "browser",
        about: "the pages in headless Chromium, with the bot, through the server",
        needs: &[Need::Binaries, Need::Page, Need::ReactPage, Need::Chromium],
        run: browser,
    },
    Suite {
        name: "packaging",
        about: "the packed npm package in Node, bundlers, a plain page and on a server",
        needs: &[Need::Package, Need::Modules(PACKAGING), Need::Chromium],
        run: |project| in_chromium(project, "test/packaging/vitest.config.ts"),
    },
    Suite {
        name: "readme",
        about: "the README's programs as they stand there, in Rust, in Node and in headless Chromium",
        needs: &[Need::Binaries, Need::Package, Need::Chromium],
        run: |project| {
            readme::check(project)?;
            in_chromium(project, "test/readme/vitest.config.ts")
        },
    },
    Suite {
        name: "demo",
        about: "cargo xtask demo: two at once, their pages, Ctrl-C",
        needs: &[Need::Binaries, Need::Page],
        run: |_| demo::check(),
    },
];

/// Where phoenix.js's own test of the server lives.
const PHOENIX_JS: &str = "examples/server/tests/phoenix_js";

/// The oldest React that the package is for.
const REACT_18: &str = "npm/test/react-18";

/// The bundlers that the npm package is tried in.
const PACKAGING: &str = "npm/test/packaging";

/// What a suite wants to find ready. Each is made once a run, and quickly when it is there already.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Need {
    /// rustc's standard library for wasm32.
    WasmTarget,
    /// OpenSSL's headers.
    OpenSsl,
    /// Node and npm.
    Node,
    /// wasm-bindgen's test runner.
    Bindgen,
    /// The server and the bot.
    Binaries,
    /// The npm packages of a folder.
    Modules(&'static str),
    /// The built npm package.
    Package,
    /// The built page, and so the package.
    Page,
    /// The built page for React, and so the package.
    ReactPage,
    /// A Chromium.
    Chromium,
}

impl Need {
    pub(crate) fn prepare(self, project: &Project) -> Result<()> {
        match self {
            Self::WasmTarget => setup::wasm_target(project),
            Self::OpenSsl => setup::openssl(project),
            Self::Node => setup::node(project),
            Self::Bindgen => build::bindgen(project),
            Self::Binaries => build::binaries(project),
            Self::Modules(folder) => setup::node_modules(project, folder),
            Self::Chromium => setup::chromium().map(drop),
            Self::Package => npm::build(project, &npm::Options::default()),
            Self::Page => {
                Self::Package.prepare(project)?;
                build::page(project)
            }
            Self::ReactPage => {
                Self::Package.prepare(project)?;
                build::react_page(project)
            }
        }
    }
}

pub(crate) fn fmt(project: &Project, check: bool) -> Result<()> {
    let mut cargo = project.cargo(["fmt", "--all"]);
    if check {
        cargo.arg("--check");
    }
    run(&mut cargo)
}

pub(crate) fn lint(project: &Project) -> Result<()> {
    let deny = ["--", "--deny=warnings"];
    run(project
        .cargo(["clippy", "--workspace", "--all-targets"])
        .args(deny))?;
    setup::wasm_target(project)?;
    run(project
        .cargo([
            "clippy",
            "--package=presence-core",
            "--package=presence-wasm",
            "--package=presence-unpack",
        ])
        .arg("--target=wasm32-unknown-unknown")
        .args(deny))
}

/// Those of presence-native that are to be named.
const FEATURES: [&str; 4] = [
    "rustls-native-roots",
    "rustls-webpki-roots",
    "native-tls",
    "proxy",
];

fn features(project: &Project) -> Result<()> {
    for set in 0..1_u32 << FEATURES.len() {
        let chosen: Vec<_> = (0..FEATURES.len())
            .filter(|bit| set & (1 << bit) != 0)
            .map(|bit| FEATURES[bit])
            .collect();
        run(project
            .cargo([
                "clippy",
                "--quiet",
                "--package=presence-native",
                "--no-default-features",
            ])
            .arg(format!("--features={}", chosen.join(",")))
            .args(["--", "--deny=warnings"]))?;
    }
    Ok(())
}

fn doc(project: &Project) -> Result<()> {
    run(project
        .cargo(["doc", "--no-deps", "--package=presence-core"])
        .args([
            "--package=presence-native",
            "--package=presence-wasm",
            "--package=presence-unpack",
            "--package=presence-server",
        ])
        .env("RUSTDOCFLAGS", "--deny=warnings"))
}

fn rust(project: &Project) -> Result<()> {
    run(&mut project.cargo(["test", "--workspace", "--no-fail-fast"]))
}

fn wasm32(project: &Project) -> Result<()> {
    every_test_is_a_wasm_test(project)?;
    run(project
        .cargo(["test", "--package=presence-core", "--no-fail-fast"])
        .args(["--target=wasm32-unknown-unknown", "--lib", "--tests"])
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            project.binary("xtask-bindgen"),
        ))
}

/// `#[test]` alone is no test to wasm-bindgen's runner, which would pass over the file in silence.
fn every_test_is_a_wasm_test(project: &Project) -> Result<()> {
    for folder in ["presence-core/src", "presence-core/tests"] {
        for file in stamp::files(&project.path(folder))? {
            if file.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let host_only = source.contains("#![cfg(not(target_arch = \"wasm32\"))]");
            ensure!(
                !source.contains("#[test]") || source.contains(WASM_TEST) || host_only,
                "{} has tests that wasm32 would not run. Beside its imports it needs:\n    \
                 #[cfg(target_arch = \"wasm32\")]\n    {WASM_TEST}",
                file.display()
            );
        }
    }
    Ok(())
}

const WASM_TEST: &str = "use wasm_bindgen_test::wasm_bindgen_test as test;";

fn npm_package(project: &Project) -> Result<()> {
    for script in ["lint", "types", "test"] {
        run(with_binaries(
            project,
            &mut project.npm("npm", ["run", script]),
        ))?;
    }
    Ok(())
}

fn browser(project: &Project) -> Result<()> {
    in_chromium(project, "test/browser/vitest.config.ts")
}

fn in_chromium(project: &Project, config: &str) -> Result<()> {
    run(vitest(project, config).env("CHROMIUM_BIN", setup::chromium()?))
}

fn vitest(project: &Project, config: &str) -> Command {
    let mut command = project.npm("npm", ["exec", "--no", "--", "vitest", "run"]);
    command.arg(format!("--config={config}"));
    with_binaries(project, &mut command);
    command
}

/// Tells tests in Node where the programs are that they start.
fn with_binaries<'a>(project: &Project, command: &'a mut Command) -> &'a mut Command {
    command
        .env("PRESENCE_SERVER_BIN", project.binary("presence-server"))
        .env("PRESENCE_BOT_BIN", project.binary("presence-bot"))
}
