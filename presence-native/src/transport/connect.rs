use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap};
use tokio::net::{TcpStream, lookup_host};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[cfg(feature = "proxy")]
use super::Proxy;
use super::{BoxedIo, Connecting, Encrypt, WebSocket};
use crate::endpoint::Endpoint;
use crate::error::ConnectError;

/// What bounds a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_message_bytes: usize,
    pub(crate) max_frame_bytes: usize,
    pub(crate) read_buffer_bytes: usize,
}

/// Makes connections: one attempt a call.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Option<Arc<dyn Encrypt>>,
    #[cfg(feature = "proxy")]
    pub(crate) proxy: Option<Proxy>,
    pub(crate) limits: Limits,
    pub(crate) timeout: Duration,
}

impl Connector {
    /// Starts an attempt after `wait`, which takes no longer than the timeout.
    pub(crate) fn connect(self: &Arc<Self>, wait: Duration) -> Connecting {
        let connector = Arc::clone(self);
        Box::pin(async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let timeout = connector.timeout;
            tokio::time::timeout(timeout, connector.attempt())
                .await
                .unwrap_or(Err(ConnectError::Timeout(timeout)))
        })
    }

    async fn attempt(&self) -> Result<WebSocket, ConnectError> {
        let request = self.endpoint.request().await?;
        let stream = self.reach().await?;
        let stream: BoxedIo = match &self.tls {
            Some(tls) => tls.encrypt(self.endpoint.server_name(), stream).await?,
            None => stream,
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(self.limits.read_buffer_bytes)
            .write_buffer_size(4 * 1024)
            .max_message_size(Some(self.limits.max_message_bytes))
            .max_frame_size(Some(self.limits.max_frame_bytes));
        let (stream, _) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(connect_error)?;
        Ok(stream)
    }

    async fn reach(&self) -> Result<BoxedIo, ConnectError> {
        let (host, port) = (self.endpoint.host(), self.endpoint.port());
        #[cfg(feature = "proxy")]
        if let Some(proxy) = &self.proxy {
            return proxy.tunnel(host, port).await;
        }
        let stream = dial(self.endpoint.server_name(), port, self.timeout)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("{host}:{port}: {error}")))?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// A connection to the first of a host's addresses that takes one.
async fn dial(host: &str, port: u16, within: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    first_of(&addresses, within).await
}

/// Each but the last has its share of the time, lest one that does not answer takes that of the others.
async fn first_of(addresses: &[SocketAddr], within: Duration) -> io::Result<TcpStream> {
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the host has no address",
        ));
    };
    let share = within / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in others {
        if let Ok(Ok(stream)) = tokio::time::timeout(share, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    TcpStream::connect(last).await
}

fn connect_error(error: Error) -> ConnectError {
    match error {
        Error::Http(response) => {
            let status = response.status().as_u16();
            match retry_after(response.headers()) {
                Some(retry_after) => ConnectError::RefusedFor {
                    status,
                    retry_after,
                },
                None => ConnectError::Refused { status },
            }
        }
        Error::Io(error) => error.into(),
        // Not that it speaks something else: it goes down, or what is before it has nobody behind it.
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            let ended = "the connection ended before the answer to the upgrade";
            io::Error::new(io::ErrorKind::UnexpectedEof, ended).into()
        }
        other => ConnectError::Handshake(other.to_string()),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// As one that is down behind a router: nothing comes back.
    #[tokio::test]
    async fn an_address_that_does_not_answer_is_followed_by_the_next() -> io::Result<()> {
        let any = "127.0.0.1:0".parse().map_err(io::Error::other)?;
        let silent = TcpSocket::new_v4()?;
        silent.bind(any)?;
        let silent = silent.listen(1)?;
        let dead = silent.local_addr()?;
        // Nobody accepts, and once no more fit in, Linux answers nothing.
        let mut waiting = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(50), TcpStream::connect(dead)).await
        {
            waiting.push(stream?);
        }
        let live = TcpListener::bind(any).await?;
        let within = Duration::from_millis(200);
        let stream = first_of(&[dead, live.local_addr()?], within).await?;
        assert_eq!(stream.peer_addr()?, live.local_addr()?);
        Ok(())
    }
}
