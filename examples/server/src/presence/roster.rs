use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Groups, Meta, ProcessId, RefSource};

/// Why a presence was not tracked or updated.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackError {
    /// This process tracks this key on this topic already; update it instead.
    #[error("already_tracked")]
    AlreadyTracked,
    /// This process does not track this key on this topic.
    #[error("nopresence")]
    NotPresent,
    /// This process tracks as many keys on this topic as one may.
    #[error("too many keys")]
    TooManyKeys,
}

/// The presences of one topic. Keys stand in order; a key's metas in order of arrival, an
/// updated one keeping its place.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    entries: BTreeMap<String, Vec<Entry>>,
    keys_of: BTreeMap<ProcessId, Vec<String>>,
}

#[derive(Debug)]
struct Entry {
    process: ProcessId,
    meta: Arc<Meta>,
}

/// What an update replaced, and by what.
#[derive(Debug)]
pub(crate) struct Updated {
    pub(crate) before: Arc<Meta>,
    pub(crate) after: Arc<Meta>,
}

impl Roster {
    /// How many keys one process may track on one topic.
    const MAX_KEYS: usize = 10_000;

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn track(
        &mut self,
        refs: &mut RefSource,
        process: ProcessId,
        key: &str,
        fields: Map<String, Value>,
    ) -> Result<Arc<Meta>, TrackError> {
        if self.position(process, key).is_some() {
            return Err(TrackError::AlreadyTracked);
        }
        let keys = self.keys_of.entry(process).or_default();
        if keys.len() >= Self::MAX_KEYS {
            return Err(TrackError::TooManyKeys);
        }
        keys.push(key.to_owned());
        let meta = Arc::new(Meta::new(fields, refs.next(), None));
        self.entries.entry(key.to_owned()).or_default().push(Entry {
            process,
            meta: Arc::clone(&meta),
        });
        Ok(meta)
    }

    pub(crate) fn update(
        &mut self,
        refs: &mut RefSource,
        process: ProcessId,
        key: &str,
        change: impl FnOnce(&Map<String, Value>) -> Map<String, Value>,
    ) -> Result<Updated, TrackError> {
        let entry = self
            .entries
            .get_mut(key)
            .and_then(|entries| entries.iter_mut().find(|entry| entry.process == process))
            .ok_or(TrackError::NotPresent)?;
        let fields = change(entry.meta.fields());
        let after = Arc::new(Meta::new(fields, refs.next(), Some(entry.meta.phx_ref())));
        let before = std::mem::replace(&mut entry.meta, Arc::clone(&after));
        Ok(Updated { before, after })
    }

    /// Takes one key of a process off; nothing if it was not there.
    pub(crate) fn untrack(&mut self, process: ProcessId, key: &str) -> Option<Arc<Meta>> {
        let at = self.position(process, key)?;
        if let Some(keys) = self.keys_of.get_mut(&process) {
            keys.retain(|tracked| tracked != key);
            if keys.is_empty() {
                self.keys_of.remove(&process);
            }
        }
        self.remove(key, at)
    }

    /// Takes everything of a process off, as one change.
    pub(crate) fn untrack_all(&mut self, process: ProcessId) -> Groups {
        let mut left = Groups::new();
        for key in self.keys_of.remove(&process).unwrap_or_default() {
            if let Some(at) = self.position(process, &key)
                && let Some(meta) = self.remove(&key, at)
            {
                left.entry(key).or_default().push(meta);
            }
        }
        left
    }

    pub(crate) fn metas(&self, key: &str) -> Vec<Arc<Meta>> {
        let entries = self.entries.get(key).map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .map(|entry| Arc::clone(&entry.meta))
            .collect()
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (&str, Vec<Arc<Meta>>)> {
        self.entries.iter().map(|(key, entries)| {
            let metas = entries.iter().map(|entry| Arc::clone(&entry.meta));
            (key.as_str(), metas.collect())
        })
    }

    fn position(&self, process: ProcessId, key: &str) -> Option<usize> {
        let entries = self.entries.get(key)?;
        entries.iter().position(|entry| entry.process == process)
    }

    fn remove(&mut self, key: &str, at: usize) -> Option<Arc<Meta>> {
        let entries = self.entries.get_mut(key)?;
        let entry = entries.remove(at);
        if entries.is_empty() {
            self.entries.remove(key);
        }
        Some(entry.meta)
    }
}
