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

/// examples/web/dist, from the built npm package, if anything in either has changed.
pub(crate) fn page(project: &Project) -> Result<()> {
    setup::node_modules(project, "examples/web")?;
    let stamp = Stamp::of(
        project.scratch("page.stamp"),
        &["examples/web", "npm/dist", "npm/package.json"].map(|path| project.path(path)),
    )?;
    if stamp.is_fresh(&[project.path("examples/web/dist")]) {
        return Ok(());
    }
    say::step("Building the page");
    run(project
        .command_in("examples/web", "npm")
        .args(["run", "build"]))?;
    stamp.keep()
}
