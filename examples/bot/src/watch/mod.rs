//! `presence-bot watch`: who comes and goes.

mod answer;
mod lines;

use anyhow::Result;
use presence_native::{Change, Entry, PresenceStatus, SocketStatus};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::cli::WatchOptions;
use answer::Answerer;
use lines::Lines;

type Meta = Value;
type Who = Entry<Meta, IgnoredAny>;
type What = Change<Meta, IgnoredAny>;

pub(crate) async fn run(options: &WatchOptions) -> Result<()> {
    let server = &options.server;
    let socket = server.builder()?.connect().await?;
    let channel = server.channel(&socket)?;
    let presence = channel.presence::<Meta>()?;
    let mut changes = presence.changes();
    let mut events = channel.events();
    let mut connection = socket.watch_status();
    let mut sync = presence.watch_status();
    let answerer = Answerer::new(server.user_id.as_deref(), channel.clone());
    let mut lines = Lines::new(options.json);

    lines.connected()?;
    channel.join().await?;
    loop {
        // In this order: what happened, before that it is all.
        tokio::select! {
            biased;
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                socket.shutdown().await;
                return Ok(());
            }
            change = changes.next() => match change {
                Some(Ok(change)) => lines.change(&change, presence.len())?,
                Some(Err(lagged)) => lines.lagged(&lagged)?,
                None => {
                    lines.closed()?;
                    return Err(presence_native::PresenceError::Closed.into());
                }
            },
            Ok(()) = sync.changed() => match *sync.borrow_and_update() {
                PresenceStatus::Synced => lines.synced(&presence.snapshot())?,
                PresenceStatus::Stale => lines.stale()?,
                _ => {}
            },
            Ok(()) = connection.changed() => match &*connection.borrow_and_update() {
                SocketStatus::Connected => lines.connected()?,
                SocketStatus::Reconnecting(why) => lines.disconnected(why)?,
                _ => {}
            },
            Some(event) = events.next() => if let Ok(message) = event
                && let Some(question) = answerer.question(&message)
            {
                lines.asked(&question)?;
                let answer = answerer.answer(&question, &presence.snapshot()).await?;
                lines.answered(&answer)?;
            },
        }
    }
}
