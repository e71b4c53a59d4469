//! The channel behind `room:*`.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::connect::ConnectInfo;
use crate::hub::{Hub, Topics};
use crate::presence::{ProcessId, TrackError};
use crate::serializer::{Body, Payload, Status, TooLong};

/// Fields of a meta that a client may give when it joins, else when it connects.
const META_FIELDS: [&str; 3] = ["device", "name", "status"];

/// The longest a client may make this server wait, in milliseconds.
const MAX_DELAY_MS: u64 = 60_000;

pub(crate) fn matches(topic: &str) -> bool {
    topic.starts_with("room:")
}

/// Decides about a join, and says why not. The join's `slow` (ms) holds the socket up.
pub(crate) async fn authorize(
    topic: &str,
    params: &Value,
) -> Result<Map<String, Value>, &'static str> {
    let (Value::Object(params), true) = (params, topic != "room:joincrash") else {
        return Err("join crashed");
    };
    if topic == "room:forbidden" {
        return Err("forbidden");
    }
    if let Some(delay) = params.get("slow").and_then(Value::as_u64) {
        tokio::time::sleep(Duration::from_millis(delay.min(MAX_DELAY_MS))).await;
    }
    Ok(params.clone())
}

/// One client in one room.
pub(crate) struct Room {
    process: ProcessId,
    topic: String,
    join_ref: Value,
    params: Map<String, Value>,
    info: Arc<ConnectInfo>,
}

/// What is left for the socket to do after a message.
#[derive(Debug)]
pub(crate) enum Next {
    Continue,
    ReplyLater(Duration, Body),
    /// The channel closes: `phx_close`.
    Stop,
    /// The channel crashes: `phx_error`.
    Crash,
    /// The whole connection closes.
    Disconnect,
}

impl Room {
    pub(crate) fn new(
        hub: &Hub,
        info: &Arc<ConnectInfo>,
        topic: &str,
        join_ref: Value,
        params: Map<String, Value>,
    ) -> Self {
        Self {
            process: hub.new_process(),
            topic: topic.to_owned(),
            join_ref,
            params,
            info: Arc::clone(info),
        }
    }

    pub(crate) fn process(&self) -> ProcessId {
        self.process
    }

    /// What replies and pushes carry: the join's join_ref, or its ref if it had none.
    pub(crate) fn join_ref(&self) -> &Value {
        &self.join_ref
    }

    /// Tracks the client and tells it who is there. Phoenix promises no order between the own
    /// join's diff and the state; as a rule the diff is first, and so it is here. The join's
    /// `order` asks for another: `state_first` (the state is without oneself, then the diff),
    /// `diff_last` (the state has oneself already, then the diff), `observe` (no presence).
    pub(crate) fn after_join(
        &self,
        topics: &mut Topics,
        push: impl Fn(&str, &Body),
    ) -> Result<(), TrackError> {
        let push_state = |topics: &Topics| {
            push(
                "presence_state",
                &Body::Json(topics.state_json(&self.topic)),
            )
        };
        let order = self.params.get("order").and_then(Value::as_str);
        if matches!(order, Some("observe" | "state_first")) {
            push_state(topics);
        }
        if order == Some("observe") {
            return Ok(());
        }
        let (_, diff) = topics.track(&self.topic, self.process, &self.info.user_id, self.meta())?;
        if order == Some("diff_last") {
            push_state(topics);
        }
        topics.publish(&self.topic, &diff);
        if !matches!(order, Some("state_first" | "diff_last")) {
            push_state(topics);
        }
        Ok(())
    }

    fn meta(&self) -> Map<String, Value> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs());
        let mut meta = Map::new();
        meta.insert("online_at".into(), seconds.to_string().into());
        for name in META_FIELDS {
            let given = self.params.get(name).cloned();
            let connected = || self.info.params.get(name).map(|text| text.as_str().into());
            if let Some(value) = given.or_else(connected) {
                meta.insert(name.into(), value);
            }
        }
        if let Some(Value::Object(more)) = self.params.get("meta") {
            meta.extend(more.clone());
        }
        meta
    }

    /// One event from the client. What has no arm here crashes the channel, as an event without
    /// a `handle_in` clause does in Phoenix.
    pub(crate) fn handle_in(
        &self,
        topics: &mut Topics,
        event: &str,
        payload: Payload,
        reply: impl Fn(Status, &Body) -> Result<(), TooLong>,
        push: impl Fn(&str, &Body) -> Result<(), TooLong>,
    ) -> Next {
        let sent = match (event, payload) {
            ("ping_echo" | "echo", payload) => reply(Status::Ok, &payload.into_body()),
            ("fail", payload) => reply(Status::Error, &payload.into_body()),
            ("no_reply", _) => Ok(()),
            ("push_me", payload) => push("pushed", &payload.into_body()),
            ("shout" | "broadcast", payload) => {
                topics.broadcast(&self.topic, event, &payload.into_body(), None)
            }
            ("shout_from", payload) => {
                let me = Some(self.process);
                topics.broadcast(&self.topic, "shout", &payload.into_body(), me)
            }
            ("whoami", _) => reply(Status::Ok, &Body::from(self.whoami())),
            ("slow", Payload::Json(payload)) => {
                let delay = payload.get("ms").and_then(Value::as_u64).unwrap_or(0);
                let delay = Duration::from_millis(delay.min(MAX_DELAY_MS));
                return Next::ReplyLater(delay, Body::from(payload));
            }
            ("set_status" | "update", Payload::Json(Value::Object(changes))) => {
                let merge = |old: &Map<String, Value>| {
                    let mut new = old.clone();
                    new.extend(changes);
                    new
                };
                let user_id = &self.info.user_id;
                let updated = topics.update(&self.topic, self.process, user_id, merge);
                self.answer_tracked(topics, updated, reply)
            }
            ("track", Payload::Json(Value::Object(payload))) => {
                let meta = match payload.get("meta") {
                    Some(Value::Object(meta)) => meta.clone(),
                    Some(_) => return Next::Crash,
                    None => self.meta(),
                };
                let key = self.key_of(&payload);
                let tracked = topics.track(&self.topic, self.process, &key, meta);
                self.answer_tracked(topics, tracked, reply)
            }
            ("untrack", Payload::Json(Value::Object(payload))) => {
                let key = self.key_of(&payload);
                let diff = topics.untrack(&self.topic, self.process, &key);
                let sent = reply(Status::Ok, &Body::empty());
                topics.publish(&self.topic, &diff);
                sent
            }
            ("stop", _) => return Next::Stop,
            ("stop_reply", payload) => match reply(Status::Ok, &payload.into_body()) {
                Ok(()) => return Next::Stop,
                error => error,
            },
            ("disconnect_me", _) => return Next::Disconnect,
            (event, _) => {
                tracing::debug!(topic = %self.topic, %event, "no such event: the channel crashes");
                return Next::Crash;
            }
        };
        match sent {
            Ok(()) => Next::Continue,
            Err(error) => {
                tracing::debug!(topic = %self.topic, %error, "not to be encoded: the channel crashes");
                Next::Crash
            }
        }
    }

    /// The reply first, then the diff, as Phoenix's tracker broadcasts from a task of its own.
    fn answer_tracked(
        &self,
        topics: &mut Topics,
        result: Result<(String, crate::presence::Diff), TrackError>,
        reply: impl Fn(Status, &Body) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        match result {
            Ok((phx_ref, diff)) => {
                let sent = reply(Status::Ok, &Body::from(json!({ "ref": phx_ref })));
                topics.publish(&self.topic, &diff);
                sent
            }
            Err(error) => reply(Status::Error, &Body::reason(&error.to_string())),
        }
    }

    fn key_of(&self, payload: &Map<String, Value>) -> String {
        let key = payload.get("key").and_then(Value::as_str);
        key.unwrap_or(&self.info.user_id).to_owned()
    }

    fn whoami(&self) -> Value {
        json!({
            "user_id": self.info.user_id,
            "params": self.info.params,
            "auth_token": self.info.auth_token,
            "join": self.params,
        })
    }
}
