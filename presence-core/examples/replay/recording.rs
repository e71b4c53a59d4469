//! Recordings of real servers, fed through the codec and the tracker, and held against the servers' own lists; what
//! their clients sent is written anew.

use std::collections::BTreeMap;
use std::error::Error;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use presence_core::codec::{TextFrame, decode_binary, decode_text};
use presence_core::message::{Payload, Ref, Reply, Vsn};
use presence_core::presence::{Join, Tracker};
use serde::Deserialize;
use serde_json::Value;

use super::sent;

/// What comparing a recording came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Rosters compared: one for each connection that was joined when the server told its list.
    pub(crate) lists: usize,
    /// What differed.
    pub(crate) mismatches: Vec<String>,
    /// Frames from the server that were decoded.
    pub(crate) frames: usize,
    /// Frames of clients that were written anew, and came out the same.
    pub(crate) sent: usize,
    /// Frames of clients that are malformed on purpose.
    pub(crate) malformed: usize,
}

impl Report {
    fn sent_anew(&mut self, same: Option<Result<(), String>>) -> Result<(), String> {
        match same {
            None => self.malformed += 1,
            Some(same) => {
                same?;
                self.sent += 1;
            }
        }
        Ok(())
    }

    /// How many rosters were as the server said.
    pub(crate) fn matched(&self) -> usize {
        self.lists - self.mismatches.len()
    }
}

#[derive(Deserialize)]
struct Line {
    conn: String,
    dir: String,
    kind: String,
    #[serde(default)]
    data: Value,
    port: Option<u16>,
    topic: Option<String>,
}

/// Replays a recording: one JSON object a line.
///
/// # Errors
///
/// When a line is no such object, a frame from the server cannot be decoded or applied, or one to it not be written.
pub(crate) fn replay(recording: &str) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::default();
    let mut connections: BTreeMap<String, Connection> = BTreeMap::new();
    for (number, text) in recording.lines().enumerate() {
        let line: Line = serde_json::from_str(text)?;
        let data = line.data.as_str().unwrap_or_default();
        let connection = connections.get_mut(&line.conn);
        let result: Result<(), Box<dyn Error>> =
            match (line.kind.as_str(), line.dir.as_str(), connection) {
                ("connect", _, _) => {
                    connections.insert(line.conn, Connection::new(line.port, data));
                    Ok(())
                }
                ("close", _, _) => {
                    connections.remove(&line.conn);
                    Ok(())
                }
                ("text", "out", Some(connection)) => {
                    connection.handle_sent(data);
                    let same = sent::text(connection.vsn, data);
                    report.sent_anew(same).map_err(Into::into)
                }
                ("binary", "out", Some(_)) => {
                    let same = sent::binary(&STANDARD.decode(data)?);
                    report.sent_anew(same).map_err(Into::into)
                }
                ("text", "in", Some(connection)) => {
                    report.frames += 1;
                    connection.handle_text(data)
                }
                ("binary", "in", Some(_)) => {
                    report.frames += 1;
                    decode_binary(&STANDARD.decode(data)?)
                        .map(|_| ())
                        .map_err(Into::into)
                }
                ("server_list", _, _) => {
                    let topic = line.topic.unwrap_or_default();
                    for (name, connection) in &connections {
                        let is_on_node = connection.port == line.port;
                        if let Some(tracker) = connection.joined(&topic).filter(|_| is_on_node) {
                            report.lists += 1;
                            let differences = difference(tracker, &line.data)?;
                            let mismatch = differences
                                .map(|what| format!("line {}: {name}: {what}", number + 1));
                            report.mismatches.extend(mismatch);
                        }
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
        result.map_err(|error| format!("line {}: {error}", number + 1))?;
    }
    Ok(report)
}

/// One WebSocket, as far as presence goes.
struct Connection {
    port: Option<u16>,
    vsn: Vsn,
    topics: BTreeMap<String, Topic>,
}

struct Topic {
    /// The ref of the latest join.
    join_ref: String,
    state: State,
    tracker: Tracker,
}

#[derive(PartialEq)]
enum State {
    Joining,
    Joined,
    Gone,
}

impl Connection {
    fn new(port: Option<u16>, url: &str) -> Self {
        let vsn = if url.contains("vsn=2.0.0") {
            Vsn::V2
        } else {
            Vsn::V1
        };
        Self {
            port,
            vsn,
            topics: BTreeMap::new(),
        }
    }

    fn joined(&self, topic: &str) -> Option<&Tracker> {
        self.topics
            .get(topic)
            .filter(|topic| topic.state == State::Joined)
            .map(|topic| &topic.tracker)
    }

    /// What the client sends may be malformed on purpose.
    fn handle_sent(&mut self, text: &str) {
        let Ok(message) = decode_text(self.vsn, text) else {
            return;
        };
        match (&*message.event, message.message_ref.as_str()) {
            ("phx_join", Some(join_ref)) => {
                let topic = self.topics.entry(message.topic.into_owned());
                let topic = topic.or_insert_with(|| Topic {
                    join_ref: String::new(),
                    state: State::Joining,
                    tracker: Tracker::default(),
                });
                join_ref.clone_into(&mut topic.join_ref);
                topic.state = State::Joining;
                topic.tracker.handle_stale();
            }
            ("phx_leave", _) => {
                if let Some(topic) = self.topics.get_mut(&*message.topic) {
                    topic.state = State::Gone;
                }
            }
            _ => {}
        }
    }

    fn handle_text(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let frame = TextFrame::open(self.vsn, text)?;
        let topic = self
            .topics
            .get_mut(frame.topic())
            .filter(|topic| topic.accepts(frame.join_ref()));
        let Some(topic) = topic else {
            return Ok(frame.payload().map(|_| ())?);
        };
        let join = Join {
            join_ref: Some(&topic.join_ref),
            answered: topic.state == State::Joined,
        };
        match frame.event() {
            "presence_state" => drop(topic.tracker.handle_state(frame, join)?),
            "presence_diff" => drop(topic.tracker.handle_diff(frame, join)?),
            "phx_reply" if frame.message_ref().as_str() == Some(&topic.join_ref) => {
                let reply = Reply::from_payload(&Payload::Json(frame.payload()?))?;
                topic.state = if reply.status == "ok" {
                    State::Joined
                } else {
                    State::Gone
                };
            }
            "phx_close" | "phx_error" => {
                frame.payload()?;
                topic.state = State::Gone;
            }
            _ => drop(frame.payload()?),
        }
        Ok(())
    }
}

impl Topic {
    /// Messages of an older join are not for this one.
    fn accepts(&self, join_ref: &Ref<'_>) -> bool {
        join_ref.is_none() || join_ref.as_str() == Some(&self.join_ref)
    }
}

/// How a roster differs from the server's list, if it does: metas as sets by their refs, whatever is beside them too.
fn difference(tracker: &Tracker, list: &Value) -> Result<Option<String>, Box<dyn Error>> {
    let mut ours = BTreeMap::new();
    for presence in tracker.roster().iter() {
        ours.insert(
            presence.key().into_owned(),
            by_ref(serde_json::from_str(&presence.to_json())?),
        );
    }
    let theirs = list.as_object().ok_or("the server's list is no object")?;
    let theirs = theirs
        .iter()
        .map(|(key, presence)| (key.clone(), by_ref(presence.clone())))
        .collect();
    Ok((ours != theirs).then(|| format!("we have {ours:?}, the server {theirs:?}")))
}

fn by_ref(mut presence: Value) -> Value {
    if let Some(metas) = presence.get_mut("metas").and_then(Value::as_array_mut) {
        metas.sort_by_key(|meta| meta.get("phx_ref").map(Value::to_string));
    }
    presence
}
