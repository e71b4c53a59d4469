//! What the bot says when it is asked.

use anyhow::Result;
use presence_native::{Channel, Message, PushError};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::news::Roster;

const NAME: &str = "bot";

/// So many are named: the answer goes to everybody, and rooms may be large.
const NAMED: usize = 50;

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
    /// Of an answer: what was asked.
    question: Option<IgnoredAny>,
}

impl Answerer {
    pub(super) fn new(user_id: Option<&str>, channel: Channel) -> Self {
        Self {
            name: user_id.unwrap_or(NAME).to_owned(),
            channel,
        }
    }

    /// What is asked, if the event asks us something: `ask` always does, `shout` if its body names us. What we said
    /// ourselves doesn't, nor what another bot answers: that names us, as ours names it.
    pub(super) fn question(&self, message: &Message) -> Option<String> {
        let spoken: Spoken = message.decode().ok()?;
        if spoken.from == self.name || spoken.question.is_some() {
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
        let answer = who_is_here(roster.len(), roster.iter().map(|who| who.key().to_owned()));
        let payload = json!({ "body": answer, "from": self.name, "question": question });
        match self.channel.cast("shout", &payload).await {
            // Lost with its connection; the question was asked there, too.
            Ok(()) | Err(PushError::Timeout | PushError::Disconnected) => Ok(answer),
            Err(error) => Err(error.into()),
        }
    }
}

fn who_is_here(count: usize, names: impl Iterator<Item = String>) -> String {
    if count == 1 {
        return "There is nobody here but me.".to_owned();
    }
    let named: Vec<String> = names.take(NAMED).collect();
    let rest = match count - named.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("There are {count} of us: {}{rest}.", named.join(", "))
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
    fn of_many_only_some_are_named() {
        let told = |count: usize| who_is_here(count, (0..count).map(|n| format!("u{n}")));
        assert_eq!(told(1), "There is nobody here but me.");
        assert_eq!(told(3), "There are 3 of us: u0, u1, u2.");
        let many = told(100_000);
        assert!(many.starts_with("There are 100000 of us: u0, u1, "));
        assert!(many.ends_with(", u49 and 99950 more."), "{many}");
    }

    #[test]
    fn a_name_is_a_word() {
        assert!(names("hello @bot!", "bot"));
        assert!(names("Bot, who is here?", "bot"));
        assert!(!names("the bottom of it", "bot"));
    }
}
