//! What the bot says when it is asked.

use anyhow::Result;
use presence_native::{Channel, Message, PushError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::news::Roster;

const NAME: &str = "bot";

/// Finds the questions among the events, and answers them.
pub(super) struct Answerer {
    name: String,
    channel: Channel,
}

/// `{"body": "…", "from": "…"}`, both as the asker likes.
#[derive(Deserialize)]
struct Spoken {
    #[serde(default)]
    body: Value,
    #[serde(default)]
    from: Value,
}

impl Answerer {
    pub(super) fn new(user_id: Option<&str>, channel: Channel) -> Self {
        Self {
            name: user_id.unwrap_or(NAME).to_owned(),
            channel,
        }
    }

    /// What is asked, if the event asks us something: `ask` always does, `shout` if its body names us. What we said
    /// ourselves doesn't.
    pub(super) fn question(&self, message: &Message) -> Option<String> {
        let spoken: Spoken = message.decode().ok()?;
        if spoken.from == self.name {
            return None;
        }
        let body = spoken.body.as_str().unwrap_or_default();
        let is_for_us = match &*message.event {
            "ask" => true,
            "shout" => names(body, &self.name),
            _ => false,
        };
        is_for_us.then(|| body.to_owned())
    }

    /// Says who is there, to all.
    pub(super) async fn answer(&self, question: &str, roster: &Roster) -> Result<String> {
        let names: Vec<String> = roster.iter().map(|who| who.key().to_owned()).collect();
        let answer = match names.len() {
            1 => "There is nobody here but me.".to_owned(),
            count => format!("There are {count} of us: {}.", names.join(", ")),
        };
        let payload = json!({ "body": answer, "from": self.name, "question": question });
        match self.channel.cast("shout", &payload).await {
            // Lost with its connection; the question was asked there, too.
            Ok(()) | Err(PushError::Timeout | PushError::Disconnected) => Ok(answer),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the name is a word of the text.
fn names(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word() {
        assert!(names("hello @bot!", "bot"));
        assert!(names("Bot, who is here?", "bot"));
        assert!(!names("the bottom of it", "bot"));
    }
}
