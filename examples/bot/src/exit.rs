//! What the program ends with.

use std::io::{self, Write as _};
use std::process::ExitCode;

use presence_native::{Disconnect, JoinError, PresenceError, PushError, StartError};

use crate::load::WrongRosters;

const OTHER: u8 = 1;
const USAGE: u8 = 2;
const CONNECTION: u8 = 3;
const ROOM: u8 = 4;
const SAID: u8 = 5;
const WRONG: u8 = 6;

/// Tells what went wrong, and picks the code that says so.
pub(crate) fn code(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    if is_broken_pipe(&error) {
        // Whoever read our output has seen enough.
        return ExitCode::SUCCESS;
    }
    // With no place to tell it, the code has to do.
    let _ = writeln!(io::stderr(), "presence-bot: {error:#}");
    ExitCode::from(code_of(&error))
}

fn code_of(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<StartError>() {
            return match error {
                StartError::Build(_) => USAGE,
                _ => CONNECTION,
            };
        }
        if let Some(error) = cause.downcast_ref::<JoinError>() {
            return match error {
                JoinError::Socket(_) => CONNECTION,
                _ => ROOM,
            };
        }
        if cause.is::<Disconnect>() {
            return CONNECTION;
        }
        if cause.is::<PresenceError>() {
            return ROOM;
        }
        if cause.is::<PushError>() {
            return SAID;
        }
        if cause.is::<WrongRosters>() {
            return WRONG;
        }
    }
    OTHER
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
