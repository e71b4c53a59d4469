//! Topics: who listens to them and who is present on them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value};

use crate::outbox::{Close, Frame, Outbox};
use crate::presence::{
    Diff, Fetch, Groups, Meta, ProcessId, RefSource, Roster, TrackError, groups_json,
};
use crate::serializer::{Body, TooLong, Vsn, encode_broadcast};

/// What all connections of a server share.
pub(crate) struct Hub {
    topics: Mutex<Topics>,
    sockets: Mutex<BTreeMap<u64, (String, Arc<Outbox>)>>,
    next_id: AtomicU64,
}

impl Hub {
    pub(crate) fn new(fetch: Option<Arc<Fetch>>) -> Self {
        let topics = Topics {
            topics: HashMap::new(),
            refs: RefSource::default(),
            fetch,
        };
        Self {
            topics: Mutex::new(topics),
            sockets: Mutex::default(),
            next_id: AtomicU64::new(1),
        }
    }

    /// All topics, for as long as the guard lives: what is done under one guard reaches every
    /// client in one piece and in the same order.
    pub(crate) fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock()
    }

    pub(crate) fn new_process(&self) -> ProcessId {
        ProcessId(self.new_id())
    }

    fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes a connection; the answer is what [`remove_socket`](Self::remove_socket) takes.
    pub(crate) fn add_socket(&self, user_id: &str, outbox: Arc<Outbox>) -> u64 {
        let id = self.new_id();
        self.sockets.lock().insert(id, (user_id.to_owned(), outbox));
        id
    }

    pub(crate) fn remove_socket(&self, id: u64) {
        self.sockets.lock().remove(&id);
    }

    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.lock().len()
    }

    /// Closes the connections of one user, or all; says how many.
    pub(crate) fn close_sockets(&self, user_id: Option<&str>, code: u16) -> usize {
        let sockets = self.sockets.lock();
        let chosen = sockets
            .values()
            .filter(|(user, _)| user_id.is_none_or(|wanted| wanted == user));
        chosen
            .map(|(_, outbox)| outbox.close(Close::Code(code)))
            .count()
    }
}

pub(crate) struct Topics {
    topics: HashMap<String, Topic>,
    refs: RefSource,
    fetch: Option<Arc<Fetch>>,
}

#[derive(Default)]
struct Topic {
    /// By process, so that a broadcast goes out in order of arrival.
    subscribers: BTreeMap<ProcessId, Subscriber>,
    roster: Roster,
}

struct Subscriber {
    vsn: Vsn,
    outbox: Arc<Outbox>,
}

impl Topics {
    pub(crate) fn subscribe(
        &mut self,
        topic: &str,
        process: ProcessId,
        vsn: Vsn,
        outbox: Arc<Outbox>,
    ) {
        let subscriber = Subscriber { vsn, outbox };
        self.topic(topic).subscribers.insert(process, subscriber);
    }

    /// A channel's end: it hears nothing more, and all it tracked leaves in one diff.
    pub(crate) fn leave(&mut self, topic: &str, process: ProcessId) {
        let Some(state) = self.topics.get_mut(topic) else {
            return;
        };
        state.subscribers.remove(&process);
        let diff = Diff::leave(state.roster.untrack_all(process));
        self.publish(topic, &diff);
    }

    /// Tracks a key; the diff is the caller's to publish, before or after it answers.
    pub(crate) fn track(
        &mut self,
        topic: &str,
        process: ProcessId,
        key: &str,
        fields: Map<String, Value>,
    ) -> Result<(String, Diff), TrackError> {
        let roster = &mut self.topics.entry(topic.to_owned()).or_default().roster;
        let meta = roster.track(&mut self.refs, process, key, fields)?;
        Ok((meta.phx_ref().to_owned(), Diff::join(key, meta)))
    }

    /// Updates what this process tracks under a key by a function of the old fields.
    pub(crate) fn update(
        &mut self,
        topic: &str,
        process: ProcessId,
        key: &str,
        change: impl FnOnce(&Map<String, Value>) -> Map<String, Value>,
    ) -> Result<(String, Diff), TrackError> {
        let state = self.topics.get_mut(topic).ok_or(TrackError::NotPresent)?;
        let updated = state.roster.update(&mut self.refs, process, key, change)?;
        let phx_ref = updated.after.phx_ref().to_owned();
        Ok((phx_ref, Diff::update(key, updated.before, updated.after)))
    }

    /// The diff is empty if the key was not tracked, as Phoenix's `untrack` answers ok to that.
    pub(crate) fn untrack(&mut self, topic: &str, process: ProcessId, key: &str) -> Diff {
        let state = self.topics.get_mut(topic);
        match state.and_then(|state| state.roster.untrack(process, key)) {
            Some(meta) => Diff::leave(Groups::from([(key.to_owned(), vec![meta])])),
            None => Diff::default(),
        }
    }

    /// Sends a diff to everybody on the topic.
    pub(crate) fn publish(&mut self, topic: &str, diff: &Diff) {
        if !diff.is_empty() {
            let body = Body::Json(diff.to_json(topic, self.fetch.as_deref()));
            if let Err(error) = self.broadcast(topic, "presence_diff", &body, None) {
                tracing::error!(%topic, %error, "a diff was not sent");
            }
        }
        self.forget_if_empty(topic);
    }

    /// Sends a message to everybody on the topic, encoded once for each serializer.
    pub(crate) fn broadcast(
        &self,
        topic: &str,
        event: &str,
        body: &Body,
        except: Option<ProcessId>,
    ) -> Result<(), TooLong> {
        let Some(state) = self.topics.get(topic) else {
            return Ok(());
        };
        let mut encoded: [Option<Option<Frame>>; 2] = [None, None];
        for (process, subscriber) in &state.subscribers {
            if Some(*process) == except {
                continue;
            }
            let [v1, v2] = &mut encoded;
            let slot = match subscriber.vsn {
                Vsn::V1 => v1,
                Vsn::V2 => v2,
            };
            let frame = match slot {
                Some(frame) => frame,
                None => slot.insert(encode_broadcast(subscriber.vsn, topic, event, body)?),
            };
            if let Some(frame) = frame {
                subscriber.outbox.push(frame.clone());
            }
        }
        Ok(())
    }

    /// The payload of a `presence_state`.
    pub(crate) fn state_json(&self, topic: &str) -> String {
        match self.topics.get(topic) {
            Some(state) => groups_json(topic, state.roster.groups(), self.fetch.as_deref()),
            None => "{}".to_owned(),
        }
    }

    /// One key as a state would show it.
    pub(crate) fn presence_json(&self, topic: &str, key: &str) -> Option<String> {
        let metas = self.metas(topic, key);
        if metas.is_empty() {
            return None;
        }
        let groups = std::iter::once((key, metas));
        Some(groups_json(topic, groups, self.fetch.as_deref()))
    }

    fn metas(&self, topic: &str, key: &str) -> Vec<Arc<Meta>> {
        let state = self.topics.get(topic);
        state
            .map(|state| state.roster.metas(key))
            .unwrap_or_default()
    }

    fn topic(&mut self, topic: &str) -> &mut Topic {
        self.topics.entry(topic.to_owned()).or_default()
    }

    fn forget_if_empty(&mut self, topic: &str) {
        let empty = |state: &Topic| state.subscribers.is_empty() && state.roster.is_empty();
        if self.topics.get(topic).is_some_and(empty) {
            self.topics.remove(topic);
        }
    }
}
