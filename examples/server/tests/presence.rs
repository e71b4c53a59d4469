//! Presence states and diffs.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, metas, ok, refs, server};
use presence_server::{Server, TrackError};
use serde_json::{Map, Value, json};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn own_join_diff_repeats_the_ref_of_the_state() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    let params = json!({ "device": "phone", "meta": { "n": 1 }, "other": 2 });
    alice
        .send(json!(["1", "1", "room:a", "phx_join", params]))
        .await;
    alice.recv().await;
    let diff = alice.recv().await[4].take();
    let state = alice.recv().await[4].take();
    assert_eq!(diff, json!({ "joins": state, "leaves": {} }));
    assert_eq!(
        metas(&state, "alice"),
        [json!({ "device": "phone", "n": 1 })]
    );
    let online_at = state["alice"]["metas"][0]["online_at"].as_str().unwrap();
    assert!(online_at.parse::<u64>().unwrap() > 1_500_000_000);
    let refs = refs(&state, "alice");
    let urlsafe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(
        refs[0].len() == 16 && refs[0].chars().all(urlsafe),
        "{refs:?}"
    );
    assert_eq!(server.presences().list("room:a"), state);
}

#[tokio::test]
async fn joins_may_ask_for_the_other_orders() {
    let server = server().await;
    for (order, own_in_state, frames) in [
        ("state_first", false, ["presence_state", "presence_diff"]),
        ("diff_last", true, ["presence_state", "presence_diff"]),
        ("by default", true, ["presence_diff", "presence_state"]),
    ] {
        let mut alice = Client::connect(&server, "alice").await;
        alice
            .send(json!(["1", "1", "room:a", "phx_join", { "order": order }]))
            .await;
        assert_eq!(alice.recv().await[3], "phx_reply");
        for frame in frames {
            let message = alice.recv().await;
            assert_eq!(message[3], frame, "{order}");
            if frame == "presence_state" {
                assert_eq!(message[4]["alice"].is_object(), own_in_state, "{order}");
            }
        }
        alice.close().await;
    }
    let mut observer = Client::connect(&server, "observer").await;
    observer
        .send(json!(["1", "1", "room:b", "phx_join", { "order": "observe" }]))
        .await;
    assert_eq!(observer.recv().await[3], "phx_reply");
    assert_eq!(
        observer.recv().await,
        json!(["1", null, "room:b", "presence_state", {}])
    );
    observer.assert_quiet().await;
}

#[tokio::test]
async fn update_is_a_join_with_the_previous_ref_and_a_leave_of_the_old_meta() {
    let server = server().await;
    let mut alice = Client::connect(&server, "alice").await;
    let before = alice.join("1", "room:a").await;
    let mut bob = Client::joined(&server, "bob", "room:a").await;
    alice.recv().await;

    alice
        .send(json!(["1", "2", "room:a", "set_status", { "status": "away" }]))
        .await;
    let reply = alice.recv().await;
    let diff = alice.recv().await;
    assert_eq!(bob.recv().await, diff);
    let diff = &diff[4];
    assert_eq!(diff["leaves"], json!({ "alice": before["alice"] }));
    let new = &diff["joins"]["alice"]["metas"][0];
    assert_eq!(new["phx_ref_prev"], before["alice"]["metas"][0]["phx_ref"]);
    assert_ne!(new["phx_ref"], new["phx_ref_prev"]);
    assert_eq!(new["online_at"], before["alice"]["metas"][0]["online_at"]);
    assert_eq!(new["status"], "away");
    assert_eq!(
        reply,
        json!([
            "1",
            "2",
            "room:a",
            "phx_reply",
            ok(json!({ "ref": new["phx_ref"] }))
        ])
    );
    let presence = server.presences().get_by_key("room:a", "alice");
    assert_eq!(presence, Some(json!({ "metas": [new] })));
}

#[tokio::test]
async fn one_user_on_two_devices_has_two_metas_and_an_update_keeps_its_place() {
    let server = server().await;
    let mut phone = Client::connect_with(&server, "vsn=2.0.0&user_id=alice&device=phone")
        .await
        .unwrap();
    phone.join("1", "room:a").await;
    let mut laptop = Client::connect_with(&server, "vsn=2.0.0&user_id=alice&device=laptop")
        .await
        .unwrap();
    let state = laptop.join("1", "room:a").await;
    assert_eq!(
        metas(&state, "alice"),
        [json!({ "device": "phone" }), json!({ "device": "laptop" })]
    );
    let diff = phone.recv().await;
    assert_eq!(
        metas(&diff[4]["joins"], "alice"),
        [json!({ "device": "laptop" })]
    );

    phone
        .send(json!(["1", "2", "room:a", "update", { "status": "busy" }]))
        .await;
    phone.recv().await;
    phone.recv().await;
    laptop.recv().await;
    let state = server.presences().list("room:a");
    let expected = [
        json!({ "device": "phone", "status": "busy" }),
        json!({ "device": "laptop" }),
    ];
    assert_eq!(metas(&state, "alice"), expected);

    phone.close().await;
    let diff = laptop.recv().await;
    assert_eq!(diff[4]["joins"], json!({}));
    assert_eq!(metas(&diff[4]["leaves"], "alice"), [expected[0].clone()]);
    assert_eq!(
        metas(&server.presences().list("room:a"), "alice"),
        [expected[1].clone()]
    );
}

#[tokio::test]
async fn every_way_to_end_is_a_leave_to_the_others() {
    let server = server().await;
    let mut observer = Client::joined(&server, "observer", "room:a").await;
    for event in ["phx_leave", "stop", "crash", "disconnect_me", "not json"] {
        let mut alice = Client::joined(&server, "alice", "room:a").await;
        assert!(observer.recv().await[4]["joins"]["alice"].is_object());
        if event == "not json" {
            alice.send_text(event).await;
        } else {
            alice.send(json!(["1", "2", "room:a", event, {}])).await;
        }
        let diff = observer.recv().await;
        assert_eq!(metas(&diff[4]["leaves"], "alice").len(), 1, "{event}");
    }
    let alice = Client::joined(&server, "alice", "room:a").await;
    observer.recv().await;
    // A connection that just breaks.
    drop(alice);
    assert!(observer.recv().await[4]["leaves"]["alice"].is_object());
    observer.assert_quiet().await;
}

#[tokio::test]
async fn rejoining_leaves_and_joins() {
    let server = server().await;
    let mut observer = Client::joined(&server, "observer", "room:a").await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    let first = observer.recv().await[4]["joins"]["alice"].take();
    alice
        .send(json!(["2", "2", "room:a", "phx_join", {}]))
        .await;
    let leave = observer.recv().await[4].take();
    assert_eq!(leave, json!({ "joins": {}, "leaves": { "alice": first } }));
    let join = observer.recv().await[4].take();
    assert_eq!(join["leaves"], json!({}));
    assert_ne!(join["joins"]["alice"], first);
}

#[tokio::test]
async fn further_keys_can_be_tracked_and_all_leave_in_one_diff() {
    let server = server().await;
    let mut observer = Client::joined(&server, "observer", "room:a").await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    observer.recv().await;
    for key in ["10", "__proto__", "é"] {
        let track = json!({ "key": key, "meta": { "device": "tablet" } });
        alice
            .send(json!(["1", "2", "room:a", "track", track]))
            .await;
        let reply = alice.recv().await;
        let diff = alice.recv().await;
        assert_eq!(
            diff[4]["joins"][key]["metas"][0]["phx_ref"],
            reply[4]["response"]["ref"]
        );
        assert_eq!(observer.recv().await, diff);
    }
    alice
        .send(json!(["1", "3", "room:a", "track", { "key": "10" }]))
        .await;
    assert_eq!(alice.recv().await[4], common::error("already_tracked"));
    alice
        .send(json!(["1", "4", "room:a", "untrack", { "key": "é" }]))
        .await;
    assert_eq!(alice.recv().await[4], ok(json!({})));
    assert_eq!(metas(&alice.recv().await[4]["leaves"], "é").len(), 1);
    observer.recv().await;
    alice
        .send(json!(["1", "5", "room:a", "untrack", { "key": "é" }]))
        .await;
    assert_eq!(alice.recv().await[4], ok(json!({})));
    alice.assert_quiet().await;

    alice.close().await;
    let diff = observer.recv().await;
    let left: Vec<_> = diff[4]["leaves"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(left, ["10", "__proto__", "alice"]);
    observer.assert_quiet().await;
}

#[tokio::test]
async fn an_untracked_client_may_track_itself_again() {
    let server = server().await;
    let mut alice = Client::joined(&server, "alice", "room:a").await;
    alice.send(json!(["1", "2", "room:a", "untrack", {}])).await;
    alice.recv().await;
    assert!(alice.recv().await[4]["leaves"]["alice"].is_object());
    alice
        .send(json!(["1", "3", "room:a", "set_status", { "status": "away" }]))
        .await;
    assert_eq!(alice.recv().await[4], common::error("nopresence"));
    alice.send(json!(["1", "4", "room:a", "track", {}])).await;
    assert_eq!(alice.recv().await[4]["status"], "ok");
    assert!(alice.recv().await[4]["joins"]["alice"].is_object());
}

#[tokio::test]
async fn embedders_track_update_and_untrack() {
    let server = server().await;
    let mut observer = Client::joined(&server, "observer", "room:a").await;
    let mut crowd = server.presences().process();
    let first = crowd
        .track("room:a", "carl", fields(json!({ "n": 1 })))
        .unwrap();
    assert_eq!(
        refs(&observer.recv().await[4]["joins"], "carl"),
        std::slice::from_ref(&first)
    );
    let again = crowd.track("room:a", "carl", Map::new());
    assert_eq!(again, Err(TrackError::AlreadyTracked));
    assert_eq!(
        crowd.update("room:b", "carl", Map::new()),
        Err(TrackError::NotPresent)
    );

    let counted = crowd.update_with("room:a", "carl", |old| {
        let n = old["n"].as_u64().unwrap();
        fields(json!({ "n": n + 1 }))
    });
    let second = counted.unwrap();
    let diff = observer.recv().await;
    let after = json!({ "n": 2, "phx_ref": second, "phx_ref_prev": first });
    assert_eq!(diff[4]["joins"], json!({ "carl": { "metas": [after] } }));
    crowd
        .update("room:a", "carl", fields(json!({ "x": true })))
        .unwrap();
    assert_eq!(
        metas(&observer.recv().await[4]["joins"], "carl"),
        [json!({ "x": true })]
    );
    crowd.untrack("room:a", "carl");
    assert_eq!(
        metas(&observer.recv().await[4]["leaves"], "carl"),
        [json!({ "x": true })]
    );

    for index in 0..2_000 {
        crowd
            .track("room:a", &format!("user-{index}"), Map::new())
            .unwrap();
        observer.recv().await;
    }
    let state = Client::connect(&server, "late")
        .await
        .join("1", "room:a")
        .await;
    assert_eq!(state.as_object().unwrap().len(), 2_002);
    assert_eq!(observer.recv().await[4]["leaves"], json!({}));
    assert_eq!(observer.recv().await[4]["joins"], json!({}));
    drop(crowd);
    let diff = observer.recv().await;
    assert_eq!(diff[4]["leaves"].as_object().unwrap().len(), 2_000);
    observer.assert_quiet().await;
}

#[tokio::test]
async fn extras_stand_beside_metas_and_see_only_the_message_at_hand() {
    let server = Server::builder()
        .on_fetch(|topic, key, metas| {
            fields(json!({ "seen": { "topic": topic, "key": key, "count": metas.len() } }))
        })
        .start()
        .await
        .unwrap();
    let mut first = Client::joined(&server, "alice", "room:a").await;
    let mut second = Client::connect(&server, "alice").await;
    let state = second.join("1", "room:a").await;
    let seen = |count| json!({ "topic": "room:a", "key": "alice", "count": count });
    assert_eq!(state["alice"]["seen"], seen(2));
    assert_eq!(first.recv().await[4]["joins"]["alice"]["seen"], seen(1));
    let presence = server.presences().get_by_key("room:a", "alice").unwrap();
    assert_eq!(presence["seen"], seen(2));
    assert_eq!(server.presences().get_by_key("room:a", "nobody"), None);
}

#[tokio::test]
async fn rooms_named_x_have_extras_by_default() {
    let server = server().await;
    let query = "vsn=2.0.0&user_id=alice&name=Alice%20A.";
    let mut alice = Client::connect_with(&server, query).await.unwrap();
    let state = alice.join("1", "room:x-files").await;
    assert_eq!(state["alice"]["user"], json!({ "name": "Alice A." }));
    let state = alice.join("2", "room:plain").await;
    assert_eq!(state["alice"]["user"], json!(null));
}
