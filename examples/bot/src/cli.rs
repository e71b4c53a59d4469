//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};

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
  4  the server refused the room, or closed it";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows who comes and goes, and answers when asked
    Watch(WatchOptions),
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
    #[arg(long, value_name = "JSON")]
    pub(crate) join: Option<String>,
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
