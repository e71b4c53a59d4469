//! The program as it is run: what it prints, and what it ends with.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{BOT, ROOM, Watch, in_time, member};
use presence_server::Server;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

fn bot(server: &Server, command: &str, args: &[&str]) -> Command {
    let mut bot = Command::new(BOT);
    bot.args([command, &server.endpoint(), ROOM]).args(args);
    bot
}

async fn output(server: &Server, command: &str, args: &[&str]) -> (i32, String, String) {
    common::output(bot(server, command, args)).await
}

fn watch(server: &Server, args: &[&str]) -> Watch {
    Watch::start(bot(server, "watch", args))
}

#[tokio::test]
async fn watch_tells_who_comes_changes_and_goes() {
    let server = Server::builder().start().await.unwrap();
    let mut watch = watch(&server, &["--json", "--user-id", "bot"]);
    assert_eq!(
        watch.until("connected").await,
        json!({"event": "connected"})
    );
    let me = watch.until("joined").await;
    assert_eq!(
        (&me["key"], &me["count"], &me["cause"]),
        (&json!("bot"), &json!(1), &json!("resync"))
    );
    assert_eq!(
        watch.until("synced").await,
        json!({"event": "synced", "count": 1})
    );

    let (ann, channel) = member(&server, "ann").await;
    let joined = watch.until("joined").await;
    assert_eq!(
        (&joined["key"], &joined["cause"]),
        (&json!("ann"), &json!("diff"))
    );
    in_time(channel.push("set_status", &json!({"status": "busy"})))
        .await
        .unwrap();
    assert_eq!(watch.until("updated").await["metas"][0]["status"], "busy");
    in_time(ann.shutdown()).await;
    let left = watch.until("left").await;
    assert_eq!((&left["key"], &left["count"]), (&json!("ann"), &json!(1)));

    let again = in_time(server.kill()).await;
    watch.until("disconnected").await;
    let _again = in_time(again.start_again()).await.unwrap();
    watch.until("connected").await;
    watch.until("synced").await;
}

#[tokio::test]
async fn watch_answers_when_asked_and_only_then() {
    let server = Server::builder().start().await.unwrap();
    let mut watch = watch(&server, &["--json", "--user-id", "bot"]);
    watch.until("synced").await;
    let (_ann, channel) = member(&server, "ann").await;
    let mut shouts = channel.events_named("shout");
    watch.until("joined").await;
    server.broadcast(ROOM, "ask", &json!({"body": "who is here?", "from": "ann"}));
    let answer: Value = in_time(shouts.next())
        .await
        .unwrap()
        .unwrap()
        .decode()
        .unwrap();
    assert_eq!(
        (&answer["from"], &answer["question"]),
        (&json!("bot"), &json!("who is here?"))
    );
    assert_eq!(answer["body"], "There are 2 of us: bot, ann.");

    for body in ["nobody in particular", "hello bot"] {
        in_time(channel.cast("shout", &json!({"body": body})))
            .await
            .unwrap();
    }
    let mut questions = Vec::new();
    while questions.len() < 2 {
        questions.push(watch.until("asked").await["body"].clone());
    }
    assert_eq!(questions, ["who is here?", "hello bot"]);
}

/// Each names the other when it says who is there.
#[tokio::test]
async fn two_bots_do_not_answer_each_other_for_ever() {
    let server = Server::builder().start().await.unwrap();
    let mut bots = ["bot-a", "bot-b"].map(|name| watch(&server, &["--json", "--user-id", name]));
    for bot in &mut bots {
        bot.until("synced").await;
    }
    let (_ann, channel) = member(&server, "ann").await;
    for bot in &mut bots {
        while bot.until("joined").await["key"] != "ann" {}
    }
    let mut shouts = channel.events_named("shout");
    // What a bot hears first it answers first.
    for (asked, question) in [("bot-a", "bot-a, who is here?"), ("bot-b", "and bot-b?")] {
        in_time(channel.cast("shout", &json!({"body": question})))
            .await
            .unwrap();
        loop {
            let shout = in_time(shouts.next()).await.unwrap().unwrap();
            let shout: Value = shout.decode().unwrap();
            if shout["from"] == asked {
                assert_eq!(shout["question"], question);
                break;
            }
        }
    }
}

#[tokio::test]
async fn watch_without_json_is_for_people() {
    let server = Server::builder().start().await.unwrap();
    let mut process = server.presences().process();
    process
        .track(ROOM, "evil\u{1b}[2J", serde_json::Map::new())
        .unwrap();
    let mut watch = watch(&server, &["--user-id", "bot"]);
    assert_eq!(watch.line().await, "connected");
    let mut joined = [watch.line().await, watch.line().await];
    joined.sort();
    assert_eq!(
        joined,
        ["bot joined (1 device)", "evil\u{fffd}[2J joined (1 device)"]
    );
    assert_eq!(watch.line().await, "synced: 2 here");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_is_a_good_end() {
    let server = Server::builder().start().await.unwrap();
    let mut watch = watch(&server, &["--json"]);
    watch.until("synced").await;
    common::interrupt(&watch.child).await;
    assert!(in_time(watch.child.wait()).await.unwrap().success());
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_wait_for_a_connection_too() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/socket", silent.local_addr().unwrap());
    for command in ["watch", "load"] {
        let mut bot = Command::new(BOT);
        let mut bot = common::quiet(bot.args([command, &url, ROOM]))
            .spawn()
            .unwrap();
        let _unanswered = in_time(silent.accept()).await.unwrap();
        common::interrupt(&bot).await;
        let ended = in_time(bot.wait()).await.unwrap();
        assert!(ended.success(), "{command}: {ended}");
    }
}

/// The first Ctrl-C ends the load itself; then it waits for rosters that never become right.
#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_a_load_that_does_not_settle() {
    let server = Server::builder().start().await.unwrap();
    let args = [
        "--clients",
        "2",
        "--update-event",
        "echo",
        "--settle",
        "10m",
    ];
    let mut load = common::quiet(&mut bot(&server, "load", &args))
        .spawn()
        .unwrap();
    in_time(async {
        while server.connection_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let ended = in_time(async {
        let again = Duration::from_millis(500);
        loop {
            match timeout(again, load.wait()).await {
                Ok(ended) => return ended.unwrap(),
                Err(_) => common::interrupt(&load).await,
            }
        }
    })
    .await;
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn exit_codes_tell_what_was_wrong() {
    let server = Server::builder().start().await.unwrap();
    let (code, _, said) = output(&server, "watch", &["--vsn", "3"]).await;
    assert_eq!((code, said.contains("--vsn")), (2, true), "{said}");
    let (code, _, said) = output(&server, "watch", &["--header", "bad name:x"]).await;
    assert_eq!((code, said.contains("header: ")), (2, true), "{said}");
    let (code, _, said) = output(&server, "watch", &["--join", "{"]).await;
    assert_eq!((code, said.contains("--join")), (2, true), "{said}");
    let (code, _, said) = output(&server, "say", &["--payload", "{"]).await;
    assert_eq!((code, said.contains("--payload")), (2, true), "{said}");
    let (code, _, said) = output(&server, "watch", &["--param", "reject=1"]).await;
    assert_eq!((code, said.contains("403")), (3, true), "{said}");
    let (code, _, said) = output(&server, "say", &["--event", "fail", "--reply", "no"]).await;
    assert_eq!((code, said.contains("body")), (5, true), "{said}");
    let mut forbidden = Command::new(BOT);
    forbidden.args(["watch", &server.endpoint(), "room:forbidden"]);
    let ended = in_time(forbidden.output()).await.unwrap();
    assert_eq!(ended.status.code(), Some(4));
    let stopped = server.addr();
    in_time(server.shutdown()).await;
    let mut nobody = Command::new(BOT);
    nobody.args(["watch", &format!("ws://{stopped}/socket"), ROOM]);
    let ended = in_time(nobody.output()).await.unwrap();
    assert_eq!(ended.status.code(), Some(3));
}

#[tokio::test]
async fn tokens_and_headers_reach_the_server_and_nobody_else() {
    let server = Server::builder()
        .on_connect(|info| info.auth_token.as_deref() == Some("s3cret"))
        .start()
        .await
        .unwrap();
    let (code, _, _) = output(&server, "say", &["hi", "--token", "wrong"]).await;
    assert_eq!(code, 3);
    let (code, _, said) = output(
        &server,
        "say",
        &["hi", "--token", "s3cret", "--param", "device=bot"],
    )
    .await;
    assert_eq!(code, 0, "{said}");
    let mut help = bot(&server, "watch", &["--help"]);
    help.env("PRESENCE_BOT_TOKEN", "s3cret");
    let help = in_time(help.output()).await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("Examples:") && !help.contains("s3cret"),
        "{help}"
    );
}

#[tokio::test]
async fn say_says_and_prints_the_reply() {
    let server = Server::builder().start().await.unwrap();
    let (_ann, channel) = member(&server, "ann").await;
    let mut shouts = channel.events_named("shout");
    let (code, _, said) = output(&server, "say", &["hello", "--user-id", "bob"]).await;
    assert_eq!(code, 0, "{said}");
    let shout: Value = in_time(shouts.next())
        .await
        .unwrap()
        .unwrap()
        .decode()
        .unwrap();
    assert_eq!(shout, json!({"body": "hello", "from": "bob"}));
    let args = ["--event", "echo", "--payload", r#"{"n":1}"#, "--reply"];
    let (code, replied, _) = output(&server, "say", &args).await;
    assert_eq!((code, replied.trim()), (0, r#"{"n":1}"#));
}

#[tokio::test]
async fn load_measures_and_finds_all_rosters_right() {
    let server = Server::builder().start().await.unwrap();
    let args = [
        "--clients",
        "40",
        "--rooms",
        "2",
        "--rate",
        "100",
        "--for",
        "1s",
        "--json",
    ];
    let (code, report, said) = output(&server, "load", &args).await;
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (
            &report["wrong_rosters"],
            &report["failures"],
            &report["clients"]
        ),
        (&json!(0), &json!(0), &json!(40))
    );
    for measured in ["join_seen", "update_seen"] {
        assert!(report[measured]["count"].as_u64().unwrap() > 0, "{report}");
        assert!(report[measured]["p50_us"].as_u64().unwrap() > 0, "{report}");
    }
    assert!(report["diffs_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(server.connection_count(), 0, "all have said goodbye");
}

#[tokio::test]
async fn load_joins_with_the_payload_it_is_given() {
    let server = Server::builder().start().await.unwrap();
    // The embedded server's rooms take objects.
    let args = ["--clients", "2", "--join", "[]"];
    let (code, _, said) = output(&server, "load", &args).await;
    assert_eq!((code, said.contains("join crashed")), (4, true), "{said}");
}

/// A server whose answer to an update is a lie: `echo` changes no meta, so every roster lacks the update.
#[tokio::test]
async fn load_finds_wrong_rosters() {
    let server = Server::builder().start().await.unwrap();
    let args = [
        // Of so many some are online whose last action was an update.
        "--clients",
        "20",
        "--rate",
        "100",
        "--for",
        "1s",
        "--update-event",
        "echo",
        "--settle",
        "1s",
    ];
    let (code, report, said) = output(&server, "load", &args).await;
    assert_eq!(code, 6, "{report}{said}");
    assert!(
        report.contains("WRONG") && said.contains("should be"),
        "{report}{said}"
    );
}
