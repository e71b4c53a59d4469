//! One user of the crowd.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use presence_native::{
    Cause, ChangeKind, Changes, Channel, ChannelOptions, Presence, PushError, Snapshot, Socket,
    SocketBuilder, SocketStatus,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::measure::{Measures, Moment};

/// What this program puts into metas: the number of the user's latest update.
#[derive(Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    n: u64,
}

type Roster = Snapshot<Meta, IgnoredAny>;

/// Our users on a roster, with the number in each of their metas.
type Shown = BTreeMap<String, Vec<u64>>;

/// Who should be there, and with which number. Of one whose connection broke the number is not known: the server began
/// a new meta.
pub(super) type Expected = BTreeMap<String, Option<u64>>;

/// What all users of a run have in common.
pub(super) struct Common {
    pub(super) builder: SocketBuilder,
    pub(super) channel_options: ChannelOptions,
    pub(super) user_param: String,
    pub(super) update_event: String,
    /// Tells this run's users from all others.
    pub(super) run: String,
    pub(super) users: Vec<User>,
    pub(super) measures: Measures,
}

/// A user, online or not.
pub(super) struct User {
    pub(super) topic: String,
    joined: Moment,
    updated: Moment,
    /// The number of the latest update that the server has confirmed.
    confirmed: AtomicU64,
    /// Locked for as long as an action takes.
    live: Mutex<Option<Live>>,
}

struct Live {
    socket: Socket,
    channel: Channel,
    presence: Presence<Meta>,
    watcher: JoinHandle<()>,
    /// Changes when the connection breaks.
    connection: watch::Receiver<SocketStatus>,
}

impl User {
    pub(super) fn new(topic: String) -> Self {
        Self {
            topic,
            joined: Moment::default(),
            updated: Moment::default(),
            confirmed: AtomicU64::new(0),
            live: Mutex::default(),
        }
    }

    pub(super) async fn is_online(&self) -> bool {
        self.live.lock().await.is_some()
    }
}

impl Common {
    pub(super) fn key(&self, user: usize) -> String {
        format!("{}-{user}", self.run)
    }

    /// The number in a key of ours.
    fn user_of(&self, key: &str) -> Option<usize> {
        key.strip_prefix(&*self.run)?
            .strip_prefix('-')?
            .parse()
            .ok()
    }

    /// Connects and joins, unless online already.
    pub(super) async fn join(self: &Arc<Self>, number: usize) -> Result<()> {
        let user = &self.users[number];
        let mut live = user.live.lock().await;
        if live.is_some() {
            return Ok(());
        }
        let builder = self
            .builder
            .clone()
            .param(&self.user_param, self.key(number));
        let socket = builder.connect().await?;
        let channel = socket.channel_with(&user.topic, self.channel_options.clone());
        let presence = channel.presence()?;
        let common = Arc::clone(self);
        presence.on_sync(move || common.measures.saw_diff());
        let changes = presence.changes();
        user.confirmed.store(0, Ordering::Release);
        self.measures.mark(&user.joined);
        channel.join().await?;
        presence.synced().await?;
        // Not before: whoever holds the changes holds the connection.
        let watcher = tokio::spawn(look_on(Arc::clone(self), number, changes));
        *live = Some(Live {
            connection: socket.watch_status(),
            socket,
            channel,
            presence,
            watcher,
        });
        Ok(())
    }

    /// Changes the user's meta, if online.
    pub(super) async fn update(&self, number: usize) -> Result<()> {
        let user = &self.users[number];
        let live = user.live.lock().await;
        let Some(live) = &*live else {
            return Ok(());
        };
        let next = user.confirmed.load(Ordering::Acquire) + 1;
        self.measures.mark(&user.updated);
        loop {
            match live
                .channel
                .push(&self.update_event, &json!({ "n": next }))
                .await
            {
                Ok(_) => break,
                // It may or may not have come to pass. Once more does no harm.
                Err(PushError::Disconnected) => {}
                Err(error) => return Err(error.into()),
            }
        }
        user.confirmed.store(next, Ordering::Release);
        Ok(())
    }

    /// Goes, if online.
    pub(super) async fn leave(&self, number: usize) {
        let live = self.users[number].live.lock().await.take();
        if let Some(live) = live {
            live.watcher.abort();
            live.socket.shutdown().await;
        }
    }

    /// What the rosters of a topic should say of our users: who is online, and the number of the latest update.
    pub(super) async fn expected(&self, topic: &str) -> Expected {
        let mut expected = BTreeMap::new();
        for (number, user) in self.users.iter().enumerate() {
            if user.topic != topic {
                continue;
            }
            if let Some(live) = &*user.live.lock().await {
                let is_steady = !live.connection.has_changed().unwrap_or(true);
                let confirmed = user.confirmed.load(Ordering::Acquire);
                expected.insert(self.key(number), is_steady.then_some(confirmed));
            }
        }
        expected
    }

    /// Waits until the user's roster is as expected; if that takes too long, how it differs.
    pub(super) async fn agrees(
        &self,
        number: usize,
        expected: &Expected,
        patience: Duration,
    ) -> Result<(), String> {
        let live = self.users[number].live.lock().await;
        let Some(live) = &*live else {
            return Ok(());
        };
        let mut changes = live.presence.changes();
        let mut status = live.presence.watch_status();
        let look = async {
            while !fits(&self.shown(&live.presence.snapshot()), expected) {
                tokio::select! {
                    change = changes.next() => if change.is_none() { return },
                    _ = status.changed() => {}
                }
            }
        };
        // What it is at the end decides, not why the waiting ended.
        let _ = tokio::time::timeout(patience, look).await;
        let shown = self.shown(&live.presence.snapshot());
        if fits(&shown, expected) {
            return Ok(());
        }
        Err(difference(&self.key(number), &shown, expected))
    }

    fn shown(&self, roster: &Roster) -> Shown {
        let ours = roster
            .iter()
            .filter(|entry| self.user_of(entry.key()).is_some());
        ours.map(|entry| {
            let numbers = entry
                .metas()
                .map(|meta| meta.map_or(u64::MAX, |meta| meta.n));
            (entry.key().to_owned(), numbers.collect())
        })
        .collect()
    }
}

/// Takes note of when this user sees what the others do.
async fn look_on(common: Arc<Common>, number: usize, mut changes: Changes<Meta, IgnoredAny>) {
    while let Some(change) = changes.next().await {
        // A lagging reader has missed some; those are not measured.
        let Ok(change) = change else { continue };
        let Some(other) = common.user_of(change.key()) else {
            continue;
        };
        if other == number || change.cause() != Cause::Diff {
            continue;
        }
        let Some(user) = common.users.get(other) else {
            continue;
        };
        match change.kind() {
            ChangeKind::Joined => common.measures.saw_join(&user.joined),
            ChangeKind::Updated => common.measures.saw_update(&user.updated),
            ChangeKind::Left => {}
        }
    }
}

fn fits(shown: &Shown, expected: &Expected) -> bool {
    shown.len() == expected.len()
        && expected
            .iter()
            .all(|(key, number)| is_right(shown.get(key), Some(number)))
}

fn is_right(shown: Option<&Vec<u64>>, expected: Option<&Option<u64>>) -> bool {
    match (shown.map(Vec::as_slice), expected) {
        (Some([shown]), Some(expected)) => expected.is_none_or(|expected| expected == *shown),
        (None, None) => true,
        _ => false,
    }
}

fn difference(who: &str, shown: &Shown, expected: &Expected) -> String {
    let keys: BTreeSet<&String> = shown.keys().chain(expected.keys()).collect();
    let wrong = keys
        .into_iter()
        .filter(|key| !is_right(shown.get(*key), expected.get(*key)));
    let wrong: Vec<String> = wrong
        .take(5)
        .map(|key| {
            let (is, should_be) = (shown.get(key), expected.get(key));
            format!("{key} is {is:?} and should be {should_be:?}")
        })
        .collect();
    format!("the roster of {who}: {}", wrong.join("; "))
}

#[cfg(test)]
mod tests {
    use presence_server::Server;

    use super::*;

    #[tokio::test]
    async fn nothing_is_left_of_a_join_that_failed() {
        let server = Server::builder().start().await.unwrap();
        let common = Arc::new(Common {
            builder: Socket::builder(server.endpoint()),
            channel_options: ChannelOptions::new(),
            user_param: "user_id".to_owned(),
            update_event: String::new(),
            run: "load".to_owned(),
            users: vec![User::new("room:forbidden".to_owned())],
            measures: Measures::new().unwrap(),
        });
        let error = common.join(0).await.unwrap_err();
        assert!(error.to_string().ends_with("forbidden"), "{error}");
        let gone = async {
            while server.connection_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone)
            .await
            .unwrap();
    }
}
