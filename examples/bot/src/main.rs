//! A bot in a Phoenix room, on presence-native.

mod cli;
mod connect;
mod exit;
mod load;
mod say;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        Command::Watch(options) => watch::run(&options).await,
        Command::Say(options) => say::run(&options).await,
        Command::Load(options) => load::run(&options).await,
    };
    exit::code(outcome)
}
