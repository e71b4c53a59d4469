//! `cargo xtask demo`: a server, a page and a bot in one room.

mod check;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anstream::println;
use anyhow::{Context, Result, bail};

pub(crate) use self::check::check;
use crate::process::Companion;
use crate::project::Project;
use crate::say::{self, BOLD, DIM};
use crate::{build, npm};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port to listen on; the next free one if it is taken
    #[arg(long, default_value_t = 4000)]
    port: u16,
}

const ROOM: &str = "room:lobby";

/// How long a companion may take to say that it is up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    build::binaries(project)?;
    npm::build(project, &npm::Options::default())?;
    build::page(project)?;

    let mut stage = Stage::new()?;
    match show(project, &mut stage, free_port(options.port)?) {
        Err(Interruption::Asked) => {
            println!("\n  Stopped.");
            Ok(())
        }
        Err(Interruption::Failure(error)) => Err(error),
        Ok(never) => match never {},
    }
}

/// Starts one after the other, waits until each is really up, and relays what they say.
fn show(project: &Project, stage: &mut Stage, port: u16) -> Result<Never, Interruption> {
    let port_argument = format!("--port={port}");
    stage.start(
        "server",
        project
            .command(project.binary("presence-server"))
            .args([&port_argument, "--serve-dir=examples/web/dist"]),
    )?;
    stage.wait_for("server", |line| line.starts_with("listening on http://"))?;
    page_answers(port)?;

    let endpoint = format!("ws://127.0.0.1:{port}/socket");
    stage.start(
        "bot",
        project.command(project.binary("presence-bot")).args([
            "watch",
            &endpoint,
            ROOM,
            "--user-id=bot",
        ]),
    )?;
    // It knows who is there, so it is in the room.
    stage.wait_for("bot", |line| line.starts_with("synced"))?;

    println!(
        "\n  {BOLD}Open http://127.0.0.1:{port}/?user_id=alice{BOLD:#}\n  \
         {DIM}and once more as /?user_id=bob. Ctrl-C stops everything.{DIM:#}\n"
    );
    loop {
        let (name, line) = stage.next(None)?;
        relay(name, &line);
    }
}

/// The value of what does not return.
enum Never {}

/// Why the demo does not go on.
enum Interruption {
    /// Ctrl-C or SIGTERM.
    Asked,
    Failure(anyhow::Error),
}

impl From<anyhow::Error> for Interruption {
    fn from(error: anyhow::Error) -> Self {
        Self::Failure(error)
    }
}

/// What the threads that watch the companions, and Ctrl-C, have to tell.
enum Happening {
    Line(&'static str, String),
    Ended(&'static str),
    Asked,
}

/// The companions and what happens to them. All are stopped when it is dropped.
struct Stage {
    companions: Vec<Companion>,
    sender: Sender<Happening>,
    happenings: Receiver<Happening>,
}

impl Stage {
    fn new() -> Result<Self> {
        let (sender, happenings) = channel();
        let asked = sender.clone();
        ctrlc::set_handler(move || {
            // Nobody receives it only when we are ending already.
            let _ = asked.send(Happening::Asked);
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Self {
            companions: Vec::new(),
            sender,
            happenings,
        })
    }

    fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        say::step(&format!("Starting the {name}"));
        let (companion, lines) = Companion::start(name, command)?;
        self.companions.push(companion);
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in lines {
                let _ = sender.send(Happening::Line(name, line));
            }
            let _ = sender.send(Happening::Ended(name));
        });
        Ok(())
    }

    /// The next line of anybody's. A companion that ends is a failure.
    fn next(&mut self, deadline: Option<Instant>) -> Result<(&'static str, String), Interruption> {
        let happening = match deadline {
            None => self.happenings.recv().map_err(RecvTimeoutError::from),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.happenings.recv_timeout(left)
            }
        };
        match happening.context("waited in vain")? {
            Happening::Line(name, line) => Ok((name, line)),
            Happening::Asked => Err(Interruption::Asked),
            Happening::Ended(name) => Err(self.why_ended(name).into()),
        }
    }

    fn why_ended(&mut self, name: &str) -> anyhow::Error {
        let companion = self.companions.iter_mut().find(|one| one.name() == name);
        match companion.map(Companion::wait) {
            Some(Ok(status)) => anyhow::anyhow!("the {name} ended by itself ({status})"),
            Some(Err(error)) => error,
            None => anyhow::anyhow!("the {name} ended"),
        }
    }

    /// Relays lines until `name` says the one that is waited for.
    fn wait_for(&mut self, name: &str, sought: fn(&str) -> bool) -> Result<(), Interruption> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (speaker, line) = match self.next(Some(deadline)) {
                Err(Interruption::Failure(error)) => {
                    return Err(error.context(format!("the {name} did not come up")).into());
                }
                other => other?,
            };
            relay(speaker, &line);
            if speaker == name && sought(&line) {
                return Ok(());
            }
        }
    }
}

fn relay(name: &str, line: &str) {
    println!("{DIM}{name:>8} │{DIM:#} {line}");
}

/// The first port from `wanted` on that nobody listens on.
fn free_port(wanted: u16) -> Result<u16> {
    let last = wanted.saturating_add(99);
    (wanted..=last)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .with_context(|| format!("every port from {wanted} to {last} is taken; see --port"))
}

/// Whether the page is served: one plain HTTP request.
fn page_answers(port: u16) -> Result<()> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(String::from_utf8_lossy(&status).into_owned())
    };
    let status = ask().context("the page does not answer")?;
    if !status.ends_with(" 200") {
        bail!("the page answers {status:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() -> Result<()> {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = taken.local_addr()?.port();
        assert!(free_port(port)? > port);
        Ok(())
    }
}
