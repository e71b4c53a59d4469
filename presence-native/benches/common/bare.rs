//! What one writes without a client: tokio-tungstenite and a loop.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub(crate) struct Bare(WebSocketStream<TcpStream>);

impl Bare {
    pub(crate) async fn connect(endpoint: &str, config: Option<WebSocketConfig>) -> Self {
        let (base, query) = endpoint.split_once('?').expect("a query");
        let authority = base
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .expect("ws://HOST:PORT/…");
        let tcp = TcpStream::connect(authority).await.expect("a connection");
        tcp.set_nodelay(true).expect("TCP_NODELAY");
        let url = format!("{base}/websocket?{query}&vsn=2.0.0");
        let (stream, _) = client_async_with_config(url, tcp, config)
            .await
            .expect("an upgrade");
        Self(stream)
    }

    pub(crate) async fn join(&mut self) {
        let join = r#"["1","1","room:bench","phx_join",{}]"#;
        self.0.send(Message::text(join)).await.expect("a join");
    }

    pub(crate) async fn text(&mut self) -> Utf8Bytes {
        loop {
            match self.0.next().await.expect("it goes on").expect("a frame") {
                Message::Text(text) => return text,
                _ => continue,
            }
        }
    }
}
