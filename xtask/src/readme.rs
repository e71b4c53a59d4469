//! The README's Rust program, run as it stands there.

use anyhow::{Context, Result, ensure};

use crate::process::{self, Companion};
use crate::project::Project;
use crate::say;

/// The program as cargo builds it; the README shows it from its first import on.
const EXAMPLE: &str = "presence-native/examples/room.rs";

pub(crate) fn check(project: &Project) -> Result<()> {
    let read = |file: &str| {
        std::fs::read_to_string(project.path(file)).with_context(|| format!("cannot read {file}"))
    };
    let (readme, example) = (read("README.md")?, read(EXAMPLE)?);
    let program = fenced(&readme, "rust,no_run").context("README.md shows no Rust program")?;
    ensure!(
        example.ends_with(program),
        "README.md does not show {EXAMPLE} as it is"
    );

    process::run(&mut project.cargo(["build", "--package=presence-native", "--example=room"]))?;
    let (_server, mut said) = Companion::start(
        "server",
        project
            .command(project.binary("presence-server"))
            .arg("--port=0"),
    )?;
    let address = said
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .context("the server ended before it said where it listens")?;
    let (_room, mut lines) = Companion::start(
        "program",
        project
            .command(project.binary("examples/room"))
            .arg(format!("ws://{address}/socket")),
    )?;
    let line = lines.next().context("the program ended without a word")?;
    say::note(&line);
    ensure!(
        line.starts_with("carol is here since "),
        "the program printed {line:?}"
    );
    Ok(())
}

/// What stands in the first code block of this kind.
fn fenced<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let (_, block) = text.split_once(&format!("```{kind}\n"))?;
    Some(block.split_once("```")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_code_block_by_its_kind() {
        let text = "a\n```js\n1\n```\n```rust\n2\n3\n```\n";
        assert_eq!(fenced(text, "rust"), Some("2\n3\n"));
        assert_eq!(fenced(text, "sh"), None);
    }
}
