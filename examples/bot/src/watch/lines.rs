//! What happens, a line each: for people, or as JSON.

use std::io::{self, Stdout, Write as _};

use serde_json::{Value, json};

use super::news::{News, Roster, metas, printable, verb};

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

    /// Prints a line, which whoever reads it has at once.
    pub(super) fn tell(&mut self, news: &News, roster: &Roster) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", as_json(news, roster))?;
        } else {
            writeln!(self.out, "{}", printable(&news.text(roster)))?;
        }
        self.out.flush()
    }
}

fn as_json(news: &News, roster: &Roster) -> Value {
    let count = roster.len();
    match news {
        News::Connected => json!({ "event": "connected" }),
        News::Disconnected(why) => json!({ "event": "disconnected", "reason": why }),
        News::Stale => json!({ "event": "stale", "count": count }),
        News::Synced => json!({ "event": "synced", "count": count }),
        News::Change(change) => {
            let shown = change.after().or_else(|| change.before());
            json!({
                "event": verb(change),
                "key": change.key(),
                "metas": shown.as_ref().map(metas),
                "count": count,
                "cause": format!("{:?}", change.cause()).to_lowercase(),
            })
        }
        News::Lagged(missed) => json!({ "event": "lagged", "missed": missed, "count": count }),
        News::Asked(question) => json!({ "event": "asked", "body": question }),
        News::Answered(answer) => json!({ "event": "answered", "body": answer }),
        News::Closed => json!({ "event": "closed" }),
    }
}
