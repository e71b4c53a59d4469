//! What a Phoenix server does with the frames of one connection.

use presence_core::message::Vsn;
use serde_json::{Value, json};

use super::network::LinkId;
use super::world::{Due, World};

/// A channel's process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    id: u64,
    join_ref: Option<String>,
    /// When it has joined, and so subscribed.
    since: u64,
    /// What it has tracked.
    refs: Vec<String>,
}

struct Message {
    join_ref: Option<String>,
    message_ref: Option<String>,
    topic: String,
    event: String,
}

impl Message {
    fn read(vsn: Vsn, text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let string = |value: &Value| value.as_str().map(str::to_owned);
        match vsn {
            Vsn::V1 => Some(Self {
                join_ref: string(&value["join_ref"]),
                message_ref: string(&value["ref"]),
                topic: string(&value["topic"])?,
                event: string(&value["event"])?,
            }),
            Vsn::V2 => {
                let [join_ref, message_ref, topic, event, _] = value.as_array()?.as_slice() else {
                    return None;
                };
                Some(Self {
                    join_ref: string(join_ref),
                    message_ref: string(message_ref),
                    topic: string(topic)?,
                    event: string(event)?,
                })
            }
        }
    }
}

impl World {
    fn vsn(&self, id: LinkId) -> Vsn {
        self.links
            .get(&id)
            .map_or(Vsn::V2, |link| self.clients[link.client].vsn)
    }

    fn frame(
        &mut self,
        id: LinkId,
        join_ref: Option<&str>,
        message_ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: &str,
    ) {
        let (topic, event) = (json!(topic), json!(event));
        let (join_ref, message_ref) = (json!(join_ref), json!(message_ref));
        let text = match self.vsn(id) {
            Vsn::V1 => format!(
                r#"{{"event":{event},"payload":{payload},"ref":{message_ref},"topic":{topic}}}"#
            ),
            Vsn::V2 => format!("[{join_ref},{message_ref},{topic},{event},{payload}]"),
        };
        self.server_sends(id, text);
    }

    fn reply(&mut self, id: LinkId, to: &Message, status: &str, response: &str) {
        self.frame(
            id,
            to.join_ref.as_deref(),
            to.message_ref.as_deref(),
            &to.topic,
            "phx_reply",
            &format!(r#"{{"response":{response},"status":"{status}"}}"#),
        );
    }

    pub(crate) fn server_gets(&mut self, id: LinkId, text: String) {
        let now = self.now;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.served && !link.half_open {
            link.heard_at = now;
            link.inbox.push_back(text);
            self.server_works(id);
        }
    }

    /// Messages of one connection are dealt with one after the other.
    pub(crate) fn server_works(&mut self, id: LinkId) {
        loop {
            let now = self.now;
            let Some(link) = self.links.get_mut(&id) else {
                return;
            };
            if !link.served || link.busy_until > now {
                return;
            }
            let Some(text) = link.inbox.pop_front() else {
                return;
            };
            match Message::read(self.vsn(id), &text) {
                Some(message) => self.serve(id, message),
                None => self.fail(|| format!("the server can't read {text}")),
            }
        }
    }

    fn serve(&mut self, id: LinkId, message: Message) {
        let process = self
            .links
            .get(&id)
            .and_then(|link| link.processes.get(&message.topic))
            .cloned();
        let stale = process.as_ref().is_some_and(|process| {
            message.join_ref.is_some() && message.join_ref != process.join_ref
        });
        match (&*message.topic, &*message.event) {
            ("phoenix", _) => self.reply(id, &message, "ok", "{}"),
            (_, "phx_join") => self.serve_join(id, &message),
            (_, _) if stale => {}
            (_, "phx_leave") => {
                self.reply(id, &message, "ok", "{}");
                if process.is_some() {
                    self.end_process(id, &message.topic, "phx_close");
                }
            }
            (topic, event) => {
                let Some(process) = process else {
                    let nobody = Message {
                        join_ref: None,
                        ..message
                    };
                    return self.reply(id, &nobody, "error", r#"{"reason":"unmatched topic"}"#);
                };
                let status = match event {
                    "crash" => return self.end_process(id, topic, "phx_error"),
                    "stop" => return self.end_process(id, topic, "phx_close"),
                    "silent" => return,
                    "error" => "error",
                    _ => "ok",
                };
                let wait = match self.troubled && self.chance(10) {
                    true => self.rng.u64(0..15_000),
                    false => self.rng.u64(0..50),
                };
                self.later(
                    wait,
                    Due::Answer {
                        link: id,
                        process: process.id,
                        message_ref: message.message_ref,
                        status,
                    },
                );
            }
        }
    }

    fn serve_join(&mut self, id: LinkId, message: &Message) {
        self.totals.joins += 1;
        let roll = if self.troubled && self.first_cut.is_none() {
            self.rng.u32(..100)
        } else {
            0
        };
        match roll {
            0..75 => {}
            75..85 => return self.reply(id, message, "error", r#"{"reason":"full"}"#),
            85..88 => return self.reply(id, message, "error", r#"{"reason":"unauthorized"}"#),
            _ => {
                // A slow join holds up everything else on the connection, and then is dealt with.
                let wait = self.rng.u64(500..14_000);
                let busy_until = self.now + wait;
                if let Some(link) = self.links.get_mut(&id) {
                    link.busy_until = busy_until;
                }
            }
        }
        self.next_process += 1;
        let process_id = self.next_process;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let process = Process {
            id: process_id,
            join_ref: message.join_ref.clone(),
            since: link.busy_until.max(self.now),
            refs: Vec::new(),
        };
        let wait = process.since - self.now;
        let old = link.processes.insert(message.topic.clone(), process);
        if wait == 0 {
            self.reply(id, message, "ok", "{}");
        } else {
            self.later(
                wait,
                Due::Answer {
                    link: id,
                    process: process_id,
                    message_ref: message.message_ref.clone(),
                    status: "ok",
                },
            );
            self.later(wait, Due::ServerWorks(id));
        }
        // The join before of this topic is closed after the new one's answer.
        if let Some(old) = old {
            self.close_old(id, &message.topic, old);
        }
        let after = match self.troubled && self.chance(20) {
            true => self.rng.u64(0..3_000),
            false => self.rng.u64(0..20),
        };
        self.later(
            wait + after,
            Due::AfterJoin {
                link: id,
                process: process_id,
            },
        );
    }

    fn close_old(&mut self, id: LinkId, topic: &str, old: Process) {
        let join_ref = old.join_ref.as_deref();
        self.frame(id, join_ref, join_ref, topic, "phx_close", "{}");
        if let Some(node) = self.links.get(&id).map(|link| link.node) {
            self.untrack(node, &old.refs);
        }
    }

    /// A process ends: `phx_error` or `phx_close`.
    fn end_process(&mut self, id: LinkId, topic: &str, event: &str) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(process) = link.processes.remove(topic) else {
            return;
        };
        let node = link.node;
        let join_ref = process.join_ref.as_deref();
        self.frame(id, join_ref, join_ref, topic, event, "{}");
        self.untrack(node, &process.refs);
    }

    /// The topic of a process, if it still lives.
    fn alive(&self, id: LinkId, process: u64) -> Option<String> {
        let link = self.links.get(&id).filter(|link| link.served)?;
        link.processes
            .iter()
            .find(|(_, other)| other.id == process)
            .map(|(topic, _)| topic.clone())
    }

    /// As the guides have it: track oneself, then push the state. The own join's diff often comes first, the state
    /// sometimes late.
    pub(crate) fn after_join(&mut self, id: LinkId, process: u64) {
        let Some(topic) = self.alive(id, process) else {
            return;
        };
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let (node, key) = (link.node, format!("client {}", link.client));
        let reference = self.track(node, &topic, &key, None);
        if let Some(process) = self
            .links
            .get_mut(&id)
            .and_then(|link| link.processes.get_mut(&topic))
        {
            process.refs.push(reference);
        }
        let wait = match self.troubled && self.chance(30) {
            true => self.rng.u64(0..4_000),
            false => self.rng.u64(0..5),
        };
        self.later(wait, Due::ListState { link: id, process });
    }

    pub(crate) fn list_state(&mut self, id: LinkId, process: u64) {
        let (Some(topic), Some(link)) = (self.alive(id, process), self.links.get(&id)) else {
            return;
        };
        let payload = self.list(link.node, &topic).to_string();
        // Between the list and its sending, diffs may get ahead.
        let wait = self.rng.u64(0..15);
        self.later(
            wait,
            Due::SendState {
                link: id,
                process,
                payload,
            },
        );
    }

    pub(crate) fn send_state(&mut self, id: LinkId, process: u64, payload: &str) {
        if let Some(topic) = self.alive(id, process) {
            let join_ref = self.join_ref(id, &topic);
            self.frame(
                id,
                join_ref.as_deref(),
                None,
                &topic,
                "presence_state",
                payload,
            );
        }
    }

    pub(crate) fn answer(
        &mut self,
        id: LinkId,
        process: u64,
        message_ref: Option<&str>,
        status: &str,
    ) {
        if let Some(topic) = self.alive(id, process) {
            let to = Message {
                join_ref: self.join_ref(id, &topic),
                message_ref: message_ref.map(str::to_owned),
                topic,
                event: String::new(),
            };
            self.reply(id, &to, status, "{}");
        }
    }

    fn join_ref(&self, id: LinkId, topic: &str) -> Option<String> {
        self.links.get(&id)?.processes.get(topic)?.join_ref.clone()
    }

    /// A diff for everyone at `node` who has joined `topic`.
    pub(crate) fn broadcast(&mut self, node: usize, topic: &str, payload: &str) {
        for id in self.links_of_node(node) {
            let subscribed = self.links.get(&id).is_some_and(|link| {
                let process = link.processes.get(topic);
                link.served && process.is_some_and(|process| process.since <= self.now)
            });
            if subscribed {
                self.frame(id, None, None, topic, "presence_diff", payload);
            }
        }
    }

    /// The server has lost a connection: all its processes end.
    pub(crate) fn server_closed(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if !link.served {
            return;
        }
        link.served = false;
        link.inbox.clear();
        let node = link.node;
        let processes = std::mem::take(&mut link.processes);
        let refs: Vec<String> = processes
            .into_values()
            .flat_map(|process| process.refs)
            .collect();
        self.untrack(node, &refs);
        self.forget(id);
    }
}
