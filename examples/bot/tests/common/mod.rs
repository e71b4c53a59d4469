//! What the tests share. Not everything is used by every test file.
#![allow(dead_code, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::process::{Output, Stdio};
use std::time::Duration;

use presence_native::{Channel, Socket};
use presence_server::Server;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

pub(crate) const BOT: &str = env!("CARGO_BIN_EXE_presence-bot");
pub(crate) const ROOM: &str = "room:lobby";

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("waited too long")
}

/// Runs a program to its end: its exit code, and what it wrote to either.
pub(crate) async fn output(mut command: Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = in_time(quiet(&mut command).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// With nothing to read, and its output to us.
pub(crate) fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
}

/// A `presence-bot watch` that runs.
pub(crate) struct Watch {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = quiet(&mut command).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) async fn line(&mut self) -> String {
        in_time(self.lines.next_line())
            .await
            .unwrap()
            .expect("it has ended")
    }

    /// Of one with `--json`, the next event of this kind.
    pub(crate) async fn until(&mut self, event: &str) -> Value {
        loop {
            let line: Value = serde_json::from_str(&self.line().await).expect("a line is JSON");
            if line["event"] == event {
                return line;
            }
        }
    }
}

/// What Ctrl-C does.
#[cfg(unix)]
pub(crate) async fn interrupt(child: &Child) {
    let id = child.id().unwrap().to_string();
    let killed = in_time(Command::new("kill").args(["-INT", &id]).status())
        .await
        .unwrap();
    assert!(killed.success());
}

pub(crate) async fn member(server: &Server, user_id: &str) -> (Socket, Channel) {
    let socket = Socket::builder(server.endpoint())
        .param("user_id", user_id)
        .connect()
        .await
        .unwrap();
    let channel = socket.channel(ROOM);
    in_time(channel.join()).await.unwrap();
    (socket, channel)
}
