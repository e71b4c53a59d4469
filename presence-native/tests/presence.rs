//! Rosters: always the server's, whatever happens.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};

use common::rogue::{Peer, Rogue};
use common::roster::{self, keys, synced, until_keys, until_true};
use common::{builder, in_time, server, socket, until};
use presence_native::{
    Cause, ChangeKind, Changes, Channel, Presence, PresenceError, PresenceOptions, PresenceStatus,
    Socket,
};
use presence_server::Server;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

const ROOM: &str = "room:lobby";

/// A meta of the embedded server's.
#[derive(Debug, Deserialize, PartialEq)]
struct Meta {
    status: Option<String>,
}

fn meta(fields: Value) -> Map<String, Value> {
    fields.as_object().unwrap().clone()
}

async fn watching(socket: &Socket) -> (Channel, Presence<Meta>) {
    let channel = socket.channel(ROOM);
    let presence = channel.presence().unwrap();
    in_time(channel.join()).await.unwrap();
    synced(&presence).await;
    (channel, presence)
}

async fn next<M, X>(changes: &mut Changes<M, X>) -> presence_native::Change<M, X> {
    in_time(changes.next())
        .await
        .expect("the channel is over")
        .expect("lagged")
}

#[tokio::test]
async fn the_roster_follows_the_server() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let (channel, presence) = watching(&socket).await;
    let mut changes = presence.changes();
    assert_eq!(keys(changes.start()), ["alice"]);

    let mut bob = server.presences().process();
    bob.track(ROOM, "bob", meta(json!({"status": "here"})))
        .unwrap();
    let joined = next(&mut changes).await;
    assert_eq!(
        (joined.kind(), joined.cause(), joined.key()),
        (ChangeKind::Joined, Cause::Diff, "bob")
    );
    assert!(joined.before().is_none());
    assert_eq!(presence.get("bob"), joined.after());
    let metas: Vec<Meta> = joined.joined().map(Result::unwrap).collect();
    assert_eq!(
        metas,
        [Meta {
            status: Some("here".to_owned())
        }]
    );

    // A second device is a join with something before.
    let mut phone = server.presences().process();
    phone.track(ROOM, "bob", meta(json!({}))).unwrap();
    let second = next(&mut changes).await;
    assert_eq!(
        (
            second.kind(),
            second.before().unwrap().len(),
            second.after().unwrap().len()
        ),
        (ChangeKind::Joined, 1, 2)
    );

    bob.update(ROOM, "bob", meta(json!({"status": "away"})))
        .unwrap();
    let updated = next(&mut changes).await;
    assert_eq!(updated.kind(), ChangeKind::Updated);
    let statuses = |metas: Vec<Meta>| {
        metas
            .into_iter()
            .map(|meta| meta.status)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        statuses(updated.left().map(Result::unwrap).collect()),
        [Some("here".to_owned())]
    );
    assert_eq!(
        statuses(updated.joined().map(Result::unwrap).collect()),
        [Some("away".to_owned())]
    );
    // phoenix.js's order: what was kept, then what joined.
    assert_eq!(
        statuses(
            updated
                .after()
                .unwrap()
                .metas()
                .map(Result::unwrap)
                .collect()
        ),
        [None, Some("away".to_owned())]
    );

    drop(phone);
    let left = next(&mut changes).await;
    assert_eq!(
        (left.kind(), left.after().unwrap().len()),
        (ChangeKind::Left, 1)
    );
    drop(bob);
    let gone = next(&mut changes).await;
    assert_eq!((gone.kind(), gone.after()), (ChangeKind::Left, None));
    assert_eq!(keys(&presence.snapshot()), ["alice"]);
    assert!(presence.get("bob").is_none());

    // One's own update, by a push.
    in_time(channel.push("set_status", &json!({"status": "busy"})))
        .await
        .unwrap();
    let own = next(&mut changes).await;
    assert_eq!((own.key(), own.kind()), ("alice", ChangeKind::Updated));
    until_true(&presence, &server, ROOM).await;
}

#[tokio::test]
async fn the_first_state_is_changes_too_for_whoever_listens_before() {
    let server = server().await;
    let mut bob = server.presences().process();
    bob.track(ROOM, "bob", meta(json!({}))).unwrap();
    let socket = socket(&server, "alice");
    let channel = socket.channel(ROOM);
    let presence: Presence<Meta> = channel.presence().unwrap();
    let mut changes = presence.changes();
    assert!(changes.start().is_empty());
    in_time(channel.join()).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let change = next(&mut changes).await;
        assert_eq!(
            (change.kind(), change.cause()),
            (ChangeKind::Joined, Cause::Resync)
        );
        seen.push(change.key().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["alice", "bob"]);
}

#[tokio::test]
async fn snapshots_stay_and_share_what_did_not_change() {
    let server = server().await;
    let mut process = server.presences().process();
    for number in 0..500 {
        process
            .track(
                ROOM,
                &format!("user-{number:03}"),
                meta(json!({"n": number})),
            )
            .unwrap();
    }
    let socket = socket(&server, "alice");
    let (_channel, presence) = watching(&socket).await;
    let before = presence.snapshot();
    assert_eq!((before.len(), presence.len()), (501, 501));
    process.untrack(ROOM, "user-250");
    roster::until(&presence, |roster| !roster.contains_key("user-250")).await;
    let after = presence.snapshot();
    assert_eq!((before.len(), after.len()), (501, 500));
    let mut entries = after.iter();
    assert_eq!((entries.len(), entries.next().is_some()), (500, true));
    assert_eq!((entries.len(), entries.count()), (499, 499));
    assert!(before.get("user-250").is_some() && after.get("user-250").is_none());
    for entry in &after {
        let same = before.get(entry.key()).expect("it was there");
        assert!(
            std::ptr::eq(same.json(), entry.json()),
            "{} was copied",
            entry.key()
        );
    }
}

#[tokio::test]
async fn a_lost_connection_makes_the_roster_stale_and_the_next_state_right() {
    let server = server().await;
    let watcher = socket(&server, "alice");
    let (_channel, presence) = watching(&watcher).await;
    let mut bob = server.presences().process();
    bob.track(ROOM, "bob", meta(json!({}))).unwrap();
    until_keys(&presence, &["alice", "bob"]).await;
    let mut changes = presence.changes();
    let mut status = presence.watch_status();

    // The server's end, without a goodbye; with it all presences are gone.
    let again = in_time(server.kill()).await;
    until(&mut status, |status| *status == PresenceStatus::Stale).await;
    assert_eq!(
        keys(&presence.snapshot()),
        ["alice", "bob"],
        "the last known roster stays"
    );
    let server = in_time(again.start_again()).await.unwrap();
    let mut carol = server.presences().process();
    carol.track(ROOM, "carol", meta(json!({}))).unwrap();
    until(&mut status, |status| *status == PresenceStatus::Synced).await;
    until_true(&presence, &server, ROOM).await;

    let mut seen = Vec::new();
    while seen.len() < 3 {
        let change = next(&mut changes).await;
        if change.cause() == Cause::Resync {
            seen.push((change.key().to_owned(), change.kind()));
        }
    }
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<_> = seen
        .iter()
        .map(|(key, kind)| (key.as_str(), *kind))
        .collect();
    assert!(names.contains(&("bob", ChangeKind::Left)), "{names:?}");
    assert!(names.contains(&("carol", ChangeKind::Joined)), "{names:?}");
    assert!(names.contains(&("alice", ChangeKind::Updated)), "{names:?}");
}

#[tokio::test]
async fn a_slow_reader_lags_and_goes_on_from_a_snapshot() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel_with(
        ROOM,
        presence_native::ChannelOptions::new().stream_capacity(4),
    );
    let presence: Presence<Meta> = channel.presence().unwrap();
    in_time(channel.join()).await.unwrap();
    synced(&presence).await;
    let mut slow = presence.changes();
    let mut process = server.presences().process();
    for number in 0..50 {
        process
            .track(ROOM, &format!("user-{number}"), meta(json!({})))
            .unwrap();
    }
    roster::until(&presence, |roster| roster.len() == 51).await;
    let lagged = in_time(slow.next()).await.unwrap().unwrap_err();
    assert_eq!((lagged.missed, lagged.snapshot.len()), (50, 51));
    // What follows applies to the snapshot, nothing missing and nothing twice.
    process.untrack(ROOM, "user-7");
    let left = next(&mut slow).await;
    assert_eq!((left.key(), left.kind()), ("user-7", ChangeKind::Left));
}

#[tokio::test]
async fn callbacks_come_as_phoenix_js_makes_them() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel(ROOM);
    let presence: Presence<Value> = channel.presence().unwrap();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |text: String| log.lock().unwrap().push(text);
    {
        let log = Arc::clone(&log);
        presence.on_join(move |key, current, joined| {
            let before = current.map_or(0, |current| current.len());
            log.lock()
                .unwrap()
                .push(format!("join {key} {before}+{}", joined.len()));
        });
    }
    {
        let log = Arc::clone(&log);
        presence.on_leave(move |key, current, left| {
            log.lock()
                .unwrap()
                .push(format!("leave {key} {}-{}", current.len(), left.len()));
        });
    }
    let (sender, mut syncs) = tokio::sync::mpsc::unbounded_channel();
    {
        let (log, presence) = (Arc::clone(&log), presence.clone());
        presence.clone().on_sync(move || {
            log.lock().unwrap().push(format!("sync {}", presence.len()));
            sender.send(()).unwrap();
        });
    }
    in_time(channel.join()).await.unwrap();
    in_time(syncs.recv()).await.unwrap();
    // The own-join diff came first here, was held back, and repeats the join.
    note("--".to_owned());
    in_time(channel.push("set_status", &json!({"status": "busy"})))
        .await
        .unwrap();
    in_time(syncs.recv()).await.unwrap();
    assert_eq!(
        *log.lock().unwrap(),
        [
            "join alice 0+1",
            "join alice 1+1",
            "sync 1",
            "--",
            "join alice 1+1",
            "leave alice 1-1",
            "sync 1"
        ]
    );
}

#[tokio::test]
async fn a_callback_that_panics_or_calls_back_breaks_nothing() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel(ROOM);
    let presence: Presence<Value> = channel.presence().unwrap();
    let (sender, mut syncs) = tokio::sync::mpsc::unbounded_channel();
    presence.on_join(|_, _, _| panic!("on purpose"));
    let handle = presence.clone();
    presence.on_sync(move || {
        let seen = (handle.snapshot().len(), handle.changes().start().len());
        let sender = sender.clone();
        // From within: another callback takes over from here.
        handle.on_sync(move || sender.send((2, 2)).unwrap());
        assert_eq!(seen, (1, 1));
    });
    in_time(channel.join()).await.unwrap();
    let mut bob = server.presences().process();
    bob.track(ROOM, "bob", meta(json!({}))).unwrap();
    assert_eq!(in_time(syncs.recv()).await, Some((2, 2)));
    until_true(&presence, &server, ROOM).await;
}

#[tokio::test]
async fn metas_and_extras_are_decoded_one_by_one() {
    #[derive(Debug, Deserialize)]
    struct Strict {
        n: u32,
    }
    #[derive(Debug, Deserialize)]
    struct Extra {
        user: User,
    }
    #[derive(Debug, Deserialize)]
    struct User {
        name: String,
    }
    let room = "room:x-extras";
    let server = server().await;
    let mut process = server.presences().process();
    process
        .track(room, "good", meta(json!({"n": 1, "name": "Good"})))
        .unwrap();
    process
        .track(room, "bad", meta(json!({"n": "one", "name": 7})))
        .unwrap();
    let socket = socket(&server, "alice");
    let channel = socket.channel(room);
    let presence: Presence<Strict, Extra> =
        channel.presence_with(PresenceOptions::default()).unwrap();
    in_time(channel.join()).await.unwrap();
    synced(&presence).await;
    let good = presence.get("good").unwrap();
    assert_eq!(good.metas().next().unwrap().unwrap().n, 1);
    assert_eq!(good.extra().unwrap().user.name, "Good");
    let bad = presence.get("bad").unwrap();
    let error = bad.metas().next().unwrap().unwrap_err();
    assert!(
        error.to_string().contains("invalid type: string \"one\""),
        "{error}"
    );
    assert!(bad.extra().is_err());
    assert!(bad.json().contains(r#""n":"one""#) && bad.metas_json().len() == 1);
    until_true(&presence, &server, room).await;
}

#[tokio::test]
async fn the_end_of_a_channel_is_the_end_of_its_roster() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let (channel, presence) = watching(&socket).await;
    let mut changes = presence.changes();
    let late: Result<Presence<Meta>, _> = channel.presence();
    assert_eq!(late.unwrap_err(), PresenceError::TooLate);
    in_time(channel.leave()).await;
    assert_eq!(presence.status(), PresenceStatus::Closed);
    assert_eq!(
        keys(&presence.snapshot()),
        ["alice"],
        "the last known roster stays"
    );
    while let Some(change) = in_time(changes.next()).await {
        change.unwrap();
    }
    assert_eq!(
        in_time(presence.synced()).await.unwrap_err(),
        PresenceError::Closed
    );

    let unjoined = socket.channel("room:other");
    let presence: Presence<Meta> = unjoined.presence().unwrap();
    in_time(unjoined.leave()).await;
    assert_eq!(
        in_time(presence.synced()).await.unwrap_err(),
        PresenceError::Closed
    );
}

/// Else one that holds its presence would keep both for ever.
#[tokio::test]
async fn callbacks_set_after_the_end_are_not_kept() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let (channel, presence) = watching(&socket).await;
    let held = Arc::new(());
    let (before, after) = (Arc::clone(&held), Arc::clone(&held));
    presence.on_sync(move || drop(Arc::clone(&before)));
    in_time(channel.leave()).await;
    presence.on_sync(move || drop(Arc::clone(&after)));
    assert_eq!(Arc::strong_count(&held), 1);
}

/// Nobody ends a turn here but the frame.
#[tokio::test]
async fn changes_to_be_coalesced_come_frame_by_frame() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel(ROOM);
    let mut options = PresenceOptions::default();
    options.coalesce = true;
    let presence: Presence<Meta> = channel.presence_with(options).unwrap();
    let mut changes = presence.changes();
    in_time(channel.join()).await.unwrap();
    assert_eq!(next(&mut changes).await.key(), "alice");
    let mut bob = server.presences().process();
    bob.track(ROOM, "bob", meta(json!({}))).unwrap();
    drop(bob);
    for kind in [ChangeKind::Joined, ChangeKind::Left] {
        let change = next(&mut changes).await;
        assert_eq!((change.key(), change.kind()), ("bob", kind));
    }
}

#[tokio::test]
async fn two_presences_of_one_channel_agree() {
    let server = server().await;
    let socket = socket(&server, "alice");
    let channel = socket.channel(ROOM);
    let (one, other): (Presence<Meta>, Presence<Value>) =
        (channel.presence().unwrap(), channel.presence().unwrap());
    in_time(channel.join()).await.unwrap();
    synced(&one).await;
    synced(&other).await;
    assert_eq!(roster::of(&one.snapshot()), roster::of(&other.snapshot()));
}

#[tokio::test]
async fn the_order_is_that_of_javascript_s_properties() {
    let server = Server::builder().start().await.unwrap();
    let mut process = server.presences().process();
    for key in [
        "b",
        "10",
        "",
        "a",
        "9",
        "__proto__",
        "4294967294",
        "4294967295",
        "01",
    ] {
        process.track(ROOM, key, meta(json!({}))).unwrap();
    }
    let socket = socket(&server, "observer");
    let (_channel, presence) = watching(&socket).await;
    let order = keys(&presence.snapshot());
    assert_eq!(order[..3], ["9", "10", "4294967294"]);
    until_true(&presence, &server, ROOM).await;
    // Who comes back goes last.
    process.untrack(ROOM, "a");
    process.track(ROOM, "a", meta(json!({}))).unwrap();
    let is_last = |presence: &Presence<Meta>| {
        keys(&presence.snapshot()).last().map(String::as_str) == Some("a")
    };
    roster::until(&presence, |_| is_last(&presence)).await;
}

/// Sends a state under a join.
async fn state(peer: &mut Peer, join_ref: &Value, keys: &[&str]) {
    let presences: Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!({"metas": [{"phx_ref": key}]})))
        .collect();
    peer.send(&json!([join_ref, null, ROOM, "presence_state", presences]))
        .await;
}

#[tokio::test]
async fn a_malformed_diff_starts_the_roster_anew() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel(ROOM);
    let presence: Presence<IgnoredAny> = channel.presence().unwrap();
    let mut status = presence.watch_status();
    let broken = [
        json!({"joins": {"x": 1}, "leaves": {}}),
        json!({"leaves": {}}),
        json!([]),
        json!({"joins": {"x": {"metas": {}}}, "leaves": {}}),
    ];
    let mut joining = Some(Box::pin(channel.join()));
    for (round, diff) in broken.iter().enumerate() {
        let mut peer = rogue.accept().await;
        let join_ref = match joining.take() {
            Some(join) => tokio::join!(join, peer.joined()).1,
            None => peer.joined().await,
        };
        let name = format!("round-{round}");
        state(&mut peer, &join_ref, &[&name]).await;
        until(&mut status, |status| *status == PresenceStatus::Synced).await;
        assert_eq!(keys(&presence.snapshot()), [&*name]);
        peer.send(&json!([null, null, ROOM, "presence_diff", diff]))
            .await;
        until(&mut status, |status| *status == PresenceStatus::Stale).await;
        assert_eq!(
            keys(&presence.snapshot()),
            [&*name],
            "nothing of it was applied"
        );
        assert_eq!(peer.close_code().await, Some(1002));
    }
}

#[tokio::test]
async fn a_stale_diff_is_not_replayed_after_a_reconnect() {
    let rogue = Rogue::start().await;
    let socket = builder(&rogue.endpoint()).build().unwrap();
    let channel = socket.channel(ROOM);
    let presence: Presence<IgnoredAny> = channel.presence().unwrap();
    let mut first = rogue.accept().await;
    drop(tokio::join!(channel.join(), first.joined()));
    // A diff before the state, and then no state: bob belongs to a join that is over.
    first
        .send(&json!([null, null, ROOM, "presence_diff", {"joins": {"bob": {"metas": [{"phx_ref": "b"}]}}, "leaves": {}}]))
        .await;
    drop(first);
    let mut second = rogue.accept().await;
    let join_ref = second.joined().await;
    state(&mut second, &join_ref, &["alice"]).await;
    assert_eq!(keys(&synced(&presence).await), ["alice"]);
}
