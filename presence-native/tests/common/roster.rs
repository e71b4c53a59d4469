//! Rosters compared with the server's own list.

use std::collections::{BTreeMap, BTreeSet};

use presence_native::{Presence, Snapshot};
use presence_server::Server;
use serde_json::{Map, Value};

use super::{PATIENCE, in_time};

/// A roster without its order, in which servers are free: metas by ref, and the extras.
pub(crate) type Plain = BTreeMap<String, (BTreeMap<String, Value>, Map<String, Value>)>;

pub(crate) fn plain(presences: &Value) -> Plain {
    let presences = presences.as_object().expect("a state is an object");
    presences
        .iter()
        .map(|(key, presence)| (key.clone(), plain_presence(presence)))
        .collect()
}

fn plain_presence(presence: &Value) -> (BTreeMap<String, Value>, Map<String, Value>) {
    let mut extras = presence
        .as_object()
        .expect("a presence is an object")
        .clone();
    let metas = extras.remove("metas").expect("a presence has metas");
    let by_ref = |meta: &Value| {
        let phx_ref = meta["phx_ref"].as_str().expect("a meta has a ref");
        (phx_ref.to_owned(), meta.clone())
    };
    let metas = metas.as_array().expect("metas are an array");
    (metas.iter().map(by_ref).collect(), extras)
}

pub(crate) fn of<M, X>(snapshot: &Snapshot<M, X>) -> Plain {
    snapshot
        .iter()
        .map(|entry| {
            let presence = serde_json::from_str(entry.json()).expect("an entry is JSON");
            (entry.key().to_owned(), plain_presence(&presence))
        })
        .collect()
}

pub(crate) fn truth(server: &Server, topic: &str) -> Plain {
    plain(&server.presences().list(topic))
}

pub(crate) fn keys<M, X>(snapshot: &Snapshot<M, X>) -> Vec<String> {
    snapshot
        .iter()
        .map(|entry| entry.key().to_owned())
        .collect()
}

/// Waits until the roster is what the server says, which may still be on its way.
pub(crate) async fn until_true<M, X>(
    presence: &Presence<M, X>,
    server: &Server,
    topic: &str,
) -> Plain {
    until(presence, |roster| *roster == truth(server, topic)).await
}

/// Waits until exactly these keys are there.
pub(crate) async fn until_keys<M, X>(presence: &Presence<M, X>, wanted: &[&str]) {
    let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
    until(presence, |roster| {
        roster.keys().map(String::as_str).eq(wanted.iter().copied())
    })
    .await;
}

/// Waits until the roster is as wanted, looking again at each change.
pub(crate) async fn until<M, X>(
    presence: &Presence<M, X>,
    wanted: impl Fn(&Plain) -> bool,
) -> Plain {
    let mut changes = presence.changes();
    let mut status = presence.watch_status();
    let look = async {
        loop {
            let roster = of(&presence.snapshot());
            if wanted(&roster) {
                return roster;
            }
            tokio::select! {
                change = changes.next() => assert!(change.is_some(), "the channel is over"),
                changed = status.changed() => changed.expect("the presence is gone"),
            }
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(roster) => roster,
        Err(_) => panic!(
            "waited too long; the roster is {:#?}",
            of(&presence.snapshot())
        ),
    }
}

/// Waits for the first state after a join.
pub(crate) async fn synced<M, X>(presence: &Presence<M, X>) -> Snapshot<M, X> {
    in_time(presence.synced())
        .await
        .expect("the channel is over")
}
