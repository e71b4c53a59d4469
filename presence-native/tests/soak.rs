//! A room in a bad network, for as long as asked: `PRESENCE_SOAK_SECS` seconds, 5 by default. People come, change and
//! go, connections break, the server dies and comes back; now and then it all calms down, and every roster must be the
//! server's, and every stream of changes must have led there.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::cutter::Cutter;
use common::roster::{self, until_true};
use common::{builder, in_time};
use presence_native::{Changes, Channel, Presence, Socket};
use presence_server::{Process, Server};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

const ROOM: &str = "room:soak";
const CLIENTS: usize = 6;
const PROCESSES: usize = 4;

/// A client, and a roster kept by its changes alone.
struct Client {
    user: String,
    _socket: Socket,
    channel: Channel,
    presence: Presence<Value>,
    changes: Changes<Value, serde::de::IgnoredAny>,
    kept: BTreeMap<String, String>,
    _cutter: Cutter,
}

impl Client {
    async fn start(server: &Server, user: String, random: &mut SmallRng) -> Self {
        // Breaks once, at some byte; later breaks are the server's.
        let cutter = Cutter::at_byte(server.addr(), random.random_range(0..200_000)).await;
        let socket = builder(&cutter.endpoint())
            .param("user_id", &user)
            .build()
            .unwrap();
        let channel = socket.channel(ROOM);
        let presence: Presence<Value> = channel.presence().unwrap();
        let changes = presence.changes();
        in_time(channel.join()).await.unwrap();
        Self {
            user,
            _socket: socket,
            channel,
            presence,
            changes,
            kept: BTreeMap::new(),
            _cutter: cutter,
        }
    }

    /// Applies the changes so far, and compares.
    fn check_changes(&mut self) {
        use futures_util::FutureExt as _;
        while let Some(change) = self.changes.next().now_or_never() {
            match change.expect("the channel is over") {
                Ok(change) => {
                    let before = change.before().map(|entry| entry.json().to_owned());
                    assert_eq!(
                        self.kept.get(change.key()),
                        before.as_ref(),
                        "{}: {change:?}",
                        self.user
                    );
                    match change.after() {
                        Some(after) => self
                            .kept
                            .insert(change.key().to_owned(), after.json().to_owned()),
                        None => self.kept.remove(change.key()),
                    };
                }
                Err(lagged) => self.kept = shown(&lagged.snapshot),
            }
        }
        assert_eq!(self.kept, shown(&self.presence.snapshot()), "{}", self.user);
    }
}

fn shown<M, X>(snapshot: &presence_native::Snapshot<M, X>) -> BTreeMap<String, String> {
    snapshot
        .iter()
        .map(|entry| (entry.key().to_owned(), entry.json().to_owned()))
        .collect()
}

fn key(random: &mut SmallRng) -> String {
    ["", "7", "12", "ann", "bob", "__proto__", "ü"][random.random_range(0..7)].to_owned()
}

fn meta(random: &mut SmallRng) -> Map<String, Value> {
    let meta =
        json!({"n": random.random_range(0..1000), "text": "x".repeat(random.random_range(0..50))});
    meta.as_object().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_roster_is_right_whenever_it_calms_down() {
    let seconds = std::env::var("PRESENCE_SOAK_SECS")
        .map_or(5, |text| text.parse().expect("a number of seconds"));
    let seed: u64 = std::env::var("PRESENCE_SOAK_SEED")
        .map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("seed {seed}, for {seconds} s");
    let mut random = SmallRng::seed_from_u64(seed);
    let end = Instant::now() + Duration::from_secs(seconds);

    let mut server = Server::builder().start().await.unwrap();
    let mut processes: Vec<Process> = Vec::new();
    let mut clients: Vec<Client> = Vec::new();
    let (mut actions, mut kills, mut cuts, mut checks) = (0_u64, 0, 0, 0);
    while Instant::now() < end || checks == 0 {
        for _ in 0..random.random_range(1..40) {
            actions += 1;
            processes.resize_with(PROCESSES, || server.presences().process());
            let process = random.random_range(0..PROCESSES);
            match random.random_range(0..100) {
                // Tracked already, or not: both may be, and change nothing.
                0..30 => drop(processes[process].track(ROOM, &key(&mut random), meta(&mut random))),
                30..55 => {
                    drop(processes[process].update(ROOM, &key(&mut random), meta(&mut random)))
                }
                55..75 => processes[process].untrack(ROOM, &key(&mut random)),
                75..80 => drop(processes.swap_remove(process)),
                80..92 => {
                    if let Some(client) = clients.get(process) {
                        // Lost with its connection, maybe.
                        let _ = in_time(
                            client
                                .channel
                                .cast("set_status", &Value::from(meta(&mut random))),
                        )
                        .await;
                    }
                }
                92..96 => {
                    cuts += 1;
                    server.cut_connections();
                }
                96..98 if clients.len() < CLIENTS => {
                    let user = format!("user-{actions}");
                    clients.push(Client::start(&server, user, &mut random).await);
                }
                98 if clients.len() > 2 => {
                    let index = random.random_range(0..clients.len());
                    clients.swap_remove(index);
                }
                99 => {
                    kills += 1;
                    processes.clear();
                    let killed = in_time(server.kill()).await;
                    server = in_time(killed.start_again()).await.unwrap();
                }
                _ => {}
            }
        }
        while clients.len() < 2 {
            let user = format!("user-{actions}-{}", clients.len());
            clients.push(Client::start(&server, user, &mut random).await);
        }
        for client in &mut clients {
            until_true(&client.presence, &server, ROOM).await;
            let me = |roster: &roster::Plain| roster.contains_key(&client.user);
            roster::until(&client.presence, me).await;
        }
        for client in &mut clients {
            until_true(&client.presence, &server, ROOM).await;
            client.check_changes();
        }
        checks += 1;
    }
    println!(
        "{actions} actions, {cuts} cuts and {kills} deaths of the server; all rosters right at {checks} moments"
    );
}
