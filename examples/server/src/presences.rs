//! Presence for programs that embed the server: what `MyAppWeb.Presence` is to a Phoenix app.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::hub::Hub;
use crate::presence::{ProcessId, TrackError};

/// Who is present on which topic.
#[derive(Clone)]
pub struct Presences {
    hub: Arc<Hub>,
}

impl std::fmt::Debug for Presences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presences").finish_non_exhaustive()
    }
}

impl Presences {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// All presences of a topic, as a `presence_state` would carry them:
    /// `{key: {"metas": […], …extras}}`. Empty for a topic nobody is on.
    pub fn list(&self, topic: &str) -> Value {
        parsed(&self.hub.topics().state_json(topic))
    }

    /// One presence of a topic: `{"metas": […], …extras}`.
    pub fn get_by_key(&self, topic: &str, key: &str) -> Option<Value> {
        let json = self.hub.topics().presence_json(topic, key)?;
        match parsed(&json) {
            Value::Object(mut presences) => presences.remove(key),
            _ => None,
        }
    }

    /// Something that can be present without a connection.
    pub fn process(&self) -> Process {
        Process {
            id: self.hub.new_process(),
            hub: Arc::clone(&self.hub),
            topics: Vec::new(),
        }
    }
}

/// Stands for an Erlang process that tracks presences. When it is dropped all it tracked leaves,
/// in one diff a topic.
pub struct Process {
    id: ProcessId,
    hub: Arc<Hub>,
    topics: Vec<String>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

impl Process {
    /// Makes this process present on a topic under a key, with a meta of these fields. Answers
    /// with the meta's `phx_ref`.
    ///
    /// # Errors
    /// [`TrackError::AlreadyTracked`], [`TrackError::TooManyKeys`]
    pub fn track(
        &mut self,
        topic: &str,
        key: &str,
        meta: Map<String, Value>,
    ) -> Result<String, TrackError> {
        let mut topics = self.hub.topics();
        let (phx_ref, diff) = topics.track(topic, self.id, key, meta)?;
        topics.publish(topic, &diff);
        if !self.topics.iter().any(|known| known == topic) {
            self.topics.push(topic.to_owned());
        }
        Ok(phx_ref)
    }

    /// Replaces the meta by `meta`. Answers with the new `phx_ref`; the old one becomes
    /// `phx_ref_prev`.
    ///
    /// # Errors
    /// [`TrackError::NotPresent`]
    pub fn update(
        &mut self,
        topic: &str,
        key: &str,
        meta: Map<String, Value>,
    ) -> Result<String, TrackError> {
        self.update_with(topic, key, |_| meta)
    }

    /// Replaces the meta by a function of the old one, which must not call back into the server.
    ///
    /// # Errors
    /// [`TrackError::NotPresent`]
    pub fn update_with(
        &mut self,
        topic: &str,
        key: &str,
        change: impl FnOnce(&Map<String, Value>) -> Map<String, Value>,
    ) -> Result<String, TrackError> {
        let mut topics = self.hub.topics();
        let (phx_ref, diff) = topics.update(topic, self.id, key, change)?;
        topics.publish(topic, &diff);
        Ok(phx_ref)
    }

    /// Takes the key off; nothing happens if this process did not track it.
    pub fn untrack(&mut self, topic: &str, key: &str) {
        let mut topics = self.hub.topics();
        let diff = topics.untrack(topic, self.id, key);
        topics.publish(topic, &diff);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut topics = self.hub.topics();
        for topic in &self.topics {
            topics.leave(topic, self.id);
        }
    }
}

/// Our own output read back: it is JSON.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::error!(%error, "a state that is not JSON");
        Value::Null
    })
}
