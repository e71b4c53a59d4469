use std::sync::Arc;

use serde_json::Value;

use super::{Fetch, Groups, Meta};
use crate::serializer::quoted;

/// What became of a topic's presences in one step.
#[derive(Debug, Default)]
#[must_use = "a diff that is not published leaves every client's list wrong"]
pub(crate) struct Diff {
    joins: Groups,
    leaves: Groups,
}

impl Diff {
    pub(crate) fn join(key: &str, meta: Arc<Meta>) -> Self {
        Self {
            joins: Groups::from([(key.to_owned(), vec![meta])]),
            leaves: Groups::new(),
        }
    }

    pub(crate) fn update(key: &str, before: Arc<Meta>, after: Arc<Meta>) -> Self {
        Self {
            joins: Groups::from([(key.to_owned(), vec![after])]),
            leaves: Groups::from([(key.to_owned(), vec![before])]),
        }
    }

    pub(crate) fn leave(leaves: Groups) -> Self {
        Self {
            joins: Groups::new(),
            leaves,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }

    /// `{"joins": {key: presence}, "leaves": {key: presence}}`
    pub(crate) fn to_json(&self, topic: &str, fetch: Option<&Fetch>) -> String {
        let half = |groups: &Groups| {
            let groups = groups
                .iter()
                .map(|(key, metas)| (key.as_str(), metas.clone()));
            groups_json(topic, groups, fetch)
        };
        format!(
            r#"{{"joins":{},"leaves":{}}}"#,
            half(&self.joins),
            half(&self.leaves)
        )
    }
}

/// `{key: {"metas": […], …extra}, …}`: a state, or one half of a diff.
pub(crate) fn groups_json<'a>(
    topic: &str,
    groups: impl Iterator<Item = (&'a str, Vec<Arc<Meta>>)>,
    fetch: Option<&Fetch>,
) -> String {
    let mut json = String::from("{");
    for (key, metas) in groups {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&quoted(key));
        json.push(':');
        push_presence(&mut json, topic, key, &metas, fetch);
    }
    json.push('}');
    json
}

fn push_presence(
    json: &mut String,
    topic: &str,
    key: &str,
    metas: &[Arc<Meta>],
    fetch: Option<&Fetch>,
) {
    json.push_str(r#"{"metas":["#);
    for (index, meta) in metas.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(meta.json());
    }
    json.push(']');
    for (name, value) in fetch
        .map(|fetch| fetch(topic, key, metas))
        .unwrap_or_default()
    {
        if name != "metas" {
            json.push(',');
            json.push_str(&quoted(&name));
            json.push(':');
            json.push_str(&Value::to_string(&value));
        }
    }
    json.push('}');
}
