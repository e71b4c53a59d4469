//! Building what the demo and the suites run, beside the npm package.

use anyhow::Result;

use crate::process::run;
use crate::project::Project;
use crate::stamp::Stamp;
use crate::{say, setup};

/// The server and the bot.
pub(crate) fn binaries(project: &Project) -> Result<()> {
    say::step("Building the server and the bot");
    run(&mut project.cargo([
        "build",
        "--package=presence-server",
        "--package=presence-bot",
    ]))
}

/// wasm-bindgen and its test runner.
pub(crate) fn bindgen(project: &Project) -> Result<()> {
    say::step("Building wasm-bindgen");
    run(&mut project.cargo(["build", "--package=xtask-bindgen"]))
}

/// examples/web/dist.
pub(crate) fn page(project: &Project) -> Result<()> {
    built_with_package(project, "examples/web", "page.stamp")
}

/// examples/react/dist.
pub(crate) fn react_page(project: &Project) -> Result<()> {
    built_with_package(project, "examples/react", "react-page.stamp")
}

/// The `dist` of `folder`, from the built npm package, if anything in either has changed.
fn built_with_package(project: &Project, folder: &str, stamp: &str) -> Result<()> {
    setup::node_modules(project, folder)?;
    let stamp = Stamp::of(
        project.scratch(stamp),
        &[folder, "npm/dist", "npm/package.json"].map(|path| project.path(path)),
    )?;
    if stamp.is_fresh(&[project.path(folder).join("dist")]) {
        return Ok(());
    }
    say::step(&format!("Building the page of {folder}/"));
    run(&mut project.npm(folder, ["run", "build"]))?;
    stamp.keep()
}
