//! What happens, a line each: for people, or as JSON.

use std::io::{self, Stdout, Write as _};

use presence_native::{ChangesLagged, Disconnect, Snapshot};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{What, Who};

pub(super) struct Lines {
    json: bool,
    out: Stdout,
}

impl Lines {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            out: io::stdout(),
        }
    }

    pub(super) fn connected(&mut self) -> io::Result<()> {
        self.line(&json!({ "event": "connected" }), "connected")
    }

    pub(super) fn disconnected(&mut self, why: &Disconnect) -> io::Result<()> {
        let why = why.to_string();
        let text = format!("disconnected: {why}");
        self.line(&json!({ "event": "disconnected", "reason": why }), &text)
    }

    pub(super) fn stale(&mut self) -> io::Result<()> {
        self.line(
            &json!({ "event": "stale" }),
            "the roster may be out of date",
        )
    }

    pub(super) fn closed(&mut self) -> io::Result<()> {
        self.line(&json!({ "event": "closed" }), "the room is closed")
    }

    pub(super) fn synced(&mut self, roster: &Snapshot<Value, IgnoredAny>) -> io::Result<()> {
        let count = roster.len();
        let text = format!("synced: {count} here");
        self.line(&json!({ "event": "synced", "count": count }), &text)
    }

    pub(super) fn lagged(&mut self, lagged: &ChangesLagged<Value, IgnoredAny>) -> io::Result<()> {
        let count = lagged.snapshot.len();
        let text = format!("{lagged}; {count} here");
        let missed = lagged.missed;
        self.line(
            &json!({ "event": "lagged", "missed": missed, "count": count }),
            &text,
        )
    }

    pub(super) fn change(&mut self, change: &What, count: usize) -> io::Result<()> {
        let event = match (change.before(), change.after()) {
            (None, Some(_)) => "joined",
            (_, None) => "left",
            _ => "updated",
        };
        let shown = change.after().or_else(|| change.before());
        let metas = shown.as_ref().map(metas).unwrap_or_default();
        let key = change.key();
        let text = match change.after() {
            Some(after) => format!("{key} {event} ({})", devices(after.len())),
            None => format!("{key} {event}"),
        };
        let cause = format!("{:?}", change.cause()).to_lowercase();
        let json = json!({
            "event": event, "key": key, "metas": metas, "count": count, "cause": cause,
        });
        self.line(&json, &text)
    }

    pub(super) fn asked(&mut self, question: &str) -> io::Result<()> {
        let text = format!("asked: {question}");
        self.line(&json!({ "event": "asked", "body": question }), &text)
    }

    pub(super) fn answered(&mut self, answer: &str) -> io::Result<()> {
        let text = format!("answered: {answer}");
        self.line(&json!({ "event": "answered", "body": answer }), &text)
    }

    fn line(&mut self, json: &Value, text: &str) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{json}")?;
        } else {
            writeln!(self.out, "{}", printable(text))?;
        }
        self.out.flush()
    }
}

/// Those that are JSON, which they are.
fn metas(who: &Who) -> Vec<Value> {
    who.metas().filter_map(Result::ok).collect()
}

/// Names come from anybody; they must not move the cursor.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

fn devices(count: usize) -> String {
    match count {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    }
}
