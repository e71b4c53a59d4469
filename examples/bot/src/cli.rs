//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde_json::value::RawValue;

/// A bot in a Phoenix room.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped by Ctrl-C
  1  anything not named here
  2  the command line is wrong
  3  no connection, or the server refused it
  4  the server refused the room, or closed it
  5  the server refused what was said, or did not answer
  6  a roster was wrong";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows who comes and goes, and answers when asked
    Watch(WatchOptions),
    /// Says something in the room, or sends any event
    Say(SayOptions),
    /// Puts a server under load: many users who join, update and leave
    Load(LoadOptions),
}

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// The endpoint, as phoenix.js gets it
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The room
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: String,
    /// The parameter `user_id` of the connection
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// A parameter of the connection; may be given several times
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) params: Vec<Pair<'='>>,
    /// A header of the connection's request; may be given several times
    #[arg(long = "header", value_name = "NAME:VALUE")]
    pub(crate) headers: Vec<Pair<':'>>,
    /// The authToken of the connection
    #[arg(long, env = "PRESENCE_BOT_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// An HTTP proxy to connect through: http://HOST:PORT
    #[arg(long, value_name = "URL", env = "PRESENCE_BOT_PROXY")]
    pub(crate) proxy: Option<String>,
    /// A PEM file with certificates of authorities to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The version of the wire format
    #[arg(long, default_value = "2.0.0", value_parser = ["1.0.0", "2.0.0"])]
    pub(crate) vsn: String,
    /// The payload of the join, as JSON
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) join: Option<Box<RawValue>>,
}

#[derive(Args, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub(crate) struct WatchOptions {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Prints one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints lines, also on a terminal
    #[arg(long, conflicts_with = "json")]
    pub(crate) plain: bool,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  presence-bot watch ws://localhost:4000/socket room:lobby --user-id bot
  presence-bot watch wss://example.org/socket room:1 --token \"$TOKEN\" --json | jq .event

It answers the event `ask`, and a `shout` whose body names it, with a `shout`.";

#[derive(Args, Debug)]
#[command(after_help = SAY_EXAMPLES)]
pub(crate) struct SayOptions {
    #[command(flatten)]
    pub(crate) server: Server,
    /// What to say: the body of the event, beside who says it
    #[arg(required_unless_present = "payload")]
    pub(crate) text: Option<String>,
    /// The event
    #[arg(long, default_value = "shout")]
    pub(crate) event: String,
    /// The event's payload, as JSON, instead of a text
    #[arg(long, value_name = "JSON", value_parser = json, conflicts_with = "text")]
    pub(crate) payload: Option<Box<RawValue>>,
    /// Waits for the reply, and prints it
    #[arg(long)]
    pub(crate) reply: bool,
}

const SAY_EXAMPLES: &str = "\
Examples:
  presence-bot say ws://localhost:4000/socket room:lobby --user-id ann \"bot, who is here?\"
  presence-bot say ws://localhost:4000/socket room:lobby --event echo --payload '{\"n\":1}' --reply";

#[derive(Args, Debug)]
#[command(after_help = LOAD_EXAMPLES)]
pub(crate) struct LoadOptions {
    #[command(flatten)]
    pub(crate) server: Server,
    /// How many users there are
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) clients: u32,
    /// How many rooms they are spread over: TOPIC itself, or TOPIC-1, TOPIC-2 and so on; by default one for each 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rooms: Option<u32>,
    /// How many joins, updates and leaves a second
    #[arg(long, default_value_t = 50, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// How long, after all have joined
    #[arg(long = "for", default_value = "60s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) duration: Duration,
    /// How long it may take at the end until everybody has seen everything
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) settle: Duration,
    /// The parameter of the connection that says who one is
    #[arg(long, default_value = "user_id", value_name = "NAME")]
    pub(crate) user_param: String,
    /// The event that changes one's meta, with the payload {"n": NUMBER}; empty for servers without one
    #[arg(long, default_value = "set_status", value_name = "EVENT")]
    pub(crate) update_event: String,
    /// Where the randomness starts; by default it is different each time, and shown
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Prints the outcome as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const LOAD_EXAMPLES: &str = "\
Examples:
  presence-bot load ws://localhost:4000/socket room:load --clients 2000 --rate 200 --for 60s
  presence-bot load wss://example.org/socket room:load --clients 100 --param token=\"$TOKEN\" --update-event \"\"

At the end every client's roster is compared with who is really there. Each client needs an open file, here and at
the server; see ulimit -n.";

/// JSON that is sent as it was written: a number of any length stays what it is.
fn json(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::from_str(text)
}

/// Two texts with a character between.
#[derive(Clone, Debug)]
pub(crate) struct Pair<const SEPARATOR: char> {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl<const SEPARATOR: char> FromStr for Pair<SEPARATOR> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(SEPARATOR)
            .ok_or_else(|| format!("there is no {SEPARATOR:?} in it"))?;
        Ok(Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}
