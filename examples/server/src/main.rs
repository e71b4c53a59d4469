//! The server of the demo, as a program. Its first line of output says where it listens.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use presence_server::{Limits, Server};
use tracing_subscriber::EnvFilter;

/// A server that speaks Phoenix Channels and Presence, for rooms named room:*
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Serves the files of this folder at /
    #[arg(long, value_name = "DIR")]
    serve_dir: Option<PathBuf>,
    /// Closes a connection on which the client sends nothing for so long, in milliseconds
    #[arg(long, default_value_t = 60_000, value_name = "MS")]
    idle_timeout_ms: u64,
    /// The largest message taken from a client, in bytes
    #[arg(long, default_value_t = Limits::default().max_frame_bytes, value_name = "N")]
    max_frame_bytes: usize,
    /// How many channels one socket may join
    #[arg(long, default_value_t = Limits::default().max_channels, value_name = "N")]
    max_channels: usize,
    /// Refuses connections that don't bring this token (as the parameter `token` or as authToken)
    #[arg(long)]
    token: Option<String>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let args = Args::parse();

    let mut limits = Limits::default();
    limits.idle_timeout = Duration::from_millis(args.idle_timeout_ms);
    limits.max_frame_bytes = args.max_frame_bytes;
    limits.max_channels = args.max_channels;
    let mut builder = Server::builder()
        .bind(SocketAddr::new(args.host, args.port))
        .limits(limits);
    if let Some(dir) = args.serve_dir {
        builder = builder.serve_dir(dir);
    }
    if let Some(token) = args.token {
        builder = builder.on_connect(move |info| {
            let param = info.params.get("token");
            [param, info.auth_token.as_ref()].contains(&Some(&token))
        });
    }
    let server = builder.start().await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", server.url())?;
    stdout.flush()?;

    stop_signal().await?;
    server.shutdown().await;
    Ok(())
}

/// Completes on Ctrl-C, or where there are such things, on SIGTERM.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
