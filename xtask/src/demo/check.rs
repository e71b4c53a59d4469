//! The demo, tried as a person tries it: two at once, their pages, and an end by Ctrl-C.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::page_answers;
use crate::process::Companion;
use crate::say;

pub(crate) fn check() -> Result<()> {
    let first = Demo::start()?;
    let second = Demo::start()?;
    ensure!(
        first.port != second.port,
        "both demos are at {}",
        first.port
    );
    for demo in [first, second] {
        page_answers(demo.port)?;
        demo.interrupt()?;
    }
    Ok(())
}

/// A running `cargo xtask demo`, which has said where it is.
struct Demo {
    companion: Companion,
    port: u16,
    /// Read to the end, since a program whose output nobody takes stops.
    lines: Box<dyn Iterator<Item = String>>,
}

impl Demo {
    fn start() -> Result<Self> {
        let binary = std::env::current_exe().context("cannot tell where this binary is")?;
        let (companion, mut lines) = Companion::start("demo", Command::new(binary).arg("demo"))?;
        let said = "Open http://127.0.0.1:";
        let port = lines
            .find_map(|line| {
                say::note(&line);
                let (port, _) = line.split_once(said)?.1.split_once('/')?;
                port.parse().ok()
            })
            .context("the demo ended before it named its page")?;
        Ok(Self {
            companion,
            port,
            lines: Box::new(lines),
        })
    }

    /// Ctrl-C: the demo is content, and nothing of it is left.
    fn interrupt(mut self) -> Result<()> {
        self.companion.interrupt()?;
        for line in self.lines {
            say::note(&line);
        }
        let status = self.companion.wait()?;
        ensure!(
            status.success(),
            "the demo, interrupted, ended with {status}"
        );
        ensure!(
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err(),
            "the demo's server outlives it at port {}",
            self.port
        );
        Ok(())
    }
}
