//! 5,000 clients in this process, spread over 100 rooms of a server that is a process of its own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use common::roster::{self, Plain};
use common::{PATIENCE, builder, server};
use presence_native::{Channel, ChannelOptions, Presence, Socket};
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::task::JoinSet;

const ROOMS: usize = 100;
const CLIENTS: usize = 5_000;
/// So many connect at a time: a listener has room for no more.
const AT_ONCE: usize = 100;

/// The server, in a process of its own that ends with this one.
struct OwnServer {
    child: Child,
    /// Kept open, since it has more to say.
    _lines: Lines<BufReader<ChildStdout>>,
    endpoint: String,
}

impl OwnServer {
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let mut child = Command::new(test)
            .args([
                "--ignored",
                "--exact",
                "the_server_of_the_crowd",
                "--nocapture",
            ])
            .env("CROWD_SERVER", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("endpoint: ")?.1.to_owned()))
            .expect("the server says where it is");
        Self {
            child,
            _lines: lines,
            endpoint,
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

#[test]
#[ignore = "not a test: the crowd starts it as its server"]
fn the_server_of_the_crowd() {
    if std::env::var_os("CROWD_SERVER").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(server());
    let mut out = std::io::stdout();
    writeln!(out, "endpoint: {}", server.endpoint()).unwrap();
    out.flush().unwrap();
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
}

struct Client {
    user: String,
    room: usize,
    _socket: Socket,
    channel: Channel,
    presence: Presence<IgnoredAny>,
}

impl Client {
    async fn join(endpoint: String, number: usize) -> Self {
        let room = number % ROOMS;
        let user = format!("user-{number}");
        let socket = builder(&endpoint)
            .param("user_id", &user)
            // Two debug builds on a small machine may take their time.
            .timeout(PATIENCE * 4)
            .connect_timeout(PATIENCE * 4)
            .heartbeat_timeout(PATIENCE * 4)
            .connect()
            .await
            .unwrap();
        let channel = socket.channel_with(&format!("room:{room}"), ChannelOptions::new());
        let presence = channel.presence().unwrap();
        channel.join().await.unwrap();
        presence.synced().await.unwrap();
        Self {
            user,
            room,
            _socket: socket,
            channel,
            presence,
        }
    }
}

#[allow(
    clippy::print_stdout,
    reason = "how long each step took is worth seeing"
)]
async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let done = tokio::time::timeout(PATIENCE * 8, future).await;
    let done = done.unwrap_or_else(|_| panic!("waited too long until {what}"));
    println!("{:>6} ms until {what}", begin.elapsed().as_millis());
    done
}

/// Waits until all of a room see the same, and that is these users.
async fn agree(clients: &[Client], wanted: impl Fn(&Plain) -> bool) {
    for room in 0..ROOMS {
        let members: Vec<&Client> = clients
            .iter()
            .filter(|client| client.room == room)
            .collect();
        let users: BTreeSet<&str> = members.iter().map(|client| client.user.as_str()).collect();
        let is_right = |roster: &Plain| {
            roster.keys().map(String::as_str).eq(users.iter().copied()) && wanted(roster)
        };
        let mut first = None;
        for client in members {
            let roster = roster::until(&client.presence, is_right).await;
            assert_eq!(
                *first.get_or_insert_with(|| roster.clone()),
                roster,
                "room {room}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_roster_of_five_thousand_clients_is_right() {
    let wanted = CLIENTS as u64 * 2 + 200;
    let files = rlimit::increase_nofile_limit(wanted).unwrap();
    assert!(
        files >= CLIENTS as u64 + 200,
        "only {files} open files are allowed here; see ulimit -n"
    );
    let server = OwnServer::start();

    let mut joining = JoinSet::new();
    let mut clients = Vec::with_capacity(CLIENTS);
    patiently("all have joined", async {
        for number in 0..CLIENTS {
            if joining.len() >= AT_ONCE {
                clients.push(joining.join_next().await.unwrap().unwrap());
            }
            joining.spawn(Client::join(server.endpoint.clone(), number));
        }
        while let Some(client) = joining.join_next().await {
            clients.push(client.unwrap());
        }
    })
    .await;
    patiently("all see all of their room", agree(&clients, |_| true)).await;

    patiently("a tenth has changed its status", async {
        for client in clients.iter().step_by(10) {
            client
                .channel
                .push("set_status", &json!({"status": "busy"}))
                .await
                .unwrap();
        }
    })
    .await;
    let busy: BTreeSet<String> = clients
        .iter()
        .step_by(10)
        .map(|client| client.user.clone())
        .collect();
    let shows_busy = |roster: &Plain| {
        roster.iter().all(|(user, (metas, _))| {
            metas
                .values()
                .all(|meta| (meta["status"] == "busy") == busy.contains(user))
        })
    };
    patiently("all see that", agree(&clients, shows_busy)).await;

    // Half of them go, without a word.
    let gone = clients.split_off(CLIENTS / 2);
    drop(gone);
    patiently(
        "the others have seen half of them go",
        agree(&clients, |_| true),
    )
    .await;
}
