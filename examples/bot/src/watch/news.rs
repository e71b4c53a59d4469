//! What there is to tell, whatever way it is shown.

use presence_native::{Change, Entry, Snapshot};
use serde::de::IgnoredAny;
use serde_json::Value;

/// A meta: whatever the server says.
pub(super) type Meta = Value;
pub(super) type Who = Entry<Meta, IgnoredAny>;
pub(super) type What = Change<Meta, IgnoredAny>;
pub(super) type Roster = Snapshot<Meta, IgnoredAny>;

/// Something that happened.
pub(super) enum News {
    Connected,
    /// And why.
    Disconnected(String),
    /// The roster may be out of date.
    Stale,
    /// The roster is the server's.
    Synced,
    Change(What),
    /// So many changes were not seen one by one.
    Lagged(u64),
    Asked(String),
    Answered(String),
    Closed,
}

/// What a change is to a person who looks on.
pub(super) fn verb(change: &What) -> &'static str {
    match (change.before(), change.after()) {
        (None, Some(_)) => "joined",
        (_, None) => "left",
        _ => "updated",
    }
}

/// Those that are JSON, which they are.
pub(super) fn metas(who: &Who) -> Vec<Value> {
    who.metas().filter_map(Result::ok).collect()
}

pub(super) fn devices(count: usize) -> String {
    match count {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    }
}

/// Names come from anybody; they must not move the cursor.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

impl News {
    /// In a person's words.
    pub(super) fn text(&self, roster: &Roster) -> String {
        match self {
            Self::Connected => "connected".to_owned(),
            Self::Disconnected(why) => format!("disconnected: {why}"),
            Self::Stale => "the roster may be out of date".to_owned(),
            Self::Synced => format!("synced: {} here", roster.len()),
            Self::Change(change) => {
                let (key, verb) = (change.key(), verb(change));
                match change.after() {
                    Some(after) => format!("{key} {verb} ({})", devices(after.len())),
                    None => format!("{key} {verb}"),
                }
            }
            Self::Lagged(missed) => format!("{missed} changes went by; {} here", roster.len()),
            Self::Asked(question) => format!("asked: {question}"),
            Self::Answered(answer) => format!("answered: {answer}"),
            Self::Closed => "the room is closed".to_owned(),
        }
    }
}
