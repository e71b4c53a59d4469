//! The examples that `--help` shows, run as they stand there, but for the server.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{BOT, Watch, member};
use presence_server::Server;
use tokio::process::Command;

/// The value of the `$TOKEN` of examples. A shell that forgot its quotes would take it for two words.
const TOKEN: &str = "s3cret token";

async fn help(args: &[&str]) -> String {
    let mut command = Command::new(BOT);
    command.args(args).arg("--help");
    let (code, help, said) = common::output(command).await;
    assert_eq!(code, 0, "{said}");
    help
}

/// The indented lines after this heading, up to an empty one.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    lines
        .map_while(|line| line.strip_prefix("  "))
        .map(str::trim)
        .collect()
}

/// The examples of a command, all `N` of them.
async fn examples<const N: usize>(command: &str) -> [String; N] {
    let help = help(&[command]).await;
    let examples: Vec<_> = section(&help, "Examples:")
        .into_iter()
        .map(str::to_owned)
        .collect();
    examples
        .try_into()
        .unwrap_or_else(|examples| panic!("not all of these are tried: {examples:#?}"))
}

/// With the one `old` that is in it as `new`.
fn with(example: &str, old: &str, new: &str) -> String {
    assert_eq!(example.matches(old).count(), 1, "{old} in {example}");
    example.replace(old, new)
}

/// What a shell makes of an example, at the embedded server instead of `url`.
fn shell(server: &Server, example: &str, url: &str) -> Command {
    let example = with(example, url, &server.endpoint());
    let path = std::env::var("PATH").unwrap();
    let folder = Path::new(BOT).parent().unwrap().to_str().unwrap();
    let mut shell = Command::new("sh");
    shell
        // In the shell's place, so that the end of the one is the end of the other.
        .args(["-c", &format!("exec {example}")])
        .env("PATH", format!("{folder}:{path}"))
        .env("TOKEN", TOKEN);
    shell
}

const LOCAL: &str = "ws://localhost:4000/socket";
const REMOTE: &str = "wss://example.org/socket";

#[tokio::test]
async fn every_command_is_tried() {
    let help = help(&[]).await;
    let names: Vec<_> = section(&help, "Commands:")
        .into_iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["watch", "say", "load", "help"]);
}

/// The one watches, and the other asks it.
#[tokio::test]
async fn watch_and_say_talk_to_each_other() {
    let server = Server::builder().start().await.unwrap();
    let [plain, _] = examples("watch").await;
    let [ask, _] = examples("say").await;
    let (_eve, _channel) = member(&server, "eve").await;
    let mut watch = Watch::start(shell(&server, &plain, LOCAL));
    while watch.line().await != "synced: 2 here" {}

    let (code, printed, said) = common::output(shell(&server, &ask, LOCAL)).await;
    assert_eq!((code, printed.as_str()), (0, ""), "{said}");
    while watch.line().await != "asked: bot, who is here?" {}
    // Ann may have left by then.
    let answer = watch.line().await;
    assert!(answer.starts_with("answered: There are "), "{answer}");
    assert!(answer.contains("bot") && answer.contains("eve"), "{answer}");
}

#[tokio::test]
async fn watch_prints_what_jq_reads() {
    let server = Server::builder()
        .on_connect(|info| info.auth_token.as_deref() == Some(TOKEN))
        .start()
        .await
        .unwrap();
    let [_, json] = examples("watch").await;
    // Here it is `until` that reads the `event` of each line.
    let json = with(&json, " | jq .event", "");
    let mut watch = Watch::start(shell(&server, &json, REMOTE));
    for event in ["connected", "joined", "synced"] {
        watch.until(event).await;
    }
}

#[tokio::test]
async fn say_prints_the_reply() {
    let server = Server::builder().start().await.unwrap();
    let [_, echo] = examples("say").await;
    let (code, reply, said) = common::output(shell(&server, &echo, LOCAL)).await;
    assert_eq!((code, reply.as_str()), (0, "{\"n\":1}\n"), "{said}");
}

#[tokio::test]
async fn load_finds_all_rosters_right() {
    let server = Server::builder().start().await.unwrap();
    let [large, _] = examples("load").await;
    let shorter = with(&large, "--clients 2000", "--clients 20");
    let shorter = with(&shorter, "--for 60s", "--for 1s");
    let (code, report, said) = common::output(shell(&server, &shorter, LOCAL)).await;
    assert_eq!(code, 0, "{report}{said}");
    assert!(report.contains("20 in 1 rooms"), "{report}");
    assert!(report.contains("0 failed"), "{report}");
}

#[tokio::test]
async fn load_does_without_an_update_event() {
    let server = Server::builder()
        .on_connect(|info| info.params.get("token").map(String::as_str) == Some(TOKEN))
        .start()
        .await
        .unwrap();
    let [_, remote] = examples("load").await;
    let shorter = with(&remote, "--clients 100", "--clients 10 --for 1s");
    let (code, report, said) = common::output(shell(&server, &shorter, REMOTE)).await;
    assert_eq!(code, 0, "{report}{said}");
    let updates = report
        .lines()
        .find(|line| line.starts_with("updated, seen here"));
    assert!(
        updates.is_some_and(|line| line.ends_with("never")),
        "{report}"
    );
}

/// What stands in a help is what a person reads: no backslash of the source's.
#[tokio::test]
async fn no_help_shows_an_escape() {
    for command in ["watch", "say", "load"] {
        let help = help(&[command]).await;
        assert!(!help.contains('\\'), "{help}");
    }
}
