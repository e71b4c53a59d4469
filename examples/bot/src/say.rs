//! `presence-bot say`: one event, and out.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::cli::SayOptions;

pub(crate) async fn run(options: &SayOptions) -> Result<()> {
    let payload = match (&options.text, &options.payload) {
        (_, Some(payload)) => serde_json::from_str(payload).context("--payload is not JSON")?,
        (text, None) => said(
            text.as_deref().unwrap_or_default(),
            options.server.user_id.as_deref(),
        ),
    };
    let socket = options.server.builder()?.connect().await?;
    let channel = options.server.channel(&socket)?;
    channel.join().await?;
    if options.reply {
        let reply = channel.push(&options.event, &payload).await?;
        writeln!(io::stdout(), "{:?}", reply.response)?;
    } else {
        channel.cast(&options.event, &payload).await?;
    }
    // Sends what is queued first.
    socket.shutdown().await;
    Ok(())
}

fn said(text: &str, from: Option<&str>) -> Value {
    match from {
        Some(from) => json!({ "body": text, "from": from }),
        None => json!({ "body": text }),
    }
}
