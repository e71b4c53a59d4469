//! Running other programs and saying so.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::say;

/// Runs a command with its output on our terminal; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    say::command(&line);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command in silence and gives what it printed; an error, with what it said, if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}): {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

/// The command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(command.get_args().map(|arg| {
        let arg = arg.to_string_lossy();
        if arg.is_empty() || arg.contains([' ', '"', '\'']) {
            format!("'{arg}'")
        } else {
            arg.into_owned()
        }
    }));
    words.join(" ")
}

/// A program that runs beside us until it is stopped. It never outlives its handle.
pub(crate) struct Companion {
    name: &'static str,
    child: Child,
}

impl Companion {
    /// Starts it with its standard output as a pipe, which is handed back to be read line by line.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
    ) -> Result<(Self, impl Iterator<Item = String> + Send + use<>)> {
        let line = describe(command);
        say::command(&line);
        // A process group of its own: Ctrl-C is then ours alone to answer, in our order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run `{line}`"))?;
        let stdout = child.stdout.take();
        Ok((Self { name, child }, lines(stdout)))
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// What Ctrl-C does to it.
    pub(crate) fn interrupt(&self) -> Result<()> {
        let pid = self.child.id().to_string();
        output(Command::new("kill").args(["-INT", &pid])).map(drop)
    }

    /// Its exit status, once its output has ended.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("cannot wait for the {}", self.name))
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a program's output until it closes it; bytes that are no UTF-8 are shown as such.
fn lines(stdout: Option<ChildStdout>) -> impl Iterator<Item = String> + Send + use<> {
    stdout
        .into_iter()
        .flat_map(|stdout| BufReader::new(stdout).split(b'\n'))
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "two words", ""]);
        assert_eq!(describe(&command), "cargo test 'two words' ''");
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run(Command::new("rustc").arg("--no-such-option"))
            .expect_err("rustc refuses unknown options");
        assert!(error.to_string().contains("rustc --no-such-option"));
    }

    #[test]
    fn what_cannot_start_is_an_error_that_names_it() {
        let error = output(&mut Command::new("no-such-program-anywhere"))
            .expect_err("there is no such program");
        assert!(error.to_string().contains("no-such-program-anywhere"));
    }
}
