//! `presence-bot say`: one event, and out.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::cli::SayOptions;

pub(crate) async fn run(options: &SayOptions) -> Result<()> {
    let payload = match (&options.text, &options.payload) {
        (_, Some(payload)) => payload.clone(),
        (text, None) => said(
            text.as_deref().unwrap_or_default(),
            options.server.user_id.as_deref(),
        )?,
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

fn said(text: &str, from: Option<&str>) -> serde_json::Result<Box<RawValue>> {
    to_raw_value(&match from {
        Some(from) => json!({ "body": text, "from": from }),
        None => json!({ "body": text }),
    })
}
